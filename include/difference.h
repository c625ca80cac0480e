/*
 * What towline does otherwise than Fluent Bit with a configuration: one table
 * for `towline check --diff` and for docs/fluent-bit.md.
 */
#ifndef DIFFERENCE_H
#define DIFFERENCE_H

#include "conf.h"

/* The release that it was compared with. */
#define DIFFERENCE_VERSION "5.1.1"

/* When a row concerns a section. */
enum difference_when {
	DIFFERENCE_ALWAYS,
	DIFFERENCE_GIVEN,   /* the option is given */
	DIFFERENCE_ABSENT,  /* it is not */
	DIFFERENCE_SEVERAL, /* it, or one that shares its list, is given more than once */
	DIFFERENCE_ON,      /* its value, given or not, is on … */
	DIFFERENCE_OFF,     /* … or off */
	DIFFERENCE_LIMITED, /* it is given, and sets a limit … */
	DIFFERENCE_ENDLESS  /* … or says that there is none */
};

struct difference_condition {
	enum difference_when when;
	const char *option;
};

#define DIFFERENCE_CONDITIONS 3

struct difference {
	enum section_kind kind;
	const char *plugins; /* names, with blanks between; NULL: any of the kind */
	struct difference_condition all[DIFFERENCE_CONDITIONS]; /* each of them must hold */
	const char *what; /* the subject, for the row's head */
	const char *theirs, *ours;
	const char *old; /* what gives Fluent Bit's way; NULL: nothing does */
};

/* Ended by a row without subject. */
extern const struct difference difference_table[];

/**
 * difference_concerns(d, section):
 * True when the row ${d} concerns ${section}.
 */
bool difference_concerns(const struct difference *d, const struct section *section);

/**
 * difference_reference(to):
 * Print the rows of the table in docs/fluent-bit.md.
 */
void difference_reference(FILE *to);

#endif
