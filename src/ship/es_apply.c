/*
 * Verdicts become acts, item by item: done, dead, into the hold, or again.
 * The one place that decides what may be given up.
 */
#include <assert.h>
#include <stdlib.h>

#include "es.h"

/* One answer at work: what its items come to. */
struct apply {
	struct es *es;
	struct piece *p;
	const struct verdicts *v;
	const struct es_host *host; /* that gave it */
	uint8_t at;                 /* its number */
	uint32_t tried;             /* hosts that have said so, this one among them; bits */
	int64_t started, now, wall;
	bool held;              /* the piece is the hold's */
	bool first;             /* the server cannot have seen the items before */
	struct piece *again;    /* items that stay in the batch, for later; */
	struct piece *stripped; /* without log_parsed, at once; */
	struct piece *probe;    /* a core, which asks for all */
	struct piece *dead;     /* for the dead letters, as the document's fault; */
	struct piece *given_up; /* by Retry_Limit */
	unsigned busy, rushed;  /* of which 429 */
	bool progress;          /* an item was taken */
	bool took[GROUPS];
};

static enum reason
reason_of(const struct cause *c)
{
	if (c->answer.status == 429)
		return REASON_429;
	if (c->answer.status >= 500)
		return REASON_5XX;
	if (c->answer.status == 413)
		return REASON_TOO_LARGE;
	return c->verdict == VERDICT_FAULT ? REASON_REJECTED : REASON_HOLD;
}

static void
settle(struct apply *a, uint32_t i)
{
	ship_settle(a->es->sink->shipper, &a->p->batch->items[i]);
	if (a->held)
		hold_remove(a->es, i);
}

static void
put_into(struct apply *a, struct piece **to, enum form form, uint32_t i)
{
	if (*to == NULL)
		*to = piece_new(a->p->batch, form);
	todo_add(*to, i);
}

static void
item_done(struct apply *a, uint32_t i, bool conflict)
{
	const struct item *item = &a->p->batch->items[i];
	struct output_metrics *m = a->es->sink->metrics;
	struct group *g = hold_group_seen(a->es, a->p->batch, item);

	if (conflict && item->fresh && a->first) {
		metrics_add(&metrics.collisions, 1);
		say_error("es",
		    "an id that was never sent is taken already; its record is not indexed  "
		    "output=%s id=%.*s",
		    a->es->sink->name, DOCUMENT_ID, item_id(a->p->batch, item).at);
	}
	metrics_delivered(m, item->time, a->wall);
	if (a->p->form != FORM_FULL)
		metrics_add(&m->stripped, 1);
	a->progress = true;
	if (g != NULL) {
		a->took[g - a->es->hold->groups] = true;
		if (a->started > g->taken[a->at])
			g->taken[a->at] = a->started;
	}
	settle(a, i);
}

static bool
has_parsed(const struct item *item)
{
	return item->plain + 1 < item->end;
}

/* The document's fault: once more without log_parsed, then it is dead. */
static void
item_faulty(struct apply *a, uint32_t i)
{
	if (a->p->form == FORM_FULL && has_parsed(&a->p->batch->items[i])) {
		if (a->held) {
			a->es->hold->at[i].form = FORM_STRIPPED;
			a->es->hold->at[i].due = a->now;
		} else {
			put_into(a, &a->stripped, FORM_STRIPPED, i);
		}
		return;
	}
	if (a->p->probe)
		hold_group(a->es, a->p->batch, &a->p->batch->items[i])->probe = PROBE_NONE;
	put_into(a, &a->dead, a->p->form, i);
}

static void
say_held(struct apply *a, struct group *g, const struct cause *c)
{
	if (said_lately(&g->said))
		return;
	say_warn("es",
	    "index %s answers %d %s%s%.200s%s; its records wait, others go on  output=%s host=%s "
	    "held=%u",
	    g->index, c->answer.status, c->answer.type, c->answer.reason[0] ? " (" : "",
	    c->answer.reason, c->answer.reason[0] ? ")" : "", a->es->sink->name, a->host->name,
	    a->es->hold->n);
}

