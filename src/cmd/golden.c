/*
 * The longest common subsequence of equal documents stays; of what lies between,
 * the first that came is compared with the first that was expected, and so on.
 */
#include "golden.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "memory.h"

#define TABLE_MAX (4u << 20) /* cells of the table of the subsequence; beyond: by position */
#define SHOWN_MAX 200        /* bytes of a value */

struct document {
	json_t *tree;
	char *text;    /* its canonical form */
	unsigned line; /* of the file; of one that came: its number */
};

struct documents {
	struct document *at;
	size_t n;
};

char *
golden_path(const char *dir, const char *name)
{
	char *path = xprintf("%s/expected/%s.ndjson", dir, name);

	for (char *at = path + strlen(path) - strlen(name) - strlen(".ndjson"); *at != '\0'; at++)
		*at = *at == '/' ? '_' : *at;
	return path;
}

static void
documents_free(struct documents *d)
{
	for (size_t i = 0; i < d->n; i++) {
		json_decref(d->at[i].tree);
		free(d->at[i].text);
	}
	free(d->at);
}

static bool
document_add(struct documents *d, const char *text, size_t len, unsigned line, json_error_t *error)
{
	json_t *tree = json_loadb(text, len, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, error);

	if (tree == NULL)
		return false;
	d->at = xrealloc(d->at, (d->n + 1) * sizeof(*d->at));
	d->at[d->n++] = (struct document){ tree,
		json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY), line };
	return true;
}

static bool
came_read(const struct collection *c, struct documents *to, FILE *say)
{
	json_error_t error;

	for (size_t i = 0; i < c->n; i++) {
		if (!document_add(
			to, c->at[i].line, strlen(c->at[i].line), (unsigned)i + 1, &error)) {
			fprintf(
			    say, "%s: document %zu is no JSON: %s\n", c->name, i + 1, error.text);
			return false;
		}
	}
	return true;
}

static bool
expected_read(const char *path, struct documents *to)
{
	FILE *from = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	bool right = true;
	json_error_t error;
	ssize_t n;

	if (from == NULL && errno == ENOENT)
		return true;
	if (from == NULL) {
		cmd_wrong("%s: %s", path, strerrordesc_np(errno));
		return false;
	}
	while (right && (n = getline(&line, &size, from)) > 0) {
		number++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		right = document_add(to, line, (size_t)n, number, &error);
		if (!right)
			cmd_wrong("%s:%u: no JSON: %s", path, number, error.text);
	}
	free(line);
	fclose(from);
	return right;
}

/* ---- two documents */

static void
value_print(const json_t *value, FILE *to)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	size_t n = SHOWN_MAX;

	if (strlen(text) > n) {
		while ((text[n] & 0xc0) == 0x80)
			n--;
		text[n] = '\0';
		cmd_print(text, to);
		fputs("…", to);
	} else {
		cmd_print(text, to);
	}
	free(text);
}

static void
member_print(const char *path, const json_t *expected, const json_t *came, FILE *to)
{
	fputs("    ", to);
	cmd_print(path, to);
	if (expected != NULL) {
		fputs("  expected ", to);
		value_print(expected, to);
	}
	fputs(came == NULL       ? ", is not there"
	      : expected == NULL ? "  not expected: "
				 : ", is ",
	    to);
	if (came != NULL)
		value_print(came, to);
	fputc('\n', to);
}

static void
members_compare(const char *above, const json_t *expected, const json_t *came, FILE *to)
{
	const char *key;
	json_t *value;

	if (!json_is_object(expected) || !json_is_object(came)) {
		if (!json_equal(expected, came))
			member_print(above, expected, came, to);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)expected, key, value)
	{
		char *path = xprintf("%s%s%s", above, *above != '\0' ? "." : "", key);
		const json_t *other = json_object_get(came, key);

		if (other == NULL)
			member_print(path, value, NULL, to);
		else
			members_compare(path, value, other, to);
		free(path);
	}
	json_object_foreach((json_t *)(uintptr_t)came, key, value)
	{
		char *path = xprintf("%s%s%s", above, *above != '\0' ? "." : "", key);

		if (json_object_get(expected, key) == NULL)
			member_print(path, NULL, value, to);
		free(path);
	}
}

/* ---- two lists */

struct comparing {
	const char *path, *name;
	struct documents expected, came;
	FILE *to;
};

