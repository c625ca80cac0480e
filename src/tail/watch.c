/*
 * Changes, told by inotify: of names in directories, and once for each
 * file that it was written to.  A one-shot watch on each file costs one event
 * a wake-up, however fast it is written; a file that is written all the time
 * is not watched at all (walk.c).
 *
 * After an overflow nothing is certain: every file is read, every directory
 * looked at.  Changes without an event (network mounts) are found by the rescan.
 */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "turns.h"

#define BUCKETS 4096 /* of the tables of watches */

struct directory {
	LIST_ENTRY(directory) in_watched;
	int wd;
	dev_t dev;
	ino_t ino;
	char *path;
};

struct watch {
	int fd;
	LIST_HEAD(, place) places[BUCKETS];    /* by watch descriptor */
	LIST_HEAD(, directory) by_wd[BUCKETS]; /* by watch descriptor */
	struct map *directories;               /* by path */
	struct said said;
	bool told; /* there are events */
};

struct watch *
watch_none(void)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->fd = -1;
	w->directories = map_new();
	return w;
}

struct watch *
watch_new(void)
{
	struct watch *w = watch_none();

	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		say_warn("tail", "no inotify (%m; see fs.inotify.max_user_instances): "
				 "changes are found by the rescan alone, each Refresh_Interval");
	return w;
}

void
watch_free(struct watch *w)
{
	struct directory *d;
	size_t at = 0;

	if (w == NULL)
		return;
	while ((d = map_next(w->directories, &at, NULL)) != NULL) {
		free(d->path);
		free(d);
	}
	if (w->fd >= 0)
		close(w->fd);
	map_free(w->directories);
	free(w);
}

int
watch_fd(const struct watch *w)
{
	return w->fd;
}

void
watch_told(struct watch *w, bool so)
{
	w->told = so;
}

static void
say_failed(struct watch *w, const char *path)
{
	if (errno != ENOENT && w->fd >= 0 && !said_lately(&w->said))
		say_warn("tail", "cannot watch %s: %m; it is read by the rescan alone%s", path,
		    errno == ENOSPC ? " (raise fs.inotify.max_user_watches)" : "");
}

/* The directory itself is watched still, maybe under another path. */
static void
directory_forget(struct watch *w, struct directory *d)
{
	map_del(w->directories, slice_of(d->path));
	LIST_REMOVE(d, in_watched);
	free(d->path);
	free(d);
}

/* By descriptor: the name may lead elsewhere by now. */
static int
watch_add(struct watch *w, int fd, uint32_t mask)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return inotify_add_watch(w->fd, self, mask);
}

/* Another directory may have its path by now: a mount over it is told by no event. */
void
watch_directory(struct watch *w, const char *path, int fd)
{
	const uint32_t mask = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE |
			      IN_DELETE_SELF | IN_ONLYDIR;
	struct directory *d = map_get(w->directories, slice_of(path));
	struct stat st;
	int wd;

	if (fstat(fd, &st) < 0)
		return;
	if (d != NULL && st.st_dev == d->dev && st.st_ino == d->ino)
		return;
	if (d != NULL)
		directory_forget(w, d);
	wd = watch_add(w, fd, mask);
	if (wd < 0) {
		say_failed(w, path);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->wd = wd;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	d->path = xstrdup(path);
	map_put(w->directories, slice_of(path), d);
	LIST_INSERT_HEAD(&w->by_wd[(unsigned)wd % BUCKETS], d, in_watched);
}

static void
place_unwatched(struct place *p)
{
	LIST_REMOVE(p, in_watched);
	p->wd = -1;
}

void
watch_forget(struct watch *w, struct place *p)
{
	if (p->wd < 0)
		return;
	inotify_rm_watch(w->fd, p->wd);
	place_unwatched(p);
}

void
watch_place(struct watch *w, struct place *p)
{
	if (p->wd >= 0 || w->fd < 0)
		return;
	p->wd = watch_add(w, p->fd, IN_MODIFY | IN_ONESHOT);
	if (p->wd < 0)
		say_failed(w, p->name);
	else
		LIST_INSERT_HEAD(&w->places[(unsigned)p->wd % BUCKETS], p, in_watched);
}

/*
 * The kernel has let a watch go.  That of a directory: a new directory of the name
 * is watched, once it is there.  That of a file: it was told once.
 */
static bool
directory_ignored(struct watch *w, int wd)
{
	struct directory *d, *next;
	bool any = false;

	for (d = LIST_FIRST(&w->by_wd[(unsigned)wd % BUCKETS]); d != NULL; d = next) {
		next = LIST_NEXT(d, in_watched);
		if (d->wd != wd)
			continue;
		directory_forget(w, d);
		any = true; /* another path may lead to the same directory */
	}
	return any;
}

void
watch_event(struct watch *w, struct tail *t, const struct inotify_event *e)
{
	const uint32_t names =
	    IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_UNMOUNT;
	struct place *p;

	if (e->mask & IN_Q_OVERFLOW) {
		say_warn("tail", "inotify's queue overflowed: looking at every file");
		turns_wake_all(t);
		t->look->wanted = t->files->closed = true;
		return;
	}
	LIST_FOREACH (p, &w->places[(unsigned)e->wd % BUCKETS], in_watched) {
		if (p->wd != e->wd)
			continue;
		turns_wake_content(t, p->content);
		place_unwatched(p); /* it was told once; its log's turn asks again */
		return;
	}
	if (e->mask & IN_IGNORED)
		t->look->wanted |= directory_ignored(w, e->wd);
	t->files->closed |= (e->mask & IN_CLOSE_WRITE) != 0;
	t->look->wanted |= (e->mask & names) != 0;
}

void
watch_read(struct watch *w, struct tail *t)
{
	_Alignas(struct inotify_event) char events[16384];
	const ssize_t most = sizeof(struct inotify_event) + NAME_MAX + 1;
	ssize_t n;

	if (!w->told)
		return;
	w->told = false;
	do {
		n = read(w->fd, events, sizeof(events));
		for (char *at = events; at - events < n;) {
			const struct inotify_event *e =
			    (const struct inotify_event *)(const void *)at;

			watch_event(w, t, e);
			at += sizeof(*e) + e->len;
		}
	} while (n > (ssize_t)sizeof(events) - most);
}
