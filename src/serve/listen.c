/* Listening: addresses, ports, and the message for a port in use. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "voice.h"

static void
say_why(const char *address, unsigned port)
{
	if (errno == EADDRINUSE)
		say_error("http",
		    "%s:%u is in use by another process: set HTTP_Port to another port (0 takes a "
		    "free one), or HTTP_Server Off",
		    address, port);
	else if (errno == EACCES)
		say_error("http",
		    "may not listen on %s:%u: set HTTP_Port to a port of 1024 or above", address,
		    port);
	else if (errno == EADDRNOTAVAIL)
		say_error("http",
		    "%s is no address of this machine: set HTTP_Listen to one (0.0.0.0: all)",
		    address);
	else
		say_error("http", "cannot listen on %s:%u: %m", address, port);
}

static int
socket_open(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, 64) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static unsigned
port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t size = sizeof(at);

	memset(&at, 0, sizeof(at));
	if (getsockname(fd, &at.any, &size) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

int
listen_on(const char *address, unsigned port, unsigned *got)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV },
			*list;
	char service[8];
	int error, fd;

	if (port > 65535) {
		say_error("http", "HTTP_Port %u is no port: 0 to 65535", port);
		return -1;
	}
	snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(address, service, &hints, &list);
	if (error != 0) {
		say_error("http", "HTTP_Listen %s: %s; give an address of this machine, or 0.0.0.0",
		    address, gai_strerror(error));
		return -1;
	}
	fd = socket_open(list);
	freeaddrinfo(list);
	if (fd < 0) {
		say_why(address, port);
		return -1;
	}
	*got = port_of(fd);
	return fd;
}
