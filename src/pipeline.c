/*
 * The whole flow, top to bottom:
 *
 *	 inputs ─ record ──> chain ──> batch ──> shipper ──> outputs
 *	   ^                  │                    │
 *	 files, journals   metrics              cursors ──> state
 *
 * The reader thread does the first line, up to the sealed batch; it waits for
 * files, never for a network.  When no batch is free it stops reading: the
 * files are the buffer.
 */
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent_metrics.h"
#include "clock.h"
#include "enrich.h"
#include "inputs.h"
#include "metrics.h"
#include "polling.h"
#include "resources.h"
#include "unread.h"
#include "voice.h"

static bool
is_ready(void *arg, char *why, size_t size)
{
	struct pipeline *p = arg;

	return shipper_ready(p->shipper, why, size) && state_ready(p->state, why, size) &&
	       (p->enriching.kube == NULL || kube_ready(p->enriching.kube, why, size)) &&
	       !unread_is_all(why, size);
}

static uint64_t
shown(void *arg)
{
	return count_shown(arg);
}

/* The reader turns at least once a second; a minute without a turn is a bug. */
static bool
is_alive(void *arg, char *why, size_t size)
{
	struct pipeline *p = arg;
	int64_t still = clock_mono() - atomic_load(&p->turned);

	if (still < 60 * NS_PER_S)
		return true;
	snprintf(why, size, "the reader has not turned for %lld s", (long long)(still / NS_PER_S));
	return false;
}

static size_t
sections_of(const struct conf *conf, enum section_kind kind, const struct section **to)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].plugin->kind == kind)
			to[n++] = &conf->sections[i];
	}
	return n;
}

static struct buckets
buckets_of(const struct list *words)
{
	double at[SERVICE_BUCKETS_MAX];
	int n = service_buckets(words, at);
	struct buckets b = { 0 };

	if (n > 0)
		metrics_buckets(&b, at, (unsigned)n);
	return b;
}

static int
shipper_make(struct pipeline *p)
{
	const struct service *service = p->service;
	const struct section **outputs = xcalloc(p->conf->n, sizeof(struct section *));
	size_t n = sections_of(p->conf, SECTION_OUTPUT, outputs);

	p->shipper =
	    shipper_new(outputs, n, p->state, (unsigned)service->batches, service->batch_size);
	free(outputs);
	if (p->shipper == NULL)
		return -1;
	p->nlanes = shipper_lanes(p->shipper);
	p->filling = xcalloc(p->nlanes, sizeof(*p->filling));
	for (unsigned i = 0; i < p->nlanes; i++) {
		p->filling[i].shipper = p->shipper;
		p->filling[i].book = shipper_lane(p->shipper, i)->book;
		p->filling[i].lane = i;
	}
	return 0;
}

static int
parts_make(struct pipeline *p)
{
	const struct service *service = p->service;

	p->chain = chain_new(p->conf, service);
	if (p->chain == NULL)
		return -1;
	if (shipper_make(p) < 0)
		return -1;
	agent_metrics_init(&(struct agent_metrics_options){
	    .max_series = (unsigned)service->max_series,
	    .per_pipeline = service->per_pipeline,
	    .max_task_capacity = (double)service->max_task_capacity,
	    .max_connections = (double)service->max_connections,
	    .heartbeat_timeout = service->heartbeat_timeout,
	    .window = service->duration_window,
	    .task_timeout = service->task_timeout,
	    .task_buckets = buckets_of(&service->task_buckets),
	    .request_buckets = buckets_of(&service->request_buckets),
	    .quantiles = buckets_of(&service->quantiles),
	    .labels = (const char *const *)service->agent_labels.at,
	    .nlabels = service->agent_labels.n,
	    .failure_memory = service->failure_memory,
	    .max_failures = (size_t)service->max_failures,
	    .gauges = (enum agent_side)service->agent_gauges,
	});
	count_restore(p);
	if (enrich_make(p) < 0)
		return -1;
	p->enriching.polling = polling_new(service, p->enriching.kube);
	if (service->cgroup_path != NULL)
		p->enriching.resources =
		    resources_new(service->cgroup_path, service->cgroup_interval);
	return inputs_make(p);
}

bool
pipeline_asks_api(const struct conf *conf)
{
	struct kube_options ignored;

	return enrich_options(conf, &ignored);
}

struct pipeline *
pipeline_new(const struct conf *conf, const struct pipeline_options *options)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));
	const char *dir = options->state_dir;
	struct limit limit;

	p->conf = conf;
	metrics_unbuilt_none();
	for (size_t i = 0; i < conf->nskipped; i++) {
		if (conf->skipped[i].name != NULL)
			metrics_unbuilt(conf->skipped[i].name);
	}
	p->service = service_of(conf);
	limit_of(conf, &limit);
	limit_say(&limit);
	atomic_store(&metrics.memory_limit, limit_sum(&limit));
	p->options = *options;
	p->signals = -1;
	p->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	p->over = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	atomic_store(&p->turned, clock_mono());
	p->state = state_open(dir != NULL ? dir : p->service->state_path);
	if (p->state != NULL) {
		state_most(p->state, limit.streams);
		errno = 0;
		if (parts_make(p) == 0)
			return p;
		errno = EINVAL;
	}
	pipeline_free(p);
	return NULL;
}

