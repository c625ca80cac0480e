/*
 * Answers that are none: cut at any byte, without an end, late, of the wrong
 * kind.  The same ids go again, nothing of such an answer is believed.
 */
#include "ship_rig.h"

static bool
believed(const struct server *s)
{
	return map_count(s->stored) > 0;
}

/* An output with these lines ships ${n} records past answers that come to nothing; all are taken once. */
static void
ships(struct rig *r, const char *lines, unsigned n, enum reason reason, unsigned retries)
{
	rig_start(r, lines, false);
	rig_fill(r, 0, n, 0, NULL);
	wait_for(r, idle);
	assert_int_equal(map_count(r->server.stored), n);
	assert_int_equal(shipped(r, 0), n);
	assert_int_equal(counters(r)->delivered, n);
	assert_int_equal(counters(r)->retries[reason], retries);
	assert_int_equal(dead_letters(r, NULL), 0);
	rig_end(r);
}

/* ---- cut */

/* Every other answer is cut, the first behind no byte, the next behind one … */
static void
cuts(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	bulk_answer(s, q, out);
	if (s->phase / 2 >= out->len)
		atomic_store(&s->blocked, false);
	else if (s->phase % 2 == 0)
		out->len = s->phase / 2;
	s->closes = s->phase++ % 2 == 0;
}

static void
test_an_answer_may_be_cut_at_any_byte(void **state)
{
	struct rig r = { .server = { .answer = cuts } };
	unsigned n = 0;

	(void)state;
	rig_start(&r, PLAIN, false);
	atomic_store(&r.server.blocked, true);
	for (; atomic_load(&r.server.blocked); n++) {
		uint64_t before = shipped(&r, 0);

		assert_int_equal(before, n);
		rig_fill(&r, 0, 1, 0, NULL);
		wait_for(&r, idle);
		assert_int_equal(shipped(&r, 0), n + 1);
	}
	assert_in_range(n, 60, 400);
	assert_int_equal(map_count(r.server.stored), n);
	assert_int_equal(counters(&r)->delivered, n);
	rig_end(&r);
}

/* ---- of the wrong kind */

#define ITEM "{\"create\":{\"status\":201}}"

/* What no bulk request is answered with; it would say that both were taken. */
static const char *const wrong[] = {
	"HTTP/1.1 301 X\r\nLocation: /logs/_bulk\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 304 X\r\n\r\n",
	"HTTP/1.1 204 X\r\n\r\n",
	"HTTP/1.1 200 X\r\nContent-Length: 37\r\n\r\n{\"items\":[" ITEM "]}",
	"HTTP/1.1 200 X\r\nContent-Length: 89\r\n\r\n{\"items\":[" ITEM "," ITEM "," ITEM "]}",
	"HTTP/1.1 200 X\r\nContent-Length: 63\r\n\r\n{\"items\":[" ITEM "," ITEM "}}",
	"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n{",
	"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
	"SSH-2.0-OpenSSH_9.2p1\r\n",
};

static void
answers_wrong(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (s->phase == COUNT(wrong)) {
		bulk_answer(s, q, out);
		return;
	}
	assert_false(believed(s));
	assert_false(has(q->path, "elsewhere"));
	buffer_put(out, slice_of(wrong[s->phase++]));
	s->closes = true;
}

static void
test_what_is_no_answer_to_a_bulk_request_is_not_believed(void **state)
{
	struct rig r = { .server = { .answer = answers_wrong }, .backoff = NS_PER_MS };

	(void)state;
	ships(&r, PLAIN, 2, REASON_5XX, 0);
}

/* An interim answer is none, the one behind it is. */
static void
continues(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	buffer_put(out, SLICE("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"));
	bulk_answer(s, q, out);
}

static void
test_interim_answers_are_passed_over(void **state)
{
	struct rig r = { .server = { .answer = continues } };

	(void)state;
	ships(&r, PLAIN, 20, REASON_CONNECT, 0);
}

/* ---- without an end */

static void
never_ends(struct server *s, const struct request *q, struct buffer *out)
{
	static const char blanks[1 << 20] = { 0 };

	if (asked_first(q, out))
		return;
	if (s->phase++ > 0) {
		bulk_answer(s, q, out);
		return;
	}
	buffer_put(out, SLICE("HTTP/1.1 200 X\r\nContent-Length: 1000000000\r\n\r\n{\"items\":["));
	buffer_put(out, (struct slice){ blanks, sizeof(blanks) });
	memset(out->at + out->len - sizeof(blanks), ' ', sizeof(blanks));
}

static void
test_an_answer_without_an_end_is_given_up(void **state)
{
	struct rig r = { .server = { .answer = never_ends } };

	(void)state;
	ships(&r, PLAIN, 20, REASON_REPLY, 1);
}

/* Stores, and says nothing; or begins, and goes on with nothing. */
static void
stalls(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	bulk_answer(s, q, out);
	if (s->phase++ == 0)
		out->len -= 10;
}

static void
test_a_request_that_is_not_answered_in_time_goes_again(void **state)
{
	struct rig r = { .server = { .answer = stalls } };

	(void)state;
	ships(&r, PLAIN " net.io_timeout 0.3\n", 20, REASON_TIMEOUT, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_may_be_cut_at_any_byte),
		cmocka_unit_test(test_what_is_no_answer_to_a_bulk_request_is_not_believed),
		cmocka_unit_test(test_interim_answers_are_passed_over),
		cmocka_unit_test(test_an_answer_without_an_end_is_given_up),
		cmocka_unit_test(test_a_request_that_is_not_answered_in_time_goes_again),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
