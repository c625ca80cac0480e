/*
 * The lines of one record: a table has the effect of each line's class on the open
 * record.  Lines between an exception's header and its frames may look like anything:
 * they are held until a part of the trace, or the begin of another record, says whose
 * they are.
 */
#include "trace.h"

#include "trace_class.h"

_Static_assert((HELD_THROWN << 1) == TRACE_STATES, "all states");
_Static_assert((OPEN_LOUD | DATED) == TRACE_MOST, "joins or holds all but headers");

/*
 * By open record and class: n new, j join, h hold; and
 *	d  hold behind a dated header, else new
 *	i  join, but hold behind lines that are held
 *	x  hold one, the next is new: a run of them is not held again for each
 */
static const char moves[OPENS][LINE_CLASSES + 1] = {
	[OPEN_NONE] = "nnnnnnnnnnnnn",
	[OPEN_LINE] = "nnnhjjjjjhnnn",
	[OPEN_EMPTY] = "nnnnnnjjjnnnn",
	[OPEN_NAME] = "nnnnjjnnnnnnn",
	[OPEN_LOUD] = "ndhhjjjjjhhhh",
	[OPEN_THROWN] = "ndjhjjjxihxih",
	[OPEN_TRACE] = "ndjhjjjninnih",
	[OPEN_EXPECT] = "ndjhjjjjjjjjj",
};

/* The state of a record that begins with a line of the class. */
static const uint8_t begins[LINE_CLASSES] = {
	[LINE_HEADER] = OPEN_LINE,
	[LINE_LEVEL] = OPEN_LINE,
	[LINE_STATUS] = OPEN_LINE,
	[LINE_EMPTY] = OPEN_NONE,
	[LINE_FRAME] = OPEN_TRACE,
	[LINE_CAUSE] = OPEN_THROWN,
	[LINE_OPENING] = OPEN_EXPECT,
	[LINE_EXCEPTION] = OPEN_THROWN,
	[LINE_NESTED] = OPEN_THROWN,
	[LINE_NAME] = OPEN_LINE,
	[LINE_SHORT] = OPEN_THROWN,
	[LINE_INDENTED] = OPEN_LINE,
	[LINE_TEXT] = OPEN_LINE,
};

enum trace_part
trace_part(struct slice line)
{
	static const uint8_t parts[LINE_CLASSES] = {
		[LINE_FRAME] = TRACE_FRAME,
		[LINE_CAUSE] = TRACE_CAUSE,
		[LINE_OPENING] = TRACE_CAUSE,
		[LINE_EXCEPTION] = TRACE_THROWN,
		[LINE_NESTED] = TRACE_THROWN,
		[LINE_NAME] = TRACE_NAMED,
		[LINE_SHORT] = TRACE_NAMED,
	};
	uint8_t state = OPEN_NONE;
	enum line_class class = trace_class(line, &state);

	return class == LINE_HEADER && state == OPEN_THROWN ? TRACE_THROWN
							    : (enum trace_part)parts[class];
}

static uint8_t
joined(uint8_t open, enum line_class class)
{
	if (class == LINE_FRAME)
		return OPEN_TRACE;
	if (class == LINE_CAUSE || class == LINE_EXCEPTION || class == LINE_NESTED)
		return OPEN_THROWN;
	if (class == LINE_OPENING)
		return OPEN_EXPECT;
	return open == OPEN_EXPECT && class != LINE_INDENTED ? OPEN_TRACE : open;
}

static uint8_t
held(uint8_t was, enum line_class class)
{
	uint8_t open = was & OPEN;

	if (open == OPEN_LINE)
		open = class == LINE_EMPTY ? OPEN_EMPTY : OPEN_NAME;
	return (uint8_t)(open | (was & (DATED | HELD_THROWN)) | HELD |
			 (class == LINE_EXCEPTION || class == LINE_SHORT ? HELD_THROWN : 0));
}

enum trace_verdict
trace_line(trace_state *state, struct slice line)
{
	uint8_t was = *state, begin = OPENS;
	enum line_class class = trace_class(line, &begin);
	char move = moves[was & OPEN][class];

	if (move == 'd')
		move = was & DATED ? 'h' : 'n';
	else if (move == 'i')
		move = was & HELD ? 'h' : 'j';
	else if (move == 'x')
		move = was & HELD_THROWN ? 'n' : 'h';
	if (move == 'j') {
		*state = (uint8_t)(joined(was & OPEN, class) | (was & DATED));
		return TRACE_JOIN;
	}
	if (move == 'h') {
		*state = held(was, class);
		return TRACE_HOLD;
	}
	*state = begin != OPENS ? begin : begins[class];
	return TRACE_NEW;
}

bool
trace_closed(char first, char last)
{
	return first == '{' && last == '}';
}
