/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding whose system calls are streamed; see syscalls_pauser.h. */
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

#define ANCESTORS_MAX 1024 /* of a host whose tables change meanwhile */

struct syscalls_pauser {
	struct ring_pauser ring;
	pthread_mutex_t lock; /* of what was told */
	struct buffer told;
};

/* --- who may be held --- */

/* The kernel takes a program's set-user-ID and file capabilities away at its exec when its tracer
 * has not cap_sys_ptrace: who is held in the middle of one would not be the same. */
static int needs_ptrace(struct sooth_error *err)
{
	if (needs_has_capability(CAP_SYS_PTRACE))
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "hold a target so that no call is lost");
	error_why(err, "this process has not the capability cap_sys_ptrace");
	error_missing(err, "cap_sys_ptrace, or root");
	return error_remedy(err, "run sooth as root, or leave out --lossless");
}

int syscalls_pauser_may_pause(const struct probe_options *options, struct sooth_error *err)
{
	if (!options->is_host && !options->has_uid)
		return needs_ptrace(err);
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "hold processes that nobody named");
	error_why(err, "whoever shows or stores what sooth writes would be held as well, for ever");
	return error_remedy(
		err, "name processes with -p, launch a command, or leave out --lossless");
}

/* The number behind a name in the status of a process; 0: none, or it is gone. */
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

/* Terminals, shells and servers that started us: our output goes to them, or through them. */
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
		"hold process %u so that no call is lost", (unsigned)process->pid);
}

/* Opening its memory takes what tracing it takes (PTRACE_MODE_ATTACH), and does nothing. */
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
		return 0; /* one that is gone is told by who follows it */
	refuse_process(process, -EPERM, err);
	error_why(err, "the kernel does not let this process trace it");
	return error_remedy(err, "run sooth as root, or leave out --lossless");
}

int syscalls_pauser_may_pause_process(const struct process_id *process, struct sooth_error *err)
{
	pid_t pid = (pid_t)process->pid, tracer = status_number(pid, "TracerPid:");

	if (tracer > 0) {
		refuse_process(process, -EBUSY, err);
		error_why(err, "process %d traces it already, and a process has one tracer",
			(int)tracer);
		return error_remedy(err, "end that one, or leave out --lossless");
	}
	if (is_ancestor(pid)) {
		refuse_process(process, -EDEADLK, err);
		error_why(
			err, "it started this sooth: what is written may have to pass through it");
		return error_remedy(err, "run sooth elsewhere, or leave out --lossless");
	}
	return test_permission(process, err);
}

/* --- holding --- */

static void tell(void *user, struct held *held)
{
	struct syscalls_pauser *h = user;

	held->record.kind = SYSCALLS_PAUSE; /* of the target as a whole: no process */
	pthread_mutex_lock(&h->lock);
	RECORD_APPEND(&h->told, held, NULL, 0);
	pthread_mutex_unlock(&h->lock);
}

int syscalls_pauser_start(
	struct syscalls_pauser **out, struct follow *follow, struct sooth_error *err)
{
	struct syscalls_pauser *h = calloc(1, sizeof(*h));
	const struct ring_pauser_work work = { .tell = tell, .user = h };
	int status;

	if (!h)
		return error_no_memory(err);
	pthread_mutex_init(&h->lock, NULL);
	status = ring_pauser_start(&h->ring, follow, &work, err);
	if (status) {
		free(h);
		return status;
	}
	*out = h;
	return 0;
}

void syscalls_pauser_reported(struct syscalls_pauser *h, struct buffer *out)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	buffer_append(out, h->told.data, h->told.size);
	buffer_reset(&h->told);
	pthread_mutex_unlock(&h->lock);
}

void syscalls_pauser_stop(struct syscalls_pauser *h, struct buffer *out)
{
	if (!h)
		return;
	ring_pauser_stop(&h->ring);
	if (out)
		syscalls_pauser_reported(h, out);
	pthread_mutex_destroy(&h->lock);
	buffer_fini(&h->told);
	free(h);
}
