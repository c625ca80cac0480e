/*
 * Dead letters read again, from hostile files, and sent, to a server that
 * refuses some of them.  The command as a whole: tests/e2e/test_replay.py.
 */
#include "bulk_server.h"

#include <fcntl.h>

#include "../../src/cmd/replay.h"
#include "../../src/cmd/replay_why.h"
#include "clock.h"
#include "ship.h"

/* ---- what a line says */

#define HEAD "{\"time\":\"t\",\"output\":\"es.0\",\"index\":\"i\",\"id\":\"x\",\"status\":400"

static const struct {
	const char *line, *document;
} good[] = {
	{ HEAD ",\"document\":{}}", "{}" },
	{ HEAD ",\"reason\":\"a \\\",\\\"document\\\":{} b\",\"document\":{\"a\":\"}\"}}",
	    "{\"a\":\"}\"}" },
	{ HEAD ",\"document\":{\"a\":[{\"b\":\"\\\"]\"}]}}", "{\"a\":[{\"b\":\"\\\"]\"}]}" },
	{ HEAD ",\"document\":{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}",
	    "{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}" },
	{ "{\"id\":\"x\",\"index\":\"i\",\"other\":{\"a\":[1]},\"document\":{}}", "{}" },
};

static const char *const bad[] = {
	"",
	"{}",
	"[" HEAD ",\"document\":{}}]",
	HEAD ",\"document\":{}",
	HEAD ",\"document\":[]}",
	HEAD ",\"document\":\"{}\"}",
	HEAD ",\"document\":{}}}",
	HEAD ",\"document\":{\"a\":1},\"b\":{}}",
	HEAD ",\"document\":{\"a\":\"\t\"}}",
	HEAD ",\"document\":{\"a\":\"\\}}",
	HEAD "}",
	"{\"index\":\"i\",\"document\":{}}",
	"{\"id\":\"x\",\"document\":{}}",
	"{\"id\":\"x\",\"index\":7,\"document\":{}}",
	"{\"id\":\"x\" \"index\":\"i\",\"document\":{}}",
	"{\"id\":\"x\",\"index\":\"i\",\"a\":\",\"document\":{}}",
	"{,\"document\":{}}",
};

static void
test_lines(void **state)
{
	struct letter l;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct slice line = exact(slice_of(good[i].line));

		assert_null(letters_read(line, &l));
		assert_slice(l.document, good[i].document);
		assert_slice(l.id, "x");
		assert_slice(l.index, "i");
		/* cut anywhere it is no letter, and nothing behind its end is read */
		for (size_t cut = 0; cut < line.len; cut++) {
			struct slice part = exact((struct slice){ line.at, cut });

			assert_non_null(letters_read(part, &l));
			exact_free(part);
		}
		exact_free(line);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (letters_read(slice_of(bad[i]), &l) == NULL)
			fail_msg("%s: a letter", bad[i]);
	}
}

/* ---- lines of a file */

#define PATH "/tmp/towline-letters-test"

static void
file_write(const char *mode, size_t from, size_t n)
{
	FILE *file = fopen(PATH, mode);

	for (size_t i = from; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			putc('a' + (int)(i % 26), file);
		putc('\n', file);
	}
	fclose(file);
}

/* Lines of 0, 1, 2 … bytes: their ends stand everywhere in the buffer. */
static void
test_lines_of_a_file_as_it_was(void **state)
{
	struct letters l;
	struct line line;
	uint64_t at = 0;

	(void)state;
	file_write("w", 0, 1000);
	assert_int_equal(letters_open(&l, PATH), 0);
	file_write("a", 0, 10); /* what a running towline appends is not read */
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(letters_next(&l, &line), 1);
		assert_int_equal(line.number, i + 1);
		assert_int_equal(line.at, at);
		assert_int_equal(line.len, i);
		assert_int_equal(line.text.len, i);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(line.text.at[j], 'a' + i % 26);
		at += i + 1;
	}
	assert_int_equal(letters_next(&l, &line), 0);
	assert_int_equal(letters_next(&l, &line), 0);
	assert_true(letters_more(&l)); /* but when that is asked for */
	assert_false(letters_more(&l));
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(letters_next(&l, &line), 1);
		assert_int_equal(line.number, 1000 + i + 1);
		assert_int_equal(line.at, at);
		assert_int_equal(line.len, i);
		at += i + 1;
	}
	assert_int_equal(letters_next(&l, &line), 0);
	letters_close(&l);

	assert_int_equal(letters_open(&l, PATH), 0);
	assert_int_equal(truncate(PATH, 5), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(letters_next(&l, &line), 1);
	assert_int_equal(line.len, 2);
	assert_int_equal(letters_next(&l, &line), 0);
	letters_close(&l);
	unlink(PATH);
	assert_int_equal(letters_open(&l, PATH), -1);
	letters_close(&l);
	assert_int_equal(letters_open(&l, "/tmp"), -1);
	letters_close(&l);
}

