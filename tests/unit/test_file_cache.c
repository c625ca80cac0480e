/* Files of the file output: appended to in whole lines, whatever happens to them. */
#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../src/ship/file_cache.h"
#include "memory.h"

static char dir[] = "/tmp/towline-files-XXXXXX";

static void
assert_file(const char *path, const char *want)
{
	char text[4096];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, want);
}

static void
write_to(struct file_cache *c, const char *path, uint64_t batch, const char *lines)
{
	struct file_kept *k = file_cache_take(c, path, batch);

	assert_non_null(k);
	assert_int_equal(file_cache_write(c, k, slice_of(lines)), 0);
}

static void
test_a_line_that_does_not_fit_is_cut_off_again(void **state)
{
	struct rlimit was, small;
	struct file_cache c = { .uses = 0 };
	char *path = xprintf("%s/full", dir);

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small = (struct rlimit){ 12, was.rlim_max };
	write_to(&c, path, 1, "1234567\n");
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(
	    file_cache_write(&c, file_cache_take(&c, path, 1), SLICE("abcdefgh\n")), -1);
	assert_int_equal(errno, EFBIG);
	assert_string_equal(c.failed, path);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_file(path, "1234567\n");
	write_to(&c, path, 1, "abcdefgh\n");
	assert_int_equal(file_cache_sync(&c), 0);
	assert_file(path, "1234567\nabcdefgh\n");
	file_cache_fini(&c);
	free(path);
}

static void
test_half_a_line_is_ended_and_a_renamed_file_is_left(void **state)
{
	struct file_cache c = { .uses = 0 };
	char *path = xprintf("%s/torn", dir), *other = xprintf("%s/torn.1", dir);
	FILE *file = fopen(path, "w");

	(void)state;
	fputs("whole\nhal", file);
	fclose(file);
	write_to(&c, path, 1, "a\n");
	assert_file(path, "whole\nhal\na\n");
	assert_int_equal(rename(path, other), 0);
	write_to(&c, path, 1, "same batch\n");
	write_to(&c, path, 2, "next\n");
	assert_file(other, "whole\nhal\na\nsame batch\n");
	assert_file(path, "next\n");
	file_cache_fini(&c);
	free(path);
	free(other);
}

static void
test_more_files_than_are_open_are_all_written(void **state)
{
	struct file_cache c = { .uses = 0 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < FILE_CACHE + 6; i++) {
			char *path = xprintf("%s/many-%d", dir, i);

			write_to(&c, path, (uint64_t)round + 1, "x\n");
			free(path);
		}
	}
	assert_int_equal(file_cache_sync(&c), 0);
	for (int i = 0; i < FILE_CACHE + 6; i++) {
		char *path = xprintf("%s/many-%d", dir, i);

		assert_file(path, "x\nx\n");
		free(path);
	}
	file_cache_fini(&c);
}

/* The kernel says once that it could not write: whoever hears it writes all lines again. */
static void
test_a_sync_that_fails_is_known_whoever_asked_for_it(void **state)
{
	struct file_cache c = { .uses = 0 };
	char *first = xprintf("%s/first", dir);
	struct file_kept *k;
	int ends[2], fd;

	(void)state;
	write_to(&c, first, 1, "x\n");
	k = file_cache_take(&c, first, 1);
	assert_int_equal(pipe(ends), 0);
	fd = dup(k->fd);
	dup2(ends[0], k->fd); /* a pipe cannot be synced */
	for (int i = 1; i < FILE_CACHE; i++) {
		char *path = xprintf("%s/other-%d", dir, i);

		write_to(&c, path, 1, "x\n");
		free(path);
	}
	assert_false(file_cache_dropped(&c));
	assert_null(file_cache_take(&c, "/tmp/no/such/directory/f", 1));
	assert_int_equal(errno, EINVAL);
	assert_string_equal(c.failed, first);
	assert_true(file_cache_dropped(&c));
	dup2(fd, k->fd);
	assert_int_equal(file_cache_sync(&c), 0);
	assert_false(file_cache_dropped(&c));
	file_cache_fini(&c);
	close(ends[0]);
	close(ends[1]);
	close(fd);
	free(first);
}

static void
test_what_is_no_file_of_ones_own_is_refused(void **state)
{
	struct file_cache c = { .uses = 0 };
	char *link = xprintf("%s/link", dir);

	(void)state;
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_null(file_cache_take(&c, link, 1));
	assert_int_equal(errno, ELOOP);
	assert_null(file_cache_take(&c, "/tmp/no/such/directory/f", 1));
	assert_int_equal(errno, ENOENT);
	file_cache_fini(&c);
	free(link);
}

static int
leave(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_that_does_not_fit_is_cut_off_again),
		cmocka_unit_test(test_half_a_line_is_ended_and_a_renamed_file_is_left),
		cmocka_unit_test(test_more_files_than_are_open_are_all_written),
		cmocka_unit_test(test_a_sync_that_fails_is_known_whoever_asked_for_it),
		cmocka_unit_test(test_what_is_no_file_of_ones_own_is_refused),
	};

	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	failed += nftw(dir, leave, 8, FTW_DEPTH | FTW_PHYS) != 0;
	return failed;
}
