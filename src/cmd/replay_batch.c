/*
 * One bulk request of letters.  A verdict about a single letter is its
 * answer.  A request that is refused as a whole is sent in halves (400, 413),
 * or again for a while (busy, no answer, nonsense), or ends the output (401,
 * 403, 404).
 */
#include <stdlib.h>
#include <time.h>

#include <curl/curl.h>

#include "backoff.h"
#include "clock.h"
#include "replay.h"

#define TRIES 5
#define FIRST_WAIT (NS_PER_S / 2)
#define WAIT_MOST (4 * NS_PER_S)

/* The most bytes of an answer: for each letter, and beside them. */
#define ANSWER_ITEM 8192u
#define ANSWER_MORE 65536u

/* After so many letters refused alone, one after the other, and none taken, the letters are not the reason. */
#define REFUSED_ALONE 16

/* ---- filling */

void
replay_batch_init(struct replay_batch *b)
{
	memset(b, 0, sizeof(*b));
	b->at = xcalloc(BATCH_LETTERS, sizeof(*b->at));
	b->wait = FIRST_WAIT;
}

void
replay_batch_fini(struct replay_batch *b)
{
	buffer_fini(&b->body);
	free(b->path);
	free(b->at);
}

void
replay_batch_output(struct replay_batch *b, const struct section *output)
{
	const char *pipeline = server_option_string(output, "Pipeline");
	char *name = pipeline != NULL ? curl_easy_escape(NULL, pipeline, 0) : NULL;

	if (b->output == output)
		return;
	free(b->path);
	b->path = xprintf("/_bulk?filter_path=items.*.status,items.*.error.type,"
			  "items.*.error.reason,items.*.failure_store%s%s",
	    name != NULL ? "&pipeline=" : "", name != NULL ? name : "");
	curl_free(name);
	b->output = output;
	b->gone = false;
	b->refused = 0;
	memset(&b->last, 0, sizeof(b->last));
}

bool
replay_batch_has_room(const struct replay_batch *b, const struct letter *l)
{
	return b->n == 0 || (b->n < BATCH_LETTERS && b->body.len + l->document.len <= BATCH_BYTES);
}

void
replay_batch_add(struct replay_batch *b, const struct line *line, const struct letter *l)
{
	struct sent *s = &b->at[b->n++];

	*s = (struct sent){
		.number = line->number, .at = line->at, .len = line->len, .body = b->body.len
	};
	snprintf(s->id, sizeof(s->id), "%.*s", (int)l->id.len, l->id.at);
	buffer_put(&b->body, SLICE("{\"create\":{\"_index\":\""));
	buffer_put(&b->body, l->index);
	buffer_put(&b->body, SLICE("\",\"_id\":\""));
	buffer_put(&b->body, l->id);
	buffer_put(&b->body, SLICE("\"}}\n"));
	buffer_put(&b->body, l->document);
	buffer_put(&b->body, SLICE("\n"));
}

/* ---- one request */

struct asking {
	struct sent *at;
	size_t n;
	struct reply reply;
	size_t bytes;
	bool bad;
};

static void
item_take(void *arg, uint32_t index, const struct reply_item *answer)
{
	struct asking *a = arg;

	a->at[index].answer = *answer;
}

static bool
answer_take(void *arg, struct slice piece)
{
	struct asking *a = arg;

	if (piece.len == 0) {
		reply_init(&a->reply, (uint32_t)a->n, item_take, a);
		a->bytes = 0;
		a->bad = false;
	}
	a->bytes += piece.len;
	a->bad |= reply_feed(&a->reply, piece) == PARSE_BAD;
	return a->bytes <= ANSWER_MORE + a->n * ANSWER_ITEM;
}

static void
judge(struct replay_batch *b, struct sent *s)
{
	static const enum fate fates[] = {
		[VERDICT_DONE] = FATE_TAKEN,
		[VERDICT_CONFLICT] = FATE_THERE,
		[VERDICT_BUSY] = FATE_AGAIN,
		[VERDICT_HOLD] = FATE_LEFT,
		[VERDICT_DOUBT] = FATE_LEFT,
		[VERDICT_FAULT] = FATE_LEFT,
	};

	s->fate = fates[verdict_of(&s->answer)];
	if (s->fate == FATE_TAKEN || s->fate == FATE_THERE)
		b->refused = 0;
	if (s->fate == FATE_AGAIN)
		b->last = s->answer;
}

