/*
 * Rotations, on real files: a log whose files are renamed, compressed,
 * truncated, copied is read in its order, each record once.
 */
#include "tail_rig.h"

/* ---- renamed and compressed */

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
	turn_ms(w, 100);
	assert_int_equal(write(writer, late, strlen(late)), strlen(late));
	close(writer);
	turn_until(w, 4);
	turn_ms(w, 100);
	assert_got(w, "0:one|0:two|0:third|0:four|");
	free(old);
	free(new);
}

/* No next file asks for its end, so its writer may take longer than Rotate_Wait. */
static void
test_a_half_line_of_a_renamed_file_waits_for_its_writer(void **state)
{
	struct world *w = *state;
	char *path = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	int writer;

	put_line(w, "0.log", AT(1) "stdout F one\n" AT(2) "stdo");
	start(w);
	turn_until(w, 1);
	writer = open(path, O_WRONLY | O_APPEND);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	turn_ms(w, 600);
	dprintf(writer, "ut F two\n");
	close(writer);
	turn_until(w, 2);
	assert_got(w, "0:one|0:two|");
	free(path);
}

/* The runtime makes the next file, which is renamed at once; no other has the live name then. */
static void
test_a_file_that_was_renamed_before_it_was_seen_is_read(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F {one}\n");
	start(w);
	turn_until(w, 1);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	turn_ms(w, 100);
	in_logs(w, "echo '" AT(2) "stdout F {two}' > new && mv new 0.log.20260101-000001");
	turn_until(w, 2);
	in_logs(w, "gzip 0.log.20260101-000000");
	turn_ms(w, 100);
	in_logs(w, "echo '" AT(3) "stdout F {three}' > new && mv new 0.log.20260101-000002");
	turn_until(w, 3);
	assert_got(w, "0:{one}|0:{two}|0:{three}|");
	shell("rm %s/" LINK, w->dir);
	turn_ms(w, 400);
	in_logs(w, "echo '" AT(4) "stdout F {four}' > new && mv new 0.log.20260101-000003");
	turn_ms(w, 300);
	assert_int_equal(w->streams, 0);
}

/* Nothing follows it, but it was read just now. */
static void
test_a_half_line_of_a_deleted_file_is_taken_when_flush_is_over(void **state)
{
	struct world *w = *state;

	w->conf.flush = 500;
	put_line(w, "0.log", AT(1) "stdout F {one}\n" AT(2) "stdout F two");
	start(w);
	turn_until(w, 1);
	in_logs(w, "rm 0.log");
	turn_until(w, 2);
	assert_got(w, "0:{one}|0:two|");
}

/* A break was stored for its half line: a next start ends it there, so it ends there now. */
static void
test_a_chain_ends_with_the_half_line_that_was_taken(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F {one}\n" AT(2) "stdout P tw");
	start(w);
	turn_until(w, 1);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	turn_until(w, 2);
	put_line(w, "0.log", AT(3) "stdout F three\n");
	turn_until(w, 3);
	assert_got(w, "0:{one}|0:tw|0:three|");
}

/* The trace ends before it, and it comes again: until then the log is not at its end. */
static void
test_a_half_line_that_a_trace_held_is_taken_behind_it(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F \tat a.b.C.d(C.java:1)\n" AT(1) "stdout F text");
	start(w);
	tail_turn(w->tail, 1);
	tail_finish(w->tail);
	do {
		tail_turn(w->tail, 1);
	} while (!tail_at_end(w->tail));
	assert_got(w, "0:\tat a.b.C.d(C.java:1)|0:text|");
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
	in_logs(w, "gzip 0.log.20260102-000000 && mv 0.log 0.log.20260103-000000");
	put_line(w, "0.log", AT(3) "stdout F {}\n");
	tail_look(w->tail);
	tail_turn(w->tail, false);
	turn_until(w, 5);
	assert_got(w, "0:{}|0:{}|0:ERROR x\n\tat a|0:{}|0:{}|");
}

