/*
 * An agent's page of metrics, in Prometheus' text format or OpenMetrics, as it
 * arrives: of each line only the name is looked at, and only a line of a name
 * that is known is kept, up to its end.  target_info, which carries the JVM's
 * command line with its secrets, is never kept.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "agent_polled.h"
#include "slice.h"

#define SAMPLES_LINE 4096 /* a longer line is passed over */

struct samples {
	struct agent_said *said;
	unsigned known; /* samples that were taken */
	enum { SAMPLES_NAME, SAMPLES_KEEP, SAMPLES_PASS } place;
	char line[SAMPLES_LINE];
	size_t len;
};

/**
 * samples_begin(s, said), samples_feed(s, piece), samples_end(s):
 * Write the samples of a page into ${said}, which is cleared; the next bytes
 * of any number; the page has ended, perhaps without a newline.  The first
 * sample of a number counts.
 */
void samples_begin(struct samples *s, struct agent_said *said);
void samples_feed(struct samples *s, struct slice piece);
void samples_end(struct samples *s);

/**
 * samples_number(value), samples_state(number):
 * ${value} where it can be a gauge of ours: finite, 0 to 1e15; else NAN.  The
 * state that a number of app_agent_status stands for.
 */
double samples_number(double value);
enum agent_state samples_state(double number);

#endif
