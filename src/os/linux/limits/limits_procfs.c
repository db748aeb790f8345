/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits by procfs and the control groups' files: /proc/PID/limits with the used amount if that is
 * cheap to read, the process's control groups and those above, pressure of the host and of its
 * group, and the scores of the kernel's out-of-memory killer.
 *
 * Cannot be seen: how many threads its user has (all processes of all namespaces would have to be
 * read), and what its message queues hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/host/control_groups.h"
#include "os/linux/files/limits_files.h"
#include "os/linux/limits/limit_descriptors.h"
#include "os/linux/limits/limit_holders.h"
#include "os/linux/limits/limit_space.h"
#include "os/linux/bpf/members.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/task_files.h"
#include "os/os.h"
#include "probes/limits.h"

#define FAILED	    SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

#define SEGMENTS_SIZE (1u << 20) /* 4096 segments are the default limit; 156 bytes each */

#define GROUPS_KNOWN_MAX 16
#define HOLDERS_MAX	 16 /* processes whose shared limits are read per sample */

/* Records of one process's groups, for other processes of this sample in the same groups. */
struct known_groups {
	struct buffer own, records; /* its file "cgroup" */
	uint8_t groups_state, pressure_state;
};

struct limits_state {
	struct members members;
	struct control_groups groups;
	struct known_groups known[GROUPS_KNOWN_MAX];
	size_t known_count;
	/* The list of shared memory and the largest number of segments, read for this sample. */
	struct buffer segments;
	int segments_status;
	uint64_t segments_max;
	bool has_segments;
	struct limit_descriptors descriptors;
	bool has_begun;	    /* the first sample is over */
	unsigned processes; /* processes of this sample */
	struct buffer limits, status, bytes, own;
};

/* Where the used amounts are read from. */
struct use_source {
	const struct process_snapshot *snapshot;
	const struct buffer *status; /* the file of that name */
	uint8_t status_state;
};

/* --- resource limits --- */

/* Reads the CPU time by pid: the folder of the process, which still answers, proves that the pid
 * was not reused. */
static uint8_t cpu_seconds(const struct process_snapshot *snapshot, uint64_t *seconds)
{
	struct process_id now;
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid((pid_t)snapshot->id.pid, &clock) || clock_gettime(clock, &used) ||
		procfs_identify_at(snapshot->process, &now))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	*seconds = (uint64_t)used.tv_sec;
	return SOOTH_STATE_VALUE;
}

/* Reads "    5520 kB"; a kernel thread has no such line. */
static uint8_t kilobytes(const struct use_source *from, const char *name, uint64_t *bytes)
{
	struct span value;
	struct cursor c;

	if (from->status_state != SOOTH_STATE_VALUE)
		return from->status_state;
	if (!task_status_find(&value, name, from->status->data, from->status->size))
		return SOOTH_STATE_ABSENT;
	c = cursor_over(value.data, value.size);
	*bytes = cursor_decimal(&c) * 1024;
	return c.failed ? FAILED : SOOTH_STATE_VALUE;
}

static uint8_t queued_signals(const struct use_source *from, uint64_t *count)
{
	struct task_signals signals;

	if (from->status_state != SOOTH_STATE_VALUE)
		return from->status_state;
	if (!task_signals_parse(&signals, from->status->data, from->status->size))
		return UNSUPPORTED;
	*count = signals.queued;
	return SOOTH_STATE_VALUE;
}

static uint8_t read_use(
	const struct use_source *from, const struct limits_line *line, uint64_t *used)
{
	switch (line->use) {
	case LIMITS_USE_CPU:
		return cpu_seconds(from->snapshot, used);
	case LIMITS_USE_FDS:
		return procfs_state(procfs_count(from->snapshot->process, "fd", used));
	case LIMITS_USE_SIGNALS:
		return queued_signals(from, used);
	case LIMITS_USE_STATUS:
		return kilobytes(from, line->status, used);
	case LIMITS_USE_UNKNOWN:
		return UNSUPPORTED;
	default:
		return SOOTH_STATE_ABSENT;
	}
}

static void write_resource(
	struct backend_run *run, const struct use_source *from, const struct limits_line *line)
{
	struct limits_resource r = { .record = process_snapshot_head(
					     from->snapshot, run, 0, LIMITS_RESOURCE),
		.soft = line->soft,
		.hard = line->hard,
		.soft_state = line->has_soft ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.hard_state = line->has_hard ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.unit = line->unit };
	struct record_tail tail[] = { { &r.name, line->name.data, line->name.size } };

