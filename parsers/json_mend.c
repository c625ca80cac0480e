/*
 * Valid JSON, written so that a server takes it whatever it holds: the rules
 * that a document has beyond JSON's own grammar.  One pass over the tokens; of
 * the members of open objects the names are remembered, in a table of fixed size.
 */
#include "json.h"

#include <assert.h>
#include <xxhash.h>

#define NUMBER_MAX 1000 /* bytes of a number: both servers' limit */
#define MEMBERS 512     /* of open objects together */
#define CHAINS 1024

/* Elasticsearch takes 20 levels under a field of any keys, or in a mapping. */
static_assert(JSON_DEPTH <= 18, "servers take fewer levels than are read");

/* ---- names and texts */

/* The bytes of the escape at raw[i], a pair of them for one character as a whole; 1: it is none. */
static size_t
escape_len(struct slice raw, size_t i)
{
	if (raw.at[i] != '\\')
		return 1;
	if (raw.at[i + 1] != 'u')
		return 2;
	if ((raw.at[i + 2] | 0x20) != 'd' || raw.at[i + 3] < '8' || raw.len - i < 12 ||
	    raw.at[i + 6] != '\\' || raw.at[i + 7] != 'u')
		return 6;
	return 12;
}

/* The longest beginning of at most `most` bytes that ends between two characters. */
static struct slice
text_cut(struct slice text, bool escaped, size_t most)
{
	size_t i = 0, step;

	if (text.len <= most)
		return text;
	for (; escaped && i < most && i + (step = escape_len(text, i)) <= most; i += step)
		;
	text.len = escaped ? i : most;
	for (int back = 0; back < 3 && text.len > 0; back++, text.len--)
		if (((unsigned char)text.at[text.len] & 0xc0) != 0x80 ||
		    (text.at[text.len - 1] & 0x80) == 0) /* an escape's end, perhaps */
			break;
	return text;
}

char *
json_write_cut(char *to, struct slice text, bool escaped, size_t most)
{
	text = text_cut(text, escaped, most);
	return escaped ? json_write_raw(to, text) : json_write(to, text);
}

char *
json_name(char *to, struct slice name, bool escaped)
{
	char plain[8 * JSON_NAME_BYTES];
	struct slice s = text_cut(name, escaped, sizeof(plain));

	if (s.len > 0 && s.len <= JSON_NAME_BYTES &&
	    memchr(s.at, escaped ? '\\' : '\0', s.len) == NULL)
		return json_write(to, s); /* nearly every name */
	if (s.len == 0)
		return json_write(to, SLICE("_"));
	if (escaped)
		s.len = json_unescape(s, plain);
	else
		memcpy(plain, s.at, s.len);
	s = text_cut((struct slice){ plain, s.len }, false, JSON_NAME_BYTES);
	for (size_t i = 0; i < s.len; i++)
		if (plain[i] == '\0')
			plain[i] = '?';
	return json_write(to, s);
}

/* ---- values */

struct member {
	char *at;   /* where it is written, its name first */
	size_t len; /* of the name, with its quotes */
	uint32_t hash;
	uint16_t next; /* of the chain, by index + 1; 0: none */
};

/* One value at work. */
struct mend {
	const char *at, *end;
	char *to;
	size_t text_max;
	unsigned depth;
	uint32_t objects;              /* a bit for each level: 1 object, 0 array */
	uint16_t base[JSON_DEPTH + 1]; /* by level: its first member */
	uint16_t n;                    /* members */
	bool name_next, removed;
	struct member *members;
	uint16_t *chains;
};

/* Members of the object that ends are forgotten, the newest first. */
static void
members_forget(struct mend *m, uint16_t base)
{
	while (m->n > base) {
		const struct member *last = &m->members[--m->n];

		m->chains[last->hash % CHAINS] = last->next;
	}
}

