/* Bulk bodies: runs of whole items as they lie in the batch, or items in parts. */
#include "es_body.h"

#include "gzip.h"

static const struct slice tails[] = {
	[FORM_FULL] = { "\n", 1 },
	[FORM_STRIPPED] = { ",\"log_parsed_dropped\":true}\n", 28 },
	[FORM_CORE] = { "}\n", 2 },
};

/* The bytes of an item without its tail. */
static struct slice
item_head(const struct piece *p, uint32_t i)
{
	const struct item *item = &p->batch->items[i];
	uint32_t end = p->form == FORM_FULL       ? item->end
		       : p->form == FORM_STRIPPED ? item->plain
						  : item->core;

	return (struct slice){ p->batch->body.at + item->action, end - item->action };
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
