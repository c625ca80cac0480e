/*
 * The logs of test_moves.c: contents, each with its writer, that are renamed,
 * written to late; in pods, or plain files.
 */
#ifndef MOVES_WORLD_H
#define MOVES_WORLD_H

#include "moves.h"

#define CONTENTS 160
#define LOGS 3

/* What is written from one first byte on. */
struct written {
	unsigned number;
	char *path;       /* as it was renamed, without .gz; the log's own when it is live */
	int fd;           /* -1: its writer has gone */
	char *rest;       /* of a line of which a part is written: … */
	unsigned rest_of; /* … the index of this writing */
	enum { WHOLE, CUT, BOTH, PACKED } packed; /* CUT: a part of its .gz is there */
	struct buffer gz;                         /* … and this is what is missing */
	bool silent; /* its writer has it open, and says nothing any more */
	bool stays;  /* … for ever */
	bool kept;   /* the plain file stays beside its .gz */
	bool ragged; /* a line of which the end is lost stands before the next one */
	bool filled; /* it has more than a banner … */
	bool bare;   /* … and had not when it was renamed */
	bool met;    /* as the live file, by a reader: for certain */
};

struct world_log {
	char *path;
	struct written *live, *old[CONTENTS]; /* the oldest first */
	unsigned nold;
	bool chain[SIDES];
	enum { SOUND, JOINS, FIRST } cut[SIDES]; /* its lines since the power cut */
};

static struct world_log logs[LOGS];
static unsigned nlogs, ncontents, nbanners, stamp;
static bool numbered, untimed; /* rotated names are .1 .2; lines have no head */
static bool prefixed;          /* rotated names are old-…-app.log: a Path alone finds them */

/* ---- lines */

static void
mark_written(struct world_log *log, struct written *c, unsigned writing)
{
	struct writing *wr = &writings[writing];

	fates[wr->line].due++;
	fates[wr->line].least++;
	wr->late |= c != log->live;
}

static void
bytes_write(const struct written *c, const char *bytes, size_t n)
{
	TRACE("write %u: %.*s%s", c->number, (int)n, bytes, bytes[n - 1] == '\n' ? "" : "…\n");
	assert_int_equal(write(c->fd, bytes, n), n);
}

/* The rest of a line.  Its mark is in one piece: in this one, or in the one before. */
static void
rest_write(struct world_log *log, struct written *c)
{
	struct writing *wr = &writings[c->rest_of];

	if (c->rest == NULL)
		return;
	bytes_write(c, c->rest, strlen(c->rest));
	wr->end = (uint64_t)lseek(c->fd, 0, SEEK_CUR);
	wr->late |= c != log->live;
	wr->torn = c != log->live || wr->content != c->number;
	if (strchr(c->rest, '#') != NULL)
		mark_written(log, c, c->rest_of);
	free(c->rest);
	c->rest = NULL;
}

/* So much of a line is written first. */
static size_t
part_of(const char *line, bool first)
{
	size_t len = strlen(line), mark = (size_t)(strchr(line, '#') - line), part;
	size_t end = (size_t)(strchr(line + mark, ';') - line) + 1;

	if (!(kinds & HALF) || any(first ? 2 : 8) > 0)
		return len;
	part = 1 + any((unsigned)len - 1);
	if (part > mark && part < end)
		part = any(2) ? mark : end;
	return part;
}

/*
 * The line may go on a record that was delivered with the bytes that the power cut
 * took, and be sent under its id: the first one of its side, then all that do not
 * begin a record.
 */
static bool
may_be_swallowed(struct world_log *log, int side, const char *text)
{
	bool first = log->cut[side] == FIRST;

	if (first)
		log->cut[side] = JOINS;
	else if (strstr(text, "{") != NULL || strstr(text, "ERROR") != NULL)
		log->cut[side] = SOUND;
	return log->cut[side] != SOUND;
}

