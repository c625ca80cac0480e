/*
 * Whose log it is: what the kubelet's paths tell of a container, and later
 * what the API server adds.  A pod snapshot is immutable and counted; its JSON
 * is made once.
 *
 *	/var/log/containers/<pod>_<ns>_<container>-<id>.log
 *	  -> /var/log/pods/<ns>_<pod>_<uid>/<container>/<restart>.log
 */
#ifndef POD_H
#define POD_H

#include <stdatomic.h>
#include <stdint.h>

#include "parse.h"
#include "slice.h"

struct pod {
	atomic_uint refs;
	struct slice namespace_name, pod_name, pod_id, container_name, docker_id;
	uint32_t restart;
	struct slice json; /* the document's "kubernetes" value, an object */
};

/**
 * pod_from_path(target, link):
 * Read the target's path (and the link's, for the container id; may be empty)
 * into a new snapshot with one reference, or return NULL when the path is not
 * the kubelet's: a directory NS_POD_UID, a directory CONTAINER, a file
 * N.log, N.log.YYYYMMDD-HHMMSS or either with .gz.
 */
struct pod *pod_from_path(struct slice target, struct slice link);

struct pod *pod_ref(struct pod *p);
void pod_unref(struct pod *p); /* NULL is harmless */

#endif
