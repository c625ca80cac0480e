/*
 * Documents: their bytes, their ids, what becomes of those that are too large.
 */
#include "unit.h"

#include <jansson.h>

#include "agent.h"
#include "batch.h"
#include "pod.h"
#include "stream.h"

#define TIME 1795334400002176064 /* 2026-11-22T08:00:00.002176064Z */

static struct stream stream;
static struct record_id id;
static struct pod pod = { .json = SLICE("{\"pod_name\":\"p\"") };

static struct record
record_of(struct slice log)
{
	id = (struct record_id){ .offset = 0x01020304050607, .hash = 0xdeadbeef, .hour = 0x07a120 };
	return (struct record){ .time = TIME,
		.time_text = SLICE("2026-11-22T08:00:00.002176064Z"),
		.has_log = true,
		.log = log,
		.place = { &stream, &id, false } };
}

static struct slice
body_of(const struct document_rules *rules, const struct record *r, struct batch *b)
{
	assert_true(batch_put(b, rules, r));
	return buffer_slice(&b->body);
}

static void
test_the_document(void **state)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 65536);
	struct record r = record_of(SLICE("a \"b\"\n\xff"));
	struct agent_line line = { .level = LEVEL_ERROR, .event_name = SLICE("TASK_FAILED") };
	const struct item *item = b->items;

	(void)state;
	line.execution_time = (struct measure){ true, 12.5, SLICE("12.5") };
	line.task_id.value = SLICE("t\\n");
	line.task_id.kind = VALUE_ESCAPED;
	line.error.type.value = SLICE("E");
	line.error.fingerprint = 0x0123456789abcdef;
	line.extra[0] = (struct field){ SLICE("k\"y"), SLICE("[1, 2]"), VALUE_JSON, false };
	line.nextra = 1;
	r.parsed = &line;
	r.pod = &pod;
	r.fields[0] = (struct field){ SLICE("code"), SLICE("7"), VALUE_JSON, false };
	r.nfields = 1;
	assert_slice(body_of(&rules, &r, b),
	    "{\"create\":{\"_id\":\"B6EgAAAAAAAAAAAAAAAAAAAAAAECAwQFBgferb7v\"}}\n"
	    "{\"@timestamp\":\"2026-11-22T08:00:00.002176064Z\","
	    "\"time\":\"2026-11-22T08:00:00.002176064Z\",\"stream\":\"stdout\",\"logtag\":\"F\","
	    "\"log\":\"a \\\"b\\\"\\n\xef\xbf\xbd\",\"code\":7,\"kubernetes\":{\"pod_name\":\"p\"},"
	    "\"log_parsed\":{\"level\":\"ERROR\",\"event\":\"TASK_FAILED\",\"task_id\":\"t\\n\","
	    "\"execution_time\":12.5,\"error_type\":\"E\",\"error_fingerprint\":\"1:0123456789abcdef\","
	    "\"extra\":{\"k\\\"y\":[1,2]}}}\n");
	assert_int_equal(b->nitems, 1);
	assert_memory_equal(b->body.at + item->core, ",\"code\"", 7);
	assert_memory_equal(b->body.at + item->plain, ",\"log_parsed\"", 13);
	assert_memory_equal(b->body.at + item->end - 1, "}\n", 2);
	assert_int_equal(item->time, TIME);
	batch_free(b);
}

static void
test_what_is_not_there_is_not_written(void **state)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 65536);
	struct record r = record_of(SLICE("x"));
	struct agent_line nothing = { .level = LEVEL_NONE };

	(void)state;
	r.time_text.len = 0;
	r.parsed = &nothing;
	r.truncated = true;
	rules.time_digits = 3;
	rules.tag_key = SLICE("tag");
	r.tag = SLICE("t.a");
	r.side = SIDE_STDERR;
	assert_slice(body_of(&rules, &r, b),
	    "{\"create\":{\"_id\":\"B6EgAAAAAAAAAAAAAAAAAAAAAAECAwQFBgferb7v\"}}\n"
	    "{\"@timestamp\":\"2026-11-22T08:00:00.002Z\",\"log\":\"x\",\"log_truncated\":true,"
	    "\"tag\":\"t.a\"}\n");
	assert_int_equal(b->items[0].plain, b->items[0].end - 1);
	batch_free(b);
}

