/*
 * Containers whose logs are written, rotated, compressed, truncated: one step
 * at a time, in the order of kubelet, containerd, conmon and logrotate
 * (tests/chaos/container.py has the same with processes).
 */
#ifndef LIVES_WORLD_H
#define LIVES_WORLD_H

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
	GZ_DROP,
	RENAME,
	OPEN_NEW,
	SWAP_ONE,
	SWAP,
	REOPEN,
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
	bool one; /* only stdout goes to the new one yet */
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

/* Joined to a part that hidden content should have ended, it would be seen nowhere. */
static bool
may_be_empty(const struct container *c, int side)
{
	return c->runtime != COPYTRUNCATE || c->any[side];
}

/* What a line says; what is open on its side makes some more likely. */
static void
text_make(struct container *c, struct unit *u)
{
	static const struct {
		const char *head, *end;
	} kinds[] = { { "INFO ", "" }, { "", " x" }, { "{\"a\":\"", "\"}" }, { "ERROR ", "" },
		{ "a.b.CException: ", "" }, { "\tat a.b ", "" }, { "DROP ", "" }, { "{", "" },
		{ "", "}" } };
	unsigned kind = any(COUNT(kinds));

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
	snprintf(u->text, sizeof(u->text), "%s<%u>%s", kinds[kind].head, u->mark, kinds[kind].end);
	c->in_trace[u->side] = kind >= 3 && kind <= 5 && !c->in_chain[u->side] && u->tag == 'F';
	c->in_chain[u->side] = u->tag == 'P';
	c->any[u->side] = true;
}

