/*
 * What open files cost others.
 *
 * A deleted file keeps its disk as long as it is open.  When such files have
 * too much of it, the one whose .gz is there goes on in that, which loses
 * nothing; then the oldest is let go unread, which is said and counted.
 *
 * A rotated file that was read to its end stays open for what its writer may
 * still have; when descriptors run out it is closed, and opened again when
 * there is room.
 */
#include "held.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ahead.h"
#include "back.h"
#include "beneath.h"
#include "clock.h"
#include "content.h"
#include "lost.h"
#include "resolve.h"

#define HELD_GAP NS_PER_S /* how often the deleted files are summed */
#define FREE_LEAST 15     /* % of the disk: below it the limit shrinks with what is free */
#define SPARE 24          /* descriptors that files do not take: directories, sockets, the store */
#define GONE " (deleted)" /* proc(5): behind the name of a deleted file */
#define SAME ((size_t)4096) /* as much of two files is compared */

/* ---- names */

char *
held_name(const struct file *f, bool *deleted)
{
	char *name = beneath_name(f->fd);

	*deleted = name != NULL && slice_ends(slice_of(name), SLICE(GONE));
	if (*deleted)
		name[strlen(name) - (sizeof(GONE) - 1)] = '\0';
	return name;
}

/* ---- disk */

/* Bytes on disk that only we keep; 0: it has a name. */
static uint64_t
held_bytes(const struct file *f)
{
	struct stat st;

	if (f->packed != NULL || f->let_go || f->fd < 0 || fstat(f->fd, &st) < 0 || st.st_nlink > 0)
		return 0;
	return (uint64_t)st.st_blocks * 512;
}

static uint64_t
held_limit(const struct file *f)
{
	uint64_t limit = f->conf->held_deleted_limit;
	struct statvfs disk;

	if (limit == 0)
		return UINT64_MAX;
	if (fstatvfs(f->fd, &disk) == 0 && disk.f_blocks > 0 &&
	    disk.f_bavail * 100 / disk.f_blocks < FREE_LEAST)
		limit = limit / FREE_LEAST * (disk.f_bavail * 100 / disk.f_blocks);
	return limit;
}

/* Do both begin alike?  Then they are one stream: offsets are the same in both. */
static bool
is_same(const struct file *a, const struct file *b)
{
	char at[SAME], bt[SAME];
	ssize_t n = content_read(a, at, SAME, 0), m = content_read(b, bt, SAME, 0);

	return n > 0 && n == m && memcmp(at, bt, (size_t)n) == 0;
}

/* Read on in its .gz.  False: there is none. */
static bool
go_on_in_gz(struct tail *t, struct file *f)
{
	bool deleted = false, same;
	char *name = held_name(f, &deleted), *path;
	struct resolved there;
	struct file other = { .fd = -1 };
	const char *why;

	if (name == NULL)
		return false;
	path = xprintf("%s.gz", name);
	free(name);
	if (resolve_open(t->roots, f->conf, path, &there, &why) < 0) {
		free(path);
		return false;
	}
	other.fd = there.fd;
	other.target = there.target;
	content_begin(t, &other);
	same = other.packed != NULL && is_same(f, &other);
	if (same) {
		say_info("tail", "%s was deleted: reading on in %s", f->target, path);
		file_swap(t, f, &other);
	} else {
		content_fini(t, &other);
		close(there.fd);
	}
	free(there.target);
	free(path);
	return same;
}

/*
 * What was not taken of it is lost; what is under way stays so.  Nothing waits
 * here: it may be the output that takes nothing which has filled the disk.
 */
static bool
let_go(struct tail *t, struct file *f)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t lost;

	content_measure(f);
	if (null < 0 || dup3(null, f->fd, O_CLOEXEC) < 0) {
		if (null >= 0)
			close(null);
		return false;
	}
	close(null);
	lost = f->size - file_untaken(t, f);
	file_drop_open(t, f);
	ahead_drop(t, f);
	f->let_go = f->left = true;
	lost_add(f->path, f->target, LOST_HELD, lost);
	say_warn("tail",
	    "deleted files that are not read yet keep more than Held_Deleted_Limit: "
	    "letting go of %s, %" PRIu64 " bytes of it are lost",
	    f->target, lost);
	file_wake(t, f);
	return true;
}

