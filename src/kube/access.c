/*
 * A service account's token lives an hour; the kubelet writes a new one to the
 * same file, which is read again each minute and when the server says 401.  The
 * certificate authority's file is read for each new connection.
 */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "conf.h"
#include "voice.h"

#define TOKEN_EVERY (60 * NS_PER_S)
#define TOKEN_MAX 65536u
#define COMMAND_TIME (10 * NS_PER_S)
#define STOP_GAP 100 /* ms between two looks at a->stop */

struct access {
	const struct kube_server *at;
	char *origin; /* scheme, host, port, and a path before /api; no slash at the end */
	char *server; /* HOST:PORT, for messages */
	struct curl_slist *connect_to; /* where tls.vhost is; NULL: the name is the address */
	char *token;                   /* NULL: none */
	int64_t read; /* mono ns of the last reading of the token; 0: it must be read */
	char why[256];
	atomic_bool stop;
};

/* ---- the address */

/* SCHEME://HOST[:PORT][/PATH] with tls.vhost in HOST's place; the connection goes to HOST all the same. */
static int
address_make(struct access *a, const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL, *whole = NULL;
	int result = -1;

	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		goto out;
	if (a->at->vhost != NULL) {
		char *to = xprintf("::%s:%s", host, port);

		a->connect_to = curl_slist_append(NULL, to);
		free(to);
		curl_url_set(u, CURLUPART_HOST, a->at->vhost, 0);
	}
	if (curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK)
		goto out;
	a->origin = xstrdup(whole);
	while (a->origin[0] != '\0' && a->origin[strlen(a->origin) - 1] == '/')
		a->origin[strlen(a->origin) - 1] = '\0';
	a->server = xprintf("%s:%s", host, port);
	result = 0;
out:
	curl_free(host);
	curl_free(port);
	curl_free(whole);
	curl_url_cleanup(u);
	return result;
}

struct access *
access_new(const struct kube_server *server)
{
	struct access *a = xcalloc(1, sizeof(*a));

	a->at = server;
	if (address_make(a, server->url) == 0)
		return a;
	say_error("kube", "Kube_URL is no URL: https://HOST:PORT");
	access_free(a);
	return NULL;
}

bool
kube_url_right(const struct kube_server *server)
{
	struct access *a = xcalloc(1, sizeof(*a));
	bool right;

	a->at = server;
	right = address_make(a, server->url) == 0;
	access_free(a);
	return right;
}

void
access_free(struct access *a)
{
	if (a == NULL)
		return;
	free(a->origin);
	free(a->server);
	curl_slist_free_all(a->connect_to);
	free(a->token);
	free(a);
}

void
access_stop(struct access *a)
{
	atomic_store(&a->stop, true);
}

const char *
access_server(const struct access *a)
{
	return a->server;
}

const char *
access_why(const struct access *a)
{
	return a->why;
}

/* ---- the token */

char *
access_file_text(const char *path, size_t most)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t n;

	if (file == NULL)
		return NULL;
	text = xmalloc(most + 1);
	n = fread(text, 1, most, file);
	fclose(file);
	text[slice_trim_end((struct slice){ text, n }).len] = '\0';
	return text;
}

static bool
goes_on(struct access *a, int64_t until)
{
	return clock_mono() < until && !atomic_load(&a->stop);
}

/* Read what a command prints until it ends or its time is up. */
static size_t
output_read(struct access *a, int fd, int64_t until, char *to, size_t size)
{
	size_t n = 0;

	while (n < size && goes_on(a, until)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t more;

		if (poll(&p, 1, STOP_GAP) <= 0)
			continue;
		more = read(fd, to + n, size - n);
		if (more <= 0)
			break;
		n += (size_t)more;
	}
	return n;
}

