/*
 * The es and opensearch outputs: which piece is sent when, and what becomes of
 * a request as a whole.  What becomes of its items is es_apply.c's.
 */
#include "es.h"

#include <stdlib.h>

#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX (30 * NS_PER_S)
#define RETRY_AFTER_MAX 300 /* s */

/* Between 3/4 and 5/4 of 0.5 s, 1 s, 2 s, … 30 s: shippers that failed together part. */
int64_t
backoff(const struct es *es, unsigned attempt)
{
	static _Thread_local uint64_t random = 0;
	int64_t wait = es->conf->backoff_first != 0 ? es->conf->backoff_first : BACKOFF_FIRST;

	if (random == 0)
		random = (uint64_t)clock_wall() | 1;
	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	for (unsigned i = 1; i < attempt && wait < BACKOFF_MAX; i++)
		wait *= 2;
	if (wait > BACKOFF_MAX)
		wait = BACKOFF_MAX;
	return wait * 3 / 4 + (int64_t)(random % (uint64_t)(wait / 2));
}

bool
es_patient(const struct es *es, unsigned attempt)
{
	int64_t limit = es->conf->output.retry_limit;

	if (limit == -1 || limit == -2) /* no_limits, false */
		return true;
	return limit > 0 && attempt <= (uint64_t)limit;
}

/* ---- pieces */

struct piece *
piece_new(struct batch *b, enum form form)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->batch = b;
	p->form = form;
	return p;
}

