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

/* The file that a rotation left at `path`: opened when it is not known, to be read after `last`. */
static struct file *
rotated_file(struct tail *t, struct file *live, const char *path, struct file *last)
{
	struct file *was = t->files, *f = file_known(t, path);

	if (f == NULL) {
		file_open(t, live->conf, path);
		if (t->files == was)
			return last;
		f = t->files;
		f->after = last;
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
rotated_open(struct tail *t, struct file *live)
{
	struct slice directory = directory_of(live->target);
	char *path = xslicedup(directory);
	struct slice base = slice_of(live->target + directory.len + 1);
	struct file *last = live->after;
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *sibling = xprintf("%s/%s", path, names[i]->d_name);

		if (is_rotated(slice_of(names[i]->d_name), base))
			last = rotated_file(t, live, sibling, last);
		free(sibling);
		free(names[i]);
	}
	free(names);
	free(path);
	live->after = last;
}

/* ---- all of them */

static void
path_look(struct tail *t, const struct tail_conf *conf, const char *pattern)
{
	glob_t found;

	watch_directory_of(t, pattern);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct file *was = t->files, *f;

		if (is_excluded(conf, found.gl_pathv[i]))
			continue;
		file_open(t, conf, found.gl_pathv[i]);
		f = t->files;
		if (f == was) {
			if (access(found.gl_pathv[i], F_OK) < 0)
				watch_where_link_leads(t, found.gl_pathv[i]);
			continue;
		}
		watch_directory_of(t, f->target);
		if (!f->from_end)
			rotated_open(t, f);
	}
	globfree(&found);
}

void
look(struct tail *t)
{
	t->look = false;
	t->looked = t->now;
	for (struct file *f = t->files; f != NULL; f = f->next)
		f->found = false;
	for (size_t i = 0; i < t->nconfs; i++) {
		for (size_t j = 0; j < t->confs[i]->path.n; j++)
			path_look(t, t->confs[i], t->confs[i]->path.at[j]);
	}
	for (struct file *f = t->files; f != NULL; f = f->next) {
		if (f->found && !f->leaving)
			continue;
		f->leaving = true;
		f->ready = true;
		watch_forget(t->watch, f);
	}
	t->first_look = false;
}
