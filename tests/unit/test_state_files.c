/* A store that cannot be used as it is: in use, of another schema, damaged, empty. */
#include "state_rig.h"

#include <dlfcn.h>
#include <errno.h>
#include <glob.h>

/* ---- a disk that fails */

static unsigned reads_left; /* of SQLite's, before the one that fails; 0: none does */
static unsigned fails;      /* so many in a row */

/* By their symbols: the library's header has inline functions of these names. */
ssize_t disk_read64(int fd, void *to, size_t n, off64_t at) __asm__("pread64");
ssize_t disk_read(int fd, void *to, size_t n, off_t at) __asm__("pread");

ssize_t
disk_read64(int fd, void *to, size_t n, off64_t at)
{
	static ssize_t (*call)(int, void *, size_t, off64_t);

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "pread64");
	if (reads_left > 1 || fails == 0) {
		reads_left -= reads_left > 1;
		return call(fd, to, n, at);
	}
	fails--;
	errno = EIO;
	return -1;
}

ssize_t
disk_read(int fd, void *to, size_t n, off_t at)
{
	return disk_read64(fd, to, n, at);
}

/* True: a read has failed, and the start, or the next one, has all that was stored. */
static bool
survives(unsigned nth, unsigned times)
{
	struct state *s;
	bool failed;

	reads_left = nth;
	fails = times;
	s = state_open(dir);
	failed = fails < times;
	fails = 0;
	if (s != NULL)
		assert_false(state_was_set_aside(s));
	state_close(s);
	s = opened();
	assert_false(state_was_set_aside(s));
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 5);
	state_close(s);
	return failed;
}

static void
test_a_disk_that_fails_sets_nothing_aside(void **state)
{
	struct state *s = begun();
	unsigned n = 1;

	(void)state;
	for (unsigned char i = 0; i < 50; i++) {
		struct identity page = { { 'p', i } };
		char path[2000];

		memset(path, 'p', sizeof(path));
		path[sizeof(path) - 1] = '\0';
		state_opened(s, &page, path);
	}
	state_break(s, &id, SIDE_STDOUT, 5);
	state_close(s);
	s = opened();
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 5);
	state_close(s);
	while (survives(n, 1) && survives(n, 3))
		n++;
	assert_true(n > 10);
}

/* SQLite reads a new file otherwise than one that it has written before. */
static void
test_a_disk_that_fails_at_the_first_start_sets_nothing_aside(void **state)
{
	bool failed = true;
	unsigned n;

	for (n = 1; failed; n++) {
		struct state *s;

		reads_left = n;
		fails = 1;
		s = state_open(dir);
		failed = fails == 0;
		fails = 0;
		assert_true(s == NULL || (!state_was_set_aside(s) && state_is_new(s)));
		state_close(s);
		state_close(opened());
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
	assert_true(n > 5);
}

/* ---- the file */

static void
test_a_second_instance_is_refused(void **state)
{
	struct state *s = opened();

	(void)state;
	errno = 0;
	assert_null(state_open(dir));
	assert_int_equal(errno, EBUSY);
	state_close(s);
}

/* A later version; one of before the first release, also where its number is ours. */
static void
test_another_schema_is_refused_and_left_alone(void **state)
{
	static const char *const others[] = { "PRAGMA user_version = 99",
		"PRAGMA user_version = 6; PRAGMA application_id = 0", "PRAGMA application_id = 0" };
	struct state *s = begun();

	(void)state;
	state_break(s, &id, SIDE_STDOUT, 5);
	state_close(s);
	for (size_t i = 0; i < COUNT(others); i++) {
		execute(others[i]);
		assert_null(state_open(dir));
		assert_null(state_look(dir));
		execute("PRAGMA user_version = 1; PRAGMA application_id = 0x746f776c"); /* ours */
		s = opened();
		assert_false(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 5);
		state_close(s);
	}
}

/* Write ${text} over what the file has, so many times. */
static void
file_spoil(long at, const char *text, int times)
{
	char *path = xprintf("%s/state.db", dir);
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	fseek(f, at, SEEK_SET);
	while (times-- > 0)
		fputs(text, f);
	fclose(f);
	free(path);
}

static void
test_a_corrupt_file_is_set_aside(void **state)
{
	static const long from[] = { 0, 200 };
	char pattern[128];
	glob_t found;

	(void)state;
	for (size_t i = 0; i < COUNT(from); i++) {
		struct state *s = begun();

		state_break(s, &id, SIDE_STDOUT, 5);
		state_close(s);
		file_spoil(from[i], "x", 4000);
		s = opened();
		assert_true(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 0);
		content_put(s, &id);
		wait_durable(s, state_break(s, &id, SIDE_STDOUT, 6));
		reopen(&s);
		assert_false(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 6), 6);
		state_close(s);
		snprintf(pattern, sizeof(pattern), "%s/state.db.corrupt-*", dir);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		assert_true(found.gl_pathc > i); /* each under a name of its own */
		globfree(&found);
	}
}

