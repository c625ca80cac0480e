/*
 * The roots: each is opened once, when it is first there, and kept.  Whoever
 * may write to /var/log can rename one and put a link, or a directory of his
 * own, in its place; files are opened below the directory that was
 * there first, and a root whose name leads elsewhere by now gives nothing more.
 *
 * A root's own name is no link.  The names above it are the system's (a /var
 * that is a link), but below /var/log none may be one: there pods may write.
 */
#include "roots.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "beneath.h"
#include "fence.h"
#include "memory.h"
#include "unread.h"
#include "voice.h"

#define VAR_LOG "/var/log"

static const char *const kubelet_roots[] = { "/var/log/pods", "/var/log/containers",
	"/var/lib/docker/containers" };

struct root {
	const struct roots_of *of; /* whose it is; NULL: each input's */
	char *path;                /* as it is configured */
	char *real;                /* its name without links; NULL: it has not been there yet */
	int fd;
	dev_t dev;
	ino_t ino;
	bool named;   /* by the configuration */
	bool refused; /* its name leads elsewhere, which was said */
};

struct roots {
	struct root *at;
	size_t n;
};

/* ---- the list of roots */

/* The directory of a Path: up to the last slash before any wildcard. */
static char *
directory_of_path(const char *path)
{
	size_t n = strcspn(path, "*?[");

	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n == 0)
		return xstrdup(".");
	while (n > 1 && path[n - 1] == '/')
		n--;
	return xslicedup((struct slice){ path, n });
}

/* DIR/containers is the kubelet's directory of links into DIR/pods. */
static char *
pods_beside(const char *directory)
{
	static const char links[] = "/containers";
	struct slice d = slice_of(directory);

	if (!slice_ends(d, SLICE("/containers")))
		return NULL;
	return xprintf("%.*s/pods", (int)(d.len - (sizeof(links) - 1)), directory);
}

void
roots_each(const struct roots_of *of, roots_path *each, void *arg)
{
	for (size_t i = 0; i < sizeof(kubelet_roots) / sizeof(*kubelet_roots); i++)
		each(arg, NULL, kubelet_roots[i]);
	for (size_t i = 0; i < of->path.n; i++) {
		char *directory = directory_of_path(of->path.at[i]);
		char *pods = pods_beside(directory);

		each(arg, of, directory);
		if (pods != NULL)
			each(arg, of, pods);
		free(directory);
		free(pods);
	}
	for (size_t i = 0; i < of->allowed_roots.n; i++)
		each(arg, of, of->allowed_roots.at[i]);
}

static void
root_add(void *arg, const struct roots_of *of, const char *path)
{
	struct roots *r = arg;
	struct slice name = slice_of(path);

	while (name.len > 1 && name.at[name.len - 1] == '/') /* behind a slash a link is followed */
		name.len--;
	for (size_t i = 0; i < r->n; i++) {
		if ((r->at[i].of == NULL || r->at[i].of == of) &&
		    slice_eq(slice_of(r->at[i].path), name)) {
			r->at[i].named = true;
			return;
		}
	}
	r->at = xrealloc(r->at, (r->n + 1) * sizeof(*r->at));
	r->at[r->n++] =
	    (struct root){ .of = of, .path = xslicedup(name), .fd = -1, .named = of != NULL };
}

struct roots *
roots_new(void)
{
	beneath_begin();
	return xcalloc(1, sizeof(struct roots));
}

void
roots_add(struct roots *r, const struct roots_of *of)
{
	roots_each(of, root_add, r);
}

void
roots_free(struct roots *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (r->at[i].fd >= 0)
			close(r->at[i].fd);
		free(r->at[i].path);
		free(r->at[i].real);
	}
	free(r->at);
	free(r);
}

/* ---- each by its name */

/* The rest of a path below /var/log; NULL: it is /var/log itself, or elsewhere. */
static const char *
below_var_log(const char *path)
{
	const char *rest = beneath_rest(path, VAR_LOG);

	return rest == NULL || *rest == '\0' ? NULL : rest;
}

