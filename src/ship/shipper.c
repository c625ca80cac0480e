/*
 * The shipper: the queue from the reader, and the thread that drives all
 * outputs around one libcurl multi handle.
 *
 *	reader: take -> fill -> give ─ queue ─> thread: sinks -> settle -> pool
 *
 * What a batch costs between the threads is one lock each way.
 */
#include <assert.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "collect_sink.h"
#include "dead_letter.h"
#include "hold_report.h"
#include "lanes.h"
#include "sink.h"

/* The state is asked this often while a batch waits for it. */
#define STATE_WAIT (20 * NS_PER_MS)

/* Batches in the order they came. */
struct batches {
	struct batch *first, *last;
};

struct shipper {
	struct sink *sinks; /* SINKS_MAX at most */
	size_t nsinks;
	struct lanes *lanes;
	struct state *state;
	struct hold_report *report;
	struct dead_letters *dead;
	CURLM *multi;
	pthread_t thread;
	bool running;
	struct batches waiting; /* for the state: the thread's own */

	pthread_mutex_t lock;
	struct batches given; /* under the lock, as the rest: not yet taken by the thread */
	bool stop;
	int64_t deadline; /* mono ns; NEVER: none */
};

/* ---- start and end */

static const struct sink_type *const types[] = { &es_sink, &opensearch_sink, &sqlite_sink,
	&stdout_sink, &null_sink, &file_sink, NULL };

static struct lane *
lane_of(struct shipper *s, size_t output)
{
	unsigned i = 0;

	while ((s->lanes->at[i].is.outputs & UINT32_C(1) << output) == 0)
		i++;
	return &s->lanes->at[i];
}

static int
sink_open(struct shipper *s, const struct section *const *outputs)
{
	struct sink *sink = &s->sinks[s->nsinks];
	const struct section *section = outputs[s->nsinks];
	const struct sink_type *const *type = types;
	char *name = output_name(outputs, s->nsinks);

	while (*type != NULL && (*type)->plugin != section->plugin)
		type++;
	assert(*type != NULL);
	sink->type = collect_sink_type(*type);
	sink->metrics = metrics_output(name);
	sink->name = sink->metrics->output;
	free(name);
	sink->section = section;
	sink->delivery = lane_of(s, s->nsinks)->delivery;
	sink->report = s->report;
	sink->dead = s->dead;
	sink->multi = s->multi;
	s->nsinks++;
	return sink->type->open(sink);
}

/* All outputs; -1 after saying why not. */
static int
sinks_open(struct shipper *s, const struct section *const *outputs, size_t n)
{
	while (s->nsinks < n) {
		if (sink_open(s, outputs) < 0)
			return -1;
	}
	return 0;
}

struct shipper *
shipper_new(const struct section *const *outputs, size_t n, struct state *state, unsigned batches,
    size_t batch_bytes)
{
	struct shipper *s = xcalloc(1, sizeof(*s));

	/* Out of memory, the process ends: half a header or an answer is none. */
	curl_global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, free, xrealloc, xstrdup, xcalloc);
	pthread_mutex_init(&s->lock, NULL);
	s->state = state;
	s->multi = curl_multi_init();
	/* Its own sockets, too: it does not do so.  Before Linux 5.11 they stay as they are. */
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	s->sinks = xcalloc(SINKS_MAX, sizeof(*s->sinks));
	s->dead = dead_letter_new(state_dir(state));
	s->lanes = xcalloc(1, sizeof(*s->lanes));
	lanes_init(s->lanes, outputs, n, state, batches, batch_bytes);
	s->report = hold_report_new();
	if (sinks_open(s, outputs, n) == 0)
		return s;
	shipper_free(s);
	return NULL;
}

