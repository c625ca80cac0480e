/*
 * Inputs, filters and outputs by their tags: an input whose records no output takes, a
 * filter that no record reaches.  What is compared is found once for each section: there
 * may be thousands of inputs beside thousands of filters.
 */
#include <stdlib.h>
#include <strings.h>

#include "glob.h"
#include "memory.h"
#include "pattern.h"
#include "read.h"
#include "table.h"
#include "tag.h"

/* The tags of an input's records, or those that a filter or an output takes. */
struct route {
	char *tag;                /* a pattern; NULL: the input names none, or it is not known */
	const char *match, *text; /* NULL: not given; `text` is that of: */
	struct pattern *regex;    /* NULL: not given, or none that can be read */
};

struct routes {
	struct reading *r;
	struct route *of; /* by section */
	size_t n[SECTION_KINDS], skipped[SECTION_KINDS];
	bool retags; /* a filter may give records other tags */
};

/* ---- sections */

static struct pattern *
regex_of(struct reading *r, const struct section *s, const char *text)
{
	struct pattern *p;
	char why[256];

	if (text == NULL)
		return NULL;
	p = pattern_new(text, why, sizeof(why));
	if (p == NULL)
		findings_add(r->findings, FINDING_ERROR, s->file, conf_given(s, "Match_Regex"),
		    "Match_Regex: %s", why);
	return p;
}

/* Of one input and one output the output takes all, unless it says what. */
static void
match_imply(const struct routes *to, struct section *s)
{
	static char all[] = "*";
	int row = table_find(s->plugin, "Match");

	if (to->n[SECTION_OUTPUT] + to->skipped[SECTION_OUTPUT] == 1 &&
	    to->n[SECTION_INPUT] + to->skipped[SECTION_INPUT] == 1 && row >= 0 &&
	    table_text(s, "Match") == NULL && table_text(s, "Match_Regex") == NULL)
		*(char **)((char *)s->values + table_row(s->plugin, (size_t)row)->where) = all;
}

static void
route_make(struct routes *to, struct section *s, struct route *route)
{
	enum section_kind kind = s->plugin->kind;
	const struct findings *f = to->r->findings;
	const char *tag = kind == SECTION_INPUT ? table_text(s, "Tag") : NULL;

	if (tag != NULL && !conf_unknown(s, "Tag", f))
		route->tag = tag_pattern(tag, table_text(s, "Tag_Regex"));
	if (kind == SECTION_OUTPUT)
		match_imply(to, s);
	if (kind != SECTION_FILTER && kind != SECTION_OUTPUT)
		return;
	route->match = conf_unknown(s, "Match", f) || conf_unknown(s, "Match_Regex", f)
			   ? "*"
			   : table_text(s, "Match");
	route->text = table_text(s, "Match_Regex");
	route->regex = regex_of(to->r, s, route->text);
}

static void
routes_make(struct routes *to)
{
	struct conf *c = to->r->conf;

	for (size_t i = 0; i < c->n; i++) {
		const struct plugin *p = c->sections[i].plugin;

		to->n[p->kind]++;
		to->retags |= p->kind == SECTION_FILTER && strcasecmp(p->name, "rewrite_tag") == 0;
	}
	for (size_t i = 0; i < c->nskipped; i++)
		to->skipped[c->skipped[i].plugin->kind]++;
	to->of = xcalloc(c->n + 1, sizeof(*to->of));
	for (size_t i = 0; i < c->n; i++)
		route_make(to, &c->sections[i], &to->of[i]);
}

static void
routes_free(struct routes *to)
{
	for (size_t i = 0; i < to->r->conf->n; i++) {
		free(to->of[i].tag);
		pattern_free(to->of[i].regex);
	}
	free(to->of);
}

/* ---- tags */

/*
 * True when a record of the tag ${tag}, in which * becomes a path, can be taken: an
 * expression is tried with the tag, where no path decides.
 */
static bool
may_take(const struct route *by, const char *tag)
{
	if (by->text != NULL && strchr(tag, '*') != NULL)
		return true;
	return (by->regex != NULL && pattern_match(by->regex, slice_of(tag))) ||
	       (by->match != NULL && glob_meet(by->match, tag, '\0'));
}

/* True when a section of ${kind} takes what the route ${of} gives, or gives what it takes. */
static bool
any_meets(const struct routes *among, const struct route *of, enum section_kind kind)
{
	const struct conf *c = among->r->conf;

	for (size_t i = 0; i < c->n; i++) {
		const struct route *other = &among->of[i];
		const struct route *in = kind == SECTION_INPUT ? other : of;

		if (c->sections[i].plugin->kind == kind &&
		    (in->tag == NULL || may_take(in == of ? other : of, in->tag)))
			return true;
	}
	return among->r->incomplete[kind];
}