/* Open a root by its name.  Links above it, and /var/log as a link, are the system's. */
static int
name_open(const char *path)
{
	bool system = strcmp(path, VAR_LOG) == 0;
	const char *rest = below_var_log(path);
	int dir = open(rest != NULL ? VAR_LOG : path,
	    O_PATH | O_CLOEXEC | (rest != NULL || system ? 0 : O_NOFOLLOW));
	int fd, error;

	if (dir < 0 || rest == NULL)
		return dir;
	fd = beneath_open(dir, rest);
	error = errno;
	close(dir);
	errno = error;
	return fd;
}

static bool
is_mount(int fd)
{
	struct stat here, above;
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, 0, &x) == 0 &&
	    (x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
		return (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	return fstat(fd, &here) == 0 && fstatat(fd, "..", &above, 0) == 0 &&
	       here.st_dev != above.st_dev; /* before Linux 5.8 */
}

static bool
is_pseudo(int fd)
{
	static const unsigned long kinds[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, BPF_FS_MAGIC,
		DEVPTS_SUPER_MAGIC, BINFMTFS_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, SELINUX_MAGIC,
		SMACK_MAGIC, 0x62656570 /* configfs */, 0x19800202 /* mqueue */, NSFS_MAGIC,
		PIPEFS_MAGIC, SOCKFS_MAGIC, ANON_INODE_FS_MAGIC, 0x65735543 /* fusectl */,
		HUGETLBFS_MAGIC, RDTGROUP_SUPER_MAGIC, 0x67596969 /* rpc_pipefs */,
		0x6e667364 /* nfsd */ };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if ((unsigned long)fs.f_type == kinds[i])
			return true;
	}
	return false;
}

/* ---- the directory that a name leads to by now */

static void
root_refuse(struct root *root, const char *why, const char *remedy)
{
	if (!root->refused)
		say_warn("tail", "%s %s: nothing is read below it; %s", root->path, why, remedy);
	if (root->named)
		unread_list(root->path, UNREAD_REFUSED, why);
	root->refused = true;
}

static void
root_take(struct root *root, int fd, const struct stat *st)
{
	int can_list;

	if (root->fd >= 0) {
		say_info("tail", "%s is another directory now: going on below that", root->path);
		close(root->fd);
	}
	can_list = beneath_read(fd);
	if (can_list >= 0)
		close(can_list);
	else if (errno == EACCES && fence_is_closed())
		say_warn("tail",
		    "%s cannot be read: it has come, or was mounted, after the start, and Landlock "
		    "grants nothing more; restart towline",
		    root->path);
	else
		say_warn("tail", "%s cannot be read: %s", root->path, strerrordesc_np(errno));
	root->fd = fd;
	root->dev = st->st_dev;
	root->ino = st->st_ino;
}

/* The file that its name leads to by now: taken as the root, or refused. */
static void
root_met(struct root *root, int fd)
{
	struct stat st = { 0 };
	bool same;

	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode) || is_pseudo(fd)) {
		if (S_ISLNK(st.st_mode))
			root_refuse(root, "is a link",
			    "name the directory that it leads to in Allowed_Roots");
		else
			root_refuse(
			    root, "is no directory of a file system for files", "name another one");
		close(fd);
		return;
	}
	same = root->fd >= 0 && st.st_dev == root->dev && st.st_ino == root->ino;
	if (!same && root->fd >= 0 && below_var_log(root->path) != NULL && !is_mount(fd)) {
		root_refuse(root, "is another directory than it was",
		    "when that is right, restart towline");
		close(fd);
		return;
	}
	if (same)
		close(fd);
	else
		root_take(root, fd, &st);
	free(root->real);
	root->real = beneath_name(root->fd);
	if (root->refused)
		say_info("tail", "%s is what it should be: going on below it", root->path);
	if (root->refused)
		unread_well(root->path, true);
	root->refused = false;
}

/*
 * Said when it has become something else; one that is gone may come back.  -1: it
 * cannot be looked at (errno), and is as it was.
 */
