/* The member of a document that an accessor names: the document is read as it is sent. */
#include "es_member.h"

#include "json.h"

static bool
member_find(struct slice object, struct slice asked, struct json_value *to)
{
	struct json_walk walk;
	struct slice key;

	json_enter(&walk, object);
	while (json_next(&walk, &key, to) == PARSE_OK)
		if (accessor_name_is(key, asked))
			return true;
	return false;
}

static bool
element_find(struct slice list, size_t index, struct json_value *to)
{
	struct json_walk walk;
	struct slice key;

	json_enter(&walk, list);
	while (json_next(&walk, &key, to) == PARSE_OK)
		if (index-- == 0)
			return true;
	return false;
}

static bool
walk_down(const struct accessor *a, struct slice object, struct json_value *to)
{
	*to = (struct json_value){ .kind = JSON_OBJECT, .text = object };
	for (size_t i = 0; i < a->n; i++) {
		const struct accessor_step *step = &a->steps[i];

		if (to->kind != (step->is_index ? JSON_ARRAY : JSON_OBJECT))
			return false;
		if (step->is_index ? !element_find(to->text, step->index, to)
				   : !member_find(to->text, step->name, to))
			return false;
	}
	return true;
}

static bool
walk_parsed(const struct accessor *a, const struct document_rules *rules, struct slice document,
    struct json_value *to)
{
	struct json_value parsed, extra;

	if (!member_find(document, rules->parsed_key, &parsed) || parsed.kind != JSON_OBJECT)
		return false;
	if (walk_down(a, parsed.text, to))
		return true;
	return !rules->merged && member_find(parsed.text, SLICE("extra"), &extra) &&
	       extra.kind == JSON_OBJECT && walk_down(a, extra.text, to);
}

size_t
es_member_find(const struct accessor *a, const struct document_rules *rules, struct slice document,
    char *to, size_t size)
{
	struct json_value value;

	if (!walk_down(a, document, &value) && !walk_parsed(a, rules, document, &value))
		return 0;
	if ((value.kind != JSON_STRING && value.kind != JSON_NUMBER) || value.text.len > size)
		return 0;
	if (value.escaped)
		return json_unescape(value.text, to);
	memcpy(to, value.text.at, value.text.len);
	return value.text.len;
}
