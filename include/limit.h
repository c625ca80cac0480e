/*
 * The most memory that a configuration may take: one sum, said at the start
 * and exposed as towline_memory_limit_bytes.  The kernel's share for sockets,
 * watches and open files is in it, too.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdint.h>

#include "conf.h"

/* Its parts, in bytes. */
struct limit {
	uint64_t program; /* code, libraries, stacks, SQLite's cache */
	uint64_t batches; /* the pool, its ranges, the outputs' holds and compression */
	uint64_t reading; /* the read buffer, lines read again, inflating, parsing */
	uint64_t files;   /* Max_Files of them, with stream, cursors, names */
	uint64_t state;   /* known streams, the counters' texts, the agents' series */
	uint64_t pods;    /* their metadata, and the agents that are polled */
	uint64_t sockets; /* with the kernel's buffers, which are not in a process's RSS */
	uint64_t kernel;  /* watches and open files: not in RSS either */
	size_t streams;   /* number of streams that the state remembers */
};

/**
 * limit_of(conf, out):
 * Add up the caps of ${conf}.  Reads the kernel's caps on socket buffers.
 */
void limit_of(const struct conf *conf, struct limit *out);
uint64_t limit_sum(const struct limit *l);

/**
 * limit_say(l):
 * One message: the sum and its parts.
 */
void limit_say(const struct limit *l);

#endif
