/*
 * Is it the document or the server?  Refusals that do not say so: a document is
 * blamed when it was refused, another of its index was taken, and it was
 * refused again, and for nothing less.
 */
#include "ship_rig.h"

/* What ${type} and ${status} say of a document that has "odd" in it. */
static int
strange(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	return has(document, "odd") ? *type = "strange_exception", 400 : 201;
}

static bool
buried(struct rig *r)
{
	rig_fill(r, 0, 1, 0, NULL);
	return dead_letters(r, NULL) == 10;
}

static void
test_a_refusal_of_no_known_kind_is_the_documents_fault_beside_others_that_are_taken(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = strange } };
	char letter[LETTER];

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 100, 10, "odd");
	wait_for(&r, buried);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), r.put[0] - 10);
	assert_int_equal(shipped(&r, 0), r.put[0]);
	dead_letters(&r, letter);
	assert_non_null(strstr(letter, "\"status\":400,\"type\":\"strange_exception\""));
	rig_end(&r);
}

/* ---- what blames nobody */

static size_t
times_seen(const struct server *s, struct slice id)
{
	return (size_t)(uintptr_t)map_get(s->seen, id);
}

/* "odd" is refused in doubt, then blocked, then refused in doubt, then taken. */
static int
now_so_now_so(struct server *s, struct slice id, struct slice document, const char **type)
{
	if (!has(document, "odd"))
		return 201;
	assert_true(has(document, "\"log_parsed\":"));
	switch (times_seen(s, id)) {
	case 2:
		return *type = "cluster_block_exception", 403;
	case 1:
	case 3:
		return *type = "illegal_argument_exception", 400;
	}
	return 201;
}

static bool
idle_among_others(struct rig *r)
{
	if (counters(r)->held > 0)
		rig_fill(r, 0, 1, 0, NULL);
	return idle(r);
}

static void
test_a_doubt_ends_where_the_server_names_a_state_of_its_own(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = now_so_now_so } };

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 20, 10, "odd");
	wait_for(&r, idle_among_others);
	assert_int_equal(map_count(r.server.stored), r.put[0]);
	assert_int_equal(counters(&r)->stripped, 0);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

/* A pipeline is missing. */
static int
misses_pipeline(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)id;
	(void)document;
	if (atomic_load(&s->blocked))
		return *type = "illegal_argument_exception", 400;
	return 201;
}

static void
test_a_core_that_is_refused_too_parks_the_stream(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = misses_pipeline } };

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", false);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 0, 600, 0, NULL);
	wait_for(&r, first_parked);
	assert_int_equal(shipped(&r, 0), 0);
	assert_int_equal(map_count(r.server.stored), 0);
	assert_int_equal(dead_letters(&r, NULL), 0);
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	rig_go_on(&r, 600);
	assert_int_equal(map_count(r.server.stored), 600);
	assert_int_equal(shipped(&r, 0), 600);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

/* ---- what the core costs */

/* Nothing but a core is taken, and of "odd" not even that. */
static int
takes_cores(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	if (has(document, "kubernetes") || has(document, "odd"))
		return *type = "strange_exception", 400;
	return 201;
}

/*
 * Every third of a thousand records is odd; a parked stream is read again as the
 * reader does it.  A doubt that is the last record needs one more that can be taken.
 */
static bool
all_judged(struct rig *r)
{
	struct batch *b = NULL;

	if (cursor_must_rewind(r->book, &r->streams[0].cursors[0])) {
		cursor_rewind(r->book, &r->streams[0].cursors[0]);
		r->put[0] = shipped(r, 0);
	}
	while (r->put[0] < 1000)
		rig_put(r, &b, 0, r->put[0] % 3 == 0 ? "odd" : "good");
	if (b == NULL && counters(r)->held == 1)
		rig_put(r, &b, 0, "good");
	if (b != NULL)
		shipper_give(r->shipper, b);
	return idle(r) && shipped(r, 0) == r->put[0];
}

static void
test_where_nothing_but_cores_is_taken_each_document_is_judged(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = takes_cores } };
	unsigned stored;

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", false);
	wait_for(&r, all_judged);
	stored = (unsigned)map_count(r.server.stored);
	assert_in_range(stored, 1, 40);
	assert_true(counters(&r)->stripped >= stored); /* as cores; again where a file went back */
	assert_true(dead_letters(&r, NULL) >= r.put[0] - stored);
	assert_int_equal(counters(&r)->held, 0);
	rig_end(&r);
}

/* A few records, far from filling the hold, and none that is taken whole. */
static void
test_a_quiet_index_is_asked_with_a_core_after_a_while(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = takes_cores } };

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 10, 2, "odd");
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 1);
	assert_int_equal(counters(&r)->stripped, 1);
	assert_int_equal(dead_letters(&r, NULL), 9);
	assert_int_equal(shipped(&r, 0), 10);
	rig_end(&r);
}

/* Documents of two years, each an index; of both the hold is full at once. */
static void
takes_at_any_path(struct server *s, const struct request *q, struct buffer *out)
{
	if (!asked_first(q, out))
		bulk_answer(s, q, out);
}

static void
fill_both_years(struct rig *r, unsigned n)
{
	struct batch *b = NULL;

	for (unsigned i = 0; i < n; i++) {
		r->time = i % 2 == 0 ? NS_PER_S : 400 * 86400 * NS_PER_S;
		rig_put(r, &b, 0, "good");
	}
	shipper_give(r->shipper, b);
	wait_for(r, idle);
	assert_int_equal(shipped(r, 0), r->put[0]);
}

