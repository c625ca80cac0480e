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
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
};

static bool
is_on(const struct section *output, const char *name)
{
	const bool *at = report_option(output, name);

	return at != NULL && *at;
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

static void
set_tls(struct request *r, const struct section *output)
{
	const bool *verify = report_option(output, "tls.verify");

	set_string(r->curl, CURLOPT_CAINFO, report_string(output, "tls.ca_file"));
	set_string(r->curl, CURLOPT_SSLCERT, report_string(output, "tls.crt_file"));
	set_string(r->curl, CURLOPT_SSLKEY, report_string(output, "tls.key_file"));
	if (verify != NULL && !*verify) {
		curl_easy_setopt(r->curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(r->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

long
report_post(const struct section *output, const char *path, const char *body, struct buffer *answer)
{
	struct request r = { .curl = curl_easy_init() };
	const char *prefix = report_string(output, "Path");
	bool tls = is_on(output, "tls");
	char *url = xprintf("%s://%s%s%s%s", tls ? "https" : "http", report_host(output),
	    prefix != NULL && prefix[0] != '/' && prefix[0] != '\0' ? "/" : "",
	    prefix != NULL ? prefix : "", path);
	long status = -1;
	CURLcode code;

	r.headers = curl_slist_append(NULL, "Content-Type: application/json");
	r.headers = curl_slist_append(r.headers, "Expect:");
	curl_easy_setopt(r.curl, CURLOPT_URL, url);
	curl_easy_setopt(r.curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r.curl, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(r.curl, CURLOPT_ERRORBUFFER, r.error);
	curl_easy_setopt(r.curl, CURLOPT_TIMEOUT, TIMEOUT);
	curl_easy_setopt(r.curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(r.curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(r.curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(r.curl, CURLOPT_WRITEDATA, answer);
	set_credentials(&r, output);
	set_tls(&r, output);
	curl_easy_setopt(r.curl, CURLOPT_HTTPHEADER, r.headers);
	answer->cap = ANSWER_MAX;
	code = curl_easy_perform(r.curl);
	if (code != CURLE_OK)
		fprintf(stderr, "towline report: no answer from %s: %s\n", report_host(output),
		    r.error[0] != '\0' ? r.error : curl_easy_strerror(code));
	else
		curl_easy_getinfo(r.curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(r.headers);
	curl_easy_cleanup(r.curl);
	free(url);
	return status;
}
