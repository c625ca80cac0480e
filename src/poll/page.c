/* The choice between the two forms, and the bounds. */
#include "page.h"

#include "info.h"
#include "json.h"

void
page_init(struct page *p, size_t cap)
{
	p->cap = cap;
	buffer_init(&p->json, PAGE_JSON);
	page_begin(p);
}

void
page_fini(struct page *p)
{
	buffer_fini(&p->json);
}

void
page_begin(struct page *p)
{
	p->kind = PAGE_BEGINS;
	p->bytes = 0;
	buffer_clear(&p->json);
	samples_begin(&p->samples, &p->said);
}

bool
page_feed(struct page *p, struct slice piece)
{
	if (piece.len > p->cap - p->bytes)
		return false;
	p->bytes += piece.len;
	while (p->kind == PAGE_BEGINS && piece.len > 0) {
		if (!json_is_blank(piece.at[0]))
			p->kind = piece.at[0] == '{' ? PAGE_OBJECT : PAGE_SAMPLES;
		else
			piece = slice_from(piece, 1);
	}
	if (p->kind == PAGE_OBJECT)
		return buffer_put(&p->json, piece) == 0;
	samples_feed(&p->samples, piece);
	return true;
}

bool
page_end(struct page *p)
{
	if (p->kind == PAGE_OBJECT)
		return info_read(buffer_slice(&p->json), &p->said) > 0;
	samples_end(&p->samples);
	return p->samples.known > 0;
}
