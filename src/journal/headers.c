/*
 * The files of a journal, looked at beside sd-journal, which passes over a file that it
 * cannot read without a word.  A header has the numbers of the file's first and last
 * entry (systemd's JOURNAL_FILE_FORMAT.md): what was deleted unread is told by them.
 */
#include "headers.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "voice.h"

#define HEADER 208 /* bytes of the oldest header, which all later ones begin with */
enum {
	TAIL_BOOT = 56,
	SEQNUM_ID = 72,
	ENTRIES = 152,
	TAIL_SEQNUM = 160,
	HEAD_SEQNUM = 168,
	HEAD_TIME = 184,
	TAIL_TIME = 192,
	TAIL_MONOTONIC = 200,
};

static uint64_t
number_at(const unsigned char *header, size_t at)
{
	uint64_t n;

	memcpy(&n, header + at, sizeof(n));
	return le64toh(n);
}

/* True when the header could be read; an empty file has no entry. */
static bool
header_read(struct journal_file *file, struct entry_name *newest)
{
	unsigned char header[HEADER];
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? pread(fd, header, sizeof(header), 0) : -1;

	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)sizeof(header) || memcmp(header, "LPKSHHRH", 8) != 0)
		return false;
	memcpy(file->seqnum_id.at, header + SEQNUM_ID, sizeof(file->seqnum_id.at));
	file->tail = number_at(header, TAIL_SEQNUM);
	file->head = number_at(header, HEAD_SEQNUM);
	file->head_at = number_at(header, HEAD_TIME);
	file->newest = number_at(header, TAIL_TIME);
	file->entries = number_at(header, ENTRIES);
	if (file->entries == 0 || file->newest <= newest->realtime)
		return true;
	*newest = (struct entry_name){ .seqnum_id = file->seqnum_id,
		.seqnum = file->tail,
		.monotonic = number_at(header, TAIL_MONOTONIC),
		.realtime = file->newest };
	memcpy(newest->boot.at, header + TAIL_BOOT, sizeof(newest->boot.at));
	return true;
}

/* Whether sd-journal takes the file; one that is being made is empty for a moment. */
static void
file_try(struct journal_file *file)
{
	const char *paths[] = { file->path, NULL };
	sd_journal *j = NULL;
	int r = sd_journal_open_files(&j, paths, 0);

	sd_journal_close(j);
	if (r >= 0 || r == -ENODATA || r == -ENOENT)
		return;
	file->corrupt = true;
	metrics_add(&metrics_journal.files_unreadable, 1);
	say_warn("systemd",
	    "%s cannot be read as a journal: %s; it is left out, all others are read "
	    "(journalctl --verify --file says more)",
	    file->path, strerrordesc_np(-r));
}

/* ---- a look at the directory */

static struct journal_file *
file_find(struct journal_files *f, const struct stat *st)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->at[i].ino == st->st_ino && f->at[i].dev == st->st_dev)
			return &f->at[i];
	}
	return NULL;
}

/* True: it is new. */
static bool
file_see(struct journal_files *f, const char *path, const struct stat *st)
{
	struct journal_file *file = file_find(f, st);

	if (file != NULL) {
		file->seen = true;
		if (strcmp(file->path, path) != 0) { /* rotated */
			free(file->path);
			file->path = xstrdup(path);
		}
		header_read(file, &f->newest);
		return false;
	}
	if (f->n == HEADERS_MOST)
		return false;
	f->at = xrealloc(f->at, (f->n + 1) * sizeof(*f->at));
	file = &f->at[f->n++];
	*file = (struct journal_file){
		.path = xstrdup(path), .dev = st->st_dev, .ino = st->st_ino, .seen = true
	};
	header_read(file, &f->newest);
	file_try(file);
	return true;
}

static bool
is_journal(const char *name)
{
	struct slice s = slice_of(name);

	return slice_ends(s, SLICE(".journal")) || slice_ends(s, SLICE(".journal~"));
}

/* A machine's: its id, perhaps with a namespace behind a dot. */
static bool
is_machine(const char *name)
{
	size_t n = strspn(name, "0123456789abcdef");

	return n == 32 && (name[n] == '\0' || name[n] == '.');
}

/* Call `each` for the journals of a directory, and of its machines' when `deep`; stops at true. */
static bool
walk(const char *directory, bool deep,
    bool (*each)(void *arg, const char *path, const struct stat *st), void *arg)
{
	DIR *d = opendir(directory);
	const struct dirent *e;
	bool stop = false;

	while (d != NULL && !stop && (e = readdir(d)) != NULL) {
		char *path;
		struct stat st;

		if (!is_journal(e->d_name) && !(deep && is_machine(e->d_name)))
			continue;
		path = xprintf("%s/%s", directory, e->d_name);
		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && is_journal(e->d_name))
			stop = each(arg, path, &st);
		else if (deep && is_machine(e->d_name))
			stop = walk(path, false, each, arg);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	return stop;
}

struct look {
	struct journal_files *files;
	bool news;
};

static bool
look_one(void *arg, const char *path, const struct stat *st)
{
	struct look *look = arg;

	look->news |= file_see(look->files, path, st);
	return false;
}

