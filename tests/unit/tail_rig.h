/* Tailing for tests: a node's tree with one pod, a reader of it, what it has read. */
#ifndef TAIL_RIG_H
#define TAIL_RIG_H

#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "metrics.h"
#include "tail.h"
#include "tail_adapter.h"
#include "voice.h"

struct world {
	char dir[64];
	struct tail_conf conf;
	char *path;
	struct state *state;
	struct range_book *book;
	struct tail *tail;
	struct buffer got; /* side:text| of each record */
	unsigned records;
	unsigned refuse; /* refuse each record so often before it is taken */
	unsigned refused;
	uint64_t batch;
	int streams;
};

static inline bool
on_record(void *arg, const struct framed *f)
{
	struct world *w = arg;
	struct flight flight;

	if (w->refused < w->refuse) {
		w->refused++;
		return false;
	}
	w->refused = 0;
	assert_true(record_send(w->book, f, ++w->batch, 1, &flight));
	record_seal(w->book, flight);
	record_settle(w->book, flight);
	buffer_printf(&w->got, "%d:", f->side);
	buffer_put(&w->got, f->text);
	buffer_printf(&w->got, "%s|", f->truncated ? "~" : "");
	w->records++;
	return true;
}

static inline void
on_stream(void *arg, struct stream *stream, bool begins)
{
	struct world *w = arg;

	(void)stream;
	w->streams += begins ? 1 : -1;
}

__attribute__((format(printf, 1, 2))) static inline void
shell(const char *format, ...)
{
	va_list ap;
	char command[2048];

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (fork() == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	wait(NULL);
}

#define POD "ns_matillion-agent-1_uid-1"
#define LINK                                                                                       \
	"containers/matillion-agent-1_ns_agent-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.log"

static inline int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	static char tag[] = "t.*", key[] = "log";

	voice_level(VOICE_ERROR);
	memcpy(w->dir, "/tmp/towline-tail-XXXXXX", sizeof("/tmp/towline-tail-XXXXXX"));
	assert_non_null(mkdtemp(w->dir));
	shell("mkdir -p %s/containers %s/pods/" POD "/agent && ln -s %s/pods/" POD
	      "/agent/0.log %s/" LINK,
	    w->dir, w->dir, w->dir, w->dir);
	w->path = xprintf("%s/containers/*.log", w->dir);
	w->conf = (struct tail_conf){
		.input.tag = tag,
		.from.path = { .at = &w->path, .n = 1 },
		.read_from_head = true,
		.refresh_interval = 200 * NS_PER_MS,
		.rotate_wait = 300 * NS_PER_MS,
		.flush = 50,
		.buffer_max_size = 100000,
		.max_files = 1000,
		.key = key,
	};
	w->state = state_open(NULL);
	w->book = range_book_new(w->state, 64);
	buffer_init(&w->got, 0);
	*state = w;
	return 0;
}

static inline void
start(struct world *w)
{
	const struct tail_conf *conf = &w->conf;

	w->tail = tail_make(conf, w->state, w->book, on_record, NULL, on_stream, w);
}

static inline int
teardown(void **state)
{
	struct world *w = *state;

	tail_free(w->tail);
	assert_int_equal(w->streams, 0);
	range_book_free(w->book);
	state_close(w->state);
	buffer_fini(&w->got);
	shell("rm -rf %s", w->dir);
	free(w->path);
	free(w);
	return 0;
}

/* Turn until so many records have come; far more time than it takes. */
static inline void
turn_until(struct world *w, unsigned records)
{
	int64_t until = clock_mono() + 20 * NS_PER_S;

	while (w->records < records && clock_mono() < until) {
		tail_turn(w->tail, 1);
		tail_wait(w->tail, -1, 20);
	}
	assert_in_range(w->records, records, UINT32_MAX);
}

/* Turn for so long, and as often as fits in: time also passes while the process does not run. */
static inline void
turn_ms(struct world *w, int ms)
{
	int64_t until = clock_mono() + ms * NS_PER_MS;

	for (int n = 0; n < ms / 10 || clock_mono() < until; n++) {
		tail_turn(w->tail, 1);
		tail_wait(w->tail, -1, 10);
	}
}

/* The head of a line, of that second. */
#define AT(second) "2026-11-22T08:00:0" #second "Z "

/* Write behind what a file of the log has. */
static inline void
put_line(struct world *w, const char *file, const char *line)
{
	char *path = xprintf("%s/pods/" POD "/agent/%s", w->dir, file);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
	free(path);
}

/* A command of the shell where the log's files are. */
static inline void
in_logs(struct world *w, const char *command)
{
	shell("cd %s/pods/" POD "/agent && %s", w->dir, command);
}

/* All records so far: side:text|… */
static inline void
assert_got(struct world *w, const char *want)
{
	assert_slice(buffer_slice(&w->got), want);
}

/* The DB ${path} of Fluent Bit says that ${file} was read to ${offset}. */
static inline void
fluent_bit_row(const char *path, const char *file, uint64_t offset)
{
	struct stat st;
	sqlite3 *db;
	char *sql;

	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sql = xprintf("CREATE TABLE IF NOT EXISTS in_tail_files (inode INTEGER, offset INTEGER);"
		      "INSERT INTO in_tail_files VALUES (%llu, %llu)",
	    (unsigned long long)st.st_ino, (unsigned long long)offset);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	free(sql);
	sqlite3_close(db);
}

/* By the metrics, of all reasons. */
static inline uint64_t
lost_bytes(void)
{
	uint64_t sum = 0;
	struct buffer page;

	buffer_init(&page, 0);
	metrics_write(&page, false, 0);
	assert_int_equal(buffer_put(&page, (struct slice){ "", 1 }), 0);
	for (const char *at = page.at; (at = strstr(at, "\ntowline_lost_bytes_total{")) != NULL;
	     at++)
		sum += strtoull(strchr(at, '}') + 1, NULL, 10);
	buffer_fini(&page);
	return sum;
}

#endif
