/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request is one packet with two descriptors: the file, and an end of a new pair of sockets. On
 * the pair go the job, and back the PID of the process that parses, the job and what is more. The
 * process that waits for the next request is forked ahead: that takes as long as most parsers do.
 * Requests of threads need no lock.
 */
#include "os/linux/rights/parser_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/close_between.h"
#include "os/linux/files/descriptors.h"
#include "os/linux/files/task_files.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/forbid_writing.h"
#include "os/linux/rights/parser_filter.h"

#define MEMORY_MAX     (UINT64_C(1) << 30)
#define OWNER_CPU_S    3 /* limits in the reader are shorter */
#define OWNER_FILES    64
#define READERS_MAX    64
#define READER_WAIT_S  4
#define READER_STEP_MS 50
#define FORK_AGAIN_US  50000
#define END_US	       200000
#define END_STEP_US    100	   /* each run of sooth waits for it */
#define OWN_IDS	       0x70000000u /* from here on no user is expected */
#define NO_RIGHTS      65534	   /* user and group of which no file is */

struct request {
	const struct parser *parser; /* the same address in all: none has done an exec since */
	size_t size, more_max;
	bool opens_files; /* below the folder that came with it, as this user */
	struct parser_owner owner;
};

/* The two processes that fork parsers. That for files which the parser opens by itself keeps the
 * ids of sooth, to be able to take those of an owner. */
enum kind { OF_OPEN_FILES, OF_OWNERS };

/* The head of an answer. */
struct head {
	int status;
	size_t more;
};

static bool send_all(int socket, const void *bytes, size_t size)
{
	for (ssize_t sent; size; size -= (size_t)sent, bytes = (const char *)bytes + sent) {
		sent = send(socket, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			sent = 0;
		else if (sent <= 0)
			return false;
	}
	return true;
}

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

/* `until_s`: a parser may send a byte now and then; 0: for ever. */
static bool receive_until(int socket, void *bytes, size_t size, uint64_t until_s)
{
	for (ssize_t got; size; size -= (size_t)got, bytes = (char *)bytes + got) {
		if (until_s && now_s() > until_s)
			return false;
		got = read(socket, bytes, size);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			return false;
	}
	return true;
}

static bool receive_all(int socket, void *bytes, size_t size)
{
	return receive_until(socket, bytes, size, 0);
}

/* --- the process that parses one file --- */

/* Returns the address space in use, in bytes; 0: not known. With a sanitizer it is terabytes. */
static uint64_t used_memory(void)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (size <= 0)
		return 0;
	text[size] = '\0';
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Sets a limit, or keeps a lower one. */
static bool set_limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return false;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return !setrlimit(resource, &limit);
}

/* How this process is confined, for doctor. */
static struct confinement {
	uint32_t uid;
	bool is_filtered;
} own;

/* Sets limits, which hold even where the kernel has no filters. `used`: memory that it has already.
 */
static bool limit_parser(pid_t parent, uint64_t used)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent && used && set_limit(RLIMIT_AS, used + MEMORY_MAX) &&
	       set_limit(RLIMIT_CPU, PARSER_CPU_S) && set_limit(RLIMIT_FSIZE, 0) &&
	       set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_NPROC, 0);
}

static void confine_parser(void)
{
	own.uid = getuid();
	own.is_filtered = parser_filter_install(false);
}

/* Takes the ids of the owner, without any capability. */
static bool confine_to_owner(const struct request *r, pid_t parent)
{
	if (r->owner.group_count > PARSER_GROUPS_MAX || !caller_become_owner(&r->owner) ||
		!set_limit(RLIMIT_CPU, OWNER_CPU_S) || !set_limit(RLIMIT_NOFILE, OWNER_FILES))
		return false;
	prctl(PR_SET_DUMPABLE, 0); /* other ids may have changed both */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return false;
	if (r->owner.prepare)
		r->owner.prepare();
	forbid_writing(NULL, 0);
	parser_filter_install(true);
	return true;
}

