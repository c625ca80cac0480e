/* Bytes on disk that are not shipped yet, by pod: towline_pod_lag_bytes. */
#ifndef POD_LAG_H
#define POD_LAG_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

/* Pods with a series of their own; the rest is `other`. */
#define POD_LAG_MOST 128

/**
 * pod_lag_begin(), pod_lag_add(space, pod, bytes), pod_lag_end():
 * The reader's: begin a table, add ${bytes} of a log of a pod, show the table;
 * while a scrape is being written the table before stays.
 */
void pod_lag_begin(void);
void pod_lag_add(struct slice space, struct slice pod, uint64_t bytes);
void pod_lag_end(void);

/* True while the table that is shown may have a pod: the reader's, too. */
bool pod_lag_any(void);

#endif
