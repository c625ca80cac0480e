/*
 * The open files: by which names and numbers they are found, which of them a
 * turn must look at, how they come and go.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahead.h"
#include "beneath.h"
#include "beside.h"
#include "clock.h"
#include "content.h"
#include "file.h"
#include "held.h"
#include "map.h"
#include "metrics.h"
#include "resolve.h"
#include "rules.h"
#include "same.h"
#include "voice.h"

/* ---- found by inode, by the path behind all links */

struct inode {
	uint64_t dev, ino;
};

static struct slice
inode_key(const struct inode *inode)
{
	return (struct slice){ (const char *)inode, sizeof(*inode) };
}

static struct file *
file_of(const struct tail *t, const struct stat *st)
{
	const struct inode inode = { st->st_dev, st->st_ino };

	return map_get(t->by_inode, inode_key(&inode));
}

struct file *
file_known(const struct tail *t, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? file_of(t, &st) : NULL;
}

/* The file that had this name before a rotation: it is read first.  The newest is asked first. */
static struct file *
predecessor_of(const struct tail *t, const char *target)
{
	struct file *f = map_get(t->by_target, slice_of(target));

	while (f != NULL && f->ended)
		f = f->older;
	return f;
}

static void
file_enter(struct tail *t, struct file *f)
{
	const struct inode inode = { f->dev, f->ino };

	map_put(t->by_inode, inode_key(&inode), f);
	f->older = map_put(t->by_target, slice_of(f->target), f);
	LIST_INSERT_HEAD(&t->files, f, in_files);
	t->nfiles++;
}

static void
file_remove(struct tail *t, struct file *f)
{
	const struct inode inode = { f->dev, f->ino };
	struct file *newest = map_get(t->by_target, slice_of(f->target));

	if (map_get(t->by_inode, inode_key(&inode)) == f)
		map_del(t->by_inode, inode_key(&inode));
	if (newest != f) {
		while (newest->older != f)
			newest = newest->older;
		newest->older = f->older;
	} else if (f->older != NULL) {
		map_put(t->by_target, slice_of(f->target), f->older);
	} else {
		map_del(t->by_target, slice_of(f->target));
	}
	LIST_REMOVE(f, in_files);
	t->nfiles--;
}

/* The descriptor `fd` is the file's from now on. */
static void
file_take(struct tail *t, struct file *f, int fd)
{
	struct stat st;

	f->fd = fd;
	if (fstat(fd, &st) < 0)
		return;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	map_put(t->by_inode, inode_key(&(struct inode){ f->dev, f->ino }), f);
}

void
file_doze(struct tail *t, struct file *f)
{
	map_del(t->by_inode, inode_key(&(struct inode){ f->dev, f->ino })); /* may be reused */
	content_fini(t, f);
	close(f->fd);
	f->fd = -1;
}

void
file_swap(struct tail *t, struct file *f, struct file *other)
{
	ahead_drop(t, f);
	watch_forget(t->watch, f);
	file_doze(t, f);
	f->packed = other->packed;
	file_take(t, f, other->fd);
	content_measure(f);
	file_wake(t, f);
}

void
file_undoze(struct tail *t, struct file *f, int fd)
{
	struct stat st;

	free(f->name);
	f->name = NULL;
	if (fstat(fd, &st) == 0 && f->dev == st.st_dev && f->ino == st.st_ino &&
	    file_of(t, &st) == NULL) {
		file_take(t, f, fd);
	} else {
		f->left = true;
		close(fd);
	}
	file_wake(t, f);
}

/* ---- awake: what a turn looks at */

void
file_stay(struct tail *t, struct file *f)
{
	if (f->awake)
		return;
	f->awake = true;
	TAILQ_INSERT_TAIL(&t->awake, f, in_awake);
}

void
file_wake(struct tail *t, struct file *f)
{
	f->ready = f->news = true;
	t->due = 0;
	file_stay(t, f);
}

void
files_wake(struct tail *t)
{
	struct file *f;

	LIST_FOREACH (f, &t->files, in_files)
		file_wake(t, f);
}

void
file_sleep(struct tail *t, struct file *f)
{
	if (!f->awake)
		return;
	f->awake = false;
	TAILQ_REMOVE(&t->awake, f, in_awake);
}

void
file_follow(struct file *f, struct file *after)
{
	if (f->after != NULL)
		f->after->followers--;
	if (after != NULL)
		after->followers++;
	f->after = after;
}

bool
file_is_behind(const struct file *f, const struct file *other)
{
	while (f != NULL && f != other)
		f = f->after;
	return f != NULL;
}

void
file_inherit(struct file *f, struct file *from)
{
	if (f->from != NULL)
		f->from->heirs--;
	if (from != NULL)
		from->heirs++;
	f->from = from;
}

/* ---- open and close */

static const char second_name[] =
    "it is a second name (a hard link) of a file, which whoever made it may not read";

