/*
 * How an index has to be mapped for the queries to be exact (facts.md): label
 * values whole, times in nanoseconds, durations double, and one flat field for
 * whatever keys a line or a pod brings, so that their number is bounded.
 */
#include "es_mapping.h"

#include "json.h"

/* What a field is; NAME.keyword stands beside each word, as on a default mapping. */
enum kind { WORD, SENTENCE, TEXT, DOUBLE, TIME, BOOLEAN, FLAT };

/* 8191 characters are at most 32764 bytes, the longest that an index takes as one term. */
#define KEYWORD "\"type\":\"keyword\",\"ignore_above\":8191"

static const char *const kinds[] = {
	[WORD] = KEYWORD ",\"fields\":{\"keyword\":{" KEYWORD "}}",
	[SENTENCE] = "\"type\":\"text\",\"fields\":{\"keyword\":{" KEYWORD "}}",
	[TEXT] = "\"type\":\"text\",\"norms\":false",
	[DOUBLE] = "\"type\":\"double\"",
	[TIME] = "\"type\":\"date_nanos\"",
	[BOOLEAN] = "\"type\":\"boolean\"",
};

static const char *const flats[] = {
	[FLAT_ELASTICSEARCH] = "\"type\":\"flattened\",\"ignore_above\":8191",
	[FLAT_OPENSEARCH] = "\"type\":\"flat_object\"",
};

struct row {
	const char *name;
	enum kind kind;
};

static const struct row root[] = {
	{ "time", TIME },
	{ "stream", WORD },
	{ "logtag", WORD },
	{ "log", TEXT },
	{ "log_truncated", BOOLEAN },
	{ "log_parsed_dropped", BOOLEAN },
};

static const struct row kubernetes[] = {
	{ "annotations", FLAT },
};

static const struct row parsed[] = {
	{ "level", WORD },
	{ "logger", WORD },
	{ "thread", WORD },
	{ "timestamp", WORD },
	{ "event", WORD },
	{ "task_id", WORD },
	{ "pipeline", WORD },
	{ "execution_time", DOUBLE },
	{ "execution_time_raw", WORD },
	{ "error_type", WORD },
	{ "root_error_type", WORD },
	{ "error_message", SENTENCE },
	{ "error_fingerprint", WORD },
	{ "stack_trace", TEXT },
	{ "extra", FLAT },
};

static void
put_text(struct buffer *to, const char *text)
{
	size_t len = strlen(text);

	to->len =
	    (size_t)(json_write(buffer_need(to, JSON_WRITE_MAX(len)), slice_of(text)) - to->at);
}

static void
put_rows(struct buffer *to, const struct row *rows, size_t n, enum flat flat)
{
	for (size_t i = 0; i < n; i++)
		buffer_printf(to, "%s\"%s\":{%s}", i > 0 ? "," : "", rows[i].name,
		    rows[i].kind == FLAT ? flats[flat] : kinds[rows[i].kind]);
}

#define PUT_ROWS(to, rows, flat) put_rows(to, rows, sizeof(rows) / sizeof(*(rows)), flat)

void
mapping_write(struct buffer *to, const char *pattern, const char *time_key, enum flat flat)
{
	buffer_put(to, SLICE("{\"index_patterns\":["));
	put_text(to, pattern);
	buffer_printf(to,
	    "],\"priority\":200,\"_meta\":{\"managed_by\":\"towline\",\"version\":%d},"
	    "\"template\":{\"settings\":{\"index.mapping.total_fields.limit\":1000},"
	    "\"mappings\":{\"_meta\":{\"managed_by\":\"towline\",\"version\":%d},"
	    "\"date_detection\":false,\"dynamic_templates\":[{\"kubernetes\":{\"path_match\":"
	    "\"kubernetes.*\",\"match_mapping_type\":\"string\",\"mapping\":{%s}}}],"
	    "\"properties\":{",
	    TEMPLATE_VERSION, TEMPLATE_VERSION, kinds[WORD]);
	put_text(to, time_key);
	buffer_printf(to, ":{%s},", kinds[TIME]);
	PUT_ROWS(to, root, flat);
	buffer_put(to, SLICE(",\"kubernetes\":{\"properties\":{"));
	PUT_ROWS(to, kubernetes, flat);
	buffer_put(to, SLICE("}},\"log_parsed\":{\"properties\":{"));
	PUT_ROWS(to, parsed, flat);
	buffer_put(to, SLICE("}}}}}}"));
}
