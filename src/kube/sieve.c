/*
 * A scanner of JSON that copies the members of a shape.  At each depth a set of
 * bits tells which patterns still fit; a pattern that has fit to its end takes
 * the whole value.  Brackets and strings are followed everywhere; the validity
 * of the copy is left to its parser.
 */
#include "sieve.h"

#include <assert.h>
#include <stdlib.h>

#include "json.h"

#define KEY_MAX 64 /* a longer key fits no pattern */

enum place { VALUE, ELEMENT, MEMBER, KEY, COLON, AFTER, STRING, LITERAL };

enum taking { SKIP, WALK, WHOLE };

struct level {
	bool array, any; /* a part of it was kept */
	enum taking taking;
	bool item;     /* the patterns are those of items */
	unsigned part; /* number of the patterns' parts that led here */
	uint64_t fit;  /* patterns that still fit */
};

struct sieve {
	const struct sieve_shape *shape;
	sieve_object *object;
	void *arg;
	uint64_t most, bytes;
	struct buffer out;
	bool over;       /* the copy is over the cap */
	unsigned opened; /* brackets opened in the copy */
	size_t each_at;  /* where the element begins in `out` */
	bool bad;
	enum place place;
	bool escape;
	unsigned depth;                             /* levels in use */
	struct level levels[SIEVE_DEPTH + 1], next; /* `next`: level of the value that comes next */
	char key[KEY_MAX];
	size_t key_len;
};

struct sieve *
sieve_new(
    const struct sieve_shape *shape, size_t cap, uint64_t most, sieve_object *object, void *arg)
{
	struct sieve *s = xcalloc(1, sizeof(*s));

	s->shape = shape;
	s->object = object;
	s->arg = arg;
	s->most = most;
	buffer_init(&s->out, cap);
	sieve_clear(s);
	return s;
}

void
sieve_free(struct sieve *s)
{
	if (s == NULL)
		return;
	buffer_fini(&s->out);
	free(s);
}

static uint64_t
all_of(const char *const *patterns)
{
	unsigned n = 0;

	while (patterns[n] != NULL)
		n++;
	assert(n < SIEVE_PATTERNS);
	return (UINT64_C(1) << n) - 1;
}

static void
root_begin(struct sieve *s)
{
	buffer_clear(&s->out);
	s->over = false;
	s->opened = 0;
	s->bytes = 0;
	s->place = VALUE;
	s->next = (struct level){ .taking = WALK, .fit = all_of(s->shape->root) };
}

void
sieve_clear(struct sieve *s)
{
	s->bad = s->escape = false;
	s->depth = 0;
	root_begin(s);
}

static void
keep(struct sieve *s, const char *at, size_t n)
{
	s->over |= buffer_put(&s->out, (struct slice){ at, n }) < 0;
}

/* ---- the choice of members */

/* The part numbered `part` of a pattern; false: the pattern has fewer parts. */
static bool
part_of(const char *pattern, unsigned part, struct slice *out)
{
	for (;;) {
		size_t n = strcspn(pattern, ".");

		*out = (struct slice){ pattern, n };
		if (part-- == 0)
			return true;
		if (pattern[n] == '\0')
			return false;
		pattern += n + 1;
	}
}

/* The fate of the value of s->key, by the patterns of its level. */
static struct level
member_of(const struct sieve *s, const struct level *in)
{
	const char *const *patterns = in->item ? s->shape->item : s->shape->root;
	struct slice key = { s->key, s->key_len }, part;
	struct level value = { .item = in->item, .part = in->part + 1 };

	if (in->taking != WALK) {
		value.taking = in->taking;
		return value;
	}
	if (s->depth == 1 && s->shape->inner != NULL && slice_eq(key, slice_of(s->shape->inner)))
		return (
		    struct level){ .taking = WALK, .item = true, .fit = all_of(s->shape->item) };
	for (unsigned i = 0; patterns[i] != NULL; i++) {
		if ((in->fit & UINT64_C(1) << i) == 0 || !part_of(patterns[i], in->part, &part) ||
		    !slice_eq(part, key))
			continue;
		value.fit |= UINT64_C(1) << i;
		if (part_of(patterns[i], value.part, &part))
			value.taking = value.taking == WHOLE ? WHOLE : WALK;
		else
			value.taking = WHOLE;
	}
	return value;
}

/* A value that is kept begins: write the comma and the key before it. */
static void
value_begins(struct sieve *s)
{
	struct level *in = s->depth == 0 ? NULL : &s->levels[s->depth - 1];

	if (s->next.taking == SKIP || in == NULL || in->taking == WHOLE)
		return;
	if (in->any)
		keep(s, ",", 1);
	in->any = true;
	if (in->array)
		return;
	keep(s, "\"", 1);
	keep(s, s->key, s->key_len);
	keep(s, "\":", 2);
}

/* ---- brackets */

/* True when the level at `depth` is the array whose elements are handed on one by one. */
static bool
is_each(const struct sieve *s, unsigned depth)
{
	return s->shape->each && depth == 2 && s->levels[1].array && s->levels[1].item;
}

