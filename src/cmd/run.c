/* towline run: ships until it is stopped. */
#include "cmd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "banner.h"
#include "confine.h"
#include "memory.h"
#include "metrics.h"
#include "pipeline.h"
#include "service.h"
#include "tail.h"
#include "voice.h"

static int run_run(int argc, char **argv);

enum { OPT_C, OPT_L, OPT_Q, OPT_V, OPT_STATE, OPT_EOF, OPT_DRY };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration (default: " CMD_CONF_DEFAULT ")" },
	{ 'l', "log_file", "FILE", "write messages to FILE instead of standard error" },
	{ 'q', "quiet", NULL, "say warnings and errors only" },
	{ 'v', "verbose", NULL, "say more" },
	{ 0, "state", "DIR", "where to keep the state, instead of State_Path" },
	{ 0, "exit-on-eof", NULL, "read to the end, deliver, exit" },
	{ 'D', "dry-run", NULL, "check the configuration and exit" },
	{ 0 },
};

const struct command cmd_run = {
	.name = "run",
	.run = run_run,
	.help = "Follow the configured files and ship their records until stopped.",
	.more =
	    "SIGTERM: read no more, deliver for at most Grace seconds, exit 0; again: stop now.\n"
	    "SIGHUP: open the log file of -l again, read the configuration again and go on with it;\n"
	    "when it is wrong, as before.\n"
	    "Exit 1: it could not start, or standard output, as an output, could not be written.",
	.options = options,
};

/*
 * The pipeline's are taken by the main thread alone: blocked before any other
 * exists.  Others that would end a process do not end this one: SIGIO
 * comes from a read lease when somebody opens the file for writing (fcntl(2)),
 * SIGXFSZ in the place of EFBIG.
 */
static void
signals_set(void)
{
	static const int ignored[] = { SIGPIPE, SIGIO, SIGUSR1, SIGUSR2, SIGALRM, SIGQUIT,
		SIGVTALRM, SIGPROF, SIGPWR, SIGSTKFLT, SIGXCPU, SIGXFSZ };
	const sigset_t signals = pipeline_signals();

	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	for (int real_time = SIGRTMIN; real_time <= SIGRTMAX; real_time++)
		signal(real_time, SIG_IGN);
}

static enum voice
level_of(const struct service *service, const char *values[])
{
	if (values[OPT_Q] != NULL)
		return VOICE_WARN;
	if (values[OPT_V] != NULL)
		return VOICE_DEBUG;
	return service_voice(service);
}

/* The configuration that runs, and the one that a SIGHUP has read to go on with. */
struct running {
	const char *path;
	const char **values;
	struct conf *conf, *next;
};

/* NULL: standard error. */
static const char *
log_file(const struct running *r)
{
	const struct conf *conf = r->next != NULL ? r->next : r->conf;

	return r->values[OPT_L] != NULL ? r->values[OPT_L] : service_of(conf)->log_file;
}

static const char *
log_fault(void)
{
	if (errno == ELOOP)
		return "it is a link, which is not followed";
	return errno == EINVAL ? "it is no regular file" : strerrordesc_np(errno);
}

/* Whoever rotates the log file tells by SIGHUP. */
static void
log_again(const struct running *r)
{
	const char *path = log_file(r);

	if (path != NULL && voice_open(level_of(service_of(r->conf), r->values), path) < 0)
		say_warn("run",
		    "cannot open the log file %s again: %s; going on in the one before%s", path,
		    log_fault(),
		    errno == EACCES ? " (Landlock lets it be made anew in a directory of its own)"
				    : "");
}

/* The configuration; one that stands within another file is not for a machine to run. */
static struct conf *
conf_own(const char *path, enum finding least)
{
	struct conf *conf = cmd_conf(path, least);

	if (conf == NULL || conf->inside == NULL)
		return conf;
	cmd_wrong("%s is not the configuration, which stands in it (%s): `towline check` reads it "
		  "there, `towline convert` prints it",
	    path, conf->inside);
	conf_free(conf);
	return NULL;
}

