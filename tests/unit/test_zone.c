/*
 * Time zones: local times of this machine's zoneinfo, as the C library has them; rules;
 * files that are broken. The hours that come twice and those that do not come.
 */
#include "unit.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "zone.h"

#define ZONES "/usr/share/zoneinfo"
#define END INT64_C(9214646400) /* 2262 */
#define DAY 86400

/* A local time by chance. */
static int64_t
by_chance(void)
{
	return (int64_t)any(END / 4) * 4 + any(4);
}

/* ---- the C library's word */

static int
offset_at(int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;

	assert_non_null(localtime_r(&t, &tm));
	return (int)tm.tm_gmtoff;
}

static void
zone_set(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

/*
 * The offset that the local time means: of the instants that it is the first one; where
 * it is none, the offset before the clocks were put forward.
 */
static int
wanted(int64_t local)
{
	int64_t best = INT64_MAX, low = local - 2 * DAY, high = local + 2 * DAY;

	for (int64_t at = low; at <= high; at += 3 * 3600) {
		int64_t is = local - offset_at(at);

		if (is < best && is + offset_at(is) == local)
			best = is;
	}
	if (best != INT64_MAX)
		return (int)(local - best);
	while (high - low > 1) { /* the turn that skips it */
		int64_t middle = low + (high - low) / 2;

		if (middle + offset_at(middle) < local)
			low = middle;
		else
			high = middle;
	}
	return offset_at(low);
}

static unsigned long tried;

static void
try_local(const struct zone *z, const char *name, int64_t local)
{
	if (local < 0 || local >= END)
		return;
	tried++;
	if (zone_offset(z, local) != wanted(local))
		fail_msg("%s: at local %lld %d, should be %d", name, (long long)local,
		    zone_offset(z, local), wanted(local));
}

/* Instants by chance, and each turn between two looks, with what is around it. */
static void
try_zone(const struct zone *z, const char *name)
{
	int64_t at = 0, from = 0;
	int was = offset_at(0);

	for (int i = 0; i < 20; i++)
		try_local(z, name, by_chance());
	for (at = 0; at < END; at += (at < INT64_C(2208988800) ? 25 : 600) * DAY) {
		int64_t low = from, high = at;
		int is = offset_at(at);

		while (is != was && high - low > 1) {
			int64_t middle = low + (high - low) / 2;

			if (offset_at(middle) == was)
				low = middle;
			else
				high = middle;
		}
		if (is != was) {
			const int a = offset_at(low), b = offset_at(high);
			const int64_t near[] = { high + a - 1, high + a, high + a + 1, high + b - 1,
				high + b, high + b + 1, high + (a + b) / 2 };

			for (size_t i = 0; i < COUNT(near); i++)
				try_local(z, name, near[i]);
		}
		from = at;
		was = is;
	}
}

static char *
file_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *bytes = malloc(1 << 16);

	assert_non_null(f);
	*len = fread(bytes, 1, 1 << 16, f);
	fclose(f);
	return bytes;
}

static unsigned
try_folder(const char *folder)
{
	char path[512], tz[sizeof(path) + 1];
	DIR *dir = opendir(folder);
	unsigned n = 0;
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		const char *why;
		struct stat st;
		struct zone *z;
		struct slice bytes;
		size_t len;
		char *text;

		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.' || lstat(path, &st) != 0 || S_ISLNK(st.st_mode))
			continue;
		if (S_ISDIR(st.st_mode)) {
			if (strcmp(e->d_name, "right") != 0 && strcmp(e->d_name, "posix") != 0)
				n += try_folder(path);
			continue;
		}
		text = file_read(path, &len);
		bytes = exact((struct slice){ text, len });
		free(text);
		z = zone_read(bytes, &why);
		exact_free(bytes);
		if (len < 4 || strncmp(e->d_name + strlen(e->d_name) - 3, "tab", 3) == 0 ||
		    strchr(e->d_name, '.') != NULL || strncmp(e->d_name, "leap", 4) == 0) {
			assert_null(z);
			continue;
		}
		if (z == NULL)
			fail_msg("%s: %s", path, why);
		snprintf(tz, sizeof(tz), ":%s", path);
		zone_set(tz);
		try_zone(z, path);
		zone_free(z);
		n++;
	}
	closedir(dir);
	return n;
}

static void
test_every_zone_is_as_the_c_library_has_it(void **state)
{
	(void)state;
	chance = 20261128;
	assert_true(try_folder(ZONES) > 100);
	assert_true(tried > 10000);
}

/* ---- rules */

