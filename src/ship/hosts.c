/*
 * A list of hosts as it is written: names, addresses, ports.  The outputs send to
 * it, and towline report asks the same hosts.
 */
#include "hosts.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "slice.h"

#define BLANKS " \t"
#define DIGITS "0123456789"
#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._" DIGITS

/* At least one byte, all of ${set}; or, with ${foreign}, beyond ASCII, which libcurl judges. */
static bool
consists_of(struct slice s, const char *set, bool foreign)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!((unsigned char)s.at[i] >= 0x80 ? foreign : strchr(set, s.at[i]) != NULL))
			return false;
	}
	return s.len > 0;
}

/* An IPv6 address, perhaps with its zone. */
static bool
is_v6(struct slice s)
{
	const char *zone = memchr(s.at, '%', s.len);
	size_t len = zone != NULL ? (size_t)(zone - s.at) : s.len;
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;

	if (len >= sizeof(address))
		return false;
	memcpy(address, s.at, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1 &&
	       (zone == NULL || consists_of(slice_from(s, len + 1), NAME, false));
}

/* A port from 1 to 65535; 0: it is none. */
static unsigned
port_read(struct slice s)
{
	unsigned port = 0;

	if (s.len > 5 || !consists_of(s, DIGITS, false))
		return 0;
	for (size_t i = 0; i < s.len; i++)
		port = port * 10 + (unsigned)(s.at[i] - '0');
	return port <= 65535 ? port : 0;
}

/* Read NAME, NAME:PORT, [V6], [V6]:PORT or V6.  Return NULL, or the fault as a text. */
static const char *
host_read(struct slice s, unsigned port, struct host *to)
{
	const char *colon = memchr(s.at, ':', s.len);
	bool v6 =
	    s.at[0] == '[' ||
	    (colon != NULL && memchr(colon + 1, ':', (size_t)(s.at + s.len - colon - 1)) != NULL);
	struct slice name = s, rest = SLICE("");

	if (s.at[0] == '[') {
		const char *end = memchr(s.at, ']', s.len);

		if (end == NULL)
			return "has a [ without ]";
		name = (struct slice){ s.at + 1, (size_t)(end - s.at - 1) };
		rest = slice_from(s, name.len + 2);
	} else if (!v6 && colon != NULL) {
		name.len = (size_t)(colon - s.at);
		rest = slice_from(s, name.len);
	}
	if (memchr(s.at, '@', s.len) != NULL)
		return "names a user; that is HTTP_User's and HTTP_Passwd's";
	if (memchr(s.at, '/', s.len) != NULL)
		return "is a URL; the name alone, with tls On for https, and Path";
	if (name.len + 3 > sizeof(to->name))
		return "has too long a name";
	if (v6 ? !is_v6(name) : !consists_of(name, NAME, true))
		return v6 ? "is no IPv6 address" : "is no name or address";
	to->port = rest.len == 0 ? port : rest.at[0] == ':' ? port_read(slice_from(rest, 1)) : 0;
	if (to->port == 0)
		return "has a port that is not one of 1 to 65535";
	snprintf(to->name, sizeof(to->name), v6 ? "[%.*s]" : "%.*s", (int)name.len, name.at);
	return NULL;
}

int
hosts_parse(const char *text, unsigned port, struct host to[HOSTS_MAX], char *why, size_t size)
{
	int n = 0;

	for (;;) {
		struct slice s;
		const char *wrong;

		text += strspn(text, BLANKS);
		s = (struct slice){ text, strcspn(text, BLANKS ",") };
		wrong = s.len == 0       ? "is empty"
			: n == HOSTS_MAX ? "is one too many"
					 : host_read(s, port, &to[n]);
		n++;
		if (wrong != NULL) {
			snprintf(why, size, "entry %d %s", n, wrong);
			return -1;
		}
		text += s.len;
		text += strspn(text, BLANKS);
		if (*text == '\0')
			return n;
		text += *text == ',';
	}
}
