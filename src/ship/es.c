/*
 * The es output: start, end, and requests as pieces are due.  es_answer.c handles
 * their answers.
 */
#include "es.h"

#include <stdlib.h>

#include "es_answer.h"
#include "es_index.h"
#include "es_proof.h"
#include "es_template.h"

/* ---- start and end */

static struct es_request *
request_take(struct es *es)
{
	struct es_request *r = es->free;
	unsigned i = 0;

	if (r != NULL) {
		es->free = r->next;
		return r;
	}
	while (es->requests[i] != NULL)
		i++;
	return es->requests[i] = es_request_new(es->sink, es->conf, es->http, es_answer, es);
}

/* No bulk request is sent yet: the template's stand for them. */
static void
start_failed(void *arg, const struct es_template_failure *f)
{
	struct es *es = arg;
	struct es_request *r = request_take(es);

	r->started = f->started;
	r->answer = (struct reply_item){ .status = (int)f->status };
	snprintf(r->answer.reason, sizeof(r->answer.reason), "%.300s", f->what);
	es_answer_waiting(es, r, f->due, f->now);
	r->next = es->free;
	es->free = r;
}

int
es_open(struct sink *sink)
{
	struct es *es = xcalloc(1, sizeof(*es));
	const struct es_conf *conf = sink->section->values;
	unsigned hosts;

	sink->own = es;
	es->sink = sink;
	es->conf = conf;
	es_group_init(&es->groups, es_index_fixed(conf));
	es->hosts = es_hosts_new(sink, conf, es->groups.index);
	if (es->hosts == NULL)
		return -1;
	es->http = es_http_new(conf);
	es->hold = es_hold_new(sink, conf);
	hosts = es_hosts_count(es->hosts);
	es->nrequests = (unsigned)conf->workers + (hosts > 1 ? hosts : 0);
	es->requests = xcalloc(es->nrequests, sizeof(struct es_request *));
	es->template = es_template_new(sink, conf, es->http, es->hosts, start_failed, es);
	return 0;
}

void
es_close(struct sink *sink)
{
	struct es *es = sink->own;

	if (es == NULL)
		return;
	for (unsigned i = 0; i < es->nrequests; i++)
		es_request_free(es->requests[i]);
	free(es->requests);
	es_template_free(es->template);
	send_queue_clear(&es->queue);
	es_hold_free(es->hold);
	es_group_fini(&es->groups);
	es_http_free(es->http);
	es_hosts_free(es->hosts);
	free(es);
}

/* ---- at work */

void
es_give(struct sink *sink, struct batch *b)
{
	struct es *es = sink->own;
	struct piece *p = send_queue_piece(b, FORM_FULL);

	for (uint32_t i = 0; i < b->nitems; i++)
		todo_add(p, i);
	p->due = es->turned;
	send_queue_put(&es->queue, p, false);
}

static void
request_start(struct es *es, struct piece *p, int64_t now)
{
	struct es_request *r = request_take(es);
	/* A host with evidence judges a document that was refused in doubt. */
	uint32_t not = p->tried | es_proof_missing(es->hold, &es->groups, p);
	unsigned host = (unsigned)es_hosts_pick(es->hosts, not, now);
	const struct es_address *to = es_hosts_address(es->hosts, host);

	es_proof_mark(es->hold, &es->groups, p, host, r->proven);
	r->piece = p;
	r->host = host;
	r->beyond = es_hosts_sent(es->hosts, host, now);
	send_queue_fly(&es->queue, p);
	es_request_send(r, to->url, to->connect_to, now);
}

/* A server that failed, and for which nothing waits any more: Retry_Limit gave all up. */
static void
forget_outage(struct es *es)
{
	const struct send_queue *q = &es->queue;

	if (q->waiting == NULL && q->flying == NULL && es_hold_count(es->hold) == 0)
		atomic_store(&es->sink->waits, NULL);
}

int64_t
es_turn(struct sink *sink, int64_t now)
{
	struct es *es = sink->own;
	int64_t next = NEVER;

	es->turned = now;
	if (!es_template_turn(es->template, now, &next))
		return next;
	while (es_hosts_pick(es->hosts, 0, now) >= 0) {
		struct piece *p = es_hold_take(es->hold, now, &next);

		if (p == NULL)
			p = send_queue_take(&es->queue, now, &next);
		if (p == NULL) {
			forget_outage(es);
			return next;
		}
		request_start(es, p, now);
	}
	return es_hosts_due(es->hosts, now);
}

void
es_report(struct sink *sink)
{
	es_hold_report(((struct es *)sink->own)->hold);
}

const struct plugin es_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "es",
	.also = "elasticsearch",
	.help = "Elasticsearch, by its bulk API",
	.options = es_options,
	.common = output_options,
	.size = sizeof(struct es_conf),
	.check = es_options_check,
};

const struct sink_type es_sink = {
	.plugin = &es_plugin,
	.durable = true,
	.open = es_open,
	.close = es_close,
	.give = es_give,
	.turn = es_turn,
	.report = es_report,
};
