/*
 * Which streams have records in a hold, or are parked, and why: what an
 * operator asks when a file does not move.  The shipper's thread makes it, the
 * reader puts it into the state.  Inside src/ship/ alone.
 */
#ifndef HOLDS_H
#define HOLDS_H

#include "cursor.h"
#include "memory.h"

#define HOLD_WHY 192 /* bytes of a reason */

struct hold_note {
	char why[HOLD_WHY];
	struct identity id;
};

struct holds {
	struct hold_note *parked, *held;
	size_t nparked, nheld;
	struct buffer text; /* as it was published; the shipper's lock */
	uint64_t version;   /* … grows with each change of it */
	struct buffer next; /* the thread's own */
	int64_t due;        /* mono ns: when it is looked at again */
};

struct shipper;
struct item;

/**
 * holds_item(s, item, output, why), holds_parked(s, item, output, why):
 * An item of a hold; an item for which there was no room: its stream is parked.
 */
void holds_item(struct shipper *s, const struct item *item, const char *output, const char *why);
void holds_parked(struct shipper *s, const struct item *item, const char *output, const char *why);

/**
 * holds_turn(s, now):
 * Once a second: publish what is held now.
 */
void holds_turn(struct shipper *s, int64_t now);
void holds_fini(struct holds *h);

#endif
