/* Compiling the words: checks, hashes, and the tables of lengths by which most words of a line are passed over. */
#include "agent_words.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

static bool
is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '@';
}

/* 1: a word, 2: two words with a space between, 0: neither. */
static int
words_in(struct slice s)
{
	int n = 1;

	if (s.len == 0 || s.len > WORD_MAX || s.at[0] == ' ' || s.at[s.len - 1] == ' ')
		return 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == ' ' && n == 1)
			n = 2;
		else if (!is_word_byte(s.at[i]))
			return 0;
	}
	return n;
}

/* The same phrase in any case, as a message may have it: the last meaning counts.  NULL: there is none. */
static struct word *
phrase_same(struct word_table *t, struct slice s)
{
	for (unsigned i = 0; i < t->nphrases; i++) {
		struct word *w = &t->at[t->phrases[i]];

		if (w->len == s.len && strncasecmp(w->text, s.at, s.len) == 0)
			return w;
	}
	return NULL;
}

/* The place of ${s}: its own, else a free one; NULL when the table is full. */
static struct word *
word_place(struct word_table *t, struct slice s, int words)
{
	uint64_t head, tail;
	struct word *w;
	uint32_t i;

	word_ends(s, &head, &tail);
	i = word_hash(head, tail, s.len) % SLOTS;
	for (; t->slots[i] != 0; i = (i + 1) % SLOTS) {
		w = &t->at[t->slots[i] - 1];
		if (slice_eq((struct slice){ w->text, w->len }, s))
			return w;
	}
	if (t->n == WORDS_MAX || (words == 2 && t->nphrases == PHRASES_MAX))
		return NULL;
	w = &t->at[t->n++];
	memcpy(w->text, s.at, s.len);
	w->len = (uint8_t)s.len;
	w->head = head;
	w->tail = tail;
	t->slots[i] = (uint16_t)t->n;
	t->lengths[(unsigned char)s.at[0]] |= (uint64_t)1 << s.len;
	if (words == 2) {
		const char *second = (const char *)memchr(w->text, ' ', s.len) + 1;

		t->phrases[t->nphrases++] = (uint16_t)(t->n - 1);
		t->seconds[(unsigned char)*second] |= (uint64_t)1 << (w->text + s.len - second);
	}
	return w;
}

/* ${seconds} as a whole number of 10^-scale seconds. */
static bool
unit_of(double seconds, struct unit *unit)
{
	double power = 1;

	if (!(seconds > 0) || seconds > 1e9)
		return false;
	for (unsigned scale = 0; scale <= 9; scale++, power *= 10) {
		double whole = round(seconds * power);

		if (whole >= 1 && whole <= 1e9 && fabs(seconds * power - whole) < 1e-9 * whole) {
			*unit = (struct unit){ (uint32_t)whole, (uint8_t)scale };
			return true;
		}
	}
	return false;
}

int
agent_words_event(struct agent_words *w, struct slice word, enum event event)
{
	int words = words_in(word);
	struct word *place = words == 2 ? phrase_same(&w->events, word) : NULL;

	if (place == NULL && words != 0)
		place = word_place(&w->events, word, words);
	if (place == NULL)
		return -1;
	place->means = (uint8_t)event;
	if (words == 1 && (word.at[0] < 'A' || word.at[0] > 'Z'))
		w->any_case = true;
	return 0;
}

int
agent_words_key(struct agent_words *w, struct slice key, enum agent_field field, double unit)
{
	int words = words_in(key);
	struct word *place;
	struct unit exact;

	if (words == 0 || !unit_of(unit, &exact))
		return -1;
	place = word_place(&w->keys, key, words);
	if (place == NULL)
		return -1;
	place->means = (uint8_t)field;
	place->unit = exact;
	return 0;
}

struct agent_words *
agent_words_new(void)
{
	struct agent_words *w = xcalloc(1, sizeof(*w));

	for (const struct event_row *r = agent_builtin_events; r->word != NULL; r++)
		agent_words_event(w, slice_of(r->word), r->means);
	for (const struct key_row *r = agent_builtin_keys; r->key != NULL; r++)
		agent_words_key(w, slice_of(r->key), r->field, r->unit > 0 ? r->unit : 1);
	return w;
}

struct slice
agent_words_next(const struct agent_words *w, enum event event, size_t *at)
{
	while (*at < w->events.n) {
		const struct word *word = &w->events.at[(*at)++];

		if (word->means == event)
			return (struct slice){ word->text, word->len };
	}
	return (struct slice){ NULL, 0 };
}

void
agent_words_free(struct agent_words *w)
{
	free(w);
}
