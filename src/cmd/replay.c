/* towline replay: sends dead letters again, each under its own index and id. */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "replay_why.h"
#include "retire.h"
#include "ship.h"

static int replay_run(int argc, char **argv);

enum { OPT_C, OPT_REST, OPT_RETIRE };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration (default: " CMD_CONF_DEFAULT ")" },
	{ 0, "rest", "FILE", "where letters go that are left (default: FILE.rest)" },
	{ 0, "retire", NULL, "when none is left, rename FILE to NAME.TIME.ndjson" },
	{ 0 },
};

const struct command cmd_replay = {
	.name = "replay",
	.run = replay_run,
	.operands = "FILE",
	.help = "Send the dead letters in FILE again, each under its own index and id.",
	.more =
	    "FILE is STATE/dead-letters.ndjson, or what a replay left; it is read as it is now and\n"
	    "never changed, and towline may run.  Letters go to the output that they name, or to\n"
	    "the only one of es or opensearch.  What is in the index already counts as taken, so a\n"
	    "replay may be repeated.  What is still refused is said, and its letters are written to\n"
	    "FILE.rest, which must not exist.  With --retire FILE gets another name when all its\n"
	    "letters are taken, those that towline adds meanwhile, too; it no longer counts against\n"
	    "Dead_Letter_Limit then.  Nothing is deleted.  0: all are taken; 1: some are left.",
	.options = options,
};

/* The letters' file, their outputs, and the figures of the run. */
struct replay {
	const char *file, *rest;
	struct letters letters;
	int left_fd;
	const struct section **outputs; /* all of the configuration's */
	size_t noutputs;
	const struct section *only; /* its one es or opensearch; NULL: there are several */
	struct replay_batch batch;
	struct why_table why;
	bool retire;
	char *retired; /* the file's new name; NULL: it has its own */
	uint64_t read, taken, there, left, kept_elsewhere;
};

/* ---- letters that are left */

static int
leave(struct replay *r, uint64_t at, uint64_t len)
{
	r->left++;
	if (letters_copy(&r->letters, at, len, r->left_fd) == 0)
		return 0;
	cmd_wrong("towline replay: cannot copy from %s to %s: %m", r->file, r->rest);
	return -1;
}

static void
why_of(const struct sent *s, char *why, size_t size)
{
	const struct reply_item *a = &s->answer;
	char reason[REPLY_REASON];

	replay_why_without(reason, a->reason, s->id);
	if (a->status == 0)
		snprintf(why, size, "not sent: no answer");
	else
		snprintf(why, size, "refused: %d%s%s%s%s", a->status, a->type[0] ? " " : "",
		    a->type, reason[0] ? ": " : "", reason);
}

static int
flush(struct replay *r)
{
	struct replay_batch *b = &r->batch;

	if (b->n > 0)
		replay_batch_send(b);
	for (size_t i = 0; i < b->n; i++) {
		struct sent *s = &b->at[i];
		char why[WHY_MAX];

		r->taken += s->fate == FATE_TAKEN;
		r->there += s->fate == FATE_THERE;
		r->kept_elsewhere += s->fate == FATE_TAKEN && s->answer.failure_store;
		if (s->fate != FATE_LEFT)
			continue;
		why_of(s, why, sizeof(why));
		replay_why_count(&r->why, why, s->number);
		if (leave(r, s->at, s->len) < 0)
			return -1;
	}
	b->n = 0;
	buffer_clear(&b->body);
	return 0;
}

/* ---- the outputs of letters */

static bool
is_server(const struct section *output)
{
	return output->plugin == &es_plugin || output->plugin == &opensearch_plugin;
}

static int
outputs_find(struct replay *r, const struct conf *conf)
{
	size_t servers = 0;

	r->outputs = xcalloc(conf->n + 1, sizeof(*r->outputs));
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin->kind != SECTION_OUTPUT)
			continue;
		r->outputs[r->noutputs++] = s;
		if (is_server(s) && servers++ == 0)
			r->only = s;
	}
	if (servers > 1)
		r->only = NULL;
	if (servers == 0)
		cmd_wrong("towline replay: %s has no output that letters can go to: es, "
			  "opensearch",
		    conf->file);
	return servers > 0 ? 0 : -1;
}

static const struct section *
output_of(const struct replay *r, struct slice raw)
{
	char *name = xmalloc(raw.len + 1);
	const struct section *found = NULL;
	struct slice want = { name, json_unescape(raw, name) };

	for (size_t i = 0; i < r->noutputs && found == NULL; i++) {
		char *its = output_name(r->outputs, i);

		if (is_server(r->outputs[i]) && slice_eq(slice_of(its), want))
			found = r->outputs[i];
		free(its);
	}
	free(name);
	return found;
}

/* ---- letters */

static int
malformed(struct replay *r, const struct line *line, const char *what)
{
	cmd_wrong("%s:%" PRIu64 ": no dead letter: %s", r->file, line->number, what);
	return leave(r, line->at, line->len);
}

