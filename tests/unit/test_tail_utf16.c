/*
 * Files of UTF-16: cut within characters, rotated, refused, read again by a new start;
 * each line once, with its text.
 */
#include "tail_rig.h"

#include "chance.h"
#include "utf16.h"

static void
put_unit(struct buffer *to, enum utf16 order, unsigned unit)
{
	const char le[] = { (char)unit, (char)(unit >> 8) }, be[] = { le[1], le[0] };

	buffer_put(to, (struct slice){ order == UTF16_LE ? le : be, 2 });
}

/* ASCII alone. */
static void
put_text(struct buffer *to, enum utf16 order, const char *text)
{
	for (; *text != '\0'; text++)
		put_unit(to, order, (unsigned char)*text);
}

static void
append(struct world *w, struct slice bytes)
{
	char *path = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.at, bytes.len), bytes.len);
	close(fd);
	free(path);
}

/* A line whose characters have the bytes of line feeds, and its text. */
static void
put_story(struct buffer *to, struct buffer *want, enum utf16 order, int number)
{
	static const struct {
		unsigned units[2];
		const char *text;
	} characters[] = { { { 'x' }, "x" }, { { 0x010a }, "\u010a" }, { { 0x0a0a }, "\u0a0a" },
		{ { 0x0a00 }, "\u0a00" }, { { 0x000b }, "\v" }, { { 0x20ac }, "\u20ac" },
		{ { 0xd83d, 0xde80 }, "\U0001f680" }, { { 0x0d0a }, "\u0d0a" } };
	char head[16];

	snprintf(head, sizeof(head), "%d:", number);
	put_text(to, order, head);
	buffer_printf(want, "0:%s", head);
	for (unsigned n = any(4) ? any(20) : any(3000); n > 0; n--) {
		unsigned k = any(COUNT(characters));

		put_unit(to, order, characters[k].units[0]);
		if (characters[k].units[1] != 0)
			put_unit(to, order, characters[k].units[1]);
		buffer_put(want, slice_of(characters[k].text));
	}
	if (any(2))
		put_unit(to, order, '\r');
	put_unit(to, order, '\n');
	buffer_put(want, SLICE("|"));
}

/* Pieces of any size, with turns and new starts between them. */
static void
write_in_pieces(struct world *w, struct slice bytes)
{
	while (bytes.len > 0) {
		struct slice piece = slice_cut(bytes, 1 + (any(2) ? any(7) : any(4000)));

		append(w, piece);
		bytes = slice_from(bytes, piece.len);
		if (any(3) == 0)
			turn_ms(w, 1 + (int)any(60));
		if (any(6) == 0) {
			tail_free(w->tail);
			start(w);
		}
	}
}

static void
test_each_line_comes_once_however_it_is_written(void **state)
{
	struct world *w = *state;
	struct buffer bytes, want;
	int lines = 0;

	buffer_init(&bytes, 0);
	buffer_init(&want, 0);
	w->conf.flush = 30;
	w->refuse = 1;
	for (int round = 0; round < 8; round++) {
		enum utf16 order = round & 1 ? UTF16_BE : UTF16_LE;
		bool mark = round & 2;

		chance = 1000 + (unsigned)round;
		w->conf.utf16 = mark ? UTF16_AUTO : (int)order;
		start(w);
		for (int file = 0; file < 2; file++) {
			buffer_clear(&bytes);
			if (mark)
				put_unit(&bytes, order, 0xfeff);
			for (int n = 0; n < 12; n++)
				put_story(&bytes, &want, order, lines++);
			write_in_pieces(w, buffer_slice(&bytes));
			turn_until(w, (unsigned)lines);
			shell("cd %s/pods/" POD "/agent && mv 0.log 0.log.20261122-0%d%d000",
			    w->dir, round, file);
		}
		turn_ms(w, 100);
		tail_free(w->tail);
		w->tail = NULL;
		assert_int_equal(w->records, lines);
		if (!slice_eq(buffer_slice(&w->got), buffer_slice(&want)))
			fail_msg("round %d", round);
	}
	start(w);
	buffer_fini(&bytes);
	buffer_fini(&want);
}

static void
test_a_trace_is_joined_also_when_it_is_read_once_more(void **state)
{
	struct world *w = *state;
	struct buffer bytes;

	buffer_init(&bytes, 0);
	w->conf.flush = 60000;
	w->conf.utf16 = UTF16_BE;
	put_text(&bytes, UTF16_BE, "a.b.CException: x\n\tat a.b.C.d(C.java:1)\r\n");
	append(w, buffer_slice(&bytes));
	start(w);
	turn_ms(w, 100);
	buffer_clear(&bytes);
	put_text(&bytes, UTF16_BE, "\tat a.b.C.e(C.java:2)\n{}\n");
	append(w, buffer_slice(&bytes));
	turn_until(w, 2);
	assert_got(w, "0:a.b.CException: x\n\tat a.b.C.d(C.java:1)\n\tat a.b.C.e(C.java:2)|0:{}|");
	buffer_fini(&bytes);
}