static void
judge_all(struct replay_batch *b, struct asking *a, enum fate fate, const struct reply_item *answer)
{
	b->last = *answer;
	for (size_t i = 0; i < a->n; i++) {
		a->at[i].fate = fate;
		a->at[i].answer = *answer;
	}
}

static size_t
body_at(const struct replay_batch *b, const struct sent *s)
{
	return s == b->at + b->n ? b->body.len : s->body;
}

static void send_some(struct replay_batch *b, struct sent *at, size_t n);

/* A request was refused as a whole: send its halves. */
static void
refused(struct replay_batch *b, struct asking *a, const struct reply_item *answer)
{
	if (a->n == 1 || b->refused >= REFUSED_ALONE) {
		judge_all(b, a, FATE_LEFT, answer);
		b->refused += a->n == 1;
		return;
	}
	send_some(b, a->at, a->n / 2);
	send_some(b, a->at + a->n / 2, a->n - a->n / 2);
}

static void
send_some(struct replay_batch *b, struct sent *at, size_t n)
{
	struct asking a = { .at = at, .n = n };
	size_t from = body_at(b, at);
	struct server_ask ask = { .command = "replay",
		.path = b->path,
		.type = "application/x-ndjson",
		.body = { b->body.at + from, body_at(b, at + n) - from },
		.take = answer_take,
		.arg = &a };
	long status = server_post(b->output, &ask);
	struct reply_item whole = a.reply.whole;

	whole.status = status < 0 ? 0 : (int)status;
	if (status >= 200 && status < 300 && !a.bad && reply_end(&a.reply) == PARSE_OK) {
		for (size_t i = 0; i < n; i++)
			judge(b, &at[i]);
	} else if (status == 400 || status == 413) {
		refused(b, &a, &whole);
	} else if (status < 300 || status == 429 || status >= 500) {
		if (status >= 200 && status < 300)
			snprintf(whole.reason, sizeof(whole.reason), "no answer to a bulk request");
		judge_all(b, &a, FATE_AGAIN, &whole);
	} else {
		judge_all(b, &a, FATE_LEFT, &whole);
		b->gone = true;
	}
}

/* ---- the whole batch */

/* Move the letters to be sent again to the end, side by side; return their number. */
static size_t
gather(struct replay_batch *b, size_t from)
{
	size_t n = 0, len = 0;

	for (size_t i = from; i < b->n; i++)
		n += b->at[i].fate == FATE_AGAIN;
	if (n == 0 || n == b->n - from)
		return n;
	/* Their bytes move to the front of the body, their entries to the end of the batch. */
	for (size_t i = from; i < b->n; i++) {
		struct sent *s = &b->at[i];
		size_t size = body_at(b, s + 1) - s->body;

		if (s->fate != FATE_AGAIN)
			continue;
		memmove(b->body.at + len, b->body.at + s->body, size);
		s->body = len;
		len += size;
	}
	b->body.len = len;
	for (size_t i = b->n, to = b->n; i-- > from;) {
		struct sent s = b->at[i];

		if (s.fate != FATE_AGAIN)
			continue;
		b->at[i] = b->at[--to];
		b->at[to] = s;
	}
	return n;
}

static void
wait(int64_t ns)
{
	nanosleep(&(struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S }, NULL);
}

/* A letter that is neither taken nor refused by now is left, for the last reason. */
static void
leave_rest(struct replay_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->at[i].fate == FATE_OPEN)
			b->at[i].answer = b->last;
		if (b->at[i].fate == FATE_OPEN || b->at[i].fate == FATE_AGAIN)
			b->at[i].fate = FATE_LEFT;
	}
}

void
replay_batch_send(struct replay_batch *b)
{
	size_t from = 0, n = b->n;

	for (int try = 0; try < TRIES && n > 0 && !b->gone; try++) {
		if (try > 0)
			wait(backoff_wait(b->wait, WAIT_MOST, (unsigned)try - 1));
		send_some(b, b->at + from, n);
		n = gather(b, from);
		from = b->n - n;
	}
	b->gone |= n > 0 && n == b->n;
	leave_rest(b);
}
