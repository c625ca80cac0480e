/* Durations: every form, exact decimals, and what is none. */
#include "unit.h"

#include <math.h>

#include "../../parsers/agent_measure.h"

static const struct {
	const char *text;
	const char *seconds; /* NULL: no duration */
	bool plain;
} durations[] = {
	{ "12.5", "12.5", true },
	{ "3", "3.0", true },
	{ "0", "0.0", true },
	{ "007.50", "7.5", true },
	{ ".5", "0.5", true },
	{ "5.", "5.0", true },
	{ "1.25e1", "12.5", true },
	{ "125E-1", "12.5", true },
	{ "1e-9", "0.000000001", true },
	{ "0e999999999999", "0.0", true },
	{ "0.1", "0.1", true },
	{ "0.123456789012345678", "0.123456789012345678", true },
	{ "0.1234567890123456789999", "0.123456789012345678", true },
	{ "999999999999", "999999999999.0", true },
	{ "12.5s", "12.5", false },
	{ "12500ms", "12.5", false },
	{ "100ms", "0.1", false },
	{ "8.4E-4s", "0.00084", false }, /* as Java writes what is below 0.001 */
	{ "2e3 ms", "2.0", false },
	{ "5.403436877556778h", "19452.3727592044008", false },
	{ "0.12345678901234568h", "444.444440444444448", false },
	{ "0.8765432109876543d", "75733.33342933333152", false },
	{ "1h0.12345678901234567s", "3600.123456789012345", false },
	{ "51.0934558900640129h 9.03813020934763h", "216473.7099578819144", false },
	{ "123h0.12345678901234567s", "442800.1234567890123", false },
	{ "100 ms", "0.1", false },
	{ "1us", "0.000001", false },
	{ "1\xc2\xb5s", "0.000001", false },
	{ "15ns", "0.000000015", false },
	{ "2 minutes", "120.0", false },
	{ "1m30s", "90.0", false },
	{ "1h2m3.5s", "3723.5", false },
	{ "1m 30s", "90.0", false },
	{ "PT12.5S", "12.5", false },
	{ "PT1H2M3S", "3723.0", false },
	{ "P1DT1S", "86401.0", false },
	{ "PT0S", "0.0", false },
	{ "00:01:02.5", "62.5", false },
	{ "100:00:00", "360000.0", false },
	{ "", NULL, false },
	{ "-1", NULL, false },
	{ "-0", NULL, false },
	{ "+1", NULL, false },
	{ "-12.5s", NULL, false },
	{ "PT-5S", NULL, false },
	{ "NaN", NULL, false },
	{ "Inf", NULL, false },
	{ "-Infinity", NULL, false },
	{ "1,5", NULL, false },
	{ "1.2.3", NULL, false },
	{ ".", NULL, false },
	{ "1e", NULL, false },
	{ "1e+", NULL, false },
	{ "1es", NULL, false },
	{ "1e3x", NULL, false },
	{ "1e400", NULL, false },
	{ "1e99999999999999999999", NULL, false },
	{ "1000000000000", NULL, false },
	{ "99999999999999999999999999", NULL, false },
	{ "18446744073709551617", NULL, false },
	{ "1e18ms", NULL, false },
	{ "0x10", NULL, false },
	{ "1_000", NULL, false },
	{ "12.5 parsecs", NULL, false },
	{ "s", NULL, false },
	{ "1s2", NULL, false },
	{ "P", NULL, false },
	{ "PT", NULL, false },
	{ "P1S", NULL, false },
	{ "PT1D", NULL, false },
	{ "PT1S1M", NULL, false },
	{ "P1Y", NULL, false },
	{ "00:60:00", NULL, false },
	{ "00:00:60", NULL, false },
	{ "1.5:00:00", NULL, false },
	{ "00:01", NULL, false },
	{ "00:01:02x", NULL, false },
	{ "true", NULL, false },
	{ "1 ", NULL, false },
	{ " 1", NULL, false },
	{ "11111111111111111111111111111111111111111111111111111111111111111", NULL, false },
};

static void
test_durations(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(durations); i++) {
		struct slice text = exact(slice_of(durations[i].text));
		struct measure m = { .present = false };
		struct decimal d;
		bool plain;

		arena_reset(&arena);
		if (agent_measure_duration(text, (struct unit){ 1, 0 }, &d, &plain))
			agent_measure_set(&m, d, &arena);
		if (m.present != (durations[i].seconds != NULL))
			fail_msg(
			    "'%s' is%s a duration", durations[i].text, m.present ? "" : " not");
		if (m.present) {
			assert_slice(m.decimal, durations[i].seconds);
			assert_true(
			    fabs(m.value - strtod(durations[i].seconds, NULL)) <= 1e-15 * m.value);
			assert_int_equal(plain, durations[i].plain);
		}
		for (size_t n = text.len; n-- > 0;) {
			struct slice cut = exact((struct slice){ text.at, n });

			agent_measure_duration(cut, (struct unit){ 1, 0 }, &d, &plain);
			exact_free(cut);
		}
		exact_free(text);
	}
	arena_fini(&arena);
}

static const struct {
	const char *text;
	struct unit unit;
	const char *seconds;
} of_units[] = {
	{ "12500", { 1, 3 }, "12.5" },
	{ "100", { 1, 3 }, "0.1" },
	{ "0.1", { 1, 3 }, "0.0001" },
	{ "1.5", { 60, 0 }, "90.0" },
	{ "2s", { 1, 3 }, "2.0" }, /* its own unit goes before the key's */
	{ "7", { 1, 9 }, "0.000000007" },
};

static void
test_units_of_keys(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(of_units); i++) {
		struct measure m;
		struct decimal d;
		bool plain;

		assert_true(agent_measure_duration(
		    slice_of(of_units[i].text), of_units[i].unit, &d, &plain));
		agent_measure_set(&m, d, &arena);
		assert_slice(m.decimal, of_units[i].seconds);
	}
	arena_fini(&arena);
}

static void
test_counts_are_numbers_alone(void **state)
{
	struct decimal d;

	(void)state;
	assert_true(agent_measure_count(SLICE("12"), &d));
	assert_int_equal(d.digits, 12);
	assert_true(agent_measure_count(SLICE("1.5"), &d));
	assert_false(agent_measure_count(SLICE("12s"), &d));
	assert_false(agent_measure_count(SLICE("-1"), &d));
	assert_false(agent_measure_count(SLICE(""), &d));
	assert_false(agent_measure_count(SLICE("1e99"), &d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_units_of_keys),
		cmocka_unit_test(test_counts_are_numbers_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
