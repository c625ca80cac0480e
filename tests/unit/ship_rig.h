/*
 * One shipper, one server, two streams: batches go in at one end, cursors,
 * counters and the server's map tell what has become of them.
 */
#ifndef SHIP_RIG_H
#define SHIP_RIG_H

#include "bulk_server.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "../../src/ship/es_conf.h"
#include "agent.h"
#include "clock.h"
#include "metrics.h"
#include "pod.h"
#include "stream.h"
#include "voice.h"

#define BATCH 64000
#define LINE 100    /* bytes of a stream that a record is */
#define OUTPUTS 4   /* at most */
#define LETTER 8192 /* bytes of a dead letter, and to spare */

/* One shipper, one server, two streams. */
struct rig {
	struct server server;
	char hosts[512]; /* the option Host; empty: the server */
	int64_t backoff; /* the first, ns; 0: 20 ms */
	const char
	    *second; /* lines of another es output, on the same server; NULL: there is none */
	const char *outputs; /* sections in the place of all others; NULL: none are */
	char dir[32];
	struct findings *findings;
	struct conf *conf;
	struct state *state;
	struct range_book *book; /* of the first lane */
	struct shipper *shipper;
	unsigned lane; /* into which records are put */
	int wake;
	struct stream streams[2];
	struct cursor cursors[2][OUTPUTS][SIDES]; /* by lane */
	uint64_t put[2];                          /* records */
	bool fresh;
	const char *index; /* NULL: logs */
	int64_t time;      /* of records; 0: now */
};

static const struct plugin *const plugins[] = { &es_plugin, &opensearch_plugin, &sqlite_plugin,
	&stdout_plugin, &null_plugin, NULL };
static const struct registry registry = { .plugins = plugins };

static inline void
es_write(const struct rig *r, FILE *file, const char *alias, const char *index, const char *lines)
{
	fprintf(file,
	    "[OUTPUT]\n Name es\n Match *\n Alias %s_%s\n Host %s\n Port %u\n Index %s\n%s", alias,
	    r->dir + 5, r->hosts[0] != '\0' ? r->hosts : "127.0.0.1", r->server.port, index, lines);
}

static inline void
conf_write(struct rig *r, const char *lines, bool sqlite)
{
	char *path = xprintf("%s/conf", r->dir);
	FILE *file = fopen(path, "w");

	if (r->outputs != NULL)
		fputs(r->outputs, file);
	else
		es_write(r, file, "ship", r->index != NULL ? r->index : "logs", lines);
	if (r->second != NULL)
		es_write(r, file, "second", "others", r->second);
	if (sqlite)
		fprintf(file, "[OUTPUT]\n Name sqlite\n Match *\n Path %s/db\n", r->dir);
	fclose(file);
	r->findings = findings_new();
	r->conf = conf_read(path, &registry, r->findings);
	assert_in_range(r->conf->n, 1, OUTPUTS);
	for (size_t i = 0; i < r->conf->n; i++) {
		if (es_options_of(&r->conf->sections[i]) != NULL)
			((struct es_conf *)r->conf->sections[i].values)->backoff_first =
			    r->backoff != 0 ? r->backoff : 20 * NS_PER_MS;
	}
	free(path);
}

