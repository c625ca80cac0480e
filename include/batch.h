/*
 * A batch: encoded documents on their way to the outputs, and the ranges of logs
 * that they are of.  Of fixed size, from a fixed pool; filled by the reader,
 * sealed, then the shipper's until every output has settled it.
 *
 * The body lies ready to be sent as it is:
 *
 *	{"create":{"_id":"…"}}\n{"@timestamp":…,"log":…,"kubernetes":…,"log_parsed":…}\n
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdint.h>

#include "cursor.h"
#include "memory.h"
#include "record.h"

#define BATCH_ITEMS 4096

#define DOCUMENT_ID 40  /* characters of an _id that is made of the record's place */
#define ACTION_MAX 4096 /* bytes of an action line that is made of a document's members */

struct item {
	uint32_t action;   /* where the action line begins in the body */
	uint32_t document; /* where the document begins */
	uint32_t core;     /* @timestamp, time, stream, logtag, log end here: with a } a document */
	uint32_t plain;    /* where log_parsed begins (its comma); == end - 1 without one */
	uint32_t end;      /* behind the document's }, before the newline */
	bool fresh;        /* never sent before: a 409 is a collision */
	uint16_t id_len;   /* of the id, which stands at the end of the action line */
	int64_t time;      /* the record's, ns */
	struct range *range; /* counts it once for each output; NULL: none does */
};

struct batch {
	uint64_t number; /* grows by one a batch; never 0 */
	struct buffer body;
	struct item items[BATCH_ITEMS];
	uint32_t nitems;
	struct range *ranges[BATCH_ITEMS]; /* opened for it */
	uint32_t nranges;
	int64_t opened;     /* mono ns of its first record, for Flush */
	state_ticket after; /* it is not sent before this ticket is on disk */
	unsigned lane;      /* it is of: shipper_take() sets it */
	uint32_t route;     /* bit i: the i-th output takes it (Match) */
	uint32_t outputs;   /* how many have yet to settle it: the shipper's */
	struct batch *next;
};

/* How documents are written; from an output's configuration. */
struct document_rules {
	struct slice index_fixed; /* empty: the index stands in each action line */
	/* Writes the index for a record into ${to} (at most 255 bytes); NULL when fixed. */
	size_t (*index)(const void *conf, const struct record *r, char *to);
	/*
	 * Writes the action line of ${document} into ${to} (ACTION_MAX bytes), and the length
	 * of the id in it; NULL: it does not depend on the document's members.
	 */
	size_t (*action)(const struct document_rules *rules, const struct record *r,
	    struct slice document, char *to, uint16_t *id_len);
	const void *conf;
	/* Names, as they stand inside a JSON string. */
	struct slice time_key;   /* @timestamp */
	struct slice log_key;    /* log; the input's Key */
	struct slice tag_key;    /* empty: the tag is not written */
	unsigned time_digits;    /* of @timestamp's fraction: 3 or 9 */
	bool keep_log;           /* kubernetes Keep_Log */
	struct slice parsed_key; /* log_parsed, or Merge_Log_Key; a name, too */
	bool
	    merged; /* a JSON line's members stand directly under that key, as Fluent Bit has them */
	struct slice operation; /* create */
	bool keeps_tag;         /* the tag stands behind each document's newline, for an output */
};

/**
 * batch_new(bytes, cap), batch_free(b):
 * An empty batch of ${bytes} that grows for one large document to ${cap} at
 * most.
 */
struct batch *batch_new(size_t bytes, size_t cap);
void batch_free(struct batch *b);

/**
 * batch_clear(b, number, bytes), batch_trim(b, bytes):
 * Empty ${b} for reuse under a new number, with ${bytes} of memory again; free
 * the memory beyond ${bytes} that its body does not need.
 */
void batch_clear(struct batch *b, uint64_t number, size_t bytes);
void batch_trim(struct batch *b, size_t bytes);

/**
 * document_rules_default():
 * The rules of an output with all its defaults and a fixed index.
 */
struct document_rules document_rules_default(void);

/**
 * document_parsed_any(rules, r), document_parsed_room(rules, r), document_parsed_write(to, rules, r):
 * True when log_parsed is a member of the document, fields that are set aside left out.
 * The most bytes that the value of log_parsed takes; write it, return the end: ${to}
 * when there is nothing to write.  r->parsed is not NULL.
 */
bool document_parsed_any(const struct document_rules *rules, const struct record *r);
size_t document_parsed_room(const struct document_rules *rules, const struct record *r);
char *document_parsed_write(char *to, const struct document_rules *rules, const struct record *r);

/**
 * document_takes(rules, r, f):
 * False: ${f}, of the tree of ${r}, cannot stand at a document's root, as servers or the
 * mapping refuse it there.  Of a map or list the first byte of f->value is enough.
 */
bool document_takes(
    const struct document_rules *rules, const struct record *r, const struct field *f);

/**
 * document_id(at, to):
 * Write the _id of the record that begins at ${at}: DOCUMENT_ID characters,
 * URL-safe base64 of 3 bytes hour, 16 identity, 7 offset (both big-endian), 4 hash.
 */
void document_id(const struct record_place *at, char *to);

/**
 * batch_put(b, rules, r):
 * Encode ${r} behind the documents of ${b}.  Return true, or false when there is no
 * room (nothing has changed then).  An empty batch takes every record: it
 * grows, up to the cap of its buffer; when that is not enough, the document
 * loses log_parsed, marked log_parsed_dropped, then the fields beside log,
 * then the end of log, marked log_truncated.
 */
bool batch_put(struct batch *b, const struct document_rules *rules, const struct record *r);

/**
 * document_is_alike(a, b), batch_copy(b, rules, r, from):
 * Documents by both rules are the same, but for their action lines.  As batch_put(): ${r} is
 * the record of the last document of ${from}, which was put there by rules alike.
 */
bool document_is_alike(const struct document_rules *a, const struct document_rules *b);
bool batch_copy(struct batch *b, const struct document_rules *rules, const struct record *r,
    const struct batch *from);

#endif