static bool
is_own_pod(const struct tail_conf *conf, const char *target, const char *path)
{
	const char *name = getenv("POD_NAME");
	struct pod *pod;
	bool own;

	if (!conf->never_own_pod || name == NULL)
		return false;
	pod = pod_of(target, path);
	own = pod != NULL && slice_eq(pod->pod_name, slice_of(name));
	pod_unref(pod);
	return own;
}

static int64_t
written(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

static void
file_new(struct tail *t, const struct tail_conf *conf, const char *path,
    const struct resolved *there, const struct stat *st)
{
	struct file *f = xcalloc(1, sizeof(*f));

	f->conf = conf;
	f->fd = there->fd;
	f->wd = -1;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->path = xstrdup(path);
	f->target = there->target;
	f->size = (uint64_t)st->st_size;
	f->written = written(st);
	f->grown = t->now;
	f->due = INT64_MAX;
	f->before_at = f->sealed = f->stop = UINT64_MAX;
	f->rules = f->present = rules_of(&t->frame, conf);
	f->found = true;
	f->early = t->first_look;
	f->from_end = t->first_look && (!conf->read_from_head || conf->first_start == START_END);
	content_begin(t, f);
	same_open(f);
	file_follow(f, predecessor_of(t, f->target));
	file_enter(t, f);
	file_wake(t, f);
	say_debug("tail", "following %s (%s)", path, f->target);
}

/* As many files are followed as may be: another look comes when one is closed. */
static bool
is_full(struct tail *t)
{
	if (t->nfiles < t->max_files)
		return false;
	metrics_add(&metrics.refused_files, 1);
	t->starved = true;
	if (!said_lately(&t->said_full))
		say_warn("tail", "%zu files are followed: further ones wait; raise Max_Files",
		    t->nfiles);
	return true;
}

/*
 * Whoever may write to /var/log can give any file of its file system a second
 * name there.  The name that was read before goes on.
 */
static bool
is_second_name(struct tail *t, const struct tail_conf *conf, const char *path,
    const struct resolved *there, const struct stat *st)
{
	struct pod *pod;
	bool in_reach;

	if (st->st_nlink < 2)
		return false;
	pod = pod_of(there->target, path);
	in_reach = pod != NULL || path_below(there->target, "/var/log") != NULL;
	pod_unref(pod);
	return in_reach && !stream_is_known(t, conf, path, there->target, there->fd);
}

/* True when ${path} leads to `f` by a name in another directory than the one that is read. */
static bool
is_other_name(const struct file *f, const char *path, const struct stat *st)
{
	char *target = st->st_nlink < 2 ? NULL : realpath(path, NULL);
	bool other = target != NULL && !slice_eq(directory_of(target), directory_of(f->target));

	free(target);
	return other;
}

static void
say_unread(struct tail *t, const char *path, const char *why)
{
	if (!said_lately(&t->said))
		say_warn("tail", "cannot read %s: %s", path, why);
}

bool
file_open(struct tail *t, const struct tail_conf *conf, const char *path)
{
	struct resolved there;
	struct stat st;
	struct file *f;
	const char *why;

	if (stat(path, &st) < 0)
		return false;
	f = file_of(t, &st);
	if (f != NULL && is_other_name(f, path, &st)) {
		say_unread(t, path, second_name);
		return true;
	}
	if (f != NULL) {
		f->found = true;
		/* No event told of it: perhaps none will.  Truncated it may be as long as it was. */
		if (f->size != content_size(f, (uint64_t)st.st_size) || f->written != written(&st))
			file_wake(t, f);
		f->written = written(&st);
		return true;
	}
	if (is_full(t))
		return true;
	if (held_open(t, conf, path, &there, &why) < 0) {
		if (why != NULL)
			say_unread(t, path, why);
		return why != NULL;
	}
	if (is_own_pod(conf, there.target, path) || fstat(there.fd, &st) < 0 ||
	    file_of(t, &st) != NULL)
		why = "";
	else if (is_second_name(t, conf, path, &there, &st))
		why = second_name;
	if (why != NULL) {
		if (*why != '\0')
			say_unread(t, path, why);
		close(there.fd);
		free(there.target);
		return true;
	}
	file_new(t, conf, path, &there, &st);
	return true;
}

void
file_close(struct tail *t, struct file *f)
{
	struct file *other, *after = f->after;

	file_remove(t, f);
	file_sleep(t, f);
	file_follow(f, NULL);
	LIST_FOREACH (other, &t->files, in_files) {
		if (f->followers == 0)
			break;
		if (other->after == f) {
			file_follow(other, after); /* a duplicate leaves the order as it was */
			file_wake(t, other);
		}
	}
	LIST_FOREACH (other, &t->files, in_files) {
		if (f->heirs == 0)
			break;
		if (other->from == f)
			file_inherit(other, NULL);
	}
	file_inherit(f, NULL);
	ahead_drop(t, f);
	watch_forget(t->watch, f);
	same_checkpoint(t, f);
	stream_end(t, f);
	content_fini(t, f);
	if (f->fd >= 0)
		close(f->fd);
	if (t->starved)
		t->look = true; /* there is room for another */
	free(f->name);
	free(f->path);
	free(f->target);
	free(f);
}
