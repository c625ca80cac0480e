/*
 * Before the first record: is our index template there, and does the index
 * come from it?  A few requests, one after the other, on the shipper's multi
 * handle; records wait until this is settled, which it also is when we may
 * not ask.
 *
 *	ask for the template -> put it, until the server knows its words -> ask for the index
 */
#include <jansson.h>
#include <stdlib.h>

#include "es.h"
#include "es_mapping.h"

#define ANSWER_MAX 1000000u

enum step { ASK_TEMPLATE, PUT_TEMPLATE, ASK_INDEX, SETTLED };

struct es_template {
	struct exchange x; /* first */
	struct es *es;
	enum step step;
	bool flying;
	unsigned host;     /* that is asked */
	unsigned tried;    /* hosts in a row that failed */
	unsigned failures; /* times that all did */
	int64_t due;
	char *name, *pattern;
	struct dialect dialect;
	struct buffer body, answer;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct said said;
};

/* ---- names */

/* INDEX as it is, or what stands before its first %, and a star. */
static char *
pattern_make(const struct es_conf *conf)
{
	if (conf->logstash_format)
		return xprintf("%s%s*", conf->logstash_prefix, conf->logstash_prefix_separator);
	if (strchr(conf->index, '%') == NULL)
		return xstrdup(conf->index);
	return xprintf("%.*s*", (int)strcspn(conf->index, "%"), conf->index);
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
es_template_new(struct es *es)
{
	struct es_template *t = xcalloc(1, sizeof(*t));

	t->es = es;
	t->x.easy = curl_easy_init();
	t->step = es->conf->template ? ASK_TEMPLATE : ASK_INDEX;
	t->pattern = pattern_make(es->conf);
	t->name = name_make(es->conf, t->pattern);
	t->dialect.opensearch = es->sink->section->plugin == &opensearch_plugin;
	buffer_init(&t->body, 0);
	buffer_init(&t->answer, ANSWER_MAX);
	return t;
}

void
es_template_free(struct es_template *t)
{
	if (t == NULL)
		return;
	if (t->flying)
		curl_multi_remove_handle(ship_multi(t->es->sink->shipper), t->x.easy);
	curl_easy_cleanup(t->x.easy);
	curl_slist_free_all(t->headers);
	buffer_fini(&t->body);
	buffer_fini(&t->answer);
	free(t->name);
	free(t->pattern);
	free(t);
}

/* ---- what is asked */

static size_t
on_write(char *at, size_t size, size_t n, void *to)
{
	return buffer_put(to, (struct slice){ at, size * n }) < 0 ? 0 : size * n;
}

static char *
url_make(const struct es_template *t)
{
	bool index = t->step == ASK_INDEX;
	char *name = curl_easy_escape(NULL, index ? t->pattern : t->name, 0);
	char *url = index ? xprintf("%s/%s/_mapping?filter_path=*.mappings._meta",
				t->es->hosts[t->host].origin, name)
			  : xprintf("%s/_index_template/%s", t->es->hosts[t->host].origin, name);

	curl_free(name);
	return url;
}

static void template_answered(struct exchange *x, CURLcode code);

static void
template_send(struct es_template *t)
{
	CURL *easy = t->x.easy;
	char *url = url_make(t);

	es_easy_setup(t->es, &t->es->hosts[t->host], easy, t->error);
	curl_slist_free_all(t->headers);
	t->headers = es_headers(t->es, false, "application/json");
	buffer_clear(&t->answer);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t->answer);
	if (t->step == PUT_TEMPLATE) {
		buffer_clear(&t->body);
		mapping_write(&t->body, t->pattern, t->es->conf->time_key, &t->dialect);
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body.at);
	}
	t->x.done = template_answered;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, &t->x);
	t->flying = true;
	curl_multi_add_handle(ship_multi(t->es->sink->shipper), easy);
	free(url);
}

/* ---- what is answered */

static json_t *
answer_read(const struct es_template *t)
{
	return json_loadb(
	    t->answer.at != NULL ? t->answer.at : "", t->answer.len, JSON_REJECT_DUPLICATES, NULL);
}

/* The version of ours in a _meta; 0: it is not ours. */
static json_int_t
version_of(const json_t *meta)
{
	const char *by = json_string_value(json_object_get(meta, "managed_by"));

	return by != NULL && strcmp(by, "towline") == 0
		   ? json_integer_value(json_object_get(meta, "version"))
		   : 0;
}

