/* [FILTER] modify: rules on the members at a record's root, in their order, where conditions hold. */
#include <stddef.h>
#include <stdlib.h>

#include "memory.h"
#include "ops.h"
#include "rule.h"

struct modify_conf {
	struct filter_common common;
	struct list rules;      /* Set, Add, …, in their order */
	struct list conditions; /* KIND WORDS */
};

#define AT(member) offsetof(struct modify_conf, member)
#define COUNT_OF(table) (sizeof(table) / sizeof(*(table)))
#define RULE(name, help) OPTION(name, OPT_LINES, NULL, AT(rules), help, .flags = OPT_KEYED)

static const struct option modify_options[] = {
	RULE("Set", "KEY VALUE: the field, whether it was there or not"),
	RULE("Add", "KEY VALUE: the field, unless it is there"),
	RULE("Remove", "KEY: the field"),
	RULE("Remove_wildcard", "KEY: fields whose names begin so (a * at the end is taken off)"),
	RULE("Remove_regex", "EXPRESSION: fields whose names match"),
	RULE("Rename", "KEY NEW: give the field another name, unless that is there"),
	RULE("Hard_rename", "KEY NEW: the same, in place of one that is there"),
	RULE("Copy", "KEY NEW: the field under another name, too, unless that is there"),
	RULE("Hard_copy", "KEY NEW: the same, in place of one that is there"),
	RULE("Move_to_start", "KEY: fields whose names begin so stand first"),
	RULE("Move_to_end", "KEY: fields whose names begin so stand last"),
	OPTION("Condition", OPT_LINES, NULL, AT(conditions),
	    "KIND KEY [VALUE]: the rules apply where all conditions hold: Key_exists, Key_does_not_exist, A_key_matches, No_key_matches, Key_value_equals, Key_value_does_not_equal, Key_value_matches, Key_value_does_not_match, Matching_keys_have_matching_values, Matching_keys_do_not_have_matching_values",
	    .flags = OPT_KEYED),
	OPTIONS_END,
};

enum rule_kind {
	SET,
	ADD,
	REMOVE,
	REMOVE_WILDCARD,
	REMOVE_REGEX,
	RENAME,
	HARD_RENAME,
	COPY,
	HARD_COPY,
	MOVE_TO_START,
	MOVE_TO_END,
	RULES
};

static const char *const rule_names[] = { "Set", "Add", "Remove", "Remove_wildcard", "Remove_regex",
	"Rename", "Hard_rename", "Copy", "Hard_copy", "Move_to_start", "Move_to_end", NULL };

/* What a condition's words are. */
enum word_kind { NO_WORD, KEY, PATTERN, TEXT };

static const struct condition_kind {
	const char *name;
	enum word_kind key, value;
	bool want; /* the condition holds where the answer is this */
	bool needs_key;
} condition_kinds[] = {
	{ "Key_exists", KEY, NO_WORD, true, false },
	{ "Key_does_not_exist", KEY, NO_WORD, false, false },
	{ "A_key_matches", PATTERN, NO_WORD, true, false },
	{ "No_key_matches", PATTERN, NO_WORD, false, false },
	{ "Key_value_equals", KEY, TEXT, true, true },
	{ "Key_value_does_not_equal", KEY, TEXT, false, true },
	{ "Key_value_matches", KEY, PATTERN, true, true },
	{ "Key_value_does_not_match", KEY, PATTERN, false, true },
	{ "Matching_keys_have_matching_values", PATTERN, PATTERN, true, false },
	{ "Matching_keys_do_not_have_matching_values", PATTERN, PATTERN, false, false },
};

struct modify_rule {
	enum rule_kind kind;
	struct slice key, value;
	struct pattern *pattern;
};

struct condition {
	const struct condition_kind *kind;
	struct accessor key;
	struct pattern *key_pattern, *pattern;
	struct slice value;
};

struct modify_rules {
	struct modify_rule *rules;
	struct condition *conditions;
	size_t nrules, nconditions;
};

struct modify {
	struct filter filter;
	struct modify_rules *rules;
};

/* ---- made ready */

static void
rules_free(struct modify_rules *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->nrules; i++)
		pattern_free(m->rules[i].pattern);
	for (size_t i = 0; i < m->nconditions; i++) {
		pattern_free(m->conditions[i].key_pattern);
		pattern_free(m->conditions[i].pattern);
	}
	free(m->rules);
	free(m->conditions);
	free(m);
}

static int
words_of(enum rule_kind kind)
{
	switch (kind) {
	case SET:
	case ADD:
	case RENAME:
	case HARD_RENAME:
	case COPY:
	case HARD_COPY:
		return 2;
	default:
		return 1;
	}
}

