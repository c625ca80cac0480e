/* http_proxy and its kin in the environment. */
#include "proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 160

const char *
proxy_names(char *to, size_t size)
{
	/* HTTP_PROXY is not read: a CGI program has it from its client.  The last two name no proxy. */
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" };
	const size_t n = sizeof(names) / sizeof(names[0]);
	size_t used = 0;

	for (size_t i = 0; i < n && used < size; i++) {
		const char *value = getenv(names[i]), *host, *scheme;

		if (value == NULL || value[0] == '\0' || (i >= n - 2 && used == 0))
			continue;
		scheme = strstr(value, "://");
		value = scheme != NULL ? scheme + 3 : value;
		host = strrchr(value, '@');
		used += (size_t)snprintf(to + used, size - used, "%s%s=%s", used > 0 ? ", " : "",
		    names[i], host != NULL ? host + 1 : value);
	}
	return used > 0 ? to : NULL;
}

void
proxy_note(char *error, size_t size)
{
	char names[NAMES_MAX];
	size_t n = strlen(error);

	if (proxy_names(names, sizeof(names)) != NULL)
		snprintf(error + n, size - n, " (of the environment: %s)", names);
}
