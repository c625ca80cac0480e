/*
 * Framing rules over restarts with other options: a record that was cut once is
 * cut so for ever, whatever was delivered of the file when the reader ended.
 */
#include "chance.h"
#include "own_joins.h"
#include "tail_rig.h"

static char plain[] = "plain", docker[] = "docker";

/* ---- a reader whose records are kept, and of which only some are delivered */

struct seen {
	struct record_id id;
	struct identity log;
	uint64_t end;
	enum side side;
	char *text;
};

static struct seen *seen;
static size_t nseen;
static unsigned deliver; /* so many records; what follows stays on its way */
static bool refuse;      /* each record is refused before it is taken */
static bool refused;     /* the last one was */

static void
seen_add(const struct framed *f)
{
	struct record_id id = record_id(f);

	for (size_t i = 0; i < nseen; i++) {
		struct seen *s = &seen[i];

		if (s->side != f->side || s->id.offset != id.offset ||
		    memcmp(&s->id.content, &id.content, sizeof(id.content)) != 0)
			continue;
		assert_int_equal(s->end, record_end(f));
		assert_int_equal(s->id.hash, id.hash);
		assert_slice(f->text, s->text);
		return;
	}
	seen = realloc(seen, (nseen + 1) * sizeof(*seen));
	seen[nseen++] =
	    (struct seen){ id, record_log(f), record_end(f), f->side, xslicedup(f->text) };
}

static bool
take(void *arg, const struct framed *f)
{
	struct world *w = arg;
	struct flight flight;

	refused = refuse && !refused;
	if (refused)
		return false;
	assert_true(record_send(w->book, f, ++w->batch, 1, &flight));
	record_seal(w->book, flight);
	if (deliver > 0) {
		deliver--;
		record_settle(w->book, flight);
	}
	seen_add(f);
	w->records++;
	return true;
}

static void
life_begins(struct world *w, unsigned delivers)
{
	const struct tail_conf *conf = &w->conf;

	range_book_free(w->book);
	w->book = range_book_new(w->state, 20000);
	deliver = delivers;
	w->records = 0;
	w->tail = tail_make(conf, w->state, w->book, take, NULL, on_stream, w);
}

static void
life_ends(struct world *w)
{
	tail_free(w->tail);
	w->tail = NULL;
}

/*
 * Read to the end, and then so long: open records end when it is more than
 * Flush.  On a busy machine one may be open although the time is over, or be read once more.
 */
static void
read_all(struct world *w, int ms)
{
	int64_t until = clock_mono() + 20 * NS_PER_S;

	do {
		tail_turn(w->tail, 1);
		tail_wait(w->tail, -1, 1);
		assert_true(clock_mono() < until);
	} while (!tail_is_read(w->tail));
	for (int64_t over = clock_mono() + ms * NS_PER_MS; clock_mono() < over ||
							   tail_is_due(w->tail, ms * NS_PER_MS) ||
							   !tail_is_read(w->tail);) {
		tail_turn(w->tail, 1);
		tail_wait(w->tail, -1, 1);
		assert_true(clock_mono() < until);
	}
}

/* Read what is there. */
static void
read_once(struct world *w, unsigned delivers, int ms)
{
	life_begins(w, delivers);
	read_all(w, ms);
	life_ends(w);
}

static int
by_offset(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->id.offset != y->id.offset)
		return x->id.offset < y->id.offset ? -1 : 1;
	return (int)x->side - (int)y->side;
}

/* All records so far, in the order of the file: side:text|… */
static void
assert_seen(const char *want)
{
	struct buffer got;

	buffer_init(&got, 0);
	qsort(seen, nseen, sizeof(*seen), by_offset);
	for (size_t i = 0; i < nseen; i++)
		buffer_printf(&got, "%d:%s|", seen[i].side, seen[i].text);
	assert_slice(buffer_slice(&got), want);
	buffer_fini(&got);
}

static void
seen_clear(void)
{
	for (size_t i = 0; i < nseen; i++)
		free(seen[i].text);
	free(seen);
	seen = NULL;
	nseen = 0;
}

static int
clear(void **state)
{
	seen_clear();
	return teardown(state);
}

/* ---- one change, two changes */

