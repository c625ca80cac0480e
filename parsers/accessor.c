/* Record accessors: read once, then followed from a tree's root, step by step. */
#include "accessor.h"

/* ['name'], ["name"] or [0], of which ${*text} has the bracket. */
static const char *
bracket_take(struct slice *text, struct accessor_step *step)
{
	struct slice in = slice_from(*text, 1);
	size_t len = 0;
	char quote;

	if (in.len > 0 && (in.at[0] == '\'' || in.at[0] == '"')) {
		quote = in.at[0];
		in = slice_from(in, 1);
		while (len < in.len && in.at[len] != quote)
			len++;
		if (len + 1 >= in.len || in.at[len + 1] != ']')
			return "a quote and a bracket do not end";
		step->name = (struct slice){ in.at, len };
		*text = slice_from(in, len + 2);
		return NULL;
	}
	step->is_index = true;
	for (; len < in.len && in.at[len] >= '0' && in.at[len] <= '9' && len < 9; len++)
		step->index = step->index * 10 + (size_t)(in.at[len] - '0');
	if (len == 0 || len == in.len || in.at[len] != ']')
		return "in a bracket stands a number, or a name in quotes";
	*text = slice_from(in, len + 1);
	return NULL;
}

const char *
accessor_take(struct slice *text, struct accessor *a, const char *stops)
{
	size_t len = 0;

	*a = (struct accessor){ .n = 0 };
	while (len < text->len && text->at[len] != '[' && text->at[len] != '\0' &&
	       !slice_is_blank(text->at[len]) && strchr(stops, text->at[len]) == NULL)
		len++;
	if (len > 0)
		a->steps[a->n++].name = (struct slice){ text->at, len };
	*text = slice_from(*text, len);
	while (text->len > 0 && text->at[0] == '[') {
		const char *wrong;

		if (a->n == ACCESSOR_STEPS)
			return "it goes too deep";
		wrong = bracket_take(text, &a->steps[a->n++]);
		if (wrong != NULL)
			return wrong;
	}
	return a->n == 0 ? "behind the $ stands a name" : NULL;
}

const char *
accessor_read(struct slice text, struct accessor *a)
{
	const char *wrong;

	*a = (struct accessor){ .n = 0 };
	if (text.len == 0)
		return "it is empty";
	if (text.at[0] != '$') {
		a->steps[a->n++].name = text;
		return NULL;
	}
	text = slice_from(text, 1);
	wrong = accessor_take(&text, a, "");
	if (wrong == NULL && text.len > 0)
		return "something stands behind its last bracket";
	return wrong;
}

bool
accessor_name_is(struct slice name, struct slice asked)
{
	if (name.len != asked.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] != asked.at[i] && !(asked.at[i] == '.' && name.at[i] == '_'))
			return false;
	return true;
}

/* The label or annotation ${key}, under that name or with its dots replaced. */
static struct shape_node *
label_get(struct shape *s, struct shape_node *labels, struct slice key)
{
	struct shape_node *found = shape_get(s, labels, key), *member;

	for (member = shape_first(s, labels); found == NULL && member != NULL;
	     member = shape_next(member))
		if (accessor_name_is(member->name, key))
			found = member;
	return found;
}

struct shape_node *
accessor_find(const struct accessor *a, struct shape *s)
{
	const bool pod = slice_starts(a->steps[0].name, SLICE("kubernetes"));
	struct shape_node *node = s->root;

	for (size_t i = 0; i < a->n && node != NULL; i++) {
		const struct accessor_step *step = &a->steps[i];

		if (step->is_index)
			node = shape_at(s, node, step->index);
		else if (pod && i == 2) /* $kubernetes['labels']['app.kubernetes.io/name'] */
			node = label_get(s, node, step->name);
		else
			node = shape_get(s, node, step->name);
	}
	return node;
}
