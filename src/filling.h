/* Inside the pipeline: records through the chain into the batches of each lane. */
#ifndef FILLING_H
#define FILLING_H

#include "flow.h"

/* The functions for the inputs: a record; a record to be counted only. */
tail_record filling_record, filling_count;

/**
 * filling_has_room(f):
 * True unless a record was refused and there is still no batch for it.
 *
 * filling_seal_due(f, flush, now), filling_seal_all(f):
 * Give what is old enough to the shipper, and return how long the youngest may still wait, in
 * ns; give all.
 *
 * filling_is_given(f):
 * All was given, and is settled.
 */
bool filling_has_room(struct filling *f);
int64_t filling_seal_due(struct filling *f, int64_t flush, int64_t now);
void filling_seal_all(struct filling *f);
bool filling_is_given(const struct filling *f);

#endif
