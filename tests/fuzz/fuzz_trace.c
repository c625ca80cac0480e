/*
 * The lines of one record, line by line in each state: what trace.h says of all
 * lines, and regular expressions of the plainest of them: the first that matches decides.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "fuzz.h"

#include <pcre2.h>

#include "trace.h"

#define NAME "[a-z]{2,9}(?:\\.[a-z]{2,9}){1,3}\\.[A-Z][a-z]{1,9}"

static const struct {
	const char *pattern;
	enum trace_part part;
} plain[] = {
	{ "^[ \\t]{1,9}at " NAME "\\.[a-z]{1,9}\\([A-Z][a-z]*\\.java:[0-9]{1,5}\\)$", TRACE_FRAME },
	{ "^[ \\t]{1,9}\\.\\.\\. [0-9]{1,4} more$", TRACE_FRAME },
	{ "^[ \\t]{0,9}Caused by: " NAME "(?:Exception|Error)(?:: .*)?$", TRACE_CAUSE },
	{ "^" NAME "(?:Exception|Error): .*nested exception is: ?$", TRACE_CAUSE },
	{ "^" NAME "(?:Exception|Error)(?:: .*)?$", TRACE_THROWN },
};

static void
part_judge(struct slice line)
{
	static pcre2_code *code[COUNT(plain)];
	static pcre2_match_data *match;
	int error;
	PCRE2_SIZE at;

	for (size_t i = 0; i < COUNT(plain); i++) {
		if (code[i] == NULL)
			code[i] = pcre2_compile((PCRE2_SPTR)plain[i].pattern, PCRE2_ZERO_TERMINATED,
			    PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
		if (match == NULL)
			match = pcre2_match_data_create(1, NULL);
		if (pcre2_match(code[i], (PCRE2_SPTR)line.at, line.len, 0, 0, match, NULL) <= 0)
			continue;
		if (trace_part(line) != plain[i].part)
			WRONG("%d: '%.*s'", trace_part(line), SHOW(line));
		break;
	}
}

static void
line_judge(struct slice line)
{
	trace_state most = TRACE_MOST;
	bool is_new = trace_line(&most, line) == TRACE_NEW;
	trace_state after_new = most;

	for (trace_state state = 0; state < TRACE_STATES; state++) {
		trace_state next = state;
		enum trace_verdict verdict = trace_line(&next, line);

		if (is_new && verdict != TRACE_NEW)
			WRONG("%d in state %u: '%.*s'", verdict, state, SHOW(line));
		if (next >= TRACE_STATES || (state == 0 && verdict != TRACE_NEW))
			WRONG("state %u after %u: '%.*s'", next, state, SHOW(line));
		if (is_new && next != after_new)
			WRONG("begins as %u, or %u: '%.*s'", after_new, next, SHOW(line));
	}
}

static void
names_judge(struct slice line)
{
	bool thrown = false;
	struct slice bare = trace_bare(line);
	size_t len = trace_thrown(bare, &thrown);

	if (len > bare.len || (bare.len > 0 && (bare.at[0] == ' ' || bare.at[0] == '\t')))
		WRONG("'%.*s' is not bare, %zu", SHOW(bare), len);
	for (size_t i = 0; i < len; i++) {
		if (bare.at[i] == ' ' || bare.at[i] == '\n')
			WRONG("'%.*s' is no name", (int)len, bare.at);
	}
}

static void
fuzz(struct slice input)
{
	for (struct slice all = input; all.len > 0;) {
		const char *end = memchr(all.at, '\n', all.len);
		struct slice line = { all.at, end == NULL ? all.len : (size_t)(end - all.at) };

		all = slice_from(all, line.len + (end != NULL));
		line = exact(line);
		part_judge(line);
		line_judge(line);
		names_judge(line);
		exact_free(line);
	}
}
