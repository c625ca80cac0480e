/* The choice of a pod's container, and its address, are made here: src/kube and src/poll do not know of each other. */
#include "polling.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent_metrics.h"
#include "memory.h"
#include "pod.h"
#include "voice.h"

#define HERE "default" /* the namespace of an agent that Agents names without one */

struct polling {
	struct poller *poller;
	const struct service *service;
	struct kube *kube;
	/* Of the look under way: */
	poller_found *found;
	void *to;
	char uid[256]; /* of the pod whose agent was found last */
	struct said said_address;
};

/* ---- the choice */

/* KEY=GLOB of Agent_Selector. */
static bool
label_fits(struct slice members, const char *wanted)
{
	const char *equals = strchr(wanted, '=');
	char *key, *value;
	bool fits;

	if (equals == NULL)
		return false;
	key = xslicedup((struct slice){ wanted, (size_t)(equals - wanted) });
	value = pod_label(members, key);
	fits = value != NULL && fnmatch(equals + 1, value, 0) == 0;
	free(value);
	free(key);
	return fits;
}

bool
polling_selects(
    const struct service *s, const char *pod, const char *container, struct slice members)
{
	if (!service_is_agent(s, pod, container))
		return false;
	for (size_t i = 0; i < s->agent_containers.n; i++) {
		if (fnmatch(s->agent_containers.at[i], container, 0) == 0)
			return true;
	}
	for (size_t i = 0; i < s->agent_selector.n; i++) {
		if (label_fits(members, s->agent_selector.at[i]))
			return true;
	}
	return false;
}

/* ---- the agents that are there */

static void
on_container(void *arg, const struct kube_runs_in *in)
{
	struct polling *p = arg;
	char *ip;

	if (strcmp(in->uid, p->uid) == 0 ||
	    !polling_selects(p->service, in->pod, in->container, in->members))
		return;
	ip = pod_member(in->members, "pod_ip");
	if (ip == NULL)
		return;
	snprintf(p->uid, sizeof(p->uid), "%s", in->uid);
	if (poller_address_is_pods(ip))
		p->found(p->to, &(struct poller_agent){ .namespace_name = in->namespace_name,
				    .pod = in->pod,
				    .container = in->container,
				    .id = in->uid,
				    .host = ip });
	else if (!said_lately(&p->said_address))
		say_warn("poll", "%s/%s is not polled: no pod can have the address %s",
		    in->namespace_name, in->pod, ip);
	free(ip);
}

/* An agent of the option Agents; without labels it is named as it stands there. */
static void
address_found(struct polling *p, const char *text)
{
	struct poller_address a;
	char *texts[4];

	if (!poller_address_read(text, &a))
		return;
	texts[0] = a.pod.len > 0 ? xslicedup(a.namespace_name) : xstrdup(HERE);
	texts[1] = xslicedup(a.pod.len > 0 ? a.pod : slice_of(text));
	texts[2] = a.pod.len > 0 ? xslicedup(a.container) : xstrdup("matillion-agent");
	texts[3] = xslicedup(a.host);
	p->found(p->to, &(struct poller_agent){ .namespace_name = texts[0],
			    .pod = texts[1],
			    .container = texts[2],
			    .id = "",
			    .host = texts[3],
			    .port = a.port });
	for (int i = 0; i < 4; i++)
		free(texts[i]);
}

static void
agents_each(void *arg, poller_found *found, void *to)
{
	struct polling *p = arg;

	p->found = found;
	p->to = to;
	p->uid[0] = '\0';
	for (size_t i = 0; i < p->service->agents.n; i++)
		address_found(p, p->service->agents.at[i]);
	if (p->kube != NULL)
		kube_running(p->kube, on_container, p);
}

/* ---- the options */

static bool
is_port(const char *text)
{
	struct poller_endpoint endpoint;

	return poller_endpoint_read(text, &endpoint);
}

static bool
is_address(const char *text)
{
	struct poller_address address;

	return poller_address_read(text, &address);
}

static bool
is_label(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals != NULL && equals != text;
}

