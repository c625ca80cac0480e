/* Turns that take long, as on a busy machine, on a clock of our own. */
#include "own_clock.h"
#include "tail_rig.h"

#include <dlfcn.h>
#include <zlib.h>

#include "metrics.h"

/* What zlib has made of all .gz. */
static uint64_t inflated;

int inflate(z_streamp z, int flush);

int
inflate(z_streamp z, int flush)
{
	static int (*real)(z_streamp, int);
	uLong before = z->avail_out;
	int said;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "inflate");
	said = real(z, flush);
	inflated += before - z->avail_out;
	return said;
}

#define LINE_AT(ms) "2026-11-22T08:00:00." ms "Z stdout F "
#define OTHER "ns_matillion-agent-2_uid-2"

static void
put(const struct world *w, const char *pod, const char *bytes)
{
	char *path = xprintf("%s/pods/%s/agent/0.log", w->dir, pod);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	close(fd);
	free(path);
}

/* While the first file is read time passes, and the other one's agent fails. */
static bool
on_slow_record(void *arg, const struct framed *f)
{
	struct world *w = arg;

	if (w->records == 0) {
		now_ns += 450 * NS_PER_MS;
		put(w, strstr(record_path(f), "agent-1_") != NULL ? OTHER : POD,
		    LINE_AT("010") "ERROR boom\n");
	}
	return on_record(arg, f);
}