static void
test_a_line_of_any_length_is_cut_at_the_cap(void **state)
{
	struct world *w = *state;
	struct buffer bytes;

	for (int order = UTF16_LE; order <= UTF16_BE; order++) {
		buffer_init(&bytes, 0);
		w->conf.utf16 = order;
		w->conf.buffer_max_size = 99999;
		put_text(&bytes, (enum utf16)order, "before\n");
		for (int i = 0; i < 1500001; i++)
			put_unit(&bytes, (enum utf16)order, 0x0a0a);
		put_text(&bytes, (enum utf16)order, "\nafter\n");
		append(w, buffer_slice(&bytes));
		start(w);
		turn_until(w, 3);
		assert_int_equal(w->records, 3);
		assert_memory_equal(w->got.at, "0:before|0:\u0a0a\u0a0a", 17);
		assert_memory_equal(w->got.at + w->got.len - 10, "~|0:after|", 10);
		assert_in_range(w->got.len, 90000, 100100);
		buffer_fini(&bytes);
		if (order == UTF16_BE)
			break;
		tail_free(w->tail);
		w->tail = NULL;
		in_logs(w, "rm 0.log");
		buffer_clear(&w->got);
		w->records = 0;
	}
}

/* A writer goes on at its old offset: the hole has whole units, or the line's first byte is one. */
static void
test_a_hole_before_a_line_is_passed_over(void **state)
{
	static const size_t sizes[] = { 2, 36, 8000, 262144, 400000 };
	struct world *w = *state;
	struct buffer bytes, want;
	char *path = xprintf("%s/pods/" POD "/agent/0.log", w->dir);

	buffer_init(&bytes, 0);
	buffer_init(&want, 0);
	for (int order = UTF16_LE; order <= UTF16_BE; order++) {
		unsigned long long nuls = metrics.nul_bytes, sum = 0;

		w->conf.utf16 = order;
		buffer_clear(&bytes);
		put_text(&bytes, (enum utf16)order, order == UTF16_LE ? "a\n" : "b\n");
		append(w, buffer_slice(&bytes));
		start(w);
		turn_until(w, 1);
		buffer_put(&want, order == UTF16_LE ? SLICE("0:a|") : SLICE("0:b|"));
		for (size_t i = 0; i < COUNT(sizes); i++) {
			struct stat st;

			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(truncate(path, st.st_size + (off_t)sizes[i]), 0);
			buffer_clear(&bytes);
			put_text(&bytes, (enum utf16)order, "two\n");
			append(w, buffer_slice(&bytes));
			turn_until(w, (unsigned)i + 2);
			buffer_printf(&want, "0:two|");
			sum += sizes[i];
		}
		assert_int_equal(metrics.nul_bytes - nuls, sum);
		assert_slice(buffer_slice(&w->got), want.at);
		tail_free(w->tail);
		w->tail = NULL;
		in_logs(w, "rm 0.log");
		buffer_clear(&w->got);
		buffer_clear(&want);
		w->records = 0;
	}
	start(w);
	buffer_fini(&bytes);
	buffer_fini(&want);
	free(path);
}

/* The writer has died within a character; what comes behind it is read as it lies. */
static void
test_half_a_character_at_the_end_is_counted(void **state)
{
	struct world *w = *state;
	unsigned long long wrong = metrics_utf16_errors;

	w->conf.utf16 = UTF16_LE;
	append(w, (struct slice){ "\x3d\xd8"
				  "a\0\n\0b\0c",
		      9 });
	start(w);
	turn_until(w, 1);
	tail_finish(w->tail);
	turn_until(w, 2);
	assert_got(w, "0:\ufffd\x61|0:b\ufffd|");
	assert_int_equal(metrics_utf16_errors - wrong, 2);
	append(w, (struct slice){ "\0\n\0d\0\n\0", 7 });
	turn_until(w, 3);
	tail_free(w->tail);
	start(w);
	turn_ms(w, 50);
	assert_int_equal(w->records, 4);
	assert_got(w, "0:\ufffd\x61|0:b\ufffd|0:|0:d|");
}

/* With Read_from_Head off, from the start of the line that was being written. */
static void
test_the_start_of_the_last_line_is_found(void **state)
{
	struct world *w = *state;
	struct buffer bytes;

	buffer_init(&bytes, 0);
	w->conf.utf16 = UTF16_AUTO;
	w->conf.read_from_head = false;
	put_unit(&bytes, UTF16_BE, 0xfeff);
	put_text(&bytes, UTF16_BE, "one\ntw");
	put_unit(&bytes, UTF16_BE, 0x0a00);
	put_unit(&bytes, UTF16_BE, 0x000b);
	buffer_put(&bytes, SLICE("\0"));
	append(w, buffer_slice(&bytes));
	start(w);
	turn_ms(w, 100);
	append(w, (struct slice){ "o\0\n\0x\0\n", 7 });
	turn_until(w, 2);
	assert_got(w, "0:tw\u0a00\vo|0:x|");
	buffer_fini(&bytes);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_line_comes_once_however_it_is_written),
		TEST(test_a_trace_is_joined_also_when_it_is_read_once_more),
		TEST(test_a_line_of_any_length_is_cut_at_the_cap),
		TEST(test_a_hole_before_a_line_is_passed_over),
		TEST(test_half_a_character_at_the_end_is_counted),
		TEST(test_the_start_of_the_last_line_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
