/* Keys of a message and their values: `k=v`, and `k: v` in brackets. */
#include "agent_scan.h"

#define KEY_MAX 128

/* A key of two words whose second is ${name}: the first stands before ${name}. */
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

/* True when a key may be the line's own: level=, msg= and their like are only in a line made of key=value. */
static bool
own_key(const struct reading *r, const struct word *w)
{
	return w->means < AGENT_LEVEL || w->means == AGENT_ERROR_CLASS || r->layout == LAYOUT_KEYS;
}

static bool
is_duration(const struct word *w)
{
	return w != NULL && (w->means == AGENT_EXECUTION_TIME || w->means == AGENT_DURATION);
}

/* Take the value at ${v}; ${end} is the end of an unquoted value, 0: not known yet. */
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
		size_t close = agent_value_quote_close(s, v, &escaped);

		if (close != 0) {
			value = (struct slice){ s->at + v + 1, close - v - 1 };
			if (escaped)
				value = agent_value_unescaped(s->r, value);
			found = (struct found){ name, value, VALUE_TEXT, false, { 1, 0 } };
			agent_reading_take(s->r, w, &found);
			return close + 1;
		}
	}
	if (end == 0) {
		end = value_stop(s, v);
		if (end < s->n && !is_blank(s->at[end]))
			end = agent_value_end(s, end);
		if (is_duration(w))
			end = agent_value_with_unit(s, v, end);
	}
	value = agent_value_trimmed((struct slice){ s->at + v, end - v });
	number = (w == NULL || w->means >= AGENT_DURATION) && agent_value_is_number(value);
	found = (struct found){ name, value, number ? VALUE_JSON : VALUE_TEXT, number, { 1, 0 } };
	agent_reading_take(s->r, w, &found);
	return end;
}

/* Punctuation that a key may follow. */
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
size_t
agent_keys_equals(struct scan *s, size_t i)
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

/* `[TASK_COMPLETED: k: v]`: an event before its keys. */
static bool
is_event(const struct scan *s, struct slice name)
{
	const struct word *w = s->events ? word_find(&s->r->words->events, name) : NULL;

	return w != NULL && w->means != EVENT_NONE;
}

/* `[k: v, k: v]` from the bracket at ${i}; returns where to go on. */
size_t
agent_keys_colon(struct scan *s, size_t i)
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
		if (is_event(s, name)) {
			agent_scan_event(s, k);
			k = v;
			continue;
		}
		end = agent_value_listed_end(s, v, close);
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
