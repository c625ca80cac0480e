/*
 * towline's own families: their table, the counters of each output, and their
 * exposition.  The agents' families are in agent_write.c.
 */
#include "metrics.h"

#include <stddef.h>
#include <stdlib.h>

#include "agent_metrics.h"
#include "clock.h"
#include "exposition.h"
#include "pattern.h"
#include "process.h"
#include "unbuilt.h"

struct metrics metrics;
struct kube_metrics metrics_kube;
struct failure_metrics metrics_failures;
struct journal_metrics metrics_journal;
atomic_ullong metrics_reload_failed;
atomic_ullong metrics_utf16_errors;
atomic_ullong metrics_filtered;
struct poll_metrics metrics_poll;

const char *const metrics_reason_names[] = { "429", "5xx", "hold", "timeout", "connect", "auth",
	"too_large", "reply", "rejected", "given_up" };

const char *const metrics_kube_verb_names[] = { "list", "watch", "get" };

const char *const metrics_kube_error_names[] = { "connect", "auth", "forbidden", "gone",
	"throttled", "server", "answer" };

const char *const metrics_poll_failure_names[] = { "connect", "status", "answer", "timeout",
	"too_large" };

const char *const metrics_lost_names[] = { "gzip", "held", "deleted", "truncated", "powercut" };

/* All outputs, the newest first; none is ever removed. */
static _Atomic(struct output_metrics *) outputs;

const struct buckets metrics_delivery_buckets = { DELIVERY_BUCKETS,
	{ 0.1, 0.5, 1, 5, 15, 60, 300, 600, 1800, 3600 },
	{ "0.1", "0.5", "1.0", "5.0", "15.0", "60.0", "300.0", "600.0", "1800.0", "3600.0" } };

/* Lost bytes by pod, the newest first; the last, of files outside of pods, is always there. */
struct lost_metrics {
	const char *pod;
	atomic_ullong bytes[LOST_REASONS];
	struct lost_metrics *next;
};

static struct lost_metrics lost_elsewhere = { .pod = "" };
static _Atomic(struct lost_metrics *) losts = &lost_elsewhere;

/* A family, the place of its numbers, and the function that writes its samples. */
struct own {
	struct family family;
	void (*write)(struct exposition *x, const struct own *own, int64_t now);
	const atomic_ullong *at; /* one for each value of its label; NULL: an output's */
	size_t where;            /* in struct output_metrics */
	void (*process)(struct exposition *x, const struct family *f); /* of process.h */
	bool apart; /* it begins before the process (the state keeps it) or later */
};