static void
rule_make(
    const struct section *section, size_t i, struct modify_rule *rule, struct findings *findings)
{
	const struct modify_conf *conf = section->values;
	struct rule words;

	rule_read(&conf->rules, i, rule_names, 2, &words);
	while (rule_names[rule->kind] != words.option)
		rule->kind++;
	if (!rule_wants(section, &words, words_of(rule->kind), findings))
		return;
	rule->key = words.words[0];
	rule->value = words.words[1];
	if (rule->kind == REMOVE_REGEX)
		rule->pattern = rule_pattern(section, &words, rule->key, findings);
	else if (words_of(rule->kind) == 1 && rule->kind != REMOVE && rule->key.len > 1 &&
		 rule->key.at[rule->key.len - 1] == '*')
		rule->key.len--;
}

static void
condition_unknown(const struct section *section, const struct rule *rule, struct findings *findings)
{
	const char *names[COUNT_OF(condition_kinds)], *meant;
	char shown[FINDINGS_NAME], *text = xslicedup(rule->words[0]);

	for (size_t i = 0; i < COUNT_OF(condition_kinds); i++)
		names[i] = condition_kinds[i].name;
	meant = findings_nearest(text, names, COUNT_OF(condition_kinds));
	findings_add(findings, FINDING_ERROR, section->file, rule->line, "no Condition '%s'%s%s%s",
	    findings_name(rule->words[0], shown), meant ? "; did you mean '" : "",
	    meant ? meant : "", meant ? "'?" : "");
	free(text);
}

static void
condition_make(
    const struct section *section, size_t at, struct condition *c, struct findings *findings)
{
	static const char *const names[] = { "Condition", NULL };
	const struct modify_conf *conf = section->values;
	struct rule words;
	int most;

	rule_read(&conf->conditions, at, names, 3, &words);
	for (size_t i = 0; i < COUNT_OF(condition_kinds) && words.n > 0; i++)
		if (rule_is(words.words[0], condition_kinds[i].name))
			c->kind = &condition_kinds[i];
	if (c->kind == NULL) {
		condition_unknown(section, &words, findings);
		return;
	}
	most = c->kind->value == NO_WORD ? 2 : 3;
	rule_read(&conf->conditions, at, names, most, &words);
	if (!rule_wants(section, &words, most, findings))
		return;
	if (c->kind->key == PATTERN)
		c->key_pattern = rule_pattern(section, &words, words.words[1], findings);
	else
		(void)rule_accessor(section, &words, words.words[1], &c->key, findings);
	c->value = words.words[2];
	if (c->kind->value == PATTERN)
		c->pattern = rule_pattern(section, &words, c->value, findings);
}

static struct modify_rules *
rules_new(const struct section *section, struct findings *findings)
{
	const struct modify_conf *conf = section->values;
	struct modify_rules *m = xcalloc(1, sizeof(*m));

	m->nrules = conf->rules.n;
	m->nconditions = conf->conditions.n;
	m->rules = xcalloc(m->nrules + 1, sizeof(*m->rules));
	m->conditions = xcalloc(m->nconditions + 1, sizeof(*m->conditions));
	for (size_t i = 0; i < m->nrules; i++)
		rule_make(section, i, &m->rules[i], findings);
	for (size_t i = 0; i < m->nconditions; i++)
		condition_make(section, i, &m->conditions[i], findings);
	return m;
}

static void
modify_check(const struct section *section, struct findings *findings)
{
	rules_free(rules_new(section, findings));
}

const struct plugin modify_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "modify",
	.help = "set, add, remove, rename, copy and move fields",
	.options = modify_options,
	.common = filter_options,
	.size = sizeof(struct modify_conf),
	.check = modify_check,
};

static int
modify_init(struct filter *f, const struct filter_world *world)
{
	struct findings *findings = findings_new();

	(void)world;
	((struct modify *)f)->rules = rules_new(f->section, findings);
	return rule_findings(findings);
}

static void
modify_fini(struct filter *f)
{
	rules_free(((struct modify *)f)->rules);
}

/* ---- conditions */

/* All members whose names match the key have values that match; that do not, where not ${want}. */
static bool
matching_keys(const struct condition *c, struct shape *s, bool want)
{
	for (struct shape_node *node = shape_first(s, s->root); node != NULL;
	     node = shape_next(node))
		if (pattern_match(c->key_pattern, node->name) &&
		    rule_value_matches(c->pattern, s, node) != want)
			return false;
	return true;
}

static bool
a_key_matches(const struct condition *c, struct shape *s)
{
	for (struct shape_node *node = shape_first(s, s->root); node != NULL;
	     node = shape_next(node))
		if (pattern_match(c->key_pattern, node->name))
			return true;
	return false;
}

