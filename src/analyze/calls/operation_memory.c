/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of calls about memory (see operation_sums.h). brk(2) names an end and no size: how far it
 * moved shows against the call before, of the same process or of the one it was forked from. */
#include <stdio.h>
#include <string.h>

#include "analyze/calls/operation_parts.h"
#include "model/stream_records.h"

#define MAP_ANONYMOUS_LINUX 0x20

static struct memory_sum *memory_of(struct operation_sums *s, const struct syscalls_call *call,
	const char *name, const char *what)
{
	struct memory_key key = { 0 };
	struct memory_sum *sum;

	if (s->by_process)
		key.process = process_id_of(&call->record);
	snprintf(key.operation, sizeof(key.operation), "%s%s", name, what);
	sum = map_put(&s->memory, &key, NULL);
	if (!sum)
		return NULL;
	sum->calls++;
	operation_add_time(&sum->times, call);
	return sum;
}

/* The kernel never says that it failed: the end is then where it was. */
static void add_break(struct operation_sums *s, const struct folded_call *c)
{
	uint64_t requested = c->call->arguments[0], now = (uint64_t)c->call->result;
	bool is_new, is_query;
	uint64_t *end = map_put(&s->breaks, &c->process, &is_new);
	uint64_t before = end ? *end : 0;
	struct memory_sum *sum;

	is_query = !requested || (before && requested == before);
	sum = memory_of(s, c->call, c->row->name,
		is_query	     ? " to ask"
		: !before	     ? ""
		: requested > before ? " to grow"
				     : " to shrink");
	if (end)
		*end = now;
	if (!sum)
		return;
	sum->errors += requested && requested != now;
	if (is_query)
		sum->bytes_state = SOOTH_STATE_ABSENT;
	else if (!before)
		sum->bytes_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	else if (requested == now)
		sum->bytes += now > before ? now - before : before - now;
}

void operation_add_memory(struct operation_sums *s, const struct folded_call *c)
{
	const struct syscall_row *row = c->row;
	bool is_map = row->traits & SYSCALL_MAPS;
	bool has_length = row->argument_count > 1 && row->arguments[1] == ARGUMENT_TYPE_size;
	struct memory_sum *sum;

	if (row->traits & SYSCALL_BREAKS) {
		add_break(s, c);
		return;
	}
	sum = memory_of(s, c->call, row->name,
		!is_map					      ? ""
		: c->call->arguments[3] & MAP_ANONYMOUS_LINUX ? " of no file"
							      : " of a file");
	if (!sum)
		return;
	sum->errors += c->is_error;
	if (!has_length)
		sum->bytes_state = SOOTH_STATE_ABSENT;
	else if (!c->is_error)
		sum->bytes += c->call->arguments[1];
}

/* --- lives --- */

static void take_join(struct operation_sums *s, const struct process_join *join)
{
	struct process_id child = process_id_of(&join->record);
	struct process_id parent = { join->parent_start_ticks, join->parent_pid };
	const uint64_t *from = map_get(&s->breaks, &parent);
	uint64_t end = from ? *from : 0;
	uint64_t *to =
		end && !map_get(&s->breaks, &child) ? map_put(&s->breaks, &child, NULL) : NULL;

	if (to)
		*to = end;
}

void operation_sums_follow(struct operation_sums *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	const void *join = record_as(r, PROCESS_JOIN, sizeof(struct process_join));

	if (join)
		take_join(s, join);
	else if (r->kind == PROCESS_EXEC || r->kind == PROCESS_LEAVE)
		map_remove(&s->breaks, &id);
}
