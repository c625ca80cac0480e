/*
 * What is held, as a text: [["WHY",["STREAM",…]],…], the streams as hex; empty
 * when nothing is.  Sorted, so that an equal state is an equal text.
 */
#include "holds.h"

#include <stdlib.h>

#include "clock.h"
#include "json.h"
#include "shipper.h"

static void
note_add(struct shipper *s, struct hold_note **to, size_t *n, const struct item *item,
    const char *output, const char *why)
{
	struct hold_note note;

	if (item->range == NULL || (item->debt != NULL && item->debt->dropped) ||
	    !range_stream(s->book, item->range, &note.id))
		return;
	memset(note.why, 0, sizeof(note.why));
	snprintf(note.why, sizeof(note.why), "%s: %s", output, why);
	if (*n > 0 && memcmp(&(*to)[*n - 1], &note, sizeof(note)) == 0)
		return; /* items of one stream follow each other */
	if (*n % 64 == 0)
		*to = xrealloc(*to, (*n + 64) * sizeof(note));
	(*to)[(*n)++] = note;
}

void
holds_item(struct shipper *s, const struct item *item, const char *output, const char *why)
{
	note_add(s, &s->holds.held, &s->holds.nheld, item, output, why);
}

/* Each stream once, however many of its items are dropped. */
void
holds_parked(struct shipper *s, const struct item *item, const char *output, const char *why)
{
	struct holds *h = &s->holds;
	struct identity id;

	if (item->range == NULL || !range_stream(s->book, item->range, &id))
		return;
	for (size_t i = h->nparked; i-- > 0;) {
		if (memcmp(&h->parked[i].id, &id, sizeof(id)) == 0)
			return;
	}
	note_add(s, &h->parked, &h->nparked, item, output, why);
}

/* ---- the text */

static int
by_why(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hold_note));
}

static void
put_string(struct buffer *to, const char *text)
{
	char *at = buffer_need(to, JSON_WRITE_MAX(strlen(text)));

	to->len = (size_t)(json_write(at, slice_of(text)) - to->at);
}

static void
put_notes(struct buffer *to, struct hold_note *at, size_t n, const char *what)
{
	const struct hold_note *last = NULL;

	if (n > 1)
		qsort(at, n, sizeof(*at), by_why);
	for (size_t i = 0; i < n; last = &at[i++]) {
		char why[HOLD_WHY + 16];

		if (last != NULL && by_why(last, &at[i]) == 0)
			continue;
		if (last == NULL || strcmp(last->why, at[i].why) != 0) {
			snprintf(why, sizeof(why), "%s%s", what, at[i].why);
			buffer_put(to, last != NULL ? SLICE("]],[") : SLICE("["));
			put_string(to, why);
			buffer_put(to, SLICE(",["));
		} else {
			buffer_put(to, SLICE(","));
		}
		buffer_put(to, SLICE("\""));
		for (size_t j = 0; j < sizeof(at[i].id.at); j++)
			buffer_printf(to, "%02x", at[i].id.at[j]);
		buffer_put(to, SLICE("\""));
	}
	if (n > 0)
		buffer_put(to, SLICE("]]"));
}

static void
text_make(struct holds *h)
{
	buffer_clear(&h->next);
	if (h->nparked + h->nheld == 0)
		return;
	buffer_put(&h->next, SLICE("["));
	put_notes(&h->next, h->parked, h->nparked, "parked, ");
	if (h->nparked > 0 && h->nheld > 0)
		buffer_put(&h->next, SLICE(","));
	put_notes(&h->next, h->held, h->nheld, "");
	buffer_put(&h->next, SLICE("]"));
}

void
holds_turn(struct shipper *s, int64_t now)
{
	struct holds *h = &s->holds;
	struct buffer before;

	if (now < h->due)
		return;
	h->due = now + NS_PER_S;
	for (size_t i = 0; i < s->nsinks; i++) {
		if (s->sinks[i].type->holds != NULL)
			s->sinks[i].type->holds(&s->sinks[i]);
	}
	text_make(h);
	h->nheld = 0;
	if (slice_eq(buffer_slice(&h->next), buffer_slice(&h->text)))
		return;
	pthread_mutex_lock(&s->lock);
	before = h->text;
	h->text = h->next;
	h->next = before;
	h->version++;
	pthread_mutex_unlock(&s->lock);
}

bool
shipper_holds(struct shipper *s, uint64_t *version, struct buffer *to)
{
	bool moved;

	pthread_mutex_lock(&s->lock);
	moved = s->holds.version != *version;
	*version = s->holds.version;
	if (moved)
		buffer_put(to, buffer_slice(&s->holds.text));
	pthread_mutex_unlock(&s->lock);
	return moved;
}

void
holds_fini(struct holds *h)
{
	free(h->parked);
	free(h->held);
	buffer_fini(&h->text);
	buffer_fini(&h->next);
}
