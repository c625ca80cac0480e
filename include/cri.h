/*
 * One line of a container runtime's log (CRI format):
 *
 *	2026-11-22T08:00:00.002176064Z stderr P the text
 *	`-- time, RFC 3339            |      | `-- content, any bytes
 *	                              side   `-- P: more follows, F: full
 *
 * No files, no clock, no allocation: bytes in, slices out.
 */
#ifndef CRI_H
#define CRI_H

#include <stdint.h>

#include "parse.h"
#include "slice.h"

enum side { SIDE_STDOUT, SIDE_STDERR, SIDES };

struct cri {
	int64_t time;           /* ns since the epoch, UTC */
	struct slice time_text; /* the time as the line has it */
	enum side side;
	bool partial;         /* the content goes on in the next line */
	bool escaped;         /* the content is the inside of a JSON string (docker.h) */
	struct slice content; /* points into the line */
};

/* The second that was read last, as lines of one second differ only in the fraction. */
struct cri_memo {
	char text[19];
	int64_t second;
};

/**
 * cri_parse(line, memo, out):
 * Read ${line}, which has no newline, into ${out}.  ${memo} starts zeroed and
 * spares the calendar for lines of one second; it never changes the answer.
 * Return PARSE_OK, or PARSE_BAD when the line is not CRI; ${out} is then
 * unspecified.  Tags after the first are ignored, as the kubelet does
 * (pkg/kubelet/kuberuntime/logs).
 */
enum parsed cri_parse(struct slice line, struct cri_memo *memo, struct cri *out);

#endif
