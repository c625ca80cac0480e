/*
 * Whatever moves, in any order: a log that is written, renamed, copied and
 * truncated, compressed, under a reader that is refused, parked and killed, on
 * a clock of our own.  Each line is delivered once and counted once.
 */
#include "own_clock.h"
#include "tail_rig.h"

#include <dirent.h>
#include <zlib.h>

#include "../../src/state/state_internal.h"

#define SEEDS 60
#define STEPS 120
#define LINES 4000

static unsigned seed;
static bool tracing;
#define TRACE(...)                                                                                 \
	do {                                                                                       \
		if (tracing)                                                                       \
			print_message(__VA_ARGS__);                                                \
	} while (0)
static uint64_t chance;

static unsigned
any(unsigned n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)((chance >> 20) % n);
}

/* ---- what became of each line */

struct fate {
	unsigned delivered, counted; /* how often */
	unsigned posted;             /* … so far, in what a kill leaves */
};

static struct fate fates[LINES];
static unsigned nlines;

/* Each #NUMBER; of a text. */
static void
lines_in(struct slice text, void (*each)(struct fate *))
{
	for (const char *at = text.at, *end = text.at + text.len;
	     (at = memchr(at, '#', (size_t)(end - at))) != NULL; at++) {
		unsigned long n = strtoul(at + 1, NULL, 10);

		assert_true(n < nlines);
		each(&fates[n]);
	}
}

static void
fate_delivered(struct fate *f)
{
	f->delivered++;
}

static void
fate_counted(struct fate *f)
{
	f->counted++;
}

/* ---- the index: the first text under an id stays */

struct document {
	struct identity id;
	uint64_t offset;
};

static struct document *documents;
static size_t ndocuments;

static void
index_take(const struct document *d, const char *text)
{
	for (size_t i = 0; i < ndocuments; i++) {
		if (documents[i].offset == d->offset &&
		    memcmp(&documents[i].id, &d->id, sizeof(d->id)) == 0)
			return;
	}
	documents = realloc(documents, (ndocuments + 1) * sizeof(*documents));
	documents[ndocuments++] = *d;
	lines_in(slice_of(text), fate_delivered);
}

/* ---- on the way */

struct sent {
	struct document document;
	char *text;
	struct range *range;
	bool delivered;
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
	if (!s->delivered)
		index_take(&s->document, s->text);
	s->delivered = true;
}

/* ---- the counters, as count.c has them */

struct counts {
	LIST_ENTRY(counts) in_all;
	struct stream *stream;
	uint64_t counted[SIDES];
};

static LIST_HEAD(, counts) all_counts;

static void
counts_stage(struct world *w, struct counts *c)
{
	for (int side = 0; side < SIDES; side++) {
		uint64_t at = cursor_shipped(w->book, &c->stream->cursor[side]);

		at = at < c->stream->framed[side] ? c->stream->framed[side] : at;
		if (at > c->counted[side])
			c->counted[side] = at;
		state_counted(w->state, &c->stream->identity, (enum side)side, c->counted[side]);
	}
}

static bool killing;

static void
moves_stream(void *arg, struct stream *stream, bool begins)
{
	struct world *w = arg;
	struct counts *c = stream->user;
	struct stream_state known;

	on_stream(arg, stream, begins);
	TRACE("   stream %02x %s\n", stream->identity.at[0], begins ? "begins" : "ends");
	if (!begins) {
		if (!killing)
			counts_stage(w, c);
		LIST_REMOVE(c, in_all);
		free(c);
		return;
	}
	c = calloc(1, sizeof(*c));
	c->stream = stream;
	stream->user = c;
	if (state_find(w->state, &stream->identity, &known)) {
		for (int side = 0; side < SIDES; side++)
			c->counted[side] = known.side[side].counted;
	}
	LIST_INSERT_HEAD(&all_counts, c, in_all);
}

static void
counts_post(struct world *w)
{
	struct counts *c;

	LIST_FOREACH (c, &all_counts, in_all)
		counts_stage(w, c);
	state_counts(w->state);
	TRACE("post\n");
	for (unsigned i = 0; i < nlines; i++)
		fates[i].posted = fates[i].counted;
}

