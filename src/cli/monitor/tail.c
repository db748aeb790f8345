/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/tail.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/closed_at_exec.h"
#include "base/units.h"
#include "cli/monitor/clients.h"
#include "cli/terminal/stop.h"

#define WAIT_MS	    200
#define ALL_RECORDS "syscalls,scheduler,api_calls"
#define ERROR_LINE  "\"type\":\"error\",\"what\":\""
#define ERROR_WHY   "\",\"why\":\""
#define RECORDS_WHY "the records are"

/* Returns the owner of the file that refuses access: the socket, or the first folder that can be
 * read. */
static const char *owner_of(const char *path, char *out, size_t size)
{
	char at[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const struct passwd *user;
	struct stat st;
	char *slash;

	snprintf(at, sizeof(at), "%s", path);
	while (stat(at, &st)) {
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			return NULL;
		*slash = '\0';
	}
	user = getpwuid(st.st_uid);
	if (user)
		snprintf(out, size, "%s", user->pw_name);
	else
		snprintf(out, size, "#%u", (unsigned)st.st_uid);
	return out;
}

static int refuse_without_permission(const char *path, struct sooth_error *err)
{
	char owner[64];
	int folder_size = (int)(strrchr(path, '/') - path);

	if (!owner_of(path, owner, sizeof(owner))) {
		error_why(err, "%s", strerror(EACCES));
		return error_remedy(err, "sudo sooth tail --fifo-dir %.*s", folder_size, path);
	}
	error_why(err, "the monitor serves only user %s", owner);
	return error_remedy(
		err, "sudo -u '%s' sooth tail --fifo-dir %.*s", owner, folder_size, path);
}

static int connect_to(const struct tail_options *o, struct sooth_error *err)
{
	struct sockaddr_un address;
	int status = fifo_folder_socket(o->folder, CLIENTS_SOCKET, &address, err), fd;

	if (status)
		return status;
	fd = closed_at_exec_socket(AF_UNIX, SOCK_STREAM, true);
	if (fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	status = -errno;
	if (fd >= 0)
		close(fd);
	error_set(err, status, status == -EACCES ? SOOTH_FAULT_PRIVILEGE : SOOTH_FAULT_NOT_FOUND,
		"connect to the monitor at %s", address.sun_path);
	if (status == -EACCES)
		return refuse_without_permission(address.sun_path, err);
	error_why(err, "%s",
		status == -ENOENT || status == -ECONNREFUSED ? "no monitor serves that folder"
							     : strerror(-status));
	return o->folder ? error_remedy(err, "sooth monitor --fifo-dir %s", o->folder)
			 : error_remedy(err, "sooth monitor");
}

static int send_request(int fd, const struct tail_options *o, struct sooth_error *err)
{
	struct buffer line = { 0 };
	ssize_t sent;

	buffer_format(&line, "%s %s\n", o->records ? o->records : ALL_RECORDS,
		o->filter ? o->filter : "");
	if (line.size > CLIENTS_REQUEST || (o->filter && strchr(o->filter, '\n'))) {
		buffer_fini(&line);
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "send the filter");
		error_why(
			err, "the text has more than %d bytes, or several lines", CLIENTS_REQUEST);
		return error_remedy(err, "sooth tail --filter 'pid = 1'");
	}
	sent = send(fd, line.data, line.size, MSG_NOSIGNAL);
	buffer_fini(&line);
	return sent < 0 ? error_errno(err, -errno, "write to the monitor") : 0;
}

/* Checks the first line of the monitor, which may be an error about the request. */
static int check_error(const char *text, struct sooth_error *err)
{
	const char *what = strstr(text, ERROR_LINE);
	const char *why = what ? strstr(what, ERROR_WHY) : NULL;

	if (!why)
		return 0;
	what += strlen(ERROR_LINE);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "serve \"%.*s\"", (int)(why - what), what);
	why += strlen(ERROR_WHY);
	error_why(err, "%.*s", (int)strcspn(why, "\""), why);
	if (!strncmp(err->why, RECORDS_WHY, strlen(RECORDS_WHY)))
		return error_remedy(err, "sooth tail -r " ALL_RECORDS);
	return error_remedy(err, "sooth help --json-schema monitor");
}

/* Copies output. Returns 1: go on; 0: the monitor has ended. */
static int copy_output(int fd, bool *is_first, struct sooth_error *err)
{
	char bytes[65536];
	ssize_t size = read(fd, bytes, sizeof(bytes) - 1);

	if (size < 0)
		return errno == EINTR ? 1 : error_errno(err, -errno, "read from the monitor");
	bytes[size] = '\0';
	if (*is_first && size && check_error(bytes, err))
		return err->code;
	*is_first = false;
	if (fwrite(bytes, 1, (size_t)size, stdout) != (size_t)size || fflush(stdout))
		return error_errno(err, -errno, "write to standard output");
	return size > 0;
}

int tail_run(const struct tail_options *o, struct sooth_error *err)
{
	assert(o);

	uint64_t end_ns = o->duration_ns ? clock_monotonic_ns() + o->duration_ns : UINT64_MAX;
	int fd = connect_to(o, err), status = fd < 0 ? fd : send_request(fd, o, err);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	bool is_first = true;

	stop_catch();
	status = status ? status : 1;
	while (status > 0 && !stop_is_selected() && clock_monotonic_ns() < end_ns) {
		if (poll(&ready, 1, WAIT_MS) > 0)
			status = copy_output(fd, &is_first, err);
	}
	if (fd >= 0)
		close(fd);
	return status < 0 ? status : 0;
}
