/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux behind struct os. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "base/clock.h"
#include "collect/secrets.h"
#include "os/launch_pipe.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/host/freezer.h"
#include "os/linux/launch.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/explain_only.h"
#include "os/linux/rights/needs.h"
#include "os/linux/rights/parser_process.h"
#include "os/os.h"

#define MS_PER_S   1000
#define EVENTS_MAX 16

static int add_descriptor(int epoll, int descriptor)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}

static int begin_timer(int timer, int interval_ms)
{
	struct timespec interval = { interval_ms / MS_PER_S, interval_ms % MS_PER_S * NS_PER_MS };
	struct itimerspec times = { interval, interval };

	return timerfd_settime(timer, 0, &times, NULL) ? -errno : 0;
}

static void os_watch_end(const struct os *os, struct os_watch *watch)
{
	(void)os;
	if (watch->descriptor >= 0)
		close(watch->descriptor);
	if (watch->timer >= 0)
		close(watch->timer);
	watch->descriptor = watch->timer = -1;
}

static int os_watch_begin(const struct os *os, struct os_watch *watch, const int *descriptors,
	size_t count, int interval_ms)
{
	int status;

	watch->descriptor = epoll_create1(EPOLL_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	status = watch->descriptor < 0 || watch->timer < 0 ? -errno : 0;
	if (!status)
		status = begin_timer(watch->timer, interval_ms);
	if (!status)
		status = add_descriptor(watch->descriptor, watch->timer);
	for (size_t i = 0; i < count && !status; i++)
		status = add_descriptor(watch->descriptor, descriptors[i]);
	if (status)
		os_watch_end(os, watch);
	return status;
}

static void os_watch_clear(const struct os *os, const struct os_watch *watch)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t ticks;
	ssize_t got;

	(void)os;
	/* A periodic timer is armed again when it is read (timerfd_read_iter() of Linux); while it
	 * has not expired there is nothing to read. */
	got = read(watch->timer, &ticks, sizeof(ticks));
	(void)got;
	while (epoll_wait(watch->descriptor, events, EVENTS_MAX, 0) == EVENTS_MAX)
		;
}

/* --- the host --- */

static int64_t host_realtime_offset_ns(const struct os *os)
{
	(void)os;
	return (int64_t)(clock_realtime_ns() - clock_monotonic_ns());
}

/* Reads the first line of a small file, without the newline; empty when it cannot be read. */
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

#define BACKEND(probe, name, rank) extern const struct backend backend_##probe##_##name;
#include "os/linux/backends.def"
#undef BACKEND

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

/* Returns the error of what BPF lacks here; 0: sooth can use it. */
static int test_bpf_needs(struct sooth_error *refusal)
{
	static const struct need *const needs[] = { &need_procfs, &need_bpf, &need_btf };
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needs) && !status; i++)
		status = needs[i]->test(&os_native, refusal);
	return status;
}

/* Says first what works here, and what would give the rest. */
static void add_abilities(struct fact_list *list)
{
	struct sooth_error refusal, ignored;

	if (!test_bpf_needs(&refusal)) {
		add_fact(list, "works here", "all commands");
		return;
	}
	if (need_procfs.test(&os_native, &ignored))
		add_fact(list, "works here", "report and query: captures made elsewhere");
	else
		add_fact(list, "works here",
			"ps, top, inspect, stack, why and diagnose by /proc; heap -- COMMAND%s%s",
			backend_test_needs(&backend_profile_perf, &os_native, &ignored)
				? ""
				: "; profile of own processes",
			backend_test_needs(&backend_syscalls_ptrace, &os_native, &ignored)
				? ""
				: "; slowly, trace --backend ptrace of own processes");
	add_fact(list, "missing here", "%s: %s",
		need_procfs.test(&os_native, &ignored) ? "all that observes"
						       : "trace, sched, and all that needs BPF",
		refusal.why);
	add_fact(list, "to enable", "%s", refusal.remedy);
}

static void add_container(struct fact_list *list)
{
	bool is_inner = needs_inner_pid_namespace() != 0;
	bool is_container = is_inner || needs_is_in_user_namespace() ||
			    !access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK);

	add_fact(list, "container", "%s",
		!is_container ? "no"
		: is_inner ? "sooth sees the processes of this container; with --pid=host those of "
			     "the host"
			   : "sooth sees the processes of the host");
}

static void add_virtual(struct fact_list *list)
{
	char release[96];

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
	char parsing[96];

	host_facts(os, &host);
	add_abilities(&list);
	add_container(&list);
	add_fact(&list, "system", "%s %s %s", host.os, host.os_version, host.architecture);
	add_fact(&list, "processors", "%u", host.cpus);
	add_fact(&list, "user", "real %u, effective %u", (unsigned)getuid(), (unsigned)geteuid());
	add_capabilities(&list);
	parser_process_describe(parsing, sizeof(parsing));
	add_fact(&list, "parsing of files", "%s", parsing);
	add_virtual(&list);
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

/* --- a process by a descriptor, so that a reused pid is never taken for it --- */

/*
 * The descriptor is opened first and the identity read after: if both agree, the descriptor refers
 * to that process for good, because the kernel reuses a pid only when the process is gone, and a
 * descriptor never changes its process.
 */

static int process_gone(const struct process_id *process, struct sooth_error *err)
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
		return process_gone(process, err);
	if (fd < 0)
		return error_errno(err, -errno, "open process %u", process->pid);
	proc = procfs_open((pid_t)process->pid);
	if (proc < 0 || procfs_identify_at(proc, &now) || now.start_ticks != process->start_ticks ||
		now.pid != process->pid)
		return process_gone(process, err);
	return TAKE_FD(fd);
}

