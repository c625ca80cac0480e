/* The list of files that cannot be read. */
#include "unread.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "metrics.h"
#include "voice.h"

struct unread {
	char *path, *why;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unread all[UNREAD_MOST]; /* under the lock; the reader thread alone changes it */
static size_t n;
static bool changed = true;
static struct said said;

static void
count_show(void)
{
	changed = true;
	atomic_store_explicit(&metrics.unread_files, n, memory_order_relaxed);
}

static struct unread *
find(const char *path)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].path, path) == 0)
			return &all[i];
	}
	return NULL;
}

void
unread_note(const char *path, const char *why)
{
	struct unread *u = find(path);

	if (!said_lately(&said))
		say_warn("tail", "cannot read %s: %s", path, why);
	if ((u != NULL && strcmp(u->why, why) == 0) || (u == NULL && n == UNREAD_MOST))
		return;
	pthread_mutex_lock(&lock);
	if (u == NULL)
		all[n++] = (struct unread){ xstrdup(path), xstrdup(why) };
	else
		free(u->why), u->why = xstrdup(why);
	count_show();
	pthread_mutex_unlock(&lock);
}

static void
drop(struct unread *u)
{
	pthread_mutex_lock(&lock);
	free(u->path);
	free(u->why);
	*u = all[--n];
	count_show();
	pthread_mutex_unlock(&lock);
}

void
unread_well(const char *path, bool gone)
{
	struct unread *u = n > 0 ? find(path) : NULL;

	if (u == NULL)
		return;
	if (!gone)
		say_info("tail", "%s can be read", path);
	drop(u);
	said.at = 0;
}

bool
unread_turn(void)
{
	bool was = changed;
	struct stat st;

	for (size_t i = n; i-- > 0;) {
		if (lstat(all[i].path, &st) < 0 && errno == ENOENT)
			drop(&all[i]);
	}
	was |= changed;
	changed = false;
	return was;
}

/* ---- shown */

size_t
unread_count(void)
{
	return atomic_load_explicit(&metrics.unread_files, memory_order_relaxed);
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
