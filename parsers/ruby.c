/*
 * Ruby's regular expressions (Onigmo), written as PCRE2 wants them.  The two
 * agree on nearly all; where they differ, the expression is translated, or
 * refused with a message:
 *
 *	/re/imx		flags; Ruby's m is PCRE's s
 *	(?<a-b>  \k<>	names of any length and with hyphens: mapped to n0, n1, …
 *	\h \H		a hexadecimal digit (PCRE: horizontal space)
 *	\uHHHH		\x{HHHH}
 *	{,n}		{0,n}
 *	\Q \E \N …	the letters, \v a vertical tab alone
 *	(?i)a|b		(?i:a|b): up to the end of its group, and not of its alternative
 *	(a)*+		(?>(a)*): a JIT of PCRE2 (10.42) leaves a group as set by *+ when
 *			the text behind it does not match
 *	[a&&b] [a[b]]	refused, and so are (?~…), {n,m}+ and {n}?
 *
 * RUBY_MARK stands wherever a match may take another way: behind a quantifier
 * and an alternative's |, and before a call (\g<a>).  Between two marks the
 * engine goes over the text at most once for each item of the expression.
 */
#include "ruby.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

/* No expression written by hand is longer; the translation is at most some times as long. */
#define SOURCE_MAX 16384
/* The options for an expression with characters beyond ASCII. */
#define WIDE (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF)

#define NEST_MAX 100 /* of groups; PCRE2 is told the same */
#define NO_GROUP SIZE_MAX

struct walk {
	struct slice source;
	size_t at;
	bool extended;                /* # begins a comment at this place */
	bool outer[NEST_MAX];         /* the same, outside of each open group */
	uint16_t flags[NEST_MAX + 1]; /* by depth: groups that (?i) and the like have opened */
	size_t starts[NEST_MAX];      /* of each open group, in the translation */
	unsigned depth;
	size_t start; /* of the item that is copied, in the translation */
	size_t group; /* of the group before this place, in the translation, or NO_GROUP */
	struct ruby *out;
	char *error;
	size_t size;
};

static int
refuse(struct walk *w, const char *what)
{
	snprintf(w->error, w->size, "%s, at character %zu of the expression", what, w->at + 1);
	return -1;
}

static void
put(struct walk *w, const char *text, size_t len)
{
	buffer_put(&w->out->text, (struct slice){ text, len });
}

/* The byte ${ahead} bytes further on; 0 behind the end. */
static char
peek(const struct walk *w, size_t ahead)
{
	return ahead < w->source.len - w->at ? w->source.at[w->at + ahead] : '\0';
}

static bool
ahead_is(const struct walk *w, const char *text)
{
	return slice_starts(slice_from(w->source, w->at), slice_of(text));
}

static void
copy(struct walk *w, size_t len)
{
	len = least(len, w->source.len - w->at);
	put(w, w->source.at + w->at, len);
	w->at += len;
}

static void
mark(struct walk *w)
{
	put(w, RUBY_MARK, sizeof(RUBY_MARK) - 1);
}

/* All from ${start} of the translation on becomes (?>…). */
static void
atomic_make(struct walk *w, size_t start)
{
	struct buffer *text = &w->out->text;

	put(w, "(?>)", 4);
	memmove(text->at + start + 3, text->at + start, text->len - 4 - start);
	memcpy(text->at + start, "(?>", 3);
}

/* A quantifier has been copied: so is what makes it lazy or possessive, and a mark follows. */
static void
quantifier_end(struct walk *w)
{
	size_t blanks = 0;

	while (w->extended && isspace((unsigned char)peek(w, blanks)))
		blanks++;
	if (peek(w, blanks) == '+' && w->group != NO_GROUP) {
		atomic_make(w, w->group);
		w->at += blanks + 1;
	} else if (peek(w, blanks) == '?' || peek(w, blanks) == '+') {
		copy(w, blanks + 1);
	}
	mark(w);
}

/* ---- names */

/* The number of a name, or -1 after refusing the name. */
static int
name_number(struct walk *w, struct slice name)
{
	struct ruby *r = w->out;

	if (name.len == 0 || name.len > RUBY_NAME_MAX)
		return refuse(w, "a group's name is empty or too long");
	for (size_t i = 0; i < r->nnames; i++)
		if (slice_eq(r->names[i], name))
			return (int)i;
	if (r->nnames == RUBY_NAMES)
		return refuse(w, "too many named groups");
	r->names[r->nnames] = name;
	return (int)r->nnames++;
}