/* The last of several members of one name counts: the others are written over with zeros. */
static bool
member_put(struct mend *m, char *name, size_t len)
{
	uint32_t hash = (uint32_t)XXH3_64bits(name, len);
	uint16_t base = m->base[m->depth], *chain = &m->chains[hash % CHAINS];

	if (m->n == MEMBERS)
		return false;
	for (uint16_t i = *chain; i > base; i = m->members[i - 1].next) {
		const struct member *was = &m->members[i - 1];
		const char *end = i < m->n ? m->members[i].at : name;

		if (was->hash != hash || was->len != len || memcmp(was->at, name, len) != 0)
			continue;
		memset(was->at, 0, (size_t)(end - was->at));
		m->removed = true;
		break;
	}
	m->members[m->n] = (struct member){ name, len, hash, *chain };
	*chain = ++m->n;
	return true;
}

/* The string whose first byte is at `at`; moves on behind it. */
static struct slice
string_take(struct mend *m)
{
	const char *from = ++m->at, *quote, *back;

	for (;; m->at = quote + 1) {
		quote = memchr(m->at, '"', (size_t)(m->end - m->at));
		assert(quote != NULL); /* valid JSON */
		for (back = quote; back > from && back[-1] == '\\';)
			back--;
		if ((quote - back) % 2 == 0)
			break;
	}
	m->at = quote + 1;
	return (struct slice){ from, (size_t)(quote - from) };
}

static bool
name_write(struct mend *m)
{
	char *name = m->to, *end = json_name(name, string_take(m), true);

	*end = ':';
	m->to = end + 1;
	m->name_next = false;
	return member_put(m, name, (size_t)(end - name));
}

static void
level_begin(struct mend *m, bool object)
{
	assert(m->depth < JSON_DEPTH); /* as it was read */
	*m->to++ = *m->at++;
	m->objects = m->objects << 1 | object;
	m->base[++m->depth] = m->n;
	m->name_next = object;
}

/* Behind each value stands a comma, which the end of its container takes away. */
static void
value_end(struct mend *m)
{
	*m->to++ = ',';
	m->name_next = m->objects & 1;
}

static void
level_end(struct mend *m)
{
	if (m->to[-1] == ',')
		m->to--;
	members_forget(m, m->base[m->depth]);
	*m->to++ = *m->at++;
	m->depth--;
	m->objects >>= 1;
	value_end(m);
}

static char *
number_write(char *to, struct slice text, size_t text_max)
{
	if (text.len > NUMBER_MAX)
		return json_write_cut(to, text, false, text_max);
	memcpy(to, text.at, text.len);
	return to + text.len;
}

static void
scalar_write(struct mend *m)
{
	const char *from = m->at;

	while (m->at < m->end && *m->at != ',' && *m->at != '}' && *m->at != ']' &&
	       !json_is_blank(*m->at))
		m->at++;
	m->to = number_write(m->to, (struct slice){ from, (size_t)(m->at - from) }, m->text_max);
	value_end(m);
}

/* False when there are more members than are remembered. */
static bool
token_write(struct mend *m)
{
	char c = *m->at;

	if (json_is_blank(c) || c == ',' || c == ':') {
		m->at++;
	} else if (c == '"' && m->name_next) {
		return name_write(m);
	} else if (c == '"') {
		m->to = json_write_cut(m->to, string_take(m), true, m->text_max);
		value_end(m);
	} else if (c == '{' || c == '[') {
		level_begin(m, c == '{');
	} else if (c == '}' || c == ']') {
		level_end(m);
	} else {
		scalar_write(m);
	}
	return true;
}

/* What was written over with zeros goes. */
static char *
zeros_drop(char *from, char *end)
{
	char *to = from;

	for (; from < end; from++)
		if (*from != '\0')
			*to++ = *from;
	return to;
}

char *
json_mend(char *to, struct slice text, size_t text_max)
{
	static _Thread_local struct member members[MEMBERS];
	static _Thread_local uint16_t chains[CHAINS];
	struct mend m = {
		.at = text.at,
		.end = text.at + text.len,
		.to = to,
		.text_max = text_max,
		.members = members,
		.chains = chains,
	};

	if (*m.at != '{' && *m.at != '[')
		return number_write(to, text, text_max);
	while (m.at < m.end) {
		if (token_write(&m))
			continue;
		members_forget(&m, 0);
		return json_write_cut(to, text, false, text_max);
	}
	m.to--; /* the comma */
	return m.removed ? zeros_drop(to, m.to) : m.to;
}
