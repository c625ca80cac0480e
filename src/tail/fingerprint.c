/*
 * A file that is truncated may have grown beyond where we were before we look
 * again; its size says nothing then, but the bytes before our offset are
 * others.  Each read begins so many bytes before its offset (lines.c); over a
 * restart the state's checkpoints have the hashes.
 */
#include "fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "place.h"

uint64_t
fingerprint_hash(struct slice bytes)
{
	return XXH3_64bits(bytes.at, bytes.len);
}

bool
fingerprint_of(const struct place *p, uint64_t offset, struct fingerprint *out)
{
	size_t n = fingerprint_span(offset);
	char bytes[FINGERPRINT_SPAN];

	if (place_read(p, bytes, n, offset - n) != (ssize_t)n)
		return false;
	*out = (struct fingerprint){ offset, XXH3_64bits(bytes, n) };
	return true;
}

bool
fingerprint_fits(const struct place *p, const struct fingerprint *is)
{
	struct fingerprint there;

	return is->at == UINT64_MAX || is->at == 0 ||
	       (fingerprint_of(p, is->at, &there) && there.hash == is->hash);
}

static bool
is_equal(const struct place *a, const struct place *b, uint64_t from, size_t n)
{
	char at[FINGERPRINT_ENDS], bt[FINGERPRINT_ENDS];

	return place_read(a, at, n, from) == (ssize_t)n &&
	       place_read(b, bt, n, from) == (ssize_t)n && memcmp(at, bt, n) == 0;
}

bool
fingerprint_equal(const struct place *a, const struct place *b, uint64_t size)
{
	size_t n = size < FINGERPRINT_ENDS ? (size_t)size : FINGERPRINT_ENDS;

	return is_equal(a, b, 0, n) && is_equal(a, b, size - n, n);
}