/* The file has lost its name to its .gz while it was not entered: the .gz says its age. */
static void
test_a_deleted_file_that_waits_keeps_the_place_that_its_gz_has(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log.20260101-000000", AT(1) "stdout F {1}\n");
	put_line(w, "0.log", AT(2) "stdout F {2}\n");
	w->refuse = 1;
	start(w);
	tail_turn(w->tail, false);
	in_logs(w, "mv 0.log 0.log.20260102-000000 && gzip 0.log.20260102-000000");
	put_line(w, "0.log", AT(3) "stdout F {3}\n");
	tail_look(w->tail);
	turn_ms(w, 100);
	w->refuse = 0;
	turn_until(w, 3);
	assert_got(w, "0:{1}|0:{2}|0:{3}|");
}

/* Turn until so many records have come; the directory is listed by rotations alone. */
static void
turn_unlooked(struct world *w, unsigned records)
{
	tail_refresh(w->tail, 60 * NS_PER_S);
	for (unsigned i = 0; i < 1000 && w->records < records; i++) {
		tail_turn(w->tail, 1);
		usleep(1000);
	}
}

/* … and its successor was rotated, too, before anybody looked. */
static void
test_a_deleted_file_that_waits_is_older_than_what_was_rotated_after_it(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log.20260101-000000", AT(1) "stdout F {1}\n");
	put_line(w, "0.log", AT(2) "stdout F {2}\n");
	w->conf.flush = 60000;
	w->refuse = UINT32_MAX;
	start(w);
	turn_ms(w, 50);
	in_logs(w, "mv 0.log 0.log.20260102-000000 && gzip 0.log.20260102-000000");
	put_line(w, "0.log.20260103-000000", AT(3) "stdout F ERROR x\n");
	put_line(w, "0.log", AT(4) "stdout F \tat a\n" AT(4) "stdout F {}\n");
	w->refuse = 0;
	turn_unlooked(w, 2);
	turn_until(w, 4);
	assert_got(w, "0:{1}|0:{2}|0:ERROR x\n\tat a|0:{}|");
}

/* Several are found by one look: the names that their files had are those of younger ones. */
static void
test_deleted_files_that_wait_have_the_age_of_their_gz(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log.4", AT(1) "stdout F {1}\n");
	put_line(w, "0.log.3", AT(2) "stdout F {2}\n");
	put_line(w, "0.log.2", AT(3) "stdout F {3}\n");
	put_line(w, "0.log.1", AT(4) "stdout F {4}\n");
	put_line(w, "0.log", AT(5) "stdout F {5}\n");
	w->refuse = UINT32_MAX;
	start(w);
	turn_ms(w, 50);
	in_logs(w, "gzip 0.log.? && mv 0.log.4.gz 0.log.6.gz && mv 0.log.3.gz 0.log.5.gz && "
		   "mv 0.log.2.gz 0.log.4.gz && mv 0.log.1.gz 0.log.3.gz && "
		   "mv 0.log 0.log.2 && gzip 0.log.2");
	put_line(w, "0.log.1", AT(6) "stdout F {6}\n");
	put_line(w, "0.log", AT(7) "stdout F {7}\n");
	w->refuse = 0;
	turn_unlooked(w, 5);
	turn_until(w, 7);
	assert_got(w, "0:{1}|0:{2}|0:{3}|0:{4}|0:{5}|0:{6}|0:{7}|");
}

/* logrotate: its plain file is gone, and the name of that is another's, when its .gz is renamed. */
static void
test_a_file_that_waits_keeps_its_place_when_the_number_of_its_gz_changes(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log.2", AT(1) "stdout F {1}\n");
	put_line(w, "0.log.1", AT(2) "stdout F {2}\n");
	put_line(w, "0.log", AT(3) "stdout F {3}\n");
	w->refuse = UINT32_MAX;
	start(w);
	turn_ms(w, 100);
	in_logs(w, "gzip 0.log.1 && mv 0.log.2 0.log.3 && mv 0.log.1.gz 0.log.2.gz && "
		   "mv 0.log 0.log.1");
	put_line(w, "0.log", AT(4) "stdout F {4}\n");
	turn_ms(w, 300);
	tail_look(w->tail);
	turn_ms(w, 300);
	w->refuse = 0;
	turn_until(w, 4);
	assert_got(w, "0:{1}|0:{2}|0:{3}|0:{4}|");
}

