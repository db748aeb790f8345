/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows threads by their stops. Stops are read without being taken (WNOWAIT): a stop that was
 * taken loses its signal if the tracer is killed before the thread continues.
 */
#include "os/linux/ptrace/tracees.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "model/batch.h"
#include "model/probe.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/procfs.h"
#include "os/linux/ptrace/exec_privilege.h"
#include "os/linux/ptrace/filtered_waits.h"
#include "os/linux/ptrace/tracee_pieces.h"
#include "os/linux/ptrace/tracer_request.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"

#define THREADS_MAX 65536
#define LATE_MAX    (64u << 20)
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |  \
		PTRACE_O_TRACEEXEC)
#define FILTER_OPTIONS (PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL)
#define CALL_STOP      (SIGTRAP | 0x80)
#define STOPS_LEFT     (WSTOPPED | WNOHANG | __WALL)
#define STOPS_MAX      64 /* at a time */
#define EARLY_NS       (200 * NS_PER_MS)

/* --- threads --- */

static struct tracee *tracee_of(const struct tracees *all, pid_t tid)
{
	struct tracee **t = map_get(&all->threads, &tid);

	return t ? *t : NULL;
}

/* Returns whether the process ids that the thread uses are those that sooth sees. */
static bool has_own_ids(pid_t tid)
{
	_cleanup_close_ int thread = procfs_open(tid);

	return thread >= 0 && procfs_shares_namespace(thread, "ns/pid");
}

static struct tracee *add_tracee(
	struct tracees *all, pid_t tid, const struct process_id *process, unsigned interest)
{
	bool is_new = true;
	struct tracee **place = map_put(&all->threads, &tid, &is_new), *t;

	if (!is_new) { /* the end of an earlier thread with this id was not seen */
		tracee_counts_fini(all, *place);
		free(*place);
	}
	t = place ? calloc(1, sizeof(*t)) : NULL;
	if (!t) {
		all->state->threads++;
		map_remove(&all->threads, &tid);
		return NULL;
	}
	*place = t;
	t->tid = tid;
	t->process = *process;
	t->from_ns = clock_monotonic_ns();
	t->interest = interest & (INTEREST_COUNT | INTEREST_STREAM);
	t->is_before_exec = interest & INTEREST_FROM_EXEC;
	t->gaps = has_own_ids(tid) ? SYSCALLS_OWN_PIDS : 0;
	tracee_counts_init(t);
	return t;
}

static void drop_tracee(struct tracees *all, struct tracee *t)
{
	pid_t tid = t->tid;

	map_remove(&all->threads, &tid);
	tracee_counts_fini(all, t);
	free(t);
}

static void send_join(struct tracees *all, struct tracee *child, const struct process_id *parent)
{
	struct process_join join = {
		.record = tracee_record(child, PROCESS_JOIN, child->from_ns),
		.parent_start_ticks = parent->start_ticks,
		.parent_pid = parent->pid,
	};

	tracee_read_name(child, child->from_ns);
	memcpy(join.name, child->name, sizeof(join.name));
	RECORD_APPEND(&all->built, &join, NULL, 0);
	tracees_send(all);
}

/* Makes the tracee of a new thread or process, which the kernel attached with its parent. */
static struct tracee *adopt_child(struct tracees *all, pid_t tid, const struct tracee *parent)
{
	struct buffer status = { 0 };
	struct process_id process;
	struct tracee *child = NULL;
	uint64_t pid = 0;

	if (procfs_read(tid, "status", &status, PROCFS_SMALL) >= 0)
		task_status_number(&pid, "Tgid:", status.data, status.size);
	buffer_fini(&status);
	if (pid == parent->process.pid)
		return add_tracee(all, tid, &parent->process, parent->interest);
	if (pid && !procfs_identify((pid_t)pid, &process))
		child = add_tracee(
			all, tid, &process, parent->is_before_exec ? 0 : parent->interest);
	if (child && child->interest)
		send_join(all, child, &parent->process);
	return child;
}

/* --- stops --- */

/* Lets a thread run that is not followed. */
static bool release_thread(const struct tracees *all, pid_t tid, int signal)
{
	return !ptrace(all->is_filtered ? PTRACE_CONT : PTRACE_DETACH, tid, NULL, (long)signal);
}

