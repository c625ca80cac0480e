/*
 * The framing rules: the options that decide which bytes are one record.  They
 * are stored with each span, so that records that were sent or counted under
 * other options are cut again as they were.
 */
#include "framing_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"

#define TEXT "framing=%d runtime=%d flush=%" PRId64 " cap=%" PRIu64
#define UTF16 " utf16="      /* a text of rules for UTF-8 has it not */
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
	char why[256];

	if (text == NULL ||
	    sscanf(text, "framing=%d runtime=%d flush=%" SCNd64 " cap=%" SCNu64 "%n", &version,
		&runtime, &ms, &out->cap, &end) != 4 ||
	    (text[end] != '\0' && text[end] != ' ') || version != FRAMING || (runtime & ~1) != 0 ||
	    ms < 0 || ms > INT32_MAX || out->cap > CAP_MOST)
		return false;
	out->flush = ms * NS_PER_MS;
	out->runtime = runtime != 0;
	if (strncmp(text + end, UTF16, strlen(UTF16)) == 0) {
		char number = text[end + (int)strlen(UTF16)];

		if (number < '1' || number > '3')
			return false;
		out->utf16 = (enum utf16)(number - '0');
		end += (int)strlen(UTF16) + 1;
	}
	if (text[end] == '\0')
		return true;
	out->own = multiline_new(slice_of(text + end + 1), why, sizeof(why));
	return out->own != NULL;
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

static bool
takes(const struct tail_join *join, struct slice tag)
{
	if (join->match_regex != NULL)
		return pattern_match(join->match_regex, tag);
	return join->match == NULL || conf_match(join->match, tag);
}

const struct rules *
framing_rules_of(struct tail *t, const struct stream *stream)
{
	const struct tail_conf *conf = stream->conf;
	int64_t flush = conf->flush;
	struct buffer own, text;
	uint64_t name;

	buffer_init(&own, 0);
	buffer_init(&text, 0);
	for (size_t i = 0; i < conf->njoins; i++) {
		const struct tail_join *join = &conf->joins[i];

		if (!takes(join, slice_of(stream->tag)))
			continue;
		flush = join->flush > flush ? join->flush : flush;
		buffer_put(&own, slice_of(join->text));
	}
	buffer_printf(&text, TEXT, FRAMING, tail_reads_runtime(conf), flush, conf->buffer_max_size);
	if (conf->utf16 != (int)UTF16_NONE)
		buffer_printf(&text, UTF16 "%d", conf->utf16);
	if (own.len > 0) {
		buffer_put(&text, SLICE(" "));
		buffer_put(&text, buffer_slice(&own));
	}
	name = state_rules(t->state, buffer_slice(&text));
	buffer_fini(&own);
	buffer_fini(&text);
	return framing_rules_named(t, name);
}

void
framing_rules_free(struct tail *t)
{
	struct rules *rules;
	size_t at = 0;

	while ((rules = map_next(t->frame.rules, &at, NULL)) != NULL) {
		multiline_free(rules->own);
		free(rules);
	}
	map_free(t->frame.rules);
}
