/* An entry of a journal: its name (the journal's cursor) and its fields. */
#ifndef ENTRY_H
#define ENTRY_H

#include <systemd/sd-journal.h>

#include "journal.h"
#include "memory.h"
#include "record.h"

/*
 * What a cursor of sd-journal says, "s=…;i=…;b=…;m=…;t=…;x=…".  The number is the
 * journal's own and grows by one an entry; a copy of an entry in another journal has the
 * other members in common.
 */
struct entry_name {
	struct identity seqnum_id, boot;
	uint64_t seqnum, monotonic, realtime, hash; /* times in µs */
};

/* The length of a cursor's text, NUL included. */
#define ENTRY_NAME 160

/**
 * entry_name_read(text, out), entry_name_write(name, to):
 * Read a cursor; false when it is none, or lacks a part.  Write one.
 */
bool entry_name_read(struct slice text, struct entry_name *out);
void entry_name_write(const struct entry_name *name, char to[ENTRY_NAME]);

/* The same entry; the same one, perhaps copied to another journal. */
bool entry_name_eq(const struct entry_name *a, const struct entry_name *b);
bool entry_name_alike(const struct entry_name *a, const struct entry_name *b);

/* True when ${a} comes behind ${b}, as sd-journal orders them: by the numbers of one journal,
 * else by the time of one boot, else by the clock. */
bool entry_name_behind(const struct entry_name *a, const struct entry_name *b);

/* True when a journal may have a field of this name. */
bool entry_is_name(struct slice name);

/* Fields of one entry, with their bytes; ROOM is left for those that filters add. */
#define ENTRY_FIELDS (RECORD_FIELDS - 8)
struct entry {
	struct arena arena;
	struct field fields[ENTRY_FIELDS];
	int nfields;
	struct slice unit; /* of _SYSTEMD_UNIT; empty: it has none */
	unsigned left_out; /* fields for which there was no room */
	bool cut;          /* a value, as the arena was full, or a field left out */
};

/**
 * entry_init(e, conf), entry_fini(e):
 * Memory for an entry as large as ${conf} has them.
 *
 * entry_add(e, conf, data):
 * One more field, ${data} is NAME=VALUE as a journal has it: any bytes.  Values of one
 * name become a list.
 *
 * entry_read(e, conf, j):
 * The fields of the current entry of ${j}.  Return 0, or the negative error of sd-journal.
 */
void entry_init(struct entry *e, const struct journal_conf *conf);
void entry_fini(struct entry *e);
void entry_clear(struct entry *e);
void entry_add(struct entry *e, const struct journal_conf *conf, struct slice data);
int entry_read(struct entry *e, const struct journal_conf *conf, sd_journal *j);

#endif
