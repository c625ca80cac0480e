/* A Pod of the API server, and what a container's documents get of it. */
#include "unit.h"

#include "../../src/kube/pod_info.h"
#include "memory.h"

#define ALL (KUBE_LABELS | KUBE_ANNOTATIONS)

static const char agent[] =
    "{\"metadata\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p-7c9-x\","
    "\"labels\":{\"app\":\"a\",\"app.kubernetes.io/name\":\"b\",\"x.y\":\"dots\",\"x_y\":\"none\",\"no\":3,"
    "\"pod-template-hash\":\"7c9\"},"
    "\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\",\"note\":\"q\\\"\\n\"},"
    "\"ownerReferences\":[{\"kind\":\"Other\",\"name\":\"o\"},{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"p-7c9\",\"controller\":true}]},"
    "\"spec\":{\"nodeName\":\"node1\",\"containers\":[{\"name\":\"main\",\"image\":\"r/a:1\"},{\"name\":\"new\",\"image\":\"r/n:1\"}],"
    "\"initContainers\":[{\"name\":\"init\",\"image\":\"r/i:1\"}]},"
    "\"status\":{\"podIP\":\"10.0.0.1\",\"containerStatuses\":[{\"name\":\"main\",\"restartCount\":2,\"image\":\"r/a:2\",\"imageID\":\"docker-pullable://r/a@sha256:aa\",\"containerID\":\"containerd://id2\","
    "\"lastState\":{\"terminated\":{\"containerID\":\"containerd://id1\"}}}],"
    "\"initContainerStatuses\":[{\"name\":\"init\",\"restartCount\":0,\"image\":\"sha256:ff\",\"imageID\":\"sha256:ii\",\"containerID\":\"cri-o://idi\"}]}}";

static struct pod_info *
info_of(const char *text, unsigned parts)
{
	json_t *pod = json_loads(text, 0, NULL);
	struct pod_info *info;

	assert_non_null(pod);
	info = pod_info_read(pod, parts);
	json_decref(pod);
	return info;
}

/* The snapshot of a container whose log has this path. */
static struct pod *
snapshot_of(const struct pod_info *info, const char *container, unsigned restart)
{
	char path[256];
	struct pod *have, *p;

	snprintf(path, sizeof(path), "/var/log/pods/n_p-7c9-x_u/%s/%u.log", container, restart);
	have = pod_from_path(slice_of(path), SLICE(""));
	p = pod_info_snapshot(info, have);
	p->version = 1;
	pod_settle(p);
	pod_unref(have);
	return p;
}

static void
assert_json(const struct pod *p, const char *want)
{
	char *at = malloc(pod_json_len(p));

	assert_slice(((struct slice){ at, (size_t)(pod_json_write(at, p) - at) }), want);
	free(at);
}

#define SHARED                                                                                                        \
	",\"host\":\"node1\",\"pod_ip\":\"10.0.0.1\",\"replicaset_name\":\"p-7c9\",\"deployment_name\":\"p\","        \
	"\"labels\":{\"app\":\"a\",\"app_kubernetes_io/name\":\"b\",\"x_y\":\"none\",\"pod-template-hash\":\"7c9\"}," \
	"\"annotations\":{\"note\":\"q\\\"\\n\"}}"
#define OWN(container)                                                                                        \
	"{\"pod_name\":\"p-7c9-x\",\"namespace_name\":\"n\",\"pod_id\":\"u\",\"container_name\":\"" container \
	"\""

static void
test_the_image_is_that_of_the_log_s_restart(void **state)
{
	static const struct {
		const char *container;
		unsigned restart;
		const char *json;
	} cases[] = {
		{ "main", 2,
		    OWN("main") ",\"docker_id\":\"id2\",\"container_image\":\"r/a:2\",\"container_hash\":\"r/a@sha256:aa\",\"restart_count\":2" SHARED },
		{ "main", 1, OWN("main") ",\"docker_id\":\"id1\",\"restart_count\":1" SHARED },
		{ "main", 0, OWN("main") ",\"restart_count\":0" SHARED },
		/* The kubelet has not told of it yet. */
		{ "main", 3,
		    OWN("main") ",\"container_image\":\"r/a:2\",\"restart_count\":3" SHARED },
		{ "new", 0,
		    OWN("new") ",\"container_image\":\"r/n:1\",\"restart_count\":0" SHARED },
		{ "init", 0,
		    OWN("init") ",\"docker_id\":\"idi\",\"container_image\":\"r/i:1\",\"container_hash\":\"sha256:ii\",\"restart_count\":0" SHARED },
		{ "stranger", 0, OWN("stranger") ",\"restart_count\":0" SHARED },
	};
	struct pod_info *info = info_of(agent, ALL);
	char *saved = pod_info_save(info);
	struct pod_info *restored = pod_info_restore(slice_of(saved));

	(void)state;
	assert_true(pod_info_same(info, restored));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pod *p =
		    snapshot_of(i % 2 == 0 ? info : restored, cases[i].container, cases[i].restart);

		assert_json(p, cases[i].json);
		pod_unref(p);
	}
	free(saved);
	pod_info_free(info);
	pod_info_free(restored);
}

