/* The grammar of rotated names, in one place. */
#include "rotated.h"

static struct slice
without_gz(struct slice name)
{
	if (slice_ends(name, SLICE(".gz")))
		name.len -= 3;
	return name;
}

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9') || c == '-';
}

/* [.-][0-9-]+ */
static bool
is_suffix(struct slice s)
{
	if (s.len < 2 || (s.at[0] != '.' && s.at[0] != '-'))
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (!is_digit(s.at[i]))
			return false;
	}
	return true;
}

bool
rotated_is(struct slice name, struct slice live)
{
	return name.len > live.len && slice_starts(name, live) &&
	       is_suffix(without_gz(slice_from(name, live.len)));
}

bool
rotated_live(struct slice name, struct slice *live)
{
	for (size_t n = live->len + 1; n < name.len; n++) {
		*live = (struct slice){ name.at, n };
		if (rotated_is(name, *live))
			return true;
	}
	return false;
}

/* .1 is younger than .2; a date is older than a later one. */
static bool
is_count(struct slice suffix)
{
	return suffix.at[0] == '.' && suffix.len <= 5 && memchr(suffix.at, '-', suffix.len) == NULL;
}

static int
compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.at, b.at, n);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int
rotated_order(struct slice a, struct slice b, struct slice live)
{
	struct slice sa = without_gz(slice_from(a, live.len));
	struct slice sb = without_gz(slice_from(b, live.len));
	int order;

	if (is_count(sa) && is_count(sb))
		order = sa.len != sb.len ? (sa.len < sb.len) - (sa.len > sb.len) : compare(sb, sa);
	else
		order = compare(sa, sb);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

struct slice
rotated_base(struct slice name)
{
	name = without_gz(name);
	for (size_t n = name.len; n > 1; n--) {
		if (name.at[n - 1] == '.' && is_suffix(slice_from(name, n - 1)))
			name.len = n - 1;
		else if (!is_digit(name.at[n - 1]))
			break;
	}
	return name;
}

struct slice
rotated_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return SLICE(".");
	return (struct slice){ path, slash == path ? 1 : (size_t)(slash - path) };
}
