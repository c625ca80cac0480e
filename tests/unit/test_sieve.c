/* Of the API server's JSON, the members that are used: in pieces of any size. */
#include "unit.h"

#include <jansson.h>

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
test_too_many_brackets_are_that_object_alone(void **state)
{
	struct got got = { .len = 0 };
	struct sieve *s = sieve_new(&list, 100000, 20000000, on_object, &got);

	(void)state;
	feed_times(s, "{\"items\":[{\"metadata\":{\"labels\":{\"a\":[[]", 1);
	feed_times(s, ",{}", SIEVE_OPENED);
	feed_times(s, "]}}},{\"metadata\":{\"name\":\"n\"}}]}", 1);
	assert_int_equal(got.over, 1);
	assert_slice(((struct slice){ got.text, got.len }),
	    "\n{\"metadata\":{\"name\":\"n\"}}\n{\"items\":[]}\n");
	sieve_free(s);
}

/* ---- documents by chance, of a seed that is said */

static uint64_t seed;

static unsigned
chance(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static json_t *
any_value(unsigned depth)
{
	static const char *const keys[] = { "kind", "metadata", "continue", "name", "labels",
		"spec", "containers", "image", "type", "object", "items", "", "a.b", "\"}]\\" };
	unsigned kind = depth > 6 ? chance(4) : chance(9);
	json_t *value;

	if (kind == 0)
		return json_integer((json_int_t)chance(1000) - 500);
	if (kind == 1)
		return json_string(keys[chance(COUNT(keys))]);
	if (kind < 4)
		return chance(2) == 0 ? json_null() : json_real(chance(100) / 8.0);
	value = kind < 6 ? json_array() : json_object();
	for (unsigned n = chance(6); n > 0; n--) {
		if (kind < 6)
			json_array_append_new(value, any_value(depth + 1));
		else
			json_object_set_new(value, keys[chance(COUNT(keys))], any_value(depth + 1));
	}
	return value;
}

/* The pattern behind `key`, when it begins there; "": it is that whole. */
static const char *
behind(const char *pattern, const char *key)
{
	size_t n = strlen(key);

	if (n == 0 || strncmp(pattern, key, n) != 0 || strcspn(pattern, ".") != n)
		return NULL;
	return pattern[n] == '.' ? pattern + n + 1 : pattern + n;
}

/* What the sieve is to keep of a value, the slow and plain way. */
static json_t *
picked(json_t *value, const char *const *patterns, const struct sieve_shape *root)
{
	json_t *out, *one;
	const char *key;
	size_t i;

	if (!json_is_object(value) && !json_is_array(value))
		return json_incref(value);
	out = json_is_array(value) ? json_array() : json_object();
	json_array_foreach(value, i, one) json_array_append_new(out, picked(one, patterns, NULL));
	json_object_foreach(value, key, one)
	{
		const char *rest[8] = { NULL };
		bool whole = false;
		size_t n = 0;

		if (root != NULL && strcmp(key, root->inner) == 0) {
			json_object_set_new(out, key, picked(one, root->item, NULL));
			continue;
		}
		for (size_t p = 0; patterns[p] != NULL; p++) {
			const char *more = behind(patterns[p], key);

			whole |= more != NULL && *more == '\0';
			if (more != NULL)
				rest[n++] = more;
		}
		if (whole)
			json_object_set(out, key, one);
		else if (n > 0)
			json_object_set_new(out, key, picked(one, rest, NULL));
	}
	return out;
}

/* The list's elements, handed on one by one, are put back where they were. */
struct caught {
	json_t *each, *root;
};

static void
on_caught(void *arg, struct slice text, bool root)
{
	struct caught *c = arg;
	json_t *object = json_loadb(text.at, text.len, 0, NULL);

	if (root) {
		json_decref(c->root);
		c->root = object;
	} else {
		json_array_append_new(c->each, object == NULL ? json_null() : object);
	}
}

static enum parsed
feed_cut(struct sieve *s, struct slice text)
{
	enum parsed result = PARSE_OK;

	while (text.len > 0 && result != PARSE_BAD) {
		size_t n = 1 + chance(chance(4) == 0 ? 200 : 8);
		struct slice piece = exact((struct slice){ text.at, n < text.len ? n : text.len });

		result = sieve_feed(s, piece);
		text = slice_from(text, piece.len);
		exact_free(piece);
	}
	return result;
}

/* Of an array, what is handed on by itself: its objects and arrays. */
static json_t *
handed_on(json_t *array)
{
	json_t *out = json_array(), *one;
	size_t i;

	json_array_foreach(array, i, one)
	{
		if (json_is_object(one) || json_is_array(one))
			json_array_append(out, one);
	}
	return out;
}

static void
try_document(const struct sieve_shape *shape, unsigned n)
{
	json_t *object = any_value(0), *document, *want, *inner, *each = NULL;
	struct caught c = { json_array(), NULL };
	struct sieve *s = sieve_new(shape, 1 << 20, 1 << 20, on_caught, &c);
	char *text;

	document =
	    json_is_object(object) ? json_incref(object) : json_pack("{s:O}", "object", object);
	if (chance(2) == 0)
		json_object_set_new(document, shape->inner, any_value(1));
	text = json_dumps(document, chance(2) == 0 ? JSON_INDENT(3) : JSON_COMPACT);
	want = picked(document, shape->root, shape);
	inner = json_object_get(want, shape->inner);
	if (shape->each && json_is_array(inner))
		each = handed_on(inner);
	if (feed_cut(s, slice_of(text)) != PARSE_OK)
		fail_msg("document %u is refused: %s", n, text);
	if (each != NULL && !json_equal(c.each, each))
		fail_msg("document %u: items of %s", n, text);
	if (each != NULL) { /* what else an array has is of no use */
		json_object_del(want, shape->inner);
		if (c.root != NULL)
			json_object_del(c.root, shape->inner);
	}
	/* Objects among other elements leave a text that is none: it is refused as such. */
	if (c.root != NULL || each == NULL || json_array_size(each) == 0) {
		if (!json_equal(c.root, want))
			fail_msg("document %u: %s", n, text);
	}
	json_decref(each);
	json_decref(want);
	json_decref(document);
	json_decref(object);
	json_decref(c.each);
	json_decref(c.root);
	sieve_free(s);
	free(text);
}

static void
test_any_document_is_kept_as_a_parser_of_all_of_it_would(void **state)
{
	(void)state;
	seed = 20260101;
	for (unsigned n = 0; n < 20000; n++)
		try_document(n % 2 == 0 ? &list : &events, n);
}

static void
test_no_bytes_make_it_read_or_write_elsewhere(void **state)
{
	(void)state;
	seed = 20260102;
	for (unsigned n = 0; n < 20000; n++) {
		json_t *object = any_value(0);
		char *text = json_dumps(object, JSON_ENCODE_ANY);
		size_t len = strlen(text);
		struct caught c = { json_array(), NULL };
		struct sieve *s = sieve_new(n % 2 == 0 ? &list : &events, 64, 400, on_caught, &c);

		for (unsigned i = 1 + chance(4); i > 0; i--)
			text[chance((unsigned)len)] = "{}[]\",:\\a\0\377 "[chance(12)];
		if (feed_cut(s, (struct slice){ text, len }) == PARSE_BAD)
			sieve_clear(s);
		feed_cut(s, (struct slice){ text, len });
		sieve_free(s);
		json_decref(c.each);
		json_decref(c.root);
		json_decref(object);
		free(text);
	}
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
		cmocka_unit_test(test_too_many_brackets_are_that_object_alone),
		cmocka_unit_test(test_any_document_is_kept_as_a_parser_of_all_of_it_would),
		cmocka_unit_test(test_no_bytes_make_it_read_or_write_elsewhere),
		cmocka_unit_test(test_a_broken_off_answer_does_not_reach_into_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