bool
headers_look(struct journal_files *f, const char *directory, headers_gone *gone, void *arg)
{
	struct look look = { f, false };
	size_t kept = 0;

	f->newest = (struct entry_name){ 0 };
	for (size_t i = 0; i < f->n; i++)
		f->at[i].seen = false;
	walk(directory, true, look_one, &look);
	for (size_t i = 0; i < f->n; i++) {
		if (f->at[i].seen) {
			f->at[kept++] = f->at[i];
			continue;
		}
		look.news = true;
		if (f->at[i].corrupt)
			metrics_add(&metrics_journal.files_unreadable, UINT64_MAX);
		else
			gone(arg, &f->at[i]);
		free(f->at[i].path);
	}
	f->n = kept;
	return look.news;
}

void
headers_free(struct journal_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->at[i].path);
	free(f->at);
	*f = (struct journal_files){ 0 };
}

static bool
any_one(void *arg, const char *path, const struct stat *st)
{
	(void)arg;
	(void)path;
	return st->st_size > 0;
}

bool
headers_any(const char *directory)
{
	return walk(directory, true, any_one, NULL);
}

/* ---- what is lost */

static bool
is_of(const struct journal_file *file, const struct identity *seqnum_id)
{
	return memcmp(&file->seqnum_id, seqnum_id, sizeof(*seqnum_id)) == 0;
}

uint64_t
headers_lost(const struct journal_files *f, const struct entry_name *at)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < f->n; i++) {
		const struct journal_file *file = &f->at[i];

		bool own = is_of(file, &at->seqnum_id);

		if (file->corrupt)
			continue;
		if (own && file->head <= at->seqnum && at->seqnum <= file->tail)
			return 0;
		if ((own || file->head_at >= at->realtime) && file->head > at->seqnum &&
		    file->head < next)
			next = file->head;
	}
	return next == UINT64_MAX ? UINT64_MAX : next - at->seqnum - 1;
}

/* The file that an entry is in, as numbers tell. */
static struct journal_file *
file_of(struct journal_files *f, const struct entry_name *name)
{
	struct journal_file *found = NULL;

	for (size_t i = 0; i < f->n; i++) {
		struct journal_file *file = &f->at[i];

		if (is_of(file, &name->seqnum_id) && file->head > 0 && file->head <= name->seqnum &&
		    (found == NULL || file->head > found->head))
			found = file;
	}
	return found;
}

bool
headers_begins_behind(
    struct journal_files *f, const struct entry_name *name, const struct entry_name *at)
{
	bool own = memcmp(&name->seqnum_id, &at->seqnum_id, sizeof(at->seqnum_id)) == 0;
	const struct journal_file *file;

	if (own && name->seqnum <= at->seqnum + 1)
		return false;
	file = file_of(f, name);
	if (own)
		return file != NULL ? file->head > at->seqnum : f->n < HEADERS_MOST;
	/* A user's entries stand between; the clock may have been set back within the file. */
	return file != NULL && file->head_at > at->realtime && file->head_at <= name->realtime;
}

void
headers_passed(struct journal_files *f, const struct entry_name *name)
{
	struct journal_file *file = file_of(f, name);

	if (file == NULL)
		return;
	if (name->seqnum == file->head) {
		file->whole = true;
		file->passed = 0;
	}
	file->passed++;
}

void
headers_forget(struct journal_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->at[i].whole = false;
}

/* Two looks must agree: a header is written member by member. */
static uint64_t
short_of(struct journal_file *file)
{
	uint64_t missing = file->entries > file->passed ? file->entries - file->passed : 0;
	bool agreed = missing == file->missing;

	file->missing = missing;
	if (!agreed || missing == 0)
		return 0;
	file->passed += missing;
	say_error("systemd",
	    "%s is corrupt: %" PRIu64 " of its entries cannot be read (journalctl --verify --file "
	    "says more)",
	    file->path, missing);
	return missing;
}

uint64_t
headers_short(struct journal_files *f, const struct entry_name *at)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct journal_file *file = &f->at[i];
		bool passed = is_of(file, &at->seqnum_id) ? at->seqnum >= file->tail
							  : at->realtime > file->newest;

		if (file->whole && !file->corrupt && passed)
			lost += short_of(file);
	}
	return lost;
}

/* The number of the last entry that sd-journal gives of the file, going on behind `at`. */
static uint64_t
last_of(const struct journal_file *file, const struct entry_name *at)
{
	const char *paths[] = { file->path, NULL };
	struct entry_name name;
	char text[ENTRY_NAME], *cursor;
	uint64_t last = 0;
	sd_journal *j = NULL;

	if (sd_journal_open_files(&j, paths, 0) < 0)
		return 0;
	if (at != NULL) {
		entry_name_write(at, text);
		sd_journal_seek_cursor(j, text);
	} else {
		sd_journal_seek_head(j);
	}
	while (sd_journal_next(j) > 0 && sd_journal_get_cursor(j, &cursor) >= 0) {
		if (entry_name_read(slice_of(cursor), &name))
			last = name.seqnum;
		free(cursor);
	}
	sd_journal_close(j);
	return last;
}

uint64_t
headers_broken(struct journal_files *f, const struct entry_name *at)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct journal_file *file = &f->at[i];
		uint64_t last, n;

		if (file->corrupt || (at != NULL && file->newest <= at->realtime))
			continue;
		last = last_of(file, at);
		if (last >= file->tail)
			continue;
		n = file->tail - (last >= file->head ? last : file->head - 1);
		file->corrupt = true;
		metrics_add(&metrics_journal.files_unreadable, 1);
		say_error("systemd",
		    "%s is corrupt: its last entries, %" PRIu64 " at most, cannot be read; all "
		    "other files are read (journalctl --verify --file says more)",
		    file->path, n);
		lost += n;
	}
	return lost;
}
