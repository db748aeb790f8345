/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot is made by a copy of the process: to end a report changes it, and the copy is all that
 * is ended.
 */
#include "cli/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/escape.h"

#define ANSWER_S 10 /* for a client that does not read */

void control_init(struct control *c)
{
	*c = (struct control){ .listener = -1 };
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
}

/* --- the socket --- */

/* The socket of a sooth that was killed: it is the caller's own, and nothing listens at it. */
static bool is_left_over(const struct sockaddr_un *address)
{
	_cleanup_close_ int probe = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return false;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return probe >= 0 && connect(probe, (const void *)address, sizeof(*address)) &&
	       errno == ECONNREFUSED;
}

static int bind_here(int fd, const struct sockaddr_un *address)
{
	int status = bind(fd, (const void *)address, sizeof(*address)) ? -errno : 0;

	if (status != -EADDRINUSE || !is_left_over(address) || unlink(address->sun_path))
		return status;
	return bind(fd, (const void *)address, sizeof(*address)) ? -errno : 0;
}

static int bind_to(int fd, const char *path, struct sooth_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int status;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		error_set(err, -ENAMETOOLONG, SOOTH_FAULT_USAGE, "listen at %s", path);
		return error_why(err, "the name of a socket has 1 to %zu bytes",
			sizeof(address.sun_path) - 1);
	}
	memcpy(address.sun_path, path, strlen(path));
	/* The mode of its file, so that no other user can connect in between. */
	status = fchmod(fd, 0600) ? -errno : bind_here(fd, &address);
	if (!status && !listen(fd, CONTROL_CLIENTS))
		return 0;
	status = status ? status : -errno;
	error_errno(err, status, "listen at %s", path);
	if (status == -EADDRINUSE)
		error_remedy(err, "give another name, or remove the file if no sooth uses it");
	return status;
}

int control_open(struct control *c, const char *path, struct sooth_error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int status = fd < 0 ? error_errno(err, -errno, "make a socket") : bind_to(fd, path, err);

	if (status) {
		if (fd >= 0)
			close(fd);
		return status;
	}
	c->listener = fd;
	c->path = path;
	return 0;
}

int control_add_report(struct control *c, struct sooth_report *report, struct sooth_error *err)
{
	struct sooth_sink_options sink = { .size = sizeof(sink), .in_lines = true };

	if (c->listener < 0 || c->has_no_report)
		return 0;
	c->memory = open_memstream(&c->text, &c->size);
	if (!c->memory)
		return error_no_memory(err);
	c->report = report;
	sink.stream = c->memory;
	return sooth_report_add_sink(report, "json", &sink, err);
}

static void let_go(struct control_client *client)
{
	close(client->fd);
	buffer_fini(&client->request);
	if (client->answering)
		waitpid(client->answering, NULL, 0);
	*client = (struct control_client){ .fd = -1 };
}

void control_close(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->clients[i].fd >= 0)
			let_go(&c->clients[i]);
	}
	if (c->listener >= 0) {
		unlink(c->path);
		close(c->listener);
	}
	if (c->memory)
		fclose(c->memory);
	free(c->text);
	control_init(c);
}

/* --- answers --- */

/* A client that does not read what it requested loses it. */
static void answer(int fd, const char *text, size_t size, int flags)
{
	while (size) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL | flags);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return;
		text += sent;
		size -= (size_t)sent;
	}
}

static void put_member(struct buffer *line, const char *name, const char *value)
{
	if (!*value)
		return;
	buffer_format(line, ",\"%s\":\"", name);
	escape_json(line, value, strlen(value));
	buffer_char(line, '"');
}

static void answer_status(int fd, int status, const struct sooth_error *err)
{
	struct buffer line = { 0 };

	buffer_format(&line, "{\"ok\":%s", status < 0 ? "false" : "true");
	if (status < 0) {
		put_member(&line, "what", err->tried);
		put_member(&line, "why", err->why);
		put_member(&line, "try", err->remedy);
	}
	buffer_string(&line, "}\n");
	if (!buffer_failed(&line))
		answer(fd, (const char *)line.data, line.size, MSG_DONTWAIT);
	buffer_fini(&line);
}

/* --- snapshots --- */

/* What only the other process may write to. */
static void silence(const struct control *c)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0)
		_exit(1);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(c->others); i++) {
		if (c->others[i] && fileno(c->others[i]) >= 0)
			dup2(null, fileno(c->others[i]));
	}
}

