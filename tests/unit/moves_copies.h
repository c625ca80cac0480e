/* What rotators of test_moves.c make of a log: copies, plain and compressed. */
#ifndef MOVES_COPIES_H
#define MOVES_COPIES_H

#include "moves_world.h"

#include <zlib.h>

static void
bytes_read(const char *path, struct buffer *to)
{
	char bytes[4096];
	int in = open(path, O_RDONLY);
	ssize_t n;

	assert_true(in >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		buffer_put(to, (struct slice){ bytes, (size_t)n });
	close(in);
}

static void
bytes_add(const char *path, struct slice bytes)
{
	int out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(out >= 0);
	assert_int_equal(write(out, bytes.at, bytes.len), bytes.len);
	close(out);
}

/* The live file goes on as another content: what it was lies in a copy. */
static void
log_copy(struct world_log *log)
{
	struct buffer bytes;
	struct written *copy;

	names_shift(log);
	copy = written_new("", -1);
	free(copy->path);
	copy->path = xprintf("%s.1", log->path);
	copy->number = log->live->number;
	buffer_init(&bytes, 0);
	bytes_read(log->path, &bytes);
	bytes_add(copy->path, buffer_slice(&bytes));
	buffer_fini(&bytes);
	log->old[log->nold++] = copy;
	log->live->number = ncontents++;
}

/* What gzip makes of it. */
static void
squeeze(const struct world *w, struct written *c)
{
	char *path = xprintf("%s/squeezed", w->dir);
	struct buffer bytes;
	gzFile out = gzopen(path, "wb1");

	buffer_init(&bytes, 0);
	bytes_read(c->path, &bytes);
	assert_int_equal(gzwrite(out, bytes.at, (unsigned)bytes.len), bytes.len);
	gzclose(out);
	buffer_fini(&bytes);
	bytes_read(path, &c->gz);
	unlink(path);
	free(path);
}

/* At once, under another name first or not; or a part of it, and the rest later. */
static void
pack(const struct world *w, struct written *c)
{
	char *gz = xprintf("%s.gz", c->path), *tmp = xprintf("%s.tmp", gz);
	size_t part;

	c->kept = kinds & LATE && c->fd >= 0;
	c->silent |= !c->kept;
	squeeze(w, c);
	part = kinds & SHORT && (!(kinds & EARLY) || any(2)) ? any((unsigned)c->gz.len) : c->gz.len;
	TRACE("compress %s: %zu of %zu bytes%s\n", c->path, part, c->gz.len,
	    c->fd < 0 ? "" : ", while it is open");
	c->packed = part < c->gz.len ? CUT : BOTH;
	if (c->packed == BOTH && !(kinds & PATHS) && any(2)) {
		bytes_add(tmp, buffer_slice(&c->gz));
		assert_int_equal(rename(tmp, gz), 0);
	} else {
		bytes_add(gz, (struct slice){ c->gz.at, part });
	}
	memmove(c->gz.at, c->gz.at + part, c->gz.len - part);
	c->gz.len -= part;
	free(gz);
	free(tmp);
}

static void
pack_go_on(struct written *c)
{
	char *gz = xprintf("%s.gz", c->path);

	if (c->packed == CUT) {
		TRACE("compressed %s\n", c->path);
		bytes_add(gz, buffer_slice(&c->gz));
		c->packed = BOTH;
	} else if (c->packed == BOTH && !c->kept) {
		TRACE("unlink %s\n", c->path);
		assert_int_equal(unlink(c->path), 0);
		c->packed = PACKED;
	}
	free(gz);
}

static void
some_pack(const struct world *w, struct world_log *log)
{
	struct written *c;

	if (log->nold == 0)
		return;
	c = log->old[any(log->nold)];
	if (c->packed != WHOLE)
		pack_go_on(c);
	else if (c->rest == NULL && (c->fd < 0 || kinds & EARLY))
		pack(w, c);
}

#endif
