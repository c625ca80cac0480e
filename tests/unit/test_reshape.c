/*
 * Filters that change fields, through the chain to the document: cases made of Fluent
 * Bit's documentation of each filter.
 */
#include "unit.h"

#include "agent.h"
#include "batch.h"
#include "chain.h"
#include "chance.h"
#include "conf_try.h"
#include "filter.h"
#include "pod.h"
#include "shape.h"
#include "ship.h"
#include "stream.h"
#include "tail.h"
#include "voice.h"

static const struct plugin *const plugins[] = { &service_plugin, &tail_plugin,
	&kubernetes_filter_plugin, &parser_filter_plugin, &grep_filter_plugin,
	&modify_filter_plugin, &nest_filter_plugin, &record_modifier_filter_plugin,
	&rewrite_tag_filter_plugin, &null_plugin, &parser_section_plugin, NULL };
static const struct registry registry = { .plugins = plugins };

static char tag[] = "t", path[] = "/logs/t.log";
static struct pod pod = { .json = SLICE("{\"pod_name\":\"p\",\"labels\":{\"app\":\"a\"}"),
	.pod_name = SLICE("p"),
	.namespace_name = SLICE("n"),
	.container_name = SLICE("c") };

/* A configuration whose filters are tried. */
struct tried {
	struct conf *conf;
	struct chain *chain;
	struct source *source;
	struct stream stream;
	struct document_rules rules;
	struct record record;
	struct batch *batch;
};

static void
tried_input(struct tried *t, const char *options, const char *filters)
{
	struct findings *findings = findings_new();
	char conf[4096], *said;

	snprintf(conf, sizeof(conf),
	    "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n%s"
	    "[OUTPUT]\n Name null\n Match *\n"
	    "[PARSER]\n Name j\n Format json\n"
	    "[PARSER]\n Name kv\n Format regex\n Regex ^(?<a>\\w+)=(?<b>.*)$\n%s",
	    options, filters);
	*t = (struct tried){ .batch = batch_new(1 << 20, 1 << 20) };
	try_file("f", conf);
	t->conf = conf_read("f", &registry, findings);
	said = try_findings(findings);
	if (findings_count(findings, FINDING_ERROR) > 0)
		fail_msg("%s\n%s", filters, said);
	free(said);
	findings_free(findings);
	t->chain = chain_new(t->conf, service_of(t->conf));
	assert_non_null(t->chain);
	t->stream =
	    (struct stream){ .conf = t->conf->sections[0].values, .tag = tag, .path = path };
	t->stream.pod = &pod;
	t->source = chain_source_new(t->chain, &t->stream);
	t->rules = document_rules_default();
	chain_rules(t->chain, &t->stream, &t->rules);
}

static void
tried_begin(struct tried *t, const char *filters)
{
	tried_input(t, "", filters);
}

static void
tried_end(struct tried *t)
{
	batch_free(t->batch);
	chain_source_free(t->source);
	chain_free(t->chain);
	conf_free(t->conf);
}

static struct framed
framed_of(struct tried *t, const char *log)
{
	static const char time[] = "2026-11-22T08:00:00.5Z";

	return (struct framed){ .stream = &t->stream,
		.time = 1795334400500000000,
		.time_text = slice_of(time),
		.text = slice_of(log) };
}

/* The document without its @timestamp and time; empty: the record is dropped. */
static struct slice
document_of(struct tried *t, const char *log)
{
	const struct framed f = framed_of(t, log);
	const struct item *item = t->batch->items;
	struct slice text;
	const char *from;

	batch_clear(t->batch, 1, 1 << 20);
	if (!chain_run(t->chain, t->source, &f, &t->record))
		return SLICE("");
	assert_true(batch_put(t->batch, &t->rules, &t->record));
	assert_true(item->core <= item->plain && item->plain < item->end);
	text = (struct slice){ t->batch->body.at + item->document, item->end - item->document };
	from = memchr(text.at, ',', text.len);
	return from == NULL ? SLICE("-") : slice_from(text, (size_t)(from - text.at) + 1);
}

#define KUBE "[FILTER]\n Name kubernetes\n Match *\n"
#define K8S "\"kubernetes\":{\"pod_name\":\"p\",\"labels\":{\"app\":\"a\"}}"
#define TIME "\"time\":\"2026-11-22T08:00:00.5Z\""
#define CRI TIME ",\"stream\":\"stdout\",\"logtag\":\"F\""
#define FILTER(name) "[FILTER]\n Name " name "\n Match *\n"
#define JSON FILTER("parser") " Key_Name log\n Parser j\n"
#define MODIFY                                                                                     \
	JSON FILTER("record_modifier") " Allowlist_key a\n Allowlist_key b\n" FILTER("modify")

