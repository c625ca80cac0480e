/* The containers of test_lives.c: their files' names, what they write. */
#ifndef LIVES_LINES_H
#define LIVES_LINES_H

#include "lives.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "memory.h"

#define CONTAINERS 3
#define SOURCES 64
#define ROTATIONS 10
#define EPOCH (INT64_C(1782000000) * NS_PER_S)

enum runtime { CONTAINERD, CONMON, COPYTRUNCATE, RUNTIMES };

enum step_kind {
	COLLECT,
	SQUEEZE,
	GZ_NAME,
	GZ_PART,
	GZ_REST,
	GZ_DROP,
	RENAME,
	OPEN_NEW,
	SWAP_ONE,
	SWAP,
	REOPEN,
	UNSEEN,
	SHIFT,
	COPY,
	CUT
};

struct step {
	enum step_kind kind;
	unsigned rotation; /* the number in the name */
};

struct container {
	enum runtime runtime;
	char *dir, *links;
	unsigned number, restart, rotations, copies;
	unsigned file, files; /* that is written; how many there were */
	struct source sources[SOURCES];
	bool packed[ROTATIONS + 1];
	unsigned first_rotation; /* of this restart */
	int fd, new;
	int late;            /* the renamed file's writer, when it is still there; -1: none … */
	unsigned late_file;  /* … of this file */
	int stay[ROTATIONS]; /* writers that do not go */
	unsigned nstay;
	off_t part; /* of a .gz that is there */
	bool one;   /* only stdout goes to the new one yet */
	struct step steps[4 * ROTATIONS + 8];
	unsigned nsteps, at;
	char *half;       /* the rest of a line … */
	unsigned half_of; /* … that is this unit */
	int64_t stamp;
	bool in_chain[2], in_trace[2];
	bool any[2]; /* lines of that side in the file */
};

static struct container containers[CONTAINERS];
static unsigned ncontainers;

/* ---- names */

static char *
log_name(const struct container *c)
{
	return xprintf("%s/%u.log", c->dir, c->restart);
}

static char *
rotated_name(const struct container *c, unsigned rotation, const char *more)
{
	return xprintf("%s/%u.log.20260101-%06u%s", c->dir, c->restart, rotation, more);
}

static void
rename_free(char *from, char *to)
{
	trace("rename %s %s", from, to);
	assert_int_equal(rename(from, to), 0);
	free(from);
	free(to);
}

static int
log_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	return fd;
}

/* ---- lines */

static void
bytes_write(struct container *c, int side, const char *bytes, size_t n)
{
	int fd = c->one && side == 0 ? c->new : c->fd;

	assert_int_equal(write(fd, bytes, n), n);
}

static void
half_end(struct container *c)
{
	if (c->half == NULL)
		return;
	trace("rest of the line in %u: %s", c->number, c->half);
	bytes_write(c, units[c->half_of].side, c->half, strlen(c->half));
	units[c->half_of].written = atomic_load(&shared->now);
	free(c->half);
	c->half = NULL;
}

/*
 * Joined to a part that hidden content, or late lines, should have ended, it would be
 * seen nowhere; joined to each other, they have no mark.
 */
static bool
may_be_empty(const struct container *c, int side)
{
	return !(kinds & OWN) && (c->runtime == CONMON || c->any[side]);
}

/* What a line says; what is open on its side makes some more likely. */
static void
text_make(struct container *c, struct unit *u)
{
	static const struct {
		const char *head, *end;
	} says[] = { { "INFO ", "" }, { "", " x" }, { "{\"a\":\"", "\"}" }, { "ERROR ", "" },
		{ "a.b.CException: ", "" }, { "\tat a.b ", "" }, { "DROP ", "" }, { "{", "" },
		{ "", "}" } };
	unsigned kind = any(COUNT(says));

	u->tag = one_in(6) ? 'P' : 'F';
	if (c->in_chain[u->side])
		u->tag = one_in(3) ? 'P' : 'F';
	else if (one_in(9) && may_be_empty(c, u->side))
		u->tag = 'E';
	if (c->in_trace[u->side] && !one_in(4))
		kind = 5;
	if (u->tag == 'E') {
		u->tag = 'F';
		return;
	}
	u->mark = ++nmarks;
	assert_true(nmarks < MOST_MARKS);
	snprintf(u->text, sizeof(u->text), "%s<%u>%s", says[kind].head, u->mark, says[kind].end);
	c->in_trace[u->side] = kind >= 3 && kind <= 5 && !c->in_chain[u->side] && u->tag == 'F';
	c->in_chain[u->side] = u->tag == 'P';
	c->any[u->side] |= !u->late;
}

