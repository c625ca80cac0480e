/*
 * The shipper: a fixed pool of batches, the queue from the reader, and the
 * thread that drives all outputs around one libcurl multi handle.
 *
 *	reader: take -> fill -> give ─ queue ─> thread: sinks -> settle -> pool
 *
 * What a batch costs between the threads is one lock each way.
 */
#include <assert.h>
#include <stdlib.h>

#include "clock.h"
#include "dead.h"
#include "fault.h"
#include "shipper.h"

/* The state is asked this often while a batch waits for it. */
#define STATE_WAIT (20 * NS_PER_MS)

/* ---- start and end */

static const struct sink_type *const types[] = { &es_sink, &opensearch_sink, &sqlite_sink,
	&stdout_sink, &null_sink };

static const struct sink_type *
type_of(const struct section *section)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (types[i]->plugin == section->plugin)
			return types[i];
	}
	return NULL;
}

static int
sink_open(struct shipper *s, const struct section *const *outputs)
{
	struct sink *sink = &s->sinks[s->nsinks];
	const struct section *section = outputs[s->nsinks];
	char *name = output_name(outputs, s->nsinks);

	sink->type = type_of(section);
	assert(sink->type != NULL);
	sink->metrics = metrics_output(name);
	sink->name = sink->metrics->output;
	free(name);
	sink->section = section;
	sink->shipper = s;
	sink->index = (uint8_t)s->nsinks;
	s->nsinks++;
	return sink->type->open(sink);
}

static void
pool_make(struct shipper *s, unsigned batches, size_t bytes)
{
	size_t cap = bytes > UINT32_MAX / BATCH_GROWTH ? UINT32_MAX : bytes * BATCH_GROWTH;

	s->batch_bytes = bytes;
	s->budget = batches * bytes;
	s->batches = xcalloc(batches, sizeof(*s->batches));
	s->nbatches = batches;
	for (unsigned i = 0; i < batches; i++) {
		struct batch *b = s->batches[i] = batch_new(bytes, cap);

		b->next = s->free;
		s->free = b;
	}
}

struct shipper *
shipper_new(const struct section *const *outputs, size_t n, struct state *state,
    struct range_book *book, unsigned batches, size_t batch_bytes)
{
	struct shipper *s = xcalloc(1, sizeof(*s));

	curl_global_init(CURL_GLOBAL_DEFAULT);
	pthread_mutex_init(&s->lock, NULL);
	s->state = state;
	s->book = book;
	s->wake = -1;
	s->multi = curl_multi_init();
	s->rules = document_rules_default();
	s->dead = dead_new(state_dir(state));
	pool_make(s, batches, batch_bytes);
	for (size_t i = 0; i < n; i++) {
		if (i == SINKS_MAX) {
			say_error("ship", "more than %d outputs", SINKS_MAX);
			shipper_free(s);
			return NULL;
		}
		if (sink_open(s, outputs) < 0) {
			shipper_free(s);
			return NULL;
		}
	}
	if (es_rules(s->sinks, s->nsinks, &s->rules) < 0) {
		shipper_free(s);
		return NULL;
	}
	return s;
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
	dead_free(s->dead);
	holds_fini(&s->holds);
	for (unsigned i = 0; i < s->nbatches; i++)
		batch_free(s->batches[i]);
	free(s->batches);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const struct document_rules *
shipper_rules(const struct shipper *s)
{
	return &s->rules;
}

/* ---- the reader's side */

struct batch *
shipper_take(struct shipper *s)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->free != NULL && s->lent < s->budget) {
		b = s->free;
		s->free = b->next;
		s->lent += s->batch_bytes;
		b->next = NULL;
		b->number = ++s->number;
	}
	pthread_mutex_unlock(&s->lock);
	return b;
}

void
shipper_give(struct shipper *s, struct batch *b)
{
	atomic_fetch_add(&s->unsettled, b->nitems);
	FAULT("batch-sealed");
	for (uint32_t i = 0; i < b->nranges; i++)
		range_seal(s->book, b->ranges[i]);
	batch_trim(b, s->batch_bytes);
	b->next = NULL;
	pthread_mutex_lock(&s->lock);
	s->lent += b->body.size - s->batch_bytes;
	if (s->first == NULL)
		s->first = b;
	else
		s->last->next = b;
	s->last = b;
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_add_explicit(&metrics.queue_batches, 1, memory_order_relaxed);
	curl_multi_wakeup(s->multi);
}

bool
shipper_idle(struct shipper *s)
{
	return atomic_load(&s->unsettled) == 0;
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

/* ---- the thread */

static uint8_t
durable_outputs(const struct shipper *s, uint32_t route)
{
	uint8_t n = 0;

	for (size_t i = 0; i < s->nsinks; i++)
		if (s->sinks[i].type->durable && (route >> i & 1))
			n++;
	return n;
}

static void
batch_distribute(struct shipper *s, struct batch *b)
{
	uint8_t owed = durable_outputs(s, b->route);

	for (uint32_t i = 0; i < b->nitems; i++) {
		b->items[i].owed = owed > 0 ? owed : 1;
		b->items[i].debt = NULL;
	}
	b->outputs = owed + 1u;
	for (size_t i = 0; i < s->nsinks; i++) {
		if (b->nitems > 0 && (b->route >> i & 1))
			s->sinks[i].type->give(&s->sinks[i], b);
		else if (s->sinks[i].type->durable && (b->route >> i & 1))
			ship_return(s, b);
	}
	for (uint32_t i = 0; owed == 0 && i < b->nitems; i++)
		ship_settle(s, &b->items[i]);
	ship_return(s, b);
}

static void
queue_take(struct shipper *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->first != NULL) {
		if (s->waiting == NULL)
			s->waiting = s->first;
		else
			s->waiting_last->next = s->first;
		s->waiting_last = s->last;
		s->first = s->last = NULL;
	}
	pthread_mutex_unlock(&s->lock);
}

/* Does a batch wait for the state? */
static bool
must_wait(const struct shipper *s, const struct batch *b)
{
	return b->after != 0 && state_durable(s->state) < b->after;
}

/*
 * Hand on what the state knows all about; return when to look again.  What
 * waits for it holds up those behind it, but not when it cannot be written.
 */
static int64_t
queue_turn(struct shipper *s, int64_t now)
{
	struct batch **at = &s->waiting, *last = NULL;

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
	s->waiting_last = last;
	return s->waiting != NULL ? now + STATE_WAIT : NEVER;
}

/* What is due in all parts; return when the next thing is. */
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

/* Carry on with all requests; true when one has ended, so that there may be more to do. */
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

static bool
may_end(struct shipper *s, int64_t now)
{
	bool stop;
	int64_t deadline;

	pthread_mutex_lock(&s->lock);
	stop = s->stop;
	deadline = s->deadline;
	pthread_mutex_unlock(&s->lock);
	if (!stop)
		return false;
	atomic_store(&s->stopping, true);
	return now >= deadline || atomic_load(&s->unsettled) == 0;
}

static void *
ship(void *arg)
{
	struct shipper *s = arg;

	pthread_setname_np(pthread_self(), "shipper");
	for (;;) {
		int64_t now = clock_mono(), next = turn(s, now), wait;
		bool more = carry(s);

		ship_settled(s);
		holds_turn(s, now);
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

	s->wake = wake;
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
	return atomic_load(&s->unsettled);
}
