/*
 * A text as a scalar of YAML: bare where every reader takes it for the same text, or for
 * what it is meant to be (a number, on or off); else in quotes; behind | when it has lines.
 */
#include "form_text.h"

#include <strings.h>

/* How a text may be written, from the plainest on. */
enum style { BARE, SINGLE, DOUBLE, LINES, NONE };

/* The character at ${at}, and its length; 0: no UTF-8. */
static size_t
letter_read(struct slice text, size_t at, unsigned *code)
{
	static const unsigned least_code[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)text.at[at];
	size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;

	if (n == 0 || n > text.len - at)
		return 0;
	*code = n == 1 ? c : c & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)text.at[at + i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | ((unsigned char)text.at[at + i] & 0x3f);
	}
	return *code < least_code[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0
												: n;
}

/* Letters that break a line, or that YAML does not take as they are. */
static bool
is_odd(unsigned code)
{
	return code == '\t' || (code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
	       code == 0xfeff || code == 0xfffe || code == 0xffff;
}

/* True for 12, 0.5, 5M, 10s; others that begin with a digit may be numbers or times to other readers. */
static bool
is_number(struct slice s)
{
	size_t digits = 0, dots = 0, n = 0;

	while (n < s.len && ((s.at[n] >= '0' && s.at[n] <= '9') || s.at[n] == '.')) {
		digits += s.at[n] != '.';
		dots += s.at[n++] == '.';
	}
	if (digits == 0 || dots > 1 || s.at[n - 1] == '.' || s.at[0] == '.' ||
	    (s.at[0] == '0' && digits > 1 && dots == 0) || s.len - n > 2)
		return false;
	for (; n < s.len; n++)
		if (strchr("KMGBkmgbsdh", s.at[n]) == NULL)
			return false;
	return true;
}

static bool
is_null(struct slice s)
{
	return (s.len == 1 && s.at[0] == '~') || (s.len == 4 && strncasecmp(s.at, "null", 4) == 0);
}

static bool
is_bare(struct slice s)
{
	char first = s.len > 0 ? s.at[0] : '\0', last = s.len > 0 ? s.at[s.len - 1] : '\0';

	if (first >= '0' && first <= '9')
		return is_number(s);
	if (first == '\0' || is_null(s) || slice_is_blank(last) || last == ':' ||
	    !((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
		strchr("/_$^(", first) != NULL))
		return false;
	for (size_t i = 0; i + 1 < s.len; i++)
		if ((s.at[i] == ':' && s.at[i + 1] == ' ') ||
		    (s.at[i] == ' ' && s.at[i + 1] == '#'))
			return false;
	return true;
}

static enum style
style_of(struct slice text)
{
	enum style style = is_bare(text) ? BARE : SINGLE;
	bool lines = false;

	for (size_t i = 0; i < text.len;) {
		unsigned code;
		size_t n = letter_read(text, i, &code);

		if (n == 0 || code == 0x7f || (code < 0x20 && code != '\t' && code != '\n'))
			return NONE;
		lines |= code == '\n';
		if (is_odd(code))
			style = DOUBLE;
		else if (code >= 0x80 && style == BARE)
			style = SINGLE;
		i += n;
	}
	if (!lines)
		return style;
	/* A block has no escapes; the reader trims the text, so that it neither begins nor ends so. */
	for (size_t i = 0; i < text.len; i++) {
		unsigned code;
		size_t n = letter_read(text, i, &code);

		if (code != '\t' && is_odd(code))
			return NONE;
		i += n - 1;
	}
	return LINES;
}

static void
quoted_print(struct slice text, enum style style, FILE *to)
{
	fputc(style == SINGLE ? '\'' : '"', to);
	for (size_t i = 0; i < text.len;) {
		unsigned code;
		size_t n = letter_read(text, i, &code);

		if (style == SINGLE && code == '\'')
			fputs("''", to);
		else if (style == DOUBLE && code == '\t')
			fputs("\\t", to);
		else if (style == DOUBLE && is_odd(code))
			fprintf(to, "\\U%08X", code);
		else if (style == DOUBLE && (code == '"' || code == '\\'))
			fprintf(to, "\\%c", (int)code);
		else
			fwrite(text.at + i, 1, n, to);
		i += n;
	}
	fputc(style == SINGLE ? '\'' : '"', to);
}

static void
lines_print(struct slice text, int at, FILE *to)
{
	fputs("|-\n", to);
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.at) : text.len;

		if (len > 0)
			fprintf(to, "%*s%.*s", at, "", (int)len, text.at);
		fputc('\n', to);
		text = slice_from(text, end != NULL ? len + 1 : len);
	}
}

bool
form_text_print(struct slice text, int at, FILE *to)
{
	enum style style = style_of(text);

	if (style == NONE)
		return false;
	if (style == LINES) {
		lines_print(text, at, to);
		return true;
	}
	if (style == BARE)
		fwrite(text.at, 1, text.len, to);
	else
		quoted_print(text, style, to);
	fputc('\n', to);
	return true;
}

bool
form_text_key(struct slice text, FILE *to)
{
	enum style style = style_of(text);

	if (style == DOUBLE || style == LINES || style == NONE || text.len == 0)
		return false;
	if (style == BARE && memchr(text.at, ':', text.len) == NULL)
		fwrite(text.at, 1, text.len, to);
	else
		quoted_print(text, SINGLE, to);
	return true;
}
