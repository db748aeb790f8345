/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot is made by a copy of the process: the end of a report changes it, and a client may be
 * slow, so only the copy ends the report and waits. */
#include "cli/control/control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "base/error.h"
#include "base/escape.h"
#include "cli/rights/invoker.h"

#define ANSWER_S 10 /* timeout in seconds for a client that does not read */

void control_init(struct control *c)
{
	assert(c);
	*c = (struct control){ .listener = -1 };
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
}

/* --- the socket --- */

static bool is_socket(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISSOCK(st.st_mode);
}

/* Returns whether the socket was left by a sooth that was killed: the caller owns it, and no
 * process listens at it. */
static bool is_left_over(const struct sockaddr_un *address)
{
	_cleanup_close_ int probe = -1;
	struct stat st;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return false;
	probe = closed_at_exec_socket(AF_UNIX, SOCK_STREAM, false);
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

/* Sets a remedy with another name for the socket, to paste after the command. */
static int propose_name(
	const struct control *c, const struct sockaddr_un *address, struct sooth_error *err)
{
	const char *option = c->option ? c->option : "--control ";
	const char *slash = strrchr(address->sun_path, '/');

	if (err->code != -EADDRINUSE)
		return error_remedy(err, "%s/tmp/%s", option,
			slash && slash[1] ? slash + 1
			: slash		  ? "sooth.sock"
					  : address->sun_path);
	error_why(err, is_socket(address->sun_path) ? "another program listens there"
						    : "there is a file of that name");
	return error_remedy(err, "%s%s.2", option, address->sun_path);
}

static int bind_to(const struct control *c, int fd, const char *path, struct sooth_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int status;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		error_set(err, -ENAMETOOLONG, SOOTH_FAULT_USAGE, "listen at %s", path);
		error_why(err, "the name of a socket has 1 to %zu bytes",
			sizeof(address.sun_path) - 1);
		return error_remedy(err, "%s/tmp/sooth.sock", c->option ? c->option : "--control ");
	}
	memcpy(address.sun_path, path, strlen(path));
	/* The file has this mode from the start, so that no other user can connect in between. */
	status = fchmod(fd, 0600) ? -errno : bind_here(fd, &address);
	if (!status && !listen(fd, CONTROL_CLIENTS))
		return 0;
	error_errno(err, status ? status : -errno, "listen at %s", path);
	return propose_name(c, &address, err);
}

/* Checks the folder for root: a user who can exchange the folder of the socket would decide which
 * file is made and removed. */
static int check_folder(struct control *c, const char *path, struct sooth_error *err)
{
	struct trust trust = invoker_trust();
	_cleanup_close_ int fd = trusted_open_parent(&trust, path, &c->owner, err);

	if (fd == -EPERM && !err->remedy[0])
		error_remedy(err, "%s/run/sooth.sock", c->option ? c->option : "--control ");
	return fd == -EPERM ? fd : 0; /* bind(2) reports any other error */
}

/* Returns whether the name is the file that was made: it may be another program's by now. */
static bool is_own(const struct control *c)
{
	struct stat st;

	return !lstat(c->path, &st) && st.st_dev == c->device && st.st_ino == c->inode;
}

int control_open(struct control *c, const char *path, struct sooth_error *err)
{
	assert(c);

	struct rights before;
	struct stat st = { 0 };
	int status = check_folder(c, path, err), fd;

	if (!status)
		status = rights_drop_to_user(&before, c->owner, err);
	if (status)
		return status;
	fd = closed_at_exec_socket(AF_UNIX, SOCK_STREAM, false);
	status = fd < 0 ? error_errno(err, -errno, "make a socket") : bind_to(c, fd, path, err);
	if (!status && !lstat(path, &st)) {
		c->device = st.st_dev;
		c->inode = st.st_ino;
	}
	rights_restore(&before);
	if (!status) {
		c->listener = fd;
		c->path = path;
	} else if (fd >= 0) {
		close(fd);
	}
	return status;
}

static void release_client(struct control_client *client)
{
	close(client->fd);
	buffer_fini(&client->request);
	if (client->answering)
		waitpid(client->answering, NULL, 0);
	*client = (struct control_client){ .fd = -1 };
}

void control_close(struct control *c)
{
	struct rights before = { 0 };
	struct sooth_error ignored;

	assert(c);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->clients[i].fd >= 0)
			release_client(&c->clients[i]);
	}
	if (c->listener >= 0) {
		if (!rights_drop_to_user(&before, c->owner, &ignored) && is_own(c))
			unlink(c->path);
		rights_restore(&before);
		close(c->listener);
	}
	control_init(c);
}

/* --- answers --- */

/* Sends an answer. A client that does not read its answer loses it. */
static void send_answer(int fd, const char *text, size_t size, int flags)
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
		send_answer(fd, (const char *)line.data, line.size, MSG_DONTWAIT);
	buffer_fini(&line);
}

/* --- snapshots --- */

