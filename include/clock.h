/* The time.  Never asked for a record; once for a turn or a request. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* Nanoseconds since the epoch, UTC; nanoseconds of a clock that never jumps. */
int64_t clock_wall(void);
int64_t clock_mono(void);

#endif
