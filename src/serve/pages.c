/*
 * The paths and their answers: of values that other threads have published; nothing is
 * changed by them.
 */
#include "pages.h"

#include "accept.h"
#include "agent_metrics.h"
#include "clock.h"
#include "guests.h"
#include "metrics.h"
#include "plugins_json.h"
#include "unread.h"

#define SETTLE (2 * NS_PER_S)       /* the time for counts to reach the disk */
#define UNREAD_SHOWN 20             /* files that cannot be read, in the body of /readyz */
#define HISTORY_MAX (60 * NS_PER_S) /* /metrics does not wait longer for history to be counted */

void
pages_init(struct pages *p, const struct serve_world *world)
{
	*p = (struct pages){ .world = *world, .began = clock_mono() };
	for (int i = 0; i < 2; i++)
		buffer_init(&p->last[i], 0);
}

void
pages_fini(struct pages *p)
{
	for (int i = 0; i < 2; i++)
		buffer_fini(&p->last[i]);
}

/* ---- paths */

/*
 * Have last[] hold counts that are on disk: a kill after this scrape must not
 * bring back smaller counts.  False: they are not there yet, and last[] holds
 * those of the scrape before.
 */
static bool
agents_settled(struct pages *p, bool openmetrics)
{
	uint64_t before = p->world.shown(p->world.arg);
	struct buffer now;

	if (before == 0)
		return false;
	buffer_init(&now, 0);
	agent_metrics_write(&now, openmetrics);
	if (p->world.shown(p->world.arg) != before) {
		buffer_fini(&now);
		return false;
	}
	buffer_fini(&p->last[openmetrics]);
	p->last[openmetrics] = now;
	return true;
}

/* Counts do not reach the disk while the state cannot be written. */
static bool
state_is_stale(void)
{
	return atomic_load_explicit(&metrics.state_stale, memory_order_relaxed) > 0;
}

bool
pages_have_news(const struct pages *p)
{
	return p->world.shown(p->world.arg) != 0 || state_is_stale();
}

static void
metrics_put(const struct page_request *r, struct page_answer *a, bool theirs)
{
	bool openmetrics = accept_openmetrics(r->accept);

	if (!agent_metrics_counted() && clock_mono() - r->pages->began < HISTORY_MAX) {
		a->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		buffer_put(&a->body, SLICE("counting what the log files hold already\n"));
		return;
	}
	a->type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			      : "text/plain; version=0.0.4; charset=utf-8";
	a->scrape = agents_settled(r->pages, openmetrics);
	a->waits =
	    !a->scrape && !state_is_stale() && guests_wait(r->connection, SETTLE, clock_mono());
	if (a->waits)
		return;
	metrics_write(&a->body, openmetrics, clock_wall());
	if (theirs)
		metrics_fluent_bit(&a->body, openmetrics, clock_wall());
	buffer_put(&a->body, buffer_slice(&r->pages->last[openmetrics]));
	if (openmetrics)
		buffer_put(&a->body, SLICE("# EOF\n"));
}

static void
answer_metrics(const struct page_request *r, struct page_answer *a)
{
	metrics_put(r, a, false);
}

static void
answer_both_metrics(const struct page_request *r, struct page_answer *a)
{
	metrics_put(r, a, true);
}

/* 200 and `ok`, or `status` and the reason. */
static void
answer_probe(bool (*ask)(void *arg, char *why, size_t size), const struct page_request *r,
    struct page_answer *a, unsigned status)
{
	char why[512] = "";

	if (ask(r->pages->world.arg, why, sizeof(why))) {
		buffer_put(&a->body, SLICE("ok\n"));
		return;
	}
	a->status = status;
	buffer_printf(&a->body, "%s\n", why[0] != '\0' ? why : "not yet");
}

static void
answer_healthz(const struct page_request *r, struct page_answer *a)
{
	answer_probe(r->pages->world.alive, r, a, MHD_HTTP_SERVICE_UNAVAILABLE);
}

static void
answer_readyz(const struct page_request *r, struct page_answer *a)
{
	answer_probe(r->pages->world.ready, r, a, MHD_HTTP_SERVICE_UNAVAILABLE);
	unread_lines(&a->body, UNREAD_SHOWN);
}

/* The status of Fluent Bit's own answer when it is not healthy. */
static void
answer_health(const struct page_request *r, struct page_answer *a)
{
	answer_probe(r->pages->world.alive, r, a, MHD_HTTP_INTERNAL_SERVER_ERROR);
}

static void
answer_uptime(const struct page_request *r, struct page_answer *a)
{
	long long up = (clock_mono() - r->pages->began) / NS_PER_S;
	long long days = up / 86400, hours = up / 3600 % 24, minutes = up / 60 % 60, s = up % 60;

	a->type = "application/json";
	buffer_printf(&a->body,
	    "{\"uptime_sec\":%lld,\"uptime_hr\":\"towline has been running: %lld day%s, "
	    "%lld hour%s, %lld minute%s and %lld second%s\"}\n",
	    up, days, days > 1 ? "s" : "", hours, hours > 1 ? "s" : "", minutes,
	    minutes > 1 ? "s" : "", s, s > 1 ? "s" : "");
}

static void
answer_counters(const struct page_request *r, struct page_answer *a)
{
	(void)r;
	a->type = "application/json";
	metrics_json(&a->body);
}

static void
answer_plugins(const struct page_request *r, struct page_answer *a)
{
	a->type = "application/json";
	plugins_json(r->pages->world.conf, &a->body);
}

static void answer_index(const struct page_request *r, struct page_answer *a);

static const struct page paths[] = {
	{ "/", answer_index, "this list", false },
	{ "/metrics", answer_metrics, "towline's and the agents' metrics, for Prometheus", false },
	{ "/healthz", answer_healthz, "200 while the reader turns", true },
	{ "/readyz", answer_readyz,
	    "200 once each output has answered, else 503 and why; files that cannot be read",
	    true },
	{ "/api/v1/health", answer_health, "as /healthz, where Fluent Bit has it", true },
	{ "/api/v1/uptime", answer_uptime, "how long this process has run, as Fluent Bit says it",
	    false },
	{ "/api/v1/metrics", answer_counters,
	    "counters of inputs and outputs, as Fluent Bit's JSON", false },
	{ "/api/v1/metrics/prometheus", answer_both_metrics,
	    "as /metrics, and the counters of inputs and outputs as Fluent Bit calls them", false },
	{ "/api/v1/plugins", answer_plugins, "the plugins that the configuration has", false },
	{ "/api/v2/health", answer_health, "as /api/v1/health", true },
	{ "/api/v2/metrics", answer_both_metrics, "as /api/v1/metrics/prometheus", false },
	{ "/api/v2/metrics/prometheus", answer_both_metrics, "as /api/v1/metrics/prometheus",
	    false },
};

static void
answer_index(const struct page_request *r, struct page_answer *a)
{
	(void)r;
	buffer_put(&a->body, SLICE("towline " TOWLINE_VERSION "\n\n"));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		buffer_printf(&a->body, "%-28s %s\n", paths[i].path, paths[i].help);
}

const struct page *
pages_find(const char *url)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(paths[i].path, url) == 0)
			return &paths[i];
	}
	return NULL;
}
