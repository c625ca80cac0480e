/* Inside the pipeline: the parts that its reader thread shares with pipeline.c. */
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

/* The most sets of outputs with a batch being filled. */
#define ROUTES 4

struct inputs;

/* A record of several documents, of which the first are in batches: cursor NULL: none. */
struct half_put {
	const struct cursor *cursor;
	uint64_t start;
	uint64_t batch; /* the number of the cursor's last one */
	unsigned done;  /* documents */
};

/* Batches of a lane being filled, one for each set of outputs. */
struct filling {
	struct shipper *shipper;
	struct range_book *book;
	unsigned lane;
	struct batch *at[ROUTES];
	struct batch *spare;       /* taken from the pool, for the next route */
	bool starved;              /* a record was refused: no batch is free */
	const struct batch *shown; /* its last document is the last record's; NULL: that has none */
	struct half_put half;
};

struct counts {
	uint64_t records, failures[FAILURES];
	bool moved; /* they have moved since they were saved */
};

/* The reader's counters: counted, posted to the state, shown when they are on disk. */
struct counting {
	struct counts now, posted;
	struct flow *dirty; /* the flows whose cursors have moved since they were posted */
	uint64_t apart[STATE_READERS]; /* as posted: logs that are read for each output by itself */
	atomic_ullong shown;           /* ticket of what is shown, or COUNTS_UNSHOWN */
};

/* The API server's part, the streams that wait for their pods, and the agents that are polled. */
struct enriching {
	struct kube *kube;           /* NULL: the API server is not asked */
	struct polling *polling;     /* NULL: agents are not polled */
	struct resources *resources; /* NULL: control groups are not read */
	LIST_HEAD(waiting, flow) waiting;
};

struct pipeline {
	const struct conf *conf;
	const struct service *service;
	struct pipeline_options options;
	struct state *state;
	struct chain *chain;
	struct tail *tail;
	struct inputs *beside; /* the inputs beside tail; NULL: there is none */
	struct shipper *shipper;

	/* members of the reader */
	pthread_t reader;
	int wake;                /* eventfd: a batch is free, the state has moved, or stop */
	struct filling *filling; /* one for each lane of the shipper */
	unsigned nlanes;
	struct counting counting;
	struct enriching enriching;
	LIST_HEAD(flows, flow) flows;
	struct record record;

	struct serve *serve; /* NULL: nothing listens */
	int signals;         /* signalfd: those that end the run */
	atomic_bool stop;    /* set by them: read no more */
	int over;            /* eventfd, written by the reader: exit_on_eof, and all is given */
	atomic_llong turned; /* mono ns of the reader's last turn */
};

/**
 * reader_run(p):
 * The thread's function: read until p->stop, or until all is read and sealed.
 */
void *reader_run(void *p);

/**
 * reader_wake(fd):
 * Wake the thread that waits for the eventfd ${fd}.
 */
void reader_wake(int fd);

#endif
