/* One request, to one host after the other until one answers. */
#include "server.h"

#include "hosts.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "cmd.h"
#include "memory.h"
#include "ship.h"

#define TIMEOUT 120L /* s: an aggregation over a day may take long */

struct request {
	CURL *curl;
	struct curl_slist *headers, *connect_to;
	char error[CURL_ERROR_SIZE];
};

/* Verification is on where an output has no option for it. */
static bool
is_on(const struct section *output, const char *name)
{
	const bool *at = server_option(output, name);

	return at != NULL ? *at : strncmp(name, "tls.verify", 10) == 0;
}

static int64_t
port_of(const struct section *output)
{
	const int64_t *at = server_option(output, "Port");

	return at != NULL ? *at : 9200;
}

/* ---- the hosts */

/* The hosts of the output, and the one in use: a host that answers stays in use. */
static struct {
	struct host at[HOSTS_MAX];
	unsigned n, now;
} hosts;

/* Return 0, or -1 after saying why. */
static int
hosts_of(const struct section *output, const char *command)
{
	const char *text = server_option_string(output, "Host");
	char why[256];
	int n;

	n = hosts_parse(text != NULL ? text : "127.0.0.1", (unsigned)port_of(output), hosts.at, why,
	    sizeof(why));
	if (n < 0) {
		cmd_wrong("towline %s: Host: %s", command, why);
		return -1;
	}
	hosts.n = (unsigned)n;
	hosts.now %= hosts.n;
	return 0;
}

const char *
server_host(void)
{
	static char text[HOST_NAME + 8];

	snprintf(text, sizeof(text), "%s:%u", hosts.at[hosts.now].name, hosts.at[hosts.now].port);
	return text;
}

/* ---- the request */

static size_t
take(char *at, size_t size, size_t n, void *arg)
{
	const struct server_ask *ask = arg;

	return ask->take(ask->arg, (struct slice){ at, size * n }) ? size * n : 0;
}

static void
set_string(CURL *curl, CURLoption option, const char *value)
{
	if (value != NULL && value[0] != '\0')
		curl_easy_setopt(curl, option, value);
}

/* The secret in the file that the option `name` gives, as the caller's string, or NULL. */
static char *
secret_file(const struct section *output, const char *name)
{
	const char *path = server_option_string(output, name);
	const char *why;
	char *secret;

	if (path == NULL || path[0] == '\0')
		return NULL;
	secret = conf_secret_file(path, &why);
	if (secret == NULL)
		cmd_wrong("towline: %s %s %s", name, path, why);
	return secret;
}

/* The secret `name`, or that in the file `name`_File. */
static char *
secret(const struct section *output, const char *name)
{
	const char *value = server_option_string(output, name);
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
	if (server_option_string(output, "HTTP_User") == NULL)
		return;
	password = secret(output, "HTTP_Passwd");
	curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	set_string(r->curl, CURLOPT_USERNAME, server_option_string(output, "HTTP_User"));
	set_string(r->curl, CURLOPT_PASSWORD, password);
	free(password);
}

/* TLS options that libcurl gets unchanged. */
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
		set_string(
		    curl, tls_options[i].option, server_option_string(output, tls_options[i].name));
	if (!verify)
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	if (!verify || !is_on(output, "tls.verify_hostname"))
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

/* The URL, and the address to connect to: with tls.vhost in the URL, still that of Host, whose certificate has the name tls.vhost. */
static void
set_url(struct request *r, const struct section *output, const char *host, const char *path)
{
	bool tls = is_on(output, "tls");
	const char *prefix = server_option_string(output, "Path");
	const char *vhost = tls ? server_option_string(output, "tls.vhost") : NULL;
	const char *port = strrchr(host, ':');
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

static void
set_request(struct request *r, const struct server_ask *ask)
{
	char *type = xprintf("Content-Type: %s", ask->type);

	r->headers = curl_slist_append(r->headers, type);
	r->headers = curl_slist_append(r->headers, "Expect:");
	free(type);
	curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r->curl, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(r->curl, CURLOPT_TIMEOUT, TIMEOUT);
	curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, ask->body.at);
	curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, ask);
	curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers);
}

static long
post_to(const struct section *output, const char *host, const struct server_ask *ask)
{
	struct request r = { .curl = curl_easy_init() };
	long status = -1;
	CURLcode code;

	set_url(&r, output, host, ask->path);
	set_credentials(&r, output);
	if (is_on(output, "tls"))
		set_tls(r.curl, output);
	ship_way(output, r.curl);
	set_request(&r, ask);
	ask->take(ask->arg, SLICE(""));
	code = curl_easy_perform(r.curl);
	if (code != CURLE_OK)
		cmd_wrong("towline %s: no answer from %s: %s", ask->command, host,
		    r.error[0] != '\0' ? r.error : curl_easy_strerror(code));
	else
		curl_easy_getinfo(r.curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(r.headers);
	curl_slist_free_all(r.connect_to);
	curl_easy_cleanup(r.curl);
	return status;
}

/* True when the host fails, and not the request. */
static bool
host_failed(long status)
{
	return status < 0 || status == 429 || status >= 500;
}

long
server_post(const struct section *output, const struct server_ask *ask)
{
	long status = -1;

	if (hosts_of(output, ask->command) < 0)
		return -1;
	for (unsigned i = 0; i < hosts.n; i++) {
		if (i > 0)
			hosts.now = (hosts.now + 1) % hosts.n;
		status = post_to(output, server_host(), ask);
		if (!host_failed(status))
			break;
		if (status >= 0 && i + 1 < hosts.n)
			cmd_wrong(
			    "towline %s: %s answers %ld", ask->command, server_host(), status);
	}
	return status;
}
