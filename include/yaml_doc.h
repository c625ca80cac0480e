/*
 * A YAML file as a tree of nodes, each with its line.  It is the part of YAML that a
 * configuration needs: mappings, lists and scalars; no aliases, no tags.
 */
#ifndef YAML_DOC_H
#define YAML_DOC_H

#include "conf.h"

enum yaml_kind { YAML_DOC_SCALAR, YAML_DOC_LIST, YAML_DOC_MAP };

/* Texts end with a NUL, and have none within. */
struct yaml_node {
	enum yaml_kind kind;
	unsigned line;           /* of its key; of itself, when it has none */
	unsigned begins;         /* the line of its first character; of a block's text: of its | */
	const char *key;         /* of an entry of a mapping; else NULL */
	const char *text;        /* of a scalar; else NULL */
	bool plain;              /* a scalar without quotes: may mean null or a number */
	bool literal;            /* a scalar behind |: each of its lines is one of the file */
	struct yaml_node *first; /* of a mapping or a list */
	struct yaml_node *next;  /* in the same mapping or list */
};

struct yaml_doc {
	struct yaml_node *root; /* NULL: the document is empty */
	void *owned;            /* memory behind all of it */
};

/**
 * yaml_doc_read(path, findings):
 * Read the file ${path}.  NULL: it cannot be read, or is not such YAML, as a finding
 * says.  yaml_doc_free frees it; NULL is harmless.
 */
struct yaml_doc *yaml_doc_read(const char *path, struct findings *findings);
void yaml_doc_free(struct yaml_doc *doc);

/**
 * yaml_doc_parse(text, file, line, findings):
 * Read ${text}, which stands behind the line ${line} of what findings call ${file}, as a
 * configuration that people write: any number of documents, which the root lists; a key that is there twice is a warning, and
 * both entries stay.  NULL and freeing as above.
 */
struct yaml_doc *yaml_doc_parse(
    struct slice text, const char *file, unsigned line, struct findings *findings);

/**
 * yaml_doc_find(map, key):
 * Return the last entry of ${map} that is called ${key}; NULL: there is none, or ${map}
 * is NULL or no mapping.
 */
const struct yaml_node *yaml_doc_find(const struct yaml_node *map, const char *key);

/**
 * yaml_doc_is_null(n):
 * True when ${n} has no value: `key:`, `key: ~`, `key: null`.
 */
bool yaml_doc_is_null(const struct yaml_node *n);

#endif
