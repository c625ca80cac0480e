/* What every unit test needs before cmocka. */
#ifndef UNIT_H
#define UNIT_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "slice.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define assert_slice(got, want)                                                                    \
	do {                                                                                       \
		struct slice got_ = (got), want_ = slice_of(want);                                 \
		if (!slice_eq(got_, want_))                                                        \
			fail_msg("got '%.*s', want '%s'", (int)got_.len, got_.at, want_.at);       \
	} while (0)

/* A copy of the text that ends where its memory ends: a read beyond it is seen. */
static inline struct slice
exact(struct slice s)
{
	char *copy = malloc(s.len ? s.len : 1);

	if (s.len > 0)
		memcpy(copy, s.at, s.len);
	return (struct slice){ copy, s.len };
}

static inline void
exact_free(struct slice s)
{
	union {
		const char *at;
		void *memory;
	} u = { s.at };

	free(u.memory);
}

static inline int
unit_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* Remove a directory and all that is in it. */
static inline int
unit_remove(const char *dir)
{
	return nftw(dir, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
