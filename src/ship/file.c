/*
 * The file output: documents as lines, appended to a file of their own or to one for
 * each tag, below one directory.  A record is delivered when its line is on disk.  A
 * file that is renamed or deleted is made anew; a full disk makes the records wait, and no
 * other output.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fifo.h"
#include "file_cache.h"
#include "file_format.h"
#include "least.h"
#include "sink.h"

#define RETRY_FIRST (NS_PER_S / 2)
#define RETRY_DOUBLED 6
#define LOOK_EVERY NS_PER_S
#define PIECE (256u << 10) /* lines are written when so many bytes of a file have come together */

struct file_conf {
	struct output output;
	char *path, *file;
	int format;
	char *delimiter, *label_delimiter, *template;
	bool mkdir;
};

static const char *const forms[] = { "out_file", "plain", "csv", "ltsv", "template", "json_lines",
	"ndjson", NULL };

#define AT(member) offsetof(struct file_conf, member)

static const struct option file_options[] = {
	OPTION("Path", OPT_STRING, NULL, AT(path), "the directory"),
	OPTION("File", OPT_STRING, NULL, AT(file),
	    "the file in it, made 0600; a file for each tag unless given"),
	OPTION("Format", OPT_ENUM, "out_file", AT(format),
	    "of a line: out_file is TAG: [TIME, JSON]; plain, json_lines and ndjson are JSON alone",
	    .choices = forms),
	OPTION("Delimiter", OPT_STRING, NULL, AT(delimiter),
	    "between the values of csv (a comma unless given) and ltsv (a tab); tab, space and comma "
	    "are names"),
	OPTION("Label_Delimiter", OPT_STRING, ":", AT(label_delimiter),
	    "between ltsv's name and value"),
	OPTION("Template", OPT_STRING, "{time} {log}", AT(template),
	    "a line of template, with the members of the document in braces", .flags = OPT_TEXT),
	OPTION("Mkdir", OPT_BOOL, "off", AT(mkdir), "make the directory where it is not there"),
	OPTION_IDLE("Workers", "the files are written one after the other"),
	OPTIONS_END,
};

static struct file_format
format_of(const struct file_conf *conf)
{
	static const enum file_form of[] = { FILE_OUT, FILE_PLAIN, FILE_CSV, FILE_LTSV,
		FILE_TEMPLATE, FILE_PLAIN, FILE_PLAIN };
	struct file_format f = { .form = of[conf->format], .template = conf->template };
	const char *delimiter = conf->delimiter;

	if (delimiter == NULL)
		delimiter = f.form == FILE_CSV ? "comma" : "tab";
	(void)file_format_delimiter(delimiter, f.delimiter);
	(void)file_format_delimiter(conf->label_delimiter, f.label_delimiter);
	return f;
}

struct files {
	struct sink *sink;
	struct file_format format;
	char *directory, *name; /* name NULL: by the tag */
	struct file_cache cache;
	struct buffer lines; /* of one file, not written yet */
	struct fifo queue;
	uint32_t item; /* of the first batch: the first whose line is not written */
	unsigned failures;
	bool away; /* its directory was not there, or not writable, at the start */
	int64_t not_before;
	struct said said;
};

/* ---- directories */

/* Make the directory and those above it. */
static void
directories_make(const char *path)
{
	char *part = xstrdup(path);

	for (char *at = part + 1; *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		(void)!mkdir(part, 0755);
		*at = '/';
	}
	(void)!mkdir(part, 0755);
	free(part);
}

/* File and Path, put together, are a directory and a name in it. */
static void
names_take(struct files *f, const struct file_conf *conf)
{
	const char *path = conf->path != NULL && conf->path[0] != '\0' ? conf->path : NULL;
	char *whole, *slash;

	if (conf->file == NULL) {
		f->directory = xstrdup(path != NULL ? path : ".");
		return;
	}
	whole = path != NULL ? xprintf("%s/%s", path, conf->file) : xstrdup(conf->file);
	slash = strrchr(whole, '/');
	f->name = xstrdup(slash != NULL ? slash + 1 : whole);
	f->directory = slash == NULL ? xstrdup(".")
		       : slash == whole
			   ? xstrdup("/")
			   : xslicedup((struct slice){ whole, (size_t)(slash - whole) });
	free(whole);
}

