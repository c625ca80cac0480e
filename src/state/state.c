/*
 * The state, in memory: what a store on disk will keep.  Every change is
 * durable as soon as it is posted, as far as this process is concerned.
 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "map.h"
#include "memory.h"
#include "voice.h"

/* A record that ended because time said so. */
struct brk {
	enum side side;
	uint64_t end;
};

struct known {
	struct stream_state stream;
	struct brk *breaks;
	size_t nbreaks;
};

struct state {
	pthread_mutex_t lock;
	char *dir;
	int dir_lock; /* held while we live; -1: nothing is kept on disk */
	struct map *streams;
	state_ticket posted;
	int wake;
};

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
	s->wake = -1;
	return s;
}

void
state_close(struct state *s)
{
	struct known *k;
	size_t at = 0;

	if (s == NULL)
		return;
	while ((k = map_next(s->streams, &at, NULL)) != NULL) {
		free(k->breaks);
		free(k);
	}
	map_free(s->streams);
	if (s->dir_lock >= 0)
		close(s->dir_lock);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

const char *
state_dir(const struct state *s)
{
	return s->dir;
}

static struct slice
key_of(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}

/* Under the lock. */
static struct known *
known_of(struct state *s, const struct identity *id)
{
	struct known *k = map_get(s->streams, key_of(id));

	if (k == NULL) {
		k = xcalloc(1, sizeof(*k));
		k->stream.first_seen = clock_wall();
		map_put(s->streams, key_of(id), k);
	}
	return k;
}

bool
state_find(struct state *s, const struct identity *id, struct stream_state *out)
{
	struct known *k;

	pthread_mutex_lock(&s->lock);
	k = map_get(s->streams, key_of(id));
	if (k != NULL)
		*out = k->stream;
	pthread_mutex_unlock(&s->lock);
	return k != NULL;
}

state_ticket
state_stream(struct state *s, const struct identity *id, const struct stream_state *what)
{
	state_ticket ticket;

	pthread_mutex_lock(&s->lock);
	known_of(s, id)->stream = *what;
	ticket = ++s->posted;
	pthread_mutex_unlock(&s->lock);
	return ticket;
}

state_ticket
state_break(struct state *s, const struct identity *id, enum side side, uint64_t end)
{
	struct known *k;
	state_ticket ticket;

	pthread_mutex_lock(&s->lock);
	k = known_of(s, id);
	k->breaks = xrealloc(k->breaks, (k->nbreaks + 1) * sizeof(*k->breaks));
	k->breaks[k->nbreaks++] = (struct brk){ side, end };
	ticket = ++s->posted;
	pthread_mutex_unlock(&s->lock);
	return ticket;
}

uint64_t
state_is_break(
    struct state *s, const struct identity *id, enum side side, uint64_t from, uint64_t to)
{
	const struct known *k;
	uint64_t first = 0;

	pthread_mutex_lock(&s->lock);
	k = map_get(s->streams, key_of(id));
	for (size_t i = 0; k != NULL && i < k->nbreaks; i++) {
		const struct brk *b = &k->breaks[i];

		if (b->side == side && b->end > from && b->end <= to &&
		    (first == 0 || b->end < first))
			first = b->end;
	}
	pthread_mutex_unlock(&s->lock);
	return first;
}

/* Breaks that every cursor has passed are of no use to a replay. */
static void
breaks_forget(struct known *k, enum side side, uint64_t shipped)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->nbreaks; i++) {
		if (k->breaks[i].side != side || k->breaks[i].end > shipped)
			k->breaks[kept++] = k->breaks[i];
	}
	k->nbreaks = kept;
}

void
state_shipped(struct state *s, const struct identity *id, enum side side, uint64_t offset)
{
	struct known *k;

	pthread_mutex_lock(&s->lock);
	k = known_of(s, id);
	k->stream.side[side].shipped = offset;
	breaks_forget(k, side, offset);
	pthread_mutex_unlock(&s->lock);
}

void
state_counted(struct state *s, const struct identity *id, enum side side, uint64_t offset)
{
	pthread_mutex_lock(&s->lock);
	known_of(s, id)->stream.side[side].counted = offset;
	pthread_mutex_unlock(&s->lock);
}

void
state_size(struct state *s, const struct identity *id, uint64_t size)
{
	pthread_mutex_lock(&s->lock);
	known_of(s, id)->stream.size = size;
	pthread_mutex_unlock(&s->lock);
}

state_ticket
state_durable(struct state *s)
{
	state_ticket ticket;

	pthread_mutex_lock(&s->lock);
	ticket = s->posted;
	pthread_mutex_unlock(&s->lock);
	return ticket;
}

void
state_wake(struct state *s, int fd)
{
	s->wake = fd;
}
