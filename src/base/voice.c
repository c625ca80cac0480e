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

/* The length in bytes of the UTF-8 character at `s`; 0: no such character, or a control character. */
static size_t
character(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t n = c[0] < 0x80 ? 1 : c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;

	if (c[0] < 0x20 || c[0] == 0x7f || (c[0] > 0x7f && c[0] < 0xc2) || c[0] > 0xf4)
		return 0;
	if ((c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
	    (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
	    (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/*
 * Control characters, those of C1 too, would let a file name or a log line
 * forge messages; bytes that are no UTF-8 would make messages unreadable for a
 * program that stores them.
 */
static size_t
escape(char *to, size_t size, const char *from)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	while (*from != '\0' && n + 5 < size) {
		unsigned char c = (unsigned char)*from;
		size_t whole = character(from);

		if (whole > 0) {
			memcpy(to + n, from, whole);
			n += whole;
			from += whole;
			continue;
		}
		from++;
		to[n++] = '\\';
		to[n++] = 'x';
		to[n++] = hex[c >> 4];
		to[n++] = hex[c & 15];
	}
	return n;
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
	n += escape(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	while (write(voice_fd, line, n) < 0 && errno == EINTR)
		;
}