void
shipper_free(struct shipper *s)
{
	if (s == NULL)
		return;
	assert(!s->running);
	for (size_t i = 0; i < s->nsinks; i++)
		s->sinks[i].type->close(&s->sinks[i]);
	curl_multi_cleanup(s->multi);
	dead_letter_free(s->dead);
	hold_report_free(s->report);
	lanes_fini(s->lanes);
	free(s->lanes);
	free(s->sinks);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

unsigned
shipper_lanes(const struct shipper *s)
{
	return s->lanes->n;
}

const struct ship_lane *
shipper_lane(const struct shipper *s, unsigned lane)
{
	return &s->lanes->at[lane].is;
}

/* ---- the reader's side */

struct batch *
shipper_take(struct shipper *s, unsigned lane)
{
	struct batch *b = batch_pool_take(s->lanes->at[lane].pool);

	if (b != NULL)
		b->lane = lane;
	return b;
}

static void
batches_put(struct batches *to, struct batch *b)
{
	b->next = NULL;
	if (to->first == NULL)
		to->first = b;
	else
		to->last->next = b;
	to->last = b;
}

/* The number of durable outputs of a route: the cursors wait for them. */
static unsigned
durable_outputs(const struct shipper *s, uint32_t route)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->nsinks; i++)
		if (s->sinks[i].type->durable && (route >> i & 1))
			n++;
	return n;
}

void
shipper_give(struct shipper *s, struct batch *b)
{
	unsigned outputs = durable_outputs(s, b->route);
	const struct lane *lane = &s->lanes->at[b->lane];

	delivery_begin(lane->delivery, b, outputs);
	batch_pool_filled(lane->pool, b);
	b->outputs = outputs + 1; /* and the shipper itself */
	pthread_mutex_lock(&s->lock);
	batches_put(&s->given, b);
	pthread_mutex_unlock(&s->lock);
	curl_multi_wakeup(s->multi);
}

bool
shipper_idle(struct shipper *s, unsigned lane)
{
	return delivery_missing(s->lanes->at[lane].delivery) == 0;
}

void
shipper_lags(struct shipper *s, unsigned lane, uint64_t bytes, uint64_t apart)
{
	for (size_t i = 0; i < s->nsinks; i++) {
		struct output_metrics *m = s->sinks[i].metrics;

		if ((s->lanes->at[lane].is.outputs >> i & 1) == 0)
			continue;
		atomic_store_explicit(&m->lag_bytes, bytes, memory_order_relaxed);
		atomic_store_explicit(&m->logs_apart, apart, memory_order_relaxed);
	}
}

bool
shipper_ready(struct shipper *s, char *why, size_t size)
{
	for (size_t i = 0; i < s->nsinks; i++) {
		struct sink *sink = &s->sinks[i];
		const char *waits = atomic_load(&sink->waits);
		unsigned held = atomic_load(&sink->held);

		if (sink->type->durable && !atomic_load(&sink->answered))
			snprintf(why, size, "%s has not answered yet", sink->name);
		else if (waits != NULL)
			snprintf(why, size, "%s: %s", sink->name, waits);
		else if (held > 0)
			snprintf(why, size, "%s holds %u records", sink->name, held);
		else
			continue;
		return false;
	}
	return true;
}

enum shipper_fails
shipper_fails(const struct shipper *s)
{
	enum shipper_fails worst = FAILS_NOT;

	for (size_t i = 0; i < s->nsinks; i++) {
		enum shipper_fails its = atomic_load(&s->sinks[i].fails);

		if (its > worst)
			worst = its;
	}
	return worst;
}

/* ---- the thread */

static void
batch_distribute(struct shipper *s, struct batch *b)
{
	struct delivery *delivery = s->lanes->at[b->lane].delivery;
	bool settled_here = b->outputs == 1;

	for (size_t i = 0; i < s->nsinks; i++) {
		if (b->nitems > 0 && (b->route >> i & 1))
			s->sinks[i].type->give(&s->sinks[i], b);
		else if (s->sinks[i].type->durable && (b->route >> i & 1))
			delivery_return(delivery, b);
	}
	for (uint32_t i = 0; settled_here && i < b->nitems; i++)
		delivery_settle(delivery, &b->items[i]);
	delivery_return(delivery, b);
}

static void
queue_take(struct shipper *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->given.first != NULL) {
		if (s->waiting.first == NULL)
			s->waiting = s->given;
		else
			s->waiting.last->next = s->given.first;
		s->waiting.last = s->given.last;
		s->given = (struct batches){ 0 };
	}
	pthread_mutex_unlock(&s->lock);
}

/* True while the state has not stored all that the batch depends on. */
static bool
must_wait(const struct shipper *s, const struct batch *b)
{
	return b->after != 0 && state_durable(s->state) < b->after;
}

