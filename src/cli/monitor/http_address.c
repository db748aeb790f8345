/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/http_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/closed_at_exec.h"
#include "cli/config/config_files.h"

#define UNIX_PREFIX "unix:"
#define HOST_SIZE   64
#define FILE_BYTES  (64u << 10)
#define TOKEN_LEAST 16
#define QUEUE	    16

/* --- the address --- */

static int refuse_address(struct sooth_error *err, const char *text)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "listen at %s", text);
	error_why(err, "expected ADDRESS:PORT with a numeric address, or unix:PATH");
	return error_remedy(err, "--listen 127.0.0.1:9400");
}

/* Splits "[::1]:9400" and "127.0.0.1:9400". */
static bool split_address(const char *text, char host[HOST_SIZE], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	char *end;
	unsigned long number;

	if (!size || size >= HOST_SIZE || colon[1] < '0' || colon[1] > '9')
		return false;
	number = strtoul(colon + 1, &end, 10);
	if (*end || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	if (text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	memcpy(host, text, size);
	host[size] = '\0';
	return true;
}

static bool set_internet(struct http_address *a, const char *host, uint16_t port)
{
	struct sockaddr_in *four = (void *)&a->internet;
	struct sockaddr_in6 *six = (void *)&a->internet;

	if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		a->size = sizeof(*four);
		return true;
	}
	if (inet_pton(AF_INET6, host, &six->sin6_addr) != 1)
		return false;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	a->size = sizeof(*six);
	return true;
}

static bool is_loopback(const struct http_address *a)
{
	const struct sockaddr_in *four = (const void *)&a->internet;
	const struct sockaddr_in6 *six = (const void *)&a->internet;

	if (a->internet.ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

int http_address_parse(
	struct http_address *a, const char *text, bool is_protected, struct sooth_error *err)
{
	char host[HOST_SIZE];
	uint16_t port;

	*a = (struct http_address){ .fd = -1 };
	control_init(&a->local);
	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX))) {
		a->path = strdup(text + strlen(UNIX_PREFIX));
		return a->path ? 0 : error_no_memory(err);
	}
	if (!split_address(text, host, &port) || !set_internet(a, host, port))
		return refuse_address(err, text);
	if (is_loopback(a) || is_protected)
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_USAGE, "listen at %s", text);
	error_why(err, "other hosts can connect, so readers need a token, and TLS to protect it");
	return error_remedy(err, "--listen %s --listen-token FILE --listen-tls CERT,KEY", text);
}

static int listen_internet(struct http_address *a, struct sooth_error *err)
{
	int fd = closed_at_exec_socket(a->internet.ss_family, SOCK_STREAM, false), yes = 1;
	struct buffer url = { 0 };

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd >= 0 && a->internet.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&a->internet, a->size) &&
		!listen(fd, QUEUE) && !getsockname(fd, (struct sockaddr *)&a->internet, &a->size)) {
		a->fd = fd;
		return 0;
	}
	http_address_url(a, false, &url);
	error_errno(err, -errno, "listen at %s", buffer_cstr(&url));
	buffer_fini(&url);
	if (fd >= 0)
		close(fd);
	return err->code;
}

int http_address_listen(struct http_address *a, struct sooth_error *err)
{
	int status;

	if (!a->path)
		return listen_internet(a, err);
	a->local.option = "--listen " UNIX_PREFIX;
	status = control_open(&a->local, a->path, err);
	a->fd = a->local.listener;
	return status;
}

int http_address_accept(struct http_address *a)
{
	return a->path ? control_accept(&a->local) : closed_at_exec_accept(a->fd, false);
}

void http_address_url(const struct http_address *a, bool has_tls, struct buffer *out)
{
	const struct sockaddr_in *four = (const void *)&a->internet;
	const struct sockaddr_in6 *six = (const void *)&a->internet;
	bool is_four = a->internet.ss_family == AF_INET;
	char host[INET6_ADDRSTRLEN] = "";

	if (a->path) {
		buffer_format(out, UNIX_PREFIX "%s", a->path);
		return;
	}
	inet_ntop(a->internet.ss_family,
		is_four ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr, host,
		sizeof(host));
	buffer_format(out, is_four ? "http%s://%s:%u/metrics" : "http%s://[%s]:%u/metrics",
		has_tls ? "s" : "", host, ntohs(is_four ? four->sin_port : six->sin6_port));
}

void http_address_close(struct http_address *a)
{
	if (a->path)
		control_close(&a->local);
	else if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	free(a->path);
	a->path = NULL;
}

/* --- private files --- */

int http_read_token(struct buffer *out, const char *path, struct sooth_error *err)
{
	int status = config_read_secret(out, path, FILE_BYTES, err);
	const char *end = status ? NULL : memchr(out->data, '\n', out->size);

	if (status)
		return status;
	if (end)
		out->size = (size_t)(end - (const char *)out->data);
	if (out->size && out->data[out->size - 1] == '\r')
		out->size--;
	if (out->size >= TOKEN_LEAST)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use the token in %s", path);
	error_why(err, "its first line has fewer than %d characters", TOKEN_LEAST);
	return error_remedy(err, "head -c 32 /dev/urandom | base64 > %s", path);
}

int http_read_tls(
	struct buffer *certificate, struct buffer *key, const char *files, struct sooth_error *err)
{
	const char *comma = strchr(files, ',');
	struct buffer name = { 0 };
	int status;

	if (!comma) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --listen-tls %s", files);
		error_why(err, "expected two files with a comma between: certificate and key");
		return error_remedy(err, "--listen-tls cert.pem,key.pem");
	}
	buffer_append(&name, files, (size_t)(comma - files));
	status = config_read(certificate, buffer_cstr(&name), FILE_BYTES, NULL, err);
	buffer_fini(&name);
	return status ? status : config_read_secret(key, comma + 1, FILE_BYTES, err);
}