static void
test_what_was_there_is_cut_as_before_and_what_comes_anew(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log",
	    AT(1) "stdout F ERROR a\n" AT(1) "stdout F \tat c\n" AT(1) "stderr F err\n" AT(
		1) "stdout P le\n" AT(1) "stdout F ft\n");
	read_once(w, 0, 100);
	assert_seen("0:ERROR a\n\tat c|1:err|0:left|");
	w->conf.parser = plain;
	life_begins(w, 0);
	read_all(w, 0);
	put_line(w, "0.log", AT(2) "stdout F x\n");
	read_all(w, 100);
	life_ends(w);
	assert_seen("0:ERROR a\n\tat c|1:err|0:left|0:" AT(2) "stdout F x|");
	w->conf.parser = NULL;
	life_begins(w, 100);
	read_all(w, 0);
	put_line(w, "0.log", AT(3) "stdout F y\n" AT(3) "stdout F \tat a.b(C)\n");
	read_all(w, 100);
	assert_seen("0:ERROR a\n\tat c|1:err|0:left|0:" AT(2) "stdout F x|0:y\n\tat a.b(C)|");
	assert_int_equal(w->records, 5); /* each of them once in each life */
}

static void
test_a_record_that_began_before_goes_on_as_before(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout P le\n");
	read_once(w, 0, 0);
	w->conf.parser = plain;
	life_begins(w, 0);
	read_all(w, 0);
	/* What was open when the lines' form changed ends there. */
	put_line(w, "0.log",
	    AT(2) "stderr F err\n" AT(2) "stdout F ft\n" AT(2) "stdout F \tat a\n" AT(
		2) "stdout F x\n" AT(2) "stdout F y\n");
	read_all(w, 0);
	assert_seen("0:le|0:" AT(2) "stderr F err|0:" AT(2) "stdout F ft|0:" AT(
	    2) "stdout F \tat a|0:" AT(2) "stdout F x|0:" AT(2) "stdout F y|");
	life_ends(w);
	life_begins(w, 100);
	read_all(w, 0);
	assert_int_equal(w->records, 6);
}

/* A line of the new form that is offered again joins nothing that is of the old one. */
static void
test_what_ends_where_the_form_changes_is_refused_first(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout F ERROR x\n" AT(1) "stderr F ERROR y\n");
	read_once(w, 0, 0);
	w->conf.parser = plain;
	refuse = true;
	life_begins(w, 100);
	read_all(w, 0);
	put_line(w, "0.log", "\tat a.b(C)\n");
	read_all(w, 0);
	refuse = false;
	assert_seen("0:ERROR x|1:ERROR y|0:\tat a.b(C)|");
}

static void
test_a_shorter_flush_cuts_only_what_comes(void **state)
{
	static const char lines[] = AT(1) "stdout F x\n" AT(3) "stdout F \tat a\n";
	struct world *w = *state;

	w->conf.flush = 10000;
	put_line(w, "0.log", lines);
	read_once(w, 0, 0);
	w->conf.flush = 1000;
	life_begins(w, 0);
	read_all(w, 0);
	put_line(w, "0.log",
	    AT(5) "stdout F INFO next\n" AT(8) "stdout F \tat a\n" AT(9) "stdout F end\n");
	read_all(w, 1500);
	assert_seen("0:x\n\tat a|0:INFO next|0:\tat a|0:end|");
}

/* Neither what is open on the other side when a record of before ends. */
static void
test_another_flush_tears_nothing(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stderr F err\n");
	read_once(w, 0, 0);
	for (unsigned life = 0; life < 3; life++) {
		w->conf.flush = life == 1 ? 800 : 500;
		life_begins(w, life == 2 ? 100 : 0);
		read_all(w, 0);
		if (life == 0)
			put_line(w, "0.log",
			    AT(1) "stdout F ERROR x\n" AT(1) "stderr F other\n" AT(
				1) "stdout F a.BException: b\n" AT(1) "stdout F \tat c\n");
		read_all(w, life == 2 ? 1500 : 0);
		life_ends(w);
	}
	assert_seen("1:err|0:ERROR x\na.BException: b\n\tat c|1:other|");
}

/* Stamped before a line of the other side, written behind it: it joins no record that this line ended. */
static void
test_a_line_that_is_done_ends_what_is_open_on_the_other_side(void **state)
{
	struct world *w = *state;

	w->conf.flush = 500;
	put_line(w, "0.log",
	    AT(1) "stderr F ERROR x\n" AT(2) "stdout F {}\n" AT(1) "stderr F \tat a\n" AT(
		3) "stderr F y\n");
	read_once(w, 0, 600);
	assert_seen("1:ERROR x|0:{}|1:\tat a|1:y|");
	delivered_to(w->state, &seen[0].log, SIDE_STDOUT, seen[1].end);
	life_begins(w, 100);
	read_all(w, 600);
	assert_int_equal(w->records, 3);
}

