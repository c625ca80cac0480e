/* The inputs for tests and trials: their options, and what both have. */
#ifndef MODEL_H
#define MODEL_H

#include "memory.h"
#include "trial.h"

#define TRIAL_READ (64u << 10) /* bytes of one read */

struct dummy_conf {
	struct input input;
	char *text;
	int64_t rate, copies, samples;
};

struct stdin_conf {
	struct input input;
	char *parser;
	uint64_t most;
};

/* Of an input the lines that are JSON, and those that are text, are streams of one log. */
enum { TRIAL_JSON, TRIAL_TEXT, TRIAL_FORMS };

struct trial {
	const struct dummy_conf *dummy; /* NULL: it is standard input */
	const struct stdin_conf *lines;
	struct tail_conf shown[TRIAL_FORMS]; /* the input, as stages behind see it */
	struct stream streams[TRIAL_FORMS];
	struct cursor (*cursor)[SIDES]; /* of each reader */
	uint64_t made;                  /* records */
	unsigned given;                 /* readers that have the one in hand */
	uint64_t owed;                  /* records that are due */
	struct buffer bytes;            /* read, and not taken yet, from `at` on */
	size_t at;
	int fd;    /* a timer, or standard input */
	bool ends; /* nothing more comes */
	bool cut;  /* the rest of a long line is passed over */
};

struct trials {
	struct trial *at;
	size_t n;
	int epoll;
	bool alone;
	struct tail_reader *to;
	unsigned readers;
	tail_stream *on_stream;
	void *arg;
};

#endif