/* A name behind ${head} bytes and up to ${close}: head, n<i>, close. */
static int
name_copy(struct walk *w, size_t head, char close, bool defines)
{
	const char *start = w->source.at + w->at + head;
	const char *end = memchr(start, close, w->source.len - w->at - head);
	int number;

	if (end == NULL)
		return refuse(w, "a group's name has no end");
	number = name_number(w, (struct slice){ start, (size_t)(end - start) });
	if (number < 0)
		return -1;
	w->out->defined[number] |= defines;
	copy(w, head);
	buffer_printf(&w->out->text, "n%d", number);
	w->at = (size_t)(end - w->source.at);
	copy(w, 1);
	return 0;
}

/* ---- escapes */

static int
unicode_escape(struct walk *w)
{
	size_t len = 0, from = 2;
	bool braces = peek(w, 2) == '{';

	from += braces;
	while (isxdigit((unsigned char)peek(w, from + len)) && len < (braces ? 6 : 4))
		len++;
	if ((!braces && len != 4) || (braces && (len == 0 || peek(w, from + len) != '}')))
		return refuse(w, "\\u needs four hexadecimal digits, or {digits}");
	buffer_printf(&w->out->text, "\\x{%.*s}", (int)len, w->source.at + w->at + from);
	w->at += from + len + braces;
	w->out->options |= WIDE;
	return 0;
}

/* Escapes that PCRE has and Ruby has not: the letter itself. */
static void
letter_copy(struct walk *w, char c)
{
	put(w, &c, 1);
	w->at += 2;
}

static int
escape(struct walk *w, bool in_class)
{
	char c = peek(w, 1);

	switch (c) {
	case '\0':
		return refuse(w, "a \\ at the end");
	case 'Q':
	case 'E':
	case 'N':
	case 'L':
	case 'l':
	case 'U':
	case 'o':
	case 'V':
		letter_copy(w, c);
		return 0;
	case 'v':
		put(w, "\\x0b", 4);
		w->at += 2;
		return 0;
	case 'C':
	case 'M':
		return refuse(w, "\\C- and \\M- are not supported; write \\x and two digits");
	case 'c':
		if (!isalpha((unsigned char)peek(w, 2)) &&
		    (peek(w, 2) == '\0' || strchr("@[]^_?", peek(w, 2)) == NULL))
			return refuse(w, "\\c needs a letter behind it; write \\x and two digits");
		copy(w, 3);
		return 0;
	case 'x':
		if (!isxdigit((unsigned char)peek(w, 2)) && peek(w, 2) != '{')
			return refuse(w, "\\x needs hexadecimal digits");
		break;
	case 'h':
		put(w, in_class ? "0-9A-Fa-f" : "[0-9A-Fa-f]", in_class ? 9 : 11);
		w->at += 2;
		return 0;
	case 'H':
		if (in_class)
			return refuse(w, "\\H inside [ ] cannot be translated");
		put(w, "[^0-9A-Fa-f]", 12);
		w->at += 2;
		return 0;
	case 'u':
		return unicode_escape(w);
	case 'p':
	case 'P':
		if (peek(w, 2) != '{') {
			letter_copy(w, c);
			return 0;
		}
		w->out->options |= WIDE;
		break;
	case 'g':
	case 'k':
		if (peek(w, 2) != '<' && peek(w, 2) != '\'') {
			letter_copy(w, c);
			return 0;
		}
		if (c == 'g' && !in_class)
			mark(w);
		w->out->far |= !in_class;
		if (!in_class && peek(w, 2) == '<' && !isdigit((unsigned char)peek(w, 3)) &&
		    peek(w, 3) != '-' && peek(w, 3) != '+')
			return name_copy(w, 3, '>', false);
		break;
	default:
		w->out->far |= !in_class && isdigit((unsigned char)c);
		break;
	}
	copy(w, 2);
	return 0;
}

/* ---- classes */

