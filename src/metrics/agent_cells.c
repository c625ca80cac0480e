/* The values of a label: a cell for each, as far as the cap allows. */
#include "agent_series.h"

#include <stdlib.h>

#include "json.h"

const struct field agent_cells_no_type = { .value = { "UNKNOWN", 7 } };

struct hold
agent_cells_hold(void)
{
	bool counted = atomic_load(&agents.counted);

	return (struct hold){ .created = counted ? CREATED_NOW : 0,
		.released = !counted || agents.options.hold < 0 };
}

void
agent_cells_init(struct cells *c)
{
	*c = (struct cells){ .by_value = map_new() };
	c->end = &c->first;
}

static void
cell_free(struct cell *cell)
{
	free(cell->labels);
	free(cell->times);
	free(cell->shown_times);
	free(cell);
}

static void
cell_list_free(struct cell *cell)
{
	while (cell != NULL) {
		struct cell *next = cell->next;

		cell_free(cell);
		cell = next;
	}
}

void
agent_cells_fini(struct cells *c)
{
	cell_list_free(c->first);
	cell_list_free(c->fresh);
	map_free(c->by_value);
}

static struct cell *
cell_new(
    struct cells *c, const struct agent_series *a, const char *name, struct slice value, bool times)
{
	struct cell *cell = xcalloc(1, sizeof(*cell));
	struct buffer labels;

	buffer_init(&labels, 0);
	buffer_put(&labels, slice_of(a->labels));
	exposition_label(&labels, name, value);
	cell->labels = xslicedup(buffer_slice(&labels));
	buffer_fini(&labels);
	if (times) {
		cell->times = xcalloc(1, sizeof(*cell->times));
		cell->shown_times = xcalloc(1, sizeof(*cell->shown_times));
	}
	cell->hold = agent_cells_hold();
	cell->next = c->fresh;
	c->fresh = cell;
	return cell;
}

/* The part of a field's text that is read; its label is cut to less. */
#define FIELD_MAX 1024

/* The first ${max} bytes of the inside of a JSON string, or less: no escape is cut. */
static struct slice
escaped_cut(struct slice raw, size_t max)
{
	size_t len = 0;

	while (len < max) {
		size_t step = raw.at[len] != '\\' ? 1 : raw.at[len + 1] == 'u' ? 6 : 2;

		if (step > max - len)
			break;
		len += step;
	}
	return (struct slice){ raw.at, len };
}

struct slice
agent_cells_clean(const struct field *field, char *to)
{
	struct slice raw = field->value;
	char plain[FIELD_MAX];

	if (field->kind == VALUE_ESCAPED && memchr(raw.at, '\\', raw.len) != NULL) {
		if (raw.len > FIELD_MAX)
			raw = escaped_cut(raw, FIELD_MAX);
		raw = (struct slice){ plain, json_unescape(raw, plain) };
	}
	return (struct slice){ to, exposition_label_clean(raw, to) };
}

struct cell *
agent_cells_find(struct cells *c, const struct agent_series *a, const char *name,
    const struct field *value, bool times)
{
	char clean[LABEL_MAX];
	struct slice label;
	struct cell *cell;

	cell = value->kind == VALUE_ESCAPED ? NULL : map_get(c->by_value, value->value);
	if (cell != NULL)
		return cell; /* only clean values stand in the map */
	label = agent_cells_clean(value, clean);
	cell = map_get(c->by_value, label);
	if (cell != NULL)
		return cell;
	if (map_count(c->by_value) < agents.options.max_series) {
		cell = cell_new(c, a, name, label, times);
		map_put(c->by_value, label, cell);
		return cell;
	}
	metrics_add(&metrics.folded, 1);
	if (c->other == NULL) {
		c->other = map_get(c->by_value, SLICE("other"));
		if (c->other == NULL)
			c->other = cell_new(c, a, name, SLICE("other"), times);
	}
	return c->other;
}
