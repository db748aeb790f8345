/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/operation_lives.h"

#include <stdlib.h>
#include <string.h>

#include "probes/proc.h"

#define PROCESSES_MAX 65536

void operation_lives_init(struct operation_lives *s)
{
	*s = (struct operation_lives){ 0 };
	map_init(&s->all, sizeof(struct process_id), sizeof(struct life), PROCESSES_MAX);
}

void operation_lives_fini(struct operation_lives *s)
{
	map_for_each_value (&s->all, void *, life)
		free(((struct life *)life)->command);
	map_fini(&s->all);
	buffer_fini(&s->asked);
}

static struct life *life_of(struct operation_lives *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	bool is_new;
	struct life *life = map_put(&s->all, &id, &is_new);

	if (life && is_new)
		life->from_ns = r->time_ns;
	return life;
}

static void set_command(struct life *life, struct span command)
{
	free(life->command);
	life->command = malloc(command.size + 1);
	life->command_size = life->command ? command.size : 0;
	if (life->command)
		memcpy(life->command, command.data, command.size);
}

static void handle_join(struct operation_lives *s, const struct process_join *join)
{
	struct process_id parent = { .start_ticks = join->parent_start_ticks,
		.pid = join->parent_pid };
	struct life *life = life_of(s, &join->record);
	const struct life *from = map_get(&s->all, &parent);

	if (!life)
		return;
	/* Until its exec, a child has the command of its parent. */
	if (from && from != life && from->command && !life->command)
		set_command(life, span_of(from->command, from->command_size));
	life->has_come = true;
	life->from_ns = join->record.time_ns;
	life->parent = join->parent_pid;
	life->has_parent = true;
	memcpy(life->name, join->name, sizeof(life->name));
}

static void handle_process(struct operation_lives *s, const struct proc_process *p)
{
	struct span command = record_text(&p->record, &p->arguments);
	struct span name = record_text(&p->record, &p->name);
	struct life *life = life_of(s, &p->record);

	if (!life)
		return;
	life->parent = p->ppid;
	life->has_parent = true;
	if (name.size) {
		memset(life->name, 0, sizeof(life->name));
		memcpy(life->name, name.data,
			name.size < sizeof(life->name) ? name.size : sizeof(life->name));
	}
	if (p->arguments_state > SOOTH_STATE_TRUNCATED)
		return;
	if (command.size || !life->command)
		set_command(life, command);
}

static void handle_exec(struct operation_lives *s, const struct process_exec *exec)
{
	struct life *life = life_of(s, &exec->record);

	if (!life)
		return;
	memcpy(life->name, exec->name, sizeof(life->name));
	if (record_holds(&exec->record, sizeof(*exec)) &&
		exec->arguments_state <= SOOTH_STATE_TRUNCATED)
		set_command(life, record_text(&exec->record, &exec->arguments));
}

static void handle_target(struct operation_lives *s, const struct stream_target *target)
{
	struct span pids = record_text(&target->record, &target->pids);

	buffer_reset(&s->asked);
	buffer_append(&s->asked, pids.data, pids.size / sizeof(uint32_t) * sizeof(uint32_t));
}

void operation_lives_add_record(struct operation_lives *s, const struct sooth_record *r)
{
	const void *known;
	struct life *life;

	if ((known = record_as(r, PROCESS_JOIN, sizeof(struct process_join)))) {
		handle_join(s, known);
	} else if ((known = record_as(r, PROCESS_EXEC, PROCESS_EXEC_LEAST))) {
		handle_exec(s, known);
	} else if ((known = record_as(r, PROCESS_LEAVE, sizeof(struct process_leave)))) {
		life = life_of(s, r);
		if (!life)
			return;
		life->status = ((const struct process_leave *)known)->status;
		life->status_state = ((const struct process_leave *)known)->status_state;
		life->to_ns = r->time_ns;
		life->has_ended = true;
	} else if ((known = record_as(r, STREAM_TARGET, sizeof(struct stream_target)))) {
		handle_target(s, known);
	} else if ((known = record_as(r, PROC_PROCESS, PROC_PROCESS_LEAST))) {
		handle_process(s, known);
	}
}

void operation_lives_name(struct operation_lives *s, const struct syscalls_call *call)
{
	struct life *life = life_of(s, &call->record);

	if (life && !*life->name)
		memcpy(life->name, call->name, sizeof(life->name));
}
