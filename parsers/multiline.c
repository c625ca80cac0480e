/*
 * Lines that join by rules of the configuration's own: a small machine for each
 * parser, whose states are the names that its rules use.  (Stack traces of known
 * languages: trace.c.)
 */
#include "multiline.h"

#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"

#define START SLICE("start_state")

enum kind { REGEX, FIRST, ENDSWITH, EQ };

struct rule {
	struct pattern *pattern;
	uint64_t from; /* states, 1 << their number */
	unsigned to;   /* 0: the record has ended */
	bool start;
};

struct joiner {
	enum kind kind;
	bool negate;
	struct slice match;
	struct rule *rules; /* FIRST has one */
	size_t nrules;
	struct slice *names; /* of states; the i-th has the number i + 1 */
	unsigned nnames;
};

struct multiline {
	char *text;
	struct joiner at[MULTILINE_PARSERS];
	size_t n;
};

/* A text on its way to rules. */
struct source {
	struct slice rest;
	char *error;
	size_t size;
};

void
multiline_word(struct buffer *to, struct slice word)
{
	buffer_printf(to, "%zu:", word.len);
	buffer_put(to, word);
}

static bool
wrong(const struct source *s, const char *why)
{
	snprintf(s->error, s->size, "%s", why);
	return false;
}

static bool
word_take(struct source *s, struct slice *word)
{
	size_t len = 0, n = 0;

	while (n < s->rest.len && n < 8 && s->rest.at[n] >= '0' && s->rest.at[n] <= '9')
		len = len * 10 + (size_t)(s->rest.at[n++] - '0');
	if (n == 0 || n == s->rest.len || s->rest.at[n] != ':' || s->rest.len - n - 1 < len)
		return wrong(s, "its rules are cut off");
	*word = (struct slice){ s->rest.at + n + 1, len };
	s->rest = slice_from(s->rest, n + 1 + len);
	return true;
}

static bool
number_take(struct source *s, unsigned most, unsigned *number)
{
	struct slice word;

	if (!word_take(s, &word))
		return false;
	*number = 0;
	for (size_t i = 0; i < word.len && *number <= most; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return wrong(s, "its rules have no number");
		*number = *number * 10 + (unsigned)(word.at[i] - '0');
	}
	return *number <= most || wrong(s, "it has too many rules");
}

/* The number of a state; 0: there are too many. */
static unsigned
state_of(struct joiner *j, struct slice name)
{
	for (unsigned i = 0; i < j->nnames; i++)
		if (slice_eq(j->names[i], name))
			return i + 1;
	if (j->nnames == MULTILINE_STATES)
		return 0;
	j->names[j->nnames++] = name;
	return j->nnames;
}

static bool
pattern_take(struct source *s, struct rule *rule)
{
	struct slice word;
	char *text;

	if (!word_take(s, &word))
		return false;
	text = xslicedup(word);
	rule->pattern = pattern_new(text, s->error, s->size);
	free(text);
	return rule->pattern != NULL;
}

/* The states of `names`, commas between them. */
static bool
from_take(struct source *s, struct joiner *j, struct rule *rule, struct slice names)
{
	for (;;) {
		const char *comma = names.len > 0 ? memchr(names.at, ',', names.len) : NULL;
		size_t len = comma != NULL ? (size_t)(comma - names.at) : names.len;
		struct slice name = slice_trim(slice_cut(names, len));
		unsigned state;

		if (name.len == 0)
			return wrong(s, "a rule names no state that it begins in");
		state = state_of(j, name);
		if (state == 0)
			return wrong(s, "its rules name too many states");
		rule->from |= UINT64_C(1) << state;
		rule->start |= slice_eq(name, START);
		if (comma == NULL)
			return true;
		names = slice_from(names, len + 1);
	}
}

/* A state in which a record may begin, or that no rule goes on from, ends it. */
static void
ends_settle(struct joiner *j)
{
	uint64_t goes_on = 0, begins = 0;

	for (size_t i = 0; i < j->nrules; i++) {
		goes_on |= j->rules[i].from;
		begins |= j->rules[i].start ? j->rules[i].from : 0;
	}
	for (size_t i = 0; i < j->nrules; i++) {
		j->rules[i].from &= ~begins;
		if (!((goes_on & ~begins) >> j->rules[i].to & 1))
			j->rules[i].to = 0;
	}
}

static bool
rules_take(struct source *s, struct joiner *j)
{
	unsigned n;
	bool starts = false;

	if (!number_take(s, MULTILINE_RULES, &n))
		return false;
	if (n == 0)
		return wrong(s, "it has no rule");
	j->rules = xcalloc(n, sizeof(*j->rules));
	j->names = xcalloc(MULTILINE_STATES, sizeof(*j->names));
	for (unsigned i = 0; i < n; i++) {
		struct rule *rule = &j->rules[j->nrules++];
		struct slice from, to;

		if (!word_take(s, &from) || !from_take(s, j, rule, from) ||
		    !pattern_take(s, rule) || !word_take(s, &to))
			return false;
		rule->to = state_of(j, slice_trim(to));
		if (rule->to == 0)
			return wrong(s, "its rules name too many states");
		starts |= rule->start;
	}
	ends_settle(j);
	return starts || wrong(s, "no rule begins in start_state: no record would begin");
}

static bool
match_take(struct source *s, struct joiner *j)
{
	unsigned negate;

	if (!number_take(s, 1, &negate) || !word_take(s, &j->match))
		return false;
	j->negate = negate == 1;
	return j->match.len > 0 || wrong(s, "it has no match_string");
}

