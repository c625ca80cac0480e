/*
 * The outputs of a rehearsal: in the place of each output that would send or
 * write documents, one that keeps them in memory.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include <stddef.h>
#include <stdint.h>

/* A document that an output would have sent. */
struct collected {
	int64_t time;   /* the record's, ns */
	char *id;       /* its _id, of characters that sort as its bytes do */
	size_t arrived; /* its number in the order in which the output was given it */
	char *line;     /* the document; of es and opensearch {"_index":…,"_source":document} */
};

struct collection {
	char *name; /* of the output: Alias, else NAME.N */
	struct collected *at;
	size_t n;
};

/* By output, in the configuration's order; `null` is not among them. */
struct collections {
	struct collection *at;
	size_t n;
};

/**
 * collect_begin(to), collect_end(c):
 * All outputs that are opened from now on keep their documents in ${to} (NULL: they
 * send them again): sorted by time, when their sinks are closed.  Free the content of ${c}.
 */
void collect_begin(struct collections *to);
void collect_end(struct collections *c);

#endif
