/*
 * Which files there are: globs, links, and what rotations have left beside a
 * live file.
 */
#include "look.h"

#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define LOOK_GAP (50 * NS_PER_MS) /* a burst of new names is one look */
#define LOOK_SHARE 20             /* the time of a look is at most one part of so many */

static struct slice
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return SLICE(".");
	return (struct slice){ path, slash == path ? 1 : (size_t)(slash - path) };
}

static void
watch_directory_of(struct tail *t, const char *path)
{
	char *directory = xslicedup(directory_of(path));

	watch_directory(t->watch, directory);
	free(directory);
}

/* A link whose file is not there yet: it will come where the link leads. */
static void
watch_where_link_leads(struct tail *t, const char *path)
{
	char leads[4096];
	ssize_t n = readlink(path, leads, sizeof(leads) - 1);

	if (n <= 0)
		return;
	leads[n] = '\0';
	if (leads[0] == '/')
		watch_directory_of(t, leads);
}

static bool
is_excluded(const struct tail_conf *conf, const char *path)
{
	for (size_t i = 0; i < conf->exclude_path.n; i++) {
		if (fnmatch(conf->exclude_path.at[i], path, 0) == 0)
			return true;
	}
	return false;
}

/* ---- what rotations left beside a live file */

/* NAME.20260101-000000, beside NAME; compressed ones are another reader's. */
static bool
is_rotated(struct slice name, struct slice live)
{
	if (name.len <= live.len + 1 || !slice_starts(name, live) || name.at[live.len] != '.')
		return false;
	for (size_t i = live.len + 1; i < name.len; i++) {
		if (memchr("0123456789-", name.at[i], 11) == NULL)
			return false;
	}
	return true;
}

/* A directory's names, sorted; kept within one look, for all the files that lie there. */
struct listing {
	char *path;
	struct dirent **names;
	int n;
};

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
listing_free(struct listing *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
	free(l->path);
	*l = (struct listing){ 0 };
}

static void
listing_read(struct listing *l, struct slice directory)
{
	if (l->path != NULL && slice_eq(slice_of(l->path), directory))
		return;
	listing_free(l);
	l->path = xslicedup(directory);
	l->n = scandir(l->path, &l->names, NULL, by_name);
	if (l->n < 0)
		l->n = 0;
}

/* Where names that begin with `base` would stand first. */
static int
listing_first(const struct listing *l, struct slice base)
{
	int from = 0, to = l->n;

	while (from < to) {
		int middle = from + (to - from) / 2;

		if (strncmp(l->names[middle]->d_name, base.at, base.len) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The file that a rotation left at `path`: opened when it is not known, to be read after `last`. */
static struct file *
rotated_file(struct tail *t, struct file *live, const char *path, struct file *last)
{
	struct file *was = LIST_FIRST(&t->files), *f = file_known(t, path);

	if (f == NULL) {
		file_open(t, live->conf, path);
		f = LIST_FIRST(&t->files);
		if (f == was)
			return last;
		file_follow(f, last);
		f->leaving = true;
		free(f->path);
		f->path = xstrdup(live->path);
	}
	return f->ended ? last : f;
}

/*
 * Open what stands rotated beside a live file that was opened just now: when
 * it is the first of its container, or when several rotations came between two
 * looks.  They are read first, the oldest at first; one that was read before
 * goes on at its cursor, which is its end.
 */
static void
rotated_open(struct tail *t, struct listing *beside, struct file *live)
{
	struct slice directory = directory_of(live->target);
	struct slice base = slice_of(live->target + directory.len + 1);
	struct file *before = live->after, *last = NULL;
	bool listed = before == NULL;

	listing_read(beside, directory);
	for (int i = listing_first(beside, base); i < beside->n; i++) {
		const char *name = beside->names[i]->d_name;
		char *sibling;

		if (!slice_starts(slice_of(name), base))
			break;
		if (!is_rotated(slice_of(name), base))
			continue;
		sibling = xprintf("%s/%s", beside->path, name);
		last = rotated_file(t, live, sibling, last);
		listed |= last == before;
		free(sibling);
	}
	file_follow(live, listed ? last : before); /* not listed: its name is gone */
}

/* ---- all of them */

static void
path_look(struct tail *t, struct listing *beside, const struct tail_conf *conf, const char *pattern)
{
	glob_t found;

	watch_directory_of(t, pattern);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct file *was = LIST_FIRST(&t->files), *f;

		if (is_excluded(conf, found.gl_pathv[i]))
			continue;
		if (!file_open(t, conf, found.gl_pathv[i]))
			watch_where_link_leads(t, found.gl_pathv[i]);
		f = LIST_FIRST(&t->files);
		if (f == was)
			continue;
		watch_directory_of(t, f->target);
		if (!f->from_end)
			rotated_open(t, beside, f);
	}
	globfree(&found);
}

void
look(struct tail *t)
{
	struct listing beside = { 0 };
	struct file *f;

	t->look = false;
	t->looked = t->now;
	LIST_FOREACH (f, &t->files, in_files)
		f->found = false;
	for (size_t i = 0; i < t->nconfs; i++) {
		for (size_t j = 0; j < t->confs[i]->path.n; j++)
			path_look(t, &beside, t->confs[i], t->confs[i]->path.at[j]);
	}
	listing_free(&beside);
	LIST_FOREACH (f, &t->files, in_files) {
		if (f->found && !f->leaving)
			continue;
		f->leaving = true;
		f->hot = false;
		file_wake(t, f);
		watch_forget(t->watch, f);
	}
	t->first_look = false;
	t->look_gap = LOOK_SHARE * (clock_mono() - t->now);
	if (t->look_gap < LOOK_GAP)
		t->look_gap = LOOK_GAP;
}
