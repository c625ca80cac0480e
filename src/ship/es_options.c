/* Options of the es and opensearch outputs: one table for both. */
#include <stddef.h>
#include <stdlib.h>

#include "es_ciphers.h"
#include "es_cloud.h"
#include "es_conf.h"
#include "es_index.h"
#include "hosts.h"

#define AT(member) offsetof(struct es_conf, member)

#define AWS "requests are not signed for AWS"

const char *const es_options_operations[] = { "create", "index", "upsert", "update", NULL };
enum { OPERATION_CREATE, OPERATION_INDEX, OPERATION_UPSERT, OPERATION_UPDATE };
static const char *const versions[] = { [ES_VERSION_SYSTEM] = "system",
	[ES_VERSION_TLS12] = "TLSv1.2",
	[ES_VERSION_TLS13] = "TLSv1.3",
	NULL };
static const char *const compressions[] = { "off", "gzip", NULL };

const struct option es_options[] = {
	OPTION("Host", OPT_STRING, "127.0.0.1", AT(host),
	    "the server, or several, HOST:PORT each or with the option Port"),
	OPTION("Port", OPT_INT, "9200", AT(port), "its port, where Host gives none", .min = 1,
	    .max = 65535),
	OPTION("Cloud_ID", OPT_STRING, NULL, AT(cloud.id),
	    "Elastic Cloud's deployment, in the place of Host, Port and tls"),
	OPTION("Cloud_Auth", OPT_STRING, NULL, AT(cloud.auth),
	    "its USER:PASSWORD, in the place of HTTP_User and HTTP_Passwd", .flags = OPT_SECRET),
	OPTION("Index", OPT_STRING, "fluent-bit", AT(index),
	    "index of the records; %Y and the like are of the record's own time"),
	OPTION("Path", OPT_STRING, "", AT(path), "stands before every path of the server's"),
	OPTION("Pipeline", OPT_STRING, NULL, AT(pipeline), "ingest pipeline"),
	OPTION("HTTP_User", OPT_STRING, NULL, AT(http_user), "user of Basic authentication"),
	OPTION("HTTP_Passwd", OPT_STRING, NULL, AT(http_passwd), "and the password",
	    .flags = OPT_SECRET),
	OPTION("HTTP_Passwd_File", OPT_STRING, NULL, AT(http_passwd_file),
	    "the same, from a file; read again when the server refuses it", .flags = OPT_FILE),
	OPTION("HTTP_API_Key", OPT_STRING, NULL, AT(http_api_key), "API key", .flags = OPT_SECRET),
	OPTION("HTTP_API_Key_File", OPT_STRING, NULL, AT(http_api_key_file),
	    "the same, from a file; read again when the server refuses it", .flags = OPT_FILE),
	OPTION("tls", OPT_BOOL, "off", AT(tls), "speak TLS"),
	OPTION("tls.verify", OPT_BOOL, "on", AT(tls_verify), "verify the certificate"),
	OPTION("tls.verify_hostname", OPT_BOOL, "on", AT(tls_verify_hostname),
	    "verify that it is the host's"),
	OPTION("tls.ca_file", OPT_STRING, NULL, AT(tls_ca_file), "certificate authorities",
	    .flags = OPT_FILE),
	OPTION("tls.ca_path", OPT_STRING, NULL, AT(tls_ca_path), "a directory of them",
	    .flags = OPT_FILE),
	OPTION("tls.crt_file", OPT_STRING, NULL, AT(tls_crt_file), "certificate of our own",
	    .flags = OPT_FILE),
	OPTION(
	    "tls.key_file", OPT_STRING, NULL, AT(tls_key_file), "and its key", .flags = OPT_FILE),
	OPTION("tls.key_passwd", OPT_STRING, NULL, AT(tls_key_passwd), "and the key's password",
	    .flags = OPT_SECRET),
	OPTION("tls.vhost", OPT_STRING, NULL, AT(tls_vhost),
	    "the name that the certificate is for, when it is not Host"),
	OPTION("tls.min_version", OPT_ENUM, "system", AT(tls_min_version),
	    "the oldest version that is spoken; the system's: TLS 1.2, unless OPENSSL_CONF says other",
	    .choices = versions),
	OPTION("tls.max_version", OPT_ENUM, "system", AT(tls_max_version), "and the newest",
	    .choices = versions),
	OPTION("tls.ciphers", OPT_STRING, NULL, AT(tls_ciphers),
	    "ciphers up to TLS 1.2, as openssl ciphers has them; the system's unless given"),
	OPTION("Logstash_Format", OPT_BOOL, "off", AT(logstash_format),
	    "an index a day: PREFIX-DATE of the record's own time"),
	OPTION("Logstash_Prefix", OPT_STRING, "logstash", AT(logstash_prefix), "its beginning"),
	OPTION("Logstash_Prefix_Key", OPT_STRING, NULL, AT(keys.prefix_key),
	    "the member that gives it, such as $kubernetes['namespace_name']; Logstash_Prefix "
	    "where there is none",
	    .flags = OPT_TEXT),
	OPTION("Logstash_Prefix_Limit", OPT_INT, "100", AT(keys.prefix_limit),
	    "how many beginnings records may name; the others' is Logstash_Prefix", .min = 1,
	    .max = ES_PREFIXES_MAX),
	OPTION("Logstash_Prefix_Separator", OPT_STRING, "-", AT(logstash_prefix_separator),
	    "what stands between"),
	OPTION("Logstash_DateFormat", OPT_STRING, "%Y.%m.%d", AT(logstash_dateformat), "its end"),
	OPTION("Current_Time_Index", OPT_BOOL, "off", AT(current_time_index),
	    "the index is of the time when the record is read, not of its own"),
	OPTION("Id_Key", OPT_STRING, NULL, AT(keys.id_key),
	    "the member whose value is the document's id; an id of towline's where there is none",
	    .flags = OPT_TEXT),
	OPTION("Time_Key", OPT_STRING, "@timestamp", AT(time_key), "name of the record's time"),
	OPTION("Time_Key_Nanos", OPT_BOOL, "on", AT(time_key_nanos),
	    "nanoseconds in it, which keep the order; off: milliseconds"),
	OPTION("Include_Tag_Key", OPT_BOOL, "off", AT(include_tag_key), "write the tag"),
	OPTION("Tag_Key", OPT_STRING, "flb-key", AT(tag_key), "its name"),
	OPTION("Write_Operation", OPT_ENUM, "create", AT(operation),
	    "create: what is there already stays; index: it is written again; upsert is index, as "
	    "each record has an id of its own; update: an error",
	    .choices = es_options_operations),
	OPTION("Compress", OPT_ENUM, "off", AT(compress), "compress requests",
	    .choices = compressions),
	OPTION("Workers", OPT_INT, "4", AT(workers), "requests at a time; 0 is 1", .max = 32),
	OPTION("Template", OPT_BOOL, "on", AT(template),
	    "install the index template that the queries need"),
	OPTION("Template_Name", OPT_STRING, NULL, AT(template_name),
	    "its name; towline-INDEX unless given"),
	OPTION("Hold_Size", OPT_SIZE, "2M", AT(hold_size),
	    "bytes of records kept in memory that the server refuses for now", .min = 64000,
	    .max = 1000000000),
	OPTION("Dead_Letter_Limit", OPT_SIZE, "1G", AT(dead_letter_limit),
	    "size of the dead-letter file at which records are held instead"),
	OPTION("net.connect_timeout", OPT_TIME, "10s", AT(connect_timeout), "time to connect in"),
	OPTION("net.io_timeout", OPT_TIME, "60s", AT(io_timeout), "time for a request to answer"),
	OPTION("net.proxy_env_ignore", OPT_BOOL, "off", AT(proxy_env_ignore),
	    "connect directly, whatever proxy the environment names"),
	OPTION_IDLE("net.dns.*", "names are looked up by the system's resolver"),
	OPTION_IDLE(
	    "net.source_address", "the system chooses the address that connections come from"),
	OPTION_IDLE("net.*", "connections are kept and shared"),
	OPTION_IDLE("Suppress_Type_Name", "_type is never sent"),
	OPTION_IDLE("Type", "_type is never sent"),
	OPTION_IDLE("Generate_ID", "every record has an id of its own"),
	OPTION_IDLE("Buffer_Size", "answers are read as they come, in constant memory"),
	OPTION_IDLE("Trace_Error", "what the server refuses is always said"),
	OPTION_IDLE("Trace_Output", "towline parse shows documents"),
	OPTION_IDLE("Replace_Dots",
	    "dots in label and annotation names are replaced unless Keep_Label_Dots is on"),
	OPTION_IDLE("Time_Key_Format", "times are RFC 3339, as the template maps them"),
	OPTION_IDLE("tls.debug", "curl's messages are in ours"),
	OPTION("aws_auth", OPT_BOOL, "off", AT(aws_auth),
	    "an error when on: requests are not signed for AWS"),
	OPTION_IDLE("aws_region", AWS),
	OPTION_IDLE("aws_service_name", AWS),
	OPTION_IDLE("aws_role_arn", AWS),
	OPTION_IDLE("aws_sts_endpoint", AWS),
	OPTION_IDLE("aws_external_id", AWS),
	OPTION_IDLE("aws_profile", AWS),
	OPTION("Upstream", OPT_STRING, NULL, AT(upstream), "an error: Host takes several hosts"),
	OPTION("Target_Index", OPT_STRING, NULL, AT(target_index),
	    "an error: Logstash_Prefix_Key names an index by the record"),
	OPTIONS_END,
};

