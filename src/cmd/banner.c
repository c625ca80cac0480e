/* The first line of towline's log: which towline, what it reads, where to. */
#include "banner.h"

#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>

#include "memory.h"
#include "pipeline.h"
#include "proxy.h"
#include "ship.h"
#include "tail.h"
#include "voice.h"

/* "NAME PATH (12 files), PATH (no file matches)". */
static void
input_put(struct buffer *to, const struct section *input)
{
	const struct tail_conf *conf = input->values;

	if (input->plugin != &tail_plugin) {
		char *const *path = conf_value(input, "Path");

		buffer_printf(to, "%s%s%s", input->plugin->name,
		    path != NULL && *path != NULL ? " " : "",
		    path != NULL && *path != NULL ? *path : "");
		return;
	}
	for (size_t i = 0; i < conf->from.path.n; i++) {
		glob_t found = { .gl_pathc = 0 };

		glob(conf->from.path.at[i], GLOB_NOSORT, NULL, &found);
		buffer_printf(
		    to, "%s%s%s", i == 0 ? input->plugin->name : ",", " ", conf->from.path.at[i]);
		if (found.gl_pathc == 0)
			buffer_printf(to, " (no file matches)");
		else
			buffer_printf(to, " (%zu file%s)", (size_t)found.gl_pathc,
			    found.gl_pathc == 1 ? "" : "s");
		globfree(&found);
	}
}

/* "es.0 HOST:9200", "sqlite.0 /a/logs.db". */
static void
output_put(struct buffer *to, const struct section *const *outputs, size_t which)
{
	char *name = output_name(outputs, which);
	char *const *host = conf_value(outputs[which], "Host");
	char *const *path = conf_value(outputs[which], "Path");
	const int64_t *port = conf_value(outputs[which], "Port");

	buffer_printf(to, "%s", name);
	if (host != NULL && *host != NULL && port != NULL)
		buffer_printf(to, " %s:%" PRId64, *host, *port);
	else if (path != NULL && *path != NULL)
		buffer_printf(to, " %s", *path);
	free(name);
}

/* True when an output, or the requests to the API server, go by what the environment names. */
static bool
proxies_are_asked(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		const bool *ignores = conf_value(&conf->sections[i], "net.proxy_env_ignore");

		if (ignores != NULL && !*ignores)
			return true;
	}
	return pipeline_asks_api(conf);
}

void
banner_say(const struct conf *conf)
{
	const struct section **outputs = xcalloc(conf->n, sizeof(*outputs));
	struct buffer inputs, to;
	size_t n = 0;
	char names[512];

	buffer_init(&inputs, 0);
	buffer_init(&to, 0);
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin->kind == SECTION_INPUT) {
			buffer_printf(&inputs, "%s", inputs.len > 0 ? "; " : "");
			input_put(&inputs, s);
		} else if (s->plugin->kind == SECTION_OUTPUT) {
			outputs[n++] = s;
			buffer_printf(&to, "%s", n > 1 ? "; " : "");
			output_put(&to, outputs, n - 1);
		}
	}
	say_info("run", "towline " TOWLINE_VERSION ", from %.*s, to %.*s",
	    SLICE_ARG(buffer_slice(&inputs)), SLICE_ARG(buffer_slice(&to)));
	if (proxies_are_asked(conf) && proxy_names(names, sizeof(names)) != NULL)
		say_info("run", "proxies that the environment names are used: %s", names);
	buffer_fini(&inputs);
	buffer_fini(&to);
	free(outputs);
}
