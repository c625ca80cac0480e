/*
 * What a pod's annotations ask of a shipper:
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
 * bytes, which it takes from.
 */
void advice_read(struct advice **all, size_t *n, const json_t *annotations, size_t *room);
void advice_free(struct advice *all, size_t n);

/* For the state, and back. */
json_t *advice_json(const struct advice *all, size_t n);
void advice_restore(struct advice **all, size_t *n, const json_t *from);

/**
 * advice_excludes(all, n, container, side), advice_parser(all, n, container, side):
 * Is this side of ${container} not to be shipped?  The name of the parser that
 * reads it, or NULL.
 */
bool advice_excludes(const struct advice *all, size_t n, struct slice container, enum side side);
const char *advice_parser(
    const struct advice *all, size_t n, struct slice container, enum side side);

#endif
