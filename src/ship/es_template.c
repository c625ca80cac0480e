/*
 * The start of an output: the component template is installed, and the index
 * template, unless they are there or it would displace another's; an index that is
 * older is said.  A few requests, one after the other, on the shipper's multi
 * handle; records wait until this is settled.  A server that forbids the requests
 * settles it, too.
 *
 *	ask for the component -> put it, until the server knows its words
 *	-> ask for the template -> ask for others', of both kinds -> put it
 *	-> ask for the index
 */
#include "es_template.h"

#include <jansson.h>
#include <stdlib.h>

#include "clock.h"
#include "es_index.h"
#include "es_mapping.h"
#include "es_others.h"
#include "retry.h"

#define ANSWER_MAX 1000000u

enum step {
	ASK_COMPONENT,
	PUT_COMPONENT,
	ASK_TEMPLATE,
	ASK_OTHERS, /* index templates of any name */
	ASK_LEGACY, /* templates of the kind that was before these */
	PUT_TEMPLATE,
	ASK_INDEX,
	SETTLED
};

enum name { NAME_NONE, NAME_COMPONENT, NAME_TEMPLATE, NAME_INDEX };

static const struct {
	const char *before; /* the name in the path */
	enum name name;
	const char *behind;
} paths[] = {
	[ASK_COMPONENT] = { "/_component_template/", NAME_COMPONENT, "" },
	[PUT_COMPONENT] = { "/_component_template/", NAME_COMPONENT, "" },
	[ASK_TEMPLATE] = { "/_index_template/", NAME_TEMPLATE, "" },
	[ASK_OTHERS] = { "/_index_template?filter_path=index_templates.name,"
			 "index_templates.index_template.index_patterns,"
			 "index_templates.index_template.composed_of,"
			 "index_templates.index_template._meta",
	    NAME_NONE, "" },
	[ASK_LEGACY] = { "/_template?filter_path=*.index_patterns,*.mappings._meta", NAME_NONE,
	    "" },
	[PUT_TEMPLATE] = { "/_index_template/", NAME_TEMPLATE, "" },
	[ASK_INDEX] = { "/", NAME_INDEX, "/_mapping?filter_path=*.mappings._meta" },
};

struct es_template {
	struct exchange x; /* first */
	struct sink *sink;
	const struct es_conf *conf;
	struct es_http *http;
	const struct es_hosts *hosts;
	enum step step;
	unsigned host;     /* of the next request */
	unsigned tried;    /* hosts in a row that failed */
	unsigned failures; /* times that all hosts failed in a row */
	int64_t started;   /* mono ns: the last request */
	int64_t due;       /* mono ns; NEVER: a request is under way */
	es_template_failed *failed;
	void *arg;
	char *name, *pattern;
	unsigned dialect; /* enum dialect */
	struct buffer body, answer;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct said said;
};

/* ---- names */

