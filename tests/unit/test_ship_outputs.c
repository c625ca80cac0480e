/*
 * Several outputs for one record, and the index template before the first.
 */
#include "ship_rig.h"

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
	cursor_rewind(r.book, &r.streams[1].cursor[0]);
	r.put[1] = 0;
	rig_fill(&r, 1, 100, 10, "odd");
	wait_for(&r, idle);
	assert_int_equal(rows(&r), 100);
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

static void
notes(struct server *s, const struct request *q, struct buffer *out)
{
	bool put = slice_eq(q->method, SLICE("PUT"));

	if (has(q->path, "_bulk")) {
		bulk_answer(s, q, out);
		return;
	}
	note(s, put ? "PUT " : "GET ");
	note(s, has(q->path, "/_index_template/towline-logs") ? "template" : "index");
	for (size_t i = 0; i < COUNT(unknown); i++)
		note(s, has(q->body, unknown[i].word) ? unknown[i].noted : "");
	note(s, ";");
	if (put)
		put_answer(s, q, out);
	else if (has(q->path, "_index_template"))
		http_text(out, s->file[0] != '\0' ? 200 : 404, s->file);
	else
		http_text(out, 404, "{}");
}

#define OURS(version)                                                                              \
	"{\"index_templates\":[{\"index_template\":{\"_meta\":{\"managed_by\":\"towline\","        \
	"\"version\":" version "}}}]}"
#define FIRST "GET template;PUT template parts flattened;"

static const struct {
	unsigned phase;    /* bits of what is not known, or a status */
	const char *there; /* the template that is there */
	const char *want;
} templates[] = {
	{ 0, "", FIRST "GET index;" },
	{ 1, "", FIRST "PUT template flattened;GET index;" },
	{ 2, "", FIRST "PUT template parts flat_object;GET index;" },
	{ 3, "", FIRST "PUT template flattened;PUT template flat_object;GET index;" },
	{ 6, "", FIRST "PUT template parts flat_object;" },
	{ 8, "", FIRST },
	{ 403, "", FIRST },
	{ 0, OURS("1"), FIRST "GET index;" },
	{ 0, OURS("2"), "GET template;GET index;" },
	{ 0, OURS("3"), "GET template;GET index;" },
	{ 0, "{\"index_templates\":[{\"index_template\":{}}]}", "GET template;GET index;" },
	{ 0, "[garbage", "GET template;GET index;" },
};

static void
test_the_template_comes_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(templates); i++) {
		struct rig r = { .server = { .answer = notes, .phase = templates[i].phase } };

		snprintf(r.server.file, sizeof(r.server.file), "%s", templates[i].there);
		rig_start(&r, "", false);
		rig_fill(&r, 0, 3, 0, NULL);
		wait_for(&r, idle);
		assert_string_equal(r.server.note, templates[i].want);
		assert_int_equal(map_count(r.server.stored), 3);
		rig_end(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_is_done_when_all_outputs_have_it),
		cmocka_unit_test(test_the_template_comes_first),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
