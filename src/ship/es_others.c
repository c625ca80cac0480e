/*
 * Other templates for indices like ours.  The server takes one of its index templates for
 * an index, by priority, and those of the kind before only where none of these fits: ours
 * would put another's out of force.
 */
#include "es_others.h"

#include <string.h>

#include "conf.h"
#include "ship.h"

/* The version in a _meta of towline's; 0: it is another's. */
json_int_t
es_others_version(const json_t *meta)
{
	const char *by = json_string_value(json_object_get(meta, "managed_by"));

	return by != NULL && strcmp(by, "towline") == 0
		   ? json_integer_value(json_object_get(meta, "version"))
		   : 0;
}

/* True when an index may have a name that both patterns fit; ours has one * at most, at its end. */
static bool
patterns_meet(const char *ours, const char *theirs)
{
	size_t n = strcspn(ours, "*");

	if (ours[n] == '\0')
		return conf_match(theirs, slice_of(ours));
	for (size_t i = 0; i < n; i++) {
		if (theirs[i] == '*')
			return true;
		if (theirs[i] != ours[i])
			return false;
	}
	return true;
}

static bool
any_meets(const char *ours, const json_t *patterns)
{
	for (size_t i = 0; i < json_array_size(patterns); i++) {
		const char *pattern = json_string_value(json_array_get(patterns, i));

		if (pattern != NULL && patterns_meet(ours, pattern))
			return true;
	}
	return false;
}

/* True when it is another's than the server's own or towline's, and for indices like ours. */
static bool
would_displace(const char *ours, const json_t *theirs, const json_t *meta)
{
	return !json_is_true(json_object_get(meta, "managed")) && es_others_version(meta) == 0 &&
	       any_meets(ours, json_object_get(theirs, "index_patterns"));
}

static bool
includes_ours(const json_t *theirs)
{
	const json_t *parts = json_object_get(theirs, "composed_of");

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const char *part = json_string_value(json_array_get(parts, i));

		if (part != NULL && strcmp(part, SHIP_COMPONENT) == 0)
			return true;
	}
	return false;
}

const char *
es_others_composable(const json_t *answer, const char *ours, bool *includes)
{
	const json_t *list = json_object_get(answer, "index_templates");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const json_t *theirs = json_object_get(one, "index_template");
		const char *name = json_string_value(json_object_get(one, "name"));

		*includes = includes_ours(theirs);
		if (name != NULL && would_displace(ours, theirs, json_object_get(theirs, "_meta")))
			return name;
	}
	return NULL;
}

const char *
es_others_legacy(json_t *answer, const char *ours, bool *includes)
{
	const char *name;
	json_t *theirs;

	json_object_foreach(answer, name, theirs)
	{
		const json_t *mappings = json_object_get(theirs, "mappings");

		*includes = includes_ours(theirs);
		if (would_displace(ours, theirs, json_object_get(mappings, "_meta")))
			return name;
	}
	return NULL;
}