static bool
on_counted(void *arg, const struct framed *f)
{
	(void)arg;
	(void)f;
	return true;
}

/* One .gz is inflated at a time: the counting reader had it when shipping went on. */
static void
test_a_gz_that_is_counted_makes_room_for_shipping(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	in_logs(w, "yes '2026-11-22T08:00:01Z stdout F {}' | head -n 50000 | gzip > "
		   "0.log.20260101-000000.gz");
	put_line(w, "0.log", AT(2) "stdout F {}\n");
	w->tail = tail_make(conf, w->state, w->book, on_record, on_counted, on_stream, w);
	tail_turn(w->tail, 0);
	assert_true(tail_count(w->tail));
	turn_until(w, 50001);
}

/* Its writer goes on while it is compressed, and all that is between two looks. */
static void
test_a_gz_that_was_made_at_once_is_what_the_renamed_file_has(void **state)
{
	struct world *w = *state;
	char *old = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	int writer;

	in_logs(w, "yes '2026-11-22T08:00:01Z stdout F {}' | head -n 200 > 0.log");
	start(w);
	turn_until(w, 200);
	turn_ms(w, 50);
	writer = open(old, O_WRONLY | O_APPEND);
	in_logs(w, "mv 0.log 0.log.1 && gzip 0.log.1");
	dprintf(writer, AT(2) "stdout F {2}\n");
	put_line(w, "0.log", AT(3) "stdout F {3}\n");
	tail_look(w->tail);
	turn_ms(w, 100);
	close(writer);
	turn_until(w, 202);
	turn_ms(w, 1500);
	assert_int_equal(w->records, 202);
	free(old);
}

/*
 * gzip writes X.gz where it stays, and deletes X at the end: a part of a .gz beside
 * its file neither names a content by a part of a line, nor says how long one is.
 */
static void
test_a_gz_that_is_being_made_beside_its_file_is_no_content(void **state)
{
	struct world *w = *state;

	w->conf.rotate_wait = 20 * NS_PER_MS;
	put_line(w, "0.log.1", AT(1) "stdout F {1}\n" AT(1) "stdout F {2}\n");
	put_line(w, "0.log.2", AT(0) "stdout F {0}\n");
	put_line(w, "0.log", AT(2) "stdout F {3}\n");
	in_logs(w, "gzip -c 0.log.1 > all && (head -c $(($(wc -c < all) - 12)) all; "
		   "printf '\\377\\377\\003\\000') > 0.log.1.gz; "
		   "gzip -c 0.log.2 > all && head -c $(($(wc -c < all) - 16)) all > 0.log.2.gz");
	start(w);
	turn_until(w, 4);
	turn_ms(w, 1500); /* two looks at files that have no line yet */
	tail_free(w->tail);
	start(w);
	turn_ms(w, 200);
	assert_got(w, "0:{0}|0:{1}|0:{2}|0:{3}|");
}

/* No look tells that it was written to: a rotated name is seen once. */
static void
test_a_gz_that_was_met_in_parts_is_read_again_when_it_is_whole(void **state)
{
	struct world *w = *state;

	w->conf.rotate_wait = 20 * NS_PER_MS;
	put_line(w, "0.log.1", AT(1) "stdout F {1}\n" AT(1) "stdout F {2}\n");
	put_line(w, "0.log", AT(2) "stdout F {3}\n");
	in_logs(w, "gzip -c 0.log.1 > all && head -c $(($(wc -c < all) - 24)) all > 0.log.1.gz");
	start(w);
	turn_until(w, 3);
	turn_ms(w, 100);
	in_logs(w, "cat all > 0.log.1.gz && rm 0.log.1");
	turn_ms(w, 2500); /* such files are asked once a second */
	assert_got(w, "0:{1}|0:{2}|0:{3}|");
}

