/* The whole flow, from files to servers: built from a configuration, run until stopped. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "conf.h"

struct pipeline;

struct pipeline_options {
	bool exit_on_eof;      /* read to the end, deliver, return */
	const char *state_dir; /* overrides State_Path; NULL: not */
};

/**
 * pipeline_new(conf, options):
 * Build every part that ${conf} names; no thread runs yet.  Return NULL after
 * saying why; errno is EBUSY when another instance has the state.
 */
struct pipeline *pipeline_new(const struct conf *conf, const struct pipeline_options *options);
void pipeline_free(struct pipeline *p);

/**
 * pipeline_run(p):
 * Start the threads; read and ship until a signal (SIGTERM, SIGINT) or, with
 * exit_on_eof, until all is delivered; drain for at most Grace.  A second
 * signal ends the process.  Return 0, or -1 after saying why it could not
 * start.  The caller has blocked both signals before any thread exists.
 */
int pipeline_run(struct pipeline *p);

#endif