/* False, with errno: no file can be made in its directory. */
static bool
is_writable(const struct files *f)
{
	return access(f->directory, W_OK | X_OK) == 0;
}

/* What check says of such a directory, and run at the start; errno is is_writable()'s. */
#define AWAY "'%s' is no directory that may be written here: %s; records wait in their files%s"
#define AWAY_ARGS(f)                                                                               \
	(f)->directory, strerrordesc_np(errno), errno == ENOENT ? " (Mkdir On makes it)" : ""

/* ---- the options */

static void
file_check(const struct section *section, struct findings *findings)
{
	const struct file_conf *conf = section->values;
	struct files f = { .name = NULL };
	char to[8];

	names_take(&f, conf);
	if (!conf->mkdir && !is_writable(&f))
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Path") ? conf_given(section, "Path") : section->line, AWAY,
		    AWAY_ARGS(&f));
	free(f.directory);
	free(f.name);
	if (conf->path == NULL && (conf->file == NULL || conf->file[0] != '/'))
		findings_add(findings, FINDING_WARNING, section->file, section->line,
		    "[OUTPUT] file has no Path: it writes into the directory that towline is started "
		    "in");
	if (conf->delimiter != NULL && !file_format_delimiter(conf->delimiter, to))
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Delimiter"), "Delimiter: 1 to 7 characters");
	if (!file_format_delimiter(conf->label_delimiter, to))
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Label_Delimiter"), "Label_Delimiter: 1 to 7 characters");
}

const struct plugin file_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "file",
	.help = "files, a line a document",
	.options = file_options,
	.common = output_options,
	.size = sizeof(struct file_conf),
	.check = file_check,
};

void
ship_directories(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];
		const struct file_conf *file = s->values;
		struct files f = { .name = NULL };

		if (s->plugin != &file_plugin || !file->mkdir)
			continue;
		names_take(&f, file);
		directories_make(f.directory);
		free(f.directory);
		free(f.name);
	}
}

static int
file_open(struct sink *s)
{
	const struct file_conf *conf = s->section->values;
	struct files *f = xcalloc(1, sizeof(*f));

	s->own = f;
	f->sink = s;
	f->format = format_of(conf);
	names_take(f, conf);
	buffer_init(&f->lines, 0);
	if (conf->mkdir)
		directories_make(f->directory);
	f->away = !is_writable(f);
	if (f->away) {
		say_warn("file", AWAY "  output=%s", AWAY_ARGS(f), s->name);
		atomic_store(&s->waits, "a file cannot be written");
	}
	atomic_store(&s->answered, true);
	return 0;
}

static void
file_close(struct sink *s)
{
	struct files *f = s->own;

	if (f == NULL)
		return;
	file_cache_fini(&f->cache);
	buffer_fini(&f->lines);
	fifo_fini(&f->queue);
	free(f->directory);
	free(f->name);
	free(f);
}

/* ---- a batch */

static char *
path_of(const struct files *f, struct slice tag)
{
	char name[FILE_NAME];

	if (f->name != NULL)
		return xprintf("%s/%s", f->directory, f->name);
	file_format_name(tag, name);
	return xprintf("%s/%s", f->directory, name);
}

