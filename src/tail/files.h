/* The open files, by number. */
#ifndef FILES_H
#define FILES_H

#include <sys/stat.h>

#include "tail_internal.h"

void files_init(struct tail *t);
void files_fini(struct tail *t);

/**
 * files_new(t, fd, name, st):
 * A place: the open file ${fd}, whose name behind all links is ${name} (taken
 * over).  It has no content yet.
 *
 * files_close(t, p):
 * Close it.  It has no content any more.
 *
 * files_of(t, st):
 * The place of this device and inode, or NULL.
 */
struct place *files_new(struct tail *t, int fd, char *name, const struct stat *st);
void files_close(struct tail *t, struct place *p);
struct place *files_of(const struct tail *t, const struct stat *st);

/**
 * files_look(t):
 * All names are looked at from now on.
 *
 * files_is_passed(t, st, room):
 * True, and counted, when the file that was found, of which ${st} speaks, has nothing to
 * read, and others wait for room, or there is none.
 *
 * files_has_room(t, st, rotated):
 * True when it is to be opened: there is room for it, and it is not passed.
 * ${rotated}: it lies beside an open one, which is to be read behind it.
 *
 * files_wait(t):
 * A file that has something to read finds no room: counted and said.
 *
 * files_written(st):
 * When it was written to last: ns, wall.
 */
void files_look(struct tail *t);
bool files_is_passed(struct tail *t, const struct stat *st, bool room);
bool files_has_room(struct tail *t, const struct stat *st, bool rotated);
void files_wait(struct tail *t);
int64_t files_written(const struct stat *st);

/**
 * files_failed(t):
 * True when a read has failed since this was asked last: it is said and counted,
 * and nothing may be concluded from what was read.
 *
 * files_unseen(t, path, error):
 * The name or the directory ${path} could not be looked at.  When ${error} (errno) is
 * the disk's or the system's, and may pass, that is said and counted, and
 * t->look->unseen is set.
 */
bool files_failed(struct tail *t);
void files_unseen(struct tail *t, const char *path, int error);

/**
 * files_head(t, p):
 * Note a hash of the first bytes of ${p}.
 *
 * files_is_left(t, p):
 * It is known that no process will write to ${p} any more.  The system is asked now
 * and then; in between the last answer stands.
 *
 * files_name(p, deleted):
 * The name that the system has for it; NULL: none; the caller frees.
 *
 * files_has_plain(p):
 * ${p} is a .gz, and the file that it is made of is there, by their present names: it
 * may be incomplete.
 */
void files_head(struct tail *t, struct place *p);
bool files_is_left(struct tail *t, struct place *p);
char *files_name(const struct place *p, bool *deleted);
bool files_has_plain(const struct place *p);

#endif