static const struct {
	const char *filters, *log, *want;
} cases[] = {
	/* nothing changes */
	{ KUBE FILTER("modify"), "x", CRI ",\"log\":\"x\"," K8S "}" },
	{ KUBE FILTER("nest") " Operation lift\n Nested_under none\n", "a\"b",
	    CRI ",\"log\":\"a\\\"b\"," K8S "}" },

	/* modify: rules */
	{ MODIFY " Set a 1\n Set c x y\n", "{\"a\":0,\"b\":2}",
	    "\"a\":\"1\",\"b\":2,\"c\":\"x y\"}" },
	{ MODIFY " Add a 1\n Add c 3\n", "{\"a\":0}", "\"a\":0,\"c\":\"3\"}" },
	{ MODIFY " Set c \"x y\"\n", "{}", "\"c\":\"x y\"}" },
	{ MODIFY " Remove a\n Remove z\n", "{\"a\":0,\"b\":2}", "\"b\":2}" },
	{ FILTER("modify") " Remove_wildcard log*\n Remove_wildcard st\n", "x", TIME "}" },
	{ FILTER("modify") " Remove_regex ^(t|.*tag$)\n", "x",
	    "\"stream\":\"stdout\",\"log\":\"x\"}" },
	{ FILTER("modify") " Rename log message\n Rename time stream\n", "x",
	    CRI ",\"message\":\"x\"}" },
	{ MODIFY " Rename a b\n", "{\"a\":1,\"b\":2}", "\"a\":1,\"b\":2}" },
	{ MODIFY " Hard_rename a b\n", "{\"a\":1,\"b\":2}", "\"b\":1}" },
	{ MODIFY " Copy a b\n Copy a c\n", "{\"a\":1,\"b\":2}", "\"a\":1,\"b\":2,\"c\":1}" },
	{ MODIFY " Hard_copy a b\n", "{\"a\":{\"x\":[1]},\"b\":2}",
	    "\"a\":{\"x\":[1]},\"b\":{\"x\":[1]}}" },
	{ MODIFY " Move_to_start b\n", "{\"a\":1,\"b\":2}", "\"b\":2,\"a\":1}" },
	{ FILTER("modify") " Move_to_end t*\n Rename log message\n", "x",
	    "\"stream\":\"stdout\",\"logtag\":\"F\",\"message\":\"x\"," TIME "}" },
	{ MODIFY " Rename a c\n Set c 9\n Copy c a\n", "{\"a\":1}", "\"c\":\"9\",\"a\":\"9\"}" },

	/* modify: conditions */
	{ MODIFY " Condition Key_exists a\n Set c 1\n", "{\"a\":1}", "\"a\":1,\"c\":\"1\"}" },
	{ MODIFY " Condition Key_exists c\n Set c 1\n", "{\"a\":1}", "\"a\":1}" },
	{ MODIFY " Condition Key_does_not_exist c\n Set c 1\n", "{\"a\":1}",
	    "\"a\":1,\"c\":\"1\"}" },
	{ MODIFY " Condition A_key_matches ^[ab]$\n Set c 1\n", "{\"b\":1}",
	    "\"b\":1,\"c\":\"1\"}" },
	{ MODIFY " Condition No_key_matches ^[ab]$\n Set c 1\n", "{\"b\":1}", "\"b\":1}" },
	{ MODIFY " Condition Key_value_equals a x y\n Set c 1\n", "{\"a\":\"x y\"}",
	    "\"a\":\"x y\",\"c\":\"1\"}" },
	{ MODIFY " Condition Key_value_equals a 1\n Set c 1\n", "{\"a\":1}",
	    "\"a\":1,\"c\":\"1\"}" },
	{ MODIFY " Condition Key_value_does_not_equal a 1\n Set c 1\n", "{\"a\":1}", "\"a\":1}" },
	{ MODIFY " Condition Key_value_does_not_equal z 1\n Set c 1\n", "{\"a\":1}", "\"a\":1}" },
	{ MODIFY " Condition Key_value_matches a ^x\n Set c 1\n", "{\"a\":\"xy\"}",
	    "\"a\":\"xy\",\"c\":\"1\"}" },
	{ MODIFY " Condition Key_value_does_not_match a ^x\n Set c 1\n", "{\"a\":\"xy\"}",
	    "\"a\":\"xy\"}" },
	{ MODIFY " Condition Matching_keys_have_matching_values ^[ab] ^x\n Set c 1\n",
	    "{\"a\":\"xy\",\"b\":\"z\"}", "\"a\":\"xy\",\"b\":\"z\"}" },
	{ MODIFY " Condition Matching_keys_have_matching_values ^a ^x\n Set c 1\n",
	    "{\"a\":\"xy\",\"b\":\"z\"}", "\"a\":\"xy\",\"b\":\"z\",\"c\":\"1\"}" },
	{ MODIFY " Condition Matching_keys_do_not_have_matching_values ^[ab] ^q\n Set c 1\n",
	    "{\"a\":\"xy\",\"b\":\"z\"}", "\"a\":\"xy\",\"b\":\"z\",\"c\":\"1\"}" },
	{ MODIFY " Condition Key_exists a\n Condition Key_exists b\n Set c 1\n", "{\"a\":1}",
	    "\"a\":1}" },
	{ KUBE FILTER("modify") " Condition Key_value_equals $kubernetes['labels']['app'] a\n"
				" Remove kubernetes\n",
	    "x", CRI ",\"log\":\"x\"}" },

	/* nest */
	{ MODIFY " Set Mem.used 1\n Set Mem.free 2\n Remove a\n" FILTER(
	      "nest") " Operation nest\n Wildcard Mem.*\n Nest_under Memstats\n Remove_prefix Mem.\n",
	    "{\"a\":1,\"b\":1}", "\"b\":1,\"Memstats\":{\"used\":\"1\",\"free\":\"2\"}}" },
	{ MODIFY FILTER("nest") " Operation nest\n Wildcard none*\n Nest_under c\n", "{\"a\":1}",
	    "\"a\":1}" },
	{ MODIFY FILTER("nest") " Operation nest\n Wildcard b\n Nest_under a\n",
	    "{\"a\":{\"x\":1},\"b\":2}", "\"a\":{\"x\":1,\"b\":2}}" },
	{ MODIFY FILTER("nest") " Operation lift\n Nested_under a\n Add_prefix a_\n",
	    "{\"a\":{\"x\":1,\"y\":{\"z\":\"\\u00e9\"}},\"b\":2}",
	    "\"b\":2,\"a_x\":1,\"a_y\":{\"z\":\"\\u00e9\"}}" },
	{ MODIFY FILTER("nest") " Operation lift\n Nested_under a\n", "{\"a\":1}", "\"a\":1}" },
	{ KUBE FILTER("nest") " Operation lift\n Nested_under kubernetes\n Add_prefix k8s_\n", "x",
	    CRI ",\"log\":\"x\",\"k8s_pod_name\":\"p\",\"k8s_labels\":{\"app\":\"a\"}}" },
	{ KUBE FILTER("nest") " Operation lift\n Nested_under kubernetes\n Add_prefix k_\n" FILTER(
	      "modify") " Remove k_labels\n" FILTER("nest") " Operation nest\n Wildcard k_*\n Nest_under kubernetes\n Remove_prefix k_\n",
	    "x", CRI ",\"log\":\"x\",\"kubernetes\":{\"pod_name\":\"p\"}}" },

	/* record_modifier */
	{ FILTER("record_modifier") " Record host h 1\n Remove_key log*\n", "x",
	    TIME ",\"stream\":\"stdout\",\"host\":\"h 1\"}" },
	{ FILTER("record_modifier") " Whitelist_key log\n Record a b\n", "x",
	    "\"log\":\"x\",\"a\":\"b\"}" },
	{ FILTER("record_modifier") " Allowlist_key log\n Uuid_key u\n", "x",
	    "\"log\":\"x\",\"u\":\"9a026d96-b3c0-80fc-a057-271c9071c99d\"}" },

	/* grep */
	{ FILTER("grep") " Regex log ^x\n", "xy", CRI ",\"log\":\"xy\"}" },
	{ FILTER("grep") " Regex log ^x\n", "yx", "" },
	{ FILTER("grep") " Regex none x\n", "x", "" },
	{ FILTER("grep") " Exclude log a b\n", "a b", "" },
	{ FILTER("grep") " Exclude log a b\n Exclude none x\n", "ab", CRI ",\"log\":\"ab\"}" },
	{ FILTER("grep") " Exclude log \"b\"\n", "a b", CRI ",\"log\":\"a b\"}" },
	{ FILTER("grep") " Exclude log \"b\"\n", "a \"b\"", "" },
	{ FILTER("grep") " Regex log x\n Exclude log y\n", "xy", "" },
	{ KUBE FILTER("grep") " Exclude $kubernetes['labels']['app'] ^a$\n", "x", "" },
	{ KUBE FILTER("grep") " Regex $kubernetes['labels']['app'] ^a$\n", "x",
	    CRI ",\"log\":\"x\"," K8S "}" },
	/* a label by its own name, whose dots are replaced, perhaps */
	{ JSON FILTER("grep") " Regex $kubernetes['labels']['a.b/c.d'] ^x$\n",
	    "{\"kubernetes\":{\"labels\":{\"z\":\"\",\"a_b/c_d\":\"x\"}}}",
	    CRI ",\"kubernetes\":{\"labels\":{\"z\":\"\",\"a_b/c_d\":\"x\"}}}" },
	{ JSON FILTER("grep") " Exclude $kubernetes['labels']['a.b'] ^x$\n",
	    "{\"kubernetes\":{\"labels\":{\"a_b\":\"x\",\"a.b\":\"y\"}}}",
	    CRI ",\"kubernetes\":{\"labels\":{\"a_b\":\"x\",\"a.b\":\"y\"}}}" },
	{ JSON FILTER("grep") " Regex $kubernetes['labels']['a_b'] ^x$\n",
	    "{\"kubernetes\":{\"labels\":{\"a.b\":\"x\"}}}", "" },
	{ JSON FILTER("grep") " Regex $other['labels']['a.b'] ^x$\n",
	    "{\"other\":{\"labels\":{\"a_b\":\"x\"}}}", "" },
	{ FILTER("grep") " Logical_Op or\n Regex log x\n Regex log y\n", "y",
	    CRI ",\"log\":\"y\"}" },
	{ FILTER("grep") " Logical_Op AND\n Regex log x\n Regex log y\n", "y", "" },
	{ FILTER("grep") " Logical_Op and\n Exclude log x\n Exclude log y\n", "y",
	    CRI ",\"log\":\"y\"}" },
	{ FILTER("grep") " Logical_Op or\n Exclude log x\n Exclude log y\n", "y", "" },
	{ JSON FILTER("grep") " Exclude code ^5\n", "{\"code\":503}", "" },
	{ JSON FILTER("grep") " Regex a /^X$/i\n", "{\"a\":null}", "" },

	/* what cannot stand at the root goes under log_parsed.extra */
	{ JSON FILTER("modify") " Rename a @timestamp\n Rename b kubernetes\n",
	    "{\"a\":1,\"b\":2,\"c\":3}",
	    CRI ",\"c\":3,\"log_parsed\":{\"extra\":{\"@timestamp\":1,\"kubernetes\":2}}}" },
	{ FILTER("modify") " Set log_parsed x\n Set _id y\n", "z",
	    CRI ",\"log\":\"z\",\"log_parsed\":{\"extra\":{\"log_parsed\":\"x\",\"_id\":\"y\"}}}" },
	{ KUBE FILTER("modify") " Set _id y\n", "{\"level\":\"INFO\",\"q\":1}",
	    CRI ",\"log\":\"{\\\"level\\\":\\\"INFO\\\",\\\"q\\\":1}\"," K8S
		",\"log_parsed\":{\"level\":\"INFO\",\"extra\":{\"q\":1,\"_id\":\"y\"}}}" },
	{ KUBE FILTER("modify") " Remove log\n", "{\"level\":\"INFO\",\"q\":1}",
	    CRI "," K8S ",\"log_parsed\":{\"level\":\"INFO\",\"extra\":{\"q\":1}}}" },
	{ KUBE FILTER("nest") " Operation lift\n Nested_under log_parsed\n" FILTER(
	      "modify") " Remove log\n Remove extra\n",
	    "{\"level\":\"INFO\",\"q\":1}", CRI "," K8S ",\"level\":\"INFO\"}" },
	{ "[FILTER]\n Name kubernetes\n Match *\n Merge_Log_Key m\n" FILTER(
	      "modify") " Remove log\n Set _id y\n",
	    "{\"level\":\"INFO\",\"q\":1}",
	    CRI "," K8S ",\"m\":{\"level\":\"INFO\",\"q\":1,\"_id\":\"y\"}}" },

	/* parser on fields that other filters made, and into fields */
	{ FILTER("modify") " Set x k=v\n" FILTER(
	      "parser") " Key_Name x\n Parser kv\n Reserve_Data on\n",
	    "l", CRI ",\"log\":\"l\",\"a\":\"k\",\"b\":\"v\"}" },
	{ FILTER("modify") " Set x k=v\n Set y 1\n" FILTER("parser") " Key_Name x\n Parser kv\n",
	    "l", CRI ",\"a\":\"k\",\"b\":\"v\"}" },
	{ FILTER("parser") " Key_Name log\n Parser kv\n Nest_Under n\n Preserve_Key on\n", "k=v",
	    CRI ",\"log\":\"k=v\",\"n\":{\"a\":\"k\",\"b\":\"v\"}}" },
	{ FILTER("parser") " Key_Name log\n Parser kv\n Hash_Value_Field h\n", "k=v",
	    CRI ",\"h\":{\"a\":\"k\",\"b\":\"v\"}}" },
	{ FILTER("parser") " Key_Name log\n Parser kv\n Hash_Value_Field h\n", "none",
	    CRI ",\"log\":\"none\"}" },
	{ JSON FILTER("parser") " Key_Name $a['x']\n Parser kv\n Reserve_Data on\n",
	    "{\"a\":{\"x\":\"k=v\",\"y\":1}}", CRI ",\"a\":\"k\",\"b\":\"v\"}" },
	{ FILTER("modify") " Set x 1\n" JSON, "{\"kubernetes\":1,\"time\":2,\"x\":3}",
	    CRI ",\"x\":3,\"log_parsed\":{\"extra\":{\"time\":2,\"kubernetes\":1}}}" },
	{ FILTER("modify") " Set x 1\n" JSON, "{\"log\":\"new\"}", CRI ",\"log\":\"new\"}" },

/* a time that is not the record's is a field */
#define TIMED "[PARSER]\n Name td\n Format regex\n Regex ^(?<ts>\\S+) (?<m>.*)$\n Time_Key ts\n"
	{ FILTER("parser") " Key_Name log\n Parser td\n" TIMED, "2020-02-02T02:02:02Z hi",
	    CRI ",\"ts\":\"2020-02-02T02:02:02Z\",\"m\":\"hi\"}" },
	{ FILTER("parser") " Key_Name log\n Parser td\n Nest_Under n\n" TIMED,
	    "2020-02-02T02:02:02Z hi",
	    CRI ",\"n\":{\"ts\":\"2020-02-02T02:02:02Z\",\"m\":\"hi\"}}" },
	{ KUBE " Merge_Parser td\n" TIMED, "2020-02-02T02:02:02Z hi",
	    CRI
	    ",\"log\":\"2020-02-02T02:02:02Z hi\"," K8S
	    ",\"log_parsed\":{\"timestamp\":\"2020-02-02T02:02:02Z\",\"extra\":{\"ts\":\"2020-02-02T02:02:02Z\",\"m\":\"hi\"}}}" },

	/* kubernetes behind a filter that changed the fields */
	{ FILTER("modify") " Rename log message\n" KUBE, "x", CRI ",\"message\":\"x\"," K8S "}" },
	{ FILTER("modify") " Set a 1\n"
			   "[FILTER]\n Name kubernetes\n Match *\n Keep_Log off\n",
	    "{\"level\":\"INFO\"}",
	    CRI ",\"a\":\"1\"," K8S ",\"log_parsed\":{\"level\":\"INFO\"}}" },
};

