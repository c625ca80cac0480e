/* towline status: how far each file has come, as of the state's last commit. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd.h"
#include "map.h"
#include "memory.h"
#include "service.h"
#include "state.h"
#include "unread.h"
#include "voice.h"

static int status_run(int argc, char **argv);

enum { OPT_C, OPT_STATE, OPT_ALL, OPT_JSON };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration (default: " CMD_CONF_DEFAULT ")" },
	{ 0, "state", "DIR", "the state's directory, instead of State_Path" },
	{ 'a', "all", NULL, "also files that are gone" },
	{ 0, "json", NULL, "print an array of objects, named as the table's columns" },
	{ 0 },
};

const struct command cmd_status = {
	.name = "status",
	.run = status_run,
	.help = "Say how far each file has come: cursors, lag and what holds it, by file.",
	.more =
	    "Reads the state as of its last commit; towline may run or not.  open: it had the\n"
	    "file then; one that is gone since is listed as it was.  held: why the server refuses records\n"
	    "of the file for now; parked: it is not read on until that ends.  The figures are bytes,\n"
	    "those of a journal entries.  Of several outputs\n"
	    "shipped and lag are those of the one that is behind; each one's lag stands below, and\n"
	    "how many logs it reads by itself, as it is behind another (with --json: logs_apart).",
	.options = options,
};

struct row {
	char *path;
	bool open, journal;
	uint64_t size, shipped, counted, lag; /* bytes; of a journal, entries */
	struct identity log;                  /* of its first span */
	struct row *twin;                     /* the next one of that log */
	char *held;                           /* why; NULL: nothing of it is */
	char *unread;                         /* why it cannot be read; NULL: it can be */
	uint64_t *by;                         /* shipped to each output; NULL: there is one */
};

struct total {
	size_t n, held;
	uint64_t lag, by[STATE_READERS]; /* that is not shipped, to each output */
};

struct rows {
	bool all;
	const char *outputs[STATE_READERS]; /* the names of all that have cursors */
	uint64_t apart[STATE_READERS];      /* logs that are read for each by itself */
	unsigned noutputs;
	struct row *at;
	size_t n, unread;
	struct map *by_log; /* the first row of each, once all are there */
};

/* A content's size as it was seen last; while its file has the name that it had, the file's. */
static uint64_t
size_of(const struct content_seen *content)
{
	struct stat st;

	if (content->open && stat(content->path, &st) == 0 && st.st_dev == content->what->dev &&
	    st.st_ino == content->what->ino && (uint64_t)st.st_size > content->what->size)
		return (uint64_t)st.st_size;
	return content->what->size;
}

static uint64_t
lag_of(const struct row *row, uint64_t shipped)
{
	return row->size > shipped ? row->size - shipped : 0;
}

static void
row_add(void *arg, const struct content_seen *content)
{
	struct rows *rows = arg;
	struct row *row;

	if (!content->open && !rows->all)
		return;
	rows->at = xrealloc(rows->at, (rows->n + 1) * sizeof(*rows->at));
	row = &rows->at[rows->n++];
	*row = (struct row){
		.path = xstrdup(content->path),
		.open = content->open,
		/* A log of one content, whose id it has (src/journal/journal.c). */
		.journal = memcmp(content->id, &content->what->log, sizeof(*content->id)) == 0,
		.log = content->what->log,
		.size = size_of(content),
		.shipped = content->shipped,
		.counted = content->counted,
	};
	row->lag = lag_of(row, row->shipped);
	rows->noutputs = content->readers;
	if (content->readers < 2)
		return;
	row->by = xcalloc(content->readers, sizeof(*row->by));
	memcpy(row->by, content->by, content->readers * sizeof(*row->by));
}

/* ---- what waits for an output */

static void
rows_index(struct rows *rows)
{
	rows->by_log = map_new();
	for (size_t i = 0; i < rows->n; i++) {
		struct row *r = &rows->at[i];
		struct slice log = { (const char *)r->log.at, sizeof(r->log.at) };

		r->twin = map_put(rows->by_log, log, r);
	}
}

/* All of the log that is not shipped stands behind what is held. */
static void
log_hold(void *arg, const struct state_hold *hold)
{
	const struct rows *rows = arg;
	struct slice log = { (const char *)hold->log.at, sizeof(hold->log.at) };

	for (struct row *r = map_get(rows->by_log, log); r != NULL; r = r->twin) {
		char *before = r->held;

		if (r->lag == 0)
			continue;
		r->held = xprintf("%s%s%s%s: %s", before != NULL ? before : "",
		    before != NULL ? "; " : "", hold->parked ? "parked, " : "", hold->output,
		    hold->why);
		free(before);
	}
}

/* ---- files that cannot be read */

static void
row_unread(void *arg, const char *path, const char *why)
{
	struct rows *rows = arg;

	rows->at = xrealloc(rows->at, (rows->n + 1) * sizeof(*rows->at));
	rows->at[rows->n++] = (struct row){ .path = xstrdup(path), .unread = xstrdup(why) };
	rows->unread++;
}

/* ---- logs that are read for one output by itself */

static void
apart_see(struct rows *rows, struct slice value)
{
	json_t *all = json_loadb(value.at, value.len, 0, NULL);

	for (unsigned i = 0; i < rows->noutputs; i++)
		rows->apart[i] =
		    (uint64_t)json_integer_value(json_object_get(all, rows->outputs[i]));
	json_decref(all);
}

