/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child of the scenario `member`: its streams, session, environment and number, put in place
 * between clone3(2) and exec. That exec fails when the test is gone is no matter: it ends then.
 */
#include "member.h"

#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct member_end member_ends[MEMBER_ENDS_MAX];

/* --- what was ordered --- */

static bool take_text(struct member_order *order, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **value;
	} texts[] = { { "program", &order->program }, { "called", &order->called },
		{ "in", &order->stream[0] }, { "out", &order->stream[1] },
		{ "err", &order->stream[2] }, { "holds", &order->holds } };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(key, texts[i].key)) {
			*texts[i].value = value;
			return true;
		}
	if (!strcmp(key, "env"))
		order->environment[order->environment_count++] = value;
	else if (!strcmp(key, "pid"))
		order->pid = atoi(value);
	else if (!strcmp(key, "uid"))
		order->uid = (uid_t)atoi(value);
	else
		return false;
	return true;
}

static bool take_flag(struct member_order *order, const char *key)
{
	const struct {
		const char *key;
		bool *value;
	} flags[] = { { "session", &order->in_own_session }, { "hup", &order->ignores_hangup },
		{ "eof", &order->ends_with_input }, { "twice", &order->is_twice },
		{ "pidns", &order->in_own_namespace }, { "deaf", &order->ignores_terminate } };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(key, flags[i].key)) {
			*flags[i].value = true;
			return true;
		}
	return false;
}

int member_parse(struct member_order *order, char *const *words, int count)
{
	if (count < 1 || strlen(words[0]) >= MEMBER_NAME_MAX)
		return -EINVAL;
	*order = (struct member_order){ .name = words[0],
		.stream = { "inherit", "inherit", "inherit" } };
	for (int i = 1; i < count; i++) {
		char *equals = strchr(words[i], '=');

		if (equals)
			*equals = '\0';
		if (equals ? !take_text(order, words[i], equals + 1) : !take_flag(order, words[i]))
			return -EINVAL;
	}
	return order->program ? 0 : -EINVAL;
}

/* --- ends of streams --- */

static int end_keep(const char *name, int fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(member_ends); i++) {
		struct member_end *end = &member_ends[i];

		if (!end->name[0]) {
			snprintf(end->name, sizeof(end->name), "%s", name);
			end->fd = fd;
			return 0;
		}
	}
	return -ENOSPC;
}

int member_hang_up(const char *name)
{
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(member_ends); i++)
		if (!strcmp(member_ends[i].name, name)) {
			close(member_ends[i].fd);
			member_ends[i].name[0] = '\0';
			err = 0;
		}
	return err;
}

/* The child's end; ours is kept. -1: there is nothing to make before the child is there. */
static int stream_make(const struct member_order *order, int number)
{
	const char *kind = order->stream[number];
	int ends[2], theirs = number ? 1 : 0, err;

	if (!strcmp(kind, "pipe"))
		err = pipe2(ends, O_CLOEXEC);
	else if (!strcmp(kind, "socket"))
		err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	else
		return -1;
	if (err || end_keep(order->name, ends[!theirs]))
		return -2;
	return ends[theirs];
}

/* --- in the child --- */

static void must(bool is_well)
{
	if (!is_well)
		_exit(EXIT_FAILURE);
}

static void stream_place(const struct member_order *order, int number, int made)
{
	const char *kind = order->stream[number];
	int fd;

	if (!strcmp(kind, "inherit"))
		return;
	if (made >= 0) {
		must(dup2(made, number) == number);
	} else if (!strcmp(kind, "input")) {
		must(dup2(STDIN_FILENO, number) == number);
	} else if (!strcmp(kind, "closed")) {
		close(number);
	} else {
		fd = open(strcmp(kind, "null") ? kind : "/dev/null", O_RDWR | O_CREAT | O_APPEND,
			0666);
		must(fd >= 0 && dup2(fd, number) == number);
		if (fd > STDERR_FILENO)
			close(fd);
	}
}

/* {pid} is who starts it: markers name the main process. */
static void environment_place(const struct member_order *order, pid_t parent)
{
	for (int i = 0; i < order->environment_count; i++) {
		const char *equals = strchr(order->environment[i], '=');
		char name[MEMBER_NAME_MAX], number[16];

		must(equals && equals - order->environment[i] < (ptrdiff_t)sizeof(name));
		snprintf(name, sizeof(name), "%.*s", (int)(equals - order->environment[i]),
			order->environment[i]);
		snprintf(number, sizeof(number), "%d", parent);
		setenv(name, strcmp(equals + 1, "{pid}") ? equals + 1 : number, 1);
	}
}

/* A copy that exec leaves open. */
static void end_hold(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(member_ends); i++)
		if (!strcmp(member_ends[i].name, name))
			must(fcntl(member_ends[i].fd, F_DUPFD, 10) >= 10);
}

static void become(
	const struct member_order *order, const char *socket_path, const int *made, pid_t parent)
{
	const char *called = order->called ? order->called : order->program;

	if (order->in_own_session)
		must(setsid() >= 0);
	if (order->ignores_hangup)
		signal(SIGHUP, SIG_IGN);
	if (order->ignores_terminate)
		signal(SIGTERM, SIG_IGN);
	if (order->holds)
		end_hold(order->holds);
	environment_place(order, parent);
	for (int i = 0; i < 3; i++)
		stream_place(order, i, made[i]);
	if (order->uid)
		must(!setgroups(0, NULL) && !setresgid(order->uid, order->uid, order->uid) &&
			!setresuid(order->uid, order->uid, order->uid));
	execl(order->program, called, "member", "--socket", socket_path, "--name", order->name,
		order->ends_with_input ? "--eof" : NULL, NULL);
	_exit(EXIT_FAILURE);
}

/* --- in the parent --- */

static pid_t clone_as(pid_t wanted, bool in_own_namespace)
{
	struct clone_args args = {
		.flags = in_own_namespace ? CLONE_NEWPID : 0,
		.exit_signal = SIGCHLD,
		.set_tid = wanted ? (uintptr_t)&wanted : 0,
		.set_tid_size = wanted ? 1 : 0,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	return pid < 0 ? -errno : pid;
}

/* Its parent, which nothing knows of, has ended when this returns. */
static pid_t middle_start(
	const struct member_order *order, const char *socket_path, const int *made, pid_t parent)
{
	pid_t pid, middle = fork();

	if (middle < 0)
		return -errno;
	if (middle)
		return child_wait(middle);
	pid = clone_as(order->pid, order->in_own_namespace);
	if (!pid)
		become(order, socket_path, made, parent);
	_exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int member_start(const struct member_order *order, const char *socket_path)
{
	pid_t pid, parent = getpid();
	int made[3];

	for (int i = 0; i < 3; i++) {
		made[i] = stream_make(order, i);
		if (made[i] < -1)
			return -EMFILE;
	}
	if (order->is_twice) {
		pid = middle_start(order, socket_path, made, parent);
	} else {
		pid = clone_as(order->pid, order->in_own_namespace);
		if (!pid)
			become(order, socket_path, made, parent);
	}
	for (int i = 0; i < 3; i++)
		if (made[i] >= 0)
			close(made[i]);
	return pid < 0 ? pid : 0;
}