/* The length of [:alpha:] or [:^alpha:]; 0: no such class stands there. */
static size_t
posix_len(const struct walk *w)
{
	size_t n = peek(w, 2) == '^' ? 3 : 2;

	if (peek(w, 1) != ':')
		return 0;
	while (islower((unsigned char)peek(w, n)))
		n++;
	return peek(w, n) == ':' && peek(w, n + 1) == ']' ? n + 2 : 0;
}

static int
class_copy(struct walk *w)
{
	copy(w, 1);
	if (peek(w, 0) == '^')
		copy(w, 1);
	if (peek(w, 0) == ']') /* as the first character it is a literal */
		copy(w, 1);
	while (w->at < w->source.len) {
		size_t posix;

		switch (peek(w, 0)) {
		case ']':
			copy(w, 1);
			return 0;
		case '\\':
			if (escape(w, true) < 0)
				return -1;
			continue;
		case '&':
			if (peek(w, 1) == '&')
				return refuse(w,
				    "&& (an intersection of classes) is not supported; "
				    "use a lookahead, (?=[…])[…]");
			break;
		case '[':
			if ((posix = posix_len(w)) == 0)
				return refuse(w,
				    "a class inside a class is not supported; write \\[ "
				    "for the character");
			copy(w, posix);
			continue;
		}
		if ((unsigned char)peek(w, 0) >= 0x80)
			w->out->options |= WIDE;
		copy(w, 1);
	}
	return refuse(w, "no ] behind [");
}

/* ---- groups */

/* A group opens: a change of x within it ends with the group. */
static int
group_open(struct walk *w)
{
	if (w->depth == NEST_MAX)
		return refuse(w, "groups nest too deep");
	w->starts[w->depth] = w->start;
	w->outer[w->depth++] = w->extended;
	w->flags[w->depth] = 0;
	return 0;
}

static void
flags_close(struct walk *w)
{
	for (; w->flags[w->depth] > 0; w->flags[w->depth]--)
		put(w, ")", 1);
}

static void
group_close(struct walk *w)
{
	flags_close(w);
	if (w->depth > 0) {
		w->extended = w->outer[--w->depth];
		w->group = w->starts[w->depth];
	}
	copy(w, 1);
}

/* (?imx-imx) and (?imx-imx:…): Ruby's m is s here. */
static int
flags_copy(struct walk *w)
{
	bool extended = w->extended;

	copy(w, 2);
	for (bool on = true; w->at < w->source.len; w->at++) {
		char c = peek(w, 0);

		if (c == ')' || c == ':') {
			if (c == ':' && group_open(w) < 0)
				return -1;
			if (c == ')')
				w->flags[w->depth]++;
			w->extended = extended;
			put(w, ":", 1);
			w->at++;
			return 0;
		}
		switch (c) {
		case '-':
			on = false;
			put(w, "-", 1);
			break;
		case 'm':
			put(w, "s", 1);
			break;
		case 'x':
			extended = on;
			/* fallthrough */
		case 'i':
			put(w, &c, 1);
			break;
		default:
			return refuse(w, "a group of an unknown kind");
		}
	}
	return refuse(w, "no ) behind (");
}

static int
group_copy(struct walk *w)
{
	static const char *const same[] = { "(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?(" };

	if (peek(w, 1) != '?') {
		if (peek(w, 1) == '*')
			return refuse(w, "(* is not Ruby's");
		copy(w, 1);
		return group_open(w);
	}
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		if (ahead_is(w, same[i])) {
			copy(w, strlen(same[i]));
			w->out->ahead |= same[i][2] == '=';
			if (same[i][2] == '(') { /* the condition's group */
				if (peek(w, 0) == '?')
					copy(w, 1);
				if (group_open(w) < 0)
					return -1;
			}
			return group_open(w);
		}
	}
	if (ahead_is(w, "(?~"))
		return refuse(w, "(?~ (an absence) is not supported");
	if (ahead_is(w, "(?#")) {
		const char *close = memchr(w->source.at + w->at, ')', w->source.len - w->at);

		if (close == NULL)
			return refuse(w, "no ) behind (?#");
		w->at = (size_t)(close + 1 - w->source.at);
		return 0;
	}
	if (ahead_is(w, "(?<") || ahead_is(w, "(?'"))
		return group_open(w) < 0 ? -1
					 : name_copy(w, 3, peek(w, 2) == '<' ? '>' : '\'', true);
	return flags_copy(w);
}