static bool
opens(struct sieve *s, char c)
{
	struct level *l;

	if (s->depth == SIEVE_DEPTH)
		return false;
	if (is_each(s, s->depth)) {
		s->bytes = 0;
		s->levels[1].any = false; /* no comma before it */
		s->each_at = s->out.len;
	}
	value_begins(s);
	if (s->next.taking != SKIP) {
		keep(s, &c, 1);
		s->over |= ++s->opened > SIEVE_OPENED;
	}
	l = &s->levels[s->depth++];
	*l = s->next;
	l->array = c == '[';
	l->any = false;
	s->place = l->array ? ELEMENT : MEMBER;
	s->next = *l; /* for elements; a member's level follows from its key */
	return true;
}

static void
root_ends(struct sieve *s)
{
	s->object(s->arg, s->over ? (struct slice){ "", 0 } : buffer_slice(&s->out), true);
	root_begin(s);
}

static void
each_ends(struct sieve *s)
{
	struct slice text = slice_from(buffer_slice(&s->out), s->each_at);

	s->object(s->arg, s->over ? (struct slice){ "", 0 } : text, false);
	s->out.len = s->each_at;
	s->over = false;
	s->opened = 0;
}

static bool
closes(struct sieve *s, char c)
{
	if (s->depth == 0 || s->levels[s->depth - 1].array != (c == ']'))
		return false;
	if (s->levels[s->depth - 1].taking != SKIP)
		keep(s, &c, 1);
	s->depth--;
	s->place = AFTER;
	if (is_each(s, s->depth))
		each_ends(s);
	else if (s->depth == 0)
		root_ends(s);
	return true;
}

/* ---- bytes */

static bool
value_byte(struct sieve *s, char c)
{
	if (json_is_blank(c))
		return true;
	if (s->depth == 0 && c != '{') /* a root is an object */
		return false;
	if (c == '{' || c == '[')
		return opens(s, c);
	if (c == ']' && s->place == ELEMENT)
		return closes(s, c);
	if (memchr("}],:", c, 4) != NULL)
		return false;
	value_begins(s);
	if (s->next.taking != SKIP)
		keep(s, &c, 1);
	s->place = c == '"' ? STRING : LITERAL;
	return true;
}

static bool
after_byte(struct sieve *s, char c)
{
	const struct level *in = &s->levels[s->depth - 1];

	if (json_is_blank(c))
		return true;
	if (c == '}' || c == ']')
		return closes(s, c);
	if (c != ',')
		return false;
	if (in->taking == WHOLE)
		keep(s, &c, 1);
	s->place = in->array ? VALUE : MEMBER;
	if (in->array)
		s->next = *in;
	return true;
}

/* Before a key. */
static bool
member_byte(struct sieve *s, char c)
{
	if (json_is_blank(c))
		return true;
	if (c == '}')
		return closes(s, c);
	if (c != '"')
		return false;
	s->place = KEY;
	s->key_len = 0;
	if (s->levels[s->depth - 1].taking == WHOLE)
		keep(s, &c, 1);
	return true;
}

static bool
key_byte(struct sieve *s, char c)
{
	if (s->levels[s->depth - 1].taking == WHOLE)
		keep(s, &c, 1);
	if (c == '"' && !s->escape) {
		s->place = COLON;
		return true;
	}
	s->escape = c == '\\' && !s->escape;
	if (s->key_len < KEY_MAX)
		s->key[s->key_len++] = c;
	return true;
}

static bool
colon_byte(struct sieve *s, char c)
{
	const struct level *in = &s->levels[s->depth - 1];

	if (json_is_blank(c))
		return true;
	if (c != ':')
		return false;
	if (in->taking == WHOLE)
		keep(s, &c, 1);
	if (s->key_len == KEY_MAX)
		s->key_len = 0; /* no pattern is empty */
	s->next = member_of(s, in);
	s->place = VALUE;
	return true;
}

static bool
literal_byte(struct sieve *s, char c)
{
	if (json_is_blank(c) || c == ',' || c == '}' || c == ']') {
		s->place = AFTER;
		return after_byte(s, c);
	}
	if (memchr("{[\":", c, 4) != NULL)
		return false;
	if (s->next.taking != SKIP)
		keep(s, &c, 1);
	return true;
}

/* Most bytes are of strings: plain ones are passed at once. */
static size_t
string_bytes(struct sieve *s, struct slice piece)
{
	size_t n = 0;

	while (n < piece.len) {
		char c = piece.at[n++];

		if (s->escape) {
			s->escape = false;
		} else if (c == '\\') {
			s->escape = true;
		} else if (c == '"') {
			s->place = AFTER;
			break;
		}
	}
	if (s->next.taking != SKIP)
		keep(s, piece.at, n);
	return n;
}

static bool
byte(struct sieve *s, char c)
{
	static bool (*const takes[])(struct sieve * s, char c) = {
		[VALUE] = value_byte,
		[ELEMENT] = value_byte,
		[MEMBER] = member_byte,
		[KEY] = key_byte,
		[COLON] = colon_byte,
		[AFTER] = after_byte,
		[LITERAL] = literal_byte,
	};

	return takes[s->place](s, c);
}

enum parsed
sieve_feed(struct sieve *s, struct slice piece)
{
	while (piece.len > 0 && !s->bad) {
		size_t n = 1;

		if (s->place == STRING)
			n = string_bytes(s, piece);
		else
			s->bad = !byte(s, piece.at[0]);
		s->bytes += s->depth > 0 ? n : 0;
		s->bad |= s->bytes > s->most;
		piece = slice_from(piece, n);
	}
	if (s->bad)
		return PARSE_BAD;
	return s->depth == 0 ? PARSE_OK : PARSE_MORE;
}
