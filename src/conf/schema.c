/*
 * The JSON schema of the YAML form, from the option tables: for editors, which complete
 * names and show what an option is for.  It has the options that work, in lower case, as
 * people write them; `towline check` says the rest.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "memory.h"
#include "table.h"

/* What any text may have in it. */
#define VARIABLE "\\$\\{"

static const char *const list_names[SECTION_KINDS] = {
	[SECTION_INPUT] = "inputs",
	[SECTION_FILTER] = "filters",
	[SECTION_OUTPUT] = "outputs",
	[SECTION_PARSER] = "parsers",
	[SECTION_MULTILINE_PARSER] = "multiline_parsers",
};

static char *
lower(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static json_t *
reference(const char *name)
{
	char *path = xprintf("#/definitions/%s", name);
	json_t *ref = json_pack("{s:s}", "$ref", path);

	free(path);
	return ref;
}

/* ---- values */

/* A text that matches: a word in any case. */
static void
word_put(struct buffer *pattern, const char *word)
{
	for (; *word != '\0'; word++) {
		if (isalpha((unsigned char)*word))
			buffer_printf(pattern, "[%c%c]", toupper((unsigned char)*word),
			    tolower((unsigned char)*word));
		else if (isalnum((unsigned char)*word) || *word == '_' || *word == '-')
			buffer_printf(pattern, "%c", *word);
		else
			buffer_printf(pattern, "[%c]", *word);
	}
}

/* Any of the words, in any case, or what has a variable in it. */
static json_t *
words_schema(const char *const *words, const char *before)
{
	struct buffer pattern;
	json_t *schema;

	buffer_init(&pattern, 0);
	buffer_printf(&pattern, "^(?:%s", before);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
		buffer_put(&pattern, i > 0 || before[0] != '\0' ? SLICE("|") : SLICE(""));
		word_put(&pattern, words[i]);
	}
	buffer_put(&pattern, SLICE(")$|" VARIABLE));
	buffer_put(&pattern, (struct slice){ "", 1 });
	schema = json_pack("{s:s, s:s}", "type", "string", "pattern", pattern.at);
	buffer_fini(&pattern);
	return schema;
}

/* Add to ${any} the booleans that some of the ${words} are to many readers of YAML. */
static void
booleans_add(json_t *any, const char *const *words)
{
	static const char *const booleans[] = { "off", "false", "no", "on", "true", "yes" };
	bool found[2] = { false, false };

	for (; words != NULL && *words != NULL; words++)
		for (size_t i = 0; i < 6; i++)
			if (strcasecmp(*words, booleans[i]) == 0)
				found[i / 3] = true;
	for (int i = 0; i < 2; i++)
		if (found[i])
			json_array_append_new(any, json_pack("{s:b}", "const", i));
}

static json_t *
int_schema(const struct option *o)
{
	json_t *number = json_pack("{s:s}", "type", "integer"), *any;

	if (o->min != 0 || o->max != 0) {
		json_object_set_new(number, "minimum", json_integer(o->min));
		json_object_set_new(number, "maximum", json_integer(o->max));
	} else {
		json_object_set_new(number, "minimum", json_integer(0));
	}
	any = json_pack("[o, o]", number, words_schema(o->choices, "[+-]?[0-9]+"));
	booleans_add(any, o->choices);
	return json_pack("{s:o}", "anyOf", any);
}

static json_t *
enum_schema(const struct option *o)
{
	json_t *words = json_array(), *any = json_array();

	for (size_t i = 0; o->choices[i] != NULL; i++)
		json_array_append_new(words, json_string(o->choices[i]));
	json_array_append_new(any, json_pack("{s:o}", "enum", words));
	json_array_append_new(any, words_schema(o->choices, ""));
	booleans_add(any, o->choices);
	return json_pack("{s:o}", "anyOf", any);
}

static json_t *
value_schema(const struct option *o)
{
	if (o->flags & OPT_IDLE)
		return reference("texts");
	switch (o->type) {
	case OPT_BOOL:
		return reference("on_off");
	case OPT_INT:
		return int_schema(o);
	case OPT_SIZE:
		return reference("size");
	case OPT_TIME:
		return reference("time");
	case OPT_ENUM:
		return enum_schema(o);
	case OPT_LIST:
	case OPT_LINES:
		return reference("texts");
	case OPT_STRING:
		break;
	}
	return reference("text");
}

