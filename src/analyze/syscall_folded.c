/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls as stacks, for flamegraph tools: process; what its thread is for; category; call; the
 * path, descriptor or peer it is about. Only calls that returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/call_about.h"
#include "analyze/call_backlog.h"
#include "analyze/records.h"
#include "analyze/syscall_folded.h"
#include "analyze/thread_roles.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "core/stage.h"
#include "model/schema.h"

#define STACK_SIZE 400 /* longer ones are cut: their beginning tells them apart */
#define STACKS_MAX 65536

struct stack_key {
	char text[STACK_SIZE];
};

struct stack_sum {
	uint64_t calls, total_ns;
};

struct folded_row {
	struct sooth_record record;
	uint64_t weight;
	struct sooth_text stack;
};

static const struct sooth_field folded_fields[] = {
	FIELD_STRING(folded_row, stack, "process;role;category;call;about"),
	FIELD_NUMBER(folded_row, weight, "microseconds in these calls, or how many they are"),
};

static const struct sooth_schema folded_schema = {
	.name = "stacks",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct folded_row),
	SCHEMA_FIELDS(folded_fields),
};

static const struct section folded_section = {
	.name = "stacks",
	.schema = &folded_schema,
	.shape = SECTION_TABLE,
};

struct folded_state {
	struct output *output;
	struct syscall_folded_options options;
	struct fd_follow fds;
	struct call_backlog backlog;
	struct call_table *types;
	struct map stacks; /* stack_key -> stack_sum */
	struct buffer stack, about;
	struct stack_sum beyond; /* what the table had no room for */
};

/* --- a stack --- */

/* Frames are divided by ";". */
static void put_frame(struct buffer *out, struct span text)
{
	size_t at;

	if (out->size)
		buffer_char(out, ';');
	at = out->size;
	if (!text.size)
		buffer_char(out, '?');
	buffer_append(out, text.data, text.size);
	for (; !buffer_failed(out) && at < out->size; at++) {
		if (out->data[at] == ';')
			out->data[at] = ':';
	}
}

static void put_role(struct folded_state *s, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	struct span process = fd_follow_process(&s->fds, &id);
	struct span name = span_of(call->name, strnlen(call->name, sizeof(call->name)));
	bool is_first = call->record.tid == call->record.pid;
	enum thread_role role = thread_role_of(name, process, is_first);

	put_frame(&s->stack, process.size ? process : name);
	if (role == THREAD_ROLE_UNKNOWN || role == THREAD_ROLE_OTHER)
		put_frame(&s->stack, name);
	else
		put_frame(&s->stack, span_of(thread_role_names.names[role],
					     strlen(thread_role_names.names[role])));
}

/* What it is about, when that is known. */
static void put_about(
	struct folded_state *s, const struct call_types *types, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	int64_t fd = call_int(call->arguments[0]);

	buffer_reset(&s->about);
	if (types->letters[0] == 'f' && fd_follow_get(&s->fds, &id, fd))
		fd_follow_put(&s->fds, &id, fd, &s->about);
	else
		call_find_path(&s->fds, types, call, &s->about);
	if (s->about.size)
		put_frame(&s->stack, span_of((const char *)s->about.data, s->about.size));
}

static void take_call(struct folded_state *s, const struct syscalls_call *call)
{
	const struct call_types *types = call_table_get(s->types, call->abi, call->number);
	struct stack_key key = { 0 };
	struct stack_sum *sum;
	char name[SYSCALL_NAME_SIZE];
	const char *category = syscall_category_name(
		types->row ? types->row->category : (unsigned)SYSCALL_CATEGORY_OTHER);

	if (call->result_state != SOOTH_STATE_VALUE)
		return;
	buffer_reset(&s->stack);
	put_role(s, call);
	put_frame(&s->stack, span_of(category, strlen(category)));
	put_frame(&s->stack, span_of(name, syscall_name(call->abi, call->number, name)));
	put_about(s, types, call);
	memcpy(key.text, s->stack.data,
		s->stack.size < sizeof(key.text) - 1 ? s->stack.size : sizeof(key.text) - 1);
	sum = map_put(&s->stacks, &key, NULL);
	sum = sum ? sum : &s->beyond;
	sum->calls++;
	sum->total_ns += call->duration_ns;
}

/* --- the stage --- */

static int take(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct folded_state *s = state;

	if (record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST))
		take_call(s, (const void *)r);
	fd_follow_take(&s->fds, r);
	return buffer_failed(&s->stack) ? error_no_memory(err) : 0;
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct folded_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct syscall_folded_options *)options;
	map_init(&s->stacks, sizeof(struct stack_key), sizeof(struct stack_sum), STACKS_MAX);
	s->types = calloc(1, sizeof(*s->types));
	call_backlog_init(&s->backlog, &s->fds, take, s);
	if (fd_follow_init(&s->fds) || !s->types)
		return error_no_memory(err);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct folded_state *s = state;

	return call_backlog_push(&s->backlog, batch, err);
}

static int tell(struct folded_state *s, const char *stack, const struct stack_sum *sum,
	struct sooth_error *err)
{
	struct folded_row row = { .weight = s->options.by_calls
						    ? sum->calls
						    : (sum->total_ns + NS_PER_US / 2) / NS_PER_US };
	struct record_tail tail[] = { tail_string(&row.stack, stack) };

	return row.weight ? OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err) : 0;
}

static int finish(void *state, struct sooth_error *err)
{
	struct folded_state *s = state;
	int status = call_backlog_end(&s->backlog, err);
	size_t position = 0;
	const void *key;
	void *sum;

	if (!status)
		status = output_section(s->output, &folded_section, err);
	while (!status && map_next(&s->stacks, &position, &key, &sum))
		status = tell(s, ((const struct stack_key *)key)->text, sum, err);
	if (!status && s->beyond.calls)
		status = tell(s, "more than a table holds", &s->beyond, err);
	return status;
}

static void fini(void *state)
{
	struct folded_state *s = state;

	call_backlog_fini(&s->backlog);
	fd_follow_fini(&s->fds);
	map_fini(&s->stacks);
	buffer_fini(&s->stack);
	buffer_fini(&s->about);
	free(s->types);
}

const struct stage_type stage_syscall_folded = {
	.name = "syscall-folded",
	.help = "system calls as stacks with weights",
	.shows = "syscalls",
	.state_size = sizeof(struct folded_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
