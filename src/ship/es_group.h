/*
 * Indices that have refused records: the time of each one's next attempt, and
 * the evidence of documents that it has taken, by host.  Inside src/ship/ alone.
 */
#ifndef ES_GROUP_H
#define ES_GROUP_H

#include "batch.h"
#include "hosts.h"
#include "voice.h"

#define GROUPS 16

struct group {
	char index[256];
	unsigned held;    /* records in the hold */
	unsigned attempt; /* failed ones in a row with its held records */
	int64_t due;      /* mono ns: the next attempt with its records */
	/* By host, mono ns: start of the last request of which it took a document. */
	int64_t taken[HOSTS_MAX];
	bool shared; /* by several indices: documents that it took are no evidence */
	/* A core that asks whether the index takes any document: none, under way, refused. */
	enum { PROBE_NONE, PROBE_WAITS, PROBE_REFUSED } probe;
	struct said said;
	char why[160]; /* the last refusal, for towline status */
};

struct es_groups {
	const char *index; /* of all records; NULL: each names its own */
	struct group at[GROUPS];
	unsigned n;
};

/**
 * es_group_seen(gs, b, item), es_group_of(gs, b, item):
 * The group of the index of an item; NULL: none is known; the second makes one,
 * in the place of one that holds nothing.  Beyond GROUPS indices that hold
 * records, the rest share the last group.
 */
struct group *es_group_seen(struct es_groups *gs, const struct batch *b, const struct item *item);
struct group *es_group_of(struct es_groups *gs, const struct batch *b, const struct item *item);

/**
 * es_group_taken(g, host, started):
 * The index took a document, in a request through ${host} that began then.
 */
void es_group_taken(struct group *g, unsigned host, int64_t started);

/**
 * es_group_took(g, since):
 * True when it has taken a document in a request that began after ${since},
 * through any host.
 */
bool es_group_took(const struct group *g, int64_t since);

#endif
