/* The table of differences: its options exist, and rows concern the sections they should. */
#include "unit.h"

#include "conf_try.h"
#include "difference.h"
#include "plugins.h"

static const struct plugin *
plugin_of(const struct difference *d)
{
	size_t n = d->plugins != NULL ? strcspn(d->plugins, " ") : 0;

	for (const struct plugin *const *p = plugins_registry.plugins; *p != NULL; p++) {
		if ((*p)->kind != d->kind || (*p)->later)
			continue;
		if (d->plugins == NULL ||
		    (strlen((*p)->name) == n && strncmp((*p)->name, d->plugins, n) == 0))
			return *p;
	}
	return NULL;
}

static const struct option *
option_of(const struct plugin *p, const char *name)
{
	const struct option *const tables[] = { p->options, p->common };

	for (size_t i = 0; i < 2; i++) {
		for (const struct option *o = tables[i]; o != NULL && o->name != NULL; o++) {
			if (strcasecmp(o->name, name) == 0)
				return o;
		}
	}
	return NULL;
}

static void
options_of_all_rows_exist(void **state)
{
	(void)state;
	for (const struct difference *d = difference_table; d->what != NULL; d++) {
		const struct plugin *p = plugin_of(d);

		assert_non_null(p);
		assert_true(d->theirs != NULL && d->ours != NULL);
		for (int i = 0; i < DIFFERENCE_CONDITIONS; i++) {
			const struct difference_condition *c = &d->all[i];
			const struct option *o;

			if (c->when == DIFFERENCE_ALWAYS)
				continue;
			o = option_of(p, c->option);
			if (o == NULL)
				fail_msg("%s: no option %s", d->what, c->option);
			if (c->when == DIFFERENCE_ON || c->when == DIFFERENCE_OFF)
				assert_int_equal(o->type, OPT_BOOL);
			if (c->when == DIFFERENCE_SEVERAL)
				assert_int_equal(o->type, OPT_LINES);
			if (c->when == DIFFERENCE_LIMITED || c->when == DIFFERENCE_ENDLESS)
				assert_int_equal(o->type, OPT_INT);
		}
	}
}

/* An option that gives the old way is one, and then the row concerns nothing any more. */
static void
the_old_way_is_an_option(void **state)
{
	(void)state;
	for (const struct difference *d = difference_table; d->what != NULL; d++) {
		char name[64] = "";

		if (d->old == NULL)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(d->old, " "), d->old);
		if (option_of(plugin_of(d), name) == NULL)
			fail_msg("%s: no option %s", d->what, name);
	}
}

/* The rows that concern a configuration: the subject, then both ways, a line each. */
static char *
rows(const char *text)
{
	struct findings *f = findings_new();
	struct conf *conf;
	size_t len;
	char *out = NULL;
	FILE *to = open_memstream(&out, &len);

	try_begin();
	try_file("t.conf", text);
	conf = conf_read("t.conf", &plugins_registry, f);
	for (const struct difference *d = difference_table; d->what != NULL; d++) {
		for (size_t i = 0; i < conf->n; i++) {
			if (difference_concerns(d, &conf->sections[i]))
				fprintf(to, "%s\n%s: %s\n", d->what, d->theirs, d->ours);
		}
	}
	fclose(to);
	conf_free(conf);
	findings_free(f);
	try_end((const char *const[]){ "t.conf", NULL });
	return out;
}

