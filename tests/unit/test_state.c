/* What outlives the process: contents, counters, metadata of the machine; tickets. */
#include "state_rig.h"

#include <poll.h>
#include <sys/eventfd.h>

static void
test_all_of_a_content_and_its_log_comes_back(void **state)
{
	static const struct content_state is = {
		.log = { { 'o', 'n', 'e' } },
		.home = { { 1, 2, 3 } },
		.generation = UINT64_MAX,
		.head = UINT64_MAX - 1,
		.head_size = UINT32_MAX,
		.dev = 7,
		.ino = UINT64_MAX - 2,
		.size = 9,
		.first_seen = 10,
	};
	const struct span_post post = { id, id, &is, { .seal = SEAL_NONE, .rules = UINT64_MAX },
		NULL };
	struct content_state was;
	struct cursors at[SIDES];
	struct checkpoint checks[CHECKPOINTS];
	struct identity found[2];
	struct state *s = opened();

	(void)state;
	assert_true(state_is_new(s));
	assert_false(state_find(s, &id, &was));
	state_spans(s, &post, 1);
	state_opened(s, &id, "/var/log/a");
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	assert_int_equal(state_reader(s, "main"), 0);
	state_shipped(s, &id, SIDE_STDERR, 0, 50);
	state_counted(s, &id, SIDE_STDOUT, 120);
	state_counted(s, &id, SIDE_STDERR, 50);
	state_counts(s);
	state_break(s, &id, SIDE_STDOUT, 110);
	state_break(s, &id, SIDE_STDOUT, 90); /* passed */
	state_checkpoint(s, &id, &(struct checkpoint){ 40, 1 });
	state_checkpoint(s, &id, &(struct checkpoint){ 100, UINT64_MAX });
	reopen(&s);
	assert_false(state_is_new(s));
	assert_true(state_find(s, &id, &was));
	assert_memory_equal(&was, &is, sizeof(is));
	assert_int_equal(state_home(s, &is.home, found, 2), 1);
	assert_memory_equal(&found[0], &id, sizeof(id));
	assert_int_equal(state_home(s, &id, found, 2), 0);
	assert_int_equal(state_reader(s, "main"), 0);
	assert_true(state_cursors(s, &id, 0, at));
	assert_int_equal(at[SIDE_STDOUT].shipped, 100);
	assert_int_equal(at[SIDE_STDOUT].counted, 120);
	assert_int_equal(at[SIDE_STDERR].shipped, 50);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, UINT64_MAX), 110);
	assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 0, UINT64_MAX), 0);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 100, 110), 110);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 100), 0);
	assert_int_equal(state_breaks(s, &id), 1);
	assert_int_equal(state_checkpoints(s, &id, checks), 2);
	assert_true(checks[0].offset == 100 && checks[0].hash == UINT64_MAX);
	assert_true(checks[1].offset == 40);
	state_close(s);
}

static void
test_another_start_of_the_machine_is_known_until_files_are_judged(void **state)
{
	struct state *s = opened();

	(void)state;
	assert_false(state_rebooted(s));
	reopen(&s);
	assert_false(state_rebooted(s));
	state_close(s);
	execute("UPDATE machine SET boot = 'another'");
	s = opened();
	assert_true(state_rebooted(s));
	reopen(&s);
	assert_true(state_rebooted(s));
	state_judged(s);
	reopen(&s);
	assert_false(state_rebooted(s));
	state_close(s);
}

static void
test_the_contents_of_a_home_come_with_the_one_seen_last_first(void **state)
{
	struct state *s = opened();
	struct content_state is = { .home = { "home" } };
	struct identity found[4];

	(void)state;
	for (unsigned char i = 0; i < 4; i++) {
		struct span_post post = { { { i } }, { { i } }, &is, { .seal = SEAL_NONE }, NULL };

		is.first_seen = i;
		state_spans(s, &post, 1);
		state_opened(s, &post.id, "/a");
		time_passes();
	}
	for (unsigned char i = 0; i < 4; i++) {
		if (i != 1)
			state_ended(s, &(struct identity){ { i ^ 1 } });
		time_passes();
	}
	for (int life = 0; life < 2; life++) {
		static const unsigned char order[] = { 0, 2, 3, 1 };

		memset(found, 99, sizeof(found));
		assert_int_equal(state_home(s, &is.home, found, 3), 3);
		assert_int_equal(found[3].at[0], 99);
		assert_int_equal(state_home(s, &is.home, found, 4), 4);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(found[i].at[0], order[i]);
		state_find(s, &found[3], &is); /* a question changes nothing */
		reopen(&s);
	}
	state_close(s);
}

