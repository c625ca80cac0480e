/* Inside the metrics: the samples of outputs that are skipped; the serve thread's. */
#ifndef UNBUILT_H
#define UNBUILT_H

#include "exposition.h"

void unbuilt_write(struct exposition *x, const struct family *f);

#endif