static void
test_an_older_restart_keeps_its_image(void **state)
{
	struct pod_info *info = info_of(agent, ALL);
	struct pod *was = snapshot_of(info, "main", 2), *is;

	(void)state;
	pod_info_free(info);
	info = info_of(
	    "{\"metadata\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\"},"
	    "\"spec\":{\"containers\":[{\"name\":\"main\",\"image\":\"r/a:9\"}]},"
	    "\"status\":{\"containerStatuses\":[{\"name\":\"main\",\"restartCount\":3,\"image\":\"r/a:9\",\"imageID\":\"x\",\"containerID\":\"c://id3\"}]}}",
	    ALL);
	is = pod_info_snapshot(info, was);
	assert_slice(is->image, "r/a:2");
	assert_slice(is->image_id, "r/a@sha256:aa");
	assert_slice(is->docker_id, "id2");
	pod_unref(was);
	pod_unref(is);
	pod_info_free(info);
}

static void
test_owners_give_their_names(void **state)
{
	static const struct {
		const char *kind, *name, *hash, *has, *has_not;
	} cases[] = {
		{ "ReplicaSet", "web-5d4", "5d4", "\"deployment_name\":\"web\"", NULL },
		{ "ReplicaSet", "web-5d4", "xxx", "\"replicaset_name\":\"web-5d4\"", "deployment" },
		{ "ReplicaSet", "5d4", "5d4", "\"replicaset_name\":\"5d4\"", "deployment" },
		{ "StatefulSet", "db", "5d4", "\"statefulset_name\":\"db\"", "deployment" },
		{ "DaemonSet", "log", "5d4", "\"daemonset_name\":\"log\"", NULL },
		{ "Job", "night-29391840", "", "\"cronjob_name\":\"night\"", NULL },
		{ "Job", "night-2939184", "", "\"job_name\":\"night-2939184\"", "cronjob" },
		{ "Job", "29391840", "", "\"job_name\":\"29391840\"", "cronjob" },
		{ "Node", "node1", "", "\"labels\"", "node1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = xprintf(
		    "{\"metadata\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\",\"labels\":{\"pod-template-hash\":\"%s\"},"
		    "\"ownerReferences\":[{\"kind\":\"%s\",\"name\":\"%s\",\"controller\":true}]}}",
		    cases[i].hash, cases[i].kind, cases[i].name);
		struct pod_info *info = info_of(text, ALL);
		char *meta = xslicedup(info->meta->json);

		assert_non_null(strstr(meta, cases[i].has));
		if (cases[i].has_not != NULL)
			assert_null(strstr(meta, cases[i].has_not));
		free(meta);
		free(text);
		pod_info_free(info);
	}
}

static void
test_dots_and_owners_are_kept_when_asked(void **state)
{
	struct pod_info *info =
	    info_of(agent, KUBE_LABELS | KUBE_OWNER_REFERENCES | KUBE_KEEP_DOTS);
	char *meta = xslicedup(info->meta->json);

	(void)state;
	assert_non_null(strstr(meta, "\"app.kubernetes.io/name\":\"b\""));
	assert_non_null(strstr(meta,
	    "\"ownerReferences\":[{\"kind\":\"Other\",\"name\":\"o\"},{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"p-7c9\",\"controller\":true}]"));
	assert_null(strstr(meta, "annotations"));
	free(meta);
	pod_info_free(info);
}

static size_t
bytes_of(const struct pod_info *info)
{
	char *text = pod_info_save(info);
	size_t n = strlen(text);

	free(text);
	return n;
}

