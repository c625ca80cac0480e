/*
 * The mapping by which queries are exact: labels
 * by their leading parts, times in nanoseconds, durations double, and one flat
 * field for whatever keys a line brings, so that their number is bounded.
 *
 * Leading parts: "matillion-agent-pods" is in the index as matillion,
 * matillion-agent and itself, and what is searched for stays whole, so that
 * matillion-agent finds it and never datadog-agent.
 *
 * Annotations are kept in the document and not indexed: flat_object refuses a
 * document for a value of more than 32766 bytes, and kubectl writes longer ones.
 */
#include "es_mapping.h"

#include "json.h"
#include "ship.h"

/* Types of fields; NAME.keyword stands beside each word, as on a default mapping. */
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

#define FLATTENED "flattened"
#define FLAT_OBJECT "flat_object"

static const char *const flats[] = {
	[false] = "\"type\":\"" FLATTENED "\",\"ignore_above\":8191",
	[true] = "\"type\":\"" FLAT_OBJECT "\"",
};

#define TOKENIZER "path_hierarchy"
#define ANALYZER "towline_leading_parts"

static const char analysis[] =
    ",\"analysis\":{\"analyzer\":{\"" ANALYZER "\":{\"type\":\"custom\",\"tokenizer\":\"" ANALYZER
    "\"}},"
    "\"tokenizer\":{\"" ANALYZER "\":{\"type\":\"" TOKENIZER "\",\"delimiter\":\"-\"}}}";

static const char leading_parts[] =
    "\"type\":\"text\",\"analyzer\":\"" ANALYZER "\",\"search_analyzer\":\"keyword\","
    "\"fields\":{\"keyword\":{" KEYWORD "}}";

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
	{ "extra_dropped", BOOLEAN },
};

static void
put_text(struct buffer *to, const char *text)
{
	size_t len = strlen(text);

	to->len =
	    (size_t)(json_write(buffer_need(to, JSON_WRITE_MAX(len)), slice_of(text)) - to->at);
}

static void
put_rows(struct buffer *to, const struct row *rows, size_t n, unsigned dialect)
{
	for (size_t i = 0; i < n; i++)
		buffer_printf(to, "%s\"%s\":{%s}", i > 0 ? "," : "", rows[i].name,
		    rows[i].kind == FLAT ? flats[(dialect & DIALECT_OPENSEARCH) != 0]
					 : kinds[rows[i].kind]);
}

#define PUT_ROWS(to, rows, dialect) put_rows(to, rows, sizeof(rows) / sizeof(*(rows)), dialect)

/* The server takes the first template that fits; they fit the namespace's labels and annotations, too. */
static void
put_dynamic(struct buffer *to, unsigned dialect)
{
	buffer_printf(to,
	    "{\"annotations\":{\"path_match\":\"kubernetes*annotations\","
	    "\"match_mapping_type\":\"object\","
	    "\"mapping\":{\"type\":\"object\",\"enabled\":false}}},"
	    "{\"labels\":{\"path_match\":\"kubernetes*labels.*\","
	    "\"match_mapping_type\":\"string\",\"mapping\":{%s}}},"
	    "{\"kubernetes\":{\"path_match\":\"kubernetes*.*\","
	    "\"match_mapping_type\":\"string\",\"mapping\":{%s}}}",
	    dialect & DIALECT_WHOLE_LABELS ? kinds[WORD] : leading_parts, kinds[WORD]);
}

void
es_mapping_write(struct buffer *to, const char *pattern, const char *time_key, unsigned dialect)
{
	buffer_put(to, SLICE("{"));
	if (pattern != NULL) {
		buffer_put(to, SLICE("\"index_patterns\":["));
		put_text(to, pattern);
		buffer_put(to, SLICE("],\"priority\":200,"));
	}
	buffer_printf(to,
	    "\"_meta\":{\"managed_by\":\"towline\",\"version\":%d},"
	    "\"template\":{\"settings\":{\"index.mapping.total_fields.limit\":1000%s},"
	    "\"mappings\":{\"_meta\":{\"managed_by\":\"towline\",\"version\":%d},"
	    "\"date_detection\":false,\"dynamic_templates\":[",
	    TEMPLATE_VERSION, dialect & DIALECT_WHOLE_LABELS ? "" : analysis, TEMPLATE_VERSION);
	put_dynamic(to, dialect);
	buffer_put(to, SLICE("],\"properties\":{"));
	put_text(to, time_key);
	buffer_printf(to, ":{%s},", kinds[TIME]);
	PUT_ROWS(to, root, dialect);
	buffer_put(to, SLICE(",\"log_parsed\":{\"properties\":{"));
	PUT_ROWS(to, parsed, dialect);
	buffer_put(to, SLICE("}}}}}}"));
}

void
ship_template(struct buffer *to, const char *pattern, bool opensearch)
{
	es_mapping_write(to, pattern, "@timestamp", opensearch ? DIALECT_OPENSEARCH : 0);
}

static bool
says(struct slice answer, const char *name)
{
	return answer.len > 0 && memmem(answer.at, answer.len, name, strlen(name)) != NULL;
}

/* Both products write an unknown name in brackets. */
bool
es_mapping_refused(unsigned *dialect, struct slice answer)
{
	const char *flat = *dialect & DIALECT_OPENSEARCH ? "[" FLAT_OBJECT "]" : "[" FLATTENED "]";

	if (!(*dialect & DIALECT_WHOLE_LABELS) && says(answer, "[" TOKENIZER "]")) {
		*dialect |= DIALECT_WHOLE_LABELS;
		return true;
	}
	if (!(*dialect & DIALECT_TURNED) && says(answer, flat)) {
		*dialect ^= DIALECT_OPENSEARCH;
		*dialect |= DIALECT_TURNED;
		return true;
	}
	return false;
}
