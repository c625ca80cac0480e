/*
 * The proof that a document is faulty, and not the server: it was refused in
 * doubt, its index then took another document through the same host, and a
 * request that began after that is refused in doubt again.  Where no other
 * document is taken, the core of one is sent as a probe: a core that is taken is
 * such evidence, too, and one that is refused shows that the server is at fault.
 *
 * The cost under a block that comes and goes: if its refusals do not name it, a
 * good document that meets it before and after evidence is blamed, stripped and
 * at last a dead letter.  A core that is taken is all that the index has of its
 * record.  A state that the server names never makes a document faulty.
 */
#ifndef ES_PROOF_H
#define ES_PROOF_H

#include "es_hold.h"

/**
 * es_proof_missing(hold, groups, p):
 * The hosts without evidence against the first item of ${p}, to be avoided; 0:
 * that item was not refused in doubt.
 */
uint32_t es_proof_missing(struct es_hold *hold, struct es_groups *groups, const struct piece *p);

/**
 * es_proof_mark(hold, groups, p, host, proven):
 * Before ${p} is sent to ${host}: set in ${proven} the items that are faulty if
 * they are refused in doubt.
 */
void es_proof_mark(struct es_hold *hold, struct es_groups *groups, const struct piece *p,
    unsigned host, uint64_t proven[TODO_WORDS]);

/**
 * es_proof_doubted(p, now):
 * The time of the first refusal in doubt of items of ${p} that are refused so
 * ${now}.
 */
static inline int64_t
es_proof_doubted(const struct piece *p, int64_t now)
{
	return p->since != 0 ? p->since : now;
}

#endif
