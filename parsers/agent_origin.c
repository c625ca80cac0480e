/*
 * The logger and the thread of a header.  A word is a logger by its place (` - `
 * or ` : ` behind it, a bracket that follows the level's without a blank), or by
 * its look: the name of a class, no exception.
 */
#include "agent_origin.h"

#include "agent_reading.h"
#include "agent_trace.h"

#define GROUPS_MAX 4
#define GROUP_MAX 256 /* bytes of a thread's name */
#define PIPES_MAX 6   /* fields between bars */

/* ---- names */

static bool
is_letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The shape of a name as Java has them. */
struct shape {
	unsigned dots;
	bool named; /* letters, digits, _ and $ in parts between dots, each begins with a letter */
	bool class
	    ; /* the last part is like the name of a class: TaskRunner; Task where there are dots */
};

static struct shape
shape_of(struct slice name)
{
	struct shape shape = { .named = name.len > 0 && name.len <= GROUP_MAX };
	bool begins = true, capital = false, humps = false;

	for (size_t i = 0; i < name.len && shape.named; i++) {
		char c = name.at[i];

		if (c == '.' && !begins) {
			shape.dots++;
			begins = true;
			humps = capital = false;
			continue;
		}
		if (!is_letter(c) && (begins || (!is_digit(c) && c != '$')))
			shape.named = false;
		if (begins)
			capital = is_capital(c);
		else
			humps |= is_capital(c) && !is_capital(name.at[i - 1]) && c != '_';
		begins = false;
	}
	shape.named &= !begins;
	shape.class = shape.named && capital && (shape.dots > 0 || humps);
	return shape;
}

static bool
is_event(struct slice word, const struct agent_words *words)
{
	return word_find(&words->events, word) != NULL;
}

/* ---- parts */

bool
agent_origin_group(struct slice *s, struct slice *group)
{
	size_t i = 0;

	if (s->len < 2 || s->at[0] != '[')
		return false;
	do {
		i++;
		i += bytes_find(slice_from(*s, i), ']', ']');
		if (i >= s->len || i > GROUP_MAX)
			return false;
	} while (i + 1 < s->len && !is_blank(s->at[i + 1]) && s->at[i + 1] != '[');
	*group = skip_blanks((struct slice){ s->at + 1, i - 1 });
	while (group->len > 0 && is_blank(group->at[group->len - 1]))
		group->len--;
	*s = skip_blanks(slice_from(*s, i + 1));
	return true;
}

/* The logger and the ` - ` or ` : ` behind it, taken off ${s}. */
static bool
take_logger(struct slice *s, struct slice *logger)
{
	struct slice rest = *s, name = take_token(&rest);

	rest = skip_blanks(rest);
	if (name.len == 0 || name.len > 256 || rest.len == 0 ||
	    (rest.at[0] != '-' && rest.at[0] != ':') || (rest.len > 1 && !is_blank(rest.at[1])))
		return false;
	if (bytes_have(
		(struct slice){ name.at, (size_t)(s->at + s->len - name.at) }, name.len, '='))
		return false; /* a key */
	*logger = name;
	*s = skip_blanks(slice_from(rest, 1));
	return true;
}

