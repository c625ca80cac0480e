/*
 * Containers whose logs are written, rotated, compressed, truncated: one step
 * at a time, in the order of kubelet, containerd, conmon and logrotate
 * (tests/chaos/container.py has the same with processes).
 */
#ifndef LIVES_WORLD_H
#define LIVES_WORLD_H

#include "lives_lines.h"

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

/* As gzip writes it: where it stays, a part, and then the rest. */
static void
gz_write(struct container *c, unsigned rotation, bool rest)
{
	char *from = rotated_name(c, rotation, ".tmp"), *to = rotated_name(c, rotation, ".gz");
	int in = open(from, O_RDONLY | O_CLOEXEC), out = log_open(to);
	char bytes[65536];
	ssize_t n = pread(in, bytes, sizeof(bytes), rest ? c->part : 0);

	assert_true(n >= 0);
	if (!rest)
		c->part = n = any((unsigned)n);
	trace("%zd bytes more of %s", n, to);
	assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
	if (rest)
		unlink(from);
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
	if (kinds & STAYS && one_in(2)) {
		c->stay[c->nstay++] = c->fd;
	} else if (kinds & (LATE | EARLY)) {
		c->late = c->fd;
		c->late_file = c->file - c->one;
	} else {
		close(c->fd);
	}
	c->fd = c->new;
	c->new = -1;
	if (!c->one) {
		file_begins(c, false);
		if (kinds & BANNER && !c->in_chain[0] && !one_in(4))
			banner_write(c);
	}
	c->one = false;
}

static void
late_goes(struct container *c)
{
	if (c->late >= 0)
		close(c->late);
	c->late = -1;
}

/* What conmon writes to from now on; it has no other name first that anybody sees. */
static void
reopen(struct container *c, char *as)
{
	char *log = log_name(c), *tmp = xprintf("%s.tmp", log);

	c->new = log_open(tmp);
	rename_free(tmp, as);
	swap(c);
	free(log);
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
	case GZ_PART:
	case GZ_REST:
		gz_write(c, s.rotation, s.kind == GZ_REST);
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
	case REOPEN:
		reopen(c, log_name(c));
		break;
	case UNSEEN:
		reopen(c, rotated_name(c, s.rotation, ""));
		break;
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

/* Compressed under another name, or where it stays; then the plain file goes. */
static void
pack(struct container *c, unsigned rotation)
{
	c->packed[rotation] = true;
	step_add(c, SQUEEZE, rotation);
	if (kinds & SHORT && one_in(2)) {
		step_add(c, GZ_PART, rotation);
		step_add(c, GZ_REST, rotation);
	} else {
		step_add(c, GZ_NAME, rotation);
	}
	step_add(c, GZ_DROP, rotation);
}

static void
rotate(struct container *c)
{
	late_goes(c);
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
		pack(c, i);
	}
	step_add(c, RENAME, c->rotations);
	if (c->runtime == CONMON) {
		bool plain = !(kinds & (EARLY | LATE));

		if (plain && c->rotations < ROTATIONS && one_in(3))
			step_add(c, UNSEEN, ++c->rotations);
		if (!plain || c->rotations < ROTATIONS || one_in(2)) /* it may end without one */
			step_add(c, REOPEN, 0);
	} else {
		step_add(c, OPEN_NEW, 0);
		if (one_in(2))
			step_add(c, SWAP_ONE, 0);
		step_add(c, SWAP, 0);
	}
	if (kinds & EARLY && one_in(2))
		pack(c, c->rotations);
}

/* ---- lives of a container */

static void
container_runs(struct container *c)
{
	char *log = log_name(c), *link;

	c->fd = log_open(log);
	late_goes(c);
	c->copies = 0;
	c->first_rotation = c->rotations;
	memset(c->in_chain, 0, sizeof(c->in_chain));
	memset(c->in_trace, 0, sizeof(c->in_trace));
	file_begins(c, false);
	if (kinds & BANNER)
		banner_write(c);
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

/* The file of half a line is not what it is about. */
static bool
may_be_half(const struct container *c)
{
	return kinds & HALF && c->at < c->nsteps && c->steps[c->at].kind <= OPEN_NEW;
}

/* A file that is compressed early has all that will be in it. */
static bool
may_be_late(const struct container *c)
{
	return kinds & LATE && c->late >= 0 && !c->packed[c->rotations];
}

static void
container_step(struct container *c)
{
	unsigned what = any(20);

	if (may_be_late(c) && one_in(4))
		late_write(c);
	if (c->half != NULL && !one_in(3)) {
		half_end(c);
	} else if (what < 11 && !is_copied(c)) {
		lines_write(c);
	} else if (c->half != NULL && !may_be_half(c)) {
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

		*c = (struct container){
			.runtime = any(RUNTIMES), .number = i, .new = -1, .late = -1
		};
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
		if (containers[i].late >= 0)
			close(containers[i].late);
		for (unsigned j = 0; j < containers[i].nstay; j++)
			close(containers[i].stay[j]);
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
