/* Rules that join lines, from the sections that have them to the inputs. */
#include "joins.h"

#include <stdlib.h>

#include "clock.h"
#include "filter.h"
#include "memory.h"
#include "multiline.h"
#include "pattern.h"
#include "service.h"
#include "tail.h"
#include "voice.h"

/* The rules of one input. */
struct given {
	struct tail_join *at;
	size_t n;
};

struct joins {
	struct given *inputs;
	size_t n;
	struct pattern **patterns; /* of Match_Regex */
	size_t npatterns;
};

static const struct section *
section_named(const struct conf *conf, enum section_kind kind, const char *name)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		/* The name is first in the struct of either kind. */
		if (s->plugin->kind == kind && *(char *const *)s->values != NULL &&
		    strcmp(*(char *const *)s->values, name) == 0)
			return s;
	}
	return NULL;
}

/* The rules of the parsers of `names` that are no built-in ones.  False after saying why. */
static bool
rules_of(const struct conf *conf, const struct list *names, struct tail_join *join)
{
	struct buffer text;
	char why[256];
	bool good = true;

	buffer_init(&text, 0);
	for (size_t i = 0; good && i < names->n; i++) {
		const struct section *s =
		    section_named(conf, SECTION_MULTILINE_PARSER, names->at[i]);
		const struct multiline_conf *m = s != NULL ? s->values : NULL;

		if (s == NULL)
			continue;
		good = multiline_section_rules(s, &text, why, sizeof(why));
		if (!good)
			say_error("conf", "%s:%u: multiline parser '%s': %s", s->file, s->line,
			    m->name, why);
		join->flush = m->flush > join->flush ? m->flush : join->flush;
	}
	join->text = text.len > 0 ? xslicedup(buffer_slice(&text)) : NULL;
	buffer_fini(&text);
	return good;
}

static void
gather(struct given *g, const struct tail_join *join)
{
	if (join->text == NULL)
		return;
	g->at = xrealloc(g->at, (g->n + 1) * sizeof(*g->at));
	g->at[g->n++] = *join;
}

/* Those of a [FILTER] multiline.  False after saying why. */
static bool
filter_gather(struct joins *j, const struct conf *conf, struct given *g, const struct section *s)
{
	const struct multiline_filter_conf *m = s->values;
	struct tail_join join = { .match = m->common.match, .flush = m->flush };
	char why[256];

	if (!rules_of(conf, &m->parsers, &join))
		return false;
	if (m->common.match_regex != NULL && join.text != NULL) {
		join.match_regex = pattern_new(m->common.match_regex, why, sizeof(why));
		if (join.match_regex == NULL) {
			say_error("filter", "%s:%u: Match_Regex: %s", s->file, s->line, why);
			free(join.text);
			return false;
		}
		j->patterns = xrealloc(j->patterns, (j->npatterns + 1) * sizeof(*j->patterns));
		j->patterns[j->npatterns++] = join.match_regex;
	}
	gather(g, &join);
	return true;
}

/* The option of tail that tells the first line of a record, and its [PARSER]; NULL: none does. */
static const char *
firstline_of(const struct tail_conf *in, const char **option)
{
	*option = in->multiline_on ? "Parser_Firstline" : "Docker_Mode_Parser";
	if (in->multiline_on)
		return in->parser_firstline;
	return in->docker_mode ? in->docker_firstline : NULL;
}

/* A line that the parser reads begins a record. */
static void
firstline_gather(const struct conf *conf, struct given *g, const struct tail_conf *in)
{
	const char *option, *name = firstline_of(in, &option);
	const struct section *s = name ? section_named(conf, SECTION_PARSER, name) : NULL;
	const struct parser_conf *parser = s != NULL ? s->values : NULL;
	struct tail_join join = { 0 };
	struct buffer text;

	if (parser == NULL || parser->regex == NULL)
		return; /* check() has said so */
	if (in->multiline_on)
		join.flush = in->multiline_wait / NS_PER_MS;
	buffer_init(&text, 0);
	multiline_word(&text, SLICE("first"));
	multiline_word(&text, slice_of(parser->regex));
	join.text = xslicedup(buffer_slice(&text));
	buffer_fini(&text);
	gather(g, &join);
}

/* All of one input, its own first.  False after saying why. */
static bool
input_settle(struct joins *j, const struct conf *conf, struct tail_conf *in)
{
	struct given *g;
	struct tail_join join = { 0 };
	bool good = rules_of(conf, &in->multiline, &join);

	j->inputs = xrealloc(j->inputs, (j->n + 1) * sizeof(*j->inputs));
	g = &j->inputs[j->n++];
	*g = (struct given){ 0 };
	firstline_gather(conf, g, in);
	gather(g, &join);
	for (size_t i = 0; good && i < conf->n; i++)
		if (conf->sections[i].plugin == &multiline_filter_plugin)
			good = filter_gather(j, conf, g, &conf->sections[i]);
	in->joins = g->at;
	in->njoins = g->n;
	return good;
}

struct joins *
joins_new(const struct conf *conf)
{
	struct joins *j = xcalloc(1, sizeof(*j));

	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].plugin == &tail_plugin &&
		    !input_settle(j, conf, conf->sections[i].values)) {
			joins_free(j);
			return NULL;
		}
	}
	return j;
}

void
joins_free(struct joins *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n; i++) {
		for (size_t k = 0; k < j->inputs[i].n; k++)
			free(j->inputs[i].at[k].text);
		free(j->inputs[i].at);
	}
	for (size_t i = 0; i < j->npatterns; i++)
		pattern_free(j->patterns[i]);
	free(j->inputs);
	free(j->patterns);
	free(j);
}

/* ---- checks */

/* True when a record of some [INPUT] tail may have a tag that the filter matches. */
static bool
reaches_files(const struct conf *conf, const struct multiline_filter_conf *m)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct tail_conf *in = conf->sections[i].values;

		if (conf->sections[i].plugin != &tail_plugin)
			continue;
		if (m->common.match == NULL || in->input.tag == NULL ||
		    strchr(in->input.tag, '*') != NULL ||
		    conf_match(m->common.match, slice_of(in->input.tag)))
			return true;
	}
	return false;
}

/* Only an expression tells a record's first line from others. */
static void
firstline_check(const struct conf *conf, const struct section *s, struct findings *findings)
{
	const char *option, *name = firstline_of(s->values, &option);
	const struct section *p = name ? section_named(conf, SECTION_PARSER, name) : NULL;

	if (p != NULL && ((const struct parser_conf *)p->values)->regex == NULL)
		findings_add(findings, FINDING_ERROR, s->file, conf_given(s, option),
		    "%s '%s' has no Regex, by which the first line of a record is told", option,
		    name);
}

void
joins_check(const struct conf *conf, struct findings *findings)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin == &tail_plugin)
			firstline_check(conf, s, findings);
		if (s->plugin == &multiline_filter_plugin && !reaches_files(conf, s->values))
			findings_add(findings, FINDING_WARNING, s->file, s->line,
			    "[FILTER] multiline joins nothing: only lines of [INPUT] tail are "
			    "joined, and it matches the tag of none");
	}
}
