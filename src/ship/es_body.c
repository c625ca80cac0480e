/* Bulk bodies: runs of whole items as they lie in the batch, or items in parts. */
#include "es_body.h"

#include "gzip.h"
#include "json.h"

static const struct slice tails[] = {
	[FORM_FULL] = { "\n", 1 },
	[FORM_LEAN] = { ",\"extra_dropped\":true}}\n", 24 },
	[FORM_STRIPPED] = { ",\"log_parsed_dropped\":true}\n", 28 },
	[FORM_CORE] = { "}\n", 2 },
};

/* Few documents are asked: log_parsed, the last member, is walked; extra may be too deep for that. */
uint32_t
es_body_extra(const struct batch *b, const struct item *item)
{
	static const struct slice name = { ",\"log_parsed\":", 14 };
	const char *at = b->body.at;
	struct slice parsed = { at + item->plain, item->end - item->plain };
	struct json_walk walk;
	struct json_value value;
	struct slice key = { NULL, 0 };
	enum parsed got;

	if (!slice_starts(parsed, name))
		return 0;
	json_enter(&walk, slice_from(parsed, name.len));
	do {
		got = json_next(&walk, &key, &value);
		if (slice_eq(key, SLICE("extra")) && key.at[-2] == ',')
			return (uint32_t)(key.at - 2 - at);
	} while (got == PARSE_OK);
	return 0;
}

static uint32_t
form_end(const struct piece *p, const struct item *item)
{
	switch (p->form) {
	case FORM_FULL:
		return item->end;
	case FORM_LEAN:
		return es_body_extra(p->batch, item);
	case FORM_STRIPPED:
		return item->plain;
	case FORM_CORE:
		break;
	}
	return item->core;
}

/* The bytes of an item without its tail. */
static struct slice
item_head(const struct piece *p, uint32_t i)
{
	const struct item *item = &p->batch->items[i];

	return (struct slice){ p->batch->body.at + item->action, form_end(p, item) - item->action };
}

uint64_t
es_body_size(const struct piece *p)
{
	uint64_t n = 0;

	TODO_EACH (p, i)
		n += item_head(p, i).len + tails[p->form].len;
	return n;
}

void
es_body_begin(struct es_body *b, const struct piece *p)
{
	*b = (struct es_body){ .piece = p, .item = todo_next(p, 0) };
	if (b->item < p->batch->nitems)
		b->rest = item_head(p, b->item);
}

/* The next part when this one is read; false at the end. */
static bool
body_next(struct es_body *b)
{
	if (b->item >= b->piece->batch->nitems)
		return false;
	if (b->part == 0) {
		b->part = 1;
		b->rest = tails[b->piece->form];
		return true;
	}
	b->part = 0;
	b->item = todo_next(b->piece, b->item + 1);
	if (b->item >= b->piece->batch->nitems)
		return false;
	b->rest = item_head(b->piece, b->item);
	return true;
}

size_t
es_body_read(struct es_body *b, char *to, size_t size)
{
	size_t n = 0;

	while (n < size) {
		size_t part = b->rest.len < size - n ? b->rest.len : size - n;

		if (part == 0 && !body_next(b))
			break;
		if (part > 0)
			memcpy(to + n, b->rest.at, part);
		if (part > 0)
			b->rest = slice_from(b->rest, part);
		n += part;
	}
	return n;
}

static size_t
body_source(void *body, char *to, size_t size)
{
	return es_body_read(body, to, size);
}

void
es_body_gzip(const struct piece *p, struct buffer *to)
{
	struct es_body body;

	buffer_clear(to);
	es_body_begin(&body, p);
	gzip_ways[0].pack(to, body_source, &body);
}
