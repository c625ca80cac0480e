/*
 * A log is copied and truncated, or renamed, between two steps of its reader: while
 * or after its directory is listed and before its file is named, or between two turns.
 */
#include "tail_rig.h"

#include <dirent.h>
#include <dlfcn.h>

static const char *moves;   /* a command of the shell, once a directory was listed; … */
static const char *renames; /* … once its names were read, and before one is given */
static struct world *moved;

int closedir(DIR *names);
struct dirent *readdir(DIR *names);

/* Of the directory of the files, and not of the links. */
static void
moves_make(DIR *names, const char **command)
{
	char *link = xprintf("/proc/self/fd/%d", dirfd(names)), *path = realpath(link, NULL);
	const char *now = *command;

	if (now != NULL && path != NULL && slice_ends(slice_of(path), SLICE("/agent"))) {
		*command = NULL;
		in_logs(moved, now);
	}
	free(link);
	free(path);
}

int
closedir(DIR *names)
{
	static int (*call)(DIR *);

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "closedir");
	moves_make(names, &moves);
	return call(names);
}

struct dirent *
readdir(DIR *names)
{
	static struct dirent *(*call)(DIR *);
	struct dirent *e;

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "readdir");
	e = call(names);
	moves_make(names, &renames);
	return e;
}

static void
restart(struct world *w)
{
	tail_free(w->tail);
	start(w);
}

/* What comes now is seen, and not taken. */
static void
turn_refused(struct world *w)
{
	struct tail_figures figures;

	w->refuse = UINT32_MAX;
	turn_ms(w, 100);
	w->refuse = w->refused = 0;
	tail_figures(w->tail, &figures); /* its size is stored */
}

#define COPY "cp 0.log 0.log.1 && : > 0.log && "

static void
test_a_known_file_is_copied_before_it_is_named_again(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	put_line(w, "0.log", AT(2) "stdout F two\n");
	turn_refused(w);
	moves = COPY "echo '" AT(3) "stdout F three' >> 0.log";
	moved = w;
	restart(w);
	turn_until(w, 3);
	assert_null(moves);
	assert_got(w, "0:one|0:two|0:three|");
	assert_int_equal(lost_bytes(), before);
}

static void
test_a_new_file_is_copied_before_it_is_named(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F one\n" AT(2) "stdout F two\n");
	moves = COPY "echo '" AT(3) "stdout F three' >> 0.log";
	moved = w;
	start(w);
	turn_until(w, 3);
	assert_null(moves);
	assert_got(w, "0:one|0:two|0:three|");
}

/* Its size of before it was truncated is none that the next start finds it to have lost. */
static void
test_a_file_that_was_longer_before_it_was_named_has_lost_nothing(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	put_line(w, "0.log", AT(1) "stdout F one\n" AT(2) "stdout F two\n");
	moves = COPY "echo '" AT(3) "stdout F three' >> 0.log";
	moved = w;
	start(w);
	turn_until(w, 3);
	restart(w);
	turn_ms(w, 100);
	assert_got(w, "0:one|0:two|0:three|");
	assert_int_equal(lost_bytes(), before);
}

/* Where rotated files are not read at a first start, one is that was begun before. */
static void
test_a_file_rotated_while_nothing_ran_is_read_whatever_a_first_start_reads(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	w->conf.read_from_head = false;
	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_ms(w, 50);
	put_line(w, "0.log", AT(2) "stdout F two\n");
	turn_until(w, 1);
	put_line(w, "0.log", AT(3) "stdout F three\n");
	turn_refused(w);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	put_line(w, "0.log", AT(4) "stdout F four\n");
	restart(w);
	turn_until(w, 3);
	assert_got(w, "0:two|0:three|0:four|");
	assert_int_equal(lost_bytes(), before);
}

/* What was rotated before the first start at the end is none of the log's, whatever happens later. */
static void
test_a_first_start_at_the_end_leaves_older_files_alone_for_ever(void **state)
{
	struct world *w = *state;

	w->conf.read_from_head = false;
	put_line(w, "0.log.20260101-000000", AT(1) "stdout F old\n");
	put_line(w, "0.log.1", AT(1) "stdout F older\n");
	put_line(w, "0.log", AT(1) "stdout F one\n");
	put_line(w, "1.log", AT(1) "stdout F other\n");
	in_logs(w, "ln -s $PWD/1.log ../../../" LINK ".1.log");
	start(w);
	turn_ms(w, 50);
	put_line(w, "0.log", AT(2) "stdout F two\n");
	turn_until(w, 1);
	in_logs(w, "mv 0.log 0.log.20260102-000000");
	put_line(w, "0.log", AT(3) "stdout F three\n");
	turn_until(w, 2);
	in_logs(w, "mv 0.log 0.log.20260103-000000");
	put_line(w, "0.log", AT(4) "stdout F four\n");
	restart(w);
	turn_until(w, 3);
	in_logs(w, "cp 0.log 0.log.1 && : > 0.log");
	put_line(w, "0.log", AT(5) "stdout F five\n");
	turn_until(w, 4);
	turn_ms(w, 400);
	assert_got(w, "0:two|0:three|0:four|0:five|");
}