static void
test_each_index_is_asked_with_a_core_of_its_own(void **state)
{
	struct rig r = { .server = { .answer = takes_at_any_path, .judge = takes_cores },
		.index = "year-%Y" };
	unsigned stored;

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", false);
	fill_both_years(&r, 600);
	stored = atomic_load(&r.server.taken);
	assert_in_range(stored, 2, 40);
	fill_both_years(&r, 600); /* what was taken before is no evidence against these */
	assert_in_range(atomic_load(&r.server.taken), stored + 2, stored + 40);
	assert_int_equal(dead_letters(&r, NULL), 1200 - atomic_load(&r.server.taken));
	rig_end(&r);
}

/* ---- many indices */

#define YEARS 150

/* A record of each year, which is an index of its own; the odd years' are "odd". */
static void
fill_years(struct rig *r)
{
	struct batch *b = NULL;

	for (unsigned year = 0; year < YEARS; year++) {
		r->time = (365 * year + 200) * 86400 * NS_PER_S;
		rig_put(r, &b, 0, year % 2 == 1 ? "odd" : "good");
	}
	shipper_give(r->shipper, b);
}

static int
misses_pipeline_for_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	return has(document, "odd") ? misses_pipeline(s, id, document, type) : 201;
}

/* The odd years' records wait, over many requests of which the other years' are taken. */
static bool
odd_years_have_waited(struct rig *r)
{
	static unsigned since;

	if (counters(r)->held < YEARS / 2)
		return false;
	if (since == 0)
		since = atomic_load(&r->server.bulks);
	if (!idle(r) && r->put[0] < 12 * YEARS)
		fill_years(r);
	return atomic_load(&r->server.bulks) > since + 4 * YEARS;
}

static void
test_no_index_that_takes_documents_condemns_those_of_others(void **state)
{
	struct rig r = { .server = { .answer = takes_at_any_path,
			     .judge = misses_pipeline_for_odd },
		.index = "year-%Y" };

	(void)state;
	rig_start(&r, PLAIN, false);
	atomic_store(&r.server.blocked, true);
	fill_years(&r);
	wait_for(&r, odd_years_have_waited);
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 0), r.put[0]);
	assert_int_equal(map_count(r.server.stored), r.put[0]);
	/* One may be asked for with its core at the moment at which the server takes all again. */
	assert_true(counters(&r)->stripped <= 1);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

/* Of each year a document that its index never takes, between others. */
static int
refuses_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	return has(document, "odd") ? (*type = "strange_exception", 400) : 201;
}

static bool
held_all(struct rig *r)
{
	return counters(r)->held == YEARS;
}

static bool
all_years_judged(struct rig *r)
{
	struct batch *b = NULL;

	if (counters(r)->held == 0)
		return idle(r);
	for (unsigned year = 0; year < YEARS; year++) { /* evidence */
		r->time = (365 * year + 200) * 86400 * NS_PER_S;
		rig_put(r, &b, 0, "good");
	}
	shipper_give(r->shipper, b);
	return false;
}

static void
test_a_document_is_judged_in_its_own_index_however_many_refuse(void **state)
{
	struct rig r = { .server = { .answer = takes_at_any_path, .judge = refuses_odd },
		.index = "year-%Y" };
	struct batch *b = NULL;

	(void)state;
	rig_start(&r, PLAIN, false);
	for (unsigned year = 0; year < YEARS; year++) {
		r.time = (365 * year + 200) * 86400 * NS_PER_S;
		rig_put(&r, &b, 0, "odd");
	}
	shipper_give(r.shipper, b);
	wait_for(&r, held_all);
	wait_for(&r, all_years_judged);
	assert_int_equal(dead_letters(&r, NULL), YEARS);
	assert_int_equal(map_count(r.server.stored), r.put[0] - YEARS);
	rig_end(&r);
}

/* A server that refuses whole requests with more than cores in them. */
static void
refuses_more_than_cores(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (has(q->body, "kubernetes"))
		http_text(out, 400, "{\"error\":{\"type\":\"strange_exception\"}}");
	else
		bulk_answer(s, q, out);
}

static void
test_whole_requests_that_are_refused_come_to_a_core_too(void **state)
{
	struct rig r = { .server = { .answer = refuses_more_than_cores } };

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 4, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 0), 4);
	assert_in_range(map_count(r.server.stored), 1, 3);
	assert_int_equal(dead_letters(&r, NULL), 4 - map_count(r.server.stored));
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_refusal_of_no_known_kind_is_the_documents_fault_beside_others_that_are_taken),
		cmocka_unit_test(test_a_doubt_ends_where_the_server_names_a_state_of_its_own),
		cmocka_unit_test(test_a_core_that_is_refused_too_parks_the_stream),
		cmocka_unit_test(test_where_nothing_but_cores_is_taken_each_document_is_judged),
		cmocka_unit_test(test_a_quiet_index_is_asked_with_a_core_after_a_while),
		cmocka_unit_test(test_each_index_is_asked_with_a_core_of_its_own),
		cmocka_unit_test(test_no_index_that_takes_documents_condemns_those_of_others),
		cmocka_unit_test(test_a_document_is_judged_in_its_own_index_however_many_refuse),
		cmocka_unit_test(test_whole_requests_that_are_refused_come_to_a_core_too),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
