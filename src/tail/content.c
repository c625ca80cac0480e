/* Contents by identity, each with the files that have it. */
#include "content.h"

#include <stdlib.h>

#include "files.h"
#include "identity.h"
#include "place.h"
#include "quiet.h"
#include "turns.h"

struct content *
content_new(struct log *log)
{
	struct content *c = xcalloc(1, sizeof(*c));

	TAILQ_INIT(&c->places);
	c->log = log;
	return c;
}

void
content_free(struct tail *t, struct content *c)
{
	while (content_place(c) != NULL)
		content_remove(t, content_place(c));
	if (c->named)
		map_del(t->logs->contents, identity_key(&c->id));
	free(c);
}

void
content_pass(struct tail *t, const struct content *c)
{
	struct place *p;
	struct stat st;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if (t->files->crowded && fstat(p->fd, &st) == 0 &&
		    (p->packed != NULL || (uint64_t)st.st_size == p->size))
			quiet_note(t->files->quiet, &st);
	}
}

void
content_name(
    struct tail *t, struct content *c, const struct identity *id, const struct content_state *is)
{
	c->id = *id;
	c->is = *is;
	c->named = true;
	map_put(t->logs->contents, identity_key(&c->id), c);
}

struct content *
content_find(const struct tail *t, const struct identity *id)
{
	return map_get(t->logs->contents, identity_key(id));
}

/* A .gz beside the plain file that it is made of may be incomplete: its length says nothing. */
static void
size_note(struct content *c, const struct place *p)
{
	if (p->size > c->size && (p->packed == NULL || content_place(c)->packed != NULL))
		c->size = p->size;
}

void
content_add(struct tail *t, struct content *c, struct place *p)
{
	const struct place *first = content_place(c);

	if (first != NULL && first->packed != NULL && p->packed == NULL)
		c->size = c->read_to > c->is.size ? c->read_to : c->is.size;
	p->content = c;
	c->missed = 0;
	if (p->packed == NULL && (first == NULL || first->packed != NULL || p->size >= first->size))
		TAILQ_INSERT_HEAD(&c->places, p, in_content);
	else
		TAILQ_INSERT_TAIL(&c->places, p, in_content);
	size_note(c, p);
	turns_wake_content(t, c);
}

void
content_move(struct tail *t, struct content *to, struct place *p)
{
	TAILQ_REMOVE(&p->content->places, p, in_content);
	content_add(t, to, p);
}

void
content_remove(struct tail *t, struct place *p)
{
	TAILQ_REMOVE(&p->content->places, p, in_content);
	files_close(t, p);
}

bool
content_is_live(const struct content *c)
{
	const struct place *p;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if (p->live)
			return true;
	}
	return false;
}

bool
content_is_left(struct tail *t, struct content *c)
{
	struct place *p;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if (!files_is_left(t, p))
			return false;
	}
	return true;
}

void
content_measure(struct content *c)
{
	struct place *p;

	TAILQ_FOREACH (p, &c->places, in_content) {
		place_measure(p);
		size_note(c, p);
	}
}

struct place *
content_longest(const struct content *c)
{
	struct place *p, *most = NULL;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if (p->packed != NULL)
			continue;
		place_measure(p);
		if (most == NULL || p->size > most->size)
			most = p;
	}
	return most;
}

bool
content_fits(const struct content *c, const struct place *p)
{
	return fingerprint_fits(p, &c->taken) && fingerprint_fits(p, &p->head);
}

struct place *
content_source(struct content *c, uint64_t offset)
{
	struct place *p;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if (p->size > offset)
			return p;
	}
	return content_place(c);
}