/* The id has a hash of the first line: of what the cap of its time left of it. */
static void
test_a_long_line_is_cut_at_the_cap_of_its_time(void **state)
{
	struct world *w = *state;
	size_t n = 400000;
	char *line = xmalloc(n + 100);

	put_line(w, "0.log", AT(1) "stdout F first\n");
	for (unsigned i = 0; i < 3; i++) {
		static const uint64_t caps[] = { 200000, 1024, 500000 };
		static const char head[] = AT(1) "stdout F ";

		memcpy(line, head, sizeof(head) - 1);
		memset(line + sizeof(head) - 1, 'x', n);
		memcpy(line + sizeof(head) - 1 + n, "\n", 2);
		w->conf.buffer_max_size = caps[i];
		life_begins(w, 0);
		read_all(w, 0);
		put_line(w, "0.log", line);
		put_line(w, "0.log", AT(2) "stdout F end\n");
		read_all(w, 100);
		life_ends(w);
	}
	free(line);
	qsort(seen, nseen, sizeof(*seen), by_offset);
	assert_int_equal(nseen, 7);
	assert_in_range(strlen(seen[1].text), 199900, 200000);
	assert_in_range(strlen(seen[3].text), 900, 1024);
	assert_int_equal(strlen(seen[5].text), n);
}

/* ---- over a rotation */

static void
turn_until_seen(struct world *w, size_t n)
{
	int64_t until = clock_mono() + 20 * NS_PER_S;

	while (nseen < n) {
		tail_turn(w->tail, 1);
		tail_wait(w->tail, -1, 5);
		assert_true(clock_mono() < until);
	}
}

static bool
has_seen(const char *text)
{
	for (size_t i = 0; i < nseen; i++) {
		if (strcmp(seen[i].text, text) == 0)
			return true;
	}
	return false;
}

/* The older file's writer has more when its open record has gone on in the next one. */
static void
rotated_with_late_bytes(struct world *w, const char *last, const char *late, unsigned delivered)
{
	char *old = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	char *new = xprintf("%s.20260101-000000", old);
	int writer;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout F {}\n");
	put_line(w, "0.log", last);
	life_begins(w, delivered);
	turn_until_seen(w, 1);
	writer = open(old, O_WRONLY | O_APPEND);
	assert_true(writer >= 0);
	assert_int_equal(rename(old, new), 0);
	put_line(
	    w, "0.log", AT(2) "stdout F right\n" AT(2) "stdout F {1}\n" AT(2) "stdout F {2}\n");
	turn_until_seen(w, 4); /* Rotate_Wait is over */
	assert_int_equal(write(writer, late, strlen(late)), strlen(late));
	turn_until_seen(w, 6);
	life_ends(w);
	close(writer);
	for (unsigned life = 0; life < 2; life++) {
		int64_t until = clock_mono() + 20 * NS_PER_S;

		life_begins(w, 0);
		while (w->records < 6 - delivered && clock_mono() < until) {
			tail_turn(w->tail, 1);
			tail_wait(w->tail, -1, 5);
		}
		assert_int_equal(w->records, 6 - delivered);
		life_ends(w);
		assert_int_equal(nseen, 6);
	}
	free(old);
	free(new);
}

static void
test_late_bytes_behind_a_rotation_begin_a_record(void **state)
{
	rotated_with_late_bytes(
	    *state, AT(1) "stdout P left \n", AT(3) "stdout F late\n" AT(3) "stdout F {3}\n", 0);
	assert_true(has_seen("left right") && has_seen("late"));
}

static void
test_late_bytes_after_what_was_delivered(void **state)
{
	rotated_with_late_bytes(
	    *state, AT(1) "stdout P left \n", AT(3) "stdout F late\n" AT(3) "stdout F {3}\n", 1);
	assert_true(has_seen("left right") && has_seen("late"));
}

static void
test_the_rest_of_a_line_that_had_no_newline_is_a_record(void **state)
{
	rotated_with_late_bytes(*state, AT(1) "stdout P le", "late\n" AT(3) "stdout F {3}\n", 0);
	assert_true(has_seen("leright") && has_seen("late"));
}

/* ---- what is not understood */

static void
test_rules_that_are_not_understood_give_way_to_the_present_ones(void **state)
{
	struct world *w = *state;
	static const char *const texts[] = { "framing=4 runtime=1 flush=50 cap=100000",
		"framing=2 runtime=1 flush=50 cap=100000",
		"framing=3 runtime=2 flush=50 cap=100000", "framing=3 runtime=1", "",
		"framing=3 runtime=0 flush=50 cap=99999999999",
		"framing=3 runtime=0 flush=50 cap=100000 more=1" };
	struct identity id;

	put_line(w, "0.log", AT(1) "stdout F x\n" AT(1) "stdout F \tat a\n");
	life_begins(w, 0);
	read_all(w, 0);
	id = tail_log(w->tail);
	life_ends(w);
	voice_open(VOICE_ERROR, "/dev/null");
	for (size_t i = 0; i < COUNT(texts); i++) {
		rules_are(w->state, &id, texts[i]);
		read_once(w, 0, 100);
		assert_seen("0:x\n\tat a|");
	}
}

