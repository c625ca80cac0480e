/* Pods from a file: a rehearsal asks no API server. */
#ifndef PODS_FILE_H
#define PODS_FILE_H

#include "pod_table.h"

/**
 * pods_file_read(path, table, parts):
 * Put the pods of the file ${path}, a list as `kubectl get pods -o json` prints it or
 * one pod, into ${table}, which knows all pods then.  Return 0, or -1 after
 * saying why.
 */
int pods_file_read(const char *path, struct pod_table *table, unsigned parts);

#endif
