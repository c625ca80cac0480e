/*
 * A file of dead letters: its lines are those that a slow reader cuts; a letter is read
 * as jansson reads it, and its document is the text that stands there.
 */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../src/cmd/letters.h"
#include "mended.h"

static void
member_judge(json_t *tree, const char *name, struct slice got)
{
	json_t *value = json_object_get(tree, name);
	char *plain = xmalloc(got.len + 1);
	size_t n = json_unescape(got, plain);

	if (json_is_string(value) &&
	    (n != json_string_length(value) || memcmp(plain, json_string_value(value), n) != 0))
		WRONG("%s is '%.*s', not '%s'", name, (int)n, plain, json_string_value(value));
	free(plain);
}

static void
letter_judge(struct slice line)
{
	struct slice text = mended(line);
	struct letter letter, other;
	const char *mistake = letters_read(line, &letter);
	json_error_t error;
	json_t *tree = jansson(text, JSON_REJECT_DUPLICATES, &error), *document;

	if ((letters_read(text, &other) == NULL) != (mistake == NULL) &&
	    memchr(line.at, '\0', line.len) == NULL)
		WRONG("other letters, another answer: '%.*s'", SHOW(line));
	if (letters_read(text, &other) == NULL && tree != NULL) {
		document = jansson(other.document, 0, &error);
		member_judge(tree, "index", other.index);
		member_judge(tree, "id", other.id);
		member_judge(tree, "output", other.output);
		if (!json_equal(document, json_object_get(tree, "document")))
			WRONG("the document is '%.*s'", SHOW(other.document));
		json_decref(document);
	}
	json_decref(tree);
	exact_free(text);
}

static void
lines_judge(struct slice all)
{
	int fd = memfd_create("letters", MFD_CLOEXEC);
	char *path = xprintf("/proc/self/fd/%d", fd);
	struct letters l;
	struct line line;
	size_t at = 0;
	uint64_t number = 0;

	if (write(fd, all.at, all.len) != (ssize_t)all.len || letters_open(&l, path) != 0)
		abort();
	while (letters_next(&l, &line) == 1) {
		const char *end = memchr(all.at + at, '\n', all.len - at);
		size_t len = end == NULL ? all.len - at : (size_t)(end - all.at) - at;

		if (line.number != ++number || line.at != at || line.len != len ||
		    !slice_eq(line.text, (struct slice){ all.at + at, len }))
			WRONG("line %zu at %zu of %zu bytes is '%.*s'", (size_t)number, at, len,
			    SHOW(line.text));
		letter_judge(line.text);
		at += len + (end != NULL);
	}
	if (at != all.len)
		WRONG("%zu of %zu bytes", at, all.len);
	letters_close(&l);
	close(fd);
	free(path);
}

static void
fuzz(struct slice input)
{
	lines_judge(input);
}
