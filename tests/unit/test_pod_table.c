/* Which pods are known, and how long a file waits for its own. */
#include "unit.h"

#include "../../src/kube/pod_table.h"
#include "clock.h"
#include "memory.h"
#include "metrics.h"

#define DIR_NAME "pod-table-test-state"

static const struct kube_options usual = {
	.parts = KUBE_LABELS | KUBE_ANNOTATIONS,
	.pod_wait = 5 * NS_PER_S,
	.api_wait = 30 * NS_PER_S,
	.namespace_ttl = 900 * NS_PER_S,
	.max_pods = 4,
};

struct rig {
	struct kube_options options;
	struct state *state;
	struct pod_table *table;
	int64_t began;
};

static void
rig_start(struct rig *r, const char *dir)
{
	r->options = usual;
	r->state = state_open(dir);
	assert_non_null(r->state);
	r->table = pod_table_new(&r->options, r->state);
	r->began = clock_mono();
}

static void
rig_stop(struct rig *r)
{
	pod_table_free(r->table);
	state_close(r->state);
}

/* The API tells of a pod, whose label is `app`; `more` are further annotations. */
static void
put_pod(struct rig *r, const char *name, const char *uid, const char *app, const char *more)
{
	char *text = xprintf("{\"metadata\":{\"uid\":\"%s\",\"namespace\":\"n\",\"name\":\"%s\","
			     "\"labels\":{\"app\":\"%s\"},\"annotations\":{%s}}}",
	    uid, name, app, more);
	json_t *pod = json_loads(text, 0, NULL);

	assert_non_null(pod);
	pod_table_put(r->table, pod_info_read(pod, usual.parts));
	json_decref(pod);
	free(text);
}

static struct pod *
path_pod(const char *name, const char *uid)
{
	char *path = xprintf("/var/log/pods/n_%s_%s/main/0.log", name, uid);
	struct pod *p = pod_from_path(slice_of(path), SLICE(""));

	free(path);
	return p;
}

/* What is answered so long after the start; *app: the label that the snapshot has, or "". */
static enum kube_answer
ask(struct rig *r, const struct pod *have, int64_t seconds, char app[64])
{
	struct pod *out;
	enum kube_answer answer =
	    pod_table_find(r->table, have, r->began + seconds * NS_PER_S, &out);
	const char *at =
	    out == NULL || out->meta == NULL ? NULL : strstr(out->meta->json.at, "\"app\":\"");

	app[0] = '\0';
	if (at != NULL)
		sscanf(at, "\"app\":\"%63[^\"]", app);
	pod_unref(out);
	return answer;
}

static void
assert_known(struct rig *r, const struct pod *have, const char *label)
{
	char app[64];

	assert_int_equal(ask(r, have, 0, app), KUBE_KNOWN);
	assert_string_equal(app, label);
}

/* However long a file waits. */
static void
assert_unknown(struct rig *r, const struct pod *have)
{
	char app[64];

	ask(r, have, 0, app);
	assert_int_equal(ask(r, have, 31, app), KUBE_UNKNOWN);
	assert_string_equal(app, "");
}

static void
test_a_file_waits_for_its_pod_and_not_for_ever(void **state)
{
	struct rig r;
	struct pod *p = path_pod("p", "u");
	char app[64];

	(void)state;
	rig_start(&r, NULL);
	pod_table_use(r.table, p->pod_id);
	/* The API has never answered: its time counts from the start. */
	assert_int_equal(ask(&r, p, 0, app), KUBE_WAITS);
	assert_int_equal(ask(&r, p, 29, app), KUBE_WAITS);
	assert_int_equal(ask(&r, p, 31, app), KUBE_UNKNOWN);
	pod_table_sync(r.table);
	pod_table_synced(r.table);
	assert_int_equal(ask(&r, p, 32, app), KUBE_UNKNOWN);
	put_pod(&r, "p", "u", "late", "");
	assert_known(&r, p, "late");
	pod_table_leave(r.table, p->pod_id);
	/* Once it has answered, each pod has its own time, from the first question on. */
	pod_unref(p);
	p = path_pod("q", "u2");
	pod_table_use(r.table, p->pod_id);
	assert_int_equal(ask(&r, p, 100, app), KUBE_WAITS);
	assert_int_equal(ask(&r, p, 104, app), KUBE_WAITS);
	assert_int_equal(ask(&r, p, 105, app), KUBE_UNKNOWN);
	/* Nobody waits for an API that cannot be asked. */
	pod_table_given_up(r.table, true);
	assert_int_equal(ask(&r, p, 101, app), KUBE_UNKNOWN);
	pod_table_leave(r.table, p->pod_id);
	pod_unref(p);
	rig_stop(&r);
}

