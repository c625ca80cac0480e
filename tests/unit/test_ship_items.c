/*
 * Verdicts on single items: what goes again, what is held, what is dead.
 */
#include "ship_rig.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/*
 * Stands in for libc's: the dead letters' disk as the test wants it.  What it
 * saw when they were synced is kept.
 */
static struct {
	struct rig *_Atomic rig; /* the state's thread asks, too */ /* NULL: nobody looks */
	atomic_uint syncs;                                          /* of the dead letters */
	atomic_uint before; /* records that were shipped by then, the most */
	atomic_bool fails;
} disk;

int
fdatasync(int fd)
{
	struct rig *rig = atomic_load(&disk.rig);
	char link[64], path[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	if (rig == NULL || strstr(path, "dead-letters") == NULL)
		return (int)syscall(SYS_fdatasync, fd);
	atomic_fetch_add(&disk.syncs, 1);
	if (shipped(rig, 0) > atomic_load(&disk.before))
		atomic_store(&disk.before, (unsigned)shipped(rig, 0));
	if (!atomic_load(&disk.fails))
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

/* ---- items that are refused */

static int
dislikes_parsed(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	if (has(document, "odd") && has(document, "\"log_parsed\":"))
		return *type = "mapper_parsing_exception", 400;
	if (has(document, "odd"))
		assert_true(has(document, ",\"log_parsed_dropped\":true}"));
	return 201;
}

static void
test_a_faulty_document_goes_again_without_log_parsed(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_parsed } };

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 100, 10, "odd");
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 100);
	assert_int_equal(shipped(&r, 0), 100);
	assert_int_equal(counters(&r)->stripped, 10);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

static int
dislikes_extra(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	if (has(document, "odd") && has(document, "\"extra\":"))
		return *type = "document_parsing_exception", 400;
	if (has(document, "odd"))
		assert_true(
		    has(document, ",\"log_parsed\":{\"level\":\"INFO\",\"extra_dropped\":true}}"));
	return 201;
}

static void
test_a_faulty_document_goes_again_without_extra_first(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_extra } };

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 100, 10, "odd extra");
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 100);
	assert_int_equal(shipped(&r, 0), 100);
	assert_int_equal(counters(&r)->lean, 10);
	assert_int_equal(counters(&r)->stripped, 0);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

/* A pipeline is missing until the block is lifted; `odd` is refused for good, in the same words. */
static int
illegal(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)id;
	if (atomic_load(&s->blocked) || has(document, "odd"))
		return *type = "illegal_argument_exception", 400;
	return 201;
}

static bool
asked_often(struct rig *r)
{
	return atomic_load(&r->server.bulks) > 4;
}

static void
test_doubt_is_held_until_the_index_takes_another(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = illegal } };
	char why[256];

	(void)state;
	rig_start(&r, PLAIN, false);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 0, 50, 10, "odd");
	wait_for(&r, asked_often);
	assert_int_equal(map_count(r.server.stored), 0);
	assert_int_equal(dead_letters(&r, NULL), 0);
	assert_int_equal(shipped(&r, 0), 0);
	assert_int_equal(counters(&r)->held, 50);
	assert_false(shipper_ready(r.shipper, why, sizeof(why)));
	assert_non_null(strstr(why, "holds 50 records"));
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 45);
	assert_int_equal(dead_letters(&r, NULL), 5);
	assert_int_equal(shipped(&r, 0), 50);
	assert_int_equal(counters(&r)->held, 0);
	rig_end(&r);
}

static bool
parked(struct rig *r)
{
	return cursor_parked(r->book, &r->streams[1].cursors[0]) && shipped(r, 0) == r->put[0];
}

struct waiting {
	unsigned held, parked;
	char why[160];
};

static void
waiting_count(void *arg, const struct state_hold *hold)
{
	struct waiting *w = arg;

	assert_memory_equal(hold->log.at, "BBBBBBBBBBBBBBBB", 16);
	assert_int_equal(strncmp(hold->output, "ship_", 5), 0);
	*(hold->parked ? &w->parked : &w->held) += 1;
	memcpy(w->why, hold->why, sizeof(w->why));
}

/* Until the state says that the second stream is held and parked, once each; or that nothing is. */
static void
wait_for_holds(struct rig *r, bool some, const char *why)
{
	struct waiting w = { .held = 2 };

	for (int i = 0; w.held != some || w.parked != some; i++) {
		struct state *s;

		assert_true(i < 2000);
		usleep(10000);
		w = (struct waiting){ 0 };
		s = state_look(r->dir);
		assert_non_null(s);
		state_holds_each(s, waiting_count, &w);
		state_close(s);
	}
	assert_string_equal(w.why, why);
}

