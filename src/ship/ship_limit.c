/* The most memory that batches and outputs take; the sum of all is src/limit.c's. */
#include <stdio.h>

#include "es.h"
#include "gzip.h"
#include "shipper.h"

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

/* How many hosts there are; one that is wrong is refused elsewhere. */
static uint64_t
hosts_of(const struct es_conf *conf)
{
	struct host hosts[HOSTS_MAX];
	char why[256];
	int n = hosts_parse(conf->host, (unsigned)conf->port, hosts, why, sizeof(why));

	return n > 0 ? (uint64_t)n : 1;
}

/*
 * An es output: its hold, and each request's body when it is compressed, which
 * is at most what the one batch is that grew for one document.
 */
static void
es_limit(const struct es_conf *conf, uint64_t largest, uint64_t *heap, uint64_t *sockets)
{
	uint64_t hosts = hosts_of(conf);
	uint64_t workers = (uint64_t)conf->workers + (hosts > 1 ? hosts : 0); /* and probes */
	uint64_t each = sizeof(struct es_request) + CURL_EACH;

	if (conf->compress) {
		each += 2 * largest;
		*heap += GZIP_MEMORY;
	}
	*heap += workers * each + sizeof(struct hold) + conf->hold_size + sizeof(struct batch);
	*heap += BATCH_ITEMS * sizeof(struct hold_note);
	*heap += 2 * MIB; /* the template and its answer */
	/* Connections are kept to each host; the kernel holds bytes for those at work. */
	*heap += (hosts - 1) * workers * IDLE_EACH;
	*sockets += (workers + 1) * (most_of("/proc/sys/net/ipv4/tcp_wmem") +
					most_of("/proc/sys/net/ipv4/tcp_rmem"));
}

void
ship_limit(const struct section *const *outputs, size_t n, unsigned batches, size_t batch_bytes,
    uint64_t *heap, uint64_t *sockets)
{
	/* One batch is taken below the budget, and may grow; what it replaces is copied. */
	uint64_t largest = (uint64_t)batch_bytes * BATCH_GROWTH, items = batches * BATCH_ITEMS;

	*heap = batches * (batch_bytes + sizeof(struct batch)) + 2 * largest;
	*heap += (batches + 2) * UINT64_C(1) * BATCH_ITEMS * RANGE_EACH;
	*sockets = 0;
	for (size_t i = 0; i < n; i++) {
		if (outputs[i]->plugin == &es_plugin || outputs[i]->plugin == &opensearch_plugin)
			es_limit(outputs[i]->values, largest, heap, sockets);
		else if (outputs[i]->plugin == &sqlite_plugin)
			*heap += SQLITE_EACH;
		if (i > 0) /* pieces and debts: of an item at worst */
			*heap += items * sizeof(struct debt);
	}
	*heap += items / 8 * sizeof(struct piece); /* batches that were bisected */
}
