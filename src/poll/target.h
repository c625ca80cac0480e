/*
 * One agent that is polled: when, at which endpoint, and what its failures
 * mean.  No thread, no network, no clock.
 *
 * A poll asks the endpoint that answered last, then all others in their order,
 * until one answers.  It fails when none does.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdint.h>

#include "agent_polled.h"
#include "metrics.h"

/* Constants of all agents. */
struct target_rules {
	unsigned endpoints;        /* at least 1 */
	unsigned silent;           /* failed polls in a row, after which an agent does not run */
	int64_t interval, timeout; /* ns */
};

struct target {
	unsigned endpoint; /* the endpoint that answered last */
	unsigned attempt;  /* of the poll under way */
	unsigned failures; /* polls in a row */
	bool flying;       /* a poll is under way */
	int64_t due;       /* mono ns of the next poll */
	int64_t until;     /* mono ns: the end of the poll under way */
	enum poll_failure
	    worst; /* of the failures of the poll under way, the last in their order */
};

/**
 * target_begin(t, rules, now):
 * A poll begins.  Return the endpoint to be asked.
 */
unsigned target_begin(struct target *t, const struct target_rules *rules, int64_t now);

/**
 * target_time(t, rules, now):
 * The time (ns) that the endpoint which is asked next has: an equal part of the
 * poll's, so that one that hangs leaves time for the others.
 */
int64_t target_time(const struct target *t, const struct target_rules *rules, int64_t now);

/**
 * target_answered(t, rules):
 * The endpoint has answered.  True when the agent was silent before.
 */
bool target_answered(struct target *t, const struct target_rules *rules);

/* What follows a request that failed. */
enum target_next {
	TARGET_TRIES,  /* *endpoint is asked next */
	TARGET_FAILED, /* the poll has failed, as t->worst says */
	TARGET_SILENT, /* … for the first time too often: the agent does not run */
};

/**
 * target_failed(t, rules, why, now, endpoint):
 * The request has failed.
 */
enum target_next target_failed(struct target *t, const struct target_rules *rules,
    enum poll_failure why, int64_t now, unsigned *endpoint);

#endif
