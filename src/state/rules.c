/*
 * Framing rules: their texts, which are few and stored once, and which stream
 * is cut by which of them from where on.  What a text means is tail's.
 */
#include <stdlib.h>

#include <xxhash.h>

#include "memory.h"
#include "state_internal.h"

static const char *
text_of(const struct state *s, uint64_t name)
{
	for (size_t i = 0; i < s->nrules; i++) {
		if (s->rules[i].name == name)
			return s->rules[i].text;
	}
	return NULL;
}

void
rules_keep(struct state *s, uint64_t name, const char *text)
{
	if (text_of(s, name) != NULL)
		return;
	s->rules = xrealloc(s->rules, (s->nrules + 1) * sizeof(*s->rules));
	s->rules[s->nrules++] = (struct rules_text){ name, xstrdup(text) };
}

/* Stored with the next commit: those of the rulings that name it come with it, or later. */
uint64_t
state_rules(struct state *s, struct slice text)
{
	uint64_t name = XXH3_64bits(text.at, text.len);
	char *copy = xslicedup(text);

	pthread_mutex_lock(&s->lock);
	rules_keep(s, name, copy);
	pthread_mutex_unlock(&s->lock);
	free(copy);
	return name;
}

const char *
state_rules_text(struct state *s, uint64_t rules)
{
	const char *text;

	pthread_mutex_lock(&s->lock);
	text = text_of(s, rules);
	pthread_mutex_unlock(&s->lock);
	return text;
}

static bool
is_in_use(const struct state *s, uint64_t name)
{
	const struct known *k;
	size_t at = 0;

	while ((k = map_next(s->streams, &at, NULL)) != NULL) {
		for (unsigned i = 0; i < k->stream.nrulings; i++) {
			if (k->stream.rulings[i].rules == name)
				return true;
		}
	}
	return false;
}

void
rules_prune(struct state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nrules; i++) {
		char *sql;

		if (is_in_use(s, s->rules[i].name)) {
			s->rules[kept++] = s->rules[i];
			continue;
		}
		sql = xprintf("DELETE FROM rules WHERE name = %lld", (long long)s->rules[i].name);
		sqlite3_exec(s->db, sql, NULL, NULL, NULL); /* a full disk: another time */
		free(sql);
		free(s->rules[i].text);
	}
	s->nrules = s->nrules_stored = kept;
}

/* ---- of a stream */

state_ticket
state_rulings(struct state *s, const struct identity *id, const struct ruling *at, unsigned n)
{
	struct known *k = known_take(s, id);

	k->stream.nrulings = n < RULINGS ? n : RULINGS;
	memcpy(k->stream.rulings, at, k->stream.nrulings * sizeof(*at));
	return known_put(s, k, true);
}

/* What stands behind `to` from now on is cut by the newest rules. */
void
rules_back(struct stream_state *is, uint64_t to)
{
	unsigned n = 0;

	if (is->nrulings == 0 || is->rulings[is->nrulings - 1].from <= to)
		return;
	while (is->rulings[n].from < to)
		n++;
	is->rulings[n] = (struct ruling){ to, is->rulings[is->nrulings - 1].rules, 1 };
	is->nrulings = n + 1;
}
