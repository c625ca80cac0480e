/* Streams: what the pipeline knows of each log, and each lane's part of it. */
#include "enrich.h"

#include <stdlib.h>

#include "agent_metrics.h"
#include "clock.h"
#include "filter.h"
#include "resources.h"

/* Those of a lane's outputs that take records of the tag. */
uint32_t
flow_route(const struct pipeline *p, uint32_t outputs, struct slice tag)
{
	uint32_t route = 0, bit = 1;

	for (size_t i = 0; i < p->conf->n; i++) {
		const struct section *s = &p->conf->sections[i];

		if (s->plugin->kind != SECTION_OUTPUT)
			continue;
		if ((outputs & bit) != 0 && output_takes(s->values, tag))
			route |= bit;
		bit <<= 1;
	}
	return route;
}

static void
lanes_begin(struct pipeline *p, struct flow *flow, struct stream *stream)
{
	flow->lanes = xcalloc(p->nlanes, sizeof(*flow->lanes));
	for (unsigned i = 0; i < p->nlanes; i++) {
		const struct ship_lane *lane = shipper_lane(p->shipper, i);
		struct flow_lane *its = &flow->lanes[i];

		its->source = chain_source_new(p->chain, stream);
		its->route = flow_route(p, lane->outputs, slice_of(stream->tag));
		its->retags = chain_has(its->source, &rewrite_tag_filter_plugin);
		its->several =
		    its->retags || (its->route != 0 && chain_has(its->source, &lua_filter_plugin));
		its->rules = *lane->rules;
		chain_rules(p->chain, stream, &its->rules);
		chain_names(its->source, &its->rules);
	}
}

static void
lanes_end(struct pipeline *p, struct flow *flow)
{
	for (unsigned i = 0; i < p->nlanes; i++)
		chain_source_free(flow->lanes[i].source);
	free(flow->lanes);
}

static struct resources_container
container_of(const struct pod *pod)
{
	return (struct resources_container){ pod->namespace_name, pod->pod_name,
		pod->container_name, pod->docker_id };
}

void
flow_watch(struct pipeline *p, struct flow *flow)
{
	struct resources_container c;

	if (flow->series == NULL || !agent_metrics_is_its_own(flow->series) || flow->watched ||
	    flow->stream->pod->docker_id.len == 0)
		return;
	c = container_of(flow->stream->pod);
	resources_watch(p->enriching.resources, &c);
	flow->watched = true;
}

static void
unwatch(struct pipeline *p, struct flow *flow)
{
	struct resources_container c;

	if (!flow->watched)
		return;
	c = container_of(flow->stream->pod);
	resources_leave(p->enriching.resources, &c);
}

static void
stream_begins(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	struct cursors known[SIDES];

	flow->stream = stream;
	lanes_begin(p, flow, stream);
	if (stream->agent)
		flow->series = agent_metrics_agent(stream->pod);
	state_cursors(p->state, &stream->log, stream->cursors[0].reader, known);
	for (int side = 0; side < SIDES; side++)
		flow->counted[side] = known[side].counted;
	enrich_begins(p, flow);
	enrich_labels(flow);
	flow_watch(p, flow);
	LIST_INSERT_HEAD(&p->flows, flow, in_flows);
	stream->user = flow;
}

static void
stream_ends(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = stream->user;

	count_stream_ends(p, flow);
	unwatch(p, flow);
	enrich_ends(p, flow);
	LIST_REMOVE(flow, in_flows);
	if (flow->series != NULL)
		agent_metrics_ended(flow->series, stream->pod, clock_wall());
	lanes_end(p, flow);
	free(flow);
	stream->user = NULL;
}

void
flow_stream(void *arg, struct stream *stream, bool begins)
{
	if (begins)
		stream_begins(arg, stream);
	else
		stream_ends(arg, stream);
}
