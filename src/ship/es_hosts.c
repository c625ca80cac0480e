/* The choice of hosts, their rests, and their pace. */
#include "es_hosts.h"

#include <stdlib.h>

#include "clock.h"
#include "pace.h"
#include "retry.h"

struct es_host {
	struct es_address address;
	unsigned flying;
	unsigned failures;  /* whole requests in a row that came to nothing, */
	int64_t failed;     /* the first of them at this time (mono ns) */
	int64_t not_before; /* mono ns */
	struct pace pace;
	uint64_t taken; /* bytes */
	bool refuses;
	struct said said;
};

struct es_hosts {
	struct sink *sink;
	const struct es_conf *conf;
	struct es_host *at;
	unsigned n;
	unsigned turn;   /* the host that is first among those with equally many requests */
	unsigned flying; /* without probes beyond Workers */
};

/* ---- addresses */

static char *
url_make(const struct es_conf *conf, const char *index, const char *origin)
{
	char *name = index != NULL ? curl_easy_escape(NULL, index, 0) : NULL;
	char *pipeline = conf->pipeline != NULL ? curl_easy_escape(NULL, conf->pipeline, 0) : NULL;
	char *url = xprintf("%s%s%s/_bulk?filter_path=items.*.status,items.*.error.type,"
			    "items.*.error.reason,items.*.failure_store%s%s",
	    origin, name != NULL ? "/" : "", name != NULL ? name : "",
	    pipeline != NULL ? "&pipeline=" : "", pipeline != NULL ? pipeline : "");

	curl_free(name);
	curl_free(pipeline);
	return url;
}

/* With tls.vhost, the URL has the name of the certificate, and leads to the host. */
static void
address_make(
    struct es_address *to, const struct es_conf *conf, const char *index, const struct host *at)
{
	const char *vhost = conf->tls ? conf->tls_vhost : NULL;
	size_t path = strlen(conf->path);

	while (path > 0 && conf->path[path - 1] == '/')
		path--;
	to->name = xprintf("%s:%u", at->name, at->port);
	to->origin = xprintf("%s://%s:%u%s%.*s", conf->tls ? "https" : "http",
	    vhost != NULL ? vhost : at->name, at->port, path > 0 && conf->path[0] != '/' ? "/" : "",
	    (int)path, conf->path);
	to->url = url_make(conf, index, to->origin);
	if (vhost != NULL) {
		char *connect = xprintf("::%s", to->name);

		to->connect_to = curl_slist_append(NULL, connect);
		free(connect);
	}
}

static void
pace_show(const struct es_hosts *hs)
{
	uint64_t sum = 0, workers = (uint64_t)hs->conf->workers;

	for (unsigned i = 0; i < hs->n; i++)
		sum += (uint64_t)hs->at[i].pace.most;
	atomic_store_explicit(&hs->sink->metrics->requests_limit, sum < workers ? sum : workers,
	    memory_order_relaxed);
}

struct es_hosts *
es_hosts_new(struct sink *sink, const struct es_conf *conf, const char *index)
{
	struct host at[HOSTS_MAX];
	struct es_hosts *hs;
	char why[256];
	int n = hosts_parse(conf->host, (unsigned)conf->port, at, why, sizeof(why));

	if (n < 0) {
		say_error("es", "%s:%u: Host: %s", sink->section->file, sink->section->line, why);
		return NULL;
	}
	hs = xcalloc(1, sizeof(*hs));
	hs->sink = sink;
	hs->conf = conf;
	hs->at = xcalloc((size_t)n, sizeof(*hs->at));
	hs->n = (unsigned)n;
	for (unsigned i = 0; i < hs->n; i++) {
		address_make(&hs->at[i].address, conf, index, &at[i]);
		hs->at[i].pace.most = (double)conf->workers;
	}
	pace_show(hs);
	return hs;
}

void
es_hosts_free(struct es_hosts *hs)
{
	if (hs == NULL)
		return;
	for (unsigned i = 0; i < hs->n; i++) {
		struct es_address *a = &hs->at[i].address;

		curl_slist_free_all(a->connect_to);
		free(a->name);
		free(a->origin);
		free(a->url);
	}
	free(hs->at);
	free(hs);
}

unsigned
es_hosts_count(const struct es_hosts *hs)
{
	return hs->n;
}

const struct es_address *
es_hosts_address(const struct es_hosts *hs, unsigned host)
{
	return &hs->at[host].address;
}

/* ---- pick */

static bool
is_well(const struct es_host *h, int64_t now)
{
	return h->failures == 0 && now >= h->not_before;
}

bool
es_hosts_well(const struct es_hosts *hs, uint32_t not, int64_t now)
{
	for (unsigned i = 0; i < hs->n; i++) {
		if (!(not >> i & 1) && is_well(&hs->at[i], now))
			return true;
	}
	return false;
}

/* True when a request to it is a probe, as it has failed and others do the work. */
static bool
is_probed(const struct es_hosts *hs, const struct es_host *h, int64_t now)
{
	return h->failures > 0 && es_hosts_well(hs, 0, now);
}

