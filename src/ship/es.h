/*
 * An es or opensearch output, whole: for the files that join its parts.  Each part
 * has a header of its own.
 *
 *	es.c: give ─> send_queue ─> es_request ─> es_answer ─┬─> es_apply ─> done
 *	                   ^ ^                               │      │  │
 *	                   │ └── the request again, in halves ┘      │  └─> es_bury: dead letters
 *	                   ├──── items again, stripped, as a core <──┤
 *	                   └──── es_hold <────────────────────────────┘
 */
#ifndef ES_H
#define ES_H

#include "es_hold.h"
#include "es_hosts.h"
#include "es_request.h"

struct es_template;

struct es {
	struct sink *sink;
	const struct es_conf *conf;
	struct es_http *http;
	struct es_hosts *hosts;
	struct es_template *template;
	struct send_queue queue;
	struct es_groups groups;
	struct es_hold *hold;
	struct es_request **requests, *free;
	unsigned nrequests; /* Workers, and a probe for each host */
	int64_t turned;     /* mono ns: the last es_turn() */
	struct said said_dead, said_given_up, said_store, said_held;
};

/**
 * es_open(sink), es_close(sink), es_give(sink, b), es_turn(sink, now), es_report(sink):
 * struct sink_type.
 */
int es_open(struct sink *sink);
void es_close(struct sink *sink);
void es_give(struct sink *sink, struct batch *b);
int64_t es_turn(struct sink *sink, int64_t now);
void es_report(struct sink *sink);

#endif
