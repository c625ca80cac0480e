/*
 * The connections of serve.  Any peer may open as many as it likes and send
 * nothing: there is a place for the next one all the same.  A request may wait
 * without a thread: its connection is suspended meanwhile.  The serve thread's.
 */
#include "guests.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "memory.h"

#define LEAVING 8 /* places for those that are being closed */

struct guest {
	struct MHD_Connection *connection; /* NULL: a free place */
	struct in6_addr from;
	uint64_t number; /* they come in this order */
	int64_t until;   /* mono ns: its request waits so long; 0: it does not */
	bool suspended, leaves;
	struct tls_keys *keys; /* NULL: none */
};

struct guests {
	struct guest at[GUESTS_MOST];
	uint64_t come;
	bool room; /* one went: libmicrohttpd listens again when it is run, and not before */
};

struct guests *
guests_new(void)
{
	return xcalloc(1, sizeof(struct guests));
}

void
guests_free(struct guests *g)
{
	free(g);
}

/* An address of IPv4 in the form that IPv6 has for it. */
static struct in6_addr
address_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct in6_addr from = { 0 };

	if (info == NULL || info->client_addr == NULL)
		return from;
	if (info->client_addr->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, info->client_addr, sizeof(v6));
		return v6.sin6_addr;
	}
	if (info->client_addr->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, info->client_addr, sizeof(v4));
		from.s6_addr[10] = from.s6_addr[11] = 0xff;
		memcpy(&from.s6_addr[12], &v4.sin_addr, sizeof(v4.sin_addr));
	}
	return from;
}

static bool
is_here(const struct guest *guest)
{
	return guest->connection != NULL && !guest->leaves;
}

/* How many have the address of `of`, or, with NULL, how many there are. */
static unsigned
count(const struct guests *g, const struct guest *of)
{
	unsigned n = 0;

	for (unsigned i = 0; i < GUESTS_MOST; i++)
		n += is_here(&g->at[i]) &&
		     (of == NULL || memcmp(&g->at[i].from, &of->from, sizeof(of->from)) == 0);
	return n;
}

/* libmicrohttpd finds the end of the connection, and closes it. */
static void
close_one(struct guests *g)
{
	const union MHD_ConnectionInfo *info;
	struct guest *out = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < GUESTS_MOST; i++) {
		struct guest *guest = &g->at[i];
		unsigned n = is_here(guest) ? count(g, guest) : 0;

		if (n < most || n == 0 || (n == most && guest->number > out->number))
			continue;
		out = guest;
		most = n;
	}
	if (out == NULL)
		return;
	info = MHD_get_connection_info(out->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL)
		shutdown(info->connect_fd, SHUT_RDWR);
	out->leaves = true;
}

void
guests_notify(
    void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct guests *g = arg;
	struct guest *guest = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (guest != NULL)
			*guest = (struct guest){ 0 };
		*context = NULL;
		g->room = true;
		return;
	}
	if (count(g, NULL) >= GUESTS_MOST - LEAVING)
		close_one(g);
	for (unsigned i = 0; i < GUESTS_MOST; i++) {
		if (g->at[i].connection != NULL)
			continue;
		g->at[i] = (struct guest){ c, address_of(c), ++g->come, 0, false, false, NULL };
		*context = &g->at[i];
		return;
	}
}

struct tls_keys **
guests_keys(void *context)
{
	struct guest *guest = context;

	return guest != NULL ? &guest->keys : NULL;
}

/* ---- waiting */

static struct guest *
guest_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

bool
guests_wait(struct MHD_Connection *c, int64_t most, int64_t now)
{
	struct guest *guest = guest_of(c);

	if (guest == NULL)
		return false;
	if (guest->until == 0)
		guest->until = now + most;
	if (now >= guest->until || guest->leaves) {
		guest->until = 0;
		return false;
	}
	guest->suspended = true;
	MHD_suspend_connection(c);
	return true;
}

void
guests_waited(struct MHD_Connection *c)
{
	struct guest *guest = guest_of(c);

	if (guest != NULL)
		guest->until = 0;
}

unsigned
guests_wake(struct guests *g, bool all, int64_t now)
{
	unsigned n = g->room;

	g->room = false;
	for (unsigned i = 0; i < GUESTS_MOST; i++) {
		struct guest *guest = &g->at[i];

		if (!guest->suspended)
			continue;
		n++;
		if (!all && !guest->leaves && now < guest->until)
			continue;
		guest->suspended = false;
		MHD_resume_connection(guest->connection);
	}
	return n;
}
