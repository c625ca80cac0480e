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
 * es_index_rules(output, rules):
 * How documents are to be encoded for an es or opensearch ${output}; for another
 * ${rules} stay.
 */
void es_index_rules(const struct section *output, struct document_rules *rules);

#endif
