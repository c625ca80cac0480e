/*
 * Id_Key and Logstash_Prefix_Key: the document's id, and the beginning of its index,
 * by the record.  Inside src/ship/ alone.
 */
#ifndef ES_KEYS_H
#define ES_KEYS_H

#include "accessor.h"
#include "batch.h"
#include "conf.h"
#include "voice.h"

#define ES_PREFIXES_MAX 1000

/* The prefixes that records have named: so many, and no more. */
struct es_prefixes {
	uint64_t seen[ES_PREFIXES_MAX];
	unsigned n;
	struct said said;
};

struct es_keys {
	char *id_key, *prefix_key; /* NULL: not given */
	int64_t prefix_limit;
	struct accessor id, prefix;
	struct es_prefixes *prefixes; /* the reader's, as the next, which it points to */
	struct es_prefixes room;
};

/**
 * es_keys_check(section, findings):
 * Read the two options of an es output, and say what they cost.
 */
void es_keys_check(const struct section *section, struct findings *findings);

/**
 * es_keys_any(keys):
 * True when a document's action depends on its members.
 */
static inline bool
es_keys_any(const struct es_keys *keys)
{
	return keys->id_key != NULL || keys->prefix_key != NULL;
}

/**
 * es_keys_action(rules, r, document, to, id_len):
 * document_rules.action.
 */
size_t es_keys_action(const struct document_rules *rules, const struct record *r,
    struct slice document, char *to, uint16_t *id_len);

/**
 * es_keys_prefix(prefixes, limit, value, to):
 * Write the beginning of an index's name that ${value} gives to ${to} (ES_PREFIX bytes):
 * in small letters, bytes that no name has replaced by _, no special index's.  Return
 * its length; 0: it gives none, or is one more than ${limit}.
 */
#define ES_PREFIX 128
size_t es_keys_prefix(
    struct es_prefixes *prefixes, unsigned limit, struct slice value, char to[ES_PREFIX]);

#endif
