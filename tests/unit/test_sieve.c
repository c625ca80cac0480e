/* Of the API server's JSON, the members that are used: in pieces of any size. */
#include "unit.h"

#include "../../src/kube/sieve.h"

static const char *const roots[] = { "kind", "metadata.continue", NULL };
static const char *const items[] = { "metadata.name", "metadata.labels", "spec.containers.image",
	NULL };
static const char *const types[] = { "type", NULL };
static const struct sieve_shape list = { roots, "items", items, true };
static const struct sieve_shape events = { types, "object", items, false };

static const struct {
	const struct sieve_shape *shape;
	const char *text, *kept; /* each object on a line; NULL: bad */
} cases[] = {
	{ &list, "{\"kind\":\"PodList\",\"items\":[]}", "{\"kind\":\"PodList\",\"items\":[]}\n" },
	{ &list,
	    "{\"items\":[{\"metadata\":{\"name\":\"a\",\"uid\":\"x\",\"labels\":{\"l\":[1,{}],\"m\":\"}\"}}},"
	    "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"containers\":[{\"image\":\"i\",\"env\":[{}]},{\"x\":1,\"image\":null}]}}],"
	    "\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"c\"}}",
	    "{\"metadata\":{\"name\":\"a\",\"labels\":{\"l\":[1,{}],\"m\":\"}\"}}}\n"
	    "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"containers\":[{\"image\":\"i\"},{\"image\":null}]}}\n"
	    "{\"items\":[],\"metadata\":{\"continue\":\"c\"}}\n" },
	{ &events,
	    "{\"type\":\"ADDED\",\"object\":{\"managedFields\":{\"metadata\":{\"name\":\"no\"}},\"metadata\":{\"name\":\"a\\\"\\\\\"}}}\n"
	    " {\"object\":{},\"type\":\"BOOKMARK\"}\r\n",
	    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\\\"\\\\\"}}}\n"
	    "{\"object\":{},\"type\":\"BOOKMARK\"}\n" },
	/* of another type than expected: the parser behind says so */
	{ &events, "{\"object\":[{\"metadata\":3},4],\"type\":{}}",
	    "{\"object\":[{\"metadata\":3},4],\"type\":{}}\n" },
	{ &events, "{\"object\":\"text\",\"type\":true}", "{\"object\":\"text\",\"type\":true}\n" },
	{ &events, "{\"ty\\u0070e\":1}", "{}\n" },
	{ &list, "{\"items\":{\"metadata\":{\"name\":\"a\"}}}",
	    "{\"items\":{\"metadata\":{\"name\":\"a\"}}}\n" },
	{ &list, "[]", NULL },
	{ &list, "{]", NULL },
	{ &list, "{\"a\":}", NULL },
	{ &list, "{\"a\":1:2}", NULL },
	{ &list, "{\"a\" 1}", NULL },
	{ &list, "{a:1}", NULL },
	{ &list, "{\"a\":[1,]}", NULL },
	{ &list, "<html>", NULL },
};

struct got {
	char text[4096];
	size_t len;
	unsigned over;
};

static void
on_object(void *arg, struct slice text, bool root)
{
	struct got *got = arg;

	(void)root;
	got->over += text.len == 0;
	got->len += (size_t)snprintf(
	    got->text + got->len, sizeof(got->text) - got->len, "%.*s\n", (int)text.len, text.at);
}

static enum parsed
feed(struct sieve *s, struct slice text, size_t cut)
{
	struct slice first = exact((struct slice){ text.at, cut }),
		     rest = exact(slice_from(text, cut));
	enum parsed result = sieve_feed(s, first);

	if (result != PARSE_BAD)
		result = sieve_feed(s, rest);
	exact_free(first);
	exact_free(rest);
	return result;
}

static void
test_used_members_are_kept_wherever_the_text_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice text = slice_of(cases[i].text);

		for (size_t cut = 0; cut <= text.len; cut++) {
			struct got got = { .len = 0 };
			struct sieve *s = sieve_new(cases[i].shape, 1000, 1000, on_object, &got);
			enum parsed result = feed(s, text, cut);

			if (cases[i].kept == NULL) {
				assert_int_equal(result, PARSE_BAD);
			} else {
				assert_int_equal(result, PARSE_OK);
				assert_slice(((struct slice){ got.text, got.len }), cases[i].kept);
			}
			sieve_free(s);
		}
	}
}

