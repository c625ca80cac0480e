/*
 * The pods on this node, from the API server: a thread of its own lists them
 * once and watches them from then on, and keeps the parts that logs need.  Only
 * the files of a pod that is not known yet wait for it, for a bounded time.
 *
 *	GET /api/v1/pods?fieldSelector=spec.nodeName=NODE      list, in pages
 *	… &watch=1&resourceVersion=…&allowWatchBookmarks=true  changes, as they come
 *
 * Rights: pods list and watch; namespaces get, nodes get where their labels
 * are asked for.  Never nodes/proxy, which would allow to run commands.
 */
#ifndef KUBE_H
#define KUBE_H

#include <stdint.h>

#include "conf.h"
#include "pod.h"
#include "state.h"

struct kube;

/* How the API server is reached. */
struct kube_server {
	const char *url, *ca_file, *ca_path, *vhost;
	const char *token_file, *token_command;
	int64_t token_ttl; /* ns until the command is run again */
	bool tls_verify;
};

/* Parts of documents that the API server's answers give. */
enum kube_part {
	KUBE_LABELS = 1,
	KUBE_ANNOTATIONS = 2,
	KUBE_OWNER_REFERENCES = 4,
	KUBE_KEEP_DOTS = 8, /* in the keys of labels and annotations; else they become _ */
	KUBE_NAMESPACE_LABELS = 16,
	KUBE_NAMESPACE_ANNOTATIONS = 32,
	KUBE_NODE_LABELS = 64,

	KUBE_OF_NAMESPACES = KUBE_NAMESPACE_LABELS | KUBE_NAMESPACE_ANNOTATIONS,
};

/* As [FILTER] kubernetes has them; texts live as long as the configuration. */
struct kube_options {
	struct kube_server server;
	unsigned parts; /* enum kube_part */
	const char *namespace_file;
	const char *node;           /* NULL: found out */
	int64_t namespace_ttl;      /* ns until a namespace is read again */
	int64_t pod_wait, api_wait; /* ns: how long a file waits for its pod */
	int64_t max_pods;
	const char
	    *pods_file; /* a rehearsal's: the pods, and no server is asked; NULL: the server */
};

/**
 * kube_url_right(server):
 * True when the URL of ${server} is one of http or https; else kube_new() refuses it.
 */
bool kube_url_right(const struct kube_server *server);

/**
 * kube_new(options, state), kube_free(k):
 * ${options} are copied.  ${state} has the pods whose files were not at their
 * end.  NULL after saying why.
 */
struct kube *kube_new(const struct kube_options *options, struct state *state);
void kube_free(struct kube *k);

/**
 * kube_start(k, wake), kube_stop(k):
 * Start the thread, which writes the eventfd ${wake} when a file need not wait
 * any more (-1 after saying why it does not start); end the thread.
 */
int kube_start(struct kube *k, int wake);
void kube_stop(struct kube *k);

/**
 * kube_use(k, uid), kube_leave(k, uid):
 * The reader has one more stream of the pod whose path says ${uid}, or one
 * less.  While it has one, the pod is kept and stored, deleted or not.
 */
void kube_use(struct kube *k, struct slice uid);
void kube_leave(struct kube *k, struct slice uid);

enum kube_answer {
	KUBE_KNOWN,  /* the snapshot has all that is asked for */
	KUBE_WAITS,  /* not yet: the file waits */
	KUBE_UNKNOWN /* not in time: lines go without metadata until the pod is known */
};

/**
 * kube_find(k, have, now, out):
 * The newest snapshot of the container of ${have}, a snapshot made from a path
 * or by this function: *${out} is a newer one, to be unreferenced, or NULL
 * when ${have} is the newest.  The pod's uid decides; a static pod, which the
 * path names by its hash, is found by its mirror's annotation with namespace
 * and name.  ${now}: mono ns.
 */
enum kube_answer kube_find(struct kube *k, const struct pod *have, int64_t now, struct pod **out);

/* A container of a pod that runs on this node; texts live until the call returns. */
struct kube_runs_in {
	const char *namespace_name, *pod, *uid, *container;
	struct slice members; /* JSON, each with a comma before it: pod_ip, labels, … */
};
typedef void kube_runs(void *arg, const struct kube_runs_in *in);

/**
 * kube_running(k, each, arg):
 * Call ${each}, which must not ask for pods, for all containers of the pods that
 * the API server has told since the start, that were not deleted, and whose
 * phase is Running or unknown; those of one pod follow each other, in the pod's
 * order, init containers last.  Any thread.
 */
void kube_running(struct kube *k, kube_runs *each, void *arg);

/**
 * kube_version(k):
 * A number that moves whenever kube_find() may have another answer.  Any
 * thread, no lock.
 */
uint64_t kube_version(const struct kube *k);

/**
 * kube_ready(k, why, size):
 * True when the API server has told all pods of the node since the start.  If
 * not, ${why} tells what is missing and what to do.
 */
bool kube_ready(struct kube *k, char *why, size_t size);

/**
 * kube_limit(options):
 * The most memory that pods take, bytes: Max_Pods of 16 KiB each; as much for
 * each of 1,024 namespaces, where their labels are asked for; the answer under
 * way.
 */
uint64_t kube_limit(const struct kube_options *options);

#endif
