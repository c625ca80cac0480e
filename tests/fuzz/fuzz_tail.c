/*
 * The whole of tail over a container's log of any bytes.
 *
 * - Read at once, its records are those that a second framing makes (slow_frame.h).
 * - They are the same when it is written in pieces, and records are refused, parked,
 *   or sent again after a new start.
 * - When time passes and files are rotated meanwhile, records end elsewhere; the
 *   content of each line is in one of them, in its order.
 */
#include "fuzz.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "own_clock.h"
#include "slow_frame.h"
#include "tail_adapter.h"
#include "voice.h"

#define LOG "pods/ns_matillion-agent-1_uid-1/agent/0.log"
#define LINK                                                                                       \
	"containers/matillion-agent-1_ns_agent-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.log"
#define SENT_MOST 200
#define TURNS_MOST 5000

/* The kernel takes 20 ms to close an instance: all starts have the same one. */
int
inotify_init1(int flags)
{
	static int fd = -1;
	typedef int init(int);
	static init *call;

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "inotify_init1");
	if (fd < 0)
		fd = call(flags);
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* ---- what has arrived: the first record of an id stays */

struct arrived {
	struct record_id id;
	enum side side;
	int64_t time;
	char *text;
	size_t len;
};

struct run {
	struct tail_conf conf;
	struct state *state;
	struct range_book *book;
	struct tail *tail;
	struct arrived *arrived;
	size_t narrived, nsent;
	struct flight sent[SENT_MOST]; /* and not settled */
	uint64_t batch;
	bool rough, timed; /* records are refused; time passes */
	unsigned files;    /* that were rotated; … */
	bool packed;       /* … the last of them is compressed */
};

static bool
run_record(void *arg, const struct framed *f)
{
	struct run *r = arg;
	struct flight *flight = &r->sent[r->nsent];
	size_t i = 0;

	if (r->nsent == SENT_MOST || (r->rough && any(4) == 0))
		return false;
	if (f->truncated)
		WRONG("a record is cut");
	while (i < r->narrived && !record_id_equal(&r->arrived[i].id, &f->id))
		i++;
	if (i < r->narrived) {
		struct slice was = { r->arrived[i].text, r->arrived[i].len };

		if (!slice_eq(was, f->text) || f->side != r->arrived[i].side)
			WRONG("sent as '%.*s', then as '%.*s'", SHOW(was), SHOW(f->text));
	} else {
		r->arrived = xrealloc(r->arrived, (++r->narrived + 1) * sizeof(*r->arrived));
		r->arrived[i] =
		    (struct arrived){ f->id, f->side, f->time, xslicedup(f->text), f->text.len };
	}
	if (!record_send(r->book, f, ++r->batch, 1, flight))
		return false; /* settled ranges wait, too, behind the first that is not */
	record_seal(r->book, *flight);
	r->nsent++;
	return true;
}

static void
run_stream(void *arg, struct stream *stream, bool begins)
{
	(void)arg;
	(void)stream;
	(void)begins;
}

static void
run_settle(struct run *r, size_t n)
{
	for (; n > 0 && r->nsent > 0; n--) {
		size_t i = any((unsigned)r->nsent);

		record_settle(r->book, r->sent[i]);
		r->sent[i] = r->sent[--r->nsent];
	}
}

/* ---- starts and ends */

static void
life_begins(struct run *r)
{
	r->book = range_book_new(r->state, SENT_MOST + 1);
	r->tail = tail_make(&r->conf, r->state, r->book, run_record, NULL, run_stream, r);
}

/* Records on their way are forgotten. */
static void
life_ends(struct run *r)
{
	r->nsent = 0;
	tail_free(r->tail);
	range_book_free(r->book);
}

static void
turn(struct run *r)
{
	now_ns += any(r->timed ? 400 : 20) * NS_PER_MS;
	tail_told(r->tail);
	tail_turn(r->tail, 1);
	run_settle(r, r->rough ? any(6) : SENT_MOST);
}

/* To the end of all files, with a server that takes what it gets. */
static void
run_ends(struct run *r)
{
	unsigned turns = 0;

	records_unpark(r->book);
	tail_finish(r->tail);
	do {
		now_ns += 200 * NS_PER_MS;
		r->rough &= turns < 20;
		turn(r);
		if (++turns == TURNS_MOST)
			WRONG("it is never at its end");
	} while (!tail_at_end(r->tail) || r->nsent > 0);
	life_ends(r);
}

