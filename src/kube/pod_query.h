/* Paths of requests for pods, to be freed. */
#ifndef POD_QUERY_H
#define POD_QUERY_H

/**
 * pod_query_own(namespace_file):
 * towline's own pod, which names its node: by POD_NAME, else the host's name,
 * and POD_NAMESPACE, else the text of ${namespace_file}.  NULL: name or
 * namespace is missing.
 */
char *pod_query_own(const char *namespace_file);

/**
 * pod_query_list(node, page), pod_query_stream(node, seconds),
 * pod_query_watch(node, version, seconds):
 * The pods of ${node}: a page of their list (${page} NULL: the first one); the
 * list and its changes as one stream; the changes since ${version} (NULL: any).
 */
char *pod_query_list(const char *node, const char *page);
char *pod_query_stream(const char *node, unsigned seconds);
char *pod_query_watch(const char *node, const char *version, unsigned seconds);

#endif