/* A name that stands in documents without being escaped. */
static void
name_check(const struct section *section, const char *option, struct findings *findings)
{
	const char *name = *(char *const *)conf_value(section, option);

	for (const char *at = name; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == '"' || *at == '\\') {
			findings_add(findings, FINDING_ERROR, section->file,
			    conf_given(section, option), "%s: '%s' cannot be a field's name",
			    option, name);
			return;
		}
	}
}

static void
file_check(const struct section *section, const char *option, struct findings *findings)
{
	const char *path = *(char *const *)conf_value(section, option);
	FILE *file = path != NULL ? fopen(path, "re") : NULL;

	if (path != NULL && file == NULL)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, option),
		    "%s '%s' cannot be read", option, path);
	if (file != NULL)
		fclose(file);
}

/* A file that comes later, or is written anew, is read then: a warning. */
static void
secret_check(const struct section *section, const char *option, struct findings *findings)
{
	const char *path = *(char *const *)conf_value(section, option), *why;
	char *secret = path != NULL ? conf_secret_file(path, &why) : NULL;

	if (path != NULL && secret == NULL)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, option),
		    "%s '%s' %s", option, path, why);
	free(secret);
}

static bool
has(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static void
either_check(const struct section *section, const char *a, const char *b, struct findings *findings)
{
	if (conf_given(section, a) != 0 && conf_given(section, b) != 0)
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, b),
		    "%s and %s are both given; one of them has to go", a, b);
}