static void detach_thread(struct tracees *all, struct tracee *t, int signal)
{
	release_thread(all, t->tid, signal);
	drop_tracee(all, t);
}

/* Ends the stop in which a thread is. A stop that was not taken would come again if the kernel
 * refused that. */
static void let_go_on(struct tracees *all, struct tracee *t, int signal)
{
	siginfo_t info = { 0 };
	/* With a filter a call stops at its entry by itself. */
	bool stops_at_next = t->interest && (!all->is_filtered || t->in_call);

	if (!t->interest && !all->is_filtered) {
		detach_thread(all, t, signal);
	} else if (ptrace(stops_at_next ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, NULL,
			   (long)signal) &&
		   !waitid(P_PID, (id_t)t->tid, &info, STOPS_LEFT | WNOWAIT) && info.si_pid &&
		   info.si_status >> 8 != PTRACE_EVENT_EXEC) {
		waitid(P_PID, (id_t)t->tid, &info, STOPS_LEFT);
		all->state->threads++;
		detach_thread(all, t, signal);
	}
}

static void send_exec(struct tracees *all, struct tracee *t, uint64_t now)
{
	struct process_exec exec = { .record = tracee_record(t, PROCESS_EXEC, now) };
	struct buffer arguments = { 0 };
	int status =
		procfs_read((pid_t)t->process.pid, "cmdline", &arguments, PROCESS_ARGUMENTS_MAX);
	struct record_tail tail = { &exec.arguments, arguments.data, arguments.size };

	t->named_ns = 0;
	tracee_read_name(t, now);
	memcpy(exec.name, t->name, sizeof(exec.name));
	exec.arguments_state = status > 0   ? SOOTH_STATE_TRUNCATED
			       : status < 0 ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
					    : SOOTH_STATE_VALUE;
	RECORD_APPEND(&all->built, &exec, &tail, 1);
	tracees_send(all);
	buffer_fini(&arguments);
}

/* Returns NULL without memory: the thread is then not followed any more. */
static struct tracee *rename_tracee(struct tracees *all, struct tracee *t, pid_t tid)
{
	struct tracee **place = map_put(&all->threads, &tid, NULL);

	if (!place) {
		all->state->threads++;
		drop_tracee(all, t);
		return NULL;
	}
	*place = t;
	map_remove(&all->threads, &t->tid);
	t->tid = tid;
	return t;
}

/* A thread that made an exec has the id of the process from then on; the earlier first thread is
 * gone without a stop. Returns NULL if sooth does not follow the thread. */
static struct tracee *handle_exec(struct tracees *all, pid_t tid, uint64_t now)
{
	unsigned long former = 0;
	struct tracee *t = tracee_of(all, tid), *caller;

	ptrace(PTRACE_GETEVENTMSG, tid, NULL, &former);
	caller = tracee_of(all, (pid_t)former);
	if (t && former && caller != t) {
		tracee_call_end(all, t, now);
		drop_tracee(all, t);
		t = NULL;
	}
	if (caller && caller != t)
		t = rename_tracee(all, caller, tid);
	if (t && t->interest && !t->is_before_exec)
		send_exec(all, t, now);
	return t;
}

static void handle_stop(struct tracees *all, pid_t tid, int status, uint64_t now);

/* The child's own first stop may have come before: then it waits. */
static void handle_birth(struct tracees *all, const struct tracee *parent, uint64_t now)
{
	unsigned long child = 0;
	const struct early_stop *early;
	int status;
	pid_t tid;

	ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &child);
	tid = (pid_t)child;
	if (!child)
		return;
	adopt_child(all, tid, parent);
	early = map_get(&all->early, &tid);
	if (!early)
		return;
	status = early->status;
	map_remove(&all->early, &tid);
	handle_stop(all, tid, status, now);
}

/* A child waits for the stop of its parent, but not for one that was killed before. */
static void release_early(struct tracees *all, uint64_t now)
{
	map_for_each (&all->early, const pid_t *, tid, const struct early_stop *, early) {
		if (now - early->time_ns < EARLY_NS)
			continue;
		if (release_thread(all, *tid, 0))
			all->state->threads++;
		map_remove(&all->early, tid);
	}
}

