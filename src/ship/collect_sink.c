/*
 * The sink of a rehearsal: it keeps the documents.  Their order is that of the
 * records' times, and of one time that of the lines, however threads and batches fell.
 */
#include "collect_sink.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "es_conf.h"
#include "es_index.h"
#include "json.h"

static struct collections *collecting; /* NULL: this is no rehearsal */

void
collect_begin(struct collections *to)
{
	collecting = to;
}

static void
collection_free(struct collection *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->at[i].id);
		free(c->at[i].line);
	}
	free(c->at);
	free(c->name);
}

void
collect_end(struct collections *c)
{
	for (size_t i = 0; i < c->n; i++)
		collection_free(&c->at[i]);
	free(c->at);
	*c = (struct collections){ 0 };
}

/* ---- a document */

/* The member ${name} of an action line, {"create":{"_index":"…","_id":"…"}}: a string as JSON has it. */
static struct slice
action_member(const struct batch *b, const struct item *item, struct slice name)
{
	struct slice line = { b->body.at + item->action, item->document - item->action }, key;
	struct json_walk walk;
	struct json_value value;

	json_enter(&walk, line);
	if (json_next(&walk, &key, &value) != PARSE_OK)
		return SLICE("");
	return json_member(value.text, name, &value) ? value.text : SLICE("");
}

static char *
line_of(const struct sink *s, const struct batch *b, const struct item *item)
{
	const struct es_conf *es = es_options_of(s->section);
	struct slice document = item_document(b, item), index;

	if (es == NULL)
		return xslicedup(document);
	index = action_member(b, item, SLICE("_index"));
	if (index.len == 0)
		index = slice_of(es_index_fixed(es));
	return xprintf("{\"_index\":\"%.*s\",\"_source\":%.*s}", (int)index.len, index.at,
	    (int)document.len, document.at);
}

/* URL-safe base64 in characters that sort as the bytes do. */
static char *
id_of(const struct batch *b, const struct item *item)
{
	static const char base64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *id = xslicedup(action_member(b, item, SLICE("_id")));

	for (char *at = id; *at != '\0'; at++) {
		const char *found = strchr(base64, *at);

		*at = found != NULL ? (char)('0' + (found - base64)) : *at;
	}
	return id;
}

/* ---- the sink */

static struct collection *
mine(const struct sink *s)
{
	return &collecting->at[(size_t)(uintptr_t)s->own];
}

static int
collect_open(struct sink *s)
{
	struct collections *c = collecting;

	c->at = xrealloc(c->at, (c->n + 1) * sizeof(*c->at));
	c->at[c->n] = (struct collection){ .name = xstrdup(s->name) };
	s->own = (void *)(uintptr_t)c->n++;
	atomic_store(&s->answered, true);
	return 0;
}

static void
collect_give(struct sink *s, struct batch *b)
{
	struct collection *c = mine(s);

	for (uint32_t i = 0; i < b->nitems; i++) {
		const struct item *item = &b->items[i];

		c->at = xrealloc(c->at, (c->n + 1) * sizeof(*c->at));
		c->at[c->n] =
		    (struct collected){ item->time, id_of(b, item), c->n, line_of(s, b, item) };
		c->n++;
		metrics_delivered(s->metrics, item->time, item_document(b, item).len, item->time);
		delivery_settle(s->delivery, item);
	}
	delivery_return(s->delivery, b);
}

static int64_t
collect_turn(struct sink *s, int64_t now)
{
	(void)s;
	(void)now;
	return NEVER;
}

static int
compare(const void *left, const void *right)
{
	const struct collected *a = left, *b = right;
	int by_id = strcmp(a->id, b->id);

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (by_id != 0)
		return by_id;
	return a->arrived < b->arrived ? -1 : 1;
}

static void
collect_close(struct sink *s)
{
	struct collection *c = mine(s);

	if (c->n > 0)
		qsort(c->at, c->n, sizeof(*c->at), compare);
}

const struct sink_type *
collect_sink_type(const struct sink_type *type)
{
	static struct sink_type sink = {
		.durable = true,
		.open = collect_open,
		.close = collect_close,
		.give = collect_give,
		.turn = collect_turn,
	};

	return collecting == NULL || type == &null_sink ? type : &sink;
}
