/*
 * Stores of before: each version of the schema as it was released, made here
 * with something in every table, is opened, and all of it is kept.
 */
#include "unit.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "state.h"
#include "voice.h"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/towline-migrate-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	return unit_remove(dir);
}

/* What is in them; an id is 16 bytes, a checkpoint or a ruling numbers of 8 bytes. */
#define ID "X'6F6E6500000000000000000000000000'"
#define NEXT "X'74776F00000000000000000000000000'"
#define BASE "X'62617365000000000000000000000000'"
#define CHECKS "X'64000000000000000700000000000000'"
#define RULING "X'000000000000000009000000000000000100000000000000'"
#define COUNTERS                                                                                   \
	"CREATE TABLE counters (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"         \
	"INSERT INTO counters VALUES ('towline', '{\"records\":7}');"
#define MACHINE "CREATE TABLE machine (boot TEXT NOT NULL); INSERT INTO machine VALUES ('another');"
#define RULES                                                                                      \
	"CREATE TABLE rules (name INTEGER PRIMARY KEY, text TEXT NOT NULL);"                       \
	"INSERT INTO rules VALUES (9, 'framing=1');"
#define BREAKS                                                                                     \
	"CREATE TABLE breaks (id BLOB, side INTEGER, end INTEGER,"                                 \
	" PRIMARY KEY (id, side, end)) WITHOUT ROWID;"                                             \
	"INSERT INTO breaks VALUES (" ID ", 0, 110);"
#define STREAMS(more, values)                                                                      \
	"CREATE TABLE streams (id BLOB PRIMARY KEY, path TEXT,"                                    \
	" shipped0 INTEGER NOT NULL, counted0 INTEGER NOT NULL,"                                   \
	" shipped1 INTEGER NOT NULL, counted1 INTEGER NOT NULL,"                                   \
	" generation INTEGER NOT NULL, size INTEGER NOT NULL, first_seen INTEGER NOT NULL,"        \
	" touched INTEGER NOT NULL, open INTEGER NOT NULL, checkpoints BLOB" more                  \
	") WITHOUT ROWID;"                                                                         \
	"INSERT INTO streams (id, path, shipped0, counted0, shipped1, counted1, generation,"       \
	" size, first_seen, touched, open, checkpoints" values

#define FRAMED ", sealed INTEGER NOT NULL DEFAULT 0, rules INTEGER NOT NULL DEFAULT 0"
#define STREAM ID ", '/var/log/a', 100, 120, 50, 60, 3, 130, 10, 11, 1, " CHECKS

static const struct {
	int version;
	const char *sql;
	bool base, rulings, goes_on; /* what it knows */
} stores[] = {
	{ 1, STREAMS(FRAMED, ") VALUES (" STREAM ");") BREAKS COUNTERS, false, false, false },
	{ 2,
	    STREAMS(FRAMED ", base BLOB", ", base) VALUES (" STREAM "," BASE ");")
		BREAKS COUNTERS MACHINE,
	    true, false, false },
	{ 3,
	    STREAMS(", base BLOB, rulings BLOB", ", base, rulings) VALUES (" STREAM "," BASE
						 "," RULING ");") BREAKS COUNTERS MACHINE RULES,
	    true, true, false },
	{ 4,
	    STREAMS(", base BLOB, rulings BLOB", ", base, rulings) VALUES (" STREAM "," BASE
						 "," RULING ");") BREAKS COUNTERS MACHINE RULES
	    "ALTER TABLE breaks ADD COLUMN next BLOB; UPDATE breaks SET next = " NEXT ";",
	    true, true, true },
	{ 5,
	    STREAMS(", base BLOB, rulings BLOB", ", base, rulings) VALUES (" STREAM "," BASE
						 "," RULING ");") BREAKS COUNTERS MACHINE RULES
	    "ALTER TABLE breaks ADD COLUMN next BLOB; UPDATE breaks SET next = " NEXT ";"
	    "CREATE TABLE forgotten (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);"
	    "INSERT INTO forgotten VALUES (1, 5);",
	    true, true, true },
	{ 6,
	    STREAMS(", base BLOB, rulings BLOB", ", base, rulings) VALUES (" STREAM "," BASE
						 "," RULING ");") BREAKS COUNTERS MACHINE RULES
	    "ALTER TABLE breaks ADD COLUMN next BLOB; UPDATE breaks SET next = " NEXT ";"
	    "CREATE TABLE forgotten (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);"
	    "INSERT INTO forgotten VALUES (1, 5);"
	    "CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	    "INSERT INTO metadata VALUES ('pod/u', '{}');",
	    true, true, true },
};

