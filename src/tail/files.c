/* The table of open files: found by inode, opened and closed. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "beneath.h"
#include "metrics.h"
#include "place.h"
#include "quiet.h"
#include "watch.h"

#define RESERVE                                                                                    \
	4 /* one part of so many of the room is for rotated files, while others wait for room */
#define GONE " (deleted)" /* proc(5): behind the name of a deleted file */

struct inode {
	uint64_t dev, ino;
};

static struct slice
inode_key(const struct inode *inode)
{
	return (struct slice){ (const char *)inode, sizeof(*inode) };
}

void
files_init(struct tail *t)
{
	t->files = xcalloc(1, sizeof(*t->files));
	t->files->by_inode = map_new();
	t->files->quiet = quiet_new();
}

void
files_fini(struct tail *t)
{
	map_free(t->files->by_inode);
	quiet_free(t->files->quiet);
	free(t->files);
}

struct place *
files_of(const struct tail *t, const struct stat *st)
{
	const struct inode inode = { st->st_dev, st->st_ino };

	return map_get(t->files->by_inode, inode_key(&inode));
}

int64_t
files_written(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

void
files_head(struct tail *t, struct place *p)
{
	char bytes[FINGERPRINT_SPAN];
	ssize_t n = p->packed != NULL ? 0 : place_read(p, bytes, sizeof(bytes), 0);

	files_failed(t); /* unknown first bytes are none that differ */
	p->head.at = n > 0 ? (uint64_t)n : 0;
	p->head.hash = fingerprint_hash((struct slice){ bytes, (size_t)p->head.at });
}

struct place *
files_new(struct tail *t, int fd, char *name, const struct stat *st)
{
	struct place *p = xcalloc(1, sizeof(*p));
	const struct inode inode = { st->st_dev, st->st_ino };

	p->fd = fd;
	p->wd = -1;
	p->dev = st->st_dev;
	p->ino = st->st_ino;
	p->name = name;
	p->written = files_written(st);
	p->first_look = p->last_look = t->look->number;
	p->failed = &t->files->failed;
	place_begin(t, p);
	p->opened = p->size;
	files_head(t, p);
	map_put(t->files->by_inode, inode_key(&inode), p);
	LIST_INSERT_HEAD(&t->files->all, p, in_files);
	t->files->n++;
	return p;
}

void
files_close(struct tail *t, struct place *p)
{
	const struct inode inode = { p->dev, p->ino };

	map_del(t->files->by_inode, inode_key(&inode));
	LIST_REMOVE(p, in_files);
	t->files->n--;
	watch_forget(t->watch, p);
	if (t->files->failed.of == p)
		t->files->failed.of = NULL;
	place_fini(t, p);
	close(p->fd);
	if (t->files->starved)
		t->look->wanted = true; /* there is room for another */
	free(p->name);
	free(p);
}

/* ---- room */

void
files_look(struct tail *t)
{
	struct files *f = t->files;

	f->crowded = f->waiting > 0 || f->n + f->idle > f->most;
	f->waiting = f->idle = 0;
	f->starved = false;
}

bool
files_is_passed(struct tail *t, const struct stat *st, bool room)
{
	struct files *f = t->files;
	bool is = (f->crowded || !room) && (st->st_size == 0 || quiet_is(f->quiet, st));

	f->idle += is;
	return is;
}

bool
files_has_room(struct tail *t, const struct stat *st, bool rotated)
{
	struct files *f = t->files;
	bool room = f->n < f->most - (f->crowded && !rotated ? f->most / RESERVE : 0);

	if (files_is_passed(t, st, room))
		return false;
	if (!room)
		files_wait(t);
	return room;
}

void
files_wait(struct tail *t)
{
	t->files->waiting++;
	t->files->starved = true;
	metrics_add(&metrics.left_files[LEFT_REFUSED], 1);
	if (!said_lately(&t->files->said_full))
		say_warn("tail",
		    "%zu files are followed: further ones wait until others are quiet; raise "
		    "Max_Files",
		    t->files->n);
}

/* A read lease is granted only when no process has the file open for writing (fcntl(2)). */
bool
files_is_left(struct tail *t, struct place *p)
{
	struct stat st;

	if (p->left || t->now - p->asked < POLL_GAP)
		return p->left;
	p->asked = t->now;
	p->left = fcntl(p->fd, F_SETLEASE, F_RDLCK) == 0;
	if (p->left)
		fcntl(p->fd, F_SETLEASE, F_UNLCK);
	else if (errno != EAGAIN) /* no leases here: it is left when it has no name */
		p->left = fstat(p->fd, &st) == 0 && st.st_nlink == 0;
	return p->left;
}

static void
count_failed(int error)
{
	metrics_add(&metrics.read_errors[error == EIO ? READ_IO : READ_OTHER], 1);
}

bool
files_failed(struct tail *t)
{
	struct failed failed = t->files->failed;

	t->files->failed = (struct failed){ 0 };
	if (failed.why == 0)
		return false;
	if (failed.of != NULL && failed.of->content != NULL)
		failed.of->content->log->failed = t->now;
	count_failed(failed.why);
	if (!said_lately(&t->files->said))
		say_error("tail", "cannot read %s: %s; it is tried again",
		    failed.of != NULL ? failed.of->name : "a file", strerrordesc_np(failed.why));
	return true;
}

void
files_unseen(struct tail *t, const char *path, int error)
{
	switch (error) {
	case EIO:
	case ENOMEM:
	case ENFILE:
	case ESTALE:
	case ETIMEDOUT:
		break;
	default:
		return;
	}
	t->look->unseen = true;
	count_failed(error);
	if (!said_lately(&t->files->said))
		say_error("tail", "cannot look at %s: %s; it is tried again", path,
		    strerrordesc_np(error));
}

char *
files_name(const struct place *p, bool *deleted)
{
	char *name = beneath_name(p->fd);

	*deleted = name != NULL && slice_ends(slice_of(name), SLICE(GONE));
	if (*deleted)
		name[strlen(name) - (sizeof(GONE) - 1)] = '\0';
	return name;
}

bool
files_has_plain(const struct place *p)
{
	bool deleted, has = false;
	char *name = files_name(p, &deleted);

	if (p->packed != NULL && name != NULL && slice_ends(slice_of(name), SLICE(".gz"))) {
		name[strlen(name) - strlen(".gz")] = '\0';
		has = !deleted && access(name, F_OK) == 0;
	}
	free(name);
	return has;
}
