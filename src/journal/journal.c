/*
 * The journals of a configuration: made, with their cursors from the state; turns; what is
 * delivered back to the state.
 *
 * A cursor of the state is a number, the journal's own cursor is a text; the text
 * "journal:LOG:READER" has both, and is stored in one transaction with the counts, so that
 * entries are numbered alike after each start.  "journal-counted:LOG" is the last entry that
 * was counted: where entries are gone, it tells which of the others were.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "known.h"
#include "takeover.h"
#include "walker.h"

#define KEY "journal:"
#define KEY_COUNTED "journal-counted:"
#define KEY_MAX 320
#define LOOK_GAP NS_PER_S /* between two looks at files of which nothing was told */

struct journals {
	struct journal *at;
	size_t n;
	int epoll;
	struct state *state;
};

/* ---- the cursors that the state has */

static void
key_write(const struct journal *j, const char *kind, const char *reader, char to[KEY_MAX])
{
	const struct identity *log = &j->units.log;
	int at = snprintf(to, KEY_MAX, "%s", kind);

	for (size_t i = 0; i < sizeof(log->at); i++)
		at += snprintf(to + at, KEY_MAX - (size_t)at, "%02x", log->at[i]);
	snprintf(to + at, KEY_MAX - (size_t)at, ":%s", reader);
}

/* "POSITION CURSOR" */
static void
mark_post(const struct journal *j, const char *key, uint64_t position, const struct entry_name *at)
{
	char text[ENTRY_NAME + 32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 " ", position);

	entry_name_write(at, text + n);
	state_text(j->state, slice_of(key), slice_of(text));
}

static bool
mark_read(struct slice text, struct mark *mark)
{
	uint64_t position = 0;
	size_t i = 0;

	for (; i < text.len && i < 19 && text.at[i] >= '0' && text.at[i] <= '9'; i++)
		position = 10 * position + (uint64_t)(text.at[i] - '0');
	if (i == 0 || i == text.len || text.at[i] != ' ' ||
	    !entry_name_read(slice_from(text, i + 1), &mark->at))
		return false;
	mark->position = position;
	mark->any = true;
	return true;
}

struct stored {
	struct walker *w;
	struct mark own, least; /* of this reader; of all */
};

static void
stored_see(void *arg, struct slice key, struct slice value)
{
	struct stored *s = arg;
	char own[KEY_MAX], any[KEY_MAX];
	struct mark mark;

	key_write(s->w->journal, KEY, s->w->to.name, own);
	key_write(s->w->journal, KEY, "", any);
	if (!slice_starts(key, slice_of(any)) || !mark_read(value, &mark))
		return;
	if (slice_eq(key, slice_of(own)))
		s->own = mark;
	if (!s->least.any || mark.position < s->least.position)
		s->least = mark;
}

/* Where reading begins: the reader's own cursor, else that of the one farthest behind, else Fluent Bit's. */
static void
start_find(struct walker *w)
{
	const struct journal_conf *conf = w->journal->conf;
	struct stored stored = { .w = w };
	char *taken;

	state_texts(w->journal->state, stored_see, &stored);
	w->here = stored.own.any ? stored.own : stored.least;
	if (w->here.any && w->here.at.realtime == 0) { /* before the first entry (walker_post) */
		w->here.any = false;
		goto found;
	}
	if (w->here.any || state_was_set_aside(w->journal->state))
		goto found;
	taken = conf->db != NULL ? takeover_journal(conf->db) : NULL;
	w->here.any = taken != NULL && entry_name_read(slice_of(taken), &w->here.at);
	if (w->here.any)
		say_info("systemd", "%s: going on where Fluent Bit stopped, as %s says",
		    w->journal->name, conf->db);
	free(taken);
	if (!w->here.any && conf->read_from_tail)
		w->flags |= WALKER_FROM_TAIL;
found:
	if (!w->here.any && !(w->flags & WALKER_FROM_TAIL))
		w->flags |= WALKER_HEAD;
	w->done = w->here;
}

/* The last entry that was counted, if it is that of the state's count. */
static void
counted_see(void *arg, struct slice key, struct slice value)
{
	struct journal *j = arg;
	char own[KEY_MAX];
	struct mark mark;

	key_write(j, KEY_COUNTED, "", own);
	if (slice_eq(key, slice_of(own)) && mark_read(value, &mark) &&
	    mark.position == j->units.counted)
		j->units.last = mark.at;
}

/* ---- made */

/* Without Path the persistent journal; while there is none, that in memory. */
static char *
directory_of(const struct journal_conf *conf)
{
	if (conf->path != NULL)
		return xstrdup(conf->path);
	return xstrdup(headers_any(JOURNAL_PERSISTENT) || access(JOURNAL_VOLATILE, F_OK) < 0
			   ? JOURNAL_PERSISTENT
			   : JOURNAL_VOLATILE);
}

