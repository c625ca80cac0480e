/*
 * The option Host: lists as they are written, rightly and wrongly.
 */
#include "unit.h"

#include <stdio.h>

#include "hosts.h"
#include "memory.h"

static void
test_a_list_of_hosts_is_read(void **state)
{
	static const struct {
		const char *text, *first, *last;
		int n;
	} rows[] = {
		{ "a", "a:9200", "a:9200", 1 },
		{ "a:1", "a:1", "a:1", 1 },
		{ "a:9201, b:9202", "a:9201", "b:9202", 2 },
		{ "a b\tc:5", "a:9200", "c:5", 3 },
		{ "  a ,b , c_d-e.svc  ", "a:9200", "c_d-e.svc:9200", 3 },
		{ "[::1]:65535 10.0.0.1", "[::1]:65535", "10.0.0.1:9200", 2 },
		{ "[fe80::1%eth0], [::1]", "[fe80::1%eth0]:9200", "[::1]:9200", 2 },
		{ "::1", "[::1]:9200", "[::1]:9200", 1 },
		{ "b\xc3\xbc"
		  "cher",
		    "b\xc3\xbc"
		    "cher:9200",
		    "b\xc3\xbc"
		    "cher:9200",
		    1 },
		{ "0 1 2 3 4 5 6 7 8 9 a b c d e f", "0:9200", "f:9200", 16 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct host to[HOSTS_MAX];
		char why[128] = "", text[HOST_NAME + 8];

		assert_int_equal(hosts_parse(rows[i].text, 9200, to, why, sizeof(why)), rows[i].n);
		snprintf(text, sizeof(text), "%s:%u", to[0].name, to[0].port);
		assert_string_equal(text, rows[i].first);
		snprintf(
		    text, sizeof(text), "%s:%u", to[rows[i].n - 1].name, to[rows[i].n - 1].port);
		assert_string_equal(text, rows[i].last);
	}
}

static void
test_a_malformed_list_is_refused_without_repeating_it(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "entry 1 is empty" },
		{ "a,", "entry 2 is empty" },
		{ ",a", "entry 1 is empty" },
		{ "a,,b", "entry 2 is empty" },
		{ "a, , b", "entry 2 is empty" },
		{ "a b:", "entry 2 has a port that is not one of 1 to 65535" },
		{ "a:0", "entry 1 has a port that is not one of 1 to 65535" },
		{ "a:65536", "entry 1 has a port that is not one of 1 to 65535" },
		{ "a:-1", "entry 1 has a port that is not one of 1 to 65535" },
		{ "a:92x", "entry 1 has a port that is not one of 1 to 65535" },
		{ "[::1]9200", "entry 1 has a port that is not one of 1 to 65535" },
		{ "[::1", "entry 1 has a [ without ]" },
		{ "[]:1", "entry 1 is no IPv6 address" },
		{ "[name]", "entry 1 is no IPv6 address" },
		{ "a:1:2", "entry 1 is no IPv6 address" },
		{ ":9200", "entry 1 is no name or address" },
		{ "a;b", "entry 1 is no name or address" },
		{ "https://a:9200", "entry 1 is a URL; the name alone, with tls On for https, and "
				    "Path" },
		{ "a u:secret@b:9200",
		    "entry 2 names a user; that is HTTP_User's and HTTP_Passwd's" },
		{ "0 1 2 3 4 5 6 7 8 9 a b c d e f g", "entry 17 is one too many" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct host to[HOSTS_MAX];
		char why[128] = "";

		assert_int_equal(hosts_parse(rows[i].text, 9200, to, why, sizeof(why)), -1);
		assert_string_equal(why, rows[i].why);
	}
}

static void
test_every_cut_of_a_list_is_read_or_refused(void **state)
{
	static const char list[] = "a:9200, [fe80::1%eth0]:9200  ::1,u:p@b:1 https://c/";

	(void)state;
	for (size_t from = 0; from < sizeof(list); from++) {
		for (size_t to = from; to < sizeof(list); to++) {
			struct host hosts[HOSTS_MAX];
			char why[128] = "", *cut;
			int n;

			cut = xslicedup((struct slice){ list + from, to - from });
			n = hosts_parse(cut, 1, hosts, why, sizeof(why));
			assert_true(n == -1 ? why[0] != '\0' : n > 0 && n <= 4);
			free(cut);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_of_hosts_is_read),
		cmocka_unit_test(test_a_malformed_list_is_refused_without_repeating_it),
		cmocka_unit_test(test_every_cut_of_a_list_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