/*
 * Give the outputs the batches for which the state is ready; return when to look
 * again.  A batch that waits for the state holds up those behind it, unless the
 * state cannot be written.
 */
static int64_t
queue_turn(struct shipper *s, int64_t now)
{
	struct batch **at = &s->waiting.first, *last = NULL;

	queue_take(s);
	while (*at != NULL) {
		struct batch *b = *at;

		if (!must_wait(s, b)) {
			*at = b->next;
			b->next = NULL;
			batch_distribute(s, b);
			continue;
		}
		if (state_stale(s->state) == 0)
			return now + STATE_WAIT;
		last = b;
		at = &b->next;
	}
	s->waiting.last = last;
	return s->waiting.first != NULL ? now + STATE_WAIT : NEVER;
}

/* Do all that is due; return the time of the next turn. */
static int64_t
turn(struct shipper *s, int64_t now)
{
	int64_t next = queue_turn(s, now);

	for (size_t i = 0; i < s->nsinks; i++) {
		int64_t due = s->sinks[i].type->turn(&s->sinks[i], now);

		if (due < next)
			next = due;
	}
	return next;
}

/* Go on with all requests; true when one has ended, as another may be sent then. */
static bool
carry(struct shipper *s)
{
	bool any = false;
	int running, left;
	CURLMsg *message;

	curl_multi_perform(s->multi, &running);
	while ((message = curl_multi_info_read(s->multi, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;
		struct exchange *x = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
		curl_multi_remove_handle(s->multi, easy);
		x->done(x, code);
		any = true;
	}
	return any;
}

/* About once a second the state is told of the streams that wait for outputs. */
static void
report_holds(struct shipper *s, int64_t now)
{
	if (!hold_report_due(s->report, now))
		return;
	for (size_t i = 0; i < s->nsinks; i++) {
		if (s->sinks[i].type->report != NULL)
			s->sinks[i].type->report(&s->sinks[i]);
	}
	hold_report_post(s->report, s->state);
}

/* The number of deliveries that outputs cannot make as things are. */
static uint64_t
stuck(struct shipper *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->nsinks; i++) {
		if (s->sinks[i].type->stuck != NULL)
			n += s->sinks[i].type->stuck(&s->sinks[i]);
	}
	return n;
}

static bool
may_end(struct shipper *s, int64_t now)
{
	bool stop;
	int64_t deadline;

	pthread_mutex_lock(&s->lock);
	stop = s->stop;
	deadline = s->deadline;
	pthread_mutex_unlock(&s->lock);
	return stop && (now >= deadline || lanes_missing(s->lanes) == stuck(s));
}

static void *
ship(void *arg)
{
	struct shipper *s = arg;

	pthread_setname_np(pthread_self(), "shipper");
	for (;;) {
		int64_t now = clock_mono(), next = turn(s, now), wait;
		bool more = carry(s);

		for (unsigned i = 0; i < s->lanes->n; i++)
			delivery_flush(s->lanes->at[i].delivery);
		report_holds(s, now);
		if (may_end(s, now))
			break;
		if (more)
			continue;
		wait = next == NEVER ? 1000 : (next - now) / NS_PER_MS + 1;
		if (wait > 0)
			curl_multi_poll(s->multi, NULL, 0, (int)(wait < 1000 ? wait : 1000), NULL);
	}
	return NULL;
}

int
shipper_start(struct shipper *s, int wake)
{
	int error;

	for (unsigned i = 0; i < s->lanes->n; i++)
		delivery_wake(s->lanes->at[i].delivery, wake);
	error = pthread_create(&s->thread, NULL, ship, s);
	if (error != 0) {
		say_error("ship", "no thread: %s", strerror(error));
		return -1;
	}
	s->running = true;
	return 0;
}

uint64_t
shipper_stop(struct shipper *s, int64_t grace)
{
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		s->deadline = grace < 0 ? NEVER : clock_mono() + grace;
		pthread_mutex_unlock(&s->lock);
		curl_multi_wakeup(s->multi);
		pthread_join(s->thread, NULL);
		s->running = false;
	}
	return lanes_missing(s->lanes);
}
