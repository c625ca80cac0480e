/*
 * A section's entries, by its plugin's option table, into its plugin's struct.
 * Mistakes of single entries are found here; those that show between sections
 * in check.c.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "value.h"

const char *const table_section_names[] = {
	[SECTION_SERVICE] = "SERVICE",
	[SECTION_INPUT] = "INPUT",
	[SECTION_FILTER] = "FILTER",
	[SECTION_OUTPUT] = "OUTPUT",
	[SECTION_PARSER] = "PARSER",
	[SECTION_MULTILINE_PARSER] = "MULTILINE_PARSER",
};

/* Names to choose a suggestion from. */
#define NAMES_MAX 512

static size_t
rows_count(const struct option *o)
{
	size_t n = 0;

	while (o != NULL && o[n].name != NULL)
		n++;
	return n;
}

size_t
table_rows(const struct plugin *p)
{
	return rows_count(p->options) + rows_count(p->common);
}

const struct option *
table_row(const struct plugin *p, size_t row)
{
	size_t own = rows_count(p->options);

	if (row < own)
		return &p->options[row];
	return row - own < rows_count(p->common) ? &p->common[row - own] : NULL;
}

static bool
row_takes(const struct option *o, const char *key)
{
	size_t len = strlen(o->name);

	if (len > 1 && o->name[len - 1] == '*')
		return strncasecmp(o->name, key, len - 1) == 0;
	return strcasecmp(o->name, key) == 0;
}

int
table_find(const struct plugin *p, const char *key)
{
	const struct option *const parts[] = { p->options, p->common };
	int row = 0;

	for (size_t i = 0; i < 2; i++)
		for (const struct option *o = parts[i]; o != NULL && o->name != NULL; o++, row++)
			if (row_takes(o, key))
				return row;
	return -1;
}

const char *
table_title(const struct plugin *p, char to[TABLE_TITLE])
{
	snprintf(to, TABLE_TITLE, "[%s]%s%s", table_section_names[p->kind], p->name ? " " : "",
	    p->name ? p->name : "");
	return to;
}

/* ---- an unknown key */

/* The other plugin that has the option ${key}; one of the same kind first. */
static const struct plugin *
owner_find(const struct registry *registry, const struct plugin *asked, const char *key)
{
	const struct plugin *other = NULL;

	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct plugin *p = registry->plugins[i];

		if (p == asked || table_find(p, key) < 0)
			continue;
		if (p->kind == asked->kind)
			return p;
		if (other == NULL)
			other = p;
	}
	return other;
}

/* Fluent Bit passes over unknown keys of these; those of a plugin stop its start. */
static bool
is_passed_over(const struct plugin *p)
{
	return p->kind == SECTION_SERVICE || p->kind == SECTION_PARSER;
}

static void
key_unknown(const struct registry *registry, const struct section *s, const struct conf_entry *e,
    struct findings *findings)
{
	bool passed = is_passed_over(s->plugin);
	enum finding kind = passed ? FINDING_NOTE : FINDING_ERROR;
	const char *names[NAMES_MAX], *meant, *over = passed ? ", passed over" : "";
	const struct plugin *owner;
	const struct option *o;
	char title[TABLE_TITLE], other[TABLE_TITLE], shown[FINDINGS_NAME];
	const char *key = findings_name(slice_of(e->key), shown);
	size_t n = 0;

	table_title(s->plugin, title);
	for (size_t i = 0; (o = table_row(s->plugin, i)) != NULL && n < NAMES_MAX; i++)
		names[n++] = o->name;
	meant = findings_nearest(e->key, names, n);
	owner = owner_find(registry, s->plugin, e->key);
	if (owner != NULL)
		findings_add(findings, kind, s->file, e->line,
		    "no option '%s' in %s%s; it belongs to %s", key, title, over,
		    table_title(owner, other));
	else if (meant != NULL)
		findings_add(findings, kind, s->file, e->line,
		    "no option '%s' in %s%s; did you mean '%s'?", key, title, over, meant);
	else
		findings_add(
		    findings, kind, s->file, e->line, "no option '%s' in %s%s", key, title, over);
}

/* ---- filling */

static bool
is_list(const struct option *o)
{
	return o->type == OPT_LIST || o->type == OPT_LINES;
}

static bool
is_stored(const struct option *o)
{
	return (o->flags & (OPT_LATER | OPT_IDLE)) == 0;
}

static void *
field(const struct section *s, const struct option *o)
{
	return (char *)s->values + o->where;
}

