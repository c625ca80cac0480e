/*
 * Parts of the es output by themselves: bodies, what is known of indices, what
 * proves a document faulty, waits.
 */
#include "unit.h"

#include <zlib.h>

#include "../../src/ship/es_body.h"
#include "../../src/ship/es_proof.h"
#include "../../src/ship/retry.h"
#include "agent.h"
#include "clock.h"
#include "pod.h"
#include "stream.h"

/* ---- a batch */

/* Each record goes to the index that its log names. */
static size_t
index_of_log(const void *conf, const struct record *r, char *to)
{
	(void)conf;
	memcpy(to, r->log.at, r->log.len);
	return r->log.len;
}

static void
put(struct batch *b, const char *log)
{
	static struct stream stream;
	static struct pod pod = { .json = SLICE("{\"pod_name\":\"p\"") };
	struct document_rules rules = document_rules_default();
	static struct agent_line parsed = { .level = LEVEL_INFO,
		.nextra = 1,
		.extra = { { .name = SLICE("k"), .value = SLICE("v") } } };
	const struct record_id id = { .hour = 1, .offset = b->nitems };
	struct record r = { .time_text = SLICE("2026-11-22T08:00:00Z"),
		.has_log = true,
		.log = slice_of(log),
		.place = { .stream = &stream, .id = &id },
		.parsed = &parsed,
		.pod = &pod };

	rules.index_fixed = SLICE("");
	rules.index = index_of_log;
	assert_true(batch_put(b, &rules, &r));
}

/* ---- bodies */

/* Read in pieces of ${size} bytes. */
static void
body_read(const struct piece *p, size_t size, struct buffer *to)
{
	struct es_body body;
	size_t n;

	buffer_clear(to);
	es_body_begin(&body, p);
	do {
		n = es_body_read(&body, buffer_need(to, size), size);
		to->len += n;
	} while (n > 0);
}

static void
gunzip(struct buffer *from, struct buffer *to)
{
	z_stream z = { .next_in = (unsigned char *)from->at, .avail_in = (unsigned)from->len };

	buffer_clear(to);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_out = (unsigned char *)buffer_need(to, 65536);
	z.avail_out = 65536;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	to->len = 65536 - z.avail_out;
	inflateEnd(&z);
}

static void
test_a_body_is_what_its_form_says_however_it_is_read(void **state)
{
	static const char *const ends[] = {
		[FORM_FULL] =
		    ",\"kubernetes\":{\"pod_name\":\"p\"},\"log_parsed\":{\"level\":\"INFO\",\"extra\":{\"k\":\"v\"}}}\n",
		[FORM_LEAN] =
		    ",\"kubernetes\":{\"pod_name\":\"p\"},\"log_parsed\":{\"level\":\"INFO\",\"extra_dropped\":true}}\n",
		[FORM_STRIPPED] =
		    ",\"kubernetes\":{\"pod_name\":\"p\"},\"log_parsed_dropped\":true}\n",
		[FORM_CORE] = "}\n",
	};
	struct batch *b = batch_new(65536, 65536);
	struct buffer want, got, packed;

	(void)state;
	buffer_init(&want, 0);
	buffer_init(&got, 0);
	buffer_init(&packed, 0);
	for (int i = 0; i < 200; i++)
		put(b, "one");
	for (enum form form = FORM_FULL; form <= FORM_CORE; form++) {
		struct piece *p = send_queue_piece(b, form);
		const uint32_t items[] = { 0, 1, 63, 64, 100, 199 };

		buffer_clear(&want);
		for (size_t i = 0; i < COUNT(items); i++) {
			const struct item *item = &b->items[items[i]];
			struct slice head = { b->body.at + item->action,
				item->core - item->action };

			todo_add(p, items[i]);
			buffer_put(&want, head);
			buffer_put(&want, slice_of(ends[form]));
		}
		assert_int_equal(es_body_size(p), want.len);
		for (size_t size = 1; size < 400; size++) {
			body_read(p, size, &got);
			assert_true(slice_eq(buffer_slice(&got), buffer_slice(&want)));
		}
		es_body_gzip(p, &packed);
		gunzip(&packed, &got);
		assert_true(slice_eq(buffer_slice(&got), buffer_slice(&want)));
		free(p);
	}
	buffer_fini(&want);
	buffer_fini(&got);
	buffer_fini(&packed);
	batch_free(b);
}

