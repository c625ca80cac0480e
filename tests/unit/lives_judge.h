/*
 * What arrived against what was written.  The judge knows nothing of offsets
 * or cursors: each line in one document, in the order of its side, and joined
 * where nothing can have torn it.
 */
#ifndef LIVES_JUDGE_H
#define LIVES_JUDGE_H

#include "lives.h"
#include "memory.h"

struct document {
	char id[64]; /* stream, offset, hash */
	int side;
	bool filtered; /* was not sent */
	bool fresh;    /* said to be certainly not there */
	unsigned came; /* in the order of all */
	const char *text;
	size_t len;
	unsigned first, last; /* places in the order of the side … */
	unsigned gap, behind; /* … but for these: from, to; 0: none */
};

static struct document *documents;
static unsigned ndocuments;
static char *arrived;                   /* the file in which they are */
static unsigned nfound;                 /* findings */
static const struct source *sources[8]; /* of each container */

__attribute__((format(printf, 1, 2))) static void
found(const char *format, ...)
{
	va_list ap;

	if (++nfound > 8)
		return;
	fprintf(stderr, "  ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- documents, each id once */

static char *
file_read(const char *path, size_t *n)
{
	FILE *in = fopen(path, "r");
	char *all = NULL;

	*n = 0;
	if (in == NULL)
		return NULL;
	for (size_t got = 1; got > 0; *n += got) {
		all = xrealloc(all, *n + 65536 + 1);
		got = fread(all + *n, 1, 65536, in);
	}
	fclose(in);
	all[*n] = '\0';
	return all;
}

static int
by_id(const void *a, const void *b)
{
	const struct document *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = (int)x->filtered - (int)y->filtered;
	return order != 0 ? order : (x->came > y->came) - (x->came < y->came);
}

static bool
same_text(const struct document *a, const struct document *b)
{
	return a->side == b->side && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Lines of "fresh id side filtered length text". */
static void
documents_read(const char *path)
{
	size_t size, at = 0;
	unsigned kept = 0;

	arrived = file_read(path, &size);
	while (at < size) {
		struct document d = { .came = ndocuments };
		int filtered, fresh, head = 0;

		if (sscanf(arrived + at, "%d %63s %d %d %zu %n", &fresh, d.id, &d.side, &filtered,
			&d.len, &head) != 5)
			break;
		d.filtered = filtered != 0;
		d.fresh = fresh != 0;
		d.text = arrived + at + head + 1; /* behind a ~ */
		at += (size_t)head + 1 + d.len + 1;
		if (ndocuments % 1024 == 0)
			documents = xrealloc(documents, (ndocuments + 1024) * sizeof(d));
		documents[ndocuments++] = d;
	}
	qsort(documents, ndocuments, sizeof(*documents), by_id);
	for (unsigned i = 0; i < ndocuments; i++) {
		struct document *d = &documents[i], *last = &documents[kept - 1];

		/* What was filtered may be cut otherwise in another life: it was not sent. */
		if (kept == 0 || strcmp(d->id, last->id) != 0 || d->filtered)
			documents[kept++] = *d;
		else if (d->fresh)
			found("%s was there when it was sent as new", d->id);
		else if (!same_text(d, last))
			found("two texts of %s: '%.*s' and '%.*s'", d->id, (int)last->len,
			    last->text, (int)d->len, d->text);
	}
	ndocuments = kept;
}

/* ---- where their lines are in what was written */

static struct unit **order; /* of container, side, file, time of writing */
static unsigned place_of[MOST_MARKS];

static int
by_place(const void *a, const void *b)
{
	const struct unit *x = *(struct unit *const *)a, *y = *(struct unit *const *)b;

	if (x->container != y->container)
		return x->container < y->container ? -1 : 1;
	if (x->side != y->side)
		return x->side - y->side;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void
order_make(void)
{
	order = xcalloc(nunits + 1, sizeof(*order));
	for (unsigned i = 0; i < nunits; i++)
		order[i] = &units[i];
	qsort(order, nunits, sizeof(struct unit *), by_place);
	for (unsigned i = 0; i < nunits; i++)
		place_of[order[i]->mark] = i;
}

static bool
one_side(const struct unit *a, const struct unit *b)
{
	return a->container == b->container && a->side == b->side;
}

static const char *
joiner(unsigned place)
{
	return order[place - 1]->tag == 'P' ? "" : "\n";
}

static bool
takes(struct slice *left, const char *text)
{
	if (!slice_starts(*left, slice_of(text)))
		return false;
	*left = slice_from(*left, strlen(text));
	return true;
}

/*
 * Content that was copied and truncated between two looks is found later, and
 * late bytes come later: the record before them has gone on in what was there.
 */
static bool
may_skip(unsigned from, unsigned at)
{
	const struct unit *u = order[at];

	if (u->file == order[at - 1]->file)
		return false;
	while (from < at && order[from]->late)
		from++;
	return from == at || (from > 0 && order[from]->file != order[from - 1]->file &&
				 sources[u->container][u->file].truncated);
}

static bool
gap_find(struct document *d, unsigned *place, struct slice *left)
{
	unsigned from = *place;

	for (unsigned at = from + 1; d->gap == 0 && at < nunits; at++) {
		if (!one_side(order[at], order[from]))
			return false;
		if (!may_skip(from, at) || !takes(left, order[at]->text))
			continue;
		d->gap = from;
		d->behind = *place = at;
		return true;
	}
	return false;
}

static unsigned
next_of(const struct document *d, unsigned place)
{
	return place + 1 == d->gap ? d->behind : place + 1;
}

/* The lines of a document with a mark.  False: it is no run of what was written. */
static bool
run_find(struct document *d)
{
	struct slice left = { d->text, d->len };
	const char *mark = memchr(d->text, '<', d->len);
	unsigned place;

	if (mark == NULL || strtoul(mark + 1, NULL, 10) > nmarks)
		return false;
	place = place_of[strtoul(mark + 1, NULL, 10)];
	for (const char *at = d->text; at < mark && *at == '\n' && place > 0; at++)
		place--;
	if (slice_starts(left, SLICE(BANNER_TEXT)) && place > 0)
		place--;
	d->first = place;
	for (;; place++) {
		if (place >= nunits || !one_side(order[place], order[d->first]))
			return false;
		if (place > d->first && !takes(&left, joiner(place)))
			return false;
		if (!takes(&left, order[place]->text) && !gap_find(d, &place, &left))
			return false;
		if (left.len == 0)
			break;
	}
	d->last = place;
	return order[place]->side == d->side;
}

/* Documents of an empty line, of a banner, of all containers. */
static unsigned empties[2], empties_due[2], banners, banners_due;

/* Was it counted as the one record that it is? */
static void
counts_judge(const struct document *d)
{
	bool begins = true;

	for (unsigned i = d->first; i <= d->last; i = next_of(d, i)) {
		unsigned mark = order[i]->mark;

		if (mark == 0)
			continue;
		if ((shared->counted[mark] >= BEGINS) != begins)
			found("counted and sent with another beginning: <%u> of %s", mark, d->id);
		begins = false;
	}
}

static void
document_judge(struct document *d, bool filtered)
{
	if (d->filtered != filtered)
		return;
	if (d->len == 0) {
		empties[d->side]++;
		return;
	}
	if (d->len == sizeof(BANNER_TEXT) - 1 && memcmp(d->text, BANNER_TEXT, d->len) == 0) {
		banners++;
		return;
	}
	if (!run_find(d)) {
		d->first = d->last = 0;
		found("%s is nothing that was written: '%.*s'", d->id, (int)d->len, d->text);
		return;
	}
	for (unsigned i = d->first; i <= d->last; i = next_of(d, i)) {
		if (order[i]->seen && order[i]->mark != 0 && !filtered)
			found("<%u> is in two documents, one of them %s", order[i]->mark, d->id);
		order[i]->seen = true;
	}
	if (!filtered)
		counts_judge(d);
}

/* ---- joined where nothing can have torn it */

/* Is the line behind this one, of the same side, of the same record by their texts? */
static bool
belongs(unsigned place)
{
	const struct unit *u = order[place], *next = order[place + 1];
	bool begins = place == 0 || !one_side(order[place - 1], u) || order[place - 1]->tag == 'F';

	if (u->tag == 'P')
		return true;
	return begins && strncmp(u->text, "a.b.C", 5) == 0 && strncmp(next->text, "\tat ", 4) == 0;
}

/* Can time have ended the record behind `u`, or a line between it and the next? */
static bool
may_tear(const struct unit *u, const struct unit *next)
{
	/* Parts of a line wait for each other, while nothing says that it is the last file. */
	const int64_t least = (u->tag == 'P' && !u->late ? LEAST_CHAIN : LEAST_FLUSH) * NS_PER_MS;

	if (u->file != next->file || (next->late && !u->late) ||
	    next->written - u->written >= least)
		return true;
	for (const struct unit *at = u + 1; at <= next; at++) {
		if (at->container == u->container && at->time - u->time >= least)
			return true;
	}
	return false;
}

static void
joins_judge(void)
{
	unsigned char *ends = xcalloc(nunits + 1, 1);

	for (unsigned i = 0; i < ndocuments; i++) {
		if (documents[i].last > documents[i].first ||
		    memchr(documents[i].text, '<', documents[i].len) != NULL)
			ends[documents[i].last] = 1;
	}
	for (unsigned i = 0; i + 1 < nunits; i++) {
		if (ends[i] && one_side(order[i], order[i + 1]) && belongs(i) &&
		    !may_tear(order[i], order[i + 1]))
			found("torn behind <%u>", order[i]->mark);
	}
	free(ends);
}

/* A record goes on in the next file alone, and not over a restart. */
static void
crossings_judge(void)
{
	for (unsigned i = 0; i < ndocuments; i++) {
		const struct unit *a = order[documents[i].first], *b = order[documents[i].last];

		if (documents[i].len > 0 && sources[a->container][a->file].restart !=
						sources[b->container][b->file].restart)
			found("%s goes on over a restart", documents[i].id);
	}
}

/* ---- all of it */

static void
marks_judge(bool filters)
{
	for (unsigned i = 0; i < nunits; i++) {
		const struct unit *u = &units[i];

		if (u->banner) {
			banners_due += !u->seen;
			continue;
		}
		if (u->mark == 0) {
			empties_due[u->side] += !u->seen;
			continue;
		}
		if (!u->seen)
			found("<%u> is in no document (container %u, file %u)", u->mark,
			    u->container, u->file);
		if (shared->counted[u->mark] % BEGINS != 1)
			found("<%u> was counted %u times (container %u, file %u)", u->mark,
			    shared->counted[u->mark] % BEGINS, u->container, u->file);
	}
	for (int side = 0; side < 2 && !filters; side++) {
		if (empties[side] != empties_due[side])
			found("%u empty lines of side %d, %u documents of one", empties_due[side],
			    side, empties[side]);
	}
	if (banners != banners_due)
		found("%u banners, %u documents of one", banners_due, banners);
	if (!filters && shared->records != ndocuments)
		found("%llu records were counted, %u documents are there",
		    (unsigned long long)shared->records, ndocuments);
}

/* How many things are wrong. */
static unsigned
judge(const char *path, bool filters)
{
	nfound = ndocuments = banners = banners_due = 0;
	memset(empties, 0, sizeof(empties));
	memset(empties_due, 0, sizeof(empties_due));
	order_make();
	documents_read(path);
	for (unsigned i = 0; i < ndocuments; i++)
		document_judge(&documents[i], false);
	for (unsigned i = 0; i < ndocuments; i++)
		document_judge(&documents[i], true);
	marks_judge(filters);
	joins_judge();
	crossings_judge();
	free(order);
	free(arrived);
	free(documents);
	documents = NULL;
	return nfound;
}

#endif
