/*
 * Two inputs on one file, which Fluent Bit would ship twice, under two tags: the
 * file belongs to the first input that finds it, in the order of the configuration
 * (src/tail/discover.c).  Overlaps are found in the patterns, and, since links give
 * files several names, among the existing files.
 */
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

#include "glob.h"
#include "map.h"
#include "read.h"
#include "table.h"

/* A node has some hundreds of log files; beyond this the patterns alone decide. */
#define FILES_MAX 50000

static const struct list *
list_of(const struct section *s, const char *option)
{
	int row = table_find(s->plugin, option);

	/* A journal's Path is one directory, and not a list of files. */
	return row >= 0 && table_row(s->plugin, (size_t)row)->type == OPT_LIST
		   ? conf_value(s, option)
		   : NULL;
}

static bool
excluded(const struct list *exclude, const char *path)
{
	for (size_t i = 0; exclude != NULL && i < exclude->n; i++)
		if (fnmatch(exclude->at[i], path, 0) == 0)
			return true;
	return false;
}

/* True when ${exclude} certainly leaves out every file that ${pattern} names. */
static bool
covered(const struct list *exclude, const char *pattern)
{
	for (size_t i = 0; exclude != NULL && i < exclude->n; i++)
		if (glob_covers(exclude->at[i], pattern))
			return true;
	return false;
}

/* Compare two inputs by their patterns.  True: they overlap, and the finding is added. */
static bool
patterns_check(struct reading *r, const struct section *a, const struct section *b)
{
	const struct list *paths = list_of(a, "Path"), *others = list_of(b, "Path");
	const struct list *without = list_of(a, "Exclude_Path");
	const struct list *others_without = list_of(b, "Exclude_Path");
	bool excludes = (without && without->n > 0) || (others_without && others_without->n > 0);

	for (size_t i = 0; paths != NULL && i < paths->n; i++) {
		for (size_t j = 0; others != NULL && j < others->n; j++) {
			if (!glob_meet(paths->at[i], others->at[j], '/') ||
			    covered(without, others->at[j]) ||
			    covered(others_without, paths->at[i]))
				continue;
			if (excludes)
				continue; /* the existing files decide */
			findings_add(r->findings, FINDING_WARNING, b->file, conf_given(b, "Path"),
			    "Path '%s' and '%s' of the [INPUT] at %s:%u can name one file: it "
			    "belongs to that input, the first, and is shipped once "
			    "(Exclude_Path parts them)",
			    others->at[j], paths->at[i], a->file, a->line);
			return true;
		}
	}
	return false;
}

/* Names of the files of earlier inputs, by device and inode. */
struct seen {
	struct map *owner; /* -> section */
	size_t n;
};

/* Note the files of ${s}; add a finding about the first that another input has. */
static void
files_check(struct reading *r, struct seen *seen, const struct section *s)
{
	const struct list *paths = list_of(s, "Path"), *exclude = list_of(s, "Exclude_Path");
	bool told = false;

	for (size_t i = 0; paths != NULL && i < paths->n; i++) {
		glob_t found = { 0 };

		if (glob(paths->at[i], 0, NULL, &found) != 0)
			found.gl_pathc = 0;
		for (size_t j = 0; j < found.gl_pathc && seen->n < FILES_MAX; j++) {
			const char *path = found.gl_pathv[j];
			struct slice key;
			struct stat st;
			uint64_t id[2];
			const struct section *other;

			if (excluded(exclude, path) || stat(path, &st) != 0)
				continue;
			id[0] = st.st_dev;
			id[1] = st.st_ino;
			key = (struct slice){ (const char *)id, sizeof(id) };
			other = map_get(seen->owner, key);
			if (other == NULL)
				map_put(seen->owner, key, (void *)(uintptr_t)s);
			else if (other != s && !told)
				findings_add(r->findings, FINDING_WARNING, s->file,
				    conf_given(s, "Path"),
				    "%s is also a file of the [INPUT] at %s:%u: it belongs to that "
				    "input, the first, and is shipped once (Exclude_Path parts "
				    "them)",
				    path, other->file, other->line);
			told = told || (other != NULL && other != s);
			seen->n++;
		}
		globfree(&found);
	}
}

void
overlap_check(struct reading *r)
{
	struct seen seen = { .owner = map_new() };
	const struct conf *c = r->conf;

	for (size_t i = 0; i < c->n; i++) {
		const struct section *s = &c->sections[i];
		bool told = false;

		if (s->plugin->kind != SECTION_INPUT || list_of(s, "Path") == NULL)
			continue;
		for (size_t j = 0; j < i && !told; j++)
			if (c->sections[j].plugin->kind == SECTION_INPUT &&
			    list_of(&c->sections[j], "Path") != NULL)
				told = patterns_check(r, &c->sections[j], s);
		if (!told)
			files_check(r, &seen, s);
	}
	map_free(seen.owner);
}
