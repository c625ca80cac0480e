/*
 * Several outputs for one record, and the index template before the first.
 */
#include "ship_rig.h"

#include <fcntl.h>
#include <sqlite3.h>

/* ---- several outputs */

static int64_t
rows(struct rig *r)
{
	char *path = xprintf("%s/db", r->dir);
	sqlite3 *db;
	sqlite3_stmt *statement;
	int64_t n = -1;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db,
		"SELECT count(*) FROM logs WHERE pod = 'p' AND level = 'INFO' AND time > 0", -1,
		&statement, NULL),
	    SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		n = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	free(path);
	return n;
}

static bool
held_and_stored(struct rig *r)
{
	return counters(r)->held == 10 && rows(r) == 100;
}

static void
test_a_record_is_done_when_all_outputs_have_it(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = blocks_odd } };

	(void)state;
	rig_start(&r, PLAIN, true);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 1, 100, 10, "odd");
	wait_for(&r, held_and_stored);
	assert_false(idle(&r));
	assert_int_equal(shipped(&r, 1), 0);
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 1), 100);
	assert_int_equal(map_count(r.server.stored), 100);

	/* the same again changes nothing */
	cursor_rewind(r.book, &r.streams[1].cursors[0]);
	r.put[1] = 0;
	rig_fill(&r, 1, 100, 10, "odd");
	wait_for(&r, idle);
	assert_int_equal(rows(&r), 100);
	rig_end(&r);
}

/* What is parked for one output is read again for both, and done once by each. */
static bool
parked_and_stored(struct rig *r)
{
	return cursor_parked(r->book, &r->streams[1].cursors[0]) && rows(r) == (int64_t)r->put[1];
}

static void
test_a_stream_that_one_output_parks_goes_back_for_both(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = blocks_odd } };

	(void)state;
	rig_start(&r, PLAIN " Hold_Size 64000\n", true);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 1, 600, 1, "odd");
	wait_for(&r, parked_and_stored);
	assert_int_equal(shipped(&r, 1), 0);
	assert_false(idle(&r));
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	assert_true(cursor_must_rewind(r.book, &r.streams[1].cursors[0]));
	assert_in_range(shipped(&r, 1), 1, 599);
	cursor_rewind(r.book, &r.streams[1].cursors[0]);
	r.put[1] = shipped(&r, 1);
	rig_fill(&r, 1, 600 - (unsigned)r.put[1], 1, "odd");
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 1), 600);
	assert_int_equal(map_count(r.server.stored), 600);
	assert_int_equal(rows(&r), 600);
	assert_int_equal(shipper_stop(r.shipper, NS_PER_S), 0);
	rig_end(&r);
}

/* Bits of the outputs whose index refuses "odd". */
static atomic_uint refusing;

static void
blocks_by_index(struct server *s, const struct request *q, struct buffer *out)
{
	bool blocked = atomic_load(&refusing) & (has(q->path, "/others/") ? 2 : 1);

	if (asked_first(q, out))
		return;
	atomic_store(&s->blocked, blocked);
	bulk_answer(s, q, out);
}

static bool
held_by_both(struct rig *r)
{
	return counters(r)->held == 10 && counters_of(r, 1)->held == 10;
}

static bool
held_by_the_second(struct rig *r)
{
	return counters(r)->held == 0 && counters_of(r, 1)->held == 10;
}

static void
test_a_record_in_two_holds_is_done_when_both_are_empty(void **state)
{
	struct rig r = { .server = { .answer = blocks_by_index, .judge = blocks_odd },
		.second = PLAIN };

	(void)state;
	atomic_store(&refusing, 3);
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 1, 100, 10, "odd");
	wait_for(&r, held_by_both);
	assert_int_equal(shipped(&r, 1), 0);
	atomic_store(&refusing, 2);
	wait_for(&r, held_by_the_second);
	assert_int_equal(shipped(&r, 1), 0);
	assert_false(idle(&r));
	atomic_store(&refusing, 0);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 1), 100);
	assert_int_equal(counters(&r)->delivered, 100);
	assert_int_equal(counters_of(&r, 1)->delivered, 100);
	rig_end(&r);
}

/* ---- small outputs */

