/* The common options of all outputs, and their names. */
#include <stddef.h>

#include "memory.h"
#include "pattern.h"
#include "ship.h"

#define AT(member) offsetof(struct output, member)

static const char *const no_limits[] = { "no_limits", "false", "no_retries", NULL };

const struct option output_options[] = {
	OPTION("Match", OPT_STRING, NULL, AT(match), "tags it takes; * is any text"),
	OPTION("Match_Regex", OPT_STRING, NULL, AT(match_regex),
	    "and those in which this expression is found", .flags = OPT_TEXT),
	OPTION("Alias", OPT_STRING, NULL, AT(alias), "its name in messages and metrics"),
	OPTION("Retry_Limit", OPT_INT, "no_limits", AT(retry_limit),
	    "es, opensearch: how often a record is sent again before it goes to the dead letters; "
	    "all others wait until they can write",
	    .choices = no_limits, .min = 0, .max = 1000000),
	OPTION_IDLE("Log_Level", "the level is [SERVICE] Log_Level for all parts"),
	OPTION_IDLE("log_suppress_interval", "what repeats is said once by itself"),
	OPTION_IDLE("storage.total_limit_size", "the log files are the buffer"),
	OPTIONS_END,
};

bool
output_takes(const struct output *o, struct slice tag)
{
	char why[256];
	struct pattern *p =
	    o->match_regex == NULL ? NULL : pattern_new(o->match_regex, why, sizeof(why));
	bool takes = p != NULL && pattern_match(p, tag);

	pattern_free(p);
	return takes || (o->match != NULL && conf_match(o->match, tag));
}

char *
output_name(const struct section *const *outputs, size_t which)
{
	const struct plugin *plugin = outputs[which]->plugin;
	const struct output *conf = outputs[which]->values;
	unsigned of_its_name = 0;

	for (size_t i = 0; i < which; i++)
		of_its_name += outputs[i]->plugin == plugin;
	return conf->alias != NULL ? xstrdup(conf->alias)
				   : xprintf("%s.%u", plugin->name, of_its_name);
}
