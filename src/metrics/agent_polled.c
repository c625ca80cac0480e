/* The polled agents, by the labels of their series; shown by agent_write.c. */
#include <math.h>
#include <stdlib.h>

#include "agent_series.h"

const char *const agent_polled_states[] = { "none", "running", "pending_shutdown", "shutting_down",
	"unknown" };

void
agent_polled_clear(struct agent_said *said)
{
	*said = (struct agent_said){ .state = AGENT_STATES };
	for (int i = 0; i < AGENT_NUMBERS; i++)
		said->number[i] = NAN;
}

/* The labels, as those of the agent's log have them. */
static struct buffer
labels_of(const struct agent_name *who)
{
	struct buffer labels;

	buffer_init(&labels, 0);
	agents_labels(
	    &labels, slice_of(who->namespace_name), slice_of(who->pod), slice_of(who->container));
	return labels;
}

/* Under the lock. */
static struct agent_polled *
polled_of(const struct agent_name *who)
{
	struct buffer labels = labels_of(who);
	struct agent_polled *p = map_get(agents.polled, buffer_slice(&labels));

	if (p == NULL) {
		p = xcalloc(1, sizeof(*p));
		p->labels = xslicedup(buffer_slice(&labels));
		agent_polled_clear(&p->said);
		map_put(agents.polled, buffer_slice(&labels), p);
	}
	buffer_fini(&labels);
	return p;
}

void
agent_polled_answered(const struct agent_name *who, const struct agent_said *said, int64_t now)
{
	struct agent_polled *p;

	pthread_mutex_lock(&agents.lock);
	p = polled_of(who);
	p->up = true;
	p->answered = now;
	p->said = *said;
	pthread_mutex_unlock(&agents.lock);
}

void
agent_polled_silent(const struct agent_name *who)
{
	pthread_mutex_lock(&agents.lock);
	polled_of(who)->up = false;
	pthread_mutex_unlock(&agents.lock);
}

void
agent_polled_gone(const struct agent_name *who)
{
	struct buffer labels = labels_of(who);

	pthread_mutex_lock(&agents.lock);
	agents_polled_free(map_del(agents.polled, buffer_slice(&labels)));
	pthread_mutex_unlock(&agents.lock);
	buffer_fini(&labels);
}
