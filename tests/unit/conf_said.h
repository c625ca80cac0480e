/* Files of few lines, and all that is said of them. */
#ifndef CONF_SAID_H
#define CONF_SAID_H

#include "unit.h"

#include "conf_try.h"

struct said_case {
	const char *text, *want;
};

/* What is said of the file ${name}; ${about} tells which case it is. */
static inline void
assert_said(const char *name, const char *want, const char *about)
{
	struct findings *f = findings_new();
	struct conf *c = conf_read(name, &try_registry, f);
	char *said = try_findings(f);

	if (strcmp(said, want) != 0)
		print_message("%s\n", about);
	assert_string_equal(said, want);
	free(said);
	conf_free(c);
	findings_free(f);
}

static inline void
assert_each_said(const char *name, const struct said_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		try_file(name, cases[i].text);
		assert_said(name, cases[i].want, cases[i].text);
	}
}

#endif
