/*
 * Globs and links.  A name that rotations make of the name of a live file that
 * the inputs follow, or followed, is of its log, and so is one whose content the
 * log has (renamed.c); any other begins a log.  An open file stays in its log.
 * Rotated files beside live ones are opened by rotation.c.
 */
#include "discover.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"
#include "log.h"
#include "names.h"
#include "opener.h"
#include "order.h"
#include "roots.h"
#include "rotated.h"
#include "rotation.h"
#include "place.h"
#include "renamed.h"
#include "turns.h"
#include "unread.h"
#include "watch.h"

#define LOOK_GAP (50 * NS_PER_MS) /* a burst of new names is one look */
#define LOOK_SHARE 20 /* a look takes one part of so many of the time, but one that finds work */

static void
watch_directory_of(struct tail *t, const struct tail_conf *conf, const char *path)
{
	char *directory = xslicedup(rotated_directory(path));
	int fd = roots_directory(t->roots, &conf->from, directory);

	if (fd >= 0) {
		watch_directory(t->watch, directory, fd);
		close(fd);
	} else {
		files_unseen(t, directory, errno);
	}
	free(directory);
}

/* A container's log, which the kubelet names: no other log has a name that begins so. */
static bool
is_container(const char *name)
{
	struct pod *pod = pod_from_path(slice_of(name), slice_of(name));

	pod_unref(pod);
	return pod != NULL;
}

/* The directory of the log may have other names than when it was listed last. */
static bool
may_have_changed(struct log *log)
{
	char *directory = xslicedup(rotated_directory(log->name));
	struct stat st;
	int64_t listed = log->listed;

	if (stat(directory, &st) == 0)
		log->listed = files_written(&st);
	free(directory);
	return log->listed != listed || clock_wall() - log->listed < NS_PER_S;
}

/*
 * A link whose file is not there: it will come where the link leads, or was there and
 * renamed before it was seen, or before it was stored that it was.  The log of rotated
 * files that are there, if it is known or a container's, has its directory listed then,
 * and stays as long as there is the link.
 */
static void
link_look(struct tail *t, const struct tail_conf *conf, const char *path)
{
	char leads[4096];
	ssize_t n = readlink(path, leads, sizeof(leads) - 1);
	struct log *log = NULL;
	bool known;
	char *name;

	if (n <= 0 || leads[0] != '/')
		return;
	leads[n] = '\0';
	watch_directory_of(t, conf, leads);
	name = names_behind(leads);
	known = name != NULL && log_is_known(t, name);
	if (name != NULL && (known || is_container(name)) && rotation_any(t, conf, name) &&
	    (known || t->look->links++ < t->files->most))
		log = log_get(t, conf, path, name);
	if (log != NULL && may_have_changed(log))
		log->list = LIST_NOW;
	if (log != NULL)
		log->awaited = t->now;
	free(name);
}

/* A .gz that the kubelet is about to write is named .tmp, whatever glob it fits. */
static bool
is_excluded(const struct tail_conf *conf, const char *path)
{
	if (slice_ends(slice_of(path), SLICE(".tmp")))
		return true;
	for (size_t i = 0; i < conf->exclude_path.n; i++) {
		if (fnmatch(conf->exclude_path.at[i], path, 0) == 0)
			return true;
	}
	return false;
}

/* ---- the log of a name */

static bool
is_matched(const struct tail_conf *conf, const char *path)
{
	for (size_t i = 0; i < conf->from.path.n; i++) {
		if (fnmatch(conf->from.path.at[i], path, FNM_PATHNAME) == 0)
			return !is_excluded(conf, path);
	}
	return false;
}

/* A Path leads to the live file `name`, or did. */
static bool
is_live_name(struct tail *t, const struct tail_conf *conf, const char *name)
{
	struct stat st;

	return (stat(name, &st) == 0 && is_matched(conf, name)) || log_is_known(t, name) ||
	       is_container(name);
}

/* The name of the live file of which rotations made `name`; the caller frees. */
static char *
live_name(struct tail *t, const struct tail_conf *conf, const char *name)
{
	struct slice directory = rotated_directory(name);
	const char *base = name + directory.len + (directory.len > 1);
	struct slice live = { base, 0 };

	while (rotated_live(slice_of(base), &live)) {
		char *path = xprintf("%.*s", (int)(live.at + live.len - name), name);

		if (is_live_name(t, conf, path))
			return path;
		free(path);
	}
	return xstrdup(name);
}

static char *
log_name(struct tail *t, const struct tail_conf *conf, const struct place *p)
{
	char *name = live_name(t, conf, p->name), *other = renamed_log(t, conf, p, name);

	if (other == NULL)
		return name;
	free(name);
	return other;
}

/* The path of the live file ${live} of which a Path found ${name} at ${path}. */
static char *
live_path(const char *path, const char *name, const char *live)
{
	const char *base = strrchr(path, '/'), *own = strrchr(name, '/');

	if (base == NULL || strcmp(base, own) != 0) /* a link has a name of its own */
		return xstrdup(path);
	return xprintf("%.*s%s", (int)(base - path), path, strrchr(live, '/'));
}

/* ---- one path */

/* Another name of a file that is open: it was renamed, or has a second one. */
static void
name_changed(struct place *p, const char *path)
{
	char *name = realpath(path, NULL);
	struct stat st;

	if (name == NULL || strcmp(name, p->name) == 0 || stat(path, &st) < 0) {
		free(name);
		return;
	}
	if (st.st_nlink > 1 && !slice_eq(rotated_directory(name), rotated_directory(p->name))) {
		unread_note(path, UNREAD_REFUSED, opener_second_name);
		free(name);
		return;
	}
	order_renamed(p, name, strcmp(p->content->log->name, name) == 0);
}

