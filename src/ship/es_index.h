/* The index that a record goes to.  Inside src/ship/ alone. */
#ifndef ES_INDEX_H
#define ES_INDEX_H

#include "es_conf.h"
#include "sink.h"

/**
 * es_index_fixed(conf):
 * The index when it is the same for all records, else NULL.
 */
const char *es_index_fixed(const struct es_conf *conf);

/**
 * es_index_write(conf, r, to):
 * document_rules.index: the name by the time of ${r}, or by now with
 * Current_Time_Index, in UTC; 255 bytes at most.
 */
size_t es_index_write(const void *conf, const struct record *r, char *to);

/**
 * es_index_example(conf, name, why, size):
 * Write an index's name, as of a day, to ${name} (256 bytes).  False when servers take no
 * such name, with the reason in ${why} (${size} bytes).
 */
bool es_index_example(const struct es_conf *conf, char *name, char *why, size_t size);

/**
 * es_index_differs(a, b):
 * Documents are encoded once for all outputs: the option in which two outputs
 * may not differ and do, or NULL.
 */
const char *es_index_differs(const struct es_conf *a, const struct es_conf *b);

/**
 * es_index_rules(sinks, n, rules):
 * How documents are to be encoded for the es and opensearch outputs among
 * ${sinks}; -1 after saying why these cannot share one encoding.
 */
int es_index_rules(const struct sink *sinks, size_t n, struct document_rules *rules);

#endif
