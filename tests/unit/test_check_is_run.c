/*
 * `towline check` calls right exactly what `towline run` starts: over configurations, and
 * over mutations of them.  Of `run` the part that a configuration can stop is run: all that
 * comes before its threads, and the threads of the configurations themselves.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>

#include "../../src/conf/table.h"
#include "agent_conf.h"
#include "chance.h"
#include "conf_try.h"
#include "pipeline.h"
#include "plugins.h"
#include "voice.h"

#define SERVICE "[SERVICE]\n HTTP_Listen 127.0.0.1\n HTTP_Port 0\n Grace 0\n"
#define TAIL "[INPUT]\n Name tail\n Path /nowhere/containers/*.log\n Tag k.*\n"

static const char *const bases[] = {
	SERVICE TAIL "[OUTPUT]\n Name null\n",
	SERVICE TAIL "[FILTER]\n Name kubernetes\n Match k.*\n Merge_Log On\n"
		     " K8S-Logging.Parser On\n Kube_Tag_Prefix k.nowhere.\n Labels Off\n"
		     "[OUTPUT]\n Name es\n Match *\n Host 127.0.0.1\n Port 9\n Logstash_Format On\n"
		     " Logstash_Prefix a\n Suppress_Type_Name On\n Retry_Limit False\n tls Off\n",
	SERVICE " Parsers_File p.conf\n Log_Level warn\n" TAIL
		" Parser mine\n DB f.db\n Refresh_Interval 5\n Mem_Buf_Limit 5MB\n"
		"[FILTER]\n Name parser\n Match *\n Key_Name log\n Parser mine\n Reserve_Data On\n"
		"[OUTPUT]\n Name stdout\n Match *\n[PARSER]\n Name mine\n Format regex\n"
		" Regex ^(?<time>[^ ]+) (?<text>.*)$\n Time_Key time\n Time_Format %Y-%m-%d\n"
		" Types text:string\n",
	SERVICE " Agent_Gauges poll\n Agents n/p/c=127.0.0.1\n Unbuilt_Outputs skip\n" TAIL
		" Tag_Regex (?<name>[a-z]+)_\n[INPUT]\n Name cpu\n Tag cpu\n"
		"[FILTER]\n Name throttle\n Match *\n Rate 5\n"
		"[OUTPUT]\n Name sqlite\n Match k.*\n Path a.db\n"
		"[OUTPUT]\n Name sqlite\n Match k.*\n Path /nowhere/a.db\n"
		"[OUTPUT]\n Name loki\n Match *\n",
	SERVICE TAIL
	" multiline.parser docker, cri\n Skip_Long_Lines On\n"
	"[INPUT]\n Name tail\n Path /nowhere/*.log\n Tag h.<x>\n"
	" Tag_Regex (?<x>.)\n Exclude_Path /nowhere/b*\n"
	"[OUTPUT]\n Name opensearch\n Match_Regex ^[kh]\n Host a:9200, b\n Index i-%Y\n"
	" HTTP_User u\n HTTP_Passwd p\n Replace_Dots On\n Generate_ID On\n"
	" tls On\n tls.ciphers HIGH\n tls.min_version TLSv1.2\n"
	"[OUTPUT]\n Name null\n Match h*\n",
};

/* Values that are right, wrong, or nearly right, for one option or another. */
static const char *const values[] = { "on", "Off", "0", "1", "-1", "5", "65536", "1.5", "5s", "2h",
	"400d", "32K", "5MB", "900M", "x", "*", "k.*", "k.<x>", "a, b", "a,,b", "(", "(?<a>.)",
	"(?<a>.)\\1", "[a&&b]", "/x/i", "%Y.%m", "%Q", "\"q\"", "a # b", "127.0.0.1", "::1",
	"http://[", "https://h:1/p", "h:99999", "no_limits", "False", "cri", "docker", "mine",
	"Upper", "_a", "a/b", "..", "/dev/null", "/nowhere/*", "p.conf", "none.conf", "${NOT}",
	"${NOT:-on}", "+0100", "+99", "time", "log", "@timestamp", "a\\b", "é", "json", "regex",
	"a:integer", "a:b", "0.1, 1, 5", "5, 1", "create", "gzip", "info", "trace", "n/p/c", "a=b",
	"9464/metrics" };

