/*
 * Whatever moves, in any order: logs that are written, renamed, copied and
 * truncated, compressed, under a reader that is refused, parked and killed, on
 * a clock of our own.  Each line is delivered once and counted once, and each
 * side's in their order.
 *
 *	MOVES_SEED=n     this seed alone, and say what happens
 *	MOVES_SEEDS=n    as far as this one, from MOVES_FROM=n on (1)
 *	MOVES_KINDS=a,b  these kinds of moves alone, in each of them
 *	ALL=1            also the kinds that are red today
 */
#include "metrics.h"
#include "moves_disk.h"
#include "moves_start.h"

#define SEEDS 60
#define STEPS 120

/* In the order of the bits; why one is red is what its seeds have shown. */
static const struct kind all_kinds[] = {
	{ "copy", NULL },
	{ "rename", NULL },
	{ "park", NULL },
	{ "half", NULL },
	{ "late", NULL },
	{ "gz-early", NULL },
	{ "gz-short", NULL },
	{ "hole", "the copy of what begins with NUL bytes is not found after the truncation" },
	{ "stays", NULL },
	{ "banner", NULL },
	{ "equal", NULL },
	{ "takeover", NULL },
	{ "paths", NULL },
	{ "numbers", NULL },
	{ "power",
	    "12 seeds of 300: what is read again from the middle of a record comes or counts twice" },
	{ "eio", NULL },
	{ "own", NULL },
	{ "midst", NULL },
	{ "crowd", NULL },
};

#define EXTRA (~(unsigned)(COPY | RENAME | PARK | EQUAL | OWN | MIDST))

/* ---- moves */

static void
copy_away(struct world_log *log)
{
	TRACE("copytruncate\n");
	log_copy(log);
	assert_int_equal(truncate(log->path, 0), 0);
}

static void
copytruncate(struct world *w, struct world_log *log)
{
	if (log->nold == CONTENTS)
		return;
	if (any(2) == 0) {
		turn(w);
		tail_count(w->tail);
	}
	TRACE("copytruncate\n");
	midst = NULL;
	log_copy(log);
	if (any(2) == 0)
		turn(w); /* it meets the copy beside the original */
	assert_int_equal(truncate(log->path, 0), 0);
}

/* Half of the equal ones are met before they are renamed. */
static void
rotate(struct world *w, struct world_log *log)
{
	if (kinds & EQUAL && any(2) == 0) {
		for (unsigned i = 0; i < 3; i++) {
			now_ns += 40 * NS_PER_MS;
			turn(w);
		}
		log->live->met = true;
	}
	rename_away(log);
}

/* Of a directory that is being listed. */
static void
midst_move(void)
{
	struct world_log *log = &logs[any(nlogs)];

	TRACE("IN THE MIDST\n");
	if (kinds & RENAME)
		rename_away(log);
	else if (log->nold < CONTENTS)
		copy_away(log);
	for (unsigned n = any(3); n > 0; n--)
		line_write(log, log->live, false);
}

static void
extra_step(struct world *w)
{
	struct world_log *log = &logs[any(nlogs)];

	if (kinds & FAILS && any(2) == 0)
		disk_fail_soon();
	if (kinds & MIDST && any(4) == 0)
		midst = midst_move;
	switch (any(3)) {
	case 0:
		if (kinds & LATE)
			late_write(log);
		break;
	case 1:
		if (kinds & (EARLY | SHORT))
			some_pack(w, log);
		break;
	default:
		if (kinds & POWER && any(3) == 0)
			power_cut(w);
	}
}

static void
step(struct world *w)
{
	struct world_log *log = &logs[any(nlogs)];

	switch (any(16)) {
	case 0:
		if (kinds & COPY)
			copytruncate(w, log);
		break;
	case 1:
		if (kinds & RENAME)
			rotate(w, log);
		break;
	case 2:
		if (!(kinds & LATE) || any(4) == 0)
			writers_end(log, counts_post, w);
		break;
	case 3:
		life_ends(w);
		life_begins(w);
		if (kinds & MIDST && any(2))
			midst = midst_move;
		break;
	case 4:
		room = any(3) * any(20);
		TRACE("room %u\n", room);
		break;
	case 5:
		counts_post(w);
		break;
	case 6:
		if (kinds & PARK)
			some_park(w);
		break;
	case 7:
		records_unpark(w->book);
		break;
	case 8:
	case 9:
		some_settle(w);
		break;
	case 10:
		now_ns += any(3) * 40 * NS_PER_MS;
		break;
	default:
		lines_write();
	}
	if (kinds & EXTRA && any(4) == 0)
		extra_step(w);
	for (unsigned n = any(4); n > 0; n--)
		turn(w);
}

static int64_t took; /* ns until all had come */