static void
test_a_damaged_page_is_found_at_the_start(void **state)
{
	struct state *s = opened();
	int64_t pages;

	(void)state;
	for (unsigned char i = 0; i < 250; i++) {
		struct identity page = { { i } };
		char path[2000];

		memset(path, 'p', sizeof(path));
		path[sizeof(path) - 1] = '\0';
		state_opened(s, &page, path);
	}
	state_close(s);
	pages = asked("PRAGMA page_count");
	assert_true(pages > 100);
	for (int64_t page = 2; page < pages - 1; page++)
		file_spoil(4096 * page, "damaged ", 6);
	s = opened();
	assert_true(state_was_set_aside(s));
	state_close(s);
}

static void
test_an_empty_file_becomes_a_store(void **state)
{
	struct state *s;

	(void)state;
	assert_int_equal(asked("PRAGMA user_version"), 0); /* makes the file */
	s = opened();
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 1));
	state_close(s);
	assert_int_equal(asked("PRAGMA user_version"), 1);
	assert_int_equal(asked("SELECT count(*) FROM breaks"), 1);
}

/* ---- who else may write there */

static const struct {
	mode_t mode;
	bool roots; /* taken only where the directory is root's */
	bool taken;
} modes[] = {
	{ 0700, false, true },
	{ 0755, false, true },
	{ 0770, false, true },
	{ 0777, false, false },
	{ 0702, false, false },
	{ 02777, false, false },
	{ 01777, true, true },
};

static void
test_a_directory_that_all_may_write_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		bool taken = modes[i].taken && (!modes[i].roots || geteuid() == 0);
		struct state *s;

		assert_int_equal(chmod(dir, modes[i].mode), 0);
		errno = 0;
		s = state_open(dir);
		if ((s != NULL) != taken)
			fail_msg("%o: %s", modes[i].mode, s != NULL ? "taken" : "refused");
		if (s == NULL)
			assert_int_not_equal(errno, EBUSY);
		state_close(s);
	}
}

/* A name in the directory. */
static char *
in_dir(const char *name)
{
	return xprintf("%s/%s", dir, name);
}

static void
test_a_link_or_a_fifo_in_a_files_place_is_not_opened(void **state)
{
	static const char *const names[] = { "lock", "state.db" };
	char *target = in_dir("target");
	struct stat st;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char *name = in_dir(names[i]);

		unlink(name);
		assert_int_equal(symlink(target, name), 0);
		assert_null(state_open(dir));
		assert_int_equal(lstat(target, &st), -1);
		unlink(name);
		assert_int_equal(mkfifo(name, 0600), 0);
		assert_null(state_open(dir));
		unlink(name);
		state_close(opened());
		free(name);
	}
	free(target);
}

/* The directory's own name may lead over links: it is the administrator's. */
static void
test_files_are_for_their_user_alone(void **state)
{
	static const char *const names[] = { "lock", "state.db", "state.db-wal", "state.db-shm" };
	char *link = xprintf("%s-link", dir), *real = xstrdup(dir);
	struct state *s;
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(symlink(dir, link), 0);
	snprintf(dir, sizeof(dir), "%s", link);
	s = begun();
	for (size_t i = 0; i < COUNT(names); i++) {
		char *name = in_dir(names[i]);

		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(name);
	}
	state_close(s);
	unlink(link);
	snprintf(dir, sizeof(dir), "%s", real);
	free(link);
	free(real);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_second_instance_is_refused),
		TEST(test_another_schema_is_refused_and_left_alone),
		TEST(test_a_corrupt_file_is_set_aside),
		TEST(test_a_damaged_page_is_found_at_the_start),
		TEST(test_an_empty_file_becomes_a_store),
		TEST(test_a_disk_that_fails_sets_nothing_aside),
		TEST(test_a_disk_that_fails_at_the_first_start_sets_nothing_aside),
		TEST(test_a_directory_that_all_may_write_is_refused),
		TEST(test_a_link_or_a_fifo_in_a_files_place_is_not_opened),
		TEST(test_files_are_for_their_user_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