/* INDEX without a %; else the part before the first %, as it is written, and a star. */
static char *
pattern_make(const struct es_conf *conf)
{
	char *pattern;

	if (es_index_fixed(conf) != NULL)
		return xstrdup(conf->index);
	if (conf->logstash_format)
		pattern = xprintf("%s%s*", conf->logstash_prefix, conf->logstash_prefix_separator);
	else
		pattern = xprintf("%.*s*", (int)strcspn(conf->index, "%"), conf->index);
	for (char *at = pattern; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return pattern;
}

static char *
name_make(const struct es_conf *conf, const char *pattern)
{
	size_t n = strcspn(pattern, "*");

	if (conf->template_name != NULL)
		return xstrdup(conf->template_name);
	while (n > 0 && (pattern[n - 1] == '-' || pattern[n - 1] == '.'))
		n--;
	return n > 0 ? xprintf("towline-%.*s", (int)n, pattern) : xstrdup("towline");
}

struct es_template *
es_template_new(struct sink *sink, const struct es_conf *conf, struct es_http *http,
    const struct es_hosts *hosts, es_template_failed *failed, void *arg)
{
	struct es_template *t = xcalloc(1, sizeof(*t));

	t->failed = failed;
	t->arg = arg;
	t->sink = sink;
	t->conf = conf;
	t->http = http;
	t->hosts = hosts;
	t->x.easy = curl_easy_init();
	t->step = conf->template ? ASK_COMPONENT : ASK_INDEX;
	t->pattern = pattern_make(conf);
	t->name = name_make(conf, t->pattern);
	if (strcmp(sink->section->plugin->name, "opensearch") == 0)
		t->dialect = DIALECT_OPENSEARCH;
	buffer_init(&t->body, 0);
	buffer_init(&t->answer, ANSWER_MAX);
	return t;
}

void
es_template_free(struct es_template *t)
{
	if (t == NULL)
		return;
	curl_multi_remove_handle(t->sink->multi, t->x.easy); /* if a request is under way */
	curl_easy_cleanup(t->x.easy);
	curl_slist_free_all(t->headers);
	buffer_fini(&t->body);
	buffer_fini(&t->answer);
	free(t->name);
	free(t->pattern);
	free(t);
}

/* ---- requests */

/* What does not fit is left out: the answer is no JSON then. */
static size_t
on_write(char *at, size_t size, size_t n, void *to)
{
	(void)buffer_put(to, (struct slice){ at, size * n });
	return size * n;
}

static char *
url_make(const struct es_template *t)
{
	const char *const texts[] = { "", SHIP_COMPONENT, t->name, t->pattern };
	char *name = curl_easy_escape(NULL, texts[paths[t->step].name], 0);
	char *url = xprintf("%s%s%s%s", es_hosts_address(t->hosts, t->host)->origin,
	    paths[t->step].before, name, paths[t->step].behind);

	curl_free(name);
	return url;
}

static bool
is_put(const struct es_template *t)
{
	return t->step == PUT_COMPONENT || t->step == PUT_TEMPLATE;
}

static void template_answered(struct exchange *x, CURLcode code);

static void
template_send(struct es_template *t, int64_t now)
{
	CURL *easy = t->x.easy;
	char *url = url_make(t);

	es_http_setup(t->http, es_hosts_address(t->hosts, t->host)->connect_to, easy, t->error);
	curl_slist_free_all(t->headers);
	t->headers = es_http_headers(t->http, false, "application/json");
	buffer_clear(&t->answer);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t->answer);
	if (is_put(t)) {
		buffer_clear(&t->body);
		es_mapping_write(&t->body, t->step == PUT_TEMPLATE ? t->pattern : NULL,
		    t->conf->time_key, t->dialect);
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body.at);
	}
	t->x.done = template_answered;
	t->started = now;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, &t->x);
	t->due = NEVER;
	curl_multi_add_handle(t->sink->multi, easy);
	free(url);
}

/* ---- answers */

static json_t *
answer_read(const struct es_template *t)
{
	return json_loadb(
	    t->answer.at != NULL ? t->answer.at : "", t->answer.len, JSON_REJECT_DUPLICATES, NULL);
}

/* The first of ${list} in the answer: the only one that was asked for. */
static json_int_t
version_found(const struct es_template *t, const char *list, const char *member)
{
	json_t *answer = answer_read(t);
	const json_t *found = json_array_get(json_object_get(answer, list), 0);
	json_int_t version =
	    es_others_version(json_object_get(json_object_get(found, member), "_meta"));

	json_decref(answer);
	return version;
}

static void
component_found(struct es_template *t)
{
	json_int_t version = version_found(t, "component_templates", "component_template");

	t->step = version > 0 && version < TEMPLATE_VERSION ? PUT_COMPONENT : ASK_TEMPLATE;
}

