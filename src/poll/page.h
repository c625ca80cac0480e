/* The body of an agent's answer, as it arrives: metrics (samples.h), or JSON (info.h) when it begins with a brace. */
#ifndef PAGE_H
#define PAGE_H

#include "memory.h"
#include "samples.h"

#define PAGE_JSON (256u << 10) /* bytes of an object: it is kept whole */

struct page {
	struct agent_said said;
	struct samples samples;
	struct buffer json;
	enum { PAGE_BEGINS, PAGE_SAMPLES, PAGE_OBJECT } kind;
	size_t bytes, cap;
};

/**
 * page_init(p, cap), page_fini(p):
 * A page of at most ${cap} bytes.
 */
void page_init(struct page *p, size_t cap);
void page_fini(struct page *p);

/**
 * page_begin(p), page_feed(p, piece), page_end(p):
 * Another page begins; its next bytes, false: it is too large; it has ended,
 * true: p->said is what an agent says.
 */
void page_begin(struct page *p);
bool page_feed(struct page *p, struct slice piece);
bool page_end(struct page *p);

#endif
