/*
 * An answer of the API server about pods, read as it comes: pods go to the
 * table, what else it says stands here.  Whatever it sends is read in bounded
 * memory.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "pod_table.h"

struct answer;

/* What is expected. */
enum answer_kind {
	ANSWER_NODE,   /* a list of our own pod, which tells the node */
	ANSWER_OBJECT, /* one object: the version; a refusal of any request */
	ANSWER_LIST,   /* a page of pods */
	ANSWER_STREAM, /* events: first all pods, then their changes */
	ANSWER_WATCH   /* events: changes */
};

/* What was said: of this answer, but for the last three, which are kept. */
struct answer_says {
	bool complete;    /* it may end here: its root was read; a stream's: an object's end */
	bool bad;         /* it is not what the API speaks, or has no end */
	bool told_all;    /* a stream: all pods there are have been told */
	uint64_t events;  /* that are no ERROR */
	json_int_t code;  /* of an error; 0: none */
	json_int_t minor; /* of the version */
	char message[512];
	char *node;
	char *version;   /* to watch from; NULL: none */
	char *next_page; /* of a list that has more; NULL: none */
};

/**
 * answer_new(options, table, server), answer_free(a):
 * ${server} is named in messages.
 */
struct answer *answer_new(
    const struct kube_options *options, struct pod_table *table, const char *server);
void answer_free(struct answer *a);

/**
 * answer_begin(a, kind), answer_feed(a, piece):
 * The next answer; its next bytes.  False: nothing more of it is to be read.
 */
void answer_begin(struct answer *a, enum answer_kind kind);
bool answer_feed(struct answer *a, struct slice piece);

/**
 * answer_says(a), answer_forget(a):
 * What was said so far; forget the version and the next page.
 */
const struct answer_says *answer_says(const struct answer *a);
void answer_forget(struct answer *a);

#endif
