/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks as rows and text: a sentence for the threads, and a line for each frame. */
#include "analyze/stacks/stack_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "probes/syscall_names.h"

/* --- groups: the threads of a process at the same place in the same state --- */

#define GROUPS_MAX 65536

struct stack_group {
	const struct stacks_thread
		*first; /* first thread of the group; the main thread, if it is in the group */
	uint32_t threads;
	bool has_main;
};

struct group_key {
	uint32_t stack; /* number of the stack; 0: none was read */
	uint32_t call;
	uint8_t stack_state, call_state, state, is_on_cpu, has_moved;
	uint8_t unused[3];
};

static struct group_key key_of(const struct stacks_thread *t)
{
	return (struct group_key){ .stack = t->stack_state ? 0 : t->stack,
		.call = t->call_state ? 0 : t->syscall,
		.stack_state = t->stack_state,
		.call_state = t->call_state,
		.state = (uint8_t)t->state,
		.is_on_cpu = t->is_on_cpu,
		.has_moved = t->has_moved };
}

/* Returns whether a thread is in the group. */
static bool stack_group_has(const struct stack_group *group, const struct stacks_thread *t)
{
	struct group_key a = key_of(group->first), b = key_of(t);

	return !memcmp(&a, &b, sizeof(a));
}

static bool is_running_group(const struct stack_group *g)
{
	return g->first->state == 'R';
}

static int compare_by_weight(const void *left, const void *right)
{
	const struct stack_group *a = left, *b = right;

	if (is_running_group(a) != is_running_group(b))
		return is_running_group(a) ? -1 : 1;
	if (a->has_main != b->has_main)
		return a->has_main ? -1 : 1;
	if (a->threads != b->threads)
		return a->threads > b->threads ? -1 : 1;
	return a->first->record.tid < b->first->record.tid ? -1 : 1;
}

static void add_thread(struct map *by_key, struct buffer *groups, const struct stacks_thread *t)
{
	struct group_key key = key_of(t);
	bool is_new, is_main = t->record.tid == t->record.pid;
	uint32_t *number = map_put(by_key, &key, &is_new);
	struct stack_group *g;

	if (!number)
		return;
	if (is_new) {
		struct stack_group made = { .first = t };

		*number = (uint32_t)(groups->size / sizeof(made));
		buffer_append(groups, &made, sizeof(made));
	}
	if (buffer_failed(groups))
		return;
	g = (struct stack_group *)(void *)groups->data + *number;
	g->threads++;
	g->has_main |= is_main;
	if (is_main)
		g->first = t;
}

/* Appends struct stack_group in order of importance: a computing thread, the main thread, then the
 * largest group. `tid`: only this thread; 0: all. */
static void stack_groups(struct buffer *groups, const struct batch *records, uint32_t tid)
{
	struct map by_key;

	map_init(&by_key, sizeof(struct group_key), sizeof(uint32_t), GROUPS_MAX);
	batch_for_each (r, records) {
		const struct stacks_thread *t = record_as(r, STACKS_THREAD, sizeof(*t));

		if (t && (!tid || t->record.tid == tid))
			add_thread(&by_key, groups, t);
	}
	map_fini(&by_key);
	if (groups->size)
		qsort(groups->data, groups->size / sizeof(struct stack_group),
			sizeof(struct stack_group), compare_by_weight);
}

#define FUNCTION_MAX  52 /* columns of a function name in the short form */
#define INNER_SHOWN   16 /* frames in the short form; a few more are shown, too */
#define OUTER_SHOWN   4
#define THREADS_SHOWN 3

static ROW_SCHEMA(stack_frame, STACK_FRAME_ROW, "stack.frame", stack_frame_row, .line = "{text}");
static ROW_SCHEMA(stack_thread, STACK_THREAD_ROW, "stack.thread", stack_thread_row);
static ROW_SCHEMA(stack_group, STACK_GROUP_ROW, "stack", stack_group_row, .line = "{text}");
ROW_SCHEMA(stack_process, STACK_PROCESS_ROW, "stack.process", stack_process_row, .line = "{text}");

/* --- frames --- */

static void put_source_line(struct buffer *out, const struct profile_function *f, struct span file)
{
	if (f->kind == PROFILE_SCRIPT || f->has_line) /* the line is already in the file name */
		buffer_format(out, "  %.*s", SPAN_ARGS(file));
	else if (f->kind == PROFILE_GENERATED && file.size)
		buffer_format(out, "  %.*s", SPAN_ARGS(file));
	else if (f->kind == PROFILE_KERNEL)
		buffer_string(out, "  kernel");
	else if (file.size)
		buffer_format(out, "  %.*s:0x%llx", SPAN_ARGS(file), (unsigned long long)f->offset);
}

