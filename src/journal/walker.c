/* A reader of a journal: sought, read, rewound. */
#include "walker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "clock.h"

#define RETRY NS_PER_S            /* until a journal that could not be opened is tried again */
#define LOOK NS_PER_S             /* … that told of nothing is asked all the same */
#define STRIDE UINT64_C(30000000) /* µs of entries that do not fit, before their place is noted */
#define GROUP 10000               /* entries of one time that are looked through for one */
#define ENTRY_PAGES 1024          /* an entry's objects beside its values, about */
#define REOPEN (JOURNAL_MAPPED / 2) /* what is read before its pages are given back */

/* ---- opened and sought */

static void
failed(struct walker *w, const char *what, int r)
{
	if (!said_lately(&w->journal->said))
		say_warn("systemd", "%s: %s: %s; tried again each second", w->journal->directory,
		    what, strerrordesc_np(-r));
	walker_close(w);
	w->due = clock_mono() + RETRY;
}

void
walker_close(struct walker *w)
{
	sd_journal_close(w->j); /* epoll lets its descriptor go */
	w->j = NULL;
	w->flags &= ~(unsigned)WALKER_PENDING;
	w->mapped = 0;
}

static int
matches_add(sd_journal *j, const struct journal_conf *conf)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < conf->filter.n; i++) {
		r = sd_journal_add_match(j, conf->filter.at[i], 0);
		if (r >= 0)
			r = conf->filter_type == JOURNAL_AND ? sd_journal_add_conjunction(j)
							     : sd_journal_add_disjunction(j);
	}
	return r;
}

/* The name of the current entry. */
static int
name_get(const struct walker *w, struct entry_name *name)
{
	char *text;
	int r = sd_journal_get_cursor(w->j, &text);

	if (r < 0)
		return r;
	r = entry_name_read(slice_of(text), name) ? 0 : -EBADMSG;
	free(text);
	return r;
}

/* All that is there is left out: the last entry is taken as delivered. */
static int
tail_seek(struct walker *w)
{
	int r = sd_journal_seek_tail(w->j);

	if (r >= 0)
		r = sd_journal_previous(w->j);
	if (r > 0) {
		r = name_get(w, &w->here.at);
		w->here.any = r >= 0;
		w->done = w->here;
	} else if (r == 0) {
		w->flags |= WALKER_HEAD;
	}
	if (r >= 0)
		w->flags &= ~(unsigned)WALKER_FROM_TAIL;
	return r;
}

static int
seek(struct walker *w)
{
	char text[ENTRY_NAME];

	w->flags &= ~(unsigned)(WALKER_PENDING | WALKER_SEEKING | WALKER_AT_END);
	w->skipped = 0;
	if (!w->here.any && (w->flags & WALKER_FROM_TAIL))
		return tail_seek(w);
	if (!w->here.any)
		return sd_journal_seek_head(w->j);
	w->flags |= WALKER_SEEKING;
	entry_name_write(&w->here.at, text);
	return sd_journal_seek_cursor(w->j, text);
}

static bool
walker_open(struct walker *w, int64_t now)
{
	struct journal *journal = w->journal;
	struct epoll_event event = { .events = EPOLLIN };
	int r;

	if (now < w->due)
		return false;
	r = sd_journal_open_directory(&w->j, journal->directory, 0);
	if (r < 0) {
		failed(w, "cannot be opened", r);
		return false;
	}
	sd_journal_set_data_threshold(w->j, journal->conf->buffer_max_size);
	r = matches_add(w->j, journal->conf);
	if (r < 0) {
		failed(w, "Systemd_Filter", r);
		return false;
	}
	/* Before the files are read, so that none is missed.  Without inotify it is asked each second. */
	w->fd = sd_journal_get_fd(w->j);
	if (w->fd >= 0)
		epoll_ctl(journal->epoll, EPOLL_CTL_ADD, w->fd, &event);
	r = seek(w);
	if (r < 0) {
		failed(w, "cannot be sought in", r);
		return false;
	}
	w->looked = 0;
	return true;
}

/* ---- losses */

