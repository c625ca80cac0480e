/* The table of `towline check --diff`: cells of several lines, wrapped between words. */
#include "differences.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "difference.h"
#include "memory.h"

#define FLUENT_BIT "Fluent Bit " DIFFERENCE_VERSION

enum { COLUMNS = 4 };
static const size_t width[COLUMNS] = { 26, 32, 32, 22 };

/* The next line of a cell, at most ${most} characters, and what stands behind it. */
static struct slice
line_take(struct slice *cell, size_t most)
{
	size_t n = 0;
	struct slice line;

	for (size_t i = 0; i <= cell->len && i <= most; i++) {
		if (i == cell->len || cell->at[i] == '\n' || cell->at[i] == ' ')
			n = i;
		if (i < cell->len && cell->at[i] == '\n')
			break;
	}
	if (n == 0)
		n = cell->len < most ? cell->len : most;
	line = (struct slice){ cell->at, n };
	*cell = slice_from(*cell, n);
	if (cell->len > 0 && (cell->at[0] == ' ' || cell->at[0] == '\n'))
		*cell = slice_from(*cell, 1);
	return line;
}

static void
row_print(const char *const texts[COLUMNS], FILE *to)
{
	struct slice cells[COLUMNS];
	bool more = true;

	for (int i = 0; i < COLUMNS; i++)
		cells[i] = slice_of(texts[i] != NULL ? texts[i] : "-");
	while (more) {
		size_t blanks = 0;

		more = false;
		for (int i = 0; i < COLUMNS; i++) {
			struct slice line = line_take(&cells[i], width[i]);

			if (line.len > 0)
				fprintf(to, "%*s%.*s", (int)blanks, "", (int)line.len, line.at);
			blanks = line.len > 0 ? width[i] - line.len + 2 : blanks + width[i] + 2;
			more |= cells[i].len > 0;
		}
		fputc('\n', to);
	}
}

/* One more place behind ${text}; a section that stands nowhere has its defaults. */
static char *
place_add(const char *text, bool first, const struct section *s, const char *main)
{
	const char *base = s->file != NULL ? strrchr(s->file, '/') : NULL;
	const char *file = base != NULL ? base + 1 : s->file, *before = first ? "\n" : ", ";

	if (s->line == 0)
		return xstrdup(text);
	if (s->file == NULL || strcmp(s->file, main) == 0)
		return xprintf("%s%s%s%u", text, before, first ? "line " : "", s->line);
	return xprintf("%s%s%s:%u", text, before, file, s->line);
}

/* "old lines at the first start\nline 12, 30": where the row concerns the configuration; NULL: nowhere. */
static char *
places_of(const struct difference *d, const struct conf *conf)
{
	char *text = NULL, *longer;

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (!difference_concerns(d, s))
			continue;
		longer = place_add(text != NULL ? text : d->what, text == NULL, s, conf->file);
		free(text);
		text = longer;
	}
	return text;
}

void
differences_print(const struct conf *conf, FILE *to)
{
	static const char *const head[COLUMNS] = { "", FLUENT_BIT, "towline", "Fluent Bit's way" };

	row_print(head, to);
	fputc('\n', to);
	for (const struct difference *d = difference_table; d->what != NULL; d++) {
		char *places = places_of(d, conf);

		if (places != NULL) {
			row_print(
			    (const char *const[COLUMNS]){ places, d->theirs, d->ours, d->old }, to);
			fputc('\n', to);
		}
		free(places);
	}
}
