/*
 * Requests as a whole.  One that came to nothing goes again, with the same
 * bytes and ids: at another host now, or later, when each has had its turn.
 */
#include "es_answer.h"

#include "clock.h"
#include "es_apply.h"
#include "es_body.h"
#include "retry.h"

#define RETRY_AFTER_MAX 300 /* s */

/* Bytes: a server that has taken a request of this size answers 413 to sizes alone. */
#define PLENTY (64u << 10)

/* A request that has landed. */
struct landed {
	struct es *es;
	struct es_request *r;
	struct piece *p;
	int64_t now;
};

/* Why it came to nothing. */
struct failure {
	enum reason reason;
	const char *what, *detail;
	bool all; /* the other hosts would say the same */
	bool own; /* other requests to this host may fare better */
};

static void
count_retry(const struct landed *l, enum reason reason)
{
	metrics_retry(l->es->sink->metrics, reason, l->p->n);
}

/* The piece goes to another host at once, if one that has not tried it is well. */
static bool
elsewhere(const struct landed *l)
{
	uint32_t bit = UINT32_C(1) << l->r->host;
	bool again = l->p->tried & bit;

	l->p->tried |= bit;
	if (again || !es_hosts_well(l->es->hosts, l->p->tried, l->now))
		return false;
	l->p->due = 0;
	send_queue_put(&l->es->queue, l->p, true);
	return true;
}

static void
answer_complete(struct reply_item *answer, const struct failure *f)
{
	if (answer->reason[0] == '\0')
		snprintf(answer->reason, sizeof(answer->reason), "%.100s%s%.200s", f->what,
		    f->detail[0] != '\0' ? ": " : "", f->detail);
}

void
es_answer_waiting(struct es *es, struct es_request *r, int64_t due, int64_t now)
{
	struct piece *p;

	while ((p = send_queue_put_off(&es->queue, r->started, due)) != NULL) {
		if (retry_allows(es->conf->output.retry_limit, ++p->attempt))
			continue;
		send_queue_leave(&es->queue, p);
		es_apply_give_up(es, r, p, now);
	}
	p = es_hold_put_off(es->hold, &es->queue, r->started, due);
	if (p != NULL)
		es_apply_give_up(es, r, p, now);
}

static void
send_again(const struct landed *l, const struct failure *f)
{
	struct es *es = l->es;
	int64_t after = l->r->retry_after < RETRY_AFTER_MAX ? l->r->retry_after : RETRY_AFTER_MAX;
	int64_t due;

	count_retry(l, f->reason);
	es_hosts_report(es->hosts, l->r->host,
	    &(struct es_host_report){ .did = f->all ? HOSTS_WOULD_FAIL : HOST_FAILED,
		.slower = l->r->code == CURLE_OK && l->r->status == 429,
		.started = l->r->started,
		.rest = after * NS_PER_S,
		.what = f->what,
		.detail = f->detail },
	    l->now);
	if (elsewhere(l))
		return;
	answer_complete(&l->r->answer, f);
	due = es_hosts_due(es->hosts, l->now);
	l->p->tried = 0;
	l->p->due = due;
	if (retry_allows(es->conf->output.retry_limit, ++l->p->attempt))
		send_queue_put(&es->queue, l->p, true);
	else
		es_apply_give_up(es, l->r, l->p, l->now);
	if (!f->own && es_hosts_was_down(es->hosts, l->r->host, l->r->started))
		es_answer_waiting(es, l->r, due, l->now);
}

static void
transport_failed(const struct landed *l)
{
	const struct es_request *r = l->r;
	bool endless = r->code == CURLE_WRITE_ERROR;
	struct failure f = {
		.reason = r->code == CURLE_OPERATION_TIMEDOUT ? REASON_TIMEOUT
			  : endless                           ? REASON_REPLY
							      : REASON_CONNECT,
		.what = endless ? "the server's answer does not end" : "no answer",
		.detail = r->error[0] != '\0' ? r->error : curl_easy_strerror(r->code),
	};

	send_again(l, &f);
}

/* ---- a whole request refused */

/* A whole request of one document is as good as its own answer. */
static void
doubt_single(struct piece *p)
{
	if (p->n == 1 && p->since == 0)
		p->since = p->refused;
}

/* Each half is sent by itself, so that the fault is found. */
static void
split(const struct landed *l)
{
	struct es *es = l->es;
	struct piece *p = l->p, *half = send_queue_piece(p->batch, p->form);
	uint32_t i = todo_next(p, 0), n = p->n / 2;

	half->attempt = p->attempt;
	half->since = p->since;
	half->refused = p->refused;
	half->tried = p->tried;
	half->probe = p->probe;
	if (es_hold_has(es->hold, p->batch))
		es_hold_more(es->hold);
	while (half->n < n) {
		todo_add(half, i);
		todo_remove(p, i);
		i = todo_next(p, i + 1);
	}
	doubt_single(p);
	doubt_single(half);
	send_queue_put(&es->queue, p, true);
	send_queue_put(&es->queue, half, true);
}

/* The indices are known from now on, and the documents that they take are noted: evidence. */
static void
doubt_begins(const struct landed *l)
{
	struct piece *p = l->p;

	p->refused = l->now;
	doubt_single(p);
	TODO_EACH (p, i)
		es_group_of(&l->es->groups, p->batch, &p->batch->items[i]);
}

