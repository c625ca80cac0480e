/* The spans of a log: their order, their rules; a log that is cut. */
#include "state_rig.h"

static void
test_spans_come_in_the_order_of_their_positions(void **state)
{
	struct state *s = opened();
	const struct identity third = { "a third" };
	const struct span_post posts[] = {
		{ id, third, NULL, { 150, 0, SEAL_NONE, 3 }, NULL },
		{ id, other, NULL, { 100, 50, 50, 2 }, NULL }, /* empty */
		{ id, id, NULL, { 0, 0, SEAL_NONE, 1 }, NULL },
		{ other, id, NULL, { 0, 100, SEAL_NONE, 1 }, NULL }, /* late, in a log of its own */
	};
	struct listed list;

	(void)state;
	state_spans(s, posts, 4);
	span_put(s, &id, &id, (struct span_state){ 0, 0, 100, 1 }); /* in the place of what was */
	for (int life = 0; life < 2; life++) {
		list = listed(s, &id);
		assert_int_equal(list.n, 3);
		assert_memory_equal(&list.id[0], &id, sizeof(id));
		assert_int_equal(list.at[0].seal, 100);
		assert_memory_equal(&list.id[1], &other, sizeof(id));
		assert_memory_equal(&list.at[1], &posts[1].span, sizeof(list.at[1]));
		assert_memory_equal(&list.id[2], &third, sizeof(id));
		assert_memory_equal(&list.at[2], &posts[0].span, sizeof(list.at[2]));
		list = listed(s, &other);
		assert_int_equal(list.n, 1);
		assert_memory_equal(&list.at[0], &posts[3].span, sizeof(list.at[0]));
		reopen(&s);
	}
	assert_int_equal(listed(s, &third).n, 0);
	state_close(s);
}

static void
test_rules_are_kept_as_long_as_a_span_has_them(void **state)
{
	struct state *s = opened();
	uint64_t a = state_rules(s, SLICE("framing=1 a")), b = state_rules(s, SLICE("framing=1 b"));

	(void)state;
	assert_true(a != b && a == state_rules(s, SLICE("framing=1 a")));
	span_put(s, &id, &id, (struct span_state){ 0, 0, 50, a });
	span_put(s, &id, &id, (struct span_state){ 0, 50, SEAL_NONE, b });
	reopen(&s);
	assert_string_equal(state_rules_text(s, a), "framing=1 a");
	assert_string_equal(state_rules_text(s, b), "framing=1 b");
	assert_null(state_rules_text(s, 7));
	span_put(s, &id, &id, (struct span_state){ 0, 0, 50, b });
	reopen(&s);
	assert_null(state_rules_text(s, a));
	assert_string_equal(state_rules_text(s, b), "framing=1 b");
	state_close(s);
}

/* ---- a log is cut */

/* Three contents of 100 bytes in one log, the last one of which may grow. */
static void
three_make(struct state *s, struct identity three[3])
{
	for (unsigned i = 0; i < 3; i++) {
		three[i] = (struct identity){ { 't', 'h', 'r', 'e', 'e', (unsigned char)i } };
		span_put(s, &id, &three[i],
		    (struct span_state){ 100 * i, 0, i == 2 ? SEAL_NONE : 100, 0 });
		state_checkpoint(s, &three[i], &(struct checkpoint){ 10, 1 });
		state_checkpoint(s, &three[i], &(struct checkpoint){ 60, 1 });
	}
	state_reader(s, "a");
	state_reader(s, "b");
	for (enum side side = 0; side < SIDES; side++) {
		state_shipped(s, &id, side, 0, 20);
		state_shipped(s, &id, side, 1, 220);
		state_counted(s, &id, side, 250);
		state_break(s, &id, side, 30 + side);
		state_break(s, &id, side, 130 + side);
		state_break(s, &id, side, 230 + side);
	}
	wait_durable(s, state_counts(s));
}

static void
test_a_log_that_is_cut_loses_what_is_behind(void **state)
{
	static const struct {
		uint64_t at, a, b;
		size_t spans, breaks;
		unsigned checks[3];
	} cases[] = {
		{ 0, 0, 0, 1, 0, { 0, 0, 0 } },
		{ 10, 10, 10, 1, 0, { 1, 0, 0 } },
		{ 99, 20, 99, 1, 2, { 2, 0, 0 } },
		{ 100, 20, 100, 2, 2, { 2, 0, 0 } },
		{ 130, 20, 130, 2, 3, { 2, 1, 0 } },
		{ 210, 20, 210, 3, 4, { 2, 2, 1 } },
		{ 999, 20, 220, 3, 6, { 2, 2, 2 } },
	};
	struct identity three[3];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct state *s = opened();

		three_make(s, three);
		state_counted(s, &id, SIDE_STDOUT, 260); /* is not posted yet */
		state_cut(s, &id, cases[i].at);
		state_counts(s);
		for (int life = 0; life < 2; life++) {
			struct checkpoint checks[CHECKPOINTS];
			struct listed list = listed(s, &id);

			assert_int_equal(list.n, cases[i].spans);
			for (size_t j = 0; j < list.n; j++)
				assert_true(list.at[j].seal == (j == list.n - 1 ? SEAL_NONE : 100));
			assert_int_equal(shipped(s, 0), cases[i].a);
			assert_int_equal(shipped(s, 1), cases[i].b);
			assert_int_equal(counted(s), cases[i].at < 260 ? cases[i].at : 260);
			assert_int_equal(state_breaks(s, &id), cases[i].breaks);
			for (unsigned j = 0; j < 3; j++)
				assert_int_equal(
				    state_checkpoints(s, &three[j], checks), cases[i].checks[j]);
			reopen(&s);
		}
		state_close(s);
		assert_int_equal(unit_remove(dir), 0);
	}
	assert_int_equal(mkdir(dir, 0700), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spans_come_in_the_order_of_their_positions),
		TEST(test_rules_are_kept_as_long_as_a_span_has_them),
		TEST(test_a_log_that_is_cut_loses_what_is_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
