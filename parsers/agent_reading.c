/*
 * Taking note of keys: fields by what they mean, all others as extras, no two
 * of one name, none with a name that would break the document.
 */
#include "agent_reading.h"

#include "json.h"

/* True when one of eight bytes is not ASCII, or a backslash. */
static inline bool
is_odd(uint64_t eight)
{
	uint64_t slash = eight ^ 0x5c5c5c5c5c5c5c5c;

	return ((eight | ((slash - 0x0101010101010101) & ~slash)) & 0x8080808080808080) != 0;
}

/*
 * True when a name needs no change.  Names in text are of word bytes, names in
 * JSON have neither quotes nor control characters: only backslashes and
 * invalid UTF-8 need a change.
 */
static inline bool
is_plain(struct slice name)
{
	size_t i = 0;

	for (; i + 8 < name.len; i += 8)
		if (is_odd(load_up_to_8(name.at + i, 8)))
			return false;
	return name.len > 0 && name.len <= JSON_NAME_BYTES &&
	       !is_odd(load_up_to_8(name.at + i, name.len - i));
}

/* The name that json_name() makes of it, in the arena; empty where that has no room. */
static struct slice
name_mended(const struct reading *r, struct slice name)
{
	char written[JSON_WRITE_MAX(JSON_NAME_BYTES)];
	size_t len = (size_t)(json_name(written, name, r->members) - written) - 2;
	char *to = arena_take(r->arena, len);

	if (to == NULL)
		return (struct slice){ NULL, 0 };
	return (struct slice){ memcpy(to, written + 1, len), len };
}

/* The extra of this name, or NULL. */
static struct field *
extra_find(const struct reading *r, struct slice name)
{
	struct agent_line *out = r->out;

	for (int i = 0; i < out->nextra; i++) {
		if (slice_eq(out->extra[i].name, name))
			return &out->extra[i];
	}
	return NULL;
}

void
agent_reading_extra(struct reading *r, const struct found *found)
{
	struct agent_line *out = r->out;
	struct slice name = found->name;
	struct field *f = NULL;
	bool mended = !is_plain(name);
	uint64_t bit, head, tail;

	if (mended)
		name = name_mended(r, name);
	if (name.len == 0) {
		out->failures |= 1u << FAILURE_FIELDS;
		return;
	}
	word_ends(name, &head, &tail);
	bit = (uint64_t)1 << (word_hash(head, tail, name.len) & 63);
	if (r->names & bit)
		f = extra_find(r, name);
	r->names |= bit;
	if (f != NULL && !r->members)
		return;
	if (f == NULL) {
		if (out->nextra == RECORD_FIELDS) {
			out->failures |= 1u << FAILURE_FIELDS;
			return;
		}
		f = &out->extra[out->nextra++];
	}
	*f = (struct field){ name, found->value, found->kind, mended };
}

bool
agent_reading_again(struct reading *r, unsigned field, const struct found *found)
{
	const struct found *less = r->members ? &r->found[field] : found;
	bool measured = field >= AGENT_DURATION && field <= AGENT_BUILD_TIMESTAMP;

	if (!measured && !slice_eq(found->name, r->found[field].name))
		agent_reading_extra(r, less);
	return r->members;
}