	r.used_state = read_use(from, line, &r.used);
	RECORD_APPEND(&run->out, &r, tail, 1);
}

static uint8_t read_resources(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct limits_state *s = run->state;
	int status = procfs_read_at(snapshot->process, "limits", &s->limits, PROCFS_SMALL);
	int of_status = procfs_read_at(snapshot->process, "status", &s->status, PROCFS_SMALL);
	struct use_source from = { snapshot, &s->status,
		procfs_state(process_snapshot_status(snapshot, of_status)) };
	struct cursor c = cursor_over(s->limits.data, s->limits.size);
	struct limits_line line;
	unsigned count = 0;

	if (status < 0)
		return procfs_state(process_snapshot_status(snapshot, status));
	while (!cursor_at_end(&c)) {
		if (!limits_line_parse(&line, cursor_line(&c)))
			continue;
		write_resource(run, &from, &line);
		count++;
	}
	return count ? procfs_state(status) : FAILED;
}

/* --- pressure --- */

static void store_pressure_line(struct limits_pressure *p, const struct pressure_line *line)
{
	if (line->is_full) {
		p->full_10s = line->share_10s;
		p->full_60s = line->share_60s;
		p->full_300s = line->share_300s;
		p->full_state = SOOTH_STATE_VALUE;
		return;
	}
	p->some_10s = line->share_10s;
	p->some_60s = line->share_60s;
	p->some_300s = line->share_300s;
}

/* Reads the pressure. Returns 0 or a negative errno; -EOPNOTSUPP: the kernel does not account for
 * it now. */
static int read_pressure(struct backend_run *run, const struct process_snapshot *snapshot,
	int folder, const char *file, const char *resource, const char *path)
{
	struct limits_state *s = run->state;
	struct limits_pressure p = { .is_host = !path[0], .full_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &p.resource, resource, strlen(resource) },
		{ &p.path, path, strlen(path) } };
	int status = procfs_read_at(folder, file, &s->bytes, PROCFS_SMALL);
	struct cursor c = cursor_over(s->bytes.data, s->bytes.size);
	struct pressure_line line;
	bool has_some = false;

	if (status < 0)
		return status;
	while (!cursor_at_end(&c)) {
		if (!pressure_line_parse(&line, cursor_line(&c)))
			continue;
		has_some |= !line.is_full;
		store_pressure_line(&p, &line);
	}
	if (!has_some)
		return -EINVAL;
	/* Full pressure does not exist for the CPU of a host; kernels write zeros there. */
	if (p.is_host && !strcmp(resource, "cpu"))
		p.full_state = SOOTH_STATE_ABSENT;
	p.record = process_snapshot_head(snapshot, run, 0, LIMITS_PRESSURE);
	RECORD_APPEND(&run->out, &p, tail, 2);
	return 0;
}

static const char *const resources[] = { "cpu", "memory", "io" };

static void read_group_pressure(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct limits_state *s = run->state;
	char path[GROUP_PATH_MAX], file[32];
	_cleanup_close_ int group = control_groups_open(&s->groups, snapshot->process, "", path);

	for (size_t i = 0; group >= 0 && i < ARRAY_SIZE(resources); i++) {
		snprintf(file, sizeof(file), "%s.pressure", resources[i]);
		/* Version 2 may be off for the group (cgroup.pressure): then the host's values
		 * remain. */
		read_pressure(run, snapshot, group, file, resources[i], path);
	}
}

