/* Which of the contents that begin alike a file has. */
#ifndef ALIKE_H
#define ALIKE_H

#include "tail_internal.h"

#define FIRST_LINE ((size_t)64 << 10) /* as much of it as an identity takes */

struct alike {
	struct content *same;    /* the file has it, as far as it was read */
	struct content *shorter; /* … as far as the file goes: a copy that is being made */
	struct content *part;    /* … up to `to`, and has other bytes behind */
	uint64_t to;
	bool shrunk; /* it has less of the same one than was seen */
	bool later;  /* it is to be asked when the file that had the content is named */
};

/**
 * alike_look(t, log, p, head, out):
 * Find the contents that the file ${p} of ${log} may have, which begins with
 * ${head} (at most FIRST_LINE of it).
 *
 * alike_any(t, home, head):
 * True when a content of ${home} begins as ${head} does.
 *
 * alike_begins(head, is):
 * True when the content ${is} does.
 */
void alike_look(
    struct tail *t, struct log *log, const struct place *p, struct slice head, struct alike *out);
bool alike_any(struct tail *t, const struct identity *home, struct slice head);
bool alike_begins(struct slice head, const struct content_state *is);

#endif
