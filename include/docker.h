/*
 * One line of Docker's json-file driver:
 *
 *	{"log":"the text\n","stream":"stdout","time":"2026-11-22T08:00:00.002176064Z"}
 *
 * The result is a struct cri, as for CRI lines: a text without a newline at
 * its end is a part, and the next line goes on with it (the driver splits at
 * 16 KiB).  No files, no clock, no allocation.
 */
#ifndef DOCKER_H
#define DOCKER_H

#include "cri.h"

/**
 * docker_parse(line, out):
 * Read ${line}, which has no newline, into ${out}.  The content is the log's
 * text as it stands in the JSON, without the newline at its end; when
 * out->escaped is set, json_unescape() has still to be called for it.  Members
 * stand in any order, others (attrs) are passed over, of two of one name the
 * last one counts.  Return PARSE_OK, or PARSE_BAD when the line is not of this
 * form; ${out} is then unspecified.
 */
enum parsed docker_parse(struct slice line, struct cri *out);

#endif