/* ---- files */

static void
log_append(struct slice bytes)
{
	int fd = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	if (fd < 0 || write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len)
		abort();
	close(fd);
}

static char *
rotated_name(unsigned number)
{
	return xprintf(LOG ".20260101-%06u", number);
}

/* Compressed under another name first, as the kubelet does it. */
static void
squeeze(unsigned number, struct slice bytes)
{
	char *name = rotated_name(number), *tmp = xprintf("%s.tmp", name);
	char *to = xprintf("%s.gz", name);
	gzFile gz = gzopen(tmp, "wb1");

	gzwrite(gz, bytes.at, (unsigned)bytes.len);
	gzclose(gz);
	if (rename(tmp, to) != 0 || unlink(name) != 0)
		abort();
	free(name);
	free(tmp);
	free(to);
}

/* The live file, which has `bytes`, gets another name; it, or the one before, may be compressed. */
static void
rotate(struct run *r, struct slice before, struct slice bytes)
{
	char *name = rotated_name(++r->files);

	if (before.len > 0 && !r->packed && any(2) == 0)
		squeeze(r->files - 1, before);
	if (rename(LOG, name) != 0)
		abort();
	r->packed = any(3) == 0;
	if (r->packed)
		squeeze(r->files, bytes);
	log_append(SLICE(""));
	free(name);
}

static void
run_begins(struct run *r, bool rough, bool timed)
{
	static char tag[] = "t", key[] = "log";
	static char path[] = "containers/*.log", *paths[] = { path };
	static char full[128], dir[96];

	if (full[0] == '\0') {
		if (getcwd(dir, sizeof(dir)) == NULL)
			abort();
		snprintf(full, sizeof(full), "%s/%s", dir, path);
		paths[0] = full;
	}
	memset(r, 0, sizeof(*r));
	r->arrived = xcalloc(1, sizeof(*r->arrived));
	r->rough = rough;
	r->timed = timed;
	r->conf = (struct tail_conf){
		.input.tag = tag,
		.from.path = { .at = paths, .n = 1 },
		.read_from_head = true,
		.refresh_interval = timed ? 500 * NS_PER_MS : 3600 * NS_PER_S,
		.rotate_wait = 300 * NS_PER_MS,
		.flush = timed ? 50 : 1000000,
		.buffer_max_size = 1 << 15,
		.max_files = 100,
		.key = key,
		.keep_colors = true,
	};
	mkdir("pods", 0755);
	mkdir("pods/ns_matillion-agent-1_uid-1", 0755);
	mkdir("pods/ns_matillion-agent-1_uid-1/agent", 0755);
	log_append(SLICE(""));
	r->state = state_open(NULL);
	life_begins(r);
}

static void
run_free(struct run *r)
{
	for (size_t i = 0; i < r->narrived; i++)
		free(r->arrived[i].text);
	free(r->arrived);
	state_close(r->state);
	unit_remove("pods");
}

/* ---- ways to read a file */

static void
run_step(struct run *r)
{
	switch (any(8)) {
	case 0:
		life_ends(r);
		life_begins(r);
		break;
	case 1:
		if (r->nsent > 0)
			record_park(r->book, r->sent[--r->nsent]);
		break;
	case 2:
		records_unpark(r->book);
		break;
	default:
		turn(r);
	}
}

/* A file may end here: with a line, and the next one begins with a line that no other began with. */
static bool
may_rotate(struct slice all, const size_t *begins, size_t nbegins, size_t at)
{
	const char *end = at == 0 ? NULL : memchr(all.at + at, '\n', all.len - at);
	struct slice line = { all.at + at, end == NULL ? 0 : (size_t)(end + 1 - all.at) - at };

	if (line.len < 2 || all.at[at - 1] != '\n' || memchr(line.at, '\0', line.len) != NULL)
		return false;
	for (size_t i = 0; i < nbegins; i++) {
		if (slice_starts(slice_from(all, begins[i]), line))
			return false;
	}
	return true;
}