static void
test_a_runtimes_time_that_a_server_refuses_is_written_anew(void **state)
{
	static const struct slice refused[] = { SLICE("2026-11-22T08:00:60.002176064Z"),
		SLICE("2026-11-22T08:00:00.002176064+23:59"), SLICE("2026-11-22T08:00:00+0000"),
		SLICE("2026-11-22 08:00:00Z") };
	struct document_rules rules = document_rules_default();

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct batch *b = batch_new(65536, 65536);
		struct record r = record_of(SLICE("x"));

		r.time_text = refused[i];
		rules.time_digits = 3;
		assert_slice(body_of(&rules, &r, b),
		    "{\"create\":{\"_id\":\"B6EgAAAAAAAAAAAAAAAAAAAAAAECAwQFBgferb7v\"}}\n"
		    "{\"@timestamp\":\"2026-11-22T08:00:00.002Z\","
		    "\"time\":\"2026-11-22T08:00:00.002176064Z\",\"stream\":\"stdout\","
		    "\"logtag\":\"F\",\"log\":\"x\"}\n");
		batch_free(b);
	}
}

/* What the grammar finds for the metrics stands under extra as the line has it, and once. */
static const struct {
	const char *line, *parsed;
} once[] = {
	{ "INFO request completed duration_ms=1500 open_sessions=3 active_tasks=2",
	    "{\"event\":\"REQUEST_COMPLETED\",\"extra\":{\"active_tasks\":2,\"duration_ms\":1500,\"open_sessions\":3},"
	    "\"level\":\"INFO\"}" },
	{ "INFO sessions open=3 active_requests=1 active_requests=2",
	    "{\"extra\":{\"active_requests\":1,\"sessions open\":3},\"level\":\"INFO\"}" },
	{ "INFO started version=1.2 commit=abc build_timestamp=2026 node=n",
	    "{\"extra\":{\"build_timestamp\":2026,\"commit\":\"abc\",\"node\":\"n\","
	    "\"version\":1.2},\"level\":\"INFO\"}" },
	{ "{\"level\":\"INFO\",\"version\":\"1\",\"commit\":\"c\",\"vers\\u0069on\":\"2\","
	  "\"open_sessions\":1,\"open_sessions\":4,\"level\":\"WARN\"}",
	    "{\"extra\":{\"commit\":\"c\",\"open_sessions\":4,\"version\":\"2\"},"
	    "\"level\":\"WARN\"}" },
	{ "ERROR TASK_FAILED task_id=1 task_id=2 error_type=T level=x event=y extra=z",
	    "{\"error_message\":\"TASK_FAILED task_id=1 task_id=2 error_type=T level=x event=y "
	    "extra=z\",\"error_type\":\"T\",\"event\":\"y\",\"extra\":{\"extra\":\"z\","
	    "\"level\":\"x\"},\"level\":\"ERROR\",\"task_id\":\"1\"}" },
};

static void
test_log_parsed_has_no_field_twice(void **state)
{
	struct document_rules rules = document_rules_default();
	struct agent_words *words = agent_words_new();
	struct agent_line line;
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < COUNT(once); i++) {
		struct batch *b = batch_new(65536, 65536);
		struct record r = record_of(slice_of(once[i].line));
		json_error_t error;
		json_t *document, *parsed;
		char *text;

		agent_parse(words, r.log, &arena, &line);
		r.parsed = &line;
		body_of(&rules, &r, b);
		document = json_loadb(b->body.at + b->items[0].document,
		    b->items[0].end - b->items[0].document, JSON_REJECT_DUPLICATES, &error);
		assert_non_null(document);
		parsed = json_object_get(document, "log_parsed");
		json_object_del(parsed, "error_fingerprint");
		text = json_dumps(parsed, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(text, once[i].parsed);
		free(text);
		json_decref(document);
		batch_free(b);
	}
	arena_fini(&arena);
	agent_words_free(words);
}

