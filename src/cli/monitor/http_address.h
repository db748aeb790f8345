/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a server listens, and the private files that it needs. */
#pragma once

#include <sys/socket.h>

#include "base/buffer.h"
#include "cli/control/control.h"

struct http_address {
	int fd;		      /* -1: does not listen */
	struct control local; /* of a Unix socket, which serves its owner and root */
	char *path;	      /* of it; NULL: an address of the Internet protocols */
	struct sockaddr_storage internet;
	socklen_t size;
};

/* Parses "127.0.0.1:9400", "[::1]:9400", "unix:PATH". -EINVAL; -EPERM: other hosts can reach it,
 * and it is not `is_protected` by a token and TLS. */
int http_address_parse(
	struct http_address *a, const char *text, bool is_protected, struct sooth_error *err);
int http_address_listen(struct http_address *a, struct sooth_error *err);
/* Returns the descriptor of a connection; -1: none waits. */
int http_address_accept(struct http_address *a);
void http_address_url(const struct http_address *a, bool has_tls, struct buffer *out);
void http_address_close(struct http_address *a);

/* Reads the first line of a file that only its owner can read. */
int http_read_token(struct buffer *out, const char *path, struct sooth_error *err);
/* Reads a certificate, and a key that only its owner can read: "CERT,KEY". */
int http_read_tls(
	struct buffer *certificate, struct buffer *key, const char *files, struct sooth_error *err);
