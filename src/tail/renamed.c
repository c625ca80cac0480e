/*
 * A Path may find a rotated file by a name that no rotation makes of the live one:
 * old-x.log of x.log.  It is of the log that had its content when it was seen last:
 * found by its inode; when there is a .gz, by the name that the two have, or by a
 * runtime's time in the first line.  A .gz of which nothing is known is of the log of
 * the file that it was packed from.
 */
#include "renamed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "alike.h"
#include "files.h"
#include "identity.h"
#include "line_format.h"
#include "place.h"
#include "rotated.h"

#define CANDIDATES 16 /* contents that a file may have, those used last */

struct candidate {
	struct identity id;
	struct content_state is;
	char *path;
};

struct search {
	struct candidate at[CANDIDATES];
	unsigned n;
	struct slice line;  /* the first one, with its newline */
	uint64_t line_hash; /* 0: contents that begin otherwise are candidates, too */
};

static void
add(void *arg, const struct content_seen *seen)
{
	struct search *s = arg;

	if (s->n == CANDIDATES || seen->path[0] == '\0')
		return;
	if (s->line_hash != 0 &&
	    (seen->what->head_size != s->line.len || seen->what->head != s->line_hash))
		return;
	s->at[s->n++] = (struct candidate){ *seen->id, *seen->what, xstrdup(seen->path) };
}

/* The file's first line, when it is complete. */
static struct slice
first_line(struct tail *t, const struct place *p)
{
	ssize_t n;
	const char *newline;

	frame_forget(&t->frame);
	n = place_read(p, t->frame.bytes, FIRST_LINE, 0);
	newline = n > 0 ? memchr(t->frame.bytes, '\n', (size_t)n) : NULL;
	if (newline == NULL)
		return (struct slice){ "", 0 };
	return (struct slice){ t->frame.bytes, (size_t)(newline - t->frame.bytes) + 1 };
}

/* A runtime's time makes it another line than that of any other content. */
static bool
is_timed(struct slice line)
{
	struct cri_memo memo = { 0 };
	struct cri cri;

	return line.len > 0 &&
	       line_format_take((struct slice){ line.at, line.len - 1 }, &memo, &cri);
}

/* The name beside ${p} that its live file had, if that is the home of the content. */
static char *
live_beside(const struct tail_conf *conf, const struct place *p, const struct candidate *c)
{
	struct slice directory = rotated_directory(p->name);
	const char *slash = strrchr(c->path, '/');
	char *name = xprintf(
	    "%.*s/%s", (int)directory.len, directory.at, slash == NULL ? c->path : slash + 1);
	struct pod *pod = pod_from_path(slice_of(name), slice_of(name));
	struct identity home;

	if (!identity_ready(conf->source_id, pod))
		*p->failed = (struct failed){ EIO, p };
	identity_home(conf->source_id, name, pod, &home);
	pod_unref(pod);
	if (memcmp(&home, &c->is.home, sizeof(home)) == 0)
		return name;
	free(name);
	return NULL;
}

/* An inode may be another file's by now. */
static bool
has_content(struct tail *t, const struct place *p, const struct candidate *c, struct slice line)
{
	struct checkpoint checks[CHECKPOINTS];

	if (p->size < c->is.size || !alike_begins(line, &c->is))
		return false;
	if (state_checkpoints(t->state, &c->id, checks) == 0)
		return is_timed(line);
	return checks[0].offset <= p->size &&
	       fingerprint_fits(p, &(struct fingerprint){ checks[0].offset, checks[0].hash });
}

static char *
by_inode(struct tail *t, const struct tail_conf *conf, const struct place *p, const char *name)
{
	struct search s = { .n = 0 };
	char *found = NULL;

	state_each_of(t->state, p->dev, p->ino, add, &s);
	for (unsigned i = 0; i < s.n; i++) {
		char *live = found == NULL ? live_beside(conf, p, &s.at[i]) : NULL;

		if (live != NULL && strcmp(live, name) != 0 &&
		    has_content(t, p, &s.at[i], first_line(t, p)))
			found = live;
		else
			free(live);
		free(s.at[i].path);
	}
	return found;
}

/* Of the file that it was packed from, or to, which is open. */
static char *
by_name(struct tail *t, const char *twin)
{
	const struct place *other;

	LIST_FOREACH (other, &t->files->all, in_files) {
		if (other->content != NULL && strcmp(other->name, twin) == 0)
			return xstrdup(other->content->log->name);
	}
	return NULL;
}

/* Of a content that is open, or waits and is not in the state yet. */
static char *
by_open_line(struct tail *t, const struct place *p, const struct search *s)
{
	const struct content *c;
	size_t at = 0;

	while ((c = map_next(t->logs->contents, &at, NULL)) != NULL) {
		if (c->is.head_size == s->line.len && c->is.head == s->line_hash &&
		    slice_eq(rotated_directory(c->log->name), rotated_directory(p->name)))
			return xstrdup(c->log->name);
	}
	return NULL;
}

static char *
by_line(struct tail *t, const struct tail_conf *conf, const struct place *p)
{
	struct search s = { .line = first_line(t, p) };
	char *found = NULL;

	if (!is_timed(s.line))
		return NULL;
	s.line_hash = fingerprint_hash(s.line);
	found = by_open_line(t, p, &s);
	if (found != NULL)
		return found;
	state_each(t->state, add, &s);
	for (unsigned i = 0; i < s.n; i++) {
		if (found == NULL)
			found = live_beside(conf, p, &s.at[i]);
		free(s.at[i].path);
	}
	return found;
}

/* The name that a file has with .gz, or without. */
static char *
twin_of(const struct place *p)
{
	size_t n = strlen(p->name) - strlen(".gz");

	return p->packed != NULL ? xprintf("%.*s", (int)n, p->name) : xprintf("%s.gz", p->name);
}

bool
renamed_is_early(struct tail *t, const struct place *p)
{
	return p->packed != NULL && first_line(t, p).len == 0 && files_has_plain(p);
}

char *
renamed_log(struct tail *t, const struct tail_conf *conf, const struct place *p, const char *name)
{
	bool packed = p->packed != NULL;
	char *found = packed ? NULL : by_inode(t, conf, p, name), *twin;

	if (found != NULL || strcmp(name, p->name) != 0)
		return found;
	twin = twin_of(p);
	found = by_name(t, twin);
	if (found == NULL && (packed || access(twin, F_OK) == 0))
		found = by_line(t, conf, p);
	if (found == NULL && packed)
		return twin;
	free(twin);
	return found;
}
