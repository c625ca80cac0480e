/*
 * towline test: what a configuration makes of lines, compared with documents that
 * are expected.  The flow is that of `run`, but its two ends: files lie in a folder,
 * and outputs keep what they would send (rehearsal.h).
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "golden.h"
#include "memory.h"
#include "pipeline.h"
#include "rehearsal.h"
#include "scene.h"
#include "voice.h"

static int test_run(int argc, char **argv);

enum { OPT_C, OPT_UPDATE };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration, when it is not in DIR" },
	{ 0, "update", NULL, "write what comes as what is expected" },
	{ 0 },
};

const struct command cmd_test = {
	.name = "test",
	.run = test_run,
	.operands = "DIR...",
	.help = "Run a configuration on the files of a folder, and compare the documents.",
	.more =
	    "DIR/fluent-bit.conf   the configuration (or towline.conf, fluent-bit.yaml, …)\n"
	    "DIR/var/log/…         stands for /var/log/… of the node, as does any other folder; a\n"
	    "                      container's log may be a file containers/POD_NAMESPACE_CONTAINER-ID.log\n"
	    "DIR/pods.json         the pods: kubectl get pods -A -o json; may be missing\n"
	    "DIR/expected/OUTPUT.ndjson   a document a line, by the output's Alias (or es.0)\n"
	    "Nothing is sent, nobody is asked, and lines without a time have that of 2026-01-01.\n"
	    "Exit code 0: all as expected, 1: not.",
	.options = options,
};

static const char *const names[] = { "fluent-bit.conf", "towline.conf", "fluent-bit.yaml",
	"fluent-bit.yml", "towline.yaml", "configmap.yaml", "values.yaml" };

/* The configuration of the folder; the caller frees. */
static char *
conf_of(const char *dir)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = xprintf("%s/%s", dir, names[i]);

		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	cmd_wrong("towline test: %s has no configuration: fluent-bit.conf, fluent-bit.yaml, …; "
		  "-c FILE names one elsewhere",
	    dir);
	return NULL;
}

/* Files of documents expected of outputs that the configuration does not have. */
static bool
strangers_print(const char *dir, const struct collections *c)
{
	char *folder = xprintf("%s/expected", dir);
	DIR *names_in = opendir(folder);
	struct dirent *d;
	bool any = false;

	while (names_in != NULL && (d = readdir(names_in)) != NULL) {
		char *path = xprintf("%s/%s", folder, d->d_name);
		bool known = d->d_name[0] == '.';

		for (size_t i = 0; i < c->n && !known; i++) {
			char *own = golden_path(dir, c->at[i].name);

			known = strcmp(own, path) == 0;
			free(own);
		}
		if (!known)
			printf("%s: the configuration has no output of this name\n", path);
		any |= !known;
		free(path);
	}
	if (names_in != NULL)
		closedir(names_in);
	free(folder);
	return any;
}

static int
judge(const char *dir, const struct collections *c, bool update)
{
	size_t documents = 0;
	bool wrong = false;

	for (size_t i = 0; i < c->n; i++) {
		char *path = golden_path(dir, c->at[i].name);

		documents += c->at[i].n;
		if (update)
			wrong |= golden_update(&c->at[i], path, stdout) < 0;
		else
			wrong |= !golden_compare(&c->at[i], path, stdout);
		free(path);
	}
	wrong |= strangers_print(dir, c);
	cmd_print(dir, stdout);
	if (wrong)
		printf(": not as expected%s\n",
		    update ? "" : "; when this is right, towline test --update writes it");
	else
		printf(": %zu document%s%s\n", documents, documents == 1 ? "" : "s",
		    update ? "" : ", as expected");
	return wrong ? EXIT_WRONG : EXIT_DONE;
}

static int
one_test(const char *dir, const char *conf_path, bool update)
{
	char *pods = xprintf("%s/pods.json", dir);
	char *path = conf_path != NULL ? xstrdup(conf_path) : conf_of(dir);
	struct conf *conf = path != NULL ? cmd_conf(path, FINDING_WARNING) : NULL;
	struct collections came = { 0 };
	struct scene scene = { 0 };
	bool has_pods = access(pods, F_OK) == 0;
	int code = EXIT_WRONG;

	if (conf != NULL && scene_make(&scene, dir, has_pods ? pods : NULL) == 0) {
		const struct rehearsal r = { scene.folder, has_pods ? pods : NULL, scene.state };

		if (rehearsal_run(conf, &r, &came) == 0)
			code = judge(dir, &came, update);
	}
	collect_end(&came);
	scene_remove(&scene);
	conf_free(conf);
	free(path);
	free(pods);
	return code;
}

static int
test_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	int first = cmd_options(&cmd_test, argc, argv, values), code = EXIT_DONE;
	const sigset_t signals = pipeline_signals();

	if (first < 0)
		return EXIT_USAGE;
	if (first == argc) {
		fputs("towline test: no DIR\n\n", stderr);
		cmd_usage(&cmd_test, stderr);
		return EXIT_USAGE;
	}
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	voice_level(VOICE_WARN);
	for (int i = first; i < argc; i++) {
		if (one_test(argv[i], values[OPT_C], values[OPT_UPDATE] != NULL) != EXIT_DONE)
			code = EXIT_WRONG;
	}
	return code;
}
