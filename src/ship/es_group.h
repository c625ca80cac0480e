/*
 * Indices that have refused records: the time of each one's next attempt, and
 * the evidence of documents that it has taken, by host.  Each index has a group of
 * its own, however many there are.  Inside src/ship/ alone.
 */
#ifndef ES_GROUP_H
#define ES_GROUP_H

#include <sys/queue.h>

#include "batch.h"
#include "hosts.h"
#include "voice.h"

struct map;

/* So many are remembered, and all that have records in the hold. */
#define GROUPS 64

#define INDEX_SIZE 256 /* of a name: servers take 255 bytes */

struct group {
	TAILQ_ENTRY(group) in_groups;
	char index[INDEX_SIZE];
	unsigned held;    /* records in the hold */
	unsigned attempt; /* failed ones in a row with its held records */
	int64_t due;      /* mono ns: the next attempt with its records */
	/* By host, mono ns: start of the last request of which it took a document. */
	int64_t taken[HOSTS_MAX];
	bool took; /* a document of the answer that is being applied */
	/* A core that asks whether the index takes any document: none, under way, refused. */
	enum { PROBE_NONE, PROBE_WAITS, PROBE_REFUSED } probe;
	struct said said;
	char why[160]; /* the last refusal, for towline status */
};

struct es_groups {
	const char *index;       /* of all records; NULL: each names its own */
	TAILQ_HEAD(, group) all; /* the one that refused last at the end */
	struct map *by_index;
	unsigned n;
};

/**
 * es_group_init(gs, index), es_group_fini(gs):
 * No group; ${index}, which may be NULL, is that of all records.
 */
void es_group_init(struct es_groups *gs, const char *index);
void es_group_fini(struct es_groups *gs);

/**
 * es_group_seen(gs, b, item), es_group_of(gs, b, item):
 * The group of the index of an item; NULL: none is known; the second makes one.
 * When there are GROUPS already, the one that refused longest ago of those that
 * hold nothing is forgotten for it; when all hold records, there is one more.
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

/**
 * es_group_limit(fixed):
 * The most memory that the groups take, in bytes; ${fixed}: there is one index.
 */
uint64_t es_group_limit(bool fixed);

#endif
