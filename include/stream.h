/*
 * A stream: one container log file's content, whatever its name.  Made by
 * tail, seen by every stage that a record passes.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "cursor.h"
#include "pod.h"

struct tail_conf;

/* One container log file's content, whatever its name (design.md, Streams). */
struct stream {
	struct identity identity;
	uint32_t hour;                /* of its first line, since the epoch; 0: it has no time */
	const struct tail_conf *conf; /* the [INPUT] that owns it */
	struct pod *pod; /* NULL: not a path of the kubelet's; its user may put a newer one here */
	bool waits;      /* its user's: the pod is not known yet, and the file is not read */
	char *path;      /* as the configuration's glob found it */
	char *tag;       /* the input's Tag, * replaced by the path with / as . */
	struct cursor cursor[SIDES];
	uint64_t framed[SIDES]; /* records of a side that begin below were given to be counted */
	bool followed;          /* a cursor moved over what has no record: it is to be posted */
	bool agent;             /* its container is an agent's: counts as app_ series */
	void *user;             /* the pipeline's: the agent's series */
	void *frame;            /* framing's own */
};

#endif
