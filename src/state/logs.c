/* Logs: their spans in the order of their positions, and their cursors. */
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"

struct known_log *
logs_of(struct state *s, const struct identity *id)
{
	struct known_log *l = map_get(s->tables->logs, contents_key(id));

	if (l == NULL) {
		l = xcalloc(1, sizeof(*l));
		l->id = *id;
		map_put(s->tables->logs, contents_key(id), l);
	}
	return l;
}

void
logs_free(struct known_log *l)
{
	for (int side = 0; side < SIDES; side++)
		free(l->breaks[side].at);
	free(l->spans);
	free(l->marks);
	free(l);
}

struct known_log *
logs_change(struct state *s, const struct identity *id)
{
	struct known_log *l = logs_of(s, id);

	if (!l->is_dirty && s->dir != NULL) {
		l->is_dirty = true;
		l->dirty = s->tables->dirty_logs;
		s->tables->dirty_logs = l;
	}
	return l;
}

struct mark *
logs_mark(struct known_log *l, unsigned which, enum side side)
{
	if (which >= l->nmarks) {
		l->marks = xrealloc(l->marks, (which + 1) * sizeof(*l->marks));
		memset(&l->marks[l->nmarks], 0xff, (which + 1 - l->nmarks) * sizeof(*l->marks));
		l->nmarks = which + 1;
	}
	return &l->marks[which][side];
}

/* ---- spans */

/* Of spans that begin at one position the empty ones are first, the one that may grow is last. */
static bool
is_before(const struct span_state *a, const struct span_state *b)
{
	if (a->base + a->from != b->base + b->from)
		return a->base + a->from < b->base + b->from;
	return a->seal == a->from ? b->seal != b->from
				  : b->seal == SEAL_NONE && a->seal != SEAL_NONE;
}

static void
span_place(struct known_log *l, struct known_span *sp)
{
	size_t i = l->nspans++;

	l->spans = xrealloc(l->spans, l->nspans * sizeof(*l->spans));
	for (; i > 0 && is_before(&sp->is, &l->spans[i - 1]->is); i--)
		l->spans[i] = l->spans[i - 1];
	l->spans[i] = sp;
}

static void
span_unplace(struct known_log *l, const struct known_span *sp)
{
	size_t i = l->nspans;

	while (l->spans[--i] != sp) {
	}
	memmove(&l->spans[i], &l->spans[i + 1], (--l->nspans - i) * sizeof(*l->spans));
}

struct known_span *
logs_span(struct state *s, const struct identity *log, struct known *k, const struct span_state *is)
{
	struct known_log *l = logs_of(s, log);
	struct known_span **at = &k->spans, *sp;

	while (*at != NULL &&
	       ((*at)->is.from < is->from || ((*at)->is.from == is->from && (*at)->log != l)))
		at = &(*at)->next;
	sp = *at;
	if (sp == NULL || sp->is.from != is->from) {
		sp = xcalloc(1, sizeof(*sp));
		*sp = (struct known_span){ .content = k, .log = l, .next = *at };
		*at = sp;
	} else {
		span_unplace(l, sp);
	}
	sp->is = *is;
	span_place(l, sp);
	return sp;
}

void
logs_save(struct state *s, const struct known_span *sp)
{
	transaction_add(s, "INSERT OR REPLACE INTO spans VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    ID(&sp->log->id), ID(&sp->content->id), NUMBER(sp->is.from), NUMBER(sp->is.base),
	    sp->is.seal == SEAL_NONE ? NOTHING : NUMBER(sp->is.seal), NUMBER(sp->is.rules));
}

void
logs_drop(struct state *s, struct known_span *sp)
{
	struct known_span **at = &sp->content->spans;

	transaction_add(s, "DELETE FROM spans WHERE log = ?1 AND id = ?2 AND start = ?3",
	    ID(&sp->log->id), ID(&sp->content->id), NUMBER(sp->is.from));
	span_unplace(sp->log, sp);
	while (*at != sp)
		at = &(*at)->next;
	*at = sp->next;
	free(sp);
}

static void
log_forget(struct state *s, struct known_log *l)
{
	struct known_log **at = &s->tables->dirty_logs;

	while (*at != NULL && *at != l)
		at = &(*at)->dirty;
	if (*at != NULL)
		*at = l->dirty;
	transaction_add(s, "DELETE FROM cursors WHERE log = ?1", ID(&l->id));
	transaction_add(s, "DELETE FROM breaks WHERE log = ?1", ID(&l->id));
	map_del(s->tables->logs, contents_key(&l->id));
	logs_free(l);
}

void
logs_forget(struct state *s, struct known *k)
{
	struct known_span *sp, *next;

	for (sp = k->spans; sp != NULL; sp = next) {
		struct known_log *l = sp->log;

		next = sp->next;
		logs_drop(s, sp);
		if (l->nspans == 0)
			log_forget(s, l);
	}
}

state_ticket
state_spans(struct state *s, const struct span_post *posts, size_t n)
{
	LOCKED(s);
	for (size_t i = 0; i < n; i++) {
		struct known *k = contents_of(s, &posts[i].id);

		if (posts[i].content != NULL) {
			contents_unlink(s, k);
			k->is = *posts[i].content;
			contents_link(s, k);
		}
		if (posts[i].path != NULL) {
			free(k->path);
			k->path = xstrdup(posts[i].path);
		}
		contents_dirty(s, k);
		logs_change(s, &posts[i].log);
		logs_save(s, logs_span(s, &posts[i].log, k, &posts[i].span));
	}
	return tickets_post(s, true);
}

void
state_log_spans(struct state *s, const struct identity *log,
    void (*each)(void *arg, const struct identity *id, const struct span_state *span), void *arg)
{
	const struct known_log *l;

	LOCKED(s);
	l = map_get(s->tables->logs, contents_key(log));
	for (size_t i = 0; l != NULL && i < l->nspans; i++)
		each(arg, &l->spans[i]->content->id, &l->spans[i]->is);
}
