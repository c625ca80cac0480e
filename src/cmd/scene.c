/*
 * A copy, so that what a test has is only read, and that a container's log
 * may lie there as a plain file.
 */
#include "scene.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "memory.h"

#define DESCRIPTORS 16 /* that nftw(3) may have open */

struct laying {
	const char *home; /* the test's folder, without links */
	const char *root; /* the copy's */
	json_t *pods;     /* NULL: none are known */
	unsigned unknown; /* pods without a uid so far */
};

static int tree_copy(struct laying *l, const char *from, const char *to);

static int
failed(const char *what, const char *path)
{
	cmd_wrong("towline test: cannot %s %s: %s", what, path, strerrordesc_np(errno));
	return -1;
}

/* Make the folder ${path} and those above it. */
static int
folders_make(char *path)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return failed("make", path);
		*at = '/';
	}
	return 0;
}

static int
file_copy(const char *from, const char *to)
{
	/* O_NONBLOCK: a FIFO in its place is not waited for. */
	int in = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC), out = -1;
	struct stat st;
	ssize_t n = 1;

	if (in >= 0 && (fstat(in, &st) < 0 || !S_ISREG(st.st_mode))) {
		cmd_wrong("towline test: %s is no file", from);
		close(in);
		return -1;
	}
	if (in >= 0)
		out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (out >= 0 && n > 0)
		n = sendfile(out, in, NULL, 1 << 20);
	if (in < 0 || out < 0 || n < 0)
		n = failed("copy", from);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return (int)n;
}

/* ---- a container's log */

static const char *
string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* The uid of a pod, or a made one that no other pod has; the caller frees. */
static char *
uid_of(struct laying *l, const char *namespace, const char *name)
{
	json_t *items = json_object_get(l->pods, "items");
	const json_t *pod;
	size_t i;

	json_array_foreach(items, i, pod)
	{
		const json_t *meta = json_object_get(pod, "metadata");
		const char *hash =
		    string_at(json_object_get(meta, "annotations"), "kubernetes.io/config.hash");

		if (strcmp(string_at(meta, "name"), name) == 0 &&
		    strcmp(string_at(meta, "namespace"), namespace) == 0)
			return xstrdup(*hash != '\0' ? hash : string_at(meta, "uid"));
	}
	return xprintf("00000000-0000-0000-0000-%012u", ++l->unknown);
}

/* POD_NAMESPACE_CONTAINER-ID.log, taken apart in ${name}; false: it is another name. */
static bool
name_split(char *name, char **namespace, char **container)
{
	char *end = strrchr(name, '.'), *id;

	*namespace = strchr(name, '_');
	*container = *namespace != NULL ? strchr(*namespace + 1, '_') : NULL;
	id = *container != NULL ? strrchr(*container, '-') : NULL;
	if (id == NULL || end == NULL || strcmp(end, ".log") != 0 || id > end)
		return false;
	*id = '\0';
	*(*namespace)++ = '\0';
	*(*container)++ = '\0';
	return *name != '\0' && **namespace != '\0' && **container != '\0';
}

/* The file ${from} is to be ${to}, a container's log by its name: 1: it is none. */
static int
container_copy(struct laying *l, const char *from, const char *to)
{
	static const char links[] = "/containers";
	const char *base = strrchr(to, '/');
	char *name = xstrdup(base + 1), *namespace, *container, *uid, *log;
	size_t folder = (size_t)(base - to), len = strlen(links);
	int result = 1;

	if (folder > len && strncmp(base - len, links, len) == 0 &&
	    name_split(name, &namespace, &container)) {
		uid = uid_of(l, namespace, name);
		log = xprintf("%.*s/pods/%s_%s_%s/%s/0.log", (int)(folder - len), to, namespace,
		    name, uid, container);
		result = folders_make(log) < 0 || file_copy(from, log) < 0 ? -1 : 0;
		if (result == 0 && symlink(log, to) < 0)
			result = failed("make", to);
		free(uid);
		free(log);
	}
	free(name);
	return result;
}

