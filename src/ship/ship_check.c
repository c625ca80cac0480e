/* Outputs that cannot run beside each other; `run` would refuse them at its start. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "state.h"

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

/* Cursors, metrics and dead letters know an output by its name. */
static void
name_check(const struct section *const *outputs, size_t n, struct findings *findings)
{
	const struct section *s = outputs[n];
	char *name = output_name(outputs, n), *other;
	const size_t most = sizeof(((struct state_hold *)NULL)->output) - 1;

	if (strlen(name) > most)
		findings_add(findings, FINDING_ERROR, s->file, conf_given(s, "Alias"),
		    "Alias: more than %zu bytes, by which the state knows an output", most);
	for (size_t i = 0; i < n; i++) {
		other = output_name(outputs, i);
		if (strcmp(other, name) == 0)
			findings_add(findings, FINDING_ERROR, s->file,
			    conf_given(s, "Alias") != 0 ? conf_given(s, "Alias") : s->line,
			    "the [OUTPUT] at %s:%u is called '%s', too: an Alias of its own tells "
			    "them apart",
			    outputs[i]->file, outputs[i]->line, name);
		free(other);
	}
	free(name);
}

/* ${name}, a path or a pattern of paths, without the links in that of it which is there; the caller frees. */
static char *
real_name(const char *name)
{
	char *head = xprintf("%s%s", name[0] == '/' ? "" : "./", name), *whole = xstrdup(head);
	char *real = NULL, *slash, *result;

	while (real == NULL && (slash = strrchr(head, '/')) != NULL) {
		*slash = '\0';
		real = realpath(head[0] != '\0' ? head : "/", NULL);
	}
	result = xprintf(
	    "%s%s", real != NULL && strcmp(real, "/") != 0 ? real : "", whole + strlen(head));
	free(real);
	free(whole);
	free(head);
	return result;
}

/* True when the pattern ${glob} finds ${file}, perhaps by another name of a directory. */
static bool
is_found(const char *glob, const char *file)
{
	char *real_glob = real_name(glob), *real_file = real_name(file);
	bool found = fnmatch(glob, file, FNM_PATHNAME) == 0 ||
		     fnmatch(real_glob, real_file, FNM_PATHNAME) == 0;

	free(real_glob);
	free(real_file);
	return found;
}

/* Lines that towline writes and reads would be read for ever. */
static void
loop_check(const struct conf *conf, const struct section *s, struct findings *findings)
{
	const char *path = *(char *const *)conf_value(s, "Path");
	const char *name = *(char *const *)conf_value(s, "File");
	char *file = xprintf("%s%s%s", path != NULL ? path : "", path != NULL ? "/" : "",
	    name != NULL ? name : "a.tag.log");

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *in = &conf->sections[i];
		const struct list *globs = NULL;

		if (in->plugin->kind == SECTION_INPUT && strcmp(in->plugin->name, "tail") == 0)
			globs = conf_value(in, "Path");
		for (size_t g = 0; globs != NULL && g < globs->n; g++)
			if (is_found(globs->at[g], file))
				findings_add(findings, FINDING_ERROR, s->file, s->line,
				    "[OUTPUT] file writes %s, which the [INPUT] at %s:%u reads: it would "
				    "read its own lines for ever",
				    name != NULL ? file : path, in->file, in->line);
	}
	free(file);
}

void
ship_check(const struct conf *conf, struct findings *findings)
{
	const struct section *outputs[SINKS_MAX];
	unsigned lane[SINKS_MAX], lanes = 0, before;
	size_t n = 0;

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin->kind != SECTION_OUTPUT)
			continue;
		if (n == SINKS_MAX) {
			findings_add(findings, FINDING_ERROR, s->file, s->line,
			    "more than %d outputs", SINKS_MAX);
			return;
		}
		outputs[n] = s;
		before = lanes;
		lanes = lanes_plan(outputs, n + 1, lane);
		if (lanes > SHIP_LANES && lanes > before)
			findings_add(findings, FINDING_ERROR, s->file, s->line,
			    "more than %d outputs beside stdout and null: each reads the files by "
			    "itself; a second towline, with a State_Path of its own, takes the others",
			    SHIP_LANES);
		name_check(outputs, n++, findings);
		if (s->plugin == &sqlite_plugin)
			files_check(conf, s, findings);
		if (s->plugin == &file_plugin)
			loop_check(conf, s, findings);
	}
}
