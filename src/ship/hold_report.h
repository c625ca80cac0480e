/*
 * The streams that wait for an output, with the reason: towline status shows
 * them.  The shipper's thread alone.  Inside src/ship/ alone.
 */
#ifndef HOLD_REPORT_H
#define HOLD_REPORT_H

#include "batch.h"

struct hold_report;

/**
 * hold_report_new(), hold_report_free(h):
 * Nothing waits.
 */
struct hold_report *hold_report_new(void);
void hold_report_free(struct hold_report *h);

/**
 * hold_report_due(h, now), hold_report_item(h, item, output, why),
 * hold_report_post(h, s):
 * About once a second a report is due: each output adds the items of its hold,
 * then the table goes to the state, if it has changed.
 */
bool hold_report_due(struct hold_report *h, int64_t now);
void hold_report_item(
    struct hold_report *h, const struct item *item, const char *output, const char *why);
void hold_report_post(struct hold_report *h, struct state *s);

/**
 * hold_report_parked(h, item, output, why), hold_report_unparked(h, output):
 * The stream of ${item} is parked, as ${output} has no room for it; all that it has
 * parked go on.
 */
void hold_report_parked(
    struct hold_report *h, const struct item *item, const char *output, const char *why);
void hold_report_unparked(struct hold_report *h, const char *output);

#endif
