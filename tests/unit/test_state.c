/* What outlives the process, however it ends. */
#include "unit.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "state.h"
#include "voice.h"

static char dir[64];

static const struct identity id = { "one" }, other = { "two" };

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/towline-state-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	return unit_remove(dir);
}

static void
wait_durable(struct state *s, state_ticket ticket)
{
	for (int i = 0; state_durable(s) < ticket; i++) {
		assert_true(i < 6000);
		usleep(5000);
	}
}

static void
reopen(struct state **s)
{
	state_close(*s);
	*s = state_open(dir);
	assert_non_null(*s);
}

static void
execute(const char *sql)
{
	char *path = xprintf("%s/state.db", dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

/* ---- what is kept */

static void
test_all_of_a_stream_comes_back(void **state)
{
	struct state *s = state_open(dir);
	struct stream_state is = { .generation = UINT64_MAX,
		.rulings = { { 0, 8, 1 }, { 7, UINT64_MAX, 0 } },
		.nrulings = 2,
		.size = 9,
		.first_seen = 10,
		.base = { { 1, 2, 3 } } },
			    was;
	uint64_t generations[2];
	struct checkpoint checks[CHECKPOINTS];

	(void)state;
	assert_non_null(s);
	assert_false(state_find(s, &id, &was));
	state_stream(s, &id, &is);
	state_opened(s, &id, "/var/log/a");
	state_shipped(s, &id, SIDE_STDOUT, 100);
	state_shipped(s, &id, SIDE_STDERR, 50);
	state_counted(s, &id, SIDE_STDOUT, 120);
	state_counted(s, &id, SIDE_STDERR, 50);
	state_counts(s);
	state_break(s, &id, SIDE_STDOUT, 110);
	state_break(s, &id, SIDE_STDOUT, 90); /* passed */
	state_checkpoint(s, &id, &(struct checkpoint){ 40, 1 });
	state_checkpoint(s, &id, &(struct checkpoint){ 100, UINT64_MAX });
	reopen(&s);
	assert_true(state_find(s, &id, &was));
	assert_true(was.generation == UINT64_MAX && was.nrulings == 2);
	assert_memory_equal(was.rulings, is.rulings, sizeof(is.rulings));
	assert_true(was.size == 9 && was.first_seen == 10);
	assert_int_equal(state_generations(s, &is.base, generations, 2), 1);
	assert_true(generations[0] == UINT64_MAX);
	assert_int_equal(state_generations(s, &id, generations, 2), 0);
	assert_int_equal(was.side[SIDE_STDOUT].shipped, 100);
	assert_int_equal(was.side[SIDE_STDOUT].counted, 120);
	assert_int_equal(was.side[SIDE_STDERR].shipped, 50);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, UINT64_MAX), 110);
	assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 0, UINT64_MAX), 0);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 100, 110), 110);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 100), 0);
	assert_int_equal(state_checkpoints(s, &id, checks), 2);
	assert_true(checks[0].offset == 100 && checks[0].hash == UINT64_MAX);
	assert_true(checks[1].offset == 40);
	state_close(s);
}

static void
test_another_start_of_the_machine_is_noticed_once(void **state)
{
	struct state *s = state_open(dir);

	(void)state;
	assert_false(state_rebooted(s));
	reopen(&s);
	assert_false(state_rebooted(s));
	state_close(s);
	execute("UPDATE machine SET boot = 'another'");
	s = state_open(dir);
	assert_true(state_rebooted(s));
	reopen(&s);
	assert_false(state_rebooted(s));
	state_close(s);
}

