/*
 * The reader has a snapshot of its pod for each stream; the kube thread has
 * newer ones.  A record costs one load of the version; the lock is taken when
 * that has moved.
 */
#include "enrich.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent_metrics.h"
#include "clock.h"
#include "filter.h"
#include "metrics.h"
#include "rehearsal.h"
#include "voice.h"

#define ASK_GAP (100 * NS_PER_MS) /* between two looks at the waiting streams */

/* ---- start */

/* The first [FILTER] kubernetes behind `s` (`s` NULL: the first of all); NULL: there is none. */
static const struct section *
filter_behind(const struct conf *conf, const struct section *s)
{
	for (s = s == NULL ? conf->sections : s + 1; s < conf->sections + conf->n; s++) {
		if (s->plugin == &kubernetes_filter_plugin)
			return s;
	}
	return NULL;
}

/* The section with the options of the API server; NULL: the server is not asked. */
static const struct section *
asking(const struct conf *conf)
{
	static const char *const how[] = { "Kube_URL", "Kube_Token_File", "Kube_Token_Command" };
	const struct section *s = filter_behind(conf, NULL);

	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(how) / sizeof(*how); i++) {
		if (conf_given(s, how[i]) != 0)
			return s;
	}
	return getenv("KUBERNETES_SERVICE_HOST") != NULL ||
		       access(((const struct kubernetes_conf *)s->values)->kube_token_file, R_OK) ==
			   0
		   ? s
		   : NULL;
}

static unsigned
parts_of(const struct kubernetes_conf *k)
{
	return (k->labels ? KUBE_LABELS : 0) | (k->annotations ? KUBE_ANNOTATIONS : 0) |
	       (k->owner_references ? KUBE_OWNER_REFERENCES : 0) |
	       (k->keep_dots ? KUBE_KEEP_DOTS : 0) |
	       (k->namespace_labels ? KUBE_NAMESPACE_LABELS : 0) |
	       (k->namespace_annotations ? KUBE_NAMESPACE_ANNOTATIONS : 0) |
	       (k->node_labels ? KUBE_NODE_LABELS : 0);
}

static struct kube_options
options_of(const struct kubernetes_conf *k)
{
	const char *node = getenv("NODE_NAME");

	return (struct kube_options){
		.server = {
			.url = k->kube_url,
			.ca_file = k->kube_ca_file,
			.ca_path = k->kube_ca_path,
			.vhost = k->tls_vhost,
			.token_file = k->kube_token_file,
			.token_command = k->kube_token_command,
			.token_ttl = k->kube_token_ttl,
			.tls_verify = k->tls_verify,
		},
		.parts = parts_of(k),
		.namespace_file = k->kube_namespace_file,
		.node = k->kube_node_name != NULL ? k->kube_node_name : node,
		.namespace_ttl = k->namespace_ttl,
		.pod_wait = k->pod_wait,
		.api_wait = k->api_wait,
		.max_pods = k->max_pods,
	};
}

bool
enrich_options(const struct conf *conf, struct kube_options *options)
{
	const struct section *section = asking(conf);

	if (section != NULL)
		*options = options_of(section->values);
	return section != NULL;
}

/* A rehearsal's pods: all that are there are known at once.  What stands around them is not. */
static int
rehearsal_make(struct pipeline *p)
{
	const struct rehearsal *r = p->options.rehearsal;
	const struct section *section = filter_behind(p->conf, NULL);
	struct kube_options options;

	if (r->pods == NULL || section == NULL)
		return 0;
	options = options_of(section->values);
	options.pods_file = r->pods;
	options.pod_wait = options.api_wait = 0;
	options.parts &= ~(unsigned)(KUBE_OF_NAMESPACES | KUBE_NODE_LABELS);
	p->enriching.kube = kube_new(&options, p->state);
	return p->enriching.kube == NULL ? -1 : 0;
}

void
enrich_check(const struct conf *conf, struct findings *findings)
{
	const struct section *section = asking(conf);
	struct kube_options options;

	if (!enrich_options(conf, &options) || kube_url_right(&options.server))
		return;
	findings_add(findings, FINDING_ERROR, section->file, conf_given(section, "Kube_URL"),
	    "Kube_URL: '%s' is no URL: https://HOST:PORT", options.server.url);
}

