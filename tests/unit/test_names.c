/* Names that fit a pattern; files that were closed as they were quiet. */
#include "unit.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"
#include "names.h"
#include "quiet.h"

static char dir[] = "/tmp/towline-names-XXXXXX";
static const char *const files[] = { "a.log", "b.log", ".c.log", "x[1].log", "one/a.log",
	"one/b.txt", "two/a.log", "two/deep/a.log", "two/.hidden/a.log" };

static const char *const folders[] = { "one", "two", "two/deep", "two/.hidden" };

static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	for (size_t i = 0; i < COUNT(folders); i++)
		assert_int_equal(mkdir(folders[i], 0700), 0);
	for (size_t i = 0; i < COUNT(files); i++)
		close(creat(files[i], 0600));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	for (size_t i = COUNT(folders); i-- > 0;)
		rmdir(folders[i]);
	return chdir("/") < 0 || rmdir(dir) < 0 ? -1 : 0;
}

struct names {
	char *at[32];
	size_t n;
};

static void
found(void *arg, const char *path)
{
	struct names *names = arg;

	assert_true(names->n < sizeof(names->at) / sizeof(*names->at));
	names->at[names->n++] = xstrdup(path);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
test_names_are_those_of_glob(void **state)
{
	static const char *const patterns[] = { "*.log", "*/*.log", "*/a.log", "one/*", "*/*/a.log",
		"?.log", "[ab].log", "x\\[1\\].log", "x[[]*", ".*", "*", "a.log", "none", "none/*",
		"*//a.log", "two/*/*", "one/../*.log" };

	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		char *pattern = xprintf("%s/%s", dir, patterns[i]), *path = pattern;
		struct roots_of of = { .path = { .at = &path, .n = 1 } };
		struct roots *roots = roots_new();
		struct names names = { 0 };
		glob_t want = { 0 };
		size_t n = 0;
		char *root = xprintf("%s/*", dir);
		struct roots_of all = { .path = { .at = &root, .n = 1 } };

		roots_add(roots, &all);
		roots_add(roots, &of);
		roots_look(roots);
		names_each(roots, &all, pattern, found, &names);
		qsort(names.at, names.n, sizeof(*names.at), compare);
		glob(pattern, 0, NULL, &want);
		for (size_t j = 0; j < want.gl_pathc; j++) {
			const char *base = strrchr(want.gl_pathv[j], '/') + 1;

			if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
				continue;
			assert_true(n < names.n);
			assert_string_equal(names.at[n++], want.gl_pathv[j]);
		}
		assert_int_equal(names.n, n);
		for (size_t j = 0; j < names.n; j++)
			free(names.at[j]);
		globfree(&want);
		roots_free(roots);
		free(root);
		free(pattern);
	}
}

static void
test_a_quiet_file_is_known_until_it_is_written_to(void **state)
{
	struct quiet *q = quiet_new();
	struct stat st = { .st_dev = 1, .st_ino = 2, .st_size = 3 };

	(void)state;
	assert_false(quiet_is(q, &st));
	quiet_note(q, &st);
	assert_true(quiet_is(q, &st));
	for (st.st_ino = 3; st.st_ino < 200000; st.st_ino++)
		quiet_note(q, &st);
	for (st.st_ino = 2; st.st_ino < 200000; st.st_ino++)
		assert_true(quiet_is(q, &st));
	st.st_ino = 2;
	st.st_size = 4;
	assert_false(quiet_is(q, &st));
	st.st_size = 3;
	st.st_mtim.tv_nsec = 1;
	assert_false(quiet_is(q, &st));
	quiet_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_are_those_of_glob, setup, teardown),
		cmocka_unit_test(test_a_quiet_file_is_known_until_it_is_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
