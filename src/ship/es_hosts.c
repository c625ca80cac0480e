/*
 * The hosts of an output: where each is, which one the next request goes to,
 * and how much at a time.  They are taken to be nodes of one cluster, with the
 * same credentials and TLS options.
 *
 * One that fails is left alone for a while, then probed with one request; the
 * others go on.  One that has too much to do is sent less at a time.
 */
#include "es.h"

#include <stdlib.h>

/* ---- where they are */

static char *
url_make(const struct es *es, const char *origin)
{
	char *index = es->index != NULL ? curl_easy_escape(NULL, es->index, 0) : NULL;
	char *pipeline =
	    es->conf->pipeline != NULL ? curl_easy_escape(NULL, es->conf->pipeline, 0) : NULL;
	char *url = xprintf("%s%s%s/_bulk?filter_path=items.*.status,items.*.error.type,"
			    "items.*.error.reason,items.*.failure_store%s%s",
	    origin, index != NULL ? "/" : "", index != NULL ? index : "",
	    pipeline != NULL ? "&pipeline=" : "", pipeline != NULL ? pipeline : "");

	curl_free(index);
	curl_free(pipeline);
	return url;
}

/* With tls.vhost, the URL has the name of the certificate, and leads to the host. */
static void
host_make(const struct es *es, struct es_host *h, const struct host *at)
{
	const struct es_conf *conf = es->conf;
	const char *vhost = conf->tls ? conf->tls_vhost : NULL;
	size_t path = strlen(conf->path);
	char *to, *origin;

	while (path > 0 && conf->path[path - 1] == '/')
		path--;
	to = xprintf("%s:%u", at->name, at->port);
	origin = xprintf("%s://%s:%u%s%.*s", conf->tls ? "https" : "http",
	    vhost != NULL ? vhost : at->name, at->port, path > 0 && conf->path[0] != '/' ? "/" : "",
	    (int)path, conf->path);
	if (vhost != NULL) {
		char *connect = xprintf("::%s", to);

		h->connect_to = curl_slist_append(NULL, connect);
		free(connect);
	}
	h->name = to;
	h->origin = origin;
	h->url = url_make(es, origin);
	h->pace.most = (double)conf->workers;
}

int
es_hosts_open(struct es *es)
{
	const struct section *section = es->sink->section;
	struct host at[HOSTS_MAX];
	char why[256];
	int n = hosts_parse(es->conf->host, (unsigned)es->conf->port, at, why, sizeof(why));

	if (n < 0) {
		say_error("es", "%s:%u: Host: %s", section->file, section->line, why);
		return -1;
	}
	es->hosts = xcalloc((size_t)n, sizeof(*es->hosts));
	es->nhosts = (unsigned)n;
	for (unsigned i = 0; i < es->nhosts; i++)
		host_make(es, &es->hosts[i], &at[i]);
	es_pace_show(es);
	return 0;
}

void
es_hosts_close(struct es *es)
{
	for (unsigned i = 0; i < es->nhosts; i++) {
		curl_slist_free_all(es->hosts[i].connect_to);
		free(es->hosts[i].name);
		free(es->hosts[i].origin);
		free(es->hosts[i].url);
	}
	free(es->hosts);
}

/* ---- which is next */

static bool
is_well(const struct es_host *h, int64_t now)
{
	return h->failures == 0 && now >= h->not_before;
}

bool
es_hosts_well(const struct es *es, uint32_t not, int64_t now)
{
	for (unsigned i = 0; i < es->nhosts; i++) {
		if (!(not >> i & 1) && is_well(&es->hosts[i], now))
			return true;
	}
	return false;
}

bool
es_host_probed(const struct es *es, const struct es_host *h, int64_t now)
{
	return h->failures > 0 && es_hosts_well(es, 0, now);
}

static bool
is_open(const struct es *es, const struct es_host *h, int64_t now)
{
	unsigned most = h->failures > 0 ? 1 : (unsigned)h->pace.most;

	return now >= h->not_before && h->flying < most &&
	       (es->flying < (unsigned)es->conf->workers || es_host_probed(es, h, now));
}

struct es_host *
es_host_pick(const struct es *es, uint32_t not, int64_t now)
{
	struct es_host *best = NULL;
	bool best_not = true;

	for (unsigned i = 0; i < es->nhosts; i++) {
		unsigned at = (es->turn + i) % es->nhosts;
		struct es_host *h = &es->hosts[at];
		bool is_not = not >> at & 1;

		if (!is_open(es, h, now))
			continue;
		if (best == NULL || is_not < best_not ||
		    (is_not == best_not && h->flying < best->flying)) {
			best = h;
			best_not = is_not;
		}
	}
	return best;
}

int64_t
es_hosts_due(const struct es *es, int64_t now)
{
	int64_t due = NEVER;

	for (unsigned i = 0; i < es->nhosts; i++) {
		int64_t at = es->hosts[i].not_before;

		if (at > now && at < due)
			due = at;
	}
	return due;
}

/* ---- when one fails */

static int64_t
host_fail(const struct es *es, struct es_host *h, int64_t least, int64_t now)
{
	int64_t wait = backoff(es, h->failures);

	if (wait < least)
		wait = least;
	h->not_before = now + wait;
	return wait;
}

int64_t
es_host_failed(struct es *es, struct es_host *h, bool all, int64_t least, int64_t now)
{
	for (unsigned i = 0; all && i < es->nhosts; i++) {
		struct es_host *other = &es->hosts[i];

		if (other == h)
			continue;
		if (other->failures == 0)
			other->failures = 1;
		host_fail(es, other, least, now);
	}
	h->failures++;
	return host_fail(es, h, least, now);
}

bool
piece_elsewhere(struct es *es, struct piece *p, const struct es_host *h, int64_t now)
{
	uint32_t bit = UINT32_C(1) << (h - es->hosts);
	bool again = p->tried & bit;

	p->tried |= bit;
	if (again || !es_hosts_well(es, p->tried, now))
		return false;
	p->due = 0;
	piece_queue(es, p, true);
	return true;
}

/* ---- how much at a time: additive increase, multiplicative decrease */

void
pace_busy(struct pace *p, int64_t started, int64_t now)
{
	if (started < p->halved) /* under way at the last halving: that was for this one, too */
		return;
	p->halved = now;
	p->most = p->most < 2 ? 1 : p->most / 2;
}

void
pace_taken(struct pace *p, int64_t limit)
{
	p->most += 1 / p->most;
	if (p->most > (double)limit)
		p->most = (double)limit;
}

void
es_pace_show(const struct es *es)
{
	uint64_t sum = 0, workers = (uint64_t)es->conf->workers;

	for (unsigned i = 0; i < es->nhosts; i++)
		sum += (uint64_t)es->hosts[i].pace.most;
	atomic_store_explicit(&es->sink->metrics->requests_limit, sum < workers ? sum : workers,
	    memory_order_relaxed);
}