static void
text_see(void *arg, struct slice key, struct slice value)
{
	if (slice_eq(key, SLICE("unread")))
		unread_each(value, row_unread, arg);
	else if (slice_eq(key, SLICE("apart")))
		apart_see(arg, value);
}

/* ---- printing */

/* What lags most stands first. */
static int
by_lag(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->lag != y->lag)
		return x->lag < y->lag ? 1 : -1;
	return strcmp(x->path, y->path);
}

/* How far it has come to each output, when there are several; logs_apart is of all files. */
static json_t *
json_outputs(const struct rows *rows, const struct row *r)
{
	json_t *outputs = json_object();

	for (unsigned i = 0; i < rows->noutputs; i++)
		json_object_set_new(outputs, rows->outputs[i],
		    json_pack("{s:I,s:I,s:I}", "lag", (json_int_t)lag_of(r, r->by[i]), "shipped",
			(json_int_t)r->by[i], "logs_apart", (json_int_t)rows->apart[i]));
	return outputs;
}

static void
print_json(const struct rows *rows)
{
	json_t *all = json_array();

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->at[i];
		json_t *row;

		row = json_pack("{s:I,s:I,s:I,s:I,s:b,s:s,s:s?,s:s?}", "lag", (json_int_t)r->lag,
		    "size", (json_int_t)r->size, "shipped", (json_int_t)r->shipped, "counted",
		    (json_int_t)r->counted, "open", r->open, "path", r->path, "held", r->held,
		    "unread", r->unread);
		if (r->by != NULL)
			json_object_set_new(row, "outputs", json_outputs(rows, r));
		json_array_append_new(all, row);
	}
	cmd_print_json(json_dumps(all, JSON_INDENT(1)), stdout);
	json_decref(all);
}

static struct total
total_of(const struct rows *rows, bool journals)
{
	struct total sum = { 0 };

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->at[i];

		if (r->journal != journals || r->unread != NULL)
			continue;
		sum.n++;
		sum.held += r->held != NULL;
		sum.lag += r->lag;
		for (unsigned k = 0; r->by != NULL && k < rows->noutputs; k++)
			sum.by[k] += lag_of(r, r->by[k]);
	}
	return sum;
}

static void
print_totals(const struct rows *rows)
{
	struct total files = total_of(rows, false), journals = total_of(rows, true);

	printf("%zu files, %" PRIu64 " bytes on disk that are not shipped, %zu files held", files.n,
	    files.lag, files.held);
	if (rows->unread > 0)
		printf(", %zu that cannot be read", rows->unread);
	if (journals.n > 0)
		printf("; %zu journals, %" PRIu64 " entries that are not shipped, %zu held",
		    journals.n, journals.lag, journals.held);
	putchar('\n');
	for (unsigned i = 0; rows->noutputs > 1 && i < rows->noutputs; i++) {
		printf("%12" PRIu64 " of them not to the output ", files.by[i]);
		cmd_print(rows->outputs[i], stdout);
		if (journals.n > 0)
			printf(", nor %" PRIu64 " entries", journals.by[i]);
		if (rows->apart[i] > 0)
			printf("; logs that it reads by itself: %" PRIu64, rows->apart[i]);
		putchar('\n');
	}
}

static void
print_table(const struct rows *rows)
{
	printf("%12s %14s %14s %14s  %-5s %s  %s\n", "lag", "size", "shipped", "counted", "open",
	    "path", "held");
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->at[i];

		printf("%12" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "  %-5s ", r->lag,
		    r->size, r->shipped, r->counted, r->open ? "yes" : "no");
		cmd_print(r->path, stdout);
		fputs("  ", stdout);
		if (r->unread != NULL)
			fputs("cannot be read: ", stdout);
		cmd_print(r->unread != NULL ? r->unread : r->held != NULL ? r->held : "-", stdout);
		putchar('\n');
	}
	print_totals(rows);
}

static int
status_of(const char *dir, const char *values[])
{
	struct state *s = state_look(dir);
	struct rows rows = { .all = values[OPT_ALL] != NULL };

	if (s == NULL)
		return EXIT_WRONG;
	state_each(s, row_add, &rows);
	rows_index(&rows);
	state_holds_each(s, log_hold, &rows);
	for (unsigned i = 0; i < rows.noutputs; i++)
		rows.outputs[i] = state_reader_name(s, i);
	state_texts(s, text_see, &rows);
	map_free(rows.by_log);
	if (rows.n > 1)
		qsort(rows.at, rows.n, sizeof(*rows.at), by_lag);
	if (values[OPT_JSON] != NULL)
		print_json(&rows);
	else
		print_table(&rows);
	for (size_t i = 0; i < rows.n; i++) {
		free(rows.at[i].path);
		free(rows.at[i].held);
		free(rows.at[i].unread);
		free(rows.at[i].by);
	}
	free(rows.at);
	state_close(s);
	return EXIT_DONE;
}

static int
status_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	struct conf *conf;
	int code;

	if (cmd_options(&cmd_status, argc, argv, values) < 0)
		return EXIT_USAGE;
	if (values[OPT_STATE] != NULL)
		return status_of(values[OPT_STATE], values);
	conf = cmd_conf(values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT, FINDING_WARNING);
	if (conf == NULL)
		return EXIT_WRONG;
	code = status_of(service_of(conf)->state_path, values);
	conf_free(conf);
	return code;
}
