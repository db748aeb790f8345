/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux behind struct os. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "collect/secrets.h"
#include "os/linux/os_watch.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/host/freezer.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"

/* --- the host --- */

static int64_t host_realtime_offset_ns(const struct os *os)
{
	(void)os;
	return (int64_t)(clock_realtime_ns() - clock_monotonic_ns());
}

/* First line of a small file, without the newline; empty when it cannot be read. */
static void read_line(const char *path, char *out, size_t size)
{
	_cleanup_file_ FILE *file = fopen(path, "re");

	out[0] = '\0';
	if (file && fgets(out, (int)size, file))
		out[strcspn(out, "\n")] = '\0';
}

static void host_facts(const struct os *os, struct host_facts *facts)
{
	struct utsname system;
	struct sysinfo info;

	*facts = (struct host_facts){ 0 };
	facts->realtime_offset_ns = host_realtime_offset_ns(os);
	facts->boottime_offset_ns = (int64_t)(clock_ns(CLOCK_BOOTTIME) - clock_monotonic_ns());
	if (!uname(&system)) {
		snprintf(facts->hostname, sizeof(facts->hostname), "%s", system.nodename);
		snprintf(facts->os, sizeof(facts->os), "%s", system.sysname);
		snprintf(facts->os_version, sizeof(facts->os_version), "%s", system.release);
		snprintf(facts->architecture, sizeof(facts->architecture), "%s", system.machine);
	}
	if (!sysinfo(&info))
		facts->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	facts->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	facts->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	facts->ticks_per_s = (uint32_t)sysconf(_SC_CLK_TCK);
	read_line("/proc/sys/kernel/random/boot_id", facts->boot_id, sizeof(facts->boot_id));
}

static void host_self(const struct os *os, struct self_cost *cost)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;

	(void)os;
	cost->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	cost->rss_bytes = 0;
	if (procfs_read(getpid(), "stat", &bytes, PROCFS_SMALL) >= 0 &&
		procfs_parse_stat(&stat, bytes.data, bytes.size))
		cost->rss_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	buffer_fini(&bytes);
}

struct fact_list {
	struct environment_fact *facts;
	size_t count, max;
};

static void add_fact(struct fact_list *list, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add_fact(struct fact_list *list, const char *name, const char *format, ...)
{
	va_list args;

	if (list->count == list->max)
		return;
	list->facts[list->count].name = name;
	va_start(args, format);
	vsnprintf(list->facts[list->count].value, sizeof(list->facts[0].value), format, args);
	va_end(args);
	list->count++;
}

static void add_setting(struct fact_list *list, const char *name, const char *path)
{
	char value[96];

	read_line(path, value, sizeof(value));
	add_fact(list, name, "%s", value[0] ? value : "cannot be read");
}

static void add_container(struct fact_list *list)
{
	char release[96];
	struct stat ns;

	if (!stat("/proc/self/ns/pid", &ns) && ns.st_ino != PID_NAMESPACE_INITIAL)
		add_fact(list, "container",
			"another pid namespace: processes outside are invisible");
	else if (!access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK))
		add_fact(list, "container", "yes, with the host's pid namespace");
	else
		add_fact(list, "container", "no");
	read_line("/proc/sys/kernel/osrelease", release, sizeof(release));
	if (strcasestr(release, "microsoft"))
		add_fact(list, "virtual", "WSL: some kernel features are switched off");
}

static void add_hidepid(struct fact_list *list)
{
	char line[512];
	_cleanup_file_ FILE *mounts = fopen("/proc/self/mounts", "re");

	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (strncmp(line, "proc /proc ", 11))
			continue;
		if (strstr(line, "hidepid=") && !strstr(line, "hidepid=0") &&
			!strstr(line, "hidepid=off"))
			add_fact(list, "hidepid", "/proc hides other users' processes");
	}
}

static void add_capabilities(struct fact_list *list)
{
	static const struct {
		unsigned number;
		const char *name;
	} relevant[] = { { 39, "bpf" }, { 38, "perfmon" }, { 19, "sys_ptrace" },
		{ 2, "dac_read_search" }, { 21, "sys_admin" } };
	char text[160] = "";

	for (size_t i = 0; i < ARRAY_SIZE(relevant); i++) {
		if (!needs_has_capability(relevant[i].number))
			continue;
		if (text[0])
			strcat(text, " ");
		strcat(text, relevant[i].name);
	}
	add_fact(list, "capabilities", "%s", text[0] ? text : "none that sooth uses");
}

