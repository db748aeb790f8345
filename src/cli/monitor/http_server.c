/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/http_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/units.h"
#include "cli/monitor/http_address.h"
#include "cli/monitor/http_library.h"

#define CONNECTIONS_MAX	 8u
#define CONNECTION_BYTES (16u << 10)	 /* of a request, and what the library keeps with it */
#define TIMEOUT_S	 10u		 /* without any byte */
#define AGE_NS		 (20 * NS_PER_S) /* for a request and its answer, however the bytes come */
#define ACCEPTS_MAX	 16		 /* at a time: the monitor has other work */
#define RUNS_MAX	 8
#define PRIORITIES	 "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"

#define TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define TYPE_PROMETHEUS	 "text/plain; version=0.0.4; charset=utf-8"

/* A page in one format and coding. The library counts the connections that still read a response.
 */
struct http_page {
	const char *format, *type;
	bool is_packed;		       /* in gzip */
	struct MHD_Response *response; /* NULL: none was made */
	uint64_t version;
};

struct http_reader {
	int fd;		   /* -1: none */
	uint64_t since_ns; /* time of its begin, or of its last answered request */
};

struct http_server {
	struct http_library library;
	struct http_options options;
	struct http_address address;
	struct http_counts counts;
	struct MHD_Daemon *daemon;
	int events; /* of the library, for poll(2) */
	struct buffer token, certificate, key;
	bool needs_token, has_tls;
	struct http_page pages[4];
	struct http_reader readers[CONNECTIONS_MAX];
};

/* --- answers --- */

static enum MHD_Result answer_status(struct http_server *s, struct MHD_Connection *connection,
	unsigned status, const char *header, const char *value)
{
	static char none[] = "";
	struct MHD_Response *r =
		s->library.MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_NO;

	s->counts.refused++;
	if (!r)
		return MHD_NO;
	if (!header || s->library.MHD_add_response_header(r, header, value) == MHD_YES)
		result = s->library.MHD_queue_response(connection, status, r);
	s->library.MHD_destroy_response(r);
	return result;
}

static void drop_page(struct http_server *s, struct http_page *p)
{
	if (p->response)
		s->library.MHD_destroy_response(p->response);
	p->response = NULL;
}

/* Packs a text, and frees it. */
static bool pack_text(char **text, size_t *size)
{
	struct buffer packed = { 0 };
	bool is_packed = gzip_pack(&packed, *text, *size);

	free(*text);
	if (!is_packed)
		buffer_fini(&packed);
	*text = (char *)packed.data;
	*size = packed.size;
	return is_packed;
}

static bool add_header(
	struct http_server *s, struct http_page *p, const char *name, const char *value)
{
	return s->library.MHD_add_response_header(p->response, name, value) == MHD_YES;
}

/* Makes the page again if it is old. */
static bool refresh_page(struct http_server *s, struct http_page *p)
{
	uint64_t version = s->options.version(s->options.user);
	struct sooth_error err;
	char *text = NULL;
	size_t size;

	if (p->response && p->version == version)
		return true;
	drop_page(s, p);
	if (s->options.make(s->options.user, p->format, &text, &size, &err))
		return false;
	if (p->is_packed && !pack_text(&text, &size))
		return false;
	p->response = s->library.MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!p->response) {
		free(text);
		return false;
	}
	p->version = version;
	return add_header(s, p, MHD_HTTP_HEADER_CONTENT_TYPE, p->type) &&
	       add_header(s, p, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding") &&
	       (!p->is_packed || add_header(s, p, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip"));
}

/* --- connections --- */

static void note_connection(void *user, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode event)
{
	struct http_server *s = user;
	struct http_reader *r = *context;
	const union MHD_ConnectionInfo *info;

	if (event == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (r)
			r->fd = -1;
		return;
	}
	info = s->library.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (size_t i = 0; i < CONNECTIONS_MAX && info && !*context; i++) {
		if (s->readers[i].fd >= 0)
			continue;
		s->readers[i] = (struct http_reader){ info->connect_fd, clock_monotonic_ns() };
		*context = &s->readers[i];
	}
}

static void renew_connection(struct http_server *s, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		s->library.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_reader *r = info ? info->socket_context : NULL;

	if (r)
		r->since_ns = clock_monotonic_ns();
}

/* Runs the library until it only waits: a request in several packets takes more than one run. */
static void run_daemon(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	for (unsigned i = 0; i < RUNS_MAX; i++) {
		s->library.MHD_run(s->daemon);
		if (s->library.MHD_get_timeout(s->daemon, &wait_ms) != MHD_YES || wait_ms)
			break;
	}
}

/* Ends connections that take too long. A byte now and then would keep one for ever. */
static void end_old(struct http_server *s)
{
	uint64_t now_ns = clock_monotonic_ns();

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (s->readers[i].fd >= 0 && now_ns - s->readers[i].since_ns > AGE_NS)
			shutdown(s->readers[i].fd, SHUT_RDWR);
	}
}

/* Makes room for a connection: answers what can be answered, then ends the oldest one. */
static void make_room(struct http_server *s)
{
	for (unsigned tries = 0; tries < 2; tries++) {
		const struct http_reader *oldest = &s->readers[0];

		for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
			if (s->readers[i].fd < 0)
				return;
			if (s->readers[i].since_ns < oldest->since_ns)
				oldest = &s->readers[i];
		}
		if (tries)
			shutdown(oldest->fd, SHUT_RDWR);
		run_daemon(s);
	}
}

