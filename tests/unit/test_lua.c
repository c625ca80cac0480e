/*
 * [FILTER] lua: what scripts, as people write them for Fluent Bit, make of records.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "filter.h"
#include "json.h"
#include "memory.h"
#include "service.h"
#include "shape.h"

static const struct plugin *const plugins[] = { &service_plugin, &lua_filter_plugin, NULL };
static const struct registry registry = { plugins, filter_check };

#define TIME (1795334400 * NS_PER_S + 123456789)

static char dir[] = "/tmp/towline-lua-XXXXXX";

/* Read a configuration with this [FILTER]; what is found goes to ${said}, for the caller to free. */
static struct conf *
conf_of(const char *options, char **said)
{
	char *path = xprintf("%s/t.conf", dir);
	FILE *file = fopen(path, "w"), *to;
	struct findings *findings = findings_new();
	struct conf *conf;
	size_t len;

	fprintf(file, "[FILTER]\n Name lua\n Match *\n%s", options);
	fclose(file);
	conf = conf_read(path, &registry, findings);
	to = open_memstream(said, &len);
	findings_print(findings, FINDING_WARNING, to);
	fclose(to);
	findings_free(findings);
	free(path);
	return conf;
}

static void
script_write(const char *name, const char *text)
{
	char *path = xprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
	free(path);
}

static const struct section *
filter_of(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++)
		if (conf->sections[i].plugin == &lua_filter_plugin)
			return &conf->sections[i];
	return NULL;
}

static void
shape_of(struct shape *s, const char *json)
{
	struct json_walk walk;
	struct json_value value;
	struct slice name;

	shape_clear(s);
	json_enter(&walk, slice_of(json));
	while (json_next(&walk, &name, &value) == PARSE_OK) {
		struct shape_node *node = shape_put(s, s->root, name);
		struct slice text = value.text;

		if (value.kind == JSON_STRING)
			text = (struct slice){ text.at - 1, text.len + 2 };
		assert_true(shape_set_json(s, node, text));
	}
}

/* One record through one filter. */
struct tried {
	struct conf *conf;
	struct filter *filter;
	struct shape shape;
	struct record record;
	unsigned failures;
	char out[1024]; /* the fields; "dropped" */
};

static void
try_begin(struct tried *t, const char *options)
{
	struct filter_world world = { .failures = &t->failures };
	char *said;

	memset(t, 0, sizeof(*t));
	t->conf = conf_of(options, &said);
	world.main = t->conf->file;
	t->filter = filter_new(filter_of(t->conf), &world);
	if (t->filter == NULL)
		fail_msg("%s: %s", options, said);
	free(said);
	shape_init(&t->shape, 65536);
}

static void
try_end(struct tried *t)
{
	filter_free(t->filter);
	shape_fini(&t->shape);
	conf_free(t->conf);
}

static void
try_record(struct tried *t, const char *json)
{
	bool keep;
	char *end;

	shape_of(&t->shape, json);
	t->failures = 0;
	t->record = (struct record){ .time = TIME, .tag = SLICE("kube.x"), .shape = &t->shape };
	keep = filter_run(t->filter, &t->record, NULL, NULL, NULL);
	assert_false(t->shape.full);
	assert_in_range(shape_room(t->shape.root), 1, sizeof(t->out) * 8);
	end = shape_write(t->out, t->shape.root);
	*end = '\0';
	if (!keep)
		snprintf(t->out, sizeof(t->out), "dropped");
}

