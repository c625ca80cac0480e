/*
 * Queries name the fields of log_parsed; where the configuration merges lines under
 * another key, the same members stand there.
 */
#include <stdlib.h>

#include "filter.h"
#include "report.h"

const char *
report_key_of(const struct conf *conf)
{
	const char *key = NULL;

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin == &kubernetes_filter_plugin)
			key = ((const struct kubernetes_conf *)s->values)->merge_log_key;
	}
	return key != NULL && strcmp(key, "log_parsed") != 0 ? key : NULL;
}

char *
report_key_put(const char *text, const char *from, const char *to)
{
	struct buffer out;
	const char *at;

	buffer_init(&out, 0);
	for (; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
		buffer_put(&out, (struct slice){ text, (size_t)(at - text) });
		buffer_put(&out, slice_of(to));
	}
	buffer_put(&out, (struct slice){ text, strlen(text) + 1 });
	return out.at;
}
