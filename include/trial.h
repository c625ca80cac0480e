/*
 * Inputs for tests and trials: records that are made up, and lines of standard input.
 * Neither can be read again, so that what is in memory at the end of the process is gone,
 * and a record that an output refuses beyond its hold, too.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "conf.h"
#include "tail.h"

/* [INPUT] dummy and [INPUT] stdin. */
extern const struct plugin trial_dummy_plugin, trial_stdin_plugin;

/**
 * trial_check(conf, findings), trial_limit(conf):
 * Mistakes between sections: two that read standard input.  The most memory that lines take.
 */
void trial_check(const struct conf *conf, struct findings *findings);
uint64_t trial_limit(const struct conf *conf);

struct trials;

/**
 * trial_new(conf, readers, nreaders, stream, arg), trial_free(all):
 * The inputs of ${conf} that are of these two; NULL: there is none.  The functions are called
 * from trial_turn, as tail's are from tail_turn.  A record waits until each reader has it.
 */
struct trials *trial_new(const struct conf *conf, const struct tail_reader *readers,
    unsigned nreaders, tail_stream *stream, void *arg);
void trial_free(struct trials *all);

/**
 * trial_fd(all):
 * Readable when there is something to do.
 *
 * trial_turn(all, room):
 * Offer what is due, and lines that have come; true: there is more at once.
 *
 * trial_at_end(all), trial_alone(all):
 * All that will ever come was taken (or, of dummy, is due); there is no input but
 * standard input, with which the run ends.
 */
int trial_fd(const struct trials *all);
bool trial_turn(struct trials *all, bool room);
bool trial_at_end(const struct trials *all);
bool trial_alone(const struct trials *all);

#endif