static const struct {
	const char *body;    /* of cb(tag, ts, r) */
	const char *options; /* further ones; NULL: none */
	const char *in, *out;
} cases[] = {
	/* what public configurations do */
	{ "r.cluster = 'prod-1' return 2, ts, r", NULL, "{\"log\":\"x\"}",
	    "{\"log\":\"x\",\"cluster\":\"prod-1\"}" },
	{ "if r.log:find('healthz') then return -1, 0, 0 end return 0, ts, r", NULL,
	    "{\"log\":\"GET /healthz 200\"}", "dropped" },
	{ "if r.log:find('healthz') then return -1, 0, 0 end return 0, ts, r", NULL,
	    "{\"log\":\"GET / 200\"}", "{\"log\":\"GET / 200\"}" },
	{ "r.message = r.log r.log = nil return 1, ts, r", NULL, "{\"log\":\"x\",\"n\":1}",
	    "{\"n\":1,\"message\":\"x\"}" },
	{ "local l = {} for k, v in pairs(r.kubernetes.labels) do l[(k:gsub('[./]', '_'))] = v end "
	  "r.kubernetes.labels = l return 1, ts, r",
	    NULL, "{\"kubernetes\":{\"labels\":{\"app.kubernetes.io/name\":\"shop\"}}}",
	    "{\"kubernetes\":{\"labels\":{\"app_kubernetes_io_name\":\"shop\"}}}" },
	{ "local s = r.log:match('level=(%a+)') if s then r.severity = s:upper() end return 1, ts, r",
	    NULL, "{\"log\":\"t=1 level=warn msg=x\"}",
	    "{\"log\":\"t=1 level=warn msg=x\",\"severity\":\"WARN\"}" },
	{ "if r.response_code == nil or r.response_code == '' then return 0, 0, 0 "
	  "elseif r.response_code ~= 0 and r.response_code < 400 then return -1, 0, 0 "
	  "else return 0, 0, 0 end",
	    NULL, "{\"response_code\":200}", "dropped" },
	{ "r.tag = tag r.kubernetes = { ns = 'a', labels = { app = 'b' } } return 1, ts, r", NULL,
	    "{}", "{\"kubernetes\":{\"labels\":{\"app\":\"b\"},\"ns\":\"a\"},\"tag\":\"kube.x\"}" },
	{ "r.time = os.date('!%Y-%m-%dT%H:%M:%SZ', ts) return 2, ts, r", NULL, "{}",
	    "{\"time\":\"2026-11-22T08:00:00Z\"}" },
	{ "return 1, ts, { only = r.log }", NULL, "{\"log\":\"x\",\"n\":1}", "{\"only\":\"x\"}" },
	{ "return 2, ts, { r }", NULL, "{\"n\":1}", "{\"n\":1}" },
	{ "return", NULL, "{\"n\":1}", "{\"n\":1}" },

	/* values */
	{ "r.x = 1 return 2, ts, r", NULL,
	    "{\"id\":12345678901234567890,\"f\":1.0,\"e\":1e3,\"l\":[1,null,[]],\"m\":{},\"t\":true}",
	    "{\"id\":12345678901234567890,\"f\":1.0,\"e\":1e3,\"l\":[1,null,[]],\"m\":{},\"t\":true,"
	    "\"x\":1}" },
	{ "r.a = 3 r.b = 0.1 r.c = -2.5 r.d = 1e300 r.e = 0/0 r.f = 2^53 return 2, ts, r", NULL,
	    "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0}",
	    "{\"a\":3,\"b\":0.1,\"c\":-2.5,\"d\":1e+300,\"e\":null,\"f\":9007199254740992}" },
	{ "r.a = r.a / 2 return 2, ts, r", " type_int_key b a\n", "{\"a\":3}", "{\"a\":1}" },
	{ "r.a = {} r.b = {} return 2, ts, r", " type_array_key c, a\n", "{\"a\":0,\"b\":0}",
	    "{\"a\":[],\"b\":{}}" },
	{ "r.a[2] = nil r.b[4] = 'x' return 2, ts, r", NULL, "{\"a\":[1,2],\"b\":[1,2,3]}",
	    "{\"a\":[1],\"b\":[1,2,3,\"x\"]}" },
	{ "table.remove(r.a) return 2, ts, r", NULL, "{\"a\":[1]}", "{\"a\":[]}" },
	{ "r.b = 1 return 2, ts, r", NULL, "{\"n\":null}", "{\"b\":1}" },
	{ "r.b = 1 return 2, ts, r", " enable_flb_null On\n", "{\"n\":null}",
	    "{\"n\":null,\"b\":1}" },
	{ "if r.n == flb_null then r.n = 'was null' end return 2, ts, r", " enable_flb_null On\n",
	    "{\"n\":null}", "{\"n\":\"was null\"}" },
	{ "r.a.b.c = 2 return 2, ts, r", NULL, "{\"a\":{\"b\":{\"c\":1,\"d\":1.50}}}",
	    "{\"a\":{\"b\":{\"c\":2,\"d\":1.50}}}" },
	{ "r.a = { 'x', 'y' } return 2, ts, r", NULL, "{\"a\":{\"b\":1}}",
	    "{\"a\":[\"x\",\"y\"]}" },
	{ "r.a = { [1] = 'x', k = 'y' } return 2, ts, r", NULL, "{\"a\":0}",
	    "{\"a\":{\"1\":\"x\",\"k\":\"y\"}}" },
	{ "r.a = '\\255\"\\n' return 2, ts, r", NULL, "{\"a\":0}",
	    "{\"a\":\"\xef\xbf\xbd\\\"\\n\"}" },

	/* a script that fails leaves the record as it was */
	{ "r.a = 2 return 1, ts, 5", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = 2 error('x')", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = 2 r.b = print return 2, ts, r", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = 2 r.b = { [print] = 1 } return 2, ts, r", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = r return 2, ts, r", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = 2 return 3, ts, r", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = 2 return 1, 'x', r", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "r.a = 2 return 1, ts, { r, r }", NULL, "{\"a\":1}", "!{\"a\":1}" },
	{ "while true do end", " Max_Instructions 1000\n", "{\"a\":1}", "!{\"a\":1}" },
	{ "local t = {} for i = 1, 1e5 do t[i] = {} end", " Max_Memory 1M\n", "{\"a\":1}",
	    "!{\"a\":1}" },
};

