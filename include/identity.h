/* The hashes that name contents and logs. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "pod.h"
#include "state.h"

/**
 * identity_ready(source_id, pod):
 * False when the machine's id, which is a part of the identities asked for, cannot be
 * read now, which is said: none may be asked for then.
 */
bool identity_ready(const char *source_id, const struct pod *pod);

/**
 * identity_of(source_id, name, pod, generation, first, out):
 * The identity of the content whose first line is ${first} and whose log's live
 * file is ${name} behind all links: of a pod (NULL: of none) by its uid,
 * container and restart, else by ${source_id} (NULL: the machine's id), the
 * directory and the name.  ${generation} tells apart contents that begin alike: 0,
 * or random bits.
 *
 * identity_home(source_id, name, pod, out):
 * Contents that have this in common have the same identity if their first lines
 * and generations are the same.
 */
void identity_of(const char *source_id, const char *name, const struct pod *pod,
    uint64_t generation, struct slice first, struct identity *out);
void identity_home(
    const char *source_id, const char *name, const struct pod *pod, struct identity *out);

/**
 * identity_log(name, out), identity_part(content, from, out):
 * The log whose live file is ${name} behind all links; the log of a content's
 * bytes from ${from} on that came too late for its log.
 */
void identity_log(const char *name, struct identity *out);
void identity_part(const struct identity *content, uint64_t from, struct identity *out);

/* As a key in maps. */
struct slice identity_key(const struct identity *id);

#endif