/* The hold is full: the stream waits in its file, once it is known that the server is to blame. */
static void
item_homeless(struct apply *a, uint32_t i, struct group *g, const struct cause *c)
{
	struct hold *h = a->es->hold;

	if (c->verdict == VERDICT_BUSY || h->n == 0 || es_hosts_well(a->es, a->tried, a->now)) {
		put_into(a, &a->again, a->p->form, i);
	} else if (c->verdict == VERDICT_HOLD || g->probe == PROBE_REFUSED) {
		if (h->parked++ == 0)
			say_warn("es",
			    "the hold is full; files that feed what the server refuses are parked  "
			    "output=%s held=%u",
			    a->es->sink->name, h->n);
		ship_drop(a->es->sink, &a->p->batch->items[i], g->why);
		atomic_store(&a->es->sink->held, h->n + h->parked);
	} else if (g->probe == PROBE_NONE) {
		g->probe = PROBE_WAITS;
		g->status = c->answer.status;
		memcpy(g->type, c->answer.type, sizeof(g->type));
		put_into(a, &a->probe, FORM_CORE, i);
		a->probe->probe = true;
	} else {
		put_into(a, &a->again, a->p->form, i);
	}
}

/* What is refused now waits with what its index holds already. */
static int64_t
group_due(struct apply *a, struct group *g)
{
	if (g->due <= a->now)
		g->due = a->now + backoff(a->es, g->attempt + 1);
	return g->due;
}

/* The server's state, or so it seems. */
static void
item_refused(struct apply *a, uint32_t i, const struct cause *c)
{
	struct group *g = hold_group(a->es, a->p->batch, &a->p->batch->items[i]);
	struct held how = { .group = (uint8_t)(g - a->es->hold->groups),
		.host = a->at,
		.form = a->p->form,
		.why = c->verdict,
		.since = a->p->since != 0 ? a->p->since : a->now,
		.due = group_due(a, g),
		.attempt = 1 };
	struct held *at = a->held ? &a->es->hold->at[i] : NULL;
	bool same = g->status == c->answer.status && strcmp(g->type, c->answer.type) == 0;

	assert(a->es->hold != NULL); /* by hold_group */
	snprintf(g->why, sizeof(g->why), "index %.90s answers %d %.50s", g->index, c->answer.status,
	    c->answer.type);
	metrics_add(&a->es->sink->metrics->retries[reason_of(c)], 1);
	if ((c->verdict == VERDICT_DOUBT && (at != NULL ? at->proven : a->p->proven)) ||
	    (g->probe == PROBE_TAKEN && same && c->verdict >= VERDICT_UNKNOWN &&
		/* what was under way before says nothing, nor what another host took */
		a->at == g->probe_host && a->started >= g->taken[a->at])) {
		item_faulty(a, i);
		return;
	}
	if (at != NULL) {
		at->attempt++;
		at->host = a->at;
		at->why = c->verdict;
		at->due = how.due;
	} else if (a->p->probe) {
		g->probe = PROBE_REFUSED;
		put_into(a, &a->again, FORM_FULL, i);
	} else if (c->verdict == VERDICT_BUSY && 4 * a->busy > a->p->n) {
		put_into(a, &a->again, a->p->form, i);
	} else if (!hold_put(a->es, a->p->batch, i, &how)) {
		item_homeless(a, i, g, c);
	}
	say_held(a, g, c);
}

/* ---- dead letters */

static int
letter_put(struct apply *a, uint32_t i, const struct cause *c)
{
	const struct item *item = &a->p->batch->items[i];
	const struct group *g = hold_group(a->es, a->p->batch, item);
	struct dead_letter letter = {
		.output = slice_of(a->es->sink->name),
		.index = slice_of(g->index),
		.id = item_id(a->p->batch, item),
		.status = c->answer.status,
		.type = slice_of(c->answer.type),
		.reason = slice_of(c->answer.reason),
		.document = item_document(a->p->batch, item),
	};

	return dead_put(ship_dead(a->es->sink->shipper), &letter, a->es->conf->dead_letter_limit);
}

