/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls as stacks, for flamegraph tools: process, role of the thread, category, call, and the path,
 * descriptor or peer. Calls that did not return are counted as left out: their results and times
 * are unknown. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_fold.h"
#include "analyze/calls/call_notes.h"
#include "analyze/graphs/graph_origin.h"
#include "analyze/records.h"
#include "analyze/calls/syscall_folded.h"
#include "analyze/calls/syscall_sums.h"
#include "analyze/threads/thread_roles.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "probes/syscall_set.h"

/* Frames of a stack, outermost first. */
enum { PROCESS, ROLE, CATEGORY, CALL, ABOUT, FRAMES };

struct folded_state {
	struct output *output;
	struct syscall_folded_options options;
	struct syscall_set set;
	struct call_fold fold;
	struct call_graph graph;
	struct buffer process, about;
	struct graph_origin origin;
	uint64_t unfinished; /* calls that did not return */
	uint64_t unseen;     /* calls without a time */
	bool has_counts;     /* some calls were only counted */
};

static struct call_graph *graph_of(struct folded_state *s)
{
	return s->options.keep ? s->options.keep : &s->graph;
}

/* --- a stack --- */

static uint8_t kind_of(unsigned category)
{
	static const uint8_t kinds[SYSCALL_CATEGORY_COUNT] = {
		[SYSCALL_CATEGORY_FILE] = FRAME_FILE,
		[SYSCALL_CATEGORY_NETWORK] = FRAME_NETWORK,
		[SYSCALL_CATEGORY_MEMORY] = FRAME_MEMORY,
		[SYSCALL_CATEGORY_PROCESS] = FRAME_PROCESS,
		[SYSCALL_CATEGORY_EVENT] = FRAME_EVENT,
		[SYSCALL_CATEGORY_TIME] = FRAME_TIME,
		[SYSCALL_CATEGORY_IPC] = FRAME_IPC,
		[SYSCALL_CATEGORY_SIGNAL] = FRAME_SIGNAL,
		[SYSCALL_CATEGORY_OTHER] = FRAME_OTHER,
	};

	return category < SYSCALL_CATEGORY_COUNT ? kinds[category] : (uint8_t)FRAME_OTHER;
}

static void name_per_process(
	struct folded_state *s, const struct sooth_record *record, struct span *name)
{
	if (!s->options.is_per_process && name->size)
		return;
	buffer_reset(&s->process);
	buffer_append(&s->process, name->data, name->size);
	buffer_format(&s->process, "%s%u", name->size ? " " : "process ", record->pid);
	*name = span_of((const char *)s->process.data, s->process.size);
}

static void put_process(
	struct folded_state *s, const struct syscalls_call *call, struct call_graph_frame *stack)
{
	struct process_id id = process_id_of(&call->record);
	struct span process = fd_follow_process(&s->fold.fds, &id);
	struct span name = span_of(call->name, strnlen(call->name, sizeof(call->name)));
	bool is_first = call->record.tid == call->record.pid;
	enum thread_role role = thread_role_of(name, process, is_first);

	stack[PROCESS].name = process.size ? process : name;
	name_per_process(s, &call->record, &stack[PROCESS].name);
	stack[ROLE].name = role == THREAD_ROLE_UNKNOWN || role == THREAD_ROLE_OTHER
				   ? name
				   : span_of_string(thread_role_names.names[role]);
}

/* Returns the call's descriptor or path as text, if known. */
static struct span find_about(struct folded_state *s, struct folded_call *c)
{
	uint8_t state;

	if (!c->file)
		return folded_path(c, &state);
	buffer_reset(&s->about);
	fd_follow_put(&s->fold.fds, &c->process, c->fd, &s->about);
	return span_of((const char *)s->about.data, s->about.size);
}

static struct call_graph_values values_of(const struct folded_call *c)
{
	return (struct call_graph_values){ {
		[CALL_GRAPH_CALLS] = 1,
		[CALL_GRAPH_TIME] = call_is_timed(c->call) ? c->call->duration_ns : 0,
		[CALL_GRAPH_BYTES] = c->bytes,
		[CALL_GRAPH_ERRORS] = c->is_error,
	} };
}

static int add_call(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct folded_state *s = state;
	const struct syscalls_call *call = c->call;
	unsigned category = c->row->category;
	struct call_graph_values values = values_of(c);
	char name[SYSCALL_NAME_SIZE];
	struct call_graph_frame stack[FRAMES] = {
		[CATEGORY] = { span_of_string(syscall_category_name(category)), kind_of(category) },
		[CALL] = { span_of(name, syscall_name(call->abi, call->number, name)),
			kind_of(category) },
	};

	if (!syscall_set_has(&s->set, c->row))
		return 0;
	if (!c->has_returned) {
		s->unfinished++;
		return 0;
	}
	stack[ABOUT] = (struct call_graph_frame){ find_about(s, c), kind_of(category) };
	s->unseen += !call_is_timed(call);
	put_process(s, call, stack);
	call_graph_add(graph_of(s), stack, stack[ABOUT].name.size ? FRAMES : ABOUT, &values);
	return buffer_failed(&s->about) ? error_no_memory(err) : 0;
}

