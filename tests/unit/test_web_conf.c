/* HTTP_Web_Config: its file and the files of that, and what is found wrong in them. */
#include "unit.h"

#include <gnutls/x509.h>
#include <sys/inotify.h>
#include <time.h>

#include "../../src/serve/tls.h"
#include "conf_try.h"
#include "memory.h"
#include "plugins.h"
#include "web_conf.h"

#define HASH_REST "RkjPZpO2r/rMYjNWhOkTPeGqtMzYtAPIxTjQKTZv1ZMUXHwmWwZfK"
#define HASH "$2y$10$" HASH_REST
#define TLS                                                                                        \
	"tls_server_config:\n"                                                                     \
	"  cert_file: a.crt\n"                                                                     \
	"  key_file: a.key\n"

static const char *const files[] = { "towline.conf", "w/web.yml", "w/a.crt", "w/a.key", "w/b.crt",
	"w/b.key", "w/text", NULL };
static const char *const none[] = { NULL };

/* ---- certificates */

static void
pem_write(const char *name, const char *end, gnutls_datum_t *text)
{
	char path[64];

	snprintf(path, sizeof(path), "w/%s.%s", name, end);
	try_write(path, (const char *)text->data, text->size);
	gnutls_free(text->data);
}

/* w/NAME.key, and w/NAME.crt, which it has signed itself. */
static void
certificate_make(const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t text;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
			     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	    0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "1", 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	gnutls_x509_crt_set_key(crt, key);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
	pem_write(name, "key", &text);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text), 0);
	pem_write(name, "crt", &text);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

/* ---- reading */

/* The configuration whose HTTP_Web_Config is a file with ${text}. */
static struct conf *
conf_of(const char *text, struct findings *f)
{
	try_file("w/web.yml", text);
	try_file("towline.conf", "[SERVICE]\n  HTTP_Web_Config w/web.yml\n"
				 "[INPUT]\n  Name tail\n  Path /nowhere/*.log\n"
				 "[OUTPUT]\n  Name null\n  Match *\n");
	return conf_read("towline.conf", &plugins_registry, f);
}

static struct web_conf *
web_of(const char *text)
{
	struct findings *f = findings_new();
	struct conf *conf = conf_of(text, f);
	struct web_conf *web = web_conf_of(conf, f);
	char *said = try_findings(f);

	assert_string_equal(said, "");
	assert_non_null(web);
	free(said);
	conf_free(conf);
	findings_free(f);
	return web;
}

static void
test_a_whole_file(void **state)
{
	struct web_conf *web = web_of(TLS "  client_ca_file: b.crt\n"
					  "  client_auth_type: RequireAndVerifyClientCert\n"
					  "  min_version: TLS13\n"
					  "  max_version: TLS13\n"
					  "  prefer_server_cipher_suites: false\n"
					  "http_server_config:\n"
					  "  http2: false\n"
					  "  headers:\n"
					  "    X-Frame-Options: deny\n"
					  "    X-Content-Type-Options: ''\n"
					  "    Content-Security-Policy: \"default-src 'self'\"\n"
					  "basic_auth_users:\n"
					  "  prometheus: " HASH "\n"
					  "  two words: $2a$04$" HASH_REST "\n"
					  "  three: \"$2b$16$" HASH_REST "\"\n");

	(void)state;
	assert_string_equal(web->cert.path, "w/a.crt"); /* beside the file */
	assert_string_equal(web->key.path, "w/a.key");
	assert_string_equal(web->client_ca.path, "w/b.crt");
	assert_int_equal(web->client, WEB_CLIENT_TRUSTED);
	assert_true(web->oldest == 1 && web->newest == 1 && !web->server_prefers);
	assert_int_equal(web->headers.n, 2); /* an empty one is none */
	assert_string_equal(web->headers.at[1].value, "default-src 'self'");
	assert_int_equal(web->users.n, 3);
	assert_string_equal(web->users.at[1].name, "two words");
	assert_string_equal(web->users.at[2].value, "$2b$16$" HASH_REST);
	web_conf_free(web);
}

static void
test_defaults(void **state)
{
	char *text = xprintf(
	    "tls_server_config: {cert_file: %s/w/a.crt, key_file: %s/w/a.key}\n", try_dir, try_dir);
	struct web_conf *web = web_of(text), *plain;

	(void)state;
	assert_int_equal(web->cert.path[0], '/'); /* as it stands */
	assert_int_equal(web->client, WEB_CLIENT_NONE);
	assert_true(web->oldest == 0 && web->newest == 1 && web->server_prefers);
	assert_true(web->users.n == 0 && web->headers.n == 0);
	web_conf_free(web);
	free(text);
	plain = web_of("basic_auth_users:\n  x: " HASH "\ntls_server_config:\n");
	assert_null(plain->cert.path);
	web_conf_free(plain);
}

