/*
 * Verdicts become acts: an item is done, a dead letter, held, or sent again.  No
 * other file decides that a record is given up.
 */
#include "es_apply.h"

#include <stdlib.h>

#include "clock.h"
#include "es_body.h"
#include "es_bury.h"
#include "es_proof.h"
#include "fault.h"
#include "retry.h"

/* Refusals in a row of an index's held records before a core is sent, too. */
#define CORE_ATTEMPTS 3

/* One answer at work. */
struct apply {
	struct es *es;
	struct es_request *r;
	struct piece *p;
	uint32_t tried; /* hosts that have answered the piece so, with this one; bits */
	int64_t now, wall;
	bool held;  /* the piece is the hold's */
	bool first; /* the server cannot have seen the items before */

	/* Where its items go; NULL: none does. */
	struct piece *again;    /* later; */
	struct piece *doubted;  /* later, refused in doubt; */
	struct piece *lean;     /* at once, without extra; */
	struct piece *stripped; /* at once, without log_parsed; */
	struct piece *probe;    /* at once, a core; */
	struct piece *dead;     /* dead letters, as the document's fault; */
	struct piece *given_up; /* dead letters, by Retry_Limit */

	unsigned busy, rushed; /* items with VERDICT_BUSY; those of them with 429 */
	unsigned taken;
};

static int64_t
wait_after(const struct apply *a, unsigned attempt)
{
	return a->now + retry_wait(a->es->conf->backoff_first, attempt);
}

static bool
elsewhere(const struct apply *a, uint32_t tried)
{
	return es_hosts_well(a->es->hosts, tried, a->now);
}

static const struct item *
item_of(const struct apply *a, uint32_t i)
{
	return &a->p->batch->items[i];
}

static void
put_into(struct apply *a, struct piece **to, enum form form, uint32_t i)
{
	if (*to == NULL)
		*to = send_queue_piece(a->p->batch, form);
	todo_add(*to, i);
}

/* ---- taken */

/* Of a log that was read again since, a later batch may have come before this one. */
static void
collision_say(const struct apply *a, const struct item *item)
{
	struct identity log;

	if (item->range != NULL && !range_log(item->range, &log))
		return;
	metrics_add(&metrics.collisions, 1);
	say_error("es",
	    "an id that was never sent is taken already; its record is not indexed  "
	    "output=%s id=%.*s",
	    a->es->sink->name, SLICE_ARG(item_id(a->p->batch, item)));
}

static void
item_done(struct apply *a, uint32_t i, bool conflict)
{
	const struct item *item = item_of(a, i);
	struct output_metrics *m = a->es->sink->metrics;
	struct group *g = es_group_seen(&a->es->groups, a->p->batch, item);

	if (conflict && item->fresh && a->first)
		collision_say(a, item);
	metrics_delivered(m, item->time, item_document(a->p->batch, item).len, a->wall);
	if (a->p->form == FORM_LEAN)
		metrics_add(&m->lean, 1);
	else if (a->p->form != FORM_FULL)
		metrics_add(&m->stripped, 1);
	a->taken++;
	if (g != NULL)
		es_group_taken(g, a->r->host, a->r->started);
	delivery_settle(a->es->sink->delivery, item);
	if (a->held)
		es_hold_remove(a->es->hold, i);
}

/* ---- the document's fault: without extra, then without log_parsed, then it is dead */

/* The next form that a refused document is sent in; FORM_CORE: there is none. */
static enum form
form_next(const struct apply *a, const struct item *item)
{
	if (a->p->form == FORM_FULL && es_body_extra(a->p->batch, item) != 0)
		return FORM_LEAN;
	if (a->p->form <= FORM_LEAN && item->plain + 1 < item->end)
		return FORM_STRIPPED;
	return FORM_CORE;
}

static void
item_faulty(struct apply *a, uint32_t i)
{
	enum form form = form_next(a, item_of(a, i));

	if (form == FORM_CORE) {
		put_into(a, &a->dead, a->p->form, i);
	} else if (a->held) {
		es_hold_at(a->es->hold, i)->form = form;
		es_hold_at(a->es->hold, i)->due = a->now;
	} else {
		put_into(a, form == FORM_LEAN ? &a->lean : &a->stripped, form, i);
	}
}

/* ---- the server's state, or a doubt */

