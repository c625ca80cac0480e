/* The values of the options Agent_Ports and Agents, and the addresses of pods. */
#include "poller.h"

#include <arpa/inet.h>

/* A whole number from 1 to 65535. */
static bool
port_read(struct slice text, unsigned *port)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9' || n > 65535)
			return false;
		n = n * 10 + (unsigned)(text.at[i] - '0');
	}
	*port = n;
	return n > 0 && n <= 65535;
}

/* Letters, digits, and a few marks: nothing that ends an address or a path in a URL. */
static bool
is_plain(struct slice text, const char *marks)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
		    (c == '\0' || strchr(marks, c) == NULL))
			return false;
	}
	return text.len > 0;
}

bool
poller_endpoint_read(const char *text, struct poller_endpoint *out)
{
	const char *slash = strchr(text, '/');

	if (slash == NULL)
		return false;
	out->path = slash;
	return is_plain(slice_of(slash), "/-._~%?&=") &&
	       port_read((struct slice){ text, (size_t)(slash - text) }, &out->port);
}

/* HOST, HOST:PORT, [HOST]:PORT; an address with more than one colon and no bracket has no port. */
static bool
host_read(struct slice text, struct poller_address *out)
{
	const char *colon = memchr(text.at, ':', text.len);
	struct slice port = { NULL, 0 };

	out->host = text;
	if (text.len > 0 && text.at[0] == '[') {
		const char *end = memchr(text.at, ']', text.len);

		if (end == NULL)
			return false;
		out->host = (struct slice){ text.at + 1, (size_t)(end - text.at) - 1 };
		port = slice_from(text, out->host.len + 2);
		if (port.len > 0 && port.at[0] != ':')
			return false;
	} else if (colon != NULL &&
		   memchr(colon + 1, ':', text.len - (size_t)(colon - text.at) - 1) == NULL) {
		out->host.len = (size_t)(colon - text.at);
		port = slice_from(text, out->host.len);
	}
	if (port.len > 0 && !port_read(slice_from(port, 1), &out->port))
		return false;
	return is_plain(out->host, "-._:");
}

static bool
part_take(struct slice *text, struct slice *part)
{
	const char *slash = memchr(text->at, '/', text->len);

	if (slash == NULL)
		return false;
	*part = (struct slice){ text->at, (size_t)(slash - text->at) };
	*text = slice_from(*text, part->len + 1);
	return part->len > 0;
}

bool
poller_address_read(const char *text, struct poller_address *out)
{
	const char *equals = strchr(text, '=');
	struct slice labels = { text, equals != NULL ? (size_t)(equals - text) : 0 };

	*out = (struct poller_address){ 0 };
	if (equals == NULL)
		return host_read(slice_of(text), out);
	if (!part_take(&labels, &out->namespace_name) || !part_take(&labels, &out->pod))
		return false;
	out->container = labels;
	return labels.len > 0 && memchr(labels.at, '/', labels.len) == NULL &&
	       host_read(slice_of(equals + 1), out);
}

/* 0.0.0.0/8 is this node, 169.254.0.0/16 a link, and no host has any above 224.0.0.0. */
bool
poller_address_is_pods(const char *text)
{
	struct in6_addr v6;
	struct in_addr v4;
	uint32_t n;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		n = ntohl(v4.s_addr);
		return n >> 24 != 0 && n >> 16 != 0xa9fe && n >> 28 < 0xe;
	}
	return inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&v6) &&
	       !IN6_IS_ADDR_LINKLOCAL(&v6) && !IN6_IS_ADDR_MULTICAST(&v6) &&
	       !IN6_IS_ADDR_V4MAPPED(&v6) && !IN6_IS_ADDR_V4COMPAT(&v6);
}
