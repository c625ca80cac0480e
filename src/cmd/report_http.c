/*
 * One request to the server of an es or opensearch output, with that output's
 * host, TLS and credentials.  Not the shipper's path: one request, one answer,
 * in memory.
 */
#include "report.h"

#include <curl/curl.h>
#include <stdlib.h>

#define ANSWER_MAX (64u << 20)
#define TIMEOUT 120L /* s: an aggregation over a day may take its time */

struct request {
	CURL *curl;
	struct curl_slist *headers, *connect_to;
	char error[CURL_ERROR_SIZE];
};

/* Verification is on where an output has no option for it. */
static bool
is_on(const struct section *output, const char *name)
{
	const bool *at = report_option(output, name);

	return at != NULL ? *at : strncmp(name, "tls.verify", 10) == 0;
}

static int64_t
port_of(const struct section *output)
{
	const int64_t *at = report_option(output, "Port");

	return at != NULL ? *at : 9200;
}

const char *
report_host(const struct section *output)
{
	static char host[512];
	const char *name = report_string(output, "Host");
	size_t len;

	name = name != NULL ? name : "127.0.0.1";
	len = strcspn(name, ", \t");
	/* HOST:PORT, [V6]:PORT, or HOST and the option Port */
	if (memchr(name, ':', len) != NULL && (name[0] != '[' || name[len - 1] != ']'))
		snprintf(host, sizeof(host), "%.*s", (int)len, name);
	else
		snprintf(
		    host, sizeof(host), "%.*s:%lld", (int)len, name, (long long)port_of(output));
	return host;
}

/* ---- the path */

/* Add `name` to `path`: % and its letter, and what begins with $, become a star. */
static void
path_index(struct buffer *path, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '%' && name[1] != '\0') {
			buffer_put(path, SLICE("*"));
			name++;
		} else if (*name == '$') {
			buffer_put(path, SLICE("*"));
			return;
		} else if (strchr("/?#\\\" <>|,", *name) == NULL) {
			buffer_put(path, (struct slice){ name, 1 });
		}
	}
}

char *
report_path(const struct section *output)
{
	const bool *dated = report_option(output, "Logstash_Format");
	const char *index = report_string(output, "Index");
	struct buffer path;
	char *text;

	buffer_init(&path, 0);
	buffer_put(&path, SLICE("/"));
	if (dated != NULL && *dated) {
		index = report_string(output, "Logstash_Prefix");
		path_index(&path, index != NULL ? index : "logstash");
		buffer_put(&path, SLICE("*"));
	} else {
		path_index(&path, index != NULL ? index : "fluent-bit");
	}
	buffer_put(&path, SLICE("/_search?ignore_unavailable=true&allow_no_indices=true"));
	text = xslicedup(buffer_slice(&path));
	buffer_fini(&path);
	return text;
}

/* ---- the request */

static size_t
take(char *at, size_t size, size_t n, void *to)
{
	return buffer_put(to, (struct slice){ at, size * n }) < 0 ? 0 : size * n;
}

static void
set_string(CURL *curl, CURLoption option, const char *value)
{
	if (value != NULL && value[0] != '\0')
		curl_easy_setopt(curl, option, value);
}

/* The first line of the file that the option `name` gives, as the caller's string, or NULL. */
static char *
secret_file(const struct section *output, const char *name)
{
	const char *path = report_string(output, name);
	char text[4096];
	FILE *file;

	if (path == NULL || path[0] == '\0')
		return NULL;
	file = fopen(path, "re");
	if (file == NULL) {
		fprintf(stderr, "towline report: cannot read %s %s: %m\n", name, path);
		return NULL;
	}
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	return xstrdup(text);
}

/* The secret `name`, or what stands in the file `name`_File. */
static char *
secret(const struct section *output, const char *name)
{
	const char *value = report_string(output, name);
	char *file_option = xprintf("%s_File", name), *read = NULL;

	if (value == NULL || value[0] == '\0')
		read = secret_file(output, file_option);
	else
		read = xstrdup(value);
	free(file_option);
	return read;
}

