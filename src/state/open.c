/*
 * The state's directory: taken by one process at a time; the store in it
 * opened, closed, looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "state_internal.h"
#include "voice.h"

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
	path = xprintf("%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
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

struct state *
state_open(const char *dir)
{
	struct state *s;
	int fd = dir == NULL ? -1 : dir_take(dir);

	if (dir != NULL && fd < 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->dir = dir == NULL ? NULL : xstrdup(dir);
	s->dir_lock = fd;
	s->streams = map_new();
	s->bases = map_new();
	s->texts = map_new();
	s->metadata = map_new();
	s->loaded = map_new();
	s->wake = -1;
	if (dir == NULL)
		return s;
	if (schema_open(s) < 0 || store_start(s) < 0) {
		state_close(s);
		errno = EINVAL;
		return NULL;
	}
	return s;
}

void
state_close(struct state *s)
{
	struct known *k;
	struct text *t;
	size_t at = 0;

	if (s == NULL)
		return;
	store_stop(s);
	while ((k = map_next(s->streams, &at, NULL)) != NULL)
		known_free(k);
	at = 0;
	while ((t = map_next(s->texts, &at, NULL)) != NULL) {
		free(t->value);
		free(t);
	}
	map_free(s->streams);
	map_free(s->bases);
	map_free(s->texts);
	metadata_free(s->metadata);
	metadata_free(s->loaded);
	holds_free(&s->holds);
	staging_clear(s);
	free(s->staged);
	free(s->forgotten);
	for (size_t i = 0; i < s->nrules; i++)
		free(s->rules[i].text);
	free(s->rules);
	free(s->staged_texts);
	if (s->dir_lock >= 0)
		close(s->dir_lock);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

struct state *
state_look(const char *dir)
{
	struct state *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	s->dir = xstrdup(dir);
	s->dir_lock = s->wake = -1;
	s->streams = map_new();
	s->bases = map_new();
	s->texts = map_new();
	s->metadata = map_new();
	s->loaded = map_new();
	if (schema_look(s) == 0)
		return s;
	state_close(s);
	return NULL;
}
