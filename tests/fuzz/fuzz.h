/*
 * What each target of libFuzzer is made of: fuzz() gets bytes, and WRONG() ends the
 * process where the code and the target's oracle differ.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "unit.h"

#include <unistd.h>

#include "chance.h"

static void fuzz(struct slice input);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer's copy ends where its memory ends: a read beyond it is seen. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz((struct slice){ (const char *)data, size });
	return 0;
}

#define WRONG(...)                                                                                 \
	do {                                                                                       \
		fprintf(stderr, "WRONG: " __VA_ARGS__);                                            \
		fputc('\n', stderr);                                                               \
		abort();                                                                           \
	} while (0)

/* For WRONG: a slice by %.*s. */
#define SHOW(s) (int)(s).len, (s).at

/* Chance is seeded by the last eight bytes of the input, which are cut off. */
static inline struct slice
fuzz_chance(struct slice input)
{
	uint64_t seed = 0;
	size_t n = least(input.len, sizeof(seed));

	if (n > 0)
		memcpy(&seed, input.at + input.len - n, n);
	chance = (seed * UINT64_C(0x9e3779b97f4a7c15)) ^ UINT64_C(88172645463325252);
	chance += chance == 0;
	any(2);
	input.len -= n;
	return input;
}

static inline void
fuzz_leave(void)
{
	char dir[64];

	if (getcwd(dir, sizeof(dir)) != NULL)
		unit_remove(dir);
}

/*
 * A directory for the input's files, once: fuzz.py's, or one that stays when the process
 * does not end in order.  True: it is new.
 */
static inline bool
fuzz_place(void)
{
	static char dir[] = "/dev/shm/towline-fuzz-XXXXXX";
	static bool ready;
	const char *to = getenv("FUZZ_DIR");

	if (ready)
		return false;
	if (to == NULL && (to = mkdtemp(dir)) != NULL)
		atexit(fuzz_leave);
	if (to == NULL || chdir(to) != 0)
		abort();
	return ready = true;
}

#endif
