/*
 * Reading a stack trace that has been joined (trace.h decides on its lines).
 * A line without the expected parts is passed over.
 */
#include "agent_trace.h"

#include "trace.h"

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

/* True when a name says itself that it is thrown, and is longer than that. */
static bool
is_thrown(struct slice name)
{
	bool thrown;

	return trace_thrown(name, &thrown) > 0 && thrown && !slice_eq(name, SLICE("Exception")) &&
	       !slice_eq(name, SLICE("Error"));
}

/* A package, a dot and a class that begins with a capital. */
static bool
is_qualified(struct slice name)
{
	const char *dot = name.len == 0 ? NULL : memrchr(name.at, '.', name.len);

	return dot != NULL && dot > name.at && dot + 1 < name.at + name.len && dot[1] >= 'A' &&
	       dot[1] <= 'Z' && !(name.at[0] >= '0' && name.at[0] <= '9') && name.at[0] != '.';
}

/* A class without a package: one that says that it is thrown, or a name before a colon. */
static bool
is_class(struct slice name, struct slice rest)
{
	return is_thrown(name) || (name.at[0] >= 'A' && name.at[0] <= 'Z' && name.len > 1 &&
				      rest.len > 1 && rest.at[0] == ':' && is_blank(rest.at[1]));
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
		sure = true;
	}
	name = (struct slice){ s.at, name_len(s) };
	s = slice_from(s, name.len);
	if (name.len == 0 || name.len > 512 ||
	    !(is_qualified(name) ? sure || is_thrown(name) : sure && is_class(name, s)) ||
	    (s.len > 0 && s.at[0] != ':' && !is_blank(s.at[0])))
		return (struct thrown){ { NULL, 0 }, { NULL, 0 } };
	return (
	    struct thrown){ name, s.len > 0 && s.at[0] == ':' ? slice_trim(slice_from(s, 1)) : s };
}

void
agent_trace_split(struct slice *text, struct slice *trace)
{
	struct slice rest = *text;
	const char *named = NULL, *at = NULL; /* the last name that a frame may follow */
	bool first = true, sure = false;

	*trace = (struct slice){ text->at + text->len, 0 };
	while (rest.len > 0 && at == NULL) {
		struct slice line = take_line(&rest);
		enum trace_part part = trace_part(line);
		struct slice bare = trace_bare(line);

		if (part == TRACE_THROWN && thrown_at(bare, false).class.len > 0) {
			/* a line that mentions a class is a message */
			if (first && rest.len == 0)
				return;
			at = line.at;
		} else if (part == TRACE_FRAME || part == TRACE_CAUSE) {
			at = named != NULL ? named : line.at;
		} else if (part == TRACE_NAMED) {
			named = line.at;
			sure = true;
		} else if (!sure) {
			named = !first && thrown_at(bare, true).class.len > 0 ? line.at : NULL;
		}
		first = false;
	}
	if (at == NULL)
		return;
	*trace = (struct slice){ at, (size_t)(text->at + text->len - at) };
	text->len = (size_t)(at - text->at);
	while (text->len > 0 && text->at[text->len - 1] == '\n')
		text->len--;
}

bool
agent_trace_begins(struct slice text, struct slice trace)
{
	struct slice rest = text, line = take_line(&rest);

	switch (trace_part(line)) {
	case TRACE_THROWN:
		return true;
	case TRACE_NAMED:
		return trace.at == text.at && trace.len > 0;
	case TRACE_CAUSE: /* … nested exception is: */
		return thrown_at(line, false).class.len > 0;
	default:
		return false;
	}
}

static void
root_set(struct trace_parts *out, struct thrown t)
{
	if (t.class.len > 0)
		out->root = t;
}

/* The lines of the trace that matter: causes, and those that wrap them (the root stands first). */
static void
cause_line(struct slice line, struct trace_parts *out)
{
	bool wraps = !slice_starts(line, SLICE("Caused by:"));
	const char *colon = memchr(line.at, ':', line.len);
	struct thrown t;

	if (colon == NULL)
		return;
	t = thrown_at(slice_trim(slice_from(line, (size_t)(colon + 1 - line.at))), true);
	if (!wraps || t.class.len == 0) {
		root_set(out, t);
		return;
	}
	if (out->root.class.len == 0)
		out->root = out->outer;
	out->outer = t;
}

static bool
is_cause(struct slice line)
{
	return slice_starts(line, SLICE("Caused by:")) ||
	       slice_starts(line, SLICE("Wrapped by:")) || slice_starts(line, SLICE("Causing:"));
}

void
agent_trace_read(struct slice trace, struct trace_parts *out)
{
	struct slice rest = trace, line;
	bool nested = false; /* the line before says that a cause stands in this one */

	*out = (struct trace_parts){ .frames = { trace.at, 0 } };
	while (rest.len > 0) {
		const char *at = rest.at;
		struct slice bare;
		enum trace_part part;

		line = take_line(&rest);
		bare = trace_bare(line);
		if (bare.len == 0)
			continue;
		part = out->frames.len == 0 ? trace_part(line) : TRACE_OTHER;
		if (nested)
			root_set(out,
			    thrown_at(
				slice_starts(bare, SLICE("class ")) ? slice_from(bare, 6) : bare,
				true));
		else if (out->outer.class.len == 0 && out->frames.len == 0 &&
			 (part == TRACE_THROWN || !is_blank(line.at[0])))
			out->outer = thrown_at(bare, true);
		if (!is_blank(line.at[0]) && is_cause(bare))
			cause_line(bare, out);
		else if (out->frames.len == 0 &&
			 (part == TRACE_FRAME || (part == TRACE_CAUSE && is_blank(line.at[0]))))
			out->frames = (struct slice){ at, (size_t)(trace.at + trace.len - at) };
		nested = slice_ends(slice_trim(line), SLICE("nested exception is:"));
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
		if (name.len <= 256 && is_thrown(name) &&
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
