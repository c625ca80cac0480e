/*
 * The kubelet compresses while we look: X.tmp is written, renamed to X.gz, then
 * X is deleted.  A name that is gone when it is opened has its successor in a
 * newer listing, so the directory is read again.  When both are there, they are
 * places of one content (naming.c).
 */
#include "rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "files.h"
#include "log.h"
#include "names.h"
#include "opener.h"
#include "order.h"
#include "roots.h"
#include "rotated.h"

#define NAMES_MOST 4 /* times Max_Files: so many are collected */
#define LISTINGS 5   /* how often a directory is read again whose names go while we look */

/* No rotation leaves a link, which could lead to another pod's file. */
static bool
is_file(const struct dirent *e)
{
	return e->d_type == DT_REG || e->d_type == DT_UNKNOWN;
}

static char *
path_in(struct slice directory, struct slice name)
{
	return xprintf("%.*s/%.*s", directory.len > 1 ? (int)directory.len : 0, directory.at,
	    (int)name.len, name.at);
}

/* False: the name leads nowhere any more. */
static bool
name_open(struct tail *t, struct log *log, char *path)
{
	size_t waiting = t->files->waiting, idle = t->files->idle;
	struct place *p;
	bool gone;

	p = opener_open(t, log->stream.conf, path, log->name, &gone);
	if (t->files->waiting > waiting)
		order_lacks(log, path);
	else if (t->files->idle > idle && log->list < LIST_LATER)
		log->list = LIST_LATER; /* it may be written to */
	if (p != NULL)
		p->last_look = t->look->number;
	if (p != NULL && p->content == NULL)
		order_add(t, log, p);
	else if (p != NULL)
		order_renamed(p, xstrdup(path), false);
	return !gone;
}

/* ---- a directory, for the logs in it that want it */

struct listing {
	struct tail *t;
	const struct tail_conf *conf;
	struct slice directory;
	struct log *only;   /* for this one alone; NULL: … */
	enum listed wanted; /* … for all that want it so */
	struct found {
		struct log *log;
		char *path;
	} * at;
	size_t n;
};

/* The log that wants the file `name`: rotations made the name of its live file's. */
static struct log *
log_of(const struct listing *l, const char *name)
{
	struct slice live = { name, 0 };

	while (rotated_live(slice_of(name), &live)) {
		char *path = path_in(l->directory, live);
		struct log *log = log_find(l->t, path);

		free(path);
		if (log != NULL &&
		    (l->only != NULL ? log == l->only
				     : log->stream.conf == l->conf &&
					   (log->list == l->wanted || log->list > LIST_AGAIN)))
			return log;
	}
	return NULL;
}

/* It has nothing to read, and is not to be opened now: it is looked at again. */
static bool
is_passed(struct tail *t, struct log *log, DIR *names, const char *name)
{
	struct stat st;
	bool is = t->files->crowded && fstatat(dirfd(names), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		  files_of(t, &st) == NULL && files_is_passed(t, &st, true);

	if (is && log->list < LIST_LATER)
		log->list = LIST_LATER;
	return is;
}

/* What is left is more than will find room. */
static void
name_found(struct listing *l, struct log *log, char *path)
{
	if (l->n == NAMES_MOST * l->t->files->most) {
		order_lacks(log, path);
		free(path);
		return;
	}
	l->at = xrealloc(l->at, (l->n + 1) * sizeof(*l->at));
	l->at[l->n++] = (struct found){ log, path };
}

static void
names_find(struct listing *l)
{
	char *path = xslicedup(l->directory);
	DIR *names = names_list(l->t->roots, &l->conf->from, path);
	const struct dirent *e;
	struct log *log;

	while (names != NULL && (errno = 0, e = readdir(names)) != NULL) {
		log = is_file(e) ? log_of(l, e->d_name) : NULL;
		if (log != NULL && !is_passed(l->t, log, names, e->d_name))
			name_found(l, log, path_in(l->directory, slice_of(e->d_name)));
	}
	if (errno != 0)
		files_unseen(l->t, path, errno);
	if (names != NULL)
		closedir(names);
	free(path);
}

/* The oldest of a log first: it is the one that the log waits for. */
static int
by_age(const void *one, const void *other)
{
	const struct found *a = one, *b = other;

	if (a->log != b->log)
		return a->log < b->log ? -1 : 1;
	return rotated_order(slice_of(a->path), slice_of(b->path), slice_of(a->log->name));
}

/* True: none of the names was gone. */
static bool
listing_open(struct tail *t, struct log *log, enum listed wanted)
{
	struct listing l = { .t = t,
		.conf = log->stream.conf,
		.directory = rotated_directory(log->name),
		.only = wanted == LISTED ? log : NULL,
		.wanted = wanted };
	bool all = true;

	names_find(&l);
	if (l.n > 1)
		qsort(l.at, l.n, sizeof(*l.at), by_age);
	for (size_t i = 0; i < l.n; i++) {
		all &= name_open(t, l.at[i].log, l.at[i].path);
		free(l.at[i].path);
	}
	free(l.at);
	return all;
}

void
rotation_open(struct tail *t, struct log *log)
{
	bool before = t->look->unseen;

	t->look->unseen = false;
	t->look->number++; /* files that are found are seen later than those that have gone since */
	for (int i = 0; i < LISTINGS && !listing_open(t, log, LISTED); i++)
		;
	log->unlisted = t->look->unseen ? t->now : 0;
	t->look->unseen = before;
}

void
rotation_look(struct tail *t, enum listed wanted)
{
	struct map *listed = map_new();
	bool before = t->look->unseen, unseen;
	struct log *log;

	t->look->unseen = false;
	LIST_FOREACH (log, &t->logs->all, in_logs) {
		if (log->list > LIST_AGAIN && wanted == LIST_AGAIN)
			log->list = wanted;
		if (log->list == wanted)
			order_listed(log);
	}
	LIST_FOREACH (log, &t->logs->all, in_logs) {
		struct slice directory = rotated_directory(log->name);
		char *key = log->list != wanted ? NULL
						: xprintf("%p%.*s", (const void *)log->stream.conf,
						      (int)directory.len, directory.at);

		if (key != NULL && map_put(listed, slice_of(key), log) == NULL) {
			for (int i = 0; i < LISTINGS && !listing_open(t, log, wanted); i++)
				;
		}
		free(key);
	}
	map_free(listed);
	unseen = t->look->unseen;
	t->look->unseen = before;
	LIST_FOREACH (log, &t->logs->all, in_logs) {
		if (log->list > LIST_AGAIN)
			t->look->again = t->now + LATE_GAP;
		if (log->list != wanted)
			continue;
		log->unlisted = unseen ? t->now : 0;
		log->list = LISTED;
	}
}

bool
rotation_any(struct tail *t, const struct tail_conf *conf, const char *name)
{
	struct slice directory = rotated_directory(name);
	struct slice live = slice_from(slice_of(name), directory.len + (directory.len > 1));
	char *path = xslicedup(directory);
	DIR *names = names_list(t->roots, &conf->from, path);
	const struct dirent *e;
	bool any = false;

	while (names != NULL && !any && (e = readdir(names)) != NULL)
		any = is_file(e) && rotated_is(slice_of(e->d_name), live);
	if (names != NULL)
		closedir(names);
	free(path);
	return any;
}