/* Half a line may be in a renamed file, as its writer has that until the swap. */
static bool
is_halved(const struct container *c)
{
	if (!(kinds & HALF))
		return c->at == c->nsteps && one_in(25);
	return !c->one && (c->at == c->nsteps || !(c->any[0] | c->any[1]) || one_in(2)) &&
	       one_in((c->any[0] | c->any[1]) != 0 ? 12 : 3);
}

static struct buffer
unit_line(const struct unit *u)
{
	struct buffer line;

	buffer_init(&line, 0);
	buffer_printf(&line, "2026-06-21T%02u:%02u:%02u.%09uZ %s %c %s\n",
	    (unsigned)(u->time / NS_PER_S / 3600 % 24), (unsigned)(u->time / NS_PER_S / 60 % 60),
	    (unsigned)(u->time / NS_PER_S % 60), (unsigned)(u->time % NS_PER_S),
	    u->side ? "stderr" : "stdout", u->tag, u->text);
	return line;
}

/* A line that is the same in each file. */
static void
banner_write(struct container *c)
{
	struct unit *u = &units[nunits++];
	struct buffer line;

	*u = (struct unit){ .container = c->number, .file = c->file, .order = nunits, .tag = 'F' };
	u->time = EPOCH;
	u->written = atomic_load(&shared->now);
	u->banner = true;
	memcpy(u->text, BANNER_TEXT, sizeof(BANNER_TEXT));
	line = unit_line(u);
	trace("write %u.%u %.*s", c->number, c->file, (int)line.len - 1, line.at);
	bytes_write(c, 0, line.at, line.len);
	buffer_fini(&line);
	c->any[0] = true;
	c->in_trace[0] = false;
}

/* The renamed file's writer says one thing more. */
static void
late_write(struct container *c)
{
	struct unit *u = &units[nunits++];
	struct buffer line;

	*u = (struct unit){ .container = c->number, .file = c->late_file, .order = nunits };
	u->side = one_in(3);
	u->late = true;
	u->written = atomic_load(&shared->now);
	u->time = EPOCH + u->written;
	u->tag = 'F';
	u->mark = ++nmarks;
	assert_true(nmarks < MOST_MARKS);
	snprintf(u->text, sizeof(u->text), "%s<%u>", one_in(3) ? "\tat a.b " : "INFO ", u->mark);
	line = unit_line(u);
	trace("write late %u.%u %.*s", c->number, u->file, (int)line.len - 1, line.at);
	assert_int_equal(write(c->late, line.at, line.len), line.len);
	buffer_fini(&line);
}

static void
line_write(struct container *c)
{
	struct unit *u = &units[nunits++];
	int64_t now = atomic_load(&shared->now);
	struct buffer line;
	bool halved = is_halved(c);

	*u = (struct unit){ .container = c->number, .file = c->file, .order = nunits };
	u->side = one_in(3);
	u->late = c->one && u->side == 1;
	u->file -= u->late;
	c->stamp = c->stamp < now ? now : c->stamp + 1000;
	u->time = EPOCH + c->stamp - (one_in(12) ? any(60) * NS_PER_MS : 0);
	u->written = now;
	text_make(c, u);
	line = unit_line(u);
	trace("write %u.%u %.*s%s", c->number, c->file, (int)line.len - 1, line.at,
	    halved ? " (half)" : "");
	if (halved) {
		size_t n = 1 + any((unsigned)line.len - 1);

		bytes_write(c, u->side, line.at, n);
		c->half_of = nunits - 1;
		c->half = xslicedup((struct slice){ line.at + n, line.len - n });
	} else {
		bytes_write(c, u->side, line.at, line.len);
	}
	buffer_fini(&line);
}

static void
lines_write(struct container *c)
{
	half_end(c);
	for (unsigned n = 1 + any(5); n > 0 && c->half == NULL; n--)
		line_write(c);
}

#endif