/* In the state a journal is a log of one content without an end: `towline status` shows it. */
static void
log_store(struct journal *j)
{
	struct content_state content = { .log = j->units.log, .home = j->units.log };
	struct span_post post = { .log = j->units.log,
		.id = j->units.log,
		.content = &content,
		.span = { .seal = SEAL_NONE, .rules = state_rules(j->state, SLICE("journal")) },
		.path = j->name };

	memcpy(&content.ino, j->units.log.at, sizeof(content.ino));
	content.size = j->units.counted;
	content.first_seen = clock_wall();
	state_spans(j->state, &post, 1);
	state_opened(j->state, &j->units.log, j->name);
}

static void
walker_init(struct walker *w, struct journal *journal, const struct tail_reader *to)
{
	const struct identity *log = &journal->units.log;
	unsigned number = state_reader(journal->state, to->name);
	struct cursors known[SIDES];

	*w = (struct walker){ .journal = journal, .to = *to, .fd = -1 };
	start_find(w);
	for (int side = 0; side < SIDES; side++)
		cursor_init(&w->cursor[side], log, (enum side)side, number, w->here.position);
	state_cursors(journal->state, log, number, known);
	if (journal->units.counted < known[SIDE_STDOUT].counted)
		journal->units.counted = known[SIDE_STDOUT].counted;
}

static void
journal_init(struct journal *j, const struct tail_reader *readers, unsigned n)
{
	j->shown.input = j->conf->input;
	j->shown.has_fields = true;
	j->directory = directory_of(j->conf);
	j->name = xprintf("journal %s (%s)",
	    j->conf->path != NULL ? j->conf->path : JOURNAL_PERSISTENT, j->conf->input.tag);
	entry_init(&j->entry, j->conf);
	j->nwalkers = n;
	j->walkers = xcalloc(n, sizeof(*j->walkers));
	for (unsigned i = 0; i < n; i++)
		walker_init(&j->walkers[i], j, &readers[i]);
	state_texts(j->state, counted_see, j);
	log_store(j);
	TAILQ_INIT(&j->units.all);
	j->units.conf = j->conf;
	j->units.shown = &j->shown;
	j->units.path = j->name;
	j->units.cursors = j->walkers[0].cursor;
	journal_look(j, false);
}

struct journals *
journal_new(const struct journal_conf *const *confs, size_t n, struct state *state,
    const struct tail_reader *readers, unsigned nreaders, tail_stream *stream, void *arg)
{
	struct journals *all = xcalloc(1, sizeof(*all));

	all->at = xcalloc(n, sizeof(*all->at));
	all->n = n;
	all->state = state;
	all->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < n; i++) {
		struct journal *j = &all->at[i];

		j->conf = confs[i];
		j->state = state;
		j->epoll = all->epoll;
		j->units.log = known_identity(confs, i);
		j->units.on_stream = stream;
		j->units.arg = arg;
		journal_init(j, readers, nreaders);
	}
	return all;
}

static void
walker_fini(struct walker *w)
{
	walker_close(w);
	for (int side = 0; side < SIDES; side++)
		cursor_rewind(w->to.book, &w->cursor[side]);
	free(w->ends);
}

void
journal_free(struct journals *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct journal *j = &all->at[i];

		units_end(&j->units);
		for (unsigned k = 0; k < j->nwalkers; k++)
			walker_fini(&j->walkers[k]);
		headers_free(&j->files);
		entry_fini(&j->entry);
		free(j->walkers);
		free(j->directory);
		free(j->name);
	}
	if (all->epoll >= 0)
		close(all->epoll);
	free(all->at);
	free(all);
}

/* ---- files that come and go */

static void
file_gone(void *arg, const struct journal_file *file)
{
	struct journal *j = arg;

	for (unsigned i = 0; i < j->nwalkers; i++) {
		struct walker *w = &j->walkers[i];
		const struct entry_name *at = &w->here.at;
		bool own = memcmp(&file->seqnum_id, &at->seqnum_id, sizeof(at->seqnum_id)) == 0;
		bool within = (own || file->head_at <= at->realtime) && file->head <= at->seqnum &&
			      at->seqnum <= file->tail;

		if (!w->here.any || file->newest <= at->realtime || file->head == 0)
			continue;
		walker_gone(w, &file->seqnum_id, within ? at->seqnum : file->head - 1, file->tail);
	}
}

/*
 * Files have come or gone: the entries between the last one and the next file are gone, too.
 * While the last one is sought it may be in another journal (/run flushed to /var), and is judged
 * when it is not found, unless its file is there.
 */
static void
missing(struct walker *w)
{
	uint64_t between = headers_lost(&w->journal->files, &w->here.at);
	bool sought = w->j == NULL || (w->flags & WALKER_SEEKING);

	if (w->here.any && (!sought || between == 0))
		walker_missing(w, between == UINT64_MAX ? 0 : between);
	w->gone = 0;
}

