/* What outlives the process, however it ends. */
#include "state_dir.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "state.h"
#include "voice.h"

static const struct identity id = { "one" }, other = { "two" };

static void
wait_durable(struct state *s, state_ticket ticket)
{
	for (int i = 0; state_durable(s) < ticket; i++) {
		assert_true(i < 6000);
		usleep(5000);
	}
}

static void
reopen(struct state **s)
{
	state_close(*s);
	*s = state_open(dir);
	assert_non_null(*s);
}

/* A span of `content` in `log`, which may grow when `seal` is SEAL_NONE. */
static state_ticket
span_put(struct state *s, const struct identity *log, const struct identity *content,
    struct span_state span)
{
	return state_spans(s, &(struct span_post){ *log, *content, NULL, span }, 1);
}

/* A state that has the content `id`, and a log of the same name. */
static struct state *
begun(void)
{
	struct state *s = state_open(dir);

	assert_non_null(s);
	span_put(s, &id, &id, (struct span_state){ .seal = SEAL_NONE });
	return s;
}

static uint64_t
shipped(struct state *s, unsigned reader)
{
	struct cursors at[SIDES];

	state_cursors(s, &id, reader, at);
	return at[SIDE_STDOUT].shipped;
}

static uint64_t
counted(struct state *s)
{
	struct cursors at[SIDES];

	state_cursors(s, &id, 0, at);
	return at[SIDE_STDOUT].counted;
}

/* ---- what is kept */

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
	const struct span_post post = { id, id, &is, { .seal = SEAL_NONE, .rules = UINT64_MAX } };
	struct content_state was;
	struct cursors at[SIDES];
	struct checkpoint checks[CHECKPOINTS];
	struct identity found[2];
	struct state *s = state_open(dir);

	(void)state;
	assert_non_null(s);
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
test_another_start_of_the_machine_is_noticed_once(void **state)
{
	struct state *s = state_open(dir);

	(void)state;
	assert_false(state_rebooted(s));
	reopen(&s);
	assert_false(state_rebooted(s));
	state_close(s);
	execute("UPDATE machine SET boot = 'another'");
	s = state_open(dir);
	assert_true(state_rebooted(s));
	reopen(&s);
	assert_false(state_rebooted(s));
	state_close(s);
}

static void
test_nothing_is_shipped_that_is_not_counted(void **state)
{
	struct state *s = begun();

	(void)state;
	state_reader(s, "main");
	state_break(s, &id, SIDE_STDOUT, 80);
	state_counted(s, &id, SIDE_STDOUT, 70);
	state_counts(s);
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	state_counted(s, &id, SIDE_STDOUT, 100); /* never posted */
	reopen(&s);
	assert_int_equal(shipped(s, 0), 70);
	assert_int_equal(counted(s), 70);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 70, UINT64_MAX),
	    80); /* a replay from 70 meets it */
	state_close(s);
}

static void
test_what_was_held_back_for_the_counters_is_stored_with_them(void **state)
{
	struct state *s = begun();

	(void)state;
	state_reader(s, "main");
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 300));
	state_counted(s, &id, SIDE_STDOUT, 90);
	state_counts(s); /* the cursor itself is not set again */
	reopen(&s);
	assert_int_equal(shipped(s, 0), 90);
	state_close(s);
}

static void
test_what_is_counted_and_not_posted_is_known(void **state)
{
	struct state *s = state_open(NULL);

	(void)state;
	state_counted(s, &id, SIDE_STDOUT, 100);
	state_counts(s);
	state_counted(s, &id, SIDE_STDOUT, 200);
	assert_int_equal(counted(s), 200);
	state_cut(s, &id, 150);
	assert_int_equal(counted(s), 150);
	state_counts(s);
	assert_int_equal(counted(s), 150);
	state_close(s);
}

/* ---- readers */