#define NONE "[OUTPUT]\n Name null\n Match *\n Alias none\n"
#define OUT "[OUTPUT]\n Name stdout\n Match *\n Alias out\n"

/* Standard output, elsewhere: a pipe; its end to be read from is returned. */
static int
stdout_to_pipe(int *saved)
{
	int ends[2];

	fflush(stdout);
	*saved = dup(STDOUT_FILENO);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	return ends[0];
}

static void
stdout_back(int saved)
{
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

static void
test_null_counts_and_forgets(void **state)
{
	struct rig r = { .outputs = NONE };
	uint64_t before;
	char why[128];

	(void)state;
	rig_start(&r, "", false);
	before = counters(&r)->delivered;
	assert_true(shipper_ready(r.shipper, why, sizeof(why)));
	rig_fill(&r, 0, 1000, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(counters(&r)->delivered, before + 1000);
	assert_int_equal(shipped(&r, 0), 1000);
	assert_int_equal(shipper_stop(r.shipper, NS_PER_S), 0);
	rig_end(&r);
}

static void
test_stdout_writes_each_document_as_a_line_in_its_order(void **state)
{
	struct rig r = { .outputs = OUT };
	char text[4096], *line = text;
	int saved, end = stdout_to_pipe(&saved);
	ssize_t n;

	(void)state;
	rig_start(&r, "", false);
	rig_fill(&r, 0, 6, 3, "odd");
	wait_for(&r, idle);
	stdout_back(saved);
	n = read(end, text, sizeof(text) - 1);
	assert_in_range(n, 1, sizeof(text) - 2);
	text[n] = '\0';
	for (int i = 0; i < 6; i++) {
		char *newline = strchr(line, '\n');

		assert_non_null(newline);
		*newline = '\0';
		assert_int_equal(strncmp(line, "{\"@timestamp\":\"", 15), 0);
		assert_non_null(strstr(line, i % 3 == 2 ? "\"log\":\"odd\"" : "\"log\":\"good\""));
		assert_non_null(strstr(line, "\"log_parsed\":{\"level\":\"INFO\"}}"));
		line = newline + 1;
	}
	assert_int_equal(*line, '\0');
	assert_int_equal(shipped(&r, 0), 6);
	close(end);
	rig_end(&r);
}

static bool
fails_for_good(struct rig *r)
{
	return shipper_fails(r->shipper) == FAILS_FOR_GOOD;
}

static void
test_what_a_closed_pipe_does_not_take_waits(void **state)
{
	struct rig r = { .outputs = OUT };
	int saved, end = stdout_to_pipe(&saved);
	uint64_t before;
	char why[128];

	(void)state;
	rig_start(&r, "", false);
	before = counters(&r)->delivered;
	assert_true(shipper_ready(r.shipper, why, sizeof(why)));
	close(end);
	rig_fill(&r, 0, 10, 0, NULL);
	wait_for(&r, fails_for_good);
	assert_false(shipper_ready(r.shipper, why, sizeof(why)));
	assert_string_equal(why, "out: standard output cannot be written");
	/* nothing is waited for: -1 is for ever */
	assert_int_equal(shipper_stop(r.shipper, -1), 10);
	stdout_back(saved);
	assert_int_equal(counters(&r)->delivered, before);
	assert_int_equal(shipped(&r, 0), 0);
	rig_end(&r);
}

static bool
fails_for_now(struct rig *r)
{
	return shipper_fails(r->shipper) == FAILS_FOR_NOW;
}

static void
test_a_full_device_is_tried_again(void **state)
{
	struct rig r = { .outputs = OUT };
	int full = open("/dev/full", O_WRONLY), saved, end;
	char text[8192];

	(void)state;
	rig_start(&r, "", false);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(full, STDOUT_FILENO);
	close(full);
	rig_fill(&r, 0, 10, 0, NULL);
	wait_for(&r, fails_for_now);
	assert_int_equal(shipped(&r, 0), 0);
	stdout_back(saved);
	end = stdout_to_pipe(&saved);
	wait_for(&r, idle);
	stdout_back(saved);
	assert_int_equal(shipper_fails(r.shipper), FAILS_NOT);
	assert_int_equal(shipped(&r, 0), 10);
	text[read(end, text, sizeof(text) - 1)] = '\0';
	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		assert_int_equal(strncmp(line, "{\"@timestamp\":\"", 15), 0);
	close(end);
	rig_end(&r);
}

#define UNREAD 1200 /* documents: more than a pipe holds */

static bool
others_have_all(struct rig *r)
{
	return atomic_load(&r->server.taken) == UNREAD;
}

/* A pipe that is full, as nobody reads it yet: the other output has all, and then it has, too. */
static void
test_a_pipe_that_is_not_read_holds_up_no_other_output(void **state)
{
	struct rig r = { .server = { .answer = blocks_by_index }, .outputs = OUT, .second = PLAIN };
	int saved, end = stdout_to_pipe(&saved);
	unsigned lines = 0;
	char text[4096];
	ssize_t n;

	(void)state;
	atomic_store(&refusing, 0);
	rig_start(&r, "", false);
	rig_fill(&r, 0, UNREAD, 0, NULL);
	wait_for(&r, others_have_all);
	assert_false(idle(&r));
	assert_in_range(shipped(&r, 0), 1, UNREAD - 1);
	while (lines < UNREAD) {
		n = read(end, text, sizeof(text));
		assert_in_range(n, 1, sizeof(text));
		for (ssize_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	}
	wait_for(&r, idle);
	stdout_back(saved);
	assert_int_equal(shipped(&r, 0), UNREAD);
	assert_int_equal(shipper_fails(r.shipper), FAILS_NOT);
	close(end);
	rig_end(&r);
}

static bool
seen_by_null(struct rig *r)
{
	return counters(r)->delivered >= 100;
}

static void
test_an_output_without_a_say_does_not_move_the_cursor(void **state)
{
	struct rig r = { .server = { .answer = blocks_by_index, .judge = blocks_odd },
		.outputs = "[OUTPUT]\n Name null\n Match *\n Alias beside\n",
		.second = PLAIN };

	(void)state;
	atomic_store(&refusing, 2);
	rig_start(&r, "", false);
	rig_fill(&r, 0, 100, 1, "odd");
	wait_for(&r, seen_by_null);
	assert_int_equal(shipped(&r, 0), 0);
	assert_false(idle(&r));
	atomic_store(&refusing, 0);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 0), 100);
	rig_end(&r);
}

/* ---- the template */

/* What a server does not know, and what the real ones say then. */
static const struct {
	unsigned bit;
	const char *word, *noted, *answer;
} unknown[] = {
	{ 1, "\"path_hierarchy\"", " parts",
	    "{\"error\":{\"reason\":\"template after composition is invalid\",\"caused_by\":{"
	    "\"reason\":\"Unknown tokenizer type [path_hierarchy] for [x]\"}}}" },
	{ 2, "\"flattened\"", " flattened",
	    "{\"error\":{\"reason\":\"template after composition is invalid\",\"caused_by\":{"
	    "\"reason\":\"No handler for type [flattened] declared on field [extra]\"}}}" },
	{ 4, "\"flat_object\"", " flat_object",
	    "{\"error\":{\"reason\":\"The mapper type [flat_object] declared on field [extra] does "
	    "not exist.\"}}" },
	{ 8, "\"priority\"", "", "{\"error\":{\"reason\":\"use a different priority\"}}" },
};

static void
put_answer(const struct server *s, const struct request *q, struct buffer *out)
{
	for (size_t i = 0; i < COUNT(unknown) && s->phase < 400; i++) {
		if ((s->phase & unknown[i].bit) == 0 || !has(q->body, unknown[i].word))
			continue;
		http_text(out, 400, unknown[i].answer);
		return;
	}
	http_text(out, s->phase >= 400 ? (int)s->phase : 200, "{}");
}

static void
note(struct server *s, const char *text)
{
	size_t len = strlen(s->note);

	snprintf(s->note + len, sizeof(s->note) - len, "%s", text);
}

/* What is there at the start; a path without one: nothing is. */
static const struct there {
	const char *path, *answer;
} * there;

static const char *
noted(struct slice path)
{
	static const char *const kinds[][2] = { { "/_component_template/towline-mappings",
						    "component" },
		{ "/_index_template/towline-logs", "template" }, { "/_index_template?", "others" },
		{ "/_template?", "legacy" }, { "/logs/_mapping", "index" } };

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (has(path, kinds[i][0]))
			return kinds[i][1];
	return "?";
}

static void
notes(struct server *s, const struct request *q, struct buffer *out)
{
	bool put = slice_eq(q->method, SLICE("PUT"));

	if (has(q->path, "_bulk")) {
		bulk_answer(s, q, out);
		return;
	}
	note(s, put ? "PUT " : "GET ");
	note(s, noted(q->path));
	for (size_t i = 0; i < COUNT(unknown); i++)
		note(s, has(q->body, unknown[i].word) ? unknown[i].noted : "");
	note(s, ";");
	if (put)
		put_answer(s, q, out);
	else if (has(q->path, there->path))
		http_text(out, 200, there->answer);
	else
		http_text(out, 404, "{}");
}

#define META(version) "\"_meta\":{\"managed_by\":\"towline\",\"version\":" version "}"
#define OURS(version)                                                                              \
	{                                                                                          \
		"/_index_template/",                                                               \
		    "{\"index_templates\":[{\"index_template\":{" META(version) "}}]}"             \
	}
#define COMPONENT(meta)                                                                            \
	{                                                                                          \
		"/_component_template/",                                                           \
		    "{\"component_templates\":[{\"component_template\":{" meta "}}]}"              \
	}
/* Another's template, which matches `pattern`. */
#define OTHERS(pattern, more)                                                                           \
	{                                                                                               \
		"/_index_template?",                                                                    \
		    "{\"index_templates\":[{\"name\":\"a\",\"index_template\":{\"index_patterns\":["    \
		    "\"x\"]}},{\"name\":\"b\",\"index_template\":{\"index_patterns\":[\"x\",\"" pattern \
		    "\"]" more "}}]}"                                                                   \
	}
#define LEGACY(pattern, more)                                                                      \
	{                                                                                          \
		"/_template?",                                                                     \
		    "{\"a\":{\"index_patterns\":[\"x\"]},\"b\":{\"index_patterns\":[\"" pattern    \
		    "\"]" more "}}"                                                                \
	}
#define SEEN "GET component;GET template;"
#define FREE "GET others;GET legacy;"
#define FIRST "GET component;PUT component parts flattened;"
#define WHOLE FIRST "GET template;" FREE "PUT template parts flattened;GET index;"

static const struct {
	unsigned phase; /* bits of what is not known, or a status */
	struct there there;
	const char *want;
} templates[] = {
	{ 0, { "none", "" }, WHOLE },
	{ 1, { "none", "" },
	    FIRST "PUT component flattened;GET template;" FREE
		  "PUT template flattened;GET index;" },
	{ 2, { "none", "" },
	    FIRST "PUT component parts flat_object;GET template;" FREE
		  "PUT template parts flat_object;GET index;" },
	{ 3, { "none", "" },
	    FIRST "PUT component flattened;PUT component flat_object;GET template;" FREE
		  "PUT template flat_object;GET index;" },
	{ 6, { "none", "" },
	    FIRST "PUT component parts flat_object;GET template;" FREE
		  "PUT template parts flat_object;" },
	{ 8, { "none", "" }, FIRST "GET template;" FREE "PUT template parts flattened;" },
	{ 403, { "none", "" }, FIRST "GET template;" FREE "PUT template parts flattened;" },
	{ 0, OURS("1"), FIRST "GET template;PUT template parts flattened;GET index;" },
	{ 0, OURS("3"), FIRST "GET template;GET index;" },
	{ 0, OURS("4"), FIRST "GET template;GET index;" },
	{ 0, { "/_index_template/", "{\"index_templates\":[{\"index_template\":{}}]}" },
	    FIRST "GET template;GET index;" },
	{ 0, { "/_index_template/", "[garbage" }, FIRST "GET template;GET index;" },
	{ 0, COMPONENT(META("1")), WHOLE },
	{ 0, COMPONENT(META("3")), SEEN FREE "PUT template parts flattened;GET index;" },
	{ 0, COMPONENT("\"a\":1"), SEEN FREE "PUT template parts flattened;GET index;" },
	/* others' templates */
	{ 0, OTHERS("logs", ""), FIRST "GET template;GET others;" },
	{ 0, OTHERS("*", ""), FIRST "GET template;GET others;" },
	{ 0, OTHERS("l*s", ""), FIRST "GET template;GET others;" },
	{ 0, OTHERS("logs-*", ""), WHOLE },
	{ 0, OTHERS("log", ""), WHOLE },
	{ 0, OTHERS("*", ",\"_meta\":{\"managed\":true}"), WHOLE },
	{ 0, OTHERS("*", ",\"_meta\":{\"managed\":false}"), FIRST "GET template;GET others;" },
	{ 0, OTHERS("*", "," META("2")), WHOLE },
	{ 0, OTHERS("*", ",\"composed_of\":[\"x\",\"towline-mappings\"]"),
	    FIRST "GET template;GET others;GET index;" },
	{ 0, LEGACY("log*", ""), FIRST "GET template;" FREE },
	{ 0, LEGACY("logstash-*", ""), WHOLE },
	{ 0, LEGACY("*", ",\"mappings\":{\"_meta\":{\"managed\":true}}"), WHOLE },
	{ 0, { "/_index_template?", "[cut" }, FIRST "GET template;GET others;" },
	{ 0, { "/_template?", "{}" }, WHOLE },
};

static void
test_the_template_comes_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(templates); i++) {
		struct rig r = { .server = { .answer = notes, .phase = templates[i].phase } };

		there = &templates[i].there;
		rig_start(&r, "", false);
		rig_fill(&r, 0, 3, 0, NULL);
		wait_for(&r, idle);
		assert_string_equal(r.server.note, templates[i].want);
		assert_int_equal(map_count(r.server.stored), 3);
		rig_end(&r);
	}
}

