/* agent-events.conf: the shipped file is the built-in words, a site's adds to them. */
#include "agent_try.h"

#include <unistd.h>

#include "../../parsers/agent_words.h"
#include "agent_conf.h"

/* Write ${text} to a file of its own; the caller unlinks. */
static void
write_conf(char path[64], const char *text)
{
	int fd;

	snprintf(path, 64, "/tmp/agent-events-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The i-th section says what the i-th row does, and there are no others. */
static void
test_the_shipped_file_is_the_built_in_words(void **state)
{
	struct findings *findings = findings_new();
	struct conf_blocks *b = conf_blocks_read("conf/agent-events.conf", findings);
	size_t i = 0;

	(void)state;
	assert_non_null(b);
	for (const struct event_row *r = agent_builtin_events; r->word != NULL; r++, i++) {
		assert_in_range(i, 0, b->n - 1);
		assert_string_equal(b->at[i].name, "EVENT");
		assert_string_equal(b->at[i].entries[0].value, r->word);
		assert_string_equal(b->at[i].entries[1].value, agent_event_names[r->means]);
	}
	for (const struct key_row *r = agent_builtin_keys; r->key != NULL; r++, i++) {
		assert_in_range(i, 0, b->n - 1);
		assert_string_equal(b->at[i].name, "KEY");
		assert_string_equal(b->at[i].entries[0].value, r->key);
		assert_string_equal(b->at[i].entries[1].value, agent_field_names[r->field]);
		assert_int_equal(b->at[i].n, r->unit > 0 ? 3 : 2);
		if (r->unit > 0)
			assert_string_equal(b->at[i].entries[2].value, r->unit < 1 ? "ms" : "s");
	}
	assert_int_equal(i, b->n);
	conf_blocks_free(b);
	agent_words_free(agent_conf_read("conf/agent-events.conf", findings));
	assert_int_equal(findings_count(findings, FINDING_ERROR), 0);
	findings_free(findings);
}

static const struct agent_case site[] = {
	{ "INFO JOB_DONE job=7 took=90 pace=3", "text INFO JOB_DONE/task_completed task_id=7 "
						"execution_time=5400.0 pace:3" },
	{ "INFO all is well", "text INFO ALL/other" },
	{ "INFO job done", "text INFO TASK_COMPLETED/task_completed" },
	{ "INFO TASK_COMPLETED pipeline=x", "text INFO pipeline:x" },
	{ "INFO heartbeat sent", "text INFO TASK_STARTED/task_started" },
};

static void
test_a_site_adds_words(void **state)
{
	struct findings *findings = findings_new();
	struct agent_line *line = malloc(sizeof(*line));
	struct facts *facts = malloc(sizeof(*facts));
	struct agent_words *w;
	struct arena arena;
	char path[64];

	(void)state;
	write_conf(path, "[EVENT]\n    Word JOB_DONE\n    Means task_completed\n"
			 "[EVENT]\n    Word job done\n    Means task_completed\n"
			 "[EVENT]\n    Word all is\n    Means none\n"
			 "[EVENT]\n    Word TASK_COMPLETED\n    Means none\n"
			 "[EVENT]\n    Word Heartbeat Sent\n    Means task_started\n"
			 "[KEY]\n    Name job\n    Field task_id\n"
			 "[KEY]\n    Name pipeline\n    Field extra\n"
			 "[KEY]\n    Name took\n    Field execution_time\n    Unit m\n");
	w = agent_conf_read(path, findings);
	assert_int_equal(findings_count(findings, FINDING_ERROR), 0);
	assert_int_equal(agent_words_event(w, SLICE("all"), EVENT_OTHER), 0);
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(site); i++) {
		if (i == 1)
			continue;
		try_text(w, slice_of(site[i].text), line, &arena, facts);
		assert_string_equal(facts->text, site[i].facts);
	}
	/* a word in small letters is found, too */
	try_text(w, SLICE("INFO that was all"), line, &arena, facts);
	assert_string_equal(facts->text, "text INFO all/other");
	arena_fini(&arena);
	agent_words_free(w);
	free(facts);
	free(line);
	unlink(path);
	findings_free(findings);
}

static const struct {
	const char *text, *finding;
} wrong[] = {
	{ "[EVENT]\n    Word X\n    Means task_complete\n",
	    "3: Means cannot be 'task_complete'; did you mean 'task_completed'?" },
	{ "[EVENT]\n    Word X\n", "1: [EVENT] needs Means" },
	{ "[EVNT]\n    Word X\n", "1: no section [EVNT] here; there are [EVENT] and [KEY]; did you "
				  "mean 'EVENT'?" },
	{ "[EVENT]\n    Word a/b\n    Means other\n", "2: 'a/b' cannot be a word here" },
	{ "[KEY]\n    Name x\n    Field task_id\n    Unit s\n",
	    "4: Unit means nothing for task_id" },
	{ "[KEY]\n    Name x\n    Feild task_id\n", "3: no entry 'Feild' in [KEY]; did you mean "
						    "'Field'?" },
	{ "[KEY]\n    Name x\n    Name y\n    Field task_id\n", "3: Name is given twice" },
};

static void
test_what_is_wrong_is_said_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct findings *findings = findings_new();
		char path[64], *said = NULL, want[256];
		size_t size;
		FILE *to = open_memstream(&said, &size);

		write_conf(path, wrong[i].text);
		agent_words_free(agent_conf_read(path, findings));
		findings_print(findings, FINDING_NOTE, to);
		fclose(to);
		snprintf(want, sizeof(want), "%s:%s", path, wrong[i].finding);
		if (strstr(said, want) == NULL)
			fail_msg("said '%s', want '%s'", said, want);
		free(said);
		unlink(path);
		findings_free(findings);
	}
}

static void
test_words_are_checked(void **state)
{
	struct agent_words *w = agent_words_new();
	char name[80];

	(void)state;
	assert_int_equal(agent_words_event(w, SLICE(""), EVENT_OTHER), -1);
	assert_int_equal(agent_words_event(w, SLICE("a  b"), EVENT_OTHER), -1);
	assert_int_equal(agent_words_event(w, SLICE("a b c"), EVENT_OTHER), -1);
	assert_int_equal(agent_words_event(w, SLICE(" a"), EVENT_OTHER), -1);
	memset(name, 'x', sizeof(name));
	assert_int_equal(agent_words_event(w, (struct slice){ name, 63 }, EVENT_OTHER), 0);
	assert_int_equal(agent_words_event(w, (struct slice){ name, 64 }, EVENT_OTHER), -1);
	assert_int_equal(agent_words_key(w, SLICE("k"), AGENT_DURATION, 0), -1);
	assert_int_equal(agent_words_key(w, SLICE("k"), AGENT_DURATION, -1), -1);
	assert_int_equal(agent_words_key(w, SLICE("k"), AGENT_DURATION, 1e-12), -1);
	for (int i = 0; i < 600; i++) {
		int n = snprintf(name, sizeof(name), "key%d", i);

		if (agent_words_key(w, (struct slice){ name, (size_t)n }, AGENT_TASK_ID, 1) != 0) {
			assert_in_range(i, 400, 512);
			agent_words_free(w);
			return;
		}
	}
	fail_msg("more than 512 words were taken");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_shipped_file_is_the_built_in_words),
		cmocka_unit_test(test_a_site_adds_words),
		cmocka_unit_test(test_what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(test_words_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
