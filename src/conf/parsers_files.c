/* The files that Parsers_File names, and those that serve where one of them is not there. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grammar.h"
#include "memory.h"
#include "read.h"
#include "service.h"

/* True when ${file} is one of the names in ${list}, which commas separate. */
static bool
list_names(const char *list, struct slice file)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (slice_eq(slice_trim((struct slice){ list, len }), file))
			return true;
		if (list[len] == '\0')
			return false;
		list += len + 1;
	}
}

/*
 * The entry of ${option}, which may be given several times, that names ${file}; else one that
 * has it within, as quotes or a comment are not taken into the name.
 */
static const struct conf_entry *
entry_naming(const struct conf_blocks *blocks, const char *option, const char *file,
    const struct conf_block **block)
{
	const struct conf_entry *within = NULL;

	for (size_t i = 0; i < blocks->n; i++) {
		const struct conf_block *b = &blocks->at[i];

		for (size_t j = 0; j < b->n; j++) {
			const struct conf_entry *e = &b->entries[j];
			bool named = list_names(e->value, slice_of(file));

			if (strcasecmp(e->key, option) != 0 ||
			    (!named && (within != NULL || strstr(e->value, file) == NULL)))
				continue;
			within = e;
			*block = b;
			if (named)
				return e;
		}
	}
	return within;
}

/*
 * The file that serves in the place of a Parsers_File that is not there, as when a chart's
 * file, which names those of the image, is tried elsewhere: the one of its name beside the
 * main file, else the installed one.  NULL: neither is there.
 */
static char *
parsers_stand_in(struct reading *r, const struct conf_blocks *blocks, const char *file)
{
	const struct conf_block *b;
	const struct conf_entry *e = entry_naming(blocks, "Parsers_File", file, &b);
	const char *slash = strrchr(file, '/');
	char *path = slash == NULL ? NULL : conf_find(r->conf->file, slash + 1);

	if (path == NULL)
		path = conf_find(r->conf->file, "parsers.conf");
	r->parsers_missing = true;
	assert(e != NULL);
	findings_add(r->findings, FINDING_WARNING, b->file, e->line,
	    "Parsers_File '%s': no such file beside %s or in " TOWLINE_CONF "%s%s%s", file,
	    r->conf->file, path != NULL ? "; " : "", path != NULL ? path : "",
	    path != NULL ? " serves" : "");
	return path;
}

static bool
list_has(const struct list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], text) == 0)
			return true;
	return false;
}

/* Each file is read once, however many names stand for it. */
void
parsers_files_read(struct reading *r, struct grammar *g, struct conf_blocks *blocks)
{
	const struct service *service = service_of(r->conf);
	struct list done = { 0 };

	for (size_t i = 0; service != NULL && i < service->parsers_file.n; i++) {
		const char *file = service->parsers_file.at[i];
		char *path = grammar_has(g, file) ? xstrdup(file) : conf_find(r->conf->file, file);

		if (path == NULL)
			path = parsers_stand_in(r, blocks, file);
		if (path != NULL && !list_has(&done, path)) {
			done.at = pool_grow(r->pool, done.at, done.n, sizeof(*done.at));
			done.at[done.n++] = pool_text(r->pool, slice_of(path));
			grammar_read(g, path, blocks);
		}
		free(path);
	}
}