/* Write the lines of one file: those from the first item on that go to it without another between. */
static int
run_write(struct files *f, const struct batch *b)
{
	struct slice tag = item_tag(b, f->item);
	char *path = path_of(f, tag);
	struct file_kept *k = file_cache_take(&f->cache, path, b->number);
	uint32_t i = f->item;

	free(path);
	if (k == NULL)
		return -1;
	buffer_clear(&f->lines);
	for (; i < b->nitems && f->lines.len < PIECE; i++) {
		const struct item *item = &b->items[i];
		struct file_line line = { item_document(b, item), item_tag(b, i), item->time };

		if (f->name == NULL && !slice_eq(line.tag, tag))
			break;
		file_format_write(&f->format, &line, &f->lines);
	}
	if (file_cache_write(&f->cache, k, buffer_slice(&f->lines)) < 0)
		return -1;
	f->item = i;
	return 0;
}

static void
file_works(struct files *f)
{
	f->away = false;
	atomic_store(&f->sink->waits, NULL);
	atomic_store(&f->sink->fails, FAILS_NOT);
}

/* Nothing is to be written that would tell whether the directory has come. */
static int64_t
directory_look(struct files *f, int64_t now)
{
	if (f->away && !is_writable(f))
		return now + LOOK_EVERY;
	if (f->away)
		file_works(f);
	return NEVER;
}

/* All lines of the batch are written, and on disk. */
static int
batch_write(struct files *f, const struct batch *b)
{
	int error;

	while (f->item < b->nitems && run_write(f, b) == 0)
		;
	if (f->item == b->nitems && file_cache_sync(&f->cache) == 0)
		return 0;
	error = errno;
	if (file_cache_dropped(&f->cache))
		f->item = 0; /* any of the batch's lines may be gone */
	errno = error;
	return -1;
}

static void
batch_taken(struct files *f, const struct batch *b)
{
	int64_t wall = clock_wall();

	for (uint32_t i = 0; i < b->nitems; i++) {
		const struct item *item = &b->items[i];

		metrics_delivered(f->sink->metrics, item->time, item_document(b, item).len, wall);
		delivery_settle(f->sink->delivery, item);
	}
	if (f->failures > 0)
		say_info("file", "%s is written again  output=%s", f->cache.failed, f->sink->name);
	f->item = 0;
	f->failures = 0;
	f->said.at = 0;
	file_works(f);
	delivery_return(f->sink->delivery, fifo_take(&f->queue));
}

static void
wait_on(struct files *f, int error, int64_t now)
{
	int64_t wait = RETRY_FIRST << least(f->failures, RETRY_DOUBLED);

	f->failures++;
	f->not_before = now + wait;
	metrics_retry(f->sink->metrics, REASON_HOLD, fifo_items(&f->queue));
	atomic_store(&f->sink->waits, "a file cannot be written");
	atomic_store(&f->sink->fails, FAILS_FOR_NOW);
	if (!said_lately(&f->said))
		say_error("file", "%s: %s; records wait in their files  output=%s retry_in=%.1fs",
		    f->cache.failed, strerror(error), f->sink->name, (double)wait / NS_PER_S);
}

/* ---- the output */

static void
file_give(struct sink *s, struct batch *b)
{
	fifo_put(&((struct files *)s->own)->queue, b);
}

static int64_t
file_turn(struct sink *s, int64_t now)
{
	struct files *f = s->own;

	if (f->queue.n == 0)
		return directory_look(f, now);
	if (now < f->not_before)
		return f->not_before;
	if (batch_write(f, f->queue.at[0]) == 0)
		batch_taken(f, f->queue.at[0]);
	else
		wait_on(f, errno, now);
	return f->queue.n > 0 ? now : NEVER;
}

static uint64_t
file_stuck(struct sink *s)
{
	const struct files *f = s->own;
	uint64_t n = 0;

	for (size_t i = 0; f->failures > 0 && i < f->queue.n; i++)
		n += f->queue.at[i]->nitems;
	return n;
}

const struct sink_type file_sink = {
	.plugin = &file_plugin,
	.durable = true,
	.open = file_open,
	.close = file_close,
	.give = file_give,
	.turn = file_turn,
	.stuck = file_stuck,
};
