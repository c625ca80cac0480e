/* TLS, credentials and header lines of an es output's requests. */
#include "es_http.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"
#include "proxy.h"
#include "ship.h"
#include "voice.h"

struct es_http {
	const struct es_conf *conf;
	char *authorization; /* header line; NULL: none, or user and password */
	char *password;
	bool unread; /* a file of a secret, when it was asked for last */
};

static void
set_string(CURL *easy, CURLoption option, const char *value)
{
	if (value != NULL && value[0] != '\0')
		curl_easy_setopt(easy, option, value);
}

static void
tls_setup(const struct es_conf *conf, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, conf->tls_verify ? 1L : 0L);
	curl_easy_setopt(
	    easy, CURLOPT_SSL_VERIFYHOST, conf->tls_verify && conf->tls_verify_hostname ? 2L : 0L);
	set_string(easy, CURLOPT_CAINFO, conf->tls_ca_file);
	set_string(easy, CURLOPT_CAPATH, conf->tls_ca_path);
	set_string(easy, CURLOPT_SSLCERT, conf->tls_crt_file);
	set_string(easy, CURLOPT_SSLKEY, conf->tls_key_file);
	set_string(easy, CURLOPT_KEYPASSWD, conf->tls_key_passwd);
}

/* Where nothing is said libcurl and OPENSSL_CONF decide. */
static void
way_setup(const struct es_conf *conf, CURL *easy)
{
	static const long oldest[] = { CURL_SSLVERSION_DEFAULT, CURL_SSLVERSION_TLSv1_2,
		CURL_SSLVERSION_TLSv1_3 };
	static const long newest[] = { CURL_SSLVERSION_MAX_NONE, CURL_SSLVERSION_MAX_TLSv1_2,
		CURL_SSLVERSION_MAX_TLSv1_3 };

	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
	    oldest[conf->tls_min_version] | newest[conf->tls_max_version]);
	set_string(easy, CURLOPT_SSL_CIPHER_LIST, conf->tls_ciphers);
	if (conf->proxy_env_ignore)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

void
ship_way(const struct section *output, void *easy)
{
	const struct es_conf *conf = es_options_of(output);

	if (conf != NULL)
		way_setup(conf, easy);
}

void
es_http_note(const struct es_http *h, char *error, size_t size)
{
	if (!h->conf->proxy_env_ignore)
		proxy_note(error, size);
}

/* A program that is run (Kube_Token_Command) must not have our connections. */
static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)arg;
	(void)purpose;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void
es_http_setup(const struct es_http *h, struct curl_slist *connect_to, CURL *easy, char *error)
{
	const struct es_conf *conf = h->conf;

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(conf->connect_timeout / NS_PER_MS));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(conf->io_timeout / NS_PER_MS));
	tls_setup(conf, easy);
	way_setup(conf, easy);
	if (connect_to != NULL)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to);
	if (h->authorization == NULL && conf->http_user != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, conf->http_user);
		set_string(easy, CURLOPT_PASSWORD, h->password);
	}
}

/*
 * An unusable file counts as an empty secret, which the server refuses: then it is read
 * again.  It is said once, until it can be used.
 */
static char *
secret_read(const char *path, bool *failed)
{
	const char *why;
	char *secret = conf_secret_file(path, &why);

	if (secret == NULL && !*failed)
		say_warn("es", "%s %s", path, why);
	else if (secret != NULL && *failed)
		say_info("es", "%s can be read again", path);
	*failed = secret == NULL;
	return secret != NULL ? secret : xstrdup("");
}

void
es_http_credentials(struct es_http *h)
{
	const struct es_conf *conf = h->conf;
	char *key = NULL;

	free(h->authorization);
	free(h->password);
	h->authorization = h->password = NULL;
	if (conf->http_api_key_file != NULL)
		key = secret_read(conf->http_api_key_file, &h->unread);
	else if (conf->http_api_key != NULL)
		key = xstrdup(conf->http_api_key);
	if (key != NULL)
		h->authorization = xprintf("Authorization: ApiKey %s", key);
	if (conf->http_passwd_file != NULL)
		h->password = secret_read(conf->http_passwd_file, &h->unread);
	else if (conf->http_passwd != NULL)
		h->password = xstrdup(conf->http_passwd);
	free(key);
}

struct curl_slist *
es_http_headers(const struct es_http *h, bool gzip, const char *type)
{
	char *content = xprintf("Content-Type: %s", type);
	struct curl_slist *list = curl_slist_append(NULL, content);

	list = curl_slist_append(list, "Expect:");
	if (gzip)
		list = curl_slist_append(list, "Content-Encoding: gzip");
	if (h->authorization != NULL)
		list = curl_slist_append(list, h->authorization);
	free(content);
	return list;
}

struct es_http *
es_http_new(const struct es_conf *conf)
{
	struct es_http *h = xcalloc(1, sizeof(*h));

	h->conf = conf;
	es_http_credentials(h);
	return h;
}

void
es_http_free(struct es_http *h)
{
	if (h == NULL)
		return;
	free(h->authorization);
	free(h->password);
	free(h);
}