static void put_frame(struct buffer *rows, const struct profile_sums *sums,
	const struct profile_function *f, bool is_short)
{
	struct span function = names_get(&sums->names, f->name);
	struct span file = names_get(&sums->names, f->file);
	bool is_cut = is_short && function.size > FUNCTION_MAX;
	struct stack_frame_row row = {
		.offset = f->offset, .kind = f->kind, .file_state = state_if(file.size > 0)
	};
	struct buffer text = { 0 };

	buffer_append(&text, function.data, is_cut ? FUNCTION_MAX - 3 : function.size);
	buffer_string(&text, is_cut ? "..." : "");
	put_source_line(&text, f, file);
	struct record_tail tail[] = { tail_span(&row.function, function),
		tail_span(&row.file, file), tail_buffer(&row.text, &text) };
	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&text);
}

static void put_line_row(struct buffer *rows, const char *text)
{
	struct stack_frame_row row = { .file_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&row.text, text) };

	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
}

static void put_left_out(struct buffer *rows, size_t count)
{
	char text[64];

	snprintf(text, sizeof(text), "... %zu frames (-v shows all)", count);
	put_line_row(rows, text);
}

/* Writes the frames. The short form leaves out the kernel's frames, which the sentence names, and
 * the middle of a deep stack. */
static void put_frames(struct buffer *rows, const struct profile_sums *sums,
	const struct profile_stacked *stack, bool is_short)
{
	size_t from = 0, left;

	while (is_short && from < stack->depth && stack->frames[from]->kind == PROFILE_KERNEL)
		from++;
	if (from == stack->depth) /* the stack of a kernel thread */
		from = 0;
	left = stack->depth - from;
	left = is_short && left > INNER_SHOWN + OUTER_SHOWN + 1 ? left - INNER_SHOWN - OUTER_SHOWN
								: 0;
	for (size_t i = from; i < stack->depth; i++) {
		if (left && i == from + INNER_SHOWN) {
			put_left_out(rows, left);
			i += left;
		}
		put_frame(rows, sums, stack->frames[i], is_short);
	}
}

static void put_stack_end(struct buffer *rows, enum profile_end end)
{
	char text[128];

	if (end == PROFILE_WHOLE || end == PROFILE_KERNEL_ONLY)
		return;
	snprintf(text, sizeof(text), "[the rest is missing: %s]", profile_end_text(end));
	put_line_row(rows, text);
}

/* --- threads --- */

static struct span span_of_name(const char *text)
{
	return span_of(text, strnlen(text, PROFILE_NAME_BYTES));
}

static void put_members(
	struct buffer *rows, const struct stack_group *group, const struct batch *records)
{
	batch_for_each (r, records) {
		const struct stacks_thread *t = record_as(r, STACKS_THREAD, sizeof(*t));
		struct stack_thread_row row = { 0 };
		struct record_tail tail[1];

		if (!t || !stack_group_has(group, t))
			continue;
		row.record = t->record;
		row.cpu_ns = t->cpu_ns;
		row.cpu_state = t->cpu_state;
		tail[0] = tail_span(&row.name, span_of_name(t->thread));
		RECORD_APPEND(rows, &row, tail, 1);
	}
}

/* Writes names with their threads: "worker (4712, 4713, 4714)". */
static void put_names(struct buffer *out, const struct stack_group *group,
	const struct batch *records, bool is_short)
{
	struct span last = { 0 };
	uint32_t shown = 0;

	batch_for_each (r, records) {
		const struct stacks_thread *t = record_as(r, STACKS_THREAD, sizeof(*t));

		if (!t || !stack_group_has(group, t))
			continue;
		if (is_short && shown == THREADS_SHOWN)
			break;
		if (shown && last.size == span_of_name(t->thread).size &&
			!memcmp(last.data, t->thread, last.size))
			buffer_format(out, ", %u", t->record.tid);
		else
			buffer_format(out, "%s%.*s (%u", shown ? "), " : "",
				(int)span_of_name(t->thread).size, t->thread, t->record.tid);
		last = span_of_name(t->thread);
		shown++;
	}
	buffer_string(out, ")");
	if (shown < group->threads)
		buffer_format(out, " and %u more", group->threads - shown);
}

