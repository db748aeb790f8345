/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses processes whose system calls are streamed. */
#include "os/linux/syscalls/syscalls_pauser.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/batch.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"
#include "os/linux/bpf/ring_pauser.h"
#include "os/linux/files/task_files.h"
#include "probes/syscalls.h"

#define ANCESTORS_MAX 1024 /* of a host whose process table changes meanwhile */

struct syscalls_pauser {
	struct ring_pauser ring;
	pthread_mutex_t lock; /* guards the pending records */
	struct buffer pending;
};

/* --- which processes may be paused --- */

/* Returns an error without cap_sys_ptrace: the kernel drops a program's set-user-ID and file
 * capabilities at its exec when its tracer does not have it, and a process that is paused during
 * the exec would behave differently. */
static int refuse_without_ptrace(struct sooth_error *err)
{
	if (needs_has_capability(CAP_SYS_PTRACE))
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "pause the target so that no call is lost");
	error_why(err, "sooth does not have the capability cap_sys_ptrace");
	error_missing(err, "cap_sys_ptrace, or root");
	return error_remedy(err, "run sooth as root, or leave out --lossless");
}

int syscalls_pauser_may_pause(const struct probe_options *options, struct sooth_error *err)
{
	if (!options->is_host && !options->has_uid)
		return refuse_without_ptrace(err);
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "pause processes that were not named");
	error_why(err,
		"sooth could pause the process that reads its output: both would wait forever");
	return error_remedy(
		err, "name processes with -p PID, launch a command, or leave out --lossless");
}

/* Returns the number behind a name in the status of a process; 0: none, or the process is gone. */
static pid_t status_number(pid_t pid, const char *name)
{
	struct buffer status = { 0 };
	struct span value;
	pid_t number = 0;

	procfs_read(pid, "status", &status, PROCFS_SMALL);
	if (task_status_find(&value, name, status.data, status.size)) {
		struct cursor c = cursor_over(value.data, value.size);

		number = (pid_t)cursor_decimal(&c);
	}
	buffer_fini(&status);
	return number;
}

/* Returns whether a process started sooth: a terminal, shell or server to which, or through which,
 * sooth's output goes. */
static bool is_ancestor(pid_t pid)
{
	pid_t at = getppid();

	for (int i = 0; at > 0 && i < ANCESTORS_MAX; i++) {
		if (at == pid)
			return true;
		at = status_number(at, "PPid:");
	}
	return false;
}

static int refuse_process(const struct process_id *process, int code, struct sooth_error *err)
{
	return error_set(err, code,
		code == -EPERM ? SOOTH_FAULT_PRIVILEGE : SOOTH_FAULT_UNSUPPORTED,
		"pause process %u so that no call is lost", (unsigned)process->pid);
}

/* Tests the permission. Opening the memory of a process needs the same permission as tracing it
 * (PTRACE_MODE_ATTACH), and changes nothing. */
static int test_permission(const struct process_id *process, struct sooth_error *err)
{
	char path[48];
	int memory, code;

	snprintf(path, sizeof(path), "/proc/%u/mem", (unsigned)process->pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	code = errno;
	if (memory >= 0)
		close(memory);
	if (memory >= 0 || (code != EACCES && code != EPERM))
		return 0; /* the process is gone: follow.h reports it */
	refuse_process(process, -EPERM, err);
	error_why(err, "the kernel does not let sooth trace this process");
	return error_remedy(err, "run sooth as root, or leave out --lossless");
}

int syscalls_pauser_may_pause_process(const struct process_id *process, struct sooth_error *err)
{
	pid_t pid = (pid_t)process->pid, tracer = status_number(pid, "TracerPid:");

	if (tracer > 0) {
		refuse_process(process, -EBUSY, err);
		error_why(err,
			"process %d traces this process already, and a process can have one tracer "
			"only",
			(int)tracer);
		return error_remedy(err, "end the other tracer, or leave out --lossless");
	}
	if (is_ancestor(pid)) {
		refuse_process(process, -EDEADLK, err);
		error_why(err, "this process started sooth and may have to read its output: both "
			       "would wait forever");
		return error_remedy(
			err, "run sooth from another terminal, or leave out --lossless");
	}
	return test_permission(process, err);
}

/* --- pausing --- */

static void report_pause(void *user, struct pause_event *event)
{
	struct syscalls_pauser *p = user;

	event->record.kind = SYSCALLS_PAUSE; /* it pauses the target as a whole: no process */
	pthread_mutex_lock(&p->lock);
	RECORD_APPEND(&p->pending, event, NULL, 0);
	pthread_mutex_unlock(&p->lock);
}

int syscalls_pauser_start(
	struct syscalls_pauser **out, struct follow *follow, struct sooth_error *err)
{
	struct syscalls_pauser *p = calloc(1, sizeof(*p));
	const struct ring_pauser_work work = { .report = report_pause, .user = p };
	int status;

	if (!p)
		return error_no_memory(err);
	pthread_mutex_init(&p->lock, NULL);
	status = ring_pauser_start(&p->ring, follow, &work, err);
	if (status) {
		free(p);
		return status;
	}
	*out = p;
	return 0;
}

void syscalls_pauser_drain(struct syscalls_pauser *p, struct buffer *out)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	buffer_append(out, p->pending.data, p->pending.size);
	buffer_reset(&p->pending);
	pthread_mutex_unlock(&p->lock);
}

void syscalls_pauser_stop(struct syscalls_pauser *p, struct buffer *out)
{
	if (!p)
		return;
	ring_pauser_stop(&p->ring);
	if (out)
		syscalls_pauser_drain(p, out);
	pthread_mutex_destroy(&p->lock);
	buffer_fini(&p->pending);
	free(p);
}