_Noreturn static void answer_snapshot(const struct control_actions *actions, void *user, int fd)
{
	static const char head[] = "{\"ok\":true,\"report\":";
	struct sooth_error err = { 0 };
	struct buffer text = { 0 };
	int status = actions->report(user, &text, &err);

	if (!status && buffer_failed(&text))
		status = error_no_memory(&err);
	if (status < 0) {
		answer_status(fd, status, &err);
		_exit(1);
	}
	while (text.size && text.data[text.size - 1] == '\n')
		text.size--;
	send_answer(fd, head, strlen(head), 0);
	send_answer(fd, (const char *)text.data, text.size, 0);
	send_answer(fd, "}\n", 2, 0);
	_exit(0);
}

static int make_snapshot(struct control_client *client, const struct control_actions *actions,
	void *user, struct sooth_error *err)
{
	int status = actions->prepare ? actions->prepare(user, err) : 0;

	if (status)
		return status;
	client->answering = fork();
	if (!client->answering)
		answer_snapshot(actions, user, client->fd);
	if (client->answering > 0)
		return 0;
	client->answering = 0;
	return error_errno(err, -errno, "take a snapshot");
}

/* --- requests --- */

static int mark_phase(const struct control_actions *actions, void *user, const char *name,
	struct sooth_error *err)
{
	if (*name)
		return actions->mark(user, name, err);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "mark a phase");
	error_why(err, "it has no name");
	return error_remedy(err, "mark NAME");
}

static int handle_request(struct control_client *client, const char *line,
	const struct control_actions *actions, void *user, struct sooth_error *err)
{
	if (!strcmp(line, "ping"))
		return 0;
	if (!strcmp(line, "pause"))
		return actions->pause(user, err);
	if (!strcmp(line, "resume"))
		return actions->resume(user, err);
	if (!strcmp(line, "mark") || !strncmp(line, "mark ", 5))
		return mark_phase(actions, user, line + strlen("mark") + (line[4] == ' '), err);
	if (!strcmp(line, "snapshot"))
		return make_snapshot(client, actions, user, err);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\"", line);
	error_why(err, "the requests are ping, pause, resume, mark NAME and snapshot");
	return error_remedy(err, "ping");
}

static void handle_lines(
	struct control_client *client, const struct control_actions *actions, void *user)
{
	struct buffer *request = &client->request;
	char *end;

	while (!client->answering && request->size &&
		(end = memchr(request->data, '\n', request->size))) {
		size_t size = (size_t)(end + 1 - (char *)request->data);
		struct sooth_error err = { 0 };
		int status;

		*end = '\0';
		status = handle_request(client, (const char *)request->data, actions, user, &err);
		if (status || !client->answering)
			answer_status(client->fd, status, &err);
		buffer_consume(request, size);
	}
}

static void refuse_request(int fd, int code, const char *what, const char *why, const char *remedy)
{
	struct sooth_error err;

	error_set(&err, code, SOOTH_FAULT_USAGE, "%s", what);
	error_why(&err, "%s", why);
	answer_status(fd, error_remedy(&err, "%s", remedy), &err);
}

/* Reads a request. False: the client is gone, or sent no valid request. */
static bool read_more(struct control_client *client)
{
	char bytes[CONTROL_REQUEST];
	ssize_t size = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!size)
		return false;
	buffer_append(&client->request, bytes, (size_t)size);
	if (client->request.size <= CONTROL_REQUEST)
		return !buffer_failed(&client->request);
	refuse_request(client->fd, -E2BIG, "read a request",
		"the request is longer than 1024 bytes", "mark NAME");
	return false;
}

bool control_peer_is_of(int fd, uid_t user, uint32_t *pid)
{
#ifdef SO_PEERCRED
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	*pid = (uint32_t)peer.pid;
	return peer.uid == user || !peer.uid;
#else
	uid_t uid;
	gid_t gid;

	*pid = 0;
	return !getpeereid(fd, &uid, &gid) && (uid == user || !uid);
#endif
}

static bool is_allowed(int fd)
{
	uint32_t ignored;

	return control_peer_is_of(fd, getuid(), &ignored);
}

int control_accept(struct control *c)
{
	int fd;

	while ((fd = closed_at_exec_accept(c->listener, false)) >= 0 && !is_allowed(fd))
		close(fd);
	return fd;
}

static void accept_one(struct control *c, int fd)
{
	struct timeval most = { .tv_sec = ANSWER_S };

	/* A slow client blocks only the copy of the process that answers. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	for (size_t i = 0; i < CONTROL_CLIENTS && is_allowed(fd); i++) {
		if (c->clients[i].fd >= 0)
			continue;
		c->clients[i].fd = fd;
		return;
	}
	if (is_allowed(fd))
		refuse_request(fd, -EBUSY, "serve another program", "8 are connected",
			"close one of these connections");
	close(fd);
}

void control_serve(struct control *c, const struct control_actions *actions, void *user)
{
	int fd;

	assert(c);
	if (c->listener < 0)
		return;
	while ((fd = closed_at_exec_accept(c->listener, true)) >= 0)
		accept_one(c, fd);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &c->clients[i];

		if (client->fd < 0)
			continue;
		if (client->answering && waitpid(client->answering, NULL, WNOHANG))
			client->answering = 0;
		if (client->answering)
			continue;
		if (read_more(client))
			handle_lines(client, actions, user);
		else
			release_client(client);
	}
}