/* {,n} is {0,n}; a quantifier's + is possessive in PCRE, one more + in Ruby. */
static int
brace_copy(struct walk *w)
{
	size_t len = 1, digits = 0;

	for (; isdigit((unsigned char)peek(w, len)) || peek(w, len) == ','; len++)
		digits += peek(w, len) != ',';
	w->out->far |= digits >= 3;
	if (peek(w, len) != '}' || digits == 0) {
		copy(w, 1);
		return 0;
	}
	if (peek(w, len + 1) == '+')
		return refuse(w, "{n,m}+ is not supported; write (?:…{n,m})+");
	if (peek(w, len + 1) == '?' && memchr(w->source.at + w->at, ',', len) == NULL)
		return refuse(w, "{n}? is (?:…{n})? in Ruby, n times or none; write that, or {n}");
	if (peek(w, 1) == ',') {
		put(w, "{0", 2);
		w->at++;
		len--;
	}
	copy(w, len + 1);
	quantifier_end(w);
	return 0;
}

static int
one_copy(struct walk *w)
{
	const char *newline;

	switch (peek(w, 0)) {
	case '\\':
		return escape(w, false);
	case '[':
		return class_copy(w);
	case '(':
		return group_copy(w);
	case '{':
		return brace_copy(w);
	case ')':
		group_close(w);
		return 0;
	case '*':
	case '+':
	case '?':
		copy(w, 1);
		quantifier_end(w);
		return 0;
	case '|':
		copy(w, 1);
		mark(w);
		return 0;
	case '#':
		if (!w->extended)
			break;
		newline = memchr(w->source.at + w->at, '\n', w->source.len - w->at);
		copy(w, newline ? (size_t)(newline - (w->source.at + w->at)) : SIZE_MAX);
		return 0;
	}
	if ((unsigned char)peek(w, 0) >= 0x80)
		w->out->options |= WIDE;
	copy(w, 1);
	return 0;
}

/* An item, a blank or a comment; the last two may stand between a group and its quantifier. */
static int
item_copy(struct walk *w)
{
	char c = peek(w, 0);
	bool keeps = c == ')' || ahead_is(w, "(?#") ||
		     (w->extended && (c == '#' || isspace((unsigned char)c)));

	w->start = w->out->text.len;
	if (one_copy(w) < 0)
		return -1;
	if (!keeps)
		w->group = NO_GROUP;
	return 0;
}

/* /re/imx: take the slashes off and the flags in.  A source without both slashes is the expression itself. */
static void
slashes_take(struct walk *w)
{
	struct slice s = w->source;
	size_t end = s.len;

	if (s.len < 2 || s.at[0] != '/')
		return;
	while (end > 1 && strchr("imxo", s.at[end - 1]) != NULL)
		end--;
	if (end < 2 || s.at[end - 1] != '/')
		return;
	for (size_t i = end; i < s.len; i++) {
		w->out->options |= s.at[i] == 'i'   ? PCRE2_CASELESS
				   : s.at[i] == 'm' ? PCRE2_DOTALL
				   : s.at[i] == 'x' ? PCRE2_EXTENDED
						    : 0;
	}
	w->source = (struct slice){ s.at + 1, end - 2 };
}

int
ruby_translate(const char *source, struct ruby *out, char *error, size_t size)
{
	struct walk w = { .source = slice_of(source),
		.group = NO_GROUP,
		.out = out,
		.error = error,
		.size = size };

	memset(out, 0, sizeof(*out));
	buffer_init(&out->text, 0);
	if (w.source.len > SOURCE_MAX) {
		snprintf(error, size, "the expression is longer than %d bytes", SOURCE_MAX);
		return -1;
	}
	slashes_take(&w);
	w.extended = out->options & PCRE2_EXTENDED;
	while (w.at < w.source.len)
		if (item_copy(&w) < 0)
			return -1;
	if (w.extended)
		put(&w, "\n", 1); /* ends a comment */
	flags_close(&w);
	for (size_t i = 0; i < out->nnames; i++) {
		if (!out->defined[i]) {
			snprintf(error, size, "no group is called '%.*s'", (int)out->names[i].len,
			    out->names[i].at);
			return -1;
		}
	}
	return 0;
}

void
ruby_fini(struct ruby *r)
{
	buffer_fini(&r->text);
}
