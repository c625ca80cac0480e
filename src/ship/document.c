/*
 * A record becomes two lines of a bulk body: the action with the _id, and the
 * document.  On the hot path: room is made once a record, then bytes are
 * written without looking; the pod's JSON is copied as it is; log_parsed
 * stands last, so that it can be cut off.
 */
#include <assert.h>
#include <endian.h>
#include <limits.h>

#include "batch.h"
#include "clock.h"
#include "json.h"
#include "parsed.h"
#include "pod.h"
#include "shaped.h"
#include "stream.h"
#include "timestamp.h"

#define INDEX_MAX 255

/* Bytes of all constant names and marks of a document and its action, and to spare. */
#define DOCUMENT_ROOM 512

struct document_rules
document_rules_default(void)
{
	return (struct document_rules){
		.index_fixed = SLICE("towline"),
		.time_key = SLICE("@timestamp"),
		.log_key = SLICE("log"),
		.time_digits = 9,
		.keep_log = true,
		.parsed_key = SLICE("log_parsed"),
		.operation = SLICE("create"),
	};
}

/* ---- the id */

/* Each pair of digits of URL-safe base64, at 64 * first + second. */
#define ROW8(a, b, c, d, e, f, g, h, i)                                                            \
	{ a, b }, { a, c }, { a, d }, { a, e }, { a, f }, { a, g }, { a, h },                      \
	{                                                                                          \
		a, i                                                                               \
	}
#define ROW(a)                                                                                     \
	ROW8(a, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),                                           \
	    ROW8(a, 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'),                                       \
	    ROW8(a, 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'),                                       \
	    ROW8(a, 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'),                                       \
	    ROW8(a, 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'),                                       \
	    ROW8(a, 'o', 'p', 'q', 'r', 's', 't', 'u', 'v'),                                       \
	    ROW8(a, 'w', 'x', 'y', 'z', '0', '1', '2', '3'),                                       \
	    ROW8(a, '4', '5', '6', '7', '8', '9', '-', '_')
#define ROWS8(a, b, c, d, e, f, g, h) ROW(a), ROW(b), ROW(c), ROW(d), ROW(e), ROW(f), ROW(g), ROW(h)