/* Where files begin in `all`, when they are rotated: nbegins of them. */
static size_t
run_pieces(struct run *r, struct slice all, size_t *begins, size_t most)
{
	struct slice before = SLICE(""), last;
	size_t at = 0, nbegins = 1;

	begins[0] = 0;
	while (at < all.len) {
		size_t n = 1 + any(1 + any((unsigned)least(all.len - at, 1 << 20)));

		log_append((struct slice){ all.at + at, n });
		at += n;
		for (unsigned steps = any(5); steps > 0; steps--)
			run_step(r);
		if (!r->timed || nbegins == most || !may_rotate(all, begins, nbegins, at))
			continue;
		last = slice_from(all, begins[nbegins - 1]);
		last.len = at - begins[nbegins - 1];
		rotate(r, before, last);
		before = last;
		begins[nbegins++] = at;
	}
	return nbegins;
}

/* ---- judges */

static int
by_place(const void *a, const void *b)
{
	const struct arrived *x = a, *y = b;

	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return x->id.offset < y->id.offset ? -1 : x->id.offset > y->id.offset;
}

/* The records of one file are these. */
static void
judge_records(struct run *r, const struct slow_records *want, const char *how)
{
	qsort(r->arrived, r->narrived, sizeof(*r->arrived), by_place);
	for (size_t i = 0; i < r->narrived || i < want->n; i++) {
		const struct arrived *a = &r->arrived[i];
		const struct slow_record *w = &want->at[i];

		if (i == r->narrived)
			WRONG("%s: '%.*s' has not come", how, (int)w->len, w->text);
		if (i == want->n)
			WRONG("%s: '%.*s' is one too many", how, (int)a->len, a->text);
		if (a->side != w->side || a->id.offset != w->start || a->time != w->time ||
		    !slice_eq((struct slice){ a->text, a->len }, (struct slice){ w->text, w->len }))
			WRONG("%s: %d:%zu, time %lld, %zu bytes '%.*s', should be %d:%zu, time "
			      "%lld, %zu bytes '%.*s'",
			    how, a->side, (size_t)a->id.offset, (long long)a->time, a->len,
			    (int)a->len, a->text, w->side, w->start, (long long)w->time, w->len,
			    (int)w->len, w->text);
	}
}

/* Line ends within and between records do not count. */
static void
flow_put(struct buffer *to, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] != '\n')
			buffer_put(to, (struct slice){ text.at + i, 1 });
	}
}

static void
judge_flow(const struct run *r, struct slice all, const size_t *begins, size_t nbegins)
{
	for (int side = 0; side < SIDES; side++) {
		struct buffer got, want;

		buffer_init(&got, 0);
		buffer_init(&want, 0);
		for (size_t i = 0; i < nbegins; i++) {
			size_t end = i + 1 < nbegins ? begins[i + 1] : all.len;
			struct slow_lines lines =
			    slow_lines((struct slice){ all.at + begins[i], end - begins[i] });

			for (size_t j = 0; j < lines.n; j++) {
				if (lines.at[j].cri.side == (enum side)side)
					flow_put(&want, lines.at[j].content);
			}
			slow_lines_free(&lines);
		}
		for (size_t i = 0; i < r->narrived; i++) {
			if (r->arrived[i].side == (enum side)side)
				flow_put(
				    &got, (struct slice){ r->arrived[i].text, r->arrived[i].len });
		}
		if (!slice_eq(buffer_slice(&got), buffer_slice(&want)))
			WRONG("in pieces, by time: side %d has '%.*s' instead of '%.*s'", side,
			    SHOW(buffer_slice(&got)), SHOW(buffer_slice(&want)));
		buffer_fini(&got);
		buffer_fini(&want);
	}
}

static void
fuzz(struct slice input)
{
	struct slice all = fuzz_chance(input);
	struct slow_lines lines = slow_lines(all);
	struct slow_records want;
	struct run r;
	size_t begins[8], nbegins;

	if (fuzz_place() && (mkdir("containers", 0755) != 0 || symlink("../" LOG, LINK) != 0))
		abort();
	voice_level(VOICE_ERROR);
	run_begins(&r, false, false);
	want = slow_frame(&lines, r.conf.flush * NS_PER_MS);
	log_append(all);
	run_ends(&r);
	judge_records(&r, &want, "whole");
	run_free(&r);

	run_begins(&r, true, false);
	run_pieces(&r, all, begins, COUNT(begins));
	run_ends(&r);
	judge_records(&r, &want, "in pieces");
	run_free(&r);

	run_begins(&r, true, true);
	nbegins = run_pieces(&r, all, begins, COUNT(begins));
	run_ends(&r);
	judge_flow(&r, all, begins, nbegins);
	run_free(&r);

	slow_records_free(&want);
	slow_lines_free(&lines);
}
