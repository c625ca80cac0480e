/* Records that are made up, and lines of standard input. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xxhash.h>

#include "clock.h"
#include "model.h"
#include "voice.h"

#define OWED_MOST 100000 /* records that are due and find no room; beyond, they are not made */
#define TURN 1000        /* records of one input in a turn */

/* ---- made */

static void
streams_begin(struct trials *all, struct trial *t, const struct input *input, char *parser)
{
	static char json[] = "json", key[] = "log";
	struct identity id;

	t->cursor = xcalloc(all->readers, sizeof(*t->cursor));
	if (getrandom(id.at, sizeof(id.at), 0) != (ssize_t)sizeof(id.at)) {
		int64_t now = clock_wall();

		memset(id.at, 0, sizeof(id.at));
		memcpy(id.at, &now, sizeof(now));
	}
	for (int i = 0; i < TRIAL_FORMS; i++) {
		struct stream *s = &t->streams[i];
		const char *star = strchr(input->tag, '*');
		const char *name = t->dummy != NULL ? "dummy" : "stdin";

		t->shown[i].input = *input;
		t->shown[i].key = key;
		t->shown[i].parser = parser != NULL ? parser : i == TRIAL_JSON ? json : NULL;
		t->shown[i].docker_too = true; /* no line has been read as a runtime's */
		*s = (struct stream){ .log = id,
			.conf = &t->shown[i],
			.path = xstrdup(name),
			.cursors = t->cursor[0] };
		s->tag = star == NULL ? xstrdup(input->tag)
				      : xprintf("%.*s%s%s", (int)(star - input->tag), input->tag,
					    name, star + 1);
	}
	for (unsigned i = 0; i < all->readers; i++) {
		for (int side = 0; side < SIDES; side++)
			cursor_init(&t->cursor[i][side], &t->streams[0].log, (enum side)side, i, 0);
	}
	for (int i = 0; i < TRIAL_FORMS; i++)
		all->on_stream(all->arg, &t->streams[i], true);
}

static void
trial_begin(struct trials *all, const struct section *section)
{
	struct trial *t = &all->at[all->n++];
	struct epoll_event event = { .events = EPOLLIN };

	buffer_init(&t->bytes, 0);
	if (section->plugin == &trial_dummy_plugin) {
		int64_t each;
		struct itimerspec every;

		t->dummy = section->values;
		each = NS_PER_S / t->dummy->rate;
		every.it_interval = (struct timespec){ each / NS_PER_S, (long)(each % NS_PER_S) };
		every.it_value = every.it_interval;
		t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		timerfd_settime(t->fd, 0, &every, NULL);
		t->owed = (uint64_t)t->dummy->copies;
		streams_begin(all, t, &t->dummy->input, NULL);
	} else {
		t->lines = section->values;
		t->fd = STDIN_FILENO;
		streams_begin(all, t, &t->lines->input, t->lines->parser);
	}
	epoll_ctl(all->epoll, EPOLL_CTL_ADD, t->fd, &event); /* a file is always readable */
}

struct trials *
trial_new(const struct conf *conf, const struct tail_reader *readers, unsigned nreaders,
    tail_stream *stream, void *arg)
{
	struct trials *all = xcalloc(1, sizeof(*all));
	size_t inputs = 0, lines = 0;

	all->to = xcalloc(nreaders, sizeof(*readers));
	memcpy(all->to, readers, nreaders * sizeof(*readers));
	all->readers = nreaders;
	all->on_stream = stream;
	all->arg = arg;
	all->at = xcalloc(conf->n, sizeof(*all->at));
	all->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		inputs += s->plugin->kind == SECTION_INPUT;
		lines += s->plugin == &trial_stdin_plugin;
		if (s->plugin == &trial_dummy_plugin ||
		    (s->plugin == &trial_stdin_plugin && lines == 1))
			trial_begin(all, s);
	}
	all->alone = lines == inputs;
	if (all->n > 0)
		return all;
	trial_free(all);
	return NULL;
}

void
trial_free(struct trials *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct trial *t = &all->at[i];

		for (int form = 0; form < TRIAL_FORMS; form++) {
			all->on_stream(all->arg, &t->streams[form], false);
			free(t->streams[form].path);
			free(t->streams[form].tag);
		}
		for (unsigned r = 0; r < all->readers; r++) {
			for (int side = 0; side < SIDES; side++)
				cursor_rewind(all->to[r].book, &t->cursor[r][side]);
		}
		free(t->cursor);
		buffer_fini(&t->bytes);
		if (t->dummy != NULL && t->fd >= 0)
			close(t->fd);
	}
	if (all->epoll >= 0)
		close(all->epoll);
	free(all->at);
	free(all->to);
	free(all);
}

/* ---- records */

