/* Tailing, on real files: what is written comes out as records, each once. */
#include "tail_rig.h"

#include <sys/inotify.h>

#include "metrics.h"

static void
test_lines_partials_and_traces_of_both_sides(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log",
	    AT(1) "stdout F one\n" AT(1) "stdout P tw\n" AT(1) "stderr F err\n" AT(1) "stdout F o\n" AT(1) "stdout F ERROR failed\n" AT(
		1) "stderr F \n" AT(1) "stdout F java.lang.Error: x\n" AT(1) "stdout F \tat a.B.c(B.java)\n" AT(2) "stdout F {\"json\":1}\n" AT(2) "stdout F last\n");
	start(w);
	turn_until(w, 7);
	turn_ms(w, 100);
	assert_got(w,
	    "0:one|0:two|0:ERROR failed\njava.lang.Error: x\n\tat a.B.c(B.java)|1:err|1:|0:{\"json\":1}|0:last|");
}

static void
test_every_record_refused_first_comes_once(void **state)
{
	struct world *w = *state;

	w->refuse = 2;
	test_lines_partials_and_traces_of_both_sides(state);
}

static void
test_a_live_file_is_followed(void **state)
{
	struct world *w = *state;

	start(w);
	turn_ms(w, 50);
	put_line(w, "0.log", AT(1) "stdout F one\n" AT(1) "stdout F tw");
	turn_until(w, 1);
	put_line(w, "0.log", "o\n");
	turn_until(w, 2);
	assert_got(w, "0:one|0:two|");
}

static void
test_a_deleted_file_is_read_to_its_end(void **state)
{
	struct world *w = *state;
	char line[50001];

	memset(line, 'x', 50000);
	line[50000] = '\0';
	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	for (int i = 0; i < 30; i++) {
		put_line(w, "0.log", AT(1) "stdout F ");
		put_line(w, "0.log", line);
		put_line(w, "0.log", "\n");
	}
	shell("rm -rf %s/pods/" POD " %s/" LINK, w->dir, w->dir);
	turn_until(w, 31);
	assert_int_equal(w->records, 31);
	turn_ms(w, 700);
	assert_int_equal(w->streams, 0); /* and let go */
}

static void
test_a_line_of_any_length_is_cut_at_the_cap(void **state)
{
	struct world *w = *state;
	char *line = malloc(3000001);

	memset(line, 'y', 3000000);
	line[3000000] = '\0';
	put_line(w, "0.log", AT(1) "stdout F before\n" AT(1) "stdout F ");
	put_line(w, "0.log", line);
	put_line(w, "0.log", "\n" AT(1) "stdout F after\n");
	start(w);
	turn_until(w, 3);
	assert_int_equal(w->records, 3);
	assert_memory_equal(w->got.at, "0:before|0:yyy", 14);
	assert_memory_equal(w->got.at + w->got.len - 9, "|0:after|", 9);
	assert_int_equal(w->got.at[w->got.len - 10], '~');
	assert_true(w->got.len < 100100);
	free(line);
}

/* Append to 0.log: its next line begins `n` bytes behind the last one. */
static void
put_hole(struct world *w, size_t n)
{
	char *path = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size + (off_t)n), 0);
	free(path);
}

/* Of any size, whole in the buffer or not, within a record or not; each record refused twice. */
static void
test_a_hole_before_a_line_costs_nothing(void **state)
{
	static const size_t sizes[] = { 1, 36, 8000, 262144, 400000, 5000000 };
	unsigned long long skipped = metrics.nul_bytes, sum = 0;
	struct world *w = *state;
	struct buffer want;

	buffer_init(&want, 0);
	w->refuse = 2;
	start(w);
	put_line(w, "0.log", AT(1) "stdout F one\n");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		put_hole(w, sizes[i]);
		put_line(w, "0.log", AT(1) "stderr F two\n" AT(1) "stdout F java.lang.Error: x\n");
		put_hole(w, sizes[i]);
		put_line(w, "0.log", AT(1) "stdout F \tat a.B.c(B.java)\n" AT(2) "stdout F end\n");
		sum += 2 * sizes[i];
		buffer_clear(&w->got);
		w->records = 0;
		turn_until(w, 3);
		buffer_printf(&want, "0:%sjava.lang.Error: x\n\tat a.B.c(B.java)|1:two|0:end|",
		    i == 0 ? "one\n" : "");
		assert_slice(buffer_slice(&w->got), want.at);
		buffer_clear(&want);
	}
	assert_int_equal(metrics.nul_bytes - skipped, sum);
	buffer_fini(&want);
}

static bool
on_place(void *arg, const struct framed *f)
{
	struct world *w = arg;
	uint64_t offset = f->id.offset;
	uint32_t hash = f->id.hash;

	if (!on_record(arg, f))
		return false;
	buffer_printf(&w->got, "%llu %x;", (unsigned long long)offset, hash);
	return true;
}