/* --- requests --- */

static const char *header_of(
	struct http_server *s, struct MHD_Connection *connection, const char *name)
{
	const char *value =
		s->library.MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	return value ? value : "";
}

/* Compares all bytes whatever differs, so that the time shows nothing of the token. */
static bool has_token(struct http_server *s, struct MHD_Connection *connection)
{
	static const char scheme[] = "Bearer ";
	const char *given = header_of(s, connection, MHD_HTTP_HEADER_AUTHORIZATION);
	size_t size = strlen(given), skipped = sizeof(scheme) - 1;
	unsigned char differ = 0;

	if (!s->needs_token)
		return true;
	if (size < skipped || strncasecmp(given, scheme, skipped) != 0 ||
		size - skipped != s->token.size)
		return false;
	for (size_t i = 0; i < s->token.size; i++)
		differ |= (unsigned char)given[skipped + i] ^ s->token.data[i];
	return !differ;
}

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *data_size, void **state)
{
	struct http_server *s = user;
	const char *accept = header_of(s, connection, MHD_HTTP_HEADER_ACCEPT);
	const char *coding = header_of(s, connection, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	struct http_page *page = &s->pages[!strstr(accept, "application/openmetrics-text") +
					   2 * gzip_is_accepted(coding)];

	(void)version;
	(void)data;
	(void)state;
	if (*data_size)
		return MHD_NO; /* no request has a body: the connection ends */
	if (!has_token(s, connection))
		return answer_status(s, connection, MHD_HTTP_UNAUTHORIZED,
			MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_status(s, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (strcmp(url, "/metrics") != 0)
		return answer_status(s, connection, MHD_HTTP_NOT_FOUND, NULL, NULL);
	if (!refresh_page(s, page))
		return answer_status(s, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, NULL);
	s->counts.answered++;
	renew_connection(s, connection);
	return s->library.MHD_queue_response(connection, MHD_HTTP_OK, page->response);
}

/* --- the daemon --- */

static int refuse_daemon(struct sooth_error *err, const char *address)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "serve metrics at %s", address);
	error_why(err, "libmicrohttpd refused: is the certificate or the key wrong?");
	return error_remedy(err, "--listen-tls CERT,KEY: files in the PEM format");
}

static int start_daemon(struct http_server *s, struct sooth_error *err)
{
	struct http_library *l = &s->library;
	bool has_tls = s->has_tls;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)buffer_cstr(&s->certificate) },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)buffer_cstr(&s->key) },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	const union MHD_DaemonInfo *info;

	if (has_tls && l->MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
		error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "serve metrics by TLS");
		error_why(err, "libmicrohttpd of this system was built without TLS");
		return error_remedy(err, "--listen unix:/run/sooth-metrics.sock");
	}
	s->daemon = l->MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | (has_tls ? MHD_USE_TLS : 0), 0, NULL,
		NULL, answer, s, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_NOTIFY_CONNECTION,
		note_connection, s, MHD_OPTION_ARRAY, has_tls ? tls : &tls[ARRAY_SIZE(tls) - 1],
		MHD_OPTION_END);
	info = s->daemon ? l->MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		return refuse_daemon(err, s->options.address);
	s->events = info->epoll_fd;
	return 0;
}

