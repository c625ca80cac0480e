/* [FILTER] parser: a field's text, taken apart by the first parser that fits. */
#include <stddef.h>
#include <stdlib.h>

#include "json.h"
#include "ops.h"
#include "parser.h"
#include "voice.h"

struct parser_filter_conf {
	struct filter_common common;
	char *key_name;
	struct list parser;
	bool preserve_key, reserve_data;
};

#define AT(member) offsetof(struct parser_filter_conf, member)

static const struct option parser_filter_options[] = {
	OPTION("Key_Name", OPT_STRING, NULL, AT(key_name), "the field to take apart",
	    .flags = OPT_NEEDED),
	OPTION("Parser", OPT_LIST, NULL, AT(parser), "[PARSER]s, tried in order; the first fits",
	    .flags = OPT_NEEDED),
	OPTION("Preserve_Key", OPT_BOOL, "off", AT(preserve_key), "keep the field itself as well"),
	OPTION("Reserve_Data", OPT_BOOL, "off", AT(reserve_data),
	    "keep the other fields (what the runtime and the pod say stays in any case)"),
	OPTION_LATER("Unescape_Key", "take escapes out of the field first"),
	OPTION_LATER("Nest_Under", "put the fields under one"),
	OPTION_LATER("Hash_Value_Field", "keep a hash of the fields"),
	OPTIONS_END,
};

const struct plugin parser_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "parser",
	.help = "take a field's text apart with a [PARSER]",
	.options = parser_filter_options,
	.common = filter_options,
	.size = sizeof(struct parser_filter_conf),
};

struct parser_filter {
	struct filter filter;
	const struct parser_filter_conf *conf;
	struct parser **parsers;
	size_t n;
};

static void
parser_fini(struct filter *f)
{
	free(((struct parser_filter *)f)->parsers);
}

static int
parser_init(struct filter *f, const struct filter_world *world)
{
	struct parser_filter *p = (struct parser_filter *)f;

	p->conf = f->section->values;
	p->parsers = xcalloc(p->conf->parser.n + 1, sizeof(struct parser *));
	for (; p->n < p->conf->parser.n; p->n++) {
		const char *name = p->conf->parser.at[p->n];

		p->parsers[p->n] = world->parser(world->arg, name);
		if (p->parsers[p->n] == NULL) {
			say_error("filter", "%s:%u: no parser '%s'", f->section->file,
			    conf_given(f->section, "Parser"), name);
			return -1;
		}
	}
	return 0;
}

/* The text of the field ${key}, and its index in r->fields (-1: log). */
static bool
key_find(
    const struct record *r, struct slice key, struct arena *arena, struct slice *text, int *which)
{
	char *plain;

	*which = -1;
	if (slice_eq(key, SLICE("log"))) {
		*text = r->log;
		return r->has_log;
	}
	for (int i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (!slice_eq(f->name, key))
			continue;
		*which = i;
		*text = f->value;
		if (f->kind != VALUE_ESCAPED)
			return true;
		plain = arena_take(arena, f->value.len);
		if (plain == NULL)
			return false;
		*text = (struct slice){ plain, json_unescape(f->value, plain) };
		return true;
	}
	return false;
}

/* Drop the fields that were there before, as far as the options do not keep them. */
static void
forget(const struct parser_filter_conf *conf, struct record *r, int which)
{
	struct field key = { 0 };

	if (which >= 0)
		key = r->fields[which];
	else
		r->has_log = conf->preserve_key;
	if (!conf->reserve_data) {
		r->nfields = 0;
		if (which >= 0) {
			r->has_log = false;
			if (conf->preserve_key)
				r->fields[r->nfields++] = key;
		}
	} else if (which >= 0 && !conf->preserve_key) {
		memmove(&r->fields[which], &r->fields[which + 1],
		    (size_t)(r->nfields - which - 1) * sizeof(r->fields[0]));
		r->nfields--;
	}
}

static bool
parser_filter_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	struct parser_filter *p = (struct parser_filter *)f;
	struct field found[RECORD_FIELDS];
	struct slice text;
	int which;

	(void)parsed;
	(void)pod;
	if (!key_find(r, slice_of(p->conf->key_name), arena, &text, &which))
		return true;
	for (size_t i = 0; i < p->n; i++) {
		int64_t time = r->time;
		int n = parser_run(p->parsers[i], text, arena, found, RECORD_FIELDS, &time);

		if (n < 0)
			continue;
		/* The runtime's time stays, as the index name and the id are made of it. */
		if (r->time_text.len == 0)
			r->time = time;
		forget(p->conf, r, which);
		if (!filter_put(r, found, n, arena) || n == RECORD_FIELDS)
			r->has_log = true; /* the text has more, perhaps */
		break;
	}
	return true;
}

const struct filter_ops parser_ops = {
	.plugin = &parser_filter_plugin,
	.size = sizeof(struct parser_filter),
	.init = parser_init,
	.fini = parser_fini,
	.run = parser_filter_run,
};
