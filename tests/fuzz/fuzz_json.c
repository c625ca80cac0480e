/* JSON: the scanner against jansson; what is written or mended is read by jansson again. */
#include "fuzz.h"

#include "json.h"
#include "mended.h"

/* The depth of valid JSON.  Its tree has not all of it: of one name it has the last value. */
static size_t
depth_of(struct slice text)
{
	size_t depth = 0, most = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			most = ++depth > most ? depth : most;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
	}
	return most;
}

static bool
text_is(struct slice raw, const char *at, size_t len)
{
	char *plain = xmalloc(raw.len + 1);
	size_t n = json_unescape(raw, plain);
	bool is = n == len && memcmp(plain, at, len) == 0;

	free(plain);
	return is;
}

/* The tree of what a walk and the walks within it find; of one name the last, as jansson has it. */
static json_t *
walked(struct slice text, enum json_kind kind)
{
	struct json_walk walk;
	struct json_value v;
	struct slice key = SLICE("");
	json_t *tree = kind == JSON_OBJECT ? json_object() : json_array();

	json_enter(&walk, text);
	while (json_next(&walk, &key, &v) == PARSE_OK) {
		bool inner = v.kind == JSON_OBJECT || v.kind == JSON_ARRAY;
		size_t quotes = v.kind == JSON_STRING;
		struct slice whole = { v.text.at - quotes, v.text.len + 2 * quotes };
		json_error_t error;
		json_t *in = inner ? walked(v.text, v.kind) : jansson(whole, 0, &error);
		char *name = xmalloc(key.len + 1);

		if (in == NULL)
			WRONG("jansson: %s: '%.*s'", error.text, SHOW(whole));
		if (kind == JSON_OBJECT)
			json_object_setn_new_nocheck(tree, name, json_unescape(key, name), in);
		else
			json_array_append_new(tree, in);
		free(name);
	}
	return tree;
}

static void
walk_judge(struct slice text, enum json_kind kind, json_t *want)
{
	json_t *tree = walked(text, kind);

	if (!json_equal(tree, want))
		WRONG("'%.*s' is walked to another value", SHOW(text));
	json_decref(tree);
}

static void
scan_judge(struct slice input)
{
	struct slice text = mended(input);
	json_error_t error;
	json_t *tree = jansson(text, 0, &error);
	enum json_kind kind;
	enum parsed got = json_check(input, &kind);
	bool unknown = json_error_code(&error) == json_error_numeric_overflow;

	if (json_check(text, &kind) != got)
		WRONG("other letters, another answer: '%.*s'", SHOW(input));
	if (!unknown && (got == PARSE_OK) != (tree != NULL && depth_of(text) <= JSON_DEPTH))
		WRONG("%d, but jansson: %s: '%.*s'", got, error.text, SHOW(text));
	if (got == PARSE_MORE && tree != NULL)
		WRONG("'%.*s' is all there", SHOW(text));
	if (got == PARSE_OK && tree != NULL && (kind == JSON_OBJECT || kind == JSON_ARRAY)) {
		struct json_walk walk;
		struct slice key;
		struct json_value v;

		walk_judge(slice_trim(text), kind, tree);
		json_enter(&walk, slice_trim(input));
		while (json_next(&walk, &key, &v) == PARSE_OK)
			;
		if (!json_trailing(&walk))
			WRONG("'%.*s' does not end", SHOW(input));
	}
	if (got == PARSE_OK && tree != NULL && kind == JSON_STRING) {
		struct slice raw = slice_trim(text);

		raw = (struct slice){ raw.at + 1, raw.len - 2 };
		if (!text_is(raw, json_string_value(tree), json_string_length(tree)))
			WRONG("'%.*s' is another text", SHOW(raw));
	}
	if (got == PARSE_OK && input.len > 0 &&
	    json_check((struct slice){ input.at, any((unsigned)input.len) }, &kind) == PARSE_BAD)
		WRONG("'%.*s' is bad when it is cut", SHOW(input));
	json_decref(tree);
	exact_free(text);
}

