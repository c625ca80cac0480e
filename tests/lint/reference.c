/*
 * Prints docs/configuration.md, or with a word behind it docs/towline.schema.json; `make docs`
 * writes them, `make lint` compares.
 */
#include "plugins.h"

int
main(int argc, char **argv)
{
	(void)argv;
	(argc > 1 ? conf_schema : conf_reference)(&plugins_registry, stdout);
	return 0;
}
