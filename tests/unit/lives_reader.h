/*
 * One life of a reader: batches, a server, turns.  tail, the state, the book of
 * ranges and count.c are the real ones; what stands between them is as in
 * reader.c and the shipper.
 */
#ifndef LIVES_READER_H
#define LIVES_READER_H

#include "lives_ground.h"

#include "own_joins.h"
#include "tail_adapter.h"

/* ---- batches */

#define BATCHES 4
#define ITEMS 12

struct sent_item {
	struct flight flight;
	char *line; /* as the server writes it down */
	bool fresh; /* as said, and not sent since */
	bool settled;
};

struct sent {
	enum { FREE, FILLING, SEALED, SENT } is;
	uint64_t number;
	struct flight flights[ITEMS]; /* the first of each log and side */
	unsigned nflights, nitems, size, left;
	struct sent_item items[ITEMS];
	state_ticket after;
};

struct life {
	struct pipeline p;
	struct filling filling; /* its only lane */
	struct tail_conf conf;
	char *path;
	struct sent batches[BATCHES];
	unsigned nbatches;
	uint64_t number;
	bool starved, filters, heals;
	bool stalled;     /* the server answers nothing */
	unsigned refuses; /* one record in so many, for no reason; 0: none */
	unsigned drops;   /* one item in so many is dropped from memory; 0: none */
	unsigned publishes;
	uint64_t offered;
	int server;
};

static struct sent *
batch_of(struct life *l, int is)
{
	for (unsigned i = 0; i < l->nbatches; i++) {
		if ((int)l->batches[i].is == is)
			return &l->batches[i];
	}
	return NULL;
}

static bool
batches_done(struct life *l)
{
	return batch_of(l, FILLING) == NULL && batch_of(l, SEALED) == NULL &&
	       batch_of(l, SENT) == NULL;
}

static void
batch_free_if_done(struct sent *b)
{
	if (b->is != SENT || b->left > 0)
		return;
	for (unsigned i = 0; i < b->nitems; i++)
		free(b->items[i].line);
	*b = (struct sent){ 0 };
}

static void
batch_seal(struct life *l, struct sent *b)
{
	for (unsigned i = 0; i < b->nflights; i++)
		record_seal(l->filling.book, b->flights[i]);
	b->is = SEALED;
	b->left = b->nitems;
	trace("batch %llu sealed: %u items", (unsigned long long)b->number, b->nitems);
	point();
}

static struct sent *
batch_filling(struct life *l)
{
	struct sent *b = batch_of(l, FILLING);

	if (b != NULL)
		return b;
	b = batch_of(l, FREE);
	if (b == NULL)
		return NULL;
	b->is = FILLING;
	b->number = ++l->number;
	b->size = 1 + any(ITEMS);
	return b;
}

/* ---- the server: what was sent is there, whatever becomes of the answer */

static void
server_write(const struct life *l, bool fresh, const char *line)
{
	assert_int_equal(dprintf(l->server, "%d %s", fresh, line), strlen(line) + 2);
}

static char *
line_of(const struct framed *f, bool keep)
{
	struct record_id id = record_id(f);
	struct buffer line;

	buffer_init(&line, 0);
	for (int i = 0; i < 16; i++)
		buffer_printf(&line, "%02x", id.content.at[i]);
	buffer_printf(&line, "-%llu-%08x %d %d %zu ~", (unsigned long long)id.offset, id.hash,
	    f->side, !keep, f->text.len);
	buffer_put(&line, f->text);
	buffer_put(&line, (struct slice){ "\n", 2 });
	return line.at;
}

static void
batch_send(struct life *l, struct sent *b)
{
	if (b->after != 0 && state_durable(l->p.state) < b->after)
		return;
	for (unsigned i = 0; i < b->nitems; i++) {
		bool fresh = b->items[i].fresh && !record_is_left(b->items[i].flight);

		b->items[i].fresh = false;
		if (!l->heals && one_in(8)) /* not taken: it waits, or is dropped */
			continue;
		server_write(l, fresh, b->items[i].line);
		free(b->items[i].line);
		b->items[i].line = NULL;
		point();
	}
	b->is = SENT;
	batch_free_if_done(b);
}

static void
item_settle(struct life *l, struct sent *b, struct sent_item *item)
{
	if (item->settled)
		return;
	if (item->line != NULL) {
		if (l->drops > 0 && one_in(l->drops)) {
			trace("dropped: %s", item->line);
			record_park(l->filling.book, item->flight);
			item->settled = true;
			b->left--;
			return;
		}
		if (!l->heals && !one_in(3))
			return;
		server_write(l, false, item->line);
		free(item->line);
		item->line = NULL;
		point();
	}
	record_settle(l->filling.book, item->flight);
	item->settled = true;
	b->left--;
	point();
}

