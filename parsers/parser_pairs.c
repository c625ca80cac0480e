/* The formats of pairs: logfmt (brandur.org/logfmt), LTSV (ltsv.org), TSKV. */
#include "parser_pairs.h"

#include "parser_decode.h"

/* A byte of a key, or of a value without quotes. */
static bool
is_word(char c)
{
	return (unsigned char)c > ' ' && c != '=' && c != '"';
}

static struct slice
word_take(struct slice *s)
{
	size_t n = 0;

	while (n < s->len && is_word(s->at[n]))
		n++;
	*s = slice_from(*s, n);
	return (struct slice){ s->at - n, n };
}

/* The text behind an opening quote, which is taken with its closing one, if there is any. */
static struct slice
quoted_take(struct slice *s, bool *escaped)
{
	struct slice text;
	size_t n = 0;

	*escaped = false;
	while (n < s->len && s->at[n] != '"') {
		*escaped |= s->at[n] == '\\';
		n += s->at[n] == '\\' && n + 1 < s->len ? 2 : 1;
	}
	text = slice_cut(*s, n);
	*s = slice_from(*s, n + (n < s->len));
	return text;
}

/* The value behind the `=`. */
static void
value_take(struct take *t, struct slice *rest, struct field *f)
{
	bool escaped;

	if (rest->len > 0 && rest->at[0] == '"') {
		*rest = slice_from(*rest, 1);
		f->value = quoted_take(rest, &escaped);
		if (escaped)
			(void)parser_decode_text(DECODE_ALL, t->arena, f->value, &f->value);
		return;
	}
	f->value = word_take(rest);
}

int
parser_pairs_logfmt(struct take *t, struct slice text)
{
	bool any = false;

	while (text.len > 0) {
		struct field f = { .kind = VALUE_TEXT };
		bool bare;

		if (!is_word(text.at[0])) { /* garbage between pairs */
			text = slice_from(text, 1);
			continue;
		}
		f.name = word_take(&text);
		bare = text.len == 0 || text.at[0] != '=';
		if (bare && t->parser->no_bare_keys)
			return -1;
		if (!bare) {
			text = slice_from(text, 1);
			bare = text.len == 0 || (text.at[0] != '"' && !is_word(text.at[0]));
			value_take(t, &text, &f);
		}
		if (bare) {
			f.kind = VALUE_JSON;
			f.value = SLICE("true");
		}
		parser_take(t, f);
		any = true;
	}
	return any ? t->n : -1;
}

static bool
is_label(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || c == '.' || c == '-';
}

int
parser_pairs_ltsv(struct take *t, struct slice text, char separator)
{
	bool any = false;

	while (text.len > 0) {
		struct field f = { .kind = VALUE_TEXT };
		const char *tab;
		size_t n = 0;

		while (n < text.len && is_label(text.at[n]))
			n++;
		if (n == text.len || text.at[n] != separator)
			break; /* what follows is no pair */
		f.name = slice_cut(text, n);
		text = slice_from(text, n + 1);
		tab = text.len > 0 ? memchr(text.at, '\t', text.len) : NULL;
		f.value = slice_cut(text, tab != NULL ? (size_t)(tab - text.at) : text.len);
		text = slice_from(text, f.value.len + (tab != NULL));
		if (text.len == 0)
			f.value = slice_trim_end(f.value); /* a line's \r */
		if (f.name.len == 0)
			continue;
		parser_take(t, f);
		any = true;
	}
	return any ? t->n : -1;
}
