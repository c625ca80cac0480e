/* Lines of the file output, by format, and the names of its files. */
#include "unit.h"

#include "../../src/ship/file_format.h"
#include "clock.h"

#define DOC                                                                                        \
	"{\"@timestamp\":\"2026-11-22T08:00:00Z\",\"log\":\"a \\\"b\\\"\\tc\\\\d\",\"n\":1.50,"    \
	"\"k\":{\"pod\":\"p\",\"l\":{\"a.b\":\"x\"}},\"ok\":true}"

static const struct {
	enum file_form form;
	const char *delimiter, *label, *template;
	const char *want;
} lines[] = {
	{ FILE_OUT, "tab", ":", NULL, "kube.x: [1795334400.000000007, " DOC "]\n" },
	{ FILE_PLAIN, "tab", ":", NULL, DOC "\n" },
	{ FILE_CSV, "comma", ":", NULL,
	    "1795334400.000000007,\"2026-11-22T08:00:00Z\",\"a \"\"b\"\"\\tc\\\\d\",1.50,"
	    "\"{\"\"pod\"\":\"\"p\"\",\"\"l\"\":{\"\"a.b\"\":\"\"x\"\"}}\",true\n" },
	{ FILE_CSV, "space", ":", NULL,
	    "1795334400.000000007 \"2026-11-22T08:00:00Z\" \"a \"\"b\"\"\\tc\\\\d\" 1.50 "
	    "\"{\"\"pod\"\":\"\"p\"\",\"\"l\"\":{\"\"a.b\"\":\"\"x\"\"}}\" true\n" },
	{ FILE_LTSV, "tab", ":", NULL,
	    "time:1795334400.000000007\t@timestamp:2026-11-22T08:00:00Z\tlog:a \"b\"\\tc\\d\tn:1.50\t"
	    "k:{\"pod\":\"p\",\"l\":{\"a.b\":\"x\"}}\tok:true\n" },
	{ FILE_LTSV, "|", "=", NULL,
	    "time=1795334400.000000007|@timestamp=2026-11-22T08:00:00Z|log=a \"b\"\\tc\\d|n=1.50|"
	    "k={\"pod\":\"p\",\"l\":{\"a.b\":\"x\"}}|ok=true\n" },
	{ FILE_TEMPLATE, "tab", ":", "{time} {log} n={n}",
	    "1795334400.000000 a \"b\"\\tc\\d n=1.50\n" },
	{ FILE_TEMPLATE, "tab", ":", "{k.pod}/{k.l.a.b}/{k}",
	    "p/x/{\"pod\":\"p\",\"l\":{\"a.b\":\"x\"}}\n" },
	{ FILE_TEMPLATE, "tab", ":", "{none} {} {log", "{none} {} {log\n" },
	{ FILE_TEMPLATE, "tab", ":", "}x{ok}}", "}xtrue}\n" },
};

static void
test_a_line_is_of_its_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct file_format f = { .form = lines[i].form, .template = lines[i].template };
		struct file_line line = { SLICE(DOC), SLICE("kube.x"), 1795334400 * NS_PER_S + 7 };
		struct buffer to;

		assert_true(file_format_delimiter(lines[i].delimiter, f.delimiter));
		assert_true(file_format_delimiter(lines[i].label, f.label_delimiter));
		buffer_init(&to, 0);
		file_format_write(&f, &line, &to);
		assert_slice(buffer_slice(&to), lines[i].want);
		buffer_fini(&to);
	}
}

static const struct {
	const char *tag, *name;
} names[] = {
	{ "kube.var.log.containers.a.log", "kube.var.log.containers.a.log" },
	{ "../../etc/passwd", "_._.._etc_passwd" },
	{ "/etc/passwd", "_etc_passwd" },
	{ "..", "_." },
	{ ".hidden", "_hidden" },
	{ "", "_" },
	{ "a b\n\033[31m\xc3\xa9\\", "a_b__[31m___" },
};

static void
test_a_tag_leads_to_no_other_directory(void **state)
{
	char name[FILE_NAME], longer[400];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		file_format_name(slice_of(names[i].tag), name);
		assert_string_equal(name, names[i].name);
	}
	memset(longer, 'x', sizeof(longer));
	file_format_name((struct slice){ longer, sizeof(longer) }, name);
	assert_int_equal(strlen(name), FILE_NAME - 1);
}

static void
test_delimiters_have_names(void **state)
{
	char to[8];

	(void)state;
	assert_true(file_format_delimiter("TAB", to));
	assert_string_equal(to, "\t");
	assert_true(file_format_delimiter("\\t", to));
	assert_string_equal(to, "\t");
	assert_true(file_format_delimiter(";", to));
	assert_string_equal(to, ";");
	assert_false(file_format_delimiter("", to));
	assert_false(file_format_delimiter("12345678", to));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_is_of_its_format),
		cmocka_unit_test(test_a_tag_leads_to_no_other_directory),
		cmocka_unit_test(test_delimiters_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