static uint8_t read_all_pressure(struct backend_run *run, const struct process_snapshot *snapshot)
{
	_cleanup_close_ int folder = open("/proc/pressure", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = folder < 0 ? -errno : 0;

	for (size_t i = 0; !status && i < ARRAY_SIZE(resources); i++)
		status = read_pressure(run, snapshot, folder, resources[i], resources[i], "");
	if (!status)
		read_group_pressure(run, snapshot);
	return pressure_state(status);
}

/* --- groups and pressure, once for all processes that are in the same groups --- */

static const struct known_groups *find_known_groups(const struct limits_state *s)
{
	for (size_t i = 0; i < s->known_count; i++) {
		const struct buffer *own = &s->known[i].own;

		if (own->size == s->own.size && !memcmp(own->data, s->own.data, own->size))
			return &s->known[i];
	}
	return NULL;
}

static void write_known_groups(struct backend_run *run, const struct process_snapshot *snapshot,
	const struct known_groups *known)
{
	struct batch batch = { known->records.data, known->records.size };

	batch_for_each (record, &batch) {
		struct sooth_record *copy;
		size_t at = run->out.size;

		buffer_append(&run->out, record, record_bytes(record));
		if (buffer_failed(&run->out))
			return;
		copy = (void *)(run->out.data + at);
		copy->time_ns = run->os->now_ns(run->os);
		copy->start_ticks = snapshot->id.start_ticks;
		copy->pid = snapshot->id.pid;
	}
}

static void store_known_groups(struct limits_state *s, const struct buffer *out, size_t from,
	const struct limits_process *end)
{
	struct known_groups *known = &s->known[s->known_count];

	if (s->known_count == GROUPS_KNOWN_MAX || buffer_failed(out))
		return;
	buffer_reset(&known->own);
	buffer_reset(&known->records);
	buffer_append(&known->own, s->own.data, s->own.size);
	buffer_append(&known->records, buffer_at(out, from), out->size - from);
	known->groups_state = end->groups_state;
	known->pressure_state = end->pressure_state;
	if (!buffer_failed(&known->own) && !buffer_failed(&known->records))
		s->known_count++;
}

static void read_groups(struct backend_run *run, const struct process_snapshot *snapshot,
	struct limits_process *end)
{
	struct limits_state *s = run->state;
	bool has_own =
		!procfs_read_at(snapshot->process, "cgroup", &s->own, PROCFS_SMALL) && s->own.size;
	const struct known_groups *known = has_own ? find_known_groups(s) : NULL;
	size_t from = run->out.size;

	if (known) {
		write_known_groups(run, snapshot, known);
		end->groups_state = known->groups_state;
		end->pressure_state = known->pressure_state;
		return;
	}
	end->groups_state = control_groups_read(&s->groups, run, snapshot);
	end->pressure_state = read_all_pressure(run, snapshot);
	if (has_own)
		store_known_groups(s, &run->out, from, end);
}

/* --- memory --- */

static bool read_number(struct backend_run *run, const struct process_snapshot *snapshot,
	const char *name, int64_t *value, uint8_t *state)
{
	struct limits_state *s = run->state;
	int status = procfs_read_at(snapshot->process, name, &s->bytes, PROCFS_SMALL);
	struct cursor c = cursor_over(s->bytes.data, s->bytes.size);

	*state = procfs_state(process_snapshot_status(snapshot, status));
	if (status < 0)
		return false;
	*value = cursor_signed(&c);
	if (c.failed)
		*state = FAILED;
	return !c.failed;
}

static void read_oom(struct backend_run *run, const struct process_snapshot *snapshot,
	struct limits_process *end)
{
	if (read_number(run, snapshot, "oom_score", &end->oom_score, &end->oom_state))
		read_number(run, snapshot, "oom_score_adj", &end->oom_score_adjustment,
			&end->oom_state);
}

static void read_memory(struct backend_run *run, struct limits_process *end)
{
	struct limits_state *s = run->state;
	int status = procfs_read_at(AT_FDCWD, "/proc/meminfo", &s->bytes, PROCFS_SMALL);
	struct use_source from = { NULL, &s->bytes, procfs_state(status) };

	end->memory_state = kilobytes(&from, "MemAvailable:", &end->memory_available_bytes);
	if (end->memory_state == SOOTH_STATE_VALUE)
		end->memory_state = kilobytes(&from, "MemTotal:", &end->memory_bytes);
}

/* --- shared memory of System V --- */

/* Returns the start of a process: a segment of an earlier process with that pid is older. */
static uint64_t start_s(const struct process_snapshot *snapshot)
{
	uint64_t age_ns = clock_ns(CLOCK_BOOTTIME) -
			  snapshot->id.start_ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));

	return (clock_ns(CLOCK_REALTIME) - age_ns) / NS_PER_S;
}

static uint64_t segments_max(struct limits_state *s)
{
	uint64_t value;

	return procfs_read_at(AT_FDCWD, "/proc/sys/kernel/shmmni", &s->bytes, PROCFS_STAT) < 0 ||
			       !group_value_parse(&value, s->bytes.data, s->bytes.size)
		       ? 0
		       : value;
}

static void read_list(struct limits_state *s)
{
	if (s->has_segments)
		return;
	s->has_segments = true;
	s->segments_max = segments_max(s);
	s->segments_status =
		procfs_read_at(AT_FDCWD, "/proc/sysvipc/shm", &s->segments, SEGMENTS_SIZE);
}

