/*
 * A deleted file keeps its disk as long as it is open.  When such files have
 * too much of it, those whose .gz is there are read from that, which loses
 * nothing; then the oldest is let go unread, which is said and counted.
 */
#include "disk_quota.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "content.h"
#include "files.h"
#include "least.h"
#include "lost.h"
#include "order.h"
#include "roots.h"
#include "turns.h"

#define GAP NS_PER_S  /* how often the deleted files are summed */
#define FREE_LEAST 15 /* % of the disk: below it the limit shrinks with the free part */

/* Bytes on disk that only we keep; 0: it has a name. */
static uint64_t
held_bytes(const struct place *p)
{
	struct stat st;

	if (p->live || p->packed != NULL || fstat(p->fd, &st) < 0 || st.st_nlink > 0)
		return 0;
	return (uint64_t)st.st_blocks * 512;
}

static uint64_t
limit_of(const struct place *p)
{
	uint64_t limit = p->content->log->stream.conf->held_deleted_limit;
	struct statvfs disk;

	if (limit == 0)
		return UINT64_MAX;
	if (fstatvfs(p->fd, &disk) == 0 && disk.f_blocks > 0 &&
	    disk.f_bavail * 100 / disk.f_blocks < FREE_LEAST)
		limit = limit / FREE_LEAST * (disk.f_bavail * 100 / disk.f_blocks);
	return limit;
}

/* Another place of its content: the .gz that was made of it.  False: there is none. */
static bool
gz_add(struct tail *t, struct place *p)
{
	bool deleted = false, is = false;
	char *name = files_name(p, &deleted), *path = name ? xprintf("%s.gz", name) : NULL;
	struct root_file there;
	struct place *gz = NULL;
	const char *why;
	struct stat st;

	free(name);
	if (path != NULL &&
	    roots_open(t->roots, &p->content->log->stream.conf->from, path, &there, &why) == 0) {
		if (fstat(there.fd, &st) < 0 || (gz = files_of(t, &st)) != NULL) {
			is = gz != NULL && gz->content == p->content; /* a look was first */
			close(there.fd);
			free(there.target);
		} else {
			gz = files_new(t, there.fd, there.target, &st);
			is = fingerprint_equal(p, gz, least(gz->size, FINGERPRINT_ENDS));
			if (is)
				content_add(t, p->content, gz);
			else
				files_close(t, gz);
		}
		if (is)
			say_info("tail", "%s was deleted: reading on in %s", p->name, path);
	}
	free(path);
	return is;
}

/*
 * Its bytes that were not taken are lost; records in flight stay so.  Nothing waits
 * here: the disk may be full because an output takes nothing.
 */
static void
let_go(struct tail *t, struct place *p)
{
	struct content *c = p->content;

	content_measure(c);
	turns_wake_content(t, c);
	content_remove(t, p);
	if (content_place(c) == NULL)
		lost_content(t, c, LOST_HELD);
}

/* The oldest deleted file, while they have too much: the list has the newest first. */
static struct place *
oldest_over(struct tail *t)
{
	struct place *p, *oldest = NULL;

	t->quota->held = 0;
	LIST_FOREACH (p, &t->files->all, in_files) {
		uint64_t bytes = held_bytes(p);

		t->quota->held += bytes;
		if (bytes > 0)
			oldest = p;
	}
	return oldest != NULL && t->quota->held > limit_of(oldest) ? oldest : NULL;
}

static void
keep_limit(struct tail *t)
{
	struct place *oldest, *p, *next;
	struct log *log;

	if (oldest_over(t) == NULL)
		return;
	LIST_FOREACH (log, &t->logs->all, in_logs)
		order_name(t, log); /* a .gz that was just found may be that of a deleted file */
	oldest = oldest_over(t);
	for (p = LIST_FIRST(&t->files->all); p != NULL && oldest != NULL; p = next) {
		next = LIST_NEXT(p, in_files);
		if (held_bytes(p) == 0 || !gz_add(t, p))
			continue;
		let_go(t, p);
		oldest = oldest_over(t);
	}
	for (; oldest != NULL; oldest = oldest_over(t))
		let_go(t, oldest);
}

void
disk_quota_turn(struct tail *t)
{
	if (t->quota->at == 0 || t->now - t->quota->at >= GAP) {
		t->quota->at = t->now;
		keep_limit(t);
	}
	if (t->quota->held > 0 && t->due > t->quota->at + GAP)
		t->due = t->quota->at + GAP;
}
