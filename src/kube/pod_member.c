/* What a pod's metadata say of it: texts among the members that its containers have in common. */
#include <stdlib.h>

#include "json.h"
#include "memory.h"
#include "pod.h"

/* The string that an object, of which ${walk} stands before a member, has under ${name}; or NULL. */
static char *
text_find(struct json_walk walk, const char *name)
{
	struct json_value value;
	struct slice key;
	char *text;

	while (json_next(&walk, &key, &value) == PARSE_OK) {
		if (!slice_eq(key, slice_of(name)))
			continue;
		if (value.kind != JSON_STRING)
			return NULL;
		text = xmalloc(value.text.len + 1);
		text[json_unescape(value.text, text)] = '\0';
		return text;
	}
	return NULL;
}

/* Each member has a comma before it, as if others had gone before. */
static struct json_walk
members_enter(struct slice members)
{
	return (struct json_walk){ .at = members.at, .end = members.at + members.len };
}

char *
pod_member(struct slice members, const char *name)
{
	return text_find(members_enter(members), name);
}

char *
pod_label(struct slice members, const char *label)
{
	struct json_walk walk = members_enter(members);
	struct json_value labels;
	struct slice key;
	char *text, *plain;

	do {
		if (json_next(&walk, &key, &labels) != PARSE_OK)
			return NULL;
	} while (!slice_eq(key, SLICE("labels")));
	if (labels.kind != JSON_OBJECT)
		return NULL;
	json_enter(&walk, labels.text);
	text = text_find(walk, label);
	if (text != NULL)
		return text;
	plain = xstrdup(label);
	for (char *c = plain; *c != '\0'; c++)
		*c = *c == '.' ? '_' : *c;
	text = text_find(walk, plain);
	free(plain);
	return text;
}