static void
test_a_change_is_a_newer_snapshot_and_no_change_is_none(void **state)
{
	struct rig r;
	struct pod *p = path_pod("p", "u"), *is, *again;
	uint64_t version;

	(void)state;
	rig_start(&r, NULL);
	pod_table_use(r.table, p->pod_id);
	put_pod(&r, "p", "u", "a", "");
	version = pod_table_version(r.table);
	assert_int_equal(pod_table_find(r.table, p, r.began, &is), KUBE_KNOWN);
	assert_non_null(is);
	put_pod(&r, "p", "u", "a", "");
	assert_int_equal(pod_table_version(r.table), version);
	assert_int_equal(pod_table_find(r.table, is, r.began, &again), KUBE_KNOWN);
	assert_null(again);
	put_pod(&r, "p", "u", "b", "");
	assert_true(pod_table_version(r.table) > version);
	assert_known(&r, is, "b");
	pod_unref(is);
	pod_table_leave(r.table, p->pod_id);
	pod_unref(p);
	rig_stop(&r);
}

static void
test_only_the_uid_makes_a_pod_the_path_s(void **state)
{
	struct rig r;
	struct pod *same_name = path_pod("p", "u-old"), *fixed = path_pod("static", "0123abcd");

	(void)state;
	rig_start(&r, NULL);
	pod_table_use(r.table, same_name->pod_id);
	pod_table_use(r.table, fixed->pod_id);
	put_pod(&r, "p", "u-new", "other", "");
	assert_unknown(&r, same_name);
	/* Anybody may claim to be the mirror of another's static pod, or of another's uid. */
	put_pod(&r, "evil", "u-evil", "evil", "\"kubernetes.io/config.mirror\":\"0123abcd\"");
	assert_unknown(&r, fixed);
	put_pod(&r, "evil", "u-evil", "evil", "\"kubernetes.io/config.mirror\":\"u-old\"");
	assert_unknown(&r, same_name);
	put_pod(&r, "static", "u-api", "good", "\"kubernetes.io/config.mirror\":\"0123abcd\"");
	assert_known(&r, fixed, "good");
	/* … and takes nobody's place. */
	put_pod(&r, "evil", "u-evil", "worse", "\"kubernetes.io/config.mirror\":\"0123abcd\"");
	assert_known(&r, fixed, "good");
	pod_table_leave(r.table, same_name->pod_id);
	pod_table_leave(r.table, fixed->pod_id);
	pod_unref(same_name);
	pod_unref(fixed);
	rig_stop(&r);
}

static void
test_a_pod_of_the_path_s_uid_but_another_name_is_another(void **state)
{
	struct rig r;
	struct pod *p = path_pod("p", "u");

	(void)state;
	rig_start(&r, NULL);
	pod_table_use(r.table, p->pod_id);
	put_pod(&r, "q", "u", "wrong", "");
	assert_unknown(&r, p);
	put_pod(&r, "p", "u", "right", "");
	assert_known(&r, p, "right");
	pod_table_leave(r.table, p->pod_id);
	pod_unref(p);
	rig_stop(&r);
}

static void
test_a_deleted_pod_is_known_as_long_as_it_has_files(void **state)
{
	struct rig r;
	struct pod *p = path_pod("p", "u");
	char app[64];

	(void)state;
	rig_start(&r, NULL);
	pod_table_use(r.table, p->pod_id);
	pod_table_sync(r.table);
	put_pod(&r, "p", "u", "a", "");
	pod_table_synced(r.table);
	/* A list that does not name it any more is a deletion, too. */
	pod_table_sync(r.table);
	pod_table_synced(r.table);
	pod_table_tick(r.table, clock_mono() + 3600 * NS_PER_S);
	assert_known(&r, p, "a");
	pod_table_leave(r.table, p->pod_id);
	/* Its files may be opened once more, a little later. */
	pod_table_use(r.table, p->pod_id);
	assert_known(&r, p, "a");
	pod_table_leave(r.table, p->pod_id);
	pod_table_tick(r.table, clock_mono() + 3600 * NS_PER_S);
	assert_int_equal(ask(&r, p, 7200, app), KUBE_WAITS);
	pod_unref(p);
	rig_stop(&r);
}

static void
test_no_more_than_max_pods_are_known(void **state)
{
	struct rig r;
	struct pod *last = path_pod("p9", "u9"), *first = path_pod("p0", "u0");
	char name[8], uid[8];

	(void)state;
	rig_start(&r, NULL);
	pod_table_use(r.table, first->pod_id);
	pod_table_use(r.table, last->pod_id);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		snprintf(uid, sizeof(uid), "u%d", i);
		put_pod(&r, name, uid, name, "");
	}
	assert_int_equal(atomic_load(&metrics_kube.pods), 4);
	assert_int_equal(atomic_load(&metrics_kube.refused), 6);
	assert_unknown(&r, last);
	/* One that is gone gives its place up; not that of which a file is open. */
	pod_table_deleted(r.table, SLICE("u0"));
	put_pod(&r, "p9", "u9", "p9", "");
	assert_unknown(&r, last);
	pod_table_deleted(r.table, SLICE("u1"));
	put_pod(&r, "p9", "u9", "p9", "");
	assert_known(&r, last, "p9");
	assert_known(&r, first, "p0");
	pod_table_leave(r.table, first->pod_id);
	pod_table_leave(r.table, last->pod_id);
	pod_unref(first);
	pod_unref(last);
	rig_stop(&r);
}