/* Detaches from a thread before an exec by which it gains privilege: of a traced program the kernel
 * would withhold it. */
static void release_privileged(struct tracees *all, struct tracee *t, uint64_t now)
{
	all->state->released++;
	tracee_call_end(all, t, now);
	t->interest = 0;
}

static void handle_call(struct tracees *all, struct tracee *t, uint64_t now)
{
	struct __ptrace_syscall_info info;

	if (t->interest && ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) > 0) {
		tracee_call_stop(all, t, &info, now);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !all->keeps_privilege &&
			exec_may_gain_privilege(t))
			release_privileged(all, t, now);
	}
	let_go_on(all, t, 0);
}

static void handle_stop(struct tracees *all, pid_t tid, int status, uint64_t now)
{
	int signal = status & 0xff, event = status >> 8 & 0xff;
	struct tracee *t =
		event == PTRACE_EVENT_EXEC ? handle_exec(all, tid, now) : tracee_of(all, tid);
	struct early_stop *early;

	if (!t) {
		early = event == PTRACE_EVENT_STOP ? map_put(&all->early, &tid, NULL) : NULL;
		if (early)
			*early = (struct early_stop){ now, status };
		else
			release_thread(all, tid, event || signal == CALL_STOP ? 0 : signal);
		return;
	}
	if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		ptrace(PTRACE_LISTEN, tid, NULL, NULL); /* a stop signal: it stays stopped */
		return;
	}
	if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
		event == PTRACE_EVENT_VFORK)
		handle_birth(all, t, now);
	if (signal == CALL_STOP || event == PTRACE_EVENT_SECCOMP) {
		handle_call(all, t, now);
		return;
	}
	if (!event || event == PTRACE_EVENT_STOP)
		filtered_wait_repeat(tid);
	let_go_on(all, t, event ? 0 : signal);
}

static void send_leave(struct tracees *all, struct tracee *t, const siginfo_t *info, uint64_t now)
{
	struct process_leave leave = { .record = tracee_record(t, PROCESS_LEAVE, now) };

	leave.status = (uint32_t)info->si_status;
	if (info->si_code == CLD_EXITED)
		leave.status <<= 8;
	else if (info->si_code == CLD_DUMPED)
		leave.status |= 0x80;
	memcpy(leave.name, t->name, sizeof(leave.name));
	RECORD_APPEND(&all->built, &leave, NULL, 0);
	tracees_send(all);
	shared_ring_wake(all->ring);
}

/* Handles the end of a thread. The first thread of a process is reported last. */
static void handle_end(struct tracees *all, const siginfo_t *info, uint64_t now)
{
	struct tracee *t = tracee_of(all, info->si_pid);

	map_remove(&all->early, &info->si_pid); /* its id may come again */
	if (!t)
		return;
	tracee_call_end(all, t, now);
	if (t->interest && (pid_t)t->process.pid == t->tid)
		send_leave(all, t, info, now);
	drop_tracee(all, t);
}

/* --- requests --- */

/* Reads the call in which the thread is, before it is interrupted. */
static void read_call(struct tracee *t)
{
	struct buffer text = { 0 };

	if (tracee_read_file(t, "syscall", &text) < 0 ||
		!task_call_parse(&t->before, text.data, text.size))
		t->before = (struct task_call){ 0 };
	buffer_fini(&text);
}

/* Returns whether a thread that may not be seized needs not be: it is traced with the thread that
 * made it, or has ended. */
static bool needs_no_seizing(pid_t tid)
{
	struct buffer status = { 0 };
	uint64_t tracer = 0;
	struct span state = { 0 };
	bool is_needless = procfs_read(tid, "status", &status, PROCFS_SMALL) < 0;

	if (!is_needless) {
		task_status_number(&tracer, "TracerPid:", status.data, status.size);
		task_status_find(&state, "State:", status.data, status.size);
		is_needless =
			(pid_t)tracer == getpid() || (state.size && memchr("ZX", state.data[0], 2));
	}
	buffer_fini(&status);
	return is_needless;
}