static uint64_t done_shipped, done_counted;

static void
done_see(void *arg, const struct content_seen *content)
{
	if (memcmp(content->id, arg, sizeof(*content->id)) != 0)
		return;
	done_shipped = content->shipped;
	done_counted = content->counted;
	assert_string_equal(content->path, "/a");
	assert_true(content->open);
}

static void
name_add(void *arg, const struct content_seen *content)
{
	buffer_put(arg, (struct slice){ (const char *)content->id->at, 1 });
}

/* One that is seen elsewhere leaves the file to the others that were in it. */
static void
test_contents_are_found_by_the_file_where_they_were_seen_last(void **state)
{
	struct identity ids[] = { { "a" }, { "b" }, { "c" } };
	struct state *s = state_open(NULL);
	struct buffer names;

	(void)state;
	buffer_init(&names, 0);
	for (unsigned i = 0; i < COUNT(ids); i++) {
		state_opened(s, &ids[i], "/x");
		state_file(s, &ids[i], 1, 7);
	}
	state_file(s, &ids[1], 1, 8);
	state_ended(s, &ids[0]);
	state_each_of(s, 1, 7, name_add, &names);
	assert_slice(buffer_slice(&names), "ac");
	state_each_of(s, 1, 8, name_add, &names);
	assert_slice(buffer_slice(&names), "acb");
	state_each_of(s, 7, 1, name_add, &names);
	assert_slice(buffer_slice(&names), "acb");
	buffer_fini(&names);
	state_close(s);
}

static void
path_note(void *arg, const struct content_seen *seen)
{
	buffer_put(arg, slice_of(seen->path));
}

/* The process may be killed behind the commit of a span, before it says more. */
static void
test_a_content_has_a_path_from_its_first_commit_on(void **state)
{
	static const struct content_state is = { .dev = 1, .ino = 7 };
	const struct span_post post = { .log = id, .id = id, .content = &is, .path = "/x" };
	struct state *s = opened();
	struct buffer paths;

	(void)state;
	buffer_init(&paths, 0);
	state_spans(s, &post, 1);
	reopen(&s);
	state_each_of(s, 1, 7, path_note, &paths);
	assert_slice(buffer_slice(&paths), "/x");
	buffer_fini(&paths);
	state_close(s);
}

/* A content of two spans in a log, and of late bytes in a log of its own. */
static void
test_how_far_a_content_is_done(void **state)
{
	static const struct {
		uint64_t out, err, late, done;
	} cases[] = {
		{ 0, 0, 0, 5 },
		{ 1004, 1500, 0, 5 },
		{ 1050, 1040, 0, 40 },
		{ 1050, 1100, 0, 50 },
		{ 1200, 1100, 0, 100 },
		{ 1200, 1200, 0, 100 },
		{ 1200, 1200, 130, 130 },
		{ 1060, 1200, 130, 60 },
	};
	struct state *s = state_open(NULL);
	struct identity content = { "content" };

	(void)state;
	state_opened(s, &content, "/a");
	span_put(s, &other, &content, (struct span_state){ 0, 100, SEAL_NONE, 0 });
	span_put(s, &id, &content, (struct span_state){ 1000, 80, 100, 0 });
	span_put(s, &id, &content, (struct span_state){ 1000, 5, 80, 0 });
	for (size_t i = 0; i < COUNT(cases); i++) {
		state_shipped(s, &id, SIDE_STDOUT, 0, cases[i].out);
		state_shipped(s, &id, SIDE_STDERR, 0, cases[i].err);
		state_shipped(s, &other, SIDE_STDOUT, 0, cases[i].late);
		state_shipped(s, &other, SIDE_STDERR, 0, cases[i].late);
		state_each(s, done_see, &content);
		assert_int_equal(done_shipped, cases[i].done);
		assert_int_equal(done_counted, 5);
		assert_int_equal(state_counts(s), 0);
	}
	state_counted(s, &id, SIDE_STDOUT, 1090);
	state_counted(s, &id, SIDE_STDERR, 1095);
	state_counts(s);
	state_counted(s, &id, SIDE_STDOUT, 1099);
	state_each(s, done_see, &content);
	assert_int_equal(done_counted, 90);
	state_close(s);
}

