/*
 * The rows, in the order of a record's way.  Each says two facts and how to have
 * the other one; what a difference is good for stands in docs/fluent-bit.md.
 */
#include "difference.h"

#include <string.h>

#include "table.h"

#define ALWAYS                                                                                     \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define ONE(when, option)                                                                          \
	{                                                                                          \
		{                                                                                  \
			DIFFERENCE_##when, option                                                  \
		}                                                                                  \
	}
#define TWO(when, option, when2, option2)                                                          \
	{                                                                                          \
		{ DIFFERENCE_##when, option },                                                     \
		{                                                                                  \
			DIFFERENCE_##when2, option2                                                \
		}                                                                                  \
	}

#define THREE(when, option, when2, option2, when3, option3)                                        \
	{                                                                                          \
		{ DIFFERENCE_##when, option }, { DIFFERENCE_##when2, option2 },                    \
		{                                                                                  \
			DIFFERENCE_##when3, option3                                                \
		}                                                                                  \
	}

#define SERVICE SECTION_SERVICE, NULL
#define TAIL SECTION_INPUT, "tail"
#define SYSTEMD SECTION_INPUT, "systemd"
#define EXPRESSIONS SECTION_FILTER, "grep modify rewrite_tag"
#define MULTILINE SECTION_FILTER, "multiline"
#define KUBERNETES SECTION_FILTER, "kubernetes"
#define ES SECTION_OUTPUT, "es opensearch elasticsearch"

const struct difference difference_table[] = {
	/* ---- files */
	{ TAIL, TWO(ABSENT, "First_Start", ABSENT, "Read_from_Head"),
	    "old lines at the first start",
	    "Read_from_Head is off: a file that is there begins at its end",
	    "Read_from_Head is on: it begins at its head, but where a DB says how far Fluent Bit came",
	    "First_Start end" },
	{ TAIL, ONE(GIVEN, "DB"), "the DB",
	    "offsets of what was read, delivered or not: what was in memory when the process died is gone",
	    "it is read once; cursors under State_Path move when the server has taken a record",
	    NULL },
	{ TAIL, ALWAYS, "rotated files", "after Rotate_Wait unread bytes are given up",
	    "a rotated file is read to its end, its .gz too", NULL },
	{ TAIL, ONE(ABSENT, "Skip_Long_Lines"), "long lines",
	    "Skip_Long_Lines is off: a line over Buffer_Max_Size (32k unless given) ends the reading of its file",
	    "it is cut at Buffer_Max_Size (1M unless given) and marked log_truncated; reading goes on",
	    NULL },
	{ TAIL, ONE(GIVEN, "Skip_Long_Lines"), "long lines",
	    "Skip_Long_Lines On: a line over Buffer_Max_Size (32k unless given) is passed over; Off: it ends the reading of its file",
	    "it is cut at Buffer_Max_Size (1M unless given) and marked log_truncated; reading goes on",
	    NULL },
	{ TAIL, ALWAYS, "lines that belong together",
	    "only those that multiline.parser names are joined",
	    "the runtime's parts and stack traces are joined, too, but where Parser reads lines that are no runtime's",
	    NULL },
	{ TAIL, ONE(GIVEN, "Parser"), "the text's name",
	    "the stock parser cri calls it message, which Merge_Log does not read",
	    "it is log, with every parser of a runtime's lines", "Key message" },
	{ TAIL, ONE(GIVEN, "Mem_Buf_Limit"), "memory",
	    "the input pauses at Mem_Buf_Limit; what is in memory dies with the process",
	    "no input has a buffer: log files are, and reading waits for the outputs", NULL },
	{ TAIL, ALWAYS, "links", "followed wherever they lead",
	    "only to below the directories of Path, the kubelet's and those of Allowed_Roots",
	    "Allowed_Roots DIR" },
	{ SYSTEMD, ALWAYS, "the journal's cursor", "stored when an entry is read, if there is a DB",
	    "stored under State_Path when the entry is delivered; the DB is read once", NULL },
	{ SYSTEMD, ONE(ABSENT, "Path"), "the journal",
	    "both /var/log/journal and /run/log/journal are read",
	    "/run/log/journal only while there is no journal in /var/log/journal", NULL },
	/* ---- pods, and what a line says */
	{ KUBERNETES, ALWAYS, "the pod of a record",
	    "looked up by the tag: with another prefix than Kube_Tag_Prefix there is none",
	    "by the file's path: any tag will do", NULL },
	{ KUBERNETES, ONE(ABSENT, "Merge_Log"), "the text", "Merge_Log is off: it is not read",
	    "Merge_Log is on: JSON, and the words of agents' logs, under log_parsed",
	    "Merge_Log Off" },
	{ KUBERNETES, THREE(GIVEN, "Merge_Log", ON, "Merge_Log", ABSENT, "Merge_Log_Key"),
	    "fields of a JSON line",
	    "at the document's root, where they replace fields of the same name",
	    "under log_parsed, most of them under log_parsed.extra; none replaces another; filters find them there: $log_parsed['extra']['x']",
	    "Merge_Log_Key NAME has them unchanged under NAME" },
	{ KUBERNETES, ONE(OFF, "Keep_Label_Dots"), "dots in the keys of labels",
	    "kept, where Replace_Dots is off: `app` beside `app.x` breaks the index's mapping",
	    "they become _", "Keep_Label_Dots On" },
	{ KUBERNETES, ALWAYS, "metadata of pods",
	    "asked for pod by pod; a pod over Buffer_Size has none; changes are not seen",
	    "the node's pods are listed once and watched; large annotations are left out", NULL },
	{ KUBERNETES, ONE(GIVEN, "Use_Kubelet"), "Use_Kubelet", "the kubelet is asked",
	    "the API server is: list and watch pods, no right on nodes", NULL },
	{ KUBERNETES, ONE(OFF, "Owner_References"), "the owner of a pod", "not written",
	    "deployment_name, daemonset_name, statefulset_name, job_name, cronjob_name", NULL },
	/* ---- other filters */
	{ EXPRESSIONS, ALWAYS, "expressions", "match texts alone: no number, no boolean",
	    "match a number, true and false by their text, too", NULL },
	{ SECTION_FILTER, "grep", THREE(GIVEN, "Regex", SEVERAL, "Regex", ABSENT, "Logical_Op"),
	    "several rules of grep",
	    "a Regex that matches keeps the record: rules behind it are not asked",
	    "each rule is asked, as the documentation of both says", NULL },
	{ MULTILINE, ALWAYS, "joined records",
	    "made anew by the filter; those that wait in its memory die with the process",
	    "joined where the input's bytes are cut into records: none waits in memory", NULL },
	/* ---- outputs */
	{ ES, ONE(ABSENT, "Retry_Limit"), "an outage",
	    "a batch is sent twice, then dropped: some 11 s", "sent again until it is delivered",
	    "Retry_Limit 1" },
	{ ES, ONE(LIMITED, "Retry_Limit"), "records that are given up", "dropped",
	    "written to the dead letters (towline replay sends them)", NULL },
	{ ES, ONE(ENDLESS, "Retry_Limit"), "records that are given up",
	    "none: a batch is sent again until it is delivered", "the same", NULL },
	{ ES, ALWAYS, "an answer that refuses some documents",
	    "one that was taken counts for all, or all are sent again",
	    "each document by itself: done, sent again, held, or a dead letter", NULL },
	{ ES, ONE(ABSENT, "Id_Key"), "document ids", "the server's, unless Generate_ID is on",
	    "made of the record's place: what is sent twice is stored once", NULL },
	{ ES, ONE(GIVEN, "Id_Key"), "ids by Id_Key", "the value of that key is the _id",
	    "the same; check says what that costs", NULL },
	{ ES, ALWAYS, "413 Content Too Large", "the same request again",
	    "the batch is halved until it fits", NULL },
	{ ES, ONE(ABSENT, "Suppress_Type_Name"), "_type", "sent, which Elasticsearch 8 refuses",
	    "never sent", NULL },
	{ ES, THREE(ON, "tls", ON, "tls.verify", ABSENT, "tls.verify_hostname"),
	    "host names in certificates", "tls.verify_hostname is off: not compared", "compared",
	    "tls.verify_hostname Off" },
	{ ES, ONE(ABSENT, "Time_Key_Nanos"), "@timestamp", "Time_Key_Nanos is off: milliseconds",
	    "nanoseconds, which keep the order of lines", "Time_Key_Nanos Off" },
	{ ES, ONE(ON, "Template"), "the index template", "none is put",
	    "put at the start; records are shipped where the server forbids it", "Template Off" },
	{ ES, ONE(ON, "Logstash_Format"), "the day of an index",
	    "the record's time as the parser read it",
	    "the runtime's time of the line, in UTC; capital letters of the name become small",
	    NULL },
	/* ---- the process */
	{ SERVICE, ONE(ABSENT, "HTTP_Server"), "HTTP", "HTTP_Server is off",
	    "on: /metrics, /healthz, /readyz, and Fluent Bit's probes", "HTTP_Server Off" },
	{ SERVICE, TWO(ON, "HTTP_Server", ABSENT, "HTTP_Port"), "its port", "2020", "8000",
	    "HTTP_Port 2020" },
	{ SERVICE, ALWAYS, "what outlives the process", "the DB of each input, if it has one",
	    "State_Path (/var/lib/towline): mount a directory of the node there", NULL },
	{ SERVICE, ONE(ON, "Landlock"), "files that may be opened", "all that the user may open",
	    "those that the configuration names, by Landlock", "Landlock Off" },
	{ .what = NULL },
};

#undef SERVICE

static bool
has_name(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = names; at != NULL && *at != '\0'; at += *at == ' ') {
		size_t len = strcspn(at, " ");

		if (len == n && strncasecmp(at, name, n) == 0)
			return true;
		at += len;
	}
	return false;
}

/* False, no_limits: the first words of Retry_Limit, the rest are limits. */
static bool
is_endless(const struct section *s, const char *option)
{
	const int64_t *limit = conf_value(s, option);

	return limit != NULL && (*limit == -1 || *limit == -2);
}

static bool
holds(const struct difference_condition *c, const struct section *s)
{
	const bool *value;

	switch (c->when) {
	case DIFFERENCE_ALWAYS:
		return true;
	case DIFFERENCE_GIVEN:
		return conf_given(s, c->option) != 0;
	case DIFFERENCE_ABSENT:
		return conf_given(s, c->option) == 0;
	case DIFFERENCE_SEVERAL:
		return ((const struct list *)conf_value(s, c->option))->n > 1;
	case DIFFERENCE_LIMITED:
	case DIFFERENCE_ENDLESS:
		return conf_given(s, c->option) != 0 &&
		       is_endless(s, c->option) == (c->when == DIFFERENCE_ENDLESS);
	case DIFFERENCE_ON:
	case DIFFERENCE_OFF:
		break;
	}
	value = conf_value(s, c->option);
	return value != NULL && *value == (c->when == DIFFERENCE_ON);
}

bool
difference_concerns(const struct difference *d, const struct section *section)
{
	if (section->plugin->kind != d->kind ||
	    (d->plugins != NULL && !has_name(d->plugins, section->plugin->name)))
		return false;
	for (int i = 0; i < DIFFERENCE_CONDITIONS; i++)
		if (!holds(&d->all[i], section))
			return false;
	return true;
}

void
difference_reference(FILE *to)
{
	fprintf(to, "| | Fluent Bit %s | towline | Fluent Bit's way |\n|---|---|---|---|\n",
	    DIFFERENCE_VERSION);
	for (const struct difference *d = difference_table; d->what != NULL; d++)
		fprintf(to, "| %s | %s | %s | %s%s%s |\n", d->what, d->theirs, d->ours,
		    d->old != NULL ? "`" : "", d->old != NULL ? d->old : "",
		    d->old != NULL ? "`" : "");
}
