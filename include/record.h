/*
 * A record: one log line, or several joined, on its way from the file to the
 * batch.  All its text lies in the read buffer or in the record's arena and
 * lives until the record is encoded.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

#include "cri.h"
#include "slice.h"

struct agent_line;
struct pod;
struct record_id;
struct shape;
struct stream;
struct range;

/* How a field's value stands in its slice. */
enum value_kind {
	VALUE_TEXT,    /* bytes: the encoder escapes them */
	VALUE_ESCAPED, /* the inside of a JSON string, escapes and all */
	VALUE_JSON,    /* a whole valid JSON value: number, true, object, … */
};

struct field {
	struct slice name; /* the inside of a JSON string when name_escaped */
	struct slice value;
	enum value_kind kind;
	bool name_escaped;
};

#define RECORD_FIELDS 64

/* The place where a record begins, of which its document's id is made. */
struct record_place {
	const struct stream *stream;
	const struct record_id *id;
	bool fresh; /* certainly never sent before, so that no document can have its id yet */
};

/* A rule of rewrite_tag has matched: the record is to go on under another tag. */
#define RETAG_MAX 1024 /* bytes of a tag that is made */

struct retag {
	enum { RETAG_NOT, RETAG_MOVE, RETAG_COPY } what; /* COPY: under the old one, too */
	struct slice tag;
	unsigned rule; /* of the filter: its number, from 0 */
	unsigned
	    given; /* other tags than the stream's that the record was given: r->tag is the last */
};

/*
 * A filter that makes several records of one is run again for each: it is told which part is
 * wanted, and says how many there are.
 */
struct split {
	unsigned place; /* of this filter among those that the record's run has met */
	unsigned part;  /* from 0: the one that is wanted */
	unsigned most;  /* parts, at most */
	bool again;     /* it is the record of the run before, of which a part was taken */
	unsigned parts; /* set by the filter; 0: it makes one record of one */
};

struct record {
	int64_t time; /* ns: the first line's runtime time, else a parser's, else first sight */
	struct slice time_text; /* the runtime's own; empty when the line had none */
	enum side side;
	bool partial;     /* logtag of the first line: P, else F */
	bool truncated;   /* the cap cut it */
	bool has_log;     /* false: a parser took the line apart and kept no log */
	struct slice log; /* lines joined by \n, no final newline; colours stripped unless kept */
	struct slice log_key; /* its name: the input's Key */
	struct slice tag;

	struct record_place place;
	const struct agent_line *parsed;    /* NULL: log_parsed is not written */
	const struct pod *pod;              /* NULL: kubernetes is not written */
	struct field fields[RECORD_FIELDS]; /* at the document's root, beside the standard ones */
	int nfields;
	struct shape
	    *shape; /* the fields as filters changed them: written in place of the above; NULL */
	struct retag retag;
	struct split split;
};

#endif
