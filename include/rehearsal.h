/*
 * A rehearsal: the whole flow of a configuration, from files below a folder to
 * documents in memory.  Nothing is sent, nobody is asked: `towline test`.
 */
#ifndef REHEARSAL_H
#define REHEARSAL_H

#include "collect.h"
#include "conf.h"

/* The time of records that have none of their own: 2026-01-01T00:00:00Z, in ns. */
#define REHEARSAL_TIME INT64_C(1767225600000000000)

struct rehearsal {
	const char *below; /* the folder that stands for / where inputs look for files */
	const char
	    *pods; /* the pods, as kubectl get pods -o json prints them; NULL: none is known */
	const char *state; /* an empty folder, for the time of the run */
};

/**
 * rehearsal_run(conf, r, to):
 * Run ${conf}, whose values are changed for that (it is of no other use then): what
 * the files have goes to ${to}.  Return 0, or -1 after saying why.  The caller has blocked the
 * signals that pipeline_run() names.
 */
int rehearsal_run(struct conf *conf, const struct rehearsal *r, struct collections *to);

#endif
