/* Whose log it is, by the kubelet's paths. */
#include "unit.h"

#include "pod.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *target, *link, *json; /* json NULL: not the kubelet's path */
	uint32_t restart;
} cases[] = {
	{ "/var/log/pods/ns_pod-1_uid/agent/0.log", "/var/log/containers/pod-1_ns_agent-" ID ".log",
	    "{\"pod_name\":\"pod-1\",\"namespace_name\":\"ns\",\"pod_id\":\"uid\",\"container_name\":\"agent\",\"docker_id\":\"" ID
	    "\"}",
	    0 },
	{ "/p/ns_pod_uid/agent/12.log", "/c/cut-short.log",
	    "{\"pod_name\":\"pod\",\"namespace_name\":\"ns\",\"pod_id\":\"uid\",\"container_name\":\"agent\"}",
	    12 },
	{ "/p/n_p_u/c/0.log.20260101-000000", "",
	    "{\"pod_name\":\"p\",\"namespace_name\":\"n\",\"pod_id\":\"u\",\"container_name\":\"c\"}",
	    0 },
	{ "/p/n_p_u/c/3.log.20260101-000000.gz", "",
	    "{\"pod_name\":\"p\",\"namespace_name\":\"n\",\"pod_id\":\"u\",\"container_name\":\"c\"}",
	    3 },
	{ "/p/n_p_u/c\"\n/0.log", "",
	    "{\"pod_name\":\"p\",\"namespace_name\":\"n\",\"pod_id\":\"u\",\"container_name\":\"c\\\"\\n\"}",
	    0 },
	{ "/p/n_p_u/c/2.log.1", "",
	    "{\"pod_name\":\"p\",\"namespace_name\":\"n\",\"pod_id\":\"u\",\"container_name\":\"c\"}",
	    2 },
	{ "/p/n_p_u/c/0.log.tmp", "", NULL, 0 },
	{ "/p/n_p_u/c/0.log.1x", "", NULL, 0 },
	{ "/p/n_p_u/c/0.log.", "", NULL, 0 },
	{ "/p/n_p_u/c/x.log", "", NULL, 0 },
	{ "/p/n_p_u/c/99999999999999999999.log", "", NULL, 0 },
	{ "/p/n_p_u_v/c/0.log", "", NULL, 0 },
	{ "/p/n_p/c/0.log", "", NULL, 0 },
	{ "/p/_p_u/c/0.log", "", NULL, 0 },
	{ "/var/log/plain.log", "", NULL, 0 },
	{ "0.log", "", NULL, 0 },
	{ "", "", NULL, 0 },
};

static void
assert_json(const struct pod *p, const char *json)
{
	size_t n = pod_json_len(p);
	char *at = malloc(n);

	assert_ptr_equal(pod_json_write(at, p), at + n);
	assert_slice(((struct slice){ at, n }), json);
	free(at);
}

static void
test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice target = exact(slice_of(cases[i].target)),
			     link = exact(slice_of(cases[i].link));
		struct pod *p = pod_from_path(target, link);

		exact_free(target);
		exact_free(link);
		assert_int_equal(p != NULL, cases[i].json != NULL);
		if (p != NULL) {
			assert_json(p, cases[i].json);
			assert_int_equal(p->restart, cases[i].restart);
			pod_unref(pod_ref(p));
		}
		pod_unref(p);
	}
}

