/*
 * towline's own log.  One write for each message, so that lines of several
 * threads never mix and none waits for another on a lock.
 */
#include "voice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "own_file.h"
#include "shown.h"

#define MESSAGE_MAX 4096

const char *const voice_names[] = { "error", "warn", "info", "debug", NULL };

static int voice_fd = STDERR_FILENO;
static atomic_int voice_said = VOICE_INFO;
static atomic_bool voice_is_json;

/* A name of the system's (/dev/stderr, say), which may be a link; below /dev/shm anybody makes them. */
static bool
is_device(const char *path)
{
	const char *name = strrchr(path, '/');

	return name == path + 4 && strncmp(path, "/dev/", 5) == 0;
}

/* Another thread may write meanwhile: the descriptor's number stays, and leads elsewhere. */
int
voice_open(enum voice level, const char *path)
{
	if (path != NULL) {
		int flags = O_WRONLY | O_APPEND | O_NOCTTY;
		int fd =
		    is_device(path) ? open(path, flags | O_CLOEXEC) : own_file_open(path, flags);

		if (fd < 0)
			return -1;
		if (voice_fd != STDERR_FILENO) {
			dup3(fd, voice_fd, O_CLOEXEC);
			close(fd);
		} else {
			voice_fd = fd;
		}
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
voice_json(bool json)
{
	atomic_store(&voice_is_json, json);
}

/* A message that a terminal may be shown; in JSON a quote and a backslash take one more. */
static size_t
message_write(char *to, size_t size, struct slice text, bool json)
{
	char shown[MESSAGE_MAX];
	size_t n = 0, all = shown_write(shown, sizeof(shown), text);

	for (size_t i = 0; i < all && n + 2 <= size; i++) {
		if (json && (shown[i] == '"' || shown[i] == '\\'))
			to[n++] = '\\';
		to[n++] = shown[i];
	}
	return n;
}

void
voice_say(enum voice level, const char *subject, const char *format, ...)
{
	bool json = atomic_load_explicit(&voice_is_json, memory_order_relaxed);
	char text[MESSAGE_MAX], line[MESSAGE_MAX + 128], when[32];
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
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	head = snprintf(line, sizeof(line),
	    json ? "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"part\":\"%s\",\"message\":\""
		 : "%s.%03dZ %-5s %-5s ",
	    when, (int)(now % NS_PER_S / NS_PER_MS), voice_names[level], subject);
	n = (size_t)head;
	n += message_write(line + n, sizeof(line) - n - 3, slice_of(text), json);
	memcpy(line + n, json ? "\"}\n" : "\n", json ? 3 : 1);
	n += json ? 3 : 1;
	while (write(voice_fd, line, n) < 0 && errno == EINTR)
		;
}