static void
count(const struct framed *f)
{
	struct counts *c = f->stream->user, *also = f->also == NULL ? NULL : f->also->user;

	if (f->offset < c->counted[f->side]) {
		TRACE("   not counted: %02x side %d offset %lu end %lu (counted %lu): %.*s\n",
		    f->stream->identity.at[0], f->side, f->offset, f->end, c->counted[f->side],
		    (int)f->text.len, f->text.at);
		return;
	}
	TRACE("   counted: %02x side %d offset %lu end %lu also %d %lu: %.*s\n",
	    f->stream->identity.at[0], f->side, f->offset, f->end,
	    f->also != NULL ? f->also->identity.at[0] : -1, f->also_end, (int)f->text.len,
	    f->text.at);
	c->counted[f->side] = f->end;
	if (also != NULL && also->counted[f->side] < f->also_end)
		also->counted[f->side] = f->also_end;
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
	struct range *r;

	if (room == 0 || nsent == COUNT(sent))
		return false;
	room--;
	TRACE("   sent: %02x side %d offset %lu end %lu also %d %lu: %.*s\n",
	    f->stream->identity.at[0], f->side, f->offset, f->end,
	    f->also != NULL ? f->also->identity.at[0] : -1, f->also_end, (int)f->text.len,
	    f->text.at);
	r = range_open(w->book, &f->stream->cursor[f->side], ++w->batch);
	assert_non_null(r);
	range_add(r, 1, f->end);
	if (f->also != NULL)
		range_also(r, &f->also->cursor[f->side], f->also_end);
	range_seal(w->book, r);
	sent[nsent++] =
	    (struct sent){ { f->stream->identity, f->offset }, xslicedup(f->text), r, false };
	count(f);
	return true;
}

/* ---- the log */

static int writers[64]; /* the last one is the live file's */
static unsigned nwriters, stamp;
static bool chain[SIDES];

static char *
log_path(struct world *w, const char *suffix)
{
	return xprintf("%s/pods/" POD "/agent/0.log%s", w->dir, suffix);
}

static void
log_open(struct world *w)
{
	char *path = log_path(w, "");

	writers[nwriters] = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	assert_true(writers[nwriters++] >= 0);
	free(path);
}

static bool
all_posted(void)
{
	for (unsigned i = 0; i < nlines; i++) {
		if (fates[i].posted == 0)
			return false;
	}
	return nlines > 0;
}

static void
line_write(int to, bool late)
{
	static const char *const heads[] = { "{} ", "{} ", "ERROR failed ", "\tat a.B.c ",
		"plain " };
	int side = any(3) == 0;
	const char *head = chain[side] ? "more " : heads[any(COUNT(heads))], *last = "";
	char *line;

	if (nlines == LINES)
		return;
	if (late &&
	    (any(2) == 0 || !all_posted())) { /* else its successor has begun for all to know */
		head = "{";
		last = "}";
	} else {
		chain[side] = any(4) == 0;
	}
	line = xprintf("2026-11-22T08:00:00.%09uZ %s %s %s#%u;%s\n", nlines,
	    side ? "stderr" : "stdout", chain[side] && last[0] == '\0' ? "P" : "F", head, nlines,
	    last);
	nlines++;
	TRACE("write %s", line);
	assert_int_equal(write(to, line, strlen(line)), strlen(line));
	free(line);
}

static void
lines_write(void)
{
	for (unsigned n = any(6); n > 0; n--)
		line_write(writers[nwriters - 1], false);
}

/* The older files' writer has more, and is done. */
static void
late_write(struct world *w)
{
	for (; nwriters > 1; nwriters--) {
		if (any(2) == 0) {
			counts_post(w);
			line_write(writers[0], true);
		}
		close(writers[0]);
		memmove(writers, writers + 1, (nwriters - 1) * sizeof(writers[0]));
	}
}