static void
test_filters_do_what_their_documentation_says(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tried t;
		struct slice got;

		tried_begin(&t, cases[i].filters);
		got = document_of(&t, cases[i].log);
		if (!slice_eq(got, slice_of(cases[i].want)))
			wrong++, print_message("%s%s\n got  %.*s\n want %s\n", cases[i].filters,
				     cases[i].log, (int)got.len, got.at, cases[i].want);
		assert_int_equal(chain_failures(t.chain), 0);
		tried_end(&t);
	}
	assert_int_equal(wrong, 0);
}

/* A parser finds the text under the input's Key, and no other field is the text. */
static void
test_a_parser_takes_the_text_by_its_key(void **state)
{
	static const struct {
		const char *filters, *log, *want;
	} named[] = {
#define TEXT(name) FILTER("parser") " Key_Name " name "\n Parser kv\n Reserve_Data on\n"
		{ TEXT("m"), "k=v", CRI ",\"a\":\"k\",\"b\":\"v\"}" },
		{ TEXT("log"), "k=v", CRI ",\"m\":\"k=v\"}" },
		{ TEXT("m") " Preserve_Key on\n", "k=v",
		    CRI ",\"m\":\"k=v\",\"a\":\"k\",\"b\":\"v\"}" },
		{ FILTER("parser") " Key_Name m\n Parser j\n", "{\"m\":\"x\",\"log\":\"y\"}",
		    CRI ",\"m\":\"x\",\"log\":\"y\"}" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(named); i++) { /* as a list of fields, and as a tree */
		char filters[512];
		struct tried t;
		struct slice got;

		snprintf(filters, sizeof(filters), "%s%s",
		    i % 2 != 0 ? FILTER("grep") " Exclude none x\n" : "", named[i / 2].filters);
		tried_input(&t, " Key m\n", filters);
		got = document_of(&t, named[i / 2].log);
		if (!slice_eq(got, slice_of(named[i / 2].want)))
			fail_msg("%s%s\n got  %.*s\n want %s\n", filters, named[i / 2].log,
			    (int)got.len, got.at, named[i / 2].want);
		tried_end(&t);
	}
}

/* What becomes of one line: the tag and `log` of each document, * behind those of another id. */
static const struct {
	const char *filters, *log, *want;
} tags[] = {
#define REWRITE FILTER("rewrite_tag")
	{ REWRITE " Rule $log ^x new false\n", "x", "new:x" },
	{ REWRITE " Rule $log ^x new false\n", "y", "t:y" },
	{ REWRITE " Rule $log \"^a \\\"(b)\\\" c$\" new.$1 false\n", "a \"b\" c",
	    "new.b:a \"b\" c" },
	{ REWRITE " Rule log ^(\\w+)\\s?$ a.$TAG.$1.b off\n", "x", "a.t.x.b:x" },
	{ REWRITE " Rule $log ^(?<n>x)(y)$ $0-$1-$2 false\n", "xy", "xy-x-:xy" },
	{ REWRITE " Rule $log y one false\n Rule $log x two false\n Rule $log x three no\n", "x",
	    "two:x" },
	{ JSON REWRITE " Rule $kubernetes['labels']['a.b'] . n.$kubernetes['labels']['a.b'] no\n",
	    "{\"kubernetes\":{\"labels\":{\"a_b\":\"x\"}}}", "n.x:-" },
	{ JSON REWRITE " Rule $o['p'][0] ^v new.$o['p'][0].$q,r.$none.s false\n",
	    "{\"o\":{\"p\":[\"v\"]},\"q\":7}", "new.v.7,r..s:-" },
	{ "[FILTER]\n Name rewrite_tag\n Match t\n Rule $log ^ a.b.c false\n"
	  "[FILTER]\n Name rewrite_tag\n Match a.*\n Rule $log ^ $TAG[2].$TAG[0].$TAG[9] false\n",
	    "x", "c.a.:x" },
	/* from the first filter on, those of the new tag */
	{ "[FILTER]\n Name modify\n Match new\n Set log seen\n" REWRITE " Rule $log ^x new false\n",
	    "x", "new:seen" },
	{ "[FILTER]\n Name rewrite_tag\n Match *\n Rule $log ^x new false\n", "x", "new:x" },
	{ "[FILTER]\n Name rewrite_tag\n Match t\n Rule $log ^x u false\n"
	  "[FILTER]\n Name rewrite_tag\n Match u\n Rule $log ^x t false\n",
	    "x", "t:x" },
	{ REWRITE " Rule $log ^x new false\n[FILTER]\n Name grep\n Match new\n Exclude log x\n",
	    "x", "" },
	{ "[FILTER]\n Name rewrite_tag\n Match *\n Rule $log ^ a.$TAG false\n"
	  "[FILTER]\n Name rewrite_tag\n Match *\n Rule $log ^ b.$TAG false\n",
	    "x", "b.a.b.a.b.a.b.a.t:x" },
	/* KEEP */
	{ REWRITE " Rule $log ^x new true\n", "x", "t:x new:x*" },
	{ REWRITE " Rule $log ^x new true\n[FILTER]\n Name modify\n Match t\n Set log old\n", "x",
	    "t:old new:x*" },
	{ REWRITE " Rule $log ^x new true\n[FILTER]\n Name grep\n Match t\n Exclude log x\n", "x",
	    "new:x*" },
	{ "[FILTER]\n Name rewrite_tag\n Match t\n Rule $log ^x a true\n"
	  "[FILTER]\n Name rewrite_tag\n Match *\n Rule $log ^x b.$TAG true\n",
	    "x", "t:x b.t:x* a:x* b.a:x*" },
	/* the same rule again, under another tag: each copy has an id of its own */
	{ "[FILTER]\n Name rewrite_tag\n Match *\n Rule $log ^x a true\n"
	  "[FILTER]\n Name rewrite_tag\n Match t\n Rule $log ^x b false\n",
	    "x", "b:x a:x* a:x*" },
};

static void
test_a_record_goes_on_under_the_tags_of_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tags); i++) {
		char found[1024] = "", ids[16][DOCUMENT_ID];
		size_t used = 0, n = 0;
		struct tried t;

		tried_begin(&t, tags[i].filters);
		for (bool first = true; first || chain_copies(t.chain); first = false) {
			const struct framed f = framed_of(&t, tags[i].log);
			struct shape_node *log;

			if (!(first ? chain_run(t.chain, t.source, &f, &t.record)
				    : chain_copy(t.chain, t.source, &f, &t.record)))
				continue;
			document_id(&t.record.place, ids[n]);
			for (size_t k = 0; k < n; k++)
				assert_memory_not_equal(ids[n], ids[k], DOCUMENT_ID);
			log = shape_get(t.record.shape, t.record.shape->root, SLICE("log"));
			used += (size_t)snprintf(found + used, sizeof(found) - used,
			    "%s%.*s:%.*s%s", n > 0 ? " " : "", SLICE_ARG(t.record.tag),
			    SLICE_ARG(log != NULL ? log->text : SLICE("-")),
			    t.record.place.id != &f.id ? "*" : "");
			n++;
		}
		if (strcmp(found, tags[i].want) != 0)
			fail_msg("%s%s\n got  %s\n want %s", tags[i].filters, tags[i].log, found,
			    tags[i].want);
		tried_end(&t);
	}
}