/* Ids of a trace: hex digits, dashes, commas. */
static bool
is_correlation(struct slice s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		digits += is_digit(c);
		if (!is_digit(c) && c != '-' && c != ',' && c != ' ' &&
		    !((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
			return false;
	}
	return s.len == 0 || (s.len >= 16 && digits > 0);
}

bool
agent_origin_spring(struct slice *s, struct header *h)
{
	struct slice rest = *s, groups[GROUPS_MAX], pid = take_token(&rest);
	unsigned n = 0;

	for (size_t i = 0; i < pid.len; i++)
		if (!is_digit(pid.at[i]))
			return false;
	rest = skip_blanks(rest);
	if (rest.len < 4 || !slice_starts(rest, SLICE("---")) || !is_blank(rest.at[3]))
		return false;
	rest = skip_blanks(slice_from(rest, 3));
	while (n < GROUPS_MAX && agent_origin_group(&rest, &groups[n]))
		n++;
	if (n > 1 && is_correlation(groups[n - 1]))
		n--;
	if (!take_logger(&rest, &h->logger))
		return false;
	if (n > 0)
		h->thread = groups[n - 1];
	h->spring = true;
	*s = rest;
	return true;
}

/* `logger: `, taken off ${s}: the name of a class, of any word where the date is short. */
static bool
take_colon_logger(struct slice *s, struct header *h, const struct agent_words *words)
{
	struct slice rest = *s, word = take_token(&rest), name = { word.at, word.len - 1 };
	struct shape shape;

	if (word.len < 2 || word.at[word.len - 1] != ':' || is_event(name, words))
		return false;
	shape = shape_of(name);
	if (!shape.class && !(shape.named && agent_head_is_short(h->time)))
		return false;
	if (agent_trace_in_line(word).class.len > 0)
		return false;
	h->logger = name;
	*s = skip_blanks(rest);
	return true;
}

/* ---- origins */

/* Up to GROUPS_MAX groups, as far as they are wanted. */
struct groups {
	struct slice at[GROUPS_MAX], after[2]; /* the text behind the first two */
	unsigned n;
	bool joined; /* no blank before the first: `[ERROR][logger]` */
};

static struct slice
take_groups(struct slice rest, struct groups *g)
{
	g->joined = rest.len > 0 && rest.at[-1] == ']';
	g->n = 0;
	while (rest.len > 0 && rest.at[0] == '[' && g->n < GROUPS_MAX &&
	       agent_origin_group(&rest, &g->at[g->n])) {
		if (g->n < 2)
			g->after[g->n] = rest;
		g->n++;
	}
	return rest;
}

/* True when a group may be a name: no event, no key. */
static bool
may_name(struct slice group, const struct agent_words *words)
{
	return group.len > 0 && !is_event(group, words) && bytes_find(group, '=', ':') == group.len;
}

static bool
is_logger(struct slice group)
{
	struct shape shape = shape_of(group);

	return shape.named && shape.dots > 0 && (shape.class || shape.dots > 1);
}

/* `(thread)`, and a dash or a colon before a blank, behind the group of a logger. */
static struct slice
behind_logger(struct slice s, struct header *h)
{
	const char *close =
	    s.len > 0 && s.at[0] == '(' ? memchr(s.at, ')', least(s.len, GROUP_MAX)) : NULL;

	if (close != NULL && h->thread.len == 0 &&
	    (close + 1 == s.at + s.len || is_blank(close[1]))) {
		h->thread = (struct slice){ s.at + 1, (size_t)(close - s.at) - 1 };
		s = skip_blanks(slice_from(s, (size_t)(close + 1 - s.at)));
	}
	return skip_mark(s);
}

/* `[logger]`, `[thread] [logger]`: the group that is a logger, taken off ${s}. */
static bool
take_group_logger(
    struct slice *s, struct header *h, const struct groups *g, const struct agent_words *words)
{
	unsigned i = g->n > 1 && !is_logger(g->at[0]) && is_logger(g->at[1]);

	if (g->n == 0 || !(is_logger(g->at[i]) || g->joined) || !may_name(g->at[i], words) ||
	    (i == 1 && !may_name(g->at[0], words)))
		return false;
	h->logger = g->at[i];
	if (i == 1 && h->thread.len == 0)
		h->thread = g->at[0];
	*s = behind_logger(g->after[i], h);
	return true;
}

void
agent_origin_take(struct slice *s, struct header *h, const struct agent_words *words)
{
	struct groups g;
	struct slice rest = take_groups(*s, &g);
	bool grouped = g.joined && take_group_logger(s, h, &g, words);

	if (grouped)
		return;
	if (g.n < 2 && rest.len > 0 && is_digit(rest.at[0]) && agent_origin_spring(&rest, h)) {
		*s = rest;
	} else if (take_logger(&rest, &h->logger)) {
		if (g.n > 0 && h->thread.len == 0)
			h->thread = g.at[0];
		*s = rest;
	} else if (take_group_logger(s, h, &g, words)) {
		return;
	} else if (take_colon_logger(&rest, h, words)) {
		if (g.n > 0 && h->thread.len == 0 && may_name(g.at[0], words))
			h->thread = g.at[0];
		*s = rest;
	} else if (g.n > 0 && h->thread.len == 0 && may_name(g.at[0], words)) {
		h->thread = g.at[0];
		*s = skip_mark(g.after[0]);
	} else {
		*s = skip_mark(*s);
	}
}

/* ---- fields between bars */

/* The field behind the bar at the front of ${s}, taken off; *${more}: another bar ends it. */
static struct slice
take_field(struct slice *s, bool *more)
{
	struct slice field = skip_blanks(slice_from(*s, 1));
	const char *bar = memchr(field.at, '|', least(field.len, GROUP_MAX));

	*more = bar != NULL;
	*s = *more ? slice_from(field, (size_t)(bar - field.at)) : slice_from(field, field.len);
	field.len = (size_t)(s->at - field.at);
	while (field.len > 0 && is_blank(field.at[field.len - 1]))
		field.len--;
	if (field.len > 1 && field.at[0] == '[' && field.at[field.len - 1] == ']')
		field = (struct slice){ field.at + 1, field.len - 2 };
	return field;
}

/* Note a field beside the level as logger or thread.  Return false when it is neither. */
static bool
note_field(struct slice field, struct header *h, const struct agent_words *words)
{
	struct slice *to = is_logger(field) || h->thread.len > 0 ? &h->logger : &h->thread;

	if (!may_name(field, words) || bytes_find(field, ' ', '\t') < field.len || to->len > 0)
		return false;
	*to = field;
	return true;
}

bool
agent_origin_piped(struct slice *s, struct header *h, const struct agent_words *words)
{
	struct slice rest = *s, field;
	struct header found = *h;
	bool more = true;

	for (unsigned i = 0; i < PIPES_MAX && more && rest.len > 0; i++) {
		struct slice before = skip_blanks(slice_from(rest, 1));

		field = take_field(&rest, &more);
		if (found.level == LEVEL_NONE) {
			found.level = agent_head_level(field);
			if (found.level == LEVEL_NONE)
				note_field(field, &found, words);
			continue;
		}
		if (!more || !note_field(field, &found, words)) {
			rest = before;
			break;
		}
	}
	if (found.level == LEVEL_NONE)
		return false;
	if (rest.len > 0 && rest.at[0] == '|')
		rest = skip_blanks(slice_from(rest, 1));
	if (found.logger.len == 0)
		take_logger(&rest, &found.logger);
	*h = found;
	h->piped = true;
	*s = rest;
	return true;
}
