/* SPDX-License-Identifier: BSD-2-Clause */
/* context by procfs: command line, threads' names and mapped files, read when a process joins and
 * when it replaces its program. Only mappings of files, and of them the executable ones get a build
 * id, cached by device and inode. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "collect/secrets.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/files/timeout.h"
#include "os/linux/rights/needs.h"
#include "probes/context.h"
#include "symbols/debug_identity.h"

/* --- build id --- */

struct job {
	int file; /* its own descriptor */
	int status;
	struct debug_identity identity;
};

static void run_read_job(void *argument)
{
	struct job *job = argument;

	job->status = !debug_identity_read(job->file, &job->identity) ? -EINVAL
		      : job->identity.build_id[0]		      ? 0
								      : -ENOENT;
}

/* Reads the build id of a file that the process has mapped. `process`: open /proc/PID. Returns 0;
 * -ENOENT: there is none; -ETIMEDOUT: the file did not answer; another negative errno: it cannot be
 * read as ELF. */
static int build_id_read(struct timeout *timeout, int process, const struct maps_line *mapping,
	char out[DEBUG_BUILD_ID_SIZE])
{
	_cleanup_close_ int file = timed_open_mapped(timeout, process, mapping, TIMEOUT_MS);
	struct job job = { 0 };
	int status;

	if (file < 0)
		return file;
	status = timeout_call_file(timeout, run_read_job, &job, sizeof(job), file, TIMEOUT_MS);
	if (!status)
		status = job.status;
	if (!status)
		memcpy(out, job.identity.build_id, sizeof(job.identity.build_id));
	return status;
}

/* --- context procfs --- */

#define THREADS_MAX   65536
#define MAPPINGS_MAX  100000
#define BUILD_IDS_MAX 65536

struct file_key {
	uint64_t device;
	uint64_t inode;
};

struct known_build_id {
	int status; /* result of build_id_read() */
	char text[DEBUG_BUILD_ID_SIZE];
};

struct context_state {
	struct members members;
	struct map build_ids; /* file_key -> known_build_id */
	struct map silent;    /* devices whose files do not answer */
	struct timeout timeout;
	struct buffer raw, masked, path, tids;
};

static void write_command(
	struct backend_run *run, const struct process_snapshot *snapshot, int mappings_status)
{
	struct context_state *s = run->state;
	struct context_command c = { .record = process_snapshot_head(
					     snapshot, run, 0, CONTEXT_COMMAND) };
	int status = timeout_read_at(
		&s->timeout, snapshot->process, "cmdline", &s->raw, PROCFS_ARGUMENTS, TIMEOUT_MS);

	c.mappings_state = procfs_state(mappings_status);
	c.arguments_state = procfs_state(status);
	buffer_reset(&s->masked);
	if (status >= 0 &&
		secrets_mask_arguments(&s->masked, (const char *)s->raw.data, s->raw.size))
		c.arguments_state = SOOTH_STATE_TRUNCATED;
	c.executable_state = procfs_state(procfs_link_at(snapshot->process, "exe", &s->path));
	struct record_tail tail[] = {
		{ &c.arguments, s->masked.data, s->masked.size },
		{ &c.executable, s->path.data, s->path.size },
	};
	RECORD_APPEND(&run->out, &c, tail, ARRAY_SIZE(tail));
}

static void write_threads(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct context_state *s = run->state;
	int status = process_snapshot_threads(snapshot, &s->tids, THREADS_MAX);
	const uint32_t *tids = (const void *)s->tids.data;

	for (size_t i = 0; status >= 0 && i < s->tids.size / sizeof(*tids); i++) {
		struct context_thread t = { .record = process_snapshot_head(
						    snapshot, run, tids[i], CONTEXT_THREAD) };
		struct record_tail tail[1];

		if (process_snapshot_file(snapshot, tids[i], "comm", &s->raw) || !s->raw.size)
			continue;
		/* no newline */
		tail[0] = (struct record_tail){ &t.name, s->raw.data, s->raw.size - 1 };
		RECORD_APPEND(&run->out, &t, tail, 1);
	}
}

static bool is_device_silent(struct context_state *s, uint64_t device)
{
	return map_get(&s->silent, &device);
}

static const struct known_build_id *build_id_of(
	struct context_state *s, int process, const struct maps_line *m)
{
	struct file_key key = { (uint64_t)m->device_major << 32 | m->device_minor, m->inode };
	bool is_new;
	struct known_build_id *known = map_put(&s->build_ids, &key, &is_new);

	if (!known || !is_new)
		return known;
	known->status = is_device_silent(s, key.device)
				? -ETIMEDOUT
				: build_id_read(&s->timeout, process, m, known->text);
	/* The first file that does not answer stands for all files on its device. */
	if (known->status == -ETIMEDOUT || known->status == -EBUSY)
		map_put(&s->silent, &key.device, NULL);
	return known;
}