/* The length that its last four bytes claim is none while its file is there. */
static void
test_a_gz_that_is_being_made_does_not_say_where_its_file_ends(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F {1}\n");
	start(w);
	turn_until(w, 1);
	in_logs(w, "mv 0.log 0.log.1 && gzip -c 0.log.1 > all && (head -c $(($(wc -c < all) - 9)) "
		   "all; printf '\\377\\003\\000\\000') > 0.log.1.gz");
	put_line(w, "0.log", AT(2) "stdout F {2}\n");
	turn_until(w, 2);
	put_line(w, "0.log", AT(3) "stdout F {3}\n");
	turn_until(w, 3);
	tail_free(w->tail);
	start(w);
	turn_ms(w, 200);
	assert_got(w, "0:{1}|0:{2}|0:{3}|");
}

/* A file that has no whole line is named by all that it has. */
static void
test_a_gz_of_half_a_line_is_what_its_file_has(void **state)
{
	struct world *w = *state;

	w->conf.rotate_wait = 20 * NS_PER_MS;
	put_line(w, "0.log.1", AT(1) "stdout F {1}");
	put_line(w, "0.log", AT(2) "stdout F {2}\n");
	w->refuse = UINT32_MAX;
	start(w);
	turn_ms(w, 200);
	in_logs(w, "gzip -k 0.log.1 && mv 0.log.1.gz 0.log.2.gz && mv 0.log.1 0.log.2 && "
		   "mv 0.log 0.log.1");
	put_line(w, "0.log", AT(3) "stdout F {3}\n");
	turn_ms(w, 200);
	w->refuse = 0;
	turn_until(w, 3);
	turn_ms(w, 200);
	in_logs(w, "rm 0.log.2");
	tail_free(w->tail);
	start(w);
	turn_ms(w, 500);
	assert_got(w, "0:{1}|0:{2}|0:{3}|");
}

/* ---- a DB taken over */

/* What is before the offset is in no span: the file is a content that begins anew. */
static void
test_a_file_that_is_shorter_than_what_was_taken_over_begins_anew(void **state)
{
	struct world *w = *state;
	char *db = xprintf("%s/flb.db", w->dir);
	char *live = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	struct tail_figures figures;

	put_line(w, "0.log.1", AT(1) "stdout F {a}\n");
	put_line(w, "0.log", AT(2) "stdout F {1}\n" AT(3) "stdout F {2}\n");
	fluent_bit_row(db, live, 2 * (sizeof(AT(1) "stdout F {1}\n") - 1));
	w->conf.db = db;
	start(w);
	turn_ms(w, 300);
	tail_figures(w->tail, &figures);
	turn_ms(w, 100);
	tail_figures(w->tail, &figures);
	assert_got(w, "");
	tail_free(w->tail);
	shell("truncate -s %d %s", (int)(sizeof(AT(1) "stdout F {1}\n") - 1), live);
	start(w);
	turn_ms(w, 1500);
	put_line(w, "0.log", AT(4) "stdout F {3}\n");
	turn_until(w, 1);
	turn_ms(w, 300);
	assert_got(w, "0:{1}|0:{3}|");
	free(db);
	free(live);
}

/* ---- truncated */

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

