/* What a reader of a journal says to be lost; whole journals: tests/e2e/test_systemd.py. */
#include "unit.h"

#include "../../src/journal/walker.h"
#include "metrics.h"

struct loss {
	unsigned char journal; /* whose numbers */
	uint64_t at;           /* the last entry that was read */
	uint64_t n;            /* entries behind it that are missing */
	uint64_t from, to;     /* of a file that is gone since */
	uint64_t want;         /* of them, said */
};

static void
check(const struct loss *losses)
{
	struct journal journal = { .name = (char[]){ "journal" } };
	struct walker w = { .journal = &journal, .here.any = true };

	for (; losses->at != 0; losses++) {
		uint64_t before = atomic_load(&metrics_journal.lost);

		w.here.at.seqnum_id.at[0] = losses->journal;
		w.here.at.seqnum = losses->at;
		if (losses->to > losses->from)
			walker_gone(&w, &w.here.at.seqnum_id, losses->from, losses->to);
		walker_missing(&w, losses->n);
		assert_int_equal(atomic_load(&metrics_journal.lost) - before, losses->want);
	}
}

static void
test_a_loss_is_said_once(void **state)
{
	(void)state;
	check((struct loss[]){
	    { 1, 10, 0, 0, 0, 0 },
	    { 1, 10, 90, 0, 0, 90 },   /* a file, */
	    { 1, 10, 90, 0, 0, 0 },    /* … */
	    { 1, 10, 190, 0, 0, 100 }, /* and the next one, */
	    { 1, 5, 195, 0, 0, 5 },    /* and what was read, and not delivered; */
	    { 1, 200, 50, 0, 0, 50 },  /* behind them, */
	    { 1, 400, 10, 0, 0, 10 },  /* elsewhere, */
	    { 2, 400, 10, 0, 0, 10 },  /* in another journal */
	    { 0 },
	});
}

/* Of files behind the one that is read, one after the other; then that one goes, too. */
static void
test_a_file_that_is_gone_is_said_once(void **state)
{
	(void)state;
	check((struct loss[]){
	    { 1, 10, 0, 50, 150, 100 },
	    { 1, 10, 0, 150, 250, 100 },
	    { 1, 20, 0, 250, 350, 100 },
	    { 1, 20, 330, 20, 50, 30 },
	    { 1, 20, 430, 350, 449, 100 }, /* its header was not the newest */
	    { 1, 20, UINT64_MAX, 0, 0, 1 },
	    { 0 },
	});
}

static void
test_a_loss_of_nobody_knows_how_many_ends_where_reading_went_on(void **state)
{
	(void)state;
	check((struct loss[]){
	    { 1, 10, UINT64_MAX, 0, 0, 1 },
	    { 1, 10, UINT64_MAX, 0, 0, 0 },
	    { 1, 10, 50, 0, 0, 0 },
	    { 1, 100, 20, 0, 0, 20 },
	    { 1, 100, 20, 0, 0, 0 },
	    { 1, 100, UINT64_MAX, 0, 0, 1 },
	    { 1, 100, UINT64_MAX, 0, 0, 0 },
	    { 1, UINT64_MAX - 5, 3, 0, 0, 3 },
	    { 0 },
	});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_loss_is_said_once),
		cmocka_unit_test(test_a_file_that_is_gone_is_said_once),
		cmocka_unit_test(test_a_loss_of_nobody_knows_how_many_ends_where_reading_went_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