/* Each would cost a document its log_parsed, or be refused, as it stands; n times `unit` between. */
static const struct {
	const char *before, *unit;
	size_t n;
	const char *after, *extra; /* NULL: it is only asked whether it is there */
} hostile[] = {
	{ "\"message\":\"", "z", 40000, "\"", NULL },
	{ "\"a\":\"", "\\u00e9", 9000, "\"", NULL },
	{ "\"a\":{\"b\":[\"", "z", 40000, "\"]}", NULL },
	{ "\"", "k", 33000, "\":1", NULL },
	{ "\"a\":{\"", "k", 33000, "\":1}", NULL },
	{ "\"a\":", "9", 1001, "", NULL },
	{ "\"a\":[{\"b\":", "9", 1001, "}]", NULL },
	{ "\"a\":{", "\"b\":1,", 600, "\"b\":2}", NULL },
	{ "\"h\":{\"message\":\"one\",\"message\":\"two\"}", "", 0, "",
	    "{\"h\":{\"message\":\"two\"}}" },
	{ "\"h\":{\"c\\u0000d\":2}", "", 0, "", "{\"h\":{\"c?d\":2}}" },
	{ "\"h\":[{\"x\":1,\"x\":2}]", "", 0, "", "{\"h\":[{\"x\":2}]}" },
	{ "\"h\":{\"\":1}", "", 0, "", "{\"h\":{\"_\":1}}" },
};

static void
hostile_check(const json_t *value, unsigned depth)
{
	const char *name;
	json_t *member;

	assert_true(depth < 18);
	if (json_is_string(value))
		assert_true(json_string_length(value) <= 8191);
	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++)
			hostile_check(json_array_get(value, i), depth + 1);
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		assert_in_range(strlen(name), 1, 128);
		hostile_check(member, depth + 1);
	}
}

