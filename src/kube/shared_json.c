/* JSON that several snapshots hold. */
#include "pod.h"

#include <stdlib.h>

#include "memory.h"

struct shared_json *
shared_json_new(struct slice json)
{
	struct shared_json *s = xmalloc(sizeof(*s));

	atomic_init(&s->refs, 1);
	s->json = (struct slice){ xslicedup(json), json.len };
	return s;
}

struct shared_json *
shared_json_ref(struct shared_json *s)
{
	if (s != NULL)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
shared_json_unref(struct shared_json *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	free((void *)(uintptr_t)s->json.at);
	free(s);
}
