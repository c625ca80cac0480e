/*
 * The words of the agent's grammar, compiled: two hash tables, one of events,
 * one of keys.  Inside parsers/ alone; other folders include agent.h.
 */
#ifndef AGENT_WORDS_H
#define AGENT_WORDS_H

#include "agent.h"

#define WORD_MAX 63 /* bytes of a word */
#define WORDS_MAX 512
#define SLOTS 2048 /* a power of two, a few times WORDS_MAX */
#define PHRASES_MAX 32

/* A unit: mul / 10^scale seconds. */
struct unit {
	uint32_t mul;
	uint8_t scale;
};

struct word {
	char text[WORD_MAX + 1];
	uint8_t len;
	uint8_t means;       /* enum event, or enum agent_field */
	uint64_t head, tail; /* its first and last bytes, see word_ends() */
	struct unit unit;
};

struct word_table {
	struct word at[WORDS_MAX];
	unsigned n;
	uint16_t slots[SLOTS];         /* index + 1; 0: free */
	uint64_t lengths[256];         /* by first byte: a bit for each length of a word */
	uint64_t seconds[256];         /* the same of the second words of phrases */
	uint16_t phrases[PHRASES_MAX]; /* those of two words */
	unsigned nphrases;
};

struct agent_words {
	struct word_table events, keys;
	bool any_case; /* some event words do not begin with A to Z */
};

/* The built-in words, as conf/agent-events.conf has them. */
struct event_row {
	const char *word;
	enum event means;
};
struct key_row {
	const char *key;
	enum agent_field field;
	double unit; /* 0: 1 */
};
extern const struct event_row agent_builtin_events[]; /* ended by a NULL */
extern const struct key_row agent_builtin_keys[];

static inline uint64_t
load_up_to_8(const char *at, size_t n)
{
	uint32_t low, high;

	if (n >= 8) {
		uint64_t whole;

		memcpy(&whole, at, 8);
		return whole;
	}
	if (n >= 4) {
		memcpy(&low, at, 4);
		memcpy(&high, at + n - 4, 4);
		return (uint64_t)high << 32 | low;
	}
	if (n == 0)
		return 0;
	return (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[n / 2] << 8 |
	       (unsigned char)at[n - 1];
}

/* The first and the last eight bytes: all of a word of sixteen, enough to hash any. */
static inline void
word_ends(struct slice s, uint64_t *head, uint64_t *tail)
{
	*head = load_up_to_8(s.at, s.len);
	*tail = s.len > 8 ? load_up_to_8(s.at + s.len - 8, 8) : 0;
}

static inline uint32_t
word_hash(uint64_t head, uint64_t tail, size_t len)
{
	uint64_t h = head ^ tail * 0x9e3779b97f4a7c15;

	h = (h ^ len) * 0xd6e8feb86659fd93;
	return (uint32_t)(h >> 32);
}

/* The entry of ${s}, or NULL; two loads rule out most other words. */
static inline const struct word *
word_find(const struct word_table *t, struct slice s)
{
	uint64_t head, tail;

	if (s.len == 0 || s.len > WORD_MAX ||
	    (t->lengths[(unsigned char)s.at[0]] >> s.len & 1) == 0)
		return NULL;
	word_ends(s, &head, &tail);
	for (uint32_t i = word_hash(head, tail, s.len) % SLOTS; t->slots[i] != 0;
	     i = (i + 1) % SLOTS) {
		const struct word *w = &t->at[t->slots[i] - 1];

		if (w->head == head && w->tail == tail && w->len == s.len &&
		    (s.len <= 16 || memcmp(w->text, s.at, s.len) == 0))
			return w;
	}
	return NULL;
}

#endif
