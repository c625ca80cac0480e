/*
 * towline parse: the documents that lines become.  The same tail, framing,
 * chain and document writer as `run`, but the records go to standard output.
 */
#include "cmd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "batch.h"
#include "chain.h"
#include "explain.h"
#include "service.h"
#include "shown.h"
#include "voice.h"

static int parse_run(int argc, char **argv);

enum { OPT_C, OPT_EXPLAIN };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "parsers, filters and words of this configuration" },
	{ 'e', "explain", NULL, "say which step took what" },
	{ 0 },
};

const struct command cmd_parse = {
	.name = "parse",
	.run = parse_run,
	.operands = "[LOG...]",
	.help = "Show what becomes of lines: one JSON document for each record.",
	.more =
	    "Without LOG, lines are read from standard input, as they come; 24 to 48 MB of them are\n"
	    "kept in /dev/shm until the end.  Nothing is sent, no state is kept.",
	.options = options,
};

/* The configuration without -c: the recommended one. */
static const char default_conf[] = "[INPUT]\n    Name tail\n    Tag parse.*\n    Path /dev/null\n"
				   "[FILTER]\n    Name kubernetes\n    Match *\n"
				   "[OUTPUT]\n    Name stdout\n    Match *\n";

struct parse {
	struct chain *chain;
	struct source *source;
	struct batch *batch;
	struct document_rules rules;
	struct record record;
	uint64_t read_to; /* where the last record ended */
	bool explain;
};

static void
on_stream(void *arg, struct stream *stream, bool begins)
{
	struct parse *p = arg;

	chain_source_free(p->source);
	p->source = begins ? chain_source_new(p->chain, stream) : NULL;
	p->rules = document_rules_default();
	if (begins)
		chain_rules(p->chain, stream, &p->rules);
}

static void
show(struct parse *p)
{
	struct item *item = &p->batch->items[0];

	buffer_clear(&p->batch->body);
	p->batch->nitems = 0;
	if (!batch_put(p->batch, &p->rules, &p->record))
		return;
	shown_json((struct slice){ p->batch->body.at + item->document, item->end - item->document },
	    stdout);
	fputc('\n', stdout);
}

static bool
on_record(void *arg, const struct framed *f)
{
	struct parse *p = arg;

	p->read_to = f->end > p->read_to ? f->end : p->read_to;
	if (chain_run(p->chain, p->source, f, &p->record))
		show(p);
	while (chain_copies(p->chain))
		if (chain_copy(p->chain, p->source, f, &p->record))
			show(p);
	if (p->explain)
		explain(f, p->chain, p->source, &p->record, stdout);
	return true;
}

/* ---- standard input */

/*
 * The bytes behind the tail's place that are kept: it may read a record, which is
 * 16 MB at most, once more.  Of the bytes before them the first are kept, by which
 * it knows the file.
 */
#define WINDOW (24 << 20)
#define WINDOW_HEAD (1 << 20)
#define IDLE 100 /* ms; an open record ends by time */

static char window_path[] = "/dev/shm/towline-parse-XXXXXX";

static void
window_remove(int signal_number)
{
	unlink(window_path);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Let the tail read; it reads a file that grows by and by, so the window waits for it. */
static void
tail_follow(struct parse *p, struct tail *tail, uint64_t size)
{
	uint64_t before;

	tail_wait(tail, -1, 0);
	do {
		before = p->read_to;
		while (tail_turn(tail, 1))
			;
		if (size - p->read_to < 2 * WINDOW)
			break;
		tail_wait(tail, -1, IDLE);
	} while (p->read_to > before);
	fflush(stdout);
}

/* Write standard input to ${fd} as it comes, let the tail read it, and give back what is read. */
static int
stdin_follow(struct parse *p, struct tail *tail, int fd)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t size = 0, freed = WINDOW_HEAD;
	char bytes[65536];
	ssize_t n = 1;

	while (n > 0) {
		if (poll(&in, 1, IDLE) > 0) {
			n = read(STDIN_FILENO, bytes, sizeof(bytes));
			if (n > 0 && write(fd, bytes, (size_t)n) != n)
				n = -1;
			size += n > 0 ? (size_t)n : 0;
		}
		tail_follow(p, tail, size);
		if (p->read_to < freed + 2 * WINDOW)
			continue;
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)freed,
		    (off_t)(p->read_to - WINDOW - freed));
		freed = p->read_to - WINDOW;
	}
	if (n < 0)
		say_error("parse", "cannot read standard input: %m");
	return (int)n;
}

