/*
 * The es and opensearch outputs: start, end, and requests as pieces are due.
 * What becomes of a request as a whole is es_answer.c's.
 */
#include "es.h"

#include <stdlib.h>

/* ---- start and end */

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
	if (es_hosts_open(es) < 0)
		return -1;
	es_credentials_read(es);
	es->nrequests = (unsigned)conf->workers + (es->nhosts > 1 ? es->nhosts : 0);
	es->requests = xcalloc(es->nrequests, sizeof(*es->requests));
	es->template = es_template_new(es);
	return 0;
}

static void
es_close(struct sink *sink)
{
	struct es *es = sink->own;

	if (es == NULL)
		return;
	for (unsigned i = 0; i < es->nrequests; i++)
		es_request_free(es->requests[i]);
	es_template_free(es->template);
	while (es->pieces != NULL) {
		struct piece *p = es->pieces;

		es->pieces = p->next;
		free(p);
	}
	hold_free(es->hold);
	free(es->requests);
	free(es->authorization);
	free(es->password);
	free(es->index);
	es_hosts_close(es);
	free(es);
}

/* ---- at work */

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
	for (unsigned i = 0; i < es->nrequests; i++) {
		if (es->requests[i] == NULL) {
			es->requests[i] = r;
			break;
		}
	}
	return r;
}

static void
request_start(struct es *es, struct piece *p, int64_t now)
{
	struct es_request *r = request_take(es);
	/* Where others of its index are taken, it is found out whose fault it is. */
	struct es_host *h = es_host_pick(es, p->tried | piece_unproven(es, p), now);

	piece_prove(es, p, h);
	r->piece = p;
	r->host = h;
	r->extra = es_host_probed(es, h, now);
	es->flying += !r->extra;
	h->flying++;
	es->turn = (unsigned)(h - es->hosts) + 1;
	es_send(es, r, now);
}

static int64_t
es_turn(struct sink *sink, int64_t now)
{
	struct es *es = sink->own;
	int64_t next = NEVER;

	if (!es_template_turn(es->template, now, &next))
		return next;
	while (es_host_pick(es, 0, now) != NULL) {
		struct piece *p = piece_take(es, now, &next);

		if (p == NULL)
			return next;
		request_start(es, p, now);
	}
	return es_hosts_due(es, now);
}

const struct sink_type es_sink = {
	.plugin = &es_plugin,
	.durable = true,
	.open = es_open,
	.close = es_close,
	.give = es_give,
	.turn = es_turn,
	.holds = es_holds,
};

const struct sink_type opensearch_sink = {
	.plugin = &opensearch_plugin,
	.durable = true,
	.open = es_open,
	.close = es_close,
	.give = es_give,
	.turn = es_turn,
	.holds = es_holds,
};
