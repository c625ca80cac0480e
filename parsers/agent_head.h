/* The parts that headers of all layouts have: a time, a level.  Inside parsers/ alone. */
#ifndef AGENT_HEAD_H
#define AGENT_HEAD_H

#include "slice.h"

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* True when ${s} begins with a stamp: 2026-11-22T08:00:00, 2026/11/22 08:00:00. */
#define STAMP_LEN 19
bool agent_head_is_stamp(struct slice s);

/* True when a word begins and ends in capitals. */
bool agent_head_is_upper(struct slice word);

/* True for a zone behind a time: +0100, +01:00, Z, UTC, CET. */
bool agent_head_is_zone(struct slice word);

/* True when a time has a date without its century: 26/11/22 08:00:00, 261122 080000. */
bool agent_head_is_short(struct slice time);

/* The length of the date and time at the front of ${s}; 0: none. */
size_t agent_head_time(struct slice s);

#endif