static void
batch_answered(struct life *l, struct sent *b)
{
	unsigned n = l->heals ? b->nitems : any(b->nitems + 1), from = any(b->nitems + 1);

	for (unsigned i = 0; i < n; i++)
		item_settle(l, b, &b->items[(from + i) % b->nitems]);
	batch_free_if_done(b);
}

static void
shipper_works(struct life *l)
{
	if (l->stalled)
		return;
	for (unsigned n = 0; n < l->nbatches; n++) {
		struct sent *b = &l->batches[l->heals ? n : any(l->nbatches)];

		if (b->is == SEALED)
			batch_send(l, b);
		else if (b->is == SENT)
			batch_answered(l, b);
	}
	if (l->drops > 0 && one_in(12)) {
		trace("unparked");
		records_unpark(l->filling.book);
	}
}

/* ---- records, as in reader.c */

static bool
put_into(struct life *l, struct sent *b, const struct framed *f, bool keep)
{
	bool first = record_is_first(f, b->number);
	struct flight flight;

	if ((first && b->nflights == ITEMS) || b->nitems == b->size ||
	    !record_send(l->filling.book, f, b->number, keep, &flight))
		return false;
	if (first)
		b->flights[b->nflights++] = flight;
	if (keep)
		b->items[b->nitems++] = (struct sent_item){
			.flight = flight, .line = line_of(f, true), .fresh = f->fresh
		};
	if (record_after(f) > b->after)
		b->after = record_after(f);
	return true;
}

static void
record_filtered(const struct life *l, const struct framed *f)
{
	char *line = line_of(f, false);

	server_write(l, false, line);
	free(line);
}

static bool
record_take(struct life *l, const struct framed *f, bool keep)
{
	struct sent *b = batch_filling(l);

	if (b != NULL && put_into(l, b, f, keep))
		return true;
	if (b == NULL)
		return false;
	batch_seal(l, b);
	b = batch_filling(l);
	return b != NULL && put_into(l, b, f, keep);
}

static void
record_say(const char *what, const struct framed *f)
{
	trace("%s %s '%.*s'", what, record_where(f), (int)f->text.len, f->text.at);
}

static bool
on_record(void *arg, const struct framed *f)
{
	struct life *l = arg;
	bool keep = !l->filters || !slice_starts(f->text, SLICE("DROP"));

	point();
	l->starved = (l->refuses > 0 && one_in(l->refuses)) || !record_take(l, f, keep);
	record_say(l->starved ? "refused" : "taken", f);
	if (l->starved)
		return false;
	if (!keep)
		record_filtered(l, f);
	counting = f;
	count_record(&l->p, f);
	l->offered++;
	return true;
}

static bool
on_count(void *arg, const struct framed *f)
{
	struct life *l = arg;

	point();
	record_say("ahead", f);
	if (!flow_has(f)) {
		counting = f;
		count_record(&l->p, f);
	}
	return true;
}

static void
on_stream(void *arg, struct stream *stream, bool begins)
{
	struct life *l = arg;

	point();
	trace("%s %s", stream_name(stream), begins ? "begins" : "ends");
	if (begins)
		flow_begins(&l->p, stream);
	else
		flow_ends(&l->p, stream);
}

/* ---- turns, as in reader.c */

static bool
has_room(struct life *l)
{
	return !l->starved || batch_of(l, FREE) != NULL;
}

static void
publish(struct life *l)
{
	struct tail_figures figures;

	tail_figures(l->p.tail, &figures);
	count_publish(&l->p, figures.unread > 0);
	point();
}

static void
reader_turn(struct life *l, int wait)
{
	struct sent *b;
	bool room;

	tail_wait(l->p.tail, -1, wait);
	room = has_room(l);
	l->starved = !room;
	tail_turn(l->p.tail, room);
	tail_count(l->p.tail);
	point();
	b = batch_of(l, FILLING);
	if (b != NULL && (l->heals || one_in(3)))
		batch_seal(l, b);
	if (one_in(l->publishes))
		publish(l);
	if (one_in(6))
		store_works();
}

/* ---- a life */