/* Of memory, not of a mistake; a program that would be run. */
static const char *const spared[] = { "Batches", "Batch_Size", "Max_Files", "Max_Series",
	"Max_Pods", "Max_Failures", "Hold_Size", "Workers", "Kube_Token_Command", "HTTP_Port" };

/* ---- the two verdicts */

/* In memory, where there is such a place: each start makes files. */
static char try_state[] = "/dev/shm/towline-state-XXXXXX";

static char *
read_and_judge(bool agents, bool *right)
{
	struct findings *f = findings_new();
	struct conf *c = conf_read("f", &plugins_registry, f);
	char *said;

	if (agents)
		agent_words_free(agent_conf_load(service_of(c), "f", f));
	*right = findings_count(f, FINDING_ERROR) == 0;
	said = try_findings(f);
	conf_free(c);
	findings_free(f);
	return said;
}

static bool
starts(bool whole)
{
	struct pipeline_options how = { .exit_on_eof = true, .state_dir = try_state };
	struct findings *f = findings_new();
	struct conf *c = conf_read("f", &plugins_registry, f);
	bool right = findings_count(f, FINDING_ERROR) == 0;
	struct pipeline *p = right ? pipeline_new(c, &how) : NULL;
	bool made = p != NULL;

	if (p != NULL && whole)
		made = pipeline_start(p) == 0 && pipeline_run(p) == PIPELINE_ENDED;
	pipeline_free(p);
	conf_free(c);
	findings_free(f);
	return made;
}

/* True when `check` calls the text right; both are told when they differ. */
static bool
judge(const char *text, bool whole)
{
	bool right;
	char *said;

	try_file("f", text);
	said = read_and_judge(true, &right);
	if (starts(whole) != right)
		fail_msg("check calls it %s, run does not:\n%s\nit says:\n%s",
		    right ? "right" : "wrong", text, said);
	free(said);
	return right;
}

/* ---- mutations: of lines */

#define LINES_MAX 64

struct lines {
	char at[LINES_MAX][160];
	unsigned n;
};

static void
lines_of(struct lines *l, const char *text)
{
	for (l->n = 0; *text != '\0' && l->n < LINES_MAX; l->n++) {
		size_t len = strcspn(text, "\n");

		snprintf(l->at[l->n], sizeof(l->at[0]), "%.*s", (int)len, text);
		text += len + 1;
	}
}

static void
line_insert(struct lines *l, unsigned before, const char *text)
{
	if (l->n == LINES_MAX)
		return;
	memmove(l->at[before + 1], l->at[before], (l->n - before) * sizeof(l->at[0]));
	snprintf(l->at[before], sizeof(l->at[0]), "%s", text);
	l->n++;
}

static void
line_drop(struct lines *l, unsigned i)
{
	memmove(l->at[i], l->at[i + 1], (l->n - i - 1) * sizeof(l->at[0]));
	l->n--;
}

static bool
is_spared(const char *name)
{
	for (size_t i = 0; i < COUNT(spared); i++)
		if (strcmp(spared[i], name) == 0)
			return true;
	return false;
}

/* The plugin of the section that has the line ${i}; NULL: it has none. */
static const struct plugin *
plugin_at(const struct lines *l, unsigned i)
{
	const struct plugin *const *p = plugins_registry.plugins;
	char title[TABLE_TITLE], own[TABLE_TITLE] = "", name[80] = "";

	while (i > 0 && l->at[i][0] != '[')
		i--;
	snprintf(own, sizeof(own), "%s", l->at[i]);
	for (unsigned j = i + 1; j < l->n && l->at[j][0] != '['; j++)
		if (sscanf(l->at[j], " Name %79s", name) == 1)
			break;
	for (; *p != NULL; p++) {
		snprintf(own, sizeof(own), "%s%s%s", l->at[i], (*p)->name != NULL ? " " : "",
		    (*p)->name != NULL ? name : "");
		if (strcmp(own, table_title(*p, title)) == 0)
			return *p;
	}
	return NULL;
}

