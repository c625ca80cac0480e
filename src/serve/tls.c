/*
 * The keys of TLS.  Each connection has the files as they are when it begins: they are
 * looked at then, and read again when they have changed.  The keys of a connection stay
 * until it ends.  The serve thread's.
 *
 * A client without a certificate, where one is needed, gets through the handshake and is
 * refused with its request: probes, which the kubelet sends, are answered without.
 */
#include "tls.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "clock.h"
#include "memory.h"
#include "voice.h"

#define FILES 3
#define WRONG_AGAIN NS_PER_S /* a look at wrong files that seem to be as they were */

/* The identity of a file's content, as far as stat(2) knows it. */
struct seen {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct tls_keys {
	gnutls_certificate_credentials_t credentials;
	unsigned held; /* by connections, and one more while they are the newest */
};

struct tls {
	const struct web_conf *web;
	struct tls_keys *keys;
	struct seen seen[FILES];  /* when the keys were read */
	struct seen wrong[FILES]; /* when they could not be, tried again when others, or later */
	int64_t again;            /* mono ns */
	struct said said;
	char priorities[100];
};

/* Why a file cannot be used. */
struct fault {
	const struct web_file *file;
	const char *key;
	char text[160];
};

/* ---- the files */

static void
look(const struct web_conf *web, struct seen seen[FILES])
{
	const char *const paths[FILES] = { web->cert.path, web->key.path, web->client_ca.path };

	memset(seen, 0, FILES * sizeof(*seen)); /* compared as bytes */
	for (size_t i = 0; i < FILES; i++) {
		struct stat st;

		if (paths[i] == NULL || stat(paths[i], &st) != 0)
			continue;
		seen[i].device = st.st_dev;
		seen[i].inode = st.st_ino;
		seen[i].size = st.st_size;
		seen[i].changed = st.st_ctim;
	}
}

static bool
refuse(struct fault *fault, const struct web_file *file, const char *key, const char *why)
{
	*fault = (struct fault){ .file = file, .key = key };
	snprintf(fault->text, sizeof(fault->text), "%s", why);
	return false;
}

/* True when the file has certificates, in PEM. */
static bool
certificates_check(const struct web_file *file, const char *key, struct fault *fault)
{
	gnutls_datum_t text;
	gnutls_x509_crt_t *list;
	unsigned n;
	int code;

	if (gnutls_load_file(file->path, &text) != 0)
		return refuse(fault, file, key, strerrordesc_np(errno));
	code = gnutls_x509_crt_list_import2(&list, &n, &text, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(text.data);
	if (code < 0)
		return refuse(fault, file, key, "it has no certificate in PEM");
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return true;
}

static bool
key_load(const struct web_conf *web, gnutls_certificate_credentials_t to, struct fault *fault)
{
	FILE *file = fopen(web->key.path, "re");
	int code;

	if (file == NULL)
		return refuse(fault, &web->key, "key_file", strerrordesc_np(errno));
	fclose(file);
	code = gnutls_certificate_set_x509_key_file(
	    to, web->cert.path, web->key.path, GNUTLS_X509_FMT_PEM);
	if (code >= 0)
		return true;
	return refuse(fault, &web->key, "key_file",
	    code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH
		? "it is not the key of cert_file"
		: "it has no key in PEM that goes without a password");
}

/* NULL: ${fault} says why. */
static struct tls_keys *
keys_load(const struct web_conf *web, struct fault *fault)
{
	struct tls_keys *keys = xcalloc(1, sizeof(*keys));
	bool good;

	keys->held = 1;
	if (gnutls_certificate_allocate_credentials(&keys->credentials) != 0)
		xneeded(NULL, sizeof(*keys));
	good = certificates_check(&web->cert, "cert_file", fault) &&
	       key_load(web, keys->credentials, fault) &&
	       (web->client_ca.path == NULL ||
		   certificates_check(&web->client_ca, "client_ca_file", fault));
	if (good && web->client_ca.path != NULL &&
	    gnutls_certificate_set_x509_trust_file(
		keys->credentials, web->client_ca.path, GNUTLS_X509_FMT_PEM) <= 0)
		good = refuse(fault, &web->client_ca, "client_ca_file", "it cannot be read");
	if (good)
		return keys;
	tls_end(keys);
	return NULL;
}

static void
keys_renew(struct tls *t)
{
	struct tls_keys *keys;
	struct seen now[FILES];
	struct fault fault;

	look(t->web, now);
	if (memcmp(now, t->seen, sizeof(now)) == 0 ||
	    (memcmp(now, t->wrong, sizeof(now)) == 0 && clock_mono() < t->again))
		return;
	keys = keys_load(t->web, &fault);
	if (keys == NULL) {
		memcpy(t->wrong, now, sizeof(now));
		t->again = clock_mono() + WRONG_AGAIN;
		if (!said_lately(&t->said))
			say_warn("http",
			    "%s has changed and cannot be used: %s; going on with the certificate "
			    "and the key of before",
			    fault.file->path, fault.text);
		return;
	}
	memcpy(t->seen, now, sizeof(now));
	tls_end(t->keys);
	t->keys = keys;
	say_info("http", "%s was read again: it has changed", t->web->cert.path);
}

/* ---- connections */

/* The certificate that the client has shown; one of no client is no fault here. */
static int
verify(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID };
	char client[] = GNUTLS_KP_TLS_WWW_CLIENT;
	unsigned status, n;

	if (gnutls_certificate_get_peers(session, &n) == NULL || n == 0)
		return 0;
	purpose.data = (unsigned char *)client;
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) != 0)
		return -1;
	return status == 0 ? 0 : -1;
}

struct tls_keys *
tls_begin(struct tls *t, gnutls_session_t session)
{
	keys_renew(t);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, t->keys->credentials);
	if (t->web->client != WEB_CLIENT_NONE)
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	if (t->web->client >= WEB_CLIENT_CHECKED)
		gnutls_session_set_verify_function(session, verify);
	t->keys->held++;
	return t->keys;
}

void
tls_end(struct tls_keys *keys)
{
	if (keys == NULL || --keys->held > 0)
		return;
	gnutls_certificate_free_credentials(keys->credentials);
	free(keys);
}

bool
tls_admits(const struct tls *t, gnutls_session_t session)
{
	unsigned n = 0;

	if (t->web->client != WEB_CLIENT_ANY && t->web->client != WEB_CLIENT_TRUSTED)
		return true;
	return gnutls_certificate_get_peers(session, &n) != NULL && n > 0;
}

/* ---- the whole */

struct tls *
tls_new(const struct web_conf *web, struct findings *findings)
{
	struct fault fault;
	struct tls *t;

	if (web->cert.path == NULL)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->web = web;
	look(web, t->seen);
	t->keys = keys_load(web, &fault);
	if (t->keys == NULL) {
		findings_add(findings, FINDING_ERROR, web->path, fault.file->line,
		    "%s %s cannot be used: %s", fault.key, fault.file->path, fault.text);
		free(t);
		return NULL;
	}
	snprintf(t->priorities, sizeof(t->priorities), "NORMAL:-VERS-ALL%s%s%s",
	    web->newest == 1 ? ":+VERS-TLS1.3" : "", web->oldest == 0 ? ":+VERS-TLS1.2" : "",
	    web->server_prefers ? ":%SERVER_PRECEDENCE" : "");
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	tls_end(t->keys);
	free(t);
}

const char *
tls_priorities(const struct tls *t)
{
	return t->priorities;
}
