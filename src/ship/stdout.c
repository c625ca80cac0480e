/*
 * Documents on standard output, one JSON line each: to look at, or for a pipe.
 * The cursors do not wait for it: documents that a closed pipe does not take are
 * lost, which is said.
 */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "clock.h"
#include "sink.h"

struct stdout_conf {
	struct output output;
	int format;
};

static const char *const formats[] = { "json_lines", "ndjson", NULL };

static const struct option stdout_options[] = {
	OPTION("Format", OPT_ENUM, "json_lines", offsetof(struct stdout_conf, format),
	    "a JSON document a line; ndjson is the same", .choices = formats),
	OPTION_IDLE("json_date_key", "the time is the document's @timestamp"),
	OPTION_IDLE("json_date_format", "the time is the document's @timestamp"),
	OPTIONS_END,
};

const struct plugin stdout_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "stdout",
	.help = "standard output, a JSON document a line",
	.options = stdout_options,
	.common = output_options,
	.size = sizeof(struct stdout_conf),
};

static int
stdout_open(struct sink *s)
{
	(void)s;
	return 0;
}

static void
stdout_close(struct sink *s)
{
	(void)s;
}

static int
write_all(struct slice text)
{
	while (text.len > 0) {
		ssize_t n = write(STDOUT_FILENO, text.at, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text = slice_from(text, (size_t)n);
	}
	return 0;
}

static void
stdout_give(struct sink *s, struct batch *b)
{
	static struct said said;

	for (uint32_t i = 0; i < b->nitems; i++) {
		struct slice line = item_document(b, &b->items[i]);

		line.len++; /* its newline */
		if (write_all(line) == 0) {
			metrics_delivered(s->metrics, b->items[i].time, clock_wall());
		} else {
			if (!said_lately(&said))
				say_error("stdout", "cannot write: %m");
			return;
		}
	}
}

static int64_t
stdout_turn(struct sink *s, int64_t now)
{
	(void)s;
	(void)now;
	return NEVER;
}

const struct sink_type stdout_sink = {
	.plugin = &stdout_plugin,
	.open = stdout_open,
	.close = stdout_close,
	.give = stdout_give,
	.turn = stdout_turn,
};
