/* [FILTER] grep: records go on, or do not, by what their fields say. */
#include <stddef.h>
#include <stdlib.h>

#include "memory.h"
#include "ops.h"
#include "rule.h"

enum grep_logic { GREP_LEGACY, GREP_AND, GREP_OR };

struct grep_conf {
	struct filter_common common;
	struct list rules; /* Regex and Exclude, in their order */
	int logic;
};

#define AT(member) offsetof(struct grep_conf, member)

static const char *const logics[] = { "legacy", "and", "or", NULL };
static const char *const names[] = { "Regex", "Exclude", NULL };

static const struct option grep_options[] = {
	OPTION("Regex", OPT_LINES, NULL, AT(rules),
	    "KEY EXPRESSION: a record whose field does not match is dropped", .flags = OPT_KEYED),
	OPTION("Exclude", OPT_LINES, NULL, AT(rules),
	    "KEY EXPRESSION: a record whose field matches is dropped", .flags = OPT_KEYED),
	OPTION("Logical_Op", OPT_ENUM, "legacy", AT(logic),
	    "how several rules are joined: legacy: in their order, each of them may drop the record; and, or: rules of one kind",
	    .choices = logics),
	OPTIONS_END,
};

struct grep_rule {
	bool exclude;
	struct accessor key;
	struct pattern *pattern;
};

struct grep {
	struct filter filter;
	struct grep_rule *rules;
	size_t n;
	enum grep_logic logic;
};

static void
rules_free(struct grep_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pattern_free(rules[i].pattern);
	free(rules);
}

/* In an expression, as in Fluent Bit, a quote is a quote; who writes two may not mean them. */
static void
quotes_check(const struct section *section, const struct rule *words, struct findings *findings)
{
	struct slice text = words->words[1];

	if (text.len > 1 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		findings_add(findings, FINDING_WARNING, section->file, words->line,
		    "%s: the quotes are part of its expression; leave them out, unless the text has them",
		    words->option);
}

/* Make the rules ready; mistakes go to ${findings}. */
static struct grep_rule *
rules_new(const struct section *section, struct findings *findings)
{
	const struct grep_conf *conf = section->values;
	struct grep_rule *rules = xcalloc(conf->rules.n + 1, sizeof(*rules));

	for (size_t i = 0; i < conf->rules.n; i++) {
		struct rule words;

		rule_read_typed(&conf->rules, i, names, 2, &words);
		rules[i].exclude = words.option == names[1];
		if (rules[i].exclude != rules[0].exclude && conf->logic != GREP_LEGACY)
			findings_add(findings, FINDING_ERROR, section->file,
			    conf_given(section, "Logical_Op"),
			    "Logical_Op %s joins rules of one kind; there are both Regex and Exclude",
			    logics[conf->logic]);
		quotes_check(section, &words, findings);
		if (rule_wants(section, &words, 2, findings) &&
		    rule_accessor(section, &words, words.words[0], &rules[i].key, findings))
			rules[i].pattern = rule_pattern(section, &words, words.words[1], findings);
	}
	return rules;
}

static void
grep_check(const struct section *section, struct findings *findings)
{
	const struct grep_conf *conf = section->values;

	if (conf->rules.n == 0)
		findings_add(findings, FINDING_WARNING, section->file, section->line,
		    "[FILTER] grep has neither Regex nor Exclude: every record goes on");
	rules_free(rules_new(section, findings), conf->rules.n);
}

static bool
is_at_root(struct slice name)
{
	static const char *const own[] = { "log", "time", "stream", "logtag", "kubernetes",
		"kubernetes_namespace", "log_parsed" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (slice_eq(name, slice_of(own[i])))
			return true;
	return false;
}

void
grep_merged_check(const struct section *section, struct findings *findings)
{
	const struct grep_conf *conf = section->values;

	for (size_t i = 0; i < conf->rules.n; i++) {
		struct accessor key;
		struct rule words;

		rule_read_typed(&conf->rules, i, names, 2, &words);
		if (words.n < 2 || accessor_read(words.words[0], &key) != NULL ||
		    is_at_root(key.steps[0].name))
			continue;
		findings_add(findings, FINDING_WARNING, section->file, words.line,
		    "%s: a JSON line's '%.*s' is not at the root: Merge_Log has it under log_parsed, as "
		    "$log_parsed['level'] or $log_parsed['extra']['x'] (towline parse shows it), or under "
		    "Merge_Log_Key",
		    words.option, (int)least(key.steps[0].name.len, 64), key.steps[0].name.at);
	}
}

const struct plugin grep_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "grep",
	.help = "keep or drop records by what their fields say",
	.options = grep_options,
	.common = filter_options,
	.size = sizeof(struct grep_conf),
	.check = grep_check,
};

static int
grep_init(struct filter *f, const struct filter_world *world)
{
	struct grep *g = (struct grep *)f;
	const struct grep_conf *conf = f->section->values;
	struct findings *findings = findings_new();

	(void)world;
	g->n = conf->rules.n;
	g->logic = (enum grep_logic)conf->logic;
	g->rules = rules_new(f->section, findings);
	return rule_findings(findings);
}

static void
grep_fini(struct filter *f)
{
	struct grep *g = (struct grep *)f;

	rules_free(g->rules, g->n);
}

static bool
grep_run(struct filter *f, struct record *r, const struct agent_line *parsed, const struct pod *pod,
    struct arena *arena)
{
	struct grep *g = (struct grep *)f;
	bool found = false;

	(void)parsed;
	(void)pod;
	(void)arena;
	for (size_t i = 0; i < g->n; i++) {
		struct grep_rule *rule = &g->rules[i];

		found = rule_value_matches(
		    rule->pattern, r->shape, accessor_find(&rule->key, r->shape));
		if (g->logic == GREP_LEGACY && found == rule->exclude)
			return false;
		if (g->logic != GREP_LEGACY && found == (g->logic == GREP_OR))
			break;
	}
	return g->logic == GREP_LEGACY || g->n == 0 || found != g->rules[0].exclude;
}

const struct filter_ops grep_ops = {
	.plugin = &grep_filter_plugin,
	.reshapes = true,
	.size = sizeof(struct grep),
	.init = grep_init,
	.fini = grep_fini,
	.run = grep_run,
};