/* The skipped output that takes the tag; NULL: none does. */
static const struct skipped *
skipped_taking(const struct conf *c, const char *tag)
{
	const struct skipped *found = NULL;
	char why[256];

	for (size_t i = 0; i < c->nskipped && found == NULL; i++) {
		const struct skipped *k = &c->skipped[i];
		struct route by = { .match = k->match, .text = k->match_regex };

		if (k->plugin->kind != SECTION_OUTPUT)
			continue;
		by.regex = by.text != NULL ? pattern_new(by.text, why, sizeof(why)) : NULL;
		if (may_take(&by, tag))
			found = k;
		pattern_free(by.regex);
	}
	return found;
}

/* Fluent Bit discards the records of an input that is not routable. */
static void
routable_check(struct reading *r, const struct section *s)
{
	const bool *routable = conf_value(s, "Routable");
	char title[TABLE_TITLE];

	if (routable != NULL && !*routable)
		findings_add(r->findings, FINDING_ERROR, s->file, conf_given(s, "Routable"),
		    "Routable off would discard all that %s reads: leave the input out",
		    table_title(s->plugin, title));
}

/* No output takes the records of ${s}. */
static void
undelivered(struct reading *r, const struct section *s, const char *pattern)
{
	const char *tag = table_text(s, "Tag");
	const struct skipped *k = skipped_taking(r->conf, pattern);
	unsigned line = conf_given(s, "Tag");

	line = line ? line : s->line;
	if (k == NULL)
		findings_add(r->findings, FINDING_ERROR, s->file, line,
		    "no [OUTPUT] matches the tag '%s': nothing of it would be delivered", tag);
	else
		findings_add(r->findings, FINDING_WARNING, s->file, line,
		    "of the [OUTPUT]s that are built none matches the tag '%s': it is read, and "
		    "nothing of it is delivered (%s:%u is skipped)",
		    tag, k->file, k->line);
}

static void
input_check(const struct routes *all, const struct section *s, const struct route *route)
{
	routable_check(all->r, s);
	if (all->n[SECTION_OUTPUT] > 0 && !all->retags && !any_meets(all, route, SECTION_OUTPUT))
		undelivered(all->r, s, route->tag);
}

static unsigned
match_line(const struct section *s)
{
	unsigned line = conf_given(s, "Match_Regex");

	line = line ? line : conf_given(s, "Match");
	return line ? line : s->line;
}

/* A filter or an output. */
static void
taker_check(const struct routes *all, const struct section *s, const struct route *route)
{
	bool filter = s->plugin->kind == SECTION_FILTER;
	char title[TABLE_TITLE];

	if (route->match == NULL && route->text == NULL)
		findings_add(all->r->findings, filter ? FINDING_WARNING : FINDING_ERROR, s->file,
		    s->line, "%s has no Match%s; it says which tags are taken, * takes all",
		    table_title(s->plugin, title), filter ? " and applies to nothing" : "");
	else if (all->n[SECTION_INPUT] > 0 && all->skipped[SECTION_INPUT] == 0 && !all->retags &&
		 !any_meets(all, route, SECTION_INPUT))
		findings_add(all->r->findings, FINDING_WARNING, s->file, match_line(s),
		    "%s matches the tag of no [INPUT]", table_title(s->plugin, title));
}

/* ---- the whole */

static void
none_check(const struct routes *all, enum section_kind kind, const char *then)
{
	if (all->n[kind] == 0 && !all->r->incomplete[kind])
		findings_add(all->r->findings, FINDING_ERROR, all->r->conf->file, 0,
		    "no [%s]%s: %s", table_section_names[kind],
		    all->skipped[kind] > 0 ? " of those that are built" : "", then);
}

void
routes_check(struct reading *r)
{
	struct routes all = { .r = r };

	routes_make(&all);
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct section *s = &r->conf->sections[i];

		if (s->plugin->kind == SECTION_INPUT)
			input_check(&all, s, &all.of[i]);
		else if (s->plugin->kind == SECTION_FILTER || s->plugin->kind == SECTION_OUTPUT)
			taker_check(&all, s, &all.of[i]);
	}
	none_check(&all, SECTION_INPUT, "there is nothing to read");
	none_check(&all, SECTION_OUTPUT, "nothing would be delivered");
	routes_free(&all);
}
