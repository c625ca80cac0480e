/*
 * Regular expressions, bounded.  The engine's own match limit holds for each
 * place a match may begin at, and its JIT does not count every step.  So the
 * work is counted here, over all places: each mark of ruby.c is a callout, of
 * the fixed cost of a call and of the bytes since the mark before.
 */
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "ruby.h"
#include "voice.h"

#define WORK_MAX (8u << 20) /* for one text; about 10 ms */
#define WORK_MARK 16
#define FAR_SOURCE 1024 /* a longer expression may have long fixed parts */
#define JIT_STACK (512 << 10)
#define HEAP_LIMIT_KIB 8192

struct group {
	uint32_t number;
	char *name;
};

struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	struct group *groups; /* in the order of their opening */
	size_t ngroups;
	struct slice text; /* of the last match */
	size_t work, last; /* of this match; the place of its last mark */
	bool far;          /* what fails between two marks may have gone over much of the text */
	char *source;      /* for the message about an overrun; NULL: said */
};

atomic_ullong pattern_overruns;

static int
mark_count(pcre2_callout_block *block, void *arg)
{
	struct pattern *p = arg;
	size_t at = block->current_position;

	p->work += WORK_MARK + (at > p->last ? at - p->last : p->last - at);
	if (p->far)
		p->work += (p->text.len - at) / WORK_MARK;
	p->last = at;
	return p->work > WORK_MAX ? PCRE2_ERROR_CALLOUT : 0;
}

static int
group_order(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	return a->number < b->number ? -1 : a->number > b->number;
}

/* PCRE2's own table has the number of each name (n0, n1, …). */
static void
groups_find(struct pattern *p, const struct ruby *r)
{
	uint32_t count = 0, entry = 0;
	PCRE2_SPTR table = NULL;

	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &entry);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
	p->groups = xcalloc(count + 1, sizeof(*p->groups));
	p->ngroups = count;
	for (uint32_t i = 0; i < count; i++, table += entry) {
		unsigned long which = strtoul((const char *)table + 3, NULL, 10);

		p->groups[i].number = (uint32_t)table[0] << 8 | table[1];
		/* a name that the translation has not seen stays unchanged */
		p->groups[i].name = xslicedup(
		    which < r->nnames ? r->names[which] : slice_of((const char *)table + 2));
	}
	qsort(p->groups, count, sizeof(*p->groups), group_order);
}

/* The part of the translation where the mistake is, without the marks. */
static void
part_copy(struct slice text, char *to, size_t size)
{
	const struct slice mark = SLICE(RUBY_MARK);
	size_t n = 0;

	while (text.len > 0 && n + 1 < size) {
		if (slice_starts(text, mark)) {
			text = slice_from(text, mark.len);
			continue;
		}
		to[n++] = text.at[0];
		text = slice_from(text, 1);
	}
	to[n] = '\0';
}

/*
 * PCRE2 (10.42) takes the letter of a lookahead for the first of a match, and looks for the
 * last one behind it: where they are the same, (?=x)x?x does not find x.
 */
static bool
is_misled(const struct ruby *r, const pcre2_code *code)
{
	uint32_t has_first = 0, has_last = 0, first = 0, last = 0;

	pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &has_first);
	pcre2_pattern_info(code, PCRE2_INFO_LASTCODETYPE, &has_last);
	pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &first);
	pcre2_pattern_info(code, PCRE2_INFO_LASTCODEUNIT, &last);
	return r->ahead && has_first == 1 && has_last == 1 &&
	       tolower((int)first) == tolower((int)last);
}

