/* Fluent Bit's JSON of counters (/api/v1/metrics), as far as towline's own say the same. */
#include "metrics.h"

static unsigned long long
load(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static unsigned long long
sum(const atomic_ullong *counters, size_t n)
{
	unsigned long long all = 0;

	for (size_t i = 0; i < n; i++)
		all += load(&counters[i]);
	return all;
}

/* A name of the configuration: what JSON would have escaped becomes _. */
static void
name_put(struct buffer *to, const char *name)
{
	for (; *name != '\0'; name++)
		buffer_printf(to, "%c",
		    (unsigned char)*name < 0x20 || *name == '"' || *name == '\\' ? '_' : *name);
}

void
metrics_json(struct buffer *to)
{
	buffer_printf(to, "{\"input\":{\"tail.0\":{\"records\":%llu,\"bytes\":%llu}},\"output\":{",
	    load(&metrics.records), load(&metrics.read_bytes));
	for (const struct output_metrics *m = metrics_outputs(); m != NULL; m = m->next) {
		unsigned long long retries = sum(m->retries, REASONS);

		buffer_put(to, SLICE("\""));
		name_put(to, m->output);
		buffer_printf(to,
		    "\":{\"proc_records\":%llu,\"retries\":%llu,\"retries_failed\":%llu,"
		    "\"dropped_records\":0,\"retried_records\":%llu}%s",
		    load(&m->delivered), retries, sum(m->dead_letters, REASONS), retries,
		    m->next != NULL ? "," : "");
	}
	buffer_put(to, SLICE("}}\n"));
}