static bool
joiner_take(struct source *s, struct joiner *j)
{
	static const struct slice kinds[] = { SLICE("regex"), SLICE("first"), SLICE("endswith"),
		SLICE("eq") };
	struct slice kind;
	unsigned i = 0;

	if (!word_take(s, &kind))
		return false;
	while (i < 4 && !slice_eq(kinds[i], kind))
		i++;
	j->kind = (enum kind)i;
	switch (i) {
	case REGEX:
		return rules_take(s, j);
	case FIRST:
		j->rules = xcalloc(1, sizeof(*j->rules));
		j->nrules = 1;
		return pattern_take(s, j->rules);
	case ENDSWITH:
	case EQ:
		return match_take(s, j);
	default:
		return wrong(s, "its type is not known");
	}
}

struct multiline *
multiline_new(struct slice text, char *error, size_t size)
{
	struct multiline *m = xcalloc(1, sizeof(*m));
	struct source s = { .error = error, .size = size };
	bool good = true;

	m->text = xslicedup(text);
	s.rest = (struct slice){ m->text, text.len };
	while (good && s.rest.len > 0) {
		if (m->n == MULTILINE_PARSERS)
			good = wrong(&s, "there are too many parsers that join lines");
		else
			good = joiner_take(&s, &m->at[m->n++]);
	}
	if (good)
		return m;
	multiline_free(m);
	return NULL;
}

void
multiline_free(struct multiline *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < m->at[i].nrules; k++)
			pattern_free(m->at[i].rules[k].pattern);
		free(m->at[i].rules);
		free(m->at[i].names);
	}
	free(m->text);
	free(m);
}

/* ---- lines */

/* The last line of a record: its last part decides. */
static bool
is_last(const struct joiner *j, struct slice line, bool one_part)
{
	bool is = j->kind == EQ ? one_part && slice_eq(line, j->match) : slice_ends(line, j->match);

	return is != j->negate;
}

static multiline_state
state_in(const struct multiline *m, const struct joiner *j, unsigned state)
{
	return (multiline_state)((unsigned)(j - m->at + 1) << 8 | state);
}

static multiline_state
taken_by_end(const struct multiline *m, const struct joiner *j, struct slice line, bool whole)
{
	return state_in(m, j, whole && is_last(j, line, true) ? 0 : 1);
}

/* The rule that takes `line` of a record in one of the states `from`; NULL: none does. */
static const struct rule *
rule_for(const struct joiner *j, uint64_t from, bool start, struct slice line)
{
	for (size_t i = 0; i < j->nrules; i++) {
		const struct rule *rule = &j->rules[i];

		if ((start ? rule->start : (rule->from & from) != 0) &&
		    pattern_match(rule->pattern, line))
			return rule;
	}
	return NULL;
}

static bool
goes_on(const struct multiline *m, multiline_state *state, struct slice line, bool whole)
{
	const struct joiner *j = &m->at[(*state >> 8) - 1];
	const struct rule *rule;

	switch (j->kind) {
	case REGEX:
		rule = rule_for(j, UINT64_C(1) << (*state & 0xff), false, line);
		if (rule != NULL)
			*state = state_in(m, j, rule->to);
		return rule != NULL;
	case FIRST:
		return !pattern_match(j->rules->pattern, line);
	case ENDSWITH:
	case EQ:
		*state = taken_by_end(m, j, line, whole);
		return true;
	}
	return false;
}

static bool
begins(const struct multiline *m, const struct joiner *j, multiline_state *state, struct slice line,
    bool whole)
{
	const struct rule *rule;

	switch (j->kind) {
	case REGEX:
		rule = rule_for(j, 0, true, line);
		if (rule != NULL)
			*state = state_in(m, j, rule->to);
		return rule != NULL;
	case FIRST:
		*state = state_in(m, j, 1);
		return pattern_match(j->rules->pattern, line);
	case ENDSWITH:
	case EQ:
		*state = taken_by_end(m, j, line, whole);
		return true;
	}
	return false;
}

/* Expressions see the beginning of a line, the texts at its end the whole of it. */
static struct slice
seen_of(const struct joiner *j, struct slice line)
{
	return j->kind == ENDSWITH || j->kind == EQ ? line : slice_cut(line, MULTILINE_LOOK);
}

enum trace_verdict
multiline_line(struct multiline *m, multiline_state *state, struct slice line, bool whole)
{
	if (*state != 0 && !multiline_ended(*state) &&
	    goes_on(m, state, seen_of(&m->at[(*state >> 8) - 1], line), whole))
		return TRACE_JOIN;
	for (size_t i = 0; i < m->n; i++)
		if (begins(m, &m->at[i], state, seen_of(&m->at[i], line), whole))
			return TRACE_NEW;
	*state = 0;
	return TRACE_NEW;
}

void
multiline_part(const struct multiline *m, multiline_state *state, struct slice part, bool whole)
{
	const struct joiner *j;

	if (*state == 0 || !whole)
		return;
	j = &m->at[(*state >> 8) - 1];
	if (j->kind == ENDSWITH || j->kind == EQ)
		*state = state_in(m, j, is_last(j, part, false) ? 0 : 1);
}

bool
multiline_may_join(struct multiline *m, struct slice line)
{
	struct slice seen = slice_cut(line, MULTILINE_LOOK);

	for (size_t i = 0; i < m->n; i++) {
		const struct joiner *j = &m->at[i];

		if (j->kind == ENDSWITH || j->kind == EQ ||
		    (j->kind == FIRST && !pattern_match(j->rules->pattern, seen)) ||
		    (j->kind == REGEX && rule_for(j, ~UINT64_C(0), false, seen) != NULL))
			return true;
	}
	return false;
}
