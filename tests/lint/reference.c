/*
 * Prints docs/configuration.md, or, by the word behind it, docs/towline.schema.json
 * (schema) or the table of docs/fluent-bit.md (differences); `make docs` writes them,
 * `make lint` compares.
 */
#include <string.h>

#include "difference.h"
#include "plugins.h"

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "differences") == 0)
		difference_reference(stdout);
	else if (argc > 1)
		conf_schema(&plugins_registry, stdout);
	else
		conf_reference(&plugins_registry, stdout);
	return 0;
}