/* Finds changes that no event tells of.  Truncated, a file may be as long as it was. */
static void
look_at(struct tail *t, struct place *p, const char *path)
{
	uint64_t size = p->size;
	struct stat st;

	p->last_look = t->look->number;
	if (t->look->failed > 0) /* its directory may have no watch yet */
		watch_directory_of(t, p->content->log->stream.conf, p->name);
	if (!p->live || strcmp(path, p->content->log->stream.path) != 0)
		name_changed(p, path);
	if (fstat(p->fd, &st) < 0)
		return;
	if (p->packed == NULL)
		place_measure(p);
	if (p->size == size && p->written == files_written(&st))
		return;
	p->written = files_written(&st);
	place_changed(p);
	turns_wake_content(t, p->content);
	if (p->live && !p->content->named) /* it may have had a line, which is in a copy now */
		p->content->log->list = LIST_NOW;
}

static void
begin(struct tail *t, const struct tail_conf *conf, struct place *p, const char *path)
{
	bool early = renamed_is_early(t, p), failed;
	char *name = log_name(t, conf, p), *live;
	struct log *log;

	failed = files_failed(t);
	if (failed)
		t->look->again = t->now + LATE_GAP;
	if (failed || early) { /* it may be of another log: it is looked at again, later */
		files_close(t, p);
		free(name);
		return;
	}
	live = live_path(path, p->name, name);
	log = log_get(t, conf, live, name);
	p->live = strcmp(name, p->name) == 0;
	free(live);
	free(name);
	say_debug("tail", "following %s (%s)", path, p->name);
	watch_directory_of(t, conf, p->name);
	order_add(t, log, p);
	if (p->live)
		log->list = LIST_NOW;
}

static void
path_look(struct tail *t, const struct tail_conf *conf, const char *path)
{
	size_t waiting = t->files->waiting, idle = t->files->idle;
	struct place *p;
	bool gone;

	if (is_excluded(conf, path))
		return;
	p = opener_open(t, conf, path, NULL, &gone);
	if (t->files->waiting > waiting) {
		char *name = live_name(t, conf, path);
		struct log *log = log_find(t, name);

		if (log != NULL)
			order_lacks(log, path);
		free(name);
	}
	if (gone || t->files->idle > idle) /* rotated files may have what is to be read */
		link_look(t, conf, path);
	else if (p != NULL && p->content != NULL)
		look_at(t, p, path);
	else if (p != NULL)
		begin(t, conf, p, path);
}

struct search {
	struct tail *t;
	const struct tail_conf *conf;
};

static void
path_found(void *arg, const char *path)
{
	const struct search *in = arg;

	path_look(in->t, in->conf, path);
}

/* ---- all patterns */

static void
input_search(struct tail *t, const struct tail_conf *conf)
{
	struct search found = { t, conf };
	int error;

	for (size_t i = 0; i < conf->from.path.n; i++) {
		watch_directory_of(t, conf, conf->from.path.at[i]);
		error =
		    names_each(t->roots, &conf->from, conf->from.path.at[i], path_found, &found);
		files_unseen(t, conf->from.path.at[i], error);
	}
}

/* Logs whose links have gone since the last look are not awaited any more. */
static void
links_end(struct tail *t)
{
	struct log *log;

	LIST_FOREACH (log, &t->logs->all, in_logs) {
		if (log->awaited == 0 || log->awaited == t->look->at)
			continue;
		log->awaited = 0;
		turns_wake(t, log);
	}
}

/* Files that a Path finds and Ignore_Older leaves out: counted, and said when there are more. */
static void
older_say(struct look *look)
{
	atomic_store_explicit(&metrics.left_files[LEFT_OLDER], look->older, memory_order_relaxed);
	if (look->older > look->older_said)
		say_info("tail",
		    "%zu files have not changed for Ignore_Older and are not read; one that is "
		    "written to is read from its head",
		    look->older);
	look->older_said = look->older;
}

void
discover_files(struct tail *t)
{
	struct look *look = t->look;
	const char *unseen;
	struct place *p;

	look->wanted = false;
	look->again = INT64_MAX;
	look->at = t->now;
	look->number++;
	look->unseen = false;
	look->links = look->older = 0;
	if ((unseen = roots_look(t->roots)) != NULL)
		files_unseen(t, unseen, errno);
	files_look(t);
	rotation_look(t, LIST_AGAIN);
	for (size_t i = 0; i < t->nconfs; i++)
		input_search(t, t->confs[i]);
	links_end(t);
	look->failed = look->unseen ? look->failed + 1 : 0;
	LIST_FOREACH (p, &t->files->all, in_files) {
		if (!p->live || p->last_look == look->number || look->failed == 1)
			continue;
		p->live = false;
		p->content->log->hot = false;
		watch_forget(t->watch, p);
		turns_wake_content(t, p->content);
	}
	rotation_look(t, LIST_NOW);
	older_say(look);
	look->gap = (t->files->waiting > 0 ? 1 : LOOK_SHARE) * (clock_mono() - t->now);
	if (look->gap < LOOK_GAP)
		look->gap = LOOK_GAP;
	if (look->again < t->now + look->gap)
		look->again = t->now + look->gap;
	if (look->failed == 1) { /* one that goes on failing holds up nothing else */
		look->wanted = true;
		look->gap = LATE_GAP;
	} else if (look->failed > 0) {
		look->again = earlier(look->again, t->now + LATE_GAP);
	}
}