static int seize_thread(struct tracees *all, const struct process_id *process, pid_t tid,
	unsigned interest, bool *is_new)
{
	struct tracee *t = tracee_of(all, tid);

	if (t) {
		t->interest = interest & (INTEREST_COUNT | INTEREST_STREAM);
		return 0;
	}
	if (filtered_wait_is_at_risk(tid))
		return -EBUSY;
	if (ptrace(PTRACE_SEIZE, tid, NULL,
		    (long)(OPTIONS | (all->is_filtered ? FILTER_OPTIONS : 0))))
		return errno == ESRCH || (errno == EPERM && needs_no_seizing(tid)) ? 0 : -errno;
	t = add_tracee(all, tid, process, interest);
	if (!t)
		return -ENOMEM;
	*is_new = true;
	read_call(t);
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	tracee_read_name(t, t->from_ns);
	return 0;
}

static int list_threads(const struct process_id *process, struct buffer *tids)
{
	struct process_snapshot snapshot = { .id = *process,
		.process = procfs_open((pid_t)process->pid) };
	int status = snapshot.process < 0 ? snapshot.process
					  : process_snapshot_threads(&snapshot, tids, THREADS_MAX);

	cleanup_close(&snapshot.process);
	return status < 0 ? status : 0;
}

static bool has_threads_of(const struct tracees *all, const struct process_id *process)
{
	map_for_each_pointer (&all->threads, const struct tracee *, t)
		if (process_id_equal(&t->process, process))
			return true;
	return false;
}

/* Seizes the threads of a process until none is new. They are interrupted at once: an exec is seen
 * only from the next call on. */
static int seize_process(struct tracees *all, const struct tracer_request *request)
{
	const struct process_id *process = &request->process;
	bool is_new = true;
	int status = 0;

	tracee_find_page_server((pid_t)process->pid);
	while (is_new && !status) {
		struct buffer tids = { 0 };

		is_new = false;
		status = list_threads(process, &tids);
		buffer_each_while (const uint32_t, tid, &tids, !status)
			status =
				seize_thread(all, process, (pid_t)*tid, request->interest, &is_new);
		buffer_fini(&tids);
	}
	return status || has_threads_of(all, process) ? status : -ESRCH;
}

/* The name of the process shows that it records from now on. */
static void begin_all(struct tracees *all)
{
	all->has_begun = true;
	map_for_each_pointer (&all->threads, struct tracee *, t) {
		t->from_ns = clock_monotonic_ns();
		t->entered_ns = 0; /* of the call in which it is */
	}
	prctl(PR_SET_NAME, "sooth-tracer");
}

/* Hands over the counts of a process, or of all. The threads are detached at their next stop. */
static void forget_threads(struct tracees *all, const struct process_id *process)
{
	uint64_t now = clock_monotonic_ns();

	map_for_each_pointer (&all->threads, struct tracee *, t) {
		if (process && !process_id_equal(&t->process, process))
			continue;
		if (all->has_begun && t->interest) {
			all->state->silent += !t->has_returned && !tracee_is_in_call(t);
			tracee_flush(all, t, now);
		}
		t->interest = 0;
	}
}

static bool serve_request(struct tracees *all, int control, const struct tracer_request *request)
{
	int status = 0;

	switch (request->what) {
	case TRACER_SEIZE:
		status = seize_process(all, request);
		break;
	case TRACER_BEGIN:
		begin_all(all);
		break;
	case TRACER_FORGET:
		forget_threads(all, &request->process);
		break;
	default:
		forget_threads(all, NULL);
		break;
	}
	return send(control, &status, sizeof(status), MSG_NOSIGNAL) == sizeof(status);
}

/* Serves all requests that wait; false: sooth has ended, or does not need this process any more. */
static bool serve_requests(struct tracees *all, int control)
{
	struct tracer_request request;
	ssize_t size;

	while ((size = recv(control, &request, sizeof(request), MSG_DONTWAIT)) == sizeof(request)) {
		if (!serve_request(all, control, &request) || request.what == TRACER_STOP)
			return false;
	}
	return size < 0 && (errno == EAGAIN || errno == EINTR);
}

