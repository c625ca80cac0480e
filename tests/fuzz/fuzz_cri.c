/* A runtime's lines, by position: a regular expression and timegm(3) read the same. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "fuzz.h"

#include <pcre2.h>
#include <time.h>

#include "cri.h"
#include "slow_time.h"

#define HEAD SLOW_TIME " (stdout|stderr) ([FP])(?:$|:[^ ]*$|(?::[^ ]*)? (.*)$)"

static bool
slow_parse(struct slice line, struct cri *out)
{
	static pcre2_code *code;
	static pcre2_match_data *match;
	const PCRE2_SIZE *at;
	int groups;

	if (code == NULL)
		code = slow_compile("^" HEAD, &match);
	groups = pcre2_match(code, (PCRE2_SPTR)line.at, line.len, 0, 0, match, NULL);
	at = pcre2_get_ovector_pointer(match);
	if (groups < 0 || !slow_time(line, at, &out->time))
		return false;
	out->side = line.at[at[2 * 9] + 3] == 'o' ? SIDE_STDOUT : SIDE_STDERR;
	out->partial = line.at[at[2 * 10]] == 'P';
	out->time_text = (struct slice){ line.at, at[2 * 9] - 1 };
	out->content = groups > 11 ? slice_from(line, at[2 * 11]) : slice_from(line, line.len);
	return true;
}

static void
fuzz(struct slice line)
{
	static struct cri_memo memo;
	struct cri_memo none = { 0 };
	struct cri got, again, want;
	bool is_cri = slow_parse(line, &want);

	if ((cri_parse(line, &none, &got) == PARSE_OK) != is_cri ||
	    (cri_parse(line, &memo, &again) == PARSE_OK) != is_cri)
		WRONG("'%.*s' is %sa line", SHOW(line), is_cri ? "" : "not ");
	if (!is_cri)
		return;
	if (got.time != want.time || again.time != want.time)
		WRONG("'%.*s': %lld, by memo %lld, should be %lld", SHOW(line), (long long)got.time,
		    (long long)again.time, (long long)want.time);
	if (got.side != want.side || got.partial != want.partial || got.escaped ||
	    !slice_eq(got.time_text, want.time_text) || !slice_eq(got.content, want.content))
		WRONG("'%.*s': '%.*s' and '%.*s'", SHOW(line), SHOW(got.time_text),
		    SHOW(got.content));
}