static void
test_a_long_turn_does_not_age_what_it_reads(void **state)
{
	static const char lines[] = LINE_AT("000") "INFO slow\n" LINE_AT("001") "INFO end\n";
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	shell("mkdir %s/pods/" OTHER " %s/pods/" OTHER "/agent && ln -s %s/pods/" OTHER
	      "/agent/0.log %s/containers/matillion-agent-2_ns_agent-x.log",
	    w->dir, w->dir, w->dir, w->dir);
	put(w, POD, lines);
	put(w, OTHER, lines);
	w->conf.flush = 500;
	w->tail = tail_make(conf, w->state, w->book, on_slow_record, NULL, on_stream, w);
	while (w->records < 3)
		tail_turn(w->tail, 1);
	now_ns += 100 * NS_PER_MS;
	tail_turn(w->tail, 1);
	put(w, POD, LINE_AT("097") "\tat a.b(C)\n");
	put(w, OTHER, LINE_AT("097") "\tat a.b(C)\n");
	for (int i = 0; i < 10; i++) {
		now_ns += 200 * NS_PER_MS;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	buffer_put(&w->got, (struct slice){ "", 1 });
	assert_non_null(strstr(w->got.at, "ERROR boom\n\tat a.b(C)|"));
}

/* Its end is set ten Rotate_Wait after the next file had a line; what comes then is late. */
static void
test_a_rotated_file_that_is_written_to_for_ever_holds_up_the_next_for_ten_waits(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;
	static const char late[] = LINE_AT("001") "{late}\n";
	char *old = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	char *new = xprintf("%s.20260101-000000", old);
	unsigned written = 0;
	int64_t began;
	int writer;

	put(w, POD, LINE_AT("000") "{first}\n");
	w->tail = tail_make(conf, w->state, w->book, on_record, NULL, on_stream, w);
	tail_turn(w->tail, 1);
	writer = open(old, O_WRONLY | O_APPEND);
	assert_int_equal(rename(old, new), 0);
	put(w, POD, LINE_AT("002") "{next}\n");
	began = now_ns;
	while (memmem(w->got.at, w->got.len, "{next}", 6) == NULL) {
		assert_true(now_ns - began < 11 * conf->rotate_wait);
		now_ns += conf->rotate_wait / 4;
		assert_int_equal(write(writer, late, sizeof(late) - 1), sizeof(late) - 1);
		written++;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	assert_true(now_ns - began > 9 * conf->rotate_wait);
	close(writer);
	for (int i = 0; i < 50; i++) {
		now_ns += conf->rotate_wait;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	assert_int_equal(w->records, 2 + written);
	free(old);
	free(new);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A line without an end, 64 MiB of a hole, is passed over a budget a turn; then the next one comes. */
static void
test_a_line_without_an_end_holds_up_nothing(void **state)
{
	struct world *w = *state;
	uint64_t before, most = 0, turns = 0;

	put(w, POD, LINE_AT("000") "INFO first\n" LINE_AT("001"));
	in_logs(w, "truncate -s 64M 0.log");
	start(w);
	do {
		before = metrics.read_bytes;
		tail_turn(w->tail, 1);
		most = metrics.read_bytes - before > most ? metrics.read_bytes - before : most;
		turns++;
	} while (metrics.read_bytes != before && turns < 1000);
	assert_in_range(most, 1, 4u << 20);
	assert_in_range(turns, 20, 200);
	put(w, POD, "\n" LINE_AT("002") "INFO last\n");
	for (int i = 0; i < 20 && w->records < 3; i++) {
		now_ns += 200 * NS_PER_MS;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	assert_int_equal(w->records, 3);
	buffer_put(&w->got, (struct slice){ "", 1 });
	assert_true(strncmp(w->got.at, "0:INFO first|0:", 15) == 0);
	assert_true(
	    slice_ends((struct slice){ w->got.at, w->got.len - 1 }, SLICE("~|0:INFO last|")));
}

/* Turn until so many records have come; return the most that was inflated in one turn. */
static uint64_t
inflate_until(struct world *w, unsigned records)
{
	uint64_t most = 0;

	for (int i = 0; i < 500 && w->records < records; i++) {
		uint64_t before = inflated;

		now_ns += 10 * NS_PER_MS;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
		most = inflated - before > most ? inflated - before : most;
	}
	assert_true(w->records >= records);
	return most;
}

/* A .gz of 64 MiB of NULs is inflated once, a budget a turn. */
static void
test_a_gz_of_nuls_holds_up_nothing(void **state)
{
	struct world *w = *state;
	uint64_t nuls = metrics.nul_bytes;

	in_logs(w,
	    "(echo '" AT(0) "stdout F {first}'; head -c 64M /dev/zero; "
			    "echo '" AT(1) "stdout F {last}') | gzip > 0.log.20260101-000000.gz");
	put(w, POD, LINE_AT("002") "{live}\n");
	start(w);
	inflated = 0;
	assert_in_range(inflate_until(w, 3), 1u << 20, 4u << 20);
	assert_in_range(inflated, 64u << 20, 70u << 20);
	assert_int_equal(metrics.nul_bytes - nuls, 64u << 20);
	assert_got(w, "0:{first}|0:{last}|0:{live}|");
}

/* Of a long line in a .gz its end is found first; then its beginning is inflated again, once. */
static void
test_a_long_line_in_a_gz_is_inflated_thrice_at_most(void **state)
{
	struct world *w = *state;

	in_logs(w, "(echo '" AT(0) "stdout F {first}'; printf '" AT(
		       1) "stdout F '; "
			  "head -c 64M /dev/zero | tr '\\0' x; echo; "
			  "echo '" AT(2) "stdout F {last}') | gzip -1 > 0.log.20260101-000000.gz");
	put(w, POD, LINE_AT("003") "{live}\n");
	start(w);
	inflated = 0;
	assert_in_range(inflate_until(w, 4), 1u << 20, 12u << 20);
	assert_in_range(inflated, 64u << 20, 3u * (65u << 20));
	assert_int_equal(w->records, 4);
}

/* What a file system keeps as a hole is passed in one step; the line before it does not wait. */
static void
test_a_hole_of_a_terabyte_is_passed_at_once(void **state)
{
	struct world *w = *state;

	put(w, POD, LINE_AT("000") "INFO first\n");
	in_logs(w, "truncate -s 1T 0.log");
	start(w);
	for (int i = 0; i < 40 && w->records < 1; i++) {
		now_ns += 100 * NS_PER_MS;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	assert_got(w, "0:INFO first|");
	put(w, POD, LINE_AT("002") "{last}\n");
	for (int i = 0; i < 40 && w->records < 2; i++) {
		now_ns += 100 * NS_PER_MS;
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	assert_got(w, "0:INFO first|0:{last}|");
}

/* To go on far in a .gz, its start is inflated again, a budget a turn. */
static void
test_going_on_far_in_a_gz_holds_up_nothing(void **state)
{
	struct world *w = *state;
	struct tail_figures figures;

	in_logs(w,
	    "(echo '" AT(
		0) "stdout F {first}'; head -c 64M /dev/zero; "
		   "echo '" AT(
		       1) "stdout F {second}'; "
			  "echo '" AT(
			      2) "stdout F {third}'; head -c 8M /dev/zero; "
				 "echo '" AT(
				     3) "stdout F {fourth}') | gzip > 0.log.20260101-000000.gz");
	put(w, POD, LINE_AT("004") "{live}\n");
	start(w);
	inflate_until(w, 2);
	tail_figures(w->tail, &figures); /* the silent side's cursor follows */
	tail_free(w->tail);
	start(w);
	inflated = 0;
	assert_in_range(inflate_until(w, 5), 1u << 20, 12u << 20);
	assert_in_range(inflated, 72u << 20, 76u << 20);
	assert_got(w, "0:{first}|0:{second}|0:{third}|0:{fourth}|0:{live}|");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_long_turn_does_not_age_what_it_reads),
		TEST(test_a_line_without_an_end_holds_up_nothing),
		TEST(test_a_gz_of_nuls_holds_up_nothing),
		TEST(test_a_long_line_in_a_gz_is_inflated_thrice_at_most),
		TEST(test_a_hole_of_a_terabyte_is_passed_at_once),
		TEST(test_going_on_far_in_a_gz_holds_up_nothing),
		TEST(
		    test_a_rotated_file_that_is_written_to_for_ever_holds_up_the_next_for_ten_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