void
walker_lost(struct walker *w, uint64_t n, bool deleted)
{
	if (n == 0)
		return;
	metrics_add(&metrics_journal.lost, n != UINT64_MAX ? n : 1);
	if (!deleted)
		return;
	if (n != UINT64_MAX)
		say_warn("systemd",
		    "%s: %" PRIu64 " entries, at most, were deleted before they were read; keep "
		    "more of the journal (SystemMaxUse in journald.conf)",
		    w->journal->name, n);
	else
		say_warn("systemd",
		    "%s: the entry that was read last is gone, and no file goes on from it: it is "
		    "another journal, or its entries were deleted unread, nobody knows how many",
		    w->journal->name);
}

/* Both, and what is between. */
static struct gap
gap_over(const struct gap *a, const struct gap *b)
{
	return (struct gap){ a->of, least(a->from, b->from), a->to > b->to ? a->to : b->to };
}

static bool
gap_meets(const struct gap *a, const struct gap *b)
{
	return memcmp(&a->of, &b->of, sizeof(a->of)) == 0 && a->from <= b->to && b->from <= a->to;
}

/* Of two gaps that do not meet the newer one is kept. */
static struct gap
gap_of(const struct gap *a, const struct gap *newer)
{
	return gap_meets(a, newer) ? gap_over(a, newer) : *newer;
}

/*
 * Of ${n} entries behind the place, those that were not said to be lost: a vacuum deletes one
 * file after the other, and a reader may go back.
 */
static uint64_t
unsaid(struct walker *w, uint64_t n)
{
	struct gap *said = &w->said;
	uint64_t at = w->here.at.seqnum, known = 0;
	struct gap gap = { w->here.at.seqnum_id, at, n < UINT64_MAX - at ? at + n : UINT64_MAX };

	if (n == 0)
		return 0;
	if (said->to == UINT64_MAX && at > said->from)
		said->from = said->to = at; /* nobody knew how many; reading has gone on since */
	if (gap_meets(said, &gap)) {
		if (gap.to <= said->to && at >= said->from)
			return 0;
		known = least(gap.to, said->to) - (at > said->from ? at : said->from);
	}
	*said = gap_of(said, &gap);
	return n == UINT64_MAX ? n : n - known;
}

/* A file is gone once; numbers may tell of it again, when more is. */
void
walker_missing(struct walker *w, uint64_t n)
{
	uint64_t more = unsaid(w, n);

	walker_lost(w, more > w->gone ? more : w->gone, true);
	if (w->gone > 0)
		w->said = gap_of(&w->said, &w->where);
	w->gone = 0;
}

void
walker_gone(struct walker *w, const struct identity *of, uint64_t from, uint64_t to)
{
	struct gap gap = { *of, from, to };
	bool more = w->gone > 0 && memcmp(&w->where.of, of, sizeof(*of)) == 0;

	w->where = more ? gap_over(&w->where, &gap) : gap;
	w->gone += to - from;
}

/* The entry before the next one is not there: that may be an end of a file, or a loss. */
static void
gap_judge(struct walker *w)
{
	walker_missing(w, headers_lost(&w->journal->files, &w->here.at));
}

/*
 * sd-journal passes over a file that was deleted while it read it, without a word: before the
 * first entry of another file the files are looked at, while the place before it is known.
 */
static void
gap_look(struct walker *w, const struct entry_name *name)
{
	if (w->here.any && headers_begins_behind(&w->journal->files, name, &w->here.at))
		journal_look(w->journal, false);
}

/* ---- the entries */

enum found { FOUND_NEXT, FOUND_BEFORE, FOUND_AGAIN };