/* ---- folders */

/* A link to a file within the test's folder stays one: 1: it is none. */
static int
link_copy(const struct laying *l, const char *from, const char *to)
{
	char *target = realpath(from, NULL), leads[4096];
	size_t n = strlen(l->home);
	ssize_t length = readlink(from, leads, sizeof(leads) - 1);
	bool within = target != NULL && strncmp(target, l->home, n) == 0 && target[n] == '/';

	free(target);
	if (length < 0)
		return 1;
	leads[length] = '\0';
	if (leads[0] == '/') { /* as on the node */
		char *there = xprintf("%s%s", l->root, leads);
		int result = symlink(there, to);

		free(there);
		return result < 0 ? failed("make", to) : 0;
	}
	if (!within)
		return 1;
	return symlink(leads, to) < 0 ? failed("make", to) : 0;
}

static int
one_copy(struct laying *l, const char *from, const char *to)
{
	struct stat st;
	int result = 1;

	if (stat(from, &st) == 0 && S_ISDIR(st.st_mode))
		return tree_copy(l, from, to);
	result = link_copy(l, from, to);
	if (result == 1)
		result = container_copy(l, from, to);
	return result == 1 ? file_copy(from, to) : result;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
no_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int
tree_copy(struct laying *l, const char *from, const char *to)
{
	struct dirent **names;
	int n = scandir(from, &names, no_hidden, by_bytes), result = 0;

	if (n < 0)
		return failed("list", from);
	if (mkdir(to, 0700) < 0 && errno != EEXIST)
		result = failed("make", to);
	for (int i = 0; i < n; i++) {
		char *source = xprintf("%s/%s", from, names[i]->d_name);
		char *copy = xprintf("%s/%s", to, names[i]->d_name);

		if (result == 0)
			result = one_copy(l, source, copy);
		free(source);
		free(copy);
		free(names[i]);
	}
	free(names);
	return result;
}

/* The folders of the test that are the node's. */
static int
folders_copy(struct laying *l)
{
	struct dirent **names;
	int n = scandir(l->home, &names, no_hidden, by_bytes), result = 0;

	if (n < 0)
		return failed("list", l->home);
	for (int i = 0; i < n; i++) {
		char *source = xprintf("%s/%s", l->home, names[i]->d_name);
		char *copy = xprintf("%s/%s", l->root, names[i]->d_name);
		struct stat st;

		if (result == 0 && strcmp(names[i]->d_name, "expected") != 0 &&
		    stat(source, &st) == 0 && S_ISDIR(st.st_mode))
			result = tree_copy(l, source, copy);
		free(source);
		free(copy);
		free(names[i]);
	}
	free(names);
	return result;
}

int
scene_make(struct scene *s, const char *dir, const char *pods)
{
	const char *tmp = getenv("TMPDIR");
	char *home = realpath(dir, NULL);
	struct laying l = { .home = home };
	int result = -1;

	*s = (struct scene){ 0 };
	if (home == NULL)
		return failed("read", dir);
	s->folder = xprintf("%s/towline-test-XXXXXX", tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	if (mkdtemp(s->folder) == NULL) {
		failed("make", s->folder);
		free(s->folder);
		s->folder = NULL;
		goto out;
	}
	s->state = xprintf("%s/.state", s->folder);
	l.root = s->folder;
	l.pods = pods != NULL ? json_load_file(pods, 0, NULL) : NULL;
	if (mkdir(s->state, 0700) < 0)
		failed("make", s->state);
	else
		result = folders_copy(&l);
	json_decref(l.pods);
out:
	free(home);
	return result;
}

static int
one_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	return kind == FTW_DP ? rmdir(path) : unlink(path);
}

void
scene_remove(struct scene *s)
{
	if (s->folder != NULL)
		nftw(s->folder, one_remove, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	free(s->folder);
	free(s->state);
	*s = (struct scene){ 0 };
}
