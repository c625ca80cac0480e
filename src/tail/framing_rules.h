/* The rules by which bytes are cut into records; they are stored with each span. */
#ifndef FRAMING_RULES_H
#define FRAMING_RULES_H

#include "line_format.h"
#include "tail_internal.h"
#include "utf16.h"

/* The version of this code: raised whenever it would cut the same bytes otherwise. */
#define FRAMING 3

/*
 * Bytes that a line may have beyond the cap and be taken whole (its head, the
 * escapes of its form); a longer line is cut at the cap.  The read buffer has room
 * for more, so that every longer line is seen, and its last part (LINE_LAST) is
 * used to look for the end of such a line.
 */
#define LINE_MORE (128u << 10)
#define LINE_LAST (64u << 10)
#define LINE_ROOM (256u << 10)

struct rules {
	uint64_t name; /* in the state */
	bool understood;
	bool runtime;          /* lines are a runtime's; false: each is a record, but for `own` */
	enum utf16 utf16;      /* unicode.encoding */
	int64_t flush;         /* ns */
	uint64_t cap;          /* of a line's and of a record's text */
	struct multiline *own; /* the configuration's rules that join lines; NULL: none */
};

/**
 * framing_rules_of(t, stream), framing_rules_named(t, name):
 * The rules that the configuration states for ${stream}; those that a span names (NULL: this towline
 * does not understand them, which it says once).
 */
const struct rules *framing_rules_of(struct tail *t, const struct stream *stream);
const struct rules *framing_rules_named(struct tail *t, uint64_t name);
void framing_rules_free(struct tail *t);

/* So long an open record waits for its next line, or (${chain}) for a part of its last one. */
static inline int64_t
framing_rules_wait(const struct rules *rules, bool chain)
{
	return chain && rules->flush < LINE_FORMAT_WAIT ? LINE_FORMAT_WAIT : rules->flush;
}

/**
 * framing_rules_line(rules, line, cut):
 * Cut ${line} when it is too long (*${cut}), not within a unit of UTF-16.
 */
static inline struct slice
framing_rules_line(const struct rules *rules, struct slice line, bool *cut)
{
	if (line.len > rules->cap + LINE_MORE) {
		line.len = rules->cap - (rules->utf16 != UTF16_NONE && rules->cap % 2 != 0);
		*cut = true;
	}
	return line;
}

#endif
