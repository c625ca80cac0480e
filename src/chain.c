/*
 * From the text of a framed record to a record that can be encoded: its time,
 * the fields of the agent's grammar and of a configured parser, the changes by
 * filters.  No files, no network, no allocation for a record but from its
 * arena.
 */
#include "chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent_conf.h"
#include "clock.h"
#include "encoding.h"
#include "filter.h"
#include "filtering.h"
#include "firstline.h"
#include "joins.h"
#include "parser.h"
#include "pattern.h"
#include "rehearsal.h"
#include "timestamp.h"
#include "voice.h"

/* The memory of one record beyond the read buffer: unescaped text, decimals, field names. */
#define ARENA_SIZE (256u << 10)

struct chain {
	struct agent_words *words;
	const struct service *service;
	const struct conf *conf;
	struct filter **filters;
	size_t nfilters;
	struct parser **parsers;
	size_t nparsers;
	struct joins *joins;
	struct arena arena;
	struct filtering *filtering; /* the filters' way where one of them … */
	bool changes;                /* … changes fields or tags */
	struct agent_line line;
	bool line_read;
	bool keeps;        /* of the record that was made last */
	unsigned failures; /* of the last record: 1 << enum parse_failure */
	const struct filter *dropped_by;
	const struct source
	    *made; /* of the record that was made last, with no copies; NULL: none */
};

struct source {
	struct parser *parser; /* of the input, when it is not the runtime's format */
	struct filter **filters;
	size_t nfilters;
	struct slice tag;
	struct firstline multiline; /* first: NULL without Multiline, else the parser */
	int64_t last_time; /* of the last record that had a time: a line without a time takes it */
	int time_offset;   /* s, of a line's time that names no zone */
	struct document_rules rules; /* the names of its documents' fields */
	struct field path;           /* Path_Key; name.len 0: not configured */
	struct slice offset_key;     /* Offset_Key; empty: not configured */
};

/* ---- start */

static struct parser *
parser_find(void *arg, const char *name)
{
	struct chain *c = arg;

	for (size_t i = 0; i < c->nparsers; i++) {
		if (strcmp(parser_name(c->parsers[i]), name) == 0)
			return c->parsers[i];
	}
	return NULL;
}

static int
words_make(struct chain *c, const struct conf *conf)
{
	struct findings *findings = findings_new();
	bool wrong;

	c->words = agent_conf_load(c->service, conf->file, findings);
	findings_print(findings, FINDING_WARNING, stderr);
	wrong = findings_count(findings, FINDING_ERROR) > 0;
	findings_free(findings);
	return wrong ? -1 : 0;
}

static int
parsers_make(struct chain *c, const struct conf *conf)
{
	char why[256];

	c->parsers = xcalloc(conf->n, sizeof(struct parser *));
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];
		struct parser *p;

		if (s->plugin->kind != SECTION_PARSER)
			continue;
		p = parser_section_new(s, why, sizeof(why));
		if (p == NULL) {
			say_error("conf", "%s:%u: %s", s->file, s->line, why);
			return -1;
		}
		c->parsers[c->nparsers++] = p;
	}
	return 0;
}

static int
filters_make(struct chain *c, const struct conf *conf)
{
	struct filter_world world = { parser_find, c, conf->file, &c->failures };

	c->filters = xcalloc(conf->n, sizeof(struct filter *));
	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].plugin->kind != SECTION_FILTER ||
		    conf->sections[i].plugin == &multiline_filter_plugin)
			continue;
		c->filters[c->nfilters] = filter_new(&conf->sections[i], &world);
		if (c->filters[c->nfilters] == NULL)
			return -1;
		c->changes |= filter_reshapes(c->filters[c->nfilters]);
		c->nfilters++;
	}
	c->filtering = filtering_new(c->filters, c->nfilters, c->service->filter_memory);
	return 0;
}

/*
 * Inputs whose Parser reads a runtime's form under a name of its own: `containerd`,
 * `docker_no_time`.  A parser of JSON may have other lines, too.
 */
static void
inputs_settle(struct chain *c, const struct conf *conf)
{
	static char cri[] = "cri";

	for (size_t i = 0; i < conf->n; i++) {
		struct tail_conf *in = conf->sections[i].values;
		struct parser *p;

		if (conf->sections[i].plugin != &tail_plugin || in->multiline_on ||
		    tail_reads_runtime(in))
			continue;
		p = parser_find(c, in->parser);
		switch (p == NULL ? FORM_OTHER : parser_form(p)) {
		case FORM_CRI:
			in->parser = cri;
			break;
		case FORM_DOCKER:
			in->docker_too = true;
			break;
		case FORM_OTHER:
			break;
		}
	}
}

