/*
 * The store thread: what it must not lose, and what must not pile up behind it.
 * What the tables are for is test_state.c's.
 */
#include "unit.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/state/state_internal.h"
#include "clock.h"
#include "memory.h"
#include "state.h"
#include "voice.h"

struct world {
	char dir[64];
	char *file;
};

static void
files_may_grow_to(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	memcpy(w->dir, "/tmp/towline-store-XXXXXX", sizeof("/tmp/towline-store-XXXXXX"));
	assert_non_null(mkdtemp(w->dir));
	w->file = xprintf("%s/state.db", w->dir);
	voice_open(VOICE_ERROR, "/dev/null"); /* what is said is not looked at here */
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	files_may_grow_to(RLIM_INFINITY);
	assert_int_equal(unit_remove(w->dir), 0);
	free(w->file);
	free(w);
	return 0;
}

static struct identity
id_of(unsigned n)
{
	struct identity id = { { (unsigned char)n, (unsigned char)(n >> 8), 7 } };

	return id;
}

static struct state *
opened(struct world *w)
{
	struct state *s = state_open(w->dir);

	assert_non_null(s);
	return s;
}

/* A content, in the log of its own name, which may grow. */
static void
content_make(struct state *s, unsigned n)
{
	struct identity id = id_of(n);

	state_spans(s, &(struct span_post){ id, id, NULL, { .seal = SEAL_NONE } }, 1);
}

/* Far more time than it takes. */
static bool
becomes_durable(struct state *s, state_ticket ticket)
{
	for (int i = 0; i < 2000 && state_durable(s) < ticket; i++)
		usleep(10000);
	return state_durable(s) >= ticket;
}

/* What one SQL statement answers, asked beside towline. */
static int64_t
asked(struct world *w, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *row;
	int64_t n = -1;

	assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	if (sqlite3_step(row) == SQLITE_ROW)
		n = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return n;
}

/* What the store thread is writing just now does not hide what comes behind it. */
static void
test_what_was_posted_last_is_there_after_a_close(void **state)
{
	struct world *w = *state;
	struct identity id = id_of(1);

	for (unsigned i = 1; i <= 150; i++) {
		struct state *s = opened(w);

		content_make(s, 1);
		state_break(s, &id, SIDE_STDERR, 2 * i);
		usleep(i * 37 % 3000);
		state_break(s, &id, SIDE_STDERR, 2 * i + 1);
		state_close(s);
		s = opened(w);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 2 * i, 2 * i + 1), 2 * i + 1);
		state_close(s);
	}
}

/* ---- counters */

static state_ticket
texts_post(struct state *s, unsigned from, unsigned to, const char *value)
{
	for (unsigned i = from; i < to; i++) {
		char *key = xprintf("ns/pod-%u/agent", i);

		state_text(s, slice_of(key), slice_of(value));
		free(key);
	}
	return state_counts(s);
}

/* Counters that go with those that vanish: one transaction has both, whatever their places. */
static void
test_counters_and_what_vanishes_with_them_are_one_change(void **state)
{
	struct world *w = *state;
	struct state *s = opened(w);

	for (unsigned round = 0; round < 8; round++) {
		state_ticket ticket;

		assert_true(becomes_durable(s, texts_post(s, 0, 400, "old")));
		for (unsigned i = 0; i < 400; i++) {
			char *key = xprintf("ns/pod-%u/agent", i);

			state_text(
			    s, slice_of(key), (i + round) % 3 == 0 ? SLICE("") : SLICE("new"));
			free(key);
		}
		ticket = state_counts(s);
		assert_true(becomes_durable(s, ticket));
		assert_int_equal(asked(w, "SELECT count(*) FROM counters WHERE value = 'old'"), 0);
	}
	state_close(s);
}

/* ---- files that are not as they should be */

static void
file_write(const char *path, const char *mode, long at, const char *text)
{
	FILE *f = fopen(path, mode);

	assert_non_null(f);
	fseek(f, at, SEEK_SET);
	fputs(text, f);
	fclose(f);
}

static void
test_a_damaged_page_is_found_at_the_start(void **state)
{
	struct world *w = *state;
	struct state *s = opened(w);
	struct stat st;

	for (unsigned i = 0; i < 3000; i++) {
		struct identity id = id_of(i);

		state_opened(s, &id, "/var/log/pods/a/b/0.log");
	}
	state_close(s);
	assert_int_equal(stat(w->file, &st), 0);
	for (long at = 8192; at + 4096 < st.st_size; at += 4096)
		file_write(w->file, "r+", at, "damaged damaged damaged damaged damaged damaged");
	s = opened(w);
	assert_true(state_was_set_aside(s));
	state_close(s);
}

static void
test_an_empty_file_becomes_a_store(void **state)
{
	struct world *w = *state;
	struct identity id = id_of(1);
	struct state *s;

	file_write(w->file, "w", 0, "");
	assert_int_equal(asked(w, "PRAGMA user_version"), 0);
	s = opened(w);
	assert_true(becomes_durable(s, state_break(s, &id, SIDE_STDOUT, 1)));
	state_close(s);
	assert_int_equal(asked(w, "PRAGMA user_version"), 1);
	assert_int_equal(asked(w, "SELECT count(*) FROM breaks"), 1);
}

