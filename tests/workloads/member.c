/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process of a family whose shape the test decides: it connects to the test's socket
 * (SOCK_SEQPACKET), says its name, and then does what it is told, one message an order:
 *
 *	start NAME program=PATH [WORD...]   a child that is such a process too
 *	hangup NAME    close this end of that child's streams
 *	adopt          be the one who gets the orphans of its descendants
 *	reap           ask how children ended; it does not by itself
 *	exit           end
 *
 * and answers "ok" or what went wrong. The words of `start`:
 *
 *	in=S out=S err=S   null, closed, inherit, pipe, socket, input (what `in` is), or a file
 *	session  a session of its own        hup      SIGHUP is ignored, as by nohup(1)
 *	twice    its parent ends at once     eof      it ends with its standard input
 *	pidns    first of a pid namespace    pid=N    it has this number (needs privilege)
 *	uid=N    another user                called=TEXT  argv[0]
 *	deaf     SIGTERM is ignored
 *	holds=NAME    it has a copy of the end of that child's streams, its own too
 *	env=NAME=VALUE   besides what this process has; {pid} is the number of this process
 *
 * The connection is a leash: whoever finds it closed ends. So a family outlives its parents, as it
 * is to, and never the test, however that ends. A child that has not connected yet cannot.
 * No more than the state of processes is made here: none of them does any work.
 */
#include "member.h"

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MESSAGE_MAX  4096
#define LEASH_FD_MIN 10

static char *socket_path;
static char *name;
static bool ends_with_input;

/* Never a standard stream, where one of those is closed. */
static int leash_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int leash;

	if (!socket_path || !name || strlen(socket_path) >= sizeof(to.sun_path))
		return -EINVAL;
	strcpy(to.sun_path, socket_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
		send(fd, name, strlen(name), 0) < 0)
		return -errno;
	leash = fcntl(fd, F_DUPFD_CLOEXEC, LEASH_FD_MIN);
	return leash < 0 ? -errno : leash;
}

static int reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}

static int start(char *const *words, int count)
{
	struct member_order order = { 0 };
	int err = member_parse(&order, words, count);

	return err ? err : member_start(&order, socket_path);
}

static int obey(char *const *words, int count)
{
	if (count && !strcmp(words[0], "start"))
		return start(words + 1, count - 1);
	if (count == 2 && !strcmp(words[0], "hangup"))
		return member_hang_up(words[1]);
	if (count == 1 && !strcmp(words[0], "adopt"))
		return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
	if (count == 1 && !strcmp(words[0], "reap"))
		return reap();
	if (count == 1 && !strcmp(words[0], "exit"))
		_exit(EXIT_SUCCESS);
	return -EINVAL;
}

/* One order; false when the leash is gone. */
static bool serve(int leash)
{
	char text[MESSAGE_MAX], *words[MEMBER_WORDS_MAX], *rest = NULL;
	ssize_t size = recv(leash, text, sizeof(text) - 1, 0);
	const char *said;
	int count = 0, err;

	if (size <= 0)
		return size < 0 && errno == EINTR;
	text[size] = '\0';
	for (char *word = strtok_r(text, " ", &rest); word && count < MEMBER_WORDS_MAX;
		word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	err = obey(words, count);
	said = err ? strerror(-err) : "ok";
	return send(leash, said, strlen(said), MSG_NOSIGNAL) > 0;
}

static bool input_is_over(void)
{
	char bytes[512];

	return read(STDIN_FILENO, bytes, sizeof(bytes)) == 0;
}

static int run(const struct workload *w)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + WORKLOAD_SECONDS_MAX * NS_PER_SEC;
	int leash = leash_connect();
	struct pollfd ready[] = { { .fd = leash, .events = POLLIN },
		{ .fd = ends_with_input ? STDIN_FILENO : -1, .events = POLLIN } };

	(void)w;
	if (leash < 0)
		return leash;
	while (clock_ns(CLOCK_MONOTONIC) < end) {
		if (poll(ready, ARRAY_SIZE(ready), 1000) <= 0)
			continue;
		if (ready[1].revents && input_is_over())
			break;
		if (ready[0].revents && !serve(leash))
			break;
	}
	return 0;
}

static const struct param params[] = {
	{ "socket", "PATH", "of the test", PARAM_TEXT, &socket_path, 0, 0 },
	{ "name", "NAME", "its own", PARAM_TEXT, &name, 0, 0 },
	{ "eof", NULL, "end with standard input", PARAM_FLAG, &ends_with_input, 0, 0 },
	{ 0 },
};

const struct scenario scenario_member = {
	.name = "member",
	.help = "a process of a family that a test puts together",
	.params = params,
	.run = run,
};