static void
test_the_extra_of_a_document_is_found(void **state)
{
	static const struct {
		const char *parsed; /* the document's log_parsed, and the end of it */
		const char *head;   /* what stands before the extra; NULL: there is none */
	} cases[] = {
		{ ",\"log_parsed\":{\"level\":\"INFO\",\"extra\":{\"a\":1}}}",
		    ",\"log_parsed\":{\"level\":\"INFO\"" },
		{ ",\"log_parsed\":{\"logger\":\",\\\"extra\\\":{\",\"extra\":{\"extra\":{}}}}",
		    ",\"log_parsed\":{\"logger\":\",\\\"extra\\\":{\"" },
		{ ",\"log_parsed\":{\"level\":\"INFO\",\"extra\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}}",
		    ",\"log_parsed\":{\"level\":\"INFO\"" },
		{ ",\"log_parsed\":{\"extra\":{\"a\":1}}}", NULL },
		{ ",\"log_parsed\":{\"level\":\"INFO\"}}", NULL },
		{ ",\"log_parsed\":{}}", NULL },
		{ "}", NULL },
		{ ",\"merged\":{\"level\":\"INFO\",\"extra\":{\"a\":1},\"b\":1}}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct batch b = { .body = { .at = (char *)(uintptr_t)cases[i].parsed } };
		struct item item = { .end = (uint32_t)strlen(cases[i].parsed) };
		uint32_t at = es_body_extra(&b, &item);

		assert_int_equal(at, cases[i].head == NULL ? 0 : strlen(cases[i].head));
	}
}

/* ---- pieces */

static void
test_pieces_are_sent_when_due_in_their_order_and_a_batch_ends_with_its_last(void **state)
{
	struct batch *b = batch_new(1000, 1000), *other = batch_new(1000, 1000);
	struct send_queue q = { 0 };
	struct piece *first = send_queue_piece(b, FORM_FULL),
		     *late = send_queue_piece(b, FORM_FULL),
		     *last = send_queue_piece(other, FORM_FULL);
	int64_t next = INT64_MAX;

	(void)state;
	late->due = 20;
	send_queue_put(&q, last, false);
	send_queue_put(&q, late, false);
	send_queue_put(&q, first, true);
	assert_ptr_equal(send_queue_take(&q, 10, &next), first);
	send_queue_fly(&q, first);
	assert_ptr_equal(send_queue_take(&q, 10, &next), last);
	assert_null(send_queue_take(&q, 10, &next));
	assert_int_equal(next, 20);
	assert_true(send_queue_done(&q, last)); /* in no list: the only one of its batch */
	send_queue_land(&q, first);
	assert_false(send_queue_done(&q, first)); /* one of its batch waits */
	assert_ptr_equal(send_queue_take(&q, 20, &next), late);
	send_queue_fly(&q, late);
	first = send_queue_piece(b, FORM_FULL);
	assert_false(send_queue_done(&q, first)); /* one of its batch is under way */
	send_queue_land(&q, late);
	assert_true(send_queue_done(&q, late));
	send_queue_put(&q, send_queue_piece(b, FORM_FULL), false);
	send_queue_clear(&q);
	batch_free(b);
	batch_free(other);
}

/* ---- indices, and proofs */

static struct group *
group_of(struct es_groups *gs, struct batch *b, const char *index)
{
	put(b, index);
	return es_group_of(gs, b, &b->items[b->nitems - 1]);
}

static void
test_an_index_is_known_by_its_name_in_the_action(void **state)
{
	struct es_groups gs, fixed;
	struct batch *b = batch_new(65536, 65536);
	struct group *g;

	(void)state;
	es_group_init(&gs, NULL);
	es_group_init(&fixed, "logs");
	put(b, "one");
	assert_null(es_group_seen(&gs, b, &b->items[0]));
	g = es_group_of(&gs, b, &b->items[0]);
	assert_string_equal(g->index, "one");
	assert_ptr_equal(group_of(&gs, b, "one"), g);
	assert_ptr_equal(es_group_seen(&gs, b, &b->items[1]), g);
	assert_ptr_not_equal(group_of(&gs, b, "on"), g);
	assert_string_equal(group_of(&fixed, b, "one")->index, "logs");
	assert_int_equal(fixed.n, 1);
	es_group_fini(&gs);
	es_group_fini(&fixed);
	batch_free(b);
}

static struct group *
group_numbered(struct es_groups *gs, struct batch *b, unsigned number)
{
	char name[16];

	snprintf(name, sizeof(name), "i%u", number);
	return group_of(gs, b, name);
}

static void
test_no_two_indices_share_a_group_however_many_hold_records(void **state)
{
	struct es_groups gs;
	struct batch *b = batch_new(1 << 20, 1 << 20);
	struct group *g, *first;

	(void)state;
	es_group_init(&gs, NULL);
	for (unsigned i = 0; i < 20 * GROUPS; i++) {
		g = group_numbered(&gs, b, i);
		assert_int_equal(gs.n, i + 1);
		assert_int_equal(g->held, 0);
		g->held = 1;
		es_group_taken(g, 0, i + 1);
	}
	for (unsigned i = 0; i < 20 * GROUPS; i++) {
		g = group_numbered(&gs, b, i);
		assert_true(es_group_took(g, i) && !es_group_took(g, i + 1));
	}

	/* the place of the one that refused longest ago and holds nothing is begun anew */
	group_numbered(&gs, b, 5)->held = 0;
	first = group_numbered(&gs, b, 3);
	first->held = 0;
	first->probe = PROBE_REFUSED;
	group_numbered(&gs, b, 5);
	g = group_of(&gs, b, "another");
	assert_ptr_equal(g, first);
	assert_int_equal(g->probe, PROBE_NONE);
	assert_false(es_group_took(g, 0));
	assert_int_equal(gs.n, 20 * GROUPS);
	assert_string_equal(group_numbered(&gs, b, 5)->index, "i5");
	es_group_fini(&gs);
	batch_free(b);
}

static bool
proven(struct es_hold *hold, struct es_groups *gs, const struct piece *p, unsigned host, uint32_t i)
{
	uint64_t bits[TODO_WORDS];

	es_proof_mark(hold, gs, p, host, bits);
	return bits[i / 64] >> (i % 64) & 1;
}

static void
test_a_document_is_proven_faulty_by_another_of_its_index_through_the_same_host(void **state)
{
	struct es_groups gs;
	struct es_conf conf = { .hold_size = 64000 };
	struct sink sink = { .metrics = metrics_output("proofs"), .name = "proofs" };
	struct es_hold *hold = es_hold_new(&sink, &conf);
	struct batch *b = batch_new(65536, 65536);
	struct piece *p = send_queue_piece(b, FORM_FULL);
	struct group *one, *two;

	(void)state;
	es_group_init(&gs, NULL);
	one = group_of(&gs, b, "one");
	two = group_of(&gs, b, "two");
	todo_add(p, 0);
	todo_add(p, 1);
	es_group_taken(one, 2, 100);
	assert_false(proven(hold, &gs, p, 2, 0)); /* it was not refused */
	assert_int_equal(es_proof_missing(hold, &gs, p), 0);
	p->since = 100;
	assert_false(proven(hold, &gs, p, 2, 0)); /* that request began before */
	es_group_taken(one, 2, 101);
	assert_true(proven(hold, &gs, p, 2, 0));
	assert_false(proven(hold, &gs, p, 2, 1)); /* another index */
	assert_false(proven(hold, &gs, p, 1, 0)); /* another host */
	assert_int_equal(es_proof_missing(hold, &gs, p), 0xffff & ~(1 << 2));
	es_group_taken(two, 1, 101);
	assert_true(proven(hold, &gs, p, 1, 1));
	free(p);
	es_hold_free(hold);
	es_group_fini(&gs);
	batch_free(b);
}

static void
test_what_is_held_is_proven_only_while_it_is_held_in_doubt(void **state)
{
	struct es_groups gs;
	static char index[] = "one";
	struct es_conf conf = { .hold_size = 64000, .index = index };
	struct sink sink = { .metrics = metrics_output("held"), .name = "held" };
	struct es_hold *hold = es_hold_new(&sink, &conf);
	struct batch *b = batch_new(65536, 65536);
	struct held how = { .why = VERDICT_DOUBT, .since = 100, .attempt = 1 };
	int64_t next = INT64_MAX;
	struct piece *p;

	(void)state;
	es_group_init(&gs, NULL);
	how.group = group_of(&gs, b, "one");
	assert_true(es_hold_put(hold, b, 0, &how));
	p = es_hold_take(hold, 0, &next);
	assert_non_null(p);
	assert_null(es_hold_take(hold, 0, &next)); /* one at a time */
	assert_false(proven(hold, &gs, p, 0, 0));
	es_group_taken(how.group, 0, 101);
	assert_true(proven(hold, &gs, p, 0, 0));
	es_hold_at(hold, 0)->why = VERDICT_HOLD;
	assert_false(proven(hold, &gs, p, 0, 0));
	es_hold_done(hold, p);
	es_hold_free(hold);
	es_group_fini(&gs);
	batch_free(b);
}

/* Of records that wait for one index the one that was tried least asks for all. */
static void
test_who_asks_for_all_is_not_always_the_same(void **state)
{
	struct es_groups gs;
	struct es_conf conf = { .hold_size = 64000, .output.retry_limit = -1 };
	struct sink sink = { .metrics = metrics_output("asks"), .name = "asks" };
	struct es_hold *hold = es_hold_new(&sink, &conf);
	struct batch *b = batch_new(65536, 65536);
	struct held how = { .why = VERDICT_HOLD, .attempt = 1, .due = 5 };
	int64_t next = INT64_MAX;
	struct piece *p;

	(void)state;
	es_group_init(&gs, NULL);
	how.group = group_of(&gs, b, "one");
	for (int i = 0; i < 3; i++)
		assert_true(es_hold_put(hold, b, 0, &how));
	assert_null(es_hold_take(hold, 4, &next));
	assert_int_equal(next, 5);
	p = es_hold_take(hold, 5, &next);
	assert_int_equal(p->n, 3);
	es_hold_done(hold, p);
	how.group->attempt = 2;
	for (uint32_t turn = 0; turn < 6; turn++) {
		p = es_hold_take(hold, 5, &next);
		assert_int_equal(p->n, 1);
		assert_true(todo_has(p, turn % 3));
		es_hold_at(hold, turn % 3)->attempt++;
		es_hold_done(hold, p);
	}
	conf.output.retry_limit = 9; /* each has its own number of attempts */
	p = es_hold_take(hold, 5, &next);
	assert_int_equal(p->n, 3);
	es_hold_done(hold, p);
	es_hold_free(hold);
	es_group_fini(&gs);
	batch_free(b);
}

/* ---- waits */

static void
test_waits_double_and_end_at_half_a_minute(void **state)
{
	static const struct {
		int64_t first;
		unsigned attempt;
		int64_t want; /* ms */
	} waits[] = {
		{ 0, 0, 500 },
		{ 0, 1, 500 },
		{ 0, 2, 1000 },
		{ 0, 3, 2000 },
		{ 0, 9, 30000 },
		{ 0, UINT32_MAX, 30000 },
		{ 20 * NS_PER_MS, 3, 80 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(waits); i++) {
		for (int n = 0; n < 100; n++) {
			int64_t wait = retry_wait(waits[i].first, waits[i].attempt);

			assert_in_range(wait, waits[i].want * NS_PER_MS * 3 / 4,
			    waits[i].want * NS_PER_MS * 5 / 4);
		}
	}
	assert_true(retry_allows(-1, UINT32_MAX) && retry_allows(-2, UINT32_MAX));
	assert_true(retry_allows(2, 2) && !retry_allows(2, 3) && !retry_allows(0, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_body_is_what_its_form_says_however_it_is_read),
		cmocka_unit_test(test_the_extra_of_a_document_is_found),
		cmocka_unit_test(
		    test_pieces_are_sent_when_due_in_their_order_and_a_batch_ends_with_its_last),
		cmocka_unit_test(test_an_index_is_known_by_its_name_in_the_action),
		cmocka_unit_test(test_no_two_indices_share_a_group_however_many_hold_records),
		cmocka_unit_test(
		    test_a_document_is_proven_faulty_by_another_of_its_index_through_the_same_host),
		cmocka_unit_test(test_what_is_held_is_proven_only_while_it_is_held_in_doubt),
		cmocka_unit_test(test_who_asks_for_all_is_not_always_the_same),
		cmocka_unit_test(test_waits_double_and_end_at_half_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
