/*
 * Bytes on disk that are not shipped yet, by pod: the reader fills a table once
 * a second, while something lags; the serve thread shows the last whole one.
 */
#include "pod_lag.h"

#include <pthread.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "exposition.h"

#define NAME_MOST 253 /* bytes of a pod's name or a namespace's */

struct row {
	uint64_t hash; /* of both names */
	char space[NAME_MOST + 1], pod[NAME_MOST + 1];
	uint64_t bytes;
};

struct rows {
	unsigned n;
	uint64_t others; /* bytes of pods beyond the table */
	struct row at[POD_LAG_MOST];
};

static struct rows filling; /* the reader's */
static bool any;            /* the reader's: a pod is shown, perhaps */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rows shown; /* under the lock */

void
pod_lag_begin(void)
{
	filling.n = 0;
	filling.others = 0;
}

static void
name_set(char to[NAME_MOST + 1], struct slice name)
{
	size_t len = name.len < NAME_MOST ? name.len : NAME_MOST;

	memcpy(to, name.at, len);
	to[len] = '\0';
}

void
pod_lag_add(struct slice space, struct slice pod, uint64_t bytes)
{
	uint64_t hash = XXH3_64bits_withSeed(pod.at, pod.len, XXH3_64bits(space.at, space.len));
	unsigned i = 0;

	while (i < filling.n && filling.at[i].hash != hash)
		i++;
	if (i == POD_LAG_MOST) {
		filling.others += bytes;
		return;
	}
	if (i == filling.n) {
		filling.n++;
		filling.at[i].hash = hash;
		filling.at[i].bytes = 0;
		name_set(filling.at[i].space, space);
		name_set(filling.at[i].pod, pod);
	}
	filling.at[i].bytes += bytes;
}

void
pod_lag_end(void)
{
	any |= filling.n > 0;
	if (pthread_mutex_trylock(&lock) != 0)
		return; /* a scrape reads: the reader does not wait for it */
	any = filling.n > 0;
	shown.n = filling.n;
	shown.others = filling.others;
	memcpy(shown.at, filling.at, filling.n * sizeof(shown.at[0]));
	pthread_mutex_unlock(&lock);
}

bool
pod_lag_any(void)
{
	return any;
}

static void
row_write(struct exposition *x, const struct family *f, const char *space, const char *pod,
    uint64_t bytes)
{
	char clean[LABEL_MAX];
	struct buffer labels;

	buffer_init(&labels, 0);
	exposition_label(&labels, "namespace",
	    (struct slice){ clean, exposition_label_clean(slice_of(space), clean) });
	exposition_label(
	    &labels, "pod", (struct slice){ clean, exposition_label_clean(slice_of(pod), clean) });
	exposition_count(x, f, buffer_slice(&labels), bytes);
	buffer_fini(&labels);
}

void
pod_lag_write(struct exposition *x, const struct family *f)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < shown.n; i++)
		row_write(x, f, shown.at[i].space, shown.at[i].pod, shown.at[i].bytes);
	if (shown.others > 0)
		row_write(x, f, "other", "other", shown.others);
	pthread_mutex_unlock(&lock);
}
