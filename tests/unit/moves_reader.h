/* The reader of test_moves.c: turns, a server that answers as it likes, counters, kills. */
#ifndef MOVES_READER_H
#define MOVES_READER_H

#include "moves.h"
#include "own_joins.h"

/* ---- the index: the first text under an id stays */

static struct record_id *documents;
static size_t ndocuments;
static unsigned taken_before; /* records that were never sent, as tail says, and are there */

static bool
index_has(const struct record_id *id)
{
	for (size_t i = 0; i < ndocuments; i++) {
		if (record_id_equal(&documents[i], id))
			return true;
	}
	return false;
}

static void
index_take(const struct record_id *id, struct slice text)
{
	if (index_has(id))
		return;
	documents = realloc(documents, (ndocuments + 1) * sizeof(*documents));
	documents[ndocuments++] = *id;
	lines_in(text, fate_delivered);
}

/* ---- on the way */

struct sent {
	struct record_id id;
	char *text;
	size_t len; /* there may be NUL bytes in it */
	struct flight flight;
};

static struct sent sent[20000];
static size_t nsent;
static unsigned room; /* so many records are taken before the next is refused */

static void
sent_drop(size_t i)
{
	free(sent[i].text);
	memmove(&sent[i], &sent[i + 1], (--nsent - i) * sizeof(sent[0]));
}

static void
sent_deliver(struct sent *s)
{
	index_take(&s->id, (struct slice){ s->text, s->len });
}

/* ---- what tail calls */

static bool killing;

static void
moves_stream(void *arg, struct stream *stream, bool begins)
{
	struct world *w = arg;

	on_stream(arg, stream, begins);
	TRACE("   %s %s\n", stream_name(stream), begins ? "begins" : "ends");
	if (begins)
		tally_begins(w->state, stream);
	else
		tally_ends(w->state, w->book, stream, killing);
}

static void
count(const struct framed *f)
{
	bool fresh = tally_take(f);

	TRACE("   %scounted: %s: %.*s\n", fresh ? "" : "not ", record_where(f), (int)f->text.len,
	    f->text.at);
	if (fresh)
		lines_in(f->text, fate_counted);
}

static bool
moves_count(void *arg, const struct framed *f)
{
	(void)arg;
	count(f);
	return true;
}

static bool
moves_record(void *arg, const struct framed *f)
{
	struct world *w = arg;
	struct sent *s = &sent[nsent];

	if (room == 0 || nsent == COUNT(sent))
		return false;
	room--;
	*s = (struct sent){ .id = record_id(f), .text = xslicedup(f->text), .len = f->text.len };
	TRACE("   sent%s: %s: %.*s\n", f->fresh ? " first" : "", record_where(f), (int)f->text.len,
	    f->text.at);
	taken_before += f->fresh && index_has(&s->id);
	assert_true(record_send(w->book, f, ++w->batch, 1, &s->flight));
	record_seal(w->book, s->flight);
	nsent++;
	lines_in(f->text, fate_offered);
	count(f);
	return true;
}

/* ---- turns */

static void
counts_post(struct world *w)
{
	tallies_post(w->state, w->book);
	TRACE("post\n");
	for (unsigned i = 0; i < nlines; i++)
		fates[i].posted = fates[i].counted;
}

static void
turn(struct world *w)
{
	now_ns += any(40) * NS_PER_MS;
	TRACE("  turn %ld\n", (long)(now_ns / NS_PER_MS));
	tail_told(w->tail);
	tail_turn(w->tail, room > 0);
	if (any(3) > 0)
		tail_count(w->tail);
}

/* ---- lives */

/* A line that is alone, `{#1;}`, is of none of these records. */
static const struct own_words own_rules[] = {
	{ { "regex", "2", "start_state", "/^ERROR/", "t", "t", "/^\\tat /", "t" } },
	{ { "regex", "2", "start_state, u", "/^(plain|\\{\\} |more)/", "t", "t",
	    "/^(\\tat|plain|\\{\\} )/", "t" } },
};

static void
life_begins(struct world *w)
{
	const struct tail_conf *conf = &w->conf;

	if (kinds & OWN)
		own_joins(&w->conf, own_rules, COUNT(own_rules));
	w->book = range_book_new(w->state, 40000);
	w->tail = tail_make(conf, w->state, w->book, moves_record, moves_count, moves_stream, w);
}

/* A kill: of the counters the state holds what was posted. */
static void
life_ends(struct world *w)
{
	TRACE("KILL\n");
	while (nsent > 0) {
		if (any(2) == 0)
			sent_deliver(&sent[0]);
		sent_drop(0);
	}
	killing = true;
	tail_free(w->tail);
	killing = false;
	range_book_free(w->book);
	state_kill(w->state);
	state_reboot(w->state, false);
	for (unsigned i = 0; i < nlines; i++)
		fates[i].counted = fates[i].posted;
}

/* ---- the server */

static void
some_settle(struct world *w)
{
	for (unsigned n = any(10); n > 0 && nsent > 0; n--) {
		size_t i = any((unsigned)nsent < 5 ? (unsigned)nsent : 5);

		sent_deliver(&sent[i]);
		TRACE("   settle %s\n", sent[i].text);
		record_settle(w->book, sent[i].flight);
		sent_drop(i);
	}
}

static void
some_park(struct world *w)
{
	for (unsigned n = any(4); n > 0 && nsent > 0; n--) {
		TRACE("park %s\n", sent[0].text);
		record_park(w->book, sent[0].flight);
		sent_drop(0);
	}
}

static void
all_settle(struct world *w)
{
	while (nsent > 0) {
		sent_deliver(&sent[0]);
		record_settle(w->book, sent[0].flight);
		sent_drop(0);
	}
}

#endif
