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

/* Batches being filled, one for each set of outputs. */
struct filling {
	struct shipper *shipper;
	struct batch *at[ROUTES];
	struct batch *spare; /* taken, and nobody's yet */
	bool starved;        /* a record was refused: no batch is free */
};

struct counts {
	uint64_t records, failures[FAILURES];
	bool moved; /* since they were saved */
};

/* The reader's own counters on their way to the state, which shows them. */
struct counting {
	struct counts now, posted;
	struct flow *dirty;  /* those whose cursors have moved since they were posted */
	uint64_t holds;      /* version of the copy that the state has of them */
	atomic_ullong shown; /* ticket of what is shown, or COUNTS_UNSHOWN */
};

/* Streams that get what the API server says of their pods. */
struct enriching {
	struct kube *kube; /* NULL: the API server is not asked */
	LIST_HEAD(waiting, flow) waiting;
};

struct pipeline {
	const struct conf *conf;
	const struct service *service;
	struct pipeline_options options;
	struct state *state;
	struct range_book *book;
	struct chain *chain;
	struct tail *tail;
	struct shipper *shipper;
	const struct section **outputs;
	size_t noutputs;

	/* the reader's */
	pthread_t reader;
	int wake; /* eventfd: a batch is free, the state has moved, or stop */
	struct filling filling;
	struct counting counting;
	struct enriching enriching;
	LIST_HEAD(flows, flow) flows;
	struct record record;

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
