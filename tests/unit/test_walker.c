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

static struct entry_name
name_of(unsigned char journal, uint64_t seqnum, uint64_t realtime)
{
	return (struct entry_name){
		.seqnum_id.at[0] = journal, .seqnum = seqnum, .realtime = realtime
	};
}

/* The system's journal, 1, rotated at number 101, and a user's, 2, between. */
static void
test_the_first_entry_of_a_file_that_begins_behind(void **state)
{
	static const struct {
		unsigned char of;
		uint64_t at, to_of, to;
		bool want;
	} cases[] = {
		{ 1, 10, 1, 11, false }, { 1, 10, 1, 50, false }, /* a user's are between */
		{ 1, 100, 1, 101, false },                        /* nothing is */
		{ 1, 90, 1, 101, true }, { 1, 90, 1, 102, true },
		{ 1, 10, 2, 11, false }, /* a file that was begun before … */
		{ 1, 150, 2, 151, false }, { 2, 20, 1, 21, false },
		{ 2, 20, 1, 101, true }, /* … and one after */
		{ 2, 102, 1, 103, false }, { 1, 3, 2, 5, true },
		{ 1, 3, 3, 9, false }, /* a file that is not known */
	};
	struct journal_file at[] = {
		{ .seqnum_id.at[0] = 1, .head = 1, .tail = 100, .head_at = 1, .newest = 100 },
		{ .seqnum_id.at[0] = 1, .head = 101, .tail = 200, .head_at = 101, .newest = 200 },
		{ .seqnum_id.at[0] = 2, .head = 5, .tail = 180, .head_at = 5, .newest = 180 },
	};
	struct journal_files files = { .at = at, .n = 3 };
	struct entry_name unknown = name_of(4, 9, 9), before = name_of(4, 7, 7);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct entry_name a = name_of(cases[i].of, cases[i].at, cases[i].at);
		struct entry_name b = name_of(cases[i].to_of, cases[i].to, cases[i].to);

		assert_int_equal(headers_begins_behind(&files, &b, &a), cases[i].want);
	}
	assert_true(headers_begins_behind(&files, &unknown, &before));
	files.n = 0;
	assert_true(headers_begins_behind(&files, &unknown, &before));
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
		cmocka_unit_test(test_the_first_entry_of_a_file_that_begins_behind),
		cmocka_unit_test(test_a_loss_of_nobody_knows_how_many_ends_where_reading_went_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
