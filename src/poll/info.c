/* A walk over the members; those of another type than expected count as absent. */
#include "info.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "json.h"
#include "memory.h"
#include "samples.h"

static const struct {
	const char *name;
	enum agent_number number;
} numbers[] = {
	{ "activeTaskCount", AGENT_SAID_TASKS },
	{ "activeRequestCount", AGENT_SAID_REQUESTS },
	{ "openSessionsCount", AGENT_SAID_SESSIONS },
};

static const char *const texts[AGENT_TEXTS] = { "version", "commitHash", "buildTimestamp" };

/* A string without its escapes, cut. */
static void
text_take(const struct json_value *value, char to[AGENT_SAID_TEXT])
{
	struct slice raw = value->text;
	size_t n = 0;
	char *plain;

	if (value->kind != JSON_STRING || raw.len > SAMPLES_LINE)
		return;
	plain = xmalloc(raw.len + 1);
	raw.len = json_unescape(raw, plain);
	for (size_t i = 0; i < raw.len && n < AGENT_SAID_TEXT - 1; i++) {
		if (plain[i] != '\0')
			to[n++] = plain[i];
	}
	to[n] = '\0';
	free(plain);
}

static double
number_of(const struct json_value *value)
{
	char text[40];

	if (value->kind != JSON_NUMBER || value->text.len >= sizeof(text))
		return NAN;
	memcpy(text, value->text.at, value->text.len);
	text[value->text.len] = '\0';
	return samples_number(strtod(text, NULL));
}

/* A word, or its number. */
static enum agent_state
state_of(const struct json_value *value)
{
	char word[AGENT_SAID_TEXT] = "";

	if (value->kind == JSON_NUMBER)
		return samples_state(number_of(value));
	text_take(value, word);
	for (unsigned i = 0; i < AGENT_UNKNOWN; i++) {
		if (strcasecmp(word, agent_polled_states[i]) == 0)
			return (enum agent_state)i;
	}
	return word[0] == '\0' ? AGENT_STATES : AGENT_UNKNOWN;
}

static void
build_read(struct slice text, struct agent_said *said)
{
	struct json_walk walk;
	struct json_value value;
	struct slice key;

	json_enter(&walk, text);
	while (json_next(&walk, &key, &value) == PARSE_OK) {
		for (int i = 0; i < AGENT_TEXTS; i++) {
			if (slice_eq(key, slice_of(texts[i])))
				text_take(&value, said->text[i]);
		}
	}
}

/* One member of the object; returns 1 when it is a number or state of the agent's. */
static unsigned
member_read(struct slice key, const struct json_value *value, struct agent_said *said)
{
	if (slice_eq(key, SLICE("agentStatus"))) {
		said->state = state_of(value);
		return said->state != AGENT_STATES ? 1u : 0u;
	}
	if (slice_eq(key, SLICE("buildInfo")) && value->kind == JSON_OBJECT)
		build_read(value->text, said);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!slice_eq(key, slice_of(numbers[i].name)))
			continue;
		said->number[numbers[i].number] = number_of(value);
		return isnan(said->number[numbers[i].number]) ? 0u : 1u;
	}
	return 0;
}

unsigned
info_read(struct slice text, struct agent_said *said)
{
	struct json_walk walk;
	struct json_value value;
	enum json_kind kind;
	struct slice key;
	unsigned known = 0;

	agent_polled_clear(said);
	if (json_check(text, &kind) != PARSE_OK || kind != JSON_OBJECT)
		return 0;
	json_enter(&walk, slice_trim(text));
	while (json_next(&walk, &key, &value) == PARSE_OK)
		known += member_read(key, &value, said);
	return known;
}