static const struct {
	const char *names, *path, *json; /* json NULL: not NAMESPACE/POD/CONTAINER */
} elsewhere[] = {
	{ "ns/vm-1/agent", "/var/log/agent.log",
	    "{\"pod_name\":\"vm-1\",\"namespace_name\":\"ns\",\"container_name\":\"agent\"" },
	{ "ns/*/agent", "/var/log/agent-7.log",
	    "{\"pod_name\":\"agent-7\",\"namespace_name\":\"ns\",\"container_name\":\"agent\"" },
	{ "ns/*/a", "/d/0123/0123-json.log",
	    "{\"pod_name\":\"0123\",\"namespace_name\":\"ns\",\"container_name\":\"a\"" },
	{ "ns/*/a", ".log",
	    "{\"pod_name\":\".log\",\"namespace_name\":\"ns\",\"container_name\":\"a\"" },
	{ "n\"s/p/a", "",
	    "{\"pod_name\":\"p\",\"namespace_name\":\"n\\\"s\",\"container_name\":\"a\"" },
	{ "ns/pod", "", NULL },
	{ "ns//agent", "", NULL },
	{ "/pod/agent", "", NULL },
	{ "ns/pod/", "", NULL },
	{ "ns/pod/agent/0", "", NULL },
	{ "", "", NULL },
};

static void
test_an_agent_elsewhere_is_as_the_options_name_it(void **state)
{
	const char *const labels[] = { "app=x", "a.b/c=\"", "app=y", "none" };

	(void)state;
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		for (size_t n = 0; n <= COUNT(labels); n += COUNT(labels)) {
			struct pod *p =
			    pod_elsewhere(elsewhere[i].names, elsewhere[i].path, labels, n);
			char json[256];

			assert_int_equal(p != NULL, elsewhere[i].json != NULL);
			if (p == NULL)
				continue;
			snprintf(json, sizeof(json), "%s%s}", elsewhere[i].json,
			    n == 0 ? "" : ",\"labels\":{\"app\":\"y\",\"a_b/c\":\"\\\"\"}");
			assert_json(p, json);
			assert_false(pod_has_uid(p));
			pod_unref(p);
		}
	}
}

#define PLAIN ",\"host\":\"n\",\"pod_ip\":\"10.0.0.1\""

static const struct {
	const char *members, *label, *want; /* want NULL: there is none */
} labels_of[] = {
	{ PLAIN ",\"labels\":{\"app\":\"x\",\"a.b/c\":\"y\"},\"z\":1", "app", "x" },
	{ PLAIN ",\"labels\":{\"app\":\"x\",\"a.b/c\":\"y\"}", "a.b/c", "y" },
	{ ",\"labels\":{\"a_b/c_d\":\"y\"}", "a.b/c.d", "y" },
	{ ",\"labels\":{\"a_b.c\":\"y\"}", "a.b.c", NULL },
	{ ",\"labels\":{\"a_b\":\"kept\",\"a.b\":\"y\"}", "a.b", "y" },
	{ ",\"labels\":{\"app\":\"a \\\"\\u0041\\\"\"}", "app", "a \"A\"" },
	{ ",\"labels\":{\"app\":\"\"}", "app", "" },
	{ ",\"labels\":{\"app\":7}", "app", NULL },
	{ ",\"labels\":[\"app\",\"x\"]", "app", NULL },
	{ ",\"labels\":\"app\"", "app", NULL },
	{ ",\"app\":\"x\"", "app", NULL },
	{ ",\"labels\":{\"app\":\"x", "app", NULL },
	{ "", "app", NULL },
};

static void
test_labels_are_found_among_a_pods_members(void **state)
{
	char *text;

	(void)state;
	for (size_t i = 0; i < COUNT(labels_of); i++) {
		struct slice members = exact(slice_of(labels_of[i].members));

		text = pod_label(members, labels_of[i].label);
		assert_int_equal(text != NULL, labels_of[i].want != NULL);
		if (text != NULL)
			assert_string_equal(text, labels_of[i].want);
		free(text);
		exact_free(members);
	}
	text = pod_member(SLICE(PLAIN), "pod_ip");
	assert_string_equal(text, "10.0.0.1");
	free(text);
	assert_null(pod_member(SLICE(PLAIN), "image"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_an_agent_elsewhere_is_as_the_options_name_it),
		cmocka_unit_test(test_labels_are_found_among_a_pods_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
