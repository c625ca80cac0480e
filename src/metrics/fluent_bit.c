/*
 * Counters under the names that Fluent Bit gives them, for dashboards and alerts that are there:
 * as text beside towline's own, and as the JSON of /api/v1/metrics.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "exposition.h"
#include "metrics.h"
#include "process.h"

/* All inputs, the newest first; none is ever removed. */
static _Atomic(struct input_metrics *) inputs;

struct input_metrics *
metrics_input(const char *name)
{
	struct input_metrics *m;

	for (m = atomic_load(&inputs); m != NULL; m = m->next) {
		if (strcmp(m->input, name) == 0)
			return m;
	}
	m = xcalloc(1, sizeof(*m));
	m->input = xstrdup(name);
	m->next = atomic_load(&inputs);
	atomic_store(&inputs, m);
	return m;
}

/* ---- the numbers of a plugin */

/* A number: the sum of counters that lie in a plugin's. */
struct theirs {
	struct family family;
	const char *key; /* in JSON */
	size_t at, n;    /* where they begin, how many they are */
	size_t but;      /* one of them that is left out; NONE: none is */
};

#define NONE SIZE_MAX

static uint64_t
number_of(const struct theirs *t, const void *plugin)
{
	const atomic_ullong *counters = (const void *)((const char *)plugin + t->at);
	uint64_t all = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (i != t->but)
			all += atomic_load_explicit(&counters[i], memory_order_relaxed);
	}
	return all;
}

#define COUNTER(name, help)                                                                        \
	{                                                                                          \
		FAMILY_COUNTER, "fluentbit_" name "_total", "name", help                           \
	}

#define INPUT(member) offsetof(struct input_metrics, member), 1, NONE
#define OUTPUT(member) offsetof(struct output_metrics, member), 1, NONE
#define REASONS_OF(member) offsetof(struct output_metrics, member), REASONS

static const struct theirs of_inputs[] = {
	{ COUNTER("input_records", "Records made of the input."), "records", INPUT(records) },
	{ COUNTER("input_bytes", "Bytes of their texts, or of their fields' values."), "bytes",
	    INPUT(bytes) },
};

static const struct theirs of_outputs[] = {
	{ COUNTER("output_proc_records", "Documents that the output has taken."), "proc_records",
	    OUTPUT(delivered) },
	{ COUNTER("output_proc_bytes", "Bytes of these documents."), "proc_bytes", OUTPUT(bytes) },
	{ COUNTER("output_errors", "Documents that the server refuses for good."), "errors",
	    REASONS_OF(dead_letters), REASON_GIVEN_UP },
	{ COUNTER("output_retries", "Requests and documents to be sent again."), "retries",
	    REASONS_OF(retries), NONE },
	{ COUNTER("output_retries_failed", "Documents that a Retry_Limit gave up."),
	    "retries_failed", OUTPUT(dead_letters[REASON_GIVEN_UP]) },
	{ COUNTER("output_dropped_records", "Documents written to the dead letters."),
	    "dropped_records", REASONS_OF(dead_letters), NONE },
	{ COUNTER("output_retried_records", "Documents to be sent again, each time."),
	    "retried_records", OUTPUT(retried) },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Gauges where Fluent Bit has a counter: OpenMetrics wants _total of those. */
static const struct family of_process[] = {
	{ FAMILY_GAUGE, "fluentbit_uptime", "hostname", "Seconds since the process began." },
	{ FAMILY_GAUGE, "fluentbit_process_start_time_seconds", "hostname",
	    "When it began, in seconds since the epoch." },
};

const struct family *
fluent_bit_family(size_t i)
{
	if (i < COUNT(of_inputs))
		return &of_inputs[i].family;
	i -= COUNT(of_inputs);
	if (i < COUNT(of_outputs))
		return &of_outputs[i].family;
	i -= COUNT(of_outputs);
	return i < COUNT(of_process) ? &of_process[i] : NULL;
}

/* ---- text */

static void
sample_put(struct exposition *x, const struct theirs *t, const char *name, const void *counters)
{
	char clean[LABEL_MAX];
	struct buffer labels;

	buffer_init(&labels, 0);
	exposition_label(&labels, "name",
	    (struct slice){ clean, exposition_label_clean(slice_of(name), clean) });
	exposition_count(x, &t->family, buffer_slice(&labels), number_of(t, counters));
	exposition_created(x, &t->family, buffer_slice(&labels), process_began());
	buffer_fini(&labels);
}

static void
process_put(struct exposition *x, int64_t now)
{
	char host[256] = "", clean[LABEL_MAX];
	struct buffer labels;
	int64_t since = process_began() / NS_PER_S;

	(void)gethostname(host, sizeof(host) - 1);
	buffer_init(&labels, 0);
	exposition_label(&labels, "hostname",
	    (struct slice){ clean, exposition_label_clean(slice_of(host), clean) });
	exposition_value(
	    x, &of_process[0], buffer_slice(&labels), (double)(now / NS_PER_S - since));
	exposition_value(x, &of_process[1], buffer_slice(&labels), (double)since);
	buffer_fini(&labels);
}

void
metrics_fluent_bit(struct buffer *to, bool openmetrics, int64_t now)
{
	struct exposition x = { to, openmetrics, NULL };

	for (size_t i = 0; i < COUNT(of_inputs); i++) {
		for (const struct input_metrics *m = atomic_load(&inputs); m != NULL; m = m->next)
			sample_put(&x, &of_inputs[i], m->input, m);
	}
	for (size_t i = 0; i < COUNT(of_outputs); i++) {
		for (const struct output_metrics *m = metrics_outputs(); m != NULL; m = m->next)
			sample_put(&x, &of_outputs[i], m->output, m);
	}
	process_put(&x, now);
}

/* ---- JSON */

/* ,"NAME":{"KEY":N,…}; of a name of the configuration, what JSON would have escaped becomes _. */
static void
object_put(
    struct buffer *to, const struct theirs *table, size_t n, const char *name, const void *counters)
{
	buffer_put(to, to->at[to->len - 1] == '{' ? SLICE("\"") : SLICE(",\""));
	for (; *name != '\0'; name++)
		buffer_printf(to, "%c",
		    (unsigned char)*name < 0x20 || *name == '"' || *name == '\\' ? '_' : *name);
	buffer_put(to, SLICE("\":{"));
	for (size_t i = 0; i < n; i++)
		buffer_printf(to, "%s\"%s\":%llu", i > 0 ? "," : "", table[i].key,
		    (unsigned long long)number_of(&table[i], counters));
	buffer_put(to, SLICE("}"));
}

void
metrics_json(struct buffer *to)
{
	buffer_put(to, SLICE("{\"input\":{"));
	for (const struct input_metrics *m = atomic_load(&inputs); m != NULL; m = m->next)
		object_put(to, of_inputs, COUNT(of_inputs), m->input, m);
	buffer_put(to, SLICE("},\"output\":{"));
	for (const struct output_metrics *m = metrics_outputs(); m != NULL; m = m->next)
		object_put(to, of_outputs, COUNT(of_outputs), m->output, m);
	buffer_put(to, SLICE("}}\n"));
}
