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
#include "inputs.h"
#include "metrics.h"
#include "pod_lag.h"
#include "resources.h"
#include "unread.h"

/* The age at which a batch is sealed while no request is under way: a quiet
 * agent's error is searchable at once. */
#define LINGER (50 * NS_PER_MS)

/* ---- streams */

/* Those of a lane's outputs that take records of the tag. */
static uint32_t
route_of(const struct pipeline *p, uint32_t outputs, struct slice tag)
{
	uint32_t route = 0;

	for (size_t i = 0; i < p->noutputs; i++) {
		const struct output *o = p->outputs[i]->values;

		if ((outputs >> i & 1) != 0 && output_takes(o, tag))
			route |= 1u << i;
	}
	return route;
}

static void
lanes_begin(struct pipeline *p, struct flow *flow, struct stream *stream)
{
	flow->lanes = xcalloc(p->nlanes, sizeof(*flow->lanes));
	for (unsigned i = 0; i < p->nlanes; i++) {
		const struct ship_lane *lane = shipper_lane(p->shipper, i);
		struct flow_lane *its = &flow->lanes[i];

		its->source = chain_source_new(p->chain, stream);
		its->route = route_of(p, lane->outputs, slice_of(stream->tag));
		its->rules = *lane->rules;
		chain_rules(p->chain, stream, &its->rules);
		chain_names(its->source, &its->rules);
	}
}

static void
lanes_end(struct pipeline *p, struct flow *flow)
{
	for (unsigned i = 0; i < p->nlanes; i++)
		chain_source_free(flow->lanes[i].source);
	free(flow->lanes);
}

static struct resources_container
container_of(const struct pod *pod)
{
	return (struct resources_container){ pod->namespace_name, pod->pod_name,
		pod->container_name, pod->docker_id };
}

void
reader_watch(struct pipeline *p, struct flow *flow)
{
	struct resources_container c;

	if (flow->series == NULL || !agent_metrics_is_its_own(flow->series) || flow->watched ||
	    flow->stream->pod->docker_id.len == 0)
		return;
	c = container_of(flow->stream->pod);
	resources_watch(p->enriching.resources, &c);
	flow->watched = true;
}

static void
unwatch(struct pipeline *p, struct flow *flow)
{
	struct resources_container c;

	if (!flow->watched)
		return;
	c = container_of(flow->stream->pod);
	resources_leave(p->enriching.resources, &c);
}

static void
stream_begins(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	struct cursors known[SIDES];

	flow->stream = stream;
	lanes_begin(p, flow, stream);
	if (stream->agent)
		flow->series = agent_metrics_agent(stream->pod);
	state_cursors(p->state, &stream->log, stream->cursors[0].reader, known);
	for (int side = 0; side < SIDES; side++)
		flow->counted[side] = known[side].counted;
	enrich_begins(p, flow);
	enrich_labels(flow);
	reader_watch(p, flow);
	LIST_INSERT_HEAD(&p->flows, flow, in_flows);
	stream->user = flow;
}