/* Read as it grows, with a restart behind each piece, and then whole, by a state that knows nothing. */
static void
test_ids_behind_holes_do_not_depend_on_how_they_are_read(void **state)
{
	static const char *const lines[] = { AT(1) "stdout F one\n", AT(1) "stdout P tw",
		"o\n" AT(1) "stdout F o\n", "no runtime's\n" };
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;
	struct buffer first;

	for (size_t i = 0; i < COUNT(lines); i++) {
		put_line(w, "0.log", lines[i]);
		put_hole(w, i == 1 ? 0 : 300000 * i + 1);
		w->tail = tail_make(conf, w->state, w->book, on_place, NULL, on_stream, w);
		turn_ms(w, 80);
		tail_free(w->tail);
	}
	put_line(w, "0.log", "last\n");
	w->tail = tail_make(conf, w->state, w->book, on_place, NULL, on_stream, w);
	turn_until(w, 4);
	assert_int_equal(w->records, 4);
	tail_free(w->tail);
	range_book_free(w->book);
	state_close(w->state);

	first = w->got;
	buffer_init(&w->got, 0);
	w->state = state_open(NULL);
	w->book = range_book_new(w->state, 64);
	w->tail = tail_make(conf, w->state, w->book, on_place, NULL, on_stream, w);
	turn_until(w, 8);
	assert_int_equal(w->got.len, first.len);
	assert_memory_equal(w->got.at, first.at, first.len);
	buffer_fini(&first);
}

/* Its end is not there yet: it may be filled, or go on. */
static void
test_nuls_at_a_files_end_wait_for_text(void **state)
{
	struct world *w = *state;
	char *path = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	const char *one = AT(1) "stdout F one\n", *two = AT(1) "stdout F two\n";
	int fd;

	put_line(w, "0.log", one);
	start(w);
	turn_until(w, 1);
	put_hole(w, 700000);
	turn_ms(w, 100);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, two, strlen(two), (off_t)strlen(one)), strlen(two));
	close(fd);
	turn_until(w, 2);
	put_line(w, "0.log", AT(1) "stdout F three\n");
	turn_until(w, 3);
	assert_got(w, "0:one|0:two|0:three|");
	free(path);
}

static void
test_a_byte_order_mark_begins_no_line(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", "\xef\xbb\xbf" AT(1) "stdout F one\n");
	put_line(w, "0.log", "\xef\xbb\xbf" AT(1) "stdout F two\n");
	start(w);
	turn_until(w, 2);
	assert_got(w, "0:one|0:\xef\xbb\xbf" AT(1) "stdout F two|");
}

static void
test_a_link_that_leads_outside_is_not_followed(void **state)
{
	struct world *w = *state;

	shell("ln -s /etc/passwd %s/containers/evil.log", w->dir);
	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	turn_ms(w, 100);
	assert_got(w, "0:one|");
}

static void
append_quietly(struct world *w, const char *line)
{
	int none = dup(tail_events(w->tail));

	/* What happens now no event tells of: they are read off. */
	put_line(w, "0.log", line);
	assert_true(none >= 0);
	fcntl(none, F_SETFL, O_NONBLOCK);
	for (char events[4096]; read(none, events, sizeof(events)) > 0;)
		;
	close(none);
}

static void
test_after_an_overflow_every_file_is_read_and_every_directory_looked_at(void **state)
{
	struct world *w = *state;
	const struct inotify_event overflow = { .wd = -1, .mask = IN_Q_OVERFLOW };
	unsigned turns = 0;

	w->conf.refresh_interval = 3600 * NS_PER_S;
	start(w);
	put_line(w, "0.log", AT(1) "stdout F one\n");
	turn_until(w, 1);
	turn_ms(w, 400); /* it cools: its watch is armed */
	append_quietly(w, AT(2) "stdout F two\n");
	put_line(w, "new.log", AT(3) "stdout F three\n");
	shell("ln -s %s/pods/" POD "/agent/new.log %s/containers/new.log", w->dir, w->dir);
	append_quietly(w, AT(4) "stdout F four\n");
	turn_ms(w, 400);
	assert_got(w, "0:one|");
	tail_overflow(w->tail, &overflow);
	for (; w->records < 4 && turns < 1000; turns++)
		turn_ms(w, 20);
	assert_int_equal(w->records, 4);
}

/* Without an inotify instance, as on a node that has no more of them. */
static void
test_without_events_the_rescan_reads(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	tail_no_events(w->tail);
	turn_until(w, 1);
	turn_ms(w, 400);
	put_line(w, "0.log", AT(2) "stdout F two\n");
	turn_until(w, 2);
	shell("mv %s/pods/" POD "/agent/0.log %s/pods/" POD "/agent/0.log.20260101-000000", w->dir,
	    w->dir);
	put_line(w, "0.log", AT(3) "stdout F three\n");
	turn_until(w, 3);
	assert_got(w, "0:one|0:two|0:three|");
}