static void
test_nothing_is_shipped_that_is_not_counted(void **state)
{
	struct state *s = state_open(dir);
	struct stream_state was;

	(void)state;
	state_break(s, &id, SIDE_STDOUT, 80);
	state_counted(s, &id, SIDE_STDOUT, 70);
	state_counts(s);
	state_shipped(s, &id, SIDE_STDOUT, 100);
	state_counted(s, &id, SIDE_STDOUT, 100); /* never posted */
	reopen(&s);
	assert_true(state_find(s, &id, &was));
	assert_int_equal(was.side[SIDE_STDOUT].shipped, 70);
	assert_int_equal(was.side[SIDE_STDOUT].counted, 70);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 70, UINT64_MAX),
	    80); /* a replay from 70 meets it */
	state_close(s);
}

static void
test_a_stream_that_goes_back_loses_what_is_behind(void **state)
{
	struct state *s = state_open(dir);
	struct stream_state was;
	struct checkpoint checks[CHECKPOINTS];

	(void)state;
	state_shipped(s, &id, SIDE_STDOUT, 10);
	state_counted(s, &id, SIDE_STDOUT, 200);
	state_counts(s);
	state_checkpoint(s, &id, &(struct checkpoint){ 10, 1 });
	state_checkpoint(s, &id, &(struct checkpoint){ 100, 1 });
	state_break(s, &id, SIDE_STDOUT, 40);
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 120));
	state_rewound(s, &id, SIDE_STDOUT, 50);
	reopen(&s);
	assert_true(state_find(s, &id, &was));
	assert_int_equal(was.side[SIDE_STDOUT].shipped, 10);
	assert_int_equal(was.side[SIDE_STDOUT].counted, 50);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 40, UINT64_MAX), 0);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, UINT64_MAX), 40);
	assert_int_equal(state_checkpoints(s, &id, checks), 1);
	assert_int_equal(checks[0].offset, 10);
	state_close(s);
}

static void
test_what_is_counted_and_not_posted_is_known(void **state)
{
	struct state *s = state_open(NULL);
	struct stream_state is;

	(void)state;
	state_counted(s, &id, SIDE_STDERR, 100);
	state_counts(s);
	state_counted(s, &id, SIDE_STDERR, 200);
	assert_true(state_find(s, &id, &is));
	assert_int_equal(is.side[SIDE_STDERR].counted, 200);
	state_rewound(s, &id, SIDE_STDERR, 150);
	assert_true(state_find(s, &id, &is));
	assert_int_equal(is.side[SIDE_STDERR].counted, 150);
	state_counts(s);
	assert_true(state_find(s, &id, &is));
	assert_int_equal(is.side[SIDE_STDERR].counted, 150);
	state_close(s);
}

static void
test_checkpoints_kept_lie_ever_farther_apart(void **state)
{
	struct state *s = state_open(NULL);
	struct checkpoint checks[CHECKPOINTS];

	(void)state;
	for (uint64_t i = 1; i <= 10000; i++)
		state_checkpoint(s, &id, &(struct checkpoint){ 100 * i, i });
	assert_int_equal(state_checkpoints(s, &id, checks), CHECKPOINTS);
	assert_int_equal(checks[0].offset, 1000000);
	for (unsigned i = 1; i < CHECKPOINTS; i++)
		assert_true(checks[i].offset < checks[i - 1].offset && checks[i].hash > 0);
	assert_true(checks[1].offset >= 990000);
	assert_true(checks[CHECKPOINTS - 1].offset < 500000);
	state_close(s);
}

static unsigned texts;

static void
text(void *arg, struct slice key, struct slice value)
{
	(void)arg;
	assert_true(slice_eq(key, SLICE("a/b/c")) && slice_eq(value, SLICE("{\"x\":2}")));
	texts++;
}

static void
test_counters_are_texts(void **state)
{
	struct state *s = state_open(dir);

	(void)state;
	state_text(s, SLICE("a/b/c"), SLICE("{\"x\":1}"));
	state_text(s, SLICE("gone"), SLICE("1"));
	wait_durable(s, state_counts(s));
	state_text(s, SLICE("a/b/c"), SLICE("{\"x\":2}"));
	state_text(s, SLICE("gone"), SLICE(""));
	state_counts(s);
	state_text(s, SLICE("never posted"), SLICE("1"));
	reopen(&s);
	texts = 0;
	state_texts(s, text, NULL);
	assert_int_equal(texts, 1);
	state_close(s);
}

