/* Patterns of paths and tags, compared with a tag, or with each other without a file at hand. */
#include "glob.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "memory.h"

#define PATTERN_MAX 4096
#define SPECIAL "*?[\\"

/* One place of a pattern: any text, or one character of a set. */
struct token {
	bool star;
	bool can[256];
};

static void
class_read(const char **p, struct token *t)
{
	const char *s = *p + 1;
	bool inverse = *s == '!' || *s == '^';

	s += inverse;
	for (bool first = true; *s != '\0' && (first || *s != ']'); first = false) {
		unsigned char from = (unsigned char)*s, to = from;

		if (s[1] == '-' && s[2] != ']' && s[2] != '\0') {
			to = (unsigned char)s[2];
			s += 2;
		}
		for (unsigned c = from; c <= to; c++)
			t->can[c] = true;
		s++;
	}
	for (unsigned c = 0; inverse && c < 256; c++)
		t->can[c] = !t->can[c];
	*p = *s == '\0' ? s : s + 1;
}

static size_t
tokens_read(const char *p, char separator, struct token *tokens)
{
	size_t n = 0;

	while (*p != '\0') {
		struct token *t = &tokens[n++];

		memset(t, 0, sizeof(*t));
		if (*p == '*' || *p == '?') {
			t->star = *p == '*';
			memset(t->can, true, sizeof(t->can));
			p++;
		} else if (*p == '[' && p[1] != '\0' && strchr(p + 2, ']') != NULL) {
			class_read(&p, t);
		} else {
			p += *p == '\\' && p[1] != '\0';
			t->can[(unsigned char)*p++] = true;
			continue;
		}
		t->can[(unsigned char)separator] = false;
	}
	return n;
}

static bool
tokens_share(const struct token *a, const struct token *b)
{
	for (int c = 1; c < 256; c++)
		if (a->can[c] && b->can[c])
			return true;
	return false;
}

/*
 * row[j]: the rest of ${a} from i and the rest of ${b} from j have a text in
 * common.  Filled from the ends.
 */
static bool
tokens_meet(
    const struct token *a, size_t na, const struct token *b, size_t nb, bool *below, bool *row)
{
	for (size_t i = na + 1; i-- > 0;) {
		for (size_t j = nb + 1; j-- > 0;) {
			bool more_a = i < na, more_b = j < nb, meet;

			if (!more_a && !more_b)
				meet = true;
			else if (more_a && a[i].star && below[j])
				meet = true;
			else if (more_b && b[j].star && row[j + 1])
				meet = true;
			else if (!more_a || !more_b || !tokens_share(&a[i], &b[j]))
				meet = false;
			else if (a[i].star && b[j].star)
				meet =
				    false; /* the * is empty, or both go on together: handled above */
			else if (a[i].star)
				meet = row[j + 1];
			else if (b[j].star)
				meet = below[j];
			else
				meet = below[j + 1];
			row[j] = meet;
		}
		memcpy(below, row, (nb + 1) * sizeof(*row));
	}
	return row[0];
}

static bool
is_special(char c)
{
	return c != '\0' && strchr(SPECIAL, c) != NULL;
}

size_t
glob_head(const char *pattern)
{
	return strlen(pattern) > PATTERN_MAX ? 0 : strcspn(pattern, SPECIAL);
}

bool
glob_meet(const char *a, const char *b, char separator)
{
	size_t na = strlen(a), nb = strlen(b), head = 0;
	struct token *tokens;
	bool *rows, meet;

	if (na > PATTERN_MAX || nb > PATTERN_MAX)
		return true;
	while (a[head] == b[head] && a[head] != '\0' && !is_special(a[head]))
		head++;
	if (a[head] != b[head] && !is_special(a[head]) && !is_special(b[head]))
		return false;
	a += head;
	b += head;
	na -= head;
	nb -= head;
	tokens = xcalloc(na + nb + 1, sizeof(*tokens));
	rows = xcalloc(2 * (nb + 1), sizeof(*rows));
	na = tokens_read(a, separator, tokens);
	nb = tokens_read(b, separator, tokens + na);
	meet = tokens_meet(tokens, na, tokens + na, nb, rows, rows + nb + 1);
	free(tokens);
	free(rows);
	return meet;
}

bool
conf_match(const char *pattern, struct slice tag)
{
	const char *star = NULL, *p = pattern;
	size_t at = 0, retry = 0;

	while (at < tag.len) {
		if (*p == '*') {
			star = p++;
			retry = at;
		} else if (*p == tag.at[at] && *p != '\0') {
			p++;
			at++;
		} else if (star != NULL) {
			p = star + 1;
			at = ++retry;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}