/* ---- any */

/* Lines with a mark each, of both sides, that join or not; their times go on. */
static unsigned
lines_put(struct world *w, unsigned mark, unsigned *ms)
{
	static const struct {
		const char *head, *end;
	} kinds[] = { { "F ", " x" }, { "F \tat ", "" }, { "P ", "" }, { "F a.b.CException: ", "" },
		{ "F {\"a\":\"", "\"}" }, { "F ERROR ", "" }, { "P {", "" }, { "F ", "}" } };
	struct buffer to;

	buffer_init(&to, 0);
	for (unsigned n = any(8); n > 0; n--) {
		unsigned kind = any(COUNT(kinds));

		*ms += any(30) == 0 ? 3000 : any(20);
		buffer_printf(&to, "2026-11-22T08:%02u:%02u.%03uZ %s ", *ms / 60000,
		    *ms / 1000 % 60, *ms % 1000, any(3) == 0 ? "stderr" : "stdout");
		if (any(10) == 0)
			buffer_printf(&to, "F \n");
		else
			buffer_printf(&to, "%s<%u>%s\n", kinds[kind].head, mark++, kinds[kind].end);
	}
	buffer_put(&to, (struct slice){ "", 1 });
	put_line(w, "0.log", to.at);
	buffer_fini(&to);
	return mark;
}

/* Each mark is in one record, and in one alone. */
static void
assert_marks(unsigned marks)
{
	for (unsigned mark = 0; mark < marks; mark++) {
		char *text = xprintf("<%u>", mark);
		unsigned found = 0;

		for (size_t i = 0; i < nseen; i++)
			found += strstr(seen[i].text, text) != NULL;
		if (found != 1)
			fail_msg("%s is in %u records", text, found);
		free(text);
	}
}

static const struct own_words own_rules[] = {
	{ { "regex", "3", "start_state", "/ERROR|Exception/", "t", "t", "/^\\tat/", "u", "t, u",
	    "/^\\{/", "t" } },
	{ { "first", "/^[<{]/" } },
	{ { "endswith", "0", "x" } },
	{ { "endswith", "1", "x" } },
	{ { "eq", "0", "}" } },
};

/* Lives of all kinds of ends, each with options of its own; seen_add() compares what comes again. */
static void
random_lives(struct world *w, unsigned seed)
{
	static char *const parsers[] = { NULL, plain, docker, NULL };
	unsigned marks = 0, ms = 0;

	chance = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned life = 0; life < 12; life++) {
		w->conf.parser = parsers[any(4)];
		own_joins(&w->conf, own_rules, COUNT(own_rules));
		w->conf.flush = 10 + any(3) * 20;
		w->conf.buffer_max_size = 1024 << any(4);
		marks = lines_put(w, marks, &ms);
		life_begins(w, any(2) == 0 ? 0 : any(20));
		for (unsigned i = any(4); i > 0; i--) {
			read_all(w, (int)any(2) * 60);
			marks = lines_put(w, marks, &ms);
		}
		life_ends(w);
	}
	put_line(w, "0.log", /* a cut line would wait */
	    "2026-11-22T09:00:00Z stdout F end\n2026-11-22T09:00:00Z stderr F end\n");
	life_begins(w, UINT32_MAX);
	read_all(w, 60);
	assert_marks(marks);
}

static void
test_any_options_any_end(void **state)
{
	struct world *w = *state;
	const char *only = getenv("SEED");

	for (unsigned seed = 0; seed < 8; seed++) {
		if (only != NULL && seed != (unsigned)strtoul(only, NULL, 10))
			continue;
		print_message("seed %u\n", seed);
		random_lives(w, seed);
		life_ends(w);
		shell("rm %s/pods/" POD "/agent/0.log; touch %s/pods/" POD "/agent/0.log", w->dir,
		    w->dir);
		seen_clear();
		state_close(w->state);
		w->state = state_open(NULL);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, clear)
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_there_is_cut_as_before_and_what_comes_anew),
		TEST(test_a_record_that_began_before_goes_on_as_before),
		TEST(test_what_ends_where_the_form_changes_is_refused_first),
		TEST(test_a_shorter_flush_cuts_only_what_comes),
		TEST(test_another_flush_tears_nothing),
		TEST(test_a_line_that_is_done_ends_what_is_open_on_the_other_side),
		TEST(test_a_long_line_is_cut_at_the_cap_of_its_time),
		TEST(test_late_bytes_behind_a_rotation_begin_a_record),
		TEST(test_late_bytes_after_what_was_delivered),
		TEST(test_the_rest_of_a_line_that_had_no_newline_is_a_record),
		TEST(test_rules_that_are_not_understood_give_way_to_the_present_ones),
		TEST(test_any_options_any_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