static void
test_a_first_start_at_the_end_reads_the_line_that_was_being_written(void **state)
{
	struct world *w = *state;

	w->conf.first_start = START_END;
	put_line(w, "0.log", AT(1) "stdout F one\n" AT(2) "stdout F t");
	start(w);
	turn_ms(w, 50);
	put_line(w, "0.log", "wo\n");
	turn_until(w, 1);
	assert_got(w, "0:two|");
}

static void
test_a_first_start_at_the_end_reads_a_file_that_was_empty(void **state)
{
	struct world *w = *state;

	w->conf.first_start = START_END;
	put_line(w, "0.log", "");
	start(w);
	turn_ms(w, 50);
	put_line(w, "0.log", AT(1) "stdout F one\n");
	turn_until(w, 1);
	assert_got(w, "0:one|");
}

static void
state_of_disk(struct world *w)
{
	char *path = xprintf("%s/state", w->dir);

	tail_free(w->tail);
	range_book_free(w->book);
	state_close(w->state);
	w->state = state_open(path);
	assert_non_null(w->state);
	w->book = range_book_new(w->state, 64);
	start(w);
	free(path);
}

static void
test_a_second_start_at_the_end_reads_what_came_while_nothing_ran(void **state)
{
	struct world *w = *state;

	w->conf.first_start = START_END;
	put_line(w, "0.log", AT(1) "stdout F one\n");
	state_of_disk(w);
	turn_ms(w, 50);
	put_line(w, "0.log", AT(2) "stdout F two\n");
	put_line(w, "1.log", AT(3) "stdout F three\n");
	in_logs(w, "ln -s $PWD/1.log ../../../" LINK ".1.log");
	state_of_disk(w);
	turn_until(w, 2);
	turn_ms(w, 50);
	assert_int_equal(w->records, 2);
	assert_non_null(strstr(w->got.at, "three"));
}

/* A look takes its time after the last one; what is renamed meanwhile may go on in the next file. */
static void
test_a_record_is_not_ended_by_time_while_names_have_changed(void **state)
{
	struct world *w = *state;

	w->conf.flush = 20;
	put_line(w, "0.log", AT(1) "stdout F ERROR x\n");
	start(w);
	tail_turn(w->tail, 1);
	in_logs(w, "mv 0.log 0.log.1 && echo '" AT(1) "stdout F \tat a' > 0.log");
	for (int64_t until = clock_mono() + 30 * NS_PER_MS; clock_mono() < until;) {
		tail_wait(w->tail, -1, 1);
		tail_turn(w->tail, 1);
	}
	put_line(w, "0.log", AT(1) "stdout F {}\n");
	turn_until(w, 2);
	assert_got(w, "0:ERROR x\n\tat a|0:{}|");
}

/* A record ends at the end of the file behind the one in which it began. */
static void
test_a_copy_that_nobody_saw_being_made_is_read_in_its_order(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout F ERROR x\n");
	start(w);
	turn_ms(w, 50);
	in_logs(w, "cp 0.log 0.log.1 && : > 0.log");
	turn_ms(w, 100);
	in_logs(w, "touch other"); /* a look now: the next one comes later than the next turn */
	tail_wait(w->tail, -1, 20);
	tail_turn(w->tail, 1);
	put_line(w, "0.log", AT(1) "stdout F \tat a\n");
	in_logs(w, "mv 0.log.1 0.log.2 && cp 0.log 0.log.1 && : > 0.log");
	put_line(w, "0.log", AT(1) "stdout F \tat b\n" AT(1) "stdout F {}\n");
	tail_wait(w->tail, -1, 20);
	tail_turn(w->tail, 1);
	turn_until(w, 3);
	assert_got(w, "0:ERROR x\n\tat a|0:\tat b|0:{}|");
}