static int process_handle_signal(const struct os *os, int descriptor,
	const struct process_id *process, int number, struct sooth_error *err)
{
	(void)os;
	(void)process;
	if (!syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0))
		return 0;
	return error_errno(err, -errno, "send the signal %d", number);
}

#define WAIT_MAX 64

/* --- struct os --- */

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

	if (!status)
		return 0;
	if (status != -ESRCH)
		return error_errno(err, status, "read process %d", (int)pid);
	status = need_procfs.test(os, err);
	if (status)
		return status;
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %d", (int)pid);
	error_why(err, "no process has this PID");
	return error_remedy(err, "`sooth ps -a` lists all processes");
}

/* Returns whether a process is alive. A zombie has ended, except one of which only the first thread
 * has ended: it is a zombie until the other threads end too. */
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

static uint64_t linux_cpu_ns(const struct os *os, const struct process_id *process)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	uint64_t ns = 0;

	(void)os;
	if (procfs_read((pid_t)process->pid, "stat", &bytes, PROCFS_SMALL) >= 0 &&
		procfs_parse_stat(&stat, bytes.data, bytes.size) &&
		stat.start_ticks == process->start_ticks)
		ns = (stat.cpu_ticks + stat.waited_ticks) *
		     (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	buffer_fini(&bytes);
	return ns;
}

static int linux_glance(const struct os *os, pid_t pid, struct process_glance *out)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	bool is_there = procfs_read(pid, "stat", &bytes, PROCFS_STAT) >= 0 &&
			procfs_parse_stat(&stat, bytes.data, bytes.size);

	(void)os;
	if (is_there) {
		*out = (struct process_glance){
			.id = { .start_ticks = stat.start_ticks, .pid = stat.pid },
			.ppid = stat.ppid,
			.process_group = stat.process_group,
			.session = stat.session,
			.state = stat.state,
			.cpu_ns = stat.cpu_ticks * tick_ns,
			.waited_ns = stat.waited_ticks * tick_ns,
			.rss_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE),
			.age_ns = increase_u64(clock_ns(CLOCK_BOOTTIME), stat.start_ticks * tick_ns)
		};
		snprintf(out->name, sizeof(out->name), "%.*s", SPAN_ARGS(stat.name));
	}
	buffer_fini(&bytes);
	return is_there ? 0 : -ESRCH;
}

static void linux_children(const struct os *os, pid_t pid, struct buffer *pids)
{
	(void)os;
	procfs_children(pid, pids);
}

static void linux_command_line(
	const struct os *os, const struct process_id *process, struct buffer *out)
{
	_cleanup_close_ int fd = procfs_open((pid_t)process->pid);
	struct timeout timeout = { 0 };
	struct buffer raw = { 0 };
	struct procfs_stat stat;

	(void)os;
	if (fd >= 0 && !procfs_stat_at(fd, &stat, &raw))
		procfs_open_living(&fd, &stat);
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

	(void)os;
	buffer_each_while (const pid_t, pid, &pids, !status) {
		_cleanup_close_ int fd = procfs_open(*pid);
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

/* The signal of the parent's death does not outlast the exec of a file with capabilities, that of
 * the pipe does. */
static void kill_with_parent(const struct os *os, int life)
{
	(void)os;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!fcntl(life, F_SETOWN, getpid()) && !fcntl(life, F_SETSIG, SIGKILL))
		fcntl(life, F_SETFL, O_ASYNC);
}

const struct os os_native = {
	.name = "linux",
	.backends = backends,
	.now_ns = linux_now_ns,
	.realtime_offset_ns = host_realtime_offset_ns,
	.host = host_facts,
	.self = host_self,
	.keep_least = caller_keep_least,
	.parse_apart = parser_process_start,
	.end_with_parent = kill_with_parent,
	.drop_all = caller_drop_all,
	.explain_only = explain_only,
	.may_watch = caller_may_watch,
	.environment = host_environment,
	.identify = linux_identify,
	.is_alive = linux_is_alive,
	.cpu_ns = linux_cpu_ns,
	.glance = linux_glance,
	.children = linux_children,
	.command_line = linux_command_line,
	.list = linux_list,
	.open_process = process_handle_open,
	.signal_process = process_handle_signal,
	.launch = launch_start,
	.release = launch_pipe_release,
	.reap = launch_reap,
	.abandon = launch_pipe_abandon,
	.freeze_group = freezer_set,
	.wait = linux_wait,
	.watch_begin = os_watch_begin,
	.watch_clear = os_watch_clear,
	.watch_end = os_watch_end,
};
