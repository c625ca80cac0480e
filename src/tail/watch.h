/* Changes, told by inotify. */
#ifndef WATCH_H
#define WATCH_H

#include "tail_internal.h"

/**
 * watch_new(), watch_none(), watch_free(w):
 * The inotify instance; one that tells nothing, when there is none.
 *
 * watch_fd(w), watch_told(w, so):
 * Its descriptor; note whether it has events.
 */
struct watch *watch_new(void);
struct watch *watch_none(void);
void watch_free(struct watch *w);
int watch_fd(const struct watch *w);
void watch_told(struct watch *w, bool so);

/**
 * watch_directory(w, path, fd), watch_place(w, p), watch_forget(w, p):
 * Tell of files that come, go and are closed in the directory ${fd}, which was
 * found at ${path}; tell once when ${p} is written to; tell no more of ${p}.
 */
void watch_directory(struct watch *w, const char *path, int fd);
void watch_place(struct watch *w, struct place *p);
void watch_forget(struct watch *w, struct place *p);

/**
 * watch_read(w, t), watch_event(w, t, e):
 * Take the events that are there, or this one: logs wake, files were closed, and
 * t->look->wanted is set when names have changed.
 */
void watch_read(struct watch *w, struct tail *t);
struct inotify_event;
void watch_event(struct watch *w, struct tail *t, const struct inotify_event *e);

#endif