/* The documents between two common ones, or before the first, or behind the last. */
static void
gap_print(const struct comparing *c, size_t e, size_t e_end, size_t g, size_t g_end)
{
	for (; e < e_end && g < g_end; e++, g++) {
		fprintf(c->to, "%s:%u: document %u of %s differs:\n", c->path,
		    c->expected.at[e].line, c->came.at[g].line, c->name);
		members_compare("", c->expected.at[e].tree, c->came.at[g].tree, c->to);
	}
	for (; e < e_end; e++) {
		fprintf(c->to, "%s:%u: %s has not got this document: ", c->path,
		    c->expected.at[e].line, c->name);
		value_print(c->expected.at[e].tree, c->to);
		fputc('\n', c->to);
	}
	for (; g < g_end; g++) {
		fprintf(c->to, "%s: document %u of %s is not expected: ", c->path,
		    c->came.at[g].line, c->name);
		value_print(c->came.at[g].tree, c->to);
		fputc('\n', c->to);
	}
}

static bool
same(const struct comparing *c, size_t e, size_t g)
{
	return strcmp(c->expected.at[e].text, c->came.at[g].text) == 0;
}

/* By the table of the lengths of common subsequences of what stands from (e, g) on. */
static void
lists_compare(const struct comparing *c, size_t e, size_t n, size_t g, size_t m)
{
	size_t wide = m - g + 1, from_e = e, from_g = g, e0 = e, g0 = g;
	unsigned *length;

	if ((n - e) * (m - g) > TABLE_MAX) {
		gap_print(c, e, n, g, m);
		return;
	}
	length = xcalloc((n - e + 1) * wide, sizeof(*length));
#define LENGTH(i, j) length[((i)-e0) * wide + ((j)-g0)]
	for (size_t i = n; i-- > e0;) {
		for (size_t j = m; j-- > g0;) {
			unsigned below = LENGTH(i + 1, j), right = LENGTH(i, j + 1);

			LENGTH(i, j) = same(c, i, j)   ? LENGTH(i + 1, j + 1) + 1
				       : below > right ? below
						       : right;
		}
	}
	while (e < n && g < m) {
		if (same(c, e, g)) {
			gap_print(c, from_e, e, from_g, g);
			from_e = ++e;
			from_g = ++g;
		} else if (LENGTH(e + 1, g) >= LENGTH(e, g + 1)) {
			e++;
		} else {
			g++;
		}
	}
#undef LENGTH
	gap_print(c, from_e, n, from_g, m);
	free(length);
}

bool
golden_compare(const struct collection *col, const char *path, FILE *to)
{
	struct comparing c = { .path = path, .name = col->name, .to = to };
	size_t e = 0, n, m;
	bool equal = false;

	if (!expected_read(path, &c.expected) || !came_read(col, &c.came, to))
		goto out;
	n = c.expected.n;
	m = c.came.n;
	while (e < n && e < m && same(&c, e, e))
		e++;
	while (n > e && m > e && same(&c, n - 1, m - 1)) {
		n--;
		m--;
	}
	equal = e == n && e == m;
	lists_compare(&c, e, n, e, m);
out:
	documents_free(&c.expected);
	documents_free(&c.came);
	return equal;
}

/* As a file of its own: what ${path} was, a link perhaps, is replaced and not written through. */
static bool
documents_write(const struct collection *c, const char *path)
{
	char *fresh = xprintf("%s.new", path);
	FILE *file;
	bool written;

	unlink(fresh);
	file = fopen(fresh, "wxe");
	for (size_t i = 0; file != NULL && i < c->n; i++)
		fprintf(file, "%s\n", c->at[i].line);
	written = file != NULL && fclose(file) == 0 && rename(fresh, path) == 0;
	if (!written) {
		cmd_wrong("%s: %s", path, strerrordesc_np(errno));
		unlink(fresh);
	}
	free(fresh);
	return written;
}

/* The folder of ${path}; NULL, and said, when it lies elsewhere.  The caller frees. */
static char *
folder_of(const char *path)
{
	char *dir = xslicedup((struct slice){ path, (size_t)(strrchr(path, '/') - path) });
	struct stat st;

	if (lstat(dir, &st) < 0 || !S_ISLNK(st.st_mode))
		return dir;
	cmd_wrong("%s is a symbolic link, through which nothing is written: make it a folder", dir);
	free(dir);
	return NULL;
}

int
golden_update(const struct collection *c, const char *path, FILE *to)
{
	char *dir = folder_of(path);
	FILE *none = fopen("/dev/null", "we");
	bool same_already = golden_compare(c, path, none);
	int result = dir != NULL ? 0 : -1;

	fclose(none);
	if (dir == NULL || (same_already && c->n > 0))
		goto out;
	if (c->n == 0) {
		if (unlink(path) == 0)
			fprintf(to, "%s: removed; %s gets no documents\n", path, c->name);
		goto out;
	}
	(void)mkdir(dir, 0777);
	result = documents_write(c, path) ? 0 : -1;
	if (result == 0)
		fprintf(to, "%s: written, %zu document%s\n", path, c->n, c->n == 1 ? "" : "s");
out:
	free(dir);
	return result;
}