/* As when a disk is mounted over it: no event tells of that, the rescan finds it. */
static void
test_another_directory_under_the_same_path_is_watched(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	shell("cd %s && cp -a containers late && mv containers was && mv late containers && "
	      "ln -s $(pwd)/pods/" POD "/agent/1.log containers/m-1_ns_agent-1.log",
	    w->dir);
	put_line(w, "1.log", AT(2) "stdout F two\n");
	turn_until(w, 2);
	put_line(w, "2.log", AT(3) "stdout F three\n");
	turn_ms(w, 500);
	tail_refresh(w->tail, 3600 * NS_PER_S);
	shell(
	    "cd %s && ln -s $(pwd)/pods/" POD "/agent/2.log containers/m-2_ns_agent-2.log", w->dir);
	turn_until(w, 3);
}

static void
test_a_thousand_files(void **state)
{
	struct world *w = *state;

	shell("for i in $(seq 1000); do d=%s/pods/ns_p${i}_u$i/c; mkdir -p $d; echo '" AT(
		  1) "stdout F x' > $d/0.log; ln -s $d/0.log %s/containers/p${i}_ns_c.log; done",
	    w->dir, w->dir);
	start(w);
	turn_until(w, 1000);
	turn_ms(w, 100);
	assert_int_equal(w->records, 1000);
}

/* ---- what arrives after the end was seen */

static struct flight under_way[2];

static bool
send_record(void *arg, const struct framed *f)
{
	struct world *w = arg;
	struct flight *flight = &under_way[w->records++ % 2];

	assert_true(record_send(w->book, f, ++w->batch, 1, flight));
	record_seal(w->book, *flight);
	return true;
}

static void
test_nothing_lags_when_the_last_record_has_arrived(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;
	struct tail_figures figures;

	put_line(w, "0.log", AT(1) "stderr F {}\n" AT(1) "stdout F {}\n");
	w->tail = tail_make(conf, w->state, w->book, send_record, NULL, on_stream, w);
	turn_until(w, 2);
	record_settle(w->book, under_way[0]);
	turn_ms(w, 200);
	tail_figures(w->tail, &figures);
	assert_true(figures.lag_bytes > 0);
	record_settle(w->book, under_way[1]);
	tail_figures(w->tail, &figures);
	assert_int_equal(figures.lag_bytes, 0);
	assert_true(tail_followed(w->tail));
}

/* A line of no runtime's form ends a part; so it does when the record is read once more. */
static void
test_a_plain_line_behind_a_part_is_a_line_however_it_is_read(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout P a.b.CException: x\n\tat a.b.C.d(C.java:1)\n");
	start(w);
	turn_ms(w, 100);
	put_line(w, "0.log", "\tat a.b.C.e(C.java:2)\n" AT(1) "stdout F {}\n");
	turn_until(w, 2);
	assert_got(w, "0:a.b.CException: x\n\tat a.b.C.d(C.java:1)\n\tat a.b.C.e(C.java:2)|0:{}|");
}

/* No CR of a CR LF is text, however the record is read; one within a line is. */
static void
test_a_line_ends_at_cr_lf(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout F a\rb\r\r\n" AT(1) "stdout F \r\n");
	put_line(w, "0.log", AT(1) "stdout P par\r\n" AT(1) "stdout F t\r\n");
	put_line(w, "0.log", AT(1) "stdout F a.b.CException: x\r\n");
	start(w);
	turn_ms(w, 100);
	put_line(w, "0.log", AT(1) "stdout F \tat a.b.C.e(C.java:2)\r\n" AT(1) "stdout F {}\r\n");
	turn_until(w, 4);
	assert_got(w, "0:a\rb\r|0:|0:par\rt\na.b.CException: x\n\tat a.b.C.e(C.java:2)|0:{}|");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_plain_line_behind_a_part_is_a_line_however_it_is_read),
		TEST(test_lines_partials_and_traces_of_both_sides),
		TEST(test_every_record_refused_first_comes_once),
		TEST(test_a_live_file_is_followed),
		TEST(test_a_deleted_file_is_read_to_its_end),
		TEST(test_a_line_of_any_length_is_cut_at_the_cap),
		TEST(test_a_hole_before_a_line_costs_nothing),
		TEST(test_ids_behind_holes_do_not_depend_on_how_they_are_read),
		TEST(test_nuls_at_a_files_end_wait_for_text),
		TEST(test_a_byte_order_mark_begins_no_line),
		TEST(test_a_line_ends_at_cr_lf),
		TEST(test_a_link_that_leads_outside_is_not_followed),
		TEST(test_after_an_overflow_every_file_is_read_and_every_directory_looked_at),
		TEST(test_without_events_the_rescan_reads),
		TEST(test_another_directory_under_the_same_path_is_watched),
		TEST(test_nothing_lags_when_the_last_record_has_arrived),
		TEST(test_a_thousand_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
