/* ${VAR} and ${VAR:-default} in the values of a configuration. */
#include "variables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf.h"
#include "map.h"
#include "memory.h"

/* The longest value, variables replaced. */
#define VALUE_MAX (64 << 10)
#define NAME_MAX_BYTES 128

struct variables {
	struct map *set;
	char host[HOST_NAME_MAX + 1]; /* HOSTNAME, which a shell has and does not hand down */
};

struct variables *
variables_new(void)
{
	struct variables *v = xcalloc(1, sizeof(*v));

	v->set = map_new();
	if (gethostname(v->host, sizeof(v->host)) != 0)
		v->host[0] = '\0';
	return v;
}

void
variables_free(struct variables *v)
{
	if (v == NULL)
		return;
	map_free(v->set);
	free(v);
}

static bool
name_good(struct slice name)
{
	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '_' || c == '.' || c == '-'))
			return false;
	}
	return true;
}

bool
variables_set(struct variables *v, struct slice name, char *value)
{
	if (!name_good(name))
		return false;
	map_put(v->set, name, value);
	return true;
}

/* The value of the text between the braces; false with the reason why there is none. */
static bool
variable_get(
    const struct variables *v, struct slice inside, struct slice *value, char *why, size_t size)
{
	struct slice name = inside, fallback = { NULL, 0 };
	char zero[NAME_MAX_BYTES + 1]; /* FINDINGS_NAME is less */
	const char *found;

	for (size_t i = 0; i + 1 < inside.len; i++) {
		if (inside.at[i] == ':' && inside.at[i + 1] == '-') {
			name.len = i;
			fallback = slice_from(inside, i + 2);
			break;
		}
	}
	if (!name_good(name)) {
		snprintf(
		    why, size, "'${%s' cannot be a variable's name", findings_name(inside, zero));
		return false;
	}
	memcpy(zero, name.at, name.len);
	zero[name.len] = '\0';
	found = map_get(v->set, name);
	if (found == NULL)
		found = getenv(zero);
	if (found == NULL && strcmp(zero, "HOSTNAME") == 0)
		found = v->host;
	if (found == NULL && fallback.at == NULL) {
		snprintf(why, size, "the variable %s is not set; set it, or write ${%s:-DEFAULT}",
		    zero, zero);
		return false;
	}
	/* As in a shell, :- also replaces a variable that is set, but empty. */
	*value = found && (found[0] != '\0' || fallback.at == NULL) ? slice_of(found) : fallback;
	return true;
}

char *
variables_expand(const struct variables *v, struct slice text, char *why, size_t size)
{
	struct buffer out;
	bool fits = true;
	char *result = NULL;

	buffer_init(&out, VALUE_MAX);
	while (text.len > 0 && fits) {
		const char *close;
		struct slice value;
		size_t plain = 0;

		while (plain < text.len && !(text.at[plain] == '$' && plain + 1 < text.len &&
					       text.at[plain + 1] == '{'))
			plain++;
		fits = buffer_put(&out, (struct slice){ text.at, plain }) == 0;
		text = slice_from(text, plain);
		if (text.len == 0 || !fits)
			break;
		text = slice_from(text, 2);
		close = memchr(text.at, '}', text.len);
		if (close == NULL) {
			snprintf(why, size, "no } behind ${");
			goto out;
		}
		if (!variable_get(
			v, (struct slice){ text.at, (size_t)(close - text.at) }, &value, why, size))
			goto out;
		fits = buffer_put(&out, value) == 0;
		text = slice_from(text, (size_t)(close - text.at) + 1);
	}
	if (fits)
		result = xslicedup(buffer_slice(&out));
	else
		snprintf(why, size, "the value is longer than %d KiB", VALUE_MAX >> 10);
out:
	buffer_fini(&out);
	return result;
}
