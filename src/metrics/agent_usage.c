/* The containers' usage, by the labels of their series. */
#include "agent_usage.h"

#include <stdlib.h>

#include "agent_series.h"

static void
usage_add(struct map *to, const struct agent_usage *from)
{
	struct buffer labels;
	struct agent_used *u;

	buffer_init(&labels, 0);
	agents_labels(&labels, slice_of(from->who.namespace_name), slice_of(from->who.pod),
	    slice_of(from->who.container));
	if (map_get(to, buffer_slice(&labels)) == NULL) {
		u = xcalloc(1, sizeof(*u));
		u->labels = xslicedup(buffer_slice(&labels));
		u->memory = from->memory;
		u->cpu = from->cpu;
		map_put(to, buffer_slice(&labels), u);
	}
	buffer_fini(&labels);
}

void
agent_usage_publish(const struct agent_usage *all, size_t n)
{
	struct map *next = map_new(), *was;

	for (size_t i = 0; i < n; i++)
		usage_add(next, &all[i]);
	pthread_mutex_lock(&agents.lock);
	was = agents.usage;
	agents.usage = next;
	pthread_mutex_unlock(&agents.lock);
	agents_usage_free(was);
}
