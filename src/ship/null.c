/* The null output: it counts records and keeps none; for measurements. */
#include "sink.h"

static const struct option null_options[] = {
	OPTION_IDLE("Workers", "one thread ships to all outputs"),
	OPTION_IDLE("Format", "nothing is written"),
	OPTIONS_END,
};

const struct plugin null_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "null",
	.help = "nothing: records are counted and forgotten",
	.options = null_options,
	.common = output_options,
	.size = sizeof(struct output),
};

static int
null_open(struct sink *s)
{
	(void)s;
	return 0;
}

static void
null_close(struct sink *s)
{
	(void)s;
}

static void
null_give(struct sink *s, struct batch *b)
{
	metrics_add(&s->metrics->delivered, b->nitems);
	metrics_add(&s->metrics->bytes, b->body.len);
}

static int64_t
null_turn(struct sink *s, int64_t now)
{
	(void)s;
	(void)now;
	return NEVER;
}

const struct sink_type null_sink = {
	.plugin = &null_plugin,
	.open = null_open,
	.close = null_close,
	.give = null_give,
	.turn = null_turn,
};
