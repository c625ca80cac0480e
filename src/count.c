/*
 * The counters: each record is counted once, however often it is read.
 * Counters reach the disk in one transaction with the cursors of the counted
 * records, and are shown only then, so that no scrape sees a number that a
 * kill could take back.
 */
#include <jansson.h>
#include <stdlib.h>

#include "agent_metrics.h"
#include "clock.h"
#include "flow.h"
#include "metrics.h"
#include "tail.h"
#include "unread.h"

/* The key of towline's own counters among those of the agents. */
#define OWN SLICE("towline")
/* … and that of the files that cannot be read. */
#define UNREAD SLICE("unread")
/* … and that of the logs that are read for an output by itself: an object of names and numbers. */
#define APART SLICE("apart")

static void
flow_dirty(struct counting *c, struct flow *flow)
{
	if (flow->is_dirty)
		return;
	flow->is_dirty = true;
	flow->dirty = c->dirty;
	c->dirty = flow;
}

static bool
wants_cri(const struct tail_conf *conf)
{
	return conf->parser != NULL && !conf->docker_too && tail_reads_runtime(conf);
}

/* Of its input: the record, and its bytes, the text's or those of all values. */
static void
input_count(const struct framed *f)
{
	struct input_metrics *m = f->stream->conf->input.metrics;
	uint64_t bytes = f->text.len;

	for (int i = 0; i < f->nfields; i++)
		bytes += f->fields[i].value.len;
	metrics_add(&m->records, 1);
	metrics_add(&m->bytes, bytes);
}

void
count_record(struct pipeline *p, const struct framed *f)
{
	struct flow *flow = f->stream->user;

	if (flow->counted[f->side] < f->stream->counted[f->side])
		flow->counted[f->side] = f->stream->counted[f->side];
	if (f->start < flow->counted[f->side])
		return;
	flow->counted[f->side] = f->end;
	flow_dirty(&p->counting, flow);
	p->counting.now.records++;
	p->counting.now.failures[FAILURE_CRI] +=
	    f->time_text.len == 0 && wants_cri(f->stream->conf);
	p->counting.now.moved = true;
	input_count(f);
	for (unsigned bits = chain_failures(p->chain), i = 0; bits != 0; i++, bits >>= 1)
		p->counting.now.failures[i] += bits & 1;
	if (flow->series == NULL)
		return;
	agent_metrics_lines(flow->series, f->lines > 1 ? f->text : SLICE(""));
	agent_metrics_count(flow->series, f->stream->pod, chain_line(p->chain), f->time);
}

/* ---- to the state */

/* Post how far both sides are counted; a side without records is counted as far as it is shipped, or framed.  True: both sides are at rest. */
static bool
flow_post(struct pipeline *p, struct flow *flow)
{
	struct range_book *book = p->filling[0].book;
	bool idle = true;

	for (int side = 0; side < SIDES; side++) {
		struct cursor *c = &flow->stream->cursors[side];
		uint64_t shipped;

		idle &= cursor_idle(book, c);
		shipped = cursor_shipped(book, c);
		if (shipped < flow->stream->counted[side])
			shipped = flow->stream->counted[side];
		if (shipped > flow->counted[side])
			flow->counted[side] = shipped;
		state_counted(p->state, &flow->stream->log, (enum side)side, flow->counted[side]);
	}
	return idle;
}

static void
own_save(struct counts *c, struct state *state)
{
	json_t *all = json_object(), *failures = json_array();
	char *text;

	for (int i = 0; i < FAILURES; i++)
		json_array_append_new(failures, json_integer((json_int_t)c->failures[i]));
	json_object_set_new(all, "records", json_integer((json_int_t)c->records));
	json_object_set_new(all, "parse_failures", failures);
	text = json_dumps(all, JSON_COMPACT);
	state_text(state, OWN, slice_of(text));
	free(text);
	json_decref(all);
	c->moved = false;
}

static void
put_text(void *arg, struct slice key, struct slice value)
{
	state_text(arg, key, value);
}

