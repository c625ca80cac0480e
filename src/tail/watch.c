/*
 * What has changed, told by inotify: names in directories, and once for each
 * file that it was written to.  A one-shot watch on each file costs one event
 * a wake-up, however fast it is written.
 *
 * After an overflow nothing is certain: every file is read, every directory
 * looked at.  What no event tells of (network mounts), the rescan finds.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "file.h"
#include "map.h"
#include "voice.h"

#define BUCKETS 4096 /* of the table of watches */

struct watch {
	int fd;
	struct file *files[BUCKETS]; /* by watch descriptor */
	struct map *directories;     /* path -> 1 + its descriptor */
	struct said said;
};

struct watch *
watch_new(void)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		say_warn("tail", "no inotify (%m; see fs.inotify.max_user_instances): "
				 "changes are found by the rescan alone, each Refresh_Interval");
	w->directories = map_new();
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
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

static void
say_failed(struct watch *w, const char *path)
{
	if (errno != ENOENT && w->fd >= 0 && !said_lately(&w->said))
		say_warn("tail", "cannot watch %s: %m; it is read by the rescan alone%s", path,
		    errno == ENOSPC ? " (raise fs.inotify.max_user_watches)" : "");
}

void
watch_directory(struct watch *w, const char *path)
{
	const uint32_t mask = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE |
			      IN_DELETE_SELF | IN_ONLYDIR;

	int wd;

	if (map_get(w->directories, slice_of(path)) != NULL)
		return;
	wd = inotify_add_watch(w->fd, path, mask);
	if (wd < 0)
		say_failed(w, path);
	else
		map_put(w->directories, slice_of(path), (void *)(intptr_t)(wd + 1));
}

void
watch_forget(struct watch *w, struct file *f)
{
	struct file **at = &w->files[(unsigned)f->wd % BUCKETS];

	if (f->wd < 0)
		return;
	while (*at != NULL && *at != f)
		at = &(*at)->by_wd;
	if (*at == f)
		*at = f->by_wd;
	f->wd = -1;
}

void
watch_file(struct watch *w, struct file *f)
{
	char self[32];

	if (f->wd >= 0 || w->fd < 0)
		return;
	/* By descriptor: the name may lead to another file by now. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	f->wd = inotify_add_watch(w->fd, self, IN_MODIFY | IN_ONESHOT);
	if (f->wd < 0) {
		say_failed(w, f->path);
		return;
	}
	f->by_wd = w->files[(unsigned)f->wd % BUCKETS];
	w->files[(unsigned)f->wd % BUCKETS] = f;
}

/* A watched directory is gone; one of the same name is watched anew. */
static void
directory_forget(struct watch *w, int wd)
{
	struct slice path;
	size_t at = 0;
	void *value;

	while ((value = map_next(w->directories, &at, &path)) != NULL) {
		if ((int)(intptr_t)value - 1 == wd) {
			map_del(w->directories, path);
			return;
		}
	}
}

static void
note_event(struct watch *w, struct tail *t, const struct inotify_event *e)
{
	struct file *f;

	if (e->mask & IN_Q_OVERFLOW) {
		say_warn("tail", "inotify's queue overflowed: looking at every file");
		for (f = t->files; f != NULL; f = f->next)
			f->ready = true;
		t->look = true;
		return;
	}
	for (f = w->files[(unsigned)e->wd % BUCKETS]; f != NULL; f = f->by_wd) {
		if (f->wd != e->wd)
			continue;
		f->ready = true;
		watch_forget(w, f); /* it was told once; file_turn asks again */
		return;
	}
	if (e->mask & IN_IGNORED)
		directory_forget(w, e->wd);
	for (f = t->files; e->mask & IN_CLOSE_WRITE && f != NULL; f = f->next)
		f->ready |= f->leaving;
	if (e->mask &
	    (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_IGNORED))
		t->look = true;
}

void
watch_read(struct watch *w, struct tail *t)
{
	_Alignas(struct inotify_event) char events[16384];
	ssize_t n;

	while ((n = read(w->fd, events, sizeof(events))) > 0) {
		for (char *at = events; at < events + n;) {
			const struct inotify_event *e =
			    (const struct inotify_event *)(const void *)at;

			note_event(w, t, e);
			at += sizeof(*e) + e->len;
		}
	}
}
