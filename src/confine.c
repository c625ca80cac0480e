/*
 * The files that a running towline may open.  The list is made here, above all
 * parts, as each of them has files of its own.  A later fault of a parser or
 * of a path then exposes no other file of the node.
 */
#include "confine.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "fence.h"
#include "journal.h"
#include "memory.h"
#include "service.h"
#include "ship.h"
#include "tail.h"
#include "voice.h"
#include "web_conf.h"

static struct fence *standing; /* NULL: no fence is closed */

/* Files of the C library, its name services and TLS: some are replaced now and then, */
static const char *const around[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/localtime",
	"/etc/ssl/certs/ca-certificates.crt" };
/* … or not; the files of /proc and /sys about the machine, not about processes. */
static const char *const itself[] = { "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
	"/etc/services", "/etc/protocols", "/etc/machine-id", "/etc/ld.so.cache",
	"/etc/ssl/openssl.cnf", "/etc/pki/tls", "/etc/pki/ca-trust", "/etc/crypto-policies",
	"/etc/ca-certificates", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32",
	"/usr/local/lib", "/usr/local/share/ca-certificates", "/usr/share", "/lib", "/lib64",
	"/dev/null", "/dev/urandom", "/dev/random",
#ifdef __SANITIZE_ADDRESS__
	"/proc/self",
#endif
	"/proc/sys/kernel/random/boot_id", "/proc/sys/net/ipv4/tcp_rmem",
	"/proc/sys/net/ipv4/tcp_wmem", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
	"/sys/fs/cgroup" };

static void
system_grant(struct fence *f)
{
	const char *tz = getenv("TZ"); /* of a parser with Time_System_Timezone */

	if (tz != NULL && tz[tz[0] == ':'] == '/')
		fence_grant(f, tz + (tz[0] == ':'), FENCE_READ, FENCE_ITSELF);
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++)
		fence_grant(f, around[i], FENCE_READ, FENCE_AROUND);
	for (size_t i = 0; i < sizeof(itself) / sizeof(*itself); i++)
		fence_grant(f, itself[i], FENCE_READ, FENCE_ITSELF);
}

/* A root that is missing, or that is made anew elsewhere than below /var/log, may be read once it exists. */
static void
root_grant(void *fence, const struct roots_of *of, const char *path)
{
	bool is_log = strncmp(path, "/var/log", 8) == 0 && (path[8] == '/' || path[8] == '\0');

	fence_grant(fence, path, FENCE_READ,
	    of == NULL ? FENCE_ITSELF
	    : is_log   ? FENCE_NEAREST
		       : FENCE_PARENT);
}

/* Fluent Bit's database; SQLite writes beside one to read it. */
static void
database_grant(struct fence *f, const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; path != NULL && i < sizeof(ends) / sizeof(*ends); i++) {
		char *file = xprintf("%s%s", path, ends[i]);

		fence_grant(f, file, FENCE_WRITE, FENCE_ITSELF);
		free(file);
	}
}

/* The journals of the machine, one of which may be made later. */
static void
journal_grant(struct fence *f, const struct journal_conf *conf)
{
	if (conf->path != NULL) {
		fence_grant(f, conf->path, FENCE_READ, FENCE_NEAREST);
	} else {
		fence_grant(f, JOURNAL_PERSISTENT, FENCE_READ, FENCE_NEAREST);
		fence_grant(f, JOURNAL_VOLATILE, FENCE_READ, FENCE_NEAREST);
	}
	database_grant(f, conf->db);
}

static void
file_grant(void *fence, const char *path)
{
	fence_grant(fence, path, FENCE_READ, FENCE_AROUND);
}

/* The file that an output writes: of [OUTPUT] file one in its directory, whatever its name. */
static char *
output_file(const struct section *s)
{
	const char *path = *(char *const *)conf_value(s, "Path"), *file;

	if (strcmp(s->plugin->name, "sqlite") == 0)
		return path != NULL ? xstrdup(path) : NULL;
	file = *(char *const *)conf_value(s, "File");
	return xprintf("%s%s%s", path != NULL ? path : "", path != NULL ? "/" : "",
	    file != NULL ? file : "tag");
}

