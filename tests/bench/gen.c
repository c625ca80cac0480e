/*
 * The benchmark's and the demo's generator: agents' logs in a tree shaped like
 * a Kubernetes node's,
 *
 *	DIR/containers/<pod>_<ns>_<container>-<id>.log	(link)
 *	    -> DIR/pods/<ns>_<pod>_<uid>/<container>/0.log
 *
 * and beside them DIR/truth.json: what a reader must find.  In a batch all is
 * written at once, with times that depend on the seed alone; live, it comes
 * line by line at a rate, with the time of the day, rotated once if asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_life.h"

#define NAMESPACE "matillion"
#define CONTAINER "matillion-agent"
#define BATCH_START INT64_C(1795334400000000000) /* 2026-11-22T08:00:00Z */
#define BUFFER ((size_t)1 << 20)
#define TICK 10000000 /* ns between two looks at who has to write, live */

struct options {
	const char *dir, *link_root, *pod;
	uint64_t lines, files, seed, json;
	uint64_t live, rate, seconds, rotate_after;
};

struct file {
	struct agent agent;
	char log[PATH_MAX]; /* the 0.log */
	int fd;
	uint64_t written; /* lines */
	bool rotated;
};

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "gen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			die("write");
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/* ---- the tree */

static void
make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die(path);
}

static __attribute__((format(printf, 2, 3))) void
set_path(char path[PATH_MAX], const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(path, PATH_MAX, format, args);
	va_end(args);
	if (len < 0 || len >= PATH_MAX) {
		errno = ENAMETOOLONG;
		die("path");
	}
}

static int
open_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);

	if (fd < 0)
		die(path);
	return fd;
}

/* The pod of the file's agent: directories, the log, the link to it. */
static void
make_pod(const struct options *o, struct file *f, uint64_t number)
{
	struct agent names = { .random = o->seed * 1000003 + number };
	char path[PATH_MAX], pod[128], uid[40], id[72];
	struct text t = { uid, 0 };

	snprintf(pod, sizeof(pod), "%s-%05" PRIx64 "-%04" PRIu64, o->pod,
	    agent_random(&names) & 0xfffff, number);
	put_uuid(&t, (uint64_t[]){ agent_random(&names), agent_random(&names) });
	uid[t.len] = '\0';
	for (int i = 0; i < 4; i++)
		snprintf(id + i * 16, 17, "%016" PRIx64, agent_random(&names));

	set_path(path, "%s/pods/" NAMESPACE "_%s_%s", o->dir, pod, uid);
	make_directory(path);
	set_path(f->log, "%s/" CONTAINER, path);
	make_directory(f->log);
	set_path(f->log, "%s/" CONTAINER "/0.log", path);
	f->fd = open_log(f->log);

	char link[PATH_MAX], target[PATH_MAX];
	set_path(link, "%s/containers/%s_" NAMESPACE "_" CONTAINER "-%s.log", o->dir, pod, id);
	set_path(target, "%s%s", o->link_root, f->log + strlen(o->dir));
	if (unlink(link) < 0 && errno != ENOENT)
		die(link);
	if (symlink(target, link) < 0)
		die(link);
}

static struct file *
make_tree(const struct options *o, struct text *out, struct truth *truth)
{
	static char scratch[RECORD_ROOM];
	struct file *files = calloc(o->files, sizeof(*files));
	char path[PATH_MAX];

	if (files == NULL)
		die("memory");
	make_directory(o->dir);
	set_path(path, "%s/pods", o->dir);
	make_directory(path);
	set_path(path, "%s/containers", o->dir);
	make_directory(path);
	for (uint64_t i = 0; i < o->files; i++) {
		struct file *f = &files[i];

		f->agent = (struct agent){
			.random = o->seed + i * UINT64_C(0x2545f4914f6cdd1d),
			.now = BATCH_START + (int64_t)i * 1000,
			.json = (i + 1) * o->json / 100 != i * o->json / 100,
			.scratch = scratch,
			.second = -1,
			.out = out,
			.truth = truth,
		};
		make_pod(o, f, i);
	}
	return files;
}

