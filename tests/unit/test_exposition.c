/* Metrics as text: names, escapes, numbers, histograms, in both formats; the page made of the tables. */
#include "unit.h"

#include "../../src/metrics/exposition.h"
#include "clock.h"
#include "metrics.h"

static const struct family counter = { FAMILY_COUNTER, "x_things_total", "", "Things \\ \"all\"." };
static const struct family gauge = { FAMILY_GAUGE, "x_level", "", "A level." };
static const struct family info = { FAMILY_INFO, "x_build_info", "", "A build." };
static const struct family times = { FAMILY_HISTOGRAM, "x_seconds", "", "Times." };

static void
write_all(struct buffer *to, bool openmetrics)
{
	struct exposition x = { to, openmetrics, NULL };
	uint64_t buckets[DELIVERY_BUCKETS + 1] = { 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3 };

	exposition_count(&x, &counter, SLICE("a=\"1\""), 7);
	exposition_count(&x, &counter, SLICE("a=\"2\""), UINT64_MAX);
	exposition_value(&x, &gauge, SLICE(""), 0.1);
	exposition_count(&x, &info, SLICE("v=\"1\""), 1);
	exposition_histogram(&x, &times, SLICE("a=\"1\""),
	    &(struct shown_histogram){ &metrics_delivery_buckets, buckets, NULL, 12.5 });
	exposition_histogram(&x, &times, SLICE(""),
	    &(struct shown_histogram){ &metrics_delivery_buckets, buckets, NULL, 1e9 / 3 });
}

#define HISTOGRAM                                                                                  \
	"# HELP x_seconds Times.\n"                                                                \
	"# TYPE x_seconds histogram\n"                                                             \
	"x_seconds_bucket{a=\"1\",le=\"0.1\"} 1\n"                                                 \
	"x_seconds_bucket{a=\"1\",le=\"0.5\"} 1\n"                                                 \
	"x_seconds_bucket{a=\"1\",le=\"1.0\"} 3\n"                                                 \
	"x_seconds_bucket{a=\"1\",le=\"5.0\"} 3\n"                                                 \
	"x_seconds_bucket{a=\"1\",le=\"15.0\"} 3\n"                                                \
	"x_seconds_bucket{a=\"1\",le=\"60.0\"} 3\n"                                                \
	"x_seconds_bucket{a=\"1\",le=\"300.0\"} 3\n"                                               \
	"x_seconds_bucket{a=\"1\",le=\"600.0\"} 3\n"                                               \
	"x_seconds_bucket{a=\"1\",le=\"1800.0\"} 3\n"                                              \
	"x_seconds_bucket{a=\"1\",le=\"3600.0\"} 3\n"                                              \
	"x_seconds_bucket{a=\"1\",le=\"+Inf\"} 6\n"                                                \
	"x_seconds_sum{a=\"1\"} 12.5\n"                                                            \
	"x_seconds_count{a=\"1\"} 6\n"

/* Of the longest numbers no digit is cut: without its last one this is 1e171 times as much. */
static void
test_the_longest_numbers_are_whole(void **state)
{
	static const double longest = -4.4804275591967103e-190, bound = 1.2345678901234567e-105;
	struct buffer b;
	struct exposition x = { &b, false, NULL };
	struct buckets made;

	(void)state;
	buffer_init(&b, 0);
	exposition_value(&x, &gauge, SLICE(""), longest);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_string_equal(strrchr(b.at, ' '), " -4.4804275591967103e-190\n");
	buffer_fini(&b);
	metrics_buckets(&made, &bound, 1);
	assert_string_equal(made.names[0], "1.2345678901234567e-105");
}