/* Answers jobs for a file until sooth has no more. */
static bool answer_jobs(const struct request *r, int file, int answer, pid_t pid)
{
	struct buffer more = { .limit = r->more_max };
	void *job = malloc(r->size);
	bool is_sent = job;

	while (is_sent && receive_all(answer, job, r->size)) {
		struct head head = { 0 };

		is_sent = send_all(answer, &pid, sizeof(pid));
		buffer_reset(&more);
		head.status = r->parser->parse(file, job, &more);
		if (buffer_failed(&more))
			head.status = -ENOMEM;
		head.more = head.status ? 0 : more.size;
		is_sent = is_sent && send_all(answer, &head, sizeof(head)) &&
			  send_all(answer, job, r->size) && send_all(answer, more.data, head.more);
	}
	return is_sent;
}

/* A library may call exit() when it gets no memory. */
static void exit_without_handlers(void)
{
	_exit(EXIT_FAILURE);
}

/* Waits for a request, and answers it. `taken` ends then; a byte in it: there will be none. */
static void run_parser(enum kind kind, int requests, int taken, pid_t parent, uint64_t used)
{
	pid_t pid = getpid();
	struct request r;
	int files[2];

	bool is_limited = !atexit(exit_without_handlers) && limit_parser(parent, used);

	if (is_limited && kind == OF_OPEN_FILES)
		confine_parser();
	if (!is_limited || descriptors_receive(requests, files, 2, &r, sizeof(r), 0)) {
		send_all(taken, "", 1);
		_exit(EXIT_FAILURE);
	}
	close(requests);
	close(taken);
	if (r.opens_files != (kind == OF_OWNERS) ||
		(r.opens_files && !confine_to_owner(&r, parent)))
		_exit(EXIT_FAILURE);
	if (!r.opens_files)
		set_limit(RLIMIT_NOFILE, 0); /* no file can be opened: the filter allows neither */
	_exit(answer_jobs(&r, files[0], files[1], pid) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- the processes that fork them --- */

/* Forks a parser, and waits until it has a request. Returns its PID; 0: there will be no request; a
 * negative errno. */
static pid_t fork_parser(enum kind kind, int requests, uint64_t used)
{
	pid_t self = getpid(), pid;
	int taken[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, taken))
		return -errno;
	pid = fork();
	if (pid < 0)
		pid = -errno;
	if (!pid) {
		close(taken[0]);
		run_parser(kind, requests, taken[1], self, used);
	}
	close(taken[1]);
	if (pid > 0 && receive_all(taken[0], &byte, 1))
		pid = 0;
	close(taken[0]);
	return pid;
}

/* Starts a process that waits for a request, and another one when it has got one. */
static void serve_open_files(int requests)
{
	uint64_t used = used_memory();
	pid_t pid;

	signal(SIGCHLD, SIG_IGN); /* nothing has to wait for them */
	do {
		pid = fork_parser(OF_OPEN_FILES, requests, used);
		if (pid == -EAGAIN)
			usleep(FORK_AGAIN_US); /* until others have ended */
	} while (pid > 0 || pid == -EAGAIN);
	/* Process 1 of a container may reap nothing. SIGCHLD is ignored: this waits for all. */
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	_exit(EXIT_SUCCESS);
}

/* Readers have the ids of a user, who may stop them. They are not reaped by the kernel, so that no
 * other process has such a PID meanwhile. */
struct readers {
	struct {
		pid_t pid;
		uint64_t until_s;
	} all[READERS_MAX];
	size_t count;
};

/* Reaps those that have ended, and ends those that were stopped or take too long. */
static void watch_readers(struct readers *r)
{
	for (size_t i = 0; i < r->count;) {
		pid_t pid = r->all[i].pid;
		char state[32];

		snprintf(state, sizeof(state), "/proc/%d/stat", (int)pid);
		if (waitpid(pid, NULL, WNOHANG)) {
			r->all[i] = r->all[--r->count];
			continue;
		}
		if (now_s() > r->all[i].until_s || task_is_stopped(state))
			kill(pid, SIGKILL);
		i++;
	}
}

/* Forks a reader for each request. */
static void serve_owners(int requests)
{
	struct readers r = { .count = 0 };
	uint64_t used = used_memory();
	pid_t pid = 1;

	signal(SIGCHLD, SIG_DFL);
	while (pid) {
		struct pollfd request = { .fd = r.count < READERS_MAX ? requests : -1,
			.events = POLLIN };
		int ready = poll(&request, 1, r.count ? READER_STEP_MS : -1);

		watch_readers(&r);
		if (ready <= 0)
			continue;
		pid = request.revents & POLLIN ? fork_parser(OF_OWNERS, requests, used) : 0;
		if (pid < 0)
			usleep(FORK_AGAIN_US);
		if (pid <= 0)
			continue;
		r.all[r.count].pid = pid;
		r.all[r.count++].until_s = now_s() + READER_WAIT_S;
	}
	for (size_t i = 0; i < r.count; i++)
		kill(r.all[i].pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	_exit(EXIT_SUCCESS);
}

/* Gives up privileges, descriptors, the terminal and handlers of signals. */
static bool confine_server(enum kind kind, int requests, uid_t uid, gid_t gid, pid_t parent)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGBUS, SIGABRT,
		SIGFPE, SIGILL, SIGXCPU };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (null < 0) /* a bare root directory; the limit keeps it empty */
		null = memfd_create("null", MFD_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		signal(ending[i], SIG_DFL);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	close_between(3, (unsigned)requests - 1);
	close_between((unsigned)requests + 1, ~0u);
	for (char **variable = environ; *variable; variable++)
		memset(*variable, 0, strlen(*variable));
	setsid();
	if (null < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		!(kind == OF_OWNERS && !getuid() ? caller_keep_ids() : caller_become(uid, gid)))
		return false;
	prctl(PR_SET_NAME, kind == OF_OWNERS ? "sooth-reader" : "sooth-parser");
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of ids removes it */
	return getppid() == parent;
}

/* Starts a server. Returns its socket, or a negative errno. */
static int start_server(enum kind kind, uid_t uid, gid_t gid, pid_t *server)
{
	pid_t parent = getpid();
	int ends[2], requests;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	*server = fork();
	if (!*server) {
		requests = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
		if (requests < 0 || !confine_server(kind, requests, uid, gid, parent))
			_exit(EXIT_FAILURE);
		if (kind == OF_OWNERS)
			serve_owners(requests);
		serve_open_files(requests);
	}
	close(ends[1]);
	if (*server > 0)
		return ends[0];
	close(ends[0]);
	return -EAGAIN;
}

/* --- sooth --- */

/* Receives an answer; -ECHILD: it is none. */
static int receive_answer(int end, void *job, size_t size, struct buffer *more)
{
	_cleanup_free_ void *answered = malloc(size);
	uint64_t until_s = now_s() + PARSER_WAIT_S;
	struct head head;
	void *room;

	if (!answered || !receive_until(end, &head, sizeof(head), until_s) ||
		!receive_until(end, answered, size, until_s) || head.status > 0 ||
		head.more > (more ? more->limit : 0))
		return -ECHILD;
	room = head.more ? buffer_reserve(more, head.more) : NULL;
	if (head.more && (!room || !receive_until(end, room, head.more, until_s)))
		return -ECHILD;
	if (head.more)
		buffer_commit(more, head.more);
	memcpy(job, answered, size);
	return head.status;
}

static void set_worker(pid_t pid)
{
	if (parser_worker)
		__atomic_store_n(parser_worker, pid, __ATOMIC_RELAXED);
}

static int open_in_process(int socket, const struct parser *parser,
	const struct parser_owner *owner, int fd, size_t size, size_t more_max)
{
	const struct request r = { parser, size, more_max, owner != NULL,
		owner ? *owner : (struct parser_owner){ 0 } };
	const struct timeval most = { .tv_sec = PARSER_WAIT_S };
	bool is_sent;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	is_sent = !descriptors_send(socket, (const int[]){ fd, ends[1] }, 2, &r, sizeof(r), 0);
	close(ends[1]);
	if (is_sent)
		return ends[0];
	close(ends[0]);
	parser_note_failure(parser->what);
	return -ECHILD;
}

static int ask_process(
	int end, const struct parser *parser, void *job, size_t size, struct buffer *more)
{
	int status = -ECHILD;
	pid_t pid;

	set_worker(-1);
	if (send_all(end, job, size) && receive_all(end, &pid, sizeof(pid))) {
		set_worker(pid > 0 ? pid : -1);
		status = receive_answer(end, job, size, more);
	}
	set_worker(0);
	if (status == -ECHILD)
		parser_note_failure(parser->what);
	return status;
}

static bool has_server; /* or should have one */
static struct parser_process process = { .open = open_in_process, .ask = ask_process };
static pid_t servers[2], owner; /* by kind */

static bool is_ended(pid_t *server)
{
	if (*server > 0 && !waitpid(*server, NULL, WNOHANG))
		return false;
	*server = 0;
	return true;
}

/* Reaps the servers, which are stopped perhaps. */
static void end_servers(void)
{
	cleanup_close(&process.socket);
	cleanup_close(&process.owner_socket);
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		for (int us = 0; !is_ended(&servers[i]) && us < 2 * END_US; us += END_STEP_US) {
			if (us >= END_US)
				kill(servers[i], SIGKILL);
			usleep(END_STEP_US);
		}
	}
}

