/*
 * The series that every exporter has of its own process.  The files of /proc are
 * opened at the start: Landlock closes the way to them.
 */
#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"

static struct {
	int64_t began; /* wall ns; 0: process_metrics_open() was not called */
	int statm;
	DIR *fds;
} self = { .statm = -1 };

void
process_metrics_open(void)
{
	self.began = clock_wall();
	self.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	self.fds = opendir("/proc/self/fd");
}

int64_t
process_began(void)
{
	return self.began;
}

void
process_write_cpu(struct exposition *x, const struct family *f)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) != 0)
		return;
	exposition_value(x, f, SLICE(""),
	    (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	exposition_created(x, f, SLICE(""), self.began);
}

/* The ${i}th number of statm, in bytes; false: it cannot be read. */
static bool
pages(int i, uint64_t *bytes)
{
	char text[128], *at = text;
	ssize_t n = self.statm < 0 ? -1 : pread(self.statm, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	for (; i >= 0; i--)
		*bytes = strtoull(at, &at, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

void
process_write_virtual(struct exposition *x, const struct family *f)
{
	uint64_t bytes;

	if (pages(0, &bytes))
		exposition_count(x, f, SLICE(""), bytes);
}

void
process_write_resident(struct exposition *x, const struct family *f)
{
	uint64_t bytes;

	if (pages(1, &bytes))
		exposition_count(x, f, SLICE(""), bytes);
}

/* `.` and `..` are among the entries, and are no descriptors. */
void
process_write_open_fds(struct exposition *x, const struct family *f)
{
	const struct dirent *entry;
	uint64_t n = 0;

	if (self.fds == NULL)
		return;
	rewinddir(self.fds);
	while ((entry = readdir(self.fds)) != NULL)
		n += entry->d_name[0] != '.';
	exposition_count(x, f, SLICE(""), n);
}

void
process_write_max_fds(struct exposition *x, const struct family *f)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		exposition_count(x, f, SLICE(""), limit.rlim_cur);
}

void
process_write_start(struct exposition *x, const struct family *f)
{
	if (self.began > 0)
		exposition_value(x, f, SLICE(""), (double)(self.began / NS_PER_MS) / 1000);
}