static void
test_no_member_of_extra_is_more_than_a_server_takes(void **state)
{
	struct document_rules rules = document_rules_default();
	struct agent_words *words = agent_words_new();
	struct agent_line line;
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < COUNT(hostile); i++) {
		struct batch *b = batch_new(65536, 1u << 20);
		struct buffer text;
		struct record r;
		json_t *document, *parsed;
		char *extra;

		buffer_init(&text, 0);
		buffer_printf(&text, "{\"level\":\"ERROR\",%s", hostile[i].before);
		for (size_t n = 0; n < hostile[i].n; n++)
			buffer_put(&text, slice_of(hostile[i].unit));
		buffer_printf(&text, "%s,\"last\":[]}", hostile[i].after);
		r = record_of(buffer_slice(&text));
		agent_parse(words, r.log, &arena, &line);
		r.parsed = &line;
		body_of(&rules, &r, b);
		document = json_loadb(b->body.at + b->items[0].document,
		    b->items[0].end - b->items[0].document, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(document);
		parsed = json_object_get(document, "log_parsed");
		assert_string_equal(json_string_value(json_object_get(parsed, "level")), "ERROR");
		parsed = json_object_get(parsed, "extra");
		hostile_check(parsed, 0);
		assert_int_equal(json_object_size(parsed), 2);
		assert_int_equal(json_object_del(parsed, "last"), 0);
		extra = json_dumps(parsed, JSON_COMPACT);
		if (hostile[i].extra != NULL)
			assert_string_equal(extra, hostile[i].extra);
		free(extra);
		json_decref(document);
		buffer_fini(&text);
		batch_free(b);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	agent_words_free(words);
}

/* ---- names that the document has of its own */

enum { PLAIN_FILE, FROM_RUNTIME, FROM_POD, CUT_SHORT };

#define ROOT "" /* the field stands at the root */

static const struct {
	int from;
	const char *name, *value;
	enum value_kind kind;
	const char *aside; /* its name under log_parsed.extra; ROOT */
} own[] = {
	{ PLAIN_FILE, "time", "2026-11-22T08:00:00.5Z", VALUE_TEXT, ROOT },
	{ PLAIN_FILE, "time", "2026-11-22T08:00:00+17:59", VALUE_ESCAPED, ROOT },
	{ PLAIN_FILE, "time", "1795334400002", VALUE_JSON, ROOT },
	{ PLAIN_FILE, "time", "null", VALUE_JSON, ROOT },
	{ PLAIN_FILE, "time", "garbage", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "2026-11-22 08:00:00Z", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "2026-11-22T08:00:00+0000", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "2026-11-22T08:00:00+18:30", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "2026-11-22T08:00:60Z", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "2026-11-22T08:00:00Z!", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "time", "99999999999999", VALUE_JSON, "time" },
	{ PLAIN_FILE, "time", "-1", VALUE_JSON, "time" },
	{ PLAIN_FILE, "time", "{}", VALUE_JSON, "time" },
	{ FROM_RUNTIME, "time", "2026-11-22T08:00:00Z", VALUE_TEXT, "time" },
	{ PLAIN_FILE, "stream", "orders", VALUE_TEXT, ROOT },
	{ PLAIN_FILE, "stream", "3", VALUE_JSON, ROOT },
	{ PLAIN_FILE, "stream", "{\"a\":1}", VALUE_JSON, "stream" },
	{ FROM_RUNTIME, "stream", "orders", VALUE_TEXT, "stream" },
	{ PLAIN_FILE, "logtag", "x", VALUE_TEXT, ROOT },
	{ FROM_RUNTIME, "logtag", "x", VALUE_TEXT, "logtag" },
	{ PLAIN_FILE, "kubernetes", "{\"a\":1}", VALUE_JSON, ROOT },
	{ FROM_RUNTIME, "kubernetes", "{\"a\":1}", VALUE_JSON, ROOT },
	{ PLAIN_FILE, "kubernetes", "1", VALUE_JSON, "kubernetes" },
	{ PLAIN_FILE, "kubernetes", "{}", VALUE_TEXT, "kubernetes" },
	{ FROM_POD, "kubernetes", "{\"a\":1}", VALUE_JSON, "kubernetes" },
	{ FROM_POD, "kubernetes_namespace", "{\"a\":1}", VALUE_JSON, ROOT },
	{ PLAIN_FILE, "log_truncated", "true", VALUE_JSON, ROOT },
	{ PLAIN_FILE, "log_truncated", "3", VALUE_JSON, "log_truncated" },
	{ CUT_SHORT, "log_truncated", "false", VALUE_JSON, "log_truncated" },
	{ PLAIN_FILE, "log_parsed", "{\"level\":{}}", VALUE_JSON, "log_parsed" },
	{ PLAIN_FILE, "log_parsed_dropped", "true", VALUE_JSON, "log_parsed_dropped" },
	{ PLAIN_FILE, "@timestamp", "x", VALUE_TEXT, "@timestamp" },
	{ PLAIN_FILE, "the_tag", "x", VALUE_TEXT, "the_tag" },
	{ PLAIN_FILE, "log.level", "INFO", VALUE_TEXT, "log.level" },
	{ PLAIN_FILE, "log_level", "INFO", VALUE_TEXT, ROOT },
	{ PLAIN_FILE, "kubernetes.a", "x", VALUE_TEXT, ROOT },
	{ PLAIN_FILE, "a..b", "x", VALUE_TEXT, "a..b" },
	{ PLAIN_FILE, ".", "x", VALUE_TEXT, "." },
	{ PLAIN_FILE, " ", "x", VALUE_TEXT, " " },
	{ PLAIN_FILE, "_id", "x", VALUE_TEXT, "_id" },
	{ FROM_RUNTIME, "_id.x", "1", VALUE_JSON, "_id.x" },
	{ PLAIN_FILE, "_doc_count", "1", VALUE_JSON, "_doc_count" },
	{ PLAIN_FILE, "_ident", "x", VALUE_TEXT, ROOT },
	{ PLAIN_FILE, "a. ", "x", VALUE_TEXT, "a. " },
	{ PLAIN_FILE, "a b.c", "x", VALUE_TEXT, ROOT },
	/* where the grammar has one of that name: once when it is the same */
	{ FROM_RUNTIME, "time", "the line's", VALUE_TEXT, "time" },
	{ FROM_RUNTIME, "time", "another", VALUE_TEXT, "_time" },
};

static void
test_no_field_of_a_parser_is_lost_or_twice(void **state)
{
	struct document_rules rules = document_rules_default();
	struct agent_line line = { .nextra = 1,
		.extra = { { .name = SLICE("time"), .value = SLICE("the line's") } } };

	(void)state;
	rules.tag_key = SLICE("the_tag");
	for (size_t i = 0; i < COUNT(own); i++) {
		struct batch *b = batch_new(65536, 65536);
		struct record r = record_of(SLICE("x"));
		json_t *document, *want, *extra;

		if (own[i].from != FROM_RUNTIME)
			r.time_text.len = 0;
		if (own[i].from == FROM_POD)
			r.pod = &pod;
		r.truncated = own[i].from == CUT_SHORT;
		if (i >= COUNT(own) - 2)
			r.parsed = &line;
		r.fields[0] = (struct field){ slice_of(own[i].name), slice_of(own[i].value),
			own[i].kind, false };
		r.fields[1] = (struct field){ SLICE("other"), SLICE("o"), VALUE_TEXT, false };
		r.nfields = 2;
		body_of(&rules, &r, b);
		document = json_loadb(b->body.at + b->items[0].document,
		    b->items[0].end - b->items[0].document, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(document);
		want = own[i].kind == VALUE_JSON ? json_loads(own[i].value, JSON_DECODE_ANY, NULL)
						 : json_string(own[i].value);
		assert_string_equal(json_string_value(json_object_get(document, "other")), "o");
		extra = json_object_get(json_object_get(document, "log_parsed"), "extra");
		if (*own[i].aside == '\0') {
			assert_true(json_equal(json_object_get(document, own[i].name), want));
			assert_null(extra);
		} else {
			assert_true(json_equal(json_object_get(extra, own[i].aside), want));
			assert_false(json_equal(json_object_get(document, own[i].name), want));
		}
		json_decref(want);
		json_decref(document);
		batch_free(b);
	}
}

/* ---- a Merge_Log_Key of the configuration's: as the object under it reads, names sorted */

static const struct {
	const char *line, *merged;
} merged[] = {
	{ "{\"level\":\"ERROR\",\"msg\":\"m\",\"n\":{\"extra\":[1,2.50]},\"extra\":1}",
	    "{\"error_message\":\"m\",\"error_type\":\"UNKNOWN\",\"extra\":1,\"level\":\"ERROR\",\"msg\":\"m\","
	    "\"n\":{\"extra\":[1,2.5]}}" },
	{ " { \"level\" : \"warning\" , \"execution_time\" : \"12.5s\" , \"a\" : null } ",
	    "{\"a\":null,\"execution_time\":\"12.5s\","
	    "\"level\":\"warning\"}" },
	{ "{\"l\\u0065vel\":{\"a\":1},\"a\":1,\"a\":{\"b\":1,\"b\":2}}",
	    "{\"a\":{\"b\":2},\"level\":{\"a\":1}}" },
	{ "INFO started version=1.2 node=n level=x",
	    "{\"level\":\"INFO\",\"node\":\"n\",\"version\":1.2}" },
	{ "{\"a\":1} and text", NULL },
	{ "{}", NULL },
	{ "plain", NULL },
};

static json_t *
merged_of(const char *line, const struct agent_words *words, struct arena *arena)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 1u << 20);
	struct record r = record_of(slice_of(line));
	struct agent_line parsed;
	json_t *document, *found;

	rules.parsed_key = SLICE("log_processed");
	rules.merged = true;
	agent_parse(words, r.log, arena, &parsed);
	r.parsed = &parsed;
	r.fields[0] = (struct field){ SLICE("stream"), SLICE("orders"), VALUE_TEXT, false };
	r.nfields = 1;
	body_of(&rules, &r, b);
	document = json_loadb(b->body.at + b->items[0].document,
	    b->items[0].end - b->items[0].document, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(document);
	assert_null(json_object_get(document, "log_parsed"));
	found = json_incref(json_object_get(document, "log_processed"));
	assert_string_equal(json_string_value(json_object_get(found, "stream")), "orders");
	json_object_del(found, "stream");
	json_object_del(found, "error_fingerprint");
	json_decref(document);
	batch_free(b);
	return found;
}

static void
test_a_line_is_merged_as_fluent_bit_merges_it(void **state)
{
	struct agent_words *words = agent_words_new();
	static char large[20000];
	struct arena arena;
	json_t *found;
	char *text;
	size_t n;

	(void)state;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < COUNT(merged); i++) {
		found = merged_of(merged[i].line, words, &arena);
		text = json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(text, merged[i].merged != NULL ? merged[i].merged : "{}");
		free(text);
		json_decref(found);
	}
	n = (size_t)snprintf(large, sizeof(large), "{\"level\":\"WARN\"");
	for (int i = 0; i < 600; i++)
		n += (size_t)snprintf(large + n, sizeof(large) - n, ",\"%d\":%d", i, i);
	snprintf(large + n, sizeof(large) - n, "}");
	found = merged_of(large, words, &arena);
	assert_int_equal(json_object_size(found), 1);
	assert_string_equal(json_string_value(json_object_get(found, "level")), "WARN");
	json_decref(found);
	arena_fini(&arena);
	agent_words_free(words);
}

