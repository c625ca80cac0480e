/*
 * A log, as every stage sees it that a record passes: all that one container (one
 * restart) wrote, or that was written under one path, over all its rotations.
 * Made by tail.
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
	struct pod *pod; /* NULL: neither a path of the kubelet's nor an agent's by an option; the
			    pipeline puts newer ones here */
	char *path;      /* as the configuration's glob found it */
	char *tag;       /* the input's Tag, * replaced by the path with / as . */
	void *user;      /* the pipeline's */
	struct cursor *cursors;  /* of the first reader, one a side */
	uint64_t lag;            /* bytes on disk that are not shipped, as of tail_figures() */
	uint64_t counted[SIDES]; /* bytes below that are in no record count as counted */
	bool waits;    /* set by the pipeline: the pod is not known yet, and the log is not read */
	bool followed; /* a cursor moved over bytes that are in no record: to be posted */
	bool agent;    /* its container is an agent's: counts as app_ series */
};

/* The parts of a record's _id, the same under every name of its file and for every reader. */
struct record_id {
	struct identity content; /* in which its first line begins … */
	uint64_t offset;         /* … at this offset */
	uint32_t hash;           /* of that line: xxh3, the low 32 bits */
	uint32_t hour; /* of the content's first line, since the epoch; 0: it has no time */
};

#endif