static void
test_what_is_not_open_is_forgotten_with_the_years(void **state)
{
	struct state *s = state_open(dir);
	struct stream_state was;

	(void)state;
	state_opened(s, &id, "/a");
	state_ended(s, &id);
	state_opened(s, &other, "/b");
	state_close(s);
	execute("UPDATE streams SET touched = touched - 2592000000000000 - 1");
	s = state_open(dir);
	assert_false(state_find(s, &id, &was));
	assert_true(state_find(s, &other, &was));
	state_close(s);
}

/* ---- framing rules */

static void
test_rules_are_kept_as_long_as_a_stream_has_them(void **state)
{
	struct state *s = state_open(dir);
	uint64_t a = state_rules(s, SLICE("framing=1 a")), b = state_rules(s, SLICE("framing=1 b"));
	const struct ruling both[] = { { 0, a, 1 }, { 50, b, 0 } };

	(void)state;
	assert_true(a != b && a == state_rules(s, SLICE("framing=1 a")));
	wait_durable(s, state_rulings(s, &id, both, 2));
	reopen(&s);
	assert_string_equal(state_rules_text(s, a), "framing=1 a");
	assert_string_equal(state_rules_text(s, b), "framing=1 b");
	assert_null(state_rules_text(s, 7));
	state_rulings(s, &id, &both[1], 1);
	reopen(&s);
	assert_null(state_rules_text(s, a));
	assert_string_equal(state_rules_text(s, b), "framing=1 b");
	state_close(s);
}

static void
test_a_stream_that_goes_back_is_cut_by_the_newest_rules(void **state)
{
	static const struct {
		uint64_t to;
		unsigned n;
		struct ruling last;
	} cases[] = {
		{ 0, 1, { 0, 3, 1 } },
		{ 40, 2, { 40, 3, 1 } },
		{ 50, 2, { 50, 3, 1 } },
		{ 60, 3, { 60, 3, 1 } },
		{ 90, 3, { 90, 3, 0 } },
		{ 100, 3, { 90, 3, 0 } },
	};
	const struct ruling all[] = { { 0, 1, 1 }, { 50, 2, 1 }, { 90, 3, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct state *s = state_open(NULL);
		struct stream_state is;

		state_rulings(s, &id, all, 3);
		state_rewound(s, &id, SIDE_STDOUT, cases[i].to);
		state_rewound(s, &id, SIDE_STDERR, cases[i].to);
		assert_true(state_find(s, &id, &is));
		assert_int_equal(is.nrulings, cases[i].n);
		assert_memory_equal(&is.rulings[is.nrulings - 1], &cases[i].last, sizeof(all[0]));
		state_close(s);
	}
}

static void
test_a_break_may_go_on_in_another_stream(void **state)
{
	struct state *s = state_open(dir);
	struct identity next;

	(void)state;
	state_goes_over(s, &id, SIDE_STDOUT, 10, &other);
	wait_durable(s, state_goes_over(s, &id, SIDE_STDERR, 20, &other));
	state_break(s, &id, SIDE_STDERR, 20); /* it ended there after all */
	state_break(s, &id, SIDE_STDERR, 10);
	for (int life = 0; life < 2; life++) {
		assert_true(state_goes_on(s, &id, SIDE_STDOUT, 10, &next));
		assert_memory_equal(&next, &other, sizeof(next));
		assert_false(state_goes_on(s, &id, SIDE_STDERR, 20, &next));
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 10, 30), 20);
		assert_false(state_goes_on(s, &id, SIDE_STDERR, 10, &next));
		reopen(&s);
	}
	state_close(s);
}

/* ---- tickets */