/* ---- what is wrong */

#define AUTH "basic_auth_users:\n  x: "
#define HEADERS "http_server_config:\n  headers:\n    "

static const struct {
	const char *text, *said;
} bad[] = {
	{ "tls_server_config: [a]\n", "1: tls_server_config is no mapping" },
	{ "a\n", "1: this is no web configuration" },
	{ "- a\n", "1: this is no web configuration" },
	{ "x: y\n", "1: no key 'x' here" },
	{ "\nbasic_auth_user:\n  x: " HASH,
	    "2: no key 'basic_auth_user' here; did you mean 'basic_auth_users'?" },
	{ TLS "  key_fil: x\n", "4: no key 'key_fil' here; did you mean 'key_file'?" },
	{ TLS "  cert: x\n", "4: cert is not honoured here: write it to a file" },
	{ TLS "  key: x\n", "4: key is not honoured here: write it to a file" },
	{ TLS "  client_ca: x\n", "4: client_ca is not honoured here: write it to a file" },
	{ TLS "  client_allowed_sans: [x]\n", "4: client_allowed_sans is not honoured here: name" },
	{ TLS "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
	    "4: cipher_suites is not honoured here: leave it out" },
	{ TLS "  curve_preferences: [X25519]\n",
	    "4: curve_preferences is not honoured here: leave it out" },
	{ "rate_limit: {interval: 1s, burst: 2}\n", "1: rate_limit is not honoured here: leave" },
	{ "http_server_config:\n  http2: true\n", "2: http2: towline serves HTTP/1.1 alone" },
	{ "http_server_config:\n  http2: maybe\n", "2: http2 cannot be 'maybe'; choose one of" },
	{ TLS "  min_version: TLS11\n",
	    "4: min_version cannot be 'TLS11'; choose one of TLS12, TLS13" },
	{ TLS "  max_version: TLS10\n", "4: max_version cannot be 'TLS10'" },
	{ TLS "  min_version: TLS13\n  max_version: TLS12\n",
	    "1: min_version is above max_version" },
	{ TLS "  client_auth_type: Require\n", "4: client_auth_type cannot be 'Require'" },
	{ TLS "  client_auth_type: RequireAndVerifyClientCert\n",
	    "1: client_auth_type: certificates are checked by client_ca_file" },
	{ TLS "  client_ca_file: b.crt\n", "4: client_ca_file without client_auth_type" },
	{ "tls_server_config:\n  cert_file: a.crt\n", "1: tls_server_config needs key_file" },
	{ "tls_server_config:\n  key_file: a.key\n", "1: tls_server_config needs cert_file" },
	{ "tls_server_config:\n  cert_file:\n  key_file: a.key\n", "2: cert_file has no value" },
	{ "tls_server_config:\n  cert_file: x.crt\n  key_file: a.key\n",
	    "2: cert_file w/x.crt cannot be used: No such file or directory" },
	{ "tls_server_config:\n  cert_file: a.crt\n  key_file: x.key\n",
	    "3: key_file w/x.key cannot be used: No such file or directory" },
	{ "tls_server_config:\n  cert_file: text\n  key_file: a.key\n",
	    "2: cert_file w/text cannot be used: it has no certificate in PEM" },
	{ "tls_server_config:\n  cert_file: a.crt\n  key_file: text\n",
	    "3: key_file w/text cannot be used: it has no key in PEM" },
	{ "tls_server_config:\n  cert_file: a.crt\n  key_file: b.key\n",
	    "3: key_file w/b.key cannot be used: it is not the key of cert_file" },
	{ TLS "  client_ca_file: text\n  client_auth_type: VerifyClientCertIfGiven\n",
	    "4: client_ca_file w/text cannot be used: it has no certificate" },
	{ AUTH "secret\n", "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "[" HASH "]\n", "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "\n", "2: the password of 'x' is no bcrypt hash" },
	{ AUTH HASH "x\n", "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "$2x$10$" HASH_REST, "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "$2y$03$" HASH_REST, "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "$2y$32$" HASH_REST, "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "$2y$1 $" HASH_REST, "2: the password of 'x' is no bcrypt hash" },
	{ AUTH "$2y$17$" HASH_REST, "2: the hash of 'x' has the cost 17" },
	{ "basic_auth_users:\n  'a:b': " HASH, "2: a user's name is empty, or has a :" },
	{ "basic_auth_users: [a]\n", "1: basic_auth_users is no mapping" },
	{ HEADERS "X-Frame-Options: allow\n",
	    "3: X-Frame-Options cannot be 'allow'; choose one of deny, sameorigin" },
	{ HEADERS "X-Content-Type-Options: x\n",
	    "3: X-Content-Type-Options cannot be 'x'; choose one of nosniff" },
	{ HEADERS "Server: x\n", "3: the header 'Server' cannot be set" },
	{ HEADERS "X-XSS-Protection: \"a\\r\\nb: c\"\n",
	    "3: X-XSS-Protection has a control character" },
	{ HEADERS "X-XSS-Protection: [a]\n", "3: X-XSS-Protection has no value" },
	{ "a: *b\n", "1: an alias" },
};