static size_t
index_by_side(const void *conf, const struct record *r, char *to)
{
	(void)conf;
	memcpy(to, r->side == SIDE_STDERR ? "err" : "out", 3);
	return 3;
}

static void
test_the_index_may_stand_in_the_action(void **state)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 65536);
	struct record r = record_of(SLICE(""));
	static const char want[] = "{\"index\":{\"_index\":\"err\",\"_id\":\"";

	(void)state;
	rules.index_fixed = SLICE("");
	rules.index = index_by_side;
	rules.operation = SLICE("index");
	r.side = SIDE_STDERR;
	body_of(&rules, &r, b);
	assert_memory_equal(b->body.at, want, sizeof(want) - 1);
	batch_free(b);
}

static const struct {
	int64_t ns;
	const char *text;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000000Z" },
	{ -1, "1969-12-31T23:59:59.999999999Z" },
	{ INT64_C(1795334399999999999), "2026-11-22T07:59:59.999999999Z" },
	{ INT64_C(1795334400000000000), "2026-11-22T08:00:00.000000000Z" },
	{ INT64_C(1795334400000000001), "2026-11-22T08:00:00.000000001Z" },
};

static void
test_times(void **state)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 65536);

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct record r = record_of(SLICE(""));

		r.time = times[i].ns;
		assert_true(batch_put(b, &rules, &r));
		assert_memory_equal(b->body.at + b->items[i].document + 15, times[i].text, 30);
	}
	batch_free(b);
}

