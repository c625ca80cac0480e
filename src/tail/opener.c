/*
 * Opening files, but not those of our own pod, not by a second name, and only
 * as long as there are descriptors.  When they run out, rotated files that were
 * read and are kept for late bytes are closed; their directory is listed again
 * when there is room.
 */
#include "opener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alike.h"
#include "beneath.h"
#include "clock.h"
#include "content.h"
#include "files.h"
#include "identity.h"
#include "log.h"
#include "naming.h"
#include "roots.h"
#include "spans.h"
#include "takeover.h"
#include "unread.h"

#define SPARE 24 /* descriptors that files do not take: directories, sockets, the store */

const char opener_second_name[] =
    "it is a second name (a hard link) of a file, which whoever made it may not read";

/* ---- descriptors */

/* Close rotated files that were read; return how many. */
static unsigned
make_room(struct tail *t)
{
	unsigned closed = 0;
	struct log *log;

	LIST_FOREACH (log, &t->logs->all, in_logs) {
		struct span *s = TAILQ_FIRST(&log->spans), *next;
		uint64_t shipped = spans_shipped(log);

		for (; s != NULL && (next = TAILQ_NEXT(s, in_log)) != NULL; s = next) {
			struct content *c = s->content;

			if (!spans_is_passed(log, s, shipped) || c->spans > 1 ||
			    content_place(c) == NULL)
				continue;
			spans_pass(t, s);
			spans_drop(t, log, s);
			log->list = LIST_LATER;
			closed++;
		}
	}
	t->files->starved = true;
	if (!said_lately(&t->files->said_starved))
		say_warn("tail",
		    "out of file descriptors with %zu files open: %u rotated files that were "
		    "read are closed for now; raise LimitNOFILE (ulimit -n)",
		    t->files->n, closed);
	return closed;
}

/* The descriptor is one of those that are to stay free. */
static bool
is_spare(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 2 * SPARE &&
	       (rlim_t)fd + SPARE >= limit.rlim_cur;
}

static int
open_once(struct tail *t, const struct tail_conf *conf, const char *path, struct root_file *out,
    const char **why)
{
	if (roots_open(t->roots, &conf->from, path, out, why) < 0)
		return -1;
	if (!is_spare(out->fd))
		return 0;
	close(out->fd);
	free(out->target);
	errno = EMFILE;
	*why = strerrordesc_np(EMFILE);
	return -1;
}

static int
open_with_room(struct tail *t, const struct tail_conf *conf, const char *path,
    struct root_file *out, const char **why)
{
	if (open_once(t, conf, path, out, why) == 0)
		return 0;
	if (*why == NULL || (errno != EMFILE && errno != ENFILE) || make_room(t) == 0)
		return -1;
	return open_once(t, conf, path, out, why);
}

/* ---- files that are not read */

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

/* True, once a content of this file begins as it does. */
struct begun {
	struct slice head;
	bool is;
};

static void
begun_see(void *arg, const struct content_seen *seen)
{
	struct begun *begun = arg;

	begun->is |= alike_begins(begun->head, seen->what);
}

/*
 * It has not changed for Ignore_Older.  One that was begun is read on, whatever its name is
 * now.  At the first start those that are read from their end are followed, as are those that
 * Fluent Bit had begun.
 */
static bool
is_older(struct tail *t, const struct tail_conf *conf, const char *path, const char *live,
    const struct root_file *there, const struct stat *st)
{
	bool from_end = conf->first_start == START_END || !conf->read_from_head;
	struct begun begun = { .is = false };
	uint64_t offset;

	if (conf->ignore_older == 0 || clock_wall() - files_written(st) < conf->ignore_older)
		return false;
	if (t->look->number == 1 && t->look->takeovers != NULL &&
	    (from_end || takeover_find(taken_of(t, conf), there->fd, st->st_ino,
			     (uint64_t)st->st_size, &offset) != 0))
		return false;
	begun.head = naming_head(t, there->target, there->fd);
	state_each_of(t->state, st->st_dev, st->st_ino, begun_see, &begun);
	return !begun.is &&
	       !naming_is_known(t, conf, path, live != NULL ? live : there->target, begun.head);
}

/*
 * Whoever may write to /var/log can give any file of its file system a second
 * name there.  The name that was read before goes on.
 */
static bool
is_second_name(struct tail *t, const struct tail_conf *conf, const char *path, const char *live,
    const struct root_file *there, const struct stat *st)
{
	struct pod *pod;
	bool in_reach;

	if (st->st_nlink < 2)
		return false;
	pod = pod_of(there->target, path);
	in_reach = pod != NULL || beneath_rest(there->target, "/var/log") != NULL;
	pod_unref(pod);
	return in_reach && !naming_is_known(t, conf, path, live != NULL ? live : there->target,
			       naming_head(t, there->target, there->fd));
}

/* The file of this content found no room: its log lacks it, whatever it is called now. */
static void
lacks(void *arg, const struct content_seen *seen)
{
	const struct tail *t = arg;
	struct log *log = map_get(t->logs->by_id, identity_key(&seen->what->log));

	if (log != NULL)
		log->list = LIST_LACKS;
}

struct place *
opener_open(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *live, bool *gone)
{
	size_t waiting = t->files->waiting;
	const char *why = NULL;
	struct root_file there;
	struct place *p;
	struct stat st;

	*gone = stat(path, &st) < 0;
	if (*gone)
		files_unseen(t, path, errno);
	p = *gone ? NULL : files_of(t, &st);
	if (*gone || (p != NULL && st.st_nlink < 2))
		unread_well(path, *gone);
	if (*gone || p != NULL)
		return p;
	if (!files_has_room(t, &st, live != NULL)) {
		if (t->files->waiting > waiting) {
			unread_list(
			    path, UNREAD_MAX_FILES, "Max_Files are followed: it waits for room");
			state_each_of(t->state, st.st_dev, st.st_ino, lacks, t);
		}
		return NULL;
	}
	if (open_with_room(t, conf, path, &there, &why) < 0) {
		files_unseen(t, path, errno);
		*gone = why == NULL;
		if (why != NULL)
			unread_note(path, errno == 0 ? UNREAD_REFUSED : UNREAD_ERROR, why);
		if (why != NULL && (errno == EMFILE || errno == ENFILE))
			files_wait(t);
		return NULL;
	}
	if (is_own_pod(conf, there.target, path) || fstat(there.fd, &st) < 0 ||
	    files_of(t, &st) != NULL)
		why = "";
	else if (is_second_name(t, conf, path, live, &there, &st))
		why = opener_second_name;
	else if (is_older(t, conf, path, live, &there, &st)) {
		t->look->older += live == NULL; /* by a directory's listing it may be found, too */
		why = "";
	}
	if (why == NULL)
		unread_well(path, false);
	if (why == NULL)
		return files_new(t, there.fd, there.target, &st);
	if (*why != '\0')
		unread_note(path, UNREAD_REFUSED, why);
	close(there.fd);
	free(there.target);
	return NULL;
}