/* The encodings of inputs, which are opened before files are given up. */
static void
encodings_make(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		struct tail_conf *in = conf->sections[i].values;

		if (conf->sections[i].plugin == &tail_plugin && in->encoding_name != NULL)
			in->encoding = encoding_new(in->encoding_name);
	}
}

static void
encodings_free(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		struct tail_conf *in = conf->sections[i].values;

		if (conf->sections[i].plugin != &tail_plugin)
			continue;
		encoding_free(in->encoding);
		in->encoding = NULL;
	}
}

struct chain *
chain_new(const struct conf *conf, const struct service *service)
{
	struct chain *c = xcalloc(1, sizeof(*c));

	c->conf = conf;
	c->service = service;
	arena_init(&c->arena, ARENA_SIZE);
	if (words_make(c, conf) < 0 || parsers_make(c, conf) < 0 || filters_make(c, conf) < 0 ||
	    (c->joins = joins_new(conf)) == NULL) {
		chain_free(c);
		return NULL;
	}
	inputs_settle(c, conf);
	encodings_make(conf);
	return c;
}

void
chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nfilters; i++)
		filter_free(c->filters[i]);
	for (size_t i = 0; i < c->nparsers; i++)
		parser_free(c->parsers[i]);
	free(c->filters);
	free(c->parsers);
	joins_free(c->joins);
	encodings_free(c->conf);
	agent_words_free(c->words);
	filtering_free(c->filtering);
	arena_fini(&c->arena);
	free(c);
}

/* ---- a stream begins */

static bool
is_agent(const struct service *s, const struct pod *pod)
{
	char *name = xslicedup(pod->pod_name), *container = xslicedup(pod->container_name);
	bool is = service_is_agent(s, name, container);

	free(name);
	free(container);
	return is;
}

/* The agent that an option names, of a file that is no pod's; NULL: none does. */
static struct pod *
agent_elsewhere(const struct source *s, const char *path)
{
	for (size_t i = 0; i < s->nfilters; i++) {
		const struct kubernetes_conf *k = filter_kubernetes(s->filters[i]);

		if (k != NULL && k->agent != NULL)
			return pod_elsewhere(k->agent, path,
			    (const char *const *)k->agent_labels.at, k->agent_labels.n);
	}
	return NULL;
}

static void
multiline_settle(struct chain *c, struct source *s, const struct tail_conf *in)
{
	struct firstline *m = &s->multiline;

	s->parser = m->first = parser_find(c, in->parser_firstline);
	m->further = xcalloc(in->parsers_further.n, sizeof(struct parser *));
	for (size_t i = 0; i < in->parsers_further.n; i++) {
		m->further[m->nfurther] = parser_find(c, in->parsers_further.at[i]);
		m->nfurther += m->further[m->nfurther] != NULL;
	}
}

struct source *
chain_source_new(struct chain *c, struct stream *stream)
{
	struct source *s = xcalloc(1, sizeof(*s));
	const struct tail_conf *in = stream->conf;

	if (in->multiline_on)
		multiline_settle(c, s, in);
	else if (in->parser != NULL && (in->docker_too || !tail_reads_runtime(in)))
		s->parser = parser_find(c, in->parser);
	s->filters = xcalloc(c->nfilters, sizeof(struct filter *));
	for (size_t i = 0; i < c->nfilters; i++) {
		if (filter_matches(c->filters[i], slice_of(stream->tag)) &&
		    !(stream->conf->has_fields && filter_kubernetes(c->filters[i]) != NULL))
			s->filters[s->nfilters++] = c->filters[i];
	}
	s->rules = document_rules_default();
	chain_rules(c, stream, &s->rules);
	if (stream->pod == NULL && !stream->conf->has_fields)
		stream->pod = agent_elsewhere(s, tail_shown(in, stream->path));
	stream->agent =
	    stream->pod != NULL && (!pod_has_uid(stream->pod) || is_agent(c->service, stream->pod));
	s->tag = slice_of(stream->tag);
	s->last_time = in->from.below != NULL ? REHEARSAL_TIME : clock_wall();
	if (in->time_offset != NULL)
		(void)timestamp_offset(in->time_offset, &s->time_offset);
	if (in->path_key != NULL) {
		s->path = (struct field){ .name = slice_of(in->path_key),
			.value = slice_of(tail_shown(in, stream->path)) };
	}
	s->offset_key = slice_of(in->offset_key);
	return s;
}

