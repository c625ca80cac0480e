/* A section's entries, by its plugin's option table, into its plugin's struct. */
#ifndef TABLE_H
#define TABLE_H

#include "conf.h"
#include "pool.h"

/* Walk a plugin's own rows, then the common ones: for (i = 0; (o = table_row(p, i)); i++). */
const struct option *table_row(const struct plugin *p, size_t row);

size_t table_rows(const struct plugin *p);

/**
 * table_find(p, key):
 * The row of the option ${key}, or -1.
 */
int table_find(const struct plugin *p, const char *key);

/**
 * table_text(s, option):
 * The value of an option that is a text; NULL: it is not set, or ${s} has no such option.
 */
const char *table_text(const struct section *s, const char *option);

/**
 * table_fill(pool, registry, block, s, findings):
 * Give ${s}, whose plugin, file and line are set, its values: defaults, then
 * the entries of ${block} (NULL: none).  Mistakes become findings; an option
 * that is not built yet is an error.  Return false when there was such an option.
 *
 * table_more(pool, registry, block, s, findings):
 * The same of a further block: its entries count with those that ${s} has.
 */
bool table_fill(struct pool *pool, const struct registry *registry, const struct conf_block *block,
    struct section *s, struct findings *findings);
bool table_more(struct pool *pool, const struct registry *registry, const struct conf_block *block,
    struct section *s, struct findings *findings);

/* "[FILTER] kubernetes", "[SERVICE]", into ${to}, which is returned. */
#define TABLE_TITLE 96
const char *table_title(const struct plugin *p, char to[TABLE_TITLE]);

/* The names of the kinds, SERVICE, INPUT, …; SECTION_KINDS of them. */
extern const char *const table_section_names[];

#endif
