/*
 * The configuration: what its grammar has read, written plainly, is read as the same;
 * reading the whole with all plugins finds the same twice, and each finding has a line
 * of the file.
 */
#include "fuzz.h"

#include <strings.h>
#include <unistd.h>

#include "conf_file.h"
#include "plugins.h"

/* Other files are not the input's: none is included by a path, nor a device read. */
static bool
is_alone(struct slice input)
{
	static const char *const not [] = { "include", "file:", "/dev", "/proc", "/sys", "/tmp" };
	char *text = xslicedup(input);
	bool alone = true;

	for (size_t i = 0; i < input.len; i++) {
		for (size_t j = 0; j < COUNT(not ); j++)
			alone &= strncasecmp(text + i, not [j], strlen(not [j])) != 0;
	}
	free(text);
	return alone;
}

static char *
whole_read(void)
{
	struct findings *f = findings_new();
	struct conf *conf = conf_read(CONF_FILE, &plugins_registry, f);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	findings_print(f, FINDING_NOTE, to);
	fclose(to);
	if (conf->n == 0 && findings_count(f, FINDING_ERROR) == 0)
		WRONG("nothing is read, and nothing is said");
	conf_free(conf);
	findings_free(f);
	return text;
}

static void
lines_judge(const char *text, struct slice input)
{
	unsigned long lines = 1;

	for (size_t i = 0; i < input.len; i++)
		lines += input.at[i] == '\n';
	for (const char *at = text; at != NULL; at = strstr(at, "\n" CONF_FILE ":")) {
		at += *at == '\n';
		if (strncmp(at, CONF_FILE ":", sizeof(CONF_FILE)) == 0 &&
		    strtoul(at + sizeof(CONF_FILE), NULL, 10) > lines)
			WRONG("no such line: %s", at);
	}
}

static void
fuzz(struct slice input)
{
	char *first, *second;

	if (!is_alone(input))
		return;
	fuzz_place();
	conf_file_write(input);
	blocks_judge();
	conf_file_write(input);
	first = whole_read();
	second = whole_read();
	if (strcmp(first, second) != 0)
		WRONG("first '%s', then '%s'", first, second);
	lines_judge(first, input);
	free(first);
	free(second);
}
