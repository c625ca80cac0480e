/* Contents and the places that have them. */
#ifndef CONTENT_H
#define CONTENT_H

#include "tail_internal.h"

/**
 * content_new(log):
 * A content of which nothing is known, found by the name of ${log}; in no list.
 *
 * content_pass(t, c):
 * All that its files have, as they were measured, was shipped, and they are about to be
 * closed: while others wait for room, looks pass over them until they are written to.
 *
 * content_free(t, c):
 * It has no span and is in no list: its places are closed.
 */
struct content *content_new(struct log *log);
void content_pass(struct tail *t, const struct content *c);
void content_free(struct tail *t, struct content *c);

/**
 * content_name(t, c, id, is):
 * ${c} is the content ${id}; ${is} has its data, stored or to be stored.
 *
 * content_find(t, id):
 * The content of this identity that is in memory, or NULL.
 */
void content_name(
    struct tail *t, struct content *c, const struct identity *id, const struct content_state *is);
struct content *content_find(const struct tail *t, const struct identity *id);

/**
 * content_add(t, c, p), content_move(t, to, p), content_remove(t, p):
 * The place ${p}, which had no content, has ${c}; it has ${to} instead of its
 * content before; it is closed.
 */
void content_add(struct tail *t, struct content *c, struct place *p);
void content_move(struct tail *t, struct content *to, struct place *p);
void content_remove(struct tail *t, struct place *p);

/**
 * content_is_live(c), content_is_left(t, c), content_measure(c):
 * A Path leads to a place of it.  No process can write to any place of it.  Set
 * the size of each place, and c->size.
 */
bool content_is_live(const struct content *c);
bool content_is_left(struct tail *t, struct content *c);
void content_measure(struct content *c);

/**
 * content_longest(c):
 * Of the plain files that have it the longest, as they are now; NULL: none has.
 *
 * content_fits(c, p):
 * True when the plain file ${p} has the bytes that were read of ${c}, and its own head.
 */
struct place *content_longest(const struct content *c);
bool content_fits(const struct content *c, const struct place *p);

/**
 * content_source(c, offset):
 * The place from which ${c} is read at ${offset}: one that has bytes there, a
 * plain file rather than a .gz; else the first one.  NULL: it has none.
 */
struct place *content_source(struct content *c, uint64_t offset);

#endif
