/* Tags: a file's path, and parts of it that an expression names, put into Tag. */
#include "tag.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "pattern.h"

/* The NAME of the <NAME> that ${at} begins with; false: it begins with none. */
static bool
name_at(const char *at, struct slice *name)
{
	size_t len = *at == '<' ? strcspn(at + 1, "<>") : 0;

	*name = (struct slice){ at + 1, len };
	return len > 0 && at[len + 1] == '>';
}

static bool
has_group(const struct pattern *p, struct slice name)
{
	for (size_t i = 0; i < pattern_groups(p); i++)
		if (slice_eq(pattern_name(p, i), name))
			return true;
	return false;
}

enum tag_judged
tag_judge(const char *tag, const char *regex, char *why, size_t size)
{
	struct pattern *p = pattern_new(regex, why, size);
	enum tag_judged judged = p == NULL ? TAG_WRONG : TAG_RIGHT;
	struct slice name;
	size_t names = 0;

	for (; p != NULL && judged == TAG_RIGHT && *tag != '\0'; tag++) {
		if (!name_at(tag, &name))
			continue;
		names++;
		if (has_group(p, name))
			continue;
		judged = TAG_VAIN;
		snprintf(why, size, "it has no group <%.*s>, which stands in Tag and is empty",
		    (int)name.len, name.at);
	}
	if (judged == TAG_RIGHT && names == 0) {
		judged = TAG_VAIN;
		snprintf(why, size, "it has no effect, as Tag has no <NAME>");
	}
	pattern_free(p);
	return judged;
}

/* Append the value of the group ${name}; of several of one name, the one that took part. */
static void
group_put(struct buffer *to, const struct pattern *p, struct slice name)
{
	struct slice value;

	for (size_t i = 0; i < pattern_groups(p); i++) {
		if (slice_eq(pattern_name(p, i), name) && pattern_group(p, i, &value)) {
			buffer_put(to, value);
			return;
		}
	}
}

/* The path, and all behind it, with dots for slashes. */
static void
path_put(struct buffer *to, const char *path)
{
	for (path += *path == '/'; *path != '\0'; path++)
		buffer_put(to, *path == '/' ? SLICE(".") : (struct slice){ path, 1 });
}

char *
tag_make(const char *tag, const char *regex, const char *path)
{
	char why[256], *made;
	struct pattern *p = regex == NULL ? NULL : pattern_new(regex, why, sizeof(why));
	bool found = p != NULL && pattern_match(p, slice_of(path)), star = false;
	struct slice name;
	struct buffer b;

	buffer_init(&b, 0);
	while (*tag != '\0') {
		if (regex != NULL && name_at(tag, &name)) {
			if (found)
				group_put(&b, p, name);
			tag = name.at + name.len + 1;
		} else if (*tag == '*' && !star) {
			path_put(&b, path);
			star = true;
			tag++;
		} else {
			buffer_put(&b, *tag == '/' && star ? SLICE(".") : (struct slice){ tag, 1 });
			tag++;
		}
	}
	made = xslicedup(buffer_slice(&b));
	buffer_fini(&b);
	pattern_free(p);
	return made;
}

char *
tag_pattern(const char *tag, const char *regex)
{
	struct slice name;
	struct buffer b;
	char *made;

	buffer_init(&b, 0);
	while (*tag != '\0') {
		bool named = regex != NULL && name_at(tag, &name);

		buffer_put(&b, named ? SLICE("*") : (struct slice){ tag, 1 });
		tag = named ? name.at + name.len + 1 : tag + 1;
	}
	made = xslicedup(buffer_slice(&b));
	buffer_fini(&b);
	return made;
}