/* An option, mostly of the section that it gets into, with its default, or any value. */
static void
entry_any(const struct lines *l, unsigned before, char *to, size_t size)
{
	const struct plugin *p = any(8) == 0 ? NULL : plugin_at(l, before - 1);
	const struct option *o;
	unsigned plugins = 0;

	while (plugins_registry.plugins[plugins] != NULL)
		plugins++;
	do {
		while (p == NULL || table_rows(p) == 0)
			p = plugins_registry.plugins[any(plugins)];
		o = table_row(p, any((unsigned)table_rows(p)));
	} while (is_spared(o->name));
	snprintf(to, size, " %s %s", o->name,
	    o->value != NULL && any(3) == 0 ? o->value : values[any(COUNT(values))]);
}

static void
garble(char *line)
{
	size_t len = strlen(line), key = 1 + strcspn(line + 1, " ");

	if (any(2) == 0 && line[0] == ' ' && key < len)
		snprintf(line + key, 80, " %s", values[any(COUNT(values))]);
	else if (len > 0)
		line[any((unsigned)len)] = (char)(' ' + any(95));
}

static void
mutate(struct lines *l)
{
	char entry[160];
	unsigned i = any(l->n), j = any(l->n);

	switch (any(8)) {
	case 0:
		line_drop(l, i);
		break;
	case 1:
		memcpy(entry, l->at[i], sizeof(entry));
		line_insert(l, j, entry);
		break;
	case 2:
		memcpy(entry, l->at[i], sizeof(entry));
		memcpy(l->at[i], l->at[j], sizeof(entry));
		memcpy(l->at[j], entry, sizeof(entry));
		break;
	case 3:
		garble(l->at[i]);
		break;
	default:
		i = 1 + any(l->n - 1);
		entry_any(l, i, entry, sizeof(entry));
		line_insert(l, i, entry);
	}
}

/* ---- */

static void
test_what_is_right_starts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bases); i++)
		assert_true(judge(bases[i], true));
}

static unsigned
number_of(const char *name, unsigned unless)
{
	const char *text = getenv(name);

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : unless;
}

static void
test_check_and_run_agree_on_mutations(void **state)
{
	unsigned right = 0, n = number_of("MUTATIONS", 600);

	(void)state;
	chance = number_of("SEED", 13);
	for (unsigned i = 0; i < n; i++) {
		char text[LINES_MAX * 161] = "";
		size_t used = 0;
		struct lines l;

		lines_of(&l, bases[any(COUNT(bases))]);
		for (unsigned times = 1 + any(2); times > 0 && l.n > 2; times--)
			mutate(&l);
		for (unsigned j = 0; j < l.n; j++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", l.at[j]);
		right += judge(text, false);
	}
	/* Neither verdict is rare. */
	assert_in_range(right, n / 5, n * 4 / 5);
}

static int
begin(void **state)
{
	const sigset_t signals = pipeline_signals();

	(void)state;
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (mkdtemp(try_state) == NULL)
		snprintf(try_state, sizeof(try_state), "state");
	try_begin();
	try_file("p.conf", "[PARSER]\n Name other\n Format json\n");
	if (getenv("SAY") == NULL)
		return voice_open(VOICE_ERROR, "/dev/null") < 0 ? -1 : 0;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int
end(void **state)
{
	(void)state;
	nftw(try_state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return chdir("/") != 0 || nftw(try_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_right_starts),
		cmocka_unit_test(test_check_and_run_agree_on_mutations),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
