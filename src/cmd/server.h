/*
 * The server of an es or opensearch output, for commands: one request, one
 * answer, with that output's hosts, TLS and credentials.  The shipper does not
 * use it.  Options are found by their names, as no output's struct is known
 * here.
 */
#ifndef SERVER_H
#define SERVER_H

#include "conf.h"
#include "slice.h"

/**
 * server_option(section, name), server_option_string(section, name):
 * The field that the option ${name} of ${section}'s plugin fills, or NULL when
 * the plugin has no such option.
 */
const void *server_option(const struct section *section, const char *name);
const char *server_option_string(const struct section *section, const char *name);

/**
 * server_host():
 * For messages: HOST:PORT of the host asked last, valid until the next call.
 */
const char *server_host(void);

/* A request, and the reader of its answer. */
struct server_ask {
	const char *command; /* for messages: towline COMMAND */
	const char *path;    /* appended to the option Path */
	const char *type;    /* of the body */
	struct slice body;
	/*
	 * Takes the next piece of the answer; false: the answer is refused.
	 * Before each host's answer it is called with an empty piece: earlier
	 * pieces are void.
	 */
	bool (*take)(void *arg, struct slice piece);
	void *arg;
};

/**
 * server_post(output, ask):
 * POST to one of the output's hosts after the other, until one answers without
 * failing (429, 5xx).  Return the HTTP status, or -1 after saying why there
 * was no answer.
 */
long server_post(const struct section *output, const struct server_ask *ask);

#endif
