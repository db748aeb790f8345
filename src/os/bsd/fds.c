/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the probe fds, from the system's list of a process's descriptors.
 *
 * Cannot be seen: what a kqueue waits for, which process holds the other end of a pipe or socket,
 * whether a descriptor is closed at an exec.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/sampling.h"
#include "probes/fds.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

struct visit {
	struct backend_run *run;
	const struct process_id *process;
	uint32_t count;
};

static bool write_descriptor(void *user, const struct bsd_descriptor *d)
{
	struct visit *v = user;
	struct fds_descriptor r = d->file;
	struct record_tail tail[] = {
		{ &r.path, d->path.data, d->path.size },
		{ &r.detail, d->detail, strlen(d->detail) },
	};

	if (d->special)
		return true;
	v->count++;
	r.record = bsd_record(v->run, v->process, 0, FDS_DESCRIPTOR);
	RECORD_APPEND(&v->run->out, &r, tail, ARRAY_SIZE(tail));
	return true;
}

static void find_limit(const struct backend_run *run, struct fds_process *end)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_limit limits[BSD_LIMITS_MAX];
	size_t count = 0;
	int status = s->limits ? s->limits(s, (pid_t)end->record.pid, limits, &count) : -EOPNOTSUPP;

	end->limit_state = status ? bsd_state(status) : UNSUPPORTED;
	for (size_t i = 0; !status && i < count; i++) {
		if (strcmp(limits[i].name, "NOFILE"))
			continue;
		end->soft_limit = limits[i].soft;
		end->hard_limit = limits[i].hard;
		end->limit_state = SOOTH_STATE_VALUE;
	}
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct visit v = { .run = run, .process = &process->id };
	struct fds_process end = { .inotify_state = UNSUPPORTED, .holders_state = UNSUPPORTED };
	int status = s->descriptors(s, (pid_t)process->id.pid, write_descriptor, &v);

	end.record = bsd_record(run, &process->id, 0, FDS_PROCESS);
	end.descriptors = v.count;
	end.descriptors_state = bsd_state(status);
	find_limit(run, &end);
	RECORD_APPEND(&run->out, &end, NULL, 0);
}

BSD_SAMPLING_FUNCTIONS(fds, sample_process)
