/* What open files cost others: the disk of deleted files, descriptors. */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "metrics.h"
#include "../../src/tail/file.h"
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

static bool
on_record(void *arg, const struct framed *f)
{
	struct world *w = arg;
	struct range *r;

	if (w->refused < w->refuse) {
		w->refused++;
		return false;
	}
	w->refused = 0;
	r = range_open(w->book, &f->stream->cursor[f->side], ++w->batch);
	assert_non_null(r);
	range_add(r, 1, f->end);
	if (f->also != NULL)
		range_also(r, &f->also->cursor[f->side], f->also_end);
	range_seal(w->book, r);
	range_settle(w->book, r, 1);
	buffer_printf(&w->got, "%d:", f->side);
	buffer_put(&w->got, f->text);
	buffer_printf(&w->got, "%s|", f->truncated ? "~" : "");
	w->records++;
	return true;
}

static void
on_stream(void *arg, struct stream *stream, bool begins)
{
	struct world *w = arg;

	(void)stream;
	w->streams += begins ? 1 : -1;
}

static void
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

static int
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
		.path = { &w->path, 1 },
		.read_from_head = true,
		.refresh_interval = 200 * NS_PER_MS,
		.rotate_wait = 300 * NS_PER_MS,
		.flush = 50,
		.buffer_max_size = 100000,
		.key = key,
	};
	w->state = state_open(NULL);
	w->book = range_book_new(w->state, 64);
	buffer_init(&w->got, 0);
	*state = w;
	return 0;
}

static void
start(struct world *w)
{
	const struct tail_conf *conf = &w->conf;

	w->tail = tail_new(&conf, 1, w->state, w->book, on_record, on_stream, w);
}

static int
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

static void
turn_until(struct world *w, unsigned records)
{
	int64_t until = clock_mono() + 20 * NS_PER_S;

	while (w->records < records && clock_mono() < until) {
		tail_turn(w->tail, true);
		tail_wait(w->tail, -1, 20);
	}
	assert_int_equal(w->records, records);
}

static void
turn_for(struct world *w, int64_t ns)
{
	int64_t until = clock_mono() + ns;

	while (clock_mono() < until) {
		tail_turn(w->tail, true);
		tail_wait(w->tail, -1, 20);
	}
}

#define LOGS "%s/pods/" POD "/agent/"
#define TEXT "2026-11-22T08:00:00Z stdout F {} "

/* Lines that no other call wrote: what begins alike is one stream. */
static void
write_lines(struct world *w, int n)
{
	static int next;

	shell("cd " LOGS " && seq -f '" TEXT "%%.0f' %d %d >> 0.log", w->dir, next, next + n - 1);
	next += n;
}

static uint64_t
lost(void)
{
	return metrics.lost_bytes[LOST_HELD];
}

/* Rotated, compressed (the names follow) and deleted, while nothing is taken. */
static void
rotate_away(struct world *w, const char *to, bool compressed)
{
	shell("cd " LOGS " && mv 0.log %s && touch 0.log", w->dir, to);
	turn_for(w, 200 * NS_PER_MS);
	shell("cd " LOGS " && %s %s", w->dir, compressed ? "gzip" : "rm", to);
}

static void
test_a_deleted_file_goes_on_in_its_gz(void **state)
{
	struct world *w = *state;
	uint64_t before = lost();

	w->conf.held_deleted_limit = 100000;
	w->refuse = UINT_MAX;
	write_lines(w, 5000);
	start(w);
	turn_for(w, 100 * NS_PER_MS);
	rotate_away(w, "0.log.20260101-000000", true);
	write_lines(w, 10);
	turn_for(w, 1500 * NS_PER_MS);
	assert_int_equal(w->tail->held, 0);
	w->refuse = 0;
	turn_until(w, 5010);
	assert_int_equal(lost(), before);
}

static void
test_the_oldest_deleted_file_is_let_go_and_counted(void **state)
{
	struct world *w = *state;
	uint64_t before = lost();
	struct stat st;
	char *path = xprintf(LOGS "0.log", w->dir);

	w->conf.held_deleted_limit = 250000;
	w->refuse = UINT_MAX;
	write_lines(w, 5000);
	assert_int_equal(stat(path, &st), 0);
	start(w);
	turn_for(w, 100 * NS_PER_MS);
	rotate_away(w, "0.log.20260101-000000", false);
	turn_for(w, 1200 * NS_PER_MS);
	assert_int_equal(lost(), before); /* one is within the limit */
	assert_true(w->tail->held > 0);
	write_lines(w, 5000);
	turn_for(w, 200 * NS_PER_MS);
	rotate_away(w, "0.log.20260101-000001", false);
	write_lines(w, 10);
	turn_for(w, 1500 * NS_PER_MS);
	assert_int_equal(lost(), before + (uint64_t)st.st_size);
	w->refuse = 0;
	turn_until(w, 5010);
	free(path);
}

static int
closed_for_now(const struct world *w)
{
	const struct file *f;
	int n = 0;

	LIST_FOREACH (f, &w->tail->files, in_files)
		n += f->fd < 0;
	return n;
}

static void
test_descriptors_run_out(void **state)
{
	struct world *w = *state;
	struct rlimit limit = { 64, 64 };
	char *path;
	int last;

	w->conf.rotate_wait = 10 * NS_PER_MS;
	write_lines(w, 1);
	start(w);
	turn_until(w, 1);
	/* A rotated file that its writer still has, and more live ones than there is room for. */
	path = xprintf(LOGS "0.log", w->dir);
	last = open(path, O_WRONLY | O_APPEND);
	free(path);
	shell("cd " LOGS " && mv 0.log 0.log.20260101-000000 && touch 0.log", w->dir);
	turn_for(w, 500 * NS_PER_MS);
	assert_int_equal(w->tail->nfiles, 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	shell(
	    "cd %s/containers && for i in $(seq 60); do echo '" TEXT "'$i > m$i.log; done", w->dir);
	turn_for(w, 500 * NS_PER_MS);
	assert_true(w->tail->nfiles < 60);
	assert_int_equal(closed_for_now(w), 1);
	/* Late bytes come while it is closed; then there is room. */
	assert_true(write(last, TEXT "late\n", sizeof(TEXT "late\n") - 1) > 0);
	close(last);
	w->records = 0;
	shell("rm %s/containers/m*.log", w->dir);
	turn_until(w, 1);
	assert_non_null(strstr(w->got.at, "late"));
	assert_int_equal(closed_for_now(w), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_deleted_file_goes_on_in_its_gz, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_the_oldest_deleted_file_is_let_go_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_run_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