void
chain_names(struct source *s, const struct document_rules *rules)
{
	s->rules = *rules;
}

bool
chain_has(const struct source *s, const struct plugin *filter)
{
	for (size_t i = 0; i < s->nfilters; i++) {
		if (filter_plugin(s->filters[i]) == filter)
			return true;
	}
	return false;
}

/* The name log_parsed is towline's own, with its own form and mapping. */
static void
merge_rules(const struct kubernetes_conf *k, struct document_rules *rules)
{
	rules->parsed_key = slice_of(k->merge_log_key);
	rules->merged = !slice_eq(rules->parsed_key, SLICE("log_parsed"));
}

void
chain_rules(const struct chain *c, const struct stream *stream, struct document_rules *rules)
{
	const struct kubernetes_conf *k;

	if (stream->conf->key != NULL)
		rules->log_key = slice_of(stream->conf->key);
	for (size_t i = 0; i < c->nfilters; i++) {
		k = filter_kubernetes(c->filters[i]);
		if (k != NULL && k->merge_log_key != NULL &&
		    filter_matches(c->filters[i], slice_of(stream->tag)))
			merge_rules(k, rules);
	}
}

const char *
chain_parser(const struct source *s)
{
	return s->parser != NULL ? parser_name(s->parser) : NULL;
}

void
chain_source_free(struct source *s)
{
	if (s == NULL)
		return;
	free(s->filters);
	free(s->multiline.further);
	free(s);
}

/* ---- a record */

/* The configured parser of an input that is not the runtime's format. */
static void
parser_apply(struct chain *c, struct source *s, struct record *r)
{
	struct field fields[RECORD_FIELDS];
	int64_t near = r->time != 0 ? r->time : s->last_time, time = near;
	bool whole = true;
	int n = s->multiline.first != NULL
		    ? firstline_run(&s->multiline, r->log, &c->arena, fields, &time, &whole)
		    : parser_run(s->parser, r->log, &c->arena, fields, RECORD_FIELDS, &time);

	if (n < 0) {
		c->failures |= 1u << FAILURE_PARSER;
		return;
	}
	r->has_log = !whole;
	if (!filter_put(r, fields, n, &c->arena) || n == RECORD_FIELDS) {
		r->has_log = true; /* the text has more, perhaps */
		c->failures |= 1u << FAILURE_FIELDS;
	}
	if (time != near)
		r->time = time;
}

/* The time of a line's header; a zone may stand behind it. */
static struct slice
time_of(const struct agent_line *line, struct slice text)
{
	struct slice time = line->timestamp.value;

	if (time.len > 0 && time.at >= text.at && time.at + time.len <= text.at + text.len &&
	    text.at[0] != '{')
		time.len = (size_t)(text.at + text.len - time.at);
	return time;
}

/* A line without the runtime's time takes the time in its text, else the last time of its stream. */
static void
time_settle(struct chain *c, struct source *s, struct record *r)
{
	if (r->time == 0 && c->line_read)
		(void)timestamp_line(time_of(&c->line, r->log), s->time_offset, &r->time);
	if (r->time == 0)
		r->time = s->last_time;
	else
		s->last_time = r->time;
}

static void
offset_put(struct chain *c, const struct source *s, const struct framed *f, struct record *r)
{
	char *text = arena_take(&c->arena, 24);

	if (text == NULL)
		return;
	r->fields[r->nfields++] = (struct field){ .name = s->offset_key,
		.value = { text, (size_t)snprintf(text, 24, "%" PRIu64, f->id.offset) },
		.kind = VALUE_JSON };
}

/* The members of a record that do not depend on its text. */
static void
record_begin(struct chain *c, const struct source *s, const struct framed *f, struct record *r)
{
	arena_reset(&c->arena);
	c->failures = 0;
	r->time = f->time;
	r->time_text = f->time_text;
	r->side = f->side;
	r->partial = f->partial;
	r->truncated = f->truncated;
	r->has_log = !f->stream->conf->has_fields;
	r->log = f->text;
	r->log_key = s->rules.log_key;
	r->tag = s->tag;
	r->place = (struct record_place){ f->stream, &f->id, f->fresh };
	r->parsed = NULL;
	r->pod = NULL;
	r->nfields = 0;
	r->shape = NULL;
	r->retag.what = RETAG_NOT;
	r->retag.given = 0;
	for (int i = 0; i < f->nfields; i++)
		r->fields[r->nfields++] = f->fields[i];
	if (s->path.name.len > 0)
		r->fields[r->nfields++] = s->path;
	if (s->offset_key.len > 0)
		offset_put(c, s, f, r);
}

