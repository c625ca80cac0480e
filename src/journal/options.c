/* [INPUT] systemd: its options, and a check of them. */
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "journal.h"

static const char *const filter_types[] = { "or", "and", NULL };

#define AT(member) offsetof(struct journal_conf, member)

static const struct option journal_options[] = {
	OPTION("Path", OPT_STRING, NULL, AT(path),
	    "the journal's directory (default: " JOURNAL_PERSISTENT ", or " JOURNAL_VOLATILE
	    " while that has no journal)"),
	OPTION("Systemd_Filter", OPT_LINES, NULL, AT(filter),
	    "FIELD=VALUE: entries with this value (_SYSTEMD_UNIT=kubelet.service); of several, Systemd_Filter_Type says whether one is enough"),
	OPTION("Systemd_Filter_Type", OPT_ENUM, "or", AT(filter_type),
	    "an entry fits one Systemd_Filter, or all of them", .choices = filter_types),
	OPTION("Max_Entries", OPT_INT, "5000", AT(max_entries),
	    "entries that are read in one turn; then files and other journals have theirs",
	    .min = 1, .max = 1000000),
	OPTION("Max_Fields", OPT_INT, "8000", AT(max_fields),
	    "fields of an entry that are kept; more than 56 never are: what is left out is counted",
	    .min = 1, .max = 1000000),
	OPTION("Buffer_Max_Size", OPT_SIZE, "1M", AT(buffer_max_size),
	    "the most of an entry's values that is kept; the rest is cut, marked and counted",
	    .min = 1024, .max = 16 * 1000 * 1000),
	OPTION("Max_Units", OPT_INT, "64", AT(max_units),
	    "tags at a time, where Tag has a *: one that has been quiet longest makes room for a new one",
	    .min = 1, .max = 10000),
	OPTION("Read_From_Tail", OPT_BOOL, "off", AT(read_from_tail),
	    "on: entries that are there at the first start are left out"),
	OPTION("Strip_Underscores", OPT_BOOL, "off", AT(strip_underscores),
	    "take the underscores from the front of fields' names"),
	OPTION("Lowercase", OPT_BOOL, "off", AT(lowercase), "write fields' names in lower case"),
	OPTION("DB", OPT_STRING, NULL, AT(db),
	    "Fluent Bit's database: read at the first start, to go on where it stopped"),
	OPTION_IDLE("DB.*", "cursors are kept under State_Path"),
	OPTIONS_END,
};

/* Values are compared whole: a glob, a list or quotes fit no unit's name, which has its kind behind a dot. */
static bool
is_unit(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.\\@";

	return strchr(value, '.') != NULL && value[strspn(value, letters)] == '\0';
}

static void
filter_check(const struct section *s, const char *filter, unsigned line, struct findings *findings)
{
	size_t len = strcspn(filter, "=");

	if (filter[len] == '\0')
		findings_add(findings, FINDING_ERROR, s->file, line,
		    "Systemd_Filter '%s' is not FIELD=VALUE (_SYSTEMD_UNIT=kubelet.service)",
		    filter);
	else if (!entry_is_name((struct slice){ filter, len }))
		findings_add(findings, FINDING_ERROR, s->file, line,
		    "Systemd_Filter: '%.*s' is no field of a journal; their names are of A-Z, 0-9 "
		    "and _, at most 64 of them",
		    (int)len, filter);
	else if (slice_eq((struct slice){ filter, len }, SLICE("_SYSTEMD_UNIT")) &&
		 !is_unit(filter + len + 1))
		findings_add(findings, FINDING_WARNING, s->file, line,
		    "Systemd_Filter: no unit is called '%s': a value is compared whole, and a "
		    "unit's name has its kind behind a dot (kubelet.service)",
		    filter + len + 1);
}

/* Of two values of one field an entry has one. */
static void
and_check(const struct section *s, const struct list *filter, size_t at, struct findings *findings)
{
	size_t len = strcspn(filter->at[at], "=") + 1;

	for (size_t i = 0; i < at; i++) {
		if (strncmp(filter->at[i], filter->at[at], len) != 0 ||
		    strcmp(filter->at[i], filter->at[at]) == 0)
			continue;
		findings_add(findings, FINDING_WARNING, s->file, list_line(filter, at),
		    "Systemd_Filter_Type And: an entry with '%s' and '%s' has that field twice, "
		    "which few have; Or takes entries with one of them",
		    filter->at[i], filter->at[at]);
		return;
	}
}

static void
journal_check(const struct section *section, struct findings *findings)
{
	const struct journal_conf *conf = section->values;
	struct stat st;

	for (size_t i = 0; i < conf->filter.n; i++) {
		filter_check(section, conf->filter.at[i], list_line(&conf->filter, i), findings);
		if (conf->filter_type == JOURNAL_AND)
			and_check(section, &conf->filter, i, findings);
	}
	if (conf->path != NULL && stat(conf->path, &st) == 0 && !S_ISDIR(st.st_mode))
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, "Path"),
		    "Path '%s' is no directory: the one that has the journal's files is named",
		    conf->path);
	else if (conf->path != NULL && access(conf->path, F_OK) < 0)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, "Path"),
		    "Path '%s' is not there (yet): in a pod the node's journal is mounted, with "
		    "/etc/machine-id",
		    conf->path);
	else if (conf->path == NULL && access(JOURNAL_PERSISTENT, F_OK) < 0 &&
		 access(JOURNAL_VOLATILE, F_OK) < 0)
		findings_add(findings, FINDING_WARNING, section->file, section->line,
		    "neither " JOURNAL_PERSISTENT " nor " JOURNAL_VOLATILE
		    " is there: in a pod the node's journal is mounted, with /etc/machine-id");
}

const struct plugin journal_plugin = {
	.kind = SECTION_INPUT,
	.name = "systemd",
	.help = "read the messages of systemd's journal",
	.options = journal_options,
	.common = tail_input_options,
	.size = sizeof(struct journal_conf),
	.check = journal_check,
};
