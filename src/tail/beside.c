/*
 * What rotations have left beside a live file, plain and compressed, in the
 * order of rotation.
 *
 * The kubelet compresses while we look: X.tmp is written, renamed to X.gz,
 * then X is deleted.  A name that is gone when it is opened has its successor
 * in a newer listing, so the directory is read again.  When both are there,
 * they are one stream: the first to begin has it, the other is left out
 * (begin.c).
 */
#include "beside.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "held.h"
#include "resolve.h"

#define LISTINGS 5 /* how often a directory is read again whose names go while we look */

struct slice
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return SLICE(".");
	return (struct slice){ path, slash == path ? 1 : (size_t)(slash - path) };
}

/* ---- names */

/* What a rotation put behind the name, without .gz. */
static struct slice
suffix_of(struct slice name, struct slice live)
{
	struct slice suffix = slice_from(name, live.len);

	if (slice_ends(suffix, SLICE(".gz")))
		suffix.len -= 3;
	return suffix;
}

bool
is_rotated(struct slice name, struct slice live)
{
	struct slice suffix;

	if (name.len <= live.len || !slice_starts(name, live))
		return false;
	suffix = suffix_of(name, live);
	if (suffix.len < 2 || (suffix.at[0] != '.' && suffix.at[0] != '-'))
		return false;
	for (size_t i = 1; i < suffix.len; i++) {
		if (memchr("0123456789-", suffix.at[i], 11) == NULL)
			return false;
	}
	return true;
}

/* .1 is younger than .2; a date is older than a later one. */
static bool
is_count(struct slice suffix)
{
	return suffix.at[0] == '.' && suffix.len <= 5 && memchr(suffix.at, '-', suffix.len) == NULL;
}