static size_t host_environment(const struct os *os, struct environment_fact *facts, size_t max)
{
	struct fact_list list = { .facts = facts, .max = max };
	struct host_facts host;

	host_facts(os, &host);
	add_fact(&list, "system", "%s %s %s", host.os, host.os_version, host.architecture);
	add_fact(&list, "processors", "%u", host.cpus);
	add_fact(&list, "user", "real %u, effective %u", (unsigned)getuid(), (unsigned)geteuid());
	add_capabilities(&list);
	add_container(&list);
	add_hidepid(&list);
	add_setting(&list, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid");
	add_setting(
		&list, "unprivileged_bpf_disabled", "/proc/sys/kernel/unprivileged_bpf_disabled");
	if (!access("/sys/kernel/security/lockdown", R_OK))
		add_setting(&list, "lockdown", "/sys/kernel/security/lockdown");
	add_fact(&list, "btf", "%s",
		access("/sys/kernel/btf/vmlinux", R_OK) ? "missing" : "/sys/kernel/btf/vmlinux");
	return list.count;
}

/* --- launching a command that waits until it may run --- */

/*
 * A launched command is a child that waits on a pipe before its exec, so that probes are in place
 * when it starts. A second, close-on-exec pipe reports why an exec failed. The child keeps sooth's
 * standard streams, session and signal dispositions, and runs with the real ids, or the requested
 * ones; privileges from sooth's file do not pass an exec.
 */

#define COMMAND_WORDS_MAX 4096 /* of a script that needs a shell */

/* All groups of the user, as after a login; a user without a name gets just the one. */
static int take_groups(uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? initgroups(user->pw_name, gid) : setgroups(1, &gid);
}

static int become_user(const struct launch *launch)
{
	uid_t uid = launch->as_user ? launch->uid : getuid();
	gid_t gid = launch->as_user ? launch->gid : getgid();

	if (launch->as_user && take_groups(uid, gid))
		return -errno;
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

static void restore_signals(void)
{
	/* An exec resets handlers; a signal that sooth ignores would stay ignored. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

/* A script whose first line names no interpreter is run by a shell (exec(3)). */
static int exec_script(const char *path, char *const *command)
{
	char *arguments[COMMAND_WORDS_MAX + 2] = { "sh", (char *)(uintptr_t)path };

	for (size_t i = 1; command[i]; i++) {
		if (i == COMMAND_WORDS_MAX)
			return -E2BIG;
		arguments[i + 1] = command[i];
	}
	execv("/bin/sh", arguments);
	return -errno;
}

static int exec_path(const char *path, char *const *command)
{
	execv(path, command);
	return errno == ENOEXEC ? exec_script(path, command) : -errno;
}

/*
 * execvp(3) tries an exec in each directory of PATH, and every failed one would be counted as the
 * command's. So the search is made here, by access(2), and only an existing file is executed.
 */
static int exec_found(char *const *command)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];
	int code = -ENOENT;

	if (strchr(command[0], '/'))
		return exec_path(command[0], command);
	for (path = path ? path : "/bin:/usr/bin"; *path;) {
		size_t size = strcspn(path, ":");

		if (snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)size, path,
			    size ? "/" : "./", command[0]) < (int)sizeof(candidate) &&
			!access(candidate, X_OK))
			code = exec_path(candidate, command);
		path += size + (path[size] == ':');
	}
	return code;
}