static void
rename_away(struct world *w)
{
	char *path = log_path(w, ""), *suffix = xprintf(".20260101-%06u", stamp++);
	char *to = log_path(w, suffix);

	if (nwriters == COUNT(writers))
		late_write(w);
	assert_int_equal(rename(path, to), 0);
	TRACE("rename\n");
	log_open(w);
	free(path);
	free(suffix);
	free(to);
}

static void
bytes_copy(const char *from, const char *to, bool packed)
{
	int in = open(from, O_RDONLY), out;
	static char bytes[1 << 20];
	ssize_t n = read(in, bytes, sizeof(bytes));
	gzFile gz;

	assert_true(n >= 0 && n < (ssize_t)sizeof(bytes));
	close(in);
	if (packed) {
		gz = gzopen(to, "wb1");
		assert_int_equal(gzwrite(gz, bytes, (unsigned)n), n);
		gzclose(gz);
		return;
	}
	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_int_equal(write(out, bytes, (size_t)n), n);
	close(out);
}

static void
turn(struct world *w)
{
	now_ns += any(40) * NS_PER_MS;
	TRACE("  turn %ld\n", (long)(now_ns / NS_PER_MS));
	w->tail->told = true;
	tail_turn(w->tail, room > 0);
	if (any(3) > 0)
		tail_count(w->tail);
}

static void
copytruncate(struct world *w)
{
	unsigned n = 1;
	char *from, *to;

	turn(w); /* what is written and truncated between two turns is never seen */
	tail_count(w->tail);
	TRACE("copytruncate\n");

	for (;; n++) {
		char *suffix = xprintf(".%u", n);
		char *path = log_path(w, suffix);
		bool is = access(path, F_OK) == 0;

		free(suffix);
		free(path);
		if (!is)
			break;
	}
	for (; n > 0; n--) {
		char *less = n == 1 ? xstrdup("") : xprintf(".%u", n - 1),
		     *more = xprintf(".%u", n);

		from = log_path(w, less);
		to = log_path(w, more);
		if (n > 1)
			assert_int_equal(rename(from, to), 0);
		else
			bytes_copy(from, to, false);
		if (n == 1 && any(2) == 0)
			turn(w); /* it meets the copy beside the original */
		if (n == 1)
			assert_int_equal(truncate(from, 0), 0);
		free(less);
		free(more);
		free(from);
		free(to);
	}
}

/* ---- the reader's lives */

static void
life_begins(struct world *w)
{
	const struct tail_conf *conf = &w->conf;

	w->book = range_book_new(w->state, 40000);
	w->tail = tail_new(&conf, 1, w->state, w->book, moves_record, moves_count, moves_stream, w);
}

/* What the state holds of the counters is what was posted; on disk nothing is shipped beyond it. */
static void
life_ends(struct world *w)
{
	const struct known *k;
	size_t at = 0;

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
	staging_clear(w->state);
	while ((k = map_next(w->state->streams, &at, NULL)) != NULL) {
		for (int side = 0; side < SIDES; side++) {
			const struct cursors *c = &k->stream.side[side];

			if (c->shipped > c->counted)
				state_shipped(w->state, &k->id, (enum side)side, c->counted);
		}
	}
	for (unsigned i = 0; i < nlines; i++)
		fates[i].counted = fates[i].posted;
}

static void
some_settle(struct world *w)
{
	for (unsigned n = any(10); n > 0 && nsent > 0; n--) {
		size_t i = any((unsigned)nsent < 5 ? (unsigned)nsent : 5);

		sent_deliver(&sent[i]);
		TRACE("   settle %02x %lu\n", sent[i].document.id.at[0], sent[i].document.offset);
		range_settle(w->book, sent[i].range, 1);
		sent_drop(i);
	}
}

static void
some_park(struct world *w)
{
	for (unsigned n = any(4); n > 0 && nsent > 0; n--) {
		TRACE("park %lu\n", sent[0].document.offset);
		cursor_park(w->book, sent[0].range);
		sent_drop(0);
	}
}

static unsigned kinds; /* of moves, bits */

