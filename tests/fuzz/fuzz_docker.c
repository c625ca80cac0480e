/* Lines of json-file: jansson reads the same members. */
#include "fuzz.h"

#include "docker.h"
#include "json.h"
#include "mended.h"

static void
content_judge(const struct cri *got, const char *want, size_t len)
{
	char *plain = xmalloc(got->content.len + 1);
	size_t n = got->content.len;

	if (got->escaped)
		n = json_unescape(got->content, plain);
	else if (n > 0)
		memcpy(plain, got->content.at, n);
	len -= !got->partial;
	if (n != len || memcmp(plain, want, n) != 0 || (!got->partial && want[len] != '\n'))
		WRONG("'%.*s' should be '%.*s'", (int)n, plain, (int)len, want);
	if (got->partial && len > 0 && want[len - 1] == '\n' &&
	    !slice_ends(got->content, SLICE("\\u000a")) &&
	    !slice_ends(got->content, SLICE("\\u000A")))
		WRONG("'%.*s' is a whole line", (int)len, want);
	free(plain);
}

static void
fuzz(struct slice input)
{
	struct slice line = mended(input);
	struct cri got;
	json_error_t error;
	json_t *tree = jansson(line, JSON_REJECT_DUPLICATES, &error);
	json_t *log = json_object_get(tree, "log"), *stream = json_object_get(tree, "stream");

	if (docker_parse(input, &got) == PARSE_OK && docker_parse(line, &got) != PARSE_OK)
		WRONG("other letters, another answer: '%.*s'", SHOW(input));
	if (docker_parse(line, &got) == PARSE_OK) {
		if (tree == NULL && json_error_code(&error) != json_error_duplicate_key &&
		    json_error_code(&error) != json_error_numeric_overflow)
			WRONG("jansson: %s: '%.*s'", error.text, SHOW(line));
		if (json_is_string(log))
			content_judge(&got, json_string_value(log), json_string_length(log));
		if (json_is_string(stream) &&
		    strcmp(json_string_value(stream),
			got.side == SIDE_STDOUT ? "stdout" : "stderr") != 0)
			WRONG("'%s' is side %d", json_string_value(stream), got.side);
	}
	json_decref(tree);
	exact_free(line);
}
