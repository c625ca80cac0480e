/* A hash of the bytes before an offset: tells whether they are still those that were read. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <stdint.h>

#include "slice.h"

#define FINGERPRINT_SPAN 256            /* bytes, at most */
#define FINGERPRINT_ENDS ((size_t)4096) /* bytes at either end that fingerprint_equal compares */

struct fingerprint {
	uint64_t at;   /* the offset; UINT64_MAX: nothing is known */
	uint64_t hash; /* xxh3 of the up to FINGERPRINT_SPAN bytes before it */
};

#define FINGERPRINT_NONE ((struct fingerprint){ .at = UINT64_MAX })

/* The number of bytes before ${offset} that are hashed. */
static inline size_t
fingerprint_span(uint64_t offset)
{
	return offset < FINGERPRINT_SPAN ? (size_t)offset : FINGERPRINT_SPAN;
}

uint64_t fingerprint_hash(struct slice bytes);

struct place;

/**
 * fingerprint_of(p, offset, out):
 * Read the bytes before ${offset} from the place ${p}, and hash them.  False: they
 * are not there.
 *
 * fingerprint_fits(p, is):
 * True when ${p} has, before is->at, the bytes that ${is} was made of; also
 * where nothing is known.
 *
 * fingerprint_equal(a, b, size):
 * True when the first ${size} bytes of two places are the same, as far as the
 * first and the last 4 KiB of them tell.
 */
bool fingerprint_of(const struct place *p, uint64_t offset, struct fingerprint *out);
bool fingerprint_fits(const struct place *p, const struct fingerprint *is);
bool fingerprint_equal(const struct place *a, const struct place *b, uint64_t size);

#endif