static void
output_grant(struct fence *f, const struct section *s)
{
	const char *name = s->plugin->name;
	char *directory, *slash;

	if (strcmp(name, "sqlite") != 0 && strcmp(name, "file") != 0)
		return;
	directory = output_file(s);
	if (directory == NULL)
		return;
	slash = strrchr(directory, '/');
	if (slash != NULL)
		slash[slash == directory] = '\0';
	fence_grant(f, slash != NULL ? directory : ".", FENCE_WRITE, FENCE_NEAREST);
	free(directory);
}

static struct fence *
fence_of(const struct conf *conf, const char *state_dir)
{
	struct fence *f = fence_new();
	char *events = conf_find(conf->file, "agent-events.conf");

	fence_grant(f, state_dir != NULL ? state_dir : service_of(conf)->state_path, FENCE_WRITE,
	    FENCE_NEAREST);
#ifdef COVERAGE
	fence_grant(f, COVERAGE, FENCE_WRITE, FENCE_ITSELF);
#endif
	if (service_of(conf)->cgroup_path != NULL)
		fence_grant(f, service_of(conf)->cgroup_path, FENCE_READ, FENCE_ITSELF);
	conf_files(conf, file_grant, f);
	web_conf_files(conf, file_grant, f);
	if (events != NULL)
		file_grant(f, events);
	free(events);
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];
		const struct tail_conf *tail = s->values;

		if (s->plugin == &journal_plugin) {
			journal_grant(f, s->values);
		} else if (s->plugin == &tail_plugin) {
			roots_each(&tail->from, root_grant, f);
			database_grant(f, tail->db);
		} else if (s->plugin->kind == SECTION_OUTPUT) {
			output_grant(f, s);
		}
	}
	return f;
}

/* True when a program is run for the token. */
static bool
runs_command(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		char *const *command = conf->sections[i].plugin->kind == SECTION_FILTER
					   ? conf_value(&conf->sections[i], "Kube_Token_Command")
					   : NULL;

		if (command != NULL && *command != NULL)
			return true;
	}
	return false;
}

/* The program needs the libraries of any program. */
static void
command_grant(struct fence *f)
{
	static const char *const programs[] = { "/bin", "/sbin", "/usr", "/opt",
		"/etc/alternatives", "/etc/passwd" };

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		fence_grant(f, programs[i], FENCE_READ, FENCE_ITSELF);
	fence_grant(f, "/dev/null", FENCE_WRITE, FENCE_ITSELF);
}

void
confine(const struct conf *conf, const char *state_dir, const char *log_file)
{
	const struct service *service = service_of(conf);
	bool exec = runs_command(conf);
	struct fence *f;
	int version;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their reports read /proc */
	prctl(PR_SET_DUMPABLE, service->core_dump, 0, 0, 0);
#endif
	if (!service->landlock) {
		say_info("run", "Landlock is off: what towline may open is what its user may");
		return;
	}
	mkdir(state_dir != NULL ? state_dir : service->state_path,
	    0700); /* so that the grant is of the directory itself */
	ship_directories(conf);
	f = fence_of(conf, state_dir);
	system_grant(f);
	if (log_file != NULL)
		fence_grant(f, log_file, FENCE_WRITE, FENCE_AROUND);
	if (exec)
		command_grant(f);
	version = fence_close(f, exec);
	if (version == 0) {
		say_info(
		    "run", "no Landlock here (%m): what towline may open is what its user may");
		fence_free(f);
		return;
	}
	say_info("run", "Landlock %d: nothing is opened but what the configuration names%s",
	    version,
	    exec ? "; programs may be run, for Kube_Token_Command" : ", and no program run");
	standing = f;
}

bool
confine_allows(const struct conf *conf, const char *state_dir)
{
	struct fence *wanted;
	const char *path;

	if (standing == NULL)
		return true;
	wanted = fence_of(conf, state_dir);
	path = fence_beyond(wanted, standing);
	if (path != NULL)
		say_error("run",
		    "%s was not named by the configuration that towline started with, and Landlock "
		    "gives nothing back: restart towline",
		    path);
	fence_free(wanted);
	return path == NULL;
}