/* ---- sending */

static const struct plugin *const plugins[] = { &es_plugin, NULL };
static const struct registry registry = { .plugins = plugins };

static struct conf *
conf_of(unsigned port)
{
	struct findings *findings = findings_new();
	FILE *file = fopen(PATH, "w");
	struct conf *conf;

	fprintf(
	    file, "[OUTPUT]\n Name es\n Match *\n Host 127.0.0.1\n Port %u\n Pipeline a b\n", port);
	fclose(file);
	conf = conf_read(PATH, &registry, findings);
	assert_int_equal(conf->n, 1);
	findings_free(findings);
	unlink(PATH);
	return conf;
}

/* Letters by their number: each third is too much for the server at first, each tenth is bad. */
static int
busy_then_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	unsigned n = (unsigned)strtoul(id.at + 36, NULL, 10);

	assert_true(has(document, "{\"n\":"));
	if (n % 3 == 0 && (intptr_t)map_get(s->seen, id) == 1)
		return *type = "rejected", 429;
	return n % 10 == 0 ? *type = "mapper_parsing_exception", 400 : 201;
}

static void
answers(struct server *s, const struct request *q, struct buffer *out)
{
	assert_true(has(q->path, "&pipeline=a%20b"));
	assert_true(slice_starts(q->body, SLICE("{\"create\":{\"_index\":\"i\",\"_id\":\"")));
	bulk_answer(s, q, out);
}

static void
letter_add(struct replay_batch *b, unsigned n)
{
	char id[41], document[32];
	struct letter l = { .index = SLICE("i"), .id = { id, 40 } };
	struct line line = { .number = n };

	snprintf(id, sizeof(id), "%040u", n);
	snprintf(document, sizeof(document), "{\"n\":%u}", n);
	l.document = slice_of(document);
	assert_true(replay_batch_has_room(b, &l));
	replay_batch_add(b, &line, &l);
}

static void
test_busy_letters_go_again_and_bad_ones_are_left(void **state)
{
	struct server server = { .answer = answers, .judge = busy_then_odd };
	struct replay_batch b;
	struct conf *conf;

	(void)state;
	server_start(&server);
	conf = conf_of(server.port);
	replay_batch_init(&b);
	b.wait = NS_PER_MS;
	replay_batch_output(&b, &conf->sections[0]);
	for (unsigned n = 0; n < BATCH_LETTERS; n++)
		letter_add(&b, n);
	assert_false(replay_batch_has_room(&b, &(struct letter){ 0 }));
	replay_batch_send(&b);
	assert_int_equal(server.bulks, 2);
	for (size_t i = 0; i < b.n; i++) {
		bool odd = b.at[i].number % 10 == 0;

		assert_int_equal(b.at[i].fate, odd ? FATE_LEFT : FATE_TAKEN);
		assert_int_equal(b.at[i].answer.status, odd ? 400 : 201);
	}
	assert_int_equal(map_count(server.stored), BATCH_LETTERS - (BATCH_LETTERS + 9) / 10);
	replay_batch_fini(&b);
	conf_free(conf);
	server_stop(&server);
}

/* ---- why */

static void
test_reasons_are_counted_without_ids_and_are_bounded(void **state)
{
	static const char *const cases[][3] = {
		{ "in document with id 'ab'. Preview", "ab", "in document with id '*'. Preview" },
		{ "abab", "ab", "**" },
		{ "text", "", "text" },
		{ "", "ab", "" },
	};
	struct why_table t = { 0 };
	char to[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		replay_why_without(to, cases[i][0], cases[i][1]);
		assert_string_equal(to, cases[i][2]);
	}
	for (uint64_t i = 0; i < 1000; i++) {
		snprintf(to, sizeof(to), "reason %u", (unsigned)(i % 500));
		replay_why_count(&t, to, i + 1);
	}
	assert_int_equal(t.n, WHYS + 1);
	assert_int_equal(t.at[0].count, 2);
	assert_int_equal(t.at[WHYS].count, 1000 - 2 * WHYS);
	assert_string_equal(t.at[WHYS].text, "other reasons");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_of_a_file_as_it_was),
		cmocka_unit_test(test_busy_letters_go_again_and_bad_ones_are_left),
		cmocka_unit_test(test_reasons_are_counted_without_ids_and_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