static void
test_scripts_change_and_drop_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want = cases[i].out;
		bool fails = want[0] == '!';
		char *options;
		struct tried t;

		options = xprintf(" call cb\n code function cb(tag, ts, r) %s end\n%s",
		    cases[i].body, cases[i].options != NULL ? cases[i].options : "");
		try_begin(&t, options);
		for (int again = 0; again < 2; again++) {
			try_record(&t, cases[i].in);
			if (strcmp(t.out, want + fails) != 0)
				fail_msg("%s: %s", cases[i].body, t.out);
			assert_int_equal(t.failures, fails ? 1u << FAILURE_SCRIPT : 0);
			assert_int_equal(t.record.time, TIME);
		}
		try_end(&t);
		free(options);
	}
}

static const struct {
	const char *body, *options;
	int64_t time;
} times[] = {
	{ "return 1, ts, r", "", TIME },                      /* exact, though a number is not */
	{ "return 1, ts + 1, r", "", TIME + 211 + NS_PER_S }, /* microseconds */
	{ "return 1, 1700000000.25, r", "", 1700000000250000000 },
	{ "return 2, 1700000000, r", "", TIME },
	{ "return 1, ts, r", " time_as_table On\n", TIME },
	{ "ts.sec = ts.sec + 5 ts.nsec = 1 return 1, ts, r", " time_as_table On\n",
	    (1795334405 * NS_PER_S) + 1 },
};

static void
test_the_code_1_sets_the_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		char *options = xprintf(" call cb\n code function cb(tag, ts, r) %s end\n%s",
		    times[i].body, times[i].options);
		struct tried t;

		try_begin(&t, options);
		try_record(&t, "{\"a\":1}");
		assert_string_equal(t.out, "{\"a\":1}");
		if (t.record.time != times[i].time)
			fail_msg("%s: %lld", times[i].body, (long long)t.record.time);
		try_end(&t);
		free(options);
	}
}

static void
test_a_script_remembers_and_is_a_file(void **state)
{
	struct tried t;

	(void)state;
	script_write("count.lua", "local seen = {}\n"
				  "function once(tag, ts, r)\n"
				  "  if seen[r.log] then return -1, ts, r end\n"
				  "  seen[r.log] = true\n"
				  "  return 0, ts, r\n"
				  "end\n");
	try_begin(&t, " script /fluent-bit/scripts/count.lua\n call once\n");
	try_record(&t, "{\"log\":\"a\"}");
	assert_string_equal(t.out, "{\"log\":\"a\"}");
	try_record(&t, "{\"log\":\"a\"}");
	assert_string_equal(t.out, "dropped");
	try_end(&t);
}

static const struct {
	const char *script, *options, *said; /* NULL: nothing is */
} checked[] = {
	{ "function f() end", " script s.lua\n call f\n", NULL },
	{ "function f() end", " script /fluent-bit/scripts/s.lua\n call f\n",
	    "t.conf:4: warning: script '/fluent-bit/scripts/s.lua' is not there: " },
	{ "function f( end", " script s.lua\n call f\n",
	    "s.lua:1: <name> or '...' expected near 'end'" },
	{ "function f() end", " script s.lua\n call g\n", "s.lua defines no function 'g'" },
	{ "", " script none.lua\n call g\n", "script 'none.lua' is not there, and no none.lua" },
	{ "", " call g\n", "[FILTER] lua has no script; it needs one, or code" },
	{ "", " script s.lua\n code x = 1\n call g\n", "has script and code; one of them has" },
	{ "function f() end", " script s.lua\n", "has no call; it needs one" },
	{ "local cjson = require 'cjson'", " script s.lua\n call f\n", "require is not there" },
	{ "function f() return os.getenv('A') end", " script s.lua\n call f\n",
	    "os.getenv gives nil: the option Env names" },
	{ "function f() return os.getenv('A') end", " script s.lua\n call f\n Env A\n", NULL },
	{ "", " code function f(a) return #a, 'b # c' end\n call f\n", NULL },
	{ "\033LuaQ", " script s.lua\n call f\n", "s.lua is precompiled" },
};

static void
test_check_finds_what_run_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(checked); i++) {
		struct conf *conf;
		char *said;

		script_write("s.lua", checked[i].script);
		conf = conf_of(checked[i].options, &said);
		if (checked[i].said == NULL ? strstr(said, "conf:4") != NULL
					    : strstr(said, checked[i].said) == NULL)
			fail_msg("%s: %s", checked[i].options, said);
		free(said);
		conf_free(conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts_change_and_drop_records),
		cmocka_unit_test(test_the_code_1_sets_the_time),
		cmocka_unit_test(test_a_script_remembers_and_is_a_file),
		cmocka_unit_test(test_check_finds_what_run_would),
	};

	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return unit_remove(dir) != 0 ? 1 : failed;
}
