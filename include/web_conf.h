/*
 * The file of HTTP_Web_Config: TLS, users and headers of towline's own HTTP, in the form
 * that Prometheus' exporters share (exporter-toolkit's web configuration).
 */
#ifndef WEB_CONF_H
#define WEB_CONF_H

#include "conf.h"

/* Whether clients are asked for a certificate, in the order of the words of client_auth_type. */
enum web_client {
	WEB_CLIENT_NONE,    /* NoClientCert */
	WEB_CLIENT_ASKED,   /* RequestClientCert: it changes nothing */
	WEB_CLIENT_ANY,     /* RequireAnyClientCert */
	WEB_CLIENT_CHECKED, /* VerifyClientCertIfGiven */
	WEB_CLIENT_TRUSTED, /* RequireAndVerifyClientCert */
};

struct web_file {
	char *path;    /* NULL: not given */
	unsigned line; /* of its key */
};

struct web_pair {
	const char *name;
	const char *value;
};

struct web_pairs {
	struct web_pair *at;
	size_t n;
};

struct tls;

struct web_conf {
	char *path;
	struct web_file cert, key, client_ca; /* paths are whole, cert NULL: no TLS */
	int client;                           /* enum web_client */
	int oldest, newest;                   /* versions of TLS, as indices of TLS12, TLS13 */
	bool server_prefers;
	struct web_pairs users;   /* bcrypt hashes, by user; none: no password is asked for */
	struct web_pairs headers; /* of each answer */
	struct tls *tls;          /* its files, loaded; NULL: no TLS */
	void *owned;
};

/**
 * web_conf_of(conf, findings):
 * Read and check the file that HTTP_Web_Config of ${conf} names, and the files that it
 * names.  NULL: there is no such option, or the file is wrong, as ${findings} says.
 * web_conf_free frees it; NULL is harmless.
 */
struct web_conf *web_conf_of(const struct conf *conf, struct findings *findings);
void web_conf_free(struct web_conf *web);

/**
 * web_conf_files(conf, each, arg):
 * Call ${each} with the path of each file that is read while serving.
 */
void web_conf_files(const struct conf *conf, void (*each)(void *arg, const char *path), void *arg);

#endif
