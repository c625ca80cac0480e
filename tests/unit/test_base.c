/* The ground: maps, arenas, buffers, and a voice that cannot be forged. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "backoff.h"
#include "map.h"
#include "memory.h"
#include "proxy.h"
#include "shown.h"
#include "voice.h"

static void
test_map_finds_what_was_put_through_growth_and_removal(void **state)
{
	struct map *m = map_new();
	static int values[3000];
	char key[16];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		assert_null(map_put(m, slice_of(key), &values[i]));
	}
	for (int i = 0; i < 3000; i += 3) {
		snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(map_del(m, slice_of(key)), &values[i]);
		assert_null(map_del(m, slice_of(key)));
	}
	assert_int_equal(map_count(m), 2000);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(map_get(m, slice_of(key)), i % 3 == 0 ? NULL : &values[i]);
	}
	map_free(m);
}

static void
test_map_put_replaces_and_walk_sees_each_once(void **state)
{
	struct map *m = map_new();
	int a = 1, b = 2, sum = 0;
	size_t at = 0;
	int *v;

	(void)state;
	assert_null(map_put(m, SLICE("x"), &a));
	assert_ptr_equal(map_put(m, SLICE("x"), &b), &a);
	map_put(m, SLICE(""), &a);
	while ((v = map_next(m, &at, NULL)) != NULL)
		sum += *v;
	assert_int_equal(sum, 3);
	map_free(m);
}

static void
test_arena_is_aligned_and_never_exceeds_its_size(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 64);
	assert_non_null(arena_take(&a, 3));
	assert_int_equal((uintptr_t)arena_take(&a, 8) % 8, 0);
	assert_null(arena_take(&a, 49));
	assert_non_null(arena_take(&a, 48));
	assert_null(arena_take(&a, 1));
	assert_null(arena_take(&a, SIZE_MAX));
	arena_reset(&a);
	assert_non_null(arena_take(&a, 64));
	arena_fini(&a);
}

static void
test_buffer_grows_to_its_cap_and_no_further(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 1000);
	assert_int_equal(buffer_put(&b, SLICE("hello ")), 0);
	assert_int_equal(buffer_printf(&b, "%d", 42), 0);
	assert_true(slice_eq(buffer_slice(&b), SLICE("hello 42")));
	assert_null(buffer_need(&b, 993));
	assert_non_null(buffer_need(&b, 992));
	assert_null(buffer_need(&b, SIZE_MAX));
	assert_true(slice_eq(buffer_slice(&b), SLICE("hello 42")));
	buffer_fini(&b);
}

static void
test_voice_escapes_what_could_forge_a_message(void **state)
{
	char path[] = "/tmp/towline-voice-XXXXXX", text[512] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(voice_open(VOICE_INFO, path), 0);
	say_info("tail", "file %s", "a\nb\x1b[31m");
	say_debug("tail", "not said");
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "info  tail  file a\\x0ab\\x1b[31m\n"));
	assert_null(strstr(text, "not said"));
	say_info("tail", "é€😀 %s", "\xff\xc0\x80\xed\xa0\x80\xc2\x9b\xf4\x90\xe2\x82");
	memset(text, 0, sizeof(text));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(
	    strstr(text, " é€😀 \\xff\\xc0\\x80\\xed\\xa0\\x80\\xc2\\x9b\\xf4\\x90\\xe2\\x82\n"));
	voice_open(VOICE_INFO, "/dev/null");
	close(fd);
	unlink(path);
}

static const struct {
	const char *text, *shown, *json; /* json NULL: as the text */
} foreign[] = {
	{ "plain \"\\ é€😀", "plain \"\\ é€😀", NULL },
	{ "a\tb\r\n\x1b[0m\x7f", "a\\x09b\\x0d\\x0a\\x1b[0m\\x7f", "a\tb\r\n\x1b[0m\\u007f" },
	{ "\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0" },
	{ "\xe2\x80\xae\xe2\x80\xaf", "\\xe2\\x80\\xae\xe2\x80\xaf", "\\u202e\xe2\x80\xaf" },
	{ "\xe2\x80\x8d\xe2\x80\x8e", "\xe2\x80\x8d\\xe2\\x80\\x8e", "\xe2\x80\x8d\\u200e" },
	{ "\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9", "\\u2066\\u2069" },
	{ "\xd8\x9c", "\\xd8\\x9c", "\\u061c" },
	{ "\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x80",
	    "\\xff\\xc0\\x80\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xe2\\x80", NULL },
};

static void
test_foreign_text_commands_no_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		const char *want[] = { foreign[i].shown,
			foreign[i].json ? foreign[i].json : foreign[i].text };
		void (*const print[])(struct slice, FILE *) = { shown_print, shown_json };
		char line[128];
		size_t n = shown_write(line, sizeof(line), slice_of(foreign[i].text));

		assert_true(slice_eq((struct slice){ line, n }, slice_of(want[0])));
		for (size_t most = 0; most < n; most++) {
			size_t cut = shown_write(line, most, slice_of(foreign[i].text));

			assert_true(cut <= most && strncmp(line, want[0], cut) == 0);
			assert_true(((unsigned char)want[0][cut] & 0xc0) != 0x80);
		}
		for (int j = 0; j < 2; j++) {
			char *text = NULL;
			size_t len;
			FILE *to = open_memstream(&text, &len);

			print[j](slice_of(foreign[i].text), to);
			fclose(to);
			assert_string_equal(text, want[j]);
			free(text);
		}
	}
}