static void
test_both_formats_to_the_letter(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 0);
	write_all(&b, false);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_non_null(
	    strstr(b.at, "# HELP x_things_total Things \\\\ \"all\".\n"
			 "# TYPE x_things_total counter\n"
			 "x_things_total{a=\"1\"} 7\n"
			 "x_things_total{a=\"2\"} 18446744073709551615\n"
			 "# HELP x_level A level.\n"
			 "# TYPE x_level gauge\n"
			 "x_level 0.1\n"
			 "# HELP x_build_info A build.\n"
			 "# TYPE x_build_info gauge\n"
			 "x_build_info{v=\"1\"} 1\n" HISTOGRAM "x_seconds_bucket{le=\"0.1\"} 1\n"));
	assert_non_null(strstr(b.at, "\nx_seconds_sum 333333333.3333333\nx_seconds_count 6\n"));
	buffer_clear(&b);
	write_all(&b, true);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_non_null(strstr(b.at, "# HELP x_things Things \\\\ \\\"all\\\".\n"
				     "# TYPE x_things counter\n"
				     "x_things_total{a=\"1\"} 7\n"
				     "x_things_total{a=\"2\"} 18446744073709551615\n"
				     "# HELP x_level A level.\n"
				     "# TYPE x_level gauge\n"
				     "x_level 0.1\n"
				     "# HELP x_build A build.\n"
				     "# TYPE x_build info\n"
				     "x_build_info{v=\"1\"} 1\n" HISTOGRAM));
	buffer_fini(&b);
}

#define FFFD "\xef\xbf\xbd"

static const struct {
	struct slice in;
	const char *want;
} labels[] = {
	{ { "plain", 5 }, "l=\"plain\"" },
	{ { "", 0 }, "l=\"\"" },
	{ { "a\\b\"c", 5 }, "l=\"a\\\\b\\\"c\"" },
	{ { "two\nlines", 9 }, "l=\"two" FFFD "lines\"" },
	{ { "nul\0tab\t\x7f", 9 }, "l=\"nul" FFFD "tab" FFFD FFFD "\"" },
	{ { "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
	    "l=\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ { "\xc2\x9b\xe2\x80\xae", 5 }, "l=\"" FFFD FFFD FFFD FFFD FFFD "\"" },
	{ { "\xc3", 1 }, "l=\"" FFFD "\"" },
	{ { "\xe2\x82", 2 }, "l=\"" FFFD FFFD "\"" },
	{ { "\xc0\xaf", 2 }, "l=\"" FFFD FFFD "\"" },          /* overlong */
	{ { "\xed\xa0\x80", 3 }, "l=\"" FFFD FFFD FFFD "\"" }, /* a surrogate */
	{ { "\xf4\x90\x80\x80", 4 }, "l=\"" FFFD FFFD FFFD FFFD "\"" },
	{ { "\xff"
	    "a",
	      2 },
	    "l=\"" FFFD "a\"" },
};

static void
test_labels_are_valid_whatever_comes(void **state)
{
	char clean[LABEL_MAX];
	struct buffer b;

	(void)state;
	buffer_init(&b, 0);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		for (size_t cut = 0; cut <= labels[i].in.len; cut++) {
			char *exact = malloc(cut + 1); /* the sanitizer sees a byte too many */

			memcpy(exact, labels[i].in.at, cut);
			exact = realloc(exact, cut ? cut : 1);
			exposition_label_clean((struct slice){ exact, cut }, clean);
			free(exact);
		}
		buffer_clear(&b);
		exposition_label(
		    &b, "l", (struct slice){ clean, exposition_label_clean(labels[i].in, clean) });
		assert_int_equal(b.len, strlen(labels[i].want));
		assert_memory_equal(b.at, labels[i].want, b.len);
	}
	buffer_fini(&b);
}

static void
test_long_labels_are_cut_between_characters(void **state)
{
	char clean[LABEL_MAX], in[402];

	(void)state;
	memset(in, 'x', sizeof(in));
	assert_int_equal(
	    exposition_label_clean((struct slice){ in, sizeof(in) }, clean), LABEL_MAX);
	for (size_t i = 0; i < sizeof(in) - 1; i += 2)
		memcpy(in + i, "\xc3\xbc", 2);
	assert_int_equal(
	    exposition_label_clean((struct slice){ in, sizeof(in) }, clean), LABEL_MAX - 1);
}

