/*
 * A pushdown scanner for bulk answers: a byte at a time, a stack of roles, one
 * table of the members that mean something.  Everything else is skipped, but
 * has to be JSON.
 */
#include "reply.h"

#include <string.h>

enum state {
	AT_VALUE,
	AT_VALUE_OR_END, /* behind [ */
	AT_NAME,
	AT_NAME_OR_END, /* behind { */
	AT_COLON,
	BEHIND_VALUE,
	IN_NAME,
	IN_STRING,
	IN_WORD, /* a number, true, false, null */
	AT_DONE,
};

/* Roles of containers. */
enum role {
	ROLE_OTHER,
	ROLE_OTHER_LIST,
	ROLE_ROOT,
	ROLE_ITEMS,
	ROLE_ITEM,
	ROLE_RESULT,
	ROLE_ERROR
};

/* Meanings of values. */
enum value {
	VALUE_OTHER,
	VALUE_ROOT,
	VALUE_ITEMS,
	VALUE_ITEM,
	VALUE_RESULT,
	VALUE_STATUS,
	VALUE_ERROR,
	VALUE_TYPE,
	VALUE_REASON,
	VALUE_STORE,
};

static const struct {
	enum role in;
	const char *name; /* NULL: any */
	enum value value;
} members[] = {
	{ ROLE_ROOT, "items", VALUE_ITEMS },
	{ ROLE_ROOT, "error", VALUE_ERROR },
	{ ROLE_ROOT, "status", VALUE_STATUS },
	{ ROLE_ITEM, NULL, VALUE_RESULT },
	{ ROLE_RESULT, "status", VALUE_STATUS },
	{ ROLE_RESULT, "error", VALUE_ERROR },
	{ ROLE_RESULT, "failure_store", VALUE_STORE },
	{ ROLE_ERROR, "type", VALUE_TYPE },
	{ ROLE_ERROR, "reason", VALUE_REASON },
};

static const struct {
	enum value value;
	char bracket;
	enum role role;
} containers[] = {
	{ VALUE_ROOT, '{', ROLE_ROOT },
	{ VALUE_ITEMS, '[', ROLE_ITEMS },
	{ VALUE_ITEM, '{', ROLE_ITEM },
	{ VALUE_RESULT, '{', ROLE_RESULT },
	{ VALUE_ERROR, '{', ROLE_ERROR },
};

void
reply_init(struct reply *r, uint32_t want, reply_take *take, void *arg)
{
	memset(r, 0, sizeof(*r));
	r->want = want;
	r->take = take;
	r->arg = arg;
	r->state = AT_VALUE;
	r->value = VALUE_ROOT;
}

/* The depth at which an item begins: { "items": [ { */
#define DEPTH_ITEM 2

static struct reply_item *
current(struct reply *r)
{
	bool in_item = r->depth > DEPTH_ITEM && r->role[DEPTH_ITEM] == ROLE_ITEM;

	return in_item ? &r->item : &r->whole;
}

static enum role
role_now(const struct reply *r)
{
	return r->depth == 0 ? ROLE_OTHER : r->role[r->depth - 1];
}

static bool
in_list(const struct reply *r)
{
	return role_now(r) == ROLE_ITEMS || role_now(r) == ROLE_OTHER_LIST;
}

/* ---- strings: those with a meaning are kept, as far as there is room */

static void
string_begin(struct reply *r)
{
	struct reply_item *item = current(r);

	r->state = IN_STRING;
	if (r->value == VALUE_STORE)
		reply_text_begin(&r->text, r->word, sizeof(r->word));
	else if (r->value == VALUE_TYPE)
		reply_text_begin(&r->text, item->type, sizeof(item->type));
	else if (r->value == VALUE_REASON || r->value == VALUE_ERROR)
		reply_text_begin(&r->text, item->reason, sizeof(item->reason));
	else
		reply_text_begin(&r->text, NULL, 0);
}

static enum value
member_find(const struct reply *r)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		if (members[i].in == role_now(r) &&
		    (members[i].name == NULL || strcmp(members[i].name, r->word) == 0))
			return members[i].value;
	}
	return VALUE_OTHER;
}

static void
string_end(struct reply *r)
{
	if (r->state == IN_NAME) {
		r->value = member_find(r);
		r->state = AT_COLON;
		return;
	}
	if (r->value == VALUE_STORE)
		r->item.failure_store = strcmp(r->word, "used") == 0;
	r->state = BEHIND_VALUE;
}

/* ---- containers */

static void
open_container(struct reply *r, char bracket)
{
	enum role role = bracket == '{' ? ROLE_OTHER : ROLE_OTHER_LIST;

	if (r->depth == REPLY_DEPTH) {
		r->bad = true;
		return;
	}
	for (size_t i = 0; i < sizeof(containers) / sizeof(*containers); i++) {
		if (containers[i].value == r->value && containers[i].bracket == bracket)
			role = containers[i].role;
	}
	if (role == ROLE_ITEM)
		memset(&r->item, 0, sizeof(r->item));
	r->role[r->depth++] = role;
	r->state = bracket == '{' ? AT_NAME_OR_END : AT_VALUE_OR_END;
	r->value = role == ROLE_ITEMS ? VALUE_ITEM : VALUE_OTHER;
}

