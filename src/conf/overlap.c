/*
 * Two inputs on one file, which Fluent Bit would ship twice, under two tags: the
 * file belongs to the first input that finds it, in the order of the configuration
 * (src/tail/discover.c).  Overlaps are found in the patterns, and, since links give
 * files several names, among the existing files.
 */
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "glob.h"
#include "map.h"
#include "memory.h"
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

/* ---- patterns */

struct place;

struct input {
	const struct section *section;
	/* Two patterns that meet: the first of an earlier input, and this one's; NULL: none do. */
	const struct place *first, *own;
};

/* A pattern of an input.  In the array of all of them they stand as in the configuration. */
struct place {
	struct input *of;
	const char *pattern;
	size_t head; /* glob_head(pattern) */
	unsigned line;
};

struct inputs {
	struct input *at;
	struct place *places;
	const struct place **sorted; /* by their heads */
	size_t n, nplaces;
};

/* NULL: none; where an input excludes files, the existing ones decide. */
static const struct list *
compared_paths(const struct section *s)
{
	const struct list *exclude = list_of(s, "Exclude_Path");

	return exclude != NULL && exclude->n > 0 ? NULL : list_of(s, "Path");
}

static int
head_order(const void *left, const void *right)
{
	const struct place *a = *(const struct place *const *)left;
	const struct place *b = *(const struct place *const *)right;
	int order = memcmp(a->pattern, b->pattern, a->head < b->head ? a->head : b->head);

	if (order == 0 && a->head != b->head)
		return a->head < b->head ? -1 : 1;
	return order != 0 ? order : (a > b) - (a < b);
}

static void
inputs_take(struct inputs *in, const struct conf *c)
{
	size_t most = 0;

	in->at = xcalloc(c->n + 1, sizeof(*in->at));
	for (size_t i = 0; i < c->n; i++) {
		const struct section *s = &c->sections[i];
		const struct list *paths;

		if (s->plugin->kind != SECTION_INPUT || list_of(s, "Path") == NULL)
			continue;
		in->at[in->n++].section = s;
		paths = compared_paths(s);
		most += paths != NULL ? paths->n : 0;
	}
	in->places = xcalloc(most + 1, sizeof(*in->places));
	in->sorted = xcalloc(most + 1, sizeof(*in->sorted));
	for (size_t i = 0; i < in->n; i++) {
		const struct list *paths = compared_paths(in->at[i].section);

		for (size_t k = 0; paths != NULL && k < paths->n; k++) {
			struct place *p = &in->places[in->nplaces];

			*p = (struct place){ &in->at[i], paths->at[k], glob_head(paths->at[k]),
				list_line(paths, k) };
			in->sorted[in->nplaces++] = p;
		}
	}
	qsort(in->sorted, in->nplaces, sizeof(*in->sorted), head_order);
}

static void
inputs_free(struct inputs *in)
{
	free(in->at);
	free(in->places);
	free(in->sorted);
}

/* Compare two patterns, unless the later one's input has met an earlier one already. */
static void
pair_check(const struct place *a, const struct place *b)
{
	const struct place *first = a < b ? a : b, *own = a < b ? b : a;
	struct input *later = own->of;

	if (first->of == later)
		return;
	if (later->first != NULL &&
	    (later->first < first || (later->first == first && later->own <= own)))
		return;
	if (!glob_meet(first->pattern, own->pattern, '/'))
		return;
	later->first = first;
	later->own = own;
}

/*
 * Patterns meet only where the head of one begins with that of the other: in their order
 * those that another's head begins with stand behind that other one, and are compared with it
 * and no others.
 */
static void
patterns_compare(struct inputs *in)
{
	const struct place **around = xcalloc(in->nplaces + 1, sizeof(*around));
	size_t depth = 0;

	for (size_t i = 0; i < in->nplaces; i++) {
		const struct place *p = in->sorted[i];

		while (depth > 0 && (around[depth - 1]->head > p->head ||
					memcmp(around[depth - 1]->pattern, p->pattern,
					    around[depth - 1]->head) != 0))
			depth--;
		for (size_t k = 0; k < depth; k++)
			pair_check(around[k], p);
		around[depth++] = p;
	}
	free(around);
}

static void
pattern_say(struct reading *r, const struct input *in)
{
	const struct section *a = in->first->of->section, *b = in->section;

	findings_add(r->findings, FINDING_WARNING, b->file, in->own->line,
	    "Path '%s' and '%s' of the [INPUT] at %s:%u can name one file: it belongs to that input, "
	    "the first, and is shipped once (Exclude_Path parts them)",
	    in->own->pattern, in->first->pattern, a->file, a->line);
}

/* ---- files */

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
				    list_line(paths, i),
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
	struct inputs in = { .n = 0 };

	inputs_take(&in, r->conf);
	patterns_compare(&in);
	for (size_t i = 0; i < in.n; i++) {
		if (in.at[i].first != NULL)
			pattern_say(r, &in.at[i]);
		else
			files_check(r, &seen, in.at[i].section);
	}
	inputs_free(&in);
	map_free(seen.owner);
}
