/* More files than may be open: those that have nothing to read make room. */
#include <limits.h>

#include "tail_rig.h"

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
#define MOST 4
#define EMPTY 6
#define LINES 7
#define ROTATED 3

/* Few files may be open, of those in a directory that are named so. */
static void
follow(struct world *w, const char *names)
{
	shell("mkdir %s/plain", w->dir);
	free(w->path);
	w->path = xprintf("%s/plain/%s", w->dir, names);
	w->conf.max_files = MOST;
}

/* In each of the files from `first` to `last`; an hour ago, so that it is quiet. */
static void
put(const struct world *w, int first, int last, const char *line)
{
	shell("cd %s/plain && for i in $(seq %d %d); do printf '%s' $i >> $i.log; "
	      "touch -d '1 hour ago' $i.log; done",
	    w->dir, first, last, line);
}

/* Each file's line was read, and once. */
static void
assert_once(const struct world *w, int first, int last, const char *text)
{
	for (int i = first; i <= last; i++) {
		char *want = xprintf("0:%s %d|", text, i);
		char *at = memmem(w->got.at, w->got.len, want, strlen(want)), *end;

		assert_non_null(at);
		end = at + strlen(want);
		assert_null(
		    memmem(end, (size_t)(w->got.at + w->got.len - end), want, strlen(want)));
		free(want);
	}
}

static size_t
open_files(const struct world *w)
{
	struct tail_figures figures;

	tail_figures(w->tail, &figures);
	return figures.files;
}

static void
test_files_without_bytes_to_read_make_room(void **state)
{
	struct world *w = *state;

	follow(w, "*.log");
	put(w, 1, EMPTY, "");
	start(w);
	turn_ms(w, 100);
	assert_int_equal(open_files(w), MOST);
	put(w, EMPTY + 1, EMPTY + LINES, "one %d\n");
	turn_until(w, LINES);
	assert_true(open_files(w) <= MOST);
	put(w, 1, EMPTY + LINES, "two %d\n");
	turn_until(w, 2 * LINES + EMPTY);
	turn_ms(w, 1500); /* nothing is read again */
	assert_int_equal(w->records, 2 * LINES + EMPTY);
	assert_once(w, EMPTY + 1, EMPTY + LINES, "one");
	assert_once(w, 1, EMPTY + LINES, "two");
}

static void
test_a_file_that_was_rotated_while_it_was_closed_is_read_on(void **state)
{
	struct world *w = *state;

	follow(w, "*.log");
	put(w, 1, 1, "one %d\n");
	start(w);
	turn_until(w, 1);
	put(w, 2, 1 + LINES, "one %d\n");
	turn_until(w, 1 + LINES);
	shell("cd %s/plain && for i in $(seq %d); do echo late $i >> $i.log; mv $i.log $i.log.1; "
	      "echo two $i > $i.log; done",
	    w->dir, 1 + LINES);
	turn_until(w, 3 * (1 + LINES));
	turn_ms(w, 500);
	assert_int_equal(w->records, 3 * (1 + LINES));
	assert_once(w, 1, 1 + LINES, "one");
	assert_once(w, 1, 1 + LINES, "late");
	assert_once(w, 1, 1 + LINES, "two");
}

/* Nor is there room for all that rotations left, which none reads twice. */
static void
test_rotated_files_that_were_read_make_room_for_those_that_were_not(void **state)
{
	struct world *w = *state;

	follow(w, "*.log");
	for (int i = ROTATED; i > 0; i--) {
		shell("cd %s/plain && for i in $(seq %d); do echo $i of %d > $i.log.%d; done",
		    w->dir, LINES, i, i);
	}
	put(w, 1, LINES, "one %d\n");
	start(w);
	turn_until(w, LINES + LINES * ROTATED);
	turn_ms(w, 500);
	assert_int_equal(w->records, LINES + LINES * ROTATED);
	assert_once(w, 1, LINES, "one");
}

/* The live file that has nothing to read is not opened; what it was renamed from has. */
static void
test_rotated_files_beside_an_empty_one_are_read(void **state)
{
	struct world *w = *state;

	w->conf.max_files = 1;
	in_logs(w, "echo one > 0.log && touch -d '1 hour ago' 0.log");
	shell("cd %s && mkdir -p pods/ns_matillion-agent-2_uid-2/agent && "
	      "ln -s $PWD/pods/ns_matillion-agent-2_uid-2/agent/0.log "
	      "containers/$(ls containers | sed s/agent-1/agent-2/) && "
	      "cd pods/ns_matillion-agent-2_uid-2/agent && echo two > 0.log.1 && : > 0.log",
	    w->dir);
	start(w);
	turn_until(w, 2);
	assert_got(w, "0:one|0:two|");
}

/* What is not shipped is not closed. */
static void
test_a_file_whose_records_wait_makes_no_room(void **state)
{
	struct world *w = *state;

	follow(w, "*.log");
	w->refuse = UINT_MAX;
	put(w, 1, MOST, "one %d\n");
	start(w);
	turn_ms(w, 300);
	put(w, MOST + 1, 2 * MOST, "one %d\n");
	turn_ms(w, 1500);
	assert_int_equal(open_files(w), MOST);
	assert_int_equal(w->records, 0);
	w->refuse = 0;
	turn_until(w, 2 * MOST);
	assert_once(w, 1, 2 * MOST, "one");
}

/* When there is room for all again, all are open and watched. */
static void
test_closed_files_are_opened_when_there_is_room_for_all(void **state)
{
	struct world *w = *state;

	follow(w, "*.log");
	put(w, 1, MOST + 2, "one %d\n");
	start(w);
	turn_until(w, MOST + 2);
	shell("cd %s/plain && rm 1.log 2.log 3.log", w->dir);
	turn_ms(w, 1500);
	assert_int_equal(open_files(w), MOST - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files_without_bytes_to_read_make_room),
		TEST(test_a_file_that_was_rotated_while_it_was_closed_is_read_on),
		TEST(test_rotated_files_that_were_read_make_room_for_those_that_were_not),
		TEST(test_rotated_files_beside_an_empty_one_are_read),
		TEST(test_a_file_whose_records_wait_makes_no_room),
		TEST(test_closed_files_are_opened_when_there_is_room_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
