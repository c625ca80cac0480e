/* The functions of a filter; filter.c has the table of them. */
#ifndef OPS_H
#define OPS_H

#include "filter.h"
#include "pattern.h"

struct filter_ops {
	const struct plugin *plugin;
	bool
	    reshapes; /* run() is given r->shape; where it gets full, the record goes on unchanged */
	size_t size;  /* of the filter's struct, whose first member is a struct filter */
	int (*init)(struct filter *f, const struct filter_world *world); /* -1 after saying why */
	void (*fini)(struct filter *f);
	bool (*run)(struct filter *f, struct record *r, const struct agent_line *parsed,
	    const struct pod *pod, struct arena *arena);
};

struct filter {
	const struct filter_ops *ops;
	const struct section *section;
	const struct filter_common *common;
	struct pattern *match_regex;
	bool reshapes; /* ops->reshapes, unless init has set it for this section */
};

/**
 * grep_merged_check(section, findings):
 * Say which rules name members of a JSON line as if Merge_Log had them at the root.
 */
void grep_merged_check(const struct section *section, struct findings *findings);

extern const struct filter_ops kubernetes_ops, parser_ops, grep_ops, modify_ops, nest_ops,
    record_modifier_ops, lua_ops, rewrite_tag_ops;

#endif
