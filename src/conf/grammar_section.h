/* The sections of the YAML form, one mapping each, become blocks. */
#ifndef GRAMMAR_SECTION_H
#define GRAMMAR_SECTION_H

#include "grammar_internal.h"
#include "yaml_doc.h"

/* A file that is read, and where to. */
struct yaml {
	struct grammar *g;
	struct place *p; /* its line is that of the node that is looked at */
	struct conf_blocks *blocks;
};

/* A mistake at the node ${n}. */
#define WRONG_AT(y, n, ...)                                                                        \
	findings_add((y)->g->findings, FINDING_ERROR, (y)->p->file, (n)->line, __VA_ARGS__)

#define IS_NO_MAP "is no mapping: write `key: value` lines below it"
#define IS_NO_LIST "is no list: write `- name: …` below it"

/**
 * grammar_section_entries(y, n, kind, what):
 * Return the first entry of ${n}, a mapping or a list as ${kind} says; NULL: it has none,
 * or is something else, which is a finding that says ${what}.
 */
const struct yaml_node *grammar_section_entries(
    struct yaml *y, const struct yaml_node *n, enum yaml_kind kind, const char *what);

/**
 * grammar_section_take(y, kind, n, all):
 * Add the section ${n}, and for an input its processors.  ${all}: the list that it is in.
 */
void grammar_section_take(
    struct yaml *y, enum section_kind kind, const struct yaml_node *n, const struct yaml_node *all);

/**
 * grammar_section_new(y, kind, n), grammar_section_add(y, b), grammar_section_entry(y, b, n):
 * A section of the line of ${n}, without entries; add it to all; add to it the entry ${n}
 * of a mapping.
 */
struct conf_block grammar_section_new(
    struct yaml *y, enum section_kind kind, const struct yaml_node *n);
void grammar_section_add(struct yaml *y, struct conf_block b);
void grammar_section_entry(struct yaml *y, struct conf_block *b, const struct yaml_node *n);

/**
 * grammar_section_find(map, name):
 * Return the entry ${name} of a section, whatever the case of its letters, or NULL.
 */
const struct yaml_node *grammar_section_find(const struct yaml_node *map, const char *name);

/**
 * grammar_processor_take(y, n, owner, owners, kind):
 * Add the filters that ${n} says, the processors of ${owner}, one of the list ${owners}.
 */
void grammar_processor_take(struct yaml *y, const struct yaml_node *n,
    const struct yaml_node *owner, const struct yaml_node *owners, enum section_kind kind);

#endif
