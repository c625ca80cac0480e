/*
 * A record as the filters that change fields see it: a tree of names and values.
 * It is made of the record when the first such filter meets it (src/reshape.c), in
 * an arena of fixed size; a document is written of the tree where there is one.
 *
 *	{ time, stream, logtag, log, ...fields of parsers, kubernetes {...}, log_parsed {...} }
 *
 * A map or list may be closed: its members lie in JSON, or with an owner who writes
 * them, until someone asks for the first of them.  Text is in the read buffer or in
 * the arena, as a record's.
 *
 * Where the arena is full the tree is marked as such and the record goes on as it
 * was before the first change: a filter need not undo anything.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <sys/queue.h>

#include "memory.h"
#include "slice.h"

enum shape_kind {
	SHAPE_TEXT,   /* bytes, as they are: the writer escapes them */
	SHAPE_SCALAR, /* a number, true, false or null, as JSON has it */
	SHAPE_MAP,
	SHAPE_LIST,
};

/* The owner of a closed map's members: he writes them as JSON, braces included. */
struct shape_owner {
	size_t (*room)(const void *of); /* bytes, at most */
	char *(*write)(char *to, const void *of);
	const void *of;
};

TAILQ_HEAD(shape_members, shape_node);

struct shape_node {
	TAILQ_ENTRY(shape_node) in;   /* shape_next() */
	struct shape_members members; /* of a map or list that is open: shape_first() */
	struct slice name;            /* bytes, as they are; no two in a map are alike */
	struct slice text;            /* TEXT and SCALAR; of a closed one without owner: JSON */
	const struct shape_owner *owner;
	enum shape_kind kind;
	bool closed;
};

/* Maps and lists within each other, the root included: a filter goes no deeper. */
#define SHAPE_DEPTH 32

struct shape {
	struct arena arena;
	struct shape_node *root; /* a map, open */
	bool full;               /* the arena had no room: the record goes on unchanged */
	struct slice apart; /* where fields go that have no place at the root: log_parsed … */
	struct slice apart_within; /* … extra; empty: directly */
};

/**
 * shape_init(s, size), shape_fini(s):
 * Give ${s} an arena of ${size} bytes; free it.
 */
void shape_init(struct shape *s, size_t size);
void shape_fini(struct shape *s);

/**
 * shape_clear(s):
 * Make ${s} an empty tree for another record.
 */
void shape_clear(struct shape *s);

/* ---- to read */

/**
 * shape_first(s, node), shape_next(node):
 * The first member of the map or list ${node}, which is opened; the one behind
 * ${node}.  NULL: there is none (or no room to open it: s->full).  A value of more
 * than 512 members becomes text as it is opened, as json_mend() has it.
 */
struct shape_node *shape_first(struct shape *s, struct shape_node *node);

static inline struct shape_node *
shape_next(struct shape_node *node)
{
	return TAILQ_NEXT(node, in);
}

/**
 * shape_get(s, map, name), shape_at(s, list, i):
 * The member ${name} of ${map}; the ${i}-th of ${list}, from 0.  NULL: there is none, or
 * ${map} is no map, ${list} no list.
 */
struct shape_node *shape_get(struct shape *s, struct shape_node *map, struct slice name);
struct shape_node *shape_at(struct shape *s, struct shape_node *list, size_t i);

/**
 * shape_text(s, node):
 * The value of ${node} as text: its bytes, or its JSON (of a map or list, in the arena).
 */
struct slice shape_text(struct shape *s, struct shape_node *node);

/* ---- to change; NULL and false: no room */

/**
 * shape_put(s, map, name):
 * The member ${name} of ${map} at its place, or a new one at the end; an empty TEXT
 * in either case.  In a list a new element, ${name} is unused.  The bytes of ${name} stay
 * the caller's and live as long as the record: shape_keep() copies.
 */
struct shape_node *shape_put(struct shape *s, struct shape_node *map, struct slice name);

/**
 * shape_set(node, kind, text), shape_set_json(s, node, text):
 * Make ${node} a value: TEXT, SCALAR (valid JSON), or an empty MAP or LIST, open; or
 * what the valid JSON ${text} is (a map or list stays closed).  The bytes stay the caller's.
 */
void shape_set(struct shape_node *node, enum shape_kind kind, struct slice text);
bool shape_set_json(struct shape *s, struct shape_node *node, struct slice text);

/**
 * shape_copy(s, to, from):
 * Make the value of ${to} that of ${from}, members and all; names stay.
 */
bool shape_copy(struct shape *s, struct shape_node *to, struct shape_node *from);

/**
 * shape_remove(map, node):
 * Take ${node} out of the open ${map}.  It stays what it is, and may be added elsewhere.
 */
void shape_remove(struct shape_node *map, struct shape_node *node);

/**
 * shape_add(s, map, node):
 * Put ${node}, which is in no map, at the end of ${map}, in place of another of its name.
 */
void shape_add(struct shape *s, struct shape_node *map, struct shape_node *node);

/**
 * shape_keep(s, text):
 * A copy of ${text} in the arena; at is NULL where there is no room.
 */
struct slice shape_keep(struct shape *s, struct slice text);

/**
 * shape_join(s, a, b):
 * ${a} and ${b} behind each other, in the arena; at is NULL where there is no room.
 */
struct slice shape_join(struct shape *s, struct slice a, struct slice b);

/**
 * shape_map(s, map, name):
 * The member ${name} of ${map} as an open map, made where there is none; a value of another
 * kind that has the name goes into it.
 */
struct shape_node *shape_map(struct shape *s, struct shape_node *map, struct slice name);

/**
 * shape_apart(s):
 * The open map of fields that have no place at the root.
 */
struct shape_node *shape_apart(struct shape *s);

/**
 * shape_field_put(s, map, f):
 * Put a parser's field into ${map}.
 */
struct field;
bool shape_field_put(struct shape *s, struct shape_node *map, const struct field *f);

/* ---- to write */

/**
 * shape_room(node), shape_write(to, node):
 * The most bytes that the value of ${node} takes as JSON; write it, return the end.
 */
size_t shape_room(const struct shape_node *node);
char *shape_write(char *to, const struct shape_node *node);

#endif