static void
test_what_is_wrong_is_said_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct findings *f = findings_new();
		struct conf *conf = conf_of(bad[i].text, f);
		char *said = try_findings(f), *want = xprintf("w/web.yml:%s", bad[i].said);

		if (findings_count(f, FINDING_ERROR) != 1 || strstr(said, want) == NULL)
			fail_msg("'%s' of '%s' is not '%s'", said, bad[i].text, want);
		assert_null(strstr(said, HASH_REST));
		assert_null(strstr(said, "secret"));
		assert_null(web_conf_of(conf, f));
		free(want);
		free(said);
		conf_free(conf);
		findings_free(f);
	}
}

static void
test_a_file_that_asks_for_nothing_is_warned_of(void **state)
{
	static const char *const texts[] = { "", "{}", "---\n", "basic_auth_users:\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct findings *f = findings_new();
		struct conf *conf = conf_of(texts[i], f);

		assert_int_equal(findings_count(f, FINDING_ERROR), 0);
		assert_int_equal(findings_count(f, FINDING_WARNING), 1);
		conf_free(conf);
		findings_free(f);
	}
}

static void
test_a_file_that_is_not_there(void **state)
{
	struct findings *f = findings_new();
	struct conf *conf;
	char *said;

	(void)state;
	conf_free(conf_of("", f));
	findings_free(f);
	unlink("w/web.yml");
	f = findings_new();
	conf = conf_read("towline.conf", &plugins_registry, f);
	said = try_findings(f);
	assert_non_null(
	    strstr(said, "towline.conf:2: HTTP_Web_Config 'w/web.yml': no file of that name"));
	free(said);
	conf_free(conf);
	findings_free(f);
}

static void
file_count(void *arg, const char *path)
{
	unsigned *n = arg;

	*n += access(path, R_OK) == 0;
}

static void
test_the_files_that_are_read(void **state)
{
	struct findings *f = findings_new();
	struct conf *conf = conf_of(TLS, f);
	unsigned n = 0;

	(void)state;
	web_conf_files(conf, file_count, &n);
	assert_int_equal(n, 3);
	conf_free(conf);
	findings_free(f);
}

/* How often files that are watched were opened since it was asked last. */
static unsigned
opened(int watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t len = read(watch, events, sizeof(events));

	return len < 0 ? 0 : (unsigned)((size_t)len / sizeof(struct inotify_event));
}

static void
connection_begin(struct tls *t)
{
	gnutls_session_t session;

	assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
	tls_end(tls_begin(t, session));
	gnutls_deinit(session);
}

static void
test_files_that_are_wrong_are_not_read_for_each_connection(void **state)
{
	struct web_conf *web = web_of(TLS);
	int watch = inotify_init1(IN_NONBLOCK);

	(void)state;
	assert_true(watch >= 0 && inotify_add_watch(watch, "w/a.crt", IN_OPEN) >= 0);
	connection_begin(web->tls);
	assert_int_equal(opened(watch), 0);
	try_file("w/a.key", "no key");
	connection_begin(web->tls);
	assert_true(opened(watch) > 0);
	for (int i = 0; i < 5; i++)
		connection_begin(web->tls);
	assert_int_equal(opened(watch), 0);
	while (opened(watch) == 0) /* after a while, as a file need not show that it changed */
		connection_begin(web->tls);
	certificate_make("a");
	assert_true(opened(watch) > 0); /* here */
	connection_begin(web->tls);
	assert_true(opened(watch) > 0);
	connection_begin(web->tls);
	assert_int_equal(opened(watch), 0);
	web_conf_free(web);
	close(watch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_file),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(test_a_file_that_asks_for_nothing_is_warned_of),
		cmocka_unit_test(test_a_file_that_is_not_there),
		cmocka_unit_test(test_the_files_that_are_read),
		cmocka_unit_test(test_files_that_are_wrong_are_not_read_for_each_connection),
	};
	int failed;

	try_begin();
	if (mkdir("w", 0700) != 0)
		abort();
	certificate_make("a");
	certificate_make("b");
	try_file("w/text", "no certificate, and no key");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (const char *const *file = files; *file != NULL; file++)
		unlink(*file);
	rmdir("w");
	try_end(none);
	return failed;
}
