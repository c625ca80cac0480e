/*
 * Kinds of moves of a simulation: bits of a mask, in the order of a table.
 * Those without `why` are in the default run.  The others are not, as the
 * fault that `why` names is in the program today: ALL=1 has them run, too.
 */
#ifndef KINDS_H
#define KINDS_H

#include "unit.h"

struct kind {
	const char *name;
	const char *why; /* it is not in the default run; NULL: it is */
};

/* The kinds that a text names, separated by commas. */
static inline unsigned
kinds_of(const char *names, const struct kind *all, unsigned n)
{
	unsigned mask = 0;

	while (*names != '\0') {
		size_t len = strcspn(names, ",");
		unsigned i = 0;

		while (i < n && (strlen(all[i].name) != len || memcmp(all[i].name, names, len)))
			i++;
		if (i == n)
			fail_msg("no kind is called %.*s", (int)len, names);
		mask |= 1u << i;
		names += len + (names[len] == ',');
	}
	return mask;
}

/* Those that may be in a run. */
static inline unsigned
kinds_allowed(const struct kind *all, unsigned n)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < n; i++) {
		if (all[i].why == NULL || getenv("ALL") != NULL)
			mask |= 1u << i;
	}
	return mask;
}

static inline void
kinds_print(FILE *to, unsigned mask, const struct kind *all, unsigned n)
{
	const char *between = "";

	for (unsigned i = 0; i < n; i++) {
		if (!(mask & 1u << i))
			continue;
		fprintf(to, "%s%s", between, all[i].name);
		between = ",";
	}
}

/* A number from the environment. */
static inline unsigned
number_of(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value == NULL ? otherwise : (unsigned)strtoul(value, NULL, 10);
}

#endif