/* A content that waits is in the copy as well, and what the live file has now is no part of it. */
static void
test_a_copy_of_what_waits_has_the_length_that_it_had(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	put_line(w, "0.log", AT(1) "stdout F one\n" AT(1) "stdout F two\n");
	start(w);
	turn_refused(w);
	in_logs(w, COPY "echo '" AT(2) "stdout F three\n" AT(2) "stdout F four' >> 0.log");
	turn_refused(w);
	in_logs(w, "mv 0.log.1 0.log.2 && " COPY "echo '" AT(3) "stdout F five' >> 0.log");
	turn_refused(w);
	in_logs(w, "mv 0.log.2 0.log.3 && mv 0.log.1 0.log.2 && cp 0.log 0.log.1");
	w->refuse = 1;
	turn_until(w, 1); /* the next one is entered, and the copy found */
	in_logs(w, ": > 0.log");
	put_line(w, "0.log", AT(4) "stdout F six\n" AT(5) "stdout F seven\n");
	turn_until(w, 7);
	restart(w);
	turn_ms(w, 100);
	assert_got(w, "0:one|0:two|0:three|0:four|0:five|0:six|0:seven|");
	assert_int_equal(lost_bytes(), before);
}

/* ---- a Path finds rotated files, too, by names that no rotation is known to make */

#define RENAMED "mv app.log old-app.log && echo '" AT(4) "stdout F four' > app.log"

/* A part of three was seen, and is not where its content ends. */
static void
one_is_read_and_more_is_seen(struct world *w)
{
	free(w->path);
	w->path = xprintf("%s/pods/" POD "/agent/*", w->dir);
	put_line(w, "app.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	put_line(w, "app.log", AT(2) "stdout F two\n" AT(3) "std");
	turn_refused(w);
	put_line(w, "app.log", "out F three\n");
}

/* The look of a start finds neither name: the old one has gone, the new one came too late for it. */
static void
test_a_file_renamed_while_a_start_lists_its_directory_is_read_on(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	one_is_read_and_more_is_seen(w);
	renames = RENAMED;
	moved = w;
	restart(w);
	turn_until(w, 4);
	turn_ms(w, 300);
	assert_null(renames);
	assert_got(w, "0:one|0:two|0:three|0:four|");
	assert_int_equal(lost_bytes(), before);
}

/* And the next look finds neither that name nor the one of what was made of it. */
static void
test_a_file_renamed_again_while_the_next_look_lists_it_is_read_on(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	one_is_read_and_more_is_seen(w);
	renames = RENAMED;
	moved = w;
	restart(w);
	tail_turn(w->tail, 1);
	assert_null(renames);
	renames = "gzip old-app.log";
	turn_until(w, 4);
	turn_ms(w, 300);
	assert_null(renames);
	assert_got(w, "0:one|0:two|0:three|0:four|");
	assert_int_equal(lost_bytes(), before);
}

static void
test_what_was_deleted_while_nothing_ran_is_lost_once_a_look_has_not_found_it(void **state)
{
	struct world *w = *state;
	uint64_t before = lost_bytes();

	one_is_read_and_more_is_seen(w);
	tail_free(w->tail);
	in_logs(w, "rm app.log");
	put_line(w, "app.log", AT(4) "stdout F four\n");
	start(w);
	turn_until(w, 2);
	assert_got(w, "0:one|0:four|");
	assert_int_equal(lost_bytes(), before + strlen(AT(2) "stdout F two\n" AT(3) "std"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_known_file_is_copied_before_it_is_named_again),
		TEST(test_a_new_file_is_copied_before_it_is_named),
		TEST(test_a_file_that_was_longer_before_it_was_named_has_lost_nothing),
		TEST(test_a_file_rotated_while_nothing_ran_is_read_whatever_a_first_start_reads),
		TEST(test_a_first_start_at_the_end_leaves_older_files_alone_for_ever),
		TEST(test_a_first_start_at_the_end_reads_the_line_that_was_being_written),
		TEST(test_a_first_start_at_the_end_reads_a_file_that_was_empty),
		TEST(test_a_second_start_at_the_end_reads_what_came_while_nothing_ran),
		TEST(test_a_record_is_not_ended_by_time_while_names_have_changed),
		TEST(test_a_copy_that_nobody_saw_being_made_is_read_in_its_order),
		TEST(test_a_copy_of_what_waits_has_the_length_that_it_had),
		TEST(test_a_file_renamed_while_a_start_lists_its_directory_is_read_on),
		TEST(test_a_file_renamed_again_while_the_next_look_lists_it_is_read_on),
		TEST(test_what_was_deleted_while_nothing_ran_is_lost_once_a_look_has_not_found_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
