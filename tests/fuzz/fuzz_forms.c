/*
 * The forms of a configuration: what is read of one, written in the other, is read as the
 * same sections, there and back; reading the whole has findings with lines of the file.
 */
#include "fuzz.h"

#include <strings.h>

#include "conf_file.h"
#include "form_try.h"

/* Other files are not the input's. */
static bool
is_alone(struct slice input)
{
	static const char *const not [] = { "include", "file:", "parsers_file", "/dev", "/proc" };
	char *text = xslicedup(input);
	bool alone = true;

	for (size_t i = 0; i < input.len; i++) {
		for (size_t j = 0; j < COUNT(not ); j++)
			alone &= strncasecmp(text + i, not [j], strlen(not [j])) != 0;
	}
	free(text);
	return alone;
}

/* The sections of the file; NULL: it is refused. */
static struct conf_blocks *
typed_read(void)
{
	struct findings *f = findings_new();
	struct conf_blocks *blocks = conf_blocks_typed(CONF_FILE, f);

	if (blocks == NULL && findings_count(f, FINDING_ERROR) == 0)
		WRONG("nothing is read, and nothing is said");
	if (findings_count(f, FINDING_ERROR) > 0) {
		conf_blocks_free(blocks);
		blocks = NULL;
	}
	findings_free(f);
	return blocks;
}

/* Write the sections to the file in a form.  False: it does not have them all. */
static bool
form_write(const struct conf_blocks *blocks, bool yaml)
{
	struct findings *f = findings_new();
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	bool all;

	(yaml ? conf_form_yaml : conf_form_classic)(blocks, f, to);
	fclose(to);
	all = findings_count(f, FINDING_ERROR) + findings_count(f, FINDING_WARNING) == 0;
	if (all)
		conf_file_write((struct slice){ text, len });
	free(text);
	findings_free(f);
	return all;
}

/* The sections written and read again; NULL: that form does not have them. */
static struct conf_blocks *
again(const struct conf_blocks *blocks, bool yaml)
{
	struct conf_blocks *read;
	char *before, *after;

	if (!form_write(blocks, yaml))
		return NULL;
	read = typed_read();
	if (read == NULL)
		WRONG("refused when written as %s", yaml ? "YAML" : "the classic form");
	before = form_blocks_text(blocks);
	after = form_blocks_text(read);
	if (strcmp(before, after) != 0)
		WRONG("'%s' is read as '%s'", before, after);
	free(before);
	free(after);
	return read;
}

static void
fuzz(struct slice input)
{
	struct conf_blocks *first, *yaml, *classic;

	if (!is_alone(input))
		return;
	fuzz_place();
	conf_file_write(input);
	first = typed_read();
	if (first == NULL)
		return;
	yaml = again(first, true);
	classic = again(yaml != NULL ? yaml : first, false);
	conf_blocks_free(first);
	conf_blocks_free(yaml);
	conf_blocks_free(classic);
}