static json_t *
definitions_new(void)
{
	static const char *const words[] = { "on", "off", "true", "false", "yes", "no", NULL };
	static const char *const units[] = { NULL };
	json_t *types = json_pack("[s, s, s]", "string", "number", "boolean"), *all = json_object();

	json_object_set_new(all, "text", json_pack("{s:o}", "type", types));
	json_object_set_new(all, "texts",
	    json_pack("{s:[o, {s:s, s:o}]}", "anyOf", reference("text"), "type", "array", "items",
		reference("text")));
	json_object_set_new(all, "on_off",
	    json_pack("{s:[{s:s}, o]}", "anyOf", "type", "boolean", words_schema(words, "")));
	json_object_set_new(all, "size",
	    json_pack("{s:[{s:s, s:i}, o]}", "anyOf", "type", "integer", "minimum", 0,
		words_schema(units, "[0-9]+(?:[KkMmGg][Bb]?|[Bb])?")));
	json_object_set_new(all, "time",
	    json_pack("{s:[{s:s}, o]}", "anyOf", "type", "number",
		words_schema(units, "[+-]?[0-9]+(?:[.][0-9]+)?(?:[Mm]?[Ss]|[MmHhDd])?")));
	return all;
}

/* ---- plugins */

static json_t *
option_schema(const struct option *o)
{
	json_t *schema = json_pack("{s:[o]}", "allOf", value_schema(o));
	char *idle = xprintf("No effect here: %s", o->help);

	json_object_set_new(
	    schema, "description", json_string(o->flags & OPT_IDLE ? idle : o->help));
	free(idle);
	if (o->value != NULL)
		json_object_set_new(schema, "default", json_string(o->value));
	return schema;
}

/* net.* stands for every key that begins with net., Parser_* for parser_1 and the like. */
static void
option_add(json_t *properties, json_t *patterns, const struct option *o)
{
	char *name = lower(o->name), *pattern;
	size_t len = strlen(name);

	if (len > 2 && name[len - 1] == '*') {
		bool dot = name[len - 2] == '.';

		pattern = xprintf("^%.*s%s", (int)(len - 1 - dot), name, dot ? "[.]" : "");
		json_object_set_new(patterns, pattern, option_schema(o));
		free(pattern);
	} else {
		json_object_set_new(properties, name, option_schema(o));
	}
	free(name);
}

/* Its name, or the other one that it has. */
static json_t *
named(const struct plugin *p)
{
	if (p->also == NULL)
		return json_pack("{s:s}", "const", p->name);
	return json_pack("{s:[s, s]}", "enum", p->name, p->also);
}

static void
special_add(json_t *properties, const struct plugin *p)
{
	if (p->name != NULL)
		json_object_set_new(properties, "name", named(p));
	if (p->kind == SECTION_INPUT || p->kind == SECTION_OUTPUT)
		json_object_set_new(properties, "processors", reference("processors"));
	if (p->kind == SECTION_MULTILINE_PARSER)
		json_object_set_new(properties, "rules", reference("rules"));
}

static json_t *
plugin_schema(const struct plugin *p)
{
	json_t *properties = json_object(), *patterns = json_object(), *needed = json_array();
	const struct option *o;

	special_add(properties, p);
	for (size_t i = 0; (o = table_row(p, i)) != NULL; i++) {
		char *name = lower(o->name);

		if ((o->flags & OPT_LATER) == 0)
			option_add(properties, patterns, o);
		if (o->flags & OPT_NEEDED)
			json_array_append_new(needed, json_string(name));
		free(name);
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b}", "type", "object", "description", p->help,
	    "properties", properties, "patternProperties", patterns, "required", needed,
	    "additionalProperties", 0);
}

static char *
plugin_key(const struct plugin *p)
{
	char *kind = lower(table_section_names[p->kind]);
	char *key = xprintf("%s%s%s", kind, p->name != NULL ? "." : "", p->name ? p->name : "");

	free(kind);
	return key;
}

