/* Prints docs/configuration.md; `make docs` writes it, `make lint` compares. */
#include "plugins.h"

int
main(void)
{
	conf_reference(&plugins_registry, stdout);
	return 0;
}
