/* The path of a search in the indices that an output writes. */
#include "report.h"

#include <stdlib.h>

/* Add `name` to `path`: % with its letter, and words that begin with $, become a star. */
static void
path_index(struct buffer *path, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '%' && name[1] != '\0') {
			buffer_put(path, SLICE("*"));
			name++;
		} else if (*name == '$') {
			buffer_put(path, SLICE("*"));
			return;
		} else if (strchr("/?#\\\" <>|,", *name) == NULL) {
			buffer_put(path, (struct slice){ name, 1 });
		}
	}
}

char *
report_path(const struct section *output)
{
	const bool *dated = server_option(output, "Logstash_Format");
	const char *index = server_option_string(output, "Index");
	struct buffer path;
	char *text;

	buffer_init(&path, 0);
	buffer_put(&path, SLICE("/"));
	if (dated != NULL && *dated) {
		index = server_option_string(output, "Logstash_Prefix");
		path_index(&path, index != NULL ? index : "logstash");
		buffer_put(&path, SLICE("*"));
	} else {
		path_index(&path, index != NULL ? index : "fluent-bit");
	}
	buffer_put(&path, SLICE("/_search?ignore_unavailable=true&allow_no_indices=true"));
	text = xslicedup(buffer_slice(&path));
	buffer_fini(&path);
	return text;
}
