/* Containers found and read in made trees of both versions; for a real one: tests/e2e/test_resources.py. */
#include "unit.h"

#include <unistd.h>

#include "../../src/cgroup/tree.h"
#include "memory.h"

#define ROOT_NAME "cgroup-test"
#define ID_A "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
#define ID_B "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"
#define ID_C "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2"

/* Make the file, and the folders on its way. */
static void
file_make(const char *path, const char *text)
{
	char *whole = xprintf(ROOT_NAME "/%s", path);
	FILE *file;

	for (char *slash = whole; (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(whole);
}

static void
note(void *arg, struct slice id, const char *path)
{
	char *to = arg;

	snprintf(to + strlen(to), 4096 - strlen(to), "%.4s %s\n", id.at, path);
}

static int
line_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The walk's lines, sorted. */
static void
assert_found(const struct tree *t, const char *wanted)
{
	char text[4096] = "", sorted[4096] = "", *lines[32], *save = NULL;
	size_t n = 0;

	assert_true(tree_walk(t, 1000, note, text));
	for (char *l = strtok_r(text, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save))
		lines[n++] = l;
	qsort(lines, n, sizeof(*lines), line_order);
	for (size_t i = 0; i < n; i++)
		snprintf(
		    sorted + strlen(sorted), sizeof(sorted) - strlen(sorted), "%s\n", lines[i]);
	assert_string_equal(sorted, wanted);
}

static int
setup(void **state)
{
	(void)state;
	unit_remove(ROOT_NAME);
	mkdir(ROOT_NAME, 0755);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unit_remove(ROOT_NAME);
}

#define V2 "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu.slice/"

static void
test_version_2_by_systemd(void **state)
{
	struct tree_usage usage;
	struct tree t;

	(void)state;
	file_make("cgroup.controllers", "cpu memory\n");
	file_make(V2 "cri-containerd-" ID_A ".scope/memory.current", "104857600\n");
	file_make(V2 "cri-containerd-" ID_A ".scope/memory.stat",
	    "anon 1\nfile 9\ninactive_file 4857600\nactive_file 2\n");
	file_make(V2 "cri-containerd-" ID_A ".scope/cpu.stat",
	    "usage_usec 12500000\nuser_usec 1\nsystem_usec 2\n");
	file_make(V2 "cri-containerd-" ID_A ".scope/inner/x-" ID_C "/memory.current", "1\n");
	file_make(V2 "crio-conmon-" ID_B ".scope/memory.current", "5\n");
	file_make(V2 "crio-" ID_B ".scope/memory.current", "5\n");
	assert_true(tree_open(&t, ROOT_NAME));
	assert_true(t.v2);
	assert_found(&t, "a0a0 " V2 "cri-containerd-" ID_A ".scope\n"
			 "b1b1 " V2 "crio-" ID_B ".scope\n");
	assert_true(tree_read(&t, V2 "cri-containerd-" ID_A ".scope", &usage));
	assert_int_equal(usage.memory, 100000000);
	assert_true(usage.cpu == 12.5);
	assert_false(tree_read(&t, V2 "crio-" ID_B ".scope", &usage)); /* no cpu.stat */
	assert_false(tree_read(&t, "nowhere", &usage));
	tree_close(&t);
}

static void
test_version_1_by_cgroupfs(void **state)
{
	static const char *const cpus[] = { "cpuacct", "cpu,cpuacct", "cpuacct,cpu" };

	(void)state;
	for (size_t i = 0; i < COUNT(cpus); i++) {
		char *file = xprintf("%s/kubepods/podu/" ID_A "/cpuacct.usage", cpus[i]);
		struct tree_usage usage;
		struct tree t;

		setup(NULL);
		file_make("memory/kubepods/podu/" ID_A "/memory.usage_in_bytes", "1000\n");
		file_make("memory/kubepods/podu/" ID_A "/memory.stat",
		    "inactive_file 1\ntotal_inactive_file 2000\n");
		file_make(file, "2500000000\n");
		assert_true(tree_open(&t, ROOT_NAME));
		assert_false(t.v2);
		assert_found(&t, "a0a0 kubepods/podu/" ID_A "\n");
		assert_true(tree_read(&t, "kubepods/podu/" ID_A, &usage));
		assert_int_equal(usage.memory, 0); /* the two files are not read at one time */
		assert_true(usage.cpu == 2.5);
		tree_close(&t);
		free(file);
	}
}

static void
test_what_is_no_control_group_is_refused(void **state)
{
	struct tree t;

	(void)state;
	assert_false(tree_open(&t, ROOT_NAME));
	assert_false(tree_open(&t, ROOT_NAME "/nowhere"));
	file_make("memory/tasks", "");
	assert_false(tree_open(&t, ROOT_NAME));
}

static void
test_broken_files_are_no_numbers(void **state)
{
	static const char *const texts[] = { "", "max\n", "-1\n", "usage_usec\n", "xusage_usec 1\n",
		"usage_usec  1\n", "usage_usec -1\n" };
	struct tree_usage usage;
	struct tree t;

	(void)state;
	file_make("cgroup.controllers", "");
	file_make(ID_A "/memory.current", "7");
	assert_true(tree_open(&t, ROOT_NAME));
	for (size_t i = 0; i < COUNT(texts); i++) {
		file_make(ID_A "/cpu.stat", texts[i]);
		assert_false(tree_read(&t, ID_A, &usage));
	}
	file_make(ID_A "/cpu.stat", "usage_usec 1\n");
	assert_true(tree_read(&t, ID_A, &usage));
	for (size_t i = 0; i < 3; i++) {
		file_make(ID_A "/memory.current", texts[i]);
		assert_false(tree_read(&t, ID_A, &usage));
	}
	tree_close(&t);
}

/* Links lead nowhere, ids have 64 digits, and a tree has a depth. */
static void
test_a_walk_has_bounds(void **state)
{
	char deep[512] = "";
	struct tree t;

	(void)state;
	file_make("cgroup.controllers", "");
	file_make("x/a" ID_A "/f", "");
	file_make("x/" ID_A "g/f", ""); /* the run of digits ends there */
	file_make("elsewhere/" ID_B "/f", "");
	assert_int_equal(rename(ROOT_NAME "/elsewhere", "cgroup-test-elsewhere"), 0);
	assert_int_equal(symlink("../cgroup-test-elsewhere", ROOT_NAME "/link"), 0);
	for (int i = 0; i < TREE_DEPTH; i++)
		strncat(deep, "d/", sizeof(deep) - strlen(deep) - 1);
	strncat(deep, ID_C "/f", sizeof(deep) - strlen(deep) - 1);
	file_make(deep, "");
	assert_true(tree_open(&t, ROOT_NAME));
	assert_found(&t, "a0a0 x/" ID_A "g\n");
	tree_close(&t);
	unit_remove("cgroup-test-elsewhere");
}

static void
test_a_walk_has_an_end(void **state)
{
	char text[4096] = "";
	struct tree t;

	(void)state;
	file_make("cgroup.controllers", "");
	file_make("a/b/f", "");
	file_make("c/" ID_A "/f", "");
	assert_true(tree_open(&t, ROOT_NAME));
	assert_true(tree_walk(&t, 4, note, text));
	assert_string_equal(text, "a0a0 c/" ID_A "\n");
	assert_false(tree_walk(&t, 3, note, text));
	tree_close(&t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_version_2_by_systemd),
		TEST(test_version_1_by_cgroupfs),
		TEST(test_what_is_no_control_group_is_refused),
		TEST(test_broken_files_are_no_numbers),
		TEST(test_a_walk_has_bounds),
		TEST(test_a_walk_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