int
enrich_make(struct pipeline *p)
{
	const struct section *section, *further;
	struct kube_options options;

	if (p->options.rehearsal != NULL)
		return rehearsal_make(p);
	if (!enrich_options(p->conf, &options)) {
		if (filter_behind(p->conf, NULL) != NULL)
			say_info("kube",
			    "not in a cluster: logs go without their pods' "
			    "labels; Kube_URL in [FILTER] kubernetes says whom to ask");
		state_metadata_each(p->state, NULL, NULL);
		return 0;
	}
	section = filter_behind(p->conf, NULL);
	further = filter_behind(p->conf, section);
	if (further != NULL)
		say_warn("kube",
		    "%s:%u: the API server is asked as the first [FILTER] kubernetes says "
		    "(%s:%u), for this one, too",
		    further->file, further->line, section->file, section->line);
	p->enriching.kube = kube_new(&options, p->state);
	return p->enriching.kube == NULL ? -1 : 0;
}

/* ---- a stream's snapshot */

static enum kube_answer
ask(struct pipeline *p, struct flow *flow, int64_t now)
{
	struct enriching *e = &p->enriching;
	struct stream *stream = flow->stream;
	struct pod *newer;
	enum kube_answer answer;

	flow->pods = kube_version(e->kube);
	answer = kube_find(e->kube, stream->pod, now, &newer);
	if (newer != NULL) {
		pod_unref(stream->pod);
		stream->pod = newer;
		flow_watch(p, flow);
	}
	return answer;
}

static void
waits(struct enriching *e, struct flow *flow, bool so)
{
	if (flow->stream->waits == so)
		return;
	flow->stream->waits = so;
	if (so)
		LIST_INSERT_HEAD(&e->waiting, flow, in_waiting);
	else
		LIST_REMOVE(flow, in_waiting);
	metrics_add(&metrics.pod_waits, so ? 1 : UINT64_MAX); /* only the reader moves it */
}

/* True when the stream's documents have a kubernetes field, which needs its pod. */
static bool
is_enriched(const struct enriching *e, const struct flow *flow)
{
	return e->kube != NULL && pod_has_uid(flow->stream->pod) &&
	       chain_has(flow->lanes[0].source, &kubernetes_filter_plugin);
}

void
enrich_begins(struct pipeline *p, struct flow *flow)
{
	flow->enriched = is_enriched(&p->enriching, flow);
	if (!flow->enriched)
		return;
	kube_use(p->enriching.kube, flow->stream->pod->pod_id);
	waits(&p->enriching, flow, ask(p, flow, clock_mono()) == KUBE_WAITS);
}

void
enrich_labels(const struct flow *flow)
{
	if (flow->series != NULL && !flow->stream->waits)
		agent_metrics_labels(flow->series, flow->stream->pod);
}

void
enrich_ends(struct pipeline *p, struct flow *flow)
{
	if (!flow->enriched)
		return;
	waits(&p->enriching, flow, false);
	kube_leave(p->enriching.kube, flow->stream->pod->pod_id);
}

void
enrich_record(struct pipeline *p, struct flow *flow)
{
	if (flow->enriched && flow->pods != kube_version(p->enriching.kube))
		ask(p, flow, clock_mono());
}

void
enrich_shipped(const struct flow *flow)
{
	if (flow->enriched && flow->stream->pod->version == 0)
		metrics_add(&metrics.unenriched, 1);
}

int
enrich_turn(struct pipeline *p, int64_t now)
{
	struct flow *flow = LIST_FIRST(&p->enriching.waiting), *next;

	for (; flow != NULL; flow = next) {
		next = LIST_NEXT(flow, in_waiting);
		if (ask(p, flow, now) == KUBE_WAITS)
			continue;
		waits(&p->enriching, flow, false);
		enrich_labels(flow);
		tail_go_on(p->tail, flow->stream);
	}
	return LIST_EMPTY(&p->enriching.waiting) ? 1000 : (int)(ASK_GAP / NS_PER_MS);
}
