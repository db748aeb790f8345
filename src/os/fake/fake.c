/* SPDX-License-Identifier: BSD-2-Clause */
/* The scripted system. */
#include "os/fake/fake.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "collect/secrets.h"
#include "os/fake/script.h"

#define TICKS_PER_S 100
#define LAUNCH_PID  4000 /* PID of the first launched command */

#define BACKEND(probe, name, rank) extern const struct backend backend_##probe##_##name;
#include "os/fake/backends.def"
#undef BACKEND

#define BACKEND(probe, name, rank) &backend_##probe##_##name,
static const struct backend *const backends[] = {
#include "os/fake/backends.def"
	NULL,
};

#define EACH_CALLS(f, source)                                                                      \
	for (size_t _i = 0; _i < SCRIPT_SOURCES_MAX; _i++)                                         \
		for (struct script_calls *source = (f)->calls[_i]; source; source = NULL)

/* --- the system's services --- */

static uint64_t os_now_ns(const struct os *os)
{
	return fake_of(os)->now_ns;
}

static int64_t os_realtime_offset_ns(const struct os *os)
{
	return fake_of(os)->realtime_offset_ns;
}

static void os_host(const struct os *os, struct host_facts *facts)
{
	*facts = (struct host_facts){
		.hostname = "fake-host",
		.os = "Fake",
		.os_version = "1.0",
		.architecture = "script",
		.boot_id = "00000000-0000-4000-8000-000000000000",
		.memory_bytes = FAKE_MEMORY_BYTES,
		.cpus = 2,
		.page_bytes = 4096,
		.ticks_per_s = TICKS_PER_S,
		.realtime_offset_ns = fake_of(os)->realtime_offset_ns,
	};
}

static void os_self(const struct os *os, struct self_cost *cost)
{
	(void)os;
	*cost = (struct self_cost){ .cpu_ns = 7 * NS_PER_MS, .rss_bytes = 3 << 20 };
}

static size_t os_environment(const struct os *os, struct environment_fact *facts, size_t max)
{
	(void)os;
	if (!max)
		return 0;
	facts[0].name = "system";
	snprintf(facts[0].value, sizeof(facts[0].value), "a script");
	return 1;
}

static int os_identify(
	const struct os *os, pid_t pid, struct process_id *process, struct sooth_error *err)
{
	struct fake_process *p = fake_find(fake_of(os), (uint32_t)pid);

	if (!p || !p->is_alive) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %d", (int)pid);
		return error_why(err, "the script has no such process");
	}
	*process = p->id;
	return 0;
}

static bool os_is_alive(const struct os *os, const struct process_id *process)
{
	struct fake_process *p = script_find(fake_of(os), process);

	return p && p->is_alive;
}

static void os_command_line(
	const struct os *os, const struct process_id *process, struct buffer *out)
{
	struct fake_process *p = script_find(fake_of(os), process);

	if (p && p->arguments_size)
		secrets_mask_arguments(out, p->arguments, p->arguments_size);
}

static int os_list(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
	struct sooth_error *err)
{
	struct fake *f = fake_of(os);

	for (size_t i = 0; i < f->process_count; i++) {
		struct fake_process *p = f->processes[i];

		if (p->is_alive && (!has_uid || p->uid == uid))
			buffer_append(process_ids, &p->id, sizeof(p->id));
	}
	return buffer_failed(process_ids) ? error_no_memory(err) : 0;
}

static int os_launch(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err)
{
	struct fake *f = fake_of(os);
	struct fake_process *p = fake_add(f, LAUNCH_PID + (uint32_t)f->process_count,
		launch->as_user ? launch->uid : 0, "held");

	if (!p || !command[0])
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command");
	p->is_before_exec = true;
	launch->process = p->id;
	launch->pid = (pid_t)p->id.pid;
	launch->status = -1;
	return 0;
}

static int os_release(const struct os *os, struct launch *launch, struct sooth_error *err)
{
	struct fake *f = fake_of(os);
	struct fake_process *p = script_find(f, &launch->process);
	int code = script_fails(f, FAKE_RELEASE, err);

	p->is_before_exec = false;
	if (code)
		fake_end(f, p, 127 << 8);
	else
		fake_exec(f, p, "command");
	return code;
}

static bool os_reap(const struct os *os, struct launch *launch)
{
	struct fake_process *p = script_find(fake_of(os), &launch->process);

	if (!p || p->is_alive)
		return false;
	launch->status = p->status;
	return true;
}

static void os_abandon(const struct os *os, struct launch *launch)
{
	struct fake_process *p = script_find(fake_of(os), &launch->process);

	if (p && p->is_before_exec)
		fake_end(fake_of(os), p, SIGKILL);
}

static int os_wait(const struct os *os, const int *descriptors, size_t count, int timeout_ms)
{
	struct fake *f = fake_of(os);

	(void)descriptors;
	(void)count;
	fake_advance(f, (uint64_t)timeout_ms * NS_PER_MS);
	return f->on_wait ? f->on_wait(f->on_wait_user) : 0;
}

