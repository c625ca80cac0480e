/*
 * Inside the pipeline: the inputs beside tail.  Each offers records with a cursor, goes back
 * to the stored one, passes over what is parked, and has a descriptor that tells of news.
 */
#ifndef INPUTS_H
#define INPUTS_H

#include "reader.h"

/**
 * inputs_make(p), inputs_free(p):
 * All inputs of p->conf, tail among them; -1 after saying why one cannot be made.
 */
int inputs_make(struct pipeline *p);
void inputs_free(struct pipeline *p);

/**
 * inputs_wait(p, ms):
 * Wait at most ${ms} for any of them, or p->wake, which is emptied.
 *
 * inputs_turn(p, room):
 * Read what has come, for those readers that have ${room} (tail_turn); true: there is more
 * at once.
 *
 * inputs_at_end(p), inputs_end(p):
 * All have been read to their ends; the run ends then.
 */
void inputs_wait(struct pipeline *p, int ms);
bool inputs_turn(struct pipeline *p, uint32_t room);
bool inputs_at_end(const struct pipeline *p);
bool inputs_end(const struct pipeline *p);

/**
 * inputs_post(p):
 * Hand what must be stored with the counts to the state.
 */
void inputs_post(struct pipeline *p);

#endif