static __attribute__((noreturn)) void child(
	char *const *command, const struct launch *launch, int start_pipe, int failure)
{
	char byte;
	int code;

	restore_signals();
	if (read(start_pipe, &byte, 1) != 1)
		_exit(127); /* sooth is gone, or has released it: do not run unobserved */
	code = become_user(launch);
	if (!code)
		code = exec_found(command);
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int launch_start(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err)
{
	int start_pipe[2], failure[2];

	(void)os;
	if (!command[0])
		return error_set(
			err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command: no command is given");
	if (pipe2(start_pipe, O_CLOEXEC) || pipe2(failure, O_CLOEXEC))
		return error_errno(err, -errno, "make a pipe");
	launch->name = command[0];
	launch->pid = fork();
	if (launch->pid < 0)
		return error_errno(err, -errno, "fork");
	if (!launch->pid) {
		close(start_pipe[1]);
		child(command, launch, start_pipe[0], failure[1]);
	}
	close(start_pipe[0]);
	close(failure[1]);
	launch->start_pipe = start_pipe[1];
	launch->failure = failure[0];
	launch->status = -1;
	launch->descriptor = open_pidfd(launch->pid);
	if (procfs_identify(launch->pid, &launch->process))
		return error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the launched command");
	return 0;
}

static int launch_release(const struct os *os, struct launch *launch, struct sooth_error *err)
{
	_cleanup_close_ int start_pipe = TAKE_FD(launch->start_pipe);
	_cleanup_close_ int failure = TAKE_FD(launch->failure);
	int code = 0;

	(void)os;
	if (write(start_pipe, "", 1) != 1) {
		if (errno != EPIPE)
			return error_errno(err, -errno, "let the launched command run");
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "run %s", launch->name);
		return error_why(err, "the command was killed before it started");
	}
	/* End of file: the exec closed the pipe, so it succeeded. */
	if (read(failure, &code, sizeof(code)) != sizeof(code))
		return 0;
	error_set(err, code,
		code == -ENOENT || code == -ENOTDIR ? SOOTH_FAULT_NO_COMMAND
						    : SOOTH_FAULT_NOT_EXECUTABLE,
		"run %s", launch->name);
	error_why(err, "%s",
		code == -EACCES ? "permission denied: the file is not executable, or its folder is "
				  "not accessible"
				: strerror(-code));
	error_remedy(err,
		"check the name of the command and that the file is executable (chmod +x FILE)");
	return code;
}

/* waitpid(2) also reports stops of a child that another thread of sooth traces, whatever its
 * options. */
static bool has_ended(const struct launch *launch)
{
	struct pollfd ended = { .fd = launch->descriptor, .events = POLLIN };

	return launch->descriptor < 0 || poll(&ended, 1, 0) > 0;
}

static bool launch_reap(const struct os *os, struct launch *launch)
{
	int status;

	(void)os;
	if (launch->status != -1)
		return true;
	if (!has_ended(launch))
		return false;
	if (launch->pid <= 0 || waitpid(launch->pid, &status, WNOHANG) != launch->pid)
		return false;
	launch->status = status;
	return true;
}

static void launch_abandon(const struct os *os, struct launch *launch)
{
	(void)os;
	if (launch->start_pipe >= 0) {
		int status;

		close(launch->start_pipe); /* it reads end of file and exits */
		launch->start_pipe = -1;
		if (launch->pid > 0 && launch->status == -1 &&
			waitpid(launch->pid, &status, 0) == launch->pid)
			launch->status = status;
	}
	if (launch->failure >= 0)
		close(launch->failure);
	if (launch->descriptor >= 0)
		close(launch->descriptor);
	launch->failure = launch->descriptor = -1;
}

/* --- a process by a descriptor, so that a reused pid is never taken for it --- */

/*
 * The descriptor is opened first and the identity read after: if both agree, the descriptor refers
 * to that process for good, because the kernel reuses a pid only when the process is gone, and a
 * descriptor never changes its process.
 */

static int gone(const struct process_id *process, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", process->pid);
	return error_why(err, "the process has ended");
}

static int process_handle_open(
	const struct os *os, const struct process_id *process, struct sooth_error *err)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, (pid_t)process->pid, 0);
	_cleanup_close_ int proc = -1;
	struct process_id now;

	(void)os;
	if (fd < 0 && errno == ESRCH)
		return gone(process, err);
	if (fd < 0)
		return error_errno(err, -errno, "open process %u", process->pid);
	proc = procfs_open((pid_t)process->pid);
	if (proc < 0 || procfs_identify_at(proc, &now) || now.start_ticks != process->start_ticks ||
		now.pid != process->pid)
		return gone(process, err);
	return TAKE_FD(fd);
}

static int process_handle_signal(
	const struct os *os, int descriptor, int number, struct sooth_error *err)
{
	(void)os;
	if (!syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0))
		return 0;
	return error_errno(err, -errno, "send the signal %d", number);
}