static int read_files(struct http_server *s, struct sooth_error *err)
{
	const struct http_options *o = &s->options;
	int status = o->token_file ? http_read_token(&s->token, o->token_file, err) : 0;

	if (!status && o->tls)
		status = http_read_tls(&s->certificate, &s->key, o->tls, err);
	return status;
}

/* Makes a server that does not listen yet. */
static int make_server(
	struct http_server **out, const struct http_options *options, struct sooth_error *err)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return error_no_memory(err);
	s->options = *options;
	s->needs_token = options->token_file;
	s->has_tls = options->tls;
	s->address.fd = -1;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		s->readers[i].fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(s->pages); i++)
		s->pages[i] = (struct http_page){ .format = i % 2 ? "prometheus" : "openmetrics",
			.type = i % 2 ? TYPE_PROMETHEUS : TYPE_OPENMETRICS,
			.is_packed = i >= 2 };
	status = http_address_parse(
		&s->address, options->address, options->token_file && options->tls, err);
	if (!status)
		status = http_library_load(&s->library, err);
	if (!status)
		status = read_files(s, err);
	if (!status)
		status = start_daemon(s, err);
	if (status)
		http_server_close(s);
	else
		*out = s;
	return status;
}

int http_server_open(
	struct http_server **out, const struct http_options *options, struct sooth_error *err)
{
	struct http_server *s;
	int status = make_server(&s, options, err);

	if (status)
		return status;
	status = http_address_listen(&s->address, err);
	if (status)
		http_server_close(s);
	else
		*out = s;
	return status;
}

int http_server_check(const struct http_options *options, struct sooth_error *err)
{
	struct http_server *s;
	int status = make_server(&s, options, err);

	if (!status)
		http_server_close(s);
	return status;
}

/* Returns whether there was a connection. */
static bool accept_some(struct http_server *s)
{
	bool has_accepted = false;
	struct sockaddr_storage peer;
	socklen_t size;
	int fd;

	for (unsigned i = 0; i < ACCEPTS_MAX && (fd = http_address_accept(&s->address)) >= 0; i++) {
		has_accepted = true;
		make_room(s);
		size = sizeof(peer);
		if (getpeername(fd, (struct sockaddr *)&peer, &size))
			close(fd);
		/* The library closes it, also when there are too many. */
		else if (s->library.MHD_add_connection(
				 s->daemon, fd, (struct sockaddr *)&peer, size) != MHD_YES)
			s->counts.refused++;
	}
	return has_accepted;
}

void http_server_serve(struct http_server *s)
{
	accept_some(s);
	end_old(s);
	run_daemon(s);
}

void http_server_wait(struct http_server *s, int timeout_ms)
{
	uint64_t now = clock_monotonic_ns(), end = now + (uint64_t)timeout_ms * NS_PER_MS;
	struct pollfd all[] = { { .fd = s->events, .events = POLLIN },
		{ .fd = s->address.fd, .events = POLLIN } };

	for (; now < end; now = clock_monotonic_ns()) {
		int left_ms = (int)((end - now + NS_PER_MS - 1) / NS_PER_MS);

		if (poll(all, ARRAY_SIZE(all), left_ms) <= 0)
			break; /* the time is over, or a signal came */
		/* Without a free descriptor a connection waits, and would wake us for ever. */
		if (all[1].revents && !accept_some(s))
			all[1].fd = -1;
		run_daemon(s);
	}
	run_daemon(s); /* ends connections that are silent */
}

struct http_counts http_server_counts(const struct http_server *s)
{
	return s->counts;
}

void http_server_url(const struct http_server *s, struct buffer *out)
{
	http_address_url(&s->address, s->has_tls, out);
}

void http_server_close(struct http_server *s)
{
	if (!s)
		return;
	if (s->daemon)
		s->library.MHD_stop_daemon(s->daemon);
	for (size_t i = 0; i < ARRAY_SIZE(s->pages); i++)
		drop_page(s, &s->pages[i]);
	http_address_close(&s->address);
	if (s->key.data)
		explicit_bzero(s->key.data, s->key.size);
	buffer_fini(&s->key);
	buffer_fini(&s->certificate);
	buffer_fini(&s->token);
	free(s);
}
