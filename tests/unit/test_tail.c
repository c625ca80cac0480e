/* Tailing, on real files: what is written comes out as records, each once. */
#include "tail_rig.h"

#include <sys/inotify.h>

static void
turn_for(struct world *w, int ms)
{
	int64_t until = clock_mono() + ms * NS_PER_MS;

	while (clock_mono() < until) {
		tail_turn(w->tail, 1);
		tail_wait(w->tail, -1, 10);
	}
}

static void
put_line(struct world *w, const char *file, const char *line)
{
	char *path = xprintf("%s/pods/" POD "/agent/%s", w->dir, file);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
	free(path);
}

#define AT(second) "2026-11-22T08:00:0" #second "Z "

static void
assert_got(struct world *w, const char *want)
{
	assert_slice(buffer_slice(&w->got), want);
}

static void
test_lines_partials_and_traces_of_both_sides(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log",
	    AT(1) "stdout F one\n" AT(1) "stdout P tw\n" AT(1) "stderr F err\n" AT(1) "stdout F o\n" AT(1) "stdout F ERROR failed\n" AT(
		1) "stderr F \n" AT(1) "stdout F java.lang.Error: x\n" AT(1) "stdout F \tat a.B.c(B.java)\n" AT(2) "stdout F {\"json\":1}\n" AT(2) "stdout F last\n");
	start(w);
	turn_until(w, 7);
	turn_for(w, 100);
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
	turn_for(w, 50);
	put_line(w, "0.log", AT(1) "stdout F one\n" AT(1) "stdout F tw");
	turn_until(w, 1);
	put_line(w, "0.log", "o\n");
	turn_until(w, 2);
	assert_got(w, "0:one|0:two|");
}

