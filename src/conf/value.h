/* The text of an option's value, by the option's type. */
#ifndef VALUE_H
#define VALUE_H

#include "conf.h"
#include "pool.h"

#define VALUE_WHY 256

/**
 * value_read(pool, option, text, at, why):
 * Read ${text}, by the type of ${option}, into the field ${at} (lists are
 * appended to); ${at} NULL: only check.  Return true, or false with the reason
 * in ${why} (VALUE_WHY bytes), which names the right form.  A size or a time above
 * the most that there may be becomes that: true, and ${why} says so; else it is "".
 */
bool value_read(
    struct pool *pool, const struct option *option, const char *text, void *at, char *why);

/**
 * value_type(option):
 * The documentation's name of the type: time, size, on/off, ….
 */
const char *value_type(const struct option *option);

#endif