static const char pairs[4096][2] = {
	ROWS8('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),
	ROWS8('I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'),
	ROWS8('Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'),
	ROWS8('Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'),
	ROWS8('g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'),
	ROWS8('o', 'p', 'q', 'r', 's', 't', 'u', 'v'),
	ROWS8('w', 'x', 'y', 'z', '0', '1', '2', '3'),
	ROWS8('4', '5', '6', '7', '8', '9', '-', '_'),
};

/* Six bytes of an id, which are the last of ${six}. */
static inline char *
put_six(char *to, uint64_t six)
{
	memcpy(to, pairs[six >> 36 & 4095], 2);
	memcpy(to + 2, pairs[six >> 24 & 4095], 2);
	memcpy(to + 4, pairs[six >> 12 & 4095], 2);
	memcpy(to + 6, pairs[six & 4095], 2);
	return to + 8;
}

/* Of the hour 3 bytes, of the content 16, of the offset 7, of the hash 4; the highest first. */
void
document_id(const struct record_place *at, char *to)
{
	const uint64_t hour = at->id->hour, offset = at->id->offset, hash = at->id->hash;
	uint64_t first, second;

	memcpy(&first, at->id->content.at, 8);
	memcpy(&second, at->id->content.at + 8, 8);
	first = be64toh(first);
	second = be64toh(second);
	to = put_six(to, hour << 24 | first >> 40);
	to = put_six(to, first << 8 | second >> 56);
	to = put_six(to, second >> 8);
	to = put_six(to, second << 40 | (offset & 0xffffffffffffff) >> 16);
	put_six(to, offset << 32 | hash);
}

/* ---- times: the date and the second of many records are the same */

#define SECOND_LEN 20 /* 2026-11-22T08:00:00. */

static inline char *
put_three(char *to, uint32_t n)
{
	const uint32_t tens = n / 10, hundreds = n / 100;

	to[0] = (char)('0' + hundreds);
	to[1] = (char)('0' + tens - 10 * hundreds);
	to[2] = (char)('0' + n - 10 * tens);
	return to + 3;
}

/* Milliseconds (${digits} 3) or nanoseconds (9). */
static char *
time_write(char *to, int64_t ns, unsigned digits)
{
	static _Thread_local struct {
		int64_t begin;
		char text[TIMESTAMP_MAX];
	} last = { 0, "1970-01-01T00:00:00." };
	uint64_t into = (uint64_t)ns - (uint64_t)last.begin;
	uint32_t micro;

	if (into >= NS_PER_S) {
		into = (uint64_t)((ns % NS_PER_S + NS_PER_S) % NS_PER_S);
		last.begin = ns - (int64_t)into;
		timestamp_write(last.begin, 9, last.text);
	}
	memcpy(to, last.text, SECOND_LEN);
	micro = (uint32_t)into / 1000;
	to = put_three(to + SECOND_LEN, micro / 1000);
	if (digits == 9)
		to = put_three(put_three(to, micro % 1000), (uint32_t)into % 1000);
	*to++ = 'Z';
	return to;
}

/* ---- room */

static size_t
fields_room(const struct record *r, bool tight)
{
	size_t n = 0;

	for (int i = 0; i < r->nfields; i++)
		n += parsed_field_room(&r->fields[i], tight) + 1;
	return n;
}

static size_t
pod_room(const struct pod *pod)
{
	return pod_json_len(pod) + (pod->space != NULL ? pod->space->json.len : 0);
}

/* Room for all members but log, fields and log_parsed. */
static size_t
frame_room(const struct document_rules *rules, const struct record *r, bool tight)
{
	return DOCUMENT_ROOM + TIMESTAMP_MAX + JSON_WRITE_MAX(INDEX_MAX) + rules->time_key.len +
	       rules->log_key.len + rules->tag_key.len + rules->parsed_key.len +
	       rules->operation.len + text_room(r->time_text, tight) + text_room(r->tag, tight) +
	       (r->pod != NULL ? pod_room(r->pod) : 0) + (rules->action != NULL ? ACTION_MAX : 0);
}

static size_t
parsed_value_room(const struct document_rules *rules, const struct record *r, bool tight)
{
	if (r->parsed == NULL)
		return 0;
	return rules->merged ? parsed_merged_room(r, tight) : parsed_room(r->parsed, tight);
}

/* ${dropped}: without log_parsed. */
static size_t
document_room(const struct document_rules *rules, const struct record *r, bool tight, bool dropped)
{
	size_t n = frame_room(rules, r, tight);

	if (r->shape != NULL)
		return n + shaped_room(rules, r, !dropped);
	n += text_room(r->log, tight) + fields_room(r, tight);
	return dropped ? n : n + parsed_value_room(rules, r, tight);
}

bool
document_parsed_any(const struct document_rules *rules, const struct record *r)
{
	return rules->merged ? parsed_merged_any(r) : parsed_any(r->parsed);
}

size_t
document_parsed_room(const struct document_rules *rules, const struct record *r)
{
	return parsed_value_room(rules, r, true);
}

char *
document_parsed_write(char *to, const struct document_rules *rules, const struct record *r)
{
	const struct aside none = { r->fields, 0 };

	return rules->merged ? parsed_merged_write(to, r, &none)
			     : parsed_write(to, r->parsed, &none);
}

bool
document_takes(const struct document_rules *rules, const struct record *r, const struct field *f)
{
	return aside_takes(rules, r, f);
}

/* ---- writing */

static char *
action_write(char *to, const struct document_rules *rules, const struct record *r)
{
	char index[INDEX_MAX];

	to = put_slice(PUT(to, "{\""), rules->operation);
	to = PUT(to, "\":{");
	if (rules->index_fixed.len == 0) {
		size_t len = rules->index(rules->conf, r, index);

		assert(len <= INDEX_MAX);
		to = json_write(PUT(to, "\"_index\":"), (struct slice){ index, len });
		*to++ = ',';
	}
	to = PUT(to, "\"_id\":\"");
	document_id(&r->place, to);
	return PUT(to + DOCUMENT_ID, "\"}}\n");
}

/* The runtime's text, but for a time that the server would refuse: that is written anew. */
static char *
runtime_time_write(char *to, const struct record *r)
{
	*to++ = '"';
	if (timestamp_is_plain(r->time_text)) /* it has nothing to be escaped */
		to = put_slice(to, r->time_text);
	else
		to = time_write(to, r->time, 9);
	*to++ = '"';
	return to;
}

static char *
begin_write(char *to, const struct document_rules *rules, const struct record *r)
{
	to = put_slice(PUT(to, "{\""), rules->time_key);
	to = time_write(PUT(to, "\":\""), r->time, rules->time_digits);
	*to++ = '"';
	return to;
}

/* The core of a document: the part that is sent as a probe. */
static char *
core_write(char *to, const struct document_rules *rules, const struct record *r)
{
	if (r->time_text.len > 0) {
		to = runtime_time_write(PUT(to, ",\"time\":"), r);
		to = r->side == SIDE_STDERR ? PUT(to, ",\"stream\":\"stderr\"")
					    : PUT(to, ",\"stream\":\"stdout\"");
		to = r->partial ? PUT(to, ",\"logtag\":\"P\"") : PUT(to, ",\"logtag\":\"F\"");
	}
	if (r->has_log && rules->keep_log) {
		to = put_slice(PUT(to, ",\""), rules->log_key);
		to = json_write(PUT(to, "\":"), r->log);
	}
	return to;
}

static char *
tag_write(char *to, const struct document_rules *rules, const struct record *r)
{
	if (rules->tag_key.len == 0)
		return to;
	to = put_slice(PUT(to, ",\""), rules->tag_key);
	return json_write(PUT(to, "\":"), r->tag);
}

static char *
rest_write(char *to, const struct record *r, const struct aside *aside)
{
	for (int i = 0; i < r->nfields; i++)
		if (!(aside->which >> i & 1))
			to = parsed_field_write(to, &r->fields[i]);
	if (r->pod != NULL)
		to = pod_json_write(PUT(to, ",\"kubernetes\":"), r->pod);
	if (r->pod != NULL && r->pod->space != NULL)
		to = put_slice(PUT(to, ",\"kubernetes_namespace\":"), r->pod->space->json);
	return to;
}

static char *
parsed_member_write(
    char *to, const struct document_rules *rules, const struct record *r, const struct aside *aside)
{
	char *from = PUT(put_slice(PUT(to, ",\""), rules->parsed_key), "\":");
	char *end = rules->merged && r->parsed != NULL ? parsed_merged_write(from, r, aside)
						       : parsed_write(from, r->parsed, aside);

	return end == from ? to : end;
}

/*
 * The action line of the last item, whose document is written, is put before it; it
 * ends at ${end}, with its newline.  Return its end then.
 */
static char *
action_insert(
    struct batch *b, struct item *item, const struct document_rules *rules, const struct record *r)
{
	char line[ACTION_MAX], *base = b->body.at;
	struct slice document = { base + item->document, item->end - item->document };
	uint32_t n = (uint32_t)rules->action(rules, r, document, line, &item->id_len);

	assert(n <= ACTION_MAX);
	memmove(base + item->document + n, base + item->document, document.len + 1);
	memcpy(base + item->document, line, n);
	item->document += n;
	item->core += n;
	item->plain += n;
	item->end += n;
	return base + item->end + 1;
}

/* ${dropped}: the document is too large with its log_parsed, and goes without. */
static void
document_write(
    struct batch *b, const struct document_rules *rules, const struct record *r, bool dropped)
{
	struct item *item = &b->items[b->nitems++];
	struct aside aside = aside_of(rules, r);
	const struct shape_node *next = NULL;
	char *base = b->body.at, *at = base + b->body.len;

	item->action = (uint32_t)(at - base);
	item->id_len = DOCUMENT_ID;
	if (rules->action == NULL)
		at = action_write(at, rules, r);
	item->document = (uint32_t)(at - base);
	at = begin_write(at, rules, r);
	at = r->shape != NULL ? shaped_core_write(at, rules, r, &next) : core_write(at, rules, r);
	if (r->truncated)
		at = PUT(at, ",\"log_truncated\":true");
	item->core = (uint32_t)(at - base);
	at = tag_write(at, rules, r);
	at = r->shape != NULL ? shaped_rest_write(at, rules, next) : rest_write(at, r, &aside);
	if (dropped)
		at = PUT(at, ",\"log_parsed_dropped\":true");
	item->plain = (uint32_t)(at - base);
	if (!dropped)
		at = r->shape != NULL ? shaped_parsed_write(at, rules, r)
				      : parsed_member_write(at, rules, r, &aside);
	*at++ = '}';
	item->end = (uint32_t)(at - base);
	*at++ = '\n';
	if (rules->action != NULL)
		at = action_insert(b, item, rules, r);
	if (rules->keeps_tag)
		at = put_slice(at, r->tag);
	item->time = r->time;
	item->fresh = r->place.fresh && rules->action == NULL;
	item->range = NULL;
	b->body.len = (size_t)(at - base);
	assert(b->body.len <= b->body.size);
}

/* ---- a record that may not fit */

/* The longest beginning of the text that takes at most ${room} bytes, whole characters alone. */
static struct slice
text_cut(struct slice text, size_t room)
{
	size_t n = 0, used = parsed_text_room(SLICE(""));

	for (; n < text.len; n++) {
		used += parsed_text_room((struct slice){ text.at + n, 1 }) - 2;
		if (used > room)
			break;
	}
	for (int back = 0; back < 3 && n > 0 && n < text.len; back++, n--)
		if (((unsigned char)text.at[n] & 0xc0) != 0x80)
			break;
	return (struct slice){ text.at, n };
}

/* An empty batch takes every record: it grows, and the record is cut to its cap. */
static void
put_alone(struct batch *b, const struct document_rules *rules, const struct record *r)
{
	struct record cut;
	size_t frame;
	bool dropped;
	const char *at;

	if (buffer_need(&b->body, document_room(rules, r, true, false)) != NULL) {
		document_write(b, rules, r, false);
		return;
	}
	cut = *r;
	dropped = r->parsed != NULL;
	cut.parsed = NULL;
	if (buffer_need(&b->body, document_room(rules, &cut, true, true)) == NULL) {
		cut.shape = NULL;
		cut.nfields = 0;
		frame = frame_room(rules, &cut, true);
		if (frame > b->body.cap) {
			cut.pod = NULL;
			cut.tag.len = 0;
			frame = frame_room(rules, &cut, true);
		}
		assert(frame <= b->body.cap);
		cut.log = text_cut(r->log, b->body.cap - frame);
		cut.truncated |= cut.log.len < r->log.len;
		at = buffer_need(&b->body, document_room(rules, &cut, true, true));
		assert(at != NULL); /* a cut record fits */
	}
	document_write(b, rules, &cut, dropped);
}

bool
batch_put(struct batch *b, const struct document_rules *rules, const struct record *r)
{
	size_t room = b->body.size - b->body.len;

	if (b->nitems == BATCH_ITEMS)
		return false;
	if (document_room(rules, r, false, false) <= room ||
	    document_room(rules, r, true, false) <= room) {
		document_write(b, rules, r, false);
		return true;
	}
	if (b->nitems > 0)
		return false;
	put_alone(b, rules, r);
	return true;
}

/* ---- the document of another batch */

bool
document_is_alike(const struct document_rules *a, const struct document_rules *b)
{
	return slice_eq(a->time_key, b->time_key) && slice_eq(a->log_key, b->log_key) &&
	       slice_eq(a->tag_key, b->tag_key) && slice_eq(a->parsed_key, b->parsed_key) &&
	       a->time_digits == b->time_digits && a->keep_log == b->keep_log &&
	       a->merged == b->merged;
}

/* The action line of ${document}, with its newline. */
static char *
line_write(char *to, const struct document_rules *rules, const struct record *r,
    struct slice document, uint16_t *id_len)
{
	if (rules->action != NULL)
		return to + rules->action(rules, r, document, to, id_len);
	*id_len = DOCUMENT_ID;
	return action_write(to, rules, r);
}

bool
batch_copy(struct batch *b, const struct document_rules *rules, const struct record *r,
    const struct batch *from)
{
	const struct item *of = &from->items[from->nitems - 1];
	struct slice document = { from->body.at + of->document, of->end - of->document + 1 };
	size_t room = DOCUMENT_ROOM + JSON_WRITE_MAX(INDEX_MAX) + rules->operation.len +
		      (rules->action != NULL ? ACTION_MAX : 0) + document.len + r->tag.len;
	char *base = b->body.at, *at = base + b->body.len;
	struct item *item = &b->items[b->nitems];
	uint32_t moved;

	if (b->nitems == BATCH_ITEMS || room > b->body.size - b->body.len)
		return b->nitems == 0 && batch_put(b, rules, r);
	*item = *of;
	item->action = (uint32_t)b->body.len;
	document.len--;
	at = line_write(at, rules, r, document, &item->id_len);
	document.len++;
	item->document = (uint32_t)(at - base);
	moved = item->document - of->document;
	item->core += moved;
	item->plain += moved;
	item->end += moved;
	at = put_slice(at, document);
	if (rules->keeps_tag)
		at = put_slice(at, r->tag);
	item->fresh = r->place.fresh && rules->action == NULL;
	item->range = NULL;
	b->body.len = (size_t)(at - base);
	b->nitems++;
	return true;
}
