/* SPDX-License-Identifier: BSD-2-Clause */
/* A sooth that was built without the headers of libcurl. */
#include <errno.h>

#include "cli/otlp/http_client.h"

int http_client_new(struct http_client **out, const struct http_client_options *options,
	struct sooth_error *err)
{
	(void)out;
	(void)options;
	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "send to a collector");
	error_why(err, "this sooth was built without libcurl");
	return error_remedy(err, "build it with libcurl (Debian: libcurl4-openssl-dev)");
}

int http_client_post(struct http_client *h, const char *path, const char *type, const void *body,
	size_t size, struct sooth_error *err)
{
	(void)h;
	(void)path;
	(void)type;
	(void)body;
	(void)size;
	return error_no_memory(err);
}

bool http_client_step(struct http_client *h, struct http_client_answer *answer)
{
	(void)h;
	(void)answer;
	return true;
}

void http_client_free(struct http_client *h)
{
	(void)h;
}