static bool
condition_holds(const struct condition *c, struct shape *s)
{
	struct shape_node *node;

	if (c->kind->key == PATTERN)
		return c->kind->value == PATTERN ? matching_keys(c, s, c->kind->want)
						 : a_key_matches(c, s) == c->kind->want;
	node = accessor_find(&c->key, s);
	if (c->kind->needs_key && node == NULL)
		return false;
	if (c->kind->value == PATTERN)
		return rule_value_matches(c->pattern, s, node) == c->kind->want;
	if (c->kind->value == TEXT)
		return slice_eq(shape_text(s, node), c->value) == c->kind->want;
	return (node != NULL) == c->kind->want;
}

/* ---- rules */

static bool
is_named(const struct modify_rule *rule, struct slice name)
{
	if (rule->kind == REMOVE_REGEX)
		return pattern_match(rule->pattern, name);
	if (rule->kind == REMOVE)
		return slice_eq(name, rule->key);
	return slice_starts(name, rule->key);
}

static void
remove_all(const struct modify_rule *rule, struct shape *s)
{
	struct shape_node *node = shape_first(s, s->root), *next;

	for (; node != NULL; node = next) {
		next = shape_next(node);
		if (is_named(rule, node->name))
			shape_remove(s->root, node);
	}
}

/* Members that the rule names, in their order, to one end. */
static void
move_all(const struct modify_rule *rule, struct shape *s)
{
	struct shape_members moved = TAILQ_HEAD_INITIALIZER(moved);
	struct shape_node *node = shape_first(s, s->root), *next;

	for (; node != NULL; node = next) {
		next = shape_next(node);
		if (!is_named(rule, node->name))
			continue;
		shape_remove(s->root, node);
		TAILQ_INSERT_TAIL(&moved, node, in);
	}
	if (rule->kind == MOVE_TO_END) {
		TAILQ_CONCAT(&s->root->members, &moved, in);
		return;
	}
	TAILQ_CONCAT(&moved, &s->root->members, in);
	TAILQ_CONCAT(&s->root->members, &moved, in);
}

static void
value_set(const struct modify_rule *rule, struct shape *s)
{
	struct shape_node *node = shape_put(s, s->root, rule->key);

	if (node != NULL)
		shape_set(node, SHAPE_TEXT, rule->value);
}

/* Another name for ${node}, which keeps its place. */
static void
rename_one(struct shape *s, struct shape_node *node, struct slice name)
{
	struct shape_node *other = shape_get(s, s->root, name);

	if (other != NULL && other != node)
		shape_remove(s->root, other);
	node->name = name;
}

static void
copy_one(struct shape *s, struct shape_node *node, struct slice name)
{
	struct shape_node *copy = shape_put(s, s->root, name);

	if (copy != NULL)
		(void)shape_copy(s, copy, node);
}

static void
rule_apply(const struct modify_rule *rule, struct shape *s)
{
	struct shape_node *node = shape_get(s, s->root, rule->key);
	bool there = words_of(rule->kind) == 2 && shape_get(s, s->root, rule->value) != NULL;
	bool same = slice_eq(rule->key, rule->value);

	switch (rule->kind) {
	case SET:
		value_set(rule, s);
		break;
	case ADD:
		if (node == NULL)
			value_set(rule, s);
		break;
	case REMOVE:
	case REMOVE_WILDCARD:
	case REMOVE_REGEX:
		remove_all(rule, s);
		break;
	case RENAME:
	case HARD_RENAME:
		if (node != NULL && (!there || rule->kind == HARD_RENAME))
			rename_one(s, node, rule->value);
		break;
	case COPY:
	case HARD_COPY:
		if (node != NULL && !same && (!there || rule->kind == HARD_COPY))
			copy_one(s, node, rule->value);
		break;
	case MOVE_TO_START:
	case MOVE_TO_END:
		move_all(rule, s);
		break;
	case RULES:
		break;
	}
}

static bool
modify_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	const struct modify_rules *m = ((struct modify *)f)->rules;

	(void)parsed;
	(void)pod;
	(void)arena;
	for (size_t i = 0; i < m->nconditions; i++)
		if (!condition_holds(&m->conditions[i], r->shape))
			return true;
	for (size_t i = 0; i < m->nrules; i++)
		rule_apply(&m->rules[i], r->shape);
	return true;
}

const struct filter_ops modify_ops = {
	.plugin = &modify_filter_plugin,
	.reshapes = true,
	.size = sizeof(struct modify),
	.init = modify_init,
	.fini = modify_fini,
	.run = modify_run,
};