/* ---- batch */

static void
write_batch(const struct options *o, struct file *files, struct text *out)
{
	for (uint64_t i = 0; i < o->files; i++) {
		struct agent *a = &files[i].agent;
		uint64_t lines = o->lines / o->files + (i < o->lines % o->files);
		uint64_t begin = a->truth->lines;

		while (a->truth->lines - begin < lines) {
			agent_says(a, lines - (a->truth->lines - begin));
			a->now += agent_pick(a, 4000000);
			if (out->len > BUFFER) {
				write_all(files[i].fd, out->at, out->len);
				out->len = 0;
			}
		}
		write_all(files[i].fd, out->at, out->len);
		out->len = 0;
	}
}

/* ---- live */

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One record, in one write. */
static void
write_record(struct file *f, int64_t now)
{
	struct agent *a = &f->agent;
	uint64_t lines = a->truth->lines;

	a->out->len = 0;
	if (a->now < now)
		a->now = now;
	agent_says(a, TRACE_LINES);
	write_all(f->fd, a->out->at, a->out->len);
	f->written += a->truth->lines - lines;
}

/*
 * As kubelet and containerd do: rename, open anew, then close the old file;
 * the last record lands in it after it was renamed.
 */
static void
rotate(struct file *f, int64_t now)
{
	char path[PATH_MAX + 32];
	time_t second = (time_t)(now / 1000000000);
	struct tm tm;
	int old = f->fd;
	size_t len = strlen(f->log);

	memcpy(path, f->log, len);
	gmtime_r(&second, &tm);
	strftime(path + len, 32, ".%Y%m%d-%H%M%S", &tm);
	if (rename(f->log, path) < 0)
		die(path);
	write_record(f, now);
	f->fd = open_log(f->log);
	close(old);
	f->rotated = true;
}

/* What ${f} should have written ${elapsed} ns after the start; ${phase} is its turn, 0 to 1. */
static void
catch_up(const struct options *o, struct file *f, int64_t now, int64_t elapsed, double phase)
{
	uint64_t due = 1 + (uint64_t)((double)elapsed / 1e9 * (double)o->rate + phase);

	while (f->written < due)
		write_record(f, now);
	if (o->rotate_after > 0 && !f->rotated && elapsed >= (int64_t)o->rotate_after * 1000000000)
		rotate(f, now);
}

/* Files take their turns spread over the time of a line, so that lines come one by one. */
static void
write_live(const struct options *o, struct file *files)
{
	int64_t begin = clock_ns(CLOCK_MONOTONIC), next = begin, elapsed = 0;
	int64_t end = o->seconds > 0 ? (int64_t)o->seconds * 1000000000 : INT64_MAX;

	for (;;) {
		int64_t now = clock_ns(CLOCK_REALTIME);

		for (uint64_t i = 0; i < o->files; i++)
			catch_up(o, &files[i], now, elapsed, (double)i / (double)o->files);
		if (stopped || elapsed >= end)
			return;
		next += TICK;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
		    &(struct timespec){ next / 1000000000, next % 1000000000 }, NULL);
		elapsed = clock_ns(CLOCK_MONOTONIC) - begin;
		if (elapsed > end)
			elapsed = end;
	}
}

/* Written under another name first: who sees truth.json sees all of it. */
static void
write_truth(const struct options *o, const struct truth *truth)
{
	char new[PATH_MAX], path[PATH_MAX];
	FILE *out;

	set_path(new, "%s/truth.json.new", o->dir);
	set_path(path, "%s/truth.json", o->dir);
	if ((out = fopen(new, "w")) == NULL)
		die(new);
	truth_write(out, truth);
	if (fclose(out) != 0 || rename(new, path) < 0)
		die(path);
}

/* ---- options */