static const struct os fake_services = {
	.name = "fake",
	.backends = backends,
	.now_ns = os_now_ns,
	.realtime_offset_ns = os_realtime_offset_ns,
	.host = os_host,
	.self = os_self,
	.environment = os_environment,
	.identify = os_identify,
	.is_alive = os_is_alive,
	.command_line = os_command_line,
	.list = os_list,
	.launch = os_launch,
	.release = os_release,
	.reap = os_reap,
	.abandon = os_abandon,
	.wait = os_wait,
};

/* --- calls of a test --- */

struct fake *fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->os = fake_services;
	f->os.script = f;
	f->now_ns = FAKE_START_NS;
	f->realtime_offset_ns = (int64_t)(1700000000 * NS_PER_S);
	return f;
}

void fake_free(struct fake *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->process_count; i++)
		free(f->processes[i]);
	buffer_fini(&f->records);
	free(f);
}

const struct os *fake_os(const struct fake *f)
{
	return &f->os;
}

const struct fake_counts *fake_counts(const struct fake *f)
{
	return &f->counts;
}

void fake_fail(struct fake *f, enum fake_step step, int code)
{
	f->failures[step] = code;
}

uint64_t fake_now(const struct fake *f)
{
	return f->now_ns;
}

void fake_advance(struct fake *f, uint64_t ns)
{
	f->now_ns += ns;
}

void fake_set_realtime_offset(struct fake *f, int64_t ns)
{
	f->realtime_offset_ns = ns;
}

void fake_on_wait(struct fake *f, int (*hook)(void *user), void *user)
{
	f->on_wait = hook;
	f->on_wait_user = user;
}

void fake_on_set(struct fake *f, void (*hook)(void *user), void *user)
{
	f->on_set = hook;
	f->on_set_user = user;
}

struct fake_process *fake_add(struct fake *f, uint32_t pid, uint32_t uid, const char *name)
{
	struct fake_process *p;

	if (f->process_count == FAKE_PROCESSES_MAX)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct fake_process){
		.id = { .start_ticks = f->now_ns / (NS_PER_S / TICKS_PER_S), .pid = pid },
		.ppid = 1,
		.uid = uid,
		.is_alive = true,
		.threads = 1,
		.state = 'S',
		.rss_bytes = 1 << 20,
		.vsz_bytes = 16 << 20,
		.executable = "/usr/bin/program",
		.directory = "/home/user/project",
		.arguments = "program\0--flag",
		.arguments_size = sizeof("program\0--flag"),
	};
	snprintf(p->name, sizeof(p->name), "%s", name);
	f->processes[f->process_count++] = p;
	return p;
}

struct fake_process *fake_find(struct fake *f, uint32_t pid)
{
	for (size_t i = f->process_count; i > 0; i--) {
		if (f->processes[i - 1]->id.pid == pid)
			return f->processes[i - 1];
	}
	return NULL;
}

struct fake_process *fake_fork(struct fake *f, struct fake_process *parent, uint32_t pid)
{
	struct fake_process *child = fake_add(f, pid, parent->uid, parent->name);

	if (!child)
		return NULL;
	child->ppid = parent->id.pid;
	EACH_CALLS(f, source)
	script_fork(source, parent, child);
	return child;
}

void fake_exec(struct fake *f, struct fake_process *p, const char *name)
{
	snprintf(p->name, sizeof(p->name), "%s", name);
	EACH_CALLS(f, source)
	script_exec(source, p);
}

void fake_call(struct fake *f, struct fake_process *p, const struct fake_call *call)
{
	EACH_CALLS(f, source)
	script_call(source, p, call);
}

void fake_vanish(struct fake *f, struct fake_process *p, int status)
{
	(void)f;
	p->is_alive = false;
	p->status = status;
}

void fake_emit_end(struct fake *f, struct fake_process *p)
{
	EACH_CALLS(f, source)
	script_leave(source, p);
}

void fake_allocate(struct fake *f, struct fake_process *p, const struct heap_call *call)
{
	EACH_CALLS(f, source)
	script_allocate(source, p, call);
}

void fake_end(struct fake *f, struct fake_process *p, int status)
{
	fake_vanish(f, p, status);
	fake_emit_end(f, p);
}

void fake_record(struct fake *f, const struct sooth_record *record)
{
	buffer_append(&f->records, record, record_bytes(record));
}

void fake_lose(struct fake *f, uint64_t records, uint64_t bytes, const char *reason)
{
	f->lost_records = records;
	f->lost_bytes = bytes;
	f->lost_reason = reason;
}

unsigned fake_interest(const struct fake *f, const struct fake_process *p)
{
	unsigned interest = 0;

	EACH_CALLS(f, source)
	interest |= script_interest(source, p);
	return interest;
}

size_t fake_members(const struct fake *f)
{
	size_t count = 0;

	for (size_t i = 0; i < SCRIPT_SOURCES_MAX; i++)
		count += f->members[i] ? f->members[i]->processes.count : 0;
	return count;
}
