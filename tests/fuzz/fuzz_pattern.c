/*
 * Ruby's expressions: Oniguruma, which Ruby and Fluent Bit have, finds the same.  The
 * first line is the expression, the others are the text; without them it is made of
 * the expression's letters.
 */
#include "fuzz.h"

#include <oniguruma.h>

#include "memory.h"
#include "pattern.h"

#define TRIES 30000 /* of Oniguruma, before it gives up */

struct theirs {
	regex_t *regex;
	OnigRegion *region;
};

/* False: Oniguruma refuses it. */
static bool
theirs_new(const char *expression, struct theirs *t)
{
	const UChar *at = (const UChar *)expression;
	OnigErrorInfo error;

	t->region = onig_region_new();
	return onig_new(&t->regex, at, at + strlen(expression), ONIG_OPTION_NONE,
		   ONIG_ENCODING_ASCII, ONIG_SYNTAX_RUBY, &error) == ONIG_NORMAL;
}

/* 1 and 0: it matches, or not; -1: it gave up. */
static int
theirs_match(struct theirs *t, struct slice text)
{
	const UChar *at = (const UChar *)text.at, *end = at + text.len;
	int got = onig_search(t->regex, at, end, at, end, t->region, ONIG_OPTION_NONE);

	return got >= 0 ? 1 : got == ONIG_MISMATCH ? 0 : -1;
}

static void
group_judge(struct pattern *ours, struct theirs *t, size_t i, struct slice text, const char *regex)
{
	struct slice name = pattern_name(ours, i), value = { NULL, 0 };
	const UChar *at = (const UChar *)name.at;
	int *numbers, n = onig_name_to_group_numbers(t->regex, at, at + name.len, &numbers);
	size_t nth = 0;
	bool has = pattern_group(ours, i, &value);

	for (size_t j = 0; j < i; j++)
		nth += slice_eq(pattern_name(ours, j), name);
	if ((int)nth >= n)
		WRONG("/%s/ has not %zu of %.*s", regex, nth + 1, SHOW(name));
	if (has != (t->region->beg[numbers[nth]] >= 0) ||
	    (has && text.len > 0 &&
		(value.at - text.at != t->region->beg[numbers[nth]] ||
		    value.at - text.at + (long)value.len != t->region->end[numbers[nth]])))
		WRONG("/%s/ on '%.*s': %.*s is '%.*s', not %d to %d", regex, SHOW(text), SHOW(name),
		    SHOW(value), t->region->beg[numbers[nth]], t->region->end[numbers[nth]]);
}

static void
judge(struct pattern *ours, struct theirs *t, struct slice text, const char *regex)
{
	unsigned long long overruns = pattern_overruns;
	bool is = pattern_match(ours, text);
	int theirs = theirs_match(t, text);

	if (theirs < 0 || pattern_overruns != overruns)
		return;
	if (is != (theirs == 1))
		WRONG("/%s/ %s '%.*s'", regex, is ? "matches" : "does not match", SHOW(text));
	for (size_t i = 0; is && i < pattern_groups(ours); i++)
		group_judge(ours, t, i, text, regex);
}

/* Letters of ASCII; without (?x), where both have quantifiers behind blanks, but not the same. */
static bool
is_plain(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		struct slice flags = slice_from(s, i);
		size_t n = 2;

		while (slice_starts(flags, SLICE("(?")) && n < flags.len &&
		       strchr("im-", flags.at[n]) != NULL)
			n++;
		if (slice_starts(flags, SLICE("(?")) && n < flags.len && flags.at[n] == 'x')
			return false;
		if (s.at[i] & 0x80 || s.at[i] == '\0')
			return false;
	}
	return true;
}

static struct slice
text_make(struct slice regex)
{
	static char text[24];
	size_t n = any(sizeof(text));

	for (size_t i = 0; i < n; i++)
		text[i] = any(3) > 0 && regex.len > 0 ? regex.at[any((unsigned)regex.len)]
						      : "a0 -_\nZ:"[any(8)];
	return (struct slice){ text, n };
}

static void
fuzz(struct slice input)
{
	struct slice all = fuzz_chance(input), regex = all, text;
	const char *end = all.len == 0 ? NULL : memchr(all.at, '\n', all.len);
	struct pattern *ours;
	struct theirs t = { 0 };
	char error[256], *copy;

	if (end != NULL)
		regex.len = (size_t)(end - all.at);
	copy = xslicedup(regex);
	onig_set_retry_limit_in_match(TRIES);
	ours = pattern_new(copy, error, sizeof(error));
	if (ours != NULL) {
		text = end != NULL ? slice_from(all, regex.len + 1) : text_make(regex);
		pattern_match(ours, text);
		pattern_match(ours, SLICE(""));
		if (is_plain(regex) && copy[0] != '/' && theirs_new(copy, &t)) {
			for (unsigned i = 0; i < 8; i++, text = text_make(regex)) {
				if (is_plain(text))
					judge(ours, &t, text, copy);
			}
		}
	}
	if (t.region != NULL)
		onig_region_free(t.region, 1);
	onig_free(t.regex);
	pattern_free(ours);
	free(copy);
}
