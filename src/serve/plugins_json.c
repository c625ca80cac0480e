/* The names of a configuration's plugins, as JSON. */
#include "plugins_json.h"

static void
kind_put(const struct conf *conf, enum section_kind kind, struct buffer *to)
{
	const char *before = "";

	for (size_t i = 0; conf != NULL && i < conf->n; i++) {
		const struct plugin *p = conf->sections[i].plugin;
		size_t first = 0;

		while (conf->sections[first].plugin != p)
			first++;
		if (p->kind != kind || first < i)
			continue;
		buffer_printf(to, "%s\"%s\"", before, p->name);
		before = ",";
	}
}

void
plugins_json(const struct conf *conf, struct buffer *to)
{
	buffer_put(to, SLICE("{\"inputs\":["));
	kind_put(conf, SECTION_INPUT, to);
	buffer_put(to, SLICE("],\"filters\":["));
	kind_put(conf, SECTION_FILTER, to);
	buffer_put(to, SLICE("],\"outputs\":["));
	kind_put(conf, SECTION_OUTPUT, to);
	buffer_put(to, SLICE("]}\n"));
}
