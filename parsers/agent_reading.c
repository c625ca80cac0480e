/*
 * Taking note of keys: fields by what they mean, all others as extras, no two
 * of one name, none with a name that would break the document.
 */
#include "agent_reading.h"

#include "json.h"

#define NAME_MAX_BYTES 128

/* Is a name plain ASCII without anything that JSON would escape? */
static bool
is_plain(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			return false;
	}
	return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

/*
 * The name as one form of many: escapes resolved, cut, zero bytes (which a
 * flattened field refuses) replaced, UTF-8 mended, escaped again.  So equal
 * names are equal bytes.
 */
static struct slice
name_mended(const struct reading *r, struct slice name)
{
	char plain[8 * NAME_MAX_BYTES], *written, *end;
	struct slice s = name;

	if (s.len == 0)
		return SLICE("_");
	if (s.len > sizeof(plain))
		s.len = sizeof(plain);
	if (r->members) {
		/* not in the midst of an escape */
		for (size_t i = 0; s.len < name.len && i < s.len; i++)
			if (s.at[i] == '\\' && i + 6 >= s.len)
				s.len = i;
			else if (s.at[i] == '\\')
				i++;
		s = (struct slice){ plain, json_unescape(s, plain) };
	} else {
		memcpy(plain, s.at, s.len);
		s.at = plain;
	}
	if (s.len > NAME_MAX_BYTES)
		for (s.len = NAME_MAX_BYTES; s.len > 0 && (s.at[s.len] & 0xc0) == 0x80;)
			s.len--;
	for (size_t i = 0; i < s.len; i++)
		if (plain[i] == '\0')
			plain[i] = '?';
	written = arena_take(r->arena, JSON_WRITE_MAX(s.len));
	if (written == NULL)
		return (struct slice){ NULL, 0 };
	end = json_write(written, s);
	return (struct slice){ written + 1, (size_t)(end - written) - 2 };
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
reading_extra(struct reading *r, struct slice name, struct slice value, enum value_kind kind)
{
	struct agent_line *out = r->out;
	struct field *f = NULL;
	bool mended = !is_plain(name);
	uint64_t bit;

	if (mended)
		name = name_mended(r, name);
	if (name.len == 0) {
		out->failures |= 1u << FAILURE_FIELDS;
		return;
	}
	bit = (uint64_t)1 << (word_hash(name) & 63);
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
	*f = (struct field){ name, value, kind, mended };
}

void
reading_take(struct reading *r, const struct word *w, struct slice name, struct slice value,
    enum value_kind kind, bool number)
{
	unsigned field = w == NULL ? AGENT_FIELDS : w->means;

	/* a container, true, null where a text or a number is meant: not ours to type */
	if (field == AGENT_FIELDS || (kind == VALUE_JSON && !number)) {
		reading_extra(r, name, value, kind);
		return;
	}
	if (field >= AGENT_DURATION && field <= AGENT_BUILD_TIMESTAMP)
		reading_extra(r, name, value, kind);
	if (reading_has(r, (enum agent_field)field) && !r->members)
		return;
	r->has |= (uint32_t)1 << field;
	r->found[field] = (struct found){ name, value, kind, number, w->unit };
}

void
reading_key(
    struct reading *r, struct slice name, struct slice value, enum value_kind kind, bool number)
{
	reading_take(r, word_find(&r->words->keys, name), name, value, kind, number);
}
