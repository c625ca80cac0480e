/*
 * The shipper: a fixed pool of batches, the queue from the reader, and the
 * thread that drives all outputs around one libcurl multi handle.
 *
 *	reader: take -> fill -> give ─ queue ─> thread: sinks -> settle -> pool
 *
 * What a batch costs between the threads is one lock each way.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "dead.h"
#include "sink.h"

/* A single document may grow one batch to this many times its size. */
#define GROWTH 16

/* The state is asked this often while a batch waits for it. */
#define STATE_WAIT (20 * NS_PER_MS)

#define SINKS_MAX 32 /* bits of a route */

struct shipper {
	struct sink sinks[SINKS_MAX];
	size_t nsinks;
	struct document_rules rules;
	struct batch **batches; /* all of the pool */
	unsigned nbatches;
	struct state *state;
	struct range_book *book;
	struct dead *dead;
	size_t batch_bytes;

	pthread_t thread;
	bool running;
	CURLM *multi;
	int wake; /* the reader's eventfd; -1: none */

	pthread_mutex_t lock;
	struct batch *free;         /* under the lock, as the rest up to the blank line */
	struct batch *first, *last; /* given, not yet taken by the thread */
	size_t lent;                /* bytes of batches that are not in the pool */
	size_t budget;              /* of lent, less the batch being taken */
	uint64_t number;            /* of the last batch taken */
	bool stop;
	int64_t deadline; /* mono ns; NEVER: none */

	atomic_ullong unsettled; /* items given and not settled; parked ones included */
	atomic_bool stopping;

	/* the thread's own */
	struct batch *waiting, *waiting_last; /* for the state */
	struct range *settled_range;          /* a run of settled items that share a range */
	uint32_t settled_items;
	uint64_t parked;
};

/* ---- what every output has */

#define AT(member) offsetof(struct output, member)

static const char *const no_limits[] = { "no_limits", "false", "no_retries", NULL };

const struct option output_options[] = {
	OPTION("Match", OPT_STRING, NULL, AT(match), "tags it takes; * is any text"),
	OPTION_LATER("Match_Regex", "tags it takes, by a regular expression"),
	OPTION("Alias", OPT_STRING, NULL, AT(alias), "its name in messages and metrics"),
	OPTION("Retry_Limit", OPT_INT, "no_limits", AT(retry_limit),
	    "how often a record is sent again before it goes to the dead letters",
	    .choices = no_limits, .min = 0, .max = 1000000),
	OPTION_IDLE("Log_Level", "the level is [SERVICE] Log_Level for all parts"),
	OPTION_IDLE("storage.total_limit_size", "the log files are the buffer"),
	OPTIONS_END,
};

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
sink_open(struct shipper *s, const struct section *section)
{
	struct sink *sink = &s->sinks[s->nsinks];
	const struct output *conf = section->values;
	unsigned of_its_name = 0;
	char *name;

	sink->type = type_of(section);
	assert(sink->type != NULL);
	for (size_t i = 0; i < s->nsinks; i++)
		of_its_name += s->sinks[i].type == sink->type;
	name = conf->alias != NULL ? xstrdup(conf->alias)
				   : xprintf("%s.%u", section->plugin->name, of_its_name);
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
	size_t cap = bytes > UINT32_MAX / GROWTH ? UINT32_MAX : bytes * GROWTH;

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
		if (sink_open(s, outputs[i]) < 0) {
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

/* ---- what a sink asks for */

CURLM *
ship_multi(struct shipper *s)
{
	return s->multi;
}

struct dead *
ship_dead(struct shipper *s)
{
	return s->dead;
}

bool
ship_stopping(const struct shipper *s)
{
	return atomic_load(&s->stopping);
}

/* The book's lock is taken for a run of items, not for each. */
static void
settled_flush(struct shipper *s)
{
	if (s->settled_items == 0)
		return;
	if (s->settled_range != NULL)
		range_settle(s->book, s->settled_range, s->settled_items);
	atomic_fetch_sub(&s->unsettled, s->settled_items);
	s->settled_items = 0;
}

static void
settle_range(struct shipper *s, struct range *range)
{
	if (s->settled_range != range)
		settled_flush(s);
	s->settled_range = range;
	s->settled_items++;
}

/* One output less owes the item; whether it was the last, and the item is done. */
static void
debt_settle(struct shipper *s, struct debt *debt)
{
	if (--debt->owed > 0)
		return;
	if (!debt->dropped)
		settle_range(s, debt->range);
	free(debt);
}

void
ship_settle(struct shipper *s, struct item *item)
{
	if (item->debt != NULL) {
		debt_settle(s, item->debt);
		return;
	}
	assert(item->owed > 0);
	if (--item->owed == 0)
		settle_range(s, item->range);
}

/* From now on the item's copies and the item itself share one account. */
static struct debt *
debt_of(struct item *item)
{
	if (item->debt == NULL) {
		item->debt = xmalloc(sizeof(*item->debt));
		*item->debt = (struct debt){ .owed = item->owed, .range = item->range };
	}
	return item->debt;
}

void
ship_drop(struct shipper *s, struct item *item)
{
	struct debt *debt = debt_of(item);

	settled_flush(s);
	if (!debt->dropped) {
		debt->dropped = true;
		s->parked++;
		if (debt->range != NULL)
			cursor_park(s->book, debt->range);
	}
	debt_settle(s, debt);
}

void
ship_keep(struct shipper *s, struct item *from, struct item *to)
{
	(void)s;
	*to = *from;
	if (from->debt == NULL && from->owed > 1)
		to->debt = debt_of(from);
}

void
ship_unpark(struct shipper *s)
{
	settled_flush(s);
	cursor_unpark_all(s->book);
	atomic_fetch_sub(&s->unsettled, s->parked);
	s->parked = 0;
	if (s->wake >= 0)
		(void)!write(s->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* Back to the pool. */
static void
batch_release(struct shipper *s, struct batch *b)
{
	size_t size = b->body.size;

	settled_flush(s);
	batch_clear(b, 0, s->batch_bytes);
	pthread_mutex_lock(&s->lock);
	s->lent -= size;
	b->next = s->free;
	s->free = b;
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_sub_explicit(&metrics.queue_batches, 1, memory_order_relaxed);
	if (s->wake >= 0)
		(void)!write(s->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void
ship_return(struct shipper *s, struct batch *b)
{
	assert(b->outputs > 0);
	if (--b->outputs == 0)
		batch_release(s, b);
}

/* ---- the thread */

static uint8_t
durable_outputs(const struct shipper *s, uint32_t route)
{
	uint8_t n = 0;

	for (size_t i = 0; i < s->nsinks; i++)
		n += s->sinks[i].type->durable && (route >> i & 1);
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

/* Hand on what the state knows all about; return when to look again. */
static int64_t
queue_turn(struct shipper *s, int64_t now)
{
	queue_take(s);
	while (s->waiting != NULL) {
		struct batch *b = s->waiting;

		if (b->after != 0 && state_durable(s->state) < b->after)
			return now + STATE_WAIT;
		s->waiting = b->next;
		b->next = NULL;
		batch_distribute(s, b);
	}
	return NEVER;
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

	for (;;) {
		int64_t now = clock_mono(), next = turn(s, now), wait;
		bool more = carry(s);

		settled_flush(s);
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
