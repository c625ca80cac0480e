/*
 * Lines that an open record holds until a later one says whose they are, and cut
 * lines that wait for their parts: whole, cut at every byte, over a rotation,
 * with every record refused first.  On a clock of our own.
 */
#include "own_clock.h"
#include "tail_rig.h"

#define FILES 300 /* at a time */
#define OUT(text) AT(1) "stdout F " text "\n"
#define ERR(text) AT(1) "stderr F " text "\n"

/* Two sides; held lines that belong, that do not, that hold further ones. */
static const char *const lines[] = {
	OUT("2026-11-22 08:00:00.001 ERROR [t] a.B - failed"),
	ERR("java.io.IOException: on the other side"),
	OUT("a.b.SqlException: in"),
	OUT(""),
	ERR("{ \"code\": 404,"),
	OUT("ERROR: relation"),
	OUT("{ \"code\": 404,"),
	AT(1) "stdout P   a part, ",
	AT(1) "stdout F and a part",
	ERR("\tat c.D.e(D.java:1)"),
	OUT("\tat c.D.e(D.java:1)"),
	ERR("held behind a trace"),
	ERR(""),
	OUT("2026-11-22 08:00:00.002 WARN  [t] a.B - none follows"),
	OUT("ERROR: a record of its own"),
	ERR("java.io.IOException: another one"),
	OUT("that holds this one"),
	OUT("java.io.IOException: and has this one"),
	OUT("which holds this one"),
	OUT("{\"whole\":1}"),
	ERR("{\"whole\":2}"),
};

/* Without a number before its end, the first line of a file is its content's name. */
static const char want_out[] =
    "2026-11-22 08:00:00.001 ERROR [t] a.B - failed\na.b.SqlException: in\n\nERROR: relation\n"
    "{ \"code\": 404,\n  a part, and a part\n\tat c.D.e(D.java:1)|"
    "2026-11-22 08:00:00.002 WARN  [t] a.B - none follows\nERROR: a record of its own\n"
    "that holds this one\njava.io.IOException: and has this one|which holds this one|"
    "{\"whole\":1}|";
static const char want_err[] =
    "java.io.IOException: on the other side\n{ \"code\": 404,\n\tat c.D.e(D.java:1)|"
    "held behind a trace\n\njava.io.IOException: another one|{\"whole\":2}|";

static struct buffer said[FILES][SIDES];

static bool
note(void *arg, const struct framed *f)
{
	struct world *w = arg;
	unsigned file = (unsigned)strtoul(strrchr(record_path(f), '/') + 2, NULL, 10);

	if (!on_record(arg, f))
		return false;
	w->got.len = 0;
	if (f->text.len > 1 && f->text.at[0] == '{' && f->text.at[1] == '}')
		return true; /* its name */
	buffer_put(&said[file][f->side], f->text);
	buffer_put(&said[file][f->side], SLICE("|"));
	return true;
}

static char *
file_name(const struct world *w, unsigned file, const char *more)
{
	return xprintf("%s/pods/ns_p%u_u%u/c/0.log%s", w->dir, file, file, more);
}

static void
append(const struct world *w, unsigned file, const char *bytes, size_t n)
{
	char *path = file_name(w, file, "");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	free(path);
}

static void
files_make(struct world *w, unsigned n)
{
	shell("cd %s && i=0 && while [ $i -lt %u ]; do mkdir -p pods/ns_p${i}_u$i/c && "
	      "ln -s %s/pods/ns_p${i}_u$i/c/0.log containers/p${i}_ns_c.log; i=$((i + 1)); done",
	    w->dir, n, w->dir);
	for (unsigned file = 0; file < n; file++) {
		char *first = xprintf(AT(1) "stdout F {} %u\n", file);

		append(w, file, first, strlen(first));
		free(first);
		buffer_init(&said[file][0], 0);
		buffer_init(&said[file][1], 0);
	}
}

static void
turns(struct world *w, unsigned n)
{
	for (; n > 0; n--) {
		now_ns += NS_PER_MS;
		tail_told(w->tail);
		tail_turn(w->tail, 1);
	}
}

static void
start_here(struct world *w)
{
	const struct tail_conf *conf = &w->conf;

	w->conf.flush = 100000;
	w->tail = tail_make(conf, w->state, w->book, note, NULL, on_stream, w);
}

/* Until all files have said so many records. */
static void
all_come(struct world *w, unsigned records)
{
	for (unsigned i = 0; i < 3000 && w->records < records; i++)
		turns(w, 10);
	turns(w, 50);
	if (w->records != records)
		fail_msg("%u records of %u, of the first file: %.*s\n%.*s", w->records, records,
		    (int)said[0][0].len, said[0][0].at, (int)said[0][1].len, said[0][1].at);
}

static void
assert_said(unsigned n)
{
	for (unsigned file = 0; file < n; file++) {
		assert_slice(buffer_slice(&said[file][SIDE_STDOUT]), want_out);
		assert_slice(buffer_slice(&said[file][SIDE_STDERR]), want_err);
		buffer_fini(&said[file][0]);
		buffer_fini(&said[file][1]);
	}
}

static unsigned
records_of(const char *want)
{
	unsigned n = 0;

	while ((want = strchr(want, '|')) != NULL) {
		want++;
		n++;
	}
	return n;
}

static struct buffer
all_lines(void)
{
	struct buffer to;

	buffer_init(&to, 0);
	for (size_t i = 0; i < COUNT(lines); i++)
		buffer_printf(
		    &to, "%s%s", lines[i], lines[i][strlen(lines[i]) - 1] == '\n' ? "" : "\n");
	return to;
}

/* ---- cut */

