/*
 * A regular expression in Ruby's syntax, as Fluent Bit's parsers are written,
 * run by PCRE2 with JIT and bounded: a pattern that would take for ever on a
 * hostile line does not match it.  That is said once for each pattern, and
 * counted.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "slice.h"

/* A longer text does not match. */
#define PATTERN_SUBJECT_MAX (32 << 10)

struct pattern;

/* Texts of the whole process that a pattern gave up: too long, or too much work. */
extern atomic_ullong pattern_overruns;

/**
 * pattern_new(ruby, error, size), pattern_free(p):
 * Compile ${ruby}: an expression, or /expression/imx.  Return NULL with the
 * reason and the place in ${error} (${size} bytes).  Not shared between
 * threads.  NULL is harmless to free.
 */
struct pattern *pattern_new(const char *ruby, char *error, size_t size);
void pattern_free(struct pattern *p);

/**
 * pattern_match(p, text):
 * True when ${p} matches somewhere in ${text}; false as well when a limit was
 * met (PATTERN_SUBJECT_MAX, or some ten milliseconds of work).
 */
bool pattern_match(struct pattern *p, struct slice text);

/**
 * pattern_groups(p), pattern_name(p, i):
 * The number of named groups; the name of the i-th, as the expression has it
 * (several groups may have one name).
 */
size_t pattern_groups(const struct pattern *p);
struct slice pattern_name(const struct pattern *p, size_t i);

/**
 * pattern_group(p, i, value):
 * The value of the i-th named group after a match: a part of the text.  Return
 * false when the group took no part in the match.
 */
bool pattern_group(const struct pattern *p, size_t i, struct slice *value);

/**
 * pattern_capture(p, n, value):
 * The same of the group numbered ${n}, 0: the whole match.
 */
bool pattern_capture(const struct pattern *p, size_t n, struct slice *value);

#endif
