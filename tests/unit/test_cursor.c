/* The order of delivery. */
#include "unit.h"

#include "cursor.h"

struct world {
	struct state *state;
	struct range_book *book;
	struct identity id, next_id;
	struct cursor c, next, second; /* the second reader, on the first log */
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->state = state_open(NULL);
	w->book = range_book_new(w->state, 8);
	w->next_id.at[0] = 1;
	cursor_init(&w->c, &w->id, SIDE_STDOUT, 0, 0);
	cursor_init(&w->next, &w->next_id, SIDE_STDOUT, 0, 0);
	cursor_init(&w->second, &w->id, SIDE_STDOUT, 1, 0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	range_book_free(w->book);
	state_close(w->state);
	free(w);
	return 0;
}

static struct range *
sealed(struct world *w, struct cursor *c, uint64_t batch, uint32_t items, uint64_t end)
{
	struct range *r = range_open(w->book, c, batch);

	assert_non_null(r);
	range_add(r, items, end);
	range_seal(w->book, r);
	return r;
}

static uint64_t
stored(struct world *w, const struct cursor *c)
{
	struct cursors at[SIDES];

	return state_cursors(w->state, c->log, c->reader, at) ? at[c->side].shipped : 0;
}

static void
test_the_cursor_moves_in_the_order_of_the_log(void **state)
{
	struct world *w = *state;
	struct range *a = sealed(w, &w->c, 1, 2, 100), *b = sealed(w, &w->c, 2, 1, 200);

	range_settle(w->book, b, 1); /* the later batch is answered first */
	assert_int_equal(cursor_shipped(w->book, &w->c), 0);
	range_settle(w->book, a, 1);
	assert_int_equal(cursor_shipped(w->book, &w->c), 0);
	assert_false(cursor_idle(w->book, &w->c));
	range_settle(w->book, a, 1);
	assert_int_equal(cursor_shipped(w->book, &w->c), 200);
	assert_int_equal(stored(w, &w->c), 200);
	assert_true(cursor_idle(w->book, &w->c));
}

static void
test_one_batch_has_one_range_of_a_cursor(void **state)
{
	struct world *w = *state;
	struct range *a = range_open(w->book, &w->c, 7);

	assert_ptr_equal(range_open(w->book, &w->c, 7), a);
	range_add(a, 1, 10);
	range_add(a, 1, 20);
	range_seal(w->book, a);
	range_settle(w->book, a, 2);
	assert_int_equal(cursor_shipped(w->book, &w->c), 20);
}

static void
test_ranges_whose_records_were_all_filtered_advance_without_a_send(void **state)
{
	struct world *w = *state;

	sealed(w, &w->c, 1, 0, 50);
	assert_int_equal(cursor_shipped(w->book, &w->c), 50);
}

static void
test_an_empty_pool_says_so_and_fills_again(void **state)
{
	struct world *w = *state;
	struct range *held[8];

	for (uint64_t i = 0; i < 8; i++)
		held[i] = sealed(w, &w->c, i + 1, 1, i + 1);
	assert_null(range_open(w->book, &w->c, 99));
	for (int i = 7; i >= 0; i--)
		range_settle(w->book, held[i], 1);
	assert_int_equal(cursor_shipped(w->book, &w->c), 8);
	assert_non_null(range_open(w->book, &w->c, 99));
}

static void
test_readers_of_one_log_move_each_for_itself(void **state)
{
	struct world *w = *state;
	struct range *a = sealed(w, &w->c, 1, 1, 100), *b = sealed(w, &w->second, 1, 1, 100);
	struct identity log;

	assert_true(range_log(b, &log));
	assert_memory_equal(&log, &w->id, sizeof(log));
	range_settle(w->book, b, 1);
	assert_int_equal(stored(w, &w->second), 100);
	assert_int_equal(stored(w, &w->c), 0);
	cursor_park(w->book, a);
	cursor_unpark_all(w->book);
	assert_true(cursor_must_rewind(w->book, &w->c));
	assert_false(cursor_must_rewind(w->book, &w->second));
	assert_true(cursor_follow(w->book, &w->second, 120));
	assert_int_equal(stored(w, &w->second), 120);
}

static void
test_a_parked_stream_rewinds_and_its_old_ranges_move_nothing(void **state)
{
	struct world *w = *state;
	struct range *a = sealed(w, &w->c, 1, 1, 100), *b = sealed(w, &w->c, 2, 2, 200),
		     *c = sealed(w, &w->c, 3, 1, 300);

	range_settle(w->book, a, 1);
	cursor_park(w->book, b);
	range_settle(w->book, b, 1);
	range_settle(w->book, c, 1);
	assert_true(cursor_parked(w->book, &w->c));
	assert_int_equal(cursor_shipped(w->book, &w->c), 100);
	assert_false(cursor_must_rewind(w->book, &w->c));
	cursor_unpark_all(w->book);
	assert_true(cursor_must_rewind(w->book, &w->c));
	cursor_rewind(w->book, &w->c);
	assert_false(cursor_parked(w->book, &w->c));
	a = sealed(w, &w->c, 4, 2, 300);
	range_settle(w->book, a, 2);
	assert_int_equal(cursor_shipped(w->book, &w->c), 300);
	for (uint64_t i = 0; i < 8; i++) /* every range is free again */
		assert_non_null(range_open(w->book, i % 2 ? &w->c : &w->next, 10 + i));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_cursor_moves_in_the_order_of_the_log),
		TEST(test_one_batch_has_one_range_of_a_cursor),
		TEST(test_ranges_whose_records_were_all_filtered_advance_without_a_send),
		TEST(test_an_empty_pool_says_so_and_fills_again),
		TEST(test_readers_of_one_log_move_each_for_itself),
		TEST(test_a_parked_stream_rewinds_and_its_old_ranges_move_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
