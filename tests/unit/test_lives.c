/*
 * Lives of a reader, each a process that ends in order or is killed, over files
 * that are written, rotated, compressed and truncated between its turns; by a
 * seed.  The clock is ours: what waits for time costs none.
 *
 *	SEED=n LIVES=n   the first seed, and how many of them
 *	LIVES_KINDS=a,b  these kinds of moves alone, in each of them
 *	ALL=1            also the kinds that are red today
 *	TRACE=1          say what happens
 *	KEEP=1           keep the files of a seed that failed
 */
#include "kinds.h"
#include "lives_judge.h"
#include "lives_reader.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "voice.h"

#define SEEDS 50

/* In the order of the bits; why one is red is what its seeds have shown. */
static const struct kind all_kinds[] = {
	{ "half", NULL },
	{ "late", NULL },
	{ "gz-early", NULL },
	{ "gz-short", NULL },
	{ "stays", NULL },
	{ "banner", "the time of a first line is taken for its own: two with the same are one" },
	{ "own", NULL },
};

/* Of a seed. */
static unsigned
kinds_choose(void)
{
	const char *only = getenv("LIVES_KINDS");
	unsigned mask = 0, allowed = kinds_allowed(all_kinds, COUNT(all_kinds));

	if (only != NULL)
		return kinds_of(only, all_kinds, COUNT(all_kinds));
	for (unsigned n = any(3); n > 0; n--)
		mask |= allowed & 1u << any(COUNT(all_kinds));
	return mask;
}

struct lives {
	unsigned seed;
	char dir[64];
	bool filters;
};

/* In a process of its own. */
static void
life_run(const struct lives *all, unsigned number, bool last, int ask, int answer)
{
	struct life *l = xcalloc(1, sizeof(*l));

	chance = ((uint64_t)all->seed << 20) + number * 7919 + 88172645463325252ULL;
	any(2);
	voice_level(VOICE_ERROR);
	if (tracing)
		voice_level(VOICE_DEBUG);
	points = last || one_in(3) ? 0 : 1 + any(1 << any(11));
	trace("life %u of seed %u begins", number, all->seed);
	life_begins(l, all->dir, all->filters);
	if (last)
		life_heals(l);
	else
		life_lives(l, ask, answer);
	life_ends(l);
	free(l);
	trace("life %u ends", number);
	_exit(0);
}

static bool
life_watch(const struct lives *all, unsigned number, bool last)
{
	int ask[2], answer[2], status = 0;
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ask, O_CLOEXEC) | pipe2(answer, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(ask[0]);
		close(answer[1]);
		world_leave();
		life_run(all, number, last, ask[1], answer[0]);
	}
	close(ask[1]);
	close(answer[0]);
	while (read(ask[0], &byte, 1) == 1) {
		world_step();
		if (write(answer[1], &byte, 1) != 1)
			break;
	}
	close(ask[0]);
	close(answer[1]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
}

/* ---- seeds */

static void
between_lives(void)
{
	if (one_in(2))
		time_passes(any(300) * NS_PER_MS);
	for (unsigned n = one_in(2) ? 0 : any(8); n > 0; n--)
		world_step();
}

static bool
lives_go(struct lives *all)
{
	unsigned lives = 3 + any(10);

	world_begins(all->dir);
	all->filters = one_in(3);
	for (unsigned i = 0; i < lives; i++) {
		if (!life_watch(all, i, false))
			return false;
		between_lives();
	}
	world_ends();
	return life_watch(all, lives, true);
}

static unsigned
lives_judge(const struct lives *all)
{
	char *server = xprintf("%s/server", all->dir);
	unsigned wrong;

	for (unsigned i = 0; i < ncontainers; i++)
		sources[i] = containers[i].sources;
	wrong = judge(server, all->filters);
	free(server);
	return wrong;
}

static unsigned
seed_run(unsigned seed)
{
	struct lives all = { .seed = seed, .dir = "/dev/shm/towline-lives-XXXXXX" };
	unsigned wrong;

	assert_non_null(mkdtemp(all.dir));
	chance = seed * 2654435761ULL + 88172645463325252ULL;
	any(2);
	kinds = kinds_choose();
	memset(shared, 0, sizeof(*shared));
	time_passes(NS_PER_S);
	wrong = lives_go(&all) ? lives_judge(&all) : 1;
	if (wrong > 0 || tracing) {
		fprintf(stderr, "SEED=%u: %u findings (%u lines, %u documents), kinds ", seed,
		    wrong, nunits, ndocuments);
		kinds_print(stderr, kinds, all_kinds, COUNT(all_kinds));
		fputc('\n', stderr);
	}
	world_free();
	if (wrong == 0 || getenv("KEEP") == NULL)
		unit_remove(all.dir);
	else
		fprintf(stderr, "%s is kept\n", all.dir);
	return wrong;
}

static void
test_any_lives(void **state)
{
	unsigned first = number_of("SEED", 0), n = number_of("LIVES", first > 0 ? 1 : SEEDS);
	unsigned wrong = 0;

	(void)state;
	tracing = getenv("TRACE") != NULL;
	shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	units = xcalloc(MOST_MARKS, sizeof(*units));
	for (unsigned i = 0; i < n; i++)
		wrong += seed_run(first + i) > 0;
	free(units);
	munmap(shared, sizeof(*shared));
	if (wrong > 0)
		fail_msg("%u of %u seeds", wrong, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_lives) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
