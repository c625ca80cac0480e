/*
 * What a reader must find in the generated logs, counted while they are
 * written, and its file: one JSON object.
 */
#ifndef BENCH_TRUTH_H
#define BENCH_TRUTH_H

#include <inttypes.h>
#include <stdio.h>

#include "words.h"

#define NAMED_ERROR "DataQualityError" /* an error_type that the log states by name */

struct truth {
	uint64_t files, seed, lines, records, bytes;
	uint64_t started, active, requests, heartbeats, traces, error_records;
	uint64_t completed[COUNT(pipelines)], failed[COUNT(pipelines)];
	uint64_t completed_eighths, failed_eighths, request_eighths; /* of a second */
	uint64_t errors[COUNT(exceptions)];                          /* by outermost class */
	uint64_t root_errors[COUNT(exceptions)]; /* by innermost class, of those with a cause */
	uint64_t errors_named, errors_unknown;   /* NAMED_ERROR, and none at all */
};

static inline void
truth_counts(
    FILE *out, const char *name, const char *const *names, const uint64_t *counts, size_t n)
{
	const char *comma = "";

	fprintf(out, "  \"%s\": {", name);
	for (size_t i = 0; i < n; i++) {
		if (counts[i] > 0) {
			fprintf(out, "%s\"%s\": %" PRIu64, comma, names[i], counts[i]);
			comma = ", ";
		}
	}
	fprintf(out, "},\n");
}

static inline void
truth_errors(FILE *out, const struct truth *t)
{
	const char *names[COUNT(exceptions) + 2];
	uint64_t counts[COUNT(exceptions) + 2];
	size_t n = COUNT(exceptions);

	for (size_t i = 0; i < n; i++) {
		names[i] = exceptions[i].class;
		counts[i] = t->errors[i];
	}
	truth_counts(out, "root_errors", names, t->root_errors, n);
	names[n] = NAMED_ERROR;
	counts[n] = t->errors_named;
	names[n + 1] = "UNKNOWN";
	counts[n + 1] = t->errors_unknown;
	truth_counts(out, "errors", names, counts, n + 2);
}

static inline void
truth_write(FILE *out, const struct truth *t)
{
	const struct {
		const char *name;
		uint64_t count;
	} numbers[] = {
		{ "files", t->files },
		{ "seed", t->seed },
		{ "lines", t->lines },
		{ "records", t->records },
		{ "bytes", t->bytes },
		{ "tasks_started", t->started },
		{ "tasks_active", t->active },
		{ "error_records", t->error_records },
		{ "traces", t->traces },
		{ "requests", t->requests },
		{ "heartbeats", t->heartbeats },
	};

	fprintf(out, "{\n");
	for (size_t i = 0; i < COUNT(numbers); i++)
		fprintf(out, "  \"%s\": %" PRIu64 ",\n", numbers[i].name, numbers[i].count);
	truth_counts(out, "completed", pipelines, t->completed, COUNT(pipelines));
	truth_counts(out, "failed", pipelines, t->failed, COUNT(pipelines));
	truth_errors(out, t);
	fprintf(out, "  \"completed_execution_time\": %.3f,\n", (double)t->completed_eighths / 8);
	fprintf(out, "  \"failed_execution_time\": %.3f,\n", (double)t->failed_eighths / 8);
	fprintf(out, "  \"request_duration\": %.3f\n}\n", (double)t->request_eighths / 8);
}

#endif
