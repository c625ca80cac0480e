/*
 * [FILTER] rewrite_tag: a record whose field matches goes on under another tag, from the
 * first filter on; with KEEP under its old one, too.  The chain does that (src/chain.c);
 * here it is decided, and the tag is made.
 */
#include <stddef.h>
#include <stdlib.h>

#include "memory.h"
#include "ops.h"
#include "rule.h"

struct rewrite_tag_conf {
	struct filter_common common;
	struct list rules;
};

#define AT(member) offsetof(struct rewrite_tag_conf, member)

static const char no_emitter[] = "a record goes on in memory, under its new tag";

static const struct option rewrite_tag_options[] = {
	OPTION("Rule", OPT_LINES, NULL, AT(rules),
	    "$KEY EXPRESSION NEW_TAG KEEP: a record whose field matches goes on under the new tag, in which $TAG, $TAG[n], $0 to $9 and $KEY stand for the old tag, its parts, the expression's groups and fields; KEEP true: under the old one, too; the first that matches counts",
	    .flags = OPT_KEYED | OPT_NEEDED),
	OPTION_IDLE("Emitter_*", no_emitter),
	OPTION_IDLE("Recursion_action", "a record is given another tag 8 times at most"),
	OPTIONS_END,
};

#define PARTS 16

struct tag_part {
	enum { PART_TEXT, PART_TAG, PART_OF_TAG, PART_GROUP, PART_FIELD } kind;
	struct slice text;
	size_t number; /* of the tag's part, or of the group */
	struct accessor field;
};

struct tag_rule {
	struct accessor key;
	struct pattern *pattern;
	struct tag_part parts[PARTS];
	size_t n;
	bool keep;
};

struct rewrite_tag {
	struct filter filter;
	struct tag_rule *rules;
	size_t n;
};

/* ---- made ready */

/* A variable, whose `$` is gone: NULL, or the mistake. */
static const char *
variable_take(struct slice *text, struct tag_part *part)
{
	const char *wrong;

	if (text->len > 0 && text->at[0] >= '0' && text->at[0] <= '9') {
		part->kind = PART_GROUP;
		part->number = (size_t)(text->at[0] - '0');
		*text = slice_from(*text, 1);
		return NULL;
	}
	wrong = accessor_take(text, &part->field, ".,$");
	if (wrong != NULL)
		return wrong;
	part->kind = PART_FIELD;
	if (!slice_eq(part->field.steps[0].name, SLICE("TAG")))
		return NULL;
	part->kind = PART_TAG;
	if (part->field.n == 2 && part->field.steps[1].is_index) {
		part->kind = PART_OF_TAG;
		part->number = part->field.steps[1].index;
	}
	return NULL;
}

static const char *
parts_read(struct slice text, struct tag_rule *rule)
{
	while (text.len > 0) {
		struct tag_part *part = &rule->parts[rule->n];
		size_t len = 0;

		if (rule->n++ == PARTS)
			return "it has too many parts";
		if (text.at[0] == '$') {
			const char *wrong;

			text = slice_from(text, 1);
			wrong = variable_take(&text, part);
			if (wrong != NULL)
				return wrong;
			continue;
		}
		while (len < text.len && text.at[len] != '$')
			len++;
		part->kind = PART_TEXT;
		part->text = (struct slice){ text.at, len };
		text = slice_from(text, len);
	}
	return rule->n == 0 ? "it is empty" : NULL;
}

static bool
keep_read(const struct section *section, const struct rule *rule, struct findings *findings)
{
	static const char *const words[] = { "true", "on", "yes", "false", "off", "no" };
	struct slice word = rule->words[3];

	for (int i = 0; i < 6; i++)
		if (rule_is(word, words[i]))
			return i < 3;
	findings_add(findings, FINDING_ERROR, section->file, rule->line,
	    "Rule: its last word, KEEP, is true or false, not '%.*s'", (int)least(word.len, 64),
	    word.at);
	return false;
}

static void
rule_make(const struct section *section, size_t i, struct tag_rule *t, struct findings *findings)
{
	static const char *const names[] = { "Rule", NULL };
	const struct rewrite_tag_conf *conf = section->values;
	const char *wrong;
	struct rule words;

	rule_read(&conf->rules, i, names, 4, &words);
	if (!rule_wants(section, &words, 4, findings) ||
	    !rule_accessor(section, &words, words.words[0], &t->key, findings))
		return;
	t->pattern = rule_pattern(section, &words, words.words[1], findings);
	t->keep = keep_read(section, &words, findings);
	wrong = parts_read(words.words[2], t);
	if (wrong != NULL)
		findings_add(findings, FINDING_ERROR, section->file, words.line,
		    "Rule: NEW_TAG '%.*s': %s", (int)least(words.words[2].len, 256),
		    words.words[2].at, wrong);
}

