/*
 * Opening files below a directory, and no others: by openat2, or, where
 * the kernel has none (before 5.6) or a seccomp profile forbids it, component
 * by component, none of which may be a link.  A directory that is moved while
 * it is walked leads to files that lay in it, which nobody outside can have put there.
 */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "voice.h"

static int
by_openat2(int dir, const char *rest)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, dir, rest, &how, sizeof(how));
}

/* One component, which is no link. */
static int
step(int dir, struct slice name)
{
	char at[NAME_MAX + 1];
	struct stat st;
	int fd;

	errno = name.len > NAME_MAX ? ENAMETOOLONG : EXDEV;
	if (name.len > NAME_MAX || slice_eq(name, SLICE("..")))
		return -1;
	memcpy(at, name.at, name.len);
	at[name.len] = '\0';
	fd = openat(dir, at, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode)))
		return fd;
	close(fd);
	errno = ELOOP;
	return -1;
}

static int
by_steps(int dir, const char *rest)
{
	int at = dir, fd, error;

	for (;;) {
		const char *end = strchrnul(rest, '/');

		fd = step(at, (struct slice){ rest, (size_t)(end - rest) });
		error = errno;
		if (at != dir)
			close(at);
		errno = error;
		rest = end + strspn(end, "/");
		if (fd < 0 || *rest == '\0')
			return fd;
		at = fd;
	}
}

/* Tried on a directory that is there for certain; a failure that may pass decides nothing. */
static bool
has_openat2(void)
{
	static int has = -1;
	int dir, fd, error;

	if (has >= 0)
		return has > 0;
	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? -1 : by_openat2(dir, ".");
	error = errno;
	if (fd >= 0)
		has = 1;
	else if (dir >= 0 && (error == ENOSYS || error == EPERM || error == EACCES))
		has = 0;
	if (has < 0)
		say_warn("tail", "openat2 cannot be tried: %s", strerrordesc_np(error));
	if (has == 0)
		say_info("tail",
		    "openat2 is refused (%m): files are opened component by component instead");
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return has != 0;
}

void
beneath_begin(void)
{
	has_openat2();
}

int
beneath_open(int dir, const char *rest)
{
	return has_openat2() ? by_openat2(dir, rest) : by_steps(dir, rest);
}

static void
self_name(int fd, char to[static 32])
{
	snprintf(to, 32, "/proc/self/fd/%d", fd);
}

int
beneath_read(int fd)
{
	char self[32];
	int read;

	self_name(fd, self);
	read = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (read < 0 && errno == ENOENT)
		errno = ENOSYS;
	return read;
}

char *
beneath_name(int fd)
{
	char self[32], name[PATH_MAX];
	ssize_t n;

	self_name(fd, self);
	n = readlink(self, name, sizeof(name));
	return n <= 0 || n == sizeof(name) || name[0] != '/'
		   ? NULL
		   : xslicedup((struct slice){ name, (size_t)n });
}

const char *
beneath_rest(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	while (n > 0 && directory[n - 1] == '/')
		n--;
	if (strncmp(path, directory, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	path += n;
	return path + strspn(path, "/");
}