static void
test_what_files_use_is_known_after_a_restart_and_forgotten_in_the_end(void **state)
{
	struct rig r;
	struct pod *used = path_pod("p", "u"), *idle = path_pod("q", "v");
	char app[64];

	(void)state;
	rig_start(&r, DIR_NAME);
	pod_table_use(r.table, used->pod_id);
	put_pod(&r, "p", "u", "a", "");
	put_pod(&r, "q", "v", "b", "");
	put_pod(&r, "p", "u", "c", "");
	rig_stop(&r);

	rig_start(&r, DIR_NAME);
	pod_table_use(r.table, used->pod_id);
	pod_table_use(r.table, idle->pod_id);
	assert_known(&r, used, "c");
	assert_int_equal(ask(&r, idle, 0, app), KUBE_WAITS);
	pod_table_sync(r.table); /* the API knows of neither */
	pod_table_synced(r.table);
	assert_known(&r, used, "c");
	pod_table_leave(r.table, used->pod_id);
	pod_table_tick(r.table, clock_mono() + 3600 * NS_PER_S);
	rig_stop(&r);

	rig_start(&r, DIR_NAME);
	pod_table_use(r.table, used->pod_id);
	assert_int_equal(ask(&r, used, 0, app), KUBE_WAITS);
	rig_stop(&r);
	pod_unref(used);
	pod_unref(idle);
	unit_remove(DIR_NAME);
}

static void
note(void *arg, const struct kube_runs_in *in)
{
	char *to = arg;

	snprintf(to + strlen(to), 256 - strlen(to), "%s/%s/%s ", in->namespace_name, in->pod,
	    in->container);
	assert_non_null(strstr(in->members.at, ",\"pod_ip\":\"10.0.0.1\""));
}

/* A pod with two containers, in a phase. */
static void
put_phase(struct rig *r, const char *name, const char *uid, const char *phase)
{
	char *text = xprintf("{\"metadata\":{\"uid\":\"%s\",\"namespace\":\"n\",\"name\":\"%s\"},"
			     "\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
			     "\"initContainers\":[{\"name\":\"i\"}]},"
			     "\"status\":{\"podIP\":\"10.0.0.1\",\"phase\":%s}}",
	    uid, name, phase);
	json_t *pod = json_loads(text, 0, NULL);

	assert_non_null(pod);
	pod_table_put(r->table, pod_info_read(pod, usual.parts));
	json_decref(pod);
	free(text);
}

static void
assert_running(struct rig *r, const char *wanted)
{
	char text[256] = "";

	pod_table_running(r->table, note, text);
	assert_string_equal(text, wanted);
}

/* A phase is no reason to forget a pod; its address is another pod's when it has ended. */
static void
test_pods_that_run_are_told_with_their_containers(void **state)
{
	static const char *const idle[] = { "\"Pending\"", "\"Succeeded\"", "\"Failed\"" };
	static const char *const running[] = { "\"Running\"", "\"Unknown\"", "7" };
	struct rig r;
	struct pod *p;

	(void)state;
	rig_start(&r, DIR_NAME);
	pod_table_sync(r.table);
	for (size_t i = 0; i < COUNT(idle); i++) {
		put_phase(&r, "p", "u", idle[i]);
		assert_running(&r, "");
		put_phase(&r, "p", "u", running[i]);
		assert_running(&r, "n/p/a n/p/b n/p/i ");
	}
	pod_table_deleted(r.table, SLICE("u"));
	assert_running(&r, "");
	put_phase(&r, "p", "u", running[0]);
	p = path_pod("p", "u");
	pod_table_use(r.table, p->pod_id); /* it is stored */
	pod_table_deleted(r.table, SLICE("v"));
	put_phase(&r, "p", "u", idle[0]);
	put_phase(&r, "p", "u", running[0]);
	rig_stop(&r);
	rig_start(&r, DIR_NAME);
	assert_known(&r, p, "");
	assert_running(&r, ""); /* the API has not said that it is there still */
	pod_table_sync(r.table);
	put_phase(&r, "p", "u", running[0]);
	assert_running(&r, "n/p/a n/p/b n/p/i ");
	pod_unref(p);
	rig_stop(&r);
	unit_remove(DIR_NAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_waits_for_its_pod_and_not_for_ever),
		cmocka_unit_test(test_a_change_is_a_newer_snapshot_and_no_change_is_none),
		cmocka_unit_test(test_only_the_uid_makes_a_pod_the_path_s),
		cmocka_unit_test(test_a_pod_of_the_path_s_uid_but_another_name_is_another),
		cmocka_unit_test(test_a_deleted_pod_is_known_as_long_as_it_has_files),
		cmocka_unit_test(test_no_more_than_max_pods_are_known),
		cmocka_unit_test(
		    test_what_files_use_is_known_after_a_restart_and_forgotten_in_the_end),
		cmocka_unit_test(test_pods_that_run_are_told_with_their_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
