/*
 * The es and opensearch outputs, from the inside.
 *
 *	give ─> pieces ─> requests ─> verdicts ─> done
 *	          ^                      │
 *	          ├── bisected, halved, again
 *	          └── hold <─────────────┤
 *	                     dead letters┘
 *
 * A piece is what one request carries: some items of one batch, all in one
 * form.  The hold is a batch, too, so that what it holds is sent by the same
 * means.
 */
#ifndef ES_H
#define ES_H

#include "clock.h"
#include "dead.h"
#include "fault.h"
#include "hosts.h"
#include "reply.h"
#include "sink.h"

struct es_conf {
	struct output output;
	char *host, *path, *index, *pipeline;
	int64_t port, workers;
	char *http_user, *http_passwd, *http_passwd_file, *http_api_key, *http_api_key_file;
	bool tls, tls_verify, tls_verify_hostname;
	char *tls_ca_file, *tls_ca_path, *tls_crt_file, *tls_key_file, *tls_key_passwd, *tls_vhost;
	bool logstash_format;
	char *logstash_prefix, *logstash_prefix_separator, *logstash_dateformat;
	char *time_key, *tag_key;
	bool time_key_nanos, include_tag_key;
	int operation; /* create, index */
	int compress;  /* off, gzip */
	bool template;
	char *template_name;
	uint64_t hold_size, dead_letter_limit;
	int64_t connect_timeout, io_timeout;
	int64_t backoff_first; /* ns; 0: half a second.  No option: tests have less time */
};

extern const struct option es_options[];
extern const char *const es_operations[];

/* ---- what is sent */

/* How much of its documents a piece sends. */
enum form {
	FORM_FULL,
	FORM_STRIPPED, /* without log_parsed, marked */
	FORM_CORE,     /* @timestamp, time, stream, logtag, log alone */
};

#define TODO_WORDS (BATCH_ITEMS / 64)

struct piece {
	struct piece *next;
	struct batch *batch; /* the hold's, perhaps */
	uint64_t todo[TODO_WORDS];
	uint32_t n; /* bits set in todo */
	enum form form;
	unsigned attempt; /* times that it came to nothing, at all hosts that there were */
	int64_t due;      /* mono ns */
	int64_t since;    /* mono ns: when it, or what it was split from, was refused; 0: never */
	uint32_t tried;   /* hosts at which it came to nothing since attempt; bits */
	bool proven;      /* its host had taken another for its index since, when this was sent */
	bool probe;       /* of one item, in FORM_CORE: is it the document or the server? */
};

static inline bool
todo_has(const struct piece *p, uint32_t i)
{
	return p->todo[i / 64] >> (i % 64) & 1;
}