/* Signals are blocked in our threads, or ignored, and would be in the command. */
static int
spawn(const char *command, int out, pid_t *pid)
{
	extern char **environ;
	char shell[] = "sh", option[] = "-c", *text = xstrdup(command);
	char *const argv[] = { shell, option, text, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	/* A library may have just made one that it has not marked. */
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(
	    &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	error = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(text);
	return error;
}

/* The exit status of a command, as a shell has it; a command whose time is up is killed. */
static int
end_of(struct access *a, pid_t pid, int64_t until)
{
	siginfo_t ended = { .si_pid = 0 };
	int status = 0;

	while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       ended.si_pid == 0 && goes_on(a, until))
		poll(NULL, 0, 5);
	kill(-pid, SIGKILL); /* … with the processes that it has left behind */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *
command_text(struct access *a)
{
	int64_t until = clock_mono() + COMMAND_TIME;
	int fds[2], status, error;
	char *text;
	size_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		snprintf(a->why, sizeof(a->why), "Kube_Token_Command: %s", strerrordesc_np(errno));
		return NULL;
	}
	error = spawn(a->at->token_command, fds[1], &pid);
	close(fds[1]);
	if (error != 0) {
		close(fds[0]);
		snprintf(a->why, sizeof(a->why), "Kube_Token_Command: %s", strerrordesc_np(error));
		return NULL;
	}
	text = xmalloc(TOKEN_MAX + 1);
	n = output_read(a, fds[0], until, text, TOKEN_MAX);
	close(fds[0]);
	status = end_of(a, pid, until);
	text[slice_trim_end((struct slice){ text, n }).len] = '\0';
	if (status == 0 && text[0] != '\0')
		return text;
	snprintf(a->why, sizeof(a->why), "Kube_Token_Command %s (it ended with %d)",
	    status == 0 ? "printed no token" : "failed", status);
	free(text);
	return NULL;
}

/* A header is one line: a token with a line break in it is none. */
static bool
is_token(const char *text)
{
	return text[0] != '\0' && !conf_has_control(text);
}

static void
token_read(struct access *a)
{
	const struct kube_server *o = a->at;
	bool command = o->token_command != NULL;
	int64_t now = clock_mono(), every = command ? o->token_ttl : TOKEN_EVERY;
	char *token;

	if (a->token != NULL && a->read != 0 && now - a->read < every)
		return;
	token = command ? command_text(a) : access_file_text(o->token_file, TOKEN_MAX);
	if (token == NULL && !command)
		snprintf(a->why, sizeof(a->why), "cannot read Kube_Token_File %s: %s",
		    o->token_file, strerrordesc_np(errno));
	else if (token != NULL && !is_token(token))
		snprintf(a->why, sizeof(a->why), "%s holds no token",
		    command ? "Kube_Token_Command's output" : o->token_file);
	if (token != NULL && !is_token(token)) {
		free(token);
		token = NULL;
	}
	free(a->token);
	a->token = token;
	a->read = now;
}

void
access_refused(struct access *a)
{
	a->read = 0;
}

/* ---- a request */

static void
tls_set(const struct kube_server *o, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, o->tls_verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, o->tls_verify ? 2L : 0L);
	/* Without a setting libcurl adds the system's folder to the file, or takes the system's file. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, o->ca_path);
	curl_easy_setopt(easy, CURLOPT_CAINFO,
	    o->ca_path != NULL && access(o->ca_file, R_OK) < 0 ? NULL : o->ca_file);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* the file may have changed */
}

/* The command for a token must not have our connections. */
static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)arg;
	(void)purpose;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

bool
access_request(struct access *a, CURL *easy, struct curl_slist **headers, const char *path,
    char error[CURL_ERROR_SIZE])
{
	char *url, *authorization;

	token_read(a);
	if (a->token == NULL)
		return false;
	url = xprintf("%s%s", a->origin, path);
	authorization = xprintf("Authorization: Bearer %s", a->token);
	curl_slist_free_all(*headers);
	*headers = curl_slist_append(NULL, authorization);
	curl_easy_reset(easy);
	error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L); /* a watch may be silent for minutes */
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	if (a->connect_to != NULL)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, a->connect_to);
	tls_set(a->at, easy);
	free(url);
	free(authorization);
	return true;
}
