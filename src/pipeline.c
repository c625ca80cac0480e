/*
 * The whole flow, top to bottom:
 *
 *	 tail ── record ──> chain ──> batch ──> shipper ──> outputs
 *	   ^                  │                    │
 *	 files             metrics              cursors ──> state
 *
 * The reader thread is the first line up to the sealed batch; it waits for
 * files, never for a network.  When no batch is free it stops reading: the
 * files are the buffer.
 */
#include "pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent_metrics.h"
#include "chain.h"
#include "clock.h"
#include "metrics.h"
#include "serve.h"
#include "ship.h"
#include "tail.h"
#include "voice.h"

/* A quiet agent's error is searchable at once: with nothing under way this is the delay. */
#define LINGER (50 * NS_PER_MS)

/* Sets of outputs that records of this configuration go to; each fills a batch of its own. */
#define ROUTES 4

struct pipeline {
	const struct conf *conf;
	const struct service *service;
	struct pipeline_options options;
	struct state *state;
	struct range_book *book;
	struct chain *chain;
	struct tail *tail;
	struct shipper *shipper;
	struct serve *serve;
	const struct section **outputs;
	size_t noutputs;

	/* the reader's */
	pthread_t reader;
	bool reading; /* the thread exists */
	int wake;     /* eventfd: a batch is free, the state has moved, or stop */
	struct batch *filling[ROUTES];
	bool starved; /* a record was refused: no batch is free */
	struct flow *dirty;
	struct record record;
	int64_t published;

	atomic_bool stop;     /* set by signals: read no more */
	atomic_bool read_out; /* set by the reader: exit_on_eof, and all is given */
	atomic_llong turned;  /* mono ns of the reader's last turn */
};

/* What the pipeline keeps of a stream. */
struct flow {
	struct source *source;
	struct agent_series *series;
	struct document_rules rules;
	uint32_t route;
	uint64_t counted[SIDES];
	const struct stream *stream;
	struct flow *dirty; /* the next one whose counted has moved since it was posted */
	bool is_dirty;
};

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
	stream->user = flow;
}

/* Tell the state how far records are counted: once for many of them. */
static void
counted_post(struct pipeline *p)
{
	for (struct flow *flow = p->dirty; flow != NULL; flow = flow->dirty) {
		for (int side = 0; side < SIDES; side++)
			state_counted(p->state, &flow->stream->identity, (enum side)side,
			    flow->counted[side]);
		flow->is_dirty = false;
	}
	p->dirty = NULL;
}

static void
stream_ends(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = stream->user;

	counted_post(p);
	if (flow->series != NULL)
		agent_metrics_ended(flow->series, stream->pod, clock_wall());
	chain_source_free(flow->source);
	free(flow);
	stream->user = NULL;
}

static void
on_stream(void *arg, struct stream *stream, bool begins)
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
	p->filling[spare] = shipper_take(p->shipper);
	if (p->filling[spare] == NULL)
		return NULL;
	p->filling[spare]->route = route;
	p->filling[spare]->opened = clock_mono();
	return &p->filling[spare];
}

/* Each record is counted once, however often it is read. */
static void
count(struct pipeline *p, const struct framed *f)
{
	struct flow *flow = f->stream->user;

	if (f->offset < flow->counted[f->side])
		return;
	flow->counted[f->side] = f->end;
	if (!flow->is_dirty) {
		flow->is_dirty = true;
		flow->dirty = p->dirty;
		p->dirty = flow;
	}
	metrics_add(&metrics.records, 1);
	for (unsigned bits = chain_failures(p->chain), i = 0; bits != 0; i++, bits >>= 1) {
		if (bits & 1)
			metrics_add(&metrics.parse_failures[i], 1);
	}
	if (flow->series != NULL)
		agent_metrics_count(flow->series, f->stream->pod, chain_line(p->chain), f->time);
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
		range_also(range, f->also, f->also_end);
	if (f->after > b->after)
		b->after = f->after;
	return true;
}

static bool
on_record(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct flow *flow = f->stream->user;
	struct batch **filling = batch_for(p, flow->route);
	bool keep;

	p->starved = filling == NULL;
	if (p->starved)
		return false;
	keep = chain_run(p->chain, flow->source, f, &p->record);
	if (!put_into(p, *filling, f, keep)) {
		seal(p, (unsigned)(filling - p->filling));
		filling = batch_for(p, flow->route);
		p->starved = filling == NULL || !put_into(p, *filling, f, keep);
		if (p->starved)
			return false;
	}
	count(p, f);
	return true;
}

/* ---- the reader */

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
	counted_post(p);
	tail_figures(p->tail, &figures);
	atomic_store_explicit(&metrics.lag_bytes, figures.lag_bytes, memory_order_relaxed);
	atomic_store_explicit(&metrics.newest, figures.newest, memory_order_relaxed);
	agent_metrics_publish(clock_wall(), figures.unread > 0);
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

