/* Which files there are: globs and links.  What stands beside them is beside.c. */
#include "look.h"

#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beside.h"
#include "clock.h"
#include "held.h"
#include "resolve.h"
#include "roots.h"

#define LOOK_GAP (50 * NS_PER_MS) /* a burst of new names is one look */
#define LOOK_SHARE 20             /* the time of a look is at most one part of so many */

static void
watch_directory_of(struct tail *t, const struct tail_conf *conf, const char *path)
{
	char *directory = xslicedup(directory_of(path));
	int fd = resolve_directory(t->roots, conf, directory);

	if (fd >= 0) {
		watch_directory(t->watch, directory, fd);
		close(fd);
	}
	free(directory);
}

/* A link whose file is not there yet: it will come where the link leads. */
static void
watch_where_link_leads(struct tail *t, const struct tail_conf *conf, const char *path)
{
	char leads[4096];
	ssize_t n = readlink(path, leads, sizeof(leads) - 1);

	if (n <= 0)
		return;
	leads[n] = '\0';
	if (leads[0] == '/')
		watch_directory_of(t, conf, leads);
}

/* A .gz that the kubelet is about to write is named .tmp, whatever glob it fits. */
static bool
is_excluded(const struct tail_conf *conf, const char *path)
{
	if (slice_ends(slice_of(path), SLICE(".tmp")))
		return true;
	for (size_t i = 0; i < conf->exclude_path.n; i++) {
		if (fnmatch(conf->exclude_path.at[i], path, 0) == 0)
			return true;
	}
	return false;
}

/* ---- glob(3): it lists directories below the roots alone */

static struct globbing {
	struct tail *t;
	const struct tail_conf *conf;
} globbing; /* its functions have no argument for that */

static void *
names_open(const char *path)
{
	int fd = resolve_directory(globbing.t->roots, globbing.conf, path);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && names == NULL)
		close(fd);
	return names;
}

static struct dirent *
names_next(void *names)
{
	return readdir(names);
}

static void
names_close(void *names)
{
	closedir(names);
}

/* ---- all of them */

static void
path_look(struct tail *t, struct listing *beside, const struct tail_conf *conf, const char *pattern)
{
	glob_t found = { .gl_opendir = names_open,
		.gl_readdir = names_next,
		.gl_closedir = names_close,
		.gl_lstat = lstat,
		.gl_stat = stat };

	globbing = (struct globbing){ t, conf };
	watch_directory_of(t, conf, pattern);
	if (glob(pattern, GLOB_NOSORT | GLOB_ALTDIRFUNC, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct file *was = LIST_FIRST(&t->files), *f;

		if (is_excluded(conf, found.gl_pathv[i]))
			continue;
		if (!file_open(t, conf, found.gl_pathv[i]))
			watch_where_link_leads(t, conf, found.gl_pathv[i]);
		f = LIST_FIRST(&t->files);
		if (f == was)
			continue;
		watch_directory_of(t, conf, f->target);
		if (!f->from_end)
			beside_open(t, beside, f);
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
	roots_look(t->roots);
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
	held_reopen(t);
	t->first_look = false;
	t->look_gap = LOOK_SHARE * (clock_mono() - t->now);
	if (t->look_gap < LOOK_GAP)
		t->look_gap = LOOK_GAP;
}
