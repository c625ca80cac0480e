/* What the rules of grep, modify, record_modifier and rewrite_tag have in common. */
#include "rule.h"

#include <stdlib.h>
#include <strings.h>

#include "memory.h"

/* Blanks within the brackets of an accessor are its own. */
static size_t
word_len(struct slice text)
{
	bool accessor = text.at[0] == '$', within = false;
	size_t i = 0;

	for (; i < text.len && (within || !slice_is_blank(text.at[i])); i++) {
		if (text.at[i] == '[')
			within = accessor;
		else if (text.at[i] == ']')
			within = false;
	}
	return i;
}

/* The length between the quotes that ${text} begins with; SIZE_MAX: they do not end a word. */
static size_t
quoted_len(struct slice text)
{
	size_t i = 1;

	while (i < text.len && (text.at[i] != '"' || text.at[i - 1] == '\\'))
		i++;
	if (i >= text.len || (i + 1 < text.len && !slice_is_blank(text.at[i + 1])))
		return SIZE_MAX;
	return i - 1;
}

static struct slice
word_take(struct slice *rest)
{
	struct slice word = *rest;
	size_t used = rest->at[0] == '"' ? quoted_len(*rest) : SIZE_MAX;

	if (used != SIZE_MAX) {
		word = (struct slice){ rest->at + 1, used };
		*rest = slice_trim(slice_from(*rest, used + 2));
		return word;
	}
	used = word_len(*rest);
	word.len = used;
	*rest = slice_trim(slice_from(*rest, used));
	return word;
}

bool
rule_is(struct slice word, const char *name)
{
	return strlen(name) == word.len && strncasecmp(name, word.at, word.len) == 0;
}

void
rule_read(const struct list *list, size_t i, const char *const *names, int most, struct rule *rule)
{
	struct slice rest = slice_of(list->at[i]), name = word_take(&rest);

	*rule = (struct rule){ .option = "", .line = list_line(list, i) };
	for (; *names != NULL; names++)
		if (rule_is(name, *names))
			rule->option = *names;
	while (rest.len > 0 && rule->n < most) {
		struct slice all = rest, word = word_take(&rest);

		if (rule->n == most - 1 && rest.len > 0)
			word = all; /* the last one has all that is left */
		rule->words[rule->n++] = word;
	}
}

void
rule_read_typed(
    const struct list *list, size_t i, const char *const *names, int most, struct rule *rule)
{
	struct slice *last = &rule->words[most - 1];

	rule_read(list, i, names, most, rule);
	if (rule->n == most && last->at[-1] == '"') /* that was taken off */
		*last = (struct slice){ last->at - 1, last->len + 2 };
}

bool
rule_wants(const struct section *section, const struct rule *rule, int n, struct findings *findings)
{
	static const char *const what[] = { "nothing", "one word", "two words", "three words",
		"four words" };

	if (rule->n == n)
		return true;
	findings_add(findings, FINDING_ERROR, section->file, rule->line, "%s takes %s; %s",
	    rule->option, what[n],
	    rule->n < n ? "there are fewer" : "a word with blanks stands in double quotes");
	return false;
}

struct pattern *
rule_pattern(const struct section *section, const struct rule *rule, struct slice text,
    struct findings *findings)
{
	char why[256], *regex = xslicedup(text);
	struct pattern *p = pattern_new(regex, why, sizeof(why));

	if (p == NULL)
		findings_add(findings, FINDING_ERROR, section->file, rule->line, "%s '%s': %s",
		    rule->option, regex, why);
	free(regex);
	return p;
}

bool
rule_accessor(const struct section *section, const struct rule *rule, struct slice text,
    struct accessor *a, struct findings *findings)
{
	const char *wrong = accessor_read(text, a);

	if (wrong != NULL)
		findings_add(findings, FINDING_ERROR, section->file, rule->line, "%s '%.*s': %s",
		    rule->option, (int)least(text.len, 256), text.at, wrong);
	return wrong == NULL;
}

bool
rule_value_matches(struct pattern *p, struct shape *s, struct shape_node *node)
{
	if (node == NULL || (node->kind != SHAPE_TEXT && node->kind != SHAPE_SCALAR) ||
	    (node->kind == SHAPE_SCALAR && node->text.at[0] == 'n'))
		return false;
	return pattern_match(p, shape_text(s, node));
}

int
rule_findings(struct findings *findings)
{
	bool wrong = findings_count(findings, FINDING_ERROR) > 0;

	findings_print(findings, FINDING_ERROR, stderr);
	findings_free(findings);
	return wrong ? -1 : 0;
}
