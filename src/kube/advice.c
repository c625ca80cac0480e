/* Annotations of a pod that are meant for a log shipper. */
#include "advice.h"

#include <stdlib.h>
#include <strings.h>

#include "memory.h"

struct advice {
	char *key; /* behind fluentbit.io/ or towline.io/ */
	char *value;
	bool own; /* the prefix was towline.io/ */
};

static const struct slice prefixes[] = { { "fluentbit.io/", 13 }, { "towline.io/", 11 } };

static void
advice_add(struct advice **all, size_t *n, const char *key, const char *value, bool own)
{
	*all = xrealloc(*all, (*n + 1) * sizeof(**all));
	(*all)[(*n)++] = (struct advice){ xstrdup(key), xstrdup(value), own };
}

void
advice_read(struct advice **all, size_t *n, const json_t *annotations, size_t *room)
{
	json_t *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)annotations, key, value)
	{
		const char *text = json_string_value(value);

		for (size_t i = 0; i < 2 && text != NULL; i++) {
			size_t bytes = strlen(key) + strlen(text) + sizeof(**all) + 48;

			if (!slice_starts(slice_of(key), prefixes[i]) || bytes > *room)
				continue;
			*room -= bytes;
			advice_add(all, n, key + prefixes[i].len, text, i == 1);
		}
	}
}

void
advice_free(struct advice *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(all[i].key);
		free(all[i].value);
	}
	free(all);
}

json_t *
advice_json(const struct advice *all, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_pack("{s:s, s:s, s:b}", "key", all[i].key, "value",
					       all[i].value, "own", all[i].own));
	return out;
}

void
advice_restore(struct advice **all, size_t *n, const json_t *from)
{
	for (size_t i = 0; i < json_array_size(from); i++) {
		const json_t *one = json_array_get(from, i);
		const char *key = json_string_value(json_object_get(one, "key"));
		const char *value = json_string_value(json_object_get(one, "value"));

		if (key != NULL && value != NULL)
			advice_add(all, n, key, value, json_is_true(json_object_get(one, "own")));
	}
}

/* The rank of a key that begins with `what`, by how closely it fits; 0: it does not. */
static int
fit_of(const struct advice *a, struct slice what, struct slice container, enum side side)
{
	static const struct slice sides[SIDES] = { { "_stdout", 7 }, { "_stderr", 7 } };
	struct slice rest = slice_of(a->key);
	int fit = 1 + a->own;

	if (!slice_starts(rest, what))
		return 0;
	rest = slice_from(rest, what.len);
	if (slice_starts(rest, sides[side])) {
		rest = slice_from(rest, sides[side].len);
		fit += 2;
	}
	if (rest.len == 0)
		return fit;
	return rest.at[0] == '-' && slice_eq(slice_from(rest, 1), container) ? fit + 4 : 0;
}

static const char *
value_of(
    const struct advice *all, size_t n, struct slice what, struct slice container, enum side side)
{
	const char *value = NULL;
	int best = 0;

	for (size_t i = 0; i < n; i++) {
		int fit = fit_of(&all[i], what, container, side);

		if (fit <= best)
			continue;
		best = fit;
		value = all[i].value;
	}
	return value;
}

bool
advice_excludes(const struct advice *all, size_t n, struct slice container, enum side side)
{
	static const char *const yes[] = { "true", "on", "yes" };
	const char *value = value_of(all, n, SLICE("exclude"), container, side);

	for (size_t i = 0; value != NULL && i < 3; i++) {
		if (strcasecmp(value, yes[i]) == 0)
			return true;
	}
	return false;
}

const char *
advice_parser(const struct advice *all, size_t n, struct slice container, enum side side)
{
	return value_of(all, n, SLICE("parser"), container, side);
}
