/*
 * An answer of the API server about pods, read in pieces as they come: pods go
 * to the table, the rest to a struct answer_says.  Memory is bounded, whatever
 * the server sends.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "pod_table.h"

struct answer;

/* The kind of answer that is expected. */
enum answer_kind {
	ANSWER_NODE,   /* a list of towline's own pod, which names its node */
	ANSWER_OBJECT, /* one object: the version, or the refusal of any request */
	ANSWER_LIST,   /* a page of pods */
	ANSWER_STREAM, /* events: first of all pods, then of changes */
	ANSWER_WATCH   /* events of changes */
};

/* The content of the answer, beside pods; the last three members are kept from one answer to the next. */
struct answer_says {
	bool complete;    /* it may end here: its root was read; a stream's: an object's end */
	bool bad;         /* it is not the API's JSON, or has no end */
	bool told_all;    /* a stream: all existing pods have been told */
	uint64_t events;  /* events that are no ERROR */
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
 * The next answer begins; its next bytes.  False: the rest of the answer is not
 * to be read.
 */
void answer_begin(struct answer *a, enum answer_kind kind);
bool answer_feed(struct answer *a, struct slice piece);

/**
 * answer_says(a), answer_forget(a):
 * The content so far; forget the version and the next page.
 */
const struct answer_says *answer_says(const struct answer *a);
void answer_forget(struct answer *a);

#endif
