/* Reading what a .gz holds, forward and back; names of rotated files. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "gunzip.h"
#include "rotated.h"

#define SIZE ((size_t)3 << 20)
#define MOST ((size_t)256 << 10)

static char *content;

/* A file of `size` bytes of content in two members; cut: so much of its end is missing. */
static int
packed(size_t size, size_t cut)
{
	char path[] = "/tmp/towline-gunzip-XXXXXX";
	int fd = mkstemp(path);

	for (int part = 0; part < 2; part++) {
		gzFile to = gzdopen(dup(fd), "wb1");
		const char *at = content + (part == 0 ? 0 : size / 2);

		gzwrite(to, at, (unsigned)(part == 0 ? size / 2 : size - size / 2));
		gzclose(to);
	}
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - (off_t)cut), 0);
	unlink(path);
	return fd;
}

static int
setup(void **state)
{
	uint32_t seed = 1;

	(void)state;
	content = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++) {
		seed = seed * 1664525 + 1013904223;
		content[i] = (char)("0123456789abcdef\n"[seed >> 24 & 15]);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(content);
	return 0;
}

static void
test_reads_in_any_order_are_the_content(void **state)
{
	struct gunzip *g = gunzip_new(MOST);
	char *got = malloc(MOST);
	int fd = packed(SIZE, 0);
	uint32_t seed = 2;

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint64_t offset;
		size_t n, want;
		enum gunzip_end end;

		seed = seed * 1664525 + 1013904223;
		offset = i < 100 ? (uint64_t)i * SIZE / 99 : seed % (SIZE + 1000);
		n = seed % MOST + 1;
		want = offset >= SIZE ? 0 : n < SIZE - offset ? n : SIZE - offset;
		assert_int_equal(gunzip_read(g, fd, got, n, offset, &end), want);
		assert_memory_equal(got, content + (want == 0 ? 0 : offset), want);
		assert_int_not_equal(end, GUNZIP_CORRUPT);
		if (want < n)
			assert_int_equal(end, GUNZIP_ENDED);
	}
	gunzip_free(g);
	free(got);
	close(fd);
}

static void
test_a_file_cut_anywhere_gives_what_it_holds(void **state)
{
	struct gunzip *g = gunzip_new(MOST);
	char got[1000];
	int fd = packed(200, 0);
	off_t size = lseek(fd, 0, SEEK_END);

	(void)state;
	close(fd);
	for (off_t cut = 1; cut < size; cut++) {
		enum gunzip_end end;
		ssize_t n;

		fd = packed(200, (size_t)cut);
		n = gunzip_read(g, fd, got, sizeof(got), 0, &end);
		assert_true(n >= 0 && n <= 200);
		assert_memory_equal(got, content, n);
		/* Between its members it is whole, but for the second one's first byte. */
		assert_true(end == GUNZIP_CORRUPT || (end == GUNZIP_ENDED && n == 100));
		gunzip_forget(g, fd);
		close(fd);
	}
	gunzip_free(g);
}

static void
test_garbage_is_corrupt(void **state)
{
	struct gunzip *g = gunzip_new(MOST);
	char path[] = "/tmp/towline-gunzip-XXXXXX", got[10];
	int fd = mkstemp(path);
	enum gunzip_end end;

	(void)state;
	unlink(path);
	assert_int_equal(write(fd, content, 100), 100);
	assert_int_equal(gunzip_read(g, fd, got, sizeof(got), 0, &end), 0);
	assert_int_equal(end, GUNZIP_CORRUPT);
	gunzip_free(g);
	close(fd);
}

static void
test_names_in_the_order_of_rotation(void **state)
{
	static const char *const order[] = { "0.log.20251231-235959", "0.log.20260101-000000",
		"0.log.20260101-000000.gz", "0.log.20260101-000001.gz" };
	static const char *const counts[] = { "0.log.10.gz", "0.log.3", "0.log.2", "0.log.2.gz",
		"0.log.1" };
	static const char *const none[] = { "0.log", "0.log.", "0.log.tmp",
		"0.log.20260101-000000.tmp", "0.log.gz", "0.logs.1", "0.log.1.gz.tmp", "1.log.1" };
	struct slice live = SLICE("0.log");

	(void)state;
	for (size_t i = 0; i + 1 < COUNT(order); i++)
		assert_true(rotated_order(slice_of(order[i]), slice_of(order[i + 1]), live) < 0);
	for (size_t i = 0; i + 1 < COUNT(counts); i++)
		assert_true(rotated_order(slice_of(counts[i]), slice_of(counts[i + 1]), live) < 0);
	for (size_t i = 0; i < COUNT(order); i++)
		assert_true(rotated_is(slice_of(order[i]), live));
	for (size_t i = 0; i < COUNT(counts); i++)
		assert_true(rotated_is(slice_of(counts[i]), live));
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(rotated_is(slice_of(none[i]), live));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_in_any_order_are_the_content),
		cmocka_unit_test(test_a_file_cut_anywhere_gives_what_it_holds),
		cmocka_unit_test(test_garbage_is_corrupt),
		cmocka_unit_test(test_names_in_the_order_of_rotation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