void
pipeline_free(struct pipeline *p)
{
	int was = errno;

	if (p == NULL)
		return;
	serve_stop(p->serve);
	polling_free(p->enriching.polling);
	kube_stop(p->enriching.kube);
	if (p->state != NULL)
		state_stops(p->state);
	inputs_free(p);
	resources_free(p->enriching.resources);
	shipper_free(p->shipper);
	chain_free(p->chain);
	kube_free(p->enriching.kube);
	state_close(p->state);
	free(p->filling);
	if (p->signals >= 0)
		close(p->signals);
	if (p->wake >= 0)
		close(p->wake);
	if (p->over >= 0)
		close(p->over);
	free(p);
	errno = was;
}

/*
 * Wait for a signal that ends the run, or for the reader to be at the end of
 * everything.  A SIGHUP whose configuration is wrong changes nothing.
 */
static enum pipeline_end
wait_for_end(struct pipeline *p, int signals)
{
	long long grace = (long long)(p->service->grace / NS_PER_S);
	struct signalfd_siginfo info;

	for (;;) {
		struct pollfd fds[2] = { { .fd = p->over, .events = POLLIN },
			{ .fd = signals, .events = POLLIN } };

		while (poll(fds, 2, -1) < 0 && errno == EINTR)
			;
		if (fds[1].revents == 0 || read(fds[1].fd, &info, sizeof(info)) != sizeof(info))
			return PIPELINE_ENDED;
		if (info.ssi_signo != SIGHUP) {
			say_info("run",
			    "signal %u: no more reading; delivering what was read, at most %lld s",
			    info.ssi_signo, grace);
			return PIPELINE_ENDED;
		}
		if (p->options.reload == NULL || !p->options.reload(p->options.reload_arg))
			continue;
		say_info("run",
		    "the configuration was read again and is right; delivering what was read, at "
		    "most %lld s, then going on with it",
		    grace);
		return PIPELINE_RELOADS;
	}
}

/* All threads but that which serves; -1: one does not start, and none of them runs. */
static int
threads_start(struct pipeline *p)
{
	int error;

	if (shipper_start(p->shipper, p->wake) < 0)
		return -1;
	if (p->enriching.kube != NULL && kube_start(p->enriching.kube, p->wake) < 0)
		goto ships;
	if (polling_start(p->enriching.polling) < 0)
		goto knows_pods;
	if (resources_start(p->enriching.resources) < 0)
		goto polls;
	error = pthread_create(&p->reader, NULL, reader_run, p);
	if (error == 0)
		return 0;
	say_error("run", "no thread: %s", strerrordesc_np(error));
	resources_stop(p->enriching.resources);
polls:
	polling_stop(p->enriching.polling);
knows_pods:
	kube_stop(p->enriching.kube);
ships:
	shipper_stop(p->shipper, 0);
	return -1;
}

static struct serve *
serve_make(struct pipeline *p)
{
	const struct service *s = p->service;
	struct serve_world world = { is_ready, is_alive, shown, p, p->conf };
	struct findings *findings = findings_new();
	struct web_conf *web = web_conf_of(p->conf, findings);
	bool wrong = findings_count(findings, FINDING_ERROR) > 0;

	findings_print(findings, FINDING_ERROR, stderr); /* it was right when it was checked */
	findings_free(findings);
	return wrong ? NULL : serve_start(s->http_listen, (unsigned)s->http_port, web, &world);
}

sigset_t
pipeline_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	return signals;
}

int
pipeline_start(struct pipeline *p)
{
	sigset_t signals = pipeline_signals();

	/* Made before files take all descriptors: without it no signal could end the process. */
	p->signals = signalfd(-1, &signals, SFD_CLOEXEC);
	if (p->signals < 0) {
		say_error("run", "no descriptor for signals: %m");
		return -1;
	}
	state_wake(p->state, p->wake);
	if (p->service->http_server && (p->serve = serve_make(p)) == NULL)
		return -1;
	return threads_start(p);
}

enum pipeline_end
pipeline_run(struct pipeline *p)
{
	enum pipeline_end end = wait_for_end(p, p->signals);
	sigset_t signals = pipeline_signals();
	uint64_t left;

	close(p->signals);
	p->signals = -1;
	sigdelset(&signals, SIGHUP);
	if (end == PIPELINE_ENDED) /* a second signal ends the process, which the state survives */
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	atomic_store(&p->stop, true);
	reader_wake(p->wake);
	pthread_join(p->reader, NULL);
	resources_stop(p->enriching.resources);
	polling_stop(p->enriching.polling);
	kube_stop(p->enriching.kube);
	left = shipper_stop(p->shipper, p->service->grace);
	if (left > 0 && end == PIPELINE_ENDED && shipper_fails(p->shipper) != FAILS_NOT)
		end = PIPELINE_FAILED;
	if (left > 0)
		say_warn("run",
		    "%llu records were not delivered in time; they are read again at the next start",
		    (unsigned long long)left);
	inputs_post(p);
	count_finish(p);
	serve_stop(p->serve);
	p->serve = NULL;
	return end;
}