void
piece_queue(struct es *es, struct piece *p, bool first)
{
	struct piece **at = &es->pieces;

	while (!first && *at != NULL)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static bool
batch_in_use(const struct es *es, const struct batch *b)
{
	for (const struct piece *p = es->pieces; p != NULL; p = p->next) {
		if (p->batch == b)
			return true;
	}
	for (int64_t i = 0; i < es->conf->workers; i++) {
		const struct es_request *r = es->requests[i];

		if (r != NULL && r->piece != NULL && r->piece->batch == b)
			return true;
	}
	return false;
}

void
piece_done(struct es *es, struct piece *p)
{
	struct batch *b = p->batch;

	free(p);
	if (hold_has(es, b))
		es->hold->flying--;
	else if (!batch_in_use(es, b))
		ship_return(es->sink->shipper, b);
}

/* Has the index of its one document taken another since this one was refused? */
static bool
is_proven(struct es *es, const struct piece *p)
{
	const struct group *g;

	if (p->since == 0 || p->n != 1)
		return false;
	g = hold_group_seen(es, p->batch, &p->batch->items[todo_next(p, 0)]);
	return g != NULL && g->taken > p->since;
}

/* The next piece that is due, off the queue; NULL: none, and *next is when there may be. */
static struct piece *
piece_take(struct es *es, int64_t now, int64_t *next)
{
	struct piece *p = hold_piece(es, now, next);

	if (p != NULL)
		return p;
	for (struct piece **at = &es->pieces; *at != NULL; at = &(*at)->next) {
		p = *at;
		if (p->due <= now) {
			*at = p->next;
			p->next = NULL;
			p->proven = is_proven(es, p);
			return p;
		}
		if (p->due < *next)
			*next = p->due;
	}
	return NULL;
}

/* ---- a request as a whole */

static void
say_failure(struct es *es, const char *what, const char *detail, int64_t wait)
{
	if (said_lately(&es->said))
		return;
	say_warn("es", "%s; records wait in their files%s%s  output=%s host=%s retry_in=%.1fs",
	    what, detail[0] != '\0' ? ": " : "", detail, es->sink->name, es->origin,
	    (double)wait / NS_PER_S);
}

/* The same bytes and ids again, later; nothing else is tried until one request has gone well. */
static void
send_again(struct es *es, struct es_request *r, struct piece *p, enum reason reason,
    const char *what, const char *detail)
{
	struct reply_item *answer = &r->reply.whole;
	int64_t now = clock_mono(), wait;
	curl_off_t retry_after = 0;

	metrics_add(&es->sink->metrics->retries[reason], 1);
	curl_easy_getinfo(r->x.easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (retry_after > RETRY_AFTER_MAX)
		retry_after = RETRY_AFTER_MAX;
	wait = backoff(es, ++es->failures);
	if (wait < retry_after * NS_PER_S)
		wait = retry_after * NS_PER_S;
	es->not_before = now + wait;
	atomic_store(&es->sink->waits, "the server does not take requests");
	say_failure(es, what, detail, wait);
	if (es_patient(es, ++p->attempt)) {
		p->due = es->not_before;
		piece_queue(es, p, true);
		return;
	}
	if (answer->reason[0] == '\0')
		snprintf(answer->reason, sizeof(answer->reason), "%.300s", what);
	es_give_up(es, r, p, answer, now);
}

static void
transport_failed(struct es *es, struct es_request *r, struct piece *p, CURLcode code)
{
	char what[512];
	enum reason reason = code == CURLE_OPERATION_TIMEDOUT ? REASON_TIMEOUT
			     : code == CURLE_WRITE_ERROR      ? REASON_REPLY
							      : REASON_CONNECT;

	snprintf(what, sizeof(what), "%s",
	    code == CURLE_WRITE_ERROR ? "the server's answer does not end" : "no answer");
	send_again(es, r, p, reason, what, r->error[0] ? r->error : curl_easy_strerror(code));
}

/* Which half of the items the fault is in: each is sent by itself. */
static void
split(struct es *es, struct piece *p)
{
	struct piece *half = piece_new(p->batch, p->form);
	uint32_t i = todo_next(p, 0), n = p->n / 2;

	half->attempt = p->attempt;
	half->since = p->since;
	if (hold_has(es, p->batch))
		es->hold->flying++;
	while (half->n < n) {
		todo_add(half, i);
		todo_remove(p, i);
		i = todo_next(p, i + 1);
	}
	piece_queue(es, p, true);
	piece_queue(es, half, true);
}

/* From now on what the indices take is noted: it tells of those that they do not. */
static void
doubt_begins(struct es *es, struct piece *p, int64_t now)
{
	p->since = now;
	for (uint32_t i = todo_next(p, 0); i < p->batch->nitems; i = todo_next(p, i + 1))
		hold_group(es, p->batch, &p->batch->items[i]);
}

/*
 * A whole request refused: one document spoils it, or the server takes none
 * as things are.  When a single document was refused by itself and nothing has
 * been taken since, splitting further requests finds nothing out.
 */
static void
refused(struct es *es, struct es_request *r, struct piece *p, int64_t now)
{
	struct reply_item *answer = &r->reply.whole;
	char what[128];

	answer->status = 400;
	if (p->since == 0)
		doubt_begins(es, p, now);
	if (p->n > 1 && (!es->refused || p->attempt % 4 == 3)) {
		metrics_add(&es->sink->metrics->retries[REASON_REJECTED], 1);
		split(es, p);
		return;
	}
	if (p->n > 1) {
		snprintf(what, sizeof(what), "the server refuses requests: 400 %s", answer->type);
		send_again(es, r, p, REASON_REJECTED, what, answer->reason);
		return;
	}
	es->refused = true;
	verdicts_all(&r->verdicts, p, VERDICT_DOUBT, answer);
	es_apply(es, r, p, now);
}

static void
too_large(struct es *es, struct es_request *r, struct piece *p, int64_t now)
{
	struct reply_item *answer = &r->reply.whole;

	answer->status = 413;
	if (p->n > 1) {
		metrics_add(&es->sink->metrics->retries[REASON_TOO_LARGE], 1);
		split(es, p);
		return;
	}
	if (answer->reason[0] == '\0')
		snprintf(answer->reason, sizeof(answer->reason),
		    "one document is larger than the server takes");
	verdicts_all(&r->verdicts, p, VERDICT_FAULT, answer);
	es_apply(es, r, p, now);
}

static void
status_failed(struct es *es, struct es_request *r, struct piece *p, long status)
{
	char what[160];
	enum reason reason = status == 429                    ? REASON_429
			     : status >= 500                  ? REASON_5XX
			     : status == 401 || status == 403 ? REASON_AUTH
							      : REASON_REJECTED;

	if (status == 401)
		es_credentials_read(es);
	r->reply.whole.status = (int)status;
	snprintf(what, sizeof(what), "the server answers %ld %s%s", status, r->reply.whole.type,
	    status == 401   ? " (HTTP_User and HTTP_Passwd, or HTTP_API_Key, are not right)"
	    : status == 403 ? " (the user may not write there, or the cluster is blocked)"
	    : status == 404 ? " (Path, or the server, does not know _bulk)"
			    : "");
	send_again(es, r, p, reason, what, r->reply.whole.reason);
}

static void
request_went_well(struct es *es)
{
	if (es->failures > 0)
		say_info("es", "the server takes requests again  output=%s host=%s", es->sink->name,
		    es->origin);
	es->failures = 0;
	es->not_before = 0;
	es->refused = false;
	es->said.at = 0;
	atomic_store(&es->sink->answered, true);
	atomic_store(&es->sink->waits, NULL);
}

void
es_answered(struct es_request *r, CURLcode code)
{
	struct es *es = r->es;
	struct piece *p = r->piece;
	int64_t now = clock_mono();
	long status = 0;

	curl_easy_getinfo(r->x.easy, CURLINFO_RESPONSE_CODE, &status);
	r->piece = NULL;
	r->next = es->free;
	es->free = r;
	es->flying--;
	if (code != CURLE_OK) {
		transport_failed(es, r, p, code);
	} else if (status >= 200 && status < 300) {
		if (!r->reply_bad && reply_end(&r->reply) == PARSE_OK) {
			request_went_well(es);
			es_apply(es, r, p, now);
		} else {
			send_again(es, r, p, REASON_REPLY,
			    "the server's answer is none to a bulk request", "");
		}
	} else if (status == 413) {
		too_large(es, r, p, now);
	} else if (status == 400) {
		refused(es, r, p, now);
	} else {
		status_failed(es, r, p, status);
	}
}

/* ---- the output */

static char *
origin_make(struct es *es)
{
	const struct es_conf *conf = es->conf;
	const char *host = conf->host,
		   *name = conf->tls && conf->tls_vhost ? conf->tls_vhost : host;
	size_t path = strlen(conf->path);
	bool v6 = strchr(name, ':') != strrchr(name, ':') && name[0] != '[';
	bool has_port = !v6 && strrchr(name, ':') != NULL && name[strlen(name) - 1] != ']';
	char *to;

	while (path > 0 && conf->path[path - 1] == '/')
		path--;
	to = xprintf(
	    "%s://%s%s%s", conf->tls ? "https" : "http", v6 ? "[" : "", name, v6 ? "]" : "");
	if (!has_port) {
		char *more = xprintf("%s:%lld", to, (long long)conf->port);

		free(to);
		to = more;
	}
	if (name != host) {
		char *connect = xprintf("::%s:%lld", host, (long long)conf->port);

		es->connect_to = curl_slist_append(NULL, connect);
		free(connect);
	}
	if (path > 0) {
		char *more =
		    xprintf("%s%s%.*s", to, conf->path[0] == '/' ? "" : "/", (int)path, conf->path);

		free(to);
		to = more;
	}
	return to;
}

static char *
url_make(const struct es *es)
{
	char *index = es->index != NULL ? curl_easy_escape(NULL, es->index, 0) : NULL;
	char *pipeline =
	    es->conf->pipeline != NULL ? curl_easy_escape(NULL, es->conf->pipeline, 0) : NULL;
	char *url = xprintf("%s%s%s/_bulk?filter_path=items.*.status,items.*.error.type,"
			    "items.*.error.reason,items.*.failure_store%s%s",
	    es->origin, index != NULL ? "/" : "", index != NULL ? index : "",
	    pipeline != NULL ? "&pipeline=" : "", pipeline != NULL ? pipeline : "");

	curl_free(index);
	curl_free(pipeline);
	return url;
}

static int
es_open(struct sink *sink)
{
	struct es *es = xcalloc(1, sizeof(*es));
	const struct es_conf *conf = sink->section->values;
	const char *index = es_index_fixed(conf);

	sink->own = es;
	es->sink = sink;
	es->conf = conf;
	es->index = index != NULL ? xstrdup(index) : NULL;
	es->origin = origin_make(es);
	es->url = url_make(es);
	es_credentials_read(es);
	es->requests = xcalloc((size_t)conf->workers, sizeof(*es->requests));
	es->template = es_template_new(es);
	return 0;
}

static void
es_close(struct sink *sink)
{
	struct es *es = sink->own;

	if (es == NULL)
		return;
	for (int64_t i = 0; i < es->conf->workers; i++)
		es_request_free(es->requests[i]);
	es_template_free(es->template);
	while (es->pieces != NULL) {
		struct piece *p = es->pieces;

		es->pieces = p->next;
		free(p);
	}
	hold_free(es->hold);
	curl_slist_free_all(es->connect_to);
	free(es->requests);
	free(es->authorization);
	free(es->password);
	free(es->index);
	free(es->origin);
	free(es->url);
	free(es);
}

static void
es_give(struct sink *sink, struct batch *b)
{
	struct piece *p = piece_new(b, FORM_FULL);

	for (uint32_t i = 0; i < b->nitems; i++)
		todo_add(p, i);
	piece_queue(sink->own, p, false);
}

static struct es_request *
request_take(struct es *es)
{
	struct es_request *r = es->free;

	if (r != NULL) {
		es->free = r->next;
		return r;
	}
	r = es_request_new(es);
	for (int64_t i = 0; i < es->conf->workers; i++) {
		if (es->requests[i] == NULL) {
			es->requests[i] = r;
			break;
		}
	}
	return r;
}

static int64_t
es_turn(struct sink *sink, int64_t now)
{
	struct es *es = sink->own;
	unsigned most = es->failures > 0 ? 1 : (unsigned)es->conf->workers;
	int64_t next = NEVER;

	if (!es_template_turn(es->template, now, &next))
		return next;
	if (now < es->not_before)
		return es->not_before;
	while (es->flying < most) {
		struct piece *p = piece_take(es, now, &next);
		struct es_request *r;

		if (p == NULL)
			break;
		r = request_take(es);
		r->piece = p;
		es->flying++;
		es_send(es, r, now);
	}
	return next;
}

const struct sink_type es_sink = {
	.plugin = &es_plugin,
	.durable = true,
	.open = es_open,
	.close = es_close,
	.give = es_give,
	.turn = es_turn,
};

const struct sink_type opensearch_sink = {
	.plugin = &opensearch_plugin,
	.durable = true,
	.open = es_open,
	.close = es_close,
	.give = es_give,
	.turn = es_turn,
};
