/* Files that were read to their ends and closed for others: as they were then. */
#ifndef QUIET_H
#define QUIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define QUIET_MOST ((size_t)1 << 20)               /* so many are remembered */
#define QUIET_SIZE (QUIET_MOST * sizeof(uint64_t)) /* memory that they take */

struct quiet;

/**
 * quiet_new(), quiet_free(q):
 * None yet; memory is taken when the first is noted.
 *
 * quiet_note(q, st), quiet_is(q, st):
 * The file was read to its end, and is as ${st} says.  True when it was noted as
 * it is now.
 */
struct quiet *quiet_new(void);
void quiet_free(struct quiet *q);
void quiet_note(struct quiet *q, const struct stat *st);
bool quiet_is(const struct quiet *q, const struct stat *st);

#endif