/* journald has moved its entries from memory to the disk. */
static bool
is_flushed(const struct journal *j)
{
	return strcmp(j->directory, JOURNAL_VOLATILE) == 0 && j->conf->path == NULL &&
	       headers_any(JOURNAL_PERSISTENT);
}

void
journal_look(struct journal *j, bool dropped)
{
	struct walker *first = &j->walkers[0];
	bool news;

	if (is_flushed(j)) {
		j->looked = 0; /* all entries are in the other directory */
		return;
	}
	news = headers_look(&j->files, j->directory, file_gone, j);
	j->looked = clock_mono();
	for (unsigned i = 0; i < j->nwalkers && news; i++)
		missing(&j->walkers[i]);
	if (dropped && !news)
		walker_lost(first,
		    headers_broken(&j->files, first->here.any ? &first->here.at : NULL), false);
	if (first->here.any)
		walker_lost(first, headers_short(&j->files, &first->here.at), false);
}

/* journald has made the persistent journal since, and moves all entries there. */
static void
directory_look(struct journal *j, int64_t now)
{
	char *directory;

	if (now - j->looked < LOOK_GAP)
		return;
	if (!is_flushed(j)) {
		journal_look(j, false);
		return;
	}
	directory = directory_of(j->conf);
	say_info("systemd", "the journal is in %s now, no more in %s", directory, j->directory);
	free(j->directory);
	j->directory = directory;
	for (unsigned i = 0; i < j->nwalkers; i++)
		walker_close(&j->walkers[i]);
	journal_look(j, false);
}

/* ---- turns */

int
journal_fd(const struct journals *all)
{
	return all->epoll;
}

bool
journal_turn(struct journals *all, uint32_t room)
{
	int64_t now = clock_mono();
	bool more = false;

	for (size_t i = 0; i < all->n; i++) {
		struct journal *j = &all->at[i];

		directory_look(j, now);
		for (unsigned k = 0; k < j->nwalkers; k++) {
			more |= walker_turn(&j->walkers[k], (room >> k & 1) != 0, now);
		}
	}
	return more;
}

bool
journal_at_end(const struct journals *all)
{
	for (size_t i = 0; i < all->n; i++) {
		for (unsigned k = 0; k < all->at[i].nwalkers; k++) {
			const struct walker *w = &all->at[i].walkers[k];

			if (w->j != NULL && !(w->flags & WALKER_AT_END))
				return false;
		}
	}
	return true;
}

/* ---- to the state */

/* Entries that are there behind the last one that was taken, as numbers tell, at most. */
static uint64_t
unread_of(const struct walker *w, uint64_t *newest)
{
	const struct journal_files *f = &w->journal->files;
	uint64_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct journal_file *file = &f->at[i];

		*newest = file->newest > *newest ? file->newest : *newest;
		if (file->head == 0 || (w->here.any && file->newest <= w->here.at.realtime))
			continue;
		n += file->tail - file->head + 1;
	}
	return w->flags & WALKER_AT_END ? 0 : n;
}

static void
walker_post(struct walker *w)
{
	char key[KEY_MAX];
	bool moved = walker_advance(w);

	cursor_follow(w->to.book, &w->cursor[SIDE_STDERR], w->done.position);
	if (w->done.any ? !moved && entry_name_eq(&w->posted, &w->done.at)
			: !(w->flags & WALKER_HEAD))
		return;
	w->flags &= ~(unsigned)WALKER_HEAD;
	w->posted = w->done.at;
	key_write(w->journal, KEY, w->to.name, key);
	mark_post(w->journal, key, w->done.position, &w->done.at);
}

static void
counted_post(struct journal *j)
{
	char key[KEY_MAX];

	if (j->units.last.seqnum == 0 || j->units.counted == j->posted)
		return;
	j->posted = j->units.counted;
	key_write(j, KEY_COUNTED, "", key);
	mark_post(j, key, j->units.counted, &j->units.last);
}

void
journal_post(struct journals *all)
{
	uint64_t lag = 0, behind = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct journal *j = &all->at[i];
		struct walker *w = &j->walkers[0];
		uint64_t newest = 0, unread = unread_of(w, &newest);

		for (unsigned k = 0; k < j->nwalkers; k++)
			walker_post(&j->walkers[k]);
		units_follow(&j->units);
		counted_post(j);
		state_size(j->state, &j->units.log, w->here.position + unread);
		lag += unread + w->here.position - w->done.position;
		if (unread + w->here.position > w->done.position && w->done.any &&
		    newest > w->done.at.realtime && newest - w->done.at.realtime > behind)
			behind = newest - w->done.at.realtime;
	}
	atomic_store_explicit(&metrics_journal.lag, lag, memory_order_relaxed);
	atomic_store_explicit(
	    &metrics_journal.lag_seconds, (behind + 999999) / 1000000, memory_order_relaxed);
}
