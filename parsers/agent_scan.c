/*
 * Finding events and keys in a message.  Sixteen bytes at a time are sorted
 * into two bit sets, words and points: bytes at which something may begin
 * (`=`, quotes, brackets, words with a capital).  Only points are looked at,
 * which are few in a plain line.
 */
#include "agent_measure.h"
#include "agent_reading.h"
#include "bytes.h"

#define SCAN_MAX (16 * 1024) /* bytes of a message that are searched */
#define KEY_MAX 128
#define SPAN_MAX 1024 /* of a bracketed value */

struct scan {
	struct reading *r;
	const char *at;
	size_t n;
	bool events;
	bool unclosed_bracket;   /* one was looked for and is not there: never look again */
	unsigned unclosed_quote; /* the same, a bit for each of the three */
	uint64_t word[SCAN_MAX / 64];
	uint64_t point[SCAN_MAX / 64];
};

/* ---- marks */

/* The classes of 16 bytes, a bit each. */
struct bits {
	uint64_t word, upper, point;
};

#ifdef __SSE2__
static inline __m128i
is(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

static inline __m128i
below(__m128i bytes, char limit)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(limit)), bytes);
}

static inline __m128i
either(__m128i a, __m128i b)
{
	return _mm_or_si128(a, b);
}

static inline void
classify(const char *at, struct bits *b)
{
	const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)at);
	const __m128i lower = either(c, _mm_set1_epi8(0x20)); /* [ and { are one */
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
		classify_64(s->at + i, s->n - i < 64 ? s->n - i : 64, &b);
		if (s->events) {
			uint64_t starts = b.word & ~(b.word << 1 | before);

			b.point |= any_case ? starts : starts & b.upper;
		}
		s->word[i / 64] = b.word;
		s->point[i / 64] = b.point;
		before = b.word >> 63;
	}
}

/* The first point at or behind ${i}, s->n when there is none. */
static inline size_t
next_point(const struct scan *s, size_t i)
{
	size_t k = i / 64;
	uint64_t bits;

	if (i >= s->n)
		return s->n;
	for (bits = s->point[k] & (~(uint64_t)0 << i % 64); bits == 0; bits = s->point[k])
		if (++k * 64 >= s->n)
			return s->n;
	return k * 64 + (size_t)__builtin_ctzll(bits);
}

static inline bool
is_word(const struct scan *s, size_t i)
{
	return s->word[i / 64] >> i % 64 & 1;
}

/* Where the word that ${i} stands in ends. */
static inline size_t
word_end(const struct scan *s, size_t i)
{
	size_t k = i / 64, end;
	uint64_t other;

	for (other = ~s->word[k] & (~(uint64_t)0 << i % 64); other == 0; other = ~s->word[k]) {
		if (++k * 64 >= s->n)
			return s->n;
	}
	end = k * 64 + (size_t)__builtin_ctzll(other);
	return end < s->n ? end : s->n;
}

/* Where the word begins whose last byte is at ${i}. */
static inline size_t
word_begin(const struct scan *s, size_t i)
{
	size_t k = i / 64;
	uint64_t other = ~s->word[k] << (63 - i % 64);

	if (other != 0)
		return i + 1 - (size_t)__builtin_clzll(other);
	for (;;) {
		if (k == 0)
			return 0;
		other = ~s->word[--k];
		if (other != 0)
			return k * 64 + 64 - (size_t)__builtin_clzll(other);
	}
}

/* ---- values */

static inline bool
is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* Bit of a kind of quote. */
static unsigned
quote_bit(char quote)
{
	return quote == '"' ? 1 : quote == '`' ? 2 : 4;
}

/*
 * The quote that closes the one at ${i}, 0 when there is none.  An apostrophe
 * closes only where no word goes on.
 */
static size_t
quote_close(struct scan *s, size_t i, bool *escaped)
{
	char quote = s->at[i];

	*escaped = false;
	if (s->unclosed_quote & quote_bit(quote))
		return 0;
	for (size_t j = i + 1; j < s->n; j++) {
		j += bytes_find(
		    (struct slice){ s->at + j, s->n - j }, quote, quote == '`' ? quote : '\\');
		if (j == s->n)
			break;
		if (s->at[j] != quote) {
			*escaped = true;
			j++;
		} else if (quote != '\'' || j + 1 == s->n || !is_word(s, j + 1)) {
			return j;
		}
	}
	s->unclosed_quote |= quote_bit(quote);
	return 0;
}