/* Truncated, written to and copied between two looks: the copy is named before the live file. */
static void
test_a_copy_met_with_what_is_new_at_the_live_name_is_a_copy(void **state)
{
	struct world *w = *state;

	put_line(w, "0.log", AT(1) "stdout F one\n");
	start(w);
	turn_until(w, 1);
	in_logs(w, ": > 0.log");
	put_line(w, "0.log", AT(2) "stdout F two\n");
	in_logs(w, "cp 0.log 0.log.20260101-000000");
	turn_until(w, 2);
	turn_ms(w, 400);
	put_line(w, "0.log", AT(3) "stdout F three\n");
	turn_until(w, 3);
	turn_ms(w, 100);
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
		turn_ms(w, 100);
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
	turn_ms(w, 100);
	assert_int_equal(w->records, 50);
}

/* What stands in the place of the lost bytes is not asked for at the start behind that, either. */
static void
test_a_second_start_after_a_power_cut_skips_nothing(void **state)
{
	struct world *w = *state;
	const int line = sizeof(AT(1) "stdout F {00000}\n") - 1;
	struct tail_figures figures;

	start(w);
	for (int part = 0; part < 300; part += 50) {
		put_lines(w, part, part + 50);
		turn_until(w, (unsigned)part + 50);
		turn_ms(w, 100);
		tail_figures(w->tail, &figures);
	}
	tail_free(w->tail);
	state_power_cut(w->state);
	shell("cd %s/pods/" POD "/agent && truncate -s %d 0.log && truncate -s %d 0.log", w->dir,
	    120 * line, 230 * line);
	start(w);
	turn_ms(w, 200);
	tail_free(w->tail);
	put_line(w, "0.log", "\n" AT(5) "stdout F {new}\n");
	start(w);
	turn_until(w, 301);
	assert_true(slice_ends(buffer_slice(&w->got), SLICE("0:{new}|")));
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
	turn_ms(w, 50);
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
	turn_ms(w, 1500); /* it is asked for late bytes once a second */
	put_line(w, "0.log", AT(1) "stdout F {\"a\":2}\n");
	turn_until(w, 2);
	turn_ms(w, 100);
	assert_got(w, "1:{1}|0:{\"a\":2}|");
}

/* One has a line of the open record; the other is found so where it begins. */
static void
test_two_files_of_a_log_are_truncated_at_once(void **state)
{
	struct world *w = *state;

	start_open(w);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	put_line(w, "0.log", AT(1) "stderr F {1}\n");
	turn_until(w, 1);
	turn_ms(w, 200);
	in_logs(w, "mv 0.log 0.log.20260102-000000");
	put_line(w, "0.log", AT(2) "stderr F {2}\n");
	tail_look(w->tail);
	for (unsigned i = 0; i < 1000 && tail_spans(w->tail) < 3; i++) {
		tail_turn(w->tail, 1);
		usleep(1000);
	}
	in_logs(w, ": > 0.log.20260101-000000 && : > 0.log");
	put_line(w, "0.log", AT(3) "stderr F {3}\n");
	turn_until(w, 2);
	assert_got(w, "1:{1}|1:{3}|");
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
	turn_ms(w, 100);
	assert_int_equal(w->records, 3);
}

/* ---- copies, while shipping stands */

static void
log_copy(struct world *w)
{
	rotated_shift(w);
	in_logs(w, "cp 0.log 0.log.1");
}