static void
test_a_ticket_is_durable_after_a_commit_and_wakes(void **state)
{
	struct state *s = state_open(dir);
	struct pollfd wake = { .fd = eventfd(0, EFD_NONBLOCK), .events = POLLIN };
	state_ticket ticket;

	(void)state;
	state_wake(s, wake.fd);
	ticket = state_break(s, &id, SIDE_STDOUT, 5);
	assert_int_equal(poll(&wake, 1, 30000), 1);
	wait_durable(s, ticket);
	state_shipped(s, &id, SIDE_STDOUT, 5); /* nobody waits: it comes in a second */
	wait_durable(s, ticket + 1);
	state_close(s);
	close(wake.fd);
}

/* A child that posts until it is killed; what it saw durable must be there. */
static void
child(int report)
{
	struct state *s = state_open(dir);
	struct stream_state known = { 0 };

	state_find(s, &id, &known);
	for (uint64_t at = known.side[SIDE_STDOUT].counted + 1;; at++) {
		state_ticket ticket;
		char value[32];

		snprintf(value, sizeof(value), "%llu", (unsigned long long)at);
		state_break(s, &id, SIDE_STDERR, at);
		state_counted(s, &id, SIDE_STDOUT, at);
		state_text(s, SLICE("a"), slice_of(value));
		ticket = state_counts(s);
		state_shipped(s, &id, SIDE_STDOUT, at);
		while (state_durable(s) < ticket)
			usleep(100);
		if (write(report, &at, sizeof(at)) != sizeof(at))
			_exit(1);
	}
}

static void
number(void *arg, struct slice key, struct slice value)
{
	if (slice_eq(key, SLICE("a")))
		*(uint64_t *)arg = strtoull(value.at, NULL, 10);
}

static void
test_a_kill_at_any_instant_loses_nothing_that_was_durable(void **state)
{
	uint64_t last = 0, seen, counter;

	(void)state;
	for (int round = 0; round < 12; round++) {
		struct stream_state was;
		struct state *s;
		int report[2], status;
		pid_t pid;

		assert_int_equal(pipe(report), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child(report[1]);
		close(report[1]);
		/* so many commits, and a part of another */
		for (int i = 0; i <= round % 4; i++)
			assert_int_equal(read(report[0], &last, sizeof(last)), sizeof(last));
		usleep((useconds_t)(round * 1700));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		while (read(report[0], &seen, sizeof(seen)) == sizeof(seen))
			last = seen;
		close(report[0]);
		s = state_open(dir);
		assert_non_null(s);
		assert_true(state_find(s, &id, &was));
		counter = 0;
		state_texts(s, number, &counter);
		assert_true(was.side[SIDE_STDOUT].counted >= last);
		assert_int_equal(counter, was.side[SIDE_STDOUT].counted);
		assert_true(was.side[SIDE_STDOUT].shipped <= counter);
		assert_true(
		    last == 0 || state_is_break(s, &id, SIDE_STDERR, last - 1, UINT64_MAX) > 0);
		state_close(s);
	}
}

/* ---- what cannot be used */

static void
test_a_second_instance_is_refused(void **state)
{
	struct state *s = state_open(dir);

	(void)state;
	errno = 0;
	assert_null(state_open(dir));
	assert_int_equal(errno, EBUSY);
	state_close(s);
}

/* A later version; one of before the first release, also where its number is ours. */
static void
test_another_schema_is_refused_and_left_alone(void **state)
{
	static const char *const others[] = { "PRAGMA user_version = 99",
		"PRAGMA user_version = 6; PRAGMA application_id = 0", "PRAGMA application_id = 0" };
	struct state *s = state_open(dir);

	(void)state;
	state_break(s, &id, SIDE_STDOUT, 5);
	state_close(s);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		execute(others[i]);
		assert_null(state_open(dir));
		assert_null(state_look(dir));
		execute("PRAGMA user_version = 1; PRAGMA application_id = 0x746f776c"); /* ours */
		s = state_open(dir);
		assert_non_null(s);
		assert_false(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 5);
		state_close(s);
	}
}

