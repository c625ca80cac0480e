/* A piece as the body of a bulk request. */
#ifndef ES_BODY_H
#define ES_BODY_H

#include "send_queue.h"

struct es_body {
	const struct piece *piece;
	uint32_t item;     /* being read */
	unsigned part;     /* of it */
	struct slice rest; /* of that part */
};

/**
 * es_body_extra(b, item):
 * Where the comma before the extra of its log_parsed stands, counted as
 * item.end is; 0: it has none, or nothing else beside it.
 */
uint32_t es_body_extra(const struct batch *b, const struct item *item);

/**
 * es_body_size(p):
 * How many bytes the body of ${p} is.
 */
uint64_t es_body_size(const struct piece *p);

/**
 * es_body_begin(b, p), es_body_read(b, to, size):
 * Read the body of ${p} from its start: the next bytes, ${size} at most; 0 at
 * its end.
 */
void es_body_begin(struct es_body *b, const struct piece *p);
size_t es_body_read(struct es_body *b, char *to, size_t size);

/**
 * es_body_gzip(p, to):
 * Put the whole body into ${to}, in the place of its content, packed as gzip.
 */
void es_body_gzip(const struct piece *p, struct buffer *to);

#endif