static void
rules_free(struct tag_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pattern_free(rules[i].pattern);
	free(rules);
}

static struct tag_rule *
rules_new(const struct section *section, struct findings *findings)
{
	const struct rewrite_tag_conf *conf = section->values;
	struct tag_rule *rules = xcalloc(conf->rules.n + 1, sizeof(*rules));

	for (size_t i = 0; i < conf->rules.n; i++)
		rule_make(section, i, &rules[i], findings);
	return rules;
}

static void
rewrite_tag_check(const struct section *section, struct findings *findings)
{
	const struct rewrite_tag_conf *conf = section->values;

	rules_free(rules_new(section, findings), conf->rules.n);
}

const struct plugin rewrite_tag_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "rewrite_tag",
	.help = "give records another tag by what their fields say",
	.options = rewrite_tag_options,
	.common = filter_options,
	.size = sizeof(struct rewrite_tag_conf),
	.check = rewrite_tag_check,
};

static int
rewrite_tag_init(struct filter *f, const struct filter_world *world)
{
	struct rewrite_tag *w = (struct rewrite_tag *)f;
	struct findings *findings = findings_new();

	(void)world;
	w->n = ((const struct rewrite_tag_conf *)f->section->values)->rules.n;
	w->rules = rules_new(f->section, findings);
	return rule_findings(findings);
}

static void
rewrite_tag_fini(struct filter *f)
{
	struct rewrite_tag *w = (struct rewrite_tag *)f;

	rules_free(w->rules, w->n);
}

/* ---- a record */

/* The ${n}-th of the parts of ${tag}, which dots separate; empty: it has fewer. */
static struct slice
part_of(struct slice tag, size_t n)
{
	const char *dot;

	for (;; n--) {
		dot = memchr(tag.at, '.', tag.len);
		if (n == 0)
			return (
			    struct slice){ tag.at, dot == NULL ? tag.len : (size_t)(dot - tag.at) };
		if (dot == NULL)
			return SLICE("");
		tag = slice_from(tag, (size_t)(dot - tag.at) + 1);
	}
}

static struct slice
part_text(const struct tag_rule *rule, const struct tag_part *part, struct record *r)
{
	struct shape_node *node;
	struct slice text = SLICE("");

	switch (part->kind) {
	case PART_TEXT:
		return part->text;
	case PART_TAG:
		return r->tag;
	case PART_OF_TAG:
		return part_of(r->tag, part->number);
	case PART_GROUP:
		(void)pattern_capture(rule->pattern, part->number, &text);
		return text;
	case PART_FIELD:
		node = accessor_find(&part->field, r->shape);
		if (node != NULL && (node->kind == SHAPE_TEXT || node->kind == SHAPE_SCALAR))
			return shape_text(r->shape, node);
		break;
	}
	return text;
}

/* The new tag, cut at RETAG_MAX bytes; len is 0 where there is no room. */
static struct slice
tag_make(const struct tag_rule *rule, struct record *r, struct arena *arena)
{
	char *to = arena_take(arena, RETAG_MAX);
	size_t len = 0;

	for (size_t i = 0; to != NULL && i < rule->n; i++) {
		struct slice text = part_text(rule, &rule->parts[i], r);

		text.len = least(text.len, RETAG_MAX - len);
		if (text.len > 0)
			memcpy(to + len, text.at, text.len);
		len += text.len;
	}
	return (struct slice){ to, len };
}

static bool
rewrite_tag_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	struct rewrite_tag *w = (struct rewrite_tag *)f;

	(void)parsed;
	(void)pod;
	for (size_t i = 0; i < w->n; i++) {
		struct tag_rule *rule = &w->rules[i];

		if (!rule_value_matches(
			rule->pattern, r->shape, accessor_find(&rule->key, r->shape)))
			continue;
		r->retag.tag = tag_make(rule, r, arena);
		r->retag.rule = (unsigned)i;
		r->retag.what = rule->keep ? RETAG_COPY : RETAG_MOVE;
		break;
	}
	return true;
}

const struct filter_ops rewrite_tag_ops = {
	.plugin = &rewrite_tag_filter_plugin,
	.reshapes = true,
	.size = sizeof(struct rewrite_tag),
	.init = rewrite_tag_init,
	.fini = rewrite_tag_fini,
	.run = rewrite_tag_run,
};
