/*
 * Documents on standard output, one JSON line each: to look at, or for a pipe.
 * A record is delivered when its line is written.  A reader that is slow, a full
 * disk and a closed pipe make the records wait, and no other output.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fifo.h"
#include "least.h"
#include "sink.h"

/* A pipe that is ready takes this much at once (pipe(7), PIPE_BUF); a file any amount. */
#define PIECE 4096

#define READY_MS 10           /* a reader that takes longer to read does not hold the others up */
#define SLOW (50 * NS_PER_MS) /* until such a one is asked again */
#define RETRY_FIRST (NS_PER_S / 2) /* after a failure, and doubled with each further one */
#define RETRY_DOUBLED 6

struct stdout_conf {
	struct output output;
	int format;
};

/* Fluent Bit's own forms are taken, too, and written as a document a line. */
static const char *const formats[] = { "json_lines", "ndjson", "json", "json_stream", "msgpack",
	NULL };
#define FORMATS_LINES 2

static const struct option stdout_options[] = {
	OPTION("Format", OPT_ENUM, "json_lines", offsetof(struct stdout_conf, format),
	    "a JSON document a line, whatever it says", .choices = formats),
	OPTION_IDLE("Workers", "one thread ships to all outputs"),
	OPTION_IDLE("json_date_key", "the time is the document's @timestamp"),
	OPTION_IDLE("json_date_format", "the time is the document's @timestamp"),
	OPTIONS_END,
};

static void
stdout_check(const struct section *section, struct findings *findings)
{
	const struct stdout_conf *conf = section->values;

	if (conf->format >= FORMATS_LINES)
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Format"), "Format %s: a JSON document a line is written",
		    formats[conf->format]);
}

const struct plugin stdout_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "stdout",
	.help = "standard output, a JSON document a line",
	.options = stdout_options,
	.common = output_options,
	.size = sizeof(struct stdout_conf),
	.check = stdout_check,
};

struct out {
	struct sink *sink;
	struct fifo queue;
	uint32_t item;    /* of the first batch: the next */
	size_t done;      /* bytes of its line that are written */
	uint64_t waiting; /* items that are not written */
	bool file;        /* a regular file */
	unsigned failures;
	int64_t not_before;
	struct said said;
};

static int
stdout_open(struct sink *s)
{
	struct out *o = xcalloc(1, sizeof(*o));
	struct stat st;

	s->own = o;
	o->sink = s;
	o->file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	atomic_store(&s->answered, true);
	return 0;
}

static void
stdout_close(struct sink *s)
{
	struct out *o = s->own;

	fifo_fini(&o->queue);
	free(o);
}

static void
stdout_give(struct sink *s, struct batch *b)
{
	struct out *o = s->own;

	fifo_put(&o->queue, b);
	o->waiting += b->nitems;
}

static bool
is_ready(const struct out *o)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return o->file || poll(&fd, 1, READY_MS) != 0;
}

/* Write the rest of the line; false: not all of it could be, for the reason in errno. */
static bool
line_write(struct out *o, struct slice line)
{
	while (o->done < line.len) {
		struct slice rest = slice_from(line, o->done);
		ssize_t n = -1;

		errno = EAGAIN;
		if (is_ready(o))
			n = write(
			    STDOUT_FILENO, rest.at, o->file ? rest.len : least(rest.len, PIECE));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		o->done += (size_t)n;
	}
	o->done = 0;
	return true;
}

/* Write the batch from its next item on; false: not all of it could be. */
static bool
batch_write(struct out *o, const struct batch *b)
{
	int64_t wall = clock_wall();

	for (; o->item < b->nitems; o->item++) {
		const struct item *item = &b->items[o->item];
		struct slice line = item_document(b, item);

		line.len++; /* its newline */
		if (!line_write(o, line))
			return false;
		metrics_delivered(o->sink->metrics, item->time, line.len - 1, wall);
		delivery_settle(o->sink->delivery, item);
		o->waiting--;
	}
	return true;
}

static void
written(struct out *o)
{
	o->item = 0;
	o->failures = 0;
	o->said.at = 0;
	atomic_store(&o->sink->waits, NULL);
	atomic_store(&o->sink->fails, FAILS_NOT);
	delivery_return(o->sink->delivery, fifo_take(&o->queue));
}

static void
failed(struct out *o, int error, int64_t now)
{
	int64_t wait = RETRY_FIRST << least(o->failures, RETRY_DOUBLED);

	o->failures++;
	o->not_before = now + wait;
	metrics_retry(o->sink->metrics, REASON_HOLD, fifo_items(&o->queue));
	atomic_store(&o->sink->waits, "standard output cannot be written");
	atomic_store(
	    &o->sink->fails, error == EPIPE || error == EBADF ? FAILS_FOR_GOOD : FAILS_FOR_NOW);
	if (!said_lately(&o->said))
		say_error("stdout", "standard output: %s; records wait in their files  output=%s",
		    strerror(error), o->sink->name);
}

static int64_t
stdout_turn(struct sink *s, int64_t now)
{
	struct out *o = s->own;

	if (o->queue.n == 0)
		return NEVER;
	if (now < o->not_before)
		return o->not_before;
	if (batch_write(o, o->queue.at[0]))
		written(o);
	else if (errno == EAGAIN)
		o->not_before = now + SLOW;
	else
		failed(o, errno, now);
	return o->queue.n > 0 ? now : NEVER;
}

static uint64_t
stdout_stuck(struct sink *s)
{
	const struct out *o = s->own;

	return o->failures > 0 ? o->waiting : 0;
}

const struct sink_type stdout_sink = {
	.plugin = &stdout_plugin,
	.durable = true,
	.open = stdout_open,
	.close = stdout_close,
	.give = stdout_give,
	.turn = stdout_turn,
	.stuck = stdout_stuck,
};
