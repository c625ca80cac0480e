/*
 * towline replay from the inside: letters gather to one bulk request, which
 * goes until each of them has its verdict.
 *
 *	replay.c: lines ─> letters ─> replay_batch.c ─┬─> taken
 *	                                              └─> left: FILE.rest, and why
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "letters.h"
#include "reply.h"
#include "server.h"

/* Letters in one request at most, and bytes, but for a single larger letter. */
#define BATCH_LETTERS 1024
#define BATCH_BYTES (1u << 20)

/* One letter on its way. */
struct sent {
	uint64_t number, at, len; /* its line */
	size_t body;              /* where it begins in the request's body */
	char id[64];              /* cut; it is left out of the server's reasons */
	enum fate { FATE_OPEN, FATE_TAKEN, FATE_THERE, FATE_AGAIN, FATE_LEFT } fate;
	struct reply_item answer;
};

struct replay_batch {
	const struct section *output;
	char *path;
	struct buffer body;
	struct sent *at; /* BATCH_LETTERS */
	size_t n;
	bool gone;              /* the output takes no requests: nothing more is sent to it */
	struct reply_item last; /* why it is, or what went wrong last */
	unsigned refused;       /* letters refused alone by a whole answer, none taken since */
	int64_t wait;           /* ns before the second try; doubles, backoff.h */
};

/**
 * replay_batch_init(b), replay_batch_fini(b):
 * Empty, for no output yet.
 */
void replay_batch_init(struct replay_batch *b);
void replay_batch_fini(struct replay_batch *b);

/**
 * replay_batch_output(b, output):
 * The empty batch is for this [OUTPUT] from now on.
 */
void replay_batch_output(struct replay_batch *b, const struct section *output);

/**
 * replay_batch_has_room(b, l), replay_batch_add(b, line, l):
 * Does the letter still fit into the request?  An empty batch takes every one.
 */
bool replay_batch_has_room(const struct replay_batch *b, const struct letter *l);
void replay_batch_add(struct replay_batch *b, const struct line *line, const struct letter *l);

/**
 * replay_batch_send(b):
 * Send until each letter is FATE_TAKEN, FATE_THERE or, with the answer that
 * says why, FATE_LEFT.
 */
void replay_batch_send(struct replay_batch *b);

#endif
