/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/java/java_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/root_file.h"
#include "os/linux/files/task_files.h"
#include "os/linux/runtimes/java/java_counters.h"

#define ANSWER_MS    5000
#define READ_MS	     1000 /* of its mappings */
#define STEP_MS	     20
#define ANSWER_BYTES (8u << 20) /* some 100,000 classes */
#define QUIT_BIT     (1ull << (SIGQUIT - 1))

/* Version of the protocol, the command and its three arguments, each with its NUL. */
static const char request[] = "1\0inspectheap\0-live\0\0";

enum problem {
	NO_PROBLEM,
	NO_TMP,
	NO_USER,
	NO_FILE,
	NO_SIGNAL,
	FOREIGN_FILE,
	FOREIGN_SOCKET,
	NO_ANSWER,
	REFUSED,
};

static const char *const problems[] = {
	[NO_TMP] = "/tmp of the JVM cannot be opened",
	[NO_USER] = "sooth cannot take the user of the JVM: run sooth as that user",
	[NO_FILE] = "the user of the JVM cannot make a file in its /tmp",
	[NO_SIGNAL] = "the JVM has ended, or may not be signaled",
	[FOREIGN_FILE] = "a file of another user is where the JVM looks for .attach_pidPID in /tmp",
	[FOREIGN_SOCKET] = "the socket .java_pidPID in /tmp is not that of the JVM",
	[NO_ANSWER] = "the JVM did not answer within 5 s, or its user ended sooth's child",
	[REFUSED] = "the JVM refused to count its objects",
};

static const char no_room[] = "sooth has no memory, or no process, to ask it";

/* Data of the child. It shares sooth's memory, and its user may kill it at any moment: so it
 * allocates nothing, takes no lock, and writes only here and into `answer`. */
struct attach_job {
	int process; /* /proc/PID */
	pid_t sooth;
	uint32_t pid, inner_pid, uid, gid;
	uint64_t until_ns;
	char *answer; /* ANSWER_BYTES */
	size_t size;
	enum problem problem;
	bool is_answered, is_cut; /* not answered: the child may have been killed */
};

/* --- the child --- */

/* Takes the user of the JVM. The functions of the C library would change all threads that share
 * its memory, those of sooth too. The kernel makes a process that does so not dumpable: no process
 * of that user can read the memory. */
static bool take_user(const struct attach_job *j)
{
	if (geteuid() == j->uid && getegid() == j->gid)
		return true;
	/* No process could be made, so a thread of sooth does the work. */
	if (getpid() == j->sooth)
		return false;
	if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, j->gid, j->gid, j->gid) ||
		syscall(SYS_setresuid, j->uid, j->uid, j->uid))
		return false;
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return true;
}

/* Returns a connection to the JVM itself; a negative errno: there is no such socket yet. */
static int connect_once(struct attach_job *j, int tmp)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct stat st;
	char name[32];
	int fd;

	snprintf(name, sizeof(name), ".java_pid%u", j->inner_pid);
	if (fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != j->uid) {
		j->problem = FOREIGN_SOCKET;
		return -EACCES;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/%s", tmp, name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		int status = -errno;

		cleanup_close(&fd);
		return status;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid != (pid_t)j->pid ||
		peer.uid != j->uid) {
		j->problem = FOREIGN_SOCKET;
		close(fd);
		return -EACCES;
	}
	return fd;
}

static int connect_until(struct attach_job *j, int tmp)
{
	int fd = connect_once(j, tmp);

	while (fd < 0 && !j->problem && clock_monotonic_ns() < j->until_ns) {
		poll(NULL, 0, STEP_MS);
		fd = connect_once(j, tmp);
	}
	return fd;
}

/* Returns whether the process catches SIGQUIT at this moment: an exec ends that. */
static bool catches_quit(const struct attach_job *j)
{
	_cleanup_close_ int fd = openat(j->process, "status", O_RDONLY | O_CLOEXEC);
	char text[8192];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));
	struct task_signals signals;

	return size > 0 && task_signals_parse(&signals, text, (size_t)size) &&
	       (signals.caught & QUIT_BIT);
}

/* Makes the JVM open its socket. If it does not, the file stays: a JVM that handles the signal
 * later would print the stacks of all its threads without it. */
static int open_socket(struct attach_job *j, int tmp, int pidfd)
{
	char name[32];
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), ".attach_pid%u", j->inner_pid);
	fd = openat(tmp, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST) {
		j->problem = NO_FILE;
		return -1;
	}
	cleanup_close(&fd);
	if (fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
		st.st_uid != j->uid) {
		j->problem = FOREIGN_FILE;
		return -1;
	}
	if (!catches_quit(j) || syscall(SYS_pidfd_send_signal, pidfd, SIGQUIT, NULL, 0)) {
		j->problem = NO_SIGNAL;
		unlinkat(tmp, name, 0);
		return -1;
	}
	fd = connect_until(j, tmp);
	if (fd >= 0)
		unlinkat(tmp, name, 0);
	return fd;
}

static bool wait_for(const struct attach_job *j, int fd, short events)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct pollfd p = { .fd = fd, .events = events };

	return now_ns < j->until_ns && poll(&p, 1, (int)((j->until_ns - now_ns) / NS_PER_MS)) > 0;
}

static void ask_jvm(struct attach_job *j, int fd)
{
	ssize_t got = send(fd, request, sizeof(request), MSG_NOSIGNAL);

	if (got != (ssize_t)sizeof(request))
		return;
	while (wait_for(j, fd, POLLIN)) {
		got = recv(fd, j->answer + j->size, ANSWER_BYTES - j->size, 0);
		if (got > 0)
			j->size += (size_t)got;
		j->is_cut = j->size == ANSWER_BYTES;
		if (got == 0 || j->is_cut) {
			j->is_answered = j->size > 2 && !memcmp(j->answer, "0\n", 2);
			j->problem = j->is_answered ? NO_PROBLEM : REFUSED;
			return;
		}
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return;
	}
}