/* To each reader in turn; the slowest holds up the others, as nothing can be read again. */
static bool
offer(struct trials *all, struct trial *t, struct slice text, bool cut)
{
	int form = text.len > 0 && text.at[0] == '{' ? TRIAL_JSON : TRIAL_TEXT;
	int64_t now = clock_wall();
	struct framed f = {
		.stream = &t->streams[form],
		.id = { t->streams[form].log, t->made, (uint32_t)XXH3_64bits(text.at, text.len),
		    (uint32_t)(now / (3600 * NS_PER_S)) },
		.side = SIDE_STDOUT,
		.truncated = cut,
		.lines = 1,
		.fresh = true,
		.time = now,
		.text = text,
		.start = t->made,
		.end = t->made + 1,
	};

	for (; t->given < all->readers; t->given++) {
		f.cursor = &t->cursor[t->given][SIDE_STDOUT];
		if (!all->to[t->given].record(all->arg, &f))
			return false;
	}
	t->given = 0;
	t->made++;
	return true;
}

static bool
dummy_turn(struct trials *all, struct trial *t, bool room)
{
	uint64_t times = 0, most = (uint64_t)(t->dummy->samples * t->dummy->copies);

	if (read(t->fd, &times, sizeof(times)) == sizeof(times))
		t->owed += times * (uint64_t)t->dummy->copies;
	if (t->owed > OWED_MOST)
		t->owed = OWED_MOST;
	for (int i = 0; room && t->owed > 0 && i < TURN; i++) {
		t->ends = most > 0 && t->made >= most;
		if (t->ends || !offer(all, t, slice_of(t->dummy->text), false))
			return false;
		t->owed--;
	}
	return room && t->owed > 0 && !t->ends;
}

/* One line to the caller; false: there is none, or no room. */
static bool
line_take(struct trials *all, struct trial *t)
{
	struct slice rest = { t->bytes.at + t->at, t->bytes.len - t->at };
	const char *end = rest.len > 0 ? memchr(rest.at, '\n', rest.len) : NULL;
	size_t len = end != NULL ? (size_t)(end - rest.at) : rest.len;
	size_t more = len > 0 && end != NULL && end[-1] == '\r'; /* of a CR LF */
	bool full = end == NULL && rest.len >= t->lines->most;

	if (rest.len == 0 || (end == NULL && !full && !t->ends))
		return false;
	if (!t->cut &&
	    !offer(all, t, slice_cut((struct slice){ rest.at, len - more }, t->lines->most),
		full || len - more > t->lines->most))
		return false;
	t->cut = full;
	t->at += len + (end != NULL);
	return true;
}

static void
bytes_read(struct trials *all, struct trial *t)
{
	struct pollfd ready = { .fd = t->fd, .events = POLLIN };
	char more[TRIAL_READ];
	ssize_t n;

	if (t->ends || poll(&ready, 1, 0) <= 0)
		return;
	n = read(t->fd, more, sizeof(more));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		say_error("stdin", "standard input cannot be read: %m");
	if (n <= 0) {
		t->ends = true;
		epoll_ctl(all->epoll, EPOLL_CTL_DEL, t->fd, NULL);
		return;
	}
	if (t->at > 0)
		memmove(t->bytes.at, t->bytes.at + t->at, t->bytes.len - t->at);
	t->bytes.len -= t->at;
	t->at = 0;
	buffer_put(&t->bytes, (struct slice){ more, (size_t)n });
}

static bool
stdin_turn(struct trials *all, struct trial *t, bool room)
{
	if (!room)
		return false;
	if (t->bytes.len - t->at <= t->lines->most)
		bytes_read(all, t);
	for (int i = 0; i < TURN; i++) {
		if (!line_take(all, t))
			return false;
	}
	return true;
}

/* What an output has dropped from memory cannot be read again. */
static bool
is_parked(struct trials *all, struct trial *t)
{
	bool parked = false;

	for (unsigned i = 0; i < all->readers; i++) {
		struct cursor *c = &t->cursor[i][SIDE_STDOUT];

		if (cursor_must_rewind(all->to[i].book, c)) {
			say_warn("run",
			    "records of [INPUT] %s that an output refused are lost: they cannot be read again",
			    t->dummy != NULL ? "dummy" : "stdin");
			cursor_rewind(all->to[i].book, c);
		}
		parked |= cursor_parked(all->to[i].book, c);
	}
	return parked;
}

/* ---- turns */

int
trial_fd(const struct trials *all)
{
	return all->epoll;
}

bool
trial_turn(struct trials *all, bool room)
{
	bool more = false;

	for (size_t i = 0; i < all->n; i++) {
		struct trial *t = &all->at[i];
		bool goes_on = !is_parked(all, t) && room;

		more |=
		    t->dummy != NULL ? dummy_turn(all, t, goes_on) : stdin_turn(all, t, goes_on);
	}
	return more;
}

bool
trial_at_end(const struct trials *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct trial *t = &all->at[i];

		if (t->dummy != NULL ? !t->ends && t->owed > 0 : !t->ends || t->bytes.len > t->at)
			return false;
	}
	return true;
}

bool
trial_alone(const struct trials *all)
{
	return all->alone;
}
