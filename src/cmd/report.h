/*
 * towline report: two tables, from the output that a configuration has.
 * Queries and rows are the same for each kind of output.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "conf.h"
#include "memory.h"
#include "server.h"

enum report_kind { REPORT_ERRORS, REPORT_PERFORMANCE };
enum report_by { BY_NOTHING, BY_ERROR_TYPE, BY_PIPELINE, BY_POD };

struct service;

/* The query of a table. */
struct report_query {
	enum report_kind kind;
	enum report_by by;
	const char *since;             /* as typed: 1h */
	int64_t from;                  /* wall ns: the time of the first records */
	const struct service *service; /* its globs exclude pods and containers */
	char *tasks;                   /* a JSON array of the events that complete a task */
	const char *key;               /* the key that lines are merged under; NULL: log_parsed */
};

struct report_row {
	char *group; /* the group's name; NULL: of all records */
	uint64_t count;
	/* errors */
	int64_t first, last; /* ms since the epoch */
	char *sample;        /* the first line of the newest record's log */
	/* performance, in seconds; NAN: no task has a time */
	double mean, p50, p95, p99, max;
};

struct report {
	struct report_row *rows; /* the largest count first */
	size_t n;
	uint64_t left_out; /* records of groups beyond REPORT_ROWS */
	uint64_t wordless; /* records that report_word() would not find */
	bool labelled;     /* the query has the clause of the label app */
	char *source;      /* the server or the file that answered, for the head */
};

/* The word that the reference document's query asks for in a record's log. */
static inline const char *
report_word(const struct report_query *q)
{
	return q->kind == REPORT_ERRORS ? "ERROR" : "TASK_COMPLETED";
}

/* The most groups in a table. */
#define REPORT_ROWS 1000

/* The most characters of a sample. */
#define REPORT_SAMPLE 200

/* The name of a group without one. */
#define REPORT_NONE "-"

/*
 * Where records have labels, app is one of these or begins with one (-pods),
 * or is missing, as the API server had not answered in time.
 */
#define REPORT_AGENT "matillion-agent"
#define REPORT_RUNNER "matillion-runner"

/**
 * report_es(q, output, out), report_sqlite(q, output, out):
 * Answer ${q} from the [OUTPUT] section ${output}.  Return 0, or -1 after
 * saying why.
 */
int report_es(const struct report_query *q, const struct section *output, struct report *out);
int report_sqlite(const struct report_query *q, const struct section *output, struct report *out);

/* report_table_add(out): A new row, all members zero. */
struct report_row *report_table_add(struct report *out);

/* report_table_sort(out): Sort by count, the largest first, and keep REPORT_ROWS; left_out has the records of the rest. */
void report_table_sort(struct report *out);
void report_table_free(struct report *out);

/**
 * report_table_newer(time, log, than_time, than_log):
 * True when the first of two records with one @timestamp is the sample: by
 * `time`, which has nanoseconds, then by the text, so that every output shows
 * the same sample.  Any may be NULL.
 */
bool report_table_newer(
    const char *time, const char *log, const char *than_time, const char *than_log);

/* The rank, from 1, of the ${percent}th percentile among ${n} (> 0) sorted values. */
static inline uint64_t
report_rank(uint64_t n, unsigned percent)
{
	uint64_t rank = (n * percent + 99) / 100;

	return rank == 0 ? 1 : rank;
}

/* report_table_sample(log): The first line of ${log}, cut, as the caller's string. */
char *report_table_sample(struct slice log);

/**
 * report_table_print(q, r, json, to):
 * Print ${r} as a table with the query as its head, or as a JSON array of
 * objects whose members are named as the table's columns.  Records that the
 * rows leave out, and those without the word, are counted below the table, or on
 * standard error.
 */
void report_table_print(const struct report_query *q, const struct report *r, bool json, FILE *to);

/**
 * report_word_in(text, word):
 * True when ${word} (letters, digits, _) is a token of ${text}, case aside, as
 * the standard analyzer of Elasticsearch and OpenSearch cuts it (Unicode, UAX
 * 29).
 */
bool report_word_in(struct slice text, struct slice word);

/**
 * report_agents_labelled(), report_agents_excluded(s):
 * The query clauses for agents' records: those with a label app of theirs, or
 * without any; none of Agent_Exclude_Pods and Agent_Exclude_Containers.
 */
struct json_t *report_agents_labelled(void);
struct json_t *report_agents_excluded(const struct service *s);

/**
 * report_key_of(conf), report_key_put(text, from, to):
 * The last Merge_Log_Key of ${conf}; NULL: log_parsed.  The ${text} of a query with each
 * ${from} replaced, as the caller's string.
 */
const char *report_key_of(const struct conf *conf);
char *report_key_put(const char *text, const char *from, const char *to);

/**
 * report_path(output):
 * The path of a search in the indices that ${output} writes, as the caller's
 * string: a date in their name becomes a star.
 */
char *report_path(const struct section *output);

#endif
