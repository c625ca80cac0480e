/* The reasons why letters are left.  A server wrote them, and a terminal shows them. */
#include "replay_why.h"

#include <inttypes.h>
#include <string.h>

#include "cmd.h"

void
replay_why_count(struct why_table *t, const char *text, uint64_t line)
{
	unsigned i = 0;

	while (i < t->n && i < WHYS && strcmp(t->at[i].text, text) != 0)
		i++;
	if (i == t->n) {
		snprintf(t->at[i].text, WHY_MAX, "%s", i < WHYS ? text : "other reasons");
		t->at[i].line = line;
		t->n++;
	}
	t->at[i].count++;
}

void
replay_why_print(const struct why_table *t, const char *file, FILE *to)
{
	for (unsigned i = 0; i < t->n; i++) {
		cmd_print(file, to);
		fprintf(to, ":%" PRIu64 ": %" PRIu64 " letter%s ", t->at[i].line, t->at[i].count,
		    t->at[i].count == 1 ? "" : "s");
		cmd_print(t->at[i].text, to);
		putc('\n', to);
	}
}

void
replay_why_without(char *to, const char *reason, const char *id)
{
	const char *at;
	size_t len = strlen(id);

	while (len > 0 && (at = strstr(reason, id)) != NULL) {
		memcpy(to, reason, (size_t)(at - reason));
		to += at - reason;
		*to++ = '*';
		reason = at + len;
	}
	memcpy(to, reason, strlen(reason) + 1);
}