static void
user_check(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;
	bool password = has(conf->http_passwd) || has(conf->http_passwd_file);
	bool key = has(conf->http_api_key) || has(conf->http_api_key_file);
	static const char *const options[] = { "HTTP_User", "HTTP_Passwd", "HTTP_Passwd_File",
		"HTTP_API_Key", "HTTP_API_Key_File" };

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (conf_unknown(section, options[i], findings))
			return;
	}
	if (has(conf->http_user) && !password && !key)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "HTTP_User"),
		    "HTTP_User has no password; HTTP_Passwd or HTTP_Passwd_File gives it");
	else if (password && !has(conf->http_user))
		findings_add(findings, FINDING_WARNING, section->file, section->line,
		    "a password without HTTP_User is not sent");
}

static void
hosts_check(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;
	struct host hosts[HOSTS_MAX];
	char why[256];

	if (hosts_parse(conf->host, (unsigned)conf->port, hosts, why, sizeof(why)) < 0)
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, "Host"),
		    "Host: %s", why);
	if (conf->tls_vhost != NULL && strpbrk(conf->tls_vhost, ":/@") != NULL)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "tls.vhost"), "tls.vhost: a name alone");
}

static void
versions_check(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;

	if (conf->tls_max_version != ES_VERSION_SYSTEM &&
	    conf->tls_min_version > conf->tls_max_version)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "tls.max_version"),
		    "tls.min_version is above tls.max_version: no version is left");
	if (conf->tls && has(conf->tls_ciphers) && !es_ciphers_right(conf->tls_ciphers))
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "tls.ciphers"),
		    "tls.ciphers: '%s' names no cipher that TLS has here (openssl ciphers lists "
		    "them)",
		    conf->tls_ciphers);
}

