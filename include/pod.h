/*
 * The container that wrote a log: its members from the kubelet's paths, and
 * those that the API server adds (kube.h).  A snapshot is immutable and
 * counted; its JSON is made once.  Members that a pod's containers have in
 * common are shared.
 *
 *	/var/log/containers/<pod>_<ns>_<container>-<id>.log
 *	  -> /var/log/pods/<ns>_<pod>_<uid>/<container>/<restart>.log
 */
#ifndef POD_H
#define POD_H

#include <stdatomic.h>
#include <stdint.h>

#include "cri.h"
#include "parse.h"
#include "slice.h"

/* JSON that several snapshots hold: members, each with a comma before it, or one value. */
struct shared_json {
	atomic_uint refs;
	struct slice json;
};

struct pod {
	atomic_uint refs;
	struct slice namespace_name, pod_name, pod_id, container_name, docker_id;
	uint32_t restart;
	struct slice json; /* of "kubernetes": a brace and this container's members */

	/* from the API server */
	uint64_t version; /* of the pod's and its surroundings' data; 0: the API has told none */
	struct slice image, image_id; /* of this restart; empty: not known */
	struct shared_json *meta;     /* further members of "kubernetes"; NULL: none */
	struct shared_json *space;    /* "kubernetes_namespace", a value; NULL: not asked for */
	struct shared_json *node;     /* further members: of the node; NULL: not asked for */
	bool exclude[SIDES];          /* an annotation says that this side is not shipped */
	struct slice parser[SIDES]; /* the [PARSER] that an annotation names for it; empty: none */
};

/**
 * pod_from_path(target, link):
 * Read the target's path (and the link's, for the container id; may be empty)
 * into a new snapshot with one reference, or return NULL when the path is not
 * the kubelet's: a directory NS_POD_UID, a directory CONTAINER, a file
 * N.log, N.log.YYYYMMDD-HHMMSS or either with .gz.
 *
 * pod_of(target, path):
 * The pod that wrote the file at ${path}, by the path ${target} behind all links,
 * or, as Docker keeps logs in a directory of its own, by the link that ${path}
 * is.  NULL: it is not a pod's; else the caller unrefs it.
 *
 * pod_name_of_link(path):
 * Its name, by a link among the containers' that need not be there any more; or empty.
 */
struct pod *pod_from_path(struct slice target, struct slice link);
struct pod *pod_of(const char *target, const char *path);
struct slice pod_name_of_link(const char *path);

/**
 * pod_elsewhere(names, path, labels, n):
 * An agent that no kubelet has started: ${names} are NAMESPACE/POD/CONTAINER,
 * where a POD of * is the name of the file ${path} without .log or -json.log;
 * ${labels} are ${n} texts KEY=VALUE, and dots in their keys become _.  A new
 * snapshot with one reference and without a uid; NULL: ${names} has another form.
 */
struct pod *pod_elsewhere(const char *names, const char *path, const char *const *labels, size_t n);

/* True for a pod of the kubelet's, whose uid tells its files from all others. */
static inline bool
pod_has_uid(const struct pod *p)
{
	return p != NULL && p->pod_id.len > 0;
}

/**
 * pod_copy(of), pod_set(member, text), pod_settle(p):
 * A new snapshot with one reference and the path's members and the image of
 * ${of}; its maker sets texts (copied) and the further members, then has the
 * JSON made.
 */
struct pod *pod_copy(const struct pod *of);
void pod_set(struct slice *member, const char *text);
void pod_settle(struct pod *p);

struct pod *pod_ref(struct pod *p);
void pod_unref(struct pod *p); /* NULL is harmless */

/**
 * pod_json_len(p), pod_json_write(to, p):
 * The bytes of the "kubernetes" value at most; write it and return its end.
 */
static inline size_t
pod_json_len(const struct pod *p)
{
	return p->json.len + (p->meta != NULL ? p->meta->json.len : 0) +
	       (p->node != NULL ? p->node->json.len : 0) + 1;
}

static inline char *
pod_json_write(char *to, const struct pod *p)
{
	const struct shared_json *more[] = { p->meta, p->node };

	memcpy(to, p->json.at, p->json.len);
	to += p->json.len;
	for (int i = 0; i < 2; i++) {
		if (more[i] == NULL)
			continue;
		memcpy(to, more[i]->json.at, more[i]->json.len);
		to += more[i]->json.len;
	}
	*to++ = '}';
	return to;
}

/**
 * pod_member(members, name), pod_label(members, label):
 * The text of a member, or of a label, among ${members}, JSON as `meta` has it; the
 * caller frees.  Dots of a label's name may have become _ (Keep_Label_Dots Off).  NULL:
 * there is none.
 */
char *pod_member(struct slice members, const char *name);
char *pod_label(struct slice members, const char *label);

/**
 * shared_json_new(json), shared_json_ref(s), shared_json_unref(s):
 * A copy of ${json} with one reference; one reference more; one less (NULL is
 * harmless).
 */
struct shared_json *shared_json_new(struct slice json);
struct shared_json *shared_json_ref(struct shared_json *s);
void shared_json_unref(struct shared_json *s);

#endif
