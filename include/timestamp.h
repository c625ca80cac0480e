/*
 * Times in text: RFC 3339 by position, and strftime-like formats for parsers
 * that a configuration defines.
 */
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "parse.h"
#include "slice.h"

struct zone;

/* A date and time as they are written. */
struct civil {
	int year;
	unsigned month, day, hour, minute, second;
	int32_t fraction; /* ns */
	int offset;       /* seconds east of UTC */
};

/**
 * timestamp_compose(c, ns):
 * The instant that ${c} names; PARSE_BAD when there is no such date or it lies
 * outside 1970 to 2261.  A leap second is the second after it.
 */
enum parsed timestamp_compose(const struct civil *c, int64_t *ns);

/**
 * timestamp_rfc3339(s, ns, used):
 * Read a date and time at the start of ${s}: `T` or a space between them, any
 * number of fraction digits (nine count), `Z`, `z` or an offset, with or without
 * its colon.  Set *${ns} (ns since the epoch) and *${used} (bytes read).  Return
 * PARSE_OK or PARSE_BAD; a date that does not exist, or lies outside 1970 to
 * 2261, is bad.
 *
 * timestamp_is_plain(s):
 * True when a server's date_nanos takes the whole of ${s}, which timestamp_rfc3339
 * reads: a `T`, no second of 60, at most nine digits, `Z` or an offset with a colon
 * below 18 hours, the most that java.time has.
 */
enum parsed timestamp_rfc3339(struct slice s, int64_t *ns, size_t *used);
bool timestamp_is_plain(struct slice s);

/**
 * timestamp_format(s, format, zone, ns):
 * Read the whole of ${s} by ${format} (strptime's conversions, %L and %N a
 * fraction of which nine digits count, %z and %Z an offset or a zone's name, %s
 * epoch; a blank stands for one or more); a time without a zone is of ${zone} (NULL:
 * UTC), one with %z, %Z, or a Z of the format behind %S or %L, is not.  Return
 * PARSE_OK or PARSE_BAD.
 */
enum parsed timestamp_format(
    struct slice s, const char *format, const struct zone *zone, int64_t *ns);

/**
 * timestamp_has_year(format), timestamp_near(s, format, zone, near, ns):
 * True when ${format} says the year.  Read ${s} by one that does not: of the years
 * that it may be of, the one in which it is nearest to ${near}.
 */
bool timestamp_has_year(const char *format);
enum parsed timestamp_near(
    struct slice s, const char *format, const struct zone *zone, int64_t near, int64_t *ns);

/**
 * timestamp_line(s, offset_s, ns):
 * Read the time that ${s} begins with, in one of the forms that headers of lines
 * have: a date, a blank or T, a clock, a fraction, a zone, behind a blank or not;
 * ${offset_s} applies where there is none.  Seconds, ms, us or ns since the epoch,
 * too.  Return PARSE_OK or PARSE_BAD; a clock without a date is bad.
 *
 * timestamp_offset(text, seconds):
 * Read the whole of ${text}, +hhmm or -hh:mm, or without a sign.  False: it is none.
 */
enum parsed timestamp_line(struct slice s, int offset_s, int64_t *ns);
bool timestamp_offset(const char *text, int *seconds);

/* Room for the text of timestamp_write(). */
#define TIMESTAMP_MAX 30

/**
 * timestamp_write(ns, digits, to):
 * Write ${ns} as RFC 3339 in UTC with ${digits} (0 to 9) of fraction and a
 * `Z` into ${to} (TIMESTAMP_MAX bytes).  Return the length; no NUL.
 */
size_t timestamp_write(int64_t ns, unsigned digits, char *to);

/**
 * timestamp_civil(ns, year, month, day, hour):
 * The UTC date and hour that ${ns} falls in; month and day count from 1.
 */
void timestamp_civil(int64_t ns, int *year, unsigned *month, unsigned *day, unsigned *hour);

#endif
