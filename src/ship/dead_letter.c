/* The dead-letter file: appended to and synced before an item counts as done. */
#include "dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "memory.h"
#include "timestamp.h"
#include "voice.h"

struct dead_letters {
	char *path;
	int fd; /* -1: not open */
	uint64_t size;
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

void
dead_letter_free(struct dead_letters *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		close(d->fd);
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

static int
open_file(struct dead_letters *d)
{
	struct stat st;

	if (d->fd >= 0)
		return 0;
	d->fd = open(d->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->fd < 0 || fstat(d->fd, &st) < 0) {
		if (!said_lately(&d->failed))
			say_error(
			    "dead", "cannot open %s: %m; what belongs there is held", d->path);
		return -1;
	}
	d->size = (uint64_t)st.st_size;
	if (d->size > 0 || dir_sync(d) == 0)
		return 0;
	close(d->fd);
	d->fd = -1;
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
	return 0;
}

int
dead_letter_put(struct dead_letters *d, const struct dead_letter *letter, uint64_t limit)
{
	if (open_file(d) < 0)
		return -1;
	line_make(&d->line, letter);
	if (d->size + d->line.len > limit) {
		if (!said_lately(&d->full))
			say_error("dead",
			    "%s has reached Dead_Letter_Limit; what belongs there is held: look "
			    "at it and move it away, or raise the limit  size=%llu limit=%llu",
			    d->path, (unsigned long long)d->size, (unsigned long long)limit);
		close(d->fd); /* the operator may move it away meanwhile */
		d->fd = -1;
		return -1;
	}
	return line_write(d);
}

int
dead_letter_sync(struct dead_letters *d)
{
	if (d->fd < 0 || fdatasync(d->fd) == 0)
		return 0;
	if (!said_lately(&d->failed))
		say_error("dead", "cannot sync %s: %m", d->path);
	return -1;
}
