/* A packed body inflates to what was given, by each library that the build has. */
#include "unit.h"

#include <stdlib.h>
#include <zlib.h>

#include "gzip.h"

struct given {
	struct slice rest;
	size_t most; /* that is given at once */
};

static size_t
give(void *arg, char *to, size_t size)
{
	struct given *g = arg;
	size_t n = g->rest.len < size ? g->rest.len : size;

	if (n > g->most)
		n = g->most;
	if (n == 0)
		return 0;
	memcpy(to, g->rest.at, n);
	g->rest = slice_from(g->rest, n);
	return n;
}

/* One member of gzip, its sum and length right, and nothing behind it. */
static void
check_inflates(const struct buffer *packed, size_t from, struct slice want)
{
	z_stream z = { 0 };
	unsigned char *plain = malloc(want.len + 1);

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (unsigned char *)packed->at + from;
	z.avail_in = (unsigned)(packed->len - from);
	z.next_out = plain;
	z.avail_out = (unsigned)want.len + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, want.len);
	assert_memory_equal(plain, want.at, want.len);
	inflateEnd(&z);
	free(plain);
}

static void
check(const struct gzip_way *way, struct slice text, size_t most)
{
	struct given given = { text, most };
	struct buffer out;

	buffer_init(&out, 0);
	assert_int_equal(buffer_put(&out, SLICE("before")), 0);
	way->pack(&out, give, &given);
	assert_memory_equal(out.at, "before", 6);
	check_inflates(&out, 6, text);
	/* ship_limit's share of a request is twice its body, and a buffer doubles. */
	assert_true(out.len - 6 <= text.len + text.len / 1000 + 64);
	buffer_fini(&out);
}

enum { MOST = 5 << 20 };

static const size_t sizes[] = { 0, 1, 2, 257, 16383, 16384, 16385, 65535, 65536, 65537, 300001,
	(1 << 20) - 1, 1 << 20, MOST };

static void
check_all(const char *text)
{
	for (const struct gzip_way *way = gzip_ways; way->name != NULL; way++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			check(way, (struct slice){ text, sizes[i] }, SIZE_MAX);
			check(way, (struct slice){ text, sizes[i] }, 4093);
		}
		check(way, (struct slice){ text, 3000 }, 1);
	}
}

static char *
random_bytes(uint64_t seed)
{
	char *at = malloc(MOST);

	for (size_t i = 0; i < MOST; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		at[i] = (char)(seed >> 56);
	}
	return at;
}

static void
test_bytes_that_do_not_pack(void **state)
{
	char *at = random_bytes(1);

	(void)state;
	check_all(at);
	free(at);
}

static void
test_lines_of_documents(void **state)
{
	char *at = random_bytes(2);

	(void)state;
	for (size_t i = 0; i < MOST; i++) /* a few random bytes in much that is the same */
		at[i] = i % 211 < 9 ? at[i] : "{\"create\":{\"_index\":\"logs\"}}\n"[i % 29];
	check_all(at);
	memset(at, 'x', MOST);
	check_all(at);
	free(at);
}

static void
test_the_first_is_the_build_s(void **state)
{
	(void)state;
#ifdef ISAL
	assert_string_equal(gzip_ways[0].name, "igzip");
	assert_string_equal(gzip_ways[1].name, "zlib");
#else
	assert_string_equal(gzip_ways[0].name, "zlib");
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_that_do_not_pack),
		cmocka_unit_test(test_lines_of_documents),
		cmocka_unit_test(test_the_first_is_the_build_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