static void *
read_files(void *arg)
{
	struct pipeline *p = arg;
	bool finishing = false;
	int wait = 0;

	while (!atomic_load(&p->stop)) {
		bool more;
		int64_t now;

		tail_wait(p->tail, p->wake, wait);
		p->starved = false;
		more = tail_turn(p->tail, true);
		now = clock_mono();
		wait = seal_due(p, now);
		if (more && !p->starved)
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
	atomic_store(&p->read_out, true);
	return NULL;
}

/* ---- start, run, stop in reverse */

static bool
is_ready(void *arg, char *why, size_t size)
{
	struct pipeline *p = arg;

	return shipper_ready(p->shipper, why, size);
}

/* The reader turns at least once a second; a minute without a turn is a fault of ours. */
static bool
is_alive(void *arg, char *why, size_t size)
{
	struct pipeline *p = arg;
	int64_t still = clock_mono() - atomic_load(&p->turned);

	if (still < 60 * NS_PER_S)
		return true;
	snprintf(why, size, "the reader has not turned for %lld s", (long long)(still / NS_PER_S));
	return false;
}

static size_t
sections_of(const struct conf *conf, enum section_kind kind, const struct section **to)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].plugin->kind == kind)
			to[n++] = &conf->sections[i];
	}
	return n;
}

static int
tail_make(struct pipeline *p)
{
	const struct section **inputs = xcalloc(p->conf->n, sizeof(*inputs));
	const struct tail_conf **confs = xcalloc(p->conf->n, sizeof(*confs));
	size_t n = sections_of(p->conf, SECTION_INPUT, inputs);

	for (size_t i = 0; i < n; i++)
		confs[i] = inputs[i]->values;
	p->tail = tail_new(confs, n, p->state, p->book, on_record, on_stream, p);
	free(inputs);
	free(confs);
	return p->tail == NULL ? -1 : 0;
}

static int
parts_make(struct pipeline *p)
{
	const struct service *service = p->service;
	unsigned batches = (unsigned)service->batches;

	p->book = range_book_new(p->state, (batches + 2) * BATCH_ITEMS);
	p->chain = chain_new(p->conf, service);
	if (p->chain == NULL)
		return -1;
	p->outputs = xcalloc(p->conf->n, sizeof(struct section *));
	p->noutputs = sections_of(p->conf, SECTION_OUTPUT, p->outputs);
	p->shipper =
	    shipper_new(p->outputs, p->noutputs, p->state, p->book, batches, service->batch_size);
	if (p->shipper == NULL)
		return -1;
	agent_metrics_init(&(struct agent_metrics_options){
	    .max_series = (unsigned)service->max_series,
	    .per_pipeline = service->per_pipeline,
	    .max_task_capacity = (double)service->max_task_capacity,
	    .max_connections = (double)service->max_connections,
	    .heartbeat_timeout = service->heartbeat_timeout,
	    .window = service->duration_window,
	});
	return tail_make(p);
}

struct pipeline *
pipeline_new(const struct conf *conf, const struct pipeline_options *options)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));
	const char *dir = options->state_dir;

	p->conf = conf;
	p->service = service_of(conf);
	p->options = *options;
	p->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	atomic_store(&p->turned, clock_mono());
	p->state = state_open(dir != NULL ? dir : p->service->state_path);
	if (p->state != NULL) {
		errno = 0;
		if (parts_make(p) == 0)
			return p;
		errno = EINVAL;
	}
	pipeline_free(p);
	return NULL;
}

void
pipeline_free(struct pipeline *p)
{
	int was = errno;

	if (p == NULL)
		return;
	tail_free(p->tail);
	shipper_free(p->shipper);
	chain_free(p->chain);
	range_book_free(p->book);
	state_close(p->state);
	free(p->outputs);
	if (p->wake >= 0)
		close(p->wake);
	free(p);
	errno = was;
}

static void
wake_reader(struct pipeline *p)
{
	uint64_t one = 1;

	while (write(p->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* Wait for a signal, or for the reader to be at the end of everything. */
static void
wait_for_end(struct pipeline *p, const sigset_t *signals)
{
	struct timespec tick = { .tv_nsec = 50 * NS_PER_MS };
	int signal;

	while (!atomic_load(&p->read_out)) {
		signal = sigtimedwait(signals, NULL, &tick);
		if (signal != SIGTERM && signal != SIGINT)
			continue;
		say_info("run",
		    "signal %d: no more reading; delivering what was read, at most %lld s", signal,
		    (long long)(p->service->grace / NS_PER_S));
		return;
	}
}

int
pipeline_run(struct pipeline *p)
{
	struct serve_world world = { is_ready, is_alive, p };
	sigset_t signals;
	uint64_t left;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	state_wake(p->state, p->wake);
	if (p->service->http_server) {
		p->serve =
		    serve_start(p->service->http_listen, (unsigned)p->service->http_port, &world);
		if (p->serve == NULL)
			return -1;
	}
	if (shipper_start(p->shipper, p->wake) < 0) {
		serve_stop(p->serve);
		return -1;
	}
	pthread_create(&p->reader, NULL, read_files, p);
	wait_for_end(p, &signals);
	pthread_sigmask(
	    SIG_UNBLOCK, &signals, NULL); /* a second one ends the process: the state allows it */
	atomic_store(&p->stop, true);
	wake_reader(p);
	pthread_join(p->reader, NULL);
	left = shipper_stop(p->shipper, p->service->grace);
	if (left > 0)
		say_warn("run",
		    "%llu records were not delivered in time; they are read again at the next start",
		    (unsigned long long)left);
	serve_stop(p->serve);
	return 0;
}
