/* What a process may open behind a fence: each in a child of its own. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fence.h"
#include "memory.h"

static char dir[] = "/tmp/towline-fence-XXXXXX";

static char *
at(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *to = path[next++ % 4];

	snprintf(to, 256, "%s/%s", dir, name);
	return to;
}

static void
put(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int
setup(void **state)
{
	static const char *const dirs[] = { "logs", "logs/a", "secret", "state", "app", "app/log" };

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; i < COUNT(dirs); i++)
		mkdir(at(dirs[i]), 0700);
	put("logs/a/0.log");
	put("secret/key");
	put("secret/other");
	put("app/log/1");
	return symlink(at("secret/key"), at("key"));
}

static int
tree_remove(const char *path, const struct stat *st, int type, struct FTW *at_)
{
	(void)st, (void)type, (void)at_;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(dir, tree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* errno of opening it; 0: it can be opened. */
static int
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Each line is one promise; its number is the child's exit code when it does not hold. */
#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(__LINE__ % 200 + 1);                                                 \
	} while (0)

static void
child_ends(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 255)
		skip(); /* this kernel has no Landlock */
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_what_is_granted_and_nothing_else(void **state)
{
	pid_t pid = fork();
	struct fence *f;

	(void)state;
	if (pid != 0) {
		child_ends(pid);
		return;
	}
	f = fence_new();
	fence_grant(f, at("logs"), FENCE_READ, FENCE_ITSELF);
	fence_grant(f, at("state"), FENCE_WRITE, FENCE_ITSELF);
	fence_grant(f, at("later/logs"), FENCE_READ, FENCE_ITSELF);
	fence_grant(f, "/proc/sys/kernel/random/boot_id", FENCE_READ, FENCE_ITSELF);
	if (fence_close(f, false) == 0)
		_exit(255);
	HOLDS(fence_is_closed());
	HOLDS(opens(at("logs/a/0.log"), O_RDONLY) == 0);
	HOLDS(opens(at("logs/a"), O_RDONLY | O_DIRECTORY) == 0);
	HOLDS(opens(at("logs/a/0.log"), O_WRONLY) == EACCES);
	HOLDS(opens(at("logs/a/1.log"), O_WRONLY | O_CREAT) == EACCES);
	HOLDS(opens(at("secret/key"), O_RDONLY) == EACCES);
	HOLDS(opens(dir, O_RDONLY | O_DIRECTORY) == EACCES);
	HOLDS(opens("/etc/passwd", O_RDONLY) == EACCES);
	HOLDS(opens("/proc/self/environ", O_RDONLY) == EACCES);
	HOLDS(opens("/proc/sys/kernel/random/boot_id", O_RDONLY) == 0);
	HOLDS(opens(at("state/db"), O_RDWR | O_CREAT) == 0);
	HOLDS(opens(at("state/db"), O_RDWR | O_TRUNC) == 0);
	HOLDS(rename(at("state/db"), at("state/db.old")) == 0);
	HOLDS(rename(at("logs/a/0.log"), at("state/0.log")) < 0);
	HOLDS(unlink(at("state/db.old")) == 0);
	HOLDS(unlink(at("logs/a/0.log")) < 0);
	execl("/bin/true", "true", (char *)NULL);
	HOLDS(errno == EACCES);
	_exit(0);
}

static void
test_programs_are_run_when_they_may(void **state)
{
	pid_t pid = fork();
	struct fence *f;

	(void)state;
	if (pid != 0) {
		child_ends(pid);
		return;
	}
	f = fence_new();
	fence_grant(f, "/", FENCE_READ, FENCE_ITSELF);
	if (fence_close(f, true) == 0)
		_exit(255);
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static void
test_what_is_replaced_is_granted_by_its_directory(void **state)
{
	pid_t pid = fork();
	struct fence *f;

	(void)state;
	if (pid != 0) {
		child_ends(pid);
		return;
	}
	f = fence_new();
	fence_grant(f, at("key"), FENCE_READ, FENCE_AROUND); /* a link: where it leads, too */
	fence_grant(f, at("app/log"), FENCE_READ, FENCE_PARENT);
	fence_grant(f, at("logs/b/c"), FENCE_READ, FENCE_NEAREST);
	if (fence_close(f, false) == 0)
		_exit(255);
	HOLDS(opens(at("secret/key"), O_RDONLY) == 0);
	HOLDS(opens(at("secret/other"), O_RDONLY) == 0);
	HOLDS(opens(at("app"), O_RDONLY | O_DIRECTORY) == 0);
	HOLDS(opens(at("logs/a/0.log"), O_RDONLY) == 0);
	HOLDS(opens("/etc/passwd", O_RDONLY) == EACCES);
	_exit(0);
}

static void
test_of_the_systems_directories_only_the_file_is_granted(void **state)
{
	pid_t pid = fork();
	struct fence *f;

	(void)state;
	if (pid != 0) {
		child_ends(pid);
		return;
	}
	f = fence_new();
	fence_grant(f, "/etc/passwd", FENCE_READ, FENCE_AROUND);
	if (fence_close(f, false) == 0)
		_exit(255);
	HOLDS(opens("/etc/passwd", O_RDONLY) == 0);
	HOLDS(opens("/etc/group", O_RDONLY) == EACCES);
	_exit(0);
}

static void
test_what_lies_beyond(void **state)
{
	struct fence *standing = fence_new(), *wanted = fence_new();
	char *real = realpath(dir, NULL), *want = xprintf("%s/secret", real);

	(void)state;
	fence_grant(standing, at("logs"), FENCE_READ, FENCE_ITSELF);
	fence_grant(standing, at("state"), FENCE_WRITE, FENCE_ITSELF);
	fence_grant(wanted, at("logs/a"), FENCE_READ, FENCE_PARENT);
	fence_grant(wanted, at("logs/x/y"), FENCE_READ, FENCE_NEAREST);
	fence_grant(wanted, at("state"), FENCE_READ, FENCE_ITSELF);
	assert_null(fence_beyond(wanted, standing));
	fence_grant(wanted, at("secret"), FENCE_READ, FENCE_NEAREST);
	assert_string_equal(fence_beyond(wanted, standing), want);
	free(want);
	fence_free(wanted);
	wanted = fence_new();
	fence_grant(wanted, at("logs"), FENCE_WRITE, FENCE_ITSELF);
	want = xprintf("%s/logs", real);
	assert_string_equal(fence_beyond(wanted, standing), want);
	free(want);
	free(real);
	fence_free(wanted);
	fence_free(standing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_granted_and_nothing_else),
		cmocka_unit_test(test_programs_are_run_when_they_may),
		cmocka_unit_test(test_what_is_replaced_is_granted_by_its_directory),
		cmocka_unit_test(test_of_the_systems_directories_only_the_file_is_granted),
		cmocka_unit_test(test_what_lies_beyond),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
