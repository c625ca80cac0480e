/*
 * conf_read: from files to sections that are filled and checked.
 *
 *	grammar (blocks) -> section -> table (values) -> the plugin's check
 *	-> parsers' files, the same way -> check (between sections)
 */
#include "read.h"

#include <string.h>
#include <strings.h>

#include "grammar.h"
#include "service.h"
#include "table.h"

#define NAMES_MAX 256

/* ---- the plugin of a block */

static int
kind_of(const char *name)
{
	for (int kind = 0; kind < SECTION_KINDS; kind++)
		if (strcasecmp(name, table_section_names[kind]) == 0)
			return kind;
	return -1;
}

const char *
read_value(const struct conf_block *b, const char *key, unsigned *line)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcasecmp(b->entries[i].key, key) == 0) {
			*line = b->entries[i].line;
			return b->entries[i].value;
		}
	}
	return NULL;
}

static void
plugin_unknown(
    struct reading *r, const struct conf_block *b, int kind, const char *name, unsigned line)
{
	const char *names[NAMES_MAX], *meant;
	char shown[FINDINGS_NAME];
	size_t n = 0;

	for (size_t i = 0; r->registry->plugins[i] != NULL && n < NAMES_MAX; i++) {
		const struct plugin *p = r->registry->plugins[i];

		if (p->name == NULL)
			continue;
		if ((int)p->kind == kind) {
			names[n++] = p->name;
		} else if (strcasecmp(p->name, name) == 0) {
			findings_add(r->findings, FINDING_ERROR, b->file, line,
			    "'%s' is a plugin of [%s], not of [%s]", name,
			    table_section_names[p->kind], table_section_names[kind]);
			return;
		}
	}
	meant = findings_nearest(name, names, n);
	findings_add(r->findings, FINDING_ERROR, b->file, line, "no plugin '%s' for [%s]%s%s%s",
	    findings_name(slice_of(name), shown), table_section_names[kind],
	    meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static bool
is_name(const struct plugin *p, const char *name)
{
	return strcasecmp(p->name, name) == 0 ||
	       (p->also != NULL && strcasecmp(p->also, name) == 0);
}

static const struct plugin *
plugin_lookup(const struct registry *registry, int kind, const char *name)
{
	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct plugin *p = registry->plugins[i];

		if ((int)p->kind == kind && (p->name == NULL || (name != NULL && is_name(p, name))))
			return p;
	}
	return NULL;
}

static bool
has_plugins(int kind)
{
	return kind == SECTION_INPUT || kind == SECTION_FILTER || kind == SECTION_OUTPUT;
}

/* The block's plugin, or NULL after a finding. */
static const struct plugin *
plugin_find(struct reading *r, const struct conf_block *b, int kind)
{
	const struct plugin *p;
	const char *name = NULL;
	unsigned line = b->line;

	if (has_plugins(kind)) {
		name = read_value(b, "Name", &line);
		if (name == NULL) {
			findings_add(r->findings, FINDING_ERROR, b->file, b->line,
			    "[%s] has no Name; it says which plugin this is", b->name);
			return NULL;
		}
	}
	p = plugin_lookup(r->registry, kind, name);
	if (p == NULL)
		plugin_unknown(r, b, kind, name ? name : "", line);
	return p;
}

/* ---- sections */

static struct section *
section_add(struct reading *r, const struct plugin *plugin, const char *file, unsigned line)
{
	struct conf *c = r->conf;

	c->sections = pool_grow(r->pool, c->sections, c->n, sizeof(*c->sections));
	c->sections[c->n] = (struct section){ .plugin = plugin, .file = file, .line = line };
	return &c->sections[c->n++];
}

static void
unbuilt_add(struct reading *r, const char *name, const struct conf_block *b, bool multiline)
{
	r->unbuilt = pool_grow(r->pool, r->unbuilt, r->nunbuilt, sizeof(*r->unbuilt));
	r->unbuilt[r->nunbuilt++] = (struct unbuilt){ name, b->file, b->line, multiline };
}

static const struct section *
parser_defined(const struct conf *c, int kind, const char *name, const struct section *before)
{
	for (const struct section *s = c->sections; s != before; s++) {
		if ((int)s->plugin->kind == kind) {
			const char *other = *(char *const *)s->values; /* the first member */

			if (other != NULL && name != NULL && strcmp(other, name) == 0)
				return s;
		}
	}
	return NULL;
}

/*
 * A parser that was read.  Stock files define many that no section uses: a
 * parser that cannot be used is put aside, and is a mistake only where a
 * section names it.
 */
static void
parser_settle(struct reading *r, const struct conf_block *b, bool built)
{
	struct section *s = &r->conf->sections[r->conf->n - 1];
	const char *name = *(char *const *)s->values; /* the first member of either kind */
	bool multiline = s->plugin->kind == SECTION_MULTILINE_PARSER;
	const struct section *first = parser_defined(r->conf, (int)s->plugin->kind, name, s);

	if (first != NULL)
		findings_add(r->findings, FINDING_WARNING, b->file, b->line,
		    "%sparser '%s' is defined twice; the one at %s:%u counts",
		    multiline ? "multiline " : "", name, first->file, first->line);
	else if (!built && name != NULL)
		unbuilt_add(r, name, b, multiline);
	else
		return;
	r->conf->n--;
}

/* A further [SERVICE] goes on with the first one.  False: there is none. */
static bool
service_more(struct reading *r, const struct plugin *p, const struct conf_block *b)
{
	for (size_t i = 0; i < r->conf->n; i++) {
		struct section *first = &r->conf->sections[i], here = *first;

		if (first->plugin != p)
			continue;
		findings_add(r->findings, FINDING_NOTE, b->file, b->line,
		    "a further [SERVICE]: its keys count with those of the one at %s:%u",
		    first->file, first->line);
		here.file = b->file; /* of its mistakes; values and lines are the first one's */
		table_more(r->pool, r->registry, b, &here, r->findings);
		return true;
	}
	return false;
}

static void
block_take(struct reading *r, const struct conf_block *b, bool parsers_only)
{
	int kind = kind_of(b->name);
	char shown[FINDINGS_NAME];
	const char *meant;
	const struct plugin *p;
	struct section *s;
	bool built;

	if (kind < 0) {
		meant = findings_nearest(b->name, table_section_names, SECTION_KINDS);
		findings_add(r->findings, FINDING_ERROR, b->file, b->line, "no section [%s]%s%s%s",
		    findings_name(slice_of(b->name), shown), meant ? "; did you mean [" : "",
		    meant ? meant : "", meant ? "]?" : "");
		if (meant != NULL)
			r->incomplete[kind_of(meant)] = true;
		return;
	}
	if (parsers_only && kind != SECTION_PARSER && kind != SECTION_MULTILINE_PARSER) {
		findings_add(r->findings, FINDING_ERROR, b->file, b->line,
		    "[%s] in a parsers' file; only [PARSER] and [MULTILINE_PARSER] belong there",
		    table_section_names[kind]);
		return;
	}
	p = plugin_find(r, b, kind);
	if (p == NULL) {
		r->incomplete[kind] = true;
		return;
	}
	if (p->later && p->name != NULL) {
		skipped_add(r, p, b);
		return;
	}
	if (kind == SECTION_SERVICE && service_more(r, p, b))
		return;
	s = section_add(r, p, b->file, b->line);
	built = table_fill(r->pool, r->registry, b, s, r->findings);
	if (conf_unknown(s, "Parsers_File", r->findings))
		r->incomplete[SECTION_PARSER] = r->incomplete[SECTION_MULTILINE_PARSER] = true;
	if (conf_unknown(s, "Name", r->findings)) /* a parser's */
		r->incomplete[kind] = true;
	if (kind == SECTION_PARSER || kind == SECTION_MULTILINE_PARSER)
		parser_settle(r, b, built);
}

/* A section that no file has. */
static void
section_implied(struct reading *r, int kind, struct conf_entry *entries, size_t n)
{
	const struct plugin *p = plugin_lookup(r->registry, kind, NULL);
	struct conf_block b = { .entries = entries, .n = n };
	struct section *s;

	if (p == NULL || p->later)
		return;
	s = section_add(r, p, kind == SECTION_SERVICE ? r->conf->file : "(built in)", 0);
	table_fill(r->pool, r->registry, &b, s, r->findings);
}

/* The names of the runtimes' formats and of JSON, which need no definition in a file. */
static void
parsers_implied(struct reading *r)
{
	static char cri[] = "cri", json[] = "json", docker[] = "docker";
	static char name[] = "Name", format[] = "Format";
	struct conf_entry entries[][2] = {
		{ { name, cri, 1 }, { format, cri, 1 } },
		{ { name, json, 1 }, { format, json, 1 } },
		{ { name, docker, 1 }, { format, json, 1 } },
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		if (parser_defined(r->conf, SECTION_PARSER, entries[i][0].value,
			r->conf->sections + r->conf->n) == NULL)
			section_implied(r, SECTION_PARSER, entries[i], 2);
}

struct conf *
conf_read(const char *path, const struct registry *registry, struct findings *findings)
{
	struct reading r = { .registry = registry, .findings = findings };
	struct conf_blocks blocks = { 0 };
	struct grammar *g;
	size_t own;
	bool read;

	r.pool = pool_new();
	r.conf = pool_take(r.pool, sizeof(*r.conf));
	r.conf->owned = r.pool;
	r.conf->file = pool_text(r.pool, slice_of(path));
	g = grammar_new(r.pool, r.conf->file, findings);
	read = grammar_read(g, path, &blocks) == 0;
	r.conf->inside = grammar_inside(g);
	for (int kind = 0; kind < SECTION_KINDS; kind++)
		r.incomplete[kind] = grammar_missed(g);
	for (size_t i = 0; i < blocks.n; i++)
		block_take(&r, &blocks.at[i], false);
	if (service_of(r.conf) == NULL)
		section_implied(&r, SECTION_SERVICE, NULL, 0);
	own = blocks.n;
	parsers_files_read(&r, g, &blocks);
	r.incomplete[SECTION_PARSER] |= grammar_missed(g);
	for (size_t i = own; i < blocks.n; i++)
		block_take(&r, &blocks.at[i], true);
	parsers_implied(&r);
	for (size_t i = 0; i < r.conf->n; i++) {
		const struct section *s = &r.conf->sections[i];

		if (s->plugin->check != NULL)
			s->plugin->check(s, findings);
	}
	skipped_check(&r);
	if (read)
		check_sections(&r);
	if (read && registry->check != NULL)
		registry->check(r.conf, findings);
	grammar_free(g);
	return r.conf;
}

void
conf_free(struct conf *conf)
{
	if (conf != NULL)
		pool_free(conf->owned);
}
