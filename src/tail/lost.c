/*
 * What is lost, and said: bytes that were seen in a file and destroyed before
 * they were read.  While we run this is known at once; of what happened while
 * we did not, the streams tell that have no file any more, and whose size when
 * it was last seen lies behind what is shipped.
 */
#include "lost.h"

#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "map.h"

/* A link among the containers' names its pod: <pod>_<ns>_<container>-<id>.log. */
static struct slice
pod_of_link(const char *path)
{
	const char *name = strrchr(path, '/'), *end;

	if (name == NULL ||
	    !slice_ends((struct slice){ path, (size_t)(name - path) }, SLICE("/containers")))
		return SLICE("");
	end = strchr(++name, '_');
	return (struct slice){ name, end != NULL ? (size_t)(end - name) : 0 };
}

void
lost_add(const char *path, const char *target, enum lost why, uint64_t bytes)
{
	struct pod *pod = pod_of(target, path);

	metrics_lost(pod != NULL ? pod->pod_name : pod_of_link(path), why, bytes);
	pod_unref(pod);
}

void
lost_count(const char *path, const char *target, enum lost why, uint64_t bytes)
{
	static const char *const what[LOST_REASONS] = {
		[LOST_DELETED] = "was deleted",
		[LOST_TRUNCATED] = "was truncated",
		[LOST_POWERCUT] = "lost its end in a power cut",
	};

	lost_add(path, target, why, bytes);
	say_warn("tail", "%s (%s) %s before it was read: %" PRIu64 " bytes are lost", path, target,
	    what[why], bytes);
}

/* ---- after the start */

/* A log has no name for a moment while it is rotated, and its directory may be mounted late. */
#define GRACE (10 * NS_PER_S)

struct unread {
	struct identity id;
	char *path;
	uint64_t shipped, bytes;
};

struct unreads {
	struct unread *at;
	size_t n;
};

static void
unread_add(void *arg, const struct identity *id, const char *path, bool open,
    const struct stream_state *is)
{
	struct unreads *all = arg;
	uint64_t out = is->side[SIDE_STDOUT].shipped, err = is->side[SIDE_STDERR].shipped;
	uint64_t least = out < err ? out : err;

	(void)open;
	if (is->size <= least)
		return;
	all->at = xrealloc(all->at, (all->n + 1) * sizeof(*all->at));
	all->at[all->n++] = (struct unread){ *id, xstrdup(path), least, is->size - least };
}

static bool
has_file(const struct tail *t, const char *path)
{
	const struct file *f;

	LIST_FOREACH (f, &t->files, in_files) {
		if (strcmp(f->path, path) == 0)
			return true;
	}
	return false;
}

/* Does each file know its stream, or wait for its first line? */
static bool
all_begun(const struct tail *t)
{
	const struct file *f;

	LIST_FOREACH (f, &t->files, in_files) {
		if (f->stream == NULL && !f->duplicate && !f->ended &&
		    (f->ready || f->after != NULL))
			return false;
	}
	return !LIST_EMPTY(&t->files); /* none at all: perhaps their disk is not mounted yet */
}

void
lost_settle(struct tail *t)
{
	struct unreads all = { 0 };

	if (t->settled || t->now - t->started < GRACE || t->first_look || !all_begun(t))
		return;
	t->settled = true;
	state_each(t->state, unread_add, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct unread *u = &all.at[i];

		if (map_get(t->by_identity, identity_key(&u->id)) == NULL) {
			lost_count(u->path, "its stream has no file any more",
			    has_file(t, u->path) ? LOST_TRUNCATED : LOST_DELETED, u->bytes);
			state_size(t->state, &u->id, u->shipped);
		}
		free(u->path);
	}
	free(all.at);
}
