/*
 * The place of a value in a record's tree, as Fluent Bit writes it: a name of the
 * record, or a record accessor.
 *
 *	log	$log	$kubernetes['labels']['app.kubernetes.io/name']	$list[0]['x']
 */
#ifndef ACCESSOR_H
#define ACCESSOR_H

#include "shape.h"

#define ACCESSOR_STEPS 10

struct accessor {
	struct accessor_step {
		struct slice name; /* part of the text that was read */
		size_t index;      /* of a list */
		bool is_index;
	} steps[ACCESSOR_STEPS];
	size_t n;
};

/**
 * accessor_read(text, a):
 * Read ${text}, whose bytes stay the caller's and outlive ${a}.  Without a `$` in front it
 * is one name.  Return NULL, or the mistake.
 */
const char *accessor_read(struct slice text, struct accessor *a);

/**
 * accessor_take(text, a, stops):
 * The same of an accessor within ${*text}, which begins behind its `$`: a name ends at
 * one of ${stops}, at a blank or a bracket; ${*text} goes on behind the accessor.
 */
const char *accessor_take(struct slice *text, struct accessor *a, const char *stops);

/**
 * accessor_name_is(name, asked):
 * True for the same name; a dot of ${asked} is an underscore where dots are replaced.
 */
bool accessor_name_is(struct slice name, struct slice asked);

/**
 * accessor_find(a, s):
 * The value that ${a} names in ${s}; NULL: there is none.  Dots in the keys of a pod's labels
 * and annotations may be replaced; ${a} has them as Kubernetes has.
 */
struct shape_node *accessor_find(const struct accessor *a, struct shape *s);

#endif
