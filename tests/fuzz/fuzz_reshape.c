/*
 * Filters that change fields: a record that was made a tree, and not changed, is the same
 * document as one that was not; chains of rules by chance make of a document what
 * jansson makes of it, rule by rule.
 */
#include "fuzz.h"

#include "agent.h"
#include "batch.h"
#include "chain.h"
#include "conf_try.h"
#include "mended.h"
#include "plugins.h"
#include "stream.h"
#include "tail.h"

#define FILTER(name) "[FILTER]\n Name " name "\n Match *\n"

static const char base_conf[] = "[SERVICE]\n Filter_Memory 256K\n"
				"[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n"
				"[OUTPUT]\n Name null\n Match *\n";
static const char json_filter[] = FILTER("parser") " Key_Name log\n Parser json\n";
static const char kube_filter[] = FILTER("kubernetes");

static struct pod pod = { .json = SLICE("{\"pod_name\":\"p\",\"labels\":{\"app\":\"a\"}") };

/* The document of ${line} by these filters; NULL: the record did not become a tree. */
static json_t *
document(struct slice line, const char *first, const char *filters, bool *full)
{
	static struct batch *b;
	static char tag[] = "t", path[] = "/logs/t.log";
	static const char time[] = "2026-11-22T08:00:00.5Z";
	struct findings *findings = findings_new();
	struct stream stream = { .tag = tag, .path = path, .pod = &pod };
	struct framed f = { .stream = &stream,
		.time = INT64_C(1795334400500000000),
		.time_text = slice_of(time),
		.text = line };
	struct document_rules rules = document_rules_default();
	char *text = xprintf("%s%s%s", base_conf, first, filters), *said;
	struct record record;
	struct source *source;
	struct chain *chain;
	struct conf *conf;
	json_error_t error;
	json_t *tree;

	if (b == NULL)
		b = batch_new(1 << 20, 1 << 20);
	try_file("f", text);
	conf = conf_read("f", &plugins_registry, findings);
	said = try_findings(findings);
	if (findings_count(findings, FINDING_ERROR) > 0)
		WRONG("%s%s", text, said);
	chain = chain_new(conf, service_of(conf));
	for (size_t i = 0; i < conf->n; i++)
		if (conf->sections[i].plugin == &tail_plugin)
			stream.conf = conf->sections[i].values;
	source = chain_source_new(chain, &stream);
	chain_rules(chain, &stream, &rules);
	batch_clear(b, 1, 1 << 20);
	if (!chain_run(chain, source, &f, &record) || !batch_put(b, &rules, &record))
		WRONG("%sno document", text);
	*full = (chain_failures(chain) & 1u << FAILURE_RESHAPE) != 0;
	line = (struct slice){ b->body.at + b->items[0].document,
		b->items[0].end - b->items[0].document };
	if (memchr(line.at, '\n', line.len) != NULL)
		WRONG("%slines: %.*s", text, SHOW(line));
	tree = jansson(line, JSON_REJECT_DUPLICATES, &error);
	if (tree == NULL && json_error_code(&error) != json_error_numeric_overflow)
		WRONG("%sjansson: %s: %.*s", text, error.text, SHOW(line));
	chain_source_free(source);
	chain_free(chain);
	conf_free(conf);
	findings_free(findings);
	free(said);
	free(text);
	return tree;
}

/* ---- rules, and what jansson makes of them */

static const char *const names[] = { "a", "b", "c", "d", "log", "kubernetes" };
#define TARGETS 4 /* names that a rule may give */

static void
nested(json_t *doc, const char *name, const char *under)
{
	json_t *value = json_incref(json_object_get(doc, name));
	json_t *map;

	json_object_del(doc, name);
	map = json_object_get(doc, under);
	if (value == NULL)
		return;
	if (!json_is_object(map)) {
		json_t *old = json_incref(map);

		json_object_set_new(doc, under, map = json_object());
		if (old != NULL)
			json_object_set_new(map, under, old);
	}
	json_object_set_new(map, name, value);
}

/* False: a member cannot stand at the root. */
static bool
lifted(json_t *doc, const char *from)
{
	json_t *map = json_incref(json_object_get(doc, from)), *value;
	bool can = true;
	const char *key;

	if (json_is_object(map)) {
		json_object_del(doc, from);
		json_object_foreach(map, key, value)
		{
			char *name = xprintf("p_%s", key);

			can &= strpbrk(name, ". \t\r\n") == NULL;
			json_object_set(doc, name, value);
			free(name);
		}
	}
	json_decref(map);
	return can;
}

/* Write a filter by chance and do the same to ${doc}; false: it cannot be compared. */
static bool
rule_add(FILE *to, json_t *doc)
{
	const char *name = names[any(COUNT(names))], *target = names[any(TARGETS)];
	json_t *have = json_object_get(doc, name), *there = json_object_get(doc, target);
	bool hard = any(2), can = true;

	switch (any(6)) {
	case 0:
		fprintf(to, FILTER("modify") " %s %s v w\n", hard ? "Set" : "Add", target);
		if (hard || there == NULL)
			json_object_set_new(doc, target, json_string("v w"));
		break;
	case 1:
		fprintf(to, FILTER("modify") " Remove %s\n", name);
		json_object_del(doc, name);
		break;
	case 2:
		fprintf(to, FILTER("modify") " %s %s %s\n", hard ? "Hard_rename" : "Rename", name,
		    target);
		if (have == NULL || have == there || (there != NULL && !hard))
			break;
		json_object_set(doc, target, have);
		json_object_del(doc, name);
		break;
	case 3:
		fprintf(
		    to, FILTER("modify") " %s %s %s\n", hard ? "Hard_copy" : "Copy", name, target);
		if (have != NULL && have != there && (there == NULL || hard))
			json_object_set_new(doc, target, json_deep_copy(have));
		break;
	case 4:
		fprintf(to, FILTER("nest") " Operation nest\n Wildcard %s\n Nest_under %s\n", name,
		    target);
		nested(doc, name, target);
		break;
	default:
		fprintf(
		    to, FILTER("nest") " Operation lift\n Nested_under %s\n Add_prefix p_\n", name);
		can = lifted(doc, name);
		break;
	}
	return can;
}

static void
judge(const char *what, json_t *got, json_t *want, const char *filters)
{
	char *a, *b;

	if (got == NULL || want == NULL || json_equal(got, want))
		return;
	a = json_dumps(got, JSON_ENCODE_ANY | JSON_SORT_KEYS);
	b = json_dumps(want, JSON_ENCODE_ANY | JSON_SORT_KEYS);
	WRONG("%s\n%s got  %s\n want %s", what, filters, a, b);
}

static void
fuzz(struct slice input)
{
	const char *first;
	char *filters = NULL;
	json_t *flat, *tree, *changed;
	bool full, can = true;
	size_t len;
	FILE *to;

	(void)fuzz_place();
	input = fuzz_chance(input);
	first = any(2) ? json_filter : kube_filter;
	flat = document(input, first, "", &full);
	tree = document(input, first, FILTER("modify"), &full);
	judge("a tree that nobody changed", tree, flat, first);
	to = open_memstream(&filters, &len);
	for (uint64_t n = 1 + any(5); n > 0 && tree != NULL; n--)
		can &= rule_add(to, tree);
	fclose(to);
	changed = document(input, first, filters, &full);
	if (can)
		judge("rules", changed, full ? flat : tree, filters);
	json_decref(flat);
	json_decref(tree);
	json_decref(changed);
	free(filters);
}
