/* The list of files that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "unread.h"
#include "voice.h"

static struct buffer seen;

static void
see(void *arg, const char *path, const char *why)
{
	(void)arg;
	buffer_printf(&seen, "%s=%s;", path, why);
}

static const char *
saved(void)
{
	struct buffer text;

	buffer_init(&text, 0);
	unread_save(&text);
	buffer_clear(&seen);
	unread_each(buffer_slice(&text), see, NULL);
	buffer_put(&seen, (struct slice){ "", 1 });
	buffer_fini(&text);
	return seen.at;
}

static unsigned long long
count_of(enum unread_reason reason)
{
	return atomic_load(&metrics.unread_files[reason]);
}

static void
test_noted_named_and_dropped(void **state)
{
	char here[] = "/tmp/towline-unread-XXXXXX";
	struct buffer lines;
	char why[64];

	(void)state;
	buffer_init(&seen, 0);
	buffer_init(&lines, 0);
	voice_open(VOICE_ERROR, "/dev/null");
	close(mkstemp(here));
	assert_true(unread_turn(1)); /* what the store has is of the process before */
	assert_false(unread_turn(1));
	assert_string_equal(saved(), "");
	unread_turn(0);
	assert_false(unread_is_all(why, sizeof(why)));
	unread_note(here, UNREAD_REFUSED, "a link");
	assert_true(unread_is_all(why, sizeof(why)));
	assert_string_equal(why, "no file is read");
	unread_note(here, UNREAD_REFUSED, "a link");
	assert_true(unread_turn(1));
	unread_note(here, UNREAD_REFUSED, "a link");
	assert_false(unread_turn(1));
	assert_false(unread_is_all(why, sizeof(why)));
	assert_int_equal(unread_count(), 1);
	unread_note(here, UNREAD_ERROR, "a pipe");
	unread_note("/nowhere\n\xff", UNREAD_REFUSED, "why");
	assert_int_equal(count_of(UNREAD_ERROR), 1);
	assert_int_equal(count_of(UNREAD_REFUSED), 1);
	unread_lines(&lines, 1);
	buffer_put(&lines, (struct slice){ "", 1 });
	assert_memory_equal(lines.at, "cannot read /tmp/towline-unread-", 32);
	assert_non_null(strstr(lines.at, ": a pipe\ncannot read 1 more\n"));
	assert_non_null(strstr(saved(), "/nowhere\\x0a\\xff=why;"));
	assert_true(unread_turn(1)); /* the second is gone */
	assert_int_equal(unread_count(), 1);
	unread_well(here, false);
	unread_well(here, false);
	assert_true(unread_turn(1));
	assert_int_equal(unread_count(), 0);
	assert_string_equal(saved(), "");
	unlink(here);
	buffer_fini(&lines);
	buffer_fini(&seen);
}

static void
test_a_bounded_number_is_listed(void **state)
{
	char path[32];

	(void)state;
	for (int i = 0; i < UNREAD_MOST + 10; i++) {
		snprintf(path, sizeof(path), "/nowhere/%d", i);
		unread_note(path, UNREAD_ERROR, "why");
	}
	assert_int_equal(unread_count(), UNREAD_MOST);
	assert_true(unread_turn(1));
	assert_int_equal(unread_count(), 0);
}

/* They leave room for those that somebody has to mend. */
static void
test_files_beyond_max_files_fill_a_part_of_the_list(void **state)
{
	char path[32];

	(void)state;
	for (int i = 0; i < UNREAD_MOST; i++) {
		snprintf(path, sizeof(path), "/nowhere/%d", i);
		unread_list(path, UNREAD_MAX_FILES, "later");
	}
	assert_int_equal(unread_count(), UNREAD_BEYOND);
	assert_int_equal(count_of(UNREAD_MAX_FILES), UNREAD_BEYOND);
	unread_note("/nowhere/7", UNREAD_REFUSED, "a link");
	unread_note("/nowhere/other", UNREAD_REFUSED, "a link");
	assert_int_equal(unread_count(), UNREAD_BEYOND + 1);
	assert_int_equal(count_of(UNREAD_MAX_FILES), UNREAD_BEYOND - 1);
	for (int i = 0; i < UNREAD_MOST; i++) {
		snprintf(path, sizeof(path), "/nowhere/%d", i);
		unread_well(path, i % 2 == 0);
	}
	assert_int_equal(unread_count(), 1);
	assert_int_equal(count_of(UNREAD_REFUSED), 1);
	unread_well("/nowhere/other", true);
	assert_int_equal(unread_count(), 0);
}

static void
test_a_saved_list_may_be_anything(void **state)
{
	static const char *const texts[] = { "", "x", "[1]", "{\"a\":1}", "{\"a\":", "null" };

	(void)state;
	buffer_init(&seen, 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		unread_each(slice_of(texts[i]), see, NULL);
	assert_int_equal(seen.len, 0);
	buffer_fini(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noted_named_and_dropped),
		cmocka_unit_test(test_a_bounded_number_is_listed),
		cmocka_unit_test(test_files_beyond_max_files_fill_a_part_of_the_list),
		cmocka_unit_test(test_a_saved_list_may_be_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