/* ---- what is forgotten while running */

static void
ages(struct state *s, const struct identity *id)
{
	struct known *k;

	pthread_mutex_lock(&s->lock);
	k = contents_of(s, id);
	k->used -= (STATE_AGE_DAYS * 86400 + 1) * NS_PER_S;
	TAILQ_REMOVE(&s->tables->by_use, k, by_use);
	TAILQ_INSERT_HEAD(&s->tables->by_use, k, by_use);
	pthread_mutex_unlock(&s->lock);
}

/* What was posted is on disk, and then something else, with what was forgotten. */
static void
commits_pass(struct state *s)
{
	for (int i = 0; i < 2; i++) {
		state_metadata(s, SLICE("a commit"), SLICE("to have one"));
		state_text(s, SLICE("soon"), SLICE("1"));
		assert_true(becomes_durable(s, state_counts(s)));
	}
}

/* Only what has had no file for long; a log goes with its last content, its other contents stay. */
static void
test_old_contents_without_a_file_are_forgotten_while_running(void **state)
{
	enum { OLD, OPEN, YOUNG, SHARED = 10 };
	struct world *w = *state;
	struct state *s = opened(w);
	struct content_state is = { .home = id_of(99) };
	struct identity id, home[4];

	state_reader(s, "main");
	for (unsigned i = 0; i < 3; i++) {
		content_make(s, i);
		id = id_of(i);
		state_opened(s, &id, "/a");
		state_break(s, &id, SIDE_STDOUT, 5);
		state_shipped(s, &id, SIDE_STDOUT, 0, 1);
		state_spans(s,
		    &(struct span_post){
			id_of(SHARED), id_of(SHARED + i), &is, { 100 * i, 0, 100, 0 } },
		    1);
	}
	for (unsigned i = 0; i < 3; i++) {
		id = id_of(i);
		if (i != OPEN)
			state_ended(s, &id);
	}
	commits_pass(s);
	assert_int_equal(asked(w, "SELECT count(*) FROM cursors"), 3);
	for (unsigned i = 0; i < 3; i++) {
		id = id_of(i);
		if (i != YOUNG)
			ages(s, &id);
	}
	id = id_of(SHARED + 1);
	ages(s, &id);
	commits_pass(s);
	assert_false(state_find(s, &id, &is));
	assert_int_equal(state_home(s, &(struct identity){ { 99, 0, 7 } }, home, 4), 2);
	assert_true(home[0].at[0] + home[1].at[0] == SHARED + SHARED + 2);
	for (unsigned i = 0; i < 3; i++) {
		id = id_of(i);
		assert_int_equal(state_find(s, &id, &is), i != OLD);
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), i != OLD ? 5 : 0);
	}
	assert_int_equal(asked(w, "SELECT count(*) FROM contents"), 4);
	assert_int_equal(asked(w, "SELECT count(*) FROM spans"), 4);
	assert_int_equal(asked(w, "SELECT count(*) FROM breaks"), 2);
	assert_int_equal(asked(w, "SELECT count(*) FROM cursors"), 2);
	id = id_of(OLD); /* it may come again */
	content_make(s, OLD);
	assert_true(becomes_durable(s, state_break(s, &id, SIDE_STDOUT, 7)));
	assert_int_equal(asked(w, "SELECT count(*) FROM contents"), 5);
	state_close(s);
}

static void
test_many_are_forgotten_in_parts(void **state)
{
	struct world *w = *state;
	struct state *s = opened(w);

	for (unsigned i = 0; i < FORGET_MOST + 10; i++) {
		struct identity id = id_of(i);

		state_size(s, &id, 1);
	}
	commits_pass(s);
	for (unsigned i = 0; i < FORGET_MOST + 10; i++) {
		struct identity id = id_of(i);

		ages(s, &id);
	}
	commits_pass(s);
	commits_pass(s);
	assert_int_equal(asked(w, "SELECT count(*) FROM contents"), 0);
	state_close(s);
}

/* ---- what is forgotten as there is more than may be remembered */

/* ${n} contents that were used one after the other; each ${open}-th has its file. */
static void
contents_make(struct state *s, unsigned n, unsigned open)
{
	for (unsigned i = 0; i < n; i++) {
		struct identity id = id_of(i);

		state_opened(s, &id, "/a");
		if (i % open != 0)
			state_ended(s, &id);
	}
}

static size_t
remembered(struct state *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = map_count(s->tables->contents);
	pthread_mutex_unlock(&s->lock);
	return n;
}

