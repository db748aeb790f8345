/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes without a socket. */
#include "os/linux/sockets/socket_idle.h"

#include "model/batch.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/proc/proc_stat.h"

#define IDLE_MAX 4096

void socket_idle_init(struct socket_idle *s)
{
	map_init(&s->processes, sizeof(struct process_id), sizeof(uint64_t), IDLE_MAX);
}

void socket_idle_fini(struct socket_idle *s)
{
	map_fini(&s->processes);
}

bool socket_idle_write(const struct socket_idle *s, struct backend_run *run, pid_t pid,
	const struct process_id *id, uint64_t *cpu_ns)
{
	const struct process_snapshot of = { .process = -1,
		.id = id ? *id : (struct process_id){ 0 } };
	const uint64_t *before = id ? map_get(&s->processes, id) : NULL;
	struct sockets_process none = { .sockets_state = SOOTH_STATE_VALUE };

	if (!proc_stat_cpu_clock(pid, cpu_ns))
		*cpu_ns = 0;
	if (!before || *before != *cpu_ns)
		return false;
	none.record = process_snapshot_head(&of, run, 0, SOCKETS_PROCESS);
	RECORD_APPEND(&run->out, &none, NULL, 0);
	return true;
}

void socket_idle_note(struct socket_idle *s, const struct backend_run *run,
	const struct sockets_process *found, uint64_t cpu_ns)
{
	struct process_id id = process_id_of(&found->record);
	uint64_t *kept;

	if (!cpu_ns || !run->options.observer.sample_ns || found->sockets ||
		found->sockets_state != SOOTH_STATE_VALUE) {
		map_remove(&s->processes, &id);
		return;
	}
	/* Those that have ended are among them. */
	if (s->processes.count == IDLE_MAX)
		map_clear(&s->processes);
	kept = map_put(&s->processes, &id, NULL);
	if (kept)
		*kept = cpu_ns;
}
