/*
 * The answer to a bulk request, read as it comes in, in constant memory: one
 * call for each item, in the order of the request.  Hostile input.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdint.h>

#include "reply_text.h"
#include "slice.h"

#define REPLY_DEPTH 24
#define REPLY_TYPE 64    /* bytes kept of an error's type; */
#define REPLY_REASON 320 /* of its reason */
#define REPLY_NAME 16    /* more than the longest name of a member that is read */

/* The server's answer for one item, or for the whole request. */
struct reply_item {
	int status;
	char type[REPLY_TYPE];     /* error.type; "" for none; NUL-terminated, as the reason */
	char reason[REPLY_REASON]; /* cut at the end of a character */
	bool failure_store;        /* taken, but into the failure store */
};

/* In the order of severity. */
enum verdict {
	VERDICT_DONE,
	VERDICT_CONFLICT, /* stored already */
	VERDICT_BUSY,     /* the server has too much to do */
	VERDICT_HOLD,     /* the server's state forbids it */
	VERDICT_DOUBT,    /* held; the document's fault if its index takes others meanwhile */
	VERDICT_FAULT,    /* the document's */
};

/**
 * verdict_of(item):
 * The verdict that an item's answer stands for: the table in src/ship/verdict.c.
 */
enum verdict verdict_of(const struct reply_item *item);

typedef void reply_take(void *arg, uint32_t index, const struct reply_item *item);

struct reply {
	reply_take *take;
	void *arg;
	uint32_t want; /* items of the request */
	uint32_t got;
	struct reply_item item;  /* being read */
	struct reply_item whole; /* root's error and status */
	bool bad;

	/* the scanner's own */
	unsigned depth;
	unsigned role[REPLY_DEPTH]; /* of the container at each depth */
	unsigned char state;
	unsigned value;        /* the meaning of the value that follows */
	char word[REPLY_NAME]; /* a name, or a number or literal */
	struct reply_text text;
};

/**
 * reply_init(r, want, take, arg):
 * Begin the answer to a request of ${want} items.
 */
void reply_init(struct reply *r, uint32_t want, reply_take *take, void *arg);

/**
 * reply_feed(r, piece):
 * Read the next bytes, cut anywhere.  Return PARSE_MORE while the answer is
 * not complete, PARSE_OK behind its last bracket, PARSE_BAD when it is no
 * answer to this request: not JSON, too deep, an item too many.
 */
enum parsed reply_feed(struct reply *r, struct slice piece);

/**
 * reply_end(r):
 * The answer has ended: PARSE_OK when every item was answered, else PARSE_BAD.
 */
enum parsed reply_end(const struct reply *r);

#endif
