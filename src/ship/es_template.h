/*
 * The index template, before the first record: that ours is there, and that the
 * index comes from it.  Inside src/ship/ alone.
 */
#ifndef ES_TEMPLATE_H
#define ES_TEMPLATE_H

#include "es_hosts.h"
#include "es_http.h"

struct es_template;

/* All hosts have failed once more: for what reason, and when the next one is asked. */
struct es_template_failure {
	const char *what;
	long status;               /* 0: no answer */
	int64_t started, due, now; /* mono ns */
};

typedef void es_template_failed(void *arg, const struct es_template_failure *f);

/**
 * es_template_new(sink, conf, http, hosts, failed, arg), es_template_free(t):
 * Nothing is asked yet.  ${failed} is called with ${arg}.
 */
struct es_template *es_template_new(struct sink *sink, const struct es_conf *conf,
    struct es_http *http, const struct es_hosts *hosts, es_template_failed *failed, void *arg);
void es_template_free(struct es_template *t);

/**
 * es_template_turn(t, now, next):
 * True when it is settled, so that records may be sent.  Goes on with it when
 * not, and sets ${*next}.
 */
bool es_template_turn(struct es_template *t, int64_t now, int64_t *next);

#endif
