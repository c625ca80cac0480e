/*
 * [FILTER] lua: our find, match, gmatch and gsub against the library's; a record that becomes
 * a table and fields again is the same record.
 *
 * An input that begins with { is a record; another one is a pattern, a line break, a
 * replacement, a line break, and the text that is searched.
 */
#include "fuzz.h"

#include "../../src/filter/lua_box.h"
#include "../../src/filter/lua_record.h"
#include "lua_twin.h"
#include "mended.h"

/* ---- patterns */

#define STEPS 10000 /* of all answers to one input */

static struct slice
line_take(struct slice *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct slice line = { rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len };

	*rest = slice_from(*rest, line.len + (end != NULL));
	return line;
}

static void
pattern_judge(struct slice input)
{
	static lua_State *ours, *theirs;
	struct slice text = input, pattern = line_take(&text), put = line_take(&text);
	int n = (int)any(9) - 3;
	char *a, *b;

	if (ours == NULL) {
		ours = state_of(true);
		theirs = state_of(false);
		most = STEPS;
	}
	charged = 0;
	a = answers(ours, text, pattern, put, n);
	/* The library has no bound, and its pattern ends at a NUL. */
	if (charged <= STEPS && strstr(a, "pattern too complex") == NULL &&
	    memchr(pattern.at, '\0', pattern.len) == NULL) {
		b = answers(theirs, text, pattern, put, n);
		if (strcmp(a, b) != 0)
			WRONG("'%.*s' in '%.*s' by '%.*s', %d:\n%s\n%s", SHOW(pattern), SHOW(text),
			    SHOW(put), n, a, b);
		free(b);
	}
	if (charged > STEPS + 10000)
		WRONG("%lu steps of %d", charged, STEPS);
	free(a);
}

/* ---- records */

/* What happens to the table of a record before it is read again. */
static const char copying[] = "local function copy(v)\n"
			      "  if type(v) ~= 'table' then return v end\n"
			      "  local t = {}\n"
			      "  for k, x in pairs(v) do t[k] = copy(x) end\n"
			      "  return t\n"
			      "end\n"
			      "return copy(...)";

struct trip {
	struct shape shape, fresh;
	struct lua_record of;
	enum { AS_IT_IS, COPIED, ANEW } how;
};

static int
trip_go(lua_State *L)
{
	struct trip *t = lua_touserdata(L, 1);

	lua_settop(L, 0);
	if (t->how == COPIED)
		luaL_loadstring(L, copying);
	lua_record_push(L, &t->of);
	if (t->how == COPIED)
		lua_call(L, 1, 1);
	lua_record_check(L);
	if (t->how == ANEW)
		t->of.shape = &t->fresh;
	lua_record_take(L, &t->of);
	return 0;
}

static char *
written(const struct shape *s)
{
	char *text = xmalloc(shape_room(s->root) + 1);

	*shape_write(text, s->root) = '\0';
	return text;
}

/* Fields as a document has them; false: there is no room. */
static bool
shape_fill(struct shape *s, struct slice json)
{
	struct json_walk walk;
	struct json_value value;
	struct slice name;

	json_enter(&walk, json);
	while (json_next(&walk, &name, &value) == PARSE_OK) {
		char *plain = xmalloc(name.len + 1);
		struct slice key = { plain, json_unescape(name, plain) };
		size_t quotes = value.kind == JSON_STRING;
		struct slice text = { value.text.at - quotes, value.text.len + 2 * quotes };
		struct shape_node *node;

		key = shape_keep(s, key);
		free(plain);
		node = key.at != NULL ? shape_put(s, s->root, key) : NULL;
		if (node == NULL || !shape_set_json(s, node, text))
			return false;
	}
	return true;
}

/* As ${v}, but that a list may have become a map where both are empty, and a number text. */
static bool
alike(json_t *v, json_t *w)
{
	const char *key;
	json_t *member;

	if (json_is_number(v) && json_is_string(w))
		return json_string_length(w) >= 64;
	if (json_is_number(v) && json_is_number(w))
		return json_number_value(v) == json_number_value(w);
	if (json_is_array(v) && json_is_object(w))
		return json_array_size(v) == 0 && json_object_size(w) == 0;
	if (json_typeof(v) != json_typeof(w))
		return false;
	if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++)
			if (i >= json_array_size(w) ||
			    !alike(json_array_get(v, i), json_array_get(w, i)))
				return false;
		return json_array_size(v) == json_array_size(w);
	}
	if (!json_is_object(v))
		return json_equal(v, w);
	json_object_foreach(v, key, member)
	{
		json_t *other = json_object_get(w, key);

		if (other == NULL || !alike(member, other))
			return false;
	}
	return json_object_size(v) == json_object_size(w);
}

/* Members that are null are nil in a table, unless null has a value there. */
static void
nulls_drop(json_t *v)
{
	const char *key;
	json_t *member;
	void *next;
	size_t i;

	json_object_foreach_safe(v, next, key, member)
	{
		if (json_is_null(member))
			json_object_del(v, key);
		else
			nulls_drop(member);
	}
	json_array_foreach(v, i, member) nulls_drop(member);
}

static void
record_judge(struct slice text)
{
	static lua_State *L;
	static const struct list none;
	struct trip t = { .how = (int)any(3) };
	json_t *want = NULL, *got = NULL;
	char *before, *after;
	json_error_t error;

	if (L == NULL) {
		L = state_of(false);
		luaL_newmetatable(L, LUA_BOX_LIST);
		lua_settop(L, 0);
	}
	shape_init(&t.shape, 1 << 20);
	shape_init(&t.fresh, 1 << 20);
	shape_clear(&t.shape);
	shape_clear(&t.fresh);
	t.of = (struct lua_record){ &t.shape, &none, &none, any(2) == 0 };
	if (!shape_fill(&t.shape, text))
		goto out;
	before = written(&t.shape);
	want = jansson(slice_of(before), JSON_REJECT_DUPLICATES, &error);
	if (lua_cpcall(L, trip_go, &t) == 0 && want != NULL && !t.of.shape->full) {
		after = written(t.of.shape);
		got = jansson(slice_of(after), JSON_REJECT_DUPLICATES, &error);
		if (!t.of.nulls)
			nulls_drop(want);
		if (got == NULL || !alike(want, got))
			WRONG("%d:\n%s\n%s", t.how, before, after);
		free(after);
	}
	free(before);
	lua_settop(L, 0);
	json_decref(want);
	json_decref(got);
out:
	shape_fini(&t.shape);
	shape_fini(&t.fresh);
}

static void
fuzz(struct slice input)
{
	struct slice text = fuzz_chance(input);
	enum json_kind kind;

	if (text.len == 0 || text.at[0] != '{') {
		pattern_judge(text);
	} else {
		text = mended(text);
		if (json_check(text, &kind) == PARSE_OK && kind == JSON_OBJECT)
			record_judge(text);
		exact_free(text);
	}
}
