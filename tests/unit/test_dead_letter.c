/* The dead-letter file while others delete, rename, lock it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "../../src/ship/dead_letter.h"
#include "memory.h"
#include "voice.h"

#define LIMIT (1u << 20)

static char dir[64], file[128], other[128];
static struct dead_letters *letters;

static int
setup(void **state)
{
	(void)state;
	if (getenv("SAY") == NULL)
		voice_open(VOICE_ERROR, "/dev/null");
	snprintf(dir, sizeof(dir), "/tmp/towline-dead-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/dead-letters.ndjson", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	letters = dead_letter_new(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dead_letter_free(letters);
	return unit_remove(dir);
}

static int
put_within(const char *id, uint64_t limit)
{
	const struct dead_letter letter = { .output = SLICE("es.0"),
		.index = SLICE("i"),
		.id = slice_of(id),
		.status = 400,
		.type = SLICE("t"),
		.reason = SLICE("r"),
		.document = SLICE("{}") };

	return dead_letter_put(letters, &letter, limit);
}

static int
put(const char *id)
{
	return put_within(id, LIMIT);
}

/* The ids in the file, each behind a blank. */
static const char *
ids(const char *path)
{
	static char text[512];
	char line[512];
	FILE *from = fopen(path, "r");
	size_t n = 0;

	text[0] = '\0';
	while (from != NULL && fgets(line, sizeof(line), from) != NULL) {
		char *id = strstr(line, "\"id\":\"");

		assert_non_null(id);
		assert_non_null(strstr(id, "\"document\":{}}\n"));
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %.1s", id + 6);
	}
	if (from != NULL)
		fclose(from);
	return text;
}

static void
test_a_letter_goes_to_the_file_that_has_the_name(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(put("a"), 0);
	assert_int_equal(put("b"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(put("c"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(other), " a b");
	assert_string_equal(ids(file), " c");
	unlink(file);
	assert_int_equal(put("d"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(file), " d");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(rename(other, file), 0); /* an earlier one put back */
	assert_int_equal(put("e"), 0);
	assert_string_equal(ids(file), " a b e");
}

/* Letters count as written when they are in a file that has a name. */
static void
test_letters_in_a_file_that_was_deleted_are_written_again(void **state)
{
	(void)state;
	assert_int_equal(put("a"), 0);
	unlink(file);
	assert_int_equal(dead_letter_sync(letters), -1);
	assert_int_equal(put("a"), 0);
	unlink(file);
	assert_int_equal(put("b"), 0); /* into a new one, which knows nothing of the first */
	assert_int_equal(dead_letter_sync(letters), -1);
	assert_int_equal(put("a"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(file), " b a");

	assert_int_equal(put("c"), 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(put("d"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(other), " b a c");
	assert_string_equal(ids(file), " d");
}

static void
test_a_full_file_takes_letters_again_when_it_is_moved_away(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(put("a"), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(put_within("b", 2 * (uint64_t)st.st_size - 1), -1);
	assert_int_equal(put_within("b", 2 * (uint64_t)st.st_size), 0);
	assert_int_equal(put_within("c", 2 * (uint64_t)st.st_size), -1);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(put_within("c", 2 * (uint64_t)st.st_size), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(other), " a b");
	assert_string_equal(ids(file), " c");
}

static void
test_a_locked_file_takes_no_letter(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(put("a"), 0);
	fd = open(file, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0); /* it is not left locked */
	assert_int_equal(put("b"), -1);
	close(fd);
	assert_int_equal(put("b"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(file), " a b");
}

static void
test_links_and_what_is_no_file_take_no_letter(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink(other, file), 0);
	assert_int_equal(put("a"), -1);
	assert_int_equal(lstat(other, &st), -1);
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(put("a"), -1);
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(put("a"), -1);
	rmdir(file);
	assert_int_equal(put("a"), 0);
	assert_int_equal(dead_letter_sync(letters), 0);
	assert_string_equal(ids(file), " a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_letter_goes_to_the_file_that_has_the_name),
		TEST(test_letters_in_a_file_that_was_deleted_are_written_again),
		TEST(test_a_full_file_takes_letters_again_when_it_is_moved_away),
		TEST(test_a_locked_file_takes_no_letter),
		TEST(test_links_and_what_is_no_file_take_no_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