static int64_t
run(const char *sql)
{
	char *path = xprintf("%s/state.db", dir);
	sqlite3_stmt *row;
	int64_t n = -1;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	while (*sql != '\0') {
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, &sql), SQLITE_OK);
		if (sqlite3_step(row) == SQLITE_ROW)
			n = sqlite3_column_int64(row, 0);
		assert_int_equal(sqlite3_finalize(row), SQLITE_OK);
	}
	sqlite3_close(db);
	free(path);
	return n;
}

static unsigned texts;

static void
text_is(void *arg, struct slice key, struct slice value)
{
	(void)arg;
	assert_true(slice_eq(key, SLICE("towline")) && slice_eq(value, SLICE("{\"records\":7}")));
	texts++;
}

static void
path_is(void *arg, const struct identity *id, const char *path, bool open,
    const struct stream_state *is)
{
	(void)arg;
	(void)id;
	(void)open;
	(void)is;
	assert_string_equal(path, "/var/log/a");
}

/* All that the version ${i} of the table knew. */
static void
assert_kept(struct state *s, size_t i)
{
	static const struct identity id = { "one" }, base = { "base" };
	struct checkpoint checks[CHECKPOINTS];
	struct stream_state is;
	struct identity next;
	uint64_t generation;

	assert_true(state_find(s, &id, &is));
	assert_true(is.side[SIDE_STDOUT].shipped == 100 && is.side[SIDE_STDOUT].counted == 120);
	assert_true(is.side[SIDE_STDERR].shipped == 50 && is.side[SIDE_STDERR].counted == 60);
	assert_true(is.generation == 3 && is.size == 130 && is.first_seen == 10);
	assert_int_equal(state_checkpoints(s, &id, checks), 1);
	assert_true(checks[0].offset == 100 && checks[0].hash == 7);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 100, 200), 110);
	assert_int_equal(state_goes_on(s, &id, SIDE_STDOUT, 110, &next), stores[i].goes_on);
	assert_int_equal(state_generations(s, &base, &generation, 1), stores[i].base);
	assert_int_equal(is.nrulings, stores[i].rulings);
	if (stores[i].rulings) {
		assert_true(is.rulings[0].rules == 9 && is.rulings[0].settled == 1);
		assert_string_equal(state_rules_text(s, 9), "framing=1");
	}
	assert_int_equal(state_rebooted(s), stores[i].version >= 2);
	assert_int_equal(state_forgotten_to(s), stores[i].version >= 5 ? 5 : 0);
	texts = 0;
	state_texts(s, text_is, NULL);
	assert_int_equal(texts, 1);
	state_each(s, path_is, NULL);
}

/* The version that a new store has. */
static int64_t
newest(void)
{
	state_close(state_open(dir));
	return run("PRAGMA user_version");
}

static void
test_a_store_of_each_version_is_brought_up_and_keeps_all(void **state)
{
	int64_t now = newest();

	(void)state;
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		char *version = xprintf("PRAGMA user_version = %d", stores[i].version);
		struct state *s;

		unit_remove(dir);
		assert_int_equal(mkdir(dir, 0700), 0);
		run(stores[i].sql);
		run(version);
		free(version);
		s = state_open(dir);
		assert_non_null(s);
		assert_false(state_was_set_aside(s));
		assert_kept(s, i);
		state_close(s);
		assert_int_equal(run("PRAGMA user_version"), now);
		assert_int_equal(run("SELECT count(*) FROM streams"), 1);
	}
}

/* A version more than there are here: whoever adds one adds its store above. */
static void
test_the_newest_version_is_among_them(void **state)
{
	(void)state;
	assert_int_equal(newest(), stores[sizeof(stores) / sizeof(stores[0]) - 1].version);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_store_of_each_version_is_brought_up_and_keeps_all),
		TEST(test_the_newest_version_is_among_them),
	};

	voice_level(getenv("SAY") != NULL ? VOICE_DEBUG : VOICE_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
