/* towline export-db: the way back to Fluent Bit, as a DB that its tail reads. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "cmd.h"
#include "map.h"
#include "memory.h"
#include "service.h"
#include "state.h"

#define MARKER 32 /* bytes before the offset that Fluent Bit 5.1 keeps a hash of */

static int export_run(int argc, char **argv);

enum { OPT_C, OPT_STATE };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration (default: " CMD_CONF_DEFAULT ")" },
	{ 0, "state", "DIR", "the state's directory, instead of State_Path" },
	{ 0 },
};

const struct command cmd_export_db = {
	.name = "export-db",
	.run = export_run,
	.operands = "FILE",
	.help = "Write FILE, a DB with which Fluent Bit's tail goes on where towline stopped.",
	.more = "Stop towline first.  FILE must not exist.",
	.options = options,
};

/* Of the contents of one path the newest is what stands there now. */
struct newest {
	int64_t first_seen;
	uint64_t shipped;
};

static void
newest_keep(void *arg, const struct content_seen *content)
{
	struct map *paths = arg;
	struct newest *n = map_get(paths, slice_of(content->path));

	if (content->path[0] == '\0')
		return;
	if (n == NULL) {
		n = xcalloc(1, sizeof(*n));
		map_put(paths, slice_of(content->path), n);
	} else if (content->what->first_seen < n->first_seen) {
		return;
	}
	*n = (struct newest){ content->what->first_seen, content->shipped };
}

static const char schema[] =
    "CREATE TABLE in_tail_files (id INTEGER PRIMARY KEY, name TEXT NOT NULL, offset INTEGER,"
    " inode INTEGER, created INTEGER, rotated INTEGER DEFAULT 0,"
    " offset_marker INTEGER DEFAULT 0, offset_marker_size INTEGER DEFAULT 0)";
static const char insert[] =
    "INSERT INTO in_tail_files (name, offset, inode, created, rotated, offset_marker,"
    " offset_marker_size) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)";

/* One row, when the file is there and not shorter than what was shipped.  -1: the DB fails. */
static int
row_write(sqlite3_stmt *to, const char *path, uint64_t shipped)
{
	uint64_t marker = shipped < MARKER ? shipped : MARKER;
	char before[MARKER] = "";
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    (uint64_t)st.st_size >= shipped &&
		    pread(fd, before, marker, (off_t)(shipped - marker)) == (ssize_t)marker;

	if (fd >= 0)
		close(fd);
	if (!good)
		return 0;
	sqlite3_bind_text(to, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(to, 2, (int64_t)shipped);
	sqlite3_bind_int64(to, 3, (int64_t)st.st_ino);
	sqlite3_bind_int64(to, 4, (int64_t)time(NULL));
	sqlite3_bind_int64(to, 5, (int64_t)XXH3_64bits(before, marker));
	sqlite3_bind_int64(to, 6, (int64_t)marker);
	good = sqlite3_step(to) == SQLITE_DONE;
	sqlite3_reset(to);
	return good ? 1 : -1;
}

/* Return how many files were written, or -1 when the DB fails. */
static long
rows_write(sqlite3 *db, struct map *paths)
{
	sqlite3_stmt *to = NULL;
	struct slice path;
	struct newest *n;
	size_t at = 0;
	long rows = 0;

	if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, insert, -1, &to, NULL) != SQLITE_OK)
		return -1;
	while (rows >= 0 && (n = map_next(paths, &at, &path)) != NULL) {
		char *name = xslicedup(path);
		int wrote = row_write(to, name, n->shipped);

		rows = wrote < 0 ? -1 : rows + wrote;
		free(name);
	}
	sqlite3_finalize(to);
	return rows >= 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? rows : -1;
}

static int
export_to(const char *file, struct map *paths)
{
	sqlite3 *db = NULL;
	long rows = -1;

	if (access(file, F_OK) == 0) {
		cmd_wrong("towline export-db: %s is there already; name a new file", file);
		return EXIT_WRONG;
	}
	if (sqlite3_open(file, &db) == SQLITE_OK)
		rows = rows_write(db, paths);
	if (rows < 0)
		cmd_wrong("towline export-db: cannot write %s: %s", file,
		    db != NULL ? sqlite3_errmsg(db) : "out of memory");
	else
		printf("%ld files; in Fluent Bit's [INPUT]: DB %s\n", rows, file);
	sqlite3_close(db);
	return rows < 0 ? EXIT_WRONG : EXIT_DONE;
}

static int
export_of(const char *dir, const char *file)
{
	struct state *s = state_look(dir);
	struct map *paths;
	struct newest *n;
	size_t at = 0;
	int code;

	if (s == NULL)
		return EXIT_WRONG;
	paths = map_new();
	state_each(s, newest_keep, paths);
	state_close(s);
	code = export_to(file, paths);
	while ((n = map_next(paths, &at, NULL)) != NULL)
		free(n);
	map_free(paths);
	return code;
}

static int
export_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	int first = cmd_options(&cmd_export_db, argc, argv, values), code;
	struct conf *conf;

	if (first < 0)
		return EXIT_USAGE;
	if (first + 1 != argc) {
		fputs("towline export-db: one FILE is needed\n\n", stderr);
		cmd_usage(&cmd_export_db, stderr);
		return EXIT_USAGE;
	}
	if (values[OPT_STATE] != NULL)
		return export_of(values[OPT_STATE], argv[first]);
	conf = cmd_conf(values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT, FINDING_WARNING);
	if (conf == NULL)
		return EXIT_WRONG;
	code = export_of(service_of(conf)->state_path, argv[first]);
	conf_free(conf);
	return code;
}