/* Adds calls that the kernel counted: their paths and descriptors are unknown. */
static void add_counted_calls(struct folded_state *s, const struct syscalls_count *count)
{
	const struct syscall_row *known = syscall_row_of(count->abi, count->number);
	unsigned category = known->category;
	struct call_graph_values values = { {
		[CALL_GRAPH_CALLS] = count->count,
		[CALL_GRAPH_TIME] = count->total_ns,
		[CALL_GRAPH_ERRORS] = count->errors,
	} };
	struct process_id id = process_id_of(&count->record);
	struct span process = fd_follow_process(&s->fold.fds, &id);
	char name[SYSCALL_NAME_SIZE];
	struct call_graph_frame stack[ABOUT] = {
		[PROCESS] = { .name = process },
		[ROLE] = { .name = span_of_string(
				   !count->record.tid ? "several threads"
				   : count->record.tid == count->record.pid
					   ? thread_role_names.names[THREAD_ROLE_MAIN]
					   : "other threads") },
		[CATEGORY] = { span_of_string(syscall_category_name(category)), kind_of(category) },
		[CALL] = { span_of(name, syscall_name(count->abi, count->number, name)),
			kind_of(category) },
	};

	if (!syscall_set_has(&s->set, known))
		return;
	name_per_process(s, &count->record, &stack[PROCESS].name);
	s->unfinished += count->unfinished;
	s->unseen += calls_without_record(count);
	s->has_counts = true;
	if (count->count)
		call_graph_add(graph_of(s), stack, ABOUT, &values);
}

/* --- the stage --- */

static int handle_record(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	(void)err;
	if (record_as(r, SYSCALLS_COUNT, SYSCALLS_COUNT_LEAST))
		add_counted_calls(state, (const void *)r);
	return 0;
}

static const struct call_fold_consumer consumer = { .record = handle_record, .call = add_call };

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct folded_state *s = state;
	int status;

	s->output = output;
	if (options)
		s->options = *(const struct syscall_folded_options *)options;
	call_fold_init(&s->fold, &consumer, s);
	status = syscall_set_parse(&s->set, s->options.set, err);
	if (status)
		return status;
	return call_graph_init(&s->graph) ? error_no_memory(err) : 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct folded_state *s = state;

	graph_origin_add_batch(&s->origin, batch);
	return call_fold_push(&s->fold, batch, err);
}

void syscall_folded_emit_unfinished(struct output *output, uint64_t count, const char *of)
{
	char what[200];

	if (!count)
		return;
	snprintf(what, sizeof(what), "%llu %s that did not return%s%s", (unsigned long long)count,
		count == 1 ? "call" : "calls", of ? " of " : "", of ? of : "");
	output_limit(output, what,
		"these calls ended their thread or were still running at the end: without a "
		"duration they are not in the stacks",
		"`sooth trace PID` lists every call");
}

static int finish(void *state, struct sooth_error *err)
{
	struct folded_state *s = state;
	struct call_graph_look look = s->options.look;
	struct buffer origin = { 0 };
	int status = call_fold_end(&s->fold, err);

	if (s->options.keep && s->options.unfinished)
		*s->options.unfinished = s->unfinished;
	if (status || s->options.keep)
		return status;
	graph_origin_put(&s->origin, &origin);
	graph_origin_put_lost(&s->origin, &origin);
	look.title = "system calls";
	look.origin = buffer_cstr(&origin);
	look.about = s->options.is_per_process ? "process, purpose of the thread, category of the "
						 "call, call, file or peer of the call"
					       : "process name, purpose of the thread, category of "
						 "the call, call, file or peer of the call";
	if (s->has_counts && look.value == CALL_GRAPH_BYTES)
		output_limit(s->output, "bytes of calls",
			"the kernel only counted the calls: single calls were not recorded",
			"leave out -c");
	syscall_folded_emit_unfinished(s->output, s->unfinished, NULL);
	if (look.value == CALL_GRAPH_TIME)
		call_note_unseen(s->output, s->unseen);
	status = call_graph_emit(&s->graph, &look, s->output, err);
	buffer_fini(&origin);
	return status;
}

static void fini(void *state)
{
	struct folded_state *s = state;

	call_fold_fini(&s->fold);
	call_graph_fini(&s->graph);
	buffer_fini(&s->process);
	buffer_fini(&s->about);
	graph_origin_fini(&s->origin);
}

const struct stage_type stage_syscall_folded = {
	.name = "syscall-folded",
	.help = "system calls as stacks with weights",
	.shows = "syscalls",
	STAGE_FUNCTIONS(struct folded_state),
};
