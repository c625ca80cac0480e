/* The container of a pod that is polled, by its name or its pod's labels. */
#include "unit.h"

#include "../../src/polling.h"

static char *const pods[] = { (char[]){ "matillion-agent*" }, (char[]){ "*matillion-runner*" } };
static char *const scripts[] = { (char[]){ "*-script-runner*" } };
static char *const exporters[] = { (char[]){ "metrics-exporter" } };
static char *const containers[] = { (char[]){ "matillion-agent*" } };
static char *const labels[] = { (char[]){ "app=*matillion-runner-pods" },
	(char[]){ "matillion.com/role=agent" } };

#define LIST(of) ((struct list){ .at = (char **)(uintptr_t)(of), .n = COUNT(of) })

#define RUNNER ",\"host\":\"n\",\"labels\":{\"app\":\"r-matillion-runner-pods\"}"

static const struct {
	const char *pod, *container, *members;
	bool selected;
} cases[] = {
	{ "matillion-agent-0", "matillion-agent", "", true },
	{ "matillion-agent-0", "matillion-agent-pods", "", true },
	{ "matillion-agent-0", "istio-proxy", "", false },
	{ "matillion-agent-0", "metrics-exporter", RUNNER, false },
	{ "matillion-agent-script-runner-1", "matillion-agent", RUNNER, false },
	{ "nginx", "matillion-agent", RUNNER, false },
	{ "x-matillion-runner-app-1", "main", RUNNER, true },
	{ "x-matillion-runner-app-1", "main", ",\"labels\":{\"app\":\"other\"}", false },
	{ "x-matillion-runner-app-1", "main", ",\"app\":\"r-matillion-runner-pods\"", false },
	{ "x-matillion-runner-app-1", "main", ",\"labels\":\"app\"", false },
	{ "x-matillion-runner-app-1", "main", ",\"labels\":{\"app\":7}", false },
	{ "x-matillion-runner-app-1", "main", ",\"labels\":{\"matillion.com/role\":\"agent\"}",
	    true },
	{ "x-matillion-runner-app-1", "main", ",\"labels\":{\"matillion_com/role\":\"agent\"}",
	    true },
	{ "x-matillion-runner-app-1", "main", ",\"labels\":{\"matillion.com/role\":\"none\"}",
	    false },
	{ "x-matillion-runner-app-1", "main", "", false },
};

static void
test_each_container(void **state)
{
	const struct service service = { .agent_pods = LIST(pods),
		.agent_exclude_pods = LIST(scripts),
		.agent_exclude_containers = LIST(exporters),
		.agent_containers = LIST(containers),
		.agent_selector = LIST(labels) };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool is = polling_selects(
		    &service, cases[i].pod, cases[i].container, slice_of(cases[i].members));

		if (is != cases[i].selected)
			fail_msg(
			    "%s/%s %s: %d", cases[i].pod, cases[i].container, cases[i].members, is);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
