/* Paths of requests; names and versions in them are escaped. */
#include "pod_query.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <unistd.h>

#include "access.h"
#include "memory.h"

#define PAGE 500 /* pods of one page */
#define OF_NODE "/api/v1/pods?fieldSelector=spec.nodeName%%3D%s"
#define WATCH "&watch=1&allowWatchBookmarks=true&timeoutSeconds=%u"

static char *
escaped(const char *text)
{
	char *of_curl = curl_easy_escape(NULL, text, 0), *out = xstrdup(of_curl);

	curl_free(of_curl);
	return out;
}

char *
pod_query_own(const char *namespace_file)
{
	const char *pod = getenv("POD_NAME"), *space = getenv("POD_NAMESPACE");
	char host[256] = "",
	     *in = space != NULL ? xstrdup(space) : access_file_text(namespace_file, 256);
	char *path = NULL;

	if (pod == NULL && gethostname(host, sizeof(host) - 1) == 0)
		pod = host;
	if (pod != NULL && in != NULL && *pod != '\0' && *in != '\0') {
		char *name = escaped(pod), *of = escaped(in);

		path = xprintf(
		    "/api/v1/namespaces/%s/pods?fieldSelector=metadata.name%%3D%s", of, name);
		free(name);
		free(of);
	}
	free(in);
	return path;
}

char *
pod_query_list(const char *node, const char *page)
{
	char *of = escaped(node), *from = page == NULL ? xstrdup("") : escaped(page), *path;

	path = xprintf(OF_NODE "&limit=%d%s%s", of, PAGE, page == NULL ? "" : "&continue=", from);
	free(of);
	free(from);
	return path;
}

char *
pod_query_stream(const char *node, unsigned seconds)
{
	char *of = escaped(node), *path;

	path = xprintf(
	    OF_NODE WATCH "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", of, seconds);
	free(of);
	return path;
}

char *
pod_query_watch(const char *node, const char *version, unsigned seconds)
{
	char *of = escaped(node), *from = escaped(version == NULL ? "" : version), *path;

	path = xprintf(OF_NODE WATCH "&resourceVersion=%s", of, seconds, from);
	free(of);
	free(from);
	return path;
}