static void
test_a_text_that_ends_too_soon_is_not_complete(void **state)
{
	struct slice text = slice_of(cases[1].text);

	(void)state;
	for (size_t n = 1; n < text.len; n++) {
		struct got got = { .len = 0 };
		struct sieve *s = sieve_new(&list, 1000, 1000, on_object, &got);
		struct slice part = exact((struct slice){ text.at, n });

		assert_int_equal(sieve_feed(s, part), PARSE_MORE);
		exact_free(part);
		sieve_free(s);
	}
}

static void
feed_times(struct sieve *s, const char *text, unsigned times)
{
	while (times-- > 0)
		sieve_feed(s, slice_of(text));
}

static void
test_what_is_not_used_costs_nothing(void **state)
{
	struct got got = { .len = 0 };
	struct sieve *s = sieve_new(&events, 100, 20000000, on_object, &got);

	(void)state;
	feed_times(s, "{\"object\":{\"metadata\":{\"annotations\":{\"a\":\"", 1);
	feed_times(s, "0123456789012345678901234567890123456789", 100000);
	feed_times(s, "\"},\"name\":\"n\"}}}", 1);
	assert_slice(((struct slice){ got.text, got.len }),
	    "{\"object\":{\"metadata\":{\"name\":\"n\"}}}\n");
	sieve_free(s);
}

static void
test_too_much_of_what_is_used_is_that_object_alone(void **state)
{
	struct got got = { .len = 0 };
	struct sieve *s = sieve_new(&list, 100, 20000000, on_object, &got);

	(void)state;
	feed_times(s, "{\"items\":[{\"metadata\":{\"labels\":{\"a\":\"", 1);
	feed_times(s, "0123456789", 100);
	feed_times(s, "\"}}},{\"metadata\":{\"name\":\"n\"}}]}", 1);
	assert_int_equal(got.over, 1);
	assert_slice(((struct slice){ got.text, got.len }),
	    "\n{\"metadata\":{\"name\":\"n\"}}\n{\"items\":[]}\n");
	sieve_free(s);
}

static void
test_an_object_without_an_end_and_a_deep_one_are_refused(void **state)
{
	struct got got = { .len = 0 };
	struct sieve *s = sieve_new(&events, 100, 1000, on_object, &got);
	unsigned n = 0;

	(void)state;
	feed_times(s, "{\"x\":\"", 1);
	while (sieve_feed(s, SLICE("0123456789")) == PARSE_MORE)
		n++;
	assert_in_range(n, 90, 110);
	assert_int_equal(sieve_feed(s, SLICE("\"}")), PARSE_BAD);
	sieve_clear(s);
	assert_int_equal(sieve_feed(s, SLICE("{\"type\":\"A\"}")), PARSE_OK);
	assert_slice(((struct slice){ got.text, got.len }), "{\"type\":\"A\"}\n");
	feed_times(s, "{\"x\":", 1);
	for (n = 0; sieve_feed(s, SLICE("[")) == PARSE_MORE; n++)
		assert_true(n < SIEVE_DEPTH);
	assert_int_equal(n, SIEVE_DEPTH - 1);
	sieve_free(s);
}

static void
test_a_broken_off_answer_does_not_reach_into_the_next(void **state)
{
	struct got got = { .len = 0 };
	struct sieve *s = sieve_new(&list, 1000, 1000, on_object, &got);

	(void)state;
	assert_int_equal(
	    sieve_feed(s, SLICE("{\"items\":[{\"metadata\":{\"name\":\"a\\")), PARSE_MORE);
	sieve_clear(s);
	assert_int_equal(sieve_feed(s, SLICE("{\"kind\":\"L\"}")), PARSE_OK);
	assert_slice(((struct slice){ got.text, got.len }), "{\"kind\":\"L\"}\n");
	sieve_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used_members_are_kept_wherever_the_text_is_cut),
		cmocka_unit_test(test_a_text_that_ends_too_soon_is_not_complete),
		cmocka_unit_test(test_what_is_not_used_costs_nothing),
		cmocka_unit_test(test_too_much_of_what_is_used_is_that_object_alone),
		cmocka_unit_test(test_an_object_without_an_end_and_a_deep_one_are_refused),
		cmocka_unit_test(test_a_broken_off_answer_does_not_reach_into_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
