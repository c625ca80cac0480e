/*
 * The most memory that a configuration may take, part by part.  Each part
 * names the caps that bound it; a part without a cap must get one, not an
 * estimate.  Figures for a file and a stream are of 64-bit machines, with
 * malloc's overhead.
 */
#include "limit.h"

#include "enrich.h"
#include "filter.h"
#include "gzip.h"
#include "journal.h"
#include "kube.h"
#include "polling.h"
#include "quiet.h"
#include "service.h"
#include "ship.h"
#include "tail.h"
#include "trial.h"
#include "voice.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

#define PROGRAM (20 * MIB) /* code and libraries, the resident part */
#define STACKS (6 * MIB)   /* of all threads and of PCRE2 */
#define STORE (8 * MIB)    /* SQLite: page cache, the journal's index, one transaction */

/*
 * A file: its place, content, span, log, reader and flow, the parts of filters and framing,
 * slots of three maps; its path, target, tag, pod and the pod's JSON, as names
 * of the kubelet have at most 255 bytes each.
 */
#define FILE_EACH (8 * KIB)
#define LANE_EACH (2 * KIB) /* … for each further lane: its reader, its part of the flow, cursors */
#define KNOWN_EACH (KIB + 512) /* a stream in the state: cursors, checkpoints, breaks, path */
#define HELD_EACH 512  /* a note why a file is parked, and its text on the way to the store */
#define KNOWN_A_FILE 4 /* streams that the state remembers, by files followed */

#define SERVE_CONNECTIONS 64
#define SERVE_EACH (512 * KIB) /* MHD's 16 KiB and the kernel's buffers */
#define TLS_EACH (128 * KIB)   /* GnuTLS' session, and certificates on their way */
#define RECENT_EACH (4 * KIB)  /* struct recent */
#define AGENT_EACH                                                                                 \
	(172 * KIB) /* struct agent_series, its tasks (1,024), its window; their text, twice */
#define USAGE_EACH (8 * KIB)    /* a container's labels and folder, thrice */
#define ERROR_EACH (2 * KIB)    /* a value of error_type: its text, its share of the map */
#define LABEL_EACH KIB          /* a label of Agent_Labels, in the text of a value of each */
#define PIPELINE_EACH (5 * KIB) /* of pipeline: two histograms with exemplars, too */

#define FAILURE_EACH 112 /* a known failure, and its text on the way to the store, twice */

#define WATCH_EACH (2 * KIB) /* inotify's mark, and the inode that it pins */
#define OPEN_EACH (2 * KIB)  /* struct file, dentry, /proc's */

/* Pages of its files, an entry, its files' names and headers; streams by tag count as files. */
static uint64_t
journal_limit(const struct journal_conf *conf, uint64_t *files)
{
	*files += (uint64_t)conf->max_units;
	return JOURNAL_MAPPED + 2 * conf->buffer_max_size + 4 * MIB;
}

static void
reading_limit(const struct conf *conf, struct limit *l, uint64_t *files)
{
	uint64_t cap = 0, journals = trial_limit(conf), encoded = 0,
		 filters = service_of(conf)->filter_memory + filter_limit(conf);

	for (size_t i = 0; i < conf->n; i++) {
		const struct tail_conf *tail = conf->sections[i].values;

		if (conf->sections[i].plugin == &journal_plugin)
			journals += journal_limit(conf->sections[i].values, files);
		if (conf->sections[i].plugin != &tail_plugin)
			continue;
		*files += (uint64_t)tail->max_files;
		if (tail->buffer_max_size > cap)
			cap = tail->buffer_max_size;
		if (conf->sections[i].plugin == &tail_plugin && tail->encoding_name != NULL)
			encoded = 2 * 4; /* a byte may be four of UTF-8 */
		if (tail->utf16 != 0 && encoded < 2 * 2)
			encoded = 2 * 2; /* two may be three */
	}
	/*
	 * The read buffer and the lines that are read again; the open record of
	 * each side, a record that was read again and one line without its
	 * form, in buffers that double; the memory of inflating; the record's arena, in which filters and
	 * parsers write; the tree of a record whose fields filters change, and its scripts.
	 */
	l->reading = 2 * (cap + 256 * KIB) + (2 * 2 + 2 * 3 + encoded) * cap + (cap + 512 * KIB) +
		     8 * MIB + filters + journals;
}

static uint64_t
agents_limit(const struct service *s)
{
	uint64_t agents = (uint64_t)s->max_series + 1, values = (uint64_t)s->max_series + 2;
	uint64_t value =
	    ERROR_EACH + (s->per_pipeline ? PIPELINE_EACH : 0) + s->agent_labels.n * LABEL_EACH;

	/* Three times the text: being written, shown, and saved. */
	return agents * (AGENT_EACH + values * value + (s->cgroup_path != NULL ? USAGE_EACH : 0) +
			    (s->quantiles.n > 0 ? RECENT_EACH : 0)) +
	       (uint64_t)s->max_failures * FAILURE_EACH;
}

void
limit_of(const struct conf *conf, struct limit *out)
{
	const struct service *s = service_of(conf);
	const struct section *outputs[64];
	struct kube_options kube;
	uint64_t files = 0;
	size_t n = 0;

	*out = (struct limit){ .program = PROGRAM + STACKS + STORE };
	for (size_t i = 0; i < conf->n && n < sizeof(outputs) / sizeof(*outputs); i++) {
		if (conf->sections[i].plugin->kind == SECTION_OUTPUT)
			outputs[n++] = &conf->sections[i];
	}
	ship_limit(outputs, n, (unsigned)s->batches, s->batch_size, &out->batches, &out->sockets);
	reading_limit(conf, out, &files);
	out->files = files * (FILE_EACH + (ship_lanes(outputs, n) - 1) * LANE_EACH) + QUIET_SIZE;
	out->streams = files * KNOWN_A_FILE;
	out->state = out->streams * KNOWN_EACH + files * HELD_EACH + agents_limit(s);
	if (enrich_options(conf, &kube))
		out->pods = kube_limit(&kube);
	out->pods += polling_limit(s, &out->sockets);
	if (s->http_server)
		out->sockets +=
		    SERVE_CONNECTIONS * (SERVE_EACH + (s->http_web_config != NULL ? TLS_EACH : 0)) +
		    GZIP_MEMORY;
	out->kernel = files * (WATCH_EACH + OPEN_EACH);
}

uint64_t
limit_sum(const struct limit *l)
{
	return l->program + l->batches + l->reading + l->files + l->state + l->pods + l->sockets +
	       l->kernel;
}

static double
mib(uint64_t bytes)
{
	return (double)bytes / (double)MIB;
}

void
limit_say(const struct limit *l)
{
	say_info("memory",
	    "at most %.0f MiB: program %.0f, batches %.0f, reading %.0f, files %.0f, state %.0f, "
	    "pods %.0f, sockets %.0f, watches and open files %.0f (Batches, Batch_Size, Workers, "
	    "Hold_Size, Buffer_Max_Size, Max_Files, Max_Series, Max_Pods)",
	    mib(limit_sum(l)), mib(l->program), mib(l->batches), mib(l->reading), mib(l->files),
	    mib(l->state), mib(l->pods), mib(l->sockets), mib(l->kernel));
}
