/* The reasons why letters are left: each once, with the number of its letters and the line of the first. */
#ifndef REPLAY_WHY_H
#define REPLAY_WHY_H

#include <stdint.h>
#include <stdio.h>

#define WHY_MAX 512
#define WHYS 32 /* reasons kept apart; all further ones share a row */

struct why_table {
	struct {
		char text[WHY_MAX];
		uint64_t line, count;
	} at[WHYS + 1];
	unsigned n;
};

/**
 * replay_why_count(t, text, line):
 * Count one more letter, at ${line}, with this reason.
 */
void replay_why_count(struct why_table *t, const char *text, uint64_t line);

/**
 * replay_why_print(t, file, to):
 * Print a line for each reason: FILE:LINE, the number of letters, the reason.
 */
void replay_why_print(const struct why_table *t, const char *file, FILE *to);

/**
 * replay_why_without(to, reason, id):
 * Copy ${reason} to ${to}, which is as large, with a star for ${id}: servers
 * name the document, which would make thousands of reasons of one.
 */
void replay_why_without(char *to, const char *reason, const char *id);

#endif
