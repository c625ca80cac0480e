/* Outputs that cannot run beside each other; `run` would refuse them at its start. */
#include <string.h>

#include "es_index.h"
#include "ship.h"

/* Two outputs that write to one file would each find its name taken. */
static void
files_check(const struct conf *conf, const struct section *s, struct findings *findings)
{
	const char *path = *(char *const *)conf_value(s, "Path"), *other;

	for (const struct section *o = conf->sections; path != NULL && o < s; o++) {
		if (o->plugin != s->plugin)
			continue;
		other = *(char *const *)conf_value(o, "Path");
		if (other != NULL && strcmp(other, path) == 0)
			findings_add(findings, FINDING_ERROR, s->file, conf_given(s, "Path"),
			    "Path '%s' is that of the [OUTPUT] at %s:%u, too: a file belongs to one "
			    "output",
			    path, o->file, o->line);
	}
}

void
ship_check(const struct conf *conf, struct findings *findings)
{
	const struct section *first = NULL;
	size_t outputs = 0;

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];
		const char *what;

		if (s->plugin->kind != SECTION_OUTPUT)
			continue;
		if (++outputs == SINKS_MAX + 1)
			findings_add(findings, FINDING_ERROR, s->file, s->line,
			    "more than %d outputs", SINKS_MAX);
		if (s->plugin == &sqlite_plugin)
			files_check(conf, s, findings);
		if (es_options_of(s) == NULL)
			continue;
		what = first != NULL ? es_index_differs(first->values, s->values) : NULL;
		if (what != NULL)
			findings_add(findings, FINDING_ERROR, s->file, s->line,
			    "documents are encoded once for all outputs, but %s is not the same as "
			    "in %s:%u",
			    what, first->file, first->line);
		else if (first == NULL)
			first = s;
	}
}
