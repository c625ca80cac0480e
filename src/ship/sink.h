/*
 * An output at work: one file each in src/ship/, driven by the shipper
 * thread alone.  Inside src/ship/ alone.
 *
 *	shipper -- give --> sink ... ship_settle each item, ship_return the batch
 */
#ifndef SINK_H
#define SINK_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "metrics.h"
#include "ship.h"
#include "voice.h"

#define NEVER INT64_MAX

struct sink;
struct dead;

struct sink_type {
	const struct plugin *plugin;
	bool durable; /* an item waits for it; else it is shown the batch and has no say */
	/* Fill the sink from its section; -1 after saying why. */
	int (*open)(struct sink *s);
	void (*close)(struct sink *s);
	/* Take a batch; a durable sink keeps it until ship_return. */
	void (*give)(struct sink *s, struct batch *b);
	/* Do what is due; return when to be called again (mono ns), or NEVER. */
	int64_t (*turn)(struct sink *s, int64_t now);
	/* Call holds_item() for all that it holds; NULL: it never holds. */
	void (*holds)(struct sink *s);
};

/* What the shipper knows of each. */
struct sink {
	const struct sink_type *type;
	const struct section *section;
	struct shipper *shipper;
	struct output_metrics *metrics;
	const char *name; /* alias, else NAME.N */
	uint8_t index;    /* which [OUTPUT] */
	void *own;        /* the output's */
	atomic_bool answered;
	atomic_uint held;            /* items in its hold, and those it has parked */
	_Atomic(const char *) waits; /* why it is not ready; a constant, NULL: it is */
};

extern const struct sink_type es_sink, opensearch_sink, sqlite_sink, stdout_sink, null_sink;

/* A request that the shipper's multi handle carries; CURLOPT_PRIVATE points to it. */
struct exchange {
	void (*done)(struct exchange *x, CURLcode code);
	CURL *easy;
};

/* An item that has left its batch while other outputs have yet to settle it. */
struct debt {
	unsigned owed;
	bool dropped; /* by one of them: its stream is parked */
	struct range *range;
};

/* What a sink asks of the shipper. */
CURLM *ship_multi(struct shipper *s);
struct dead *ship_dead(struct shipper *s);
bool ship_stopping(const struct shipper *s);

/**
 * ship_settle(s, item), ship_drop(sink, item, why):
 * The sink has done with ${item}: taken by the server, dead-lettered, or given
 * up; or it has no room for it: its stream is parked, and ${why} is said to who
 * asks.
 */
void ship_settle(struct shipper *s, struct item *item);
void ship_drop(struct sink *sink, struct item *item, const char *why);

/**
 * ship_keep(s, from, to):
 * ${from} leaves its batch: ${to}, a copy in the sink's hold, stands for it.
 */
void ship_keep(struct shipper *s, struct item *from, struct item *to);

/**
 * ship_unpark(s):
 * Parked streams may go on: they are read again.
 */
void ship_unpark(struct shipper *s);

/**
 * ship_return(s, b):
 * The sink is done with the batch.
 */
void ship_return(struct shipper *s, struct batch *b);

/**
 * es_rules(sinks, n, rules):
 * How documents are to be encoded for the es and opensearch outputs among
 * ${sinks}; -1 after saying why these cannot share one encoding.
 */
int es_rules(const struct sink *sinks, size_t n, struct document_rules *rules);

static inline struct slice
item_id(const struct batch *b, const struct item *item)
{
	/* …"_id":"ID"}}\n stands at the action line's end */
	return (struct slice){ b->body.at + item->document - 4 - DOCUMENT_ID, DOCUMENT_ID };
}

static inline struct slice
item_document(const struct batch *b, const struct item *item)
{
	return (struct slice){ b->body.at + item->document, item->end - item->document };
}

#endif
