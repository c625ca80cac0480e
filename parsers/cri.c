/* One line of a container runtime's log, read by position; see cri.h. */
#include "cri.h"

#include <endian.h>

#include "timestamp.h"

/* "2026-11-22T08:00:00" */
#define SECOND_LEN 19

/* Eight digits at once: pairs of them, fours, all.  False: they are not all digits. */
static inline bool
eight_digits(const char *at, uint32_t *value)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	v = le64toh(v) ^ 0x3030303030303030;
	if (((v | (v + 0x0606060606060606)) & 0xf0f0f0f0f0f0f0f0) != 0)
		return false;
	v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ff;
	v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffff;
	*value = (uint32_t)(v * 10000 + (v >> 32));
	return true;
}

/* The fraction and zone behind the second: lines of one second differ in these alone. */
static bool
fraction_read(struct slice s, int64_t *ns, size_t *used)
{
	static const int32_t scale[10] = { 1000000000, 100000000, 10000000, 1000000, 100000, 10000,
		1000, 100, 10, 1 };
	uint32_t value = 0;
	size_t i = 0;

	if (s.len > 0 && s.at[0] == '.') {
		const size_t most = least(s.len, 10);

		i = s.len > 8 && eight_digits(s.at + 1, &value) ? 9 : 1;
		for (; i < most && (unsigned char)(s.at[i] - '0') < 10; i++)
			value = value * 10 + (unsigned char)(s.at[i] - '0');
		if (i == 1)
			return false;
	}
	if (i >= s.len || s.at[i] != 'Z')
		return false;
	*ns = i == 0 ? 0 : (int64_t)value * scale[i - 1];
	*used = i + 1;
	return true;
}

static bool
time_read(struct slice line, struct cri_memo *memo, struct cri *out, size_t *used)
{
	int64_t fraction;

	if (line.len > SECOND_LEN && memo->second != 0 &&
	    memcmp(line.at, memo->text, SECOND_LEN) == 0 &&
	    fraction_read(slice_from(line, SECOND_LEN), &fraction, used)) {
		*used += SECOND_LEN;
		out->time = memo->second + fraction;
		return true;
	}
	if (timestamp_rfc3339(line, &out->time, used) != PARSE_OK || line.at[10] != 'T')
		return false;
	if (line.at[*used - 1] == 'Z') {
		memcpy(memo->text, line.at, SECOND_LEN);
		memo->second = out->time - out->time % 1000000000;
	}
	return true;
}

enum parsed
cri_parse(struct slice line, struct cri_memo *memo, struct cri *out)
{
	const char *space;
	struct slice rest;
	size_t used;

	if (!time_read(line, memo, out, &used) || used >= line.len || line.at[used] != ' ')
		return PARSE_BAD;
	out->time_text = (struct slice){ line.at, used };
	rest = slice_from(line, used + 1);
	if (slice_starts(rest, SLICE("stdout ")))
		out->side = SIDE_STDOUT;
	else if (slice_starts(rest, SLICE("stderr ")))
		out->side = SIDE_STDERR;
	else
		return PARSE_BAD;
	rest = slice_from(rest, 7);
	if (rest.len == 0 || (rest.at[0] != 'F' && rest.at[0] != 'P') ||
	    (rest.len > 1 && rest.at[1] != ' ' && rest.at[1] != ':'))
		return PARSE_BAD;
	out->partial = rest.at[0] == 'P';
	out->escaped = false;
	if (rest.len > 1 && rest.at[1] == ' ') {
		out->content = slice_from(rest, 2);
		return PARSE_OK;
	}
	space = memchr(rest.at, ' ', rest.len); /* none: conmon's end of a partial line */
	out->content = slice_from(rest, space == NULL ? rest.len : (size_t)(space - rest.at) + 1);
	return PARSE_OK;
}