static void run_attach_job(void *argument)
{
	struct attach_job *j = argument;
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, j->pid, 0);
	/* A process that still has this folder has the PID: it is the one of the pidfd. */
	bool is_same = pidfd >= 0 && !faccessat(j->process, "stat", R_OK, 0);
	_cleanup_close_ int root = root_open(j->process);
	_cleanup_close_ int tmp =
		root < 0 ? -1 : root_file_open(root, "/tmp", O_PATH | O_DIRECTORY);
	_cleanup_close_ int fd = -1;

	j->problem = tmp < 0 ? NO_TMP : !is_same ? NO_SIGNAL : !take_user(j) ? NO_USER : NO_PROBLEM;
	if (j->problem)
		return;
	fd = connect_once(j, tmp);
	if (fd < 0 && !j->problem)
		fd = fd == -ENOENT || fd == -ECONNREFUSED ? open_socket(j, tmp, pidfd)
							  : connect_until(j, tmp);
	if (fd >= 0)
		ask_jvm(j, fd);
}

static void drop_answer(void *argument)
{
	munmap(((struct attach_job *)argument)->answer, ANSWER_BYTES);
}

/* --- what must be known before --- */

/* Returns the second number of a line of status: the effective id. */
static bool effective_id(uint32_t *id, const char *name, const struct buffer *status)
{
	struct span value;
	struct cursor c;

	if (!task_status_find(&value, name, status->data, status->size))
		return false;
	c = cursor_over(value.data, value.size);
	cursor_decimal(&c);
	*id = (uint32_t)cursor_decimal(&c);
	return !c.failed;
}

/* Finds the file of counters that the process has of itself: a child of the JVM that has not made
 * its exec maps that of its parent. */
static bool find_counters(char path[PATH_MAX], uint32_t inner_pid, const struct buffer *maps)
{
	char name[16];
	struct maps_line line;
	bool has_engine = false;

	path[0] = '\0';
	snprintf(name, sizeof(name), "/%u", inner_pid);
	maps_for_each (&line, *maps) {
		has_engine |= line.is_executable && span_ends(line.path, "/libjvm.so");
		if (span_contains(line.path, JAVA_COUNTERS_FOLDER) && span_ends(line.path, name) &&
			line.path.size < PATH_MAX)
			snprintf(path, PATH_MAX, "%.*s", SPAN_ARGS(line.path));
	}
	return has_engine;
}

/* Returns why the process must not get the signal; NULL: it is a JVM that handles it. */
static const char *check_jvm(struct attach_job *j, struct timeout *timeout, struct buffer *scratch)
{
	struct task_signals signals;
	struct procfs_stat stat;
	char counters[PATH_MAX];

	if (procfs_read_at(j->process, "status", scratch, PROCFS_SMALL) < 0 ||
		!task_signals_parse(&signals, scratch->data, scratch->size) ||
		!task_status_inner_pid(&j->inner_pid, scratch->data, scratch->size) ||
		!effective_id(&j->uid, "Uid:", scratch) || !effective_id(&j->gid, "Gid:", scratch))
		return "the state of the process cannot be read";
	if (geteuid() && geteuid() != j->uid)
		return "only the user of the JVM and root can ask it";
	if (!(signals.caught & QUIT_BIT))
		return "the JVM does not handle SIGQUIT, by which it is asked: it starts, or "
		       "runs with -Xrs";
	if (procfs_stat_at(j->process, &stat, scratch) || stat.state == 'T' || stat.state == 't')
		return "the process is stopped";
	if (timeout_read_at(timeout, j->process, "maps", scratch, PROCFS_MAPS, READ_MS) ||
		!find_counters(counters, j->inner_pid, scratch))
		return "libjvm.so is not mapped: no HotSpot JVM";
	if (!counters[0])
		return "the JVM has no file of counters, which says that it can be asked: it "
		       "runs with -XX:-UsePerfData, or its /tmp is read-only; by hand: jcmd PID "
		       "GC.class_histogram";
	if (!java_counters_allow_attach(timeout, j->process, counters))
		return "the JVM does not let itself be asked (-XX:+DisableAttachMechanism)";
	return NULL;
}

const char *java_attach_histogram(struct timeout *timeout, const struct process_snapshot *process,
	struct buffer *out, bool *is_cut)
{
	struct attach_job j = {
		.process = process->process, .pid = (uint32_t)process->id.pid, .sooth = getpid()
	};
	struct timeout attach = { .may_kill = true };
	const char *reason = check_jvm(&j, timeout, out);
	int was_dumpable = prctl(PR_GET_DUMPABLE), status;

	buffer_reset(out);
	if (reason)
		return reason;
	j.answer = mmap(
		NULL, ANSWER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (j.answer == MAP_FAILED)
		return no_room;
	j.until_ns = clock_monotonic_ns() + ANSWER_MS * NS_PER_MS;
	status = timeout_call(&attach, run_attach_job, drop_answer, &j, sizeof(j), j.process,
		ANSWER_MS + READ_MS);
	timeout_fini(&attach);
	if (status == -ETIMEDOUT) /* the thread of the child owns the memory */
		return problems[NO_ANSWER];
	if (was_dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1);
	if (j.is_answered)
		buffer_append(out, j.answer + 2, j.size - 2);
	*is_cut = j.is_cut;
	drop_answer(&j);
	if (status || buffer_failed(out))
		return no_room;
	return j.is_answered ? NULL : problems[j.problem ? j.problem : NO_ANSWER];
}
