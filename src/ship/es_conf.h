/* The configuration of an es or opensearch output. */
#ifndef ES_CONF_H
#define ES_CONF_H

#include "es_cloud.h"
#include "es_keys.h"
#include "ship.h"

struct es_conf {
	struct output output;
	char *host, *path, *index, *pipeline;
	int64_t port, workers;
	char *http_user, *http_passwd, *http_passwd_file, *http_api_key, *http_api_key_file;
	struct es_cloud cloud;
	bool tls, tls_verify, tls_verify_hostname;
	int tls_min_version, tls_max_version; /* enum es_version */
	char *tls_ciphers;
	bool proxy_env_ignore;
	char *tls_ca_file, *tls_ca_path, *tls_crt_file, *tls_key_file, *tls_key_passwd, *tls_vhost;
	bool logstash_format;
	char *logstash_prefix, *logstash_prefix_separator, *logstash_dateformat;
	struct es_keys keys;
	bool current_time_index;
	char *time_key, *tag_key;
	bool time_key_nanos, include_tag_key;
	int operation; /* create, index; upsert is index then */
	int compress;  /* off, gzip */
	bool template;
	char *template_name;
	uint64_t hold_size, dead_letter_limit;
	int64_t connect_timeout, io_timeout;
	bool aws_auth;
	char *upstream, *target_index;
	int64_t backoff_first; /* ns; 0: half a second.  No option: tests have less time */
};

extern const struct option es_options[];
extern const char *const es_options_operations[];
enum es_version { ES_VERSION_SYSTEM, ES_VERSION_TLS12, ES_VERSION_TLS13 };

/**
 * es_options_of(section):
 * The values of the section of an es or opensearch output; NULL for another
 * output's.
 */
const struct es_conf *es_options_of(const struct section *section);

/**
 * es_options_check(section, findings):
 * Add the faults of the section.
 */
void es_options_check(const struct section *section, struct findings *findings);

#endif
