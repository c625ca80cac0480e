/*
 * The reader thread: inputs have their turns, batches are given to the shipper when
 * they are old enough, figures are published.  It waits for files and for free batches,
 * never for a network.
 */
#include "enrich.h"

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "filling.h"
#include "inputs.h"
#include "metrics.h"
#include "pod_lag.h"
#include "unread.h"

/* Bits of the lanes that have room. */
static uint32_t
rooms(struct pipeline *p)
{
	uint32_t room = 0;

	for (unsigned i = 0; i < p->nlanes; i++)
		room |= (filling_has_room(&p->filling[i]) ? UINT32_C(1) : 0) << i;
	return room;
}

static bool
all_starved(const struct pipeline *p)
{
	for (unsigned i = 0; i < p->nlanes; i++) {
		if (!p->filling[i].starved)
			return false;
	}
	return true;
}

/* The same for all lanes, in ms. */
static int
seal_all_due(struct pipeline *p, int64_t now)
{
	int64_t wait = NS_PER_S;

	for (unsigned i = 0; i < p->nlanes; i++)
		wait = earlier(wait, filling_seal_due(&p->filling[i], p->service->flush, now));
	return (int)(wait / NS_PER_MS) + 1;
}

static bool
all_given(const struct pipeline *p)
{
	for (unsigned i = 0; i < p->nlanes; i++) {
		if (!filling_is_given(&p->filling[i]))
			return false;
	}
	return true;
}

/* An output fails, and this run does not wait until it is well again. */
static bool
gives_up(const struct pipeline *p)
{
	enum shipper_fails fails = shipper_fails(p->shipper);

	return fails == FAILS_FOR_GOOD || (fails != FAILS_NOT && p->options.exit_on_eof);
}

/* Bytes that wait, by pod; nothing is looked at while none do. */
static void
publish_pods(struct pipeline *p, bool lags)
{
	const struct flow *flow;

	if (!lags && !pod_lag_any())
		return;
	pod_lag_begin();
	LIST_FOREACH (flow, &p->flows, in_flows) {
		const struct stream *stream = flow->stream;

		if (stream->lag > 0 && stream->pod != NULL)
			pod_lag_add(
			    stream->pod->namespace_name, stream->pod->pod_name, stream->lag);
	}
	pod_lag_end();
}

/* Publish, about once a second; *published: the time of the last one, 0: none.
 */
static void
publish(struct pipeline *p, int64_t now, int64_t *published)
{
	struct tail_figures figures;

	if (now - *published < NS_PER_S && *published != 0)
		return;
	*published = now;
	tail_figures(p->tail, &figures);
	atomic_store_explicit(&metrics.lag_bytes, figures.lag_bytes, memory_order_relaxed);
	for (unsigned i = 0; i < p->nlanes; i++)
		shipper_lags(p->shipper, i, figures.lag_of[i], figures.apart[i]);
	atomic_store_explicit(&metrics.newest, figures.newest, memory_order_relaxed);
	atomic_store_explicit(&metrics.state_stale,
	    (uint64_t)((state_stale(p->state) + NS_PER_S - 1) / NS_PER_S), memory_order_relaxed);
	atomic_store_explicit(&metrics.forgotten, state_forgotten(p->state), memory_order_relaxed);
	count_apart(p, figures.apart);
	inputs_post(p);
	publish_pods(p, figures.lag_bytes > 0);
	if (unread_turn(figures.files))
		count_unread(p);
	count_publish(p, figures.unread > 0);
}

/* ---- the thread */

void *
reader_run(void *arg)
{
	struct pipeline *p = arg;
	int64_t published = 0;
	bool finishing = false;
	int wait = 0;

	pthread_setname_np(pthread_self(), "reader");
	while (!atomic_load(&p->stop) && !gives_up(p)) {
		bool more, counts;
		int64_t now;
		int pods;

		inputs_wait(p, wait);
		pods = enrich_turn(p, clock_mono());
		more = inputs_turn(p, rooms(p));
		counts = tail_count(p->tail);
		now = clock_mono();
		wait = seal_all_due(p, now);
		wait = (int)earlier(pods, wait);
		if (counts || (more && !all_starved(p)))
			wait = 0;
		publish(p, now, &published);
		atomic_store(&p->turned, now);
		if (more || !inputs_end(p))
			continue;
		if (p->options.rehearsal != NULL) /* nothing is ever added to its files */
			tail_finish(p->tail);
		if (!inputs_at_end(p))
			continue;
		tail_finish(p->tail);
		if (finishing && all_given(p))
			break;
		finishing = true;
	}
	for (unsigned i = 0; i < p->nlanes; i++)
		filling_seal_all(&p->filling[i]);
	published = 0;
	publish(p, clock_mono(), &published);
	reader_wake(p->over);
	return NULL;
}

void
reader_wake(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}