static void
line_write(struct container *c)
{
	struct unit *u = &units[nunits++];
	int64_t now = atomic_load(&shared->now);
	struct buffer line;

	*u = (struct unit){ .container = c->number, .file = c->file, .order = nunits };
	u->side = one_in(3);
	u->late = c->one && u->side == 1;
	u->file -= u->late;
	c->stamp = c->stamp < now ? now : c->stamp + 1000;
	u->time = EPOCH + c->stamp - (one_in(12) ? any(60) * NS_PER_MS : 0);
	u->written = now;
	text_make(c, u);
	buffer_init(&line, 0);
	buffer_printf(&line, "2026-06-21T%02u:%02u:%02u.%09uZ %s %c %s\n",
	    (unsigned)(u->time / NS_PER_S / 3600 % 24), (unsigned)(u->time / NS_PER_S / 60 % 60),
	    (unsigned)(u->time / NS_PER_S % 60), (unsigned)(u->time % NS_PER_S),
	    u->side ? "stderr" : "stdout", u->tag, u->text);
	trace("write %u.%u %.*s", c->number, c->file, (int)line.len - 1, line.at);
	if (one_in(25) && c->at == c->nsteps) { /* in a renamed file it would be torn */
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

/* ---- steps of a rotation */

static void
file_begins(struct container *c, bool truncated)
{
	c->file = c->files++;
	assert_true(c->files <= SOURCES);
	memset(c->any, 0, sizeof(c->any));
	c->sources[c->file] = (struct source){ c->restart, truncated };
}

static void
squeeze(struct container *c, unsigned rotation)
{
	char *from = rotated_name(c, rotation, ""), *to = rotated_name(c, rotation, ".tmp");
	int in = open(from, O_RDONLY | O_CLOEXEC);
	gzFile out = gzopen(to, "wb1");
	char bytes[4096];
	ssize_t n;

	trace("squeeze %s", from);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		gzwrite(out, bytes, (unsigned)n);
	close(in);
	gzclose(out);
	free(from);
	free(to);
}

/* LOG.2 to LOG.3, LOG.1 to LOG.2. */
static void
shift(struct container *c)
{
	char *log = log_name(c);

	for (unsigned i = c->copies; i > 0; i--)
		rename_free(xprintf("%s.%u", log, i), xprintf("%s.%u", log, i + 1));
	free(log);
}

static void
copy(struct container *c)
{
	char *log = log_name(c), *copy = xprintf("%s.1", log), bytes[4096];
	int in = open(log, O_RDONLY | O_CLOEXEC), out = log_open(copy);
	ssize_t n;

	trace("copy %s", log);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
	c->copies++;
	free(log);
	free(copy);
}

static void
cut(struct container *c)
{
	trace("truncate %u", c->number);
	assert_int_equal(ftruncate(c->fd, 0), 0);
	file_begins(c, true);
}

/* No line is written between the two: what is then lost is the method's own. */
static bool
is_copied(const struct container *c)
{
	return c->at < c->nsteps && c->steps[c->at].kind == CUT;
}

static void
swap(struct container *c)
{
	trace("swap %u", c->number);
	close(c->fd);
	c->fd = c->new;
	c->new = -1;
	if (!c->one)
		file_begins(c, false);
	c->one = false;
}

static void
step_do(struct container *c, struct step s)
{
	char *gone;

	switch (s.kind) {
	case COLLECT:
		break;
	case SQUEEZE:
		squeeze(c, s.rotation);
		break;
	case GZ_NAME:
		rename_free(
		    rotated_name(c, s.rotation, ".tmp"), rotated_name(c, s.rotation, ".gz"));
		break;
	case GZ_DROP:
		gone = rotated_name(c, s.rotation, "");
		trace("unlink %s", gone);
		assert_int_equal(unlink(gone), 0);
		free(gone);
		break;
	case RENAME:
		rename_free(log_name(c), rotated_name(c, s.rotation, ""));
		break;
	case OPEN_NEW:
		gone = log_name(c);
		trace("open %s", gone);
		c->new = log_open(gone);
		free(gone);
		break;
	case SWAP_ONE:
		c->one = true;
		file_begins(c, false);
		break;
	case SWAP:
		swap(c);
		break;
	case REOPEN: {
		char *log = log_name(c), *tmp = xprintf("%s.tmp", log);

		c->new = log_open(tmp);
		rename_free(tmp, log);
		swap(c);
		break;
	}
	case SHIFT:
		shift(c);
		break;
	case COPY:
		copy(c);
		break;
	case CUT:
		cut(c);
		break;
	}
}

static void
step_add(struct container *c, enum step_kind kind, unsigned rotation)
{
	c->steps[c->nsteps++] = (struct step){ kind, rotation };
}

static void
rotate(struct container *c)
{
	c->nsteps = c->at = 0;
	c->rotations++;
	if (c->runtime == COPYTRUNCATE) {
		step_add(c, SHIFT, 0);
		step_add(c, COPY, 0);
		step_add(c, CUT, 0);
		return;
	}
	for (unsigned i = c->first_rotation + 1; i < c->rotations; i++) {
		if (c->packed[i] || one_in(4))
			continue;
		c->packed[i] = true;
		for (enum step_kind kind = SQUEEZE; kind <= GZ_DROP; kind++)
			step_add(c, kind, i);
	}
	step_add(c, RENAME, c->rotations);
	if (c->runtime == CONMON) {
		step_add(c, REOPEN, 0);
		return;
	}
	step_add(c, OPEN_NEW, 0);
	if (one_in(2))
		step_add(c, SWAP_ONE, 0);
	step_add(c, SWAP, 0);
}

/* ---- lives of a container */

static void
container_runs(struct container *c)
{
	char *log = log_name(c), *link;

	c->fd = log_open(log);
	c->copies = 0;
	c->first_rotation = c->rotations;
	memset(c->in_chain, 0, sizeof(c->in_chain));
	memset(c->in_trace, 0, sizeof(c->in_trace));
	file_begins(c, false);
	link = xprintf("%s/matillion-agent-%u_ns_agent-%064u.log", c->links, c->number, c->restart);
	assert_int_equal(symlink(log, link), 0);
	trace("runs %s", log);
	free(link);
	free(log);
}

static void
container_again(struct container *c)
{
	close(c->fd);
	c->restart++;
	container_runs(c);
}

static void
container_step(struct container *c)
{
	unsigned what = any(20);

	if (c->half != NULL && !one_in(3)) {
		half_end(c);
	} else if (what < 11 && !is_copied(c)) {
		lines_write(c);
	} else if (c->half != NULL) {
		return;
	} else if (c->at < c->nsteps) {
		step_do(c, c->steps[c->at++]);
	} else if (what < 14 && c->rotations < ROTATIONS) {
		rotate(c);
	} else if (what == 19 && one_in(5) && c->restart < 3) {
		container_again(c);
	}
}

static void
world_step(void)
{
	for (unsigned n = 1 + any(3); n > 0; n--) {
		container_step(&containers[any(ncontainers)]);
		if (one_in(4))
			time_passes(any(4) * NS_PER_MS);
	}
}

/* All that is under way comes to its end. */
static void
world_ends(void)
{
	for (unsigned i = 0; i < ncontainers; i++) {
		struct container *c = &containers[i];

		half_end(c);
		while (c->at < c->nsteps)
			step_do(c, c->steps[c->at++]);
	}
}

static void
world_begins(const char *dir)
{
	char *links = xprintf("%s/containers", dir), *pods = xprintf("%s/pods", dir);

	mkdir(links, 0755);
	mkdir(pods, 0755);
	nunits = nmarks = 0;
	ncontainers = 1 + any(CONTAINERS);
	for (unsigned i = 0; i < ncontainers; i++) {
		struct container *c = &containers[i];
		char *pod = xprintf("%s/ns_matillion-agent-%u_uid-%u", pods, i, i);

		*c = (struct container){ .runtime = any(RUNTIMES), .number = i, .new = -1 };
		c->dir = xprintf("%s/agent", pod);
		c->links = xstrdup(links);
		mkdir(pod, 0755);
		mkdir(c->dir, 0755);
		container_runs(c);
		free(pod);
	}
	free(links);
	free(pods);
}

/* The logs are open in the writers' process alone. */
static void
world_leave(void)
{
	for (unsigned i = 0; i < ncontainers; i++) {
		close(containers[i].fd);
		if (containers[i].new >= 0)
			close(containers[i].new);
	}
}

static void
world_free(void)
{
	world_leave();
	for (unsigned i = 0; i < ncontainers; i++) {
		free(containers[i].half);
		free(containers[i].dir);
		free(containers[i].links);
	}
}

#endif
