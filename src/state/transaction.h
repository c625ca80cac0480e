/* Inside the state: what one transaction writes. */
#ifndef TRANSACTION_H
#define TRANSACTION_H

#include "state_internal.h"

/* One stream as it is to be written: a copy, made under the lock. */
struct stream_change {
	struct known is; /* its path and breaks are the copy's own */
	uint64_t passed[SIDES];
};

struct transaction {
	struct stream_change *streams;
	size_t n, size;
	char **texts; /* key, value, key, value, …; a NULL value: delete */
	size_t ntexts;
	char **metadata; /* the same; an empty value: delete */
	size_t nmetadata;
	struct holds_table holds;
	struct identity *forgotten;
	size_t nforgotten;
	int64_t forgotten_to;
	struct rules_text *rules; /* the texts are the state's own */
	size_t nrules, rules_end; /* with them so many are stored */
	state_ticket ticket;
};

/**
 * transaction_take(s, all), transaction_give_back(s, all), transaction_free(all):
 * Under the lock: copy to ${all} what has changed, which has not from now on;
 * it has again, for ${all} was not written; free the copy.
 */
void transaction_take(struct state *s, struct transaction *all);
void transaction_give_back(struct state *s, struct transaction *all);
void transaction_free(struct transaction *all);

/**
 * transaction_write(s, all):
 * Write ${all} in one transaction, without the lock.  Return -1 when that
 * failed: it is to be rolled back.
 */
int transaction_write(struct state *s, const struct transaction *all);

#endif