static void
step(struct world *w)
{
	switch (any(16)) {
	case 0:
		if (kinds & 1)
			copytruncate(w);
		break;
	case 1:
		if (kinds & 2)
			rename_away(w);
		break;
	case 2:
		late_write(w);
		break;
	case 3:
		life_ends(w);
		life_begins(w);
		break;
	case 4:
		room = any(3) * any(20);
		TRACE("room %u\n", room);
		break;
	case 5:
		counts_post(w);
		break;
	case 6:
		if (kinds & 4)
			some_park(w);
		break;
	case 7:
		cursor_unpark_all(w->book);
		break;
	case 8:
	case 9:
		some_settle(w);
		break;
	case 10:
		now_ns += any(3) * 40 * NS_PER_MS;
		break;
	default:
		lines_write();
	}
	for (unsigned n = any(4); n > 0; n--)
		turn(w);
}

static bool
all_done(void)
{
	for (unsigned i = 0; i < nlines; i++) {
		if (fates[i].delivered < 1 || fates[i].counted < 1)
			return false;
	}
	return nsent == 0;
}

static void
finish(struct world *w)
{
	late_write(w);
	TRACE("FINISH\n");
	for (unsigned i = 0; i < 3000 && !all_done(); i++) {
		room = 1000;
		cursor_unpark_all(w->book);
		if (i % 100 == 99)
			now_ns += 200 * NS_PER_S; /* what is open ends */
		turn(w);
		while (nsent > 0) {
			sent_deliver(&sent[0]);
			range_settle(w->book, sent[0].range, 1);
			sent_drop(0);
		}
	}
}

static void
files_trace(const struct world *w)
{
	const struct file *f;

	LIST_FOREACH (f, &w->tail->files, in_files)
		TRACE("%p %s ino %lu offset %lu size %lu after %p stream %02x%s%s%s%s%s\n",
		    (const void *)f, strrchr(f->target, '/'), (unsigned long)f->ino, f->offset,
		    f->size, (const void *)f->after,
		    f->stream == NULL ? 0 : f->stream->identity.at[0], f->leaving ? " leaving" : "",
		    f->left ? " left" : "", f->ended ? " ended" : "",
		    f->duplicate ? " duplicate" : "", f->changed ? " changed" : "");
	if (tracing)
		shell("ls -li %s/pods/*/agent", w->dir);
}

static unsigned
judge(void)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < nlines; i++) {
		if (fates[i].delivered == 1 && fates[i].counted == 1)
			continue;
		print_message("seed %u kinds %u: line %u of %u: delivered %u, counted %u\n", seed,
		    kinds, i, nlines, fates[i].delivered, fates[i].counted);
		wrong++;
	}
	return wrong;
}

static void
one(struct world *w)
{
	static const int64_t flushes[] = { 20, 500, 100000 };

	chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	kinds = 1u << any(2) | (any(2) ? 4 : 0);
	nlines = 0;
	room = 10;
	memset(fates, 0, sizeof(fates));
	memset(chain, 0, sizeof(chain));
	ndocuments = 0;
	w->conf.flush = flushes[any(3)];
	w->conf.rotate_wait = 100 * NS_PER_MS;
	log_open(w);
	life_begins(w);
	for (unsigned n = 10 + any(STEPS); n > 0; n--)
		step(w);
	finish(w);
}

static void
test_any_moves(void **state)
{
	const char *only = getenv("MOVES_SEED"), *to = getenv("MOVES_SEEDS");
	unsigned wrong = 0, last = to != NULL ? (unsigned)atol(to) : SEEDS;

	(void)state;
	tracing = only != NULL;
	for (seed = only != NULL ? (unsigned)atol(only) : 1; seed <= (only != NULL ? seed : last);
	     seed++) {
		void *world;

		setup(&world);
		((struct world *)world)->conf.held_deleted_limit = 0;
		range_book_free(((struct world *)world)->book);
		one(world);
		files_trace(world);
		wrong += judge() > 0;
		while (nsent > 0)
			sent_drop(0);
		while (nwriters > 0)
			close(writers[--nwriters]);
		teardown(&world);
		if (only != NULL)
			break;
	}
	print_message("%u seeds wrong\n", wrong);
	free(documents);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_moves) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