static void
template_found(struct es_template *t)
{
	json_int_t version = version_found(t, "index_templates", "index_template");

	t->step = version > 0 && version < TEMPLATE_VERSION ? PUT_TEMPLATE : ASK_INDEX;
	if (version == 0)
		say_warn("es",
		    "index template %s is not towline's and stays as it is; set Template_Name, or "
		    "Template Off  output=%s",
		    t->name, t->sink->name);
}

/* ---- templates of others */

/* Another's template stays in force.  Quiet where it includes the component. */
static void
template_displaces(struct es_template *t, const char *name, bool quiet)
{
	t->step = quiet ? ASK_INDEX : SETTLED;
	if (!quiet)
		say_warn("es",
		    "towline's index template is not installed, as it would displace %.200s, which "
		    "matches %s: let that one include the component template " SHIP_COMPONENT
		    " (docs/index.md), or have it match less  output=%s",
		    name, t->pattern, t->sink->name);
}

/* What is no list of templates, as where it is too long, is taken for a match. */
static void
others_found(struct es_template *t)
{
	bool legacy = t->step == ASK_LEGACY, includes = false;
	json_t *answer = answer_read(t);
	const char *name;

	t->step = legacy ? PUT_TEMPLATE : ASK_LEGACY;
	if (answer == NULL) {
		template_displaces(t, "one of many", false);
		return;
	}
	name = legacy ? es_others_legacy(answer, t->pattern, &includes)
		      : es_others_composable(answer, t->pattern, &includes);
	if (name != NULL)
		template_displaces(t, name, includes);
	json_decref(answer);
}

/* ---- what was there */

/* The answer names the existing indices, each with the _meta of its mapping, if it has one. */
static void
index_found(struct es_template *t)
{
	json_t *answer = answer_read(t);
	const char *name;
	json_t *index;
	bool ours = false;

	t->step = SETTLED;
	json_object_foreach(answer, name, index)
	{
		const json_t *mappings = json_object_get(index, "mappings");

		ours |= es_others_version(json_object_get(mappings, "_meta")) >= TEMPLATE_VERSION;
	}
	json_decref(answer);
	if (ours || !t->conf->template || es_index_fixed(t->conf) == NULL)
		return;
	metrics_add(&metrics.index_late, 1);
	say_warn("es",
	    "index %s is older than towline's index template, which comes too late for it: queries "
	    "on labels and error types may not be exact until it is made anew  output=%s",
	    es_index_fixed(t->conf), t->sink->name);
}

/* The request failed: another host is asked, or all later; records wait. */
static void
template_again(struct es_template *t, enum reason reason, long status, const char *what)
{
	int64_t now = clock_mono();
	const char *host = es_hosts_address(t->hosts, t->host)->name;
	unsigned hosts = es_hosts_count(t->hosts);
	int64_t wait = 0;

	t->host = (t->host + 1) % hosts;
	if (++t->tried >= hosts || reason == REASON_AUTH) {
		t->tried = 0;
		wait = retry_wait(t->conf->backoff_first, ++t->failures);
	}
	t->due = now + wait;
	metrics_retry(t->sink->metrics, reason, 0);
	atomic_store(&t->sink->waits, "the server does not take requests");
	if (!said_lately(&t->said))
		say_warn("es", "%s; %s  output=%s host=%s retry_in=%.1fs", what,
		    wait == 0 ? "another host is asked" : "records wait in their files",
		    t->sink->name, host, (double)wait / NS_PER_S);
	if (wait > 0)
		t->failed(
		    t->arg, &(struct es_template_failure){ what, status, t->started, t->due, now });
}

/* The template is put again without the word that the server does not know; false: it knows all. */
static bool
template_refused(struct es_template *t)
{
	unsigned before = t->dialect;

	if (!es_mapping_refused(&t->dialect, (struct slice){ t->answer.at, t->answer.len }))
		return false;
	if ((t->dialect ^ before) & DIALECT_WHOLE_LABELS)
		say_warn("es",
		    "the server has no path_hierarchy (module analysis-common): labels match as a "
		    "whole alone, `matillion-agent` does not find `matillion-agent-pods`  "
		    "output=%s",
		    t->sink->name);
	return true;
}

