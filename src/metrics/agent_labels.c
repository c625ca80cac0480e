/*
 * Labels of an agent's pod on its series, as Agent_Labels names them.  They are
 * those that the pod had when it was first known: a label that changes later
 * would end all series of the agent and begin others.
 */
#include "agent_series.h"

#include <assert.h>
#include <jansson.h>
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

/* The label's value; dots of its name may have become _ (Keep_Label_Dots Off).  NULL: it has none. */
static const json_t *
value_of(const json_t *labels, const char *name)
{
	const json_t *value = json_object_get(labels, name);
	char *keyed = xstrdup(name);

	for (char *c = keyed; *c != '\0'; c++)
		*c = *c == '.' ? '_' : *c;
	if (value == NULL)
		value = json_object_get(labels, keyed);
	free(keyed);
	return value;
}

static void
label_put(struct buffer *to, const char *name, const json_t *value)
{
	struct slice text = { json_string_value(value), json_string_length(value) };
	char clean[LABEL_MAX];
	struct buffer known;

	if (text.len == 0)
		return;
	buffer_init(&known, 0);
	agent_labels_name(&known, slice_of(name));
	buffer_put(&known, (struct slice){ "", 1 });
	exposition_label(
	    to, known.at, (struct slice){ clean, exposition_label_clean(text, clean) });
	buffer_fini(&known);
}

/* The labels that the API server has told of the pod; to be freed; NULL: none. */
static json_t *
labels_read(const struct pod *pod)
{
	struct buffer text;
	json_t *all;

	if (pod->meta == NULL)
		return NULL;
	buffer_init(&text, 0);
	buffer_put(&text, SLICE("{\"\":0"));
	buffer_put(&text, pod->meta->json);
	buffer_put(&text, SLICE("}"));
	all = json_loadb(text.at, text.len, 0, NULL);
	buffer_fini(&text);
	return all;
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
	struct buffer text;
	json_t *all;

	if (a->pod_labels != NULL)
		return;
	buffer_init(&text, 0);
	all = labels_read(pod);
	for (size_t i = 0; i < agents.options.nlabels; i++) {
		const char *name = agents.options.labels[i];

		label_put(&text, name, value_of(json_object_get(all, "labels"), name));
	}
	json_decref(all);
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