/* The oldest deleted file: the list has the newest first. */
static struct file *
oldest_held(struct tail *t, uint64_t *sum)
{
	struct file *f, *oldest = NULL;

	*sum = 0;
	LIST_FOREACH (f, &t->files, in_files) {
		uint64_t bytes = f->leaving ? held_bytes(f) : 0;

		*sum += bytes;
		if (bytes > 0 && !file_lends(f))
			oldest = f;
	}
	return oldest;
}

static void
held_keep_limit(struct tail *t)
{
	struct file *f, *oldest = oldest_held(t, &t->held);

	LIST_FOREACH (f, &t->files, in_files) {
		if (oldest == NULL || t->held <= held_limit(oldest))
			return;
		if (f->leaving && held_bytes(f) > 0 && go_on_in_gz(t, f))
			oldest = oldest_held(t, &t->held);
	}
	while (oldest != NULL && t->held > held_limit(oldest) && let_go(t, oldest))
		oldest = oldest_held(t, &t->held);
}

void
held_turn(struct tail *t)
{
	if (t->held_at == 0 || t->now - t->held_at >= HELD_GAP) {
		t->held_at = t->now;
		held_keep_limit(t);
	}
	if (t->held > 0 && t->due > t->held_at + HELD_GAP)
		t->due = t->held_at + HELD_GAP;
}

/* ---- descriptors */

static bool
is_idle(const struct tail *t, const struct file *f)
{
	return f->leaving && f->ended && f->size <= f->offset && !file_lends(f) && f->fd >= 0 &&
	       f->followers == 0 && f->packed == NULL && !f->let_go && f->stream != NULL &&
	       cursor_idle(t->book, &f->stream->cursor[SIDE_STDOUT]) &&
	       cursor_idle(t->book, &f->stream->cursor[SIDE_STDERR]);
}

/* Close what was read; return how many files that was. */
static unsigned
make_room(struct tail *t)
{
	unsigned closed = 0;
	struct file *f;

	LIST_FOREACH (f, &t->files, in_files) {
		bool deleted = false;

		if (!is_idle(t, f))
			continue;
		f->name = held_name(f, &deleted);
		watch_forget(t->watch, f);
		file_doze(t, f);
		f->left |= deleted;
		closed++;
	}
	t->starved = true;
	if (!said_lately(&t->said_starved))
		say_warn("tail",
		    "out of file descriptors with %zu files open: %u rotated files that were "
		    "read are closed for now; raise LimitNOFILE (ulimit -n)",
		    t->nfiles, closed);
	return closed;
}

/* Is the descriptor one of those that are to stay free? */
static bool
is_spare(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 2 * SPARE &&
	       (rlim_t)fd + SPARE >= limit.rlim_cur;
}

static int
open_once(struct tail *t, const struct tail_conf *conf, const char *path, struct resolved *out,
    const char **why)
{
	if (resolve_open(t->roots, conf, path, out, why) < 0)
		return -1;
	if (!is_spare(out->fd))
		return 0;
	close(out->fd);
	free(out->target);
	errno = EMFILE;
	*why = strerrordesc_np(EMFILE);
	return -1;
}

int
held_open(struct tail *t, const struct tail_conf *conf, const char *path, struct resolved *out,
    const char **why)
{
	if (open_once(t, conf, path, out, why) == 0)
		return 0;
	if (*why == NULL || (errno != EMFILE && errno != ENFILE) || make_room(t) == 0)
		return -1;
	return open_once(t, conf, path, out, why);
}

void
held_reopen(struct tail *t)
{
	struct file *f;

	if (t->starved) {
		t->starved = false; /* until the next look */
		return;
	}
	LIST_FOREACH (f, &t->files, in_files) {
		struct resolved there;
		const char *why;

		if (f->fd >= 0 || f->left)
			continue;
		if (f->name == NULL || open_once(t, f->conf, f->name, &there, &why) < 0) {
			f->left =
			    f->name == NULL || why == NULL; /* its name is gone, and it with it */
			file_wake(t, f);
			continue;
		}
		file_undoze(t, f, there.fd);
		free(there.target);
	}
}