#define WAIT_MAX 64

/* --- struct os --- */

#define BACKEND(probe, name, rank) extern const struct backend backend_##probe##_##name;
#include "os/linux/backends.def"
#undef BACKEND

/* The list is in the order of ranks; a check enforces that. */
#define BACKEND(probe, name, rank) &backend_##probe##_##name,
static const struct backend *const backends[] = {
#include "os/linux/backends.def"
	NULL,
};

static uint64_t linux_now_ns(const struct os *os)
{
	(void)os;
	return clock_monotonic_ns();
}

static int linux_identify(
	const struct os *os, pid_t pid, struct process_id *process, struct sooth_error *err)
{
	int status = procfs_identify(pid, process);

	(void)os;
	if (!status)
		return 0;
	if (status != -ESRCH)
		return error_errno(err, status, "read process %d", (int)pid);
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %d", (int)pid);
	error_why(err, "no process has this PID");
	return error_remedy(err, "`sooth ps -a` lists all processes");
}

/* A zombie has ended: only its parent still has to wait for it. But for one whose first thread
 * alone has: that is a zombie until the others end too. */
static bool linux_is_alive(const struct os *os, const struct process_id *process)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool alive = procfs_read((pid_t)process->pid, "stat", &bytes, PROCFS_SMALL) >= 0 &&
		     procfs_parse_stat(&stat, bytes.data, bytes.size) &&
		     stat.start_ticks == process->start_ticks &&
		     (!procfs_has_ended(&stat) || stat.threads > 1);

	(void)os;
	buffer_fini(&bytes);
	return alive;
}

static void linux_command_line(
	const struct os *os, const struct process_id *process, struct buffer *out)
{
	_cleanup_close_ int fd = procfs_open((pid_t)process->pid);
	struct timeout timeout = { 0 };
	struct buffer raw = { 0 };

	(void)os;
	if (fd >= 0 &&
		timeout_read_at(&timeout, fd, "cmdline", &raw, PROCFS_ARGUMENTS, TIMEOUT_MS) >= 0)
		secrets_mask_arguments(out, (const char *)raw.data, raw.size);
	timeout_fini(&timeout);
	buffer_fini(&raw);
}

static int linux_list(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
	struct sooth_error *err)
{
	struct buffer pids = { 0 };
	int status = procfs_list(&pids);
	const pid_t *all = (const void *)pids.data;

	(void)os;
	for (size_t i = 0; i < pids.size / sizeof(*all) && !status; i++) {
		_cleanup_close_ int fd = procfs_open(all[i]);
		struct process_id process;
		struct stat owner;

		if (fd < 0 || fstat(fd, &owner) || (has_uid && owner.st_uid != uid))
			continue;
		if (!procfs_identify_at(fd, &process))
			buffer_append(process_ids, &process, sizeof(process));
	}
	buffer_fini(&pids);
	return status ? error_errno(err, status, "list the processes in /proc") : 0;
}

static int linux_wait(const struct os *os, const int *descriptors, size_t count, int timeout_ms)
{
	struct pollfd polled[WAIT_MAX];
	int readable;

	(void)os;
	count = count < WAIT_MAX ? count : WAIT_MAX;
	for (size_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
	readable = poll(polled, count, timeout_ms);
	return readable < 0 ? -errno : readable;
}

static void end_with_parent(const struct os *os)
{
	(void)os;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

const struct os os_native = {
	.name = "linux",
	.backends = backends,
	.now_ns = linux_now_ns,
	.realtime_offset_ns = host_realtime_offset_ns,
	.host = host_facts,
	.self = host_self,
	.keep_least = caller_keep_least,
	.end_with_parent = end_with_parent,
	.drop_all = caller_drop_all,
	.environment = host_environment,
	.identify = linux_identify,
	.is_alive = linux_is_alive,
	.command_line = linux_command_line,
	.list = linux_list,
	.open_process = process_handle_open,
	.signal_process = process_handle_signal,
	.launch = launch_start,
	.release = launch_release,
	.reap = launch_reap,
	.abandon = launch_abandon,
	.freeze_group = freezer_set,
	.wait = linux_wait,
	.watch_begin = os_watch_begin,
	.watch_clear = os_watch_clear,
	.watch_end = os_watch_end,
};
