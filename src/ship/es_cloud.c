/*
 * Elastic Cloud's options: Cloud_ID names the server, Cloud_Auth the user.  They are
 * read into the options that they stand for, which all other parts look at.
 *
 *	NAME:base64(DOMAIN[:PORT]$ELASTICSEARCH[:PORT]$KIBANA) -> ELASTICSEARCH.DOMAIN, PORT, tls
 */
#include "es_cloud.h"

#include <stdio.h>

#include "es_conf.h"
#include "least.h"

#define HTTPS 443 /* of an id that names no port */

/* The value of a digit of base64; -1: it is none. */
static int
digit_read(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Decode ${text} into ${to}, ended by a NUL; false: it is no base64, or too long. */
static bool
base64_read(const char *text, char *to, size_t size)
{
	size_t len = strcspn(text, "="), n = 0;
	unsigned bits = 0, held = 0;

	if (text[len + strspn(text + len, "=")] != '\0')
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = digit_read(text[i]);

		if (digit < 0)
			return false;
		held = held << 6 | (unsigned)digit;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n + 1 >= size)
			return false;
		to[n++] = (char)(held >> bits & 0xff);
	}
	to[n] = '\0';
	return memchr(to, '\0', n) == NULL;
}

/* The part of ${*text} before the next $; ${*text} is behind it then. */
static struct slice
part_take(const char **text)
{
	struct slice part = { *text, strcspn(*text, "$") };

	*text += part.len + ((*text)[part.len] == '$');
	return part;
}

/* The port behind a colon, which is taken off the part; "" when it has none. */
static struct slice
port_take(struct slice *part)
{
	const char *colon = memchr(part->at, ':', part->len);
	struct slice port;

	if (colon == NULL)
		return SLICE("");
	port = slice_from(*part, (size_t)(colon - part->at));
	part->len -= port.len;
	return port;
}

/* Read Cloud_ID into a host's name and port; NULL, or the fault as a text. */
static const char *
id_read(const char *id, struct host *to)
{
	const char *base64 = strrchr(id, ':'), *at;
	struct slice domain, server, port, its_own;
	char text[512], name[600], why[256];
	struct host found[HOSTS_MAX];

	if (base64 == NULL || !base64_read(base64 + 1, text, sizeof(text)))
		return "is not NAME:BASE64";
	at = text;
	domain = part_take(&at);
	server = part_take(&at);
	port = port_take(&domain);
	its_own = port_take(&server);
	if (its_own.len > 0)
		port = its_own;
	if (domain.len == 0 || server.len == 0)
		return "names no Elasticsearch of the deployment";
	snprintf(name, sizeof(name), "%.*s.%.*s%.*s", (int)server.len, server.at, (int)domain.len,
	    domain.at, (int)port.len, port.at);
	if (hosts_parse(name, HTTPS, found, why, sizeof(why)) != 1)
		return "holds no name of a host";
	*to = found[0];
	return NULL;
}

static void
id_take(const struct section *section, struct findings *findings)
{
	struct es_conf *conf = section->values;
	unsigned line = conf_given(section, "Cloud_ID");
	struct host host;
	const char *fault = id_read(conf->cloud.id, &host);

	if (fault != NULL) {
		findings_add(findings, FINDING_ERROR, section->file, line, "Cloud_ID %s", fault);
		return;
	}
	if (conf_given(section, "Host") != 0)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, "Host"),
		    "Host has no effect beside Cloud_ID, which names %s", host.name);
	if (conf_given(section, "tls") != 0 && !conf->tls)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, "tls"),
		    "tls is on with Cloud_ID");
	snprintf(conf->cloud.host, sizeof(conf->cloud.host), "%s", host.name);
	conf->host = conf->cloud.host;
	conf->port = host.port;
	conf->tls = true;
}

/* As in Fluent Bit, it comes before HTTP_User and HTTP_API_Key. */
static void
auth_take(const struct section *section, struct findings *findings)
{
	struct es_conf *conf = section->values;
	unsigned line = conf_given(section, "Cloud_Auth");
	size_t user = strcspn(conf->cloud.auth, ":");
	const char *secret = conf->cloud.auth + user;

	if (user == 0 || user >= sizeof(conf->cloud.user) || secret[0] != ':' ||
	    secret[1] == '\0' || strlen(secret) > sizeof(conf->cloud.secret)) {
		findings_add(findings, FINDING_ERROR, section->file, line,
		    "Cloud_Auth is not USER:PASSWORD");
		return;
	}
	if (conf_given(section, "HTTP_User") != 0 || conf_given(section, "HTTP_API_Key") != 0)
		findings_add(findings, FINDING_WARNING, section->file, line,
		    "Cloud_Auth comes before HTTP_User and HTTP_API_Key, which have no effect");
	memcpy(conf->cloud.user, conf->cloud.auth, user);
	snprintf(conf->cloud.secret, sizeof(conf->cloud.secret), "%s", secret + 1);
	conf->http_user = conf->cloud.user;
	conf->http_passwd = conf->cloud.secret;
	conf->http_passwd_file = conf->http_api_key = conf->http_api_key_file = NULL;
}

void
es_cloud_take(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;

	if (conf->cloud.id != NULL)
		id_take(section, findings);
	if (conf->cloud.auth != NULL)
		auth_take(section, findings);
}
