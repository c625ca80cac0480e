/*
 * A stream: what one container (one restart) wrote, or what was written under
 * one path, over all its rotations.  Made by tail, seen by every stage that a
 * record passes.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "cursor.h"
#include "pod.h"

struct tail_conf;

struct stream {
	struct identity log;          /* names it in the state */
	const struct tail_conf *conf; /* the [INPUT] that owns it */
	struct pod *pod; /* NULL: not a path of the kubelet's; its user may put a newer one here */
	char *path;      /* as the configuration's glob found it */
	char *tag;       /* the input's Tag, * replaced by the path with / as . */
	void *user;      /* the pipeline's */
	struct cursor *cursors;  /* of the first reader, one a side */
	uint64_t counted[SIDES]; /* what has no record and lies below was read, to be counted */
	bool waits;              /* its user's: the pod is not known yet, and the log is not read */
	bool followed;           /* a cursor moved over what has no record: it is to be posted */
	bool agent;              /* its container is an agent's: counts as app_ series */
};

/* What a record's _id is made of, whatever its file is called and whoever reads it. */
struct record_id {
	struct identity content; /* in which its first line begins … */
	uint64_t offset;         /* … at this offset */
	uint32_t hash;           /* of that line: xxh3, the low 32 bits */
	uint32_t hour; /* of the content's first line, since the epoch; 0: it has no time */
};

#endif