/* An entry of inputs, filters or outputs: by its name, the options of that plugin. */
static json_t *
item_schema(const struct registry *registry, enum section_kind kind)
{
	json_t *names = json_array(), *rules = json_array();

	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct plugin *p = registry->plugins[i];
		char *key;

		if (p->kind != kind || p->later)
			continue;
		key = plugin_key(p);
		json_array_append_new(names, json_string(p->name));
		if (p->also != NULL)
			json_array_append_new(names, json_string(p->also));
		json_array_append_new(rules, json_pack("{s:{s:{s:o}}, s:o}", "if", "properties",
						 "name", named(p), "then", reference(key)));
		free(key);
	}
	return json_pack("{s:s, s:[s], s:{s:{s:o}}, s:o}", "type", "object", "required", "name",
	    "properties", "name", "enum", names, "allOf", rules);
}

/* ---- the document */

static json_t *
list_schema(json_t *items)
{
	return json_pack("{s:[s, s], s:o}", "type", "array", "null", "items", items);
}

static void
shared_add(json_t *definitions, const struct registry *registry)
{
	json_object_set_new(definitions, "filter", item_schema(registry, SECTION_FILTER));
	json_object_set_new(definitions, "processor",
	    json_pack(
		"{s:[o, {s:s, s:[s, s, s], s:{s:{s:s}, s:{s:[s, s, s, s]}, s:{s:s}, s:o, s:o}}]}",
		"anyOf", reference("filter"), "type", "object", "required", "name", "action", "key",
		"properties", "name", "const", "content_modifier", "action", "enum", "insert",
		"upsert", "delete", "rename", "context", "const", "body", "key", reference("text"),
		"value", reference("text")));
	json_object_set_new(definitions, "processors",
	    json_pack("{s:s, s:s, s:{s:o, s:o, s:o}, s:b}", "type", "object", "description",
		"filters for these records: of an input before all others, of the only output after them",
		"properties", "logs", list_schema(reference("processor")), "metrics", json_object(),
		"traces", json_object(), "additionalProperties", 0));
	json_object_set_new(definitions, "rules",
	    list_schema(json_pack("{s:s, s:[s, s, s], s:{s:o, s:o, s:o}, s:b}", "type", "object",
		"required", "state", "regex", "next_state", "properties", "state",
		reference("text"), "regex", reference("text"), "next_state", reference("text"),
		"additionalProperties", 0)));
	json_object_set_new(definitions, "env",
	    json_pack("{s:[{s:s, s:o}, {s:s, s:{s:s, s:[s], s:{s:o, s:o, s:o, s:o}}}]}", "anyOf",
		"type", "object", "additionalProperties", reference("text"), "type", "array",
		"items", "type", "object", "required", "name", "properties", "name",
		reference("text"), "value", reference("text"), "uri", reference("text"),
		"refresh_interval", reference("text")));
}

static json_t *
document_schema(const struct registry *registry)
{
	json_t *properties = json_object(), *pipeline = json_object();

	json_object_set_new(properties, "env", reference("env"));
	json_object_set_new(properties, "includes", list_schema(reference("text")));
	json_object_set_new(properties, "service", reference("service"));
	for (int kind = SECTION_PARSER; kind < SECTION_KINDS; kind++) {
		char *name = lower(table_section_names[kind]);

		json_object_set_new(properties, list_names[kind], list_schema(reference(name)));
		free(name);
	}
	json_object_set_new(pipeline, "inputs", list_schema(item_schema(registry, SECTION_INPUT)));
	json_object_set_new(pipeline, "filters", list_schema(reference("filter")));
	json_object_set_new(
	    pipeline, "outputs", list_schema(item_schema(registry, SECTION_OUTPUT)));
	json_object_set_new(properties, "pipeline",
	    json_pack("{s:s, s:o, s:b}", "type", "object", "properties", pipeline,
		"additionalProperties", 0));
	return properties;
}

void
conf_schema(const struct registry *registry, FILE *to)
{
	json_t *definitions = definitions_new(), *schema;

	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct plugin *p = registry->plugins[i];
		char *key = plugin_key(p);

		if (p->later && p->name == NULL)
			json_object_set_new(definitions, key, json_pack("{s:s}", "type", "object"));
		else if (!p->later)
			json_object_set_new(definitions, key, plugin_schema(p));
		free(key);
	}
	shared_add(definitions, registry);
	schema = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "$schema",
	    "http://json-schema.org/draft-07/schema#", "title",
	    "The configuration of towline, in Fluent Bit's YAML form", "type", "object",
	    "additionalProperties", 0, "properties", document_schema(registry), "definitions",
	    definitions);
	xneeded(schema, 1);
	json_dumpf(schema, to, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	fputc('\n', to);
	json_decref(schema);
}