static void
spoil(const char *name, long from)
{
	char *path = xprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	fseek(file, from, SEEK_SET);
	for (int i = 0; i < 4000; i++)
		fputc('x', file);
	fclose(file);
	free(path);
}

static void
test_a_corrupt_file_is_set_aside(void **state)
{
	static const long from[] = { 0, 200 };
	char pattern[128];
	glob_t found;

	(void)state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		struct state *s = state_open(dir);

		state_break(s, &id, SIDE_STDOUT, 5);
		state_close(s);
		spoil("state.db", from[i]);
		s = state_open(dir);
		assert_non_null(s);
		assert_true(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 0);
		wait_durable(s, state_break(s, &id, SIDE_STDOUT, 6));
		reopen(&s);
		assert_false(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 6), 6);
		state_close(s);
		snprintf(pattern, sizeof(pattern), "%s/state.db.corrupt-*", dir);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		assert_true(found.gl_pathc > i); /* each under a name of its own */
		globfree(&found);
	}
}

/* No file of this process may grow: what a full disk does. */
static void
disk_full(bool full)
{
	struct rlimit limit;
	struct stat st;
	char *path = xprintf("%s/state.db-wal", dir);

	getrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(stat(path, &st), 0);
	limit.rlim_cur = full ? (rlim_t)st.st_size : limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	free(path);
}

static void
test_a_full_disk_is_said_and_recovers(void **state)
{
	struct state *s = state_open(dir);
	state_ticket ticket;
	char why[512] = "";

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 5));
	assert_true(state_ready(s, why, sizeof(why)));
	disk_full(true);
	ticket = state_break(s, &id, SIDE_STDOUT, 6);
	for (uint64_t i = 0; i < 1000; i++) {
		struct identity many = { "many" };

		memcpy(many.at + 8, &i, sizeof(i));
		state_shipped(s, &many, SIDE_STDOUT, i);
	}
	state_text(s, SLICE("t"), SLICE("1"));
	state_counts(s);
	for (int i = 0; state_stale(s) == 0; i++) {
		assert_true(i < 6000);
		usleep(5000);
	}
	assert_false(state_ready(s, why, sizeof(why)));
	assert_non_null(strstr(why, dir));
	assert_true(state_durable(s) < ticket);
	state_break(s, &id, SIDE_STDOUT, 7); /* meanwhile */
	disk_full(false);
	wait_durable(s, ticket);
	assert_true(state_ready(s, why, sizeof(why)));
	assert_int_equal(state_stale(s), 0);
	reopen(&s);
	for (uint64_t end = 5; end <= 7; end++)
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, end - 1, end), end);
	texts = 0;
	state_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_of_a_stream_comes_back),
		TEST(test_another_start_of_the_machine_is_noticed_once),
		TEST(test_nothing_is_shipped_that_is_not_counted),
		TEST(test_a_stream_that_goes_back_loses_what_is_behind),
		TEST(test_what_is_counted_and_not_posted_is_known),
		TEST(test_checkpoints_kept_lie_ever_farther_apart),
		TEST(test_counters_are_texts),
		TEST(test_what_is_not_open_is_forgotten_with_the_years),
		TEST(test_rules_are_kept_as_long_as_a_stream_has_them),
		TEST(test_a_stream_that_goes_back_is_cut_by_the_newest_rules),
		TEST(test_a_break_may_go_on_in_another_stream),
		TEST(test_a_ticket_is_durable_after_a_commit_and_wakes),
		TEST(test_a_kill_at_any_instant_loses_nothing_that_was_durable),
		TEST(test_a_second_instance_is_refused),
		TEST(test_another_schema_is_refused_and_left_alone),
		TEST(test_a_corrupt_file_is_set_aside),
		TEST(test_a_full_disk_is_said_and_recovers),
	};

	voice_level(getenv("SAY") != NULL ? VOICE_DEBUG : VOICE_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