/* While seeking: whether the current entry, `name`, is one that was taken before. */
static enum found
sought(struct walker *w, const struct entry_name *name)
{
	const struct entry_name *at = &w->here.at;
	bool own = memcmp(&name->seqnum_id, &at->seqnum_id, sizeof(at->seqnum_id)) == 0;

	if (own ? entry_name_eq(name, at) : entry_name_alike(name, at)) {
		w->flags &= ~(unsigned)WALKER_SEEKING;
		return FOUND_BEFORE;
	}
	if (own && name->seqnum <= at->seqnum && name->realtime <= at->realtime)
		return FOUND_BEFORE;
	/* A journal under other numbers (/run flushed to /var): the entry is one of its time. */
	if (!own && memcmp(&name->boot, &at->boot, sizeof(at->boot)) == 0 &&
	    name->monotonic == at->monotonic && w->skipped < GROUP) {
		w->skipped++;
		return FOUND_BEFORE;
	}
	if (w->skipped > 0)
		return FOUND_AGAIN;
	w->flags &= ~(unsigned)WALKER_SEEKING;
	gap_judge(w);
	return FOUND_NEXT;
}

/* The place where the batch before ended, when the entry was taken into another one. */
static void
end_note(struct walker *w, const struct mark *before)
{
	if (w->cursor[SIDE_STDOUT].open_batch == w->batch)
		return;
	w->batch = w->cursor[SIDE_STDOUT].open_batch;
	if (w->nends % 64 == 0)
		w->ends = xrealloc(w->ends, (w->nends + 64) * sizeof(*w->ends));
	w->ends[w->nends++] = *before;
}

/*
 * Its position.  Where entries that were read before, and counted, are gone now, positions are
 * too low, here and after a restart: those behind the last counted one go on from it.
 */
static uint64_t
position_of(const struct walker *w, const struct entry_name *name)
{
	const struct units *units = &w->journal->units;
	bool is_new = units->last.seqnum != 0 && entry_name_behind(name, &units->last);

	return is_new && w->here.position < units->counted ? units->counted : w->here.position;
}

static struct framed
framed_of(struct walker *w, const struct entry_name *name)
{
	struct journal *journal = w->journal;
	const struct entry *e = &journal->entry;
	bool has_time = name->realtime < (uint64_t)INT64_MAX / 1000;
	uint64_t position = position_of(w, name);

	return (struct framed){
		.stream = units_of(&journal->units, e->unit),
		.id = { name->seqnum_id, name->seqnum, (uint32_t)name->hash,
		    has_time ? (uint32_t)(name->realtime / (3600 * UINT64_C(1000000))) : 0 },
		.cursor = &w->cursor[SIDE_STDOUT],
		.side = SIDE_STDOUT,
		.truncated = e->cut,
		.lines = 1,
		.time = has_time ? (int64_t)name->realtime * 1000 : 0,
		.fields = e->fields,
		.nfields = e->nfields,
		.text = SLICE(""),
		.start = position,
		.end = position + 1,
	};
}

/* The current entry to the caller; false: there is no room. */
static bool
offer(struct walker *w, const struct entry_name *name)
{
	struct units *units = &w->journal->units;
	const struct entry *e = &w->journal->entry;
	struct mark before = w->here;
	struct framed f = framed_of(w, name);
	bool first = f.start >= units->counted;

	f.stream->counted[SIDE_STDOUT] = first ? f.start : units->counted;
	if (!w->to.record(units->arg, &f)) {
		w->flags |= WALKER_PENDING;
		return false;
	}
	w->here = (struct mark){ f.end, true, *name };
	end_note(w, &before);
	w->mapped += 2 * (e->arena.used + ENTRY_PAGES);
	if (w == w->journal->walkers && w->journal->conf->filter.n == 0)
		headers_passed(&w->journal->files, name);
	if (!first)
		return true;
	units->counted = f.end;
	units->last = *name;
	metrics_add(&metrics_journal.entries, 1);
	metrics_add(&metrics_journal.fields_left_out, e->left_out);
	metrics_add(&metrics_journal.cut, e->cut);
	return true;
}