static void
judge_single(const struct landed *l, enum verdict verdict)
{
	verdict_all(l->r->verdicts, l->p, verdict, &l->r->answer);
	es_apply(l->es, l->r, l->p, l->now);
}

/*
 * The server refused the whole request: for one of its documents, or for a state
 * of its own.  After a single document was refused by itself, and until a
 * request is taken, requests are not split: that would find no fault.
 */
static void
refused(const struct landed *l)
{
	struct reply_item *answer = &l->r->answer;
	struct es_hosts *hosts = l->es->hosts;
	char what[128];

	answer->status = 400;
	if (l->p->refused == 0)
		doubt_begins(l);
	if (l->p->n > 1 && (!es_hosts_refuses(hosts, l->r->host) || l->p->attempt % 4 == 3)) {
		count_retry(l, REASON_REJECTED);
		split(l);
		return;
	}
	if (l->p->n > 1) {
		snprintf(what, sizeof(what), "the server refuses requests: 400 %s", answer->type);
		send_again(
		    l, &(struct failure){ REASON_REJECTED, what, answer->reason, .own = true });
		return;
	}
	es_hosts_report(hosts, l->r->host, &(struct es_host_report){ .did = HOST_REFUSED }, l->now);
	if (elsewhere(l)) { /* the fault may be the host's */
		count_retry(l, REASON_REJECTED);
		return;
	}
	judge_single(l, VERDICT_DOUBT);
}

static void
too_large(const struct landed *l)
{
	struct reply_item *answer = &l->r->answer;
	uint64_t taken = es_hosts_taken(l->es->hosts, l->r->host);

	answer->status = 413;
	if (l->p->n > 1) {
		count_retry(l, REASON_TOO_LARGE);
		split(l);
		return;
	}
	if (es_body_size(l->p) <= taken) {
		send_again(l, &(struct failure){ REASON_TOO_LARGE,
				  "the server answers 413 to less than what it has taken",
				  answer->reason, .own = true });
		return;
	}
	if (elsewhere(l)) {
		count_retry(l, REASON_TOO_LARGE);
		return;
	}
	if (answer->reason[0] == '\0')
		snprintf(answer->reason, sizeof(answer->reason),
		    "one document is larger than the server takes");
	/* A server that has taken little yet may refuse all sizes: a matter of evidence. */
	judge_single(l, taken >= PLENTY ? VERDICT_FAULT : VERDICT_DOUBT);
}

static void
status_failed(const struct landed *l)
{
	struct reply_item *answer = &l->r->answer;
	long status = l->r->status;
	struct failure f = {
		.reason = status == 429                    ? REASON_429
			  : status >= 500                  ? REASON_5XX
			  : status == 401 || status == 403 ? REASON_AUTH
							   : REASON_REJECTED,
		.detail = answer->reason,
		.all = status != 429 && status < 500,
	};
	char what[160];

	if (status == 401)
		es_http_credentials(l->es->http);
	answer->status = (int)status;
	snprintf(what, sizeof(what), "the server answers %ld %s%s", status, answer->type,
	    status == 401   ? " (HTTP_User and HTTP_Passwd, or HTTP_API_Key, are not right)"
	    : status == 403 ? " (the user may not write there, or the cluster is blocked)"
	    : status == 404 ? " (Path, or the server, does not know _bulk)"
			    : "");
	f.what = what;
	send_again(l, &f);
}

/* ---- answered */

static void
judged(const struct landed *l)
{
	struct es *es = l->es;
	unsigned attempt = l->p->attempt;
	struct es_host_report report = { .did = HOST_ANSWERED, .bytes = es_body_size(l->p) };
	struct es_applied applied;

	es_hosts_report(es->hosts, l->r->host, &report, l->now);
	if (l->r->failure_store > 0 && !said_lately(&es->said_store))
		say_warn("es",
		    "the server puts documents into the failure store: they are kept there, and "
		    "not in the index  output=%s host=%s",
		    es->sink->name, es_hosts_address(es->hosts, l->r->host)->name);
	applied = es_apply(es, l->r, l->p, l->now);
	report = (struct es_host_report){ .did = HOST_JUDGED,
		.slower = applied.rushed,
		.faster = applied.taken,
		.started = l->r->started };
	if (applied.mostly_busy)
		report.rest = retry_wait(es->conf->backoff_first, attempt + 1);
	es_hosts_report(es->hosts, l->r->host, &report, l->now);
}

void
es_answer(void *arg, struct es_request *r)
{
	struct es *es = arg;
	const struct landed l = { .es = es, .r = r, .p = r->piece, .now = clock_mono() };

	r->piece = NULL;
	r->next = es->free;
	es->free = r;
	send_queue_land(&es->queue, l.p);
	es_hosts_landed(es->hosts, r->host, r->beyond);
	if (r->code != CURLE_OK)
		transport_failed(&l);
	else if (r->status >= 200 && r->status < 300 && r->judged)
		judged(&l);
	else if (r->status >= 200 && r->status < 300)
		send_again(
		    &l, &(struct failure){ REASON_REPLY,
			    "the server's answer is none to a bulk request", "", .own = false });
	else if (r->status == 413)
		too_large(&l);
	else if (r->status == 400)
		refused(&l);
	else
		status_failed(&l);
}
