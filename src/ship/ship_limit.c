/* The most memory that batches and outputs take; src/limit.c adds the other parts. */
#include <stdio.h>

#include "es_hold.h"
#include "es_index.h"
#include "es_request.h"
#include "gzip.h"
#include "hosts.h"
#include "lanes.h"
#include "state.h"

#define MIB (UINT64_C(1) << 20)
#define CURL_EACH (512u << 10) /* a request's curl: its buffers, TLS records, the header lines */
#define IDLE_EACH (64u << 10)  /* a kept connection: TLS state */
#define RANGE_EACH 96u         /* of the book: a range, and malloc's */
#define SQLITE_EACH (8 * MIB)  /* page cache 2 MB, the journal's index, statements */
#define SOCKET_EACH (16 * MIB) /* when the kernel does not say */

/* The third number of a sysctl: the most of a socket's buffer. */
static uint64_t
most_of(const char *path)
{
	unsigned long long least, usual, most;
	FILE *file = fopen(path, "re");
	bool found;

	if (file == NULL)
		return SOCKET_EACH / 2;
	found = fscanf(file, "%llu %llu %llu", &least, &usual, &most) == 3;
	fclose(file);
	return found ? most : SOCKET_EACH / 2;
}

/* The number of hosts; es_options.c refuses a wrong list. */
static uint64_t
hosts_of(const struct es_conf *conf)
{
	struct host hosts[HOSTS_MAX];
	char why[256];
	int n = hosts_parse(conf->host, (unsigned)conf->port, hosts, why, sizeof(why));

	return n > 0 ? (uint64_t)n : 1;
}

/*
 * An es output: its hold, and the compressed body of each request, at most as
 * large as the largest batch.
 */
static void
es_limit(const struct es_conf *conf, uint64_t largest, uint64_t *heap, uint64_t *sockets)
{
	uint64_t hosts = hosts_of(conf);
	uint64_t workers = (uint64_t)conf->workers + (hosts > 1 ? hosts : 0); /* and probes */
	uint64_t each = es_request_limit() + CURL_EACH;

	if (conf->compress) {
		each += 2 * largest;
		*heap += GZIP_MEMORY;
	}
	*heap +=
	    workers * each + es_hold_limit(conf) + es_group_limit(es_index_fixed(conf) != NULL);
	*heap += 2 * BATCH_ITEMS * sizeof(struct state_hold); /* of the report, and the state's */
	*heap += 2 * MIB;                                     /* the template and its answer */
	/* Connections are kept to each host; the kernel holds bytes for those at work. */
	*heap += (hosts - 1) * workers * IDLE_EACH;
	*sockets += (workers + 1) * (most_of("/proc/sys/net/ipv4/tcp_wmem") +
					most_of("/proc/sys/net/ipv4/tcp_rmem"));
}

unsigned
ship_lanes(const struct section *const *outputs, size_t n)
{
	unsigned lane[SINKS_MAX];

	return lanes_plan(outputs, n < SINKS_MAX ? n : SINKS_MAX, lane);
}

void
ship_limit(const struct section *const *outputs, size_t n, unsigned batches, size_t batch_bytes,
    uint64_t *heap, uint64_t *sockets)
{
	/* One batch may grow for a large document, and is copied while it does. */
	uint64_t largest = (uint64_t)batch_bytes * BATCH_GROWTH, items = batches * BATCH_ITEMS;

	*heap = batches * (batch_bytes + sizeof(struct batch)) + 2 * largest;
	*heap += (batches + 2) * UINT64_C(1) * BATCH_ITEMS * RANGE_EACH;
	*heap += items / 8 * sizeof(struct piece); /* batches that were bisected */
	*heap *= ship_lanes(outputs, n);
	*sockets = 0;
	for (size_t i = 0; i < n; i++) {
		const struct es_conf *es = es_options_of(outputs[i]);

		if (es != NULL)
			es_limit(es, largest, heap, sockets);
		else if (outputs[i]->plugin == &sqlite_plugin)
			*heap += SQLITE_EACH;
		else if (outputs[i]->plugin == &file_plugin)
			*heap += 2 * largest; /* lines that are written at once */
	}
}