/* Of 3 bytes, 16, 7 and 4, the highest first, as base64 has them in names of files. */
static void
test_an_id_is_its_bytes(void **state)
{
	struct record r = record_of(SLICE(""));
	char to[DOCUMENT_ID];

	(void)state;
	id.hour = 0x010203;
	for (unsigned i = 0; i < 16; i++)
		id.content.at[i] = (unsigned char)(0xf0 + i);
	id.offset = 0x04fbfeaabbccdd;
	id.hash = 0xdeadbeef;
	document_id(&r.place, to);
	assert_memory_equal(to, "AQID8PHy8_T19vf4-fr7_P3-_wT7_qq7zN3erb7v", DOCUMENT_ID);
}

static void
test_ids_are_of_their_alphabet(void **state)
{
	struct record r = record_of(SLICE(""));
	char low[DOCUMENT_ID], high[DOCUMENT_ID];

	(void)state;
	id.hash = UINT32_MAX;
	id.offset = 255;
	document_id(&r.place, low);
	id.hash = 0;
	id.offset = 256;
	document_id(&r.place, high);
	assert_memory_not_equal(low, high, DOCUMENT_ID);
	for (size_t i = 0; i < DOCUMENT_ID; i++)
		assert_true(low[i] == '-' || low[i] == '_' || (low[i] >= '0' && low[i] <= '9') ||
			    (low[i] >= 'A' && low[i] <= 'Z') || (low[i] >= 'a' && low[i] <= 'z'));
}