static void
say_held(const struct apply *a, struct group *g, const struct cause *c)
{
	const struct reply_item *answer = &c->answer;
	bool many = a->es->groups.n > GROUPS; /* indices: one of them is said */

	if (said_lately(many ? &a->es->said_held : &g->said))
		return;
	say_warn("es",
	    "index %s answers %d %s%s%.200s%s; its records wait, others go on  output=%s host=%s "
	    "held=%u",
	    g->index, answer->status, answer->type, answer->reason[0] ? " (" : "", answer->reason,
	    answer->reason[0] ? ")" : "", a->es->sink->name,
	    es_hosts_address(a->es->hosts, a->r->host)->name, es_hold_count(a->es->hold));
}

/* Records of one index that are refused wait together. */
static int64_t
group_due(const struct apply *a, struct group *g)
{
	if (g->due <= a->now)
		g->due = wait_after(a, g->attempt + 1);
	return g->due;
}

/* The core of a document is the least that an index can be asked to take. */
static void
ask_core(struct apply *a, uint32_t i, struct group *g)
{
	g->probe = PROBE_WAITS;
	put_into(a, &a->probe, FORM_CORE, i);
	a->probe->probe = true;
}

static void
core_refused(struct group *g, const struct cause *c)
{
	if (c->verdict != VERDICT_BUSY)
		g->probe = PROBE_REFUSED;
}

/* The hold is full: the stream is parked, once the server is known to be at fault. */
static void
item_homeless(struct apply *a, uint32_t i, struct group *g, const struct cause *c)
{
	bool doubt = c->verdict == VERDICT_DOUBT;

	if (c->verdict == VERDICT_BUSY || es_hold_count(a->es->hold) == 0 || elsewhere(a, a->tried))
		put_into(a, doubt ? &a->doubted : &a->again, a->p->form, i);
	else if (!doubt || g->probe == PROBE_REFUSED)
		es_hold_park(a->es->hold, item_of(a, i), g->why);
	else if (g->probe == PROBE_NONE)
		ask_core(a, i, g);
	else
		put_into(a, &a->doubted, a->p->form, i);
}

/* The record stays in the hold; its core is sent when its index has refused often in a row. */
static void
held_refused(struct apply *a, uint32_t i, struct group *g, const struct cause *c)
{
	struct held *at = es_hold_at(a->es->hold, i);
	bool all_tried;

	if (at->why != VERDICT_DOUBT)
		at->since = a->now;
	at->why = c->verdict;
	at->due = group_due(a, g);
	at->tried |= UINT32_C(1) << a->r->host;
	all_tried = !elsewhere(a, at->tried);
	if (all_tried)
		at->tried = 0;
	if (a->p->probe) {
		core_refused(g, c);
		return;
	}
	at->attempt++;
	if (c->verdict == VERDICT_DOUBT && all_tried && g->attempt >= CORE_ATTEMPTS &&
	    g->probe != PROBE_WAITS)
		ask_core(a, i, g);
}

static void
batch_refused(struct apply *a, uint32_t i, struct group *g, const struct cause *c)
{
	struct held how = { .group = g,
		.form = a->p->form,
		.why = c->verdict,
		.since = es_proof_doubted(a->p, a->now),
		.due = group_due(a, g),
		.attempt = 1 };

	if (a->p->probe) {
		core_refused(g, c);
		put_into(a, &a->doubted, FORM_FULL, i);
	} else if (c->verdict == VERDICT_BUSY && 4 * a->busy > a->p->n) {
		put_into(a, &a->again, a->p->form, i);
	} else if (!es_hold_put(a->es->hold, a->p->batch, i, &how)) {
		item_homeless(a, i, g, c);
	}
}

static void
item_refused(struct apply *a, uint32_t i, const struct cause *c)
{
	struct group *g = es_group_of(&a->es->groups, a->p->batch, item_of(a, i));

	snprintf(g->why, sizeof(g->why), "index %.90s answers %d %.50s", g->index, c->answer.status,
	    c->answer.type);
	metrics_retry(a->es->sink->metrics, es_bury_reason(c), 1);
	if (c->verdict == VERDICT_DOUBT && (a->r->proven[i / 64] >> (i % 64) & 1)) {
		item_faulty(a, i);
		return;
	}
	if (a->held)
		held_refused(a, i, g, c);
	else
		batch_refused(a, i, g, c);
	say_held(a, g, c);
}

/* ---- the whole answer */

static void
item_apply(struct apply *a, uint32_t i)
{
	const struct cause *c = verdict_cause(a->r->verdicts, i);
	unsigned attempt = a->held ? es_hold_at(a->es->hold, i)->attempt : a->p->attempt;

	if (c == NULL)
		item_done(a, i, a->r->verdicts->of[i] == OF_CONFLICT);
	else if (c->verdict == VERDICT_FAULT)
		item_faulty(a, i);
	else if (!a->p->probe && !retry_allows(a->es->conf->output.retry_limit, attempt + 1))
		put_into(a, &a->given_up, a->p->form, i);
	else
		item_refused(a, i, c);
}

