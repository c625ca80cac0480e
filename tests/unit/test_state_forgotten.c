/*
 * Contents without a file are forgotten: for their age, and when there are more
 * than may be remembered.
 */
#include "state_rig.h"

#include "../../src/state/state_internal.h"

static struct identity
id_of(unsigned n)
{
	return (struct identity){ { (unsigned char)n, (unsigned char)(n >> 8), 7 } };
}

/* ${n} contents that were used one after the other; each ${open}-th has its file. */
static void
contents_make(struct state *s, unsigned n, unsigned open)
{
	for (unsigned i = 0; i < n; i++) {
		struct identity content = id_of(i);

		state_opened(s, &content, "/a");
		if (i % open != 0)
			state_ended(s, &content);
	}
}

static size_t
remembered(struct state *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = map_count(s->tables->contents);
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- for their age */

static void
test_what_is_not_open_is_forgotten_with_the_years(void **state)
{
	struct state *s = begun();
	struct content_state was;

	(void)state;
	content_put(s, &other);
	state_reader(s, "main");
	state_shipped(s, &id, SIDE_STDOUT, 0, 0);
	state_break(s, &id, SIDE_STDOUT, 7);
	state_break(s, &other, SIDE_STDOUT, 7);
	state_opened(s, &id, "/a");
	state_ended(s, &id);
	state_opened(s, &other, "/b");
	state_close(s);
	execute("UPDATE contents SET touched = touched - 2592000000000000 - 1");
	s = opened();
	assert_false(state_find(s, &id, &was));
	assert_int_equal(listed(s, &id).n, 0);
	assert_int_equal(state_breaks(s, &id), 0);
	assert_true(state_find(s, &other, &was));
	assert_int_equal(state_breaks(s, &other), 1);
	assert_true(state_forgotten_to(s) > 0);
	assert_true(state_forgotten_to(s) < now_ns - STATE_AGE_DAYS * 86400 * NS_PER_S);
	state_close(s);
}

static void
ages(struct state *s, const struct identity *content)
{
	struct known *k;

	pthread_mutex_lock(&s->lock);
	k = contents_of(s, content);
	k->used -= (STATE_AGE_DAYS * 86400 + 1) * NS_PER_S;
	TAILQ_REMOVE(&s->tables->by_use, k, by_use);
	TAILQ_INSERT_HEAD(&s->tables->by_use, k, by_use);
	pthread_mutex_unlock(&s->lock);
}

/* What was posted is on disk, and then something else, with what was forgotten. */
static void
commits_pass(struct state *s)
{
	for (int i = 0; i < 2; i++) {
		state_metadata(s, SLICE("a commit"), SLICE("to have one"));
		state_text(s, SLICE("soon"), SLICE("1"));
		wait_durable(s, state_counts(s));
	}
}

/* Only what has had no file for long; a log goes with its last content, its other contents stay. */
static void
test_old_contents_without_a_file_are_forgotten_while_running(void **state)
{
	enum { OLD, OPEN, YOUNG, SHARED = 10 };
	struct state *s = opened();
	struct content_state is = { .home = id_of(99) };
	struct identity content, home[4];

	(void)state;
	state_reader(s, "main");
	for (unsigned i = 0; i < 3; i++) {
		content = id_of(i);
		content_put(s, &content);
		state_opened(s, &content, "/a");
		state_break(s, &content, SIDE_STDOUT, 5);
		state_shipped(s, &content, SIDE_STDOUT, 0, 1);
		state_spans(s,
		    &(struct span_post){
			id_of(SHARED), id_of(SHARED + i), &is, { 100 * i, 0, 100, 0 }, NULL },
		    1);
	}
	for (unsigned i = 0; i < 3; i++) {
		content = id_of(i);
		if (i != OPEN)
			state_ended(s, &content);
	}
	commits_pass(s);
	assert_int_equal(asked("SELECT count(*) FROM cursors"), 3);
	for (unsigned i = 0; i < 3; i++) {
		content = id_of(i);
		if (i != YOUNG)
			ages(s, &content);
	}
	content = id_of(SHARED + 1);
	ages(s, &content);
	commits_pass(s);
	assert_false(state_find(s, &content, &is));
	assert_int_equal(state_home(s, &(struct identity){ { 99, 0, 7 } }, home, 4), 2);
	assert_true(home[0].at[0] + home[1].at[0] == SHARED + SHARED + 2);
	for (unsigned i = 0; i < 3; i++) {
		content = id_of(i);
		assert_int_equal(state_find(s, &content, &is), i != OLD);
		assert_int_equal(state_is_break(s, &content, SIDE_STDOUT, 0, 5), i != OLD ? 5 : 0);
	}
	assert_int_equal(asked("SELECT count(*) FROM contents"), 4);
	assert_int_equal(asked("SELECT count(*) FROM spans"), 4);
	assert_int_equal(asked("SELECT count(*) FROM breaks"), 2);
	assert_int_equal(asked("SELECT count(*) FROM cursors"), 2);
	content = id_of(OLD); /* it may come again */
	content_put(s, &content);
	wait_durable(s, state_break(s, &content, SIDE_STDOUT, 7));
	assert_int_equal(asked("SELECT count(*) FROM contents"), 5);
	state_close(s);
}

static void
test_many_are_forgotten_in_parts(void **state)
{
	struct state *s = opened();

	(void)state;
	contents_make(s, FORGET_MOST + 10, FORGET_MOST + 10);
	commits_pass(s);
	for (unsigned i = 0; i < FORGET_MOST + 10; i++) {
		struct identity content = id_of(i);

		ages(s, &content);
	}
	commits_pass(s);
	commits_pass(s);
	assert_int_equal(asked("SELECT count(*) FROM contents"), 1);
	state_close(s);
}

/* ---- for want of room */

static void
test_no_more_are_remembered_than_were_allowed(void **state)
{
	struct state *s = opened();
	struct identity content;
	struct content_state is;
	int64_t to;

	(void)state;
	state_most(s, 1600);
	contents_make(s, 1600, 5);
	commits_pass(s);
	assert_int_equal(remembered(s), 1600);
	assert_true(state_forgotten(s) == 0 && state_forgotten_to(s) == 0);
	for (unsigned i = 0; i < 101; i++) {
		content = id_of(2000 + i);
		state_opened(s, &content, "/new");
	}
	for (int i = 0; i < 2000 && (remembered(s) > 1600 || state_forgotten(s) < 101); i++)
		time_passes();
	assert_int_equal(remembered(s), 1600);
	assert_int_equal(state_forgotten(s), 101);
	to = state_forgotten_to(s);
	assert_true(to > 0);
	for (unsigned i = 0; i < 1600; i++) {
		content = id_of(i);
		/* 101 of four in five: those with a file stay, however old. */
		assert_int_equal(state_find(s, &content, &is), i % 5 == 0 || i > 126);
	}
	state_close(s);
	assert_int_equal(asked("SELECT count(*) FROM contents"), 1600);
	s = opened();
	assert_int_equal(state_forgotten_to(s), to);
	state_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_not_open_is_forgotten_with_the_years),
		TEST(test_old_contents_without_a_file_are_forgotten_while_running),
		TEST(test_many_are_forgotten_in_parts),
		TEST(test_no_more_are_remembered_than_were_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