static void read_segments(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct limits_state *s = run->state;
	struct limits_segments sum = { .record = process_snapshot_head(
					       snapshot, run, 0, LIMITS_SEGMENTS) };
	uint64_t started_s = start_s(snapshot);
	struct segment_line line;
	struct cursor c;

	read_list(s);
	if (s->segments_status || !procfs_shares_namespace(snapshot->process, "ns/ipc"))
		return;
	sum.segments_max = s->segments_max;
	c = cursor_over(s->segments.data, s->segments.size);
	while (!cursor_at_end(&c)) {
		if (!segment_line_parse(&line, cursor_line(&c)))
			continue;
		sum.all_segments++;
		if (line.creator != snapshot->id.pid || line.change_s + 1 < started_s)
			continue;
		sum.segments++;
		sum.bytes += line.bytes;
		sum.unattached += !line.attached;
		sum.unattached_bytes += line.attached ? 0 : line.bytes;
	}
	RECORD_APPEND(&run->out, &sum, NULL, 0);
}

/* --- which processes use up a limit --- */

/* Returns whether the holders of limits are read: at the end of an interval, and of few processes,
 * because all processes of the host are read for it. */
static bool wants_holders(const struct backend_run *run)
{
	const struct limits_state *s = run->state;

	return s->has_begun && run->options.interest & INTEREST_EDGES;
}

static void write_holders(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct limits_state *s = run->state;
	struct span cpus;

	if (!wants_holders(run) || s->processes++ >= HOLDERS_MAX)
		return;
	limit_descriptors_write(&s->descriptors, run, snapshot);
	limit_space_write(run, snapshot);
	if (task_status_find(&cpus, "Cpus_allowed_list:", s->status.data, s->status.size))
		limit_holders_of_cpus(run, snapshot, cpus);
}

/* --- as a backend --- */

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct limits_process end = { 0 };
	struct process_snapshot snapshot;
	int status = process_snapshot_open(&snapshot, run, pid, expected);
	uint8_t state = procfs_state(status);

	if (status <= 0) {
		end.oom_state = end.resources_state = end.groups_state = state;
		end.pressure_state = end.memory_state = state;
		if (!status) {
			end.resources_state = read_resources(run, &snapshot);
			read_groups(run, &snapshot, &end);
			read_oom(run, &snapshot, &end);
			read_memory(run, &end);
			read_segments(run, &snapshot);
			write_holders(run, &snapshot);
		}
		end.record = process_snapshot_head(&snapshot, run, 0, LIMITS_PROCESS);
		RECORD_APPEND(&run->out, &end, NULL, 0);
	}
	process_snapshot_close(&snapshot);
}

static void begin_groups(struct backend_run *run)
{
	struct limits_state *s = run->state;

	s->groups.visit = wants_holders(run) ? limit_holders_of_group : NULL;
	s->processes = 0;
	limit_descriptors_clear(&s->descriptors);
	control_groups_read_mounts(&s->groups);
	s->known_count = 0;
	s->has_segments = false;
}

static int limits_sample(struct backend_run *run, struct sooth_error *err)
{
	struct limits_state *s = run->state;
	int status;

	begin_groups(run);
	status = members_visit(&s->members, run, sample_process, err);
	s->has_begun = true;
	return status;
}

static int limits_open(struct backend_run *run, struct sooth_error *err)
{
	struct limits_state *s = run->state;

	(void)err;
	members_init(&s->members);
	limit_descriptors_init(&s->descriptors);
	return 0;
}

static void limits_joined(struct backend_run *run, const struct process_id *process)
{
	begin_groups(run);
	sample_process(run, (pid_t)process->pid, process);
}

static void limits_close(struct backend_run *run)
{
	struct limits_state *s = run->state;

	members_fini(&s->members);
	limit_descriptors_fini(&s->descriptors);
	control_groups_fini(&s->groups);
	buffer_fini(&s->limits);
	buffer_fini(&s->status);
	buffer_fini(&s->bytes);
	buffer_fini(&s->own);
	buffer_fini(&s->segments);
	for (size_t i = 0; i < GROUPS_KNOWN_MAX; i++) {
		buffer_fini(&s->known[i].own);
		buffer_fini(&s->known[i].records);
	}
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_limits_procfs = {
	.name = "procfs",
	.probe = "limits",
	.help = "reads /proc and the files of control groups; nothing is attached to the process",
	.needs = needs,
	.state_size = sizeof(struct limits_state),
	.open = limits_open,
	.set = members_backend_set,
	.start = limits_sample,
	.sample = limits_sample,
	.joined = limits_joined,
	.stop = members_backend_stop,
	.close = limits_close,
};