static pcre2_code *
code_compile(const struct ruby *r, char *error, size_t size)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	uint32_t options = r->options | PCRE2_MULTILINE | PCRE2_DUPNAMES;
	PCRE2_SIZE where;
	pcre2_code *code;
	char why[160], part[41];
	int wrong;

	options |= r->nnames > 0 ? PCRE2_NO_AUTO_CAPTURE : 0; /* as in Ruby */
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(context, 100);
	code = pcre2_compile((PCRE2_SPTR)r->text.at, r->text.len, options, &wrong, &where, context);
	if (code != NULL && is_misled(r, code)) {
		pcre2_code_free(code);
		options |= PCRE2_NO_START_OPTIMIZE;
		code = pcre2_compile(
		    (PCRE2_SPTR)r->text.at, r->text.len, options, &wrong, &where, context);
	}
	pcre2_compile_context_free(context);
	if (code == NULL) {
		pcre2_get_error_message(wrong, (PCRE2_UCHAR *)why, sizeof(why));
		part_copy(slice_from(buffer_slice(&r->text), where), part, sizeof(part));
		snprintf(error, size, part[0] != '\0' ? "%s, before '%s'" : "%s, at its end%s", why,
		    part);
	}
	return code;
}

struct pattern *
pattern_new(const char *source, char *error, size_t size)
{
	struct pattern *p = NULL;
	struct ruby r;
	pcre2_code *code;

	if (ruby_translate(source, &r, error, size) < 0)
		goto out;
	buffer_need(&r.text, 1); /* an empty expression needs an address, too */
	code = code_compile(&r, error, size);
	if (code == NULL)
		goto out;
	p = xcalloc(1, sizeof(*p));
	p->code = code;
	p->match = pcre2_match_data_create_from_pattern(code, NULL);
	p->context = pcre2_match_context_create(NULL);
	p->source = xstrdup(source);
	p->far = r.far || strlen(source) > FAR_SOURCE;
	pcre2_set_heap_limit(p->context, HEAP_LIMIT_KIB);
	pcre2_set_callout(p->context, mark_count, p);
	if (pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0) {
		p->stack = pcre2_jit_stack_create(32 << 10, JIT_STACK, NULL);
		pcre2_jit_stack_assign(p->context, NULL, p->stack);
	}
	groups_find(p, &r);
out:
	ruby_fini(&r);
	return p;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->ngroups; i++)
		free(p->groups[i].name);
	free(p->groups);
	free(p->source);
	pcre2_jit_stack_free(p->stack);
	pcre2_match_context_free(p->context);
	pcre2_match_data_free(p->match);
	pcre2_code_free(p->code);
	free(p);
}

static void
overrun(struct pattern *p, size_t len)
{
	atomic_fetch_add_explicit(&pattern_overruns, 1, memory_order_relaxed);
	if (p->source == NULL)
		return;
	say_warn("regex",
	    "the expression '%.200s' was given up on a text of %zu bytes, as too much work: such "
	    "texts stay as they are; said once, see towline_regex_overruns_total",
	    p->source, len);
	free(p->source);
	p->source = NULL;
}

bool
pattern_match(struct pattern *p, struct slice text)
{
	int found = PCRE2_ERROR_MATCHLIMIT;

	if (text.len == 0)
		text.at = "";
	p->text = text;
	p->work = p->last = 0;
	if (text.len <= PATTERN_SUBJECT_MAX)
		found =
		    pcre2_match(p->code, (PCRE2_SPTR)text.at, text.len, 0, 0, p->match, p->context);
	if (found < 0 && found != PCRE2_ERROR_NOMATCH)
		overrun(p, text.len);
	return found >= 0;
}

size_t
pattern_groups(const struct pattern *p)
{
	return p->ngroups;
}

struct slice
pattern_name(const struct pattern *p, size_t i)
{
	return slice_of(p->groups[i].name);
}

bool
pattern_capture(const struct pattern *p, size_t n, struct slice *value)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match) + 2 * n;

	if (n >= pcre2_get_ovector_count(p->match) || at[0] == PCRE2_UNSET || at[1] < at[0])
		return false;
	*value = (struct slice){ p->text.at + at[0], at[1] - at[0] };
	return true;
}

bool
pattern_group(const struct pattern *p, size_t i, struct slice *value)
{
	return pattern_capture(p, p->groups[i].number, value);
}