static bool
is_open(const struct es_hosts *hs, const struct es_host *h, int64_t now)
{
	unsigned most = h->failures > 0 ? 1 : (unsigned)h->pace.most;

	return now >= h->not_before && h->flying < most &&
	       (hs->flying < (unsigned)hs->conf->workers || is_probed(hs, h, now));
}

int
es_hosts_pick(const struct es_hosts *hs, uint32_t not, int64_t now)
{
	bool best_not = true;
	int best = -1;

	for (unsigned i = 0; i < hs->n; i++) {
		unsigned at = (hs->turn + i) % hs->n;
		bool is_not = not >> at & 1;

		if (!is_open(hs, &hs->at[at], now))
			continue;
		if (best < 0 || is_not < best_not ||
		    (is_not == best_not && hs->at[at].flying < hs->at[best].flying)) {
			best = (int)at;
			best_not = is_not;
		}
	}
	return best;
}

int64_t
es_hosts_due(const struct es_hosts *hs, int64_t now)
{
	int64_t due = NEVER;

	for (unsigned i = 0; i < hs->n; i++) {
		int64_t at = hs->at[i].not_before;

		if (at > now && at < due)
			due = at;
	}
	return due;
}

/* ---- report */

bool
es_hosts_sent(struct es_hosts *hs, unsigned host, int64_t now)
{
	struct es_host *h = &hs->at[host];
	bool beyond = is_probed(hs, h, now);

	hs->flying += !beyond;
	h->flying++;
	hs->turn = host + 1;
	return beyond;
}

void
es_hosts_landed(struct es_hosts *hs, unsigned host, bool beyond)
{
	hs->at[host].flying--;
	hs->flying -= !beyond;
}

static void
answered(struct es_hosts *hs, struct es_host *h, uint64_t bytes)
{
	if (bytes > h->taken)
		h->taken = bytes;
	if (h->failures > 0)
		say_info("es", "the server takes requests again  output=%s host=%s", hs->sink->name,
		    h->address.name);
	h->failures = 0;
	h->not_before = 0;
	h->refuses = false;
	h->said.at = 0;
	atomic_store(&hs->sink->answered, true);
	atomic_store(&hs->sink->waits, NULL);
}

/* The host rests, longer with each failure in a row.  Return for how long, in ns. */
static int64_t
leave_alone(const struct es_hosts *hs, struct es_host *h, int64_t least, int64_t now)
{
	int64_t wait = retry_wait(hs->conf->backoff_first, h->failures);

	if (wait < least)
		wait = least;
	h->not_before = now + wait;
	return wait;
}

static void
failed_once(struct es_host *h, int64_t now)
{
	if (h->failures++ == 0)
		h->failed = now;
}

static void
failed(struct es_hosts *hs, struct es_host *h, const struct es_host_report *r, int64_t now)
{
	bool well;
	int64_t wait;

	for (unsigned i = 0; r->did == HOSTS_WOULD_FAIL && i < hs->n; i++) {
		struct es_host *other = &hs->at[i];

		if (other == h)
			continue;
		if (other->failures == 0)
			failed_once(other, now);
		leave_alone(hs, other, r->rest, now);
	}
	failed_once(h, now);
	wait = leave_alone(hs, h, r->rest, now);
	well = es_hosts_well(hs, 0, now);
	if (!well)
		atomic_store(&hs->sink->waits, "the server does not take requests");
	if (said_lately(&h->said))
		return;
	say_warn("es", "%s; %s%s%s  output=%s host=%s retry_in=%.1fs", r->what,
	    well ? "its requests go to other hosts" : "records wait in their files",
	    r->detail[0] != '\0' ? ": " : "", r->detail, hs->sink->name, h->address.name,
	    (double)wait / NS_PER_S);
}

void
es_hosts_report(
    struct es_hosts *hs, unsigned host, const struct es_host_report *report, int64_t now)
{
	struct es_host *h = &hs->at[host];

	if (report->slower)
		pace_busy(&h->pace, report->started, now);
	else if (report->faster)
		pace_taken(&h->pace, hs->conf->workers);
	pace_show(hs);
	switch (report->did) {
	case HOST_ANSWERED:
		answered(hs, h, report->bytes);
		break;
	case HOST_JUDGED:
		if (report->rest > 0)
			h->not_before = now + report->rest;
		break;
	case HOST_REFUSED:
		h->refuses = true;
		break;
	case HOST_FAILED:
	case HOSTS_WOULD_FAIL:
		failed(hs, h, report, now);
	}
}

bool
es_hosts_was_down(const struct es_hosts *hs, unsigned host, int64_t started)
{
	const struct es_host *h = &hs->at[host];

	return h->failures > 0 && h->failed < started;
}

bool
es_hosts_refuses(const struct es_hosts *hs, unsigned host)
{
	return hs->at[host].refuses;
}

uint64_t
es_hosts_taken(const struct es_hosts *hs, unsigned host)
{
	return hs->at[host].taken;
}
