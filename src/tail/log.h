/* Logs: made, found, begun again, let go. */
#ifndef LOG_H
#define LOG_H

#include "tail_internal.h"

void log_init(struct tail *t, tail_stream *on_stream);
void log_fini(struct tail *t);

/**
 * log_get(t, conf, path, name):
 * The log whose live file is ${name} behind all links, found at ${path}; spans
 * that are stored of it are loaded.
 *
 * log_part(t, main, id):
 * The log ${id} of bytes that came too late for ${main}, or that it has no place for.
 *
 * log_find(t, name), log_is_known(t, name):
 * The log in memory whose live file is ${name}, or NULL.  There is a log whose live
 * file is or was ${name}.
 */
struct log *log_get(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *name);
struct log *log_part(struct tail *t, struct log *main, const struct identity *id);
struct log *log_find(const struct tail *t, const char *name);
bool log_is_known(struct tail *t, const char *name);

/**
 * log_begin(t, log):
 * Its first content was entered, or loaded: readers stand where their cursors say.
 *
 * log_cut(t, log, position, over):
 * The bytes behind ${position} are not those that were read: readers go back to
 * it.  ${over}: those that had not come so far go on there, too.
 *
 * log_free(t, log):
 * Let it go, with its readers, spans, contents and places.
 */
void log_begin(struct tail *t, struct log *log);
void log_cut(struct tail *t, struct log *log, uint64_t position, bool over);
void log_free(struct tail *t, struct log *log);

#endif