static void
stream_ends(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = stream->user;

	count_stream_ends(p, flow);
	unwatch(p, flow);
	enrich_ends(p, flow);
	LIST_REMOVE(flow, in_flows);
	if (flow->series != NULL)
		agent_metrics_ended(flow->series, stream->pod, clock_wall());
	lanes_end(p, flow);
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
seal(struct filling *f, unsigned i)
{
	shipper_give(f->shipper, f->at[i]);
	f->at[i] = NULL;
}

/* The batch being filled for `route`; NULL: none is free. */
static struct batch **
batch_for(struct filling *f, uint32_t route)
{
	unsigned i, spare = ROUTES;

	for (i = 0; i < ROUTES; i++) {
		if (f->at[i] == NULL)
			spare = i;
		else if (f->at[i]->route == route)
			return &f->at[i];
	}
	if (spare == ROUTES)
		seal(f, spare = 0);
	f->at[spare] = f->spare != NULL ? f->spare : shipper_take(f->shipper, f->lane);
	f->spare = NULL;
	if (f->at[spare] == NULL)
		return NULL;
	f->at[spare]->route = route;
	f->at[spare]->opened = clock_mono();
	return &f->at[spare];
}

/*
 * One record (dropped by a filter when not `keep`) into the batch; false: it is
 * full.  Not `last`: a further document of the record follows.
 */
static bool
put_into(struct pipeline *p, struct batch *b, const struct framed *f, bool keep, bool last)
{
	struct cursor *cursor = f->cursor;
	const struct flow *flow = f->stream->user;
	const struct flow_lane *to = &flow->lanes[b->lane];
	bool fresh = cursor->open_batch != b->number;
	struct range *range;

	if (fresh && b->nranges == BATCH_ITEMS)
		return false;
	range = range_open(p->filling[b->lane].book, cursor, b->number);
	if (range == NULL)
		return false;
	if (fresh)
		b->ranges[b->nranges++] = range;
	if (keep) {
		if (!batch_put(b, &to->rules, &p->record))
			return false;
		b->items[b->nitems - 1].range = range;
	}
	if (last)
		range_add(range, keep, f->end);
	else
		range_more(range, keep);
	if (f->after > b->after)
		b->after = f->after;
	return true;
}

/* The record, or a copy, is in its batch; it was dropped by a filter when not `keep`. */
static void
record_given(struct pipeline *p, const struct framed *f, bool keep)
{
	const struct flow *flow = f->stream->user;

	if (keep)
		enrich_shipped(flow);
	else if (f->start >= flow->counted[f->side] &&
		 (chain_dropped_by(p->chain) != NULL ||
		     (f->text.len == 0 && f->stream->conf->skip_empty)))
		metrics_add(&metrics_filtered, 1); /* once, whatever lanes read it */
	count_record(p, f);
}

/* One document into the batch of its route; false: none is free. */
static bool
put(struct pipeline *p, uint32_t route, const struct framed *f, bool keep, bool last)
{
	struct filling *filling = &p->filling[f->cursor->reader];
	struct batch **batch = batch_for(filling, route);

	filling->starved = batch == NULL;
	if (filling->starved)
		return false;
	if (put_into(p, *batch, f, keep, last))
		return true;
	seal(filling, (unsigned)(batch - filling->at));
	batch = batch_for(filling, route);
	filling->starved = batch == NULL || !put_into(p, *batch, f, keep, last);
	return !filling->starved;
}

/* The outputs of a record that has another tag than its stream; 0: none takes it. */
static uint32_t
route_now(const struct pipeline *p, const struct filling *filling, const struct flow_lane *to)
{
	const struct ship_lane *lane = shipper_lane(p->shipper, filling->lane);

	return p->record.retag.given > 0 ? route_of(p, lane->outputs, p->record.tag) : to->route;
}

/*
 * A record that filters gave other tags, and its copies or parts.  Where a batch is
 * missing for one of them, those before it are not put again when the record is
 * offered again, unless the log was rewound: then its cursor has no range of
 * that batch.
 */
static bool
put_retagged(struct pipeline *p, const struct framed *f, bool keep, bool *any)
{
	struct filling *filling = &p->filling[f->cursor->reader];
	struct half_put *half = &filling->half;
	const struct flow *flow = f->stream->user;
	const struct flow_lane *to = &flow->lanes[filling->lane];
	bool again = half->cursor == f->cursor && half->start == f->start &&
		     half->batch == f->cursor->open_batch;
	unsigned done = again ? half->done : 0;

	for (unsigned i = 0;; i++) {
		bool last = !chain_copies(p->chain);
		uint32_t route = route_now(p, filling, to);

		keep = keep && route != 0;
		*any |= keep;
		if (i >= done && !put(p, keep ? route : to->route, f, keep, last)) {
			*half = (struct half_put){ f->cursor, f->start, f->cursor->open_batch, i };
			return false;
		}
		if (last)
			return true;
		keep = chain_copy(p->chain, to->source, f, &p->record);
	}
}

/* A record whose outputs are known when it has passed the filters, and its copies. */
static bool
record_retagged(struct pipeline *p, const struct framed *f)
{
	struct flow *flow = f->stream->user;
	const struct filling *filling = &p->filling[f->cursor->reader];
	bool any = false, keep;

	enrich_record(p, flow);
	keep = chain_run(p->chain, flow->lanes[filling->lane].source, f, &p->record);
	if (!put_retagged(p, f, keep, &any))
		return false;
	record_given(p, f, any);
	return true;
}

/*
 * The record through the chain, for one lane.  Where none of its outputs takes
 * it, it is read only to be counted.
 */
static bool
record_make(struct pipeline *p, const struct flow_lane *to, const struct framed *f)
{
	const struct flow *flow = f->stream->user;

	if (to->route != 0 || p->nlanes == 1)
		return chain_run(p->chain, to->source, f, &p->record);
	if (f->start >= flow->counted[f->side])
		chain_read(p->chain, to->source, f, &p->record);
	return false;
}

bool
reader_record(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct filling *filling = &p->filling[f->cursor->reader];
	struct flow *flow = f->stream->user;
	const struct flow_lane *to = &flow->lanes[filling->lane];
	struct batch **batch;
	bool keep;

	if (chain_retags(to->source) || (chain_splits(to->source) && to->route != 0))
		return record_retagged(p, f);
	batch = batch_for(filling, to->route);
	filling->starved = batch == NULL;
	if (filling->starved)
		return false;
	enrich_record(p, flow);
	keep = record_make(p, to, f);
	if (!put_into(p, *batch, f, keep, true)) {
		seal(filling, (unsigned)(batch - filling->at));
		batch = batch_for(filling, to->route);
		filling->starved = batch == NULL || !put_into(p, *batch, f, keep, true);
		if (filling->starved)
			return false;
	}
	record_given(p, f, keep);
	return true;
}

/* Shipping stands: the record is counted now, and read again when a batch is
 * free. */
bool
reader_count(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct flow *flow = f->stream->user;

	if (f->start >= flow->counted[f->side]) {
		chain_read(p->chain, flow->lanes[0].source, f, &p->record);
		count_record(p, f);
	}
	return true;
}

/* ---- the reader */

/* True unless a record was refused and there is still no batch for it. */
static bool
has_room(struct filling *f)
{
	if (f->starved && f->spare == NULL)
		f->spare = shipper_take(f->shipper, f->lane);
	f->starved = f->starved && f->spare == NULL;
	return !f->starved;
}

/* Bits of the lanes that have room. */
static uint32_t
rooms(struct pipeline *p)
{
	uint32_t room = 0;

	for (unsigned i = 0; i < p->nlanes; i++)
		room |= (has_room(&p->filling[i]) ? UINT32_C(1) : 0) << i;
	return room;
}

static bool
all_starved(const struct pipeline *p)
{
	for (unsigned i = 0; i < p->nlanes; i++) {
		if (!p->filling[i].starved)
			return false;
	}
	return true;
}

/* The age at which a batch is sealed: less while no request is under way. */
static int64_t
linger_of(const struct filling *f, int64_t flush)
{
	return shipper_idle(f->shipper, f->lane) ? earlier(LINGER, flush) : flush;
}

/* Seal what is old enough; return how long the youngest may still wait, in ns.
 */
static int64_t
seal_due(struct filling *f, int64_t flush, int64_t now)
{
	int64_t wait = NS_PER_S, linger = linger_of(f, flush);

	for (unsigned i = 0; i < ROUTES; i++) {
		int64_t due;

		if (f->at[i] == NULL)
			continue;
		due = f->at[i]->opened + linger - now;
		if (due <= 0)
			seal(f, i);
		else if (due < wait)
			wait = due;
	}
	return wait;
}

/* The same for all lanes, in ms. */
static int
seal_all_due(struct pipeline *p, int64_t now)
{
	int64_t wait = NS_PER_S;

	for (unsigned i = 0; i < p->nlanes; i++)
		wait = earlier(wait, seal_due(&p->filling[i], p->service->flush, now));
	return (int)(wait / NS_PER_MS) + 1;
}

static bool
is_given(const struct filling *f)
{
	for (unsigned i = 0; i < ROUTES; i++) {
		if (f->at[i] != NULL)
			return false;
	}
	return shipper_idle(f->shipper, f->lane);
}

static bool
all_given(const struct pipeline *p)
{
	for (unsigned i = 0; i < p->nlanes; i++) {
		if (!is_given(&p->filling[i]))
			return false;
	}
	return true;
}

static void
seal_all(struct filling *f)
{
	for (unsigned i = 0; i < ROUTES; i++) {
		if (f->at[i] != NULL)
			seal(f, i);
	}
}

/* An output fails, and this run does not wait until it is well again. */
static bool
gives_up(const struct pipeline *p)
{
	enum shipper_fails fails = shipper_fails(p->shipper);

	return fails == FAILS_FOR_GOOD || (fails != FAILS_NOT && p->options.exit_on_eof);
}

/* Bytes that wait, by pod; nothing is looked at while none do. */
static void
publish_pods(struct pipeline *p, bool lags)
{
	const struct flow *flow;

	if (!lags && !pod_lag_any())
		return;
	pod_lag_begin();
	LIST_FOREACH (flow, &p->flows, in_flows) {
		const struct stream *stream = flow->stream;

		if (stream->lag > 0 && stream->pod != NULL)
			pod_lag_add(
			    stream->pod->namespace_name, stream->pod->pod_name, stream->lag);
	}
	pod_lag_end();
}

/* Publish, about once a second; *published: the time of the last one, 0: none.
 */
static void
publish(struct pipeline *p, int64_t now, int64_t *published)
{
	struct tail_figures figures;

	if (now - *published < NS_PER_S && *published != 0)
		return;
	*published = now;
	tail_figures(p->tail, &figures);
	atomic_store_explicit(&metrics.lag_bytes, figures.lag_bytes, memory_order_relaxed);
	for (unsigned i = 0; i < p->nlanes; i++)
		shipper_lags(p->shipper, i, figures.lag_of[i]);
	atomic_store_explicit(&metrics.newest, figures.newest, memory_order_relaxed);
	atomic_store_explicit(&metrics.state_stale,
	    (uint64_t)((state_stale(p->state) + NS_PER_S - 1) / NS_PER_S), memory_order_relaxed);
	atomic_store_explicit(&metrics.forgotten, state_forgotten(p->state), memory_order_relaxed);
	inputs_post(p);
	publish_pods(p, figures.lag_bytes > 0);
	if (unread_turn(figures.files))
		count_unread(p);
	count_publish(p, figures.unread > 0);
}

/* ---- the thread */

void *
reader_run(void *arg)
{
	struct pipeline *p = arg;
	int64_t published = 0;
	bool finishing = false;
	int wait = 0;

	pthread_setname_np(pthread_self(), "reader");
	while (!atomic_load(&p->stop) && !gives_up(p)) {
		bool more, counts;
		int64_t now;
		int pods;

		inputs_wait(p, wait);
		pods = enrich_turn(p, clock_mono());
		more = inputs_turn(p, rooms(p));
		counts = tail_count(p->tail);
		now = clock_mono();
		wait = seal_all_due(p, now);
		wait = (int)earlier(pods, wait);
		if (counts || (more && !all_starved(p)))
			wait = 0;
		publish(p, now, &published);
		atomic_store(&p->turned, now);
		if (more || !inputs_end(p))
			continue;
		if (p->options.rehearsal != NULL) /* nothing is ever added to its files */
			tail_finish(p->tail);
		if (!inputs_at_end(p))
			continue;
		tail_finish(p->tail);
		if (finishing && all_given(p))
			break;
		finishing = true;
	}
	for (unsigned i = 0; i < p->nlanes; i++)
		seal_all(&p->filling[i]);
	published = 0;
	publish(p, clock_mono(), &published);
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
