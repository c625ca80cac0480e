/*
 * A list of ciphers has its form from the TLS library that libcurl was built with, which
 * reads it where a connection begins.  So one begins, to a socket of this process' own
 * that has no name in the file system, and is closed at once.
 */
#include "es_ciphers.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 5

/* A listening socket, its name chosen by the kernel: autobind of unix(7), in ${name}; -1. */
static int
listener_open(char *name, size_t size)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(at.sun_family);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 1) == 0) {
		len = sizeof(at);
		if (getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
			len -= (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
			snprintf(name, size, "%.*s", (int)len, at.sun_path + 1);
			return fd;
		}
	}
	close(fd);
	return -1;
}

static CURLcode
connect_and_close(CURL *easy, int listener)
{
	CURLM *multi = curl_multi_init();
	CURLcode code = CURLE_OK;
	int running = 1, left;

	curl_multi_add_handle(multi, easy);
	while (running > 0) {
		int fd = accept(listener, NULL, NULL);
		const CURLMsg *message;

		if (fd >= 0)
			close(fd);
		curl_multi_perform(multi, &running);
		message = curl_multi_info_read(multi, &left);
		if (message != NULL)
			code = message->data.result;
		else
			curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
	}
	curl_multi_remove_handle(multi, easy);
	curl_multi_cleanup(multi);
	return code;
}

bool
es_ciphers_right(const char *list)
{
	struct sockaddr_un at;
	char name[sizeof(at.sun_path)];
	int listener = listener_open(name, sizeof(name));
	CURLcode code;
	CURL *easy;

	if (listener < 0)
		return true;
	/* Undone: the shipper's own start of the library sets its memory functions. */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, "https://localhost/");
	curl_easy_setopt(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, name);
	curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, list);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 1000L);
	code = connect_and_close(easy, listener);
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	close(listener);
	return code != CURLE_SSL_CIPHER;
}
