/*
 * The chain: from the text of a framed record to a record that can be encoded.
 *
 *	framed -> time -> agent's grammar -> configured parser -> filters
 *
 * No files, no network; the reader's thread, and the parse command's.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "agent.h"
#include "batch.h"
#include "conf.h"
#include "record.h"
#include "service.h"
#include "tail.h"

struct chain;

/* The chain's part of a stream: decided when the stream begins, not for each record. */
struct source;

/**
 * chain_new(conf, service):
 * Make ready the parsers, filters and words that ${conf} names.  Return NULL
 * after saying the mistake (findings of agent-events.conf included).
 */
struct chain *chain_new(const struct conf *conf, const struct service *service);
void chain_free(struct chain *c);

/**
 * chain_source_new(c, stream), chain_source_free(s):
 * Decide which filters apply to ${stream} and whether its container is an
 * agent's (stream->agent is set).
 */
struct source *chain_source_new(struct chain *c, struct stream *stream);
void chain_source_free(struct source *s);

/**
 * chain_has(s, filter):
 * True when the records of ${s} pass a [FILTER] of this kind.
 */
bool chain_has(const struct source *s, const struct plugin *filter);

/**
 * chain_rules(c, stream, rules):
 * The settings of ${stream}'s input and filters for its documents: the key of
 * the text (Key) and the key of the fields found in it (Merge_Log_Key).
 */
void chain_rules(const struct chain *c, const struct stream *stream, struct document_rules *rules);

/**
 * chain_names(s, rules):
 * The documents of ${s} are written by ${rules}: filters that change fields know their names.
 */
void chain_names(struct source *s, const struct document_rules *rules);

/**
 * chain_next(c), chain_made(c, s):
 * The next record is another one.  The source for which it was made since, when it need not
 * be made anew for ${s}: fields have the same names, and it has no copies; NULL: there is none.
 */
void chain_next(struct chain *c);
const struct source *chain_made(const struct chain *c, const struct source *s);

/**
 * chain_run(c, s, f, r), chain_read(c, s, f, r):
 * Turn ${f} into ${r}.  Return false when a filter dropped it.  ${r} lives
 * until the next call.  chain_read() is for a record that is counted only: the time
 * of its stream's next lines stays.  A record that chain_made() knows is
 * not made again: filters see it once.
 */
void chain_read(struct chain *c, struct source *s, const struct framed *f, struct record *r);
bool chain_run(struct chain *c, struct source *s, const struct framed *f, struct record *r);

/**
 * chain_copies(c), chain_copy(c, s, f, r):
 * True when the record of the last call goes on under a further tag, too (KEEP of
 * rewrite_tag), or is one of several that a script made; make the next copy or part of ${f},
 * as chain_run() does.
 */
bool chain_copies(const struct chain *c);
bool chain_copy(struct chain *c, struct source *s, const struct framed *f, struct record *r);

/**
 * chain_parser(s):
 * The name of the input's [PARSER] that takes the lines of ${s} apart; NULL: they
 * are read as the runtime's.
 */
const char *chain_parser(const struct source *s);

/**
 * chain_line(c), chain_dropped_by(c), chain_failures(c):
 * Of the record of the last call: the line of the agent's grammar (NULL: it
 * was not read), the filter that dropped the record (NULL: none), and the
 * failures of parsers (bits: 1 << enum parse_failure).
 */
const struct agent_line *chain_line(const struct chain *c);
const struct filter *chain_dropped_by(const struct chain *c);
unsigned chain_failures(const struct chain *c);

#endif