/* The judge knows that a trace joins. */
static const struct own_words own_rules[] = {
	{ { "regex", "2", "start_state", "/^(ERROR |a\\.b\\.C)/", "t", "t", "/^(\\tat |a\\.b\\.C)/",
	    "t" } },
	{ { "first", "/^(INFO|a\\.b|ERROR|\\{)/" } },
	{ { "endswith", "0", " x" } },
};

static void
life_begins(struct life *l, const char *dir, bool filters)
{
	static char tag[] = "t.*", key[] = "log";
	char *state_path = xprintf("%s/state", dir), *server = xprintf("%s/server", dir);
	const struct tail_conf *conf = &l->conf;

	*l = (struct life){ .filters = filters };
	l->path = xprintf("%s/containers/*.log", dir);
	l->conf = (struct tail_conf){
		.input = { .tag = tag, .metrics = metrics_input("tail.0") },
		.from.path = { .at = &l->path, .n = 1 },
		.read_from_head = true,
		.refresh_interval = 200 * NS_PER_MS,
		.rotate_wait = (1 + any(3)) * 50 * NS_PER_MS,
		.flush = LEAST_FLUSH * (1 + any(3)),
		.buffer_max_size = 32768 << any(2),
		.max_files = 1000,
		.key = key,
	};
	if (kinds & OWN)
		own_joins(&l->conf, own_rules, COUNT(own_rules));
	l->nbatches = 1 + any(BATCHES);
	l->refuses = one_in(2) ? 0 : 2 + any(20);
	l->drops = one_in(2) ? 0 : 2 + any(8);
	l->publishes = one_in(4) ? 60 : 1 + any(8);
	l->server = open(server, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	store_begins();
	l->p.state = state_open(state_path);
	assert_non_null(l->p.state);
	sem_wait(&store_waits);
	l->filling.book = range_book_new(l->p.state, 4096);
	l->p.filling = &l->filling;
	l->p.nlanes = 1;
	LIST_INIT(&l->p.flows);
	count_restore(&l->p);
	l->p.tail = tail_make(conf, l->p.state, l->filling.book, on_record, on_count, on_stream, l);
	free(state_path);
	free(server);
}

static void
life_ends(struct life *l)
{
	struct sent *b = batch_of(l, FILLING);

	if (b != NULL)
		batch_seal(l, b);
	publish(l);
	for (unsigned n = l->heals ? 200 : any(10); n > 0 && !batches_done(l); n--) {
		store_works();
		shipper_works(l);
	}
	count_finish(&l->p);
	shared->records = l->p.counting.now.records;
	memcpy(shared->counted, counted, sizeof(counted));
	tail_free(l->p.tail);
	range_book_free(l->filling.book);
	store_ends();
	state_close(l->p.state);
	for (unsigned i = 0; i < l->nbatches; i++) {
		for (unsigned j = 0; j < l->batches[i].nitems; j++)
			free(l->batches[i].items[j].line);
	}
	free(l->path);
	close(l->server);
}

/* Between turns the world goes on; asked for through a pipe, since files belong to who writes them. */
static void
life_lives(struct life *l, int ask, int answer)
{
	static const int waits[] = { 0, 0, 1, 5, 20, 20 };
	char byte = 0;

	for (unsigned n = 5 + any(60); n > 0; n--) {
		if (!one_in(3) && (write(ask, &byte, 1) != 1 || read(answer, &byte, 1) != 1))
			_exit(1);
		if (one_in(10))
			l->stalled = !l->stalled;
		if (one_in(12))
			time_passes((30 + any(200)) * NS_PER_MS);
		reader_turn(l, waits[any(COUNT(waits))]);
		for (unsigned i = any(3); i > 0; i--)
			shipper_works(l);
	}
}

/* All is read and delivered: nothing has come for longer than a cut line waits. */
static void
life_heals(struct life *l)
{
	uint64_t offered = l->offered;
	int64_t until = clock_mono() + 6000 * NS_PER_S;
	unsigned still = 0;

	l->heals = true;
	l->refuses = l->drops = 0;
	l->stalled = false;
	while (still < 80 && clock_mono() < until) {
		struct sent *b;

		reader_turn(l, 20);
		for (b = batch_of(l, SEALED); b != NULL; b = batch_of(l, SEALED)) {
			store_works();
			time_passes(NS_PER_MS);
			shipper_works(l);
		}
		shipper_works(l);
		time_passes(still < 40 ? 20 * NS_PER_MS : 2 * NS_PER_S);
		still = l->offered == offered && batch_of(l, SENT) == NULL ? still + 1 : 0;
		offered = l->offered;
	}
}

#endif