/* The ids of all documents of a line, in their order; return how many. */
static size_t
ids_of(struct tried *t, const char *log, char ids[16][DOCUMENT_ID])
{
	size_t n = 0;

	for (bool first = true; first || chain_copies(t->chain); first = false) {
		const struct framed f = framed_of(t, log);

		if (!(first ? chain_run(t->chain, t->source, &f, &t->record)
			    : chain_copy(t->chain, t->source, &f, &t->record)))
			continue;
		assert_in_range(n, 0, 15);
		document_id(&t->record.place, ids[n++]);
	}
	return n;
}

/* Whatever rules send a record where: each copy has an id of its own, the same each time. */
static void
test_copies_by_any_rules_have_ids_of_their_own(void **state)
{
	static const char *const matches[] = { "*", "t", "a*", "b" }, *const to[] = { "a", "b",
		"a.$TAG", "t" };

	(void)state;
	chance = 13;
	for (int round = 0; round < 400; round++) {
		char filters[1024], ids[16][DOCUMENT_ID], again[16][DOCUMENT_ID];
		size_t used = 0, n;
		struct tried t;

		for (unsigned left = 1 + any(4); left > 0; left--)
			used += (size_t)snprintf(filters + used, sizeof(filters) - used,
			    "[FILTER]\n Name rewrite_tag\n Match %s\n Rule $log ^ %s %s\n",
			    matches[any(4)], to[any(4)], any(3) > 0 ? "true" : "false");
		tried_begin(&t, filters);
		n = ids_of(&t, "x", ids);
		assert_int_equal(ids_of(&t, "x", again), n);
		assert_memory_equal(ids, again, n * DOCUMENT_ID);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < i; k++)
				if (memcmp(ids[i], ids[k], DOCUMENT_ID) == 0)
					fail_msg(
					    "%s: documents %zu and %zu have one id", filters, k, i);
		tried_end(&t);
	}
}

