/* The options that all filters have. */
#include "filter.h"

#include <stddef.h>

#define AT(member) offsetof(struct filter_common, member)

const struct option filter_options[] = {
	OPTION("Match", OPT_STRING, NULL, AT(match), "tags that it applies to; * is any text"),
	OPTION("Match_Regex", OPT_STRING, NULL, AT(match_regex),
	    "and those in which this expression is found", .flags = OPT_TEXT),
	OPTION("Alias", OPT_STRING, NULL, AT(alias), "its name in messages"),
	OPTION("Log_Level", OPT_STRING, NULL, AT(log_level), "there is one level, of [SERVICE]",
	    .flags = OPT_IDLE),
	OPTION_IDLE("log_suppress_interval", "what repeats is said once by itself"),
	OPTIONS_END,
};
