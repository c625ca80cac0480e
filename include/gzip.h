/* Text as gzip, by the fastest library that the build has. */
#ifndef GZIP_H
#define GZIP_H

#include "memory.h"

/* The most memory of a packing, beside what it writes. */
#define GZIP_MEMORY (288u << 10)

/* Put the next bytes to be packed into ${to}; return how many, 0 at the end. */
typedef size_t gzip_source(void *arg, char *to, size_t size);

/*
 * name         the library's
 * pack(out, source, arg)
 *              Append one gzip member of all that ${source} gives to ${out}, which
 *              has no cap.
 */
struct gzip_way {
	const char *name;
	void (*pack)(struct buffer *out, gzip_source *source, void *arg);
};

/* The libraries of this build; the first is used.  Ends with a name of NULL. */
extern const struct gzip_way gzip_ways[];

/* The name of the library that is used. */
const char *gzip_name(void);

/**
 * gzip_text(out, text):
 * Append ${text} to ${out}, which has no cap, as one gzip member.
 */
void gzip_text(struct buffer *out, struct slice text);

#endif
