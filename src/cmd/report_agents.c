/*
 * Whose records a report over a server counts: the clause of the label app, as
 * the reference document has it, and the pods and containers beside the agents
 * that the metrics do not count.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

#include "report.h"
#include "service.h"

#define POD "kubernetes.pod_name.keyword"
#define CONTAINER "kubernetes.container_name.keyword"

/* The clause of the label app, also for a mapping that does not take the parts of a label apart. */
static void
app_add(json_t *should, const char *app, const char *longer)
{
	json_array_append_new(
	    should, json_pack("{s:{s:s}}", "match", "kubernetes.labels.app", app));
	json_array_append_new(
	    should, json_pack("{s:{s:s}}", "prefix", "kubernetes.labels.app", longer));
}

json_t *
report_agents_labelled(void)
{
	json_t *should = json_array();

	app_add(should, REPORT_AGENT, REPORT_AGENT "-");
	app_add(should, REPORT_RUNNER, REPORT_RUNNER "-");
	json_array_append_new(should, json_pack("{s:{s:{s:{s:s}}}}", "bool", "must_not", "exists",
					  "field", "kubernetes.labels.app"));
	return json_pack("{s:{s:o,s:i}}", "bool", "should", should, "minimum_should_match", 1);
}

static void
put_literal(struct buffer *to, char c)
{
	if (!isalnum((unsigned char)c) && c != '-')
		buffer_put(to, SLICE("\\"));
	buffer_put(to, (struct slice){ &c, 1 });
}

/* `[a-z]` or `[!a-z]` at ${glob}: its regular expression, and the place behind it; NULL: no bracket closes it. */
static const char *
put_set(struct buffer *to, const char *glob)
{
	bool not = glob[1] == '!' || glob[1] == '^';
	const char *at = glob + 1 + not, *close = *at == '\0' ? NULL : strchr(at + 1, ']');

	if (close == NULL)
		return NULL;
	buffer_put(to, not ? SLICE("[^") : SLICE("["));
	for (; at < close; at++)
		put_literal(to, *at);
	buffer_put(to, SLICE("]"));
	return close + 1;
}

/* The query for names that the glob fits; `*` and `?` fit a slash, too, as in fnmatch() without flags. */
static json_t *
glob_clause(const char *field, const char *glob)
{
	struct buffer regexp;
	json_t *clause;

	buffer_init(&regexp, 0);
	while (*glob != '\0') {
		const char *behind = *glob == '[' ? put_set(&regexp, glob) : NULL;

		if (behind != NULL) {
			glob = behind;
			continue;
		}
		if (*glob == '\\' && glob[1] != '\0')
			put_literal(&regexp, *++glob);
		else if (*glob == '*' || *glob == '?')
			buffer_put(&regexp, *glob == '*' ? SLICE(".*") : SLICE("."));
		else
			put_literal(&regexp, *glob);
		glob++;
	}
	clause = json_pack(
	    "{s:{s:{s:s%,s:s}}}", "regexp", field, "value", regexp.at, regexp.len, "flags", "NONE");
	buffer_fini(&regexp);
	return clause;
}

static void
globs_add(json_t *clauses, const char *field, const struct list *globs)
{
	for (size_t i = 0; i < globs->n; i++)
		json_array_append_new(clauses, glob_clause(field, globs->at[i]));
}

json_t *
report_agents_excluded(const struct service *s)
{
	json_t *not = json_array();

	globs_add(not, POD, &s->agent_exclude_pods);
	globs_add(not, CONTAINER, &s->agent_exclude_containers);
	return json_pack("{s:{s:o}}", "bool", "must_not", not );
}
