/* The mistakes of a configuration: collected first, printed in order. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf.h"
#include "map.h"
#include "memory.h"
#include "shown.h"

/* A configuration with more mistakes than this is no configuration. */
#define FINDINGS_MAX 1000
#define ALIKE_MAX 20
#define KINDS_MAX 256 /* formats in the whole program; further ones are not counted */

struct one {
	enum finding kind;
	size_t file; /* index into files */
	unsigned line;
	size_t number; /* in the order of their finding */
	size_t alike;  /* of a kind's last kept one: the index into alike; else SIZE_MAX */
	char *text;
};

/* Findings of one format, with their number. */
struct alike {
	const char *format;
	size_t n;
};

struct findings {
	struct one *at;
	size_t n;
	size_t count[FINDING_NOTE + 1];
	struct alike alike[KINDS_MAX];
	size_t nalike;
	char **files; /* in the order in which they were first named */
	size_t nfiles;
	struct map *settled; /* files and lines */
};

struct findings *
findings_new(void)
{
	struct findings *f = xcalloc(1, sizeof(*f));

	f->settled = map_new();
	return f;
}

void
findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->at[i].text);
	for (size_t i = 0; i < f->nfiles; i++)
		free(f->files[i]);
	map_free(f->settled);
	free(f->at);
	free(f->files);
	free(f);
}

/* A file's rank; findings that concern no file come last. */
static size_t
file_rank(struct findings *f, const char *file)
{
	if (file == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < f->nfiles; i++)
		if (strcmp(f->files[i], file) == 0)
			return i;
	f->files = xrealloc(f->files, (f->nfiles + 1) * sizeof(*f->files));
	f->files[f->nfiles] = xstrdup(file);
	return f->nfiles++;
}

/* The kind of ${format}, the present finding counted; NULL: there are too many kinds. */
static struct alike *
alike_count(struct findings *f, const char *format)
{
	size_t i = 0;

	while (i < f->nalike && f->alike[i].format != format)
		i++;
	if (i == KINDS_MAX)
		return NULL;
	if (i == f->nalike)
		f->alike[f->nalike++].format = format;
	f->alike[i].n++;
	return &f->alike[i];
}

void
findings_settle(struct findings *f, const char *file, unsigned line)
{
	char *key = xprintf("%u %s", line, file);

	map_put(f->settled, slice_of(key), f);
	free(key);
}

bool
findings_settled(const struct findings *f, const char *file, unsigned line)
{
	char *key;
	bool settled;

	if (file == NULL || map_count(f->settled) == 0)
		return false;
	key = xprintf("%u %s", line, file);
	settled = map_get(f->settled, slice_of(key)) != NULL;
	free(key);
	return settled;
}

void
findings_add(
    struct findings *f, enum finding kind, const char *file, unsigned line, const char *format, ...)
{
	const struct alike *alike;
	char text[1024];
	va_list args;

	if (findings_settled(f, file, line))
		return;
	alike = alike_count(f, format);
	f->count[kind]++;
	if (f->n == FINDINGS_MAX || (alike != NULL && alike->n > ALIKE_MAX))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	f->at = xrealloc(f->at, (f->n + 1) * sizeof(*f->at));
	f->at[f->n] = (struct one){
		.kind = kind,
		.file = file_rank(f, file),
		.line = line,
		.number = f->n,
		.alike =
		    alike != NULL && alike->n == ALIKE_MAX ? (size_t)(alike - f->alike) : SIZE_MAX,
		.text = xstrdup(text),
	};
	f->n++;
}

size_t
findings_count(const struct findings *f, enum finding kind)
{
	return f->count[kind];
}

static int
one_order(const void *left, const void *right)
{
	const struct one *a = left, *b = right;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void
findings_print(const struct findings *f, enum finding least_kind, FILE *to)
{
	static const char *const kinds[] = { "", "warning: ", "note: " };

	if (f->n > 0)
		qsort(f->at, f->n, sizeof(*f->at), one_order);
	for (size_t i = 0; i < f->n; i++) {
		const struct one *one = &f->at[i];

		if (one->kind > least_kind)
			continue;
		if (one->file != SIZE_MAX) {
			shown_print(slice_of(f->files[one->file]), to);
			if (one->line > 0)
				fprintf(to, ":%u", one->line);
			fputs(": ", to);
		}
		fputs(kinds[one->kind], to);
		shown_print(slice_of(one->text), to);
		if (one->alike != SIZE_MAX && f->alike[one->alike].n > ALIKE_MAX)
			fprintf(to, " (and %zu more like it)", f->alike[one->alike].n - ALIKE_MAX);
		fputc('\n', to);
	}
	if (f->n == FINDINGS_MAX)
		fputs("and more\n", to);
}

/* ---- names */

static bool
is_of_name(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c != '\0' && strchr("_.-*@]", c) != NULL);
}

/* A secret's name ends before the letter or digit at ${n}: no blank stands before its value. */
static bool
ends_secret(struct slice word, size_t n)
{
	static const char *const names[] = { "passwd", "password", "api_key" };

	if (!isalnum((unsigned char)word.at[n]))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (n >= len && strncasecmp(word.at + n - len, names[i], len) == 0)
			return true;
	}
	return false;
}

const char *
findings_name(struct slice word, char to[FINDINGS_NAME])
{
	static const char more[] = "…";
	size_t n = 0;

	if (word.len > 0 && strchr("\"'[{", word.at[0]) != NULL)
		n++;
	while (n < word.len && n < FINDINGS_NAME - sizeof(more) &&
	       is_of_name((unsigned char)word.at[n]) && !ends_secret(word, n))
		n++;
	memcpy(to, word.at, n);
	memcpy(to + n, n < word.len ? more : "", n < word.len ? sizeof(more) : 1);
	return to;
}

#define WORD_MAX 64

/* Edits (insert, delete, change, swap two neighbours) between two words, case folded. */
static size_t
distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= nb; j++)
		above[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *spare = before;
		int x = tolower((unsigned char)a[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			int y = tolower((unsigned char)b[j - 1]);

			row[j] = least(above[j] + 1, row[j - 1] + 1);
			row[j] = least(row[j], above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[nb];
}

const char *
findings_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t len = strlen(word), least_edits = SIZE_MAX;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(names[i]), edits;

		if (other > WORD_MAX)
			continue;
		edits = distance(word, len, names[i], other);
		if (edits <= (len > other ? len : other) / 3 && edits < least_edits) {
			best = names[i];
			least_edits = edits;
		}
	}
	return best;
}