static const struct {
	const char *name, *value, *help;
	size_t at;
} table[] = {
	{ "dir", "DIR", "where the tree goes (made if need be); required",
	    offsetof(struct options, dir) },
	{ "link-root", "DIR", "what the links say instead of --dir, e.g. /var/log",
	    offsetof(struct options, link_root) },
	{ "pod", "NAME", "first part of the pods' names (matillion-agent-7d9f8b6c54)",
	    offsetof(struct options, pod) },
	{ "lines", "N", "CRI lines in all (2000000); not live", offsetof(struct options, lines) },
	{ "files", "N", "agents, each with a file (4)", offsetof(struct options, files) },
	{ "seed", "N", "another seed, another log (1)", offsetof(struct options, seed) },
	{ "json", "PERCENT", "of the files that are JSON, the others are text (25)",
	    offsetof(struct options, json) },
	{ "live", NULL, "write as time passes, until --seconds or a signal",
	    offsetof(struct options, live) },
	{ "rate", "N", "lines a second and file, live (50)", offsetof(struct options, rate) },
	{ "seconds", "N", "stop after so long, live (0: at a signal)",
	    offsetof(struct options, seconds) },
	{ "rotate-after", "N", "rotate each file once after N seconds, live (0: never)",
	    offsetof(struct options, rotate_after) },
};
#define TEXTS 3 /* of the rows above have a text as value */

static _Noreturn void
usage(FILE *out, int status)
{
	fprintf(out, "usage: gen --dir DIR [--OPTION VALUE]...\n");
	for (size_t i = 0; i < COUNT(table); i++)
		fprintf(out, "  --%-12s %-8s %s\n", table[i].name,
		    table[i].value ? table[i].value : "", table[i].help);
	exit(status);
}

static void
set_option(struct options *o, size_t row, const char *value)
{
	char *end;

	if (row < TEXTS) {
		memcpy((char *)o + table[row].at, &value, sizeof(value));
		return;
	}
	errno = 0;
	uint64_t number = value == NULL ? 1 : strtoull(value, &end, 10);
	if (value != NULL && (errno != 0 || *end != '\0' || end == value || *value == '-')) {
		fprintf(stderr, "gen: --%s: '%s' is no number\n", table[row].name, value);
		exit(2);
	}
	memcpy((char *)o + table[row].at, &number, sizeof(number));
}

static struct options
read_options(int argc, char **argv)
{
	struct options o = { .pod = "matillion-agent-7d9f8b6c54",
		.lines = 2000000,
		.files = 4,
		.seed = 1,
		.json = 25,
		.rate = 50 };
	struct option longs[COUNT(table) + 2] = { { "help", no_argument, NULL, 'h' } };
	static char root[PATH_MAX];
	int c;

	for (size_t i = 0; i < COUNT(table); i++)
		longs[i + 1] = (struct option){ table[i].name,
			table[i].value ? required_argument : no_argument, NULL, 256 + (int)i };
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c < 256)
			usage(c == 'h' ? stdout : stderr, c == 'h' ? 0 : 2);
		set_option(&o, (size_t)c - 256, optarg);
	}
	if (o.dir == NULL || optind < argc || o.files == 0 || o.rate == 0 || o.json > 100)
		usage(stderr, 2);
	make_directory(o.dir);
	if (o.link_root == NULL && (o.link_root = realpath(o.dir, root)) == NULL)
		die(o.dir);
	return o;
}

int
main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct truth truth = { .files = o.files, .seed = o.seed };
	struct text out = { malloc(BUFFER + RECORD_ROOM), 0 };
	struct rlimit limit;
	struct file *files;

	if (out.at == NULL)
		die("memory");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	files = make_tree(&o, &out, &truth);
	if (o.live) {
		sigaction(SIGTERM, &(struct sigaction){ .sa_handler = stop }, NULL);
		sigaction(SIGINT, &(struct sigaction){ .sa_handler = stop }, NULL);
		write_live(&o, files);
	} else {
		write_batch(&o, files, &out);
	}
	write_truth(&o, &truth);
	free(files);
	free(out.at);
	return 0;
}
