/*
 * What becomes of a request as a whole: its items are judged, or it goes
 * again, or in halves.  What becomes of its items is es_apply.c's.
 */
#include "es.h"

#define RETRY_AFTER_MAX 300 /* s */

/* A whole request came to nothing. */
struct failure {
	enum reason reason;
	const char *what, *detail;
	bool all; /* not this host's: the others would say the same */
};

static void
say_failure(struct es *es, struct es_host *h, const struct failure *f, int64_t wait, int64_t now)
{
	if (said_lately(&h->said))
		return;
	say_warn("es", "%s; %s%s%s  output=%s host=%s retry_in=%.1fs", f->what,
	    es_hosts_well(es, 0, now) ? "its requests go to other hosts"
				      : "records wait in their files",
	    f->detail[0] != '\0' ? ": " : "", f->detail, es->sink->name, h->name,
	    (double)wait / NS_PER_S);
}

/*
 * The same bytes and ids again: at another host now, or later, when each has
 * had its turn.  This host gets one request at a time until one has gone well.
 */
static void
send_again(struct es *es, struct es_request *r, struct piece *p, const struct failure *f)
{
	struct reply_item *answer = &r->reply.whole;
	int64_t now = clock_mono(), wait;
	curl_off_t retry_after = 0;

	metrics_add(&es->sink->metrics->retries[f->reason], 1);
	curl_easy_getinfo(r->x.easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (retry_after > RETRY_AFTER_MAX)
		retry_after = RETRY_AFTER_MAX;
	wait = es_host_failed(es, r->host, f->all, retry_after * NS_PER_S, now);
	if (!es_hosts_well(es, 0, now))
		atomic_store(&es->sink->waits, "the server does not take requests");
	say_failure(es, r->host, f, wait, now);
	if (piece_elsewhere(es, p, r->host, now))
		return;
	p->tried = 0;
	if (es_patient(es, ++p->attempt)) {
		p->due = es_hosts_due(es, now);
		piece_queue(es, p, true);
		return;
	}
	if (answer->reason[0] == '\0')
		snprintf(answer->reason, sizeof(answer->reason), "%.300s", f->what);
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
	send_again(es, r, p,
	    &(struct failure){
		reason, what, r->error[0] ? r->error : curl_easy_strerror(code), false });
}

/* Which half of the items the fault is in: each is sent by itself. */
static void
split(struct es *es, struct piece *p)
{
	struct piece *half = piece_new(p->batch, p->form);
	uint32_t i = todo_next(p, 0), n = p->n / 2;

	half->attempt = p->attempt;
	half->since = p->since;
	half->tried = p->tried;
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
	struct es_host *h = r->host;
	char what[128];

	answer->status = 400;
	if (p->since == 0)
		doubt_begins(es, p, now);
	if (p->n > 1 && (!h->refused || p->attempt % 4 == 3)) {
		metrics_add(&es->sink->metrics->retries[REASON_REJECTED], 1);
		split(es, p);
		return;
	}
	if (p->n > 1) {
		snprintf(what, sizeof(what), "the server refuses requests: 400 %s", answer->type);
		send_again(
		    es, r, p, &(struct failure){ REASON_REJECTED, what, answer->reason, false });
		return;
	}
	h->refused = true;
	if (piece_elsewhere(es, p, h, now)) { /* the host's fault, perhaps: another one judges */
		metrics_add(&es->sink->metrics->retries[REASON_REJECTED], 1);
		return;
	}
	verdicts_all(&r->verdicts, p, VERDICT_DOUBT, answer);
	es_apply(es, r, p, now);
}

#define PLENTY                                                                                     \
	(64u << 10) /* bytes: a server that has taken so many at once refuses sizes, not all */

static void
too_large(struct es *es, struct es_request *r, struct piece *p, int64_t now)
{
	struct reply_item *answer = &r->reply.whole;
	struct es_host *h = r->host;

	answer->status = 413;
	if (p->n > 1) {
		metrics_add(&es->sink->metrics->retries[REASON_TOO_LARGE], 1);
		split(es, p);
		return;
	}
	if (body_size(p) <= h->taken) {
		send_again(es, r, p,
		    &(struct failure){ REASON_TOO_LARGE,
			"the server answers 413 to less than what it has taken", answer->reason,
			false });
		return;
	}
	if (piece_elsewhere(es, p, h, now)) {
		metrics_add(&es->sink->metrics->retries[REASON_TOO_LARGE], 1);
		return;
	}
	if (answer->reason[0] == '\0')
		snprintf(answer->reason, sizeof(answer->reason),
		    "one document is larger than the server takes");
	/* One that has taken little yet may refuse all: unless its index takes others now, and not this. */
	verdicts_all(&r->verdicts, p, h->taken >= PLENTY ? VERDICT_FAULT : VERDICT_DOUBT, answer);
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
	if (status == 429)
		pace_busy(&r->host->pace, r->started, clock_mono());
	es_pace_show(es);
	r->reply.whole.status = (int)status;
	snprintf(what, sizeof(what), "the server answers %ld %s%s", status, r->reply.whole.type,
	    status == 401   ? " (HTTP_User and HTTP_Passwd, or HTTP_API_Key, are not right)"
	    : status == 403 ? " (the user may not write there, or the cluster is blocked)"
	    : status == 404 ? " (Path, or the server, does not know _bulk)"
			    : "");
	send_again(es, r, p,
	    &(struct failure){
		reason, what, r->reply.whole.reason, status != 429 && status < 500 });
}

static void
request_went_well(struct es *es, struct es_host *h, const struct piece *p)
{
	uint64_t size = body_size(p);

	if (size > h->taken)
		h->taken = size;
	if (h->failures > 0)
		say_info("es", "the server takes requests again  output=%s host=%s", es->sink->name,
		    h->name);
	h->failures = 0;
	h->not_before = 0;
	h->refused = false;
	h->said.at = 0;
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
	r->host->flying--;
	es->flying -= !r->extra;
	if (code != CURLE_OK) {
		transport_failed(es, r, p, code);
	} else if (status >= 200 && status < 300) {
		if (!r->reply_bad && reply_end(&r->reply) == PARSE_OK) {
			request_went_well(es, r->host, p);
			es_apply(es, r, p, now);
		} else {
			send_again(es, r, p,
			    &(struct failure){ REASON_REPLY,
				"the server's answer is none to a bulk request", "", false });
		}
	} else if (status == 413) {
		too_large(es, r, p, now);
	} else if (status == 400) {
		refused(es, r, p, now);
	} else {
		status_failed(es, r, p, status);
	}
}