static void
index_check(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;
	const char *option = conf->logstash_format ? "Logstash_Prefix" : "Index";
	unsigned line = conf_given(section, option);
	char name[256], why[128];

	if (es_index_example(conf, name, why, sizeof(why)))
		return;
	if (line == 0 && conf->logstash_format)
		line = conf_given(section, "Logstash_Format");
	findings_add(findings, FINDING_ERROR, section->file, line,
	    "%s: servers take no index of the name '%s': %s", option, name, why);
}

/* Options of Fluent Bit for which there is something else. */
static void
others_check(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;
	const struct {
		const char *name;
		bool given;
		const char *instead;
	} others[] = {
		{ "aws_auth", conf->aws_auth,
		    AWS ": let a proxy beside towline sign them (aws-sigv4-proxy) and name it in "
			"Host, or give towline a user of the domain's fine-grained access control "
			"(HTTP_User, HTTP_Passwd)" },
		{ "Upstream", has(conf->upstream),
		    "no file of nodes is read: name them in Host, which takes several (a:9200, "
		    "b:9200)" },
		{ "Target_Index", has(conf->target_index),
		    "not built: Logstash_Prefix_Key names an index by the record, and so does an "
		    "[OUTPUT] each with a Match of its own" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (others[i].given)
			findings_add(findings, FINDING_ERROR, section->file,
			    conf_given(section, others[i].name), "%s: %s", others[i].name,
			    others[i].instead);
}

/* No record is there before it is sent, unless Id_Key names its id. */
static void
operation_check(const struct section *section, struct findings *findings)
{
	struct es_conf *conf = section->values;
	unsigned line = conf_given(section, "Write_Operation");

	if (conf->operation == OPERATION_UPDATE)
		findings_add(findings, FINDING_ERROR, section->file, line,
		    "Write_Operation update: it changes documents that are there, and no record "
		    "is; create and index store it");
	else if (conf->operation == OPERATION_UPSERT && conf->keys.id_key != NULL)
		findings_add(findings, FINDING_ERROR, section->file, line,
		    "Write_Operation upsert with Id_Key: documents of one id are not merged here; "
		    "index keeps the last, create the first");
	if (conf->operation > OPERATION_INDEX)
		conf->operation = OPERATION_INDEX;
	if (conf->workers == 0) /* Fluent Bit's word for no threads of their own */
		conf->workers = 1;
}

static void
time_index_check(const struct section *section, struct findings *findings)
{
	const struct es_conf *conf = section->values;

	if (conf->current_time_index)
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Current_Time_Index"),
		    "Current_Time_Index: a record that is sent again after a kill or a power cut may "
		    "be stored twice, in the index of that time; without it no record is");
}

void
es_options_check(const struct section *section, struct findings *findings)
{
	es_cloud_take(section, findings);
	others_check(section, findings);
	operation_check(section, findings);
	es_keys_check(section, findings);
	time_index_check(section, findings);
	name_check(section, "Time_Key", findings);
	name_check(section, "Tag_Key", findings);
	secret_check(section, "HTTP_Passwd_File", findings);
	secret_check(section, "HTTP_API_Key_File", findings);
	file_check(section, "tls.ca_file", findings);
	file_check(section, "tls.crt_file", findings);
	file_check(section, "tls.key_file", findings);
	either_check(section, "HTTP_Passwd", "HTTP_Passwd_File", findings);
	either_check(section, "HTTP_API_Key", "HTTP_API_Key_File", findings);
	either_check(section, "HTTP_User", "HTTP_API_Key", findings);
	user_check(section, findings);
	hosts_check(section, findings);
	versions_check(section, findings);
	index_check(section, findings);
}

const struct es_conf *
es_options_of(const struct section *section)
{
	return section->plugin->options == es_options ? section->values : NULL;
}
