/*
 * The dead-letter file: appended to and synced before an item counts as done.  It
 * may be deleted or renamed at any time: each letter goes to the file that has the
 * name then, under a lock, so that a replay can tell a file that is complete.
 */
#include "dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "memory.h"
#include "own_file.h"
#include "timestamp.h"
#include "voice.h"

struct dead_letters {
	char *path;
	int fd; /* -1: not open */
	uint64_t size;
	bool unsynced; /* letters were appended since the last sync */
	bool lost;     /* some of them to a file that is not on disk */
	struct buffer line;
	struct said full, failed;
};

struct dead_letters *
dead_letter_new(const char *dir)
{
	struct dead_letters *d = xcalloc(1, sizeof(*d));

	d->path = xprintf("%s/dead-letters.ndjson", dir);
	d->fd = -1;
	buffer_init(&d->line, 0);
	return d;
}

static void
file_close(struct dead_letters *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void
dead_letter_free(struct dead_letters *d)
{
	if (d == NULL)
		return;
	file_close(d);
	buffer_fini(&d->line);
	free(d->path);
	free(d);
}

/* The name of a new file is on disk once its directory is synced. */
static int
dir_sync(struct dead_letters *d)
{
	char *dir = xslicedup((struct slice){ d->path, (size_t)(strrchr(d->path, '/') - d->path) });
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);

	if (result < 0 && !said_lately(&d->failed))
		say_error("dead", "cannot sync %s: %m; what belongs there is held", dir);
	if (fd >= 0)
		close(fd);
	free(dir);
	return result;
}

/* True when the open file has the name. */
static bool
is_there(const struct dead_letters *d)
{
	struct stat open, named;

	return fstat(d->fd, &open) == 0 && lstat(d->path, &named) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* Put the letters in the open file on disk; -1 after saying why, also when it was deleted. */
static int
file_sync(struct dead_letters *d)
{
	struct stat st;

	if (!d->unsynced)
		return 0;
	d->unsynced = false;
	if (fdatasync(d->fd) < 0) {
		if (!said_lately(&d->failed))
			say_error("dead", "cannot sync %s: %m", d->path);
		return -1;
	}
	if (fstat(d->fd, &st) < 0 || st.st_nlink > 0)
		return 0;
	if (!said_lately(&d->failed))
		say_warn("dead", "%s was deleted as letters were written: they are written again",
		    d->path);
	return -1;
}

static int
file_open(struct dead_letters *d)
{
	if (d->fd >= 0 && is_there(d))
		return 0;
	d->lost |= file_sync(d) < 0;
	file_close(d);
	d->fd = own_file_open(d->path, O_WRONLY | O_APPEND);
	if (d->fd < 0 && !said_lately(&d->failed))
		say_error("dead", "cannot open %s: %m; what belongs there is held", d->path);
	return d->fd < 0 ? -1 : 0;
}

/* Lock the file that has the name now; its size is known then. */
static int
file_take(struct dead_letters *d)
{
	struct stat st;

	do {
		if (file_open(d) < 0)
			return -1;
		if (flock(d->fd, LOCK_EX | LOCK_NB) < 0) {
			if (!said_lately(&d->failed))
				say_warn("dead", "%s is locked: %m; what belongs there is held",
				    d->path);
			return -1;
		}
	} while (!is_there(d));
	if (fstat(d->fd, &st) == 0) {
		d->size = (uint64_t)st.st_size;
		if (d->size > 0 || dir_sync(d) == 0)
			return 0;
	}
	flock(d->fd, LOCK_UN);
	return -1;
}

static void
put_member(struct buffer *b, const char *name, struct slice value)
{
	buffer_printf(b, ",\"%s\":", name);
	b->len = (size_t)(json_write(buffer_need(b, JSON_WRITE_MAX(value.len)), value) - b->at);
}

static void
line_make(struct buffer *b, const struct dead_letter *l)
{
	char time[TIMESTAMP_MAX];

	buffer_clear(b);
	buffer_printf(b, "{\"time\":\"%.*s\"", (int)timestamp_write(clock_wall(), 3, time), time);
	put_member(b, "output", l->output);
	put_member(b, "index", l->index);
	put_member(b, "id", l->id);
	buffer_printf(b, ",\"status\":%d", l->status);
	put_member(b, "type", l->type);
	put_member(b, "reason", l->reason);
	buffer_put(b, SLICE(",\"document\":"));
	buffer_put(b, l->document);
	buffer_put(b, SLICE("}\n"));
}

/* Append the whole line; a part of it is cut off again. */
static int
line_write(struct dead_letters *d)
{
	size_t done = 0;

	while (done < d->line.len) {
		ssize_t n = write(d->fd, d->line.at + done, d->line.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (!said_lately(&d->failed))
				say_error("dead", "cannot write %s: %m; what belongs there is held",
				    d->path);
			(void)!ftruncate(d->fd, (off_t)d->size);
			return -1;
		}
		done += (size_t)n;
	}
	d->size += done;
	d->unsynced = true;
	return 0;
}

static int
letter_write(struct dead_letters *d, uint64_t limit)
{
	if (d->size + d->line.len <= limit)
		return line_write(d);
	if (!said_lately(&d->full))
		say_error("dead",
		    "%s has reached Dead_Letter_Limit; what belongs there is held: look at it and "
		    "move it away (towline replay --retire), or raise the limit  size=%llu "
		    "limit=%llu",
		    d->path, (unsigned long long)d->size, (unsigned long long)limit);
	return -1;
}

int
dead_letter_put(struct dead_letters *d, const struct dead_letter *letter, uint64_t limit)
{
	int result;

	if (file_take(d) < 0)
		return -1;
	line_make(&d->line, letter);
	result = letter_write(d, limit);
	flock(d->fd, LOCK_UN);
	return result;
}

int
dead_letter_sync(struct dead_letters *d)
{
	bool lost = file_sync(d) < 0 || d->lost;

	d->lost = false;
	return lost ? -1 : 0;
}