/* What was written is one value, on one line, in UTF-8.  NULL: it has what jansson does not take. */
static json_t *
written(const char *at, const char *end, size_t room)
{
	struct slice text = { at, (size_t)(end - at) }, plain = mended(text);
	json_error_t error;
	json_t *utf8 = json_stringn(at, text.len), *tree = jansson(plain, 0, &error);

	if (text.len > room)
		WRONG("%zu bytes, more than %zu", text.len, room);
	if (tree == NULL && json_error_code(&error) != json_error_numeric_overflow)
		WRONG("jansson: %s: '%.*s'", error.text, SHOW(text));
	if (memchr(at, '\n', text.len) != NULL)
		WRONG("lines: '%.*s'", SHOW(text));
	if (utf8 == NULL)
		WRONG("no UTF-8: '%.*s'", SHOW(text));
	json_decref(tree);
	json_decref(utf8);
	exact_free(plain);
	return jansson(text, 0, &error);
}

static void
write_judge(struct slice input)
{
	size_t room = JSON_WRITE_MAX(input.len), most = any((unsigned)input.len + 2);
	char *to = xmalloc(room + JSON_WRITE_MAX(JSON_NAME_BYTES));
	char *cut = xmalloc(room), *end, *cut_end;
	json_t *valid = json_stringn(input.at, input.len), *tree;

	end = json_write(to, input);
	tree = written(to, end, room);
	if (!json_is_string(tree) || (valid != NULL && !json_equal(tree, valid)))
		WRONG("'%.*s' is written as '%.*s'", SHOW(input), (int)(end - to), to);
	cut_end = json_write_cut(cut, input, false, most);
	json_decref(written(cut, cut_end, room));
	if (valid != NULL && memcmp(to, cut, (size_t)(cut_end - cut) - 1) != 0)
		WRONG("cut to %zu it is '%.*s'", most, (int)(cut_end - cut), cut);
	json_decref(tree);
	end = json_name(to, input, false);
	tree = written(to, end, JSON_WRITE_MAX(JSON_NAME_BYTES));
	if (tree != NULL && (json_string_length(tree) == 0 || strlen(json_string_value(tree)) == 0))
		WRONG("'%.*s' is no name", (int)(end - to), to);
	json_decref(tree);
	json_decref(valid);
	free(cut);
	free(to);
}

static void
mend_judge(struct slice input)
{
	struct slice value = slice_trim(input), first;
	enum json_kind kind;
	size_t room = JSON_WRITE_MAX(value.len) + value.len / 500, most = 1 + any(60);
	char *to = xmalloc(room), *again = xmalloc(JSON_WRITE_MAX(room) + room / 500), *end;
	json_t *utf8 = json_stringn(value.at, value.len), *tree, *want;
	bool is_utf8 = utf8 != NULL;
	json_error_t error;

	json_decref(utf8);
	if (json_check(value, &kind) == PARSE_OK && kind != JSON_STRING) {
		end = json_mend(to, value, 1 << 20);
		tree = written(to, end, room);
		want = jansson(value, 0, &error);
		if (value.len < JSON_NAME_BYTES && tree != NULL && want != NULL &&
		    memmem(value.at, value.len, "\"\"", 2) == NULL &&
		    memmem(value.at, value.len, "\\u0000", 6) == NULL && !json_equal(tree, want))
			WRONG("'%.*s' is mended to '%.*s'", SHOW(value), (int)(end - to), to);
		json_decref(tree);
		json_decref(want);
		end = json_mend(to, value, most);
		json_decref(written(to, end, room));
		first = (struct slice){ to, (size_t)(end - to) };
		if (json_check(first, &kind) != PARSE_OK)
			WRONG("'%.*s' is mended to '%.*s'", SHOW(value), SHOW(first));
		end = json_mend(again, first, 1 << 20);
		if (is_utf8 && !slice_eq((struct slice){ again, (size_t)(end - again) }, first))
			WRONG("'%.*s' is mended again to '%.*s'", SHOW(first), (int)(end - again),
			    again);
	}
	free(again);
	free(to);
}

static void
fuzz(struct slice input)
{
	input = fuzz_chance(input);
	scan_judge(input);
	write_judge(input);
	mend_judge(input);
}
