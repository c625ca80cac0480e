/* The opensearch output: the es output by another name. */
#include "es.h"

const struct plugin opensearch_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "opensearch",
	.help = "OpenSearch, by its bulk API",
	.options = es_options,
	.common = output_options,
	.size = sizeof(struct es_conf),
	.check = es_options_check,
};

const struct sink_type opensearch_sink = {
	.plugin = &opensearch_plugin,
	.durable = true,
	.open = es_open,
	.close = es_close,
	.give = es_give,
	.turn = es_turn,
	.report = es_report,
};
