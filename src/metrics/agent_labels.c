/*
 * Labels of an agent's pod on its series, as Agent_Labels names them.  They are
 * those that the pod had when it was first known: a label that changes later
 * would end all series of the agent and begin others.
 */
#include "agent_series.h"

#include <assert.h>
#include <stdlib.h>

void
agent_labels_name(struct buffer *to, struct slice name)
{
	if (name.len > 0 && name.at[0] >= '0' && name.at[0] <= '9')
		buffer_put(to, SLICE("_"));
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		buffer_put(to, plain ? (struct slice){ &c, 1 } : SLICE("_"));
	}
}

static void
label_put(struct buffer *to, const char *name, struct slice value)
{
	char clean[LABEL_MAX];
	struct buffer known;

	if (value.len == 0)
		return;
	buffer_init(&known, 0);
	agent_labels_name(&known, slice_of(name));
	buffer_put(&known, (struct slice){ "", 1 });
	exposition_label(
	    to, known.at, (struct slice){ clean, exposition_label_clean(value, clean) });
	buffer_fini(&known);
}

/* Labels of values have those of the agent in front. */
static void
cells_relabel(struct cell *cell, size_t old, struct slice labels)
{
	for (; cell != NULL; cell = cell->next) {
		char *text = xprintf("%.*s%s", (int)labels.len, labels.at, cell->labels + old);

		free(cell->labels);
		cell->labels = text;
	}
}

void
agent_labels_set(struct agent_series *a, struct slice text)
{
	size_t old = strlen(a->labels);
	char *labels =
	    xprintf("%s%s%.*s", a->labels, text.len > 0 ? "," : "", (int)text.len, text.at);

	assert(a->pod_labels == NULL);
	free(a->labels);
	a->labels = labels;
	a->pod_labels = xslicedup(text);
	a->changed = true;
	cells_relabel(a->errors.first, old, slice_of(labels));
	cells_relabel(a->errors.fresh, old, slice_of(labels));
	cells_relabel(a->pipelines.first, old, slice_of(labels));
	cells_relabel(a->pipelines.fresh, old, slice_of(labels));
}

void
agent_metrics_labels(struct agent_series *a, const struct pod *pod)
{
	struct slice members = pod->meta != NULL ? pod->meta->json : SLICE("");
	struct buffer text;

	if (a->pod_labels != NULL)
		return;
	buffer_init(&text, 0);
	for (size_t i = 0; i < agents.options.nlabels; i++) {
		const char *name = agents.options.labels[i];
		char *value = pod_label(members, name);

		label_put(&text, name, slice_of(value));
		free(value);
	}
	agent_labels_set(a, buffer_slice(&text));
	buffer_fini(&text);
}

char *
agent_labels_names(void)
{
	struct buffer names;
	char *text;

	buffer_init(&names, 0);
	for (size_t i = 0; i < agents.options.nlabels; i++)
		buffer_printf(&names, "%s ", agents.options.labels[i]);
	text = xslicedup(buffer_slice(&names));
	buffer_fini(&names);
	return text;
}
