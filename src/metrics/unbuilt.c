/* Outputs that the configuration has, that are not built, and that are skipped. */
#include "unbuilt.h"

#include <stdlib.h>

#include "metrics.h"

/* Those of this and of earlier configurations, the newest first; none is ever removed. */
struct unbuilt {
	char *output;
	atomic_ullong skipped; /* 1: the present configuration has it */
	struct unbuilt *next;
};

static _Atomic(struct unbuilt *) all;

void
metrics_unbuilt_none(void)
{
	for (struct unbuilt *u = atomic_load(&all); u != NULL; u = u->next)
		atomic_store(&u->skipped, 0);
}

void
metrics_unbuilt(const char *output)
{
	struct unbuilt *u = atomic_load(&all);

	while (u != NULL && strcmp(u->output, output) != 0)
		u = u->next;
	if (u == NULL) {
		u = xcalloc(1, sizeof(*u));
		u->output = xstrdup(output);
		u->next = atomic_load(&all);
		atomic_store(&all, u);
	}
	atomic_store(&u->skipped, 1);
}

void
unbuilt_write(struct exposition *x, const struct family *f)
{
	char clean[LABEL_MAX];
	struct buffer labels;

	buffer_init(&labels, 0);
	for (struct unbuilt *u = atomic_load(&all); u != NULL; u = u->next) {
		struct slice name = { clean, exposition_label_clean(slice_of(u->output), clean) };

		buffer_clear(&labels);
		exposition_label(&labels, "output", name);
		exposition_count(x, f, buffer_slice(&labels), atomic_load(&u->skipped));
	}
	buffer_fini(&labels);
}
