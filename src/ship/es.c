/*
 * The es and opensearch outputs: start, end, and requests as pieces are due.
 * What becomes of a request as a whole is es_answer.c's.
 */
#include "es.h"

#include <stdlib.h>

/* ---- where it is */

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