static uint64_t
load(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static const atomic_ullong *
counter_at(const void *base, size_t where)
{
	return (const atomic_ullong *)(const void *)((const char *)base + where);
}

/* ---- how samples are written, by the shape of the family */

/* A sample; a counter begins with the process, unless it is told apart. */
static void
put(struct exposition *x, const struct own *own, struct slice labels, uint64_t value)
{
	exposition_count(x, &own->family, labels, value);
	if (own->family.kind == FAMILY_COUNTER && !own->apart)
		exposition_created(x, &own->family, labels, process_began());
}

static void
write_single(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	put(x, own, SLICE(""), load(own->at));
}

static void
write_lost(struct exposition *x, const struct own *own, int64_t now)
{
	struct buffer labels;

	(void)now;
	buffer_init(&labels, 0);
	for (const struct lost_metrics *l = atomic_load(&losts); l != NULL; l = l->next) {
		for (int i = 0; i < LOST_REASONS; i++) {
			if (l != &lost_elsewhere && load(&l->bytes[i]) == 0)
				continue;
			buffer_clear(&labels);
			exposition_label(&labels, "pod", slice_of(l->pod));
			exposition_label(&labels, "reason", slice_of(metrics_lost_names[i]));
			put(x, own, buffer_slice(&labels), load(&l->bytes[i]));
		}
	}
	buffer_fini(&labels);
}

/* One series a name. */
static void
write_named(struct exposition *x, const struct own *own, const char *const *names, int n)
{
	struct buffer labels;

	buffer_init(&labels, 0);
	for (int i = 0; i < n; i++) {
		buffer_clear(&labels);
		exposition_label(&labels, own->family.labels, slice_of(names[i]));
		put(x, own, buffer_slice(&labels), load(&own->at[i]));
	}
	buffer_fini(&labels);
}

static void
write_read_errors(struct exposition *x, const struct own *own, int64_t now)
{
	static const char *const names[READ_ERRORS] = { "io", "other" };

	(void)now;
	write_named(x, own, names, READ_ERRORS);
}

static void
write_unread(struct exposition *x, const struct own *own, int64_t now)
{
	static const char *const names[UNREAD_REASONS] = { "refused", "error", "max_files" };

	(void)now;
	write_named(x, own, names, UNREAD_REASONS);
}

static void
write_failures(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	write_named(x, own, agent_failure_names, FAILURES);
}

static void
write_verbs(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	write_named(x, own, metrics_kube_verb_names, KUBE_VERBS);
}

static void
write_kube_errors(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	write_named(x, own, metrics_kube_error_names, KUBE_ERRORS);
}

static void
write_poll_failures(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	write_named(x, own, metrics_poll_failure_names, POLL_FAILURES);
}

/* How far behind the newest record read is, while there is something to ship. */
static void
write_lag_seconds(struct exposition *x, const struct own *own, int64_t now)
{
	int64_t newest = atomic_load_explicit(&metrics.newest, memory_order_relaxed);
	bool lags = load(&metrics.lag_bytes) > 0 && newest > 0 && newest < now;

	exposition_value(
	    x, &own->family, SLICE(""), lags ? (double)(now - newest) / (double)NS_PER_S : 0);
}

static void
write_build(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	put(x, own, SLICE("version=\"" TOWLINE_VERSION "\""), 1);
}

static void
output_label(struct buffer *labels, const struct output_metrics *m)
{
	char clean[LABEL_MAX];

	buffer_clear(labels);
	exposition_label(labels, "output",
	    (struct slice){ clean, exposition_label_clean(slice_of(m->output), clean) });
}

static void
write_by_output(struct exposition *x, const struct own *own, int64_t now)
{
	struct buffer labels;

	(void)now;
	buffer_init(&labels, 0);
	for (const struct output_metrics *m = atomic_load(&outputs); m != NULL; m = m->next) {
		output_label(&labels, m);
		put(x, own, buffer_slice(&labels), load(counter_at(m, own->where)));
	}
	buffer_fini(&labels);
}

static void
write_by_reason(struct exposition *x, const struct own *own, int64_t now)
{
	struct buffer labels;

	(void)now;
	buffer_init(&labels, 0);
	for (const struct output_metrics *m = atomic_load(&outputs); m != NULL; m = m->next) {
		for (size_t i = 0; i < REASONS; i++) {
			output_label(&labels, m);
			exposition_label(&labels, "reason", slice_of(metrics_reason_names[i]));
			put(x, own, buffer_slice(&labels),
			    load(counter_at(m, own->where + i * sizeof(atomic_ullong))));
		}
	}
	buffer_fini(&labels);
}

static void
write_delivery(struct exposition *x, const struct own *own, int64_t now)
{
	struct buffer labels;

	(void)now;
	buffer_init(&labels, 0);
	for (const struct output_metrics *m = atomic_load(&outputs); m != NULL; m = m->next) {
		uint64_t buckets[DELIVERY_BUCKETS + 1];

		for (int i = 0; i <= DELIVERY_BUCKETS; i++)
			buckets[i] = load(&m->delivery[i]);
		output_label(&labels, m);
		exposition_histogram(x, &own->family, buffer_slice(&labels),
		    &(struct shown_histogram){ .bounds = &metrics_delivery_buckets,
			.counts = buckets,
			.sum = (double)load(&m->delivery_sum_ns) / (double)NS_PER_S });
		exposition_created(x, &own->family, buffer_slice(&labels), process_began());
	}
	buffer_fini(&labels);
}

static void
write_pod_lag(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	pod_lag_write(x, &own->family);
}

static void
write_process(struct exposition *x, const struct own *own, int64_t now)
{
	(void)now;
	own->process(x, &own->family);
}

/* ---- the table */

#define OF(counter) .at = &(counter)
#define ALL(counters) .at = (counters)
#define OUT(field) .where = offsetof(struct output_metrics, field)

static const struct own table[] = {
	{ { FAMILY_INFO, "towline_build_info", "version", "What this towline is; always 1." },
	    .write = write_build },
	{ { FAMILY_COUNTER, "towline_read_bytes_total", "", "Bytes read from log files." },
	    write_single, OF(metrics.read_bytes) },
	{ { FAMILY_COUNTER, "towline_nul_bytes_total", "",
	      "NULs before a line, skipped: of a writer that went on at its old offset in a truncated file, or of a power cut." },
	    write_single, OF(metrics.nul_bytes) },
	{ { FAMILY_COUNTER, "towline_utf16_errors_total", "",
	      "Surrogates without the other one, and halves of characters, in lines of UTF-16: each became U+FFFD." },
	    write_single, OF(metrics_utf16_errors) },
	{ { FAMILY_COUNTER, "towline_lines_total", "",
	      "Lines read from log files, by the first of the outputs that read by themselves." },
	    write_single, OF(metrics.lines) },
	{ { FAMILY_COUNTER, "towline_records_total", "",
	      "Records made of lines: a stack trace or a partial line's parts are one." },
	    write_single, OF(metrics.records), .apart = true },
	{ { FAMILY_COUNTER, "towline_truncated_lines_total", "",
	      "Lines and records longer than Buffer_Max_Size, cut there." },
	    write_single, OF(metrics.truncated_lines) },
	{ { FAMILY_COUNTER, "towline_lost_bytes_total", "pod,reason",
	      "Bytes that were gone before they could be read: of a file deleted or truncated, or cut short by a power cut, of a deleted file let go at Held_Deleted_Limit, of a corrupt .gz." },
	    .write = write_lost },
	{ { FAMILY_COUNTER, "towline_read_errors_total", "reason",
	      "Reads of logs' files and directories that failed; all stayed as it was, and they "
	      "were tried again." },
	    write_read_errors, ALL(metrics.read_errors) },
	{ { FAMILY_COUNTER, "towline_parse_failures_total", "kind",
	      "Records of which a part could not be read; they are shipped all the same. parser: an input's Parser did not match, or an expression, of a filter, too, was given up. reshape: more fields than Filter_Memory has room for, which filters left as they were. script: a script of [FILTER] lua failed, and left the record as it was." },
	    write_failures, ALL(metrics.parse_failures), .apart = true },
	{ { FAMILY_COUNTER, "towline_regex_overruns_total", "",
	      "Texts on which an expression of the configuration was given up: too long, or too much work." },
	    write_single, OF(pattern_overruns) },
	{ { FAMILY_COUNTER, "towline_journal_entries_total", "",
	      "Entries read from systemd's journal." },
	    write_single, OF(metrics_journal.entries) },
	{ { FAMILY_COUNTER, "towline_journal_lost_entries_total", "",
	      "Entries of the journal that were deleted before they were read, or in a file that is corrupt: at most so many, as the numbers of the entries around them tell; 1 where nothing tells." },
	    write_single, OF(metrics_journal.lost) },
	{ { FAMILY_COUNTER, "towline_journal_cut_entries_total", "",
	      "Entries of the journal with more values than Buffer_Max_Size has room for, cut there." },
	    write_single, OF(metrics_journal.cut) },
	{ { FAMILY_COUNTER, "towline_journal_left_out_fields_total", "",
	      "Fields of the journal's entries beyond Max_Fields (56 at most), or under a name that journald would not take." },
	    write_single, OF(metrics_journal.fields_left_out) },
	{ { FAMILY_GAUGE, "towline_journal_unreadable_files", "",
	      "Files of the journal that are corrupt; all others are read." },
	    write_single, OF(metrics_journal.files_unreadable) },
	{ { FAMILY_GAUGE, "towline_journal_lag_entries", "",
	      "Entries of the journal that are not shipped; those that are not read yet count as many as the numbers in their file tell, whatever Systemd_Filter takes." },
	    write_single, OF(metrics_journal.lag) },
	{ { FAMILY_GAUGE, "towline_journal_lag_seconds", "",
	      "From the newest entry that is shipped to the newest in the journal, while there is something to ship." },
	    write_single, OF(metrics_journal.lag_seconds) },
	{ { FAMILY_COUNTER, "towline_unenriched_records_total", "",
	      "Records shipped without their pod's labels, as the API server did not tell of it in time." },
	    write_single, OF(metrics.unenriched) },
	{ { FAMILY_COUNTER, "towline_filtered_records_total", "",
	      "Records that a filter dropped, as the configuration or the pod's annotation says." },
	    write_single, OF(metrics_filtered) },
	{ { FAMILY_GAUGE, "towline_pod_waits", "", "Files that wait for their pod to be known." },
	    write_single, OF(metrics.pod_waits) },
	{ { FAMILY_GAUGE, "towline_kube_up", "",
	      "1: the pods of this node are known and watched; 0: they are not, or not asked for." },
	    write_single, OF(metrics_kube.up) },
	{ { FAMILY_GAUGE, "towline_kube_pods", "",
	      "Pods that are known, deleted ones whose files are not at their end among them." },
	    write_single, OF(metrics_kube.pods) },
	{ { FAMILY_COUNTER, "towline_kube_events_total", "",
	      "Changes that the watch has told of." },
	    write_single, OF(metrics_kube.events) },
	{ { FAMILY_COUNTER, "towline_kube_requests_total", "verb", "Requests to the API server." },
	    write_verbs, ALL(metrics_kube.requests) },
	{ { FAMILY_COUNTER, "towline_kube_errors_total", "reason",
	      "Requests to the API server that failed, and watches that broke." },
	    write_kube_errors, ALL(metrics_kube.errors) },
	{ { FAMILY_COUNTER, "towline_kube_cut_total", "",
	      "Annotations, labels and containers left out of a pod that was larger than 16 KiB." },
	    write_single, OF(metrics_kube.cut) },
	{ { FAMILY_COUNTER, "towline_kube_refused_pods_total", "",
	      "Changes of pods that are not kept, as Max_Pods was reached." },
	    write_single, OF(metrics_kube.refused) },
	{ { FAMILY_COUNTER, "towline_agent_polls_failed_total", "reason",
	      "Polls of agents that came to nothing: no connection; a status other than 200; an answer that is no agent's; no whole answer in time; one beyond Agent_Answer_Limit. Of several requests, the last of these." },
	    write_poll_failures, ALL(metrics_poll.failed) },
	{ { FAMILY_COUNTER, "towline_folded_records_total", "",
	      "Records counted under the label value other, as Max_Series was reached." },
	    write_single, OF(metrics.folded) },
	{ { FAMILY_COUNTER, "towline_forgotten_failures_total", "",
	      "Failures that made room for others before Failure_Memory was over, as Max_Failures was "
	      "reached; they would count as new again." },
	    write_single, OF(metrics_failures.forgotten) },
	{ { FAMILY_COUNTER, "towline_delivered_total", "output",
	      "Documents that the output has taken." },
	    write_by_output, OUT(delivered) },
	{ { FAMILY_COUNTER, "towline_retries_total", "output,reason",
	      "Requests and documents to be sent again, by what was in the way." },
	    write_by_reason, OUT(retries) },
	{ { FAMILY_COUNTER, "towline_collisions_total", "",
	      "Documents whose id the index had already, though they were never sent before." },
	    write_single, OF(metrics.collisions) },
	{ { FAMILY_COUNTER, "towline_dead_letters_total", "output,reason",
	      "Documents written to the dead-letter file, by reason." },
	    write_by_reason, OUT(dead_letters) },
	{ { FAMILY_COUNTER, "towline_lean_documents_total", "output",
	      "Documents that the server took only without log_parsed.extra." },
	    write_by_output, OUT(lean) },
	{ { FAMILY_COUNTER, "towline_stripped_documents_total", "output",
	      "Documents that the server took only without log_parsed." },
	    write_by_output, OUT(stripped) },
	{ { FAMILY_GAUGE, "towline_held_documents", "output",
	      "Documents that wait for the server's state to change." },
	    write_by_output, OUT(held) },
	{ { FAMILY_GAUGE, "towline_requests_limit", "output",
	      "Requests that may be under way at a time: Workers, or less since the server answered 429; 0 where there are none." },
	    write_by_output, OUT(requests_limit) },
	{ { FAMILY_GAUGE, "towline_output_lag_bytes", "output",
	      "Bytes on disk that this output has not got yet." },
	    write_by_output, OUT(lag_bytes) },
	{ { FAMILY_GAUGE, "towline_output_logs_apart", "output",
	      "Logs that are read for this output by itself, as it is behind another one; 0: it shares all reading." },
	    write_by_output, OUT(logs_apart) },
	{ { FAMILY_GAUGE, "towline_late_template_indices", "",
	      "Indices that exist from before our template, which cannot change them." },
	    write_single, OF(metrics.index_late) },
	{ { FAMILY_GAUGE, "towline_queue_batches", "", "Batches sealed or on their way." },
	    write_single, OF(metrics.queue_batches) },
	{ { FAMILY_GAUGE, "towline_memory_limit_bytes", "",
	      "The most memory that the configuration allows, the kernel's for it included." },
	    write_single, OF(metrics.memory_limit) },
	{ { FAMILY_GAUGE, "towline_unread_files", "reason",
	      "Files and directories that are there and not read: refused, for a link to elsewhere, say; for an error of the system's; beyond Max_Files. /readyz and towline status name them. At most 1,000, of these 500 beyond Max_Files." },
	    write_unread, ALL(metrics.unread_files) },
	{ { FAMILY_GAUGE, "towline_older_files", "",
	      "Files that a Path finds and Ignore_Older leaves out." },
	    write_single, OF(metrics.left_files[LEFT_OLDER]) },
	{ { FAMILY_COUNTER, "towline_refused_files_total", "",
	      "Times that a file was found and not followed, as Max_Files was reached." },
	    write_single, OF(metrics.left_files[LEFT_REFUSED]) },
	{ { FAMILY_COUNTER, "towline_forgotten_streams_total", "",
	      "Files that are gone and were forgotten before their time, as no more are remembered." },
	    write_single, OF(metrics.forgotten), .apart = true },
	{ { FAMILY_GAUGE, "towline_lag_bytes", "", "Bytes on disk that are not shipped yet." },
	    write_single, OF(metrics.lag_bytes) },
	{ { FAMILY_GAUGE, "towline_pod_lag_bytes", "namespace,pod",
	      "The same by pod, of pods of which bytes wait; beyond 128 pods, other." },
	    .write = write_pod_lag },
	{ { FAMILY_GAUGE, "towline_lag_seconds", "",
	      "Age of the newest record read, while bytes wait to be shipped; else 0." },
	    .write = write_lag_seconds },
	{ { FAMILY_GAUGE, "towline_state_stale_seconds", "",
	      "For how long the state could not be written; 0: it can." },
	    write_single, OF(metrics.state_stale) },
	{ { FAMILY_HISTOGRAM, "towline_delivery_seconds", "output",
	      "From a record's runtime timestamp to the server's word that it has it." },
	    .write = write_delivery },
	{ { FAMILY_COUNTER, "towline_config_reload_failed_total", "",
	      "SIGHUPs whose configuration was wrong, or did not start: the one before goes on." },
	    write_single, OF(metrics_reload_failed) },
	{ { FAMILY_GAUGE, "towline_output_unbuilt", "output",
	      "1: the configuration has this output, which is not built, and skips it (Unbuilt_Outputs): nothing goes there." },
	    .write = write_process, .process = unbuilt_write },
	{ { FAMILY_COUNTER, "process_cpu_seconds_total", "", "CPU time of towline." },
	    .write = write_process, .process = process_write_cpu },
	{ { FAMILY_GAUGE, "process_resident_memory_bytes", "",
	      "Memory of towline that is resident." },
	    .write = write_process, .process = process_write_resident },
	{ { FAMILY_GAUGE, "process_virtual_memory_bytes", "", "Address space of towline." },
	    .write = write_process, .process = process_write_virtual },
	{ { FAMILY_GAUGE, "process_open_fds", "", "Descriptors that towline has open." },
	    .write = write_process, .process = process_write_open_fds },
	{ { FAMILY_GAUGE, "process_max_fds", "", "Descriptors that it may have open." },
	    .write = write_process, .process = process_write_max_fds },
	{ { FAMILY_GAUGE, "process_start_time_seconds", "",
	      "When towline was started, in seconds since the epoch." },
	    .write = write_process, .process = process_write_start },
};

const struct family *
self_metrics_family(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i].family : NULL;
}

