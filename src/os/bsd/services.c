/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of struct os that works on a source. */
#include "os/bsd/services.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/secrets.h"
#include "os/bsd/source.h"

#define TICKS_PER_S 100
#define WAIT_MAX    64

uint64_t bsd_now_ns(const struct os *os)
{
	(void)os;
	return clock_monotonic_ns();
}

int64_t bsd_realtime_offset_ns(const struct os *os)
{
	(void)os;
	return (int64_t)(clock_realtime_ns() - clock_monotonic_ns());
}

void bsd_host(const struct os *os, struct host_facts *facts)
{
	const struct bsd_source *s = bsd_source_of(os);

	*facts = (struct host_facts){ .ticks_per_s = TICKS_PER_S,
		.realtime_offset_ns = os->realtime_offset_ns(os) };
	s->host(s, facts);
}

void bsd_self(const struct os *os, struct self_cost *cost)
{
	const struct bsd_source *s = bsd_source_of(os);
	struct bsd_process self;

	*cost = (struct self_cost){ .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) };
	if (!s->process(s, getpid(), &self))
		cost->rss_bytes = self.rss_bytes;
}

size_t bsd_environment(const struct os *os, struct environment_fact *facts, size_t max)
{
	struct host_facts host;
	size_t count = 0;

	bsd_host(os, &host);
	if (count < max) {
		facts[count].name = "system";
		snprintf(facts[count].value, sizeof(facts[0].value), "%.40s %.40s %.40s", host.os,
			host.os_version, host.architecture);
		count++;
	}
	if (count < max) {
		facts[count].name = "processors";
		snprintf(facts[count].value, sizeof(facts[0].value), "%u", host.cpus);
		count++;
	}
	if (count < max) {
		facts[count].name = "user";
		snprintf(facts[count].value, sizeof(facts[0].value), "real %u, effective %u",
			(unsigned)getuid(), (unsigned)geteuid());
		count++;
	}
	return count;
}

int bsd_identify(
	const struct os *os, pid_t pid, struct process_id *process, struct sooth_error *err)
{
	const struct bsd_source *s = bsd_source_of(os);
	struct bsd_process found;
	int status = s->process(s, pid, &found);

	if (!status) {
		*process = found.id;
		return 0;
	}
	if (status != -ESRCH)
		return error_errno(err, status, "read process %d", (int)pid);
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %d", (int)pid);
	error_why(err, "no process has this PID");
	return error_remedy(err, "`sooth ps -a` lists all processes");
}

/* Returns false also for a zombie: it has ended, and only its parent has to wait for it. */
bool bsd_is_alive(const struct os *os, const struct process_id *process)
{
	const struct bsd_source *s = bsd_source_of(os);
	struct bsd_process found;

	return !s->process(s, (pid_t)process->pid, &found) &&
	       found.id.start_ticks == process->start_ticks && found.state != 'Z';
}

void bsd_command_line(const struct os *os, const struct process_id *process, struct buffer *out)
{
	const struct bsd_source *s = bsd_source_of(os);
	struct buffer raw = { 0 };

	if (bsd_is_alive(os, process) && !s->arguments(s, (pid_t)process->pid, &raw))
		secrets_mask_arguments(out, (const char *)raw.data, raw.size);
	buffer_fini(&raw);
}

int bsd_list(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
	struct sooth_error *err)
{
	const struct bsd_source *s = bsd_source_of(os);
	struct buffer all = { 0 };
	int status = s->processes(s, &all);

	buffer_each_while (const struct bsd_process, p, &all, !status) {
		if (!has_uid || p->uid == uid)
			buffer_append(process_ids, &p->id, sizeof(p->id));
	}
	buffer_fini(&all);
	return status ? error_errno(err, status, "list processes") : 0;
}

int bsd_freeze_group(const struct os *os, const struct process_id *processes, size_t count,
	bool is_frozen, char *group, size_t room, struct sooth_error *err)
{
	(void)os;
	(void)processes;
	(void)count;
	(void)is_frozen;
	(void)err;
	snprintf(group, room, "this system has no control groups");
	return 1;
}

int bsd_wait(const struct os *os, const int *descriptors, size_t count, int timeout_ms)
{
	struct pollfd polled[WAIT_MAX];
	int readable;

	(void)os;
	count = count < WAIT_MAX ? count : WAIT_MAX;
	for (size_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
	readable = poll(polled, (nfds_t)count, timeout_ms);
	return readable < 0 ? -errno : readable;
}