static void
test_a_bound_belongs_to_its_bucket(void **state)
{
	static const struct {
		double seconds;
		unsigned bucket;
	} cases[] = { { 0, 0 }, { 0.1, 0 }, { 0.1000001, 1 }, { 1, 2 }, { 15, 4 }, { 15.5, 5 },
		{ 3600, 9 }, { 3600.5, 10 }, { 1e300, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(exposition_bucket(&metrics_delivery_buckets, cases[i].seconds),
		    cases[i].bucket);
}

/* Bounds of any size have a fraction; the text is read back as the number. */
static void
test_bounds_are_named_with_a_fraction(void **state)
{
	static const double at[] = { 0.005, 1, 2.5, 60, 10800, 1e6, 1e21 };
	static const char *const names[] = { "0.005", "1.0", "2.5", "60.0", "10800.0", "1000000.0",
		"1e+21" };
	struct buckets b;

	(void)state;
	metrics_buckets(&b, at, 7);
	for (unsigned i = 0; i < 7; i++)
		assert_string_equal(b.names[i], names[i]);
	metrics_buckets(&b, metrics_delivery_buckets.at, metrics_delivery_buckets.n);
	for (unsigned i = 0; i < b.n; i++)
		assert_string_equal(b.names[i], metrics_delivery_buckets.names[i]);
}

static void
test_exemplars_and_creation_are_of_openmetrics_alone(void **state)
{
	static const uint64_t counts[] = { 1, 0, 4 };
	struct exemplar exemplars[] = { { 0.5, 1500 * NS_PER_MS, 3, "a\"b" }, { .len = 0 },
		{ 1e9, 0, 2, "id" } };
	struct buckets bounds = { 2, { 1, 60 }, { "1.0", "60.0" } };
	struct shown_histogram h = { &bounds, counts, exemplars, 9 };

	(void)state;
	for (int openmetrics = 0; openmetrics < 2; openmetrics++) {
		struct buffer b;
		struct exposition x = { &b, openmetrics, &times };

		buffer_init(&b, 0);
		exposition_histogram(&x, &times, SLICE("a=\"1\""), &h);
		exposition_created(&x, &times, SLICE("a=\"1\""), 1795334400 * NS_PER_S + 7000000);
		exposition_created(&x, &counter, SLICE(""), 1 * NS_PER_S);
		exposition_created(&x, &counter, SLICE("a=\"2\""), 0);
		buffer_put(&b, (struct slice){ "", 1 });
		assert_string_equal(b.at,
		    openmetrics
			? "x_seconds_bucket{a=\"1\",le=\"1.0\"} 1 # {task_id=\"a\\\"b\"} 0.5 1.500\n"
			  "x_seconds_bucket{a=\"1\",le=\"60.0\"} 1\n"
			  "x_seconds_bucket{a=\"1\",le=\"+Inf\"} 5 # {task_id=\"id\"} 1000000000\n"
			  "x_seconds_sum{a=\"1\"} 9\n"
			  "x_seconds_count{a=\"1\"} 5\n"
			  "x_seconds_created{a=\"1\"} 1795334400.007\n"
			  "x_things_created 1.000\n"
			: "x_seconds_bucket{a=\"1\",le=\"1.0\"} 1\n"
			  "x_seconds_bucket{a=\"1\",le=\"60.0\"} 1\n"
			  "x_seconds_bucket{a=\"1\",le=\"+Inf\"} 5\n"
			  "x_seconds_sum{a=\"1\"} 9\n"
			  "x_seconds_count{a=\"1\"} 5\n");
		buffer_fini(&b);
	}
}

/* UPDATE_DOCS=1 writes the page instead. */
static void
test_the_page_is_what_the_tables_say(void **state)
{
	static char page[65536];
	struct buffer b;
	FILE *file;
	size_t n;

	(void)state;
	buffer_init(&b, 0);
	metrics_reference(&b);
	file = fopen("docs/metrics.md", getenv("UPDATE_DOCS") != NULL ? "w+" : "r");
	assert_non_null(file);
	if (getenv("UPDATE_DOCS") != NULL) {
		fwrite(b.at, 1, b.len, file);
		rewind(file);
	}
	n = fread(page, 1, sizeof(page), file);
	fclose(file);
	assert_int_equal(n, b.len);
	assert_memory_equal(page, b.at, n);
	buffer_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_formats_to_the_letter),
		cmocka_unit_test(test_the_longest_numbers_are_whole),
		cmocka_unit_test(test_labels_are_valid_whatever_comes),
		cmocka_unit_test(test_long_labels_are_cut_between_characters),
		cmocka_unit_test(test_a_bound_belongs_to_its_bucket),
		cmocka_unit_test(test_bounds_are_named_with_a_fraction),
		cmocka_unit_test(test_exemplars_and_creation_are_of_openmetrics_alone),
		cmocka_unit_test(test_the_page_is_what_the_tables_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