/* --- the loop --- */

static volatile sig_atomic_t is_requested;

static void note_signal(int signal)
{
	(void)signal;
	is_requested = 1;
}

/* A signal that comes just before a wait is noticed at the next one: the timer repeats it. */
static void catch_signals(int control)
{
	const struct sigaction action = { .sa_handler = note_signal }; /* interrupts waits */
	const struct itimerval timer = { { 0, 100000 }, { 0, 100000 } };

	sigaction(SIGIO, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	/* SIGIO comes with each request. */
	fcntl(control, F_SETOWN, getpid());
	fcntl(control, F_SETFL, O_ASYNC);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void wait_for_request(int control)
{
	struct pollfd request = { .fd = control, .events = POLLIN };

	poll(&request, 1, -1);
	is_requested = 1;
}

static bool is_stop(const siginfo_t *info)
{
	return info->si_code == CLD_TRAPPED || info->si_code == CLD_STOPPED;
}

/* Returns whether the stop may be taken before it is handled: it is no signal. */
static bool may_take(const siginfo_t *info)
{
	return is_stop(info) && (info->si_status == CALL_STOP || info->si_status >> 8);
}

static void handle_wait(struct tracees *all, siginfo_t *info)
{
	uint64_t now = clock_monotonic_ns();

	__atomic_store_n(&all->state->event_ns, now, __ATOMIC_RELEASE);
	tracees_set_busy(all, now);
	if (is_stop(info)) {
		handle_stop(all, info->si_pid, info->si_status, now);
		return;
	}
	/* Reaps: its parent learns of the end only then. */
	waitid(P_PID, (id_t)info->si_pid, info, WEXITED | __WALL);
	handle_end(all, info, now);
}

/* Takes a stop. An earlier one of the same id is gone: another thread made an exec. */
static size_t take_stop(siginfo_t taken[STOPS_MAX], size_t count, const siginfo_t *info)
{
	size_t i = 0;

	while (i < count && taken[i].si_pid != info->si_pid)
		i++;
	taken[i].si_pid = 0;
	if (waitid(P_PID, (id_t)info->si_pid, &taken[i], STOPS_LEFT) || !taken[i].si_pid)
		return count;
	return i == count ? count + 1 : count;
}

/* Handles each thread that is stopped once: of stops that are left, the kernel reports always that
 * of the newest thread, and others would wait. Returns false if there is none to wait for. */
static bool handle_stops(struct tracees *all)
{
	siginfo_t taken[STOPS_MAX], info;
	size_t count = 0;
	int flags = 0, failed = 0;

	/* A thread that is alone has its turn anyway. */
	for (size_t i = 0; !i || (i < STOPS_MAX && i < all->threads.count); i++, flags = WNOHANG) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WSTOPPED | WEXITED | __WALL | WNOWAIT | flags))
			failed = errno;
		if (!info.si_pid)
			break;
		if (may_take(&info))
			count = take_stop(taken, count, &info);
		else
			handle_wait(all, &info);
	}
	for (size_t i = 0; i < count; i++)
		if (taken[i].si_pid)
			handle_wait(all, &taken[i]);
	return failed != ECHILD;
}

void tracees_serve(struct tracees *all, int control)
{
	all->sooth = getppid();
	tracees_watch_sooth(all);
	all->keeps_privilege = needs_has_capability(CAP_SYS_PTRACE);
	map_init(&all->threads, sizeof(pid_t), sizeof(struct tracee *), THREADS_MAX);
	map_init(&all->early, sizeof(pid_t), sizeof(struct early_stop), THREADS_MAX);
	all->late.limit = LATE_MAX;
	catch_signals(control);
	is_requested = 1;
	for (;;) {
		if (is_requested) {
			is_requested = 0;
			if (getppid() != all->sooth || !serve_requests(all, control))
				break;
			release_early(all, clock_monotonic_ns());
		}
		if (!handle_stops(all))
			wait_for_request(control);
		tracees_send_late(all);
		tracees_set_busy(all, 0);
		if (!all->late.size)
			__atomic_store_n(&all->state->event_ns, 0, __ATOMIC_RELEASE);
	}
	tracees_send_rest(all);
}
