/*
 * Annotations of a pod that a log shipper follows:
 *
 *	fluentbit.io/parser[_stdout|_stderr][-CONTAINER]: NAME
 *	fluentbit.io/exclude[_stdout|_stderr][-CONTAINER]: "true"
 *
 * and the same under towline.io/.  Of several that apply, a container's own
 * wins, then a side's own, then towline's.
 */
#ifndef ADVICE_H
#define ADVICE_H

#include <jansson.h>

#include "cri.h"
#include "slice.h"

struct advice;

/**
 * advice_read(all, n, annotations, room), advice_free(all, n):
 * Read the annotations that are advice, as far as they fit into *${room}
 * bytes; the bytes that they take are subtracted from *${room}.
 */
void advice_read(struct advice **all, size_t *n, const json_t *annotations, size_t *room);
void advice_free(struct advice *all, size_t n);

/* Advice as JSON for the state; advice from that JSON. */
json_t *advice_json(const struct advice *all, size_t n);
void advice_restore(struct advice **all, size_t *n, const json_t *from);

/**
 * advice_excludes(all, n, container, side), advice_parser(all, n, container, side):
 * True when this side of ${container} is not to be shipped; the name of the
 * parser that reads this side, or NULL.
 */
bool advice_excludes(const struct advice *all, size_t n, struct slice container, enum side side);
const char *advice_parser(
    const struct advice *all, size_t n, struct slice container, enum side side);

#endif
