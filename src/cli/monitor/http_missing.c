/* SPDX-License-Identifier: BSD-2-Clause */
/* Instead of http_server.c in a build without the header of libmicrohttpd, or without epoll(7). */
#include <errno.h>

#include "cli/monitor/http_server.h"

int http_server_open(
	struct http_server **out, const struct http_options *options, struct sooth_error *err)
{
	(void)out;
	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "serve metrics at %s", options->address);
	error_why(err, "this sooth was built without libmicrohttpd");
	return error_remedy(err, "use --textfile, or build with libmicrohttpd-dev on Linux");
}

int http_server_check(const struct http_options *options, struct sooth_error *err)
{
	return http_server_open(NULL, options, err);
}

void http_server_serve(struct http_server *s)
{
	(void)s;
}

void http_server_wait(struct http_server *s, int timeout_ms)
{
	(void)s;
	(void)timeout_ms;
}

struct http_counts http_server_counts(const struct http_server *s)
{
	(void)s;
	return (struct http_counts){ 0 };
}

void http_server_url(const struct http_server *s, struct buffer *out)
{
	(void)s;
	(void)out;
}

void http_server_close(struct http_server *s)
{
	(void)s;
}