/* The rules of the first [INPUT], for one file that is read from its start. */
static struct tail_conf
input_of(const struct conf *conf, char **path)
{
	struct tail_conf in = { 0 };

	for (size_t i = conf->n; i-- > 0;)
		if (conf->sections[i].plugin == &tail_plugin)
			in = *(struct tail_conf *)conf->sections[i].values;
	in.from.path = (struct list){ .at = path, .n = 1 };
	in.exclude_path = (struct list){ 0 };
	in.read_from_head = true;
	in.first_start = 0; /* head */
	in.db = NULL;
	in.never_own_pod = false;
	return in;
}

/*
 * Read one file to its end.  ${grow}, when it is not -1, is the same file, to which
 * standard input is written first, while it is read.
 */
static int
parse_file(struct parse *p, const struct conf *conf, char *path, int grow)
{
	struct state *state = state_open(NULL);
	struct range_book *book = range_book_new(state, 16);
	struct tail_conf in = input_of(conf, &path);
	const struct tail_conf *in_at = &in;
	struct tail *tail;
	int result = -1;

	tail = tail_new(&in_at, 1, state,
	    &(struct tail_reader){ .name = "parse", .book = book, .record = on_record }, 1, NULL,
	    on_stream, p);
	if (tail != NULL) {
		result = grow < 0 ? 0 : stdin_follow(p, tail, grow);
		tail_finish(tail);
		while (tail_turn(tail, 1) || !tail_at_end(tail))
			tail_wait(tail, -1, 0);
		tail_free(tail);
	}
	range_book_free(book);
	state_close(state);
	return result;
}

/*
 * Standard input becomes a file in memory, as the tail reads files alone; it has
 * no name there that outlives this process.
 */
static int
parse_stdin(struct parse *p, const struct conf *conf)
{
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	int fd = mkstemp(window_path), code;

	if (fd < 0) {
		say_error("parse", "cannot make %s: %m", window_path);
		return -1;
	}
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		signal(deadly[i], window_remove);
	code = parse_file(p, conf, window_path, fd);
	close(fd);
	unlink(window_path);
	return code;
}

static struct conf *
conf_without_file(void)
{
	int fd = memfd_create("towline.conf", MFD_CLOEXEC);
	struct conf *conf = NULL;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, default_conf, sizeof(default_conf) - 1) == (ssize_t)sizeof(default_conf) - 1)
		conf = cmd_conf(path, FINDING_WARNING);
	close(fd);
	return conf;
}

static int
parse_all(struct parse *p, const struct conf *conf, int n, char **paths)
{
	int code = EXIT_DONE;

	voice_level(VOICE_WARN);
	p->chain = chain_new(conf, service_of(conf));
	if (p->chain == NULL)
		return EXIT_WRONG;
	p->batch = batch_new(1u << 20, 16u << 20);
	if (n == 0 && parse_stdin(p, conf) < 0)
		code = EXIT_WRONG;
	for (int i = 0; i < n; i++) {
		if (access(paths[i], R_OK) < 0) {
			say_error("parse", "cannot read %s: %m", paths[i]);
			code = EXIT_WRONG;
		} else if (parse_file(p, conf, paths[i], -1) < 0) {
			code = EXIT_WRONG;
		}
	}
	chain_source_free(p->source);
	chain_free(p->chain);
	batch_free(p->batch);
	return code;
}

/* Records of other inputs are not made of lines. */
static bool
has_tail(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++)
		if (conf->sections[i].plugin == &tail_plugin)
			return true;
	return false;
}

static int
parse_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	int first = cmd_options(&cmd_parse, argc, argv, values), code;
	struct parse p = { 0 };
	struct conf *conf;

	if (first < 0)
		return EXIT_USAGE;
	conf =
	    values[OPT_C] != NULL ? cmd_conf(values[OPT_C], FINDING_WARNING) : conf_without_file();
	if (conf == NULL)
		return EXIT_WRONG;
	p.explain = values[OPT_EXPLAIN] != NULL;
	if (!has_tail(conf)) {
		say_error("parse",
		    "%s has no [INPUT] tail, as which files and standard input are read: add one, "
		    "or run its other inputs with towline test",
		    conf->file);
		conf_free(conf);
		return EXIT_WRONG;
	}
	code = parse_all(&p, conf, argc - first, argv + first);
	conf_free(conf);
	return code;
}