static void
text_write(struct world_log *log, struct written *c, unsigned line, int side, char *text)
{
	size_t len = strlen(text), part;
	struct stat st;

	rest_write(log, c);
	assert_true(fstat(c->fd, &st) == 0 && nwritings < COUNT(writings));
	part = part_of(text, st.st_size == 0);
	writings[nwritings++] = (struct writing){ .line = line,
		.log = (unsigned)(log - logs),
		.content = c->number,
		.side = side,
		.end = UINT64_MAX,
		.late = c != log->live,
		.torn = c->ragged };
	c->ragged = false;
	bytes_write(c, text, part);
	if (part == len)
		writings[nwritings - 1].end = (uint64_t)lseek(c->fd, 0, SEEK_CUR);
	if (memchr(text, '#', part) != NULL)
		mark_written(log, c, nwritings - 1);
	if (may_be_swallowed(log, side, text) || (kinds & POWER && writings[nwritings - 1].torn))
		fates[line].least -= fates[line].least > 0;
	if (part < len) {
		c->rest = xstrdup(text + part);
		c->rest_of = nwritings - 1;
	}
	free(text);
}

static char *
line_of(unsigned n, int side, char tag, const char *head, const char *last)
{
	if (untimed)
		return xprintf("%s#%u;%s\n", head, n, last);
	return xprintf("2026-11-22T08:00:00.%09uZ %s %c %s#%u;%s\n", n, side ? "stderr" : "stdout",
	    tag, head, n, last);
}

/* `alone`: it neither joins nor is joined. */
static void
line_write(struct world_log *log, struct written *c, bool alone)
{
	static const char *const heads[] = { "{} ", "{} ", "ERROR failed ", "\tat a.B.c ",
		"plain " };
	int side = !untimed && any(3) == 0;
	const char *head = log->chain[side] ? "more " : heads[any(COUNT(heads))];
	bool cut;

	if (nlines == LINES)
		return;
	if (!alone)
		log->chain[side] = !untimed && any(4) == 0;
	c->filled = true;
	nlines++;
	cut = !alone && log->chain[side];
	text_write(log, c, nlines - 1, side,
	    line_of(nlines - 1, side, cut ? 'P' : 'F', alone ? "{" : head, alone ? "}" : ""));
	writings[nwritings - 1].cut = cut;
}

static void
lines_write(void)
{
	struct world_log *log = &logs[any(nlogs)];

	for (unsigned n = any(6); n > 0; n--)
		line_write(log, log->live, false);
}

/* A live file's last line, of which a part is there, is no line yet. */
static void
rest_is_due(struct world_log *log)
{
	const struct writing *wr = &writings[log->live->rest_of];

	if (log->live->rest == NULL || strchr(log->live->rest, '#') != NULL ||
	    wr->content != log->live->number) /* in a copy it is the last one */
		return;
	fates[wr->line].due--;
	fates[wr->line].least--;
}

/* ---- contents */

static void
banner_write(struct world_log *log)
{
	for (unsigned i = 0; i < nbanners; i++)
		text_write(log, log->live, i, 0, line_of(i, 0, 'F', "{} banner ", ""));
	rest_write(log, log->live);
	if (!(kinds & EQUAL))
		return;
	for (unsigned n = any(3); n > 0; n--)
		line_write(log, log->live, false);
}

static struct written *
written_new(const char *path, int fd)
{
	struct written *c = xcalloc(1, sizeof(*c));

	c->path = xstrdup(path);
	c->fd = fd;
	buffer_init(&c->gz, 0);
	return c;
}

static void
writer_goes(struct written *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	free(c->rest); /* it never comes */
	c->rest = NULL;
}

static void
written_free(struct written *c)
{
	if (c == NULL)
		return;
	writer_goes(c);
	buffer_fini(&c->gz);
	free(c->path);
	free(c);
}

static void
log_open(struct world_log *log)
{
	int fd = open(log->path, O_WRONLY | O_CREAT | (kinds & HOLE ? 0 : O_APPEND), 0644);

	assert_true(fd >= 0);
	log->live = written_new(log->path, fd);
	log->live->number = ncontents++;
	if (kinds & BANNER && any(4) > 0)
		banner_write(log);
}

