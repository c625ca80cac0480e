/*
 * Regular expressions, bounded.  The engine's match limit holds for each place
 * a match may begin at, so it shrinks as the text grows: the work for one text
 * has a bound.
 */
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "ruby.h"

#define MATCH_LIMIT 100000
#define MATCH_LIMIT_LEAST 4000
#define WORK_MAX (UINT32_C(256) << 20) /* match limit times the places to begin at */
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
};

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

static pcre2_code *
code_compile(const struct ruby *r, char *error, size_t size)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	uint32_t options = r->options | PCRE2_MULTILINE | PCRE2_DUPNAMES;
	PCRE2_SIZE where;
	pcre2_code *code;
	char why[160];
	int wrong;

	options |= r->nnames > 0 ? PCRE2_NO_AUTO_CAPTURE : 0; /* as in Ruby */
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(context, 100);
	code = pcre2_compile((PCRE2_SPTR)r->text.at, r->text.len, options, &wrong, &where, context);
	pcre2_compile_context_free(context);
	if (code == NULL) {
		pcre2_get_error_message(wrong, (PCRE2_UCHAR *)why, sizeof(why));
		snprintf(error, size, "%s, before '%.*s'", why, (int)least(r->text.len - where, 40),
		    r->text.at + where);
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
	pcre2_set_heap_limit(p->context, HEAP_LIMIT_KIB);
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
	pcre2_jit_stack_free(p->stack);
	pcre2_match_context_free(p->context);
	pcre2_match_data_free(p->match);
	pcre2_code_free(p->code);
	free(p);
}

bool
pattern_match(struct pattern *p, struct slice text)
{
	uint32_t limit = MATCH_LIMIT;

	if (text.len > PATTERN_SUBJECT_MAX)
		return false;
	if (text.len == 0)
		text.at = "";
	if (text.len > WORK_MAX / MATCH_LIMIT) {
		limit = WORK_MAX / (uint32_t)text.len;
		limit = limit < MATCH_LIMIT_LEAST ? MATCH_LIMIT_LEAST : limit;
	}
	pcre2_set_match_limit(p->context, limit);
	p->text = text;
	return pcre2_match(p->code, (PCRE2_SPTR)text.at, text.len, 0, 0, p->match, p->context) >= 0;
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
pattern_group(const struct pattern *p, size_t i, struct slice *value)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match) + 2 * p->groups[i].number;

	if (at[0] == PCRE2_UNSET || at[1] < at[0])
		return false;
	*value = (struct slice){ p->text.at + at[0], at[1] - at[0] };
	return true;
}
