/*
 * The framing rules: the options that decide which bytes are one record.  They
 * are stored with each span, so that records that were sent or counted under
 * other options are cut again as they were.
 */
#include "framing_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT "framing=%d runtime=%d flush=%" PRId64 " cap=%" PRIu64
#define CAP_MOST (64u << 20) /* more than the option allows: not a text of ours */

static struct slice
key_of(const uint64_t *name)
{
	return (struct slice){ (const char *)name, sizeof(*name) };
}

static bool
text_read(const char *text, struct rules *out)
{
	int version = 0, runtime = 0, end = 0;
	int64_t ms = 0;

	if (text == NULL ||
	    sscanf(text, "framing=%d runtime=%d flush=%" SCNd64 " cap=%" SCNu64 "%n", &version,
		&runtime, &ms, &out->cap, &end) != 4 ||
	    text[end] != '\0' || version != FRAMING || (runtime & ~1) != 0 || ms < 0 ||
	    ms > INT32_MAX || out->cap > CAP_MOST)
		return false;
	out->flush = ms * NS_PER_MS;
	out->runtime = runtime != 0;
	return true;
}

const struct rules *
framing_rules_named(struct tail *t, uint64_t name)
{
	struct rules *rules = map_get(t->frame.rules, key_of(&name));
	const char *text;

	if (rules == NULL) {
		text = state_rules_text(t->state, name);
		rules = xcalloc(1, sizeof(*rules));
		rules->name = name;
		rules->understood = text_read(text, rules);
		map_put(t->frame.rules, key_of(&name), rules);
		if (!rules->understood)
			say_warn("tail",
			    "records were cut by rules that this towline does not know (%s): what "
			    "was not delivered of them is cut by the present ones, and some of it "
			    "may come twice",
			    text != NULL ? text : "their text is lost");
	}
	return rules->understood ? rules : NULL;
}

const struct rules *
framing_rules_of(struct tail *t, const struct tail_conf *conf)
{
	char *text =
	    xprintf(TEXT, FRAMING, tail_reads_runtime(conf), conf->flush, conf->buffer_max_size);
	uint64_t name = state_rules(t->state, slice_of(text));

	free(text);
	return framing_rules_named(t, name);
}

void
framing_rules_free(struct tail *t)
{
	struct rules *rules;
	size_t at = 0;

	while ((rules = map_next(t->frame.rules, &at, NULL)) != NULL)
		free(rules);
	map_free(t->frame.rules);
}