static void put_state(
	struct buffer *out, const struct stacks_thread *t, const char *call, struct span channel)
{
	switch (t->state) {
	case 'R':
		buffer_string(out, t->is_on_cpu ? "running" : "runnable");
		break;
	case 'T':
	case 't':
		buffer_string(out, t->state == 'T' ? "stopped" : "stopped by a tracer");
		break;
	case 'Z':
	case 'X':
		buffer_string(out, "exited");
		return;
	default:
		buffer_string(out, t->state == 'D' ? "waiting without interruption" : "waiting");
	}
	if (call[0])
		buffer_format(out, " in %s", call);
	if (channel.size && t->state != 'R')
		buffer_format(out, call[0] ? " (%.*s)" : " in %.*s", SPAN_ARGS(channel));
	if (t->has_moved)
		buffer_string(out, t->is_on_cpu ? "" : "; moved while it was read");
}

static void put_sentence(struct buffer *out, const struct stack_group *group,
	const struct batch *records, const char *call, struct span channel, bool is_short)
{
	const struct stacks_thread *t = group->first;

	if (group->threads > 1)
		buffer_format(out, "%u threads ", group->threads);
	else
		buffer_string(out, group->has_main ? "main thread " : "thread ");
	put_state(out, t, call, channel);
	buffer_string(out, ": ");
	put_names(out, group, records, is_short);
}

/* --- groups --- */

static const char *text_of_missing_stack(const struct stacks_thread *t)
{
	if (t->stack_state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED))
		return "[not measured: it runs, and registers of running threads need eBPF]";
	if (t->stack_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION))
		return "[not measured: its registers may not be read by this user]";
	return t->stack_state == SOOTH_STATE_ABSENT ? NULL : "[not measured: reading it failed]";
}

static void put_group(struct buffer *rows, const struct profile_sums *sums,
	const struct stack_group *group, const struct batch *records, bool is_short)
{
	const struct stacks_thread *t = group->first;
	struct span channel =
		t->channel_state ? span_of("", 0) : record_text(&t->record, &t->wait_channel);
	struct buffer text = { 0 }, frames = { 0 }, members = { 0 };
	struct profile_stacked stack = { .end = PROFILE_ENDS };
	char call[SYSCALL_NAME_SIZE] = "";
	bool has_stack = !t->stack_state && profile_sums_stack(sums, t->stack, &stack);
	const char *missing = has_stack ? NULL : text_of_missing_stack(t);

	if (!t->call_state)
		syscall_name(t->abi, t->syscall, call);
	put_sentence(&text, group, records, call, channel, is_short);
	if (has_stack) {
		put_frames(&frames, sums, &stack, is_short);
		if (is_short)
			put_stack_end(&frames, stack.end);
	} else if (missing && is_short) {
		put_line_row(&frames, missing);
	}
	put_members(&members, group, records);
	struct stack_group_row row = { .record = row_head_like(&t->record),
		.threads = group->threads,
		.has_main = group->has_main,
		.state = t->state,
		.is_on_cpu = t->is_on_cpu,
		.has_moved = t->has_moved,
		.call_state = t->call_state,
		.channel_state = t->channel_state,
		.end_state = has_stack ? SOOTH_STATE_VALUE : t->stack_state,
		.frames_state = frames.size ? SOOTH_STATE_VALUE : t->stack_state };
	struct record_tail tail[] = {
		tail_buffer(&row.frames, &frames),
		tail_buffer(&row.members, &members),
		tail_string(&row.call, call),
		tail_span(&row.wait_channel, channel),
		tail_string(&row.end, has_stack ? profile_end_text(stack.end) : ""),
		tail_buffer(&row.text, &text),
	};
	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&text);
	buffer_fini(&frames);
	buffer_fini(&members);
}

void stack_rows(struct buffer *rows, const struct profile_sums *sums, const struct batch *records,
	const struct stacks_options *options, bool is_short)
{
	struct buffer groups = { 0 };
	const struct stack_group *all;
	size_t count;

	stack_groups(&groups, records, options->tid);
	all = (const void *)groups.data;
	count = groups.size / sizeof(*all);
	if (options->first_only && count > 1)
		count = 1;
	for (size_t i = 0; i < count; i++)
		put_group(rows, sums, &all[i], records, is_short);
	buffer_fini(&groups);
}
