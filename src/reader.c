/*
 * The reader thread: files to records, records through the chain into batches,
 * batches to the shipper.  It waits for files and for free batches, never for
 * a network.
 */
#include "enrich.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent_metrics.h"
#include "clock.h"
#include "metrics.h"

/* A quiet agent's error is searchable at once: with nothing under way this is the delay. */
#define LINGER (50 * NS_PER_MS)

/* ---- streams */

static uint32_t
route_of(const struct pipeline *p, const char *tag)
{
	uint32_t route = 0;

	for (size_t i = 0; i < p->noutputs; i++) {
		const struct output *o = p->outputs[i]->values;

		if (conf_match(o->match, slice_of(tag)))
			route |= 1u << i;
	}
	return route;
}

static void
stream_begins(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	struct stream_state known;

	flow->stream = stream;
	flow->source = chain_source_new(p->chain, stream);
	flow->route = route_of(p, stream->tag);
	flow->rules = *shipper_rules(p->shipper);
	chain_rules(p->chain, stream, &flow->rules);
	if (stream->agent)
		flow->series = agent_metrics_agent(stream->pod);
	if (state_find(p->state, &stream->identity, &known)) {
		for (int side = 0; side < SIDES; side++)
			flow->counted[side] = known.side[side].counted;
	}
	state_opened(p->state, &stream->identity, stream->path);
	enrich_begins(p, flow);
	LIST_INSERT_HEAD(&p->flows, flow, in_flows);
	stream->user = flow;
}

static void
stream_ends(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = stream->user;

	count_stream_ends(p, flow);
	enrich_ends(p, flow);
	state_ended(p->state, &stream->identity);
	LIST_REMOVE(flow, in_flows);
	if (flow->series != NULL)
		agent_metrics_ended(flow->series, stream->pod, clock_wall());
	chain_source_free(flow->source);
	free(flow);
	stream->user = NULL;
}

void
reader_stream(void *arg, struct stream *stream, bool begins)
{
	if (begins)
		stream_begins(arg, stream);
	else
		stream_ends(arg, stream);
}

/* ---- records */

static void
seal(struct pipeline *p, unsigned i)
{
	shipper_give(p->shipper, p->filling[i]);
	p->filling[i] = NULL;
}

/* The batch being filled for `route`; NULL: none is free. */
static struct batch **
batch_for(struct pipeline *p, uint32_t route)
{
	unsigned i, spare = ROUTES;

	for (i = 0; i < ROUTES; i++) {
		if (p->filling[i] == NULL)
			spare = i;
		else if (p->filling[i]->route == route)
			return &p->filling[i];
	}
	if (spare == ROUTES)
		seal(p, spare = 0);
	p->filling[spare] = p->spare != NULL ? p->spare : shipper_take(p->shipper);
	p->spare = NULL;
	if (p->filling[spare] == NULL)
		return NULL;
	p->filling[spare]->route = route;
	p->filling[spare]->opened = clock_mono();
	return &p->filling[spare];
}

/* One record (dropped by a filter when not `keep`) into the batch; false: it is full. */
static bool
put_into(struct pipeline *p, struct batch *b, const struct framed *f, bool keep)
{
	struct cursor *cursor = &f->stream->cursor[f->side];
	const struct flow *flow = f->stream->user;
	bool fresh = cursor->open_batch != b->number;
	struct range *range;

	if (fresh && b->nranges == BATCH_ITEMS)
		return false;
	range = range_open(p->book, cursor, b->number);
	if (range == NULL)
		return false;
	if (fresh)
		b->ranges[b->nranges++] = range;
	if (keep) {
		if (!batch_put(b, &flow->rules, &p->record))
			return false;
		b->items[b->nitems - 1].range = range;
	}
	range_add(range, keep, f->end);
	if (f->also != NULL)
		range_also(range, &f->also->cursor[f->side], f->also_end);
	if (f->after > b->after)
		b->after = f->after;
	return true;
}

