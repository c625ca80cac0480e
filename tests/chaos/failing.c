/*
 * Loaded before towline (LD_PRELOAD): counts its calls of one kind or another, over all
 * its lives, and has the Nth of one kind fail, as a disk or memory that fails would.
 *
 *   FAILING_FILE=FILE       struct failing, which sweep.py reads; zeros at first
 *   FAILING=CALL:NTH:ERRNO  absent: they are counted only
 *
 * Counted are calls after main() has begun; of reads and writes those of regular files
 * alone, and not what goes to standard error.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* clang-format off: a name a line would be longer than it is clear */
#define CALLS(call)                                                                                \
	call(read) call(pread) call(readv) call(write) call(pwrite) call(writev) call(open)        \
	    call(openat) call(openat2) call(fopen) call(fsync) call(fdatasync) call(rename)        \
		call(malloc) call(calloc) call(realloc)
/* clang-format on */

#define NUMBER(name) CALL_##name,
#define NAME(name) #name,
enum call { CALLS(NUMBER) NCALLS };
static const char *const names[] = { CALLS(NAME) };

#define FRAMES 16

/* What sweep.py reads. */
struct failing {
	atomic_ullong made[32]; /* calls, in the order above */
	char what[1024];        /* the call that failed; empty: none has */
	char from[1024];        /* its callers, as MODULE+OFFSET, the nearest first */
};

static struct failing nowhere, *it = &nowhere;
static bool begun;
static enum call which = NCALLS;
static unsigned long long nth;
static int error;
static _Thread_local bool inside; /* a call of ours */

/* ---- counting */

static void
callers_note(void)
{
	void *frames[FRAMES];
	int n = backtrace(frames, FRAMES);
	size_t used = 0;

	for (int i = 2; i < n && used < sizeof(it->from) - 128; i++) {
		Dl_info at;
		const char *module;

		if (dladdr(frames[i], &at) == 0)
			continue;
		module = strrchr(at.dli_fname, '/');
		used += (size_t)snprintf(it->from + used, sizeof(it->from) - used, "%.60s+%#zx ",
		    module != NULL ? module + 1 : at.dli_fname,
		    (size_t)((char *)frames[i] - (char *)at.dli_fbase) - 1);
	}
}

/* One more call; true: it is to fail, with errno.  It is of `path`, or of `fd`, or of `size` bytes. */
static bool
fails(enum call call, const char *path, int fd, size_t size)
{
	char self[32], name[512] = "";

	if (!begun || inside)
		return false;
	if (atomic_fetch_add(&it->made[call], 1) + 1 != nth || call != which)
		return false;
	inside = true;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (path == NULL && fd >= 0 && readlink(self, name, sizeof(name) - 1) > 0)
		path = name;
	snprintf(it->what, sizeof(it->what), "%s %s %zu: %s", names[call], path != NULL ? path : "",
	    size, strerrorname_np(error));
	callers_note();
	inside = false;
	errno = error;
	return true;
}

static bool
is_counted(int fd)
{
	struct stat st;
	int kept = errno;
	bool is = begun && fd != STDERR_FILENO && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	errno = kept;
	return is;
}

static bool
file_fails(enum call call, int fd, size_t size)
{
	return is_counted(fd) && fails(call, NULL, fd, size);
}

/* ---- the start */

static void
settings_read(void)
{
	const char *file = getenv("FAILING_FILE"), *what = getenv("FAILING");
	int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	char name[16];

	if (fd < 0)
		return;
	it = mmap(NULL, sizeof(*it), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (it == MAP_FAILED)
		abort();
	if (what == NULL || sscanf(what, "%15[^:]:%llu:%d", name, &nth, &error) != 3)
		return;
	for (which = 0; which < NCALLS && strcmp(names[which], name) != 0;)
		which++;
}

static int (*real_main)(int, char **, char **);

static int
own_main(int argc, char **argv, char **environment)
{
	void *frames[1];

	settings_read();
	backtrace(frames, 1); /* it loads a library when it is called first */
	begun = true;
	return real_main(argc, argv, environment);
}

/* The next definition of the function of this name. */
#define NEXT(name, type, ...)                                                                      \
	static type (*next)(__VA_ARGS__);                                                          \
	if (next == NULL)                                                                          \
	*(void **)&next = dlsym(RTLD_NEXT, name)

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int
__libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	NEXT("__libc_start_main", int, int (*)(int, char **, char **), int, char **, void (*)(void),
	    void (*)(void), void (*)(void), void *);
	real_main = main;
	return next(own_main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* ---- memory */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	return fails(CALL_malloc, NULL, -1, n) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails(CALL_calloc, NULL, -1, n * size) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return n > 0 && fails(CALL_realloc, NULL, -1, n) ? NULL : __libc_realloc(p, n);
}

/* ---- reads and writes; a read whose buffer the compiler knows has a name of its own */

ssize_t __read_chk(int fd, void *to, size_t n, size_t size);
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *to, size_t n, off64_t at, size_t size);