static int
line_take(struct replay *r, const struct line *line)
{
	const struct section *output = r->only;
	struct letter l;
	const char *what =
	    line->text.at == NULL ? "longer than 64 MiB" : letters_read(line->text, &l);

	r->read++;
	if (what != NULL)
		return malformed(r, line, what);
	if (output == NULL)
		output = output_of(r, l.output);
	if (output == NULL) {
		char why[WHY_MAX];

		snprintf(why, sizeof(why),
		    "not sent: no es or opensearch output '%.*s' in the "
		    "configuration",
		    (int)least(l.output.len, 200), l.output.at);
		replay_why_count(&r->why, why, line->number);
		return leave(r, line->at, line->len);
	}
	if ((output != r->batch.output || !replay_batch_has_room(&r->batch, &l)) && flush(r) < 0)
		return -1;
	replay_batch_output(&r->batch, output);
	replay_batch_add(&r->batch, line, &l);
	return 0;
}

static int
lines_take(struct replay *r)
{
	struct line line;
	int got;

	while ((got = letters_next(&r->letters, &line)) > 0) {
		if (line.len > 0 && line_take(r, &line) < 0)
			return -1;
	}
	if (got < 0)
		cmd_wrong("towline replay: cannot read %s: %m", r->file);
	return got < 0 ? -1 : flush(r);
}

/* ---- start and end */

static int
files_open(struct replay *r)
{
	if (letters_open(&r->letters, r->file) < 0) {
		cmd_wrong("towline replay: cannot read %s: %m", r->file);
		return -1;
	}
	r->left_fd = open(r->rest, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->left_fd >= 0)
		return 0;
	if (errno == EEXIST)
		cmd_wrong("towline replay: %s is there already: replay it by itself, or move "
			  "it away, or name another with --rest",
		    r->rest);
	else
		cmd_wrong("towline replay: cannot write %s, where letters go that are left: "
			  "%m",
		    r->rest);
	return -1;
}

/* No letter is left: the file gets another name, once it has no further ones. */
static int
file_retire(struct replay *r)
{
	enum retire how;
	char *to;

	while ((how = retire(&r->letters, r->file, &to)) == RETIRE_GROWN) {
		if (lines_take(r) < 0)
			return -1;
		if (r->left > 0)
			return 0;
	}
	if (how == RETIRE_FAILED)
		return -1;
	r->retired = to;
	return 0;
}

/* At the end each letter is in its index, or in FILE.rest. */
static int
finish(struct replay *r)
{
	int code = r->retire && r->left == 0 && file_retire(r) < 0 ? EXIT_WRONG : EXIT_DONE;

	replay_why_print(&r->why, r->file, stderr);
	printf("%" PRIu64 " letters: %" PRIu64 " taken, %" PRIu64 " there already, %" PRIu64
	       " left",
	    r->read, r->taken, r->there, r->left);
	if (r->left == 0)
		unlink(r->rest);
	else
		printf(" in %s", r->rest);
	putchar('\n');
	if (r->kept_elsewhere > 0)
		printf("%" PRIu64 " of those taken are in the failure store, not in the index\n",
		    r->kept_elsewhere);
	if (r->left > 0 && fsync(r->left_fd) < 0)
		cmd_wrong("towline replay: cannot sync %s: %m", r->rest);
	if (r->retired != NULL)
		printf("%s is %s now\n", r->file, r->retired);
	else if (r->retire && r->left > 0)
		printf("%s keeps its name, as letters are left\n", r->file);
	return r->left == 0 ? code : EXIT_WRONG;
}

static int
replay(struct replay *r, const struct conf *conf)
{
	int code = EXIT_WRONG;

	r->letters.fd = r->left_fd = -1;
	replay_batch_init(&r->batch);
	if (outputs_find(r, conf) == 0 && files_open(r) == 0) {
		if (lines_take(r) == 0)
			code = finish(r);
		else
			cmd_wrong("towline replay: stopped; %s is as it was, and %s not "
				  "complete",
			    r->file, r->rest);
	}
	if (r->left_fd >= 0)
		close(r->left_fd);
	letters_close(&r->letters);
	replay_batch_fini(&r->batch);
	free(r->outputs);
	free(r->retired);
	return code;
}

static int
replay_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	int first = cmd_options(&cmd_replay, argc, argv, values), code;
	struct replay r = { 0 };
	struct conf *conf;
	char *rest;

	if (first < 0)
		return EXIT_USAGE;
	if (first + 1 != argc) {
		fputs("towline replay: one FILE is needed\n\n", stderr);
		cmd_usage(&cmd_replay, stderr);
		return EXIT_USAGE;
	}
	conf = cmd_conf(values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT, FINDING_WARNING);
	if (conf == NULL)
		return EXIT_WRONG;
	r.file = argv[first];
	r.retire = values[OPT_RETIRE] != NULL;
	rest = values[OPT_REST] != NULL ? xstrdup(values[OPT_REST]) : xprintf("%s.rest", r.file);
	r.rest = rest;
	code = replay(&r, conf);
	free(rest);
	conf_free(conf);
	return code;
}
