/* Ruby's regular expressions, written as PCRE2 wants them. */
#ifndef RUBY_H
#define RUBY_H

#include <stdint.h>

#include "memory.h"

#define RUBY_NAMES 64
#define RUBY_NAME_MAX 128

/* A callout of PCRE2's, put where the work of a match is counted. */
#define RUBY_MARK "(?C1)"

/* Group names: the i-th is called n<i> in the translation, so that any name is allowed. */
struct ruby {
	struct buffer text;
	struct slice names[RUBY_NAMES]; /* parts of the source */
	size_t nnames;
	bool defined[RUBY_NAMES]; /* false: the name is only referred to */
	bool ahead;               /* it has a lookahead, (?= */
	bool far;                 /* it has a backreference, or a count of a hundred or more */
	uint32_t options; /* PCRE2_CASELESS, …; PCRE2_UTF where it has characters beyond ASCII */
};

/**
 * ruby_translate(source, out, error, size), ruby_fini(out):
 * Translate; ${source} outlives ${out}.  Return 0, or -1 with the reason.
 */
int ruby_translate(const char *source, struct ruby *out, char *error, size_t size);
void ruby_fini(struct ruby *r);

#endif