/* Post all that has changed.  Return its ticket; 0: nothing has changed. */
static state_ticket
counts_post(struct pipeline *p)
{
	struct flow *flow, *next;

	LIST_FOREACH (flow, &p->flows, in_flows) {
		if (flow->stream->followed)
			flow_dirty(&p->counting, flow);
		flow->stream->followed = false;
	}
	flow = p->counting.dirty;
	p->counting.dirty = NULL;
	for (; flow != NULL; flow = next) {
		next = flow->dirty;
		flow->is_dirty = false;
		if (!flow_post(p, flow))
			flow_dirty(&p->counting, flow);
	}
	if (p->counting.now.moved)
		own_save(&p->counting.now, p->state);
	agent_metrics_save(put_text, p->state);
	return state_counts(p->state);
}

static void
own_show(const struct counts *c)
{
	atomic_store_explicit(&metrics.records, c->records, memory_order_relaxed);
	for (int i = 0; i < FAILURES; i++)
		atomic_store_explicit(
		    &metrics.parse_failures[i], c->failures[i], memory_order_relaxed);
}

void
count_publish(struct pipeline *p, bool behind)
{
	state_ticket ticket;
	bool first = atomic_load(&p->counting.shown) == COUNTS_UNSHOWN;

	if (!first && count_shown(p) == 0)
		return; /* the post before is not on disk yet */
	own_show(&p->counting.posted);
	p->counting.posted = p->counting.now;
	ticket = counts_post(p);
	if (ticket > 0 && !first)
		atomic_store(&p->counting.shown, ticket);
	agent_metrics_publish(clock_wall(), behind);
	if (first)
		atomic_store(&p->counting.shown, ticket);
}

void
count_unread(struct pipeline *p)
{
	struct buffer list;

	buffer_init(&list, 0);
	unread_save(&list);
	state_text(p->state, UNREAD, buffer_slice(&list));
	buffer_fini(&list);
}

void
count_apart(struct pipeline *p, const uint64_t apart[STATE_READERS])
{
	json_t *all;
	char *text;

	if (memcmp(p->counting.apart, apart, sizeof(p->counting.apart)) == 0)
		return;
	memcpy(p->counting.apart, apart, sizeof(p->counting.apart));
	all = json_object();
	for (unsigned i = 0; i < p->nlanes; i++) {
		if (apart[i] > 0)
			json_object_set_new(all, state_reader_name(p->state, i),
			    json_integer((json_int_t)apart[i]));
	}
	text = json_object_size(all) > 0 ? json_dumps(all, JSON_COMPACT) : NULL;
	state_text(p->state, APART, text != NULL ? slice_of(text) : SLICE(""));
	free(text);
	json_decref(all);
}

void
count_stream_ends(struct pipeline *p, struct flow *flow)
{
	flow_dirty(&p->counting, flow);
	for (struct flow **at = &p->counting.dirty; *at != NULL; at = &(*at)->dirty) {
		if (*at != flow)
			continue;
		*at = flow->dirty;
		flow_post(p, flow);
		return;
	}
}

void
count_finish(struct pipeline *p)
{
	struct flow *flow;

	LIST_FOREACH (flow, &p->flows, in_flows)
		flow_dirty(&p->counting, flow);
	counts_post(p);
}

uint64_t
count_shown(struct pipeline *p)
{
	state_ticket ticket = atomic_load(&p->counting.shown);

	if (ticket == COUNTS_UNSHOWN)
		return 0;
	return state_durable(p->state) >= ticket ? ticket + 1 : 0;
}

/* ---- from the state */

static void
own_restore(struct counts *c, struct slice value)
{
	json_t *all = json_loadb(value.at, value.len, 0, NULL);
	const json_t *failures = json_object_get(all, "parse_failures");

	c->records = (uint64_t)json_integer_value(json_object_get(all, "records"));
	for (size_t i = 0; i < FAILURES; i++)
		c->failures[i] = (uint64_t)json_integer_value(json_array_get(failures, i));
	json_decref(all);
}

static void
text_restore(void *arg, struct slice key, struct slice value)
{
	struct pipeline *p = arg;

	if (slice_eq(key, OWN))
		own_restore(&p->counting.now, value);
	else if (slice_eq(key, APART)) /* of the process before */
		state_text(p->state, key, SLICE(""));
	else if (!slice_eq(key, UNREAD) && !slice_starts(key, SLICE("journal:")))
		agent_metrics_restore(key, value, clock_wall());
}

void
count_restore(struct pipeline *p)
{
	atomic_store(&p->counting.shown, COUNTS_UNSHOWN);
	state_texts(p->state, text_restore, p);
	p->counting.posted = p->counting.now;
}
