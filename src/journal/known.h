/* The log of a journal in the state, by its input. */
#ifndef KNOWN_H
#define KNOWN_H

#include "journal.h"

/**
 * known_identity(confs, which):
 * Of the journal that the input ${which} reads.
 */
struct identity known_identity(const struct journal_conf *const *confs, size_t which);

#endif
