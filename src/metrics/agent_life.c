/* The lives of an agent: a pod's uid and a restart of the container each. */
#include "agent_series.h"

#include <stdlib.h>

static bool
life_is(const struct life *life, const struct pod *pod)
{
	return life->restart == pod->restart && slice_eq(slice_of(life->uid), pod->pod_id);
}

struct life *
agent_life_find(const struct agent_series *a, const struct pod *pod)
{
	struct life *life = a->lives;

	while (life != NULL && !life_is(life, pod))
		life = life->next;
	return life;
}

struct life *
agent_life_add(struct agent_series *a, struct slice uid, uint32_t restart)
{
	struct life *life = xcalloc(1, sizeof(*life));

	life->uid = xslicedup(uid);
	life->restart = restart;
	life->next = a->lives;
	a->lives = life;
	return life;
}

void
agent_life_free(struct life *life)
{
	free(life->uid);
	free(life);
}

void
agent_life_prune(struct agent_series *a)
{
	struct life **at = &a->lives;

	while (*at != NULL) {
		struct life *life = *at;

		if (life->streams > 0 || life == a->newest) {
			at = &life->next;
			continue;
		}
		*at = life->next;
		agent_life_free(life);
	}
}

void
agent_life_renew(struct agent_series *a, struct life *life)
{
	struct vitals *v = &a->vitals;

	a->newest = life;
	a->changed = true;
	tasks_clear(v->tasks);
	free(v->window.parts);
	*v = (struct vitals){ .tasks = v->tasks };
}

/*
 * Restarts are numbered.  Uids are not: of two uids of one pod name the newer
 * is the uid whose record is later than all of the other's, as a name is free
 * again only when its pod has ended.
 */
bool
agent_life_is_newest(struct agent_series *a, const struct pod *pod, int64_t time)
{
	struct life *life;
	bool newer;

	if (life_is(a->newest, pod))
		return true;
	newer = slice_eq(slice_of(a->newest->uid), pod->pod_id) ? pod->restart > a->newest->restart
								: time > a->vitals.last;
	life = newer ? agent_life_find(a, pod) : NULL;
	if (life == NULL)
		return false;
	agent_life_renew(a, life);
	agent_life_prune(a);
	return true;
}
