/*
 * Files of our own in directories that others may know: made 0600, and never opened
 * through a link, so that no letter, id or label gets into another's file.
 */
#ifndef OWN_FILE_H
#define OWN_FILE_H

#include <stdbool.h>

struct stat;

/**
 * own_file_open(path, flags):
 * Open, and make when absent, a regular file; ${flags} are of open(2).  Return a
 * descriptor, or -1 and errno: ELOOP: a link; EINVAL: no regular file.
 */
int own_file_open(const char *path, int flags);

/**
 * own_file_named(path):
 * The same file by a name without links in its directories, as the caller's string:
 * for SQLITE_OPEN_NOFOLLOW, which allows none in the whole name.  Where the directory
 * is not there, ${path} as it is.
 */
char *own_file_named(const char *path);

/**
 * own_file_make(path):
 * Make the file when nothing has the name; all else is found out by opening it.
 */
void own_file_make(const char *path);

/**
 * own_file_fault(path):
 * Why the file cannot be opened or made here to be read and written, in words;
 * NULL: it can.  Nothing is made or opened.
 */
const char *own_file_fault(const char *path);

/**
 * own_file_dir_shared(st):
 * True when every user may put links in the place of files of ours in the directory, and
 * another's file: all may write in it, and it is no sticky one of root's (/tmp).
 */
bool own_file_dir_shared(const struct stat *st);

/**
 * own_file_dir_fault(path):
 * Why a directory of our own cannot be used or made here, in words; NULL: it can.  Nothing is
 * made or opened.
 */
const char *own_file_dir_fault(const char *path);

#endif
