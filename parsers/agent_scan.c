/*
 * Finding events and keys in a message.  Sixteen bytes at a time are sorted
 * into two bit sets, words and points: bytes at which a key, a quoted text, a
 * list or an event may begin (`=`, quotes, brackets, words with a capital).
 * Only points are looked at, which are few in a plain line.
 */
#include "agent_scan.h"

/* ---- marks */

/* The classes of 16 bytes, a bit each. */
struct bits {
	uint64_t word, upper, point;
};

#ifdef __SSE2__
static inline void
classify(const char *at, struct bits *b)
{
	const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)at);
	const __m128i lower = either(c, _mm_set1_epi8(0x20)); /* [ and { become one */
	const __m128i letter = below(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 25);
	const __m128i digit = below(_mm_sub_epi8(c, _mm_set1_epi8('0')), 9);
	const __m128i open = either(is(lower, '{'), is(c, '('));
	const __m128i quote = either(either(is(c, '"'), is(c, '\'')), is(c, '`'));
	const __m128i mark = either(either(is(c, '_'), is(c, '-')), is(c, '.'));

	b->word = (unsigned)(_mm_movemask_epi8(either(either(letter, digit), mark)) |
			     _mm_movemask_epi8(c));
	/* bit 5 of a letter is its case */
	b->upper = (unsigned)(_mm_movemask_epi8(letter) & ~_mm_movemask_epi8(_mm_slli_epi16(c, 2)));
	b->point = (unsigned)_mm_movemask_epi8(either(either(open, quote), is(c, '=')));
}
#else
static void
classify(const char *at, struct bits *b)
{
	*b = (struct bits){ 0, 0, 0 };
	for (unsigned i = 0; i < 16; i++) {
		unsigned char c = (unsigned char)at[i];
		bool upper = c >= 'A' && c <= 'Z';
		bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
			    c == '-' || c == '.' || c >= 0x80;
		bool point = c != '\0' && strchr("=\"'`[{(", c) != NULL;

		b->word |= (uint64_t)word << i;
		b->upper |= (uint64_t)upper << i;
		b->point |= (uint64_t)point << i;
	}
}
#endif

/* The classes of up to 64 bytes at ${at}. */
static inline void
classify_64(const char *at, size_t n, struct bits *all)
{
	char tail[16] = { 0 };
	struct bits b;

	*all = (struct bits){ 0, 0, 0 };
	for (size_t i = 0; i < n; i += 16) {
		const char *from = at + i;

		if (n - i < 16) {
			memcpy(tail, from, n - i);
			from = tail;
		}
		classify(from, &b);
		all->word |= b.word << i;
		all->upper |= b.upper << i;
		all->point |= b.point << i;
	}
}

static void
marks(struct scan *s)
{
	const bool any_case = s->r->words->any_case;
	uint64_t before = 0; /* 1: the last byte was of a word */
	struct bits b;

	for (size_t i = 0; i < s->n; i += 64) {
		classify_64(s->at + i, least(s->n - i, 64), &b);
		if (s->events) {
			uint64_t starts = b.word & ~(b.word << 1 | before);

			b.point |= any_case ? starts : starts & b.upper;
		}
		s->word[i / 64] = b.word;
		s->point[i / 64] = b.point;
		before = b.word >> 63;
	}
}

/* ---- events */

/* True when ${c} may stand beside an event: other characters make the word a part of a longer one. */
static bool
is_edge(char c)
{
	return is_blank(c) || strchr("[](){}<>,;|:!?*#", c) != NULL;
}

size_t
agent_scan_event(struct scan *s, size_t i)
{
	size_t end = word_end(s, i), n = end - i;
	const struct word *w;

	while (n > 0 && (s->at[i + n - 1] == '.' || s->at[i + n - 1] == '-'))
		n--;
	w = word_find(&s->r->words->events, (struct slice){ s->at + i, n });
	if (w == NULL || w->means == EVENT_NONE || s->r->token.len > 0)
		return end;
	if ((i > 0 && !is_edge(s->at[i - 1])) || (end < s->n && !is_edge(s->at[end])))
		return end;
	s->r->token = (struct slice){ s->at + i, n };
	s->r->token_is = (enum event)w->means;
	return end;
}

static inline char
folded(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* The event name that documents have for a phrase. */
static const char *const shown[EVENTS] = { [EVENT_TASK_STARTED] = "TASK_STARTED",
	[EVENT_TASK_COMPLETED] = "TASK_COMPLETED",
	[EVENT_TASK_FAILED] = "TASK_FAILED",
	[EVENT_REQUEST_COMPLETED] = "REQUEST_COMPLETED",
	[EVENT_HEARTBEAT] = "HEARTBEAT" };

/* `heartbeat sent`: events of two words, where a message begins with them. */
static void
event_phrase(struct scan *s)
{
	const struct word_table *t = &s->r->words->events;

	for (unsigned i = 0; i < t->nphrases; i++) {
		const struct word *w = &t->at[t->phrases[i]];
		size_t n = 0;

		if (w->len > s->n || ((w->text[0] ^ s->at[0]) & 0x5f) != 0 ||
		    w->means == EVENT_NONE)
			continue;
		while (n < w->len && folded(s->at[n]) == folded(w->text[n]))
			n++;
		if (n == w->len && (n == s->n || !is_word(s, n))) {
			s->r->token_is = (enum event)w->means;
			s->r->token = w->means == EVENT_OTHER ? (struct slice){ w->text, w->len }
							      : slice_of(shown[w->means]);
			return;
		}
	}
}

/* ---- the walk */

/* The place behind a quoted text, in which nothing counts. */
static size_t
skip_quoted(struct scan *s, size_t i)
{
	bool escaped;
	size_t close;

	if (s->at[i] == '\'' && i > 0 && is_word(s, i - 1))
		return i + 1; /* an apostrophe */
	close = agent_value_quote_close(s, i, &escaped);
	return close == 0 ? i + 1 : close + 1;
}

static void
walk(struct scan *s)
{
	size_t i = next_point(s, 0);

	while (i < s->n) {
		switch (s->at[i]) {
		case '=':
			i = agent_keys_equals(s, i);
			break;
		case '"':
		case '\'':
		case '`':
			i = skip_quoted(s, i);
			break;
		case '[':
		case '(':
		case '{':
			i = agent_keys_colon(s, i);
			break;
		default:
			i = agent_scan_event(s, i);
		}
		i = next_point(s, i);
	}
}

/* True when the first word of the text is a key. */
static bool
begins_with_key(const struct scan *s)
{
	size_t end;

	if (s->n == 0 || !is_word(s, 0))
		return false;
	end = word_end(s, 0);
	return end < s->n && s->at[end] == '=';
}

static void
scan(struct reading *r, struct slice text, bool events)
{
	struct scan s;

	s.r = r;
	s.at = text.at;
	s.n = least(text.len, SCAN_MAX);
	s.events = events;
	s.unclosed_bracket = false;
	s.unclosed_quote = 0;
	marks(&s);
	if (events)
		event_phrase(&s);
	if (events && r->layout == LAYOUT_NONE && begins_with_key(&s))
		r->layout = LAYOUT_KEYS;
	walk(&s);
}

void
agent_scan_message(struct reading *r, struct slice message)
{
	scan(r, message, true);
}

void
agent_scan_keys(struct reading *r, struct slice text)
{
	scan(r, text, false);
}