/* An entry that cannot be read: 1, go on; 0: wait for room; -1: the journal is closed. */
static int
take(struct walker *w)
{
	struct entry_name name = { 0 };
	int r = name_get(w, &name);
	enum found found;

	if (r >= 0 && (w->flags & WALKER_SEEKING)) {
		found = sought(w, &name);
		if (found == FOUND_AGAIN) {
			r = seek(w);
			w->flags &= ~(unsigned)WALKER_SEEKING;
			gap_judge(w);
			return r < 0 ? (failed(w, "cannot be sought in", r), -1) : 1;
		}
		if (found == FOUND_BEFORE)
			return 1;
	}
	if (r >= 0)
		r = entry_read(&w->journal->entry, w->journal->conf, w->j);
	if (r >= 0) {
		gap_look(w, &name);
		return offer(w, &name);
	}
	headers_passed(&w->journal->files, &name);
	if (!said_lately(&w->journal->said_lost))
		say_warn("systemd", "%s: an entry cannot be read: %s; it is left out",
		    w->journal->name, strerrordesc_np(-r));
	metrics_add(&metrics_journal.lost, 1);
	return 1;
}

/* What inotify has told: files that came, went, or that sd-journal has let go. */
static int
changes_take(struct walker *w)
{
	int r = sd_journal_process(w->j);

	if (r == SD_JOURNAL_INVALIDATE) {
		journal_look(w->journal, true);
		if (w->flags & WALKER_PENDING) /* its file may be gone */
			r = seek(w) < 0 ? -EIO : r;
	}
	return r;
}

/*
 * All entries that fit were read, up to the newest one of the files' last look: the place is
 * behind it, however long ago the last one was that fits.  Not each time, as it is stored.
 */
static void
end_reached(struct walker *w)
{
	const struct entry_name *newest = &w->journal->files.newest;

	w->flags |= WALKER_AT_END;
	if (w->flags & WALKER_SEEKING || newest->realtime == 0 || w->journal->conf->filter.n == 0 ||
	    (w->here.any && newest->realtime < w->here.at.realtime + STRIDE))
		return;
	w->here.any = true;
	w->here.at = *newest;
}

static bool
walk_on(struct walker *w)
{
	for (int64_t i = 0; i < w->journal->conf->max_entries; i++) {
		int r = w->flags & WALKER_PENDING ? 1 : sd_journal_next(w->j);

		if (r < 0) {
			failed(w, "cannot be read", r);
			return false;
		}
		if (r == 0) {
			end_reached(w);
			return false;
		}
		w->flags &= ~(unsigned)(WALKER_PENDING | WALKER_AT_END);
		r = take(w);
		if (r <= 0)
			return false;
		if (w->mapped > REOPEN) {
			walker_close(w);
			return true;
		}
	}
	return true;
}

static void
rewind_to_cursor(struct walker *w)
{
	walker_advance(w);
	cursor_rewind(w->to.book, &w->cursor[SIDE_STDOUT]);
	walker_advance(w);
	w->here = w->done;
	w->nends = 0;
	w->batch = 0;
	headers_forget(&w->journal->files);
	if (w->j != NULL && seek(w) < 0)
		walker_close(w);
}

bool
walker_turn(struct walker *w, bool room, int64_t now)
{
	struct cursor *c = &w->cursor[SIDE_STDOUT];
	int r;

	if (w->j == NULL && !walker_open(w, now))
		return false;
	r = changes_take(w); /* in any case: they would wake us again */
	if (r < 0) {
		failed(w, "cannot be followed", r);
		return false;
	}
	if (r != SD_JOURNAL_NOP)
		w->flags &= ~(unsigned)WALKER_AT_END;
	if (cursor_must_rewind(w->to.book, c))
		rewind_to_cursor(w);
	if (!room || w->j == NULL || cursor_parked(w->to.book, c) ||
	    ((w->flags & WALKER_AT_END) && now - w->looked < LOOK))
		return false;
	w->looked = now;
	return walk_on(w);
}

bool
walker_advance(struct walker *w)
{
	uint64_t shipped = cursor_shipped(w->to.book, &w->cursor[SIDE_STDOUT]);
	uint64_t was = w->done.position;
	size_t passed = 0;

	while (passed < w->nends && w->ends[passed].position <= shipped)
		passed++;
	if (passed > 0) {
		w->done = w->ends[passed - 1];
		w->nends -= passed;
		memmove(w->ends, w->ends + passed, w->nends * sizeof(*w->ends));
	}
	if (w->here.position == shipped)
		w->done = w->here;
	return w->done.position != was;
}