_Noreturn static void answer_snapshot(struct control *c, int fd)
{
	static const char head[] = "{\"ok\":true,\"report\":";
	struct sooth_error err = { 0 };
	int status;

	silence(c);
	status = sooth_report_finish(c->report, &err);
	if (fflush(c->memory) && !status)
		status = error_no_memory(&err);
	if (status < 0) {
		answer_status(fd, status, &err);
		_exit(1);
	}
	while (c->size && c->text[c->size - 1] == '\n')
		c->size--;
	answer(fd, head, strlen(head), 0);
	answer(fd, c->text, c->size, 0);
	answer(fd, "}\n", 2, 0);
	_exit(0);
}

static int snapshot(struct control *c, struct control_client *client, struct sooth_observer *o,
	struct sooth_error *err)
{
	int status;

	if (!c->report) {
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "take a snapshot");
		error_why(
			err, "this report prints what happens as it happens, and sums nothing up");
		return error_remedy(err, "sooth trace -c, sooth heap, sooth profile");
	}
	status = sooth_observer_snapshot(o, err);
	if (!status) /* what is in the rings now is part of it */
		status = sooth_observer_step(o, 0, err);
	if (status < 0 && status != -EINTR)
		return status;
	client->answering = fork();
	if (!client->answering)
		answer_snapshot(c, client->fd);
	if (client->answering > 0)
		return 0;
	client->answering = 0;
	return error_errno(err, -errno, "take a snapshot");
}

/* --- requests --- */

static int do_request(struct control *c, struct control_client *client, const char *line,
	struct sooth_observer *o, struct sooth_error *err)
{
	if (!strcmp(line, "ping"))
		return 0;
	if (!strcmp(line, "pause"))
		return sooth_observer_pause(o, err);
	if (!strcmp(line, "resume"))
		return sooth_observer_resume(o, err);
	if (!strncmp(line, "mark ", 5))
		return sooth_observer_mark(o, line + 5, err);
	if (!strcmp(line, "snapshot"))
		return snapshot(c, client, o, err);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"", line);
	return error_remedy(err, "ping, pause, resume, mark NAME, snapshot");
}

static void take_lines(struct control *c, struct control_client *client, struct sooth_observer *o)
{
	struct buffer *request = &client->request;
	char *end;

	while (!client->answering && request->size &&
		(end = memchr(request->data, '\n', request->size))) {
		size_t size = (size_t)(end + 1 - (char *)request->data);
		struct sooth_error err = { 0 };
		int status;

		*end = '\0';
		status = do_request(c, client, (const char *)request->data, o, &err);
		if (status || !client->answering)
			answer_status(client->fd, status, &err);
		buffer_consume(request, size);
	}
}

/* False: it is gone, or sends what is no request. */
static bool read_more(struct control_client *client)
{
	char bytes[CONTROL_REQUEST];
	ssize_t size = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!size)
		return false;
	buffer_append(&client->request, bytes, (size_t)size);
	return client->request.size <= CONTROL_REQUEST && !buffer_failed(&client->request);
}

static bool is_allowed(int fd)
{
#ifdef SO_PEERCRED
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	return peer.uid == getuid() || !peer.uid;
#else
	uid_t uid;
	gid_t gid;

	return !getpeereid(fd, &uid, &gid) && (uid == getuid() || !uid);
#endif
}

static void accept_all(struct control *c)
{
	struct timeval most = { .tv_sec = ANSWER_S };
	int fd;

	/* It blocks the copy of a process that answers. */
	while ((fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		size_t i = 0;

		while (i < CONTROL_CLIENTS && c->clients[i].fd >= 0)
			i++;
		if (i == CONTROL_CLIENTS || !is_allowed(fd)) {
			close(fd);
			continue;
		}
		c->clients[i].fd = fd;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	}
}

void control_serve(struct control *c, struct sooth_observer *o)
{
	if (c->listener < 0)
		return;
	accept_all(c);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &c->clients[i];

		if (client->fd < 0)
			continue;
		if (client->answering && waitpid(client->answering, NULL, WNOHANG))
			client->answering = 0;
		if (client->answering)
			continue;
		if (read_more(client))
			take_lines(c, client, o);
		else
			let_go(client);
	}
}
