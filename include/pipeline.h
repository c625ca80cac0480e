/* The whole flow, from files to servers: built from a configuration, run until stopped. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include <signal.h>

#include "conf.h"

struct pipeline;

struct pipeline_options {
	bool exit_on_eof;      /* read to the end, deliver, return */
	const char *state_dir; /* in the place of State_Path; NULL: State_Path */
	/* Called on SIGHUP.  True: another configuration was read, to go on with.  NULL: none ever is. */
	bool (*reload)(void *arg);
	void *reload_arg;
	const struct rehearsal *rehearsal; /* NULL: this is none */
};

enum pipeline_end {
	PIPELINE_FAILED,  /* it could not start, or an output failed, and has said why */
	PIPELINE_ENDED,   /* by a signal, or all is delivered */
	PIPELINE_RELOADS, /* to go on with the configuration that ${reload} has read */
};

/**
 * pipeline_new(conf, options):
 * Build every part that ${conf} names; no thread runs yet.  Return NULL after
 * saying why; errno is EBUSY when another instance has the state.
 *
 * pipeline_start(p):
 * Listen, and start the threads.  Return 0, or -1 after saying why: nothing was read then.
 *
 * pipeline_signals():
 * Those that pipeline_run() takes; the caller has blocked them before any thread exists.
 */
struct pipeline *pipeline_new(const struct conf *conf, const struct pipeline_options *options);
int pipeline_start(struct pipeline *p);
sigset_t pipeline_signals(void);
void pipeline_free(struct pipeline *p);

/**
 * pipeline_asks_api(conf):
 * True when the API server is asked for the pods.
 */
bool pipeline_asks_api(const struct conf *conf);

/**
 * pipeline_run(p):
 * Once it was started: read and ship until a signal (SIGTERM, SIGINT; SIGHUP
 * when ${reload} says so) or, with exit_on_eof, until all is delivered; drain
 * for at most Grace.  A second SIGTERM ends the process.
 */
enum pipeline_end pipeline_run(struct pipeline *p);

#endif
