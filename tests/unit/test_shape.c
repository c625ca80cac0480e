/* The tree of a record's fields: what is read, changed and written of it. */
#include "unit.h"

#include "json.h"
#include "shape.h"

#define INNER "{\"k\":{\"a\\\"b\":1,\"l\":[true,{\"x\":\"\\u00e9\"}]},\"t\":\"v\",\"n\":1.50}"

static void
read_json(struct shape *s, const char *json)
{
	struct shape_node *node;

	shape_clear(s);
	node = shape_put(s, s->root, SLICE("of"));
	assert_true(shape_set_json(s, node, slice_of(json)));
}

static void
assert_written(struct shape *s, const char *want)
{
	char *to = xmalloc(shape_room(s->root));
	char *end = shape_write(to, s->root);

	assert_true((size_t)(end - to) <= shape_room(s->root));
	assert_slice(((struct slice){ to, (size_t)(end - to) }), want);
	free(to);
}

/* Look inside everything. */
static void
open_all(struct shape *s, struct shape_node *node)
{
	for (node = shape_first(s, node); node != NULL; node = shape_next(node))
		open_all(s, node);
}

static void
test_what_is_opened_is_written_as_it_was(void **state)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
		{ INNER,
		    "{\"of\":{\"k\":{\"a\\\"b\":1,\"l\":[true,{\"x\":\"é\"}]},\"t\":\"v\",\"n\":1.50}}" },
		{ "{}", "{\"of\":{}}" },
		{ " [ ] ", "{\"of\":[]}" },
		{ "null", "{\"of\":null}" },
		{ "\"a\\nb\"", "{\"of\":\"a\\nb\"}" },
		{ "{\"a\":1,\"a\":2}", "{\"of\":{\"a\":2}}" },
		{ "{\"\":1}", "{\"of\":{\"_\":1}}" },
	};
	struct shape s;

	(void)state;
	shape_init(&s, 65536);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		read_json(&s, cases[i].json);
		open_all(&s, s.root);
		assert_false(s.full);
		assert_written(&s, cases[i].want);
	}
	shape_fini(&s);
}

static void
test_members_are_found_changed_and_moved(void **state)
{
	struct shape_node *of, *k, *node;
	struct shape s;

	(void)state;
	shape_init(&s, 65536);
	read_json(&s, INNER);
	of = shape_get(&s, s.root, SLICE("of"));
	k = shape_get(&s, of, SLICE("k"));
	node = shape_at(&s, shape_get(&s, k, SLICE("l")), 1);
	assert_slice(shape_text(&s, shape_get(&s, node, SLICE("x"))), "é");
	assert_null(shape_at(&s, shape_get(&s, k, SLICE("l")), 2));
	assert_null(shape_get(&s, shape_get(&s, of, SLICE("t")), SLICE("x")));
	assert_slice(shape_text(&s, k), "{\"a\\\"b\":1,\"l\":[true,{\"x\":\"é\"}]}");

	node = shape_put(&s, of, SLICE("t"));
	assert_true(shape_copy(&s, node, shape_get(&s, k, SLICE("l"))));
	shape_remove(of, k);
	k->name = SLICE("n"); /* replaces another of its name */
	shape_add(&s, of, k);
	shape_set(shape_put(&s, k, SLICE("l")), SHAPE_SCALAR, SLICE("7"));
	assert_written(&s, "{\"of\":{\"t\":[true,{\"x\":\"é\"}],\"n\":{\"a\\\"b\":1,\"l\":7}}}");
	shape_set(s.root, SHAPE_MAP, SLICE("")); /* built anew */
	shape_set(shape_put(&s, s.root, SLICE("a")), SHAPE_TEXT, SLICE("\"\xff"));
	assert_written(&s, "{\"a\":\"\\\"\xef\xbf\xbd\"}");
	shape_fini(&s);
}

static void
test_a_full_tree_says_so_and_stays_whole(void **state)
{
	bool fits = false;
	struct shape s;

	(void)state;
	for (size_t size = 0; size < 4000; size++) {
		struct shape_node *node;

		shape_init(&s, size);
		if (!s.full && (node = shape_put(&s, s.root, SLICE("of"))) != NULL &&
		    shape_set_json(&s, node, SLICE(INNER)))
			open_all(&s, s.root);
		if (s.root != NULL) {
			char *to = xmalloc(shape_room(s.root));

			(void)shape_write(to, s.root);
			free(to);
		}
		assert_true(s.full ? !fits : true);
		fits = !s.full;
		shape_fini(&s);
	}
	assert_true(fits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_opened_is_written_as_it_was),
		cmocka_unit_test(test_members_are_found_changed_and_moved),
		cmocka_unit_test(test_a_full_tree_says_so_and_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