static void
test_each_reader_has_a_cursor_and_none_passes_what_is_counted(void **state)
{
	struct state *s = begun();
	struct cursors at[SIDES];

	(void)state;
	assert_int_equal(state_reader(s, "a"), 0);
	assert_false(state_cursors(s, &id, 0, at));
	assert_int_equal(at[SIDE_STDOUT].shipped, 0);
	assert_int_equal(state_reader(s, "b"), 1);
	assert_int_equal(state_reader(s, "c"), 2);
	assert_int_equal(state_reader(s, "b"), 1);
	state_counted(s, &id, SIDE_STDOUT, 70);
	state_counts(s);
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	state_shipped(s, &id, SIDE_STDOUT, 1, 60);
	assert_true(shipped(s, 0) == 100 && shipped(s, 1) == 60);
	assert_false(state_cursors(s, &id, 2, at)); /* it begins at the least */
	assert_int_equal(at[SIDE_STDOUT].shipped, 60);
	reopen(&s);
	assert_true(
	    shipped(s, state_reader(s, "a")) == 70 && shipped(s, state_reader(s, "b")) == 60);
	assert_int_equal(state_reader(s, "c"), 2);
	assert_false(state_cursors(s, &id, 2, at));
	assert_int_equal(at[SIDE_STDOUT].shipped, 60);
	state_close(s);
}

static void
test_a_break_stays_until_the_last_reader_has_passed_it(void **state)
{
	struct state *s = begun();

	(void)state;
	state_reader(s, "a");
	state_reader(s, "b");
	state_counted(s, &id, SIDE_STDOUT, 1000);
	state_counts(s);
	state_break(s, &id, SIDE_STDOUT, 200);
	state_break(s, &id, SIDE_STDOUT, 100);
	state_break(s, &id, SIDE_STDOUT, 100);
	state_shipped(s, &id, SIDE_STDOUT, 0, 500);
	state_shipped(s, &id, SIDE_STDOUT, 1, 99);
	reopen(&s);
	assert_int_equal(state_breaks(s, &id), 2);
	state_shipped(s, &id, SIDE_STDOUT, 1, 100);
	reopen(&s);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 1000), 200);
	state_shipped(s, &id, SIDE_STDOUT, 1, 200);
	reopen(&s);
	assert_int_equal(state_breaks(s, &id), 0);
	state_close(s);
}

static void
test_a_break_that_is_not_needed_is_gone(void **state)
{
	struct state *s = begun();

	(void)state;
	for (uint64_t end = 10; end <= 30; end += 10)
		state_break(s, &id, SIDE_STDERR, end);
	state_unbreak(s, &id, SIDE_STDERR, 20);
	state_unbreak(s, &id, SIDE_STDERR, 25);
	state_unbreak(s, &id, SIDE_STDOUT, 10);
	for (int life = 0; life < 2; life++) {
		assert_int_equal(state_breaks(s, &id), 2);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 0, 30), 10);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 10, 30), 30);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 10, 29), 0);
		reopen(&s);
	}
	state_close(s);
}

/* ---- spans */

struct listed {
	size_t n;
	struct identity id[8];
	struct span_state at[8];
};

static void
list_add(void *arg, const struct identity *content, const struct span_state *span)
{
	struct listed *list = arg;

	assert_true(list->n < 8);
	list->id[list->n] = *content;
	list->at[list->n++] = *span;
}

static struct listed
listed(struct state *s, const struct identity *log)
{
	struct listed list = { 0 };

	state_log_spans(s, log, list_add, &list);
	return list;
}

static void
test_spans_come_in_the_order_of_their_positions(void **state)
{
	struct state *s = state_open(dir);
	const struct identity third = { "a third" };
	const struct span_post posts[] = {
		{ id, third, NULL, { 150, 0, SEAL_NONE, 3 } },
		{ id, other, NULL, { 100, 50, 50, 2 } }, /* empty */
		{ id, id, NULL, { 0, 0, SEAL_NONE, 1 } },
		{ other, id, NULL, { 0, 100, SEAL_NONE, 1 } }, /* late, in a log of its own */
	};
	struct listed list;

	(void)state;
	state_spans(s, posts, 4);
	span_put(s, &id, &id, (struct span_state){ 0, 0, 100, 1 }); /* in the place of what was */
	for (int life = 0; life < 2; life++) {
		list = listed(s, &id);
		assert_int_equal(list.n, 3);
		assert_memory_equal(&list.id[0], &id, sizeof(id));
		assert_int_equal(list.at[0].seal, 100);
		assert_memory_equal(&list.id[1], &other, sizeof(id));
		assert_memory_equal(&list.at[1], &posts[1].span, sizeof(list.at[1]));
		assert_memory_equal(&list.id[2], &third, sizeof(id));
		assert_memory_equal(&list.at[2], &posts[0].span, sizeof(list.at[2]));
		list = listed(s, &other);
		assert_int_equal(list.n, 1);
		assert_memory_equal(&list.at[0], &posts[3].span, sizeof(list.at[0]));
		reopen(&s);
	}
	assert_int_equal(listed(s, &third).n, 0);
	state_close(s);
}

