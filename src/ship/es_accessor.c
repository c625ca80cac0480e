/* A member of a document by its record accessor: the document is read as it is sent. */
#include "es_accessor.h"

#include "json.h"

/* ---- the accessor */

/* A name in brackets, with or without quotes; NULL: it is none. */
static const char *
bracket_read(const char *at, struct slice *name)
{
	char quote = at[1] == '\'' || at[1] == '"' ? at[1] : '\0';
	const char *from = at + 1 + (quote != '\0');
	const char *end = strchr(from, quote != '\0' ? quote : ']');

	if (end == NULL || end == from)
		return NULL;
	*name = (struct slice){ from, (size_t)(end - from) };
	end += quote != '\0';
	return *end == ']' ? end + 1 : NULL;
}

const char *
es_accessor_read(const char *text, struct es_accessor *to)
{
	const char *at = text + (text[0] == '$');
	size_t first = strcspn(at, "[$ ");

	*to = (struct es_accessor){ .n = 1, .names = { { at, first } } };
	if (first == 0)
		return "names no member of a record";
	for (at += first; *at == '['; to->n++) {
		if (to->n == ES_ACCESSOR_NAMES)
			return "leads through too many members";
		at = bracket_read(at, &to->names[to->n]);
		if (at == NULL)
			return "has a bracket without its end";
	}
	return *at == '\0' ? NULL : "is not one member, such as $kubernetes['namespace_name']";
}

/* ---- its member */

/* True for the same name; a dot of the accessor's is an underscore where dots are replaced. */
static bool
name_is(struct slice name, struct slice asked)
{
	if (name.len != asked.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] != asked.at[i] && !(asked.at[i] == '.' && name.at[i] == '_'))
			return false;
	return true;
}

static bool
member_find(struct slice object, struct slice asked, struct json_value *to)
{
	struct json_walk walk;
	struct slice key;

	json_enter(&walk, object);
	while (json_next(&walk, &key, to) == PARSE_OK)
		if (name_is(key, asked))
			return true;
	return false;
}

static bool
walk_down(const struct es_accessor *a, struct slice object, struct json_value *to)
{
	for (unsigned i = 0; i < a->n; i++) {
		if (!member_find(object, a->names[i], to))
			return false;
		if (i + 1 < a->n && to->kind != JSON_OBJECT)
			return false;
		object = to->text;
	}
	return true;
}

static bool
walk_parsed(const struct es_accessor *a, struct slice parsed_key, struct slice document,
    struct json_value *to)
{
	struct json_value parsed, extra;

	if (!member_find(document, parsed_key, &parsed) || parsed.kind != JSON_OBJECT)
		return false;
	if (walk_down(a, parsed.text, to))
		return true;
	return member_find(parsed.text, SLICE("extra"), &extra) && extra.kind == JSON_OBJECT &&
	       walk_down(a, extra.text, to);
}

size_t
es_accessor_find(const struct es_accessor *a, struct slice parsed_key, struct slice document,
    char *to, size_t size)
{
	struct json_value value;

	if (!walk_down(a, document, &value) && !walk_parsed(a, parsed_key, document, &value))
		return 0;
	if ((value.kind != JSON_STRING && value.kind != JSON_NUMBER) || value.text.len > size)
		return 0;
	if (value.escaped)
		return json_unescape(value.text, to);
	memcpy(to, value.text.at, value.text.len);
	return value.text.len;
}