static void
close_container(struct reply *r, char bracket)
{
	enum role role = role_now(r);

	if (r->depth == 0 || (bracket == ']') != in_list(r)) {
		r->bad = true;
		return;
	}
	r->depth--;
	r->state = r->depth == 0 ? AT_DONE : BEHIND_VALUE;
	if (role != ROLE_ITEM)
		return;
	if (r->got == r->want || r->item.status == 0)
		r->bad = true;
	else
		r->take(r->arg, r->got++, &r->item);
}

/* ---- numbers and literals */

static void
word_begin(struct reply *r, char c)
{
	r->state = IN_WORD;
	reply_text_begin(&r->text, r->word, sizeof(r->word));
	reply_text_put(&r->text, (unsigned char)c);
}

static bool
is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' ||
	       c == '.' || c == 'E';
}

static void
word_end(struct reply *r)
{
	const char *at = r->word;
	int status = 0;

	r->state = BEHIND_VALUE;
	reply_text_end(&r->text);
	if (*at != '-' && (*at < '0' || *at > '9')) {
		r->bad |=
		    strcmp(at, "true") != 0 && strcmp(at, "false") != 0 && strcmp(at, "null") != 0;
		return;
	}
	if (r->value != VALUE_STATUS)
		return;
	for (; *at >= '0' && *at <= '9' && status < 1000; at++)
		status = 10 * status + (*at - '0');
	if (*at != '\0' || status < 100 || status > 999)
		r->bad = true;
	else
		current(r)->status = status;
}

/* ---- one byte */

static void
take_value(struct reply *r, char c)
{
	if (r->depth == 0 && c != '{')
		r->bad = true;
	else if (c == '{' || c == '[')
		open_container(r, c);
	else if (c == '"')
		string_begin(r);
	else if (is_of_word(c))
		word_begin(r, c);
	else
		r->bad = true;
}

static void
take_behind(struct reply *r, char c)
{
	if (c == '}' || c == ']') {
		close_container(r, c);
	} else if (c != ',') {
		r->bad = true;
	} else if (in_list(r)) {
		r->state = AT_VALUE;
		r->value = role_now(r) == ROLE_ITEMS ? VALUE_ITEM : VALUE_OTHER;
	} else {
		r->state = AT_NAME;
	}
}

static void
take_name(struct reply *r, char c)
{
	if (c != '"') {
		r->bad = true;
		return;
	}
	r->state = IN_NAME;
	reply_text_begin(&r->text, r->word, sizeof(r->word));
}

static void
take_byte(struct reply *r, char c)
{
	bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';

	if (r->state == IN_STRING || r->state == IN_NAME) {
		enum parsed got = reply_text_take(&r->text, c);

		if (got == PARSE_OK)
			string_end(r);
		r->bad |= got == PARSE_BAD;
		return;
	}
	if (r->state == IN_WORD) {
		if (is_of_word(c)) {
			reply_text_put(&r->text, (unsigned char)c);
			return;
		}
		word_end(r);
	}
	if (blank)
		return;
	else if (r->state == AT_VALUE)
		take_value(r, c);
	else if (r->state == AT_VALUE_OR_END && c == ']')
		close_container(r, c);
	else if (r->state == AT_VALUE_OR_END)
		take_value(r, c);
	else if (r->state == AT_NAME_OR_END && c == '}')
		close_container(r, c);
	else if (r->state == AT_NAME || r->state == AT_NAME_OR_END)
		take_name(r, c);
	else if (r->state == AT_COLON && c == ':')
		r->state = AT_VALUE;
	else if (r->state == BEHIND_VALUE)
		take_behind(r, c);
	else
		r->bad = true;
}

/* Nearly every item of every answer, as both servers write it. */
static const struct slice usual[] = { SLICE("{\"create\":{\"status\":201}}"),
	SLICE("{\"index\":{\"status\":201}}") };
static const struct reply_item created = { .status = 201 };

/* The usual item is taken whole, without the scanner.  Return its length; 0: another one stands there. */
static size_t
take_usual(struct reply *r, struct slice rest)
{
	if (r->state != AT_VALUE || r->value != VALUE_ITEM || r->got == r->want)
		return 0;
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		if (!slice_starts(rest, usual[i]))
			continue;
		r->state = BEHIND_VALUE;
		r->take(r->arg, r->got++, &created);
		return usual[i].len;
	}
	return 0;
}

enum parsed
reply_feed(struct reply *r, struct slice piece)
{
	while (piece.len > 0 && !r->bad) {
		size_t n = piece.at[0] == '{' ? take_usual(r, piece) : 0;

		if (n == 0)
			take_byte(r, piece.at[n++]);
		piece = slice_from(piece, n);
	}
	if (r->bad)
		return PARSE_BAD;
	return r->state == AT_DONE ? PARSE_OK : PARSE_MORE;
}

enum parsed
reply_end(const struct reply *r)
{
	return !r->bad && r->state == AT_DONE && r->got == r->want ? PARSE_OK : PARSE_BAD;
}
