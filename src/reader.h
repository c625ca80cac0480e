/* Inside the pipeline: what its reader thread shares with who starts it. */
#ifndef READER_H
#define READER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "agent.h"
#include "chain.h"
#include "kube.h"
#include "limit.h"
#include "pipeline.h"
#include "serve.h"
#include "service.h"
#include "ship.h"
#include "tail.h"

/* Sets of outputs that records of this configuration go to; each fills a batch of its own. */
#define ROUTES 4

struct pipeline {
	const struct conf *conf;
	const struct service *service;
	struct pipeline_options options;
	struct limit limit;
	struct state *state;
	struct range_book *book;
	struct chain *chain;
	struct kube *kube; /* NULL: the API server is not asked */
	struct kube_options kube_options;
	struct tail *tail;
	struct shipper *shipper;
	struct serve *serve;
	const struct section **outputs;
	size_t noutputs;

	/* the reader's */
	pthread_t reader;
	bool reading; /* the thread exists */
	int wake;     /* eventfd: a batch is free, the state has moved, or stop */
	struct batch *filling[ROUTES];
	struct batch *spare; /* taken, and nobody's yet */
	bool starved;        /* a record was refused: no batch is free */
	LIST_HEAD(flows, flow) flows;
	LIST_HEAD(waiting, flow) waiting; /* for their pods */
	struct flow *dirty;
	struct counts {
		uint64_t records, failures[FAILURES];
		bool moved; /* since they were saved */
	} counts, posted;
	atomic_ullong shown; /* ticket of what is shown, or COUNTS_UNSHOWN */
	struct record record;
	uint64_t holds; /* version of what the state has of them */
	int64_t published;

	atomic_bool stop;    /* set by signals: read no more */
	int over;            /* eventfd, written by the reader: exit_on_eof, and all is given */
	atomic_llong turned; /* mono ns of the reader's last turn */
};

/**
 * reader_run(p):
 * The thread: read until p->stop, or until all is read and given.
 */
void *reader_run(void *p);

/* Its functions of files: a record, a stream that begins or ends. */
tail_record reader_record, reader_count;
tail_stream reader_stream;

/**
 * reader_wake(fd):
 * Wake who waits for ${fd}.
 */
void reader_wake(int fd);

#endif