/* The seal of one content and the next one come in pairs, whatever happens in between. */
static void
child_of_spans(int report)
{
	struct state *s = state_open(dir);

	for (uint64_t n = listed(s, &id).n == 0 ? 0 : 1;; n++) {
		struct identity a = { "a" }, b = { "b" };
		struct span_post posts[2] = { { id, a, NULL, { 0, 0, 1000, n } },
			{ id, b, NULL, { 1000, 0, SEAL_NONE, n } } };
		state_ticket ticket = state_spans(s, posts, 2);

		while (state_durable(s) < ticket)
			usleep(100);
		if (write(report, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

/* Forks ${work}; kills it some time after the n-th report; the last report is the answer. */
static uint64_t
killed(void (*work)(int report), int reports, useconds_t after)
{
	uint64_t last = 0, seen;
	int report[2], status;
	pid_t pid;

	assert_int_equal(pipe(report), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		work(report[1]);
	close(report[1]);
	for (int i = 0; i < reports; i++)
		assert_int_equal(read(report[0], &last, sizeof(last)), sizeof(last));
	usleep(after);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	while (read(report[0], &seen, sizeof(seen)) == sizeof(seen))
		last = seen;
	close(report[0]);
	return last;
}

static void
test_spans_are_one_change_also_over_a_kill(void **state)
{
	(void)state;
	for (useconds_t round = 0; round < 8; round++) {
		uint64_t last = killed(child_of_spans, (int)round % 3, round * 2900);
		struct state *s = state_open(dir);
		struct listed list = listed(s, &id);

		assert_true(list.n == 2 || (list.n == 0 && round % 3 == 0));
		if (list.n == 2) {
			assert_true(list.at[0].rules == list.at[1].rules);
			assert_true(list.at[0].rules >= last);
			assert_int_equal(list.at[0].seal, 1000);
			assert_true(list.at[1].seal == SEAL_NONE);
		}
		state_close(s);
	}
}

/* ---- a log is cut */

/* Three contents of 100 bytes in one log, the last one of which may grow. */
static void
three_make(struct state *s, struct identity three[3])
{
	for (unsigned i = 0; i < 3; i++) {
		three[i] = (struct identity){ { 't', 'h', 'r', 'e', 'e', (unsigned char)i } };
		span_put(s, &id, &three[i],
		    (struct span_state){ 100 * i, 0, i == 2 ? SEAL_NONE : 100, 0 });
		state_checkpoint(s, &three[i], &(struct checkpoint){ 10, 1 });
		state_checkpoint(s, &three[i], &(struct checkpoint){ 60, 1 });
	}
	state_reader(s, "a");
	state_reader(s, "b");
	for (enum side side = 0; side < SIDES; side++) {
		state_shipped(s, &id, side, 0, 20);
		state_shipped(s, &id, side, 1, 220);
		state_counted(s, &id, side, 250);
		state_break(s, &id, side, 30 + side);
		state_break(s, &id, side, 130 + side);
		state_break(s, &id, side, 230 + side);
	}
	wait_durable(s, state_counts(s));
}

static void
test_a_log_that_is_cut_loses_what_is_behind(void **state)
{
	static const struct {
		uint64_t at, a, b;
		size_t spans, breaks;
		unsigned checks[3];
	} cases[] = {
		{ 0, 0, 0, 1, 0, { 0, 0, 0 } },
		{ 10, 10, 10, 1, 0, { 1, 0, 0 } },
		{ 99, 20, 99, 1, 2, { 2, 0, 0 } },
		{ 100, 20, 100, 2, 2, { 2, 0, 0 } },
		{ 130, 20, 130, 2, 3, { 2, 1, 0 } },
		{ 210, 20, 210, 3, 4, { 2, 2, 1 } },
		{ 999, 20, 220, 3, 6, { 2, 2, 2 } },
	};
	struct identity three[3];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct state *s = state_open(dir);

		three_make(s, three);
		state_counted(s, &id, SIDE_STDOUT, 260); /* is not posted yet */
		state_cut(s, &id, cases[i].at);
		state_counts(s);
		for (int life = 0; life < 2; life++) {
			struct checkpoint checks[CHECKPOINTS];
			struct listed list = listed(s, &id);

			assert_int_equal(list.n, cases[i].spans);
			for (size_t j = 0; j < list.n; j++)
				assert_true(list.at[j].seal == (j == list.n - 1 ? SEAL_NONE : 100));
			assert_int_equal(shipped(s, 0), cases[i].a);
			assert_int_equal(shipped(s, 1), cases[i].b);
			assert_int_equal(counted(s), cases[i].at < 260 ? cases[i].at : 260);
			assert_int_equal(state_breaks(s, &id), cases[i].breaks);
			for (unsigned j = 0; j < 3; j++)
				assert_int_equal(
				    state_checkpoints(s, &three[j], checks), cases[i].checks[j]);
			reopen(&s);
		}
		state_close(s);
		assert_int_equal(unit_remove(dir), 0);
	}
	assert_int_equal(mkdir(dir, 0700), 0);
}

/* ---- contents */

static void
test_the_contents_of_a_home_come_with_the_one_seen_last_first(void **state)
{
	struct state *s = state_open(dir);
	struct content_state is = { .home = { "home" } };
	struct identity found[4];

	(void)state;
	for (unsigned char i = 0; i < 4; i++) {
		struct span_post post = { { { i } }, { { i } }, &is, { .seal = SEAL_NONE } };

		is.first_seen = i;
		state_spans(s, &post, 1);
		state_opened(s, &post.id, "/a");
		usleep(1000);
	}
	for (unsigned char i = 0; i < 4; i++) {
		if (i != 1)
			state_ended(s, &(struct identity){ { i ^ 1 } });
		usleep(1000);
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
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
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
	struct state *s = state_open(dir);

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

static void
test_what_is_not_open_is_forgotten_with_the_years(void **state)
{
	struct state *s = begun();
	struct content_state was;

	(void)state;
	span_put(s, &other, &other, (struct span_state){ .seal = SEAL_NONE });
	state_reader(s, "main");
	state_shipped(s, &id, SIDE_STDOUT, 0, 0);
	state_break(s, &id, SIDE_STDOUT, 7);
	state_break(s, &other, SIDE_STDOUT, 7);
	state_opened(s, &id, "/a");
	state_ended(s, &id);
	state_opened(s, &other, "/b");
	state_close(s);
	execute("UPDATE contents SET touched = touched - 2592000000000000 - 1");
	s = state_open(dir);
	assert_false(state_find(s, &id, &was));
	assert_int_equal(listed(s, &id).n, 0);
	assert_int_equal(state_breaks(s, &id), 0);
	assert_true(state_find(s, &other, &was));
	assert_int_equal(state_breaks(s, &other), 1);
	state_close(s);
}

/* ---- framing rules */

static void
test_rules_are_kept_as_long_as_a_span_has_them(void **state)
{
	struct state *s = state_open(dir);
	uint64_t a = state_rules(s, SLICE("framing=1 a")), b = state_rules(s, SLICE("framing=1 b"));

	(void)state;
	assert_true(a != b && a == state_rules(s, SLICE("framing=1 a")));
	span_put(s, &id, &id, (struct span_state){ 0, 0, 50, a });
	span_put(s, &id, &id, (struct span_state){ 0, 50, SEAL_NONE, b });
	reopen(&s);
	assert_string_equal(state_rules_text(s, a), "framing=1 a");
	assert_string_equal(state_rules_text(s, b), "framing=1 b");
	assert_null(state_rules_text(s, 7));
	span_put(s, &id, &id, (struct span_state){ 0, 0, 50, b });
	reopen(&s);
	assert_null(state_rules_text(s, a));
	assert_string_equal(state_rules_text(s, b), "framing=1 b");
	state_close(s);
}

/* ---- tickets */

static void
test_a_ticket_is_durable_after_a_commit_and_wakes(void **state)
{
	struct state *s = state_open(dir);
	struct pollfd wake = { .fd = eventfd(0, EFD_NONBLOCK), .events = POLLIN };
	state_ticket ticket;

	(void)state;
	state_wake(s, wake.fd);
	ticket = state_break(s, &id, SIDE_STDOUT, 5);
	assert_int_equal(poll(&wake, 1, 30000), 1);
	wait_durable(s, ticket);
	state_shipped(s, &id, SIDE_STDOUT, 0, 5); /* nobody waits: it comes in a second */
	wait_durable(s, ticket + 1);
	state_close(s);
	close(wake.fd);
}

/* A child that posts until it is killed; what it saw durable must be there. */
static void
child(int report)
{
	struct state *s = begun();

	state_reader(s, "main");
	for (uint64_t at = counted(s) + 1;; at++) {
		state_ticket ticket;
		char value[32];

		snprintf(value, sizeof(value), "%llu", (unsigned long long)at);
		state_break(s, &id, SIDE_STDERR, at);
		state_counted(s, &id, SIDE_STDOUT, at);
		state_text(s, SLICE("a"), slice_of(value));
		ticket = state_counts(s);
		state_shipped(s, &id, SIDE_STDOUT, 0, at);
		while (state_durable(s) < ticket)
			usleep(100);
		if (write(report, &at, sizeof(at)) != sizeof(at))
			_exit(1);
	}
}

static void
number(void *arg, struct slice key, struct slice value)
{
	if (slice_eq(key, SLICE("a")))
		*(uint64_t *)arg = strtoull(value.at, NULL, 10);
}

static void
test_a_kill_at_any_instant_loses_nothing_that_was_durable(void **state)
{
	(void)state;
	for (int round = 0; round < 12; round++) {
		/* so many commits, and a part of another */
		uint64_t last = killed(child, 1 + round % 4, (useconds_t)(round * 1700)),
			 counter = 0;
		struct state *s = state_open(dir);

		assert_non_null(s);
		state_texts(s, number, &counter);
		assert_true(counted(s) >= last);
		assert_int_equal(counter, counted(s));
		assert_true(shipped(s, 0) <= counter);
		assert_true(
		    last == 0 || state_is_break(s, &id, SIDE_STDERR, last - 1, UINT64_MAX) > 0);
		state_close(s);
	}
}

/* ---- what cannot be used */

static void
test_a_second_instance_is_refused(void **state)
{
	struct state *s = state_open(dir);

	(void)state;
	errno = 0;
	assert_null(state_open(dir));
	assert_int_equal(errno, EBUSY);
	state_close(s);
}

/* A later version; one of before the first release, also where its number is ours. */
static void
test_another_schema_is_refused_and_left_alone(void **state)
{
	static const char *const others[] = { "PRAGMA user_version = 99",
		"PRAGMA user_version = 6; PRAGMA application_id = 0", "PRAGMA application_id = 0" };
	struct state *s = begun();

	(void)state;
	state_break(s, &id, SIDE_STDOUT, 5);
	state_close(s);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		execute(others[i]);
		assert_null(state_open(dir));
		assert_null(state_look(dir));
		execute("PRAGMA user_version = 1; PRAGMA application_id = 0x746f776c"); /* ours */
		s = state_open(dir);
		assert_non_null(s);
		assert_false(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 5);
		state_close(s);
	}
}

static void
spoil(const char *name, long from)
{
	char *path = xprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	fseek(file, from, SEEK_SET);
	for (int i = 0; i < 4000; i++)
		fputc('x', file);
	fclose(file);
	free(path);
}

static void
test_a_corrupt_file_is_set_aside(void **state)
{
	static const long from[] = { 0, 200 };
	char pattern[128];
	glob_t found;

	(void)state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		struct state *s = begun();

		state_break(s, &id, SIDE_STDOUT, 5);
		state_close(s);
		spoil("state.db", from[i]);
		s = state_open(dir);
		assert_non_null(s);
		assert_true(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 5), 0);
		span_put(s, &id, &id, (struct span_state){ .seal = SEAL_NONE });
		wait_durable(s, state_break(s, &id, SIDE_STDOUT, 6));
		reopen(&s);
		assert_false(state_was_set_aside(s));
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 6), 6);
		state_close(s);
		snprintf(pattern, sizeof(pattern), "%s/state.db.corrupt-*", dir);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		assert_true(found.gl_pathc > i); /* each under a name of its own */
		globfree(&found);
	}
}

/* No file of this process may grow: what a full disk does. */
static void
disk_full(bool full)
{
	struct rlimit limit;
	struct stat st;
	char *path = xprintf("%s/state.db-wal", dir);

	getrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(stat(path, &st), 0);
	limit.rlim_cur = full ? (rlim_t)st.st_size : limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	free(path);
}

static void
test_a_full_disk_is_said_and_recovers(void **state)
{
	struct state *s = begun();
	state_ticket ticket;
	char why[512] = "";

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 5));
	assert_true(state_ready(s, why, sizeof(why)));
	disk_full(true);
	ticket = state_break(s, &id, SIDE_STDOUT, 6);
	for (uint64_t i = 0; i < 1000; i++) {
		struct identity many = { "many" };

		memcpy(many.at + 8, &i, sizeof(i));
		state_size(s, &many, i);
	}
	state_text(s, SLICE("t"), SLICE("1"));
	state_counts(s);
	for (int i = 0; state_stale(s) == 0; i++) {
		assert_true(i < 6000);
		usleep(5000);
	}
	assert_false(state_ready(s, why, sizeof(why)));
	assert_non_null(strstr(why, dir));
	assert_true(state_durable(s) < ticket);
	state_break(s, &id, SIDE_STDOUT, 7); /* meanwhile */
	disk_full(false);
	wait_durable(s, ticket);
	assert_true(state_ready(s, why, sizeof(why)));
	assert_int_equal(state_stale(s), 0);
	reopen(&s);
	for (uint64_t end = 5; end <= 7; end++)
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, end - 1, end), end);
	texts = 0;
	state_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_of_a_content_and_its_log_comes_back),
		TEST(test_another_start_of_the_machine_is_noticed_once),
		TEST(test_nothing_is_shipped_that_is_not_counted),
		TEST(test_what_was_held_back_for_the_counters_is_stored_with_them),
		TEST(test_what_is_counted_and_not_posted_is_known),
		TEST(test_each_reader_has_a_cursor_and_none_passes_what_is_counted),
		TEST(test_a_break_stays_until_the_last_reader_has_passed_it),
		TEST(test_a_break_that_is_not_needed_is_gone),
		TEST(test_spans_come_in_the_order_of_their_positions),
		TEST(test_spans_are_one_change_also_over_a_kill),
		TEST(test_a_log_that_is_cut_loses_what_is_behind),
		TEST(test_the_contents_of_a_home_come_with_the_one_seen_last_first),
		TEST(test_how_far_a_content_is_done),
		TEST(test_checkpoints_kept_lie_ever_farther_apart),
		TEST(test_counters_are_texts),
		TEST(test_what_is_not_open_is_forgotten_with_the_years),
		TEST(test_rules_are_kept_as_long_as_a_span_has_them),
		TEST(test_a_ticket_is_durable_after_a_commit_and_wakes),
		TEST(test_a_kill_at_any_instant_loses_nothing_that_was_durable),
		TEST(test_a_second_instance_is_refused),
		TEST(test_another_schema_is_refused_and_left_alone),
		TEST(test_a_corrupt_file_is_set_aside),
		TEST(test_a_full_disk_is_said_and_recovers),
	};

	voice_level(getenv("SAY") != NULL ? VOICE_DEBUG : VOICE_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