static void
test_a_full_hold_parks_the_streams_that_feed_it(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = blocks_odd } };
	uint64_t unsettled;

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", false);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 1, 600, 1, "odd");
	rig_fill(&r, 0, 600, 0, NULL);
	wait_for(&r, parked);
	assert_int_equal(shipped(&r, 1), 0);
	assert_false(cursor_parked(r.book, &r.streams[0].cursors[0]));
	assert_false(cursor_must_rewind(r.book, &r.streams[1].cursors[0]));
	assert_false(idle(&r));
	wait_for_holds(&r, true, "index logs answers 403 cluster_block_exception");
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	wait_for_holds(&r, false, "");
	assert_true(cursor_must_rewind(r.book, &r.streams[1].cursors[0]));
	assert_true(map_count(r.server.stored) < 1200);

	/* read again from the first that was dropped */
	cursor_rewind(r.book, &r.streams[1].cursors[0]);
	r.put[1] = shipped(&r, 1);
	rig_fill(&r, 1, 600 - (unsigned)r.put[1], 1, "odd");
	wait_for(&r, idle);
	unsettled = shipper_stop(r.shipper, NS_PER_S);
	assert_int_equal(unsettled, 0);
	assert_int_equal(map_count(r.server.stored), 1200);
	assert_int_equal(shipped(&r, 1), 600);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

/* An error that no table knows, for what stands beside the core. */
static int
dislikes_pods(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	if (has(document, "kubernetes"))
		return *type = "strange_exception", 400;
	return 201;
}

static void
test_a_core_that_is_taken_puts_the_fault_on_the_documents(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_pods } };

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", false);
	rig_fill(&r, 0, 600, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored) + dead_letters(&r, NULL), 600);
	assert_in_range(map_count(r.server.stored), 1, 10);
	assert_int_equal(shipped(&r, 0), 600);
	rig_end(&r);
}

/* A block that some requests meet and others do not, as while it ends and begins again. */
static int
blocks_all_but_cores(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)id;
	if (atomic_load(&s->blocked) && has(document, "kubernetes"))
		return *type = "cluster_block_exception", 403;
	return 201;
}

static void
test_a_block_is_no_documents_fault(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = blocks_all_but_cores } };

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", false);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 0, 600, 0, NULL);
	wait_for(&r, first_parked);
	wait_for(&r, asked_often);
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	rig_go_on(&r, 600);
	assert_int_equal(map_count(r.server.stored), 600);
	assert_int_equal(shipped(&r, 0), 600);
	assert_int_equal(counters(&r)->stripped, 0);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

static bool
letters_written(struct rig *r)
{
	return dead_letters(r, NULL) > 0 && counters(r)->dead_letters[REASON_REJECTED] > 0;
}

static int
dislikes_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	return has(document, "odd") ? *type = "mapper_parsing_exception", 400 : 201;
}

static void
test_dead_letters_have_a_limit_and_are_private(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_odd } };
	char *path;
	struct stat st;

	(void)state;
	rig_start(&r, PLAIN " Dead_Letter_Limit 1500\n", false);
	rig_fill(&r, 0, 100, 10, "odd");
	wait_for(&r, letters_written);
	path = xprintf("%s/dead-letters.ndjson", r.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_in_range(st.st_size, 1, 1500);
	assert_false(idle(&r));
	assert_true(shipped(&r, 0) < 100);
	assert_int_equal(map_count(r.server.stored), 90);
	free(path);
	rig_end(&r);
}

static bool
first_is_shipped(struct rig *r)
{
	return shipped(r, 0) == 600;
}

/* Each piece of all batches has such a record; other streams go on all the same. */
static void
test_letters_that_cannot_be_written_park_the_streams_that_feed_them(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_odd } };

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n Dead_Letter_Limit 1500\n", false);
	for (int i = 0; i < 20; i++)
		rig_fill(&r, 1, 30, 1, "odd");
	wait_for(&r, parked);
	for (int i = 0; i < 20; i++)
		rig_fill(&r, 0, 30, 0, NULL);
	wait_for(&r, first_is_shipped);
	assert_false(cursor_parked(r.book, &r.streams[0].cursors[0]));
	assert_true(shipped(&r, 1) < 600);
	wait_for_holds(&r, true, "dead letters cannot be written");
	rig_end(&r);
}

static bool
synced(struct rig *r)
{
	(void)r;
	return atomic_load(&disk.syncs) > 0;
}