static const struct {
	const char *index, *lines; /* of the output */
	const char *theirs;
	bool meets;
} patterns[] = {
	{ "logs-%Y", "", "logs-*", true },
	{ "logs-%Y", "", "logs-audit-*", true },
	{ "logs-%Y", "", "*-audit", true },
	{ "logs-%Y", "", "log*", true },
	{ "logs-%Y", "", "logs", false },
	{ "logs-%Y", "", "logz-*", false },
	{ "x", " Logstash_Format on\n Logstash_Prefix m\n", "m-*", true },
	{ "x", " Logstash_Format on\n Logstash_Prefix m\n", "m", false },
	{ "x", " Logstash_Format on\n Logstash_Prefix m\n", "mm*", false },
};

static void
test_a_pattern_meets_anothers(void **state)
{
	static char text[256];
	static const struct there it = { "/_index_template?", text };

	(void)state;
	there = &it;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct rig r = { .server = { .answer = notes }, .index = patterns[i].index };

		snprintf(text, sizeof(text),
		    "{\"index_templates\":[{\"name\":\"b\",\"index_template\":{\"index_patterns\":["
		    "\"%s\"]}}]}",
		    patterns[i].theirs);
		rig_start(&r, patterns[i].lines, false);
		rig_fill(&r, 0, 1, 0, NULL);
		wait_for(&r, idle);
		assert_int_equal(strstr(r.server.note, "GET legacy") == NULL, patterns[i].meets);
		rig_end(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_is_done_when_all_outputs_have_it),
		cmocka_unit_test(test_a_stream_that_one_output_parks_goes_back_for_both),
		cmocka_unit_test(test_a_record_in_two_holds_is_done_when_both_are_empty),
		cmocka_unit_test(test_null_counts_and_forgets),
		cmocka_unit_test(test_stdout_writes_each_document_as_a_line_in_its_order),
		cmocka_unit_test(test_what_a_closed_pipe_does_not_take_waits),
		cmocka_unit_test(test_a_full_device_is_tried_again),
		cmocka_unit_test(test_a_pipe_that_is_not_read_holds_up_no_other_output),
		cmocka_unit_test(test_an_output_without_a_say_does_not_move_the_cursor),
		cmocka_unit_test(test_the_template_comes_first),
		cmocka_unit_test(test_a_pattern_meets_anothers),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
