/* What the API server said of pods: written when it changes, read at the start, not kept here. */
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"

void
metadata_free(struct map *all)
{
	char *value;
	size_t at = 0;

	while (all != NULL && (value = map_next(all, &at, NULL)) != NULL)
		free(value);
	map_free(all);
}

void
state_metadata(struct state *s, struct slice key, struct slice value)
{
	if (s->dir == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	free(map_put(s->metadata, key, xslicedup(value)));
	s->posted++;
	state_posted(s, false);
	pthread_mutex_unlock(&s->lock);
}

void
state_metadata_each(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
	struct map *loaded = s->loaded;
	struct slice key;
	char *value;
	size_t at = 0;

	s->loaded = NULL;
	while (each != NULL && (value = map_next(loaded, &at, &key)) != NULL)
		each(arg, key, slice_of(value));
	metadata_free(loaded);
}