static void
test_dead_letters_are_on_disk_before_the_cursor_moves(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_odd } };

	(void)state;
	rig_start(&r, PLAIN, false);
	atomic_store(&disk.rig, &r);
	atomic_store(&disk.fails, true);
	rig_fill(&r, 0, 1, 1, "odd");
	rig_fill(&r, 0, 5, 0, NULL);
	wait_for(&r, synced);
	for (int i = 0; i < 50; i++) {
		usleep(2000);
		assert_int_equal(shipped(&r, 0), 0);
	}
	assert_int_equal(counters(&r)->dead_letters[REASON_REJECTED], 0);
	atomic_store(&disk.rig, NULL);
	rig_end(&r);

	r = (struct rig){ .server = { .answer = takes, .judge = dislikes_odd } };
	rig_start(&r, PLAIN, false);
	atomic_store(&disk.syncs, 0);
	atomic_store(&disk.fails, false);
	atomic_store(&disk.rig, &r);
	rig_fill(&r, 0, 1, 1, "odd");
	rig_fill(&r, 0, 5, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 0), 6);
	assert_int_equal(dead_letters(&r, NULL), 1);
	assert_int_equal(disk.syncs, 1);
	assert_int_equal(disk.before, 0);
	atomic_store(&disk.rig, NULL);
	rig_end(&r);
}

/* Too much for the server, or blocked: for good. */
static int
refuses_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)id;
	if (!has(document, "odd"))
		return 201;
	*type = s->phase == 0 ? "rejected_execution_exception" : "cluster_block_exception";
	return s->phase == 0 ? 429 : 403;
}

static void
test_retry_limit_gives_up_single_records_too(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < 2; phase++) {
		struct rig r = { .server = {
				     .answer = takes, .judge = refuses_odd, .phase = phase } };

		rig_start(&r, PLAIN " Retry_Limit 2\n", false);
		rig_fill(&r, 0, 100, 10, "odd");
		wait_for(&r, idle);
		assert_int_equal(map_count(r.server.stored), 90);
		assert_int_equal(shipped(&r, 0), 100);
		assert_int_equal(dead_letters(&r, NULL), 10);
		assert_int_equal(counters(&r)->dead_letters[REASON_GIVEN_UP], 10);
		assert_int_equal(counters(&r)->held, 0);
		assert_in_range(r.server.bulks, 3, 30);
		rig_end(&r);
	}
}

/* However they came: one by one each would wait for all refusals of the others. */
static void
test_what_waits_for_one_index_is_given_up_together(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = refuses_odd, .phase = 1 } };

	(void)state;
	rig_start(&r, PLAIN " Retry_Limit 2\n", false);
	for (unsigned i = 0; i < 30; i++) {
		rig_fill(&r, 0, 1, 1, "odd");
		usleep(2000);
	}
	wait_for(&r, idle);
	assert_int_equal(dead_letters(&r, NULL), 30);
	assert_int_equal(shipped(&r, 0), 30);
	rig_end(&r);
}

/* An index each, and then a server that takes no request: it speaks for all of them. */
static void
blocks_all_and_then_fails(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (atomic_load(&s->blocked))
		http_text(out, 503, "{}");
	else
		bulk_answer(s, q, out);
}

static bool
held_four(struct rig *r)
{
	return counters(r)->held == 4;
}

static void
test_what_waits_for_several_indices_is_given_up_together(void **state)
{
	struct rig r = {
		.server = { .answer = blocks_all_and_then_fails, .judge = refuses_odd, .phase = 1 },
		.index = "year-%Y"
	};

	(void)state;
	rig_start(&r, PLAIN " Retry_Limit 5\n Workers 1\n", false);
	for (int year = 0; year < 4; year++) {
		r.time = (int64_t)(31 + 366 * year) * 86400 * NS_PER_S;
		rig_fill(&r, 0, 1, 1, "odd");
	}
	wait_for(&r, held_four);
	atomic_store(&r.server.blocked, true);
	atomic_store(&r.server.bulks, 0);
	wait_for(&r, idle);
	assert_in_range(r.server.bulks, 4, 10); /* one after the other: 20 and more */
	assert_int_equal(dead_letters(&r, NULL), 4);
	assert_int_equal(counters(&r)->dead_letters[REASON_GIVEN_UP], 4);
	assert_int_equal(counters(&r)->held, 0);
	assert_int_equal(shipped(&r, 0), 4);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_faulty_document_goes_again_without_log_parsed),
		cmocka_unit_test(test_a_faulty_document_goes_again_without_extra_first),
		cmocka_unit_test(test_doubt_is_held_until_the_index_takes_another),
		cmocka_unit_test(test_a_full_hold_parks_the_streams_that_feed_it),
		cmocka_unit_test(test_a_core_that_is_taken_puts_the_fault_on_the_documents),
		cmocka_unit_test(test_a_block_is_no_documents_fault),
		cmocka_unit_test(test_dead_letters_have_a_limit_and_are_private),
		cmocka_unit_test(
		    test_letters_that_cannot_be_written_park_the_streams_that_feed_them),
		cmocka_unit_test(test_dead_letters_are_on_disk_before_the_cursor_moves),
		cmocka_unit_test(test_retry_limit_gives_up_single_records_too),
		cmocka_unit_test(test_what_waits_for_one_index_is_given_up_together),
		cmocka_unit_test(test_what_waits_for_several_indices_is_given_up_together),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
