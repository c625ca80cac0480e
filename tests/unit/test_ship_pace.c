/*
 * How many requests at a time: fewer after a 429, more with each that is taken.
 */
#include "ship_rig.h"

#include "../../src/ship/pace.h"

static void
test_the_pace_halves_once_a_round_and_grows_by_one_a_round(void **state)
{
	struct pace p = { .most = 8 };

	(void)state;
	pace_busy(&p, 10, 20);
	assert_true(p.most == 4);
	pace_busy(&p, 10, 21); /* under way already */
	pace_busy(&p, 19, 22);
	assert_true(p.most == 4);
	pace_busy(&p, 20, 30);
	assert_true(p.most == 2);
	pace_busy(&p, 30, 40);
	pace_busy(&p, 40, 50);
	assert_true(p.most == 1);
	pace_taken(&p, 8);
	assert_true(p.most == 2);
	pace_taken(&p, 8);
	pace_taken(&p, 8);
	assert_in_range((unsigned)(p.most * 100), 280, 300);
	for (int i = 0; i < 100; i++)
		pace_taken(&p, 8);
	assert_true(p.most == 8);
}

static void
has_too_much_to_do(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (atomic_load(&s->blocked))
		http_text(out, 429, "{}");
	else
		bulk_answer(s, q, out);
}

static int
rejects(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)id;
	(void)document;
	if (!atomic_load(&s->blocked))
		return 201;
	*type = "es_rejected_execution_exception";
	return 429;
}

static bool
slowed(struct rig *r)
{
	return atomic_load(&counters(r)->requests_limit) == 1;
}

static bool
at_full_speed(struct rig *r)
{
	rig_fill(r, 0, 1, 0, NULL);
	return atomic_load(&counters(r)->requests_limit) == 4;
}

static void
test_429_slows_the_sender_and_what_is_taken_makes_it_faster(void **state)
{
	static answer *const answers[] = { has_too_much_to_do, takes };

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct rig r = { .server = { .answer = answers[i], .judge = rejects } };

		rig_start(&r, PLAIN, false);
		rig_fill(&r, 0, 10, 0, NULL);
		wait_for(&r, idle);
		assert_int_equal(counters(&r)->requests_limit, 4);
		atomic_store(&r.server.blocked, true);
		rig_fill(&r, 0, 500, 0, NULL);
		wait_for(&r, slowed);
		assert_true(r.server.bulks < 40);
		atomic_store(&r.server.blocked, false);
		wait_for(&r, at_full_speed);
		wait_for(&r, idle);
		assert_int_equal(map_count(r.server.stored), r.put[0]);
		assert_int_equal(dead_letters(&r, NULL), 0);
		rig_end(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_pace_halves_once_a_round_and_grows_by_one_a_round),
		cmocka_unit_test(test_429_slows_the_sender_and_what_is_taken_makes_it_faster),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
