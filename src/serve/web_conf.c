/*
 * The file of HTTP_Web_Config into struct web_conf.  A key of that format that is not
 * honoured here is an error that says what to do instead; none is passed over.
 */
#include "web_conf.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "memory.h"
#include "service.h"
#include "tls.h"
#include "yaml_doc.h"

#define COST_MOST 16 /* of a bcrypt hash: some seconds */

struct reading {
	struct web_conf *web;
	struct findings *findings;
	const char *path; /* of the file */
};

/* A key: how it is read, or what to do in its place. */
struct key {
	const char *name;
	void (*read)(struct reading *r, const struct yaml_node *n, void *at);
	size_t where; /* offsetof the member in struct web_conf */
	const char *instead;
};

#define WRONG(r, n, ...)                                                                           \
	findings_add((r)->findings, FINDING_ERROR, (r)->path, (n)->line, __VA_ARGS__)

/* ---- values */

static bool
is_text(struct reading *r, const struct yaml_node *n)
{
	char name[FINDINGS_NAME];
	bool text = n->kind == YAML_DOC_SCALAR && !yaml_doc_is_null(n) && n->text[0] != '\0';

	if (!text)
		WRONG(r, n, "%s has no value: write one, or leave it out",
		    findings_name(slice_of(n->key), name));
	else if (conf_has_control(n->text))
		WRONG(r, n, "%s has a control character, such as a line break, in its value",
		    findings_name(slice_of(n->key), name));
	return text && !conf_has_control(n->text);
}

/* A relative path begins where the file is. */
static void
file_read(struct reading *r, const struct yaml_node *n, void *at)
{
	const char *slash = strrchr(r->path, '/');
	struct web_file *file = at;

	file->line = n->line;
	if (!is_text(r, n))
		return;
	if (n->text[0] == '/' || slash == NULL)
		file->path = xstrdup(n->text);
	else
		file->path = xprintf("%.*s/%s", (int)(slash - r->path), r->path, n->text);
}

/* The index of the value among ${words}; -1 after a finding. */
static int
word_read(struct reading *r, const struct yaml_node *n, const char *const *words)
{
	char name[FINDINGS_NAME], choice[200] = "";
	size_t used = 0;

	if (!is_text(r, n))
		return -1;
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(n->text, words[i]) == 0)
			return i;
		used += (size_t)snprintf(
		    choice + used, sizeof(choice) - used, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	WRONG(r, n, "%s cannot be '%s'; choose one of %s", n->key,
	    findings_name(slice_of(n->text), name), choice);
	return -1;
}

static void
client_read(struct reading *r, const struct yaml_node *n, void *at)
{
	static const char *const words[] = { "NoClientCert", "RequestClientCert",
		"RequireAnyClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert",
		"RequireClientCert", NULL };
	int word = word_read(r, n, words);

	if (word >= 0) /* the last word is an old one of RequireAnyClientCert */
		*(int *)at = word <= WEB_CLIENT_TRUSTED ? word : WEB_CLIENT_ANY;
}

static void
version_read(struct reading *r, const struct yaml_node *n, void *at)
{
	static const char *const words[] = { "TLS12", "TLS13", NULL };
	int word = word_read(r, n, words);

	if (word >= 0)
		*(int *)at = word;
}

static int
bool_read(struct reading *r, const struct yaml_node *n)
{
	static const char *const words[] = { "false", "true", NULL };

	return word_read(r, n, words);
}

static void
prefers_read(struct reading *r, const struct yaml_node *n, void *at)
{
	int word = bool_read(r, n);

	if (word >= 0)
		*(bool *)at = word == 1;
}

static void
http2_read(struct reading *r, const struct yaml_node *n, void *at)
{
	(void)at;
	if (bool_read(r, n) == 1)
		WRONG(r, n, "http2: towline serves HTTP/1.1 alone: say false, or leave it out");
}

/* ---- mappings */

/* The entries of a mapping whose keys anyone may choose; a mapping without any is none. */
static const struct yaml_node *
entries(struct reading *r, const struct yaml_node *n)
{
	if (n->kind == YAML_DOC_MAP || yaml_doc_is_null(n))
		return n->first;
	WRONG(r, n, "%s is no mapping: write `name: value` lines below it", n->key);
	return NULL;
}