static const struct {
	const char *filter, *want;
} mistakes[] = {
	{ FILTER("grep") " Regex log\n", "Regex takes two words; there are fewer" },
	{ FILTER("grep") " Regex log (\n", "Regex '(': " },
	{ FILTER("grep") " Exclude $a['b x\n", "Exclude takes two words" },
	{ FILTER("grep") " Regex $a[b] x\n", "in a bracket stands a number, or a name in quotes" },
	{ FILTER("grep") " Logical_Op and\n Regex a b\n Exclude a b\n", "joins rules of one kind" },
	{ FILTER("modify") " Set a\n", "Set takes two words" },
	{ FILTER("modify") " Remove_regex [\n", "Remove_regex '['" },
	{ FILTER("modify") " Condition Key_exist a\n", "did you mean 'Key_exists'?" },
	{ FILTER("modify") " Condition Key_value_equals a\n", "Condition takes three words" },
	{ FILTER("parser") " Parser j\n Key_Name $a[\n", "Key_Name '$a['" },
	{ FILTER("rewrite_tag") " Rule $log x new\n", "Rule takes four words" },
	{ FILTER("rewrite_tag") " Rule $log ( new true\n", "Rule '(': " },
	{ FILTER("rewrite_tag") " Rule $log x $.y true\n", "behind the $ stands a name" },
	{ FILTER("rewrite_tag") " Rule $log x y maybe\n", "KEEP, is true or false, not 'maybe'" },
	{ FILTER("nest") " Operation lift\n", "Operation lift needs Nested_under" },
	{ FILTER("nest") " Wildcard a\n", "Operation nest needs Nest_under" },
	{ FILTER("record_modifier") " Record a\n", "Record takes two words" },
	{ FILTER("record_modifier") " Remove_key a\n Allowlist_key b\n", "exclude each other" },
};

