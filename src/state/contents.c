/* Contents, found by identity, by home and by file. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "clock.h"
#include "memory.h"
#include "state_internal.h"

struct slice
contents_key(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}

void
contents_free(struct known *k)
{
	for (struct known_span *sp = k->spans, *next; sp != NULL; sp = next) {
		next = sp->next;
		free(sp);
	}
	free(k->path);
	free(k);
}

struct known *
contents_of(struct state *s, const struct identity *id)
{
	struct known *k = map_get(s->tables->contents, contents_key(id));

	if (k == NULL) {
		k = xcalloc(1, sizeof(*k));
		k->id = *id;
		k->is.first_seen = k->touched = k->used = clock_wall();
		map_put(s->tables->contents, contents_key(id), k);
		contents_link(s, k);
	}
	return k;
}

void
contents_dirty(struct state *s, struct known *k)
{
	if (k->is_dirty || s->dir == NULL)
		return;
	k->is_dirty = true;
	k->dirty = s->tables->dirty;
	s->tables->dirty = k;
}

struct known *
contents_change(struct state *s, const struct identity *id)
{
	struct known *k = contents_of(s, id);

	contents_dirty(s, k);
	tickets_post(s, false);
	return k;
}

void
contents_gather(struct state *s)
{
	for (struct known *k = s->tables->dirty; k != NULL; k = k->dirty) {
		const struct content_state *is = &k->is;

		k->is_dirty = false;
		transaction_add(s,
		    "INSERT OR REPLACE INTO contents"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
		    ID(&k->id), ID(&is->log), ID(&is->home), TEXT(slice_of(k->path)),
		    NUMBER(is->generation), NUMBER(is->head), NUMBER(is->head_size),
		    NUMBER(is->dev), NUMBER(is->ino), NUMBER(is->size), NUMBER(is->first_seen),
		    NUMBER(k->touched), NUMBER(k->open || k->had_file),
		    BLOB(k->checks, k->nchecks * sizeof(k->checks[0])));
	}
	s->tables->dirty = NULL;
}

/* ---- in the order of their use */

static struct slice
twins_key(const struct known *k, int which)
{
	static_assert(offsetof(struct content_state, ino) ==
			  offsetof(struct content_state, dev) + sizeof(uint64_t),
	    "dev and ino are one key");
	if (which == TWINS_HOME)
		return contents_key(&k->is.home);
	return (struct slice){ (const char *)&k->is.dev, 2 * sizeof(uint64_t) };
}

static void
twins_leave(struct map *twins, struct known *k, int which)
{
	struct slice key = twins_key(k, which);
	struct known *at = map_get(twins, key);

	if (at == k && k->twins[which] != NULL)
		map_put(twins, key, k->twins[which]);
	else if (at == k)
		map_del(twins, key);
	while (at != NULL && at->twins[which] != k)
		at = at->twins[which];
	if (at != NULL)
		at->twins[which] = k->twins[which];
}

void
contents_unlink(struct state *s, struct known *k)
{
	TAILQ_REMOVE(&s->tables->by_use, k, by_use);
	for (int which = 0; which < TWINS; which++)
		twins_leave(s->tables->twins[which], k, which);
}

void
contents_link(struct state *s, struct known *k)
{
	TAILQ_INSERT_TAIL(&s->tables->by_use, k, by_use);
	for (int which = 0; which < TWINS; which++)
		k->twins[which] = map_put(s->tables->twins[which], twins_key(k, which), k);
}

unsigned
state_home(struct state *s, const struct identity *home, struct identity *out, unsigned max)
{
	unsigned n = 0;

	LOCKED(s);
	for (int open = 1; open >= 0; open--) {
		const struct known *k = map_get(s->tables->twins[TWINS_HOME], contents_key(home));

		for (; k != NULL && n < max; k = k->twins[TWINS_HOME]) {
			if (k->open == open)
				out[n++] = k->id;
		}
	}
	return n;
}

/* ---- noted and found */

bool
state_is_new(struct state *s)
{
	LOCKED(s);
	return map_count(s->tables->contents) == 0 && !s->set_aside;
}

bool
state_find(struct state *s, const struct identity *id, struct content_state *out)
{
	struct known *k;

	LOCKED(s);
	k = map_get(s->tables->contents, contents_key(id));
	if (k == NULL)
		return false;
	*out = k->is;
	k->used = clock_wall();
	TAILQ_REMOVE(&s->tables->by_use, k, by_use);
	TAILQ_INSERT_TAIL(&s->tables->by_use, k, by_use);
	return true;
}

static void
used(struct state *s, const struct identity *id, const char *path)
{
	struct known *k;

	LOCKED(s);
	if (path == NULL && s->stops)
		return;
	k = contents_change(s, id);
	k->open = path != NULL;
	k->had_file = false;
	k->touched = k->used = clock_wall();
	contents_unlink(s, k);
	contents_link(s, k);
	if (path == NULL)
		return;
	free(k->path);
	k->path = xstrdup(path);
}

void
state_opened(struct state *s, const struct identity *id, const char *path)
{
	used(s, id, path);
}

void
state_ended(struct state *s, const struct identity *id)
{
	used(s, id, NULL);
}

void
state_stops(struct state *s)
{
	LOCKED(s);
	s->stops = true;
}

void
contents_judged(struct state *s)
{
	struct known *k;

	TAILQ_FOREACH (k, &s->tables->by_use, by_use) {
		if (!k->had_file)
			continue;
		k->had_file = false;
		contents_dirty(s, k);
		tickets_post(s, false);
	}
}

void
state_size(struct state *s, const struct identity *id, uint64_t size)
{
	LOCKED(s);
	contents_change(s, id)->is.size = size;
}

void
state_file(struct state *s, const struct identity *id, uint64_t dev, uint64_t ino)
{
	struct known *k;

	LOCKED(s);
	k = contents_change(s, id);
	contents_unlink(s, k);
	k->is.dev = dev;
	k->is.ino = ino;
	contents_link(s, k);
}

/* ---- checkpoints */

/* Of the three neighbours that lie closest, measured by their distance from the newest, the middle one goes. */
static void
checks_thin(struct known *k)
{
	unsigned thinnest = 1;
	double least = 0;

	for (unsigned i = 1; i + 1 < k->nchecks; i++) {
		double gap = (double)(k->checks[i - 1].offset - k->checks[i + 1].offset);
		double age = (double)(k->checks[0].offset - k->checks[i].offset) + 1;

		if (i == 1 || gap / age < least) {
			least = gap / age;
			thinnest = i;
		}
	}
	memmove(&k->checks[thinnest], &k->checks[thinnest + 1],
	    (k->nchecks - thinnest - 1) * sizeof(k->checks[0]));
	k->nchecks--;
}

void
state_checkpoint(struct state *s, const struct identity *id, const struct checkpoint *what)
{
	struct known *k;

	LOCKED(s);
	k = contents_of(s, id);
	if (k->nchecks > 0 && k->checks[0].offset >= what->offset)
		return;
	if (k->nchecks == CHECKPOINTS)
		checks_thin(k);
	memmove(&k->checks[1], &k->checks[0], k->nchecks * sizeof(k->checks[0]));
	k->checks[0] = *what;
	k->nchecks++;
	contents_change(s, id);
}

unsigned
state_checkpoints(struct state *s, const struct identity *id, struct checkpoint out[CHECKPOINTS])
{
	const struct known *k;

	LOCKED(s);
	k = map_get(s->tables->contents, contents_key(id));
	if (k != NULL)
		memcpy(out, k->checks, k->nchecks * sizeof(*out));
	return k != NULL ? k->nchecks : 0;
}