static void
finish(struct world *w)
{
	unsigned patience = kinds & STAYS ? 60 * ncontents : 0;
	int64_t began = now_ns;

	TRACE("FINISH\n");
	reads_left = lists_left = 0;
	midst = NULL;
	for (unsigned i = 0; i < nlogs; i++) {
		if (any(2) || !(kinds & HALF))
			rest_write(&logs[i], logs[i].live);
		rest_is_due(&logs[i]);
		writers_end(&logs[i], counts_post, w);
		for (unsigned j = 0; j < logs[i].nold; j++) {
			if (logs[i].old[j]->packed == CUT)
				pack_go_on(logs[i].old[j]);
		}
	}
	for (unsigned i = 0; i < 3000 && (!all_came() || nsent > 0); i++) {
		room = 1000;
		records_unpark(w->book);
		if (i % 100 == 99 && i >= patience)
			now_ns += 200 * NS_PER_S; /* what is open ends */
		turn(w);
		all_settle(w);
	}
	took = now_ns - began;
}

/* ---- judged */

/*
 * A rotated file is one with another that begins with all that it has, when they are
 * met: of those that were not met before, that many banners may be missing.
 */
static void
equal_price(void)
{
	const struct world_log *log = &logs[0];
	unsigned unmet = 0;

	for (unsigned i = 0; i <= log->nold; i++) {
		const struct written *c = i < log->nold ? log->old[i] : log->live;

		unmet += (!c->filled || c->bare) && !c->met;
	}
	unmet -= unmet == log->nold + 1;
	for (unsigned i = 0; i < nbanners; i++)
		fates[i].least -= unmet < fates[i].least ? unmet : fates[i].least;
}

static unsigned
wrong_line(unsigned i)
{
	const struct fate *f = &fates[i];

	if (f->delivered >= f->least && f->delivered <= f->due && f->counted >= f->least &&
	    f->counted <= f->due)
		return 0;
	print_message("  line %u of %u: delivered %u, counted %u, due %u\n", i, nlines,
	    f->delivered, f->counted, f->due);
	return 1;
}

/* Was the line offered before `other`, which stands before it on its side? */
static bool
is_out_of_order(const struct writing *other, const struct writing *wr)
{
	if (other->log != wr->log || other->side != wr->side || other->line < nbanners ||
	    other->torn || fates[other->line].offered <= fates[wr->line].offered)
		return false;
	if (prefixed && other->content != wr->content) /* it may be a log of its own */
		return false;
	/* Late bytes do not wait for an older record that is open. */
	return !wr->late && (other->content == wr->content || (kinds & RENAME && !other->late));
}

static unsigned
wrong_order(unsigned i)
{
	const struct writing *wr = &writings[i];

	for (unsigned j = 0; j < i && wr->line >= nbanners && !wr->torn; j++) {
		if (fates[wr->line].offered == 0 || !is_out_of_order(&writings[j], wr))
			continue;
		print_message("  line %u came before line %u (contents %u and %u)\n", wr->line,
		    writings[j].line, wr->content, writings[j].content);
		return 1;
	}
	return 0;
}

/* A cut line at the end, whose further parts never come whole, waits for them. */
static bool
chain_is_open(void)
{
	bool open[LOGS][SIDES] = { { false } }, any = false;

	for (unsigned i = 0; i < nwritings; i++) {
		if (writings[i].late) /* in a log of its own, with a chain of its own */
			return true;
		if (writings[i].end != UINT64_MAX)
			open[writings[i].log][writings[i].side] = writings[i].cut;
	}
	for (unsigned i = 0; i < nlogs; i++)
		any |= open[i][SIDE_STDOUT] || open[i][SIDE_STDERR];
	return any;
}

/* Who says nothing more holds up what comes behind for Rotate_Wait, and a turn or two. */
static unsigned
wrong_wait(const struct tail_conf *conf)
{
	int64_t most = 2 * NS_PER_S + conf->flush * NS_PER_MS +
		       (ncontents + 1) * (conf->rotate_wait + 80 * NS_PER_MS);

	if (!(kinds & STAYS) || conf->flush > 1000 || chain_is_open() || took <= most)
		return 0;
	print_message("  what was left took %lld ms, of %lld at most\n",
	    (long long)(took / NS_PER_MS), (long long)(most / NS_PER_MS));
	return 1;
}

/* Each read that failed is counted. */
static unsigned
wrong_failures(void)
{
	unsigned long long counted = metrics.read_errors[READ_IO];

	if (counted == failed)
		return 0;
	print_message("  %u reads failed, %llu are counted\n", failed, counted);
	return 1;
}

/* A record that was certainly never sent is in no index. */
static unsigned
wrong_fresh(void)
{
	if (taken_before > 0)
		print_message("  %u records said to be new were there\n", taken_before);
	return taken_before;
}

static unsigned
judge(const struct tail_conf *conf)
{
	unsigned wrong = wrong_wait(conf) + wrong_failures() + wrong_fresh();

	if (kinds & EQUAL)
		equal_price();
	for (unsigned i = 0; i < nlines; i++)
		wrong += wrong_line(i);
	for (unsigned i = 0; i < nwritings; i++)
		wrong += wrong_order(i);
	if (wrong == 0)
		return 0;
	print_message("seed %u: %u wrong, kinds ", seed, wrong);
	kinds_print(stdout, kinds, all_kinds, COUNT(all_kinds));
	print_message("\n");
	return wrong;
}