/* The series of two agents of one name would be now the one's, now the other's. */
static bool
is_named_before(const struct list *agents, size_t i)
{
	size_t len = strcspn(agents->at[i], "=");

	for (size_t j = 0; j < i; j++) {
		if (strcspn(agents->at[j], "=") == len &&
		    strncmp(agents->at[j], agents->at[i], len) == 0)
			return true;
	}
	return false;
}

void
polling_check(const struct conf *conf, struct findings *findings)
{
	const struct service *s = service_of(conf);
	const struct {
		const char *option;
		const struct list *values;
		bool (*is)(const char *text);
		const char *form;
	} checks[] = {
		{ "Agent_Ports", &s->agent_ports, is_port, "PORT/PATH" },
		{ "Agents", &s->agents, is_address,
		    "[NAMESPACE/POD/CONTAINER=]HOST[:PORT], without http://" },
		{ "Agent_Selector", &s->agent_selector, is_label, "KEY=GLOB" },
	};
	const struct section *section = conf->sections;

	while (section < conf->sections + conf->n && section->plugin != &service_plugin)
		section++;
	if (s->agent_ports.n == 0)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Agent_Ports"), "Agent_Ports: it names none");
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		for (size_t j = 0; j < checks[i].values->n; j++) {
			if (!checks[i].is(checks[i].values->at[j]))
				findings_add(findings, FINDING_ERROR, section->file,
				    conf_given(section, checks[i].option), "%s %s: it should be %s",
				    checks[i].option, checks[i].values->at[j], checks[i].form);
		}
	}
	for (size_t i = 0; i < s->agents.n; i++) {
		if (is_named_before(&s->agents, i))
			findings_add(findings, FINDING_ERROR, section->file,
			    conf_given(section, "Agents"), "Agents %s: another one has its name",
			    s->agents.at[i]);
	}
}

/* ---- made, started, stopped */

static struct poller_options
options_of(const struct service *s, struct poller_endpoint *endpoints)
{
	size_t n = 0;

	for (size_t i = 0; i < s->agent_ports.n; i++)
		n += poller_endpoint_read(s->agent_ports.at[i], &endpoints[n]);
	return (struct poller_options){ .endpoints = endpoints,
		.nendpoints = n,
		.interval = s->agent_poll_interval,
		.timeout = s->agent_poll_timeout,
		.silent = (unsigned)s->agent_poll_failures,
		.limit = s->agent_answer_limit,
		.most = (size_t)s->max_series };
}

uint64_t
polling_limit(const struct service *s, uint64_t *sockets)
{
	struct poller_endpoint *endpoints;
	struct poller_options options;
	uint64_t limit;

	if (s->agent_gauges != AGENT_GAUGES_POLL)
		return 0;
	endpoints = xcalloc(s->agent_ports.n + 1, sizeof(*endpoints));
	options = options_of(s, endpoints);
	limit = poller_limit(&options, sockets);
	free(endpoints);
	return limit;
}

struct polling *
polling_new(const struct service *service, struct kube *kube)
{
	struct poller_endpoint *endpoints;
	struct poller_options options;
	struct polling *p;

	if (service->agent_gauges != AGENT_GAUGES_POLL)
		return NULL;
	if (kube == NULL && service->agents.n == 0)
		say_warn("poll",
		    "Agent_Gauges poll: no agent is known; name them by Agents, or ask "
		    "the API server by a [FILTER] kubernetes");
	p = xcalloc(1, sizeof(*p));
	p->service = service;
	p->kube = kube;
	endpoints = xcalloc(service->agent_ports.n + 1, sizeof(*endpoints));
	options = options_of(service, endpoints);
	p->poller = poller_new(&options, &(struct poller_source){ agents_each, p });
	free(endpoints);
	return p;
}

void
polling_free(struct polling *p)
{
	if (p == NULL)
		return;
	poller_free(p->poller);
	free(p);
}

int
polling_start(struct polling *p)
{
	return p == NULL ? 0 : poller_start(p->poller);
}

void
polling_stop(struct polling *p)
{
	if (p != NULL)
		poller_stop(p->poller);
}
