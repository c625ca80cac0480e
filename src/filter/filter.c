/* The filters that there are, and the records that each sees. */
#include "filter.h"

#include <stdlib.h>

#include "lua_script.h"
#include "ops.h"
#include "voice.h"

static const struct filter_ops *const all[] = { &kubernetes_ops, &parser_ops, &grep_ops,
	&modify_ops, &nest_ops, &record_modifier_ops, &lua_ops, &rewrite_tag_ops, NULL };

struct filter *
filter_new(const struct section *section, const struct filter_world *world)
{
	const struct filter_ops *ops = NULL;
	struct filter *f;
	char why[256];

	for (size_t i = 0; all[i] != NULL; i++)
		if (all[i]->plugin == section->plugin)
			ops = all[i];
	if (ops == NULL) {
		say_error("filter", "%s:%u: no filter '%s'", section->file, section->line,
		    section->plugin->name);
		return NULL;
	}
	f = xcalloc(1, ops->size);
	f->ops = ops;
	f->section = section;
	f->reshapes = ops->reshapes;
	f->common = section->values; /* first in each filter's struct */
	if (f->common->match_regex != NULL) {
		f->match_regex = pattern_new(f->common->match_regex, why, sizeof(why));
		if (f->match_regex == NULL) {
			say_error("filter", "%s:%u: Match_Regex: %s", section->file,
			    conf_given(section, "Match_Regex"), why);
			goto wrong;
		}
	}
	if (ops->init(f, world) == 0)
		return f;
wrong:
	filter_free(f);
	return NULL;
}

/* An input or a filter that gives the document's root fields of any name. */
static bool
gives_fields(const struct section *s)
{
	return s->plugin == &parser_filter_plugin || s->plugin == &modify_filter_plugin ||
	       s->plugin == &nest_filter_plugin || s->plugin == &record_modifier_filter_plugin ||
	       s->plugin == &lua_filter_plugin || conf_given(s, "Path_Key") != 0 ||
	       conf_given(s, "Key") != 0;
}

/*
 * Fluent Bit's Merge_Log has a JSON line's members at the root, where a grep behind it looks
 * for them: here it would drop every record, or none.
 */
static void
merged_check(const struct conf *conf, struct findings *findings)
{
	const struct kubernetes_conf *k = NULL;

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];
		const struct filter_common *common = s->values;

		if (gives_fields(s))
			return;
		if (s->plugin == &kubernetes_filter_plugin && conf_given(s, "Merge_Log") != 0 &&
		    conf_given(s, "Merge_Log_Key") == 0) {
			k = s->values;
		} else if (s->plugin == &grep_filter_plugin && k != NULL && k->merge_log &&
			   common->match != NULL && k->common.match != NULL &&
			   strcmp(common->match, k->common.match) == 0) {
			grep_merged_check(s, findings);
		}
	}
}

void
filter_check(const struct conf *conf, struct findings *findings)
{
	merged_check(conf, findings);
	for (size_t i = 0; i < conf->n; i++)
		if (conf->sections[i].plugin == &lua_filter_plugin)
			lua_script_check(&conf->sections[i], conf->file, findings);
}

uint64_t
filter_limit(const struct conf *conf)
{
	uint64_t n = 0;

	for (size_t i = 0; i < conf->n; i++)
		if (conf->sections[i].plugin == &lua_filter_plugin)
			n += ((const struct lua_conf *)conf->sections[i].values)->max_memory;
	return n;
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	if (f->ops->fini != NULL)
		f->ops->fini(f);
	pattern_free(f->match_regex);
	free(f);
}

bool
filter_matches(const struct filter *f, struct slice tag)
{
	return (f->match_regex != NULL && pattern_match(f->match_regex, tag)) ||
	       (f->common->match != NULL && conf_match(f->common->match, tag));
}

const char *
filter_name(const struct filter *f)
{
	return f->common->alias ? f->common->alias : f->section->plugin->name;
}

const struct plugin *
filter_plugin(const struct filter *f)
{
	return f->section->plugin;
}

const struct kubernetes_conf *
filter_kubernetes(const struct filter *f)
{
	return f->ops == &kubernetes_ops ? f->section->values : NULL;
}

bool
filter_reshapes(const struct filter *f)
{
	return f->reshapes;
}

bool
filter_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	return f->ops->run(f, r, parsed, pod, arena);
}