/* The held records of an index that has taken an item are tried soon. */
static void
groups_took(struct apply *a)
{
	struct group *g;

	TAILQ_FOREACH (g, &a->es->groups.all, in_groups) {
		if (!g->took)
			continue;
		g->took = false;
		if (g->probe == PROBE_REFUSED)
			g->probe = PROBE_NONE;
		if (a->held)
			g->attempt = 0;
		if (g->held > 0)
			es_hold_due(a->es->hold, g, a->held ? UINT32_MAX : 2, a->now);
	}
}

/* The index has refused its held records once more: all of them wait longer. */
static void
group_refused(struct apply *a, struct group *g)
{
	if (a->p->probe)
		return;
	g->attempt++;
	g->due = wait_after(a, g->attempt);
	es_hold_wait(a->es->hold, g, g->due);
}

/* The probes of these indices have an answer: others may be sent. */
static void
probes_end(struct es *es, const struct piece *p)
{
	if (!p->probe)
		return;
	TODO_EACH (p, i)
		es_group_of(&es->groups, p->batch, &p->batch->items[i])->probe = PROBE_NONE;
}

static void
queue_at_once(struct apply *a, struct piece *p)
{
	if (p == NULL)
		return;
	p->since = p->probe ? es_proof_doubted(a->p, a->now) : a->p->since;
	if (!p->probe) {
		p->attempt = a->p->attempt;
		p->tried = a->p->tried;
	}
	if (a->held)
		es_hold_more(a->es->hold);
	send_queue_put(&a->es->queue, p, true);
}

static void
queue_later(struct apply *a, struct piece *p)
{
	if (p == NULL)
		return;
	if (p == a->doubted)
		p->since = es_proof_doubted(a->p, a->now);
	p->attempt = a->p->attempt + 1;
	p->tried = elsewhere(a, a->tried) ? a->tried : 0;
	p->due = wait_after(a, p->attempt);
	send_queue_put(&a->es->queue, p, true);
}

static void
bury(struct apply *a, struct piece *dead, bool given_up)
{
	if (dead == NULL)
		return;
	dead->attempt = a->p->attempt;
	dead->since = a->p->since;
	es_bury(a->es, a->r->verdicts, dead, given_up, a->now);
}

static void
piece_done(struct es *es, struct piece *p)
{
	struct batch *b = p->batch;

	if (es_hold_has(es->hold, b))
		es_hold_done(es->hold, p);
	else if (send_queue_done(&es->queue, p))
		delivery_return(es->sink->delivery, b);
}

struct es_applied
es_apply(struct es *es, struct es_request *r, struct piece *p, int64_t now)
{
	struct apply a = { .es = es, .r = r, .p = p, .now = now };
	uint32_t first = todo_next(p, 0);
	struct es_applied applied;

	FAULT("before-apply");
	a.wall = clock_wall();
	a.tried = p->tried | UINT32_C(1) << r->host;
	a.held = es_hold_has(es->hold, p->batch);
	a.first = p->attempt == 0 && p->tried == 0 && !r->rewound && !a.held;
	a.busy = verdict_busy(r->verdicts, p, &a.rushed);
	probes_end(es, p);
	TODO_EACH (p, i)
		item_apply(&a, i);
	if (a.held && a.taken == 0)
		group_refused(&a, es_hold_group(es->hold, first));
	groups_took(&a);
	bury(&a, a.dead, false);
	bury(&a, a.given_up, true);
	queue_at_once(&a, a.lean);
	queue_at_once(&a, a.stripped);
	queue_at_once(&a, a.probe);
	queue_later(&a, a.doubted);
	queue_later(&a, a.again);
	applied = (struct es_applied){ a.taken > 0, a.rushed > 0, 4 * a.busy > p->n };
	piece_done(es, p);
	FAULT("after-apply");
	return applied;
}

void
es_apply_give_up(struct es *es, struct es_request *r, struct piece *p, int64_t now)
{
	struct apply a = { .es = es, .r = r, .p = p, .now = now };

	verdict_all(r->verdicts, p, VERDICT_BUSY, &r->answer);
	probes_end(es, p);
	TODO_EACH (p, i)
		put_into(&a, &a.given_up, p->form, i);
	bury(&a, a.given_up, true);
	piece_done(es, p);
}
