/*
 * Shipping: sealed batches to every output, verdicts back to the cursors.
 * The shipper thread owns the batches, libcurl's multi handle, the holds and
 * the dead letters.
 */
#ifndef SHIP_H
#define SHIP_H

#include "batch.h"
#include "conf.h"

/* The common options of outputs; first in each output's struct. */
struct output {
	char *match, *match_regex;
	char *alias;
	int64_t retry_limit; /* -1: until delivered */
	char *log_level, *workers;
};
extern const struct option output_options[]; /* the common rows of [OUTPUT] */

/**
 * output_takes(o, tag):
 * True when records of the tag ${tag} go to ${o}: Match_Regex is found in it, or it
 * matches Match.  Called once a stream, not once a record.
 */
bool output_takes(const struct output *o, struct slice tag);

/**
 * output_name(outputs, which):
 * The name of an [OUTPUT] in messages, metrics and dead letters, as the
 * caller's string: its Alias, else NAME.N, the Nth of that plugin.
 */
char *output_name(const struct section *const *outputs, size_t which);

extern const struct plugin es_plugin, opensearch_plugin, sqlite_plugin, stdout_plugin, null_plugin,
    file_plugin;

struct shipper;

/* Outputs with records of their own: each has a lane, and waits for no other. */
#define SHIP_LANES 16

/* A lane, as the reader sees it: stdout and null are shown what the first one ships. */
struct ship_lane {
	char *name;                         /* of its output; "main": it has none */
	struct range_book *book;            /* of its ranges */
	const struct document_rules *rules; /* by which its documents are encoded */
	uint32_t outputs;                   /* bit i: the i-th output is given its batches */
};

/**
 * shipper_new(outputs, n, state, batches, batch_bytes):
 * ${outputs} are [OUTPUT] sections.  A pool of ${batches} batches for each lane.  Return
 * NULL after saying why.  Starts no thread and no connection.
 */
struct shipper *shipper_new(const struct section *const *outputs, size_t n, struct state *state,
    unsigned batches, size_t batch_bytes);
void shipper_free(struct shipper *s);

/**
 * shipper_lanes(s), shipper_lane(s, lane):
 * How many lanes there are, from 1 to SHIP_LANES; one of them.
 */
unsigned shipper_lanes(const struct shipper *s);
const struct ship_lane *shipper_lane(const struct shipper *s, unsigned lane);

/**
 * ship_lanes(outputs, n):
 * The number of lanes that a shipper to ${outputs} has.
 *
 * ship_limit(outputs, n, batches, batch_bytes, heap, sockets):
 * The most memory that a shipper to ${outputs} takes, in bytes: in ${heap}, and in
 * the kernel's buffers of its connections.
 */
unsigned ship_lanes(const struct section *const *outputs, size_t n);
void ship_limit(const struct section *const *outputs, size_t n, unsigned batches,
    size_t batch_bytes, uint64_t *heap, uint64_t *sockets);

/**
 * ship_way(output, easy):
 * Give libcurl's handle ${easy} the versions and ciphers of TLS, and the way past proxies,
 * of ${output}, the section of an es or opensearch output.
 */
void ship_way(const struct section *output, void *easy);

/**
 * ship_check(conf, findings):
 * Add findings about outputs that cannot run beside each other.
 */
void ship_check(const struct conf *conf, struct findings *findings);

/**
 * ship_directories(conf):
 * Make the directories of outputs that are to be made (Mkdir): before the process gives
 * the right up.
 */
void ship_directories(const struct conf *conf);

/* The component template that outputs put. */
#define SHIP_COMPONENT "towline-mappings"

/**
 * ship_template(to, pattern, opensearch):
 * Append the index template for names of ${pattern} (NULL: the component template) in
 * OpenSearch's words or in Elasticsearch's.
 */
void ship_template(struct buffer *to, const char *pattern, bool opensearch);

/**
 * shipper_start(s, wake):
 * Start the thread; ${wake} is an eventfd that is written when a batch has
 * become free or parked logs may go on.  Return 0, or -1 after saying why.
 */
int shipper_start(struct shipper *s, int wake);

/**
 * shipper_take(s, lane), shipper_give(s, b), shipper_idle(s, lane):
 * The reader takes an empty batch of ${lane} (NULL: none is free), and gives it back
 * sealed (its ranges are sealed here).  shipper_idle: no record is on its way
 * to an output of ${lane}, so that a short linger is enough.
 */
struct batch *shipper_take(struct shipper *s, unsigned lane);
void shipper_give(struct shipper *s, struct batch *b);
bool shipper_idle(struct shipper *s, unsigned lane);

/**
 * shipper_lags(s, lane, bytes, apart):
 * So many bytes on disk the outputs of ${lane} have not got yet, and in so many logs
 * they are read for behind others: to be shown.
 */
void shipper_lags(struct shipper *s, unsigned lane, uint64_t bytes, uint64_t apart);

/**
 * shipper_stop(s, grace):
 * Deliver what was given, but to outputs that fail, for at most ${grace} ns (-1:
 * for ever), then stop the thread.  Return how many records were not delivered (they stay behind
 * the cursors), each once for every output that has not got it.
 */
uint64_t shipper_stop(struct shipper *s, int64_t grace);

/**
 * shipper_ready(s, why, size):
 * True when each durable output has answered once since the start, and no output
 * is away while records wait for it, or holds records; else the reason is written
 * to ${why}.
 */
bool shipper_ready(struct shipper *s, char *why, size_t size);

/**
 * shipper_fails(s):
 * The worst of its outputs that no waiting for an answer mends: FAILS_FOR_NOW on a
 * full device, FAILS_FOR_GOOD on a closed pipe or
 * descriptor.
 */
enum shipper_fails { FAILS_NOT, FAILS_FOR_NOW, FAILS_FOR_GOOD };
enum shipper_fails shipper_fails(const struct shipper *s);

#endif