static inline void
todo_add(struct piece *p, uint32_t i)
{
	p->n += !todo_has(p, i);
	p->todo[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void
todo_remove(struct piece *p, uint32_t i)
{
	p->n -= todo_has(p, i);
	p->todo[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* The first item of the piece from ${i} on, or the batch's nitems. */
uint32_t todo_next(const struct piece *p, uint32_t i);

/* Reads a piece as bytes of a bulk body. */
struct body {
	const struct piece *piece;
	uint32_t item;     /* being read */
	unsigned part;     /* of it */
	struct slice rest; /* of that part */
};

uint64_t body_size(const struct piece *p);
void body_begin(struct body *b, const struct piece *p);
size_t body_read(struct body *b, char *to, size_t size);

/* ---- what is answered */

/* Why items were not taken: kept once for all that share it. */
struct cause {
	enum verdict verdict;
	struct reply_item answer;
};

#define CAUSES 32

enum { OF_NONE, OF_DONE, OF_CONFLICT, OF_CAUSE };

/* The verdicts on a request's items. */
struct verdicts {
	uint8_t of[BATCH_ITEMS]; /* by item: OF_NONE: not answered; OF_CAUSE + cause */
	struct cause causes[CAUSES];
	unsigned ncauses;
	uint32_t next; /* item that the next answer belongs to */
};

/* ---- the hold */

#define GROUPS 16

/* What is known of an index that has refused records. */
struct group {
	char index[256];
	unsigned held;
	unsigned attempt; /* in a row that came to nothing */
	int64_t due;      /* mono ns: when its records are tried again, together */
	/* By host, mono ns: start of the last request of which it took a document. */
	int64_t taken[HOSTS_MAX];
	/* Is it the documents or the server?  Asked when the hold is full. */
	enum { PROBE_NONE, PROBE_WAITS, PROBE_REFUSED, PROBE_TAKEN } probe;
	uint8_t probe_host;    /* that took it */
	int status;            /* of the answer that the probe was about */
	char type[REPLY_TYPE]; /* and its error's type */
	struct said said;
	char why[160]; /* it refuses: for who asks */
};

struct held {
	uint8_t group;
	uint8_t host; /* that refused it last */
	enum form form;
	enum verdict why;
	int64_t since; /* mono ns: when it was refused first */
	bool proven;   /* its host had taken another for its index since, when this was sent */
	int64_t due;
	unsigned attempt;
	bool gone; /* its place in the hold is free */
};

struct hold {
	struct batch *batch; /* made when first used */
	struct held at[BATCH_ITEMS];
	unsigned n;      /* held now */
	unsigned flying; /* pieces of it on their way */
	unsigned parked; /* items dropped for want of room */
	struct group groups[GROUPS];
	unsigned ngroups;
};

/* ---- the output at work */

struct es;

/* How many requests at a time one host is sent. */
struct pace {
	double most;
	int64_t halved; /* mono ns: when, last */
};

struct es_host {
	char *name;                    /* HOST:PORT */
	char *origin;                  /* scheme://host:port/path, no slash at the end */
	char *url;                     /* of bulk requests */
	struct curl_slist *connect_to; /* when the URL's host is tls.vhost */
	unsigned flying;
	unsigned failures;  /* whole requests in a row that came to nothing */
	int64_t not_before; /* mono ns */
	struct pace pace;
	uint64_t taken; /* bytes of the largest request that was taken */
	bool refused;   /* a single document was refused by a whole-request 400 since */
	struct said said;
};

struct es_request {
	struct exchange x; /* first */
	struct es *es;
	struct es_host *host;
	bool extra; /* a probe, beyond Workers */
	struct piece *piece;
	struct body body;
	struct reply reply;
	bool reply_bad;
	size_t reply_bytes;
	bool rewound; /* sent more than once: by curl, where a connection broke */
	struct verdicts verdicts;
	struct buffer gzip;
	size_t gzip_at;
	int64_t started;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct es_request *next; /* free */
};

struct es_template;

struct es {
	struct sink *sink;
	const struct es_conf *conf;
	struct es_host *hosts;
	unsigned nhosts;
	unsigned turn;       /* of the hosts that have equally much to do, this is the first */
	char *index;         /* constant; NULL: by the record */
	char *authorization; /* header line; NULL: none, or user and password */
	char *password;
	struct piece *pieces; /* waiting, in the order of sending */
	struct es_request **requests, *free;
	unsigned nrequests; /* Workers, and a probe for each host */
	unsigned flying;    /* without probes beyond Workers */
	struct said said_dead, said_store;
	struct hold *hold;
	struct es_template *template;
};

/* es_request.c */
void es_easy_setup(const struct es *es, const struct es_host *h, CURL *easy, char *error);
void es_credentials_read(struct es *es);
struct curl_slist *es_headers(const struct es *es, bool gzip, const char *type);
void es_send(struct es *es, struct es_request *r, int64_t now);
struct es_request *es_request_new(struct es *es);
void es_request_free(struct es_request *r);

/* es_hosts.c */
int es_hosts_open(struct es *es); /* -1 after saying why */
void es_hosts_close(struct es *es);
/* Is there a host without failures, but for those in ${not}? */
bool es_hosts_well(const struct es *es, uint32_t not, int64_t now);
/* The host for the next request, rather not one of ${not}; NULL: none takes one now. */
struct es_host *es_host_pick(const struct es *es, uint32_t not, int64_t now);
/* Is a request to it a probe, while others do the work? */
bool es_host_probed(const struct es *es, const struct es_host *h, int64_t now);
int64_t es_hosts_due(const struct es *es, int64_t now); /* when the next may be sent to again */
/* A request came to nothing there, and ${all}: would at the others.  How long it is left alone. */
int64_t es_host_failed(struct es *es, struct es_host *h, bool all, int64_t least, int64_t now);
/* The piece, which came to nothing at ${h}, goes to another host at once, if one is well. */
bool piece_elsewhere(struct es *es, struct piece *p, const struct es_host *h, int64_t now);
void pace_busy(struct pace *p, int64_t started, int64_t now);
void pace_taken(struct pace *p, int64_t limit);
void es_pace_show(const struct es *es);

/* es_answer.c */
void es_answered(struct es_request *r, CURLcode code);

/* es_piece.c */
struct piece *piece_new(struct batch *b, enum form form) __attribute__((returns_nonnull));
void piece_queue(struct es *es, struct piece *p, bool first);
/* The next that is due, off the queue; NULL: none, and *next is when there may be. */
struct piece *piece_take(struct es *es, int64_t now, int64_t *next);
/*
 * Has the index of a document that was refused taken another since, through
 * this host?  What another host takes says nothing of this one: the hosts of
 * which it is not so, and what is so as the piece is sent to ${h}.
 */
uint32_t piece_unproven(struct es *es, const struct piece *p);
void piece_prove(struct es *es, struct piece *p, const struct es_host *h);
void piece_done(struct es *es, struct piece *p); /* frees it; its batch goes back with the last */
int64_t backoff(const struct es *es, unsigned attempt); /* ns, with jitter */
bool es_patient(const struct es *es, unsigned attempt); /* Retry_Limit allows one more */

/* es_verdict.c: one more answer, in their order; one answer for all items of the piece */
void verdicts_take(void *arg, uint32_t index, const struct reply_item *item);
void verdicts_all(struct verdicts *v, const struct piece *p, enum verdict verdict,
    const struct reply_item *answer);

/* es_apply.c: verdicts to items; the piece is given up */
void es_apply(struct es *es, struct es_request *r, struct piece *p, int64_t now);
void es_give_up(struct es *es, struct es_request *r, struct piece *p,
    const struct reply_item *answer, int64_t now);

/* es_hold.c */
struct group *hold_group(struct es *es, const struct batch *b, const struct item *item);
struct group *hold_group_seen(struct es *es, const struct batch *b, const struct item *item);
bool hold_has(const struct es *es, const struct batch *b);
bool hold_put(struct es *es, struct batch *b, uint32_t i, const struct held *how);
void hold_remove(struct es *es, uint32_t i); /* it has been settled */
struct piece *hold_piece(struct es *es, int64_t now, int64_t *next);
void hold_due(struct es *es, const struct group *g, unsigned attempts, int64_t due);
void hold_fault(struct es *es, const struct group *g, int64_t due);
bool group_took(const struct group *g, int64_t since); /* at any host */
void hold_free(struct hold *h);
void es_holds(struct sink *sink); /* struct sink_type */

/* es_index.c */
size_t es_index_write(const void *conf, const struct record *r, char *to);
const char *es_index_fixed(const struct es_conf *conf);

/* es_template.c: the index template, before the first use */
struct es_template *es_template_new(struct es *es);
void es_template_free(struct es_template *t);
/* Is it settled?  Goes on with it when not, and sets *next. */
bool es_template_turn(struct es_template *t, int64_t now, int64_t *next);

#endif
