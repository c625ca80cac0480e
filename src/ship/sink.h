/*
 * An output at work: one file each in src/ship/, driven by the shipper
 * thread alone.  Inside src/ship/ alone.
 *
 *	shipper -- give --> sink ... delivery_settle each item, delivery_return the batch
 */
#ifndef SINK_H
#define SINK_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "delivery.h"
#include "metrics.h"
#include "ship.h"
#include "voice.h"

#define NEVER INT64_MAX

struct sink;
struct dead_letters;
struct hold_report;

struct sink_type {
	const struct plugin *plugin;
	bool durable; /* the cursors wait for it; else it is only shown the batches */
	/* Fill the sink from its section; -1 after saying why. */
	int (*open)(struct sink *s);
	void (*close)(struct sink *s);
	/* Take a batch; a durable sink keeps it until delivery_return. */
	void (*give)(struct sink *s, struct batch *b);
	/* Do all that is due; return the time of the next call (mono ns), or NEVER. */
	int64_t (*turn)(struct sink *s, int64_t now);
	/* The number of deliveries that it cannot make as things are; NULL: 0. */
	uint64_t (*stuck)(struct sink *s);
	/* Call hold_report_item() for each item of its hold; NULL: it has none. */
	void (*report)(struct sink *s);
};

#define SINKS_MAX 32 /* bits of a route */

/* An output as the shipper sees it, with the parts of the shipper that it may use. */
struct sink {
	const struct sink_type *type;
	const struct section *section;
	const char *name; /* alias, else NAME.N */
	struct output_metrics *metrics;
	struct delivery *delivery;
	struct hold_report *report;
	struct dead_letters *dead;
	CURLM *multi;
	void *own; /* of the output */
	atomic_bool answered;
	atomic_uint held; /* items in its hold, and those it has parked */
	_Atomic(const char *)
	    waits; /* the reason why it is not ready, a constant; NULL: it is ready */
	_Atomic(enum shipper_fails) fails;
};

extern const struct sink_type es_sink, opensearch_sink, sqlite_sink, stdout_sink, null_sink,
    file_sink;

/* A request that the shipper's multi handle carries; CURLOPT_PRIVATE points to it. */
struct exchange {
	void (*done)(struct exchange *x, CURLcode code);
	CURL *easy;
};

static inline struct slice
item_id(const struct batch *b, const struct item *item)
{
	/* …"_id":"ID"}}\n stands at the action line's end */
	return (struct slice){ b->body.at + item->document - 4 - item->id_len, item->id_len };
}

static inline struct slice
item_document(const struct batch *b, const struct item *item)
{
	return (struct slice){ b->body.at + item->document, item->end - item->document };
}

/* The record's tag, which stands behind the document where rules.keeps_tag is set. */
static inline struct slice
item_tag(const struct batch *b, uint32_t i)
{
	uint32_t from = b->items[i].end + 1;
	size_t to = i + 1 < b->nitems ? b->items[i + 1].action : b->body.len;

	return (struct slice){ b->body.at + from, to - from };
}

#endif