static uint32_t protection_of(const struct maps_line *m)
{
	return (m->is_readable ? CONTEXT_READ : 0) | (m->is_writable ? CONTEXT_WRITE : 0) |
	       (m->is_executable ? CONTEXT_EXECUTE : 0) | (m->is_shared ? CONTEXT_SHARED : 0);
}

static void write_mapping(
	struct backend_run *run, const struct process_snapshot *snapshot, struct span line)
{
	struct context_state *s = run->state;
	struct context_mapping m = { .record = process_snapshot_head(
					     snapshot, run, 0, CONTEXT_MAPPING),
		.build_id_state = SOOTH_STATE_ABSENT };
	const struct known_build_id *known = NULL;
	struct maps_line parsed;
	struct span path;

	/* Unnamed mappings matter later only if they have code: it may be a JIT's. */
	if (!maps_parse(line, &parsed) || (!parsed.path.size && !parsed.is_executable))
		return;
	path = parsed.path;
	m.from = parsed.from;
	m.to = parsed.to;
	m.offset = parsed.offset;
	m.protection = protection_of(&parsed);
	m.device_major = parsed.device_major;
	m.device_minor = parsed.device_minor;
	m.inode = parsed.inode;
	if (m.inode && m.protection & CONTEXT_EXECUTE && path.size && path.data[0] == '/')
		known = build_id_of(s, snapshot->process, &parsed);
	if (known && known->status != -ENOENT)
		m.build_id_state = procfs_state(known->status);
	struct record_tail tail[] = {
		{ &m.path, path.data, path.size },
		{ &m.build_id, known ? known->text : "", known ? strlen(known->text) : 0 },
	};
	RECORD_APPEND(&run->out, &m, tail, ARRAY_SIZE(tail));
}

static void write_mappings(
	struct backend_run *run, const struct process_snapshot *snapshot, const struct buffer *maps)
{
	struct cursor c = cursor_over(maps->data, maps->size);
	int count = 0;

	while (!cursor_at_end(&c) && count++ < MAPPINGS_MAX)
		write_mapping(run, snapshot, cursor_line(&c));
	if (count > MAPPINGS_MAX)
		backend_limit(run, "some mapped files", "only the first mapped files are read", "");
}

static void read_context(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	_cleanup_process_snapshot_ struct process_snapshot snapshot;
	struct buffer maps = { 0 };
	int status;

	if (process_snapshot_open(&snapshot, run, pid, expected))
		return;
	status = procfs_read_at(snapshot.process, "maps", &maps, PROCFS_MAPS);
	if (status < 0 && status != -ESRCH)
		backend_limit(run, "mapped files", strerror(-status),
			"run as the process's user, or as root");
	write_command(run, &snapshot, status);
	write_threads(run, &snapshot);
	write_mappings(run, &snapshot, &maps);
	buffer_fini(&maps);
}

static int context_start(struct backend_run *run, struct sooth_error *err)
{
	struct context_state *s = run->state;

	return members_visit(&s->members, run, read_context, err);
}

static int context_open(struct backend_run *run, struct sooth_error *err)
{
	struct context_state *s = run->state;

	(void)err;
	members_init(&s->members);
	map_init(&s->build_ids, sizeof(struct file_key), sizeof(struct known_build_id),
		BUILD_IDS_MAX);
	map_init(&s->silent, sizeof(uint64_t), 1, BUILD_IDS_MAX);
	return 0;
}

static void context_joined(struct backend_run *run, const struct process_id *process)
{
	read_context(run, (pid_t)process->pid, process);
}

/* Reads all again at the end: libraries may have been loaded and threads renamed. */
static int context_stop(struct backend_run *run, struct sooth_error *err)
{
	struct context_state *s = run->state;

	if (run->options.is_host || run->options.has_uid)
		return 0; /* a second read would repeat all records */
	return members_visit(&s->members, run, read_context, err);
}

static void context_close(struct backend_run *run)
{
	struct context_state *s = run->state;

	members_fini(&s->members);
	map_fini(&s->build_ids);
	map_fini(&s->silent);
	timeout_fini(&s->timeout);
	buffer_fini(&s->raw);
	buffer_fini(&s->masked);
	buffer_fini(&s->path);
	buffer_fini(&s->tids);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_context_procfs = {
	.name = "procfs",
	.probe = "context",
	.help = "reads /proc when a process joins or execs",
	.needs = needs,
	.state_size = sizeof(struct context_state),
	.open = context_open,
	.set = members_backend_set,
	.start = context_start,
	.joined = context_joined,
	.stop = context_stop,
	.close = context_close,
};