static void
template_found(struct es_template *t)
{
	json_t *answer = answer_read(t);
	const json_t *found = json_array_get(json_object_get(answer, "index_templates"), 0);
	json_int_t version =
	    version_of(json_object_get(json_object_get(found, "index_template"), "_meta"));

	t->step = version > 0 && version < TEMPLATE_VERSION ? PUT_TEMPLATE : ASK_INDEX;
	if (version == 0)
		say_warn("es",
		    "index template %s is not towline's and stays as it is; set Template_Name, or "
		    "Template Off  output=%s",
		    t->name, t->es->sink->name);
	json_decref(answer);
}

/* Indices that are there, with a _meta in their mapping or without. */
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

		ours |= version_of(json_object_get(mappings, "_meta")) >= TEMPLATE_VERSION;
	}
	json_decref(answer);
	if (ours || !t->es->conf->template || t->es->index == NULL)
		return;
	metrics_add(&metrics.index_late, 1);
	say_warn("es",
	    "index %s is older than towline's index template, which comes too late for it: queries "
	    "on labels and error types may not be exact until it is made anew  output=%s",
	    t->es->index, t->es->sink->name);
}

/* Not this host, or not now: another one, or again later; records wait. */
static void
template_again(struct es_template *t, enum reason reason, const char *what)
{
	const struct es *es = t->es;
	const char *host = es->hosts[t->host].name;
	int64_t wait = 0;

	t->host = (t->host + 1) % es->nhosts;
	if (++t->tried >= es->nhosts || reason == REASON_AUTH) {
		t->tried = 0;
		wait = backoff(es, ++t->failures);
	}
	t->due = clock_mono() + wait;
	metrics_add(&t->es->sink->metrics->retries[reason], 1);
	atomic_store(&t->es->sink->waits, "the server does not take requests");
	if (!said_lately(&t->said))
		say_warn("es", "%s; %s  output=%s host=%s retry_in=%.1fs", what,
		    wait == 0 ? "another host is asked" : "records wait in their files",
		    es->sink->name, host, (double)wait / NS_PER_S);
}

/* In what it does not know: put it in other words.  False: it is not that. */
static bool
template_refused(struct es_template *t)
{
	bool whole = t->dialect.whole_labels;

	if (!mapping_refused(&t->dialect, (struct slice){ t->answer.at, t->answer.len }))
		return false;
	if (t->dialect.whole_labels != whole)
		say_warn("es",
		    "the server has no path_hierarchy (module analysis-common): labels match as a "
		    "whole alone, `matillion-agent` does not find `matillion-agent-pods`  "
		    "output=%s",
		    t->es->sink->name);
	return true;
}

/* The server will not: say so once, and ship. */
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
	    t->name, status, why != NULL ? " " : "", why != NULL ? why : "", t->es->sink->name);
	json_decref(answer);
	t->step = SETTLED;
}

static void
status_take(struct es_template *t, long status)
{
	char what[128];

	if (status == 401)
		es_credentials_read(t->es);
	if (status == 401 || status == 429 || status >= 500) {
		snprintf(what, sizeof(what), "the server answers %ld%s", status,
		    status == 401 ? " (HTTP_User and HTTP_Passwd, or HTTP_API_Key, are not right)"
				  : "");
		template_again(t,
		    status == 401   ? REASON_AUTH
		    : status == 429 ? REASON_429
				    : REASON_5XX,
		    what);
		return;
	}
	t->failures = t->tried = 0;
	atomic_store(&t->es->sink->answered, true);
	atomic_store(&t->es->sink->waits, NULL);
	if (t->step == ASK_TEMPLATE && status == 200)
		template_found(t);
	else if (t->step == ASK_TEMPLATE && status == 404)
		t->step = PUT_TEMPLATE;
	else if (t->step == ASK_INDEX && status == 200)
		index_found(t);
	else if (t->step == ASK_INDEX)
		t->step = SETTLED;
	else if (status == 200)
		t->step = ASK_INDEX;
	else if (t->step != PUT_TEMPLATE || status != 400 || !template_refused(t))
		template_without(t, status);
}

static void
template_answered(struct exchange *x, CURLcode code)
{
	struct es_template *t = (struct es_template *)x;
	char what[CURL_ERROR_SIZE + 32];
	long status = 0;

	t->flying = false;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK) {
		status_take(t, status);
		return;
	}
	snprintf(what, sizeof(what), "no answer: %s",
	    t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
	template_again(t, code == CURLE_OPERATION_TIMEDOUT ? REASON_TIMEOUT : REASON_CONNECT, what);
}

bool
es_template_turn(struct es_template *t, int64_t now, int64_t *next)
{
	if (t->step == SETTLED)
		return true;
	if (!t->flying && now < t->due)
		*next = t->due;
	else if (!t->flying)
		template_send(t);
	return false;
}
