/* A web configuration over libmicrohttpd's connections.  The serve thread's. */
#include "guard.h"

#include <gnutls/abstract.h>
#include <stdlib.h>

#include "door.h"
#include "memory.h"
#include "tls.h"

struct guard {
	const struct web_conf *web;
	struct door *door; /* NULL: no password is asked for */
};

struct guard *
guard_new(const struct web_conf *web)
{
	struct guard *g = xcalloc(1, sizeof(*g));

	g->web = web;
	g->door = web->users.n > 0 ? door_new(&web->users) : NULL;
	if ((g->door != NULL) == (web->users.n > 0))
		return g;
	guard_free(g);
	return NULL;
}

void
guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	door_free(g->door);
	free(g);
}

/* Never called: each session gets credentials of its own (guard_begin). */
static int
no_keys(gnutls_session_t session, const gnutls_datum_t *authorities, int n,
    const gnutls_pk_algorithm_t *algorithms, int nalgorithms, gnutls_pcert_st **certificate,
    unsigned *ncertificates, gnutls_privkey_t *key)
{
	(void)session;
	(void)authorities;
	(void)n;
	(void)algorithms;
	(void)nalgorithms;
	(void)certificate;
	(void)ncertificates;
	(void)key;
	return -1;
}

bool
guard_options(const struct guard *g, struct MHD_OptionItem to[GUARD_OPTIONS])
{
	union {
		const char *text;
		gnutls_certificate_retrieve_function2 *keys;
		void *value;
	} priorities, keys = { .keys = no_keys };

	to[0] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	if (g == NULL || g->web->tls == NULL)
		return false;
	priorities.text = tls_priorities(g->web->tls);
	to[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities.value };
	to[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, keys.value };
	to[2] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return true;
}

static gnutls_session_t
session_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info != NULL ? info->tls_session : NULL;
}

struct tls_keys *
guard_begin(struct guard *g, struct MHD_Connection *c)
{
	gnutls_session_t session = g != NULL && g->web->tls != NULL ? session_of(c) : NULL;

	return session != NULL ? tls_begin(g->web->tls, session) : NULL;
}

unsigned
guard_ask(struct guard *g, struct MHD_Connection *c)
{
	static const unsigned statuses[] = {
		[DOOR_OPEN] = MHD_HTTP_OK, [DOOR_SHUT] = MHD_HTTP_UNAUTHORIZED, [DOOR_LATER] = 0
	};
	char *user, *password = NULL;
	unsigned status = MHD_HTTP_UNAUTHORIZED;

	if (g->web->tls != NULL && !tls_admits(g->web->tls, session_of(c)))
		return MHD_HTTP_FORBIDDEN;
	if (g->door == NULL)
		return MHD_HTTP_OK;
	user = MHD_basic_auth_get_username_password(c, &password);
	if (user != NULL && password != NULL)
		status = statuses[door_ask(g->door, user, password)];
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	MHD_free(password);
	MHD_free(user);
	return status;
}

void
guard_headers(const struct guard *g, struct MHD_Response *response, unsigned status)
{
	for (size_t i = 0; i < g->web->headers.n; i++)
		MHD_add_response_header(
		    response, g->web->headers.at[i].name, g->web->headers.at[i].value);
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(
		    response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"towline\"");
}

bool
guard_has_news(struct guard *g)
{
	return g != NULL && g->door != NULL && door_has_news(g->door);
}
