/*
 * towline's own log: standard error (or -l FILE), one line each:
 *
 *	2026-11-22T08:00:00.002Z warn  es    what happened, and what to do  key=value
 *
 * or, by Log_Format json, an object of time, level, part and message.
 *
 * Foreign text in it is escaped (shown.h).  Any thread may speak.
 */
#ifndef VOICE_H
#define VOICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "slice.h"

enum voice { VOICE_ERROR, VOICE_WARN, VOICE_INFO, VOICE_DEBUG, VOICE_LEVELS };

/* The levels' names, in the order of the enum: error warn info debug; NULL ends. */
extern const char *const voice_names[];

/**
 * voice_open(level, path):
 * Write messages of ${level} or above, to the file ${path} (NULL: standard
 * error).  Return 0, or -1 with errno: then all is as before.  Called again for a
 * ${path}, the file of that name is the one written to from now on.  A file is made
 * 0600; a link is not followed (ELOOP), but right below /dev; EINVAL: no file, and
 * no device there.
 */
int voice_open(enum voice level, const char *path);

/**
 * voice_level(level):
 * Write messages of ${level} or above from now on.
 */
void voice_level(enum voice level);

/**
 * voice_json(json):
 * Write JSON objects, or text, from now on.
 */
void voice_json(bool json);

/**
 * voice_say(level, subject, format, ...):
 * One message.  ${subject} is the part that speaks: tail, es, conf, ….  The
 * text needs no newline.
 */
void voice_say(enum voice level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define say_error(...) voice_say(VOICE_ERROR, __VA_ARGS__)
#define say_warn(...) voice_say(VOICE_WARN, __VA_ARGS__)
#define say_info(...) voice_say(VOICE_INFO, __VA_ARGS__)
#define say_debug(...) voice_say(VOICE_DEBUG, __VA_ARGS__)

/* For a message that would be repeated: at most one in 30 s. */
struct said {
	int64_t at; /* monotonic ns of the last one; 0: never */
	unsigned long unsaid;
};

/**
 * said_lately(s):
 * Return true when less than 30 s have passed since it last returned false:
 * the caller keeps silent.  Not shared between threads.
 */
bool said_lately(struct said *s);

/* printf arguments for "%.*s" of a slice. */
#define SLICE_ARG(s) (int)least((s).len, 4096), (s).at

#endif