/* True when ${item} stands in quotes. */
static bool
is_quoted(struct slice item)
{
	return item.len > 1 && (item.at[0] == '"' || item.at[0] == '\'') &&
	       item.at[item.len - 1] == item.at[0];
}

/* The place of a # behind a blank; NULL: there is none. */
static const char *
comment_find(const char *value)
{
	const char *hash = value;

	while ((hash = strchr(hash, '#')) != NULL && (hash == value || !slice_is_blank(hash[-1])))
		hash++;
	return hash;
}

/* True when ${value}, or an element of the list that it is, stands in quotes. */
static bool
quotes_find(const struct option *o, const char *value)
{
	bool quoted = is_quoted(slice_of(value));

	while (o->type == OPT_LIST && *value != '\0' && !quoted) {
		size_t len = strcspn(value, ",");

		quoted = is_quoted(slice_trim((struct slice){ value, len }));
		value += len + (value[len] == ',');
	}
	return quoted;
}

/*
 * Nothing is taken off a value: quotes and what looks like a comment belong to
 * it, in Fluent Bit as well, where neither works.  The value is not shown, as it
 * may be a secret.  Return the value that was meant, so that one mistake makes
 * one finding.
 */
static const char *
value_meant(struct pool *pool, const struct section *s, const struct option *o,
    const struct conf_entry *e, struct findings *f)
{
	bool text = o->flags & (OPT_TEXT | OPT_SECRET) || o->type == OPT_LINES;
	enum finding kind = text ? FINDING_WARNING : FINDING_ERROR;
	const char *hash = comment_find(e->value);
	struct slice meant = slice_of(e->value);

	if (o->flags & OPT_VERBATIM)
		return e->value;
	if (hash != NULL) {
		findings_add(f, kind, s->file, e->line,
		    "%s: the # behind its value, and what follows, is part of it; a comment stands "
		    "on a line of its own",
		    o->name);
		meant = slice_trim_end((struct slice){ e->value, (size_t)(hash - e->value) });
	} else if (quotes_find(o, e->value)) {
		findings_add(f, kind, s->file, e->line,
		    "%s: the quotes are part of its value; leave them out", o->name);
		if (is_quoted(meant))
			meant = (struct slice){ meant.at + 1, meant.len - 2 };
	}
	return text ? e->value : pool_text(pool, meant);
}

/* The value of a list that several rows have in common, so that their order stays. */
static const char *
keyed(struct pool *pool, const struct option *o, const struct conf_entry *e)
{
	char *text = xprintf("%s %s", o->name, e->value);
	const char *kept = pool_text(pool, slice_of(text));

	free(text);
	return kept;
}

/* An option that is not built, at `off`, is as it is here: a note.  False: it is wanted. */
static bool
later_take(const struct section *s, const struct option *o, const struct conf_entry *e,
    struct findings *findings)
{
	bool on = true;
	char why[VALUE_WHY], title[TABLE_TITLE], shown[FINDINGS_NAME];
	const struct option truth = { .name = o->name, .type = OPT_BOOL };
	const char *key = findings_name(slice_of(e->key), shown);

	table_title(s->plugin, title);
	if (value_read(NULL, &truth, e->value, &on, why) && !on)
		findings_add(findings, FINDING_NOTE, s->file, e->line,
		    "'%s' of %s is not built yet, and off anyway", key, title);
	else
		findings_add(findings, FINDING_ERROR, s->file, e->line,
		    "option '%s' of %s is not built yet: %s", key, title, o->help);
	return !on;
}

/* The items of a list behind the first ${before} stand on ${line}. */
static void
items_settle(struct pool *pool, struct list *l, size_t before, unsigned line)
{
	for (size_t i = before; i < l->n; i++) {
		l->lines = pool_grow(pool, l->lines, i, sizeof(*l->lines));
		l->lines[i] = line;
	}
}

/* Of two entries of one key; in Fluent Bit as well, which refuses them in a plugin's section. */
static bool
first_counts(const struct plugin *p)
{
	return p->kind == SECTION_PARSER || p->kind == SECTION_MULTILINE_PARSER;
}