static void
rows_concern_what_is_given(void **state)
{
	static const struct {
		const char *text, *row;
		bool there;
	} cases[] = {
		{ "[INPUT]\n Name tail\n Path /x\n", "old lines at the first start\n", true },
		{ "[INPUT]\n Name tail\n Path /x\n First_Start end\n",
		    "old lines at the first start\n", false },
		{ "[INPUT]\n Name tail\n Path /x\n Read_from_Head On\n",
		    "old lines at the first start\n", false },
		{ "[INPUT]\n Name tail\n Path /x\n", "memory\n", false },
		{ "[INPUT]\n Name tail\n Path /x\n Mem_Buf_Limit 5MB\n", "memory\n", true },
		{ "[FILTER]\n Name kubernetes\n Match *\n", "the text\n", true },
		{ "[FILTER]\n Name kubernetes\n Match *\n", "fields of a JSON line\n", false },
		{ "[FILTER]\n Name kubernetes\n Match *\n Merge_Log On\n",
		    "fields of a JSON line\n", true },
		{ "[FILTER]\n Name kubernetes\n Match *\n Merge_Log Off\n",
		    "fields of a JSON line\n", false },
		{ "[FILTER]\n Name kubernetes\n Match *\n Merge_Log On\n Merge_Log_Key a\n",
		    "fields of a JSON line\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n", "host names in certificates\n", false },
		{ "[OUTPUT]\n Name opensearch\n Match *\n tls On\n", "host names in certificates\n",
		    true },
		{ "[OUTPUT]\n Name es\n Match *\n tls On\n tls.verify_hostname Off\n",
		    "host names in certificates\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n tls On\n tls.verify_hostname On\n",
		    "host names in certificates\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n tls On\n tls.verify Off\n",
		    "host names in certificates\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n", "document ids\n", true },
		{ "[OUTPUT]\n Name es\n Match *\n Id_Key k\n", "document ids\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n", "@timestamp\n", true },
		{ "[OUTPUT]\n Name es\n Match *\n Time_Key_Nanos On\n", "@timestamp\n", false },
		{ "[SERVICE]\n Landlock Off\n", "files that may be opened\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n", "an outage\n", true },
		{ "[OUTPUT]\n Name es\n Match *\n Retry_Limit False\n", "an outage\n", false },
		{ "[OUTPUT]\n Name es\n Match *\n Retry_Limit False\n",
		    "none: a batch is sent again until it is delivered: the same\n", true },
		{ "[OUTPUT]\n Name es\n Match *\n Retry_Limit no_limits\n", "dropped:", false },
		{ "[OUTPUT]\n Name es\n Match *\n Retry_Limit no_retries\n", "dropped:", true },
		{ "[OUTPUT]\n Name opensearch\n Match *\n Retry_Limit 5\n", "dropped:", true },
		{ "[OUTPUT]\n Name es\n Match *\n", "records that are given up\n", false },
		{ "[OUTPUT]\n Name null\n Match *\n", "an outage\n", false },
		{ "[INPUT]\n Name systemd\n", "the journal\n", true },
		{ "[INPUT]\n Name systemd\n Path /x\n", "the journal\n", false },
		{ "[INPUT]\n Name systemd\n Path /x\n", "the journal's cursor\n", true },
		{ "[FILTER]\n Name modify\n Match *\n Set a b\n", "expressions\n", true },
		{ "[FILTER]\n Name nest\n Match *\n", "expressions\n", false },
		{ "[FILTER]\n Name grep\n Match *\n Regex a b\n Exclude a c\n",
		    "several rules of grep\n", true },
		{ "[FILTER]\n Name grep\n Match *\n Regex a b\n", "several rules of grep\n",
		    false },
		{ "[FILTER]\n Name grep\n Match *\n Exclude a c\n Exclude a d\n",
		    "several rules of grep\n", false },
		{ "[FILTER]\n Name grep\n Match *\n Logical_Op or\n Regex a b\n Regex a c\n",
		    "several rules of grep\n", false },
		{ "[FILTER]\n Name multiline\n Match *\n multiline.parser go\n", "joined records\n",
		    true },
		{ "[SERVICE]\n HTTP_Server On\n", "its port\n", true },
		{ "[SERVICE]\n HTTP_Server On\n HTTP_Port 2020\n", "its port\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = rows(cases[i].text);

		if ((strstr(text, cases[i].row) != NULL) != cases[i].there)
			fail_msg("%s: %s", cases[i].text, cases[i].row);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_all_rows_exist),
		cmocka_unit_test(the_old_way_is_an_option),
		cmocka_unit_test(rows_concern_what_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
