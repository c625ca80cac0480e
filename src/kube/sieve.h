/*
 * The API server's JSON as it arrives, in pieces of any size: of each object
 * only the members that are used are kept, so that a pod of megabytes costs no
 * more than its labels.  The kept members are handed on object by object, for
 * jansson to read.
 *
 *	{"kind":…,"metadata":{…},"items":[{…},{…}]}   a list: each item, then the rest
 *	{"type":…,"object":{…}}\n{"type":…            a watch: each event
 */
#ifndef SIEVE_H
#define SIEVE_H

#include <stdint.h>

#include "memory.h"
#include "parse.h"

#define SIEVE_DEPTH 64    /* deeper texts are refused */
#define SIEVE_PATTERNS 64 /* of a shape at most, for the root and for items */
#define SIEVE_OPENED                                                                               \
	4096 /* objects and arrays in one kept object: each costs jansson some 300 bytes */

/*
 * The members to keep: a.b.c is the member c of b of a, whole; arrays on the
 * way are passed through, element by element.  Both lists end with a NULL.
 */
struct sieve_shape {
	const char *const *root;
	const char *inner;       /* a member of the root: patterns of `item` begin at its value, */
	const char *const *item; /* … or, where that is an array, at its elements */
	bool each;               /* elements are handed on one by one */
};

/* Takes a kept object's ${text}, valid until the return; empty: the kept part is over the cap. */
typedef void sieve_object(void *arg, struct slice text, bool root);

struct sieve;

/**
 * sieve_new(shape, cap, most, object, arg), sieve_free(s):
 * Keep at most ${cap} bytes of an object; one of more than ${most} bytes in all
 * is refused.
 */
struct sieve *sieve_new(
    const struct sieve_shape *shape, size_t cap, uint64_t most, sieve_object *object, void *arg);
void sieve_free(struct sieve *s);

/**
 * sieve_feed(s, piece), sieve_clear(s):
 * Take the next bytes.  PARSE_BAD: they are no JSON, too deep or too long;
 * sieve_clear() comes before the next call.  PARSE_OK: between two roots;
 * PARSE_MORE: within one.
 */
enum parsed sieve_feed(struct sieve *s, struct slice piece);
void sieve_clear(struct sieve *s);

#endif
