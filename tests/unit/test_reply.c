/*
 * Bulk answers: read in pieces cut anywhere, and what hostile ones come to.
 * What the verdicts are.
 */
#include "unit.h"

#include "reply.h"

struct seen {
	struct reply_item at[8];
	unsigned n;
};

static void
take(void *arg, uint32_t index, const struct reply_item *item)
{
	struct seen *seen = arg;

	assert_int_equal(index, seen->n);
	assert_true(seen->n < COUNT(seen->at));
	seen->at[seen->n++] = *item;
}

#define DONE "{\"create\":{\"status\":201}}"

static const struct {
	const char *text;
	uint32_t want;
	enum parsed end;
	const char *items; /* STATUS TYPE REASON; … */
	const char *whole;
} cases[] = {
	{ "{\"items\":[" DONE "]}", 1, PARSE_OK, "201  ;", "0  ;" },
	{ "{\"errors\":false,\"took\":3,\"items\":[" DONE "," DONE "]}", 2, PARSE_OK,
	    "201  ;201  ;", "0  ;" },
	{ " {\"took\" : 3 , \"items\" : [ " DONE " ] , \"errors\" : true }\r\n", 1, PARSE_OK,
	    "201  ;", "0  ;" },
	{ "{\"items\":[{\"create\":{\"_index\":\"i\",\"status\":400,\"error\":{\"type\":\"t\","
	  "\"reason\":\"a \\\"b\\\" \\u20ac \\ud83d\\ude00\",\"caused_by\":{\"type\":\"x\","
	  "\"reason\":\"y\"}}}}]}",
	    1, PARSE_OK, "400 t a \"b\" \xe2\x82\xac \xf0\x9f\x98\x80;", "0  ;" },
	{ "{\"items\":[{\"index\":{\"error\":{\"caused_by\":{\"type\":\"x\"},\"type\":\"t\"},"
	  "\"status\":429}}]}",
	    1, PARSE_OK, "429 t ;", "0  ;" },
	{ "{\"items\":[{\"create\":{\"status\":409,\"error\":\"text\"}}]}", 1, PARSE_OK,
	    "409  text;", "0  ;" },
	{ "{\"error\":{\"root_cause\":[{\"type\":\"r\",\"reason\":\"s\"}],\"type\":\"t\","
	  "\"reason\":\"u\"},\"status\":400}",
	    0, PARSE_OK, "", "400 t u;" },
	{ "{\"items\":[" DONE "],\"x\":[[1,-2.5e+3,true,null,{\"items\":[1]}]]}", 1, PARSE_OK,
	    "201  ;", "0  ;" },

	/* not an answer to this request */
	{ "{\"items\":[" DONE "]}", 2, PARSE_BAD, "201  ;", "0  ;" },
	{ "{\"items\":[" DONE "," DONE "]}", 1, PARSE_BAD, "201  ;", "0  ;" },
	{ "{\"items\":[" DONE "],\"items\":[" DONE "]}", 1, PARSE_BAD, "201  ;", "0  ;" },
	{ "{\"items\":[{\"create\":{}}]}", 1, PARSE_BAD, "", "0  ;" },
	{ "{\"items\":[{\"create\":{\"status\":\"201\"}}]}", 1, PARSE_BAD, "", "0  ;" },
	{ "{\"items\":[{\"create\":{\"status\":20199}}]}", 1, PARSE_BAD, "", "0  ;" },
	{ "{\"items\":[{\"create\":{\"status\":-1}}]}", 1, PARSE_BAD, "", "0  ;" },
	{ "{\"items\":[201]}", 1, PARSE_BAD, "", "0  ;" },
	{ "{\"items\":[" DONE "]", 1, PARSE_BAD, "201  ;", "0  ;" },
	{ "{\"items\":[" DONE "]}}", 1, PARSE_BAD, "201  ;", "0  ;" },
	{ "{\"items\":[" DONE "]} x", 1, PARSE_BAD, "201  ;", "0  ;" },
	{ "{\"items\":[" DONE "}}", 1, PARSE_BAD, "201  ;", "0  ;" },
	{ "[]", 1, PARSE_BAD, "", "0  ;" },
	{ "", 0, PARSE_BAD, "", "0  ;" },
	{ "<html>504</html>", 1, PARSE_BAD, "", "0  ;" },
	{ "{\"a\":tru}", 0, PARSE_BAD, "", "0  ;" },
	{ "{\"a\" 1}", 0, PARSE_BAD, "", "0  ;" },
	{ "{\"a\":1,}", 0, PARSE_BAD, "", "0  ;" },
	{ "{,}", 0, PARSE_BAD, "", "0  ;" },
	{ "{\"a\":\"\n\"}", 0, PARSE_BAD, "", "0  ;" },
	{ "{\"a\":\"\\x\"}", 0, PARSE_BAD, "", "0  ;" },
	{ "{\"a\":\"\\u12g4\"}", 0, PARSE_BAD, "", "0  ;" },
	{ "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", 0,
	    PARSE_BAD, "", "0  ;" },
};

static void
describe(const struct reply_item *item, char *to, size_t size)
{
	snprintf(to, size, "%d %s %s;", item->status, item->type, item->reason);
}

