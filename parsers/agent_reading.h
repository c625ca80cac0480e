/*
 * One record being read: the fields found so far, before agent.c decides on
 * their meaning.  The layouts (agent_text.c, agent_json.c) and the search for
 * keys (agent_scan.c) put into it.
 *
 *	text ─► agent_text.c ─► agent_scan.c ──┐
 *	JSON ─► agent_json.c ─► agent_scan.c ──┴─► struct reading ─► agent.c ─► struct agent_line
 *	                                                             └ agent_trace.c, agent_mask.c
 */
#ifndef AGENT_READING_H
#define AGENT_READING_H

#include "agent_words.h"

/* The value of a key with a meaning. */
struct found {
	struct slice name;
	struct slice value;
	enum value_kind kind;
	bool number; /* kind VALUE_JSON: a number; a container otherwise */
	struct unit unit;
};

/* The head of a line of text. */
enum layout {
	LAYOUT_LEVEL, /* a level before the message; JSON, too */
	LAYOUT_NONE,
	LAYOUT_KEYS /* key=value from the first word on: level= is the line's level */
};

struct reading {
	const struct agent_words *words;
	struct arena *arena;
	struct agent_line *out;
	uint64_t names; /* a bit for a hash of each extra's name: spares most searches */
	uint32_t has;   /* a bit for each field in ${found} that is set */
	/* The members of JSON are being read: names are escaped, the last of one name
	 * counts; in text the first counts. */
	bool members;
	bool one_line; /* no newline in the text, no colours */
	enum layout layout;
	struct slice token; /* an event word in the message; empty: none */
	enum event token_is;
	struct slice message;
	struct slice trace; /* lines behind the message; empty: none */
	struct found found[AGENT_FIELDS];
};

static inline bool
agent_reading_has(const struct reading *r, enum agent_field field)
{
	return r->has >> field & 1;
}

/**
 * agent_reading_extra(r, found):
 * Put a key under extra, whatever its meaning.  Its name may have any bytes.
 */
void agent_reading_extra(struct reading *r, const struct found *found);

/**
 * agent_reading_again(r, field, found):
 * A field was found a second time.  Return true when the new value counts.
 * The value that does not count goes under extra if its key has another name,
 * so that nothing is lost.
 */
bool agent_reading_again(struct reading *r, unsigned field, const struct found *found);

/**
 * agent_reading_take(r, word, found):
 * Take note of a key: as the field of ${word}, or as an extra when that is
 * NULL.
 */
static inline void
agent_reading_take(struct reading *r, const struct word *word, const struct found *found)
{
	unsigned field = word == NULL ? AGENT_FIELDS : word->means;

	/* a container, true or null cannot be the value of a field of text or numbers */
	if (field == AGENT_FIELDS || (found->kind == VALUE_JSON && !found->number)) {
		agent_reading_extra(r, found);
		return;
	}
	if (field >= AGENT_DURATION && field <= AGENT_BUILD_TIMESTAMP)
		agent_reading_extra(r, found);
	if (agent_reading_has(r, (enum agent_field)field) && !agent_reading_again(r, field, found))
		return;
	r->has |= (uint32_t)1 << field;
	r->found[field] = *found;
	r->found[field].unit = word->unit;
}

/**
 * agent_scan_message(r, message), agent_scan_keys(r, text):
 * Look for events and keys in the message; for keys alone in the text before
 * it.
 */
void agent_scan_message(struct reading *r, struct slice message);
void agent_scan_keys(struct reading *r, struct slice text);

/*
 * Fill ${r} from a text record; from a JSON record, false: the text is no JSON, or
 * more than is read of it; from such a text, false: no member of it says an event,
 * a level or any other field of the line itself.
 */
void agent_text_read(struct reading *r, struct slice text);
bool agent_json_read(struct reading *r, struct slice text);
bool agent_json_torn(struct reading *r, struct slice text);

/**
 * agent_json_trace(r, name, v, known):
 * Take the stack trace that the member is or has (${known}: its name is a field's).
 * Return true when it is nothing else.
 */
struct json_value;
bool agent_json_trace(struct reading *r, struct slice name, const struct json_value *v, bool known);

/* The level that a word names, whatever its case; LEVEL_NONE: none. */
enum level agent_head_level(struct slice word);

#endif
