/* Elastic Cloud's options of an es or opensearch output.  Inside src/ship/ alone. */
#ifndef ES_CLOUD_H
#define ES_CLOUD_H

#include "conf.h"
#include "hosts.h"

/* The options that Cloud_ID and Cloud_Auth stand for. */
struct es_cloud {
	char *id, *auth;              /* as they are written; NULL: not given */
	char host[HOST_NAME];         /* of Cloud_ID */
	char user[128], secret[1024]; /* of Cloud_Auth */
};

/**
 * es_cloud_take(section, findings):
 * Let Cloud_ID and Cloud_Auth of an es output fill Host, Port, tls, HTTP_User and
 * HTTP_Passwd, and add what is wrong in them.
 */
void es_cloud_take(const struct section *section, struct findings *findings);

#endif