static void
test_voice_tells_when_and_speaks_json(void **state)
{
	char path[] = "/tmp/towline-voice-XXXXXX", text[16384] = "", renamed[64], full[6000];
	int fd = mkstemp(path), year = 0;
	json_t *said;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(voice_open(VOICE_INFO, path), 0);
	say_info("tail", "x");
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_int_equal(sscanf(text, "%d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ info ", &year), 1);
	assert_true(year >= 2026 && text[10] == 'T' && text[23] == 'Z');

	voice_json(true);
	say_warn("es", "index \"a\\b\" \x1b %s", "é");
	memset(text, 0, sizeof(text));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	said = json_loads(text, 0, NULL);
	assert_non_null(said);
	assert_string_equal(json_string_value(json_object_get(said, "level")), "warn");
	assert_string_equal(json_string_value(json_object_get(said, "part")), "es");
	assert_string_equal(
	    json_string_value(json_object_get(said, "message")), "index \"a\\b\" \\x1b é");
	json_decref(said);

	for (int i = 0; i < 2; i++) { /* cut, and JSON all the same */
		memset(full, i == 0 ? '"' : '\x01', sizeof(full) - 1);
		full[sizeof(full) - 1] = '\0';
		say_warn("es", "%s", full);
		memset(text, 0, sizeof(text));
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		said = json_loads(text, 0, NULL);
		assert_non_null(said);
		json_decref(said);
	}
	voice_json(false);

	snprintf(renamed, sizeof(renamed), "%s.1", path);
	assert_int_equal(rename(path, renamed), 0);
	assert_int_equal(voice_open(VOICE_INFO, path), 0);
	say_info("tail", "in the new file");
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	close(fd);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text)) > 0);
	voice_open(VOICE_INFO, "/dev/null");
	close(fd);
	unlink(path);
	unlink(renamed);
}

static void
test_proxies_of_the_environment(void **state)
{
	char names[64], error[48] = "refused";

	(void)state;
	for (size_t i = 0; i < 7; i++)
		unsetenv((const char *[]){ "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
		    "ALL_PROXY", "no_proxy", "NO_PROXY" }[i]);
	setenv("no_proxy", "10.0.0.1", 1);
	setenv("HTTP_PROXY", "x", 1);
	assert_null(proxy_names(names, sizeof(names)));
	proxy_note(error, sizeof(error));
	assert_string_equal(error, "refused");
	setenv("https_proxy", "http://u:p@ss@p:3128", 1);
	assert_string_equal(
	    proxy_names(names, sizeof(names)), "https_proxy=p:3128, no_proxy=10.0.0.1");
	proxy_note(error, sizeof(error));
	assert_string_equal(error, "refused (of the environment: https_proxy=p:3128");
	setenv("ALL_PROXY", "a-name-that-is-longer-than-all-the-room-there-is-for-it:3128", 1);
	assert_int_equal(strlen(proxy_names(names, sizeof(names))), sizeof(names) - 1);
}

static void
test_said_lately_lets_one_through(void **state)
{
	struct said s = { 0 };

	(void)state;
	assert_false(said_lately(&s));
	assert_true(said_lately(&s));
	assert_int_equal(s.unsaid, 1);
}

static void
test_blanks_are_trimmed_and_texts_cut(void **state)
{
	static const char *const cases[][3] = {
		{ "", "", "" },
		{ " \t\r\n\v\f", "", "" },
		{ " a b\t", " a b", "a b" },
		{ "a", "a", "a" },
		{ "\x1b a\xa0", "\x1b a\xa0", "\x1b a\xa0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice s = slice_of(cases[i][0]);

		assert_true(slice_eq(slice_trim_end(s), slice_of(cases[i][1])));
		assert_true(slice_eq(slice_trim(s), slice_of(cases[i][2])));
		assert_int_equal(slice_cut(s, 2).len, s.len < 2 ? s.len : 2);
	}
	assert_int_equal(slice_trim((struct slice){ NULL, 0 }).len, 0);
	assert_int_equal(least(UINT64_MAX, 3), 3);
	assert_int_equal(earlier(-1, 3), -1);
}

/* Every wait lies between the half and the whole of start * 2^failures, or of the cap. */
static void
test_waits_double_up_to_a_cap_and_differ(void **state)
{
	static const struct {
		int64_t start, cap, whole;
		unsigned failures;
	} cases[] = {
		{ 8, 1000, 8, 0 },
		{ 8, 1000, 64, 3 },
		{ 8, 1000, 1000, 7 },
		{ 8, 1000, 1000, UINT_MAX },
		{ INT64_MAX / 2 + 1, INT64_MAX, INT64_MAX, 1 },
		{ 2000, 1000, 1000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (int n = 0; n < 1000; n++) {
			int64_t wait =
			    backoff_wait(cases[i].start, cases[i].cap, cases[i].failures);

			assert_in_range(wait, cases[i].whole / 2, cases[i].whole);
			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_true(least < most);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_finds_what_was_put_through_growth_and_removal),
		cmocka_unit_test(test_map_put_replaces_and_walk_sees_each_once),
		cmocka_unit_test(test_arena_is_aligned_and_never_exceeds_its_size),
		cmocka_unit_test(test_buffer_grows_to_its_cap_and_no_further),
		cmocka_unit_test(test_voice_escapes_what_could_forge_a_message),
		cmocka_unit_test(test_foreign_text_commands_no_terminal),
		cmocka_unit_test(test_proxies_of_the_environment),
		cmocka_unit_test(test_voice_tells_when_and_speaks_json),
		cmocka_unit_test(test_said_lately_lets_one_through),
		cmocka_unit_test(test_blanks_are_trimmed_and_texts_cut),
		cmocka_unit_test(test_waits_double_up_to_a_cap_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
