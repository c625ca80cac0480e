/*
 * towline replay from the inside: letters are gathered into a bulk request,
 * which is sent until each letter has its verdict.
 *
 *	replay.c: lines ─> letters ─> replay_batch.c ─┬─> taken
 *	                                              └─> left: FILE.rest, and why
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "letters.h"
#include "reply.h"
#include "server.h"

/* The most letters in one request, and the most bytes, but for a single larger letter. */
#define BATCH_LETTERS 1024
#define BATCH_BYTES (1u << 20)

/* One letter on its way. */
struct sent {
	uint64_t number, at, len; /* its line */
	size_t body;              /* offset of its first byte in the request's body */
	char id[64];              /* cut to fit; left out of the server's reasons */
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
	struct reply_item last; /* the reason for that, or the last failure */
	unsigned refused;       /* letters refused alone by a whole answer, none taken since */
	int64_t wait;           /* ns before the second try; doubles, backoff.h */
};

/**
 * replay_batch_init(b), replay_batch_fini(b):
 * A batch without letters and without an output.
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
 * True when the letter fits into the request, as every letter does when the
 * batch is empty; add it.
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
