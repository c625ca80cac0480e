/* Rules of filters: options of several kinds whose order counts (OPT_KEYED). */
#ifndef RULE_H
#define RULE_H

#include "accessor.h"
#include "conf.h"
#include "pattern.h"

/* One rule: the option's name and its words, the last one with all that is left. */
struct rule {
	const char *option;
	unsigned line; /* that it stands on */
	struct slice words[4];
	int n;
};

/**
 * rule_read(list, i, names, most, rule), rule_read_typed(list, i, names, most, rule):
 * Take item ${i} of ${list} (`Option words`) apart into at most ${most} words, beside the option's name.
 * A word may stand in double quotes, with \" within; in the brackets of an accessor blanks are
 * its own.  The second one takes no quotes off the last word.
 * Names of options: ${rule}->option is one of ${names}, ended by NULL.
 */
void rule_read(
    const struct list *list, size_t i, const char *const *names, int most, struct rule *rule);
void rule_read_typed(
    const struct list *list, size_t i, const char *const *names, int most, struct rule *rule);

/* True when ${word} is ${name}, in any case. */
bool rule_is(struct slice word, const char *name);

/**
 * rule_wants(section, rule, n, findings):
 * True when ${rule} has ${n} words; else a finding says so.
 */
bool rule_wants(
    const struct section *section, const struct rule *rule, int n, struct findings *findings);

/**
 * rule_pattern(section, rule, text, findings), rule_accessor(section, rule, text, a, findings):
 * The expression or accessor ${text} of ${rule}; NULL or false after a finding.
 */
struct pattern *rule_pattern(const struct section *section, const struct rule *rule,
    struct slice text, struct findings *findings);
bool rule_accessor(const struct section *section, const struct rule *rule, struct slice text,
    struct accessor *a, struct findings *findings);

/**
 * rule_value_matches(p, s, node):
 * True when ${p} matches the text of ${node}: of a number, true and false as well; NULL,
 * null, maps and lists never match.
 */
bool rule_value_matches(struct pattern *p, struct shape *s, struct shape_node *node);

/**
 * rule_findings(findings):
 * Print and free what the check has said before: 0, or -1 when there was a mistake.
 */
int rule_findings(struct findings *findings);

#endif
