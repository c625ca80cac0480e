/*
 * The state's directory, which one process takes at a time; the store in it
 * opened, closed, looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "own_file.h"
#include "state_internal.h"
#include "voice.h"

static int
dir_check(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		say_error("state",
		    "%s is no directory; set State_Path in [SERVICE], or --state DIR", dir);
		return -1;
	}
	if (own_file_dir_shared(&st)) {
		say_error("state",
		    "%s may be written by every user: chmod o-w it, or set State_Path, or --state "
		    "DIR, to a directory in it, which is made for towline alone",
		    dir);
		return -1;
	}
	if (st.st_mode & (S_IWOTH | S_IWGRP))
		say_warn("state", "%s may be written by %s: a directory of towline's own is safer",
		    dir, st.st_mode & S_IWOTH ? "every user" : "a group");
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		say_warn("state",
		    "%s is another user's (%u): a directory of towline's own is safer", dir,
		    (unsigned)st.st_uid);
	return 0;
}

/* The directory is ours alone as long as its lock file is locked. */
static int
dir_take(const char *dir)
{
	char *path;
	int fd;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		say_error("state",
		    "cannot make %s: %m; set State_Path in [SERVICE], or --state DIR", dir);
		return -1;
	}
	if (dir_check(dir) < 0)
		return -1;
	path = xprintf("%s/lock", dir);
	fd = own_file_open(path, O_RDWR);
	free(path);
	if (fd < 0) {
		say_error("state",
		    "cannot write in %s: %m; set State_Path in [SERVICE], or --state DIR", dir);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		say_error("state",
		    "%s is in use by another towline; stop it, or set another --state DIR", dir);
		close(fd);
		errno = EBUSY;
		return -1;
	}
	return fd;
}

static struct state *
state_new(const char *dir, int dir_lock)
{
	struct state *s = xcalloc(1, sizeof(*s));

	s->dir = dir == NULL ? NULL : xstrdup(dir);
	s->dir_lock = dir_lock;
	pthread_mutex_init(&s->lock, NULL);
	s->staging = staging_new();
	s->tickets = xcalloc(1, sizeof(*s->tickets));
	s->tickets->wake = -1;
	s->tables = xcalloc(1, sizeof(*s->tables));
	TAILQ_INIT(&s->tables->by_use);
	s->tables->contents = map_new();
	for (int which = 0; which < TWINS; which++)
		s->tables->twins[which] = map_new();
	s->tables->logs = map_new();
	s->tables->rules = map_new();
	s->tables->counters = map_new();
	s->tables->counted = map_new();
	s->tables->metadata = map_new();
	return s;
}

struct state *
state_open(const char *dir)
{
	struct state *s;
	int fd = dir == NULL ? -1 : dir_take(dir);

	if (dir != NULL && fd < 0)
		return NULL;
	s = state_new(dir, fd);
	if (dir == NULL)
		return s;
	if (schema_open(s, false) == 0 && store_start(s) == 0) {
		state_holds(s, NULL, 0); /* holds of the process before are over */
		return s;
	}
	state_close(s);
	errno = EINVAL;
	return NULL;
}

static void
tables_free(struct tables *t)
{
	struct known *k;
	struct known_log *l;
	size_t at = 0;

	while ((k = map_next(t->contents, &at, NULL)) != NULL)
		contents_free(k);
	at = 0;
	while ((l = map_next(t->logs, &at, NULL)) != NULL)
		logs_free(l);
	map_free(t->contents);
	for (int which = 0; which < TWINS; which++)
		map_free(t->twins[which]);
	map_free(t->logs);
	texts_free(t->rules);
	texts_free(t->counters);
	texts_free(t->counted);
	texts_free(t->metadata);
	holds_free(&t->holds);
	for (unsigned i = 0; i < t->nreaders; i++)
		free(t->readers[i]);
	free(t);
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	store_stop(s);
	tables_free(s->tables);
	staging_free(s->staging);
	free(s->tickets);
	transaction_clear(&s->next);
	if (s->dir_lock >= 0)
		close(s->dir_lock);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

struct state *
state_look(const char *dir)
{
	struct state *s = state_new(dir, -1);

	if (schema_open(s, true) == 0)
		return s;
	state_close(s);
	return NULL;
}

const char *
state_dir(const struct state *s)
{
	return s->dir;
}

bool
state_was_set_aside(const struct state *s)
{
	return s->set_aside;
}

bool
state_rebooted(const struct state *s)
{
	return s->rebooted;
}

void
state_judged(struct state *s)
{
	LOCKED(s);
	contents_judged(s);
	if (!s->rebooted)
		return;
	transaction_add(s, "UPDATE machine SET boot = ?1", TEXT(slice_of(s->boot)));
	tickets_post(s, false);
}
