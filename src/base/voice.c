/*
 * towline's own log.  One write for each message, so that lines of several
 * threads never mix and none waits for another on a lock.
 */
#include "voice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "shown.h"

#define MESSAGE_MAX 4096

const char *const voice_names[] = { "error", "warn", "info", "debug", NULL };

static int voice_fd = STDERR_FILENO;
static atomic_int voice_said = VOICE_INFO;

int
voice_open(enum voice level, const char *path)
{
	if (path != NULL) {
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

		if (fd < 0)
			return -1;
		if (voice_fd != STDERR_FILENO)
			close(voice_fd);
		voice_fd = fd;
	}
	voice_level(level);
	return 0;
}

void
voice_level(enum voice level)
{
	atomic_store(&voice_said, (int)level);
}

void
voice_say(enum voice level, const char *subject, const char *format, ...)
{
	char text[MESSAGE_MAX], line[MESSAGE_MAX + 64];
	int64_t now = clock_wall();
	time_t second = (time_t)(now / NS_PER_S);
	struct tm tm;
	va_list ap;
	size_t n;
	int head;

	if ((int)level > atomic_load_explicit(&voice_said, memory_order_relaxed))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	gmtime_r(&second, &tm);
	head = snprintf(line, sizeof(line), "%02d:%02d:%02d.%03d %-5s %-5s ", tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)(now % NS_PER_S / NS_PER_MS), voice_names[level], subject);
	n = (size_t)head;
	n += shown_write(line + n, sizeof(line) - n - 1, slice_of(text));
	line[n++] = '\n';
	while (write(voice_fd, line, n) < 0 && errno == EINTR)
		;
}