/* Read one entry, whose row is known.  False: its option is not built yet. */
static bool
entry_take(struct pool *pool, struct section *s, const struct option *o, unsigned *line,
    const struct conf_entry *e, struct findings *findings)
{
	char why[VALUE_WHY], title[TABLE_TITLE], shown[FINDINGS_NAME];
	const char *key = findings_name(slice_of(e->key), shown);
	const char *value = e->value;
	bool star = o->name[strlen(o->name) - 1] == '*', good;
	size_t before;

	table_title(s->plugin, title);
	if (o->flags & OPT_LATER)
		return later_take(s, o, e, findings);
	if (*line != 0 && !is_list(o) && first_counts(s->plugin)) {
		findings_add(findings, FINDING_WARNING, s->file, e->line,
		    "'%s' is given twice in %s: that in line %u counts, the first, and not this one",
		    key, title, *line);
		return true;
	}
	if (*line != 0 && !is_list(o) && !star)
		findings_add(findings, FINDING_WARNING, s->file, e->line,
		    "'%s' is given twice in %s: this one counts, and not that in line %u", key,
		    title, *line);
	if (*line == 0 && is_list(o) && is_stored(o) && (o->flags & OPT_KEYED) == 0)
		*(struct list *)field(s, o) = (struct list){ .n = 0 };
	*line = e->line;
	before = is_list(o) && is_stored(o) ? ((struct list *)field(s, o))->n : 0;
	if (o->flags & OPT_KEYED)
		value = keyed(pool, o, e);
	else if (is_stored(o))
		value = value_meant(pool, s, o, e, findings);
	good = value_read(pool, o, value, is_stored(o) ? field(s, o) : NULL, why);
	if (is_list(o) && is_stored(o))
		items_settle(pool, field(s, o), before, e->line);
	if (!good)
		findings_add(findings, FINDING_ERROR, s->file, e->line, "%s", why);
	else if (why[0] != '\0')
		findings_add(
		    findings, FINDING_WARNING, s->file, e->line, "%s, which is taken", why);
	else if (o->flags & OPT_IDLE)
		findings_add(findings, FINDING_NOTE, s->file, e->line,
		    "'%s' has no effect here: %s", key, o->help);
	return true;
}

static void
defaults_take(struct pool *pool, struct section *s)
{
	const struct option *o;
	char why[VALUE_WHY];

	for (size_t i = 0; (o = table_row(s->plugin, i)) != NULL; i++)
		if (o->value != NULL && is_stored(o))
			value_read(pool, o, o->value, field(s, o), why);
}

bool
table_more(struct pool *pool, const struct registry *registry, const struct conf_block *block,
    struct section *s, struct findings *findings)
{
	bool named = s->plugin->name == NULL; /* then Name, if any, is an option */
	bool built = true;

	for (size_t i = 0; block != NULL && i < block->n; i++) {
		const struct conf_entry *e = &block->entries[i];
		int row = table_find(s->plugin, e->key);

		if (!named && strcasecmp(e->key, "Name") == 0)
			continue;
		if (row < 0)
			key_unknown(registry, s, e, findings);
		else
			built &= entry_take(pool, s, table_row(s->plugin, (size_t)row),
			    &s->lines[row], e, findings);
	}
	return built;
}

bool
table_fill(struct pool *pool, const struct registry *registry, const struct conf_block *block,
    struct section *s, struct findings *findings)
{
	const struct option *o;
	char title[TABLE_TITLE];
	bool built;

	s->values = pool_take(pool, s->plugin->size);
	s->lines = pool_take(pool, (table_rows(s->plugin) + 1) * sizeof(*s->lines));
	defaults_take(pool, s);
	built = table_more(pool, registry, block, s, findings);
	for (size_t i = 0; (o = table_row(s->plugin, i)) != NULL; i++)
		if ((o->flags & OPT_NEEDED) && s->lines[i] == 0)
			findings_add(findings, FINDING_ERROR, s->file, s->line,
			    "%s has no %s; it needs one", table_title(s->plugin, title), o->name);
	return built;
}

/* ---- questions about a filled section */

unsigned
conf_given(const struct section *s, const char *name)
{
	int row = table_find(s->plugin, name);

	return row < 0 ? 0 : s->lines[row];
}

bool
conf_unknown(const struct section *s, const char *name, const struct findings *findings)
{
	return findings_settled(findings, s->file, conf_given(s, name));
}

const void *
conf_value(const struct section *s, const char *name)
{
	int row = table_find(s->plugin, name);
	const struct option *o = row < 0 ? NULL : table_row(s->plugin, (size_t)row);

	return o != NULL && is_stored(o) ? field(s, o) : NULL;
}

const char *
table_text(const struct section *s, const char *option)
{
	const void *at = conf_value(s, option);

	return at != NULL ? *(char *const *)at : NULL;
}