static void
check(size_t i, size_t cut, size_t step)
{
	struct slice text = exact(slice_of(cases[i].text));
	struct seen seen = { 0 };
	struct reply r;
	char got[1024] = "", one[512];

	reply_init(&r, cases[i].want, take, &seen);
	if (cut > 0)
		reply_feed(&r, (struct slice){ text.at, cut });
	for (size_t at = cut; at < text.len; at += step)
		reply_feed(&r,
		    (struct slice){ text.at + at, text.len - at < step ? text.len - at : step });
	if (reply_end(&r) != cases[i].end)
		fail_msg("%s cut at %zu: end is %d", cases[i].text, cut, reply_end(&r));
	for (unsigned n = 0; n < seen.n; n++) {
		describe(&seen.at[n], one, sizeof(one));
		strncat(got, one, sizeof(got) - strlen(got) - 1);
	}
	assert_string_equal(got, cases[i].items);
	describe(&r.whole, one, sizeof(one));
	if (cases[i].end == PARSE_OK)
		assert_string_equal(one, cases[i].whole);
	exact_free(text);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t cut = 0; cut <= strlen(cases[i].text); cut++)
			check(i, cut, SIZE_MAX / 2);
		check(i, 0, 1);
	}
}

static void
test_long_texts_are_cut_between_characters(void **state)
{
	struct seen seen = { 0 };
	struct reply r;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct slice pad = { "xxxx", shift };
		size_t len;

		seen.n = 0;
		reply_init(&r, 1, take, &seen);
		reply_feed(
		    &r, SLICE("{\"items\":[{\"create\":{\"status\":400,\"error\":{\"reason\":\""));
		reply_feed(&r, pad);
		for (unsigned i = 0; i < 100000; i++)
			reply_feed(&r, SLICE("\xe2\x82\xac"));
		assert_int_equal(reply_feed(&r, SLICE("\"}}}]}")), PARSE_OK);
		assert_int_equal(reply_end(&r), PARSE_OK);
		len = strlen(seen.at[0].reason);
		assert_true(len > REPLY_REASON - 5 && len < REPLY_REASON);
		assert_int_equal((len - shift) % 3, 0);
	}
}

static void
test_the_failure_store_is_seen(void **state)
{
	struct seen seen = { 0 };
	struct reply r;

	(void)state;
	reply_init(&r, 2, take, &seen);
	reply_feed(&r, SLICE("{\"items\":[{\"create\":{\"status\":201,\"failure_store\":\"used\"}},"
			     "{\"create\":{\"status\":201,\"failure_store\":\"not_enabled\"}}]}"));
	assert_int_equal(reply_end(&r), PARSE_OK);
	assert_true(seen.at[0].failure_store);
	assert_false(seen.at[1].failure_store);
}

static const struct {
	int status;
	const char *type;
	enum verdict want;
	const char *reason;
} verdicts[] = {
	{ 200, "", VERDICT_DONE, NULL },
	{ 201, "", VERDICT_DONE, NULL },
	{ 409, "version_conflict_engine_exception", VERDICT_CONFLICT, NULL },
	{ 429, "rejected_execution_exception", VERDICT_BUSY, NULL },
	{ 429, "es_rejected_execution_exception", VERDICT_BUSY, NULL },
	{ 429, "circuit_breaking_exception", VERDICT_BUSY, NULL },
	{ 429, "cluster_block_exception", VERDICT_HOLD, NULL },
	{ 500, "anything", VERDICT_BUSY, NULL },
	{ 503, "unavailable_shards_exception", VERDICT_HOLD, NULL },
	{ 403, "cluster_block_exception", VERDICT_HOLD, NULL },
	{ 404, "index_not_found_exception", VERDICT_HOLD, NULL },
	{ 400, "index_closed_exception", VERDICT_HOLD, NULL },
	{ 400, "validation_exception", VERDICT_HOLD, NULL },
	{ 400, "invalid_index_name_exception", VERDICT_HOLD, NULL },
	{ 400, "illegal_argument_exception", VERDICT_DOUBT, NULL },
	{ 400, "illegal_argument_exception", VERDICT_DOUBT, "pipeline with id [p] does not exist" },
	{ 400, "illegal_argument_exception", VERDICT_FAULT,
	    "Document contains at least one immense term in field=\"log_parsed.extra._value\"" },
	{ 400, "illegal_argument_exception", VERDICT_FAULT,
	    "DocValuesField \"log_parsed.extra._value\" is too large, must be <= 32766" },
	{ 403, "illegal_argument_exception", VERDICT_HOLD, "immense term" },
	{ 400, "mapper_parsing_exception", VERDICT_FAULT, NULL },
	{ 400, "document_parsing_exception", VERDICT_FAULT, NULL },
	{ 400, "strict_dynamic_mapping_exception", VERDICT_FAULT, NULL },
	{ 400, "", VERDICT_DOUBT, NULL },
	{ 302, "", VERDICT_HOLD, NULL },
	{ 999, "x", VERDICT_HOLD, NULL },
};

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct reply_item item = { .status = verdicts[i].status };

		strncpy(item.type, verdicts[i].type, sizeof(item.type) - 1);
		if (verdicts[i].reason != NULL)
			strncpy(item.reason, verdicts[i].reason, sizeof(item.reason) - 1);
		assert_int_equal(verdict_of(&item), verdicts[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_long_texts_are_cut_between_characters),
		cmocka_unit_test(test_the_failure_store_is_seen),
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
