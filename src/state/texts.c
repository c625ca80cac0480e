/* Texts that are kept: framing rules, which spans name, and pods' metadata. */
#include <stdlib.h>

#include <xxhash.h>

#include "memory.h"
#include "state_internal.h"

void
texts_put(struct map *all, struct slice key, struct slice value)
{
	free(map_put(all, key, xslicedup(value)));
}

void
texts_each(
    const struct map *all, void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
	struct slice key;
	const char *value;
	size_t at = 0;

	while ((value = map_next(all, &at, &key)) != NULL)
		each(arg, key, slice_of(value));
}

void
texts_free(struct map *all)
{
	char *value;
	size_t at = 0;

	while (all != NULL && (value = map_next(all, &at, NULL)) != NULL)
		free(value);
	map_free(all);
}

/* ---- framing rules; tail knows the meaning of a text */

bool
texts_rules(struct tables *t, uint64_t name, struct slice text)
{
	struct slice key = { (const char *)&name, sizeof(name) };

	if (map_get(t->rules, key) != NULL)
		return false;
	texts_put(t->rules, key, text);
	return true;
}

/* Stored with the next commit: spans that name it come with it, or later. */
uint64_t
state_rules(struct state *s, struct slice text)
{
	uint64_t name = XXH3_64bits(text.at, text.len);

	LOCKED(s);
	if (texts_rules(s->tables, name, text))
		transaction_add(
		    s, "INSERT OR IGNORE INTO rules VALUES (?1, ?2)", NUMBER(name), TEXT(text));
	return name;
}

const char *
state_rules_text(struct state *s, uint64_t rules)
{
	LOCKED(s);
	return map_get(s->tables->rules, (struct slice){ (const char *)&rules, sizeof(rules) });
}

/* ---- metadata: read at the start, and not kept here */

void
state_metadata(struct state *s, struct slice key, struct slice value)
{
	LOCKED(s);
	if (value.len > 0)
		transaction_add(
		    s, "INSERT OR REPLACE INTO metadata VALUES (?1, ?2)", TEXT(key), TEXT(value));
	else
		transaction_add(s, "DELETE FROM metadata WHERE key = ?1", TEXT(key));
	tickets_post(s, false);
}

void
state_metadata_each(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
	if (each != NULL && s->tables->metadata != NULL)
		texts_each(s->tables->metadata, each, arg);
	texts_free(s->tables->metadata);
	s->tables->metadata = NULL;
}