static void
test_rules_are_as_the_c_library_has_them(void **state)
{
	static const char *const rules[] = { "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3",
		"<+0330>-3:30<+0430>,J79/24,J263/24", "NZST-12NZDT,M9.5.0,M4.1.0/3",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "IST-1GMT0,M10.5.0,M3.5.0/1",
		"EET-2EEST,M3.5.0/3,M10.5.0/4", "AAA3BBB,59/1:30:15,300", "AAA3BBB,J59,J60" };

	(void)state;
	chance = 7;
	for (size_t i = 0; i < COUNT(rules); i++) {
		const char *why;
		struct zone *z = zone_posix(slice_of(rules[i]), &why);

		if (z == NULL)
			fail_msg("%s: %s", rules[i], why);
		zone_set(rules[i]);
		try_zone(z, rules[i]);
		zone_free(z);
	}
}

static void
test_what_is_no_rule_is_refused(void **state)
{
	static const char *const wrong[] = { "", "CE", "CET", "CET-1CEST,", "CET-1CEST,M3.5.0",
		"CET-1CEST,M3.5.0,M10.5.0/3x", "CET-25", "CET-1:60", "CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1",
		"CET-1CEST,366,1", "CET-1CEST,1/168,2", "<CET-1", "<CE>-1", "Europe/Vienna",
		"CET-9999999999" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *why = NULL;
		struct slice text = exact(slice_of(wrong[i]));
		struct zone *z = zone_posix(text, &why);

		if (z != NULL)
			fail_msg("'%s' is taken", wrong[i]);
		assert_non_null(why);
		exact_free(text);
	}
}

/* ---- the hours of a turn, in words */

static void
test_an_hour_that_comes_twice_is_the_first_and_a_skipped_one_goes_on(void **state)
{
	const char *why;
	struct zone *z = zone_posix(SLICE("CET-1CEST,M3.5.0,M10.5.0/3"), &why);

	(void)state;
	/* 2026-10-25, 03:00 becomes 02:00; 2026-03-29, 02:00 becomes 03:00 */
	assert_int_equal(zone_offset(z, 1792893599), 7200);
	assert_int_equal(zone_offset(z, 1792893600), 7200); /* 02:00:00, the first */
	assert_int_equal(zone_offset(z, 1792897199), 7200); /* 02:59:59, the first */
	assert_int_equal(zone_offset(z, 1792897200), 3600); /* 03:00:00 */
	assert_int_equal(zone_offset(z, 1774749599), 3600);
	assert_int_equal(zone_offset(z, 1774751400), 3600); /* 02:30, which does not come: 03:30 */
	assert_int_equal(zone_offset(z, 1774753200), 7200);
	zone_free(z);
	z = zone_posix(SLICE("AAA5BBB"), &why); /* the days of the United States: 8 March */
	assert_int_equal(zone_offset(z, 1772935199), -18000);
	assert_int_equal(zone_offset(z, 1772938800), -14400);
	zone_free(z);
	z = zone_fixed(-5400);
	assert_int_equal(zone_offset(z, 0), -5400);
	zone_free(z);
	zone_free(NULL);
}

/* ---- broken files */

static void
test_a_part_of_a_file_is_refused(void **state)
{
	size_t len;
	char *bytes = file_read(ZONES "/Europe/Vienna", &len);
	const char *why;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		struct slice part = exact((struct slice){ bytes, n });
		struct zone *z = zone_read(part, &why);

		if (z != NULL)
			fail_msg("%zu bytes of %zu are taken", n, len);
		exact_free(part);
	}
	free(bytes);
}

static void
test_any_bytes_are_read_without_harm(void **state)
{
	size_t len;
	char *bytes = file_read(ZONES "/Africa/Casablanca", &len);

	(void)state;
	chance = 3;
	for (int i = 0; i < 20000; i++) {
		struct slice copy = exact((struct slice){ bytes, len });
		const char *why = NULL;
		struct zone *z;

		for (unsigned n = 1 + any(4); n > 0; n--)
			((char *)(uintptr_t)copy.at)[any((unsigned)len)] = (char)any(256);
		z = zone_read(copy, &why);
		if (z == NULL)
			assert_non_null(why);
		else
			(void)zone_offset(z, by_chance());
		zone_free(z);
		exact_free(copy);
	}
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_zone_is_as_the_c_library_has_it),
		cmocka_unit_test(test_rules_are_as_the_c_library_has_them),
		cmocka_unit_test(test_what_is_no_rule_is_refused),
		cmocka_unit_test(
		    test_an_hour_that_comes_twice_is_the_first_and_a_skipped_one_goes_on),
		cmocka_unit_test(test_a_part_of_a_file_is_refused),
		cmocka_unit_test(test_any_bytes_are_read_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