/* The text behind backslashes: \n \t \r are what they are in JSON, else the byte itself. */
static struct slice
unescaped(struct reading *r, struct slice raw)
{
	char *to = arena_take(r->arena, raw.len);
	size_t n = 0;

	if (to == NULL)
		return raw;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.at[i];

		if (c == '\\' && i + 1 < raw.len) {
			c = raw.at[++i];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		to[n++] = c;
	}
	return (struct slice){ to, n };
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that may end a value: blank, comma, bracket, bar. */
static inline unsigned
stops_16(const char *at)
{
	const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)at);
	const __m128i lower = either(c, _mm_set1_epi8(0x20)); /* [ { are one, ] } too */
	const __m128i odd = either(c, _mm_set1_epi8(1));      /* ( ) are one */
	const __m128i bracket = either(either(is(lower, '{'), is(lower, '}')), is(odd, ')'));
	const __m128i comma = either(either(is(c, ','), is(c, ';')), is(lower, '|'));

	return (unsigned)_mm_movemask_epi8(either(either(bracket, comma), below(c, ' ')));
}
#else
static unsigned
stops_16(const char *at)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 16; i++)
		bits |= (unsigned)(is_blank(at[i]) || strchr(",;()[]{}|\\", at[i]) != NULL) << i;
	return bits;
}
#endif

/* The first byte at or behind ${i} that may end a value. */
static inline size_t
value_stop(const struct scan *s, size_t i)
{
	char tail[16] = { 0 };
	unsigned bits;

	for (; s->n - i >= 16; i += 16) {
		bits = stops_16(s->at + i);
		if (bits != 0)
			return i + (size_t)__builtin_ctz(bits);
	}
	memcpy(tail, s->at + i, s->n - i);
	return i + (size_t)__builtin_ctz(stops_16(tail) | 1u << (s->n - i));
}

/* Behind the bracket that closes the one at ${i}, 0 when none does. */
static size_t
bracket_close(struct scan *s, size_t i)
{
	size_t end = s->n - i < SPAN_MAX ? s->n : i + SPAN_MAX;
	unsigned depth = 0;

	if (s->unclosed_bracket)
		return 0;
	for (; i < end; i++) {
		char c = s->at[i];

		if (c == '(' || c == '[' || c == '{')
			depth++;
		else if ((c == ')' || c == ']' || c == '}') && --depth == 0)
			return i + 1;
	}
	s->unclosed_bracket = true;
	return 0;
}

/* Does a comma at ${i} end a value?  Before a blank, the end, or the next key= alone. */
static bool
comma_ends(const struct scan *s, size_t i)
{
	size_t end;

	if (i + 1 == s->n || is_blank(s->at[i + 1]))
		return true;
	if (!is_word(s, i + 1) || (unsigned char)(s->at[i + 1] - '0') < 10)
		return false;
	end = word_end(s, i + 1);
	return end < s->n && s->at[end] == '=';
}

/* The end of the unquoted value that begins at ${i}. */
static size_t
value_end(struct scan *s, size_t i)
{
	for (i = value_stop(s, i); i < s->n; i = value_stop(s, i)) {
		size_t close;

		switch (s->at[i]) {
		case '(':
		case '[':
		case '{':
			close = bracket_close(s, i);
			if (close == 0)
				return value_stop(s, i + 1);
			i = close;
			break;
		case ',':
		case ';':
			if (comma_ends(s, i))
				return i;
			i++;
			break;
		default:
			return i;
		}
	}
	return i;
}

/* A JSON number that may stand as it is: 0, 42, 12.5; no more digits than a double tells apart. */
static bool
is_number(struct slice v)
{
	size_t i = 0, whole;

	if (v.len == 0 || v.len > 15)
		return false;
	if (v.at[0] == '-')
		i++;
	whole = i;
	while (i < v.len && (unsigned char)(v.at[i] - '0') < 10)
		i++;
	if (i == whole || (v.at[whole] == '0' && i > whole + 1))
		return false;
	if (i == v.len)
		return true;
	if (v.at[i++] != '.' || i == v.len)
		return false;
	while (i < v.len && (unsigned char)(v.at[i] - '0') < 10)
		i++;
	return i == v.len;
}

