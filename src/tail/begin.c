/*
 * A file's stream: its first line names it, the state says how far it has
 * come, and it ends with the file or a truncation.
 */
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "content.h"
#include "fault.h"
#include "file.h"
#include "form.h"
#include "map.h"
#include "takeover.h"
#include "voice.h"

#define FIRST_LINE (64u << 10) /* as much of it as an identity takes */
#define HOUR (3600 * NS_PER_S)

static char *
tag_of(const struct tail_conf *conf, const char *path)
{
	const char *star = strchr(conf->input.tag, '*');
	char *tag;

	if (star == NULL)
		return xstrdup(conf->input.tag);
	tag = xprintf("%.*s%s%s", (int)(star - conf->input.tag), conf->input.tag,
	    path[0] == '/' ? path + 1 : path, star + 1);
	for (char *at = tag + (star - conf->input.tag); *at != '\0'; at++) {
		if (*at == '/')
			*at = '.';
	}
	return tag;
}

static struct slice
identity_key(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}

static const struct takeover *
takeover_of(const struct tail *t, const struct tail_conf *conf)
{
	size_t i = 0;

	while (t->confs[i] != conf)
		i++;
	return t->takeovers[i];
}

static void
stream_resume(struct tail *t, struct file *f, struct stream *s)
{
	struct stream_state known;
	uint64_t least = UINT64_MAX;

	if (state_find(t->state, &s->identity, &known)) {
		for (int side = 0; side < SIDES; side++) {
			f->resume[side] = known.side[side].shipped;
			f->replayed[side] = known.side[side].counted;
			if (f->replayed[side] < known.last_break[side])
				f->replayed[side] = known.last_break[side];
			if (f->resume[side] < least)
				least = f->resume[side];
		}
	} else {
		known = (struct stream_state){ .first_seen = clock_wall() };
		least = f->from_end ? f->size : 0;
		if (f->early && t->takeovers != NULL && !f->packed)
			least = takeover_offset(takeover_of(t, f->conf), f->fd, f->ino, f->size);
		for (int side = 0; side < SIDES; side++) {
			known.side[side].shipped = f->resume[side] = least;
			known.side[side].counted =
			    f->early && state_was_set_aside(t->state) ? f->size : least;
		}
		state_stream(t->state, &s->identity, &known);
	}
	if (f->after != NULL && least == 0 && BUG("offset-at-rotation"))
		least = 1;
	f->offset = least;
	if (f->read_to < least)
		f->read_to = least;
	for (int side = 0; side < SIDES; side++)
		cursor_init(&s->cursor[side], &s->identity, (enum side)side, f->resume[side]);
}

static void
stream_begin(struct tail *t, struct file *f, struct slice first)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	struct cri_memo memo = { 0 };
	struct stream_state known;
	struct cri cri;

	s->pod = pod_of(f->target, f->path);
	identity_of(f->conf, f->target, s->pod, 0, first, &s->identity);
	if (state_find(t->state, &s->identity, &known) && known.side[SIDE_STDOUT].shipped > f->size)
		identity_of(
		    f->conf, f->target, s->pod, (uint64_t)clock_wall(), first, &s->identity);
	/* Two files of one content (a copy beside its original): only the first is read. */
	if (map_get(t->by_identity, identity_key(&s->identity)) != NULL) {
		say_debug("tail", "%s begins as another file that is read already: it is left out",
		    f->target);
		f->duplicate = true;
		pod_unref(s->pod);
		free(s);
		return;
	}
	if (form_take(form_of(f->conf), first, &memo, &cri))
		s->hour = (uint32_t)(cri.time / HOUR);
	s->conf = f->conf;
	s->path = xstrdup(f->path);
	s->tag = tag_of(f->conf, f->path);
	f->stream = s;
	map_put(t->by_identity, identity_key(&s->identity), f);
	stream_resume(t, f, s);
	t->on_stream(t->frame.arg, s, true);
}

void
stream_end(struct tail *t, struct file *f)
{
	struct stream *s = f->stream;

	if (s == NULL)
		return;
	t->on_stream(t->frame.arg, s, false);
	map_del(t->by_identity, identity_key(&s->identity));
	pod_unref(s->pod);
	free(s->path);
	free(s->tag);
	free(s);
	f->stream = NULL;
}

bool
stream_find(struct tail *t, struct file *f)
{
	ssize_t n = content_read(f, t->buffer, FIRST_LINE, 0);
	const char *newline = n > 0 ? memchr(t->buffer, '\n', (size_t)n) : NULL;
	bool whole =
	    newline != NULL || n == (ssize_t)FIRST_LINE || (n > 0 && (t->finishing || f->leaving));

	t->frame.of = NULL; /* the buffer holds something else now */
	t->frame.generation++;
	if (whole)
		stream_begin(t, f,
		    (struct slice){
			t->buffer, newline != NULL ? (size_t)(newline - t->buffer) : (size_t)n });
	return f->stream != NULL;
}