static void
test_checkpoints_kept_lie_ever_farther_apart(void **state)
{
	struct state *s = state_open(NULL);
	struct checkpoint checks[CHECKPOINTS];

	(void)state;
	for (uint64_t i = 1; i <= 10000; i++)
		state_checkpoint(s, &id, &(struct checkpoint){ 100 * i, i });
	assert_int_equal(state_checkpoints(s, &id, checks), CHECKPOINTS);
	assert_int_equal(checks[0].offset, 1000000);
	for (unsigned i = 1; i < CHECKPOINTS; i++)
		assert_true(checks[i].offset < checks[i - 1].offset && checks[i].hash > 0);
	assert_true(checks[1].offset >= 990000);
	assert_true(checks[CHECKPOINTS - 1].offset < 500000);
	state_close(s);
}

/* ---- counters */

static unsigned texts;

static void
text(void *arg, struct slice key, struct slice value)
{
	(void)arg;
	assert_true(slice_eq(key, SLICE("a/b/c")) && slice_eq(value, SLICE("{\"x\":2}")));
	texts++;
}

static void
test_counters_are_texts(void **state)
{
	struct state *s = opened();

	(void)state;
	state_text(s, SLICE("a/b/c"), SLICE("{\"x\":1}"));
	state_text(s, SLICE("gone"), SLICE("1"));
	wait_durable(s, state_counts(s));
	state_text(s, SLICE("a/b/c"), SLICE("{\"x\":2}"));
	state_text(s, SLICE("gone"), SLICE(""));
	state_counts(s);
	state_text(s, SLICE("never posted"), SLICE("1"));
	reopen(&s);
	texts = 0;
	state_texts(s, text, NULL);
	assert_int_equal(texts, 1);
	state_close(s);
}

/* One text for each of 400 pods; of each third one, counted from ${gone}, none. */
static state_ticket
texts_post(struct state *s, const char *value, unsigned gone)
{
	for (unsigned i = 0; i < 400; i++) {
		char *key = xprintf("ns/pod-%u/agent", i);

		state_text(s, slice_of(key), i % 3 == gone ? SLICE("") : slice_of(value));
		free(key);
	}
	return state_counts(s);
}

/* Counters that go with those that vanish: one transaction has both, whatever their places. */
static void
test_counters_and_what_vanishes_with_them_are_one_change(void **state)
{
	struct state *s = opened();

	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		wait_durable(s, texts_post(s, "old", 3));
		wait_durable(s, texts_post(s, "new", round % 3));
		assert_int_equal(asked("SELECT count(*) FROM counters WHERE value = 'old'"), 0);
	}
	state_close(s);
}

/* ---- tickets */

static void
test_a_ticket_is_durable_after_a_commit_and_wakes(void **state)
{
	struct state *s = opened();
	struct pollfd wake = { .fd = eventfd(0, EFD_NONBLOCK), .events = POLLIN };
	state_ticket ticket;

	(void)state;
	state_wake(s, wake.fd);
	ticket = state_break(s, &id, SIDE_STDOUT, 5);
	for (int i = 0; poll(&wake, 1, 0) == 0; i++) {
		assert_true(i < 60000);
		time_passes();
	}
	wait_durable(s, ticket);
	state_shipped(s, &id, SIDE_STDOUT, 0, 5); /* nobody waits: it comes in a second */
	wait_durable(s, ticket + 1);
	state_close(s);
	close(wake.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_of_a_content_and_its_log_comes_back),
		TEST(test_another_start_of_the_machine_is_known_until_files_are_judged),
		TEST(test_the_contents_of_a_home_come_with_the_one_seen_last_first),
		TEST(test_contents_are_found_by_the_file_where_they_were_seen_last),
		TEST(test_a_content_has_a_path_from_its_first_commit_on),
		TEST(test_how_far_a_content_is_done),
		TEST(test_checkpoints_kept_lie_ever_farther_apart),
		TEST(test_counters_are_texts),
		TEST(test_counters_and_what_vanishes_with_them_are_one_change),
		TEST(test_a_ticket_is_durable_after_a_commit_and_wakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
