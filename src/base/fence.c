/*
 * Landlock knows inodes: a grant holds for the inode that a path leads to at
 * that moment.  A file that is replaced by another of its name must be granted
 * by its directory, and a directory that may be mounted over by one above it.
 */
#include "fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "voice.h"

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                     \
	(READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                  \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE)
#define OF_FILES                                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

struct grant {
	char *where; /* an existing path without links */
	char *what;  /* the path asked for: the same, or one below it */
	enum fence_right right;
};

struct fence {
	struct grant *grants;
	size_t n;
	int *kept; /* descriptors that keep inodes in the kernel, as /proc makes its inodes anew */
	size_t nkept;
};

static bool closed;

struct fence *
fence_new(void)
{
	return xcalloc(1, sizeof(struct fence));
}

void
fence_free(struct fence *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->grants[i].where);
		free(f->grants[i].what);
	}
	for (size_t i = 0; i < f->nkept; i++)
		close(f->kept[i]);
	free(f->kept);
	free(f->grants);
	free(f);
}

/* ---- grants */

static bool
is_systems(const char *directory)
{
	static const char *const names[] = { "/", "/boot", "/dev", "/etc", "/etc/ssl",
		"/etc/ssl/private", "/home", "/proc", "/root", "/run", "/sys", "/tmp", "/usr",
		"/var", "/var/lib", "/var/log", "/var/tmp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(directory, names[i]) == 0)
			return true;
	}
	return false;
}

static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return xslicedup((struct slice){ path, slash == path ? 1 : (size_t)(slash - path) });
}

static void
add(struct fence *f, char *where, char *what, enum fence_right right)
{
	f->grants = xrealloc(f->grants, (f->n + 1) * sizeof(*f->grants));
	f->grants[f->n++] = (struct grant){ where, what, right };
}

/* The nearest existing parent of `path`, without links; *what: the same with the missing part appended. */
static char *
nearest_of(const char *path, char **what)
{
	char *at = xstrdup(path), *real;

	while ((real = realpath(at, NULL)) == NULL) {
		char *up = directory_of(at);

		if (strcmp(up, at) == 0) /* no parent exists: nothing can be opened anyway */
			break;
		free(at);
		at = up;
	}
	if (real == NULL)
		real = xstrdup("/");
	*what = xprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real,
	    strncmp(path, at, strlen(at)) == 0 ? path + strlen(at) + (path[strlen(at)] == '/')
					       : path);
	if ((*what)[strlen(*what) - 1] == '/' && strlen(*what) > 1)
		(*what)[strlen(*what) - 1] = '\0';
	free(at);
	return real;
}

static void
grant_around(struct fence *f, const char *path, enum fence_right right)
{
	char *directory = directory_of(path), *real = realpath(directory, NULL);

	if (real != NULL && !is_systems(real))
		add(f, xstrdup(real), xstrdup(real), right);
	free(directory);
	free(real);
}

void
fence_grant(struct fence *f, const char *path, enum fence_right right, enum fence_reach reach)
{
	char *real = realpath(path, NULL), *what, *where, *up;

	if (reach == FENCE_AROUND) {
		grant_around(f, path, right);
		if (real != NULL)
			grant_around(f, real, right);
	}
	if (reach == FENCE_ITSELF || reach == FENCE_AROUND) {
		if (real != NULL)
			add(f, real, xstrdup(real), right);
		return;
	}
	free(real);
	where = nearest_of(path, &what);
	up = directory_of(where);
	if (reach == FENCE_PARENT && strcmp(where, what) == 0 && !is_systems(up)) {
		free(where);
		where = xstrdup(up);
	}
	free(up);
	add(f, where, what, right);
}

static bool
is_within(const char *path, const char *directory)
{
	size_t n = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

	return strncmp(path, directory, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

const char *
fence_beyond(const struct fence *wanted, const struct fence *standing)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct grant *w = &wanted->grants[i];
		bool within = false;

		for (size_t j = 0; j < standing->n && !within; j++)
			within = standing->grants[j].right >= w->right &&
				 is_within(w->what, standing->grants[j].where);
		if (!within)
			return w->what;
	}
	return NULL;
}

/* ---- the kernel's rules */

/* What is not granted now is not given until the next start: a failure that may pass is asked again. */
static int
place_open(const char *where)
{
	int fd = open(where, O_PATH | O_CLOEXEC);

	if (fd >= 0 || (errno != EIO && errno != ENOMEM && errno != ENFILE))
		return fd;
	fd = open(where, O_PATH | O_CLOEXEC);
	say_warn("run", "%s cannot be looked at%s", where,
	    fd >= 0 ? " at the first time of asking"
		    : ": Landlock grants nothing there until towline is started again");
	return fd;
}

static void
rule_add(struct fence *f, int rules, const struct grant *g, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = { .allowed_access =
						       g->right == FENCE_READ ? READS : WRITES };
	int fd = place_open(g->where);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	rule.allowed_access &= handled;
	rule.parent_fd = fd;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (!is_within(g->where, "/proc")) {
		close(fd);
		return;
	}
	f->kept = xrealloc(f->kept, (f->nkept + 1) * sizeof(*f->kept));
	f->kept[f->nkept++] = fd;
}

int
fence_close(struct fence *f, bool exec)
{
	int version =
	    (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = { .handled_access_fs =
						 (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	int rules, error;

	if (version <= 0)
		return 0;
	if (version >= 2)
		all.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (exec)
		all.handled_access_fs &= ~LANDLOCK_ACCESS_FS_EXECUTE;
	/* Only the first field of the struct, as older kernels refuse a longer one. */
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all.handled_access_fs), 0);
	if (rules < 0)
		return 0;
	for (size_t i = 0; i < f->n; i++)
		rule_add(f, rules, &f->grants[i], all.handled_access_fs);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		version = 0;
	error = errno;
	close(rules);
	errno = error;
	closed = version > 0;
	return version;
}

bool
fence_is_closed(void)
{
	return closed;
}
