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

static void
notes(struct server *s, const struct request *q, struct buffer *out)
{
	size_t len = strlen(s->note);

	if (has(q->path, "_bulk")) {
		bulk_answer(s, q, out);
		return;
	}
	snprintf(s->note + len, sizeof(s->note) - len, "%.*s %.*s%s%s;", (int)q->method.len,
	    q->method.at, (int)strcspn(q->path.at, " ?"), q->path.at,
	    has(q->body, "\"flattened\"") ? " flattened" : "",
	    has(q->body, "\"flat_object\"") ? " flat_object" : "");
	if (slice_eq(q->method, SLICE("PUT")))
		http_text(out, has(q->body, "\"flattened\"") ? (int)s->phase : 200, "{}");
	else if (has(q->path, "_index_template"))
		http_text(out, s->file[0] != '\0' ? 200 : 404, s->file);
	else
		http_text(out, 404, "{}");
}

static const struct {
	unsigned put;      /* what the server says to the first words */
	const char *there; /* the template that is there */
	const char *want;
} templates[] = {
	{ 200, "",
	    "GET /_index_template/towline-logs;PUT /_index_template/towline-logs flattened;"
	    "GET /logs/_mapping;" },
	{ 400, "",
	    "GET /_index_template/towline-logs;PUT /_index_template/towline-logs flattened;"
	    "PUT /_index_template/towline-logs flat_object;GET /logs/_mapping;" },
	{ 403, "",
	    "GET /_index_template/towline-logs;PUT /_index_template/towline-logs flattened;" },
	{ 200,
	    "{\"index_templates\":[{\"index_template\":{\"_meta\":{\"managed_by\":\"towline\","
	    "\"version\":1}}}]}",
	    "GET /_index_template/towline-logs;GET /logs/_mapping;" },
	{ 200, "{\"index_templates\":[{\"index_template\":{}}]}",
	    "GET /_index_template/towline-logs;GET /logs/_mapping;" },
	{ 200, "[garbage", "GET /_index_template/towline-logs;GET /logs/_mapping;" },
};

static void
test_the_template_comes_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(templates); i++) {
		struct rig r = { .server = { .answer = notes, .phase = templates[i].put } };

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
