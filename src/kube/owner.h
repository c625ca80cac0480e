/* The workload that a pod belongs to, as the pod's own metadata tells it. */
#ifndef OWNER_H
#define OWNER_H

#include <jansson.h>

/**
 * owner_names(members, meta):
 * Add deployment_name, replicaset_name, daemonset_name, statefulset_name,
 * job_name and cronjob_name, as far as the pod's metadata tells them.  No other
 * object is read from the API: a Deployment's ReplicaSet has the Deployment's
 * name and the pod's own label pod-template-hash; a CronJob's Job has its name
 * and a number of minutes.
 */
void owner_names(json_t *members, const json_t *meta);

/**
 * owner_references(members, meta):
 * Add ownerReferences as the pod has them.
 */
void owner_references(json_t *members, const json_t *meta);

#endif