/* The older files' writers have more, and are done. */
static void
writers_end(struct world_log *log, void (*before)(struct world *), struct world *w)
{
	for (unsigned i = 0; i < log->nold; i++) {
		struct written *c = log->old[i];

		if (c->fd < 0 || c->stays)
			continue;
		if (!c->silent && any(2) == 0) {
			before(w);
			line_write(log, c, any(2) == 0 || !all_posted());
		}
		writer_goes(c);
	}
}

/* An older file's writer has more, and may have more again. */
static void
late_write(struct world_log *log)
{
	unsigned from = any(log->nold + 1);

	for (unsigned i = 0; i < log->nold; i++) {
		struct written *c = log->old[(from + i) % log->nold];

		if (c->fd < 0 || c->silent || c->stays)
			continue;
		for (unsigned n = 1 + any(2); n > 0; n--)
			line_write(log, c, false);
		return;
	}
}

/* ---- names */

static void
path_move(struct written *c, char *to)
{
	static const char *const ends[] = { "", ".gz" };

	for (unsigned i = 0; i < COUNT(ends); i++) {
		char *old = xprintf("%s%s", c->path, ends[i]), *new = xprintf("%s%s", to, ends[i]);

		if (access(old, F_OK) == 0)
			assert_int_equal(rename(old, new), 0);
		free(old);
		free(new);
	}
	free(c->path);
	c->path = to;
}

/* LOG.2 to LOG.3, LOG.1 to LOG.2. */
static void
names_shift(struct world_log *log)
{
	for (unsigned i = 0; i < log->nold; i++)
		path_move(log->old[i], xprintf("%s.%u", log->path, log->nold - i + 1));
}

static char *
rotated_name(const struct world_log *log)
{
	const char *base = strrchr(log->path, '/');

	if (numbered)
		return xprintf("%s.1", log->path);
	if (prefixed)
		return xprintf(
		    "%.*s/old-%06u-%s", (int)(base - log->path), log->path, stamp++, base + 1);
	return xprintf("%s.20260101-%06u", log->path, stamp++);
}

static void
rename_away(struct world_log *log)
{
	struct written *c = log->live;

	if (log->nold == CONTENTS)
		return;
	if (kinds & BANNER && !(kinds & EQUAL) && !c->filled)
		line_write(log, c, false);
	TRACE("rename\n");
	if (numbered)
		names_shift(log);
	path_move(c, rotated_name(log));
	c->bare = !c->filled;
	c->stays = c->silent = kinds & STAYS && any(2) == 0;
	log->old[log->nold++] = c;
	log_open(log);
}

/* ---- all of it */

static void
world_begins(struct world *w)
{
	static const char *const names[] = { "worker.1", "worker.2", "worker.3" };
	bool plain = kinds & (PATHS | NUMBERS);

	nlines = nwritings = noffered = ncontents = 0;
	memset(fates, 0, sizeof(fates));
	numbered = kinds & COPY || (kinds & PATHS && any(2));
	untimed = plain && any(2);
	prefixed = kinds & MIDST && kinds & PATHS && !numbered && !untimed;
	nbanners = nlines = kinds & BANNER ? 1 + any(2) : 0;
	nlogs = kinds & NUMBERS ? LOGS : 1;
	if (plain) {
		shell("mkdir %s/plain", w->dir);
		free(w->path);
		w->path = xprintf("%s/plain/%s", w->dir, kinds & NUMBERS ? "worker.*" : "*.log*");
	}
	for (unsigned i = 0; i < nlogs; i++) {
		memset(&logs[i], 0, sizeof(logs[i]));
		logs[i].path =
		    plain ? xprintf("%s/plain/%s", w->dir, kinds & NUMBERS ? names[i] : "app.log")
			  : xprintf("%s/pods/" POD "/agent/0.log", w->dir);
		log_open(&logs[i]);
	}
}

static void
world_free(void)
{
	for (unsigned i = 0; i < nlogs; i++) {
		struct world_log *log = &logs[i];

		for (unsigned j = 0; j < log->nold; j++)
			written_free(log->old[j]);
		written_free(log->live);
		free(log->path);
	}
}

#endif
