/* Namespaces and the node: what is read, when again, and what is forgotten. */
#include "unit.h"

#include "../../src/kube/around.h"
#include "clock.h"
#include "state.h"

#define DIR_NAME "around-test-state"

static const struct around_options both = { true, true, 900 * NS_PER_S, "00/" };
static const struct slice own = { "own", 3 }, other = { "other", 5 };

struct rig {
	struct state *state;
	struct around *around;
};

static void
rig_start(struct rig *r, const char *dir, const struct around_options *options)
{
	r->state = state_open(dir);
	assert_non_null(r->state);
	r->around = around_new(options, r->state);
}

static void
rig_stop(struct rig *r)
{
	around_free(r->around);
	state_close(r->state);
}

static bool
finds(struct rig *r, struct slice space, const char *value)
{
	struct shared_json *json, *node;
	uint64_t version;
	bool all = around_find(r->around, space, &json, &node, &version);

	if (value == NULL)
		assert_null(json);
	else
		assert_true(slice_eq(json->json, slice_of(value)));
	return all;
}

/* What is due is the namespace of this name, or the node (NULL). */
static struct around_want
wanted(struct rig *r, const char *name, int64_t now)
{
	struct around_want want;

	for (int i = 0; i < 3 && around_next(r->around, now, &want); i++) {
		if (want.node == (name == NULL) && (want.node || strcmp(want.name, name) == 0))
			return want;
		around_fail(r->around, &want, false, now);
	}
	fail_msg("%s is not due", name == NULL ? "the node" : name);
	return want;
}

static void
test_what_is_asked_for_is_read_and_read_again(void **state)
{
	int64_t now = clock_mono();
	struct around_want want;
	struct rig r;

	(void)state;
	rig_start(&r, NULL, &both);
	assert_false(around_next(r.around, now, &want));
	assert_false(finds(&r, own, NULL));
	want = wanted(&r, "own", now);
	around_put(r.around, &want, shared_json_new(SLICE("{}")), now, 1);
	assert_false(finds(&r, own, "{}")); /* the node is not known */
	want = wanted(&r, NULL, now + 3 * NS_PER_S);
	around_put(r.around, &want, shared_json_new(SLICE(",1")), now, 2);
	assert_true(finds(&r, own, "{}"));
	assert_false(around_next(r.around, now + 899 * NS_PER_S, &want));
	wanted(&r, "own", now + 900 * NS_PER_S);
	rig_stop(&r);
}

static void
test_a_failure_is_tried_again_soon_and_a_refusal_is_an_answer(void **state)
{
	struct around_options options = { true, false, 900 * NS_PER_S, "00/" };
	int64_t now = clock_mono();
	struct around_want want;
	struct rig r;

	(void)state;
	rig_start(&r, NULL, &options);
	assert_false(finds(&r, own, NULL));
	want = wanted(&r, "own", now);
	around_fail(r.around, &want, false, now);
	assert_false(finds(&r, own, NULL));
	assert_false(around_next(r.around, now + NS_PER_S, &want));
	want = wanted(&r, "own", now + 2 * NS_PER_S);
	around_fail(r.around, &want, true, now);
	assert_true(finds(&r, own, NULL));
	assert_false(around_next(r.around, now + 59 * NS_PER_S, &want));
	wanted(&r, "own", now + 60 * NS_PER_S);
	rig_stop(&r);
}

static unsigned restored;

static void
restore(void *arg, struct slice key, struct slice value)
{
	struct rig *r = arg;

	assert_true(slice_starts(key, SLICE("00/")));
	restored += around_restore(r->around, slice_from(key, 3), value, 1);
}

static void
test_a_namespace_without_pods_is_forgotten_in_the_state_too(void **state)
{
	struct around_options options = { true, false, 900 * NS_PER_S, "00/" };
	int64_t now = clock_mono();
	struct around_want want;
	struct rig r;

	(void)state;
	unit_remove(DIR_NAME);
	rig_start(&r, DIR_NAME, &options);
	assert_false(finds(&r, own, NULL));
	assert_false(finds(&r, other, NULL));
	for (int i = 0; i < 2; i++) {
		assert_true(around_next(r.around, now, &want));
		around_put(r.around, &want, shared_json_new(SLICE("{}")), now, 1);
	}
	around_used(r.around, own, now + 100 * NS_PER_S);
	around_tick(r.around, now + 120 * NS_PER_S);
	assert_true(finds(&r, own, "{}"));
	assert_false(finds(&r, other, NULL));
	rig_stop(&r);
	rig_start(&r, DIR_NAME, &options);
	restored = 0;
	state_metadata_each(r.state, restore, &r);
	assert_int_equal(restored, 1);
	assert_true(finds(&r, own, "{}"));
	rig_stop(&r);
	options.spaces = false;
	rig_start(&r, DIR_NAME, &options);
	state_metadata_each(r.state, restore, &r);
	assert_int_equal(restored, 1); /* it is not asked for any more */
	rig_stop(&r);
	unit_remove(DIR_NAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_asked_for_is_read_and_read_again),
		cmocka_unit_test(test_a_failure_is_tried_again_soon_and_a_refusal_is_an_answer),
		cmocka_unit_test(test_a_namespace_without_pods_is_forgotten_in_the_state_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