/* `12500 ms`: the value from ${v} to ${end} goes on with its unit. */
static size_t
with_unit(const struct scan *s, size_t v, size_t end)
{
	size_t unit_end;

	if (end == v || (unsigned char)(s->at[end - 1] - '0') >= 10 || s->n - end < 2 ||
	    s->at[end] != ' ' || !is_word(s, end + 1))
		return end;
	unit_end = word_end(s, end + 1);
	if (unit_end < s->n && s->at[unit_end] == '=')
		return end;
	if (s->at[unit_end - 1] == '.')
		unit_end--;
	if (!measure_is_unit((struct slice){ s->at + end + 1, unit_end - end - 1 }))
		return end;
	return unit_end;
}

/* ---- keys */

/* A key of two words that ends in ${name}: it reaches back before it. */
static const struct word *
key_phrase(const struct scan *s, struct slice *name)
{
	const struct word_table *t = &s->r->words->keys;

	for (unsigned i = 0; i < t->nphrases; i++) {
		const struct word *phrase = &t->at[t->phrases[i]];
		size_t before = (size_t)(name->at - s->at);
		struct slice both;

		if (phrase->len <= name->len || before < phrase->len - name->len)
			continue;
		both = (struct slice){ name->at - (phrase->len - name->len), phrase->len };
		if (memcmp(both.at, phrase->text, phrase->len) == 0 &&
		    (both.at == s->at || !is_word(s, (size_t)(both.at - s->at) - 1))) {
			*name = both;
			return phrase;
		}
	}
	return NULL;
}

static inline const struct word *
key_word(const struct scan *s, struct slice *name)
{
	const struct word_table *t = &s->r->words->keys;
	const struct word *w = word_find(t, *name);

	if (w == NULL && name->len <= WORD_MAX &&
	    (t->seconds[(unsigned char)name->at[0]] >> name->len & 1) != 0)
		w = key_phrase(s, name);
	return w;
}

/* Are level=, msg= and their like the line's own?  Only where it is made of key=value. */
static bool
own_key(const struct reading *r, const struct word *w)
{
	return w->means < AGENT_LEVEL || w->means == AGENT_ERROR_CLASS || r->begun;
}

static bool
is_duration(const struct word *w)
{
	return w != NULL && (w->means == AGENT_EXECUTION_TIME || w->means == AGENT_DURATION);
}

/* Without the blanks behind it, and without the full stop of a sentence that ends in a number. */
static struct slice
trimmed(struct slice v)
{
	while (v.len > 0 && is_blank(v.at[v.len - 1]))
		v.len--;
	if (v.len > 1 && v.at[v.len - 1] == '.' && (unsigned char)(v.at[v.len - 2] - '0') < 10)
		v.len--;
	return v;
}

/* Take the value at ${v}; ${end} of an unquoted one is told by the caller, 0: look for it. */
static inline __attribute__((always_inline)) size_t
take_value(struct scan *s, struct slice name, size_t v, size_t end)
{
	const struct word *w = key_word(s, &name);
	struct found found;
	struct slice value;
	bool escaped = false, number;

	if (w != NULL && !own_key(s->r, w))
		w = NULL;
	if (v < s->n && (s->at[v] == '"' || s->at[v] == '\'' || s->at[v] == '`')) {
		size_t close = quote_close(s, v, &escaped);

		if (close != 0) {
			value = (struct slice){ s->at + v + 1, close - v - 1 };
			if (escaped)
				value = unescaped(s->r, value);
			found = (struct found){ name, value, VALUE_TEXT, false, { 1, 0 } };
			reading_take(s->r, w, &found);
			return close + 1;
		}
	}
	if (end == 0) {
		end = value_end(s, v);
		if (is_duration(w))
			end = with_unit(s, v, end);
	}
	value = trimmed((struct slice){ s->at + v, end - v });
	number = (w == NULL || w->means >= AGENT_DURATION) && is_number(value);
	found = (struct found){ name, value, number ? VALUE_JSON : VALUE_TEXT, number, { 1, 0 } };
	reading_take(s->r, w, &found);
	return end;
}

/* Punctuation behind which a key may begin. */
static inline bool
may_precede(char c)
{
	switch (c) {
	case '[':
	case '(':
	case '{':
	case ',':
	case ';':
	case '|':
	case '<':
	case '>':
	case ':':
	case '*':
	case '-': /* --key=value */
		return true;
	default:
		return false;
	}
}

static bool
key_begins(const char *at, size_t i)
{
	unsigned char c = (unsigned char)at[i];

	if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && c < 0x80)
		return false;
	return i == 0 || is_blank(at[i - 1]) || may_precede(at[i - 1]);
}

