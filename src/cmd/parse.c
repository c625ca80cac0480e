/*
 * towline parse: the documents that lines become.  The same tail, framing,
 * chain and document writer as `run`, but the records go to standard output.
 */
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
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
	    "Without LOG, lines are read from standard input.  Nothing is sent, no state is kept.",
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

static bool
on_record(void *arg, const struct framed *f)
{
	struct parse *p = arg;

	if (chain_run(p->chain, p->source, f, &p->record)) {
		struct item *item = &p->batch->items[0];

		buffer_clear(&p->batch->body);
		p->batch->nitems = 0;
		if (batch_put(p->batch, &p->rules, &p->record)) {
			shown_json((struct slice){ p->batch->body.at + item->document,
				       item->end - item->document },
			    stdout);
			fputc('\n', stdout);
		}
	}
	if (p->explain)
		explain(f, p->chain, &p->record, stdout);
	return true;
}

/* Read one file to its end with the first [INPUT]'s rules. */
static int
parse_file(struct parse *p, const struct conf *conf, char *path)
{
	struct state *state = state_open(NULL);
	struct range_book *book = range_book_new(state, 16);
	struct tail_conf in;
	const struct tail_conf *in_at = &in;
	struct tail *tail;

	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].plugin == &tail_plugin)
			in = *(struct tail_conf *)conf->sections[i].values;
	}
	in.from.path = (struct list){ &path, 1 };
	in.exclude_path = (struct list){ 0 };
	in.read_from_head = true;
	in.never_own_pod = false;
	tail = tail_new(&in_at, 1, state,
	    &(struct tail_reader){ .name = "parse", .book = book, .record = on_record }, 1, NULL,
	    on_stream, p);
	if (tail != NULL) {
		tail_finish(tail);
		while (tail_turn(tail, 1) || !tail_at_end(tail))
			tail_wait(tail, -1, 0);
		tail_free(tail);
	}
	range_book_free(book);
	state_close(state);
	return tail == NULL ? -1 : 0;
}

/* Standard input is copied to a file, as the tail reads files alone. */
static int
parse_stdin(struct parse *p, const struct conf *conf)
{
	char path[] = "/tmp/towline-parse-XXXXXX", bytes[65536];
	int fd = mkstemp(path), code = -1;
	ssize_t n;

	if (fd < 0) {
		say_error("parse", "cannot make %s: %m", path);
		return -1;
	}
	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		if (write(fd, bytes, (size_t)n) != n)
			break;
	}
	if (n == 0)
		code = parse_file(p, conf, path);
	else
		say_error("parse", "cannot copy standard input: %m");
	close(fd);
	unlink(path);
	return code;
}

static struct conf *
conf_without_file(void)
{
	char path[] = "/tmp/towline-conf-XXXXXX";
	int fd = mkstemp(path);
	struct conf *conf = NULL;

	if (fd < 0)
		return NULL;
	if (write(fd, default_conf, sizeof(default_conf) - 1) == (ssize_t)sizeof(default_conf) - 1)
		conf = cmd_conf(path, FINDING_WARNING);
	close(fd);
	unlink(path);
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
		} else if (parse_file(p, conf, paths[i]) < 0) {
			code = EXIT_WRONG;
		}
	}
	chain_source_free(p->source);
	chain_free(p->chain);
	batch_free(p->batch);
	return code;
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
	code = parse_all(&p, conf, argc - first, argv + first);
	conf_free(conf);
	return code;
}