static void
say_dead(struct apply *a, const struct cause *c, unsigned n)
{
	if (said_lately(&a->es->said_dead))
		return;
	say_warn("es",
	    "the server will never take %u record%s: %d %s (%.200s); in dead-letters.ndjson  "
	    "output=%s",
	    n, n == 1 ? "" : "s", c->answer.status, c->answer.type, c->answer.reason,
	    a->es->sink->name);
}

/* Written and on disk before anything counts as done; what cannot be written waits. */
static void
bury(struct apply *a, struct piece *dead, bool given_up)
{
	struct dead *file = ship_dead(a->es->sink->shipper);
	struct piece *waits = NULL;
	const struct cause *c = NULL;
	uint32_t i, n = a->p->batch->nitems;

	for (i = todo_next(dead, 0); i < n; i = todo_next(dead, i + 1)) {
		c = &a->v->causes[a->v->of[i] - OF_CAUSE];
		if (letter_put(a, i, c) < 0) {
			todo_remove(dead, i);
			put_into(a, &waits, dead->form, i);
		}
	}
	FAULT("letters-written");
	if (dead->n > 0 && dead_sync(file) < 0) {
		for (i = todo_next(dead, 0); i < n; i = todo_next(dead, i + 1))
			put_into(a, &waits, dead->form, i);
		dead->n = 0;
		memset(dead->todo, 0, sizeof(dead->todo));
	}
	for (i = todo_next(dead, 0); i < n; i = todo_next(dead, i + 1)) {
		c = &a->v->causes[a->v->of[i] - OF_CAUSE];
		metrics_add(
		    &a->es->sink->metrics->dead_letters[given_up ? REASON_GIVEN_UP : reason_of(c)],
		    1);
		settle(a, i);
	}
	if (c != NULL && dead->n > 0)
		say_dead(a, c, dead->n);
	free(dead);
	if (waits == NULL)
		return;
	for (i = todo_next(waits, 0); a->held && i < n; i = todo_next(waits, i + 1)) {
		a->es->hold->at[i].form = waits->form;
		a->es->hold->at[i].due = a->now + backoff(a->es, 8);
	}
	if (a->held) {
		free(waits);
		return;
	}
	waits->attempt = a->p->attempt;
	waits->due = a->now + backoff(a->es, 8);
	piece_queue(a->es, waits, false);
}

/* ---- the whole answer */

static void
groups_took(struct apply *a)
{
	struct hold *h = a->es->hold;

	for (unsigned i = 0; h != NULL && i < h->ngroups; i++) {
		struct group *g = &h->groups[i];

		if (!a->took[i])
			continue;
		if (a->p->form == FORM_FULL)
			g->probe = PROBE_NONE;
		if (a->p->probe) {
			g->probe = PROBE_TAKEN;
			g->probe_host = a->at;
			hold_fault(a->es, g, a->now);
		} else if (a->held) {
			g->attempt = 0;
			hold_due(a->es, g, UINT32_MAX, a->now);
		} else if (g->held > 0) {
			hold_due(a->es, g, 2, a->now);
		}
	}
}

/* The hold's records of that index were refused once more: all of them wait longer. */
static void
group_refused(struct apply *a, uint32_t first)
{
	struct hold *h = a->es->hold;
	struct group *g = &h->groups[h->at[first].group];

	if (a->p->form != FORM_FULL)
		return;
	g->attempt++;
	g->due = a->now + backoff(a->es, g->attempt);
	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		struct held *at = &h->at[i];

		if (!at->gone && &h->groups[at->group] == g && at->form == FORM_FULL &&
		    !(at->why == VERDICT_DOUBT && group_took(g, at->since)))
			at->due = g->due;
	}
}

