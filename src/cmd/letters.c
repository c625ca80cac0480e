/* Lines of a file of dead letters, in bounded memory, and the letters in them. */
#include "letters.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

#define READ 65536
#define ID_MAX 512    /* bytes: the servers' limit */
#define INDEX_MAX 255 /* bytes: the servers' limit */

int
letters_open(struct letters *l, const char *path)
{
	struct stat st;

	memset(l, 0, sizeof(*l));
	buffer_init(&l->buf, LETTER_MAX);
	buffer_need(&l->buf, READ);
	l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (l->fd < 0 || fstat(l->fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	flock(l->fd, LOCK_SH); /* a letter that is being written is waited for */
	letters_more(l);
	flock(l->fd, LOCK_UN);
	return 0;
}

bool
letters_more(struct letters *l)
{
	struct stat st;

	if (fstat(l->fd, &st) < 0 || (uint64_t)st.st_size <= l->end)
		return false;
	l->end = (uint64_t)st.st_size;
	return true;
}

void
letters_close(struct letters *l)
{
	if (l->fd >= 0)
		close(l->fd);
	buffer_fini(&l->buf);
}

/* ---- lines */

/* Read more of the file behind the buffer's bytes: their number, 0 at the end, -1. */
static ssize_t
fill(struct letters *l, char *to, size_t size)
{
	uint64_t from = l->at + l->buf.len;
	ssize_t n;

	if (from >= l->end)
		return 0;
	if (size > l->end - from)
		size = (size_t)(l->end - from);
	do
		n = pread(l->fd, to, size, (off_t)from);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		l->end = from; /* the file was cut meanwhile */
	return n;
}

static void
drop_used(struct letters *l)
{
	memmove(l->buf.at, l->buf.at + l->used, l->buf.len - l->used);
	l->at += l->used;
	l->buf.len -= l->used;
	l->used = 0;
}

/* A line that the buffer cannot hold: find its end, without keeping its bytes. */
static int
pass_long(struct letters *l, struct line *line)
{
	char *newline = NULL;
	ssize_t n = 1;

	while (newline == NULL && n > 0) {
		l->at += l->buf.len;
		l->buf.len = 0;
		n = fill(l, l->buf.at, READ);
		if (n < 0)
			return -1;
		l->buf.len = (size_t)n;
		newline = memchr(l->buf.at, '\n', l->buf.len);
	}
	l->used = newline != NULL ? (size_t)(newline - l->buf.at) + 1 : l->buf.len;
	line->len = l->at + l->used - (newline != NULL) - line->at;
	line->text = (struct slice){ NULL, 0 };
	return 1;
}

static int
line_take(struct letters *l, struct line *line, size_t len, bool newline)
{
	line->len = len;
	line->text = (struct slice){ l->buf.at + l->used, len };
	l->used += len + newline;
	return 1;
}

int
letters_next(struct letters *l, struct line *line)
{
	size_t looked = 0;

	line->number = ++l->number;
	line->at = l->at + l->used;
	for (;;) {
		size_t have = l->buf.len - l->used;
		char *from = l->buf.at + l->used, *to;
		const char *newline =
		    have > looked ? memchr(from + looked, '\n', have - looked) : NULL;
		ssize_t n;

		if (newline != NULL)
			return line_take(l, line, (size_t)(newline - from), true);
		looked = have;
		if (l->used > 0)
			drop_used(l);
		to = buffer_need(&l->buf, READ);
		if (to == NULL)
			return pass_long(l, line);
		n = fill(l, to, READ);
		if (n < 0)
			return -1;
		l->buf.len += (size_t)n;
		if (n == 0 && have > 0)
			return line_take(l, line, have, false);
		if (n == 0) {
			l->number--;
			return 0;
		}
	}
}

static int
write_all(int to, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = write(to, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
letters_copy(const struct letters *l, uint64_t at, uint64_t len, int to)
{
	char part[READ];

	while (len > 0) {
		size_t want = len < sizeof(part) ? (size_t)len : sizeof(part);
		ssize_t n = pread(l->fd, part, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* the file was cut meanwhile */
		if (n <= 0 || write_all(to, part, (size_t)n) < 0)
			return -1;
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return write_all(to, "\n", 1);
}

/* ---- the letter in a line */

/*
 * True when `text` is one object with its braces closed, on one line.  The
 * server judges the rest of its JSON, which may be deeper than json_check()
 * allows.
 */
static bool
is_object(struct slice text)
{
	bool string = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if ((unsigned char)c < 0x20 || (i == 0 && c != '{'))
			return false;
		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '{' || c == '['))
			depth++;
		else if (!string && (c == '}' || c == ']') && --depth == 0)
			return i + 1 == text.len;
	}
	return false;
}

static void
member_keep(struct letter *l, struct slice key, const struct json_value *value)
{
	const struct {
		struct slice name;
		struct slice *to;
	} members[] = {
		{ SLICE("output"), &l->output },
		{ SLICE("index"), &l->index },
		{ SLICE("id"), &l->id },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (value->kind == JSON_STRING && slice_eq(key, members[i].name))
			*members[i].to = value->text;
	}
}

/* The document is the last member; its mark cannot be within a string, where its quotes have backslashes. */
const char *
letters_read(struct slice line, struct letter *l)
{
	const struct slice mark = SLICE(",\"document\":");
	const char *at = line.len == 0 ? NULL : memmem(line.at, line.len, mark.at, mark.len);
	struct json_walk walk;
	struct json_value value;
	struct slice key;

	memset(l, 0, sizeof(*l));
	if (line.len == 0 || line.at[0] != '{' || line.at[line.len - 1] != '}')
		return "not a JSON object on one line";
	if (at == NULL)
		return "without a document at its end";
	json_enter(&walk, (struct slice){ line.at, (size_t)(at - line.at) });
	while (walk.at < walk.end) {
		if (json_next(&walk, &key, &value) != PARSE_OK)
			return "not JSON";
		member_keep(l, key, &value);
	}
	at += mark.len;
	l->document = (struct slice){ at, (size_t)(line.at + line.len - 1 - at) };
	if (!is_object(l->document))
		return "its document is not a whole object";
	if (l->id.len == 0 || l->id.len > ID_MAX)
		return "without an id, or with one that no server takes";
	if (l->index.len == 0 || l->index.len > INDEX_MAX)
		return "without an index, or with a name that no server takes";
	return NULL;
}