void parser_process_end(void)
{
	end_servers();
	parser_use_process(NULL);
}

/* Returns whether this user namespace has the highest ids, too: that of a container mostly ends
 * at 65535. */
static bool has_high_ids(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	uint64_t first, outside, count;
	bool has = map &&
		   fscanf(map, "%" SCNu64 "%" SCNu64 "%" SCNu64, &first, &outside, &count) == 3 &&
		   first <= OWN_IDS && first + count > (OWN_IDS | 0xffffff);

	if (map)
		fclose(map);
	return has;
}

/* Returns ids for this run that no other process has: one of the same user could stop or end it. */
static uid_t choose_ids(void)
{
	uint32_t number = 0;

	return has_high_ids() && getrandom(&number, 3, 0) == 3 ? OWN_IDS | number : NO_RIGHTS;
}

void parser_process_start(const struct os *os)
{
	bool is_root = !getuid();
	uid_t uid = is_root ? choose_ids() : getuid();

	(void)os;
	if (!is_root && !caller_is_elevated())
		return;
	owner = getpid();
	process.socket =
		start_server(OF_OPEN_FILES, uid, is_root ? uid : getgid(), &servers[OF_OPEN_FILES]);
	process.owner_socket = start_server(OF_OWNERS, uid, getgid(), &servers[OF_OWNERS]);
	parser_use_process(&process);
	has_server = true;
	atexit(end_servers);
}

