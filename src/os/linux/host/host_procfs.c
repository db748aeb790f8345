/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host by procfs: /proc/loadavg, uptime, meminfo and pressure at each sample, the tracers once at
 * the start. In a container the values are still those of the host, unless something like lxcfs is
 * mounted over the files.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/host/host_files.h"
#include "os/linux/files/limits_files.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"
#include "os/linux/host/tracers.h"
#include "os/os.h"
#include "probes/host.h"

#define FAILED	    SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

/* PROC_PID_INIT_INO of the kernel */

#define STAT_BYTES_MAX (4u << 20)

struct host_state {
	struct buffer bytes;
};

static struct sooth_record host_head(const struct backend_run *run, uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = run->os->now_ns(run->os), .kind = kind, .cpu = SOOTH_CPU_NONE
	};
}

/* Reads a file, whose bytes replace the scratch buffer; returns a field's state. */
static uint8_t read_file(struct host_state *s, const char *path)
{
	return procfs_state(procfs_read_at(AT_FDCWD, path, &s->bytes, PROCFS_SMALL));
}

/* Shares of the last 10 seconds; full NULL: the file has none. */
static uint8_t read_pressure(struct host_state *s, const char *path, double *some, double *full)
{
	int status = procfs_read_at(AT_FDCWD, path, &s->bytes, PROCFS_SMALL);
	struct cursor c = cursor_over(s->bytes.data, s->bytes.size);
	struct pressure_line line;
	bool has_some = false, has_full = false;

	if (status < 0)
		return pressure_state(status);
	while (!cursor_at_end(&c)) {
		if (!pressure_line_parse(&line, cursor_line(&c)))
			continue;
		has_full |= line.is_full;
		has_some |= !line.is_full;
		if (!line.is_full)
			*some = line.share_10s;
		else if (full)
			*full = line.share_10s;
	}
	if (!full)
		return has_some ? SOOTH_STATE_VALUE : FAILED;
	return has_some && has_full ? SOOTH_STATE_VALUE : FAILED;
}

/* Reads the number of forks, which stands behind a line whose length depends on the host's
 * interrupts. */
static void read_forks(struct host_state *s, struct host_load *r)
{
	int status = procfs_read_at(AT_FDCWD, "/proc/stat", &s->bytes, STAT_BYTES_MAX);

	r->forks_state = procfs_state(status);
	if (status >= 0)
		r->forks_state =
			group_event_parse(&r->forks, "processes", s->bytes.data, s->bytes.size)
				? SOOTH_STATE_VALUE
				: UNSUPPORTED;
}

/* Writes a record of each CPU, from what read_forks() has read. */
static void write_cpus(struct backend_run *run, uint64_t tick_ns)
{
	struct host_state *s = run->state;
	struct cursor c = cursor_over(s->bytes.data, s->bytes.size);
	struct span line;

	while (!cursor_at_end(&c)) {
		struct host_cpu r = { .record = host_head(run, HOST_CPU) };
		uint64_t busy, idle;

		line = cursor_line(&c);
		if (!span_starts(line, "cpu"))
			return;
		if (!host_cpu_parse(&r.number, &busy, &idle, line.data, line.size) ||
			busy > UINT64_MAX / tick_ns || idle > UINT64_MAX / tick_ns)
			continue;
		r.busy_ns = busy * tick_ns;
		r.idle_ns = idle * tick_ns;
		RECORD_APPEND(&run->out, &r, NULL, 0);
	}
}

static void write_load(struct backend_run *run)
{
	struct host_state *s = run->state;
	struct host_load r = { .record = host_head(run, HOST_LOAD) };
	struct host_load_file load;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), ticks = sysconf(_SC_CLK_TCK);

	r.load_state = read_file(s, "/proc/loadavg");
	if (r.load_state == SOOTH_STATE_VALUE) {
		if (host_load_parse(&load, s->bytes.data, s->bytes.size)) {
			r.load_1m = load.load_1m;
			r.load_5m = load.load_5m;
			r.load_15m = load.load_15m;
			r.running = load.running;
			r.tasks = load.tasks;
		} else {
			r.load_state = FAILED;
		}
	}
	r.tasks_state = r.load_state;
	r.uptime_state = read_file(s, "/proc/uptime");
	if (r.uptime_state == SOOTH_STATE_VALUE &&
		!host_uptime_parse(&r.uptime_ns, s->bytes.data, s->bytes.size))
		r.uptime_state = FAILED;
	r.cpus = cpus > 0 ? (uint32_t)cpus : 0;
	/* Full pressure does not exist for the CPU of a host; kernels write zeros, or no line. */
	r.cpu_state = read_pressure(s, "/proc/pressure/cpu", &r.cpu_some_10s, NULL);
	r.io_state = read_pressure(s, "/proc/pressure/io", &r.io_some_10s, &r.io_full_10s);
	read_forks(s, &r);
	RECORD_APPEND(&run->out, &r, NULL, 0);
	if (r.forks_state == SOOTH_STATE_VALUE && ticks > 0)
		write_cpus(run, NS_PER_S / (uint64_t)ticks);
}