void
metrics_write(struct buffer *to, bool openmetrics, int64_t now)
{
	struct exposition x = { to, openmetrics, NULL };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		table[i].write(&x, &table[i], now);
}

/* ---- outputs */

struct output_metrics *
metrics_output(const char *name)
{
	struct output_metrics *m;

	for (m = atomic_load(&outputs); m != NULL; m = m->next) {
		if (strcmp(m->output, name) == 0)
			return m;
	}
	m = xcalloc(1, sizeof(*m));
	m->output = xstrdup(name);
	m->next = atomic_load(&outputs);
	while (!atomic_compare_exchange_weak(&outputs, &m->next, m))
		;
	return m;
}

const struct output_metrics *
metrics_outputs(void)
{
	return atomic_load(&outputs);
}

void
metrics_retry(struct output_metrics *m, enum reason reason, uint32_t records)
{
	metrics_add(&m->retries[reason], 1);
	metrics_add(&m->retried, records);
}

void
metrics_delivered(struct output_metrics *m, int64_t record_time, size_t bytes, int64_t now)
{
	int64_t took = now > record_time ? now - record_time : 0;

	metrics_add(&m->delivered, 1);
	metrics_add(&m->bytes, bytes);
	if (record_time <= 0)
		return;
	metrics_add(&m->delivery[exposition_bucket(
			&metrics_delivery_buckets, (double)took / (double)NS_PER_S)],
	    1);
	metrics_add(&m->delivery_sum_ns, (uint64_t)took);
}

/* ---- losses */

static struct lost_metrics *
lost_find(const char *pod, unsigned *n)
{
	struct lost_metrics *l = atomic_load(&losts);

	for (*n = 0; l != NULL && strcmp(l->pod, pod) != 0; l = l->next)
		(*n)++;
	return l;
}

void
metrics_lost(struct slice pod, enum lost why, uint64_t bytes)
{
	char clean[LABEL_MAX + 1];
	const char *name = clean;
	struct lost_metrics *l;
	unsigned n;

	clean[exposition_label_clean(pod, clean)] = '\0';
	l = lost_find(name, &n);
	if (l == NULL && n > LOST_PODS)
		l = lost_find(name = "other", &n);
	if (l == NULL) {
		l = xcalloc(1, sizeof(*l));
		l->pod = xstrdup(name);
		l->next = atomic_load(&losts);
		atomic_store(&losts, l);
	}
	metrics_add(&l->bytes[why], bytes);
}