int parser_run_apart(
	const struct parser *parser, int fd, void *job, size_t size, struct buffer *more)
{
	int socket, end, status;
	pid_t own_server;

	if (parser_socket() >= 0)
		return parser_run(parser, fd, job, size, more);
	socket = start_server(OF_OPEN_FILES, getuid(), getgid(), &own_server);
	if (socket < 0)
		return socket;
	end = open_in_process(socket, parser, NULL, fd, size, more ? more->limit : 0);
	status = end < 0 ? end : ask_process(end, parser, job, size, more);
	cleanup_close(&end);
	close(socket); /* the server ends, and with it what still parses */
	while (waitpid(own_server, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* --- for doctor --- */

static int report_confinement(int fd, void *job, struct buffer *more)
{
	(void)fd;
	(void)more;
	*(struct confinement *)job = own;
	return 0;
}

void parser_process_describe(char *out, size_t size)
{
	static const struct parser parser = { "nothing", report_confinement };
	struct confinement job = { 0 };

	if (!has_server)
		snprintf(out, size, "in sooth, which has no more privileges than its user");
	else if (parser_run(&parser, STDIN_FILENO, &job, sizeof(job), NULL))
		snprintf(out, size, "not possible: the process for it does not answer");
	else
		snprintf(out, size,
			"apart, as user %u, without capabilities, %s; files of agents as their "
			"owner",
			job.uid,
			job.is_filtered ? "with a seccomp filter" : "without a seccomp filter");
}
