/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers GET /metrics, and nothing else. One thread serves few connections, each with a timeout
 * and a bound of memory; a reader that stalls costs a connection until the timeout. An address that
 * other hosts can reach needs a token and TLS.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct http_server;

/* The texts are copied. */
struct http_options {
	const char *address;	/* "127.0.0.1:9400", "[::1]:9400", "unix:PATH" */
	const char *token_file; /* with the token of readers; NULL: none is needed */
	const char *tls;	/* "CERT,KEY": two files; NULL: no TLS */
	/* Makes the page in a format, "openmetrics" or "prometheus": *text is from malloc(). */
	int (*make)(
		void *user, const char *format, char **text, size_t *size, struct sooth_error *err);
	/* Returns a number that changes with the page: it is made once for each. */
	uint64_t (*version)(void *user);
	void *user;
};

struct http_counts {
	uint64_t answered, refused;
};

/* Listens. *out is written only on success. Returns 0, or a negative errno with err filled. */
int http_server_open(
	struct http_server **out, const struct http_options *options, struct sooth_error *err);
/* Does all but listen, and closes: whether the options are right. */
int http_server_check(const struct http_options *options, struct sooth_error *err);
/* Serves what is due, without waiting. */
void http_server_serve(struct http_server *s);
/* Waits up to that time, and serves meanwhile. */
void http_server_wait(struct http_server *s, int timeout_ms);
struct http_counts http_server_counts(const struct http_server *s);
/* Appends the address as a URL, with the port that the system has chosen. */
void http_server_url(const struct http_server *s, struct buffer *out);
void http_server_close(struct http_server *s); /* NULL is allowed */
