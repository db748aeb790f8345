/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that a backend of this folder reads. */
#include "os/bsd/members.h"

#include <errno.h>

#define MEMBERS_MAX 65536

uint8_t bsd_state(int status)
{
	switch (status) {
	case 0:
		return SOOTH_STATE_VALUE;
	case -EPERM:
	case -EACCES:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	case -ESRCH:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	case -ENOENT:
		return SOOTH_STATE_ABSENT;
	case -EOVERFLOW:
		return SOOTH_STATE_TRUNCATED;
	case -EOPNOTSUPP:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	default:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	}
}

int bsd_members_open(struct backend_run *run, struct sooth_error *err)
{
	struct bsd_members *m = run->state;

	(void)err;
	*m = (struct bsd_members){ 0 };
	map_init(&m->processes, sizeof(struct process_id), sizeof(bool), MEMBERS_MAX);
	return 0;
}

void bsd_members_close(struct backend_run *run)
{
	struct bsd_members *m = run->state;

	map_fini(&m->processes);
}

int bsd_members_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct bsd_members *m = run->state;
	bool *waits;

	if (!interest) {
		map_remove(&m->processes, process);
		return 0;
	}
	waits = map_put(&m->processes, process, NULL);
	if (!waits)
		return error_no_memory(err);
	*waits = (interest & INTEREST_FROM_EXEC) != 0;
	return 0;
}

int bsd_members_stop(struct backend_run *run, struct sooth_error *err)
{
	(void)run;
	(void)err;
	return 0;
}

static int visit_all(struct backend_run *run, bsd_member_visitor visitor, struct sooth_error *err)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct buffer all = { 0 };
	int status = s->processes(s, &all);

	if (!status && buffer_failed(&all))
		status = -ENOMEM;
	buffer_each_while (const struct bsd_process, p, &all, !status) {
		if (!run->options.has_uid || run->options.is_host || p->uid == run->options.uid)
			visitor(run, p);
	}
	buffer_fini(&all);
	return status ? error_errno(err, status, "list processes") : 0;
}

void bsd_members_visit_one(
	struct backend_run *run, const struct process_id *process, bsd_member_visitor visitor)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_process p;

	if (!s->process(s, (pid_t)process->pid, &p) && p.id.start_ticks == process->start_ticks)
		visitor(run, &p);
}

int bsd_members_visit(struct backend_run *run, bsd_member_visitor visitor, struct sooth_error *err)
{
	struct bsd_members *m = run->state;
	size_t position = 0;
	const void *key;
	void *value;

	if (!(run->options.interest & INTEREST_BRIEF) &&
		(run->options.is_host || run->options.has_uid))
		return visit_all(run, visitor, err);
	while (map_next(&m->processes, &position, &key, &value)) {
		bool *waits = value;

		if (!*waits || run->options.interest & INTEREST_ONCE)
			bsd_members_visit_one(run, key, visitor);
		*waits = false;
	}
	return 0;
}

struct sooth_record bsd_record(const struct backend_run *run, const struct process_id *process,
	uint64_t tid, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = run->os->now_ns(run->os),
		.start_ticks = process->start_ticks,
		.pid = process->pid,
		.tid = (uint32_t)tid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}