/* ---- seeds */

/* Some kinds have no sense without another, or with it. */
static unsigned
kinds_fit(unsigned mask)
{
	if (mask & EQUAL)
		mask |= BANNER;
	if (mask & FAILS && getenv("ALL") == NULL)
		mask &= ~(unsigned)(BANNER |
				    EQUAL); /* three seeds of 200: the disk fails as one is named */
	if (mask & BANNER) /* of a .gz the first line is asked: here it tells nothing */
		mask &= ~(unsigned)(EARLY | SHORT);
	if (mask & MIDST &&
	    getenv("ALL") == NULL) /* 2 seeds of 100: a copy, a banner comes twice */
		mask &= ~(unsigned)(mask & COPY ? EQUAL | PATHS | FAILS : EQUAL);
	if (mask & MIDST && mask & PATHS)
		mask &= ~(unsigned)TAKEOVER;
	/*
	 * What is known: a file that was read and is closed, and one that had no room while it was
	 * the live one and begins with all that the other has (a banner; a banner and half a line),
	 * are one content.  A file without room at the first start begins at its head, whatever a DB
	 * says.  Names that tell nothing make logs that make no room: by this clock none is quiet.
	 * What is not: reads that fail while names change (2 seeds of 200).
	 */
	if (mask & CROWD && getenv("ALL") == NULL)
		mask &= ~(unsigned)(EQUAL | TAKEOVER | (mask & BANNER ? HALF : 0) |
				    (mask & MIDST ? PATHS | FAILS : 0));
	if (mask & NUMBERS)
		return mask & ~(unsigned)(COPY | RENAME | LATE | EARLY | SHORT | STAYS | TAKEOVER |
					  PATHS | HOLE | MIDST);
	if (mask & (LATE | EARLY | STAYS | BANNER | TAKEOVER))
		return (mask | RENAME) & ~(unsigned)(COPY | HOLE);
	if (mask & HOLE)
		return (mask | COPY) & ~(unsigned)RENAME;
	if (!(mask & (COPY | RENAME)))
		mask |= 1u << any(2);
	return mask;
}

/* The n-th of a mask. */
static unsigned
kind_of(unsigned mask, unsigned n)
{
	for (; n > 0; n--)
		mask &= mask - 1;
	return mask & -mask;
}

static unsigned
kinds_choose(void)
{
	const char *only = getenv("MOVES_KINDS");
	unsigned extra = kinds_allowed(all_kinds, COUNT(all_kinds)) & EXTRA;
	unsigned mask = 1u << any(2) | (any(2) ? PARK : 0);

	if (only != NULL)
		return kinds_fit(kinds_of(only, all_kinds, COUNT(all_kinds)));
	for (unsigned n = any(3); n > 0; n--)
		mask |= kind_of(extra, any((unsigned)__builtin_popcount(extra)));
	if (seed % 3 == 0)
		mask |= OWN;
	if (seed % 5 == 4)
		mask = any(2) ? mask | MIDST : (mask & ~(unsigned)COPY) | RENAME | PATHS | MIDST;
	if (mask & BANNER && any(2))
		mask |= EQUAL;
	if (mask & LATE && getenv("ALL") == NULL)
		mask &= ~(unsigned)EARLY; /* a .gz is taken for its file, which has more: red */
	return kinds_fit(mask);
}

static void
one(struct world *w)
{
	static const int64_t flushes[] = { 20, 500, 100000 };

	chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	kinds = kinds_choose();
	room = 10;
	ndocuments = failed = taken_before = 0;
	metrics.read_errors[READ_IO] = 0;
	w->conf.flush = flushes[any(3)];
	w->conf.rotate_wait = 100 * NS_PER_MS;
	w->conf.held_deleted_limit = 0;
	w->conf.max_files = kinds & CROWD ? 6 + (int)any(8) : 1000;
	world_begins(w);
	if (kinds & TAKEOVER)
		fluent_bit_was_here(w);
	life_begins(w);
	for (unsigned n = 10 + any(STEPS); n > 0; n--)
		step(w);
	finish(w);
	if (!tracing)
		return;
	tail_print(w->tail);
	shell("ls -li %s/pods/*/agent %s/plain", w->dir, w->dir);
}

static void
test_any_moves(void **state)
{
	const char *only = getenv("MOVES_SEED");
	unsigned wrong = 0, first = number_of(only != NULL ? "MOVES_SEED" : "MOVES_FROM", 1);
	unsigned last = only != NULL ? first : number_of("MOVES_SEEDS", SEEDS);

	(void)state;
	tracing = only != NULL;
	for (seed = first; seed <= last; seed++) {
		void *world;

		setup(&world);
		range_book_free(((struct world *)world)->book);
		one(world);
		wrong += judge(&((struct world *)world)->conf) > 0;
		while (nsent > 0)
			sent_drop(0);
		free(((struct world *)world)->conf.db);
		world_free();
		teardown(&world);
	}
	print_message("%u seeds wrong\n", wrong);
	free(documents);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_moves) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
