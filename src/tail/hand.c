/*
 * Open records that go from one file to the next: at a rotation what is open
 * in the file that ended goes on in its successor.
 */
#include "fault.h"
#include "file.h"

void
frame_drop(struct open_record *o)
{
	if (o->any && o->before != NULL)
		o->before->users--;
	*o = (struct open_record){ 0 };
}

void
frame_hand_over(const struct frame *fr, struct file *f, struct file *next)
{
	for (int side = 0; side < SIDES; side++) {
		struct open_record *o = &f->open[side];

		if (!o->any || o->before != NULL)
			continue; /* over two rotations: it ends with its file */
		next->open[side] = *o;
		next->open[side].before = f;
		next->open[side].before_start = o->start;
		next->open[side].before_end = o->end;
		next->open[side].held_before = o->holds;
		next->open[side].start = next->open[side].end = 0;
		next->open[side].lines = 0;
		next->open[side].generation = 0;
		f->users++;
		if (!fr->counts)
			file_inherit(next, f);
		*o = (struct open_record){ 0 };
		FAULT("hand-over");
	}
}