/* Each file's lines come in two writes, of which each ends one byte later. */
static void
cut_from(size_t from, unsigned refuse)
{
	const unsigned each = records_of(want_out) + records_of(want_err) + 1;
	struct buffer all = all_lines();
	void *state;
	struct world *w;
	unsigned n = all.len - from < FILES ? (unsigned)(all.len - from) : FILES;

	assert_int_equal(setup(&state), 0);
	w = state;
	w->refuse = refuse;
	files_make(w, n);
	start_here(w);
	for (unsigned file = 0; file < n; file++)
		append(w, file, all.at, from + file);
	turns(w, 5);
	for (unsigned file = 0; file < n; file++)
		append(w, file, all.at + from + file, all.len - from - file);
	all_come(w, each * n);
	assert_said(n);
	buffer_fini(&all);
	teardown(&state);
}

static void
test_cut_at_every_byte(void **state)
{
	struct buffer all = all_lines();

	(void)state;
	for (size_t from = 0; from < all.len; from += FILES)
		cut_from(from, 0);
	buffer_fini(&all);
}

static void
test_every_record_refused_first(void **state)
{
	(void)state;
	cut_from(0, 1);
	cut_from(2 * FILES, 1);
}

/* ---- over a rotation */

static void
test_rotated_behind_every_line(void **state)
{
	const unsigned each = records_of(want_out) + records_of(want_err) + 1;
	struct world *w = *state;
	struct buffer all = all_lines();
	unsigned n = COUNT(lines);

	files_make(w, n);
	start_here(w);
	for (unsigned file = 0; file < n; file++) {
		const char *at = all.at;

		for (unsigned i = 0; i < file; i++)
			at = strchr(at, '\n') + 1;
		append(w, file, all.at, (size_t)(at - all.at));
	}
	turns(w, 5);
	for (unsigned file = 0; file < n; file++) {
		char *old = file_name(w, file, ""), *new = file_name(w, file, ".20260101-000000");
		const char *at = all.at;

		assert_int_equal(rename(old, new), 0);
		for (unsigned i = 0; i < file; i++)
			at = strchr(at, '\n') + 1;
		append(w, file, at, all.len - (size_t)(at - all.at));
		free(old);
		free(new);
	}
	all_come(w, each * n);
	assert_said(n);
	buffer_fini(&all);
}

/* ---- the bound */

static void
test_so_many_lines_are_held(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	w->conf.flush = 100000;
	put_line(w, "0.log", OUT("2026-11-22 08:00:00.001 ERROR [t] a.B - x"));
	for (unsigned i = 0; i < 64; i++)
		put_line(w, "0.log", OUT("."));
	w->tail = tail_make(conf, w->state, w->book, on_record, NULL, on_stream, w);
	turns(w, 300);
	assert_int_equal(w->records, 0);
	put_line(w, "0.log", OUT("."));
	turns(w, 300);
	assert_int_equal(w->records, 65); /* the last one is open */
	put_line(w, "0.log", OUT("2026-11-22 08:00:00.001 ERROR [t] a.B - y"));
	for (unsigned i = 0; i < 64; i++)
		put_line(w, "0.log", OUT("."));
	put_line(w, "0.log", OUT("\tat a.B.c(B.java:1)"));
	put_line(w, "0.log", OUT("2026-11-22 08:00:00.001 INFO  [t] a.B - z"));
	turns(w, 300);
	assert_int_equal(w->records, 67);
}

static void
test_so_many_bytes_are_held(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;
	char *line = xprintf(AT(1) "stdout F %01000d\n", 0);

	w->conf.flush = 100000;
	put_line(w, "0.log", OUT("2026-11-22 08:00:00.001 ERROR [t] a.B - x"));
	w->tail = tail_make(conf, w->state, w->book, on_record, NULL, on_stream, w);
	for (unsigned i = 0; i < 63; i++)
		put_line(w, "0.log", line);
	turns(w, 300);
	assert_int_equal(w->records, 0);
	put_line(w, "0.log", line);
	turns(w, 300);
	assert_int_equal(w->records, 64);
	free(line);
}

/* ---- time */

static void
test_what_is_held_comes_when_nothing_follows(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", OUT("ERROR x") OUT("a") ERR("ERROR y") OUT("b") ERR("c"));
	start(w);
	turns(w, 30);
	assert_int_equal(w->records, 0);
	turns(w, 200);
	assert_got(w, "0:ERROR x|1:ERROR y|0:a|0:b|1:c|");
}

static void
test_a_part_that_comes_late_is_joined(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log",
	    AT(1) "stdout P first "
		  "\n" ERR("ERROR x"));
	start(w);
	turns(w, 500);
	assert_got(w, "1:ERROR x|");
	now_ns += 50 * NS_PER_S;
	turns(w, 5);
	put_line(w, "0.log", "2026-11-22T08:00:50Z stdout F half\n");
	turns(w, 500);
	assert_got(w, "1:ERROR x|0:first half|");
}

static void
test_a_part_that_never_comes_is_waited_for_a_minute(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log",
	    AT(1) "stdout P first"
		  "\n");
	start(w);
	turns(w, 10);
	now_ns += 59 * NS_PER_S;
	turns(w, 10);
	assert_got(w, "");
	now_ns += 2 * NS_PER_S;
	turns(w, 200);
	assert_got(w, "0:first|");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_record_refused_first),
		TEST(test_rotated_behind_every_line),
		TEST(test_so_many_lines_are_held),
		TEST(test_so_many_bytes_are_held),
		TEST(test_what_is_held_comes_when_nothing_follows),
		TEST(test_a_part_that_comes_late_is_joined),
		TEST(test_a_part_that_never_comes_is_waited_for_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
