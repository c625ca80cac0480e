/* The Accept and Accept-Encoding headers (RFC 9110, 12.5), as far as the choices here need them. */
#include "accept.h"

#include <strings.h>

/* One media range: `type/subtype;version=…;q=…`. */
struct range {
	struct slice type;
	struct slice version; /* empty: none */
	int q;                /* in thousandths */
};

static bool
same(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* Cut the part before the next `by` from the front of `rest`. */
static struct slice
cut(struct slice *rest, char by)
{
	const char *end = memchr(rest->at, by, rest->len);
	struct slice part = *rest;

	if (end != NULL)
		part.len = (size_t)(end - rest->at);
	*rest = slice_from(*rest, end != NULL ? part.len + 1 : part.len);
	return slice_trim(part);
}

/* 0, 0.5, 1.000: thousandths; a text of another form counts as 1. */
static int
quality(struct slice s)
{
	int q = 0, unit = 100;

	if (s.len == 0 || s.at[0] != '0')
		return 1000;
	if (s.len > 1 && s.at[1] != '.')
		return 1000;
	for (size_t i = 2; i < s.len && unit > 0; i++, unit /= 10) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return 1000;
		q += unit * (s.at[i] - '0');
	}
	return q;
}

static struct range
range_read(struct slice text)
{
	struct range r = { .q = 1000 };

	r.type = cut(&text, ';');
	while (text.len > 0) {
		struct slice value = cut(&text, ';');
		struct slice name = cut(&value, '=');

		value = slice_trim(value);
		if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
			value = (struct slice){ value.at + 1, value.len - 2 };
		if (same(name, "q"))
			r.q = quality(value);
		else if (same(name, "version"))
			r.version = value;
	}
	return r;
}

bool
accept_openmetrics(struct slice accept)
{
	int open = 0, text = 0, any = 0, *best;

	while (accept.len > 0) {
		struct range r = range_read(cut(&accept, ','));

		if (same(r.type, "application/openmetrics-text"))
			best = r.version.len == 0 || same(r.version, "1.0.0") ? &open : NULL;
		else if (same(r.type, "text/plain"))
			best = r.version.len == 0 || same(r.version, "0.0.4") ? &text : NULL;
		else
			best = same(r.type, "text/*") ? &any : NULL;
		if (best != NULL && r.q > *best)
			*best = r.q;
	}
	if (text == 0)
		text = any;
	return open > 0 && open >= text;
}

/* `*` is every encoding that is not named. */
bool
accept_gzip(struct slice encodings)
{
	int gzip = -1, any = 0;

	while (encodings.len > 0) {
		struct range r = range_read(cut(&encodings, ','));

		if (same(r.type, "gzip") || same(r.type, "x-gzip"))
			gzip = r.q;
		else if (same(r.type, "*"))
			any = r.q;
	}
	return (gzip >= 0 ? gzip : any) > 0;
}
