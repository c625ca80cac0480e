/* Why letters are left: each distinct reason once, with how many and where the first stands. */
#ifndef REPLAY_WHY_H
#define REPLAY_WHY_H

#include <stdint.h>
#include <stdio.h>

#define WHY_MAX 512
#define WHYS 32 /* kept apart; all further ones are one */

struct why_table {
	struct {
		char text[WHY_MAX];
		uint64_t line, count;
	} at[WHYS + 1];
	unsigned n;
};

/**
 * why_count(t, text, line):
 * Count one more letter, at ${line}, with this reason.
 */
void why_count(struct why_table *t, const char *text, uint64_t line);

/**
 * why_print(t, file, to):
 * A line for each, as FILE:LINE: how many, and the reason.
 */
void why_print(const struct why_table *t, const char *file, FILE *to);

/**
 * why_without(to, reason, id):
 * Copy ${reason} to ${to}, which is as large, with a star for ${id}: servers
 * name the document, and one reason would be thousands.
 */
void why_without(char *to, const char *reason, const char *id);

#endif
