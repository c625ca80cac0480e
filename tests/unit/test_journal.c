/* A journal's cursor and its fields, by themselves; whole journals: tests/e2e/test_systemd.py. */
#include "unit.h"

#include "../../src/journal/entry.h"
#include "voice.h"

#define ID "0123456789abcdef0123456789ABCDEF"
#define CURSOR "s=" ID ";i=1f;b=" ID ";m=a;t=660d8dd397e58;x=d3fda5105f2601bb"

static void
test_a_cursor_is_read_and_written(void **state)
{
	struct entry_name name, again;
	char text[ENTRY_NAME];

	(void)state;
	assert_true(entry_name_read(SLICE(CURSOR), &name));
	assert_int_equal(name.seqnum, 31);
	assert_int_equal(name.monotonic, 10);
	assert_int_equal(name.realtime, 0x660d8dd397e58);
	assert_true(name.hash == 0xd3fda5105f2601bb);
	assert_int_equal(name.boot.at[15], 0xef);
	entry_name_write(&name, text);
	assert_true(entry_name_read(slice_of(text), &again));
	assert_true(entry_name_eq(&name, &again));
	assert_false(entry_name_behind(&again, &name));
	again.seqnum++;
	assert_true(entry_name_behind(&again, &name));
	assert_false(entry_name_behind(&name, &again));
	assert_false(entry_name_eq(&name, &again));
	assert_true(entry_name_alike(&name, &again));
	again.hash++;
	assert_false(entry_name_alike(&name, &again));
	again.seqnum_id.at[0]++; /* another journal's numbers say nothing */
	again.realtime++;        /* within one boot the clock may be set back */
	assert_false(entry_name_behind(&again, &name));
	again.monotonic++;
	assert_true(entry_name_behind(&again, &name));
	again.boot.at[0]++;
	again.monotonic = 0;
	assert_true(entry_name_behind(&again, &name));
}

static void
test_what_is_no_cursor(void **state)
{
	static const char *const wrong[] = {
		"",
		"s=",
		"s=" ID,
		"s=" ID ";i=1;b=" ID ";m=1;t=1",                     /* a part is missing */
		"s=" ID ";i=;b=" ID ";m=1;t=1;x=1",                  /* an empty number */
		"s=" ID ";i=1g;b=" ID ";m=1;t=1;x=1",                /* no digit */
		"s=" ID "0;i=1;b=" ID ";m=1;t=1;x=1",                /* a longer id */
		"s=" ID ";i=12345678123456781;b=" ID ";m=1;t=1;x=1", /* beyond 64 bits */
		CURSOR ";",                                          /* an empty part */
		";s=" ID ";i=1;b=" ID ";m=1;t=1;x=1",
		"s:" ID ";i=1;b=" ID ";m=1;t=1;x=1",
	};
	struct entry_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(entry_name_read(slice_of(wrong[i]), &name));
	for (size_t n = 0; n < sizeof(CURSOR) - 1;
	     n++) { /* its end may be cut: a number's digits */
		char *part = xslicedup((struct slice){ CURSOR, n });
		bool whole = n > strlen("s=" ID ";i=1f;b=" ID ";m=a;t=660d8dd397e58;x=");

		assert_int_equal(entry_name_read((struct slice){ part, n }, &name), whole);
		free(part);
	}
	assert_true(entry_name_read(SLICE(CURSOR ";z=new"), &name));
}

/* Fields of an entry, one a line, as "NAME=VALUE" of these data. */
static char *
shown(const struct journal_conf *conf, const struct slice *data, size_t n, struct entry *e)
{
	char *text = xstrdup("");

	entry_init(e, conf);
	entry_clear(e);
	for (size_t i = 0; i < n; i++) {
		char *copy = xslicedup(data[i]); /* a sanitizer sees each byte beyond it */

		entry_add(e, conf, (struct slice){ copy, data[i].len });
		free(copy);
	}
	for (int i = 0; i < e->nfields; i++) {
		char *more = xprintf("%s%.*s=%.*s%s\n", text, SLICE_ARG(e->fields[i].name),
		    SLICE_ARG(e->fields[i].value), e->fields[i].kind == VALUE_JSON ? "!" : "");

		free(text);
		text = more;
	}
	return text;
}

#define CONF .max_fields = 8000, .buffer_max_size = 4096

static void
test_fields(void **state)
{
	static const struct {
		struct journal_conf conf;
		struct slice data[6];
		const char *want, *unit;
		unsigned left_out;
		bool cut;
	} cases[] = {
		{ { CONF }, { SLICE("MESSAGE=a=b"), SLICE("_PID=1"), SLICE("EMPTY=") },
		    "MESSAGE=a=b\n_PID=1\nEMPTY=\n", "", 0, false },
		{ { CONF, .strip_underscores = true },
		    { SLICE("__A=1"), SLICE("_=2"), SLICE("B_C=3") }, "A=1\n_=2\nB_C=3\n", "", 0,
		    false },
		{ { CONF, .lowercase = true }, { SLICE("_SYSTEMD_UNIT=K.service"), SLICE("A1=X") },
		    "_systemd_unit=K.service\na1=X\n", "K.service", 0, false },
		{ { CONF }, { SLICE("A=1"), SLICE("B=\""), SLICE("A=2"), SLICE("A=\n") },
		    "A=[\"1\",\"2\",\"\\n\"]!\nB=\"\n", "", 0, false },
		/* What journald would not write. */
		{ { CONF },
		    { SLICE("none"), SLICE("=x"), SLICE("lower=x"), SLICE("1A=x"), SLICE("A B=x"),
			SLICE("A=y") },
		    "A=y\n", "", 4, false },
		{ { .max_fields = 1, .buffer_max_size = 4096 }, { SLICE("A=1"), SLICE("B=2") },
		    "A=1\n", "", 1, false },
		{ { .max_fields = 9, .buffer_max_size = 16 },
		    { SLICE("A=0123456789abcdef"), SLICE("B=2") }, "A=0123456789abcde\n", "", 1,
		    true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct entry e;
		size_t n = 0;
		char *got;

		while (n < 6 && cases[i].data[n].len > 0)
			n++;
		got = shown(&cases[i].conf, cases[i].data, n, &e);
		assert_string_equal(got, cases[i].want);
		assert_int_equal(e.left_out, cases[i].left_out);
		assert_int_equal(e.cut, cases[i].cut);
		assert_true(slice_eq(e.unit, slice_of(cases[i].unit)));
		entry_fini(&e);
		free(got);
	}
}

/* Each field has its room, or is left out: never is more written than there is. */
static void
test_an_entry_of_many_and_large_fields_is_bounded(void **state)
{
	struct journal_conf conf = { .max_fields = 8000, .buffer_max_size = 2000 };
	struct entry e;
	size_t values = 0;

	(void)state;
	entry_init(&e, &conf);
	entry_clear(&e);
	for (int i = 0; i < 200; i++) {
		char *data = xprintf("F%d=%0*d", i % 70, i, i);

		entry_add(&e, &conf, slice_of(data));
		free(data);
	}
	for (int i = 0; i < e.nfields; i++)
		values += e.fields[i].value.len;
	assert_true(e.nfields <= ENTRY_FIELDS && values <= e.arena.size);
	assert_true(e.left_out > 0 && e.cut);
	entry_fini(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cursor_is_read_and_written),
		cmocka_unit_test(test_what_is_no_cursor),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_an_entry_of_many_and_large_fields_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