ssize_t
read(int fd, void *to, size_t n)
{
	NEXT("read", ssize_t, int, void *, size_t);
	return file_fails(CALL_read, fd, n) ? -1 : next(fd, to, n);
}

ssize_t
__read_chk(int fd, void *to, size_t n, size_t size)
{
	if (n > size)
		abort();
	return read(fd, to, n);
}

ssize_t
pread(int fd, void *to, size_t n, off_t at)
{
	NEXT("pread", ssize_t, int, void *, size_t, off_t);
	return file_fails(CALL_pread, fd, n) ? -1 : next(fd, to, n, at);
}

ssize_t
__pread_chk(int fd, void *to, size_t n, off_t at, size_t size)
{
	if (n > size)
		abort();
	return pread(fd, to, n, at);
}

ssize_t
pread64(int fd, void *to, size_t n, off64_t at)
{
	return pread(fd, to, n, at);
}

ssize_t
__pread64_chk(int fd, void *to, size_t n, off64_t at, size_t size)
{
	return __pread_chk(fd, to, n, at, size);
}

ssize_t
readv(int fd, const struct iovec *to, int n)
{
	NEXT("readv", ssize_t, int, const struct iovec *, int);
	return file_fails(CALL_readv, fd, 0) ? -1 : next(fd, to, n);
}

ssize_t
write(int fd, const void *from, size_t n)
{
	NEXT("write", ssize_t, int, const void *, size_t);
	return file_fails(CALL_write, fd, n) ? -1 : next(fd, from, n);
}

ssize_t
pwrite(int fd, const void *from, size_t n, off_t at)
{
	NEXT("pwrite", ssize_t, int, const void *, size_t, off_t);
	return file_fails(CALL_pwrite, fd, n) ? -1 : next(fd, from, n, at);
}

ssize_t
pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	return pwrite(fd, from, n, at);
}

ssize_t
writev(int fd, const struct iovec *from, int n)
{
	NEXT("writev", ssize_t, int, const struct iovec *, int);
	return file_fails(CALL_writev, fd, 0) ? -1 : next(fd, from, n);
}

/* ---- names */

static mode_t
mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);

int
open(const char *path, int flags, ...)
{
	NEXT("open", int, const char *, int, ...);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return fails(CALL_open, path, -1, 0) ? -1 : next(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return open(path, flags, mode);
}

int
__open_2(const char *path, int flags)
{
	return open(path, flags);
}

int
__open64_2(const char *path, int flags)
{
	return open(path, flags);
}

int
openat(int dir, const char *path, int flags, ...)
{
	NEXT("openat", int, int, const char *, int, ...);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return fails(CALL_openat, path, -1, 0) ? -1 : next(dir, path, flags, mode);
}

int
__openat_2(int dir, const char *path, int flags)
{
	return openat(dir, path, flags);
}

FILE *
fopen(const char *path, const char *mode)
{
	NEXT("fopen", FILE *, const char *, const char *);
	return fails(CALL_fopen, path, -1, 0) ? NULL : next(path, mode);
}

/* openat2 has no function of its own. */
long
syscall(long number, ...)
{
	NEXT("syscall", long, long, ...);
	long at[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		at[i] = va_arg(ap, long);
	va_end(ap);
	/* NOLINTNEXTLINE: the second argument is its path */
	if (number == SYS_openat2 && fails(CALL_openat2, (const char *)at[1], -1, 0))
		return -1;
	return next(number, at[0], at[1], at[2], at[3], at[4], at[5]);
}

int
rename(const char *from, const char *to)
{
	NEXT("rename", int, const char *, const char *);
	return fails(CALL_rename, from, -1, 0) ? -1 : next(from, to);
}

/* ---- on disk */

int
fsync(int fd)
{
	NEXT("fsync", int, int);
	return fails(CALL_fsync, NULL, fd, 0) ? -1 : next(fd);
}

int
fdatasync(int fd)
{
	NEXT("fdatasync", int, int);
	return fails(CALL_fdatasync, NULL, fd, 0) ? -1 : next(fd);
}
