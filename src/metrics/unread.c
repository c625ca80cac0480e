/* The list of files that cannot be read. */
#include "unread.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "map.h"
#include "metrics.h"
#include "voice.h"

struct unread {
	char *path, *why;
	enum unread_reason reason;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unread all[UNREAD_MOST]; /* under the lock; the reader thread alone changes it */
static size_t n;
static struct map *by_path; /* the reader thread's */
static bool changed = true;
static atomic_ullong others; /* files that are read */
static struct said said;

static void
count_move(enum unread_reason reason, int by)
{
	atomic_ullong *count = &metrics.unread_files[reason];

	changed = true;
	atomic_store_explicit(count,
	    atomic_load_explicit(count, memory_order_relaxed) + (unsigned long long)by,
	    memory_order_relaxed);
}

static struct unread *
find(const char *path)
{
	return n > 0 ? map_get(by_path, slice_of(path)) : NULL;
}

void
unread_list(const char *path, enum unread_reason reason, const char *why)
{
	struct unread *u = find(path);

	if (u != NULL && u->reason == reason && strcmp(u->why, why) == 0)
		return;
	if (u == NULL && n >= (reason == UNREAD_MAX_FILES ? UNREAD_BEYOND : UNREAD_MOST))
		return;
	pthread_mutex_lock(&lock);
	if (u == NULL) {
		u = &all[n++];
		u->path = xstrdup(path);
	} else {
		free(u->why);
		count_move(u->reason, -1);
	}
	u->why = xstrdup(why);
	u->reason = reason;
	count_move(reason, 1);
	pthread_mutex_unlock(&lock);
	if (by_path == NULL)
		by_path = map_new();
	map_put(by_path, slice_of(path), u);
}

void
unread_note(const char *path, enum unread_reason reason, const char *why)
{
	if (!said_lately(&said))
		say_warn("tail", "cannot read %s: %s", path, why);
	unread_list(path, reason, why);
}

/* The last one takes its place. */
static void
drop(struct unread *u)
{
	map_del(by_path, slice_of(u->path));
	pthread_mutex_lock(&lock);
	count_move(u->reason, -1);
	free(u->path);
	free(u->why);
	*u = all[--n];
	pthread_mutex_unlock(&lock);
	if (u != &all[n])
		map_put(by_path, slice_of(u->path), u);
}

void
unread_well(const char *path, bool gone)
{
	struct unread *u = find(path);

	if (u == NULL)
		return;
	if (!gone && u->reason != UNREAD_MAX_FILES)
		say_info("tail", "%s can be read", path);
	drop(u);
	said.at = 0;
}

bool
unread_turn(uint64_t open)
{
	bool was = changed;
	struct stat st;

	for (size_t i = n; i-- > 0;) {
		if (lstat(all[i].path, &st) < 0 && errno == ENOENT)
			drop(&all[i]);
	}
	atomic_store_explicit(&others, open, memory_order_relaxed);
	was |= changed;
	changed = false;
	return was;
}

/* ---- shown */

size_t
unread_count(void)
{
	size_t count = 0;

	for (int i = 0; i < UNREAD_REASONS; i++)
		count += atomic_load_explicit(&metrics.unread_files[i], memory_order_relaxed);
	return count;
}

bool
unread_is_all(char *why, size_t size)
{
	if (unread_count() == 0 || atomic_load_explicit(&others, memory_order_relaxed) > 0)
		return false;
	snprintf(why, size, "no file is read");
	return true;
}

/* A path may have any bytes: those that are no ASCII characters are escaped. */
static void
put_clean(struct buffer *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			buffer_printf(to, "\\x%02x", (unsigned char)*text);
		else
			buffer_put(to, (struct slice){ text, 1 });
	}
}

void
unread_lines(struct buffer *to, size_t most)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n && i < most; i++) {
		buffer_put(to, SLICE("cannot read "));
		put_clean(to, all[i].path);
		buffer_put(to, SLICE(": "));
		put_clean(to, all[i].why);
		buffer_put(to, SLICE("\n"));
	}
	if (n > most)
		buffer_printf(to, "cannot read %zu more\n", n - most);
	pthread_mutex_unlock(&lock);
}

/* ---- saved: an object of paths and reasons */

void
unread_save(struct buffer *to)
{
	json_t *list = json_object();
	struct buffer path;
	char *text;

	buffer_init(&path, 0);
	for (size_t i = 0; i < n; i++) {
		if (json_object_set_new(list, all[i].path, json_string(all[i].why)) == 0)
			continue;
		buffer_clear(&path); /* it is no UTF-8 */
		put_clean(&path, all[i].path);
		buffer_put(&path, (struct slice){ "", 1 });
		json_object_set_new(list, path.at, json_string(all[i].why));
	}
	buffer_fini(&path);
	text = json_object_size(list) > 0 ? json_dumps(list, JSON_COMPACT) : NULL;
	if (text != NULL)
		buffer_put(to, slice_of(text));
	free(text);
	json_decref(list);
}

void
unread_each(
    struct slice saved, void (*each)(void *arg, const char *path, const char *why), void *arg)
{
	json_t *list = json_loadb(saved.at, saved.len, 0, NULL), *why;
	const char *path;

	json_object_foreach(list, path, why)
	{
		if (json_is_string(why))
			each(arg, path, json_string_value(why));
	}
	json_decref(list);
}
