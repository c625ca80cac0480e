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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_an_agent_elsewhere_is_as_the_options_name_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