static void
test_a_full_batch_takes_no_more(void **state)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 65536);
	struct record r = record_of(SLICE("0123456789"));
	unsigned n = 0;
	size_t len;

	(void)state;
	while (batch_put(b, &rules, &r))
		n++;
	len = b->body.len;
	assert_false(batch_put(b, &rules, &r));
	assert_int_equal(b->body.len, len);
	assert_int_equal(b->nitems, n);
	assert_true(n > 65536 / 300);
	batch_clear(b, 2, 65536);
	assert_int_equal(b->nitems, 0);
	assert_true(batch_put(b, &rules, &r));
	batch_free(b);
}

/* Every line of the body is JSON, and the lines are as many as they should be. */
static json_t *
document_read(const struct batch *b)
{
	const struct item *item = &b->items[0];
	json_t *doc = json_loadb(b->body.at + item->document, item->end - item->document, 0, NULL);

	assert_int_equal(b->nitems, 1);
	assert_non_null(doc);
	assert_null(memchr(b->body.at + item->document, '\n', item->end - item->document));
	return doc;
}

static void
test_an_empty_batch_takes_any_record(void **state)
{
	struct document_rules rules = document_rules_default();
	struct agent_line line = { .level = LEVEL_INFO };
	size_t size = 400000;
	char *text = malloc(size);

	(void)state;
	memset(text, '\x01', size); /* six bytes each */
	for (size_t cap = 65536; cap <= 8u << 20; cap *= 2) {
		struct batch *b = batch_new(65536, cap);
		struct record r = record_of((struct slice){ text, size });
		json_t *doc;
		size_t len;

		line.stack_trace.value = r.log;
		r.parsed = &line;
		r.fields[0] = (struct field){ SLICE("f"), r.log, VALUE_TEXT, false };
		r.nfields = 1;
		assert_true(batch_put(b, &rules, &r));
		doc = document_read(b);
		len = json_string_length(json_object_get(doc, "log"));
		assert_int_equal(len < size, json_is_true(json_object_get(doc, "log_truncated")));
		assert_true(len == size || len > cap / 6 - 2000);
		assert_int_equal(cap >= 8u << 20, json_object_get(doc, "log_parsed") != NULL);
		assert_int_equal(
		    cap < 8u << 20, json_is_true(json_object_get(doc, "log_parsed_dropped")));
		assert_true(b->body.len <= cap);
		batch_trim(b, 65536);
		batch_clear(b, 2, 65536);
		assert_int_equal(b->body.size, 65536);
		json_decref(doc);
		batch_free(b);
	}
	free(text);
}

static void
test_text_is_cut_between_characters(void **state)
{
	struct document_rules rules = document_rules_default();
	struct batch *b = batch_new(65536, 65536);
	struct record r;
	char *text = malloc(90000);
	const char *log;
	json_t *doc;

	(void)state;
	for (size_t i = 0; i < 90000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	r = record_of((struct slice){ text, 90000 });
	assert_true(batch_put(b, &rules, &r));
	doc = document_read(b);
	log = json_string_value(json_object_get(doc, "log"));
	assert_null(strstr(log, "\xef\xbf\xbd"));
	assert_int_equal(strlen(log) % 3, 0);
	json_decref(doc);

	/* Where none begins, the text is not given up for that. */
	memset(text, '\x80', 90000);
	batch_clear(b, 2, 65536);
	assert_true(batch_put(b, &rules, &r));
	doc = document_read(b);
	assert_true(strlen(json_string_value(json_object_get(doc, "log"))) > 20000);
	json_decref(doc);
	batch_free(b);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_document),
		cmocka_unit_test(test_what_is_not_there_is_not_written),
		cmocka_unit_test(test_a_runtimes_time_that_a_server_refuses_is_written_anew),
		cmocka_unit_test(test_log_parsed_has_no_field_twice),
		cmocka_unit_test(test_no_member_of_extra_is_more_than_a_server_takes),
		cmocka_unit_test(test_no_field_of_a_parser_is_lost_or_twice),
		cmocka_unit_test(test_a_line_is_merged_as_fluent_bit_merges_it),
		cmocka_unit_test(test_the_index_may_stand_in_the_action),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_an_id_is_its_bytes),
		cmocka_unit_test(test_ids_are_of_their_alphabet),
		cmocka_unit_test(test_a_full_batch_takes_no_more),
		cmocka_unit_test(test_an_empty_batch_takes_any_record),
		cmocka_unit_test(test_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
