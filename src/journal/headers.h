/* The files of a journal's directory, by their headers: which cannot be read, and what is gone with one. */
#ifndef HEADERS_H
#define HEADERS_H

#include "entry.h"

#define HEADERS_MOST 1024 /* journald keeps 100 unless told otherwise */

/* What a file's header says. */
struct journal_file {
	char *path;
	uint64_t dev, ino;
	struct identity seqnum_id;
	uint64_t head, tail;      /* numbers of its first and last entry */
	uint64_t head_at, newest; /* their realtime, µs */
	uint64_t entries;         /* in it */
	uint64_t passed;          /* of them, since its first one: when `whole` */
	uint64_t missing;         /* as of the look before; counted when two looks agree */
	bool whole;               /* all entries since its first one were passed */
	bool seen;                /* in this look at the directory */
	bool corrupt;             /* said and counted */
};

struct journal_files {
	struct journal_file *at;
	size_t n;
	struct entry_name
	    newest; /* the last entry of all, as of the last look; its hash is not known */
};

/**
 * headers_look(f, directory, gone, arg):
 * List ${directory} and its machines' directories.  A file that cannot be opened as a
 * journal is said once, and counted.  ${gone} is called for each file that is not there
 * any more.  Return true when files have come or gone since the last look.
 *
 * headers_free(f).
 */
typedef void headers_gone(void *arg, const struct journal_file *file);
bool headers_look(struct journal_files *f, const char *directory, headers_gone *gone, void *arg);
void headers_free(struct journal_files *f);

/**
 * headers_any(directory):
 * True when there is a journal in ${directory}.
 */
bool headers_any(const char *directory);

/**
 * headers_lost(f, at):
 * Entries behind ${at} that were deleted before they were read, as numbers of
 * the files tell that are there: 0 when the file of ${at} is there, or the next one goes on
 * where it ended (journald numbers on over its files, whatever their seqnum_id).
 * UINT64_MAX: no file goes on from there.
 */
uint64_t headers_lost(const struct journal_files *f, const struct entry_name *at);

/* True when ${name} does not go on from ${at}, and is of a file that begins behind it, or is not known. */
bool headers_begins_behind(
    struct journal_files *f, const struct entry_name *name, const struct entry_name *at);

/**
 * headers_passed(f, name), headers_forget(f):
 * The entry ${name} was read, all entries in turn; the count of them is no longer right.
 *
 * headers_short(f, at):
 * How many entries of files that end before or at ${at} sd-journal did not give, as they
 * are corrupt; each is said and counted once.
 */
void headers_passed(struct journal_files *f, const struct entry_name *name);
void headers_forget(struct journal_files *f);
uint64_t headers_short(struct journal_files *f, const struct entry_name *at);

/**
 * headers_broken(f, at):
 * sd-journal has let a file go that is there, as it cannot be read on.  Find it, say so, and
 * return how many of its entries behind ${at} (NULL: all) are lost, at most.
 */
uint64_t headers_broken(struct journal_files *f, const struct entry_name *at);

#endif