static void
test_a_pod_that_is_too_large_is_cut_largest_annotations_first(void **state)
{
	struct buffer b;
	struct pod_info *info;
	char *text, *meta;

	(void)state;
	buffer_init(&b, 0);
	buffer_printf(&b,
	    "{\"metadata\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\",\"labels\":{\"app\":\"a\"},\"annotations\":{\"small\":\"s\"");
	for (int i = 0; i < 20; i++)
		buffer_printf(&b, ",\"big%d\":\"%0*d\"", i, 1000 * (i + 1), 7);
	buffer_printf(&b, "}},\"spec\":{\"containers\":[");
	for (int i = 0; i < 200; i++)
		buffer_printf(
		    &b, "%s{\"name\":\"c%d\",\"image\":\"%0*d\"}", i > 0 ? "," : "", i, 200, 1);
	buffer_printf(&b, "]}}");
	text = xslicedup(buffer_slice(&b));
	info = info_of(text, ALL);
	assert_true(info->cut > 100);
	assert_true(bytes_of(info) < POD_BYTES);
	meta = xslicedup(info->meta->json);
	assert_non_null(strstr(meta, "\"app\":\"a\""));
	assert_non_null(strstr(meta, "\"small\":\"s\""));
	assert_non_null(strstr(meta, "\"big0\""));
	assert_null(strstr(meta, "\"big19\""));
	free(meta);
	free(text);
	buffer_fini(&b);
	pod_info_free(info);
}

static void
test_objects_that_lie_are_no_pods_or_lack_what_is_wrong(void **state)
{
	static const char *const none[] = { "{}", "{\"metadata\":[]}",
		"{\"metadata\":{\"uid\":1,\"namespace\":\"n\",\"name\":\"p\"}}",
		"{\"metadata\":{\"uid\":\"\",\"namespace\":\"n\",\"name\":\"p\"}}" };
	static const char wrong[] =
	    "{\"metadata\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\",\"labels\":[1],\"annotations\":{\"a\":{}},"
	    "\"ownerReferences\":{}},\"spec\":{\"nodeName\":{},\"containers\":[3,{\"name\":[]}]},"
	    "\"status\":{\"containerStatuses\":{\"a\":1}}}";
	struct pod_info *info;
	struct pod *p;

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		assert_null(info_of(none[i], ALL));
	info = info_of(wrong, ALL);
	assert_non_null(info);
	p = snapshot_of(info, "main", 0);
	assert_json(p, OWN("main") ",\"restart_count\":0,\"annotations\":{}}");
	pod_unref(p);
	pod_info_free(info);
	assert_null(pod_info_restore(SLICE("{\"uid\":")));
	assert_null(pod_info_restore(SLICE("[]")));
}

static void
test_advice_of_the_container_and_of_the_side_wins(void **state)
{
	struct pod_info *info = info_of(
	    "{\"metadata\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\",\"annotations\":{"
	    "\"fluentbit.io/parser\":\"all\",\"fluentbit.io/parser_stderr\":\"err\",\"fluentbit.io/parser-main\":\"own\","
	    "\"fluentbit.io/parser_stderr-main\":\"ownerr\",\"towline.io/parser-side\":\"t\",\"fluentbit.io/parser-side\":\"f\","
	    "\"fluentbit.io/exclude\":\"TRUE\",\"fluentbit.io/exclude-main\":\"false\",\"towline.io/exclude_stderr-main\":\"true\","
	    "\"fluentbit.io/excluded\":\"true\"}}}",
	    ALL);
	static const struct {
		const char *container;
		const char *parser[SIDES];
		bool exclude[SIDES];
	} cases[] = {
		{ "main", { "own", "ownerr" }, { false, true } },
		{ "side", { "t", "t" }, { true, true } },
		{ "other", { "all", "err" }, { true, true } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pod *p = snapshot_of(info, cases[i].container, 0);

		for (int side = 0; side < SIDES; side++) {
			assert_slice(p->parser[side], cases[i].parser[side]);
			assert_int_equal(p->exclude[side], cases[i].exclude[side]);
		}
		pod_unref(p);
	}
	pod_info_free(info);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_image_is_that_of_the_log_s_restart),
		cmocka_unit_test(test_an_older_restart_keeps_its_image),
		cmocka_unit_test(test_owners_give_their_names),
		cmocka_unit_test(test_dots_and_owners_are_kept_when_asked),
		cmocka_unit_test(test_a_pod_that_is_too_large_is_cut_largest_annotations_first),
		cmocka_unit_test(test_objects_that_lie_are_no_pods_or_lack_what_is_wrong),
		cmocka_unit_test(test_advice_of_the_container_and_of_the_side_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
