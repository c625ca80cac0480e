/*
 * Reading a stack trace that has been joined (trace.h decides on its lines).
 * A line without the expected parts is passed over.
 */
#include "agent_trace.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* True for characters of a class name, a module's slash among them. */
static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || c == '.';
}

/* The next line of ${s}, taken off, without its newline. */
static struct slice
take_line(struct slice *s)
{
	const char *newline = memchr(s->at, '\n', s->len);
	size_t n = newline == NULL ? s->len : (size_t)(newline - s->at);
	struct slice line = { s->at, n };

	*s = slice_from(*s, newline == NULL ? n : n + 1);
	return line;
}

static size_t
name_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_name(s.at[n]))
		n++;
	return n;
}

/* True when a name ends in Exception, Error or the like, and is longer than that. */
static bool
ends_thrown(struct slice name)
{
	static const struct slice ends[] = { SLICE("Exception"), SLICE("Error"), SLICE("Throwable"),
		SLICE("Failure"), SLICE("Fault"), SLICE("ThreadDeath") };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (name.len > ends[i].len && slice_ends(name, ends[i]))
			return true;
	}
	return false;
}

/* A package, a dot and a class that begins with a capital. */
static bool
is_qualified(struct slice name)
{
	const char *dot = name.len == 0 ? NULL : memrchr(name.at, '.', name.len);

	return dot != NULL && dot > name.at && dot + 1 < name.at + name.len && dot[1] >= 'A' &&
	       dot[1] <= 'Z' && !(name.at[0] >= '0' && name.at[0] <= '9') && name.at[0] != '.';
}

/* `class: message` or `class` as the whole of ${s}; ${sure}: its place proves that it is a class. */
static struct thrown
thrown_at(struct slice s, bool sure)
{
	struct slice name;

	if (slice_starts(s, SLICE("Exception in thread \""))) {
		const char *quote = memchr(s.at + 21, '"', s.len - 21);

		if (quote != NULL)
			s = slice_trim(slice_from(s, (size_t)(quote + 1 - s.at)));
	}
	name = (struct slice){ s.at, name_len(s) };
	s = slice_from(s, name.len);
	if (name.len == 0 || name.len > 512 ||
	    !(ends_thrown(name) || (sure && is_qualified(name))) || !(sure || is_qualified(name)) ||
	    (s.len > 0 && s.at[0] != ':' && !is_blank(s.at[0])))
		return (struct thrown){ { NULL, 0 }, { NULL, 0 } };
	return (
	    struct thrown){ name, s.len > 0 && s.at[0] == ':' ? slice_trim(slice_from(s, 1)) : s };
}

static bool
is_frame(struct slice line)
{
	struct slice s = slice_trim(line);

	if (slice_starts(s, SLICE("Caused by: ")) || slice_starts(s, SLICE("Wrapped by: ")))
		return true;
	if (line.len == 0 || !is_blank(line.at[0]))
		return false;
	return slice_starts(s, SLICE("at ")) || slice_starts(s, SLICE("... ")) ||
	       slice_starts(s, SLICE("Suppressed: "));
}

void
agent_trace_split(struct slice *text, struct slice *trace)
{
	struct slice rest = *text, line;
	bool first = true;

	*trace = (struct slice){ text->at + text->len, 0 };
	while (rest.len > 0) {
		const char *at = rest.at;

		line = take_line(&rest);
		if (is_frame(line) || thrown_at(line, false).class.len > 0) {
			/* a line that mentions a class is a message */
			if (first && rest.len == 0 && !is_frame(line))
				return;
			*trace = (struct slice){ at, (size_t)(text->at + text->len - at) };
			text->len = (size_t)(at - text->at);
			while (text->len > 0 && text->at[text->len - 1] == '\n')
				text->len--;
			return;
		}
		first = false;
	}
}

/* The lines of the trace that matter: causes, and those that wrap them (the root stands first). */
static void
cause_line(struct slice line, struct trace_parts *out)
{
	struct thrown t;

	if (slice_starts(line, SLICE("Caused by: "))) {
		t = thrown_at(slice_from(line, 11), true);
		if (t.class.len > 0)
			out->root = t;
	} else if (slice_starts(line, SLICE("Wrapped by: "))) {
		t = thrown_at(slice_from(line, 12), true);
		if (t.class.len == 0)
			return;
		if (out->root.class.len == 0)
			out->root = out->outer;
		out->outer = t;
	}
}

void
agent_trace_read(struct slice trace, struct trace_parts *out)
{
	struct slice rest = trace, line;

	*out = (struct trace_parts){ .frames = { trace.at, 0 } };
	while (rest.len > 0) {
		const char *at = rest.at;

		line = take_line(&rest);
		if (line.len == 0)
			continue;
		if (out->outer.class.len == 0 && !is_blank(line.at[0]) && out->frames.len == 0)
			out->outer = thrown_at(line, true);
		if (line.at[0] == 'C' || line.at[0] == 'W')
			cause_line(line, out);
		else if (out->frames.len == 0 && is_frame(line))
			out->frames = (struct slice){ at, (size_t)(trace.at + trace.len - at) };
	}
}

struct thrown
agent_trace_in_line(struct slice line)
{
	bool unclosed = false; /* the text behind an unclosed quote is read, too */

	for (size_t i = 0; i < line.len; i++) {
		struct slice name;
		char c = line.at[i];

		if (c == '"' && !unclosed) {
			const char *close = memchr(line.at + i + 1, '"', line.len - i - 1);

			unclosed = close == NULL;
			if (close != NULL)
				i = (size_t)(close - line.at);
			continue;
		}
		if (!is_name(c))
			continue;
		name = (struct slice){ line.at + i, name_len(slice_from(line, i)) };
		i += name.len - 1;
		while (name.len > 0 && name.at[name.len - 1] == '.')
			name.len--;
		if (name.len <= 256 && ends_thrown(name) &&
		    (is_qualified(name) || (name.at[0] >= 'A' && name.at[0] <= 'Z' &&
					       i + 1 < line.len && line.at[i + 1] == ':'))) {
			struct slice rest = slice_from(line, i + 1);

			rest = rest.len > 0 && rest.at[0] == ':' ? slice_trim(slice_from(rest, 1))
								 : (struct slice){ rest.at, 0 };
			return (struct thrown){ name, rest };
		}
	}
	return (struct thrown){ { NULL, 0 }, { NULL, 0 } };
}
