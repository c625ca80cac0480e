/* Bulk answers: in pieces as in one; jansson reads the same items. */
#include "fuzz.h"

#include "mended.h"
#include "reply.h"

#define ITEMS 64

struct seen {
	struct reply_item at[ITEMS];
	uint32_t n;
};

static void
take(void *arg, uint32_t index, const struct reply_item *item)
{
	struct seen *seen = arg;

	if (index != seen->n || seen->n == ITEMS)
		WRONG("item %u is the %uth", index, seen->n);
	seen->at[seen->n++] = *item;
}

static enum parsed
read_all(struct slice text, uint32_t want, struct seen *seen, struct reply *r, bool pieces)
{
	memset(seen, 0, sizeof(*seen));
	reply_init(r, want, take, seen);
	while (text.len > 0) {
		size_t n = pieces ? 1 + any((unsigned)text.len) : text.len;
		char *piece = xslicedup((struct slice){ text.at, n });

		reply_feed(r, (struct slice){ piece, n });
		free(piece);
		text = slice_from(text, n);
	}
	return reply_end(r);
}

/* jansson's text begins as what was kept of it, which had `room` bytes. */
static bool
text_is(json_t *value, const char *kept, size_t room)
{
	size_t n = strlen(kept);

	return !json_is_string(value) ||
	       (strncmp(json_string_value(value), kept, n) == 0 &&
		   (n == strlen(json_string_value(value)) || n + 4 >= room));
}

static void
item_judge(json_t *result, const struct reply_item *item)
{
	json_t *error = json_object_get(result, "error");
	const char *store = json_string_value(json_object_get(result, "failure_store"));

	if (json_number_value(json_object_get(result, "status")) != item->status)
		WRONG("the status is not %d", item->status);
	if (!text_is(error, item->reason, REPLY_REASON) ||
	    !text_is(json_object_get(error, "reason"), item->reason, REPLY_REASON) ||
	    !text_is(json_object_get(error, "type"), item->type, REPLY_TYPE))
		WRONG("type '%s', reason '%s'", item->type, item->reason);
	if ((store != NULL && strcmp(store, "used") == 0) != item->failure_store)
		WRONG("failure store: %d", item->failure_store);
}

static void
judge(struct slice text, json_t *tree, enum parsed end, const struct seen *seen)
{
	json_t *items = json_object_get(tree, "items"), *item, *result;
	const char *key;
	size_t i;

	if (end == PARSE_OK && json_is_array(items) && json_array_size(items) != seen->n)
		WRONG("%u items: %.*s", seen->n, SHOW(text));
	json_array_foreach(items, i, item)
	{
		json_object_foreach(item, key, result)
		{
			if (i < seen->n && json_object_size(item) == 1)
				item_judge(result, &seen->at[i]);
		}
	}
}

/* Numbers are not looked at closely. */
static struct slice
plain_numbers(struct slice text)
{
	char *to = xmalloc(text.len + 1);
	bool quoted = false, in = false;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (quoted && c == '\\' && i + 1 < text.len)
			to[n++] = text.at[i++];
		else if (c == '"')
			quoted = !quoted;
		in = !quoted && ((in && (strchr("+-.E", c) != NULL || (c >= 'a' && c <= 'z'))) ||
				    (c >= '0' && c <= '9') || c == '-');
		if (!in)
			to[n++] = quoted || c == '"' ? text.at[i] : c;
		else if (n == 0 || to[n - 1] != '1')
			to[n++] = '1';
	}
	return (struct slice){ to, n };
}

static void
fuzz(struct slice input)
{
	struct slice text = fuzz_chance(input), plain;
	uint32_t want = any(4) > 0 ? 1 + any(2) : any(ITEMS);
	struct seen whole, pieces;
	struct reply a, b;
	enum parsed end;
	json_error_t error;
	json_t *tree;

	text = mended(text);
	tree = jansson(text, JSON_REJECT_DUPLICATES, &error);
	if (json_is_array(json_object_get(tree, "items")))
		want = (uint32_t)least(ITEMS, json_array_size(json_object_get(tree, "items")));
	end = read_all(text, want, &whole, &a, false);
	if (read_all(text, want, &pieces, &b, true) != end || whole.n != pieces.n)
		WRONG("in pieces: %u of %u items: %.*s", pieces.n, whole.n, SHOW(text));
	for (uint32_t i = 0; i < whole.n; i++) {
		if (memcmp(&whole.at[i], &pieces.at[i], sizeof(whole.at[i])) != 0)
			WRONG("in pieces, item %u: %.*s", i, SHOW(text));
		verdict_of(&whole.at[i]);
	}
	judge(text, tree, end, &whole);
	json_decref(tree);
	plain = plain_numbers(text);
	tree = jansson(plain, 0, &error);
	if (end == PARSE_OK && tree == NULL)
		WRONG("jansson: %s: %.*s", error.text, SHOW(text));
	json_decref(tree);
	exact_free(plain);
	exact_free(text);
}