static void
reload_failed(void)
{
	metrics_add(&metrics_reload_failed, 1);
}

static bool
reload(void *arg)
{
	struct running *r = arg;

	conf_free(r->next);
	r->next = conf_own(r->path, FINDING_NOTE);
	log_again(r);
	if (r->next == NULL) {
		reload_failed();
		say_error("run", "%s is wrong, see above: going on with the one before", r->path);
	} else if (!confine_allows(r->next, r->values[OPT_STATE])) {
		reload_failed();
		conf_free(r->next);
		r->next = NULL;
	}
	return r->next != NULL;
}

static void
hello(const struct running *r)
{
	voice_json(service_of(r->conf)->log_format == 1);
	banner_say(r->conf);
}

/* The option of run, or of an input. */
static bool
ends_at_eof(const struct running *r)
{
	bool ends = r->values[OPT_EOF] != NULL;

	for (size_t i = 0; i < r->conf->n; i++) {
		if (r->conf->sections[i].plugin == &tail_plugin)
			ends |=
			    ((const struct tail_conf *)r->conf->sections[i].values)->exit_on_eof;
	}
	return ends;
}

static struct pipeline *
start(struct running *r)
{
	struct pipeline *p;
	struct pipeline_options how = {
		.exit_on_eof = ends_at_eof(r),
		.state_dir = r->values[OPT_STATE],
		.reload = reload,
		.reload_arg = r,
	};

	voice_level(level_of(service_of(r->conf), r->values));
	p = pipeline_new(r->conf, &how);
	if (p == NULL || pipeline_start(p) == 0)
		return p;
	errno = EINVAL;
	pipeline_free(p);
	return NULL;
}

/* Go on with the configuration that was read; when that does not start, with the one before. */
static struct pipeline *
start_again(struct running *r)
{
	struct conf *before = r->conf;
	struct pipeline *p;

	r->conf = r->next;
	r->next = NULL;
	hello(r);
	p = start(r);
	if (p != NULL) {
		conf_free(before);
		return p;
	}
	reload_failed();
	say_error("run", "%s does not start, see above: going on with the one before", r->path);
	conf_free(r->conf);
	r->conf = before;
	return start(r);
}

static int
ship(struct running *r)
{
	enum pipeline_end end = PIPELINE_RELOADS;
	struct pipeline *p;

	if (voice_open(level_of(service_of(r->conf), r->values), log_file(r)) < 0) {
		say_error("run", "cannot write the log file %s: %s", log_file(r), log_fault());
		return EXIT_WRONG;
	}
	hello(r);
	process_metrics_open();
	confine(r->conf, r->values[OPT_STATE], log_file(r));
	p = start(r);
	if (p == NULL)
		return errno == EBUSY ? EXIT_IN_USE : EXIT_WRONG;
	while (p != NULL) {
		end = pipeline_run(p);
		pipeline_free(p);
		p = end == PIPELINE_RELOADS ? start_again(r) : NULL;
	}
	return end == PIPELINE_ENDED ? EXIT_DONE : EXIT_WRONG;
}

static int
run_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS], *path;
	struct running r = { .values = values };
	int code;

	signals_set();
	if (cmd_options(&cmd_run, argc, argv, values) < 0)
		return EXIT_USAGE;
	path = values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT;
	if (values[OPT_DRY] != NULL) {
		char check[] = "check", option[] = "-c", *file = xstrdup(path);

		code = cmd_check.run(3, (char *[]){ check, option, file, NULL });
		free(file);
		r.conf = code == EXIT_DONE ? conf_own(path, FINDING_ERROR) : NULL;
		conf_free(r.conf);
		return code == EXIT_DONE && r.conf == NULL ? EXIT_WRONG : code;
	}
	r.path = path;
	r.conf = conf_own(path, FINDING_NOTE);
	if (r.conf == NULL)
		return EXIT_WRONG;
	code = ship(&r);
	conf_free(r.conf);
	conf_free(r.next);
	return code;
}