static void
queue_rest(struct apply *a)
{
	if (a->stripped != NULL) {
		a->stripped->attempt = a->p->attempt;
		a->stripped->since = a->p->since;
		a->stripped->tried = a->p->tried;
		piece_queue(a->es, a->stripped, true);
	}
	if (a->probe != NULL)
		piece_queue(a->es, a->probe, true);
	if (a->again != NULL) {
		a->again->attempt = a->p->attempt + 1;
		a->again->tried = es_hosts_well(a->es, a->tried, a->now) ? a->tried : 0;
		a->again->due = a->now + backoff(a->es, a->again->attempt);
		piece_queue(a->es, a->again, true);
	}
}

static void
count_busy(struct apply *a)
{
	for (uint32_t i = todo_next(a->p, 0); i < a->p->batch->nitems; i = todo_next(a->p, i + 1)) {
		uint8_t of = a->v->of[i];
		const struct cause *c = of >= OF_CAUSE ? &a->v->causes[of - OF_CAUSE] : NULL;

		a->busy += c != NULL && c->verdict == VERDICT_BUSY;
		a->rushed += c != NULL && c->verdict == VERDICT_BUSY && c->answer.status == 429;
	}
}

static void
item_apply(struct apply *a, uint32_t i)
{
	uint8_t of = a->v->of[i];
	const struct cause *c = of >= OF_CAUSE ? &a->v->causes[of - OF_CAUSE] : NULL;
	unsigned attempt = a->held ? a->es->hold->at[i].attempt : a->p->attempt;

	if (c == NULL)
		item_done(a, i, of == OF_CONFLICT);
	else if (c->verdict == VERDICT_FAULT)
		item_faulty(a, i);
	else if (!es_patient(a->es, attempt + 1))
		put_into(a, &a->given_up, a->p->form, i);
	else
		item_refused(a, i, c);
}

/* The host is sent less at a time, or more. */
static void
pace_apply(struct apply *a, struct es_host *h)
{
	if (4 * a->busy > a->p->n)
		h->not_before = a->now + backoff(a->es, a->p->attempt + 1);
	if (a->rushed > 0)
		pace_busy(&h->pace, a->started, a->now);
	else if (a->progress)
		pace_taken(&h->pace, a->es->conf->workers);
	es_pace_show(a->es);
}

void
es_apply(struct es *es, struct es_request *r, struct piece *p, int64_t now)
{
	struct apply a = { .es = es,
		.p = p,
		.v = &r->verdicts,
		.started = r->started,
		.now = now,
		.host = r->host,
		.at = (uint8_t)(r->host - es->hosts) };
	uint32_t first = todo_next(p, 0);

	FAULT("before-apply");
	a.wall = clock_wall();
	a.tried = p->tried | UINT32_C(1) << a.at;
	a.held = hold_has(es, p->batch);
	assert(!a.held || es->hold != NULL);
	a.first = p->attempt == 0 && p->tried == 0 && !r->rewound && !a.held;
	count_busy(&a);
	for (uint32_t i = first; i < p->batch->nitems; i = todo_next(p, i + 1))
		item_apply(&a, i);
	pace_apply(&a, r->host);
	if (a.held && !a.progress)
		group_refused(&a, first);
	groups_took(&a);
	if (a.dead != NULL)
		bury(&a, a.dead, false);
	if (a.given_up != NULL)
		bury(&a, a.given_up, true);
	queue_rest(&a);
	piece_done(es, p);
	FAULT("after-apply");
}

void
es_give_up(struct es *es, struct es_request *r, struct piece *p, const struct reply_item *answer,
    int64_t now)
{
	struct apply a = { .es = es, .p = p, .v = &r->verdicts, .now = now };

	verdicts_all(&r->verdicts, p, VERDICT_BUSY, answer);
	a.held = hold_has(es, p->batch);
	for (uint32_t i = todo_next(p, 0); i < p->batch->nitems; i = todo_next(p, i + 1))
		put_into(&a, &a.given_up, p->form, i);
	if (a.given_up != NULL)
		bury(&a, a.given_up, true);
	piece_done(es, p);
}
