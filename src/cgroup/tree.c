/* Folders walked, small files read: each bounded. */
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"

#define FILE_MOST 16384 /* bytes of a file that is read */
#define PATH_MOST 2048

/* ---- the hierarchies */

static int
folder_open(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
tree_open(struct tree *t, const char *root)
{
	static const char *const cpus[] = { "cpuacct", "cpu,cpuacct", "cpuacct,cpu" };
	int at = folder_open(AT_FDCWD, root);

	*t = (struct tree){ -1, -1, false };
	if (at < 0)
		return false;
	if (faccessat(at, "cgroup.controllers", F_OK, 0) == 0) {
		t->v2 = true;
		t->memory = t->cpu = at;
		return true;
	}
	t->memory = folder_open(at, "memory");
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]) && t->cpu < 0; i++)
		t->cpu = folder_open(at, cpus[i]);
	close(at);
	if (t->memory >= 0 && t->cpu >= 0)
		return true;
	tree_close(t);
	return false;
}

void
tree_close(struct tree *t)
{
	if (t->memory >= 0)
		close(t->memory);
	if (t->cpu >= 0 && !t->v2)
		close(t->cpu);
	t->memory = t->cpu = -1;
}

/* ---- the walk */

struct walk {
	tree_found *found;
	void *arg;
	unsigned folders, most, depth;
	char path[PATH_MOST];
	size_t len;
};

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The id in a folder's name; empty: there is none.  CRI-O has a second folder of each container, for conmon. */
static struct slice
id_of(const char *name)
{
	size_t run = 0;

	if (strstr(name, "conmon") != NULL)
		return SLICE("");
	for (size_t i = 0;; i++) {
		if (is_hex(name[i])) {
			run++;
			continue;
		}
		if (run == TREE_ID)
			return (struct slice){ name + i - run, run };
		if (name[i] == '\0')
			return SLICE("");
		run = 0;
	}
}

static void walk_folder(struct walk *w, int fd);

/* A folder that stands in another. */
static void
walk_entry(struct walk *w, int in, const char *name)
{
	size_t len = strlen(name), was = w->len;
	struct slice id = id_of(name);
	int fd;

	if (w->len + len + 2 > PATH_MOST)
		return;
	w->len += (size_t)snprintf(
	    w->path + w->len, PATH_MOST - w->len, "%s%s", w->len > 0 ? "/" : "", name);
	if (id.len > 0) {
		w->found(w->arg, id, w->path);
	} else if (w->depth < TREE_DEPTH) {
		fd = openat(in, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			walk_folder(w, fd);
	}
	w->len = was;
	w->path[was] = '\0';
}

/* ${fd} is taken. */
static void
walk_folder(struct walk *w, int fd)
{
	DIR *folder = fdopendir(fd);
	const struct dirent *e;

	if (folder == NULL) {
		close(fd);
		return;
	}
	w->depth++;
	while (w->folders <= w->most && (e = readdir(folder)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		if (++w->folders <= w->most)
			walk_entry(w, fd, e->d_name);
	}
	w->depth--;
	closedir(folder);
}

bool
tree_walk(const struct tree *t, unsigned most, tree_found *found, void *arg)
{
	struct walk w = { .found = found, .arg = arg, .most = most };
	int fd = folder_open(t->memory, ".");

	if (fd >= 0)
		walk_folder(&w, fd);
	return w.folders <= most;
}

/* ---- a container's files */

/* The text of a file, in ${to}; false: it cannot be read. */
static bool
file_read(int at, const char *path, const char *name, char to[FILE_MOST])
{
	char *file = xprintf("%s/%s", path, name);
	int fd = openat(at, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	free(file);
	if (fd < 0)
		return false;
	n = read(fd, to, FILE_MOST - 1);
	close(fd);
	to[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool
number_read(const char *text, uint64_t *to)
{
	if (*text < '0' || *text > '9')
		return false;
	*to = strtoull(text, NULL, 10);
	return true;
}

/* The number of a line `NAME NUMBER`. */
static bool
line_read(const char *text, const char *name, uint64_t *to)
{
	size_t len = strlen(name);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, name, len) == 0 && text[len] == ' ')
			return number_read(text + len + 1, to);
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return false;
}

static bool
memory_read(const struct tree *t, const char *path, uint64_t *to)
{
	char text[FILE_MOST];
	uint64_t idle = 0;

	if (!file_read(t->memory, path, t->v2 ? "memory.current" : "memory.usage_in_bytes", text) ||
	    !number_read(text, to))
		return false;
	if (file_read(t->memory, path, "memory.stat", text))
		line_read(text, t->v2 ? "inactive_file" : "total_inactive_file", &idle);
	*to -= least(idle, *to);
	return true;
}

static bool
cpu_read(const struct tree *t, const char *path, double *to)
{
	char text[FILE_MOST];
	uint64_t used;

	if (!file_read(t->cpu, path, t->v2 ? "cpu.stat" : "cpuacct.usage", text) ||
	    !(t->v2 ? line_read(text, "usage_usec", &used) : number_read(text, &used)))
		return false;
	*to = (double)used / (t->v2 ? 1e6 : 1e9);
	return true;
}

bool
tree_read(const struct tree *t, const char *path, struct tree_usage *out)
{
	return memory_read(t, path, &out->memory) && cpu_read(t, path, &out->cpu);
}