static inline void
rig_start(struct rig *r, const char *lines, bool sqlite)
{
	const struct section *outputs[OUTPUTS];

	snprintf(r->dir, sizeof(r->dir), "/tmp/ship-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	server_start(&r->server);
	conf_write(r, lines, sqlite);
	r->state = state_open(r->dir);
	for (size_t i = 0; i < r->conf->n; i++)
		outputs[i] = &r->conf->sections[i];
	r->shipper = shipper_new(outputs, r->conf->n, r->state, 4, BATCH);
	assert_non_null(r->shipper);
	r->book = shipper_lane(r->shipper, 0)->book;
	for (int i = 0; i < 2; i++) {
		memset(r->streams[i].log.at, 'A' + i, sizeof(r->streams[i].log.at));
		r->streams[i].cursors = r->cursors[i][0];
		for (unsigned l = 0; l < OUTPUTS; l++)
			cursor_init(&r->cursors[i][l][0], &r->streams[i].log, SIDE_STDOUT, l, 0);
	}
	r->wake = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(shipper_start(r->shipper, r->wake), 0);
}

/* A record of stream `which` with this text, into the batch; a full one is given. */
static inline void
rig_put(struct rig *r, struct batch **b, int which, const char *text)
{
	static struct pod pod = { .json = SLICE("{\"pod_name\":\"p\"") };
	const struct ship_lane *lane = shipper_lane(r->shipper, r->lane);
	struct stream *stream = &r->streams[which];
	struct cursor *cursor = r->cursors[which][r->lane];
	struct agent_line parsed = { .level = LEVEL_INFO,
		.nextra = strstr(text, "extra") != NULL,
		.extra = { { .name = SLICE("k"), .value = slice_of(text) } } };
	struct record_id id = { .content = stream->log, .offset = r->put[which] * LINE };
	struct record record = { .time = r->time != 0 ? r->time : clock_wall(),
		.time_text = SLICE("2026-11-22T08:00:00Z"),
		.has_log = true,
		.log = slice_of(text),
		.place = { stream, &id, r->fresh },
		.parsed = &parsed,
		.pod = &pod };
	struct range *range;
	uint64_t ignored;
	bool first;

	for (;;) {
		while (*b == NULL && (*b = shipper_take(r->shipper, r->lane)) == NULL) {
			poll(&(struct pollfd){ .fd = r->wake, .events = POLLIN }, 1, 1000);
			(void)!read(r->wake, &ignored, sizeof(ignored));
		}
		(*b)->route = lane->outputs;
		first = cursor->open_batch != (*b)->number;
		range = range_open(lane->book, cursor, (*b)->number);
		assert_non_null(range);
		if (first)
			(*b)->ranges[(*b)->nranges++] = range;
		if (batch_put(*b, lane->rules, &record))
			break;
		shipper_give(r->shipper, *b);
		*b = NULL;
	}
	(*b)->items[(*b)->nitems - 1].range = range;
	r->put[which]++;
	range_add(range, 1, r->put[which] * LINE);
}

static inline void
rig_fill_lane(struct rig *r, int which, unsigned n, unsigned every, const char *odd)
{
	struct batch *b = NULL;

	for (unsigned i = 0; i < n; i++)
		rig_put(r, &b, which, every > 0 && i % every == every - 1 ? odd : "good");
	if (b != NULL)
		shipper_give(r->shipper, b);
}

/* ${n} records of the stream for each output; each ${every}-th (0: none) has the text ${odd}. */
static inline void
rig_fill(struct rig *r, int which, unsigned n, unsigned every, const char *odd)
{
	uint64_t from = r->put[which];

	for (r->lane = shipper_lanes(r->shipper); r->lane-- > 0;) {
		r->put[which] = from;
		rig_fill_lane(r, which, n, every, odd);
	}
	r->lane = 0;
}

static inline bool
idle(struct rig *r)
{
	bool all = true;

	for (unsigned i = 0; i < shipper_lanes(r->shipper); i++)
		all &= shipper_idle(r->shipper, i);
	return all;
}

/* Wait until ${what} is so; a test that waits 20 s has failed. */
static inline void
wait_for(struct rig *r, bool (*what)(struct rig *))
{
	for (int i = 0; !what(r); i++) {
		assert_true(i < 4000);
		usleep(5000);
	}
}

static inline uint64_t
shipped_by(struct rig *r, int which, unsigned lane)
{
	return cursor_shipped(shipper_lane(r->shipper, lane)->book, r->cursors[which][lane]) / LINE;
}

/* To each output. */
static inline uint64_t
shipped(struct rig *r, int which)
{
	uint64_t n = UINT64_MAX;

	for (unsigned i = 0; i < shipper_lanes(r->shipper); i++)
		n = shipped_by(r, which, i) < n ? shipped_by(r, which, i) : n;
	return n;
}

static inline bool
first_parked(struct rig *r)
{
	return cursor_parked(r->book, &r->streams[0].cursors[0]);
}

/* The first stream is read again from what is shipped, until ${records} are put. */
static inline void
rig_go_on(struct rig *r, unsigned records)
{
	cursor_rewind(r->book, &r->streams[0].cursors[0]);
	r->put[0] = shipped(r, 0);
	rig_fill(r, 0, records - (unsigned)r->put[0], 0, NULL);
	wait_for(r, idle);
}

static inline struct output_metrics *
counters_of(struct rig *r, size_t output)
{
	const struct output *conf = r->conf->sections[output].values;

	return metrics_output(conf->alias);
}

static inline struct output_metrics *
counters(struct rig *r)
{
	return counters_of(r, 0);
}

/* How many there are; the first into ${first}, when that is not NULL. */
static inline unsigned
dead_letters(struct rig *r, char first[LETTER])
{
	char *path = xprintf("%s/dead-letters.ndjson", r->dir), line[LETTER] = "";
	FILE *file = fopen(path, "r");
	unsigned n = 0;

	if (first != NULL)
		first[0] = '\0';
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (n++ == 0 && first != NULL)
			memcpy(first, line, sizeof(line));
	}
	if (file != NULL)
		fclose(file);
	free(path);
	return n;
}

static inline void
rig_end(struct rig *r)
{

	shipper_stop(r->shipper, 0);
	shipper_free(r->shipper);
	server_stop(&r->server);
	state_close(r->state);
	conf_free(r->conf);
	findings_free(r->findings);
	close(r->wake);
	assert_int_equal(unit_remove(r->dir), 0);
}

#define PLAIN " Template off\n"

/* The start asks for the index; there is none. */
static inline bool
asked_first(const struct request *q, struct buffer *out)
{
	if (has(q->path, "_bulk"))
		return false;
	http_text(out, 404, "{}");
	return true;
}

/* ---- what servers do */

static inline void
takes(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	assert_true(has(q->head, "Content-Type: application/x-ndjson"));
	assert_false(has(q->head, "Expect:"));
	assert_true(has(q->head, "User-Agent: towline/"));
	assert_true(slice_starts(q->path, SLICE("/logs/_bulk?filter_path=")));
	bulk_answer(s, q, out);
}

static inline int
blocks_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)id;
	if (atomic_load(&s->blocked) && has(document, "odd"))
		return *type = "cluster_block_exception", 403;
	return 201;
}

static inline void
rig_init(void)
{
	signal(SIGPIPE, SIG_IGN);
	voice_level(getenv("SAY") != NULL ? VOICE_DEBUG : VOICE_ERROR);
}

#endif
