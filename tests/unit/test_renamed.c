/*
 * A Path that finds rotated files, too, by names that no rotation is known to
 * make: each is what it is by its content, is read once, and holds up nothing.
 */
#include "tail_rig.h"

/* Plain files, in the directory of the pod's: their names are no container's. */
static void
path_is(struct world *w, const char *glob)
{
	free(w->path);
	w->path = xprintf("%s/pods/" POD "/agent/%s", w->dir, glob);
}

static void
restart(struct world *w)
{
	tail_free(w->tail);
	start(w);
}

/* Other records would be wrong. */
static void
assert_ends(struct world *w, const char *want)
{
	turn_ms(w, 500);
	assert_got(w, want);
}

static void
test_the_new_file_is_read_when_a_path_finds_the_old_one_as_well(void **state)
{
	struct world *w = *state;
	char *old = xprintf("%s/pods/" POD "/agent/app.log", w->dir);
	int writer;

	w->conf.rotate_wait = 60 * NS_PER_S; /* the new file waits for the writer's end */
	path_is(w, "*app.log");
	put_line(w, "app.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	writer = open(old, O_WRONLY | O_APPEND);
	in_logs(w, "mv app.log old-app.log");
	put_line(w, "app.log", AT(3) "stdout F three\n");
	turn_ms(w, 100);
	assert_int_equal(write(writer, AT(2) "stdout F two\n", strlen(AT(2) "stdout F two\n")),
	    strlen(AT(2) "stdout F two\n"));
	close(writer);
	turn_until(w, 3);
	assert_ends(w, "0:one|0:two|0:three|");
	free(old);
}

static void
test_each_rotation_overwrites_the_file_of_the_one_before(void **state)
{
	struct world *w = *state;

	path_is(w, "*");
	put_line(w, "app.log", AT(1) "stdout F 1\n");
	start(w);
	turn_until(w, 1);
	for (unsigned i = 2; i < 6; i++) {
		char *line = xprintf(AT(1) "stdout F %u\n", i);

		in_logs(w, "mv app.log app-prev.log");
		put_line(w, "app.log", line);
		turn_until(w, i);
		if (i % 2)
			restart(w);
		free(line);
	}
	assert_ends(w, "0:1|0:2|0:3|0:4|0:5|");
}

static void
test_a_file_renamed_while_nothing_ran_is_read_on(void **state)
{
	struct world *w = *state;

	path_is(w, "*app.log");
	put_line(w, "app.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	put_line(w, "app.log", AT(2) "stdout F ERROR two\n");
	in_logs(w, "mv app.log old-app.log");
	put_line(w, "app.log", AT(3) "stdout F three\n");
	restart(w);
	turn_until(w, 3);
	put_line(w, "old-app.log", AT(4) "stdout F late\n");
	turn_until(w, 4);
	restart(w);
	put_line(w, "old-app.log", AT(4) "stdout F later\n");
	turn_until(w, 5);
	assert_ends(w, "0:one|0:ERROR two|0:three|0:late|0:later|");
}

static void
test_lines_without_a_time_are_known_by_what_was_read_of_them(void **state)
{
	struct world *w = *state;
	static char json[] = "json";

	w->conf.parser = json;
	path_is(w, "*app.log");
	put_line(w, "app.log", "one\ntwo\n");
	start(w);
	turn_until(w, 2);
	put_line(w, "app.log", "three\n");
	in_logs(w, "mv app.log old-app.log");
	put_line(w, "app.log", "four\n");
	restart(w);
	turn_until(w, 4);
	assert_ends(w, "0:one|0:two|0:three|0:four|");
}

/* A file system gives an inode again: what it had, and has no more, is no content of it. */
static void
test_another_file_in_an_inode_that_was_read_is_another_log(void **state)
{
	struct world *w = *state;
	static char json[] = "json";

	w->conf.parser = json;
	path_is(w, "*app.log");
	put_line(w, "app.log", "banner\none\n");
	start(w);
	turn_until(w, 2);
	tail_free(w->tail);
	in_logs(w,
	    "mv app.log new-app.log && : > new-app.log && "
	    "printf 'banner\\ntwo and more\\n' >> new-app.log && printf 'three\\n' > app.log");
	start(w);
	turn_until(w, 5);
	turn_ms(w, 500);
	assert_int_equal(w->records, 5);
	assert_non_null(strstr(w->got.at, "0:banner|0:two and more|"));
	assert_non_null(strstr(w->got.at, "0:three|"));
}

static void
test_a_gz_beside_a_renamed_file_is_that_file(void **state)
{
	struct world *w = *state;

	path_is(w, "*");
	put_line(w, "app.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	in_logs(w, "mv app.log old-app.log");
	put_line(w, "app.log", AT(2) "stdout F two\n");
	turn_until(w, 2);
	in_logs(w, "gzip -k old-app.log");
	turn_ms(w, 300);
	in_logs(w, "rm old-app.log");
	turn_ms(w, 300);
	restart(w);
	put_line(w, "app.log", AT(3) "stdout F three\n");
	turn_until(w, 3);
	assert_ends(w, "0:one|0:two|0:three|");
}

/* … and its lines that were not read are. */
static void
test_a_file_renamed_and_compressed_while_nothing_ran_is_read_on(void **state)
{
	struct world *w = *state;

	path_is(w, "*");
	put_line(w, "app.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	tail_free(w->tail);
	put_line(w, "app.log", AT(2) "stdout F two\n");
	in_logs(w, "mv app.log old-app.log && gzip old-app.log");
	put_line(w, "app.log", AT(3) "stdout F three\n");
	start(w);
	turn_until(w, 3);
	assert_ends(w, "0:one|0:two|0:three|");
}

static void
test_a_gz_that_is_found_before_its_plain_file_is_that_file(void **state)
{
	struct world *w = *state;

	path_is(w, "*");
	put_line(w, "old-app.log", AT(1) "stdout F one\n" AT(2) "stdout F two\n");
	in_logs(w, "gzip old-app.log");
	start(w);
	turn_until(w, 2);
	in_logs(w, "zcat old-app.log.gz > old-app.log");
	assert_ends(w, "0:one|0:two|");
	in_logs(w, "rm old-app.log.gz");
	restart(w);
	assert_ends(w, "0:one|0:two|");
}

/* It waits for the file before it, and is not in the state yet. */
static void
test_a_file_that_waits_is_renamed_and_compressed_between_two_looks(void **state)
{
	struct world *w = *state;

	path_is(w, "*");
	put_line(w, "app.log", AT(1) "stdout F {}\n");
	w->refuse = UINT32_MAX;
	start(w);
	turn_ms(w, 100);
	in_logs(w, "mv app.log old1-app.log");
	put_line(w, "app.log", AT(2) "stdout F two\n");
	turn_ms(w, 300);
	in_logs(w, "mv app.log old2-app.log && gzip old2-app.log");
	put_line(w, "app.log", AT(3) "stdout F three\n");
	turn_ms(w, 300);
	w->refuse = 0;
	turn_until(w, 3);
	assert_ends(w, "0:{}|0:two|0:three|");
}

/* Its checksum is not there yet. */
static void
test_a_gz_that_is_being_made_has_lost_nothing(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	w->conf.rotate_wait = 20 * NS_PER_MS;
	path_is(w, "0.log*");
	put_line(w, "0.log", AT(1) "stdout F {1}\n");
	start(w);
	turn_until(w, 1);
	in_logs(w, "mv 0.log 0.log.1");
	put_line(w, "0.log", AT(2) "stdout F {2}\n");
	turn_until(w, 2);
	turn_ms(w, 300);
	in_logs(w, "gzip -c 0.log.1 > all && head -c -6 all > 0.log.1.gz && rm all");
	assert_ends(w, "0:{1}|0:{2}|");
	turn_ms(w, 1000);
	assert_int_equal(lost_bytes(), before);
}

/* Its new name says nothing: it keeps its place before the one that waits behind it. */
static void
test_a_file_that_waits_is_compressed_before_the_one_behind_it(void **state)
{
	struct world *w = *state;
	static const char *const rest[] = { "two", "three", "four" };

	path_is(w, "*");
	put_line(w, "app.log", AT(1) "stdout F {}\n");
	w->refuse = UINT32_MAX;
	start(w);
	turn_ms(w, 100);
	for (int i = 0; i < 3; i++) {
		char *line = xprintf(AT(2) "stdout F %s\n", rest[i]);
		char *command = xprintf("mv app.log old%d-app.log", i);

		in_logs(w, command);
		put_line(w, "app.log", line);
		turn_ms(w, 300);
		free(command);
		free(line);
	}
	in_logs(w, "gzip old1-app.log");
	turn_ms(w, 300);
	w->refuse = 0;
	turn_until(w, 4);
	assert_ends(w, "0:{}|0:two|0:three|0:four|");
}

/* Until a line is in it nothing says whose it is. */
static void
test_a_gz_that_is_empty_yet_is_left_alone_beside_its_file(void **state)
{
	struct world *w = *state;
	char *gz = xprintf("%s/pods/" POD "/agent/old-app.log.gz", w->dir);
	int writer;

	path_is(w, "*");
	put_line(w, "app.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	in_logs(w, "mv app.log old-app.log");
	put_line(w, "app.log", AT(2) "stdout F two\n");
	turn_until(w, 2);
	turn_ms(w, 100);
	writer = open(gz, O_WRONLY | O_CREAT, 0644);
	turn_ms(w, 500);
	in_logs(w, "gzip -c old-app.log > old-app.log.gz");
	turn_ms(w, 300);
	close(writer);
	in_logs(w, "rm old-app.log");
	assert_ends(w, "0:one|0:two|");
	free(gz);
}

/* A start may fall between the two steps of a container's rotation. */
static void
test_a_container_s_rotated_file_is_of_its_log_before_there_is_a_live_one(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	path_is(w, "0.log*");
	put_line(w, "0.log.20260101-000000", AT(1) "stdout F ERROR x\n");
	start(w);
	turn_ms(w, 100);
	put_line(w, "0.log", AT(2) "stdout F \tat a\n" AT(2) "stdout F {}\n");
	put_line(w, "0.log", AT(2) "stdout F {}\n");
	turn_until(w, 3);
	assert_got(w, "0:ERROR x\n\tat a|0:{}|0:{}|");
}

static bool
on_path(void *arg, const struct framed *f)
{
	struct world *w = arg;

	assert_string_equal(strrchr(record_path(f), '/'), "/app.log");
	return on_record(w, f);
}

static void
test_a_log_has_the_path_of_its_live_file_whichever_is_found_first(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	path_is(w, "app.log*");
	for (char name[] = "app.log.1"; name[8] < '9'; name[8]++)
		put_line(w, name, AT(1) "stdout F {}\n");
	put_line(w, "app.log", AT(2) "stdout F {}\n");
	w->tail = tail_make(conf, w->state, w->book, on_path, NULL, on_stream, w);
	turn_until(w, 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_new_file_is_read_when_a_path_finds_the_old_one_as_well),
		TEST(test_each_rotation_overwrites_the_file_of_the_one_before),
		TEST(test_a_file_renamed_while_nothing_ran_is_read_on),
		TEST(test_lines_without_a_time_are_known_by_what_was_read_of_them),
		TEST(test_another_file_in_an_inode_that_was_read_is_another_log),
		TEST(test_a_gz_beside_a_renamed_file_is_that_file),
		TEST(test_a_file_renamed_and_compressed_while_nothing_ran_is_read_on),
		TEST(test_a_gz_that_is_found_before_its_plain_file_is_that_file),
		TEST(test_a_gz_that_is_being_made_has_lost_nothing),
		TEST(test_a_file_that_waits_is_renamed_and_compressed_between_two_looks),
		TEST(test_a_file_that_waits_is_compressed_before_the_one_behind_it),
		TEST(test_a_gz_that_is_empty_yet_is_left_alone_beside_its_file),
		TEST(test_a_container_s_rotated_file_is_of_its_log_before_there_is_a_live_one),
		TEST(test_a_log_has_the_path_of_its_live_file_whichever_is_found_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
