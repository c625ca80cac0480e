/* An output's settings, by the names of its options, as no output's struct is known here. */
#include <strings.h>

#include "server.h"

const void *
server_option(const struct section *section, const char *name)
{
	for (const struct option *o = section->plugin->options; o != NULL && o->name != NULL; o++) {
		if (strcasecmp(o->name, name) == 0)
			return (const char *)section->values + o->where;
	}
	return NULL;
}

const char *
server_option_string(const struct section *section, const char *name)
{
	const void *at = server_option(section, name);

	return at == NULL ? NULL : *(char *const *)at;
}
