/* One line of Docker's json-file driver; see docker.h. */
#include "docker.h"

#include "json.h"
#include "timestamp.h"

/* True when a raw JSON string ends in an escaped newline (and not in an escaped backslash and an n). */
static bool
ends_line(struct slice raw)
{
	size_t backslashes = 0;

	if (raw.len < 2 || raw.at[raw.len - 1] != 'n')
		return false;
	while (backslashes < raw.len - 1 && raw.at[raw.len - 2 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

static void
log_take(const struct json_value *value, struct cri *out)
{
	out->content = value->text;
	out->partial = !ends_line(out->content);
	if (!out->partial)
		out->content.len -= 2;
	out->escaped = value->escaped && out->content.len > 0 &&
		       memchr(out->content.at, '\\', out->content.len) != NULL;
}

static bool
stream_take(struct slice text, struct cri *out)
{
	if (slice_eq(text, SLICE("stdout")))
		out->side = SIDE_STDOUT;
	else if (slice_eq(text, SLICE("stderr")))
		out->side = SIDE_STDERR;
	else
		return false;
	return true;
}

static bool
time_take(struct slice text, struct cri *out)
{
	size_t used;

	out->time_text = text;
	return timestamp_rfc3339(text, &out->time, &used) == PARSE_OK && used == text.len;
}

enum parsed
docker_parse(struct slice line, struct cri *out)
{
	enum { LOG = 1, STREAM = 2, TIME = 4, ALL = 7 };
	struct json_walk walk;
	struct json_value value;
	struct slice key;
	unsigned found = 0;
	enum parsed next;

	if (line.len == 0 || line.at[0] != '{')
		return PARSE_BAD;
	json_enter(&walk, line);
	while ((next = json_next(&walk, &key, &value)) == PARSE_OK) {
		if (value.kind != JSON_STRING)
			continue;
		if (slice_eq(key, SLICE("log"))) {
			log_take(&value, out);
			found |= LOG;
		} else if (slice_eq(key, SLICE("stream"))) {
			found =
			    stream_take(value.text, out) ? found | STREAM : found & (LOG | TIME);
		} else if (slice_eq(key, SLICE("time"))) {
			found = time_take(value.text, out) ? found | TIME : found & (LOG | STREAM);
		}
	}
	return next == PARSE_MORE && found == ALL && json_trailing(&walk) ? PARSE_OK : PARSE_BAD;
}