/* key=value around the `=` at ${i}; returns where to go on. */
static inline size_t
key_equals(struct scan *s, size_t i)
{
	size_t begin, end = i, v = i + 1;

	if (v < s->n && (s->at[v] == '=' || s->at[v] == '>' || s->at[v] == '~'))
		return v + 1;
	if (end > 0 && s->at[end - 1] == ' ') {
		while (end > 0 && s->at[end - 1] == ' ')
			end--;
		while (v < s->n && s->at[v] == ' ')
			v++;
		if (v == i + 1)
			return v;
	}
	if (end == 0 || !is_word(s, end - 1))
		return v;
	begin = word_begin(s, end - 1);
	while (begin < end && (s->at[begin] == '-' || s->at[begin] == '.'))
		begin++;
	if (begin == end || end - begin > KEY_MAX || !key_begins(s->at, begin))
		return v;
	return take_value(s, (struct slice){ s->at + begin, end - begin }, v, 0);
}

/* The end of the value of `k: v` in brackets: the closing bracket, or a comma and a blank. */
static size_t
listed_end(const struct scan *s, size_t v, char close)
{
	unsigned depth = 0;

	size_t end = s->n - v < SPAN_MAX ? s->n : v + SPAN_MAX;

	for (; v < end; v++) {
		char c = s->at[v];

		if (c == close && depth == 0)
			return v;
		if ((c == ',' || c == ';') && depth == 0 && v + 1 < s->n && is_blank(s->at[v + 1]))
			return v;
		depth += c == '[' || c == '(' || c == '{';
		depth -= depth > 0 && (c == ']' || c == ')' || c == '}');
	}
	return 0;
}

/* `[k: v, k: v]` from the bracket at ${i}; returns where to go on. */
static __attribute__((noinline)) size_t
key_colon(struct scan *s, size_t i)
{
	char close = s->at[i] == '[' ? ']' : s->at[i] == '(' ? ')' : '}';
	size_t k = i + 1;

	while (k < s->n && s->at[k] == ' ')
		k++;
	while (!s->unclosed_bracket && k < s->n && is_word(s, k) && key_begins(s->at, k)) {
		size_t colon = word_end(s, k), v = colon + 1, end;
		struct slice name = { s->at + k, colon - k };

		if (colon == s->n || s->at[colon] != ':' || name.len > KEY_MAX ||
		    (v < s->n && s->at[v] != ' ' && key_word(s, &name) == NULL))
			return k;
		while (v < s->n && s->at[v] == ' ')
			v++;
		end = listed_end(s, v, close);
		if (end == 0) {
			s->unclosed_bracket = true;
			return k;
		}
		k = take_value(s, name, v, end);
		if (k >= s->n || (s->at[k] != ',' && s->at[k] != ';'))
			return k;
		for (k++; k < s->n && s->at[k] == ' ';)
			k++;
	}
	return k;
}

/* ---- events */

/* May ${c} stand beside an event?  Not what makes it a part of something longer. */
static bool
is_edge(char c)
{
	return is_blank(c) || strchr("[](){}<>,;|:!?*#", c) != NULL;
}

static size_t
event_at(struct scan *s, size_t i)
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

/* What a phrase is shown as. */
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

/* Past what is quoted, so that nothing in it counts. */
static size_t
skip_quoted(struct scan *s, size_t i)
{
	bool escaped;
	size_t close;

	if (s->at[i] == '\'' && i > 0 && is_word(s, i - 1))
		return i + 1; /* an apostrophe */
	close = quote_close(s, i, &escaped);
	return close == 0 ? i + 1 : close + 1;
}

static void
walk(struct scan *s)
{
	size_t i = next_point(s, 0);

	while (i < s->n) {
		switch (s->at[i]) {
		case '=':
			i = key_equals(s, i);
			break;
		case '"':
		case '\'':
		case '`':
			i = skip_quoted(s, i);
			break;
		case '[':
		case '(':
		case '{':
			i = key_colon(s, i);
			break;
		default:
			i = event_at(s, i);
		}
		i = next_point(s, i);
	}
}

/* Is the first word of the text a key? */
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
	s.n = text.len < SCAN_MAX ? text.len : SCAN_MAX;
	s.events = events;
	s.unclosed_bracket = false;
	s.unclosed_quote = 0;
	marks(&s);
	if (events)
		event_phrase(&s);
	if (events && r->layout_free)
		r->begun = begins_with_key(&s);
	walk(&s);
}

void
scan_message(struct reading *r, struct slice message)
{
	scan(r, message, true);
}

void
scan_keys(struct reading *r, struct slice text)
{
	scan(r, text, false);
}