/* The server refuses the template: said once; records are shipped without it. */
static void
template_without(struct es_template *t, long status)
{
	json_t *answer = answer_read(t);
	const json_t *error = json_object_get(answer, "error"), *cause;
	const char *why;

	while ((cause = json_object_get(error, "caused_by")) != NULL)
		error = cause;
	why = json_string_value(json_object_get(error, "reason"));
	say_warn("es",
	    "cannot install index template %s: %ld%s%.300s; shipping without it: let towline's user "
	    "do that, install a template by hand, or set Template Off  output=%s",
	    t->name, status, why != NULL ? " " : "", why != NULL ? why : "", t->sink->name);
	json_decref(answer);
	t->step = SETTLED;
}

static void
step_done(struct es_template *t)
{
	switch (t->step) {
	case ASK_COMPONENT:
		component_found(t);
		break;
	case PUT_COMPONENT:
		t->step = ASK_TEMPLATE;
		break;
	case ASK_TEMPLATE:
		template_found(t);
		break;
	case ASK_OTHERS:
	case ASK_LEGACY:
		others_found(t);
		break;
	case PUT_TEMPLATE:
		t->step = ASK_INDEX;
		break;
	case ASK_INDEX:
		index_found(t);
		break;
	case SETTLED:
		break;
	}
}

static void
step_refused(struct es_template *t, long status)
{
	if (t->step == ASK_COMPONENT)
		t->step = status == 404 ? PUT_COMPONENT : ASK_TEMPLATE;
	else if (t->step == PUT_COMPONENT) /* said when the template is refused, too */
		t->step = ASK_TEMPLATE;
	else if (t->step == ASK_TEMPLATE && status == 404)
		t->step = ASK_OTHERS;
	else if (t->step == ASK_OTHERS)
		t->step = ASK_LEGACY;
	else if (t->step == ASK_LEGACY)
		t->step = PUT_TEMPLATE;
	else if (t->step == ASK_INDEX)
		t->step = SETTLED;
	else
		template_without(t, status);
}

static void
status_take(struct es_template *t, long status)
{
	char what[128];

	if (status == 401)
		es_http_credentials(t->http);
	if (status == 401 || status == 429 || status >= 500) {
		snprintf(what, sizeof(what), "the server answers %ld%s", status,
		    status == 401 ? " (HTTP_User and HTTP_Passwd, or HTTP_API_Key, are not right)"
				  : "");
		template_again(t,
		    status == 401   ? REASON_AUTH
		    : status == 429 ? REASON_429
				    : REASON_5XX,
		    status, what);
		return;
	}
	t->failures = t->tried = 0;
	atomic_store(&t->sink->answered, true);
	atomic_store(&t->sink->waits, NULL);
	if (is_put(t) && status == 400 && template_refused(t))
		return;
	if (status == 200)
		step_done(t);
	else
		step_refused(t, status);
}

static void
template_answered(struct exchange *x, CURLcode code)
{
	struct es_template *t = (struct es_template *)x;
	char what[CURL_ERROR_SIZE + 32];
	long status = 0;

	t->due = 0;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK) {
		status_take(t, status);
		return;
	}
	if (t->error[0] != '\0')
		es_http_note(t->http, t->error, sizeof(t->error));
	snprintf(what, sizeof(what), "no answer: %s",
	    t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
	template_again(
	    t, code == CURLE_OPERATION_TIMEDOUT ? REASON_TIMEOUT : REASON_CONNECT, 0, what);
}

bool
es_template_turn(struct es_template *t, int64_t now, int64_t *next)
{
	if (t->step == SETTLED)
		return true;
	if (now < t->due)
		*next = t->due;
	else
		template_send(t, now);
	return false;
}