static int
root_look(struct root *root)
{
	int fd = name_open(root->path), error = errno;

	if (fd >= 0) {
		root_met(root, fd);
		return 0;
	}
	if (error == ENOENT || error == ENOTDIR)
		return 0;
	if (error == ELOOP)
		root_refuse(
		    root, "is a link", "name the directory that it leads to in Allowed_Roots");
	else if (root->named && (root->fd < 0 || error == EACCES))
		root_refuse(root, strerrordesc_np(error), "mend that");
	errno = error;
	return error == ELOOP || error == EACCES ? 0 : -1;
}

const char *
roots_look(struct roots *r)
{
	const char *unseen = NULL;
	int error = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (root_look(&r->at[i]) == 0)
			continue;
		unseen = r->at[i].path;
		error = errno;
	}
	errno = error;
	return unseen;
}

/* ---- files below the roots */

/* Docker keeps a container's configuration, with its secrets, beside its log. */
static bool
is_dockers_other(const struct root *root, const char *rest)
{
	size_t n = strcspn(rest, "/");

	if (strcmp(root->path, "/var/lib/docker/containers") != 0 || rest[n] == '\0')
		return false;
	return strncmp(rest + n + 1, rest, n) != 0 ||
	       strncmp(rest + 2 * n + 1, "-json.log", strlen("-json.log")) != 0;
}

/* An O_PATH descriptor, or -1. */
static int
below_open(const struct roots *r, const struct roots_of *of, const char *target, const char **why)
{
	*why = "it leads outside of its Path's directory and of what Allowed_Roots names";
	errno = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct root *root = &r->at[i];
		const char *rest;

		if (root->real == NULL || (root->of != NULL && root->of != of))
			continue;
		rest = beneath_rest(target, root->real);
		if (rest == NULL)
			continue;
		if (root->refused)
			*why = "it leads below a directory that is refused";
		else if (!is_dockers_other(root, rest))
			return beneath_open(root->fd, *rest == '\0' ? "." : rest);
	}
	return -1;
}

/*
 * Open `target`, a path without links, for reading, when it lies below a root, is
 * of `kind` (S_IFREG or S_IFDIR), and in no pseudo file system.
 */
static int
target_open(const struct roots *r, const struct roots_of *of, const char *target, mode_t kind,
    const char **why)
{
	int path = below_open(r, of, target, why), fd = -1;
	struct stat st;

	if (path >= 0) {
		errno = 0;
		if (is_pseudo(path))
			*why = "it lies in a file system that has no files of its own";
		else if (fstat(path, &st) < 0 || (st.st_mode & S_IFMT) != kind)
			*why = kind == S_IFDIR ? "it is no directory" : "it is no regular file";
		else
			fd = beneath_read(path);
		close(path);
	}
	if (fd >= 0)
		*why = NULL;
	else if (errno == ENOSYS)
		*why = "/proc is not mounted";
	else if (errno != 0)
		*why = errno == ENOENT ? NULL : strerrordesc_np(errno);
	return fd;
}

/*
 * The kubelet's links are absolute, so each path is resolved first and the result
 * then opened below a root, without links: between the two nothing can be swapped
 * to lead elsewhere.
 */
int
roots_open(struct roots *r, const struct roots_of *of, const char *path, struct root_file *out,
    const char **why)
{
	*why = NULL;
	out->target = realpath(path, NULL);
	if (out->target == NULL) {
		if (errno != ENOENT)
			*why = strerrordesc_np(errno);
		return -1;
	}
	out->fd = target_open(r, of, out->target, S_IFREG, why);
	if (out->fd >= 0)
		return 0;
	free(out->target);
	return -1;
}

int
roots_directory(struct roots *r, const struct roots_of *of, const char *path)
{
	char *target = realpath(path, NULL);
	const char *why;
	int fd = target == NULL ? -1 : target_open(r, of, target, S_IFDIR, &why);

	free(target);
	return fd;
}