static void
keys_read(struct reading *r, const struct yaml_node *map, const struct key *keys, size_t n)
{
	const char *names[20];

	for (size_t i = 0; i < n; i++)
		names[i] = keys[i].name;
	for (const struct yaml_node *e = entries(r, map); e != NULL; e = e->next) {
		char name[FINDINGS_NAME];
		const char *near;
		size_t i = 0;

		while (i < n && strcmp(names[i], e->key) != 0)
			i++;
		if (i < n && keys[i].read != NULL) {
			keys[i].read(r, e, (char *)r->web + keys[i].where);
			continue;
		}
		if (i < n) {
			WRONG(r, e, "%s is not honoured here: %s", names[i], keys[i].instead);
			continue;
		}
		near = findings_nearest(e->key, names, n);
		WRONG(r, e, "no key '%s' here%s%s%s", findings_name(slice_of(e->key), name),
		    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
}

static void
pair_add(struct web_pairs *p, const struct yaml_node *n)
{
	p->at = xrealloc(p->at, (p->n + 1) * sizeof(*p->at));
	p->at[p->n++] = (struct web_pair){ n->key, n->text };
}

/* $2y$ and two digits of cost, $, 22 characters of salt and 31 of the hash. */
static bool
is_bcrypt(const char *hash)
{
	static const char letters[] =
	    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	return strlen(hash) == 60 && strncmp(hash, "$2", 2) == 0 &&
	       strchr("aby", hash[2]) != NULL && hash[3] == '$' &&
	       strspn(hash + 4, "0123456789") == 2 && strtol(hash + 4, NULL, 10) >= 4 &&
	       strtol(hash + 4, NULL, 10) <= 31 && hash[6] == '$' &&
	       strspn(hash + 7, letters) == 53;
}

/* The hash is never printed: it may be a password. */
static void
users_read(struct reading *r, const struct yaml_node *n, void *at)
{
	for (const struct yaml_node *e = entries(r, n); e != NULL; e = e->next) {
		char name[FINDINGS_NAME];

		findings_name(slice_of(e->key), name);
		if (e->key[0] == '\0' || strchr(e->key, ':') != NULL || conf_has_control(e->key))
			WRONG(r, e, "a user's name is empty, or has a : or a control character");
		else if (e->kind != YAML_DOC_SCALAR || !is_bcrypt(e->text))
			WRONG(r, e,
			    "the password of '%s' is no bcrypt hash ($2y$10$ and 53 characters): "
			    "make one by htpasswd -nBC 10 ''",
			    name);
		else if (strtol(e->text + 4, NULL, 10) > COST_MOST)
			WRONG(r, e,
			    "the hash of '%s' has the cost %.2s, and takes longer than a client "
			    "waits: make one of at most %d (htpasswd -nBC 10 '')",
			    name, e->text + 4, COST_MOST);
		else
			pair_add(at, e);
	}
}

/* As exporters have it: these headers and no others. */
static void
headers_read(struct reading *r, const struct yaml_node *n, void *at)
{
	static const struct {
		const char *name, *values[3];
	} known[] = {
		{ "Content-Security-Policy", { NULL } },
		{ "Strict-Transport-Security", { NULL } },
		{ "X-Content-Type-Options", { "nosniff" } },
		{ "X-Frame-Options", { "deny", "sameorigin" } },
		{ "X-XSS-Protection", { NULL } },
	};
	const size_t most = sizeof(known) / sizeof(known[0]);

	for (const struct yaml_node *e = entries(r, n); e != NULL; e = e->next) {
		char name[FINDINGS_NAME];
		size_t i = 0;

		while (i < most && strcasecmp(known[i].name, e->key) != 0)
			i++;
		if (i == most)
			WRONG(r, e,
			    "the header '%s' cannot be set: Content-Security-Policy, "
			    "Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options "
			    "and X-XSS-Protection can",
			    findings_name(slice_of(e->key), name));
		else if (e->kind == YAML_DOC_SCALAR && e->text[0] == '\0')
			continue; /* the header is left out */
		else if (known[i].values[0] != NULL ? word_read(r, e, known[i].values) >= 0
						    : is_text(r, e))
			pair_add(at, e);
	}
}

/* ---- the tables */

#define AT(member) offsetof(struct web_conf, member)
#define IN_A_FILE "write it to a file of its own, and name that by "

static const struct key tls_keys[] = {
	{ "cert_file", file_read, AT(cert), NULL },
	{ "key_file", file_read, AT(key), NULL },
	{ "client_ca_file", file_read, AT(client_ca), NULL },
	{ "client_auth_type", client_read, AT(client), NULL },
	{ "min_version", version_read, AT(oldest), NULL },
	{ "max_version", version_read, AT(newest), NULL },
	{ "prefer_server_cipher_suites", prefers_read, AT(server_prefers), NULL },
	{ "cert", NULL, 0, IN_A_FILE "cert_file" },
	{ "key", NULL, 0, IN_A_FILE "key_file" },
	{ "client_ca", NULL, 0, IN_A_FILE "client_ca_file" },
	{ "client_allowed_sans", NULL, 0,
	    "name by client_ca_file an authority that signs these clients alone" },
	{ "cipher_suites", NULL, 0,
	    "leave it out for those that GnuTLS holds to be secure; min_version: TLS13 for the newest" },
	{ "curve_preferences", NULL, 0, "leave it out for those that GnuTLS holds to be secure" },
};

static const struct key http_keys[] = {
	{ "http2", http2_read, 0, NULL },
	{ "headers", headers_read, AT(headers), NULL },
};

static void
tls_read(struct reading *r, const struct yaml_node *n, void *at)
{
	(void)at;
	keys_read(r, n, tls_keys, sizeof(tls_keys) / sizeof(tls_keys[0]));
}

static void
http_read(struct reading *r, const struct yaml_node *n, void *at)
{
	(void)at;
	keys_read(r, n, http_keys, sizeof(http_keys) / sizeof(http_keys[0]));
}

static const struct key file_keys[] = {
	{ "tls_server_config", tls_read, 0, NULL },
	{ "http_server_config", http_read, 0, NULL },
	{ "basic_auth_users", users_read, AT(users), NULL },
	{ "rate_limit", NULL, 0,
	    "leave it out: 64 connections at most are served, and guessed passwords wait for each other" },
};

/* ---- the whole */

/* The keys of TLS that do not go without each other. */
static void
tls_check(struct reading *r, const struct yaml_node *root)
{
	struct web_conf *w = r->web;
	const struct yaml_node *tls = root->first;

	while (tls != NULL && strcmp(tls->key, "tls_server_config") != 0)
		tls = tls->next;
	if (tls == NULL || tls->kind != YAML_DOC_MAP || tls->first == NULL)
		return;
	if (w->cert.line == 0)
		WRONG(r, tls, "tls_server_config needs cert_file");
	if (w->key.line == 0)
		WRONG(r, tls, "tls_server_config needs key_file");
	if (w->client_ca.path != NULL && w->client == WEB_CLIENT_NONE)
		WRONG(r, &(struct yaml_node){ .line = w->client_ca.line },
		    "client_ca_file without client_auth_type: nobody is asked for a certificate; "
		    "say RequireAndVerifyClientCert");
	if (w->client_ca.line == 0 && w->client >= WEB_CLIENT_CHECKED)
		WRONG(r, tls,
		    "client_auth_type: certificates are checked by client_ca_file, "
		    "which is not given");
	if (w->oldest > w->newest)
		WRONG(r, tls, "min_version is above max_version: no version is left");
}

static void
root_read(struct reading *r, const struct yaml_node *root)
{
	if (root != NULL && root->kind != YAML_DOC_MAP && !yaml_doc_is_null(root)) {
		WRONG(r, root,
		    "this is no web configuration: it begins with tls_server_config, "
		    "http_server_config or basic_auth_users");
		return;
	}
	if (root != NULL) {
		keys_read(r, root, file_keys, sizeof(file_keys) / sizeof(file_keys[0]));
		tls_check(r, root);
	}
	if (r->web->cert.path == NULL && r->web->users.n == 0)
		findings_add(r->findings, FINDING_WARNING, r->path, 0,
		    "neither TLS nor a password is asked for: everybody who reaches the port may "
		    "read");
}

static struct web_conf *
web_read(char *path, struct findings *findings)
{
	struct web_conf *web = xcalloc(1, sizeof(*web));
	struct reading r = { web, findings, path };
	struct yaml_doc *doc = yaml_doc_read(path, findings);

	*web = (struct web_conf){ .path = path, .newest = 1, .server_prefers = true, .owned = doc };
	if (doc != NULL)
		root_read(&r, doc->root);
	return web;
}

/* The path of the file, as the caller's string; NULL: none is named, or a finding says why. */
static char *
path_of(const struct conf *conf, struct findings *findings)
{
	const char *name = service_of(conf)->http_web_config;
	char *path = name != NULL ? conf_find(conf->file, name) : NULL;

	for (size_t i = 0; name != NULL && path == NULL && i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin->kind == SECTION_SERVICE)
			findings_add(findings, FINDING_ERROR, s->file,
			    conf_given(s, "HTTP_Web_Config"),
			    "HTTP_Web_Config '%s': no file of that name may be read beside %s, or "
			    "in " TOWLINE_CONF,
			    name, conf->file);
	}
	return path;
}

struct web_conf *
web_conf_of(const struct conf *conf, struct findings *findings)
{
	size_t before = findings_count(findings, FINDING_ERROR);
	char *path = path_of(conf, findings);
	struct web_conf *web = path != NULL ? web_read(path, findings) : NULL;

	if (web != NULL && findings_count(findings, FINDING_ERROR) == before)
		web->tls = tls_new(web, findings);
	if (findings_count(findings, FINDING_ERROR) == before)
		return web;
	web_conf_free(web);
	return NULL;
}

void
web_conf_free(struct web_conf *web)
{
	if (web == NULL)
		return;
	tls_free(web->tls);
	yaml_doc_free(web->owned);
	free(web->users.at);
	free(web->headers.at);
	free(web->cert.path);
	free(web->key.path);
	free(web->client_ca.path);
	free(web->path);
	free(web);
}

void
web_conf_files(const struct conf *conf, void (*each)(void *arg, const char *path), void *arg)
{
	struct findings *findings = findings_new();
	struct web_conf *web = web_conf_of(conf, findings);

	if (web != NULL) {
		const struct web_file *const files[] = { &web->cert, &web->key, &web->client_ca };

		each(arg, web->path);
		for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
			if (files[i]->path != NULL)
				each(arg, files[i]->path);
	}
	web_conf_free(web);
	findings_free(findings);
}