static int
compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.at, b.at, n);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int
rotated_order(struct slice a, struct slice b, struct slice live)
{
	struct slice sa = suffix_of(a, live), sb = suffix_of(b, live);
	int order;

	if (is_count(sa) && is_count(sb))
		order = sa.len != sb.len ? (sa.len < sb.len) - (sa.len > sb.len) : compare(sb, sa);
	else
		order = compare(sa, sb);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- a directory */

/* No rotation leaves a link: it could lead to what is another pod's. */
static int
is_file(const struct dirent *e)
{
	return e->d_type == DT_REG || e->d_type == DT_UNKNOWN;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void
listing_free(struct listing *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
	free(l->path);
	*l = (struct listing){ 0 };
}

static void
listing_read(
    struct tail *t, const struct tail_conf *conf, struct listing *l, struct slice directory)
{
	int fd;

	if (l->path != NULL && slice_eq(slice_of(l->path), directory))
		return;
	listing_free(l);
	l->path = xslicedup(directory);
	fd = resolve_directory(t->roots, conf, l->path);
	l->n = fd < 0 ? 0 : scandirat(fd, ".", &l->names, is_file, by_name);
	if (l->n < 0)
		l->n = 0;
	if (fd >= 0)
		close(fd);
}

/* Where names that begin with `base` would stand first. */
static int
listing_first(const struct listing *l, struct slice base)
{
	int from = 0, to = l->n;

	while (from < to) {
		int middle = from + (to - from) / 2;

		if (strncmp(l->names[middle]->d_name, base.at, base.len) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* ---- the rotated ones of one file */

struct rotated {
	struct slice *names, live;
	size_t n;
};

static int
by_age(const void *a, const void *b, void *live)
{
	return rotated_order(
	    *(const struct slice *)a, *(const struct slice *)b, *(struct slice *)live);
}

static void
rotated_list(const struct listing *l, struct slice live, struct rotated *out)
{
	int first = listing_first(l, live), end = first;

	while (end < l->n && slice_starts(slice_of(l->names[end]->d_name), live))
		end++;
	*out = (struct rotated){ .live = live };
	out->names = xcalloc((size_t)(end - first) + 1, sizeof(*out->names));
	for (int i = first; i < end; i++) {
		struct slice name = slice_of(l->names[i]->d_name);

		if (is_rotated(name, live))
			out->names[out->n++] = name;
	}
	qsort_r(out->names, out->n, sizeof(*out->names), by_age, &out->live);
}

/*
 * Open the unknown file that a rotation left at `path`, to be read after
 * `last`.  NULL: there is none; *gone: the name leads nowhere any more.
 */
static struct file *
rotated_open(struct tail *t, struct file *live, const char *path, struct file *last, bool *gone)
{
	struct file *was = LIST_FIRST(&t->files), *f;

	*gone |= !file_open(t, live->conf, path);
	f = LIST_FIRST(&t->files);
	if (f == was)
		return NULL;
	file_follow(f, last);
	f->leaving = true;
	free(f->path);
	f->path = xstrdup(live->path);
	return f;
}

static char *
rotated_path(const struct listing *l, struct slice name)
{
	return xprintf("%s/%.*s", l->path, (int)name.len, name.at);
}

/* Does one of the names lead to `f`? */
static bool
rotated_has(
    const struct tail *t, const struct listing *l, const struct rotated *r, const struct file *f)
{
	bool has = false;

	for (size_t i = 0; i < r->n && !has; i++) {
		char *path = rotated_path(l, r->names[i]);

		has = file_known(t, path) == f;
		free(path);
	}
	return has;
}

/* The open file that was deleted when it had been compressed to `f`, and is not read to its end. */
static struct file *
plain_of(const struct tail *t, const struct file *f)
{
	struct slice want = slice_of(f->target), directory = directory_of(f->target);
	struct file *plain;

	if (f->packed == NULL || t->first_look)
		return NULL;
	want.len -= 3;
	LIST_FOREACH (plain, &t->files, in_files) {
		bool deleted = false, is;
		char *name;

		if (!plain->leaving || plain->ended || plain->packed != NULL || plain->fd < 0 ||
		    !slice_starts(slice_of(plain->target), directory))
			continue;
		name = held_name(plain, &deleted);
		is = name != NULL && deleted && slice_eq(slice_of(name), want);
		free(name);
		if (is)
			return plain;
	}
	return NULL;
}

/* Its place in the order is behind the file that it was made of: a copy, or the rest of it. */
static bool
put_behind_plain(struct tail *t, struct file *f)
{
	struct file *plain = plain_of(t, f), *other;

	if (plain == NULL)
		return false;
	LIST_FOREACH (other, &t->files, in_files) {
		if (other->after == plain && other != f)
			file_follow(other, f);
	}
	file_follow(f, plain);
	return true;
}

/*
 * Open all of one listing, and put the live file behind them.  The file that
 * had its name before may have none any more (its .gz has another inode): what
 * is not known then came later, or is known to be shipped once it is read.
 * True: none of the names was gone.
 */
static bool
listing_open(struct tail *t, struct listing *l, struct file *live)
{
	struct slice directory = directory_of(live->target);
	struct slice base = slice_of(live->target + directory.len + 1);
	struct file *before = live->after, *last = NULL;
	bool nameless, gone = false;
	struct rotated rotated;

	listing_read(t, live->conf, l, directory);
	rotated_list(l, base, &rotated);
	nameless = before != NULL && !rotated_has(t, l, &rotated, before);
	if (nameless)
		last = before;
	for (size_t i = 0; i < rotated.n; i++) {
		char *path = rotated_path(l, rotated.names[i]);
		struct file *f = file_known(t, path);

		if (f == NULL) {
			f = rotated_open(t, live, path, last, &gone);
			if (f != NULL)
				f->stray = nameless;
			if (f != NULL && put_behind_plain(t, f))
				f = NULL;
		} else if (nameless) {
			f = NULL; /* older than the one before, and read before it */
		}
		if (f != NULL && !file_is_behind(f, live) && !f->ended && !f->duplicate)
			last = f;
		free(path);
	}
	free(rotated.names);
	file_follow(live, last);
	return !gone;
}

void
beside_open(struct tail *t, struct listing *l, struct file *live)
{
	for (int i = 0; i < LISTINGS && !listing_open(t, l, live); i++)
		listing_free(l);
}
