/* towline run: ship until stopped. */
#include "cmd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "memory.h"
#include "pipeline.h"
#include "service.h"
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
	    "SIGTERM: read no more, deliver for at most Grace seconds, exit 0; again: stop now.",
	.options = options,
};

/* Signals are taken by the main thread alone: blocked before any other exists. */
static void
signals_block(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
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

static int
ship(const struct conf *conf, const char *values[])
{
	struct pipeline_options how = {
		.exit_on_eof = values[OPT_EOF] != NULL,
		.state_dir = values[OPT_STATE],
	};
	struct pipeline *p;
	int code;

	if (voice_open(level_of(service_of(conf), values), values[OPT_L]) < 0) {
		say_error("run", "cannot write the log file %s: %m", values[OPT_L]);
		return EXIT_WRONG;
	}
	signals_block();
	p = pipeline_new(conf, &how);
	if (p == NULL)
		return errno == EBUSY ? EXIT_IN_USE : EXIT_WRONG;
	code = pipeline_run(p) == 0 ? EXIT_DONE : EXIT_WRONG;
	pipeline_free(p);
	return code;
}

static int
run_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS], *path;
	struct conf *conf;
	int code;

	if (cmd_options(&cmd_run, argc, argv, values) < 0)
		return EXIT_USAGE;
	path = values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT;
	if (values[OPT_DRY] != NULL) {
		char check[] = "check", option[] = "-c", *file = xstrdup(path);

		code = cmd_check.run(3, (char *[]){ check, option, file, NULL });
		free(file);
		return code;
	}
	conf = cmd_conf(path);
	if (conf == NULL)
		return EXIT_WRONG;
	code = ship(conf, values);
	conf_free(conf);
	return code;
}