static void
test_no_more_are_remembered_than_were_allowed(void **state)
{
	struct world *w = *state;
	struct state *s = opened(w);
	struct identity id;
	struct content_state is;
	int64_t to;

	state_most(s, 1600);
	contents_make(s, 1600, 5);
	commits_pass(s);
	assert_int_equal(remembered(s), 1600);
	assert_true(state_forgotten(s) == 0 && state_forgotten_to(s) == 0);
	for (unsigned i = 0; i < 101; i++) {
		id = id_of(2000 + i);
		state_opened(s, &id, "/new");
	}
	for (int i = 0; i < 2000 && (remembered(s) > 1600 || state_forgotten(s) < 101); i++)
		usleep(10000); /* nobody says that a time has passed */
	assert_int_equal(remembered(s), 1600);
	assert_int_equal(state_forgotten(s), 101);
	to = state_forgotten_to(s);
	assert_true(to > 0);
	for (unsigned i = 0; i < 1600; i++) {
		id = id_of(i);
		/* 101 of four in five: those with a file stay, however old. */
		assert_int_equal(state_find(s, &id, &is), i % 5 == 0 || i > 126);
	}
	state_close(s);
	assert_int_equal(asked(w, "SELECT count(*) FROM contents"), 1600);
	s = opened(w);
	assert_int_equal(state_forgotten_to(s), to);
	state_close(s);
}

static void
test_what_was_forgotten_for_its_age_is_noted(void **state)
{
	struct world *w = *state;
	struct state *s = opened(w);
	int64_t now = clock_wall();

	contents_make(s, 10, 5);
	state_close(s);
	asked(w, "UPDATE contents SET touched = touched - 2592000000000001 WHERE NOT open");
	s = opened(w);
	assert_true(state_forgotten_to(s) > 0);
	assert_true(state_forgotten_to(s) < now - (int64_t)STATE_AGE_DAYS * 86399 * NS_PER_S);
	assert_int_equal(remembered(s), 2);
	state_close(s);
}

/* ---- a disk that is full */

static bool
becomes_unready(struct state *s)
{
	char why[300];

	for (int i = 0; i < 2000; i++) {
		if (!state_ready(s, why, sizeof(why)))
			return true;
		usleep(10000);
	}
	return false;
}

static size_t
kept_for_later(struct state *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->next.nargs;
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* Tried again and again, nothing piles up; once there is room all of it is stored. */
static void
test_a_full_disk_delays_tickets_and_recovers_by_itself(void **state)
{
	struct world *w = *state;
	struct identity id = id_of(1);
	struct state *s = opened(w);
	struct cursors at[SIDES];
	state_ticket ticket;

	content_make(s, 1);
	state_reader(s, "main");
	assert_true(becomes_durable(s, state_break(s, &id, SIDE_STDOUT, 10)));
	files_may_grow_to(4096);
	ticket = state_break(s, &id, SIDE_STDOUT, 20);
	state_shipped(s, &id, SIDE_STDERR, 0, 77);
	state_counted(s, &id, SIDE_STDERR, 77);
	state_text(s, SLICE("key"), SLICE("value"));
	state_counts(s);
	assert_true(becomes_unready(s));
	for (uint64_t i = 0; i < 7; i++) { /* three more tries */
		state_shipped(s, &id, SIDE_STDERR, 0, 70 + i);
		usleep(500000);
	}
	assert_true(state_durable(s) < ticket);
	assert_true(state_stale(s) > 3 * NS_PER_S);
	assert_int_equal(state_breaks(s, &id), 2);
	assert_true(kept_for_later(s) < 8);
	files_may_grow_to(RLIM_INFINITY);
	assert_true(becomes_durable(s, ticket));
	assert_int_equal(state_stale(s), 0);
	assert_int_equal(asked(w, "SELECT count(*) FROM breaks"), 2);
	assert_int_equal(asked(w, "SELECT count(*) FROM counters WHERE value = 'value'"), 1);
	state_close(s);
	s = opened(w);
	assert_true(state_cursors(s, &id, 0, at));
	assert_int_equal(at[SIDE_STDERR].counted, 77);
	assert_int_equal(at[SIDE_STDERR].shipped, 76);
	state_close(s);
}

/* What failed, and what came after it, are two transactions: a close writes both. */
static void
test_a_close_writes_what_failed_and_what_came_after(void **state)
{
	struct world *w = *state;
	struct identity id = id_of(1);
	struct state *s = opened(w);

	content_make(s, 1);
	assert_true(becomes_durable(s, state_break(s, &id, SIDE_STDOUT, 10)));
	files_may_grow_to(4096);
	state_break(s, &id, SIDE_STDOUT, 20);
	assert_true(becomes_unready(s));
	state_break(s, &id, SIDE_STDOUT, 30);
	state_unbreak(s, &id, SIDE_STDOUT, 10);
	files_may_grow_to(RLIM_INFINITY);
	state_close(s);
	s = opened(w);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 100), 20);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 20, 100), 30);
	state_close(s);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_posted_last_is_there_after_a_close),
		TEST(test_counters_and_what_vanishes_with_them_are_one_change),
		TEST(test_a_damaged_page_is_found_at_the_start),
		TEST(test_an_empty_file_becomes_a_store),
		TEST(test_old_contents_without_a_file_are_forgotten_while_running),
		TEST(test_many_are_forgotten_in_parts),
		TEST(test_no_more_are_remembered_than_were_allowed),
		TEST(test_what_was_forgotten_for_its_age_is_noted),
		TEST(test_a_full_disk_delays_tickets_and_recovers_by_itself),
		TEST(test_a_close_writes_what_failed_and_what_came_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
