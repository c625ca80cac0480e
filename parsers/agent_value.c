/* The ends of values: quotes, brackets, commas, units. */
#include "agent_measure.h"
#include "agent_scan.h"
#include "bytes.h"

#define SPAN_MAX 1024 /* of a bracketed value */
#define MARKS_MAX 16  /* at a value's end that are no part of it */

static inline bool
is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline bool
is_letter_or_digit(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Bit of a kind of quote. */
static unsigned
quote_bit(char quote)
{
	return quote == '"' ? 1 : quote == '`' ? 2 : 4;
}

/*
 * An apostrophe closes a quoted text only where no word goes on.
 */
size_t
agent_value_quote_close(struct scan *s, size_t i, bool *escaped)
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

/* Backslashes are those of a log line, not of JSON: an unknown escape is its second byte. */
struct slice
agent_value_unescaped(struct reading *r, struct slice raw)
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

/* The place behind the bracket that closes the one at ${i}; 0: none does. */
static size_t
bracket_close(struct scan *s, size_t i)
{
	size_t end = least(s->n, i + SPAN_MAX);
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

/* True when a comma at ${i} ends a value: before a blank, the end, or the next key=. */
static bool
comma_ends(const struct scan *s, size_t i)
{
	size_t end;

	if (i + 1 == s->n || is_blank(s->at[i + 1]))
		return true;
	if (!is_word(s, i + 1) || is_digit(s->at[i + 1]))
		return false;
	end = word_end(s, i + 1);
	return end < s->n && s->at[end] == '=';
}

/* The end of the unquoted value that begins at ${i}. */
size_t
agent_value_end(struct scan *s, size_t i)
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

/* JSON numbers: 0, 42, -12.5. */
bool
agent_value_is_number(struct slice v)
{
	size_t i = 0, whole;

	if (v.len == 0 || v.len > 15)
		return false;
	if (v.at[0] == '-')
		i++;
	whole = i;
	while (i < v.len && is_digit(v.at[i]))
		i++;
	if (i == whole || (v.at[whole] == '0' && i > whole + 1))
		return false;
	if (i == v.len)
		return true;
	if (v.at[i++] != '.' || i == v.len)
		return false;
	while (i < v.len && is_digit(v.at[i]))
		i++;
	return i == v.len;
}

/* The end of the word behind the blank at ${i}, without a full stop; 0: no word follows, or a key does. */
static size_t
next_word_end(const struct scan *s, size_t i)
{
	size_t end;

	if (s->n - i < 2 || s->at[i] != ' ' || !is_word(s, i + 1))
		return 0;
	end = word_end(s, i + 1);
	if (end < s->n && s->at[end] == '=')
		return 0;
	return s->at[end - 1] == '.' ? end - 1 : end;
}

static bool
is_unit(const struct scan *s, size_t begin, size_t end)
{
	return end > begin && agent_measure_is_unit((struct slice){ s->at + begin, end - begin });
}

/* The end of `30s` or `30 s` behind `1m`, which stands from ${v} to ${end}; 0: there is no such part. */
static size_t
smaller_part_end(const struct scan *s, size_t v, size_t end)
{
	size_t part = next_word_end(s, end), unit;

	if (part <= end + 1 || !is_digit(s->at[end + 1]))
		return 0;
	if (is_digit(s->at[part - 1])) {
		unit = next_word_end(s, part);
		if (unit == 0 || !is_unit(s, part + 1, unit))
			return 0;
		part = unit;
	}
	return agent_measure_goes_on((struct slice){ s->at + v, end - v },
		   (struct slice){ s->at + end + 1, part - end - 1 })
		   ? part
		   : 0;
}

/* `12500 ms`, `1m 30s`: the unit first, then parts of smaller units. */
size_t
agent_value_with_unit(const struct scan *s, size_t v, size_t end)
{
	size_t next;

	if (end == v || !is_digit(s->at[v]))
		return end;
	if (is_digit(s->at[end - 1])) {
		next = next_word_end(s, end);
		if (next == 0 || !is_unit(s, end + 1, next))
			return end;
		end = next;
	}
	while ((next = smaller_part_end(s, v, end)) != 0)
		end = next;
	return end;
}

/* Brackets within the value are passed over. */
size_t
agent_value_listed_end(const struct scan *s, size_t v, char close)
{
	unsigned depth = 0;

	size_t end = least(s->n, v + SPAN_MAX);

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

/* True when the last byte of ${v} is a mark of the sentence or the quotation around the value. */
static bool
ends_outside(struct slice v)
{
	char c = v.at[v.len - 1];

	switch (c) {
	case '.':
	case '!':
	case '?':
	case ',':
	case ';':
	case ':':
		return true;
	case '>':
		return memchr(v.at, '<', v.len) == NULL;
	case '"':
	case '\'':
	case '`':
		return memchr(v.at, c, v.len - 1) == NULL;
	default:
		return is_blank(c);
	}
}

/* A value of marks alone, and the dots of a path, stay whole. */
struct slice
agent_value_trimmed(struct slice v)
{
	struct slice s = v;

	if (v.len > 0 && is_letter_or_digit(v.at[v.len - 1])) /* nearly every value */
		return v;
	while (s.len > 0 && v.len - s.len < MARKS_MAX && ends_outside(s))
		s.len--;
	while (v.len > 0 && is_blank(v.at[v.len - 1]))
		v.len--;
	return s.len == 0 || s.at[s.len - 1] == '/' ? v : s;
}