static void
turn_refused(struct world *w, int counts)
{
	turn_ms(w, 50);
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
	w->tail = tail_make(conf, w->state, w->book, on_record, on_counted, on_stream, w);
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

/* It was counted, and not shipped, when it was deleted; its successor was entered. */
static void
test_what_comes_behind_a_lost_file_is_read(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	w->refuse = ~0u;
	put_line(w, "0.log", AT(1) "stdout F {1}\n");
	w->tail = tail_make(conf, w->state, w->book, on_record, on_counted, on_stream, w);
	turn_refused(w, 5);
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	put_line(w, "0.log", AT(2) "stdout F {2}\n");
	turn_refused(w, 5);
	in_logs(w, "mv 0.log 0.log.20260102-000000");
	put_line(w, "0.log", AT(3) "stdout F {3}\n");
	turn_refused(w, 5);
	tail_free(w->tail);
	in_logs(w, "rm 0.log.20260101-000000");
	w->refuse = 0;
	w->tail = tail_make(conf, w->state, w->book, on_record, on_counted, on_stream, w);
	turn_until(w, 2);
	assert_got(w, "0:{2}|0:{3}|");
}

/* A reader goes back for it to where it begins, which is readable. */
static void
test_a_record_that_is_open_before_a_lost_file_is_read(void **state)
{
	struct world *w = *state;
	const struct tail_conf *conf = &w->conf;

	w->conf.flush = 60000;
	put_line(w, "0.log", AT(1) "stdout F {}\n" AT(1) "stdout F ERROR x\n");
	w->tail = tail_make(conf, w->state, w->book, on_record, on_counted, on_stream, w);
	turn_until(w, 1);
	w->refuse = ~0u;
	in_logs(w, "mv 0.log 0.log.20260101-000000");
	put_line(w, "0.log", AT(2) "stderr F {}\n");
	turn_refused(w, 5);
	in_logs(w, "mv 0.log 0.log.20260102-000000");
	put_line(w, "0.log", AT(3) "stdout F {}\n");
	turn_refused(w, 5);
	tail_free(w->tail);
	in_logs(w, "rm 0.log.20260102-000000");
	w->refuse = 0;
	w->tail = tail_make(conf, w->state, w->book, on_record, on_counted, on_stream, w);
	turn_until(w, 3);
	assert_got(w, "0:{}|0:ERROR x|0:{}|");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rotation_with_late_bytes_and_a_line_cut_by_it),
		TEST(test_a_half_line_of_a_renamed_file_waits_for_its_writer),
		TEST(test_a_file_that_was_renamed_before_it_was_seen_is_read),
		TEST(test_a_half_line_of_a_deleted_file_is_taken_when_flush_is_over),
		TEST(test_a_chain_ends_with_the_half_line_that_was_taken),
		TEST(test_a_half_line_that_a_trace_held_is_taken_behind_it),
		TEST(test_rotated_siblings_are_read_first_at_the_start),
		TEST(test_a_file_that_waits_is_compressed_and_its_record_goes_on),
		TEST(test_a_deleted_file_that_waits_keeps_the_place_that_its_gz_has),
		TEST(test_a_deleted_file_that_waits_is_older_than_what_was_rotated_after_it),
		TEST(test_deleted_files_that_wait_have_the_age_of_their_gz),
		TEST(test_a_file_that_waits_keeps_its_place_when_the_number_of_its_gz_changes),
		TEST(test_a_gz_that_is_counted_makes_room_for_shipping),
		TEST(test_a_gz_that_was_made_at_once_is_what_the_renamed_file_has),
		TEST(test_a_gz_that_is_being_made_beside_its_file_is_no_content),
		TEST(test_a_gz_that_was_met_in_parts_is_read_again_when_it_is_whole),
		TEST(test_a_gz_that_is_being_made_does_not_say_where_its_file_ends),
		TEST(test_a_gz_of_half_a_line_is_what_its_file_has),
		TEST(test_a_file_that_is_shorter_than_what_was_taken_over_begins_anew),
		TEST(test_a_truncated_file_is_read_from_its_head),
		TEST(test_a_copy_met_with_what_is_new_at_the_live_name_is_a_copy),
		TEST(test_a_checkpoint_beyond_the_cursor_skips_nothing),
		TEST(test_a_second_start_after_a_power_cut_skips_nothing),
		TEST(test_a_rotated_file_is_truncated_whose_record_is_open_in_the_next_one),
		TEST(test_two_files_of_a_log_are_truncated_at_once),
		TEST(test_a_rotated_file_that_is_truncated_is_not_put_behind_its_successors),
		TEST(test_copies_that_were_met_beside_what_they_are_of_keep_their_order),
		TEST(test_what_comes_behind_a_lost_file_is_read),
		TEST(test_a_record_that_is_open_before_a_lost_file_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