static void
text_read(struct chain *c, struct source *s, const struct framed *f, struct record *r)
{
	record_begin(c, s, f, r);
	if (s->parser != NULL && r->time_text.len == 0)
		parser_apply(c, s, r);
	c->line_read = r->has_log && (f->stream->agent || s->nfilters > 0 || r->time == 0);
	if (c->line_read) {
		agent_parse(c->words, f->text, &c->arena, &c->line);
		c->failures |= c->line.failures;
	}
}

/* Filters of which some change fields or tags. */
static const struct filter *
changes_run(struct chain *c, const struct source *s, const struct framed *f, struct record *r)
{
	const struct filtering_of of = { s->filters, s->nfilters, &s->rules, &c->line,
		f->stream->pod, &c->arena };

	return filtering_run(c->filtering, &of, r, &c->failures);
}

/* An expression of a filter that is given up on a text has read nothing of it. */
static bool
filters_run(struct chain *c, struct source *s, const struct framed *f, struct record *r)
{
	unsigned long long overruns = atomic_load_explicit(&pattern_overruns, memory_order_relaxed);

	c->dropped_by = c->changes ? changes_run(c, s, f, r) : NULL;
	for (size_t i = 0; !c->changes && i < s->nfilters && c->dropped_by == NULL; i++) {
		if (!filter_run(s->filters[i], r, &c->line, f->stream->pod, &c->arena))
			c->dropped_by = s->filters[i];
	}
	if (atomic_load_explicit(&pattern_overruns, memory_order_relaxed) != overruns)
		c->failures |= 1u << FAILURE_PARSER;
	return c->dropped_by == NULL;
}

/* Filters that change fields know the names of a document's. */
static bool
is_alike(const struct chain *c, const struct document_rules *a, const struct document_rules *b)
{
	return !c->changes ||
	       (slice_eq(a->time_key, b->time_key) && slice_eq(a->log_key, b->log_key) &&
		   slice_eq(a->tag_key, b->tag_key) && slice_eq(a->parsed_key, b->parsed_key) &&
		   a->merged == b->merged);
}

void
chain_read(struct chain *c, struct source *s, const struct framed *f, struct record *r)
{
	c->made = NULL;
	if (c->changes)
		filtering_first(c->filtering);
	text_read(c, s, f, r);
	(void)filters_run(c, s, f, r);
}

void
chain_next(struct chain *c)
{
	c->made = NULL;
}

const struct source *
chain_made(const struct chain *c, const struct source *s)
{
	return c->made != s && c->made != NULL && is_alike(c, &c->made->rules, &s->rules) ? c->made
											  : NULL;
}

bool
chain_run(struct chain *c, struct source *s, const struct framed *f, struct record *r)
{
	const struct source *made = f->offered > 0 ? chain_made(c, s) : NULL;

	if (made != NULL) {
		s->last_time = made->last_time;
		r->place.fresh = f->fresh;
		return c->keeps;
	}
	if (c->changes)
		filtering_first(c->filtering);
	text_read(c, s, f, r);
	time_settle(c, s, r);
	c->dropped_by = NULL;
	c->keeps = (f->text.len > 0 || !f->stream->conf->skip_empty) && filters_run(c, s, f, r);
	c->made = chain_copies(c) ? NULL : s;
	return c->keeps;
}

bool
chain_copies(const struct chain *c)
{
	return c->changes && filtering_copies(c->filtering);
}

bool
chain_copy(struct chain *c, struct source *s, const struct framed *f, struct record *r)
{
	c->made = NULL;
	filtering_next(c->filtering);
	text_read(c, s, f, r);
	time_settle(c, s, r);
	return filters_run(c, s, f, r);
}

const struct agent_line *
chain_line(const struct chain *c)
{
	return c->line_read ? &c->line : NULL;
}

const struct filter *
chain_dropped_by(const struct chain *c)
{
	return c->dropped_by;
}

unsigned
chain_failures(const struct chain *c)
{
	return c->failures;
}