bool
reader_record(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct flow *flow = f->stream->user;
	struct batch **filling = batch_for(p, flow->route);
	bool keep;

	p->starved = filling == NULL;
	if (p->starved)
		return false;
	enrich_record(p, flow);
	keep = chain_run(p->chain, flow->source, f, &p->record);
	if (!put_into(p, *filling, f, keep)) {
		seal(p, (unsigned)(filling - p->filling));
		filling = batch_for(p, flow->route);
		p->starved = filling == NULL || !put_into(p, *filling, f, keep);
		if (p->starved)
			return false;
	}
	if (keep)
		enrich_shipped(flow);
	count_record(p, f);
	return true;
}

/* Shipping stands: it is counted, each record once, and read again when there is room. */
bool
reader_count(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct flow *flow = f->stream->user;

	if (f->offset >= flow->counted[f->side]) {
		chain_read(p->chain, flow->source, f, &p->record);
		count_record(p, f);
	}
	return true;
}

/* ---- the reader */

/* When a record was refused, is there a batch again? */
static bool
has_room(struct pipeline *p)
{
	if (p->starved && p->spare == NULL)
		p->spare = shipper_take(p->shipper);
	return !p->starved || p->spare != NULL;
}

/* Seal what is old enough; return how long the youngest may still wait, in ms. */
static int
seal_due(struct pipeline *p, int64_t now)
{
	int64_t linger = shipper_idle(p->shipper) ? LINGER : p->service->flush;
	int64_t wait = NS_PER_S;

	if (linger > p->service->flush)
		linger = p->service->flush;
	for (unsigned i = 0; i < ROUTES; i++) {
		int64_t due;

		if (p->filling[i] == NULL)
			continue;
		due = p->filling[i]->opened + linger - now;
		if (due <= 0)
			seal(p, i);
		else if (due < wait)
			wait = due;
	}
	return (int)(wait / NS_PER_MS) + 1;
}

static void
publish(struct pipeline *p, int64_t now)
{
	struct tail_figures figures;

	if (now - p->published < NS_PER_S && p->published != 0)
		return;
	p->published = now;
	tail_figures(p->tail, &figures);
	atomic_store_explicit(&metrics.lag_bytes, figures.lag_bytes, memory_order_relaxed);
	atomic_store_explicit(&metrics.newest, figures.newest, memory_order_relaxed);
	atomic_store_explicit(&metrics.state_stale,
	    (uint64_t)((state_stale(p->state) + NS_PER_S - 1) / NS_PER_S), memory_order_relaxed);
	atomic_store_explicit(&metrics.forgotten, state_forgotten(p->state), memory_order_relaxed);
	count_publish(p, figures.unread > 0);
}

static bool
all_given(struct pipeline *p)
{
	for (unsigned i = 0; i < ROUTES; i++) {
		if (p->filling[i] != NULL)
			return false;
	}
	return shipper_idle(p->shipper);
}

/* ---- the thread */

void *
reader_run(void *arg)
{
	struct pipeline *p = arg;
	bool finishing = false;
	int wait = 0;

	pthread_setname_np(pthread_self(), "reader");
	while (!atomic_load(&p->stop)) {
		bool more, room, counts;
		int64_t now;
		int pods;

		tail_wait(p->tail, p->wake, wait);
		pods = enrich_turn(p, clock_mono());
		room = has_room(p);
		p->starved = !room;
		more = tail_turn(p->tail, room);
		counts = tail_count(p->tail);
		now = clock_mono();
		wait = seal_due(p, now);
		wait = pods < wait ? pods : wait;
		if (counts || (more && !p->starved))
			wait = 0;
		publish(p, now);
		atomic_store(&p->turned, now);
		if (more || !p->options.exit_on_eof || !tail_at_end(p->tail))
			continue;
		tail_finish(p->tail);
		if (finishing && all_given(p))
			break;
		finishing = true;
	}
	for (unsigned i = 0; i < ROUTES; i++) {
		if (p->filling[i] != NULL)
			seal(p, i);
	}
	p->published = 0;
	publish(p, clock_mono());
	reader_wake(p->over);
	return NULL;
}

void
reader_wake(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}