static void
test_mistakes_are_said_by_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct findings *findings = findings_new();
		char conf[1024], *said;

		snprintf(conf, sizeof(conf),
		    "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n[OUTPUT]\n Name null\n Match *\n"
		    "[PARSER]\n Name j\n Format json\n%s",
		    mistakes[i].filter);
		try_file("f", conf);
		conf_free(conf_read("f", &registry, findings));
		said = try_findings(findings);
		if (findings_count(findings, FINDING_ERROR) != 1 ||
		    strstr(said, mistakes[i].want) == NULL)
			fail_msg("%s said: %s", mistakes[i].filter, said);
		free(said);
		findings_free(findings);
	}
}

/* grep behind Merge_Log names a JSON line's members as Fluent Bit has them: at the root. */
static void
test_check_says_where_merged_members_are(void **state)
{
#define MERGED KUBE " Merge_Log On\n"
	static const struct {
		const char *filters;
		unsigned warnings;
	} merged[] = {
		{ MERGED FILTER("grep") " Regex level x\n Exclude $a['b'] y\n Regex log z\n", 2 },
		{ MERGED FILTER("grep") " Regex $log_parsed['level'] x\n", 0 },
		{ MERGED FILTER("grep") " Regex $kubernetes['labels']['a'] x\n", 0 },
		{ KUBE FILTER("grep") " Regex level x\n", 0 }, /* Fluent Bit does not merge */
		{ MERGED " Merge_Log_Key m\n" FILTER("grep") " Regex level x\n", 0 },
		{ KUBE " Merge_Log Off\n" FILTER("grep") " Regex level x\n", 0 },
		{ MERGED JSON FILTER("grep") " Regex level x\n", 0 },
		{ FILTER("grep") " Regex level x\n" MERGED, 0 },
		{ MERGED "[FILTER]\n Name grep\n Match t\n Regex level x\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(merged); i++) {
		struct findings *read = findings_new(), *findings = findings_new();
		char text[1024];
		struct conf *conf;

		snprintf(text, sizeof(text),
		    "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n[OUTPUT]\n Name null\n Match *\n"
		    "[PARSER]\n Name j\n Format json\n%s",
		    merged[i].filters);
		try_file("f", text);
		conf = conf_read("f", &registry, read);
		filter_check(conf, findings);
		if (findings_count(findings, FINDING_WARNING) != merged[i].warnings)
			fail_msg("%s: %zu warnings", merged[i].filters,
			    (size_t)findings_count(findings, FINDING_WARNING));
		conf_free(conf);
		findings_free(read);
		findings_free(findings);
	}
}

/* A record that is too large for the filters goes on as it was, and is counted. */
static void
test_no_room_leaves_a_record_unchanged(void **state)
{
	static char log[300000];
	struct tried t;
	struct slice got;
	size_t used;

	(void)state;
	used = (size_t)snprintf(log, sizeof(log), "{\"a\":{\"b\":{");
	for (int i = 0; i < 510; i++)
		used +=
		    (size_t)snprintf(log + used, sizeof(log) - used, "\"k%d\":\"%0400d\",", i, i);
	snprintf(log + used, sizeof(log) - used, "\"k\":1}}}");
	tried_begin(&t, "[SERVICE]\n Filter_Memory 64K\n" JSON FILTER(
			    "modify") " Set z 1\n Condition Key_does_not_exist $a['b']['x']\n");
	got = document_of(&t, log);
	assert_int_equal(chain_failures(t.chain), 1u << FAILURE_RESHAPE);
	assert_true(slice_starts(got, SLICE(CRI ",\"a\":{\"b\":{\"k0\":")));
	assert_true(slice_ends(got, SLICE("\"k\":1}}}")));
	assert_slice(document_of(&t, "{\"q\":1}"), CRI ",\"q\":1,\"z\":\"1\"}");
	assert_int_equal(chain_failures(t.chain), 0);
	tried_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_do_what_their_documentation_says),
		cmocka_unit_test(test_a_parser_takes_the_text_by_its_key),
		cmocka_unit_test(test_a_record_goes_on_under_the_tags_of_rules),
		cmocka_unit_test(test_copies_by_any_rules_have_ids_of_their_own),
		cmocka_unit_test(test_mistakes_are_said_by_check),
		cmocka_unit_test(test_check_says_where_merged_members_are),
		cmocka_unit_test(test_no_room_leaves_a_record_unchanged),
	};

	return cmocka_run_group_tests(tests, try_setup, try_teardown);
}