static uint8_t memory_line(const struct host_state *s, const char *name, uint64_t *bytes)
{
	return host_memory_parse(bytes, name, s->bytes.data, s->bytes.size) ? SOOTH_STATE_VALUE
									    : UNSUPPORTED;
}

static void write_memory(struct backend_run *run)
{
	struct host_state *s = run->state;
	struct host_memory r = { .record = host_head(run, HOST_MEMORY) };

	r.memory_state = r.available_state = r.swap_state = read_file(s, "/proc/meminfo");
	if (r.memory_state == SOOTH_STATE_VALUE) {
		r.memory_state = memory_line(s, "MemTotal:", &r.total_bytes);
		if (r.memory_state == SOOTH_STATE_VALUE)
			r.memory_state = memory_line(s, "MemFree:", &r.free_bytes);
		r.available_state = memory_line(s, "MemAvailable:", &r.available_bytes);
		r.swap_state = memory_line(s, "SwapTotal:", &r.swap_total_bytes);
		if (r.swap_state == SOOTH_STATE_VALUE)
			r.swap_state = memory_line(s, "SwapFree:", &r.swap_free_bytes);
	}
	r.pressure_state = read_pressure(s, "/proc/pressure/memory", &r.some_10s, &r.full_10s);
	RECORD_APPEND(&run->out, &r, NULL, 0);
}

/* Reads the number at the start of a small file, or behind `skip` numbers. */
static bool read_value(struct host_state *s, const char *path, unsigned skip, uint64_t *value)
{
	struct cursor c;

	if (read_file(s, path) != SOOTH_STATE_VALUE)
		return false;
	c = cursor_over(s->bytes.data, s->bytes.size);
	do {
		cursor_blanks(&c);
		*value = cursor_decimal(&c);
	} while (skip--);
	return !c.failed;
}

static void write_limit(
	struct backend_run *run, enum host_resource resource, uint64_t used, uint64_t limit)
{
	struct host_limit r = { .record = host_head(run, HOST_LIMIT),
		.used = used,
		.limit = limit,
		.resource = resource };

	RECORD_APPEND(&run->out, &r, NULL, 0);
}

static void write_limits(struct backend_run *run)
{
	struct host_state *s = run->state;
	uint64_t used, limit, pids;
	struct host_load_file load;

	if (read_value(s, "/proc/sys/kernel/pty/nr", 0, &used) &&
		read_value(s, "/proc/sys/kernel/pty/max", 0, &limit))
		write_limit(run, HOST_TERMINALS, used, limit);
	if (read_value(s, "/proc/sys/fs/file-nr", 0, &used) &&
		read_value(s, "/proc/sys/fs/file-nr", 2, &limit))
		write_limit(run, HOST_FILES, used, limit);
	if (!read_value(s, "/proc/sys/kernel/threads-max", 0, &limit))
		return;
	/* pid_max is that of the namespace since Linux 6.14, the number of threads that of the
	 * host.
	 */
	if (!needs_inner_pid_namespace() && read_value(s, "/proc/sys/kernel/pid_max", 0, &pids) &&
		pids < limit)
		limit = pids;
	if (read_file(s, "/proc/loadavg") == SOOTH_STATE_VALUE &&
		host_load_parse(&load, s->bytes.data, s->bytes.size))
		write_limit(run, HOST_TASKS, load.tasks, limit);
}

static int host_sample(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	write_load(run);
	write_memory(run);
	write_limits(run);
	return 0;
}

static int host_start(struct backend_run *run, struct sooth_error *err)
{
	tracers_emit(run);
	return host_sample(run, err);
}

static void host_close(struct backend_run *run)
{
	struct host_state *s = run->state;

	buffer_fini(&s->bytes);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_host_procfs = {
	.name = "procfs",
	.probe = "host",
	.help = "reads /proc and looks for programs; nothing is attached, nothing is run",
	.needs = needs,
	.state_size = sizeof(struct host_state),
	/* No set: the host is the same for every target. */
	.start = host_start,
	.sample = host_sample,
	.stop = host_sample,
	.close = host_close,
};