static void
test_rotation_with_late_bytes_and_a_line_cut_by_it(void **state)
{
	struct world *w = *state;
	char *old = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	char *new = xprintf("%s/pods/" POD "/agent/0.log.20260101-000000", w->dir);
	static const char late[] = AT(2) "stdout F two\n" AT(2) "stdout P th\n";
	int writer;

	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	writer = open(old, O_WRONLY | O_APPEND);
	assert_int_equal(rename(old, new), 0);
	put_line(w, "0.log", AT(2) "stdout F ird\n" AT(2) "stdout F four\n");
	turn_for(w, 100);
	assert_int_equal(write(writer, late, strlen(late)), strlen(late));
	close(writer);
	turn_until(w, 4);
	turn_for(w, 100);
	assert_got(w, "0:one|0:two|0:third|0:four|");
	free(old);
	free(new);
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
	turn_for(w, 700);
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

static void
test_rotated_siblings_are_read_first_at_the_start(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log.20260101-000000", AT(1) "stdout F one\n");
	put_line(w, "0.log.20260102-000000", AT(2) "stdout F two\n");
	put_line(w, "0.log.20260102-000000.gz", "not a log");
	put_line(w, "0.log", AT(3) "stdout F three\n");
	start(w);
	turn_until(w, 3);
	assert_got(w, "0:one|0:two|0:three|");
}

/* The .gz takes its file's place in the order, whichever has its turn first. */
static void
test_a_file_that_waits_is_compressed_and_its_record_goes_on(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log.20260101-000000", AT(1) "stdout F {}\n");
	put_line(w, "0.log.20260102-000000", AT(2) "stdout F {}\n" AT(2) "stdout F ERROR x\n");
	put_line(w, "0.log", AT(2) "stdout F \tat a\n" AT(2) "stdout F {}\n");
	w->conf.flush = 60000;
	start(w);
	tail_turn(w->tail, false);
	shell("cd %s/pods/" POD
	      "/agent && gzip 0.log.20260102-000000 && mv 0.log 0.log.20260103-000000",
	    w->dir);
	put_line(w, "0.log", AT(3) "stdout F {}\n");
	tail_look(w->tail);
	tail_turn(w->tail, false);
	turn_until(w, 5);
	assert_got(w, "0:{}|0:{}|0:ERROR x\n\tat a|0:{}|0:{}|");
}

static void
test_a_link_that_leads_outside_is_not_followed(void **state)
{
	struct world *w = *state;

	shell("ln -s /etc/passwd %s/containers/evil.log", w->dir);
	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	turn_for(w, 100);
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
	turn_for(w, 400); /* it cools: its watch is armed */
	append_quietly(w, AT(2) "stdout F two\n");
	put_line(w, "new.log", AT(3) "stdout F three\n");
	shell("ln -s %s/pods/" POD "/agent/new.log %s/containers/new.log", w->dir, w->dir);
	append_quietly(w, AT(4) "stdout F four\n");
	turn_for(w, 400);
	assert_got(w, "0:one|");
	tail_overflow(w->tail, &overflow);
	for (; w->records < 4 && turns < 1000; turns++)
		turn_for(w, 20);
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
	turn_for(w, 400);
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
	turn_for(w, 500);
	tail_refresh(w->tail, 3600 * NS_PER_S);
	shell(
	    "cd %s && ln -s $(pwd)/pods/" POD "/agent/2.log containers/m-2_ns_agent-2.log", w->dir);
	turn_until(w, 3);
}

static void
test_a_truncated_file_is_read_from_its_head(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F one\n" AT(1) "stdout F two\n");
	start(w);
	turn_until(w, 2);
	shell(": > %s/pods/" POD "/agent/0.log", w->dir);
	put_line(w, "0.log", AT(2) "stdout F three\n");
	turn_until(w, 3);
	assert_got(w, "0:one|0:two|0:three|");
}

static void
put_lines(struct world *w, int from, int to)
{
	for (int i = from; i < to; i++) {
		char *line = xprintf(AT(1) "stdout F {%05d}\n", i);

		put_line(w, "0.log", line);
		free(line);
	}
}

/* After a kill a checkpoint may be of what is sent, and on disk not counted: it is no place to go on from. */
static void
test_a_checkpoint_beyond_the_cursor_skips_nothing(void **state)
{
	struct world *w = *state;
	const uint64_t line = sizeof(AT(1) "stdout F {00000}\n") - 1;
	struct tail_figures figures;
	struct identity id;

	start(w);
	for (int part = 0; part < 100; part += 50) {
		put_lines(w, part, part + 50);
		turn_until(w, (unsigned)part + 50);
		turn_for(w, 100);
		tail_figures(w->tail, &figures);
	}
	id = tail_log(w->tail);
	tail_free(w->tail);
	for (int side = 0; side < SIDES; side++)
		delivered_to(w->state, &id, (enum side)side, 20 * line);
	shell("truncate -s %d %s/pods/" POD "/agent/0.log", (int)(70 * line), w->dir);
	w->records = 0;
	start(w);
	turn_until(w, 50);
	turn_for(w, 100);
	assert_int_equal(w->records, 50);
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
	turn_for(w, 100);
	assert_int_equal(w->records, 1000);
}

/* ---- rotated files that are truncated */

static void
in_logs(struct world *w, const char *command)
{
	shell("cd %s/pods/" POD "/agent && %s", w->dir, command);
}

/* LOG.2 to LOG.3, LOG.1 to LOG.2. */
static void
rotated_shift(struct world *w)
{
	in_logs(w, "for i in 3 2 1; do if [ -e 0.log.$i ]; then mv 0.log.$i 0.log.$((i + 1)); fi; "
		   "done");
}

/* A record is open, and its file read to its end. */
static void
start_open(struct world *w)
{
	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout F ERROR x\n");
	start(w);
	turn_for(w, 50);
}

static void
test_a_rotated_file_is_truncated_whose_record_is_open_in_the_next_one(void **state)
{
	struct world *w = *state;

	start_open(w);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	put_line(w, "0.log", AT(1) "stderr F {1}\n");
	turn_until(w, 1);
	in_logs(w, ": > 0.log.20260101-000000");
	turn_for(w, 1500); /* it is asked for late bytes once a second */
	put_line(w, "0.log", AT(1) "stdout F {2}\n");
	turn_until(w, 2);
	turn_for(w, 100);
	assert_got(w, "1:{1}|0:{2}|");
}

/* The names that it has had are those of files that are read behind it. */
static void
test_a_rotated_file_that_is_truncated_is_not_put_behind_its_successors(void **state)
{
	struct world *w = *state;

	start_open(w);
	for (unsigned i = 0; i < 2; i++) {
		rotated_shift(w);
		in_logs(w, "mv 0.log 0.log.1");
		put_line(w, "0.log", i == 0 ? AT(2) "stdout F {2}\n" : AT(3) "stdout F {3}\n");
		tail_look(w->tail);
		tail_turn(w->tail, false);
	}
	in_logs(w, ": > 0.log.2");
	put_line(w, "0.log.2", AT(4) "stdout F {4}\n");
	turn_until(w, 3);
	turn_for(w, 100);
	assert_int_equal(w->records, 3);
}

/* ---- copies, while shipping stands */

static bool
on_count(void *arg, const struct framed *f)
{
	(void)arg;
	(void)f;
	return true;
}

static void
log_copy(struct world *w)
{
	rotated_shift(w);
	in_logs(w, "cp 0.log 0.log.1");
}

static void
turn_refused(struct world *w, int counts)
{
	turn_for(w, 50);
	while (counts-- > 0)
		tail_count(w->tail);
}

/* A copy that was met before the log was truncated is in its place before the next one is put there. */
static void
test_copies_that_were_met_beside_what_they_are_of_keep_their_order(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	w->conf.flush = 60000;
	w->refuse = ~0u;
	put_line(w, "0.log", AT(1) "stdout F first\n" AT(1) "stdout P a \n");
	w->tail = tail_make(conf, w->state, w->book, on_record, on_count, on_stream, w);
	turn_refused(w, 5);
	log_copy(w);
	in_logs(w, ": > 0.log");
	put_line(w, "0.log", AT(2) "stdout F A\n" AT(2) "stdout P b \n");
	turn_refused(w, 5);
	log_copy(w);
	in_logs(w, ": > 0.log");
	put_line(w, "0.log", AT(3) "stdout F B\n" AT(3) "stdout P c \n");
	turn_refused(w, 1); /* it is seen that this is another content, */
	log_copy(w);        /* which begins as a stream when there is a copy of it */
	turn_refused(w, 5);
	in_logs(w, ": > 0.log");
	put_line(w, "0.log", AT(4) "stdout F C\n" AT(4) "stdout P d \n");
	log_copy(w);
	in_logs(w, ": > 0.log");
	put_line(w, "0.log", AT(5) "stdout F D\n" AT(5) "stdout F {}\n");
	turn_refused(w, 5);
	w->refuse = 0;
	turn_until(w, 6);
	assert_got(w, "0:first|0:a A|0:b B|0:c C|0:d D|0:{}|");
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
	turn_for(w, 200);
	tail_figures(w->tail, &figures);
	assert_true(figures.lag_bytes > 0);
	record_settle(w->book, under_way[1]);
	tail_figures(w->tail, &figures);
	assert_int_equal(figures.lag_bytes, 0);
	assert_true(tail_followed(w->tail));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lines_partials_and_traces_of_both_sides),
		TEST(test_every_record_refused_first_comes_once),
		TEST(test_a_live_file_is_followed),
		TEST(test_rotation_with_late_bytes_and_a_line_cut_by_it),
		TEST(test_a_deleted_file_is_read_to_its_end),
		TEST(test_a_line_of_any_length_is_cut_at_the_cap),
		TEST(test_rotated_siblings_are_read_first_at_the_start),
		TEST(test_a_file_that_waits_is_compressed_and_its_record_goes_on),
		TEST(test_a_link_that_leads_outside_is_not_followed),
		TEST(test_after_an_overflow_every_file_is_read_and_every_directory_looked_at),
		TEST(test_without_events_the_rescan_reads),
		TEST(test_another_directory_under_the_same_path_is_watched),
		TEST(test_a_truncated_file_is_read_from_its_head),
		TEST(test_a_checkpoint_beyond_the_cursor_skips_nothing),
		TEST(test_a_rotated_file_is_truncated_whose_record_is_open_in_the_next_one),
		TEST(test_a_rotated_file_that_is_truncated_is_not_put_behind_its_successors),
		TEST(test_copies_that_were_met_beside_what_they_are_of_keep_their_order),
		TEST(test_nothing_lags_when_the_last_record_has_arrived),
		TEST(test_a_thousand_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
