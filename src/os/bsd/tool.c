/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/closed_at_exec.h"
#include "base/units.h"

#define PIECE_BYTES (64u << 10)
#define LINES_MAX   (64u << 20)
#define STEP_MS	    50
#define LINE_MAX_   65536

void tool_init(struct tool *t)
{
	*t = (struct tool){ .out = -1, .complaints = -1 };
}

/* Sets default signals for the program, whatever sooth ignores or blocks. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, defaults;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &defaults);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int spawn_tool(struct tool *t, const char *const *words, int out, int complaints)
{
	static char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin", language[] = "LC_ALL=C";
	char *environment[] = { path, language, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int status;

	set_attributes(&attributes);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
	status = posix_spawn(&t->pid, words[0], &actions, &attributes,
		(char *const *)(uintptr_t)words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -status;
}

int tool_start(struct tool *t, const char *const *words, struct sooth_error *err)
{
	int out[2], complaints[2], status;

	tool_fini(t);
	if (closed_at_exec_pipe(out))
		return error_errno(err, -errno, "make a pipe");
	if (closed_at_exec_pipe(complaints)) {
		close(out[0]);
		close(out[1]);
		return error_errno(err, -errno, "make a pipe");
	}
	status = spawn_tool(t, words, out[1], complaints[1]);
	close(out[1]);
	close(complaints[1]);
	t->out = out[0];
	t->complaints = complaints[0];
	fcntl(t->out, F_SETFL, O_NONBLOCK);
	fcntl(t->complaints, F_SETFL, O_NONBLOCK);
	if (!status)
		return 0;
	t->pid = 0;
	tool_fini(t);
	return error_errno(err, status, "run %s", words[0]);
}

static void read_complaints(struct tool *t)
{
	size_t used = strlen(t->complaint);
	char rest[256];
	ssize_t got;

	while ((got = read(t->complaints, rest, sizeof(rest))) > 0) {
		size_t room = sizeof(t->complaint) - 1 - used;
		size_t kept = (size_t)got < room ? (size_t)got : room;

		memcpy(t->complaint + used, rest, kept);
		used += kept;
	}
	t->complaint[used] = '\0';
}

/* Reads available output. Returns true at the end of the output. */
static bool read_lines(struct tool *t)
{
	while (t->lines.size < LINES_MAX) {
		void *room = buffer_reserve(&t->lines, PIECE_BYTES);
		ssize_t got = room ? read(t->out, room, PIECE_BYTES) : -1;

		if (got <= 0)
			return !got;
		buffer_commit(&t->lines, (size_t)got);
	}
	return false;
}

bool tool_read(struct tool *t)
{
	if (!t->pid)
		return true;
	read_complaints(t);
	if (!read_lines(t))
		return false;
	if (!t->has_ended && waitpid(t->pid, &t->status, WNOHANG) == t->pid)
		t->has_ended = true;
	if (t->has_ended)
		read_complaints(t);
	return t->has_ended;
}

void tool_lines(struct tool *t, tool_line_visitor visitor, void *user)
{
	struct span all = span_of((const char *)t->lines.data, t->lines.size);
	const char *last = span_last(all, '\n');
	size_t size = last ? (size_t)(last + 1 - all.data) : 0;
	struct cursor c = cursor_over(all.data, size);

	while (!cursor_at_end(&c))
		visitor(user, cursor_line(&c));
	if (!size && all.size > LINE_MAX_)
		size = all.size; /* it is no text */
	buffer_consume(&t->lines, size);
}

void tool_wait(const struct tool *t, int timeout_ms)
{
	struct pollfd polled[] = { { .fd = t->out, .events = POLLIN } };

	/* A pipe at its end is always readable; then wait a moment for the process. */
	if (poll(polled, 1, timeout_ms) > 0 && !(polled[0].revents & POLLIN))
		poll(NULL, 0, timeout_ms < STEP_MS ? timeout_ms : STEP_MS);
}

void tool_stop(struct tool *t, int timeout_ms)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	if (!t->pid)
		return;
	kill(t->pid, SIGINT);
	while (!tool_read(t) && clock_monotonic_ns() < end_ns)
		tool_wait(t, STEP_MS);
}

void tool_first_complaint(const struct tool *t, char *out, size_t room)
{
	size_t size = strcspn(t->complaint, "\n");

	size = size < room ? size : room - 1;
	memcpy(out, t->complaint, size);
	out[size] = '\0';
}

void tool_fini(struct tool *t)
{
	if (t->pid && !t->has_ended) {
		kill(t->pid, SIGKILL);
		while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (t->out >= 0)
		close(t->out);
	if (t->complaints >= 0)
		close(t->complaints);
	buffer_fini(&t->lines);
	tool_init(t);
}
