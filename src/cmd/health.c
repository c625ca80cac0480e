/* towline health: the probe of a running towline, for images without an HTTP client. */
#include <curl/curl.h>
#include <stdlib.h>

#include "cmd.h"
#include "memory.h"
#include "service.h"
#include "web_conf.h"

#define TIMEOUT 10L /* s: longer than /healthz takes, shorter than the timeout of a probe */

static int health_run(int argc, char **argv);

enum { OPT_C, OPT_READY, OPT_URL };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration (default: " CMD_CONF_DEFAULT ")" },
	{ 0, "ready", NULL, "ask /readyz instead of /healthz" },
	{ 0, "url", "URL", "ask there, and read no configuration" },
	{ 0 },
};

const struct command cmd_health = {
	.name = "health",
	.run = health_run,
	.help = "Ask the towline that runs with the same configuration whether it is well.",
	.more =
	    "Prints the answer of /healthz at HTTP_Listen and HTTP_Port, by TLS when HTTP_Web_Config\n"
	    "has it.  The certificate is not checked, as the kubelet's probes do not: no secret is sent.\n"
	    "Exit code 0: it is well, 1: it is not, or there is no answer.",
	.options = options,
};

/* The URL of the running towline, as the caller's string: loopback when it listens on all addresses. */
static char *
url_of(const struct conf *conf, const char *path)
{
	struct findings *findings = findings_new(); /* said when it was read */
	struct web_conf *web = web_conf_of(conf, findings);
	const struct service *s = service_of(conf);
	const char *host = s->http_listen;
	char *url;

	if (strcmp(host, "0.0.0.0") == 0)
		host = "127.0.0.1";
	else if (strcmp(host, "::") == 0)
		host = "::1";
	url = xprintf(strchr(host, ':') != NULL ? "http%s://[%s]:%u%s" : "http%s://%s:%u%s",
	    web != NULL && web->cert.path != NULL ? "s" : "", host, (unsigned)s->http_port, path);
	web_conf_free(web);
	findings_free(findings);
	return url;
}

/* Print the body of the answer to standard output.  True: the answer is 200. */
static bool
ask(const char *url)
{
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		cmd_wrong("towline health: no answer from %s: %s", url, curl_easy_strerror(code));
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status == 200;
}

static bool
well(const struct conf *conf, const char *path)
{
	const struct service *s = service_of(conf);
	char *url;
	bool ok;

	if (!s->http_server || s->http_port == 0) {
		fputs("towline health: HTTP_Server is off, or HTTP_Port is 0: nobody can ask\n",
		    stderr);
		return false;
	}
	url = url_of(conf, path);
	ok = ask(url);
	free(url);
	return ok;
}

static int
health_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	struct conf *conf;
	bool ok;

	if (cmd_options(&cmd_health, argc, argv, values) < 0)
		return EXIT_USAGE;
	if (values[OPT_URL] != NULL)
		return ask(values[OPT_URL]) ? EXIT_DONE : EXIT_WRONG;
	conf = cmd_conf(values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT, FINDING_WARNING);
	if (conf == NULL)
		return EXIT_WRONG;
	ok = well(conf, values[OPT_READY] != NULL ? "/readyz" : "/healthz");
	conf_free(conf);
	return ok ? EXIT_DONE : EXIT_WRONG;
}
