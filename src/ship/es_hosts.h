/*
 * The hosts of an es output, taken to be nodes of one cluster with the same
 * credentials and TLS options: the choice of one for each request (pick), and
 * the outcome of each request (report).
 *
 * One that fails is left alone for a while, then probed with one request; the
 * others go on.  One that has too much to do is sent less at a time.  Hosts are
 * numbered from 0; a set of them is a mask.
 */
#ifndef ES_HOSTS_H
#define ES_HOSTS_H

#include <curl/curl.h>

#include "es_conf.h"
#include "hosts.h"
#include "sink.h"

struct es_hosts;

/* The address of a host. */
struct es_address {
	char *name;                    /* HOST:PORT */
	char *origin;                  /* scheme://host:port/path, no slash at the end */
	char *url;                     /* of bulk requests */
	struct curl_slist *connect_to; /* when the URL's host is tls.vhost; else NULL */
};

/**
 * es_hosts_new(sink, conf, index), es_hosts_free(hs):
 * Bulk requests go to ${index}; NULL: each document names its own.  NULL after
 * saying why.
 */
struct es_hosts *es_hosts_new(struct sink *sink, const struct es_conf *conf, const char *index);
void es_hosts_free(struct es_hosts *hs);

unsigned es_hosts_count(const struct es_hosts *hs);
const struct es_address *es_hosts_address(const struct es_hosts *hs, unsigned host);

/* ---- pick */

/**
 * es_hosts_pick(hs, not, now):
 * The host for the next request, rather not one of ${not}; -1: none takes one
 * now.
 */
int es_hosts_pick(const struct es_hosts *hs, uint32_t not, int64_t now);

/**
 * es_hosts_well(hs, not, now):
 * True when a host that is not one of ${not} works without failures.
 */
bool es_hosts_well(const struct es_hosts *hs, uint32_t not, int64_t now);

/**
 * es_hosts_due(hs, now):
 * The time when a host that is left alone may be sent to again; NEVER: none is.
 */
int64_t es_hosts_due(const struct es_hosts *hs, int64_t now);

/* ---- report */

/* Outcomes of a request. */
enum es_host_did {
	HOST_ANSWERED,    /* each item has a verdict */
	HOST_JUDGED,      /* behind HOST_ANSWERED: the pace that the verdicts call for */
	HOST_REFUSED,     /* a single document was refused by a whole answer */
	HOST_FAILED,      /* no answer, or none to a bulk request */
	HOSTS_WOULD_FAIL, /* the same, and the other hosts would fail, too */
};

struct es_host_report {
	enum es_host_did did;
	uint64_t bytes;            /* HOST_ANSWERED: of the body */
	bool slower;               /* 429 was the answer, to all or to some; */
	bool faster;               /* an item was taken */
	int64_t started;           /* mono ns */
	int64_t rest;              /* ns: it is left alone for so long at least */
	const char *what, *detail; /* failures: why */
};

/**
 * es_hosts_sent(hs, host, now):
 * A request to ${host} is under way.  Return true when it is beyond Workers: a
 * probe of a failed host, while others do the work.  The request has ended.
 */
bool es_hosts_sent(struct es_hosts *hs, unsigned host, int64_t now);
void es_hosts_landed(struct es_hosts *hs, unsigned host, bool beyond);

/**
 * es_hosts_report(hs, host, report, now):
 * The outcome of a request that has landed.  A failure, and the end of one, is
 * said, and shown by /readyz.
 */
void es_hosts_report(
    struct es_hosts *hs, unsigned host, const struct es_host_report *report, int64_t now);

/**
 * es_hosts_was_down(hs, host, started):
 * True when the host had failed already as a request that failed, too, was started.
 */
bool es_hosts_was_down(const struct es_hosts *hs, unsigned host, int64_t started);

/**
 * es_hosts_refuses(hs, host), es_hosts_taken(hs, host):
 * True when the host has refused a single document by a whole answer, and has
 * answered no request item by item since.  Bytes of the largest request that it
 * has answered item by item.
 */
bool es_hosts_refuses(const struct es_hosts *hs, unsigned host);
uint64_t es_hosts_taken(const struct es_hosts *hs, unsigned host);

#endif