static void
set_credentials(struct request *r, const struct section *output)
{
	char *key = secret(output, "HTTP_API_Key"), *password;

	if (key != NULL) {
		char *line = xprintf("Authorization: ApiKey %s", key);

		r->headers = curl_slist_append(r->headers, line);
		free(line);
		free(key);
		return;
	}
	if (report_string(output, "HTTP_User") == NULL)
		return;
	password = secret(output, "HTTP_Passwd");
	curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	set_string(r->curl, CURLOPT_USERNAME, report_string(output, "HTTP_User"));
	set_string(r->curl, CURLOPT_PASSWORD, password);
	free(password);
}

/* TLS options that are handed on as they are. */
static const struct {
	const char *name;
	CURLoption option;
} tls_options[] = {
	{ "tls.ca_file", CURLOPT_CAINFO },
	{ "tls.ca_path", CURLOPT_CAPATH },
	{ "tls.crt_file", CURLOPT_SSLCERT },
	{ "tls.key_file", CURLOPT_SSLKEY },
	{ "tls.key_passwd", CURLOPT_KEYPASSWD },
};

static void
set_tls(CURL *curl, const struct section *output)
{
	bool verify = is_on(output, "tls.verify");

	for (size_t i = 0; i < sizeof(tls_options) / sizeof(tls_options[0]); i++)
		set_string(curl, tls_options[i].option, report_string(output, tls_options[i].name));
	if (!verify)
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	if (!verify || !is_on(output, "tls.verify_hostname"))
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

/* The URL, and where it leads: with tls.vhost to Host, whose certificate is that name's. */
static void
set_url(struct request *r, const struct section *output, const char *path)
{
	bool tls = is_on(output, "tls");
	const char *prefix = report_string(output, "Path");
	const char *vhost = tls ? report_string(output, "tls.vhost") : NULL;
	const char *host = report_host(output), *port = strrchr(host, ':');
	char *to = xprintf("::%s", host), *url;
	bool slash = prefix != NULL && prefix[0] != '/' && prefix[0] != '\0';

	if (vhost != NULL && vhost[0] != '\0') {
		r->connect_to = curl_slist_append(NULL, to);
		curl_easy_setopt(r->curl, CURLOPT_CONNECT_TO, r->connect_to);
		url = xprintf("https://%s%s%s%s%s", vhost, port, slash ? "/" : "",
		    prefix != NULL ? prefix : "", path);
	} else {
		url = xprintf("%s://%s%s%s%s", tls ? "https" : "http", host, slash ? "/" : "",
		    prefix != NULL ? prefix : "", path);
	}
	curl_easy_setopt(r->curl, CURLOPT_URL, url);
	free(url);
	free(to);
}

long
report_post(const struct section *output, const char *path, const char *body, struct buffer *answer)
{
	struct request r = { .curl = curl_easy_init() };
	long status = -1;
	CURLcode code;

	r.headers = curl_slist_append(NULL, "Content-Type: application/json");
	r.headers = curl_slist_append(r.headers, "Expect:");
	set_url(&r, output, path);
	set_credentials(&r, output);
	if (is_on(output, "tls"))
		set_tls(r.curl, output);
	curl_easy_setopt(r.curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r.curl, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(r.curl, CURLOPT_ERRORBUFFER, r.error);
	curl_easy_setopt(r.curl, CURLOPT_TIMEOUT, TIMEOUT);
	curl_easy_setopt(r.curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(r.curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(r.curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(r.curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(r.curl, CURLOPT_HTTPHEADER, r.headers);
	answer->cap = ANSWER_MAX;
	code = curl_easy_perform(r.curl);
	if (code != CURLE_OK)
		fprintf(stderr, "towline report: no answer from %s: %s\n", report_host(output),
		    r.error[0] != '\0' ? r.error : curl_easy_strerror(code));
	else
		curl_easy_getinfo(r.curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(r.headers);
	curl_slist_free_all(r.connect_to);
	curl_easy_cleanup(r.curl);
	return status;
}
