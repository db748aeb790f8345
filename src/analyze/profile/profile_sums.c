/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of samples by stack. */
#include "analyze/profile/profile_sums.h"

#include <assert.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/escape.h"

#define FRAMES_MAX	(1u << 20)
#define STACKS_MAX	(1u << 20)
#define STACK_BYTES_MAX (256u << 20)
#define COUNTS_MAX	(1u << 20)
#define NAMES_MAX	(1u << 20)
#define NAMES_BYTES_MAX (128u << 20)
#define GENERATED_NAME	"[generated code]"
#define UNKNOWN_NAME	"[unknown]"

struct known_frame {
	struct profile_function function;
	uint32_t inlined, inlined_count; /* position in s->inlined, innermost first, and number */
};

struct stack_place {
	uint64_t at; /* index in the numbers of stack_frames */
	uint32_t depth;
	uint32_t end;
};

struct count_key {
	struct process_id id;
	uint32_t stack;
	uint32_t process, role; /* numbers of names */
	uint32_t reason;
};

static const char *const end_texts[PROFILE_ENDS] = {
	[PROFILE_WHOLE] = "whole",
	[PROFILE_DEPTH] = "more than 128 frames",
	[PROFILE_UNREADABLE] = "stack not in memory",
	[PROFILE_NO_CODE] = "return address is not in code",
	[PROFILE_NO_ROW] = "no unwind information and no frame pointer",
	[PROFILE_NO_TABLE] = "unwind information was not read yet",
	[PROFILE_RULE] = "unsupported unwind information",
	[PROFILE_STUCK] = "damaged stack",
	[PROFILE_FOREIGN] = "32-bit code",
	[PROFILE_KERNEL_ONLY] = "exiting thread",
	[PROFILE_NO_REGISTER] = "the frame pointer could not be read",
};

const char *profile_end_text(enum profile_end end)
{
	return end < PROFILE_ENDS ? end_texts[end] : "unknown";
}

void profile_sums_init(struct profile_sums *s)
{
	assert(s);
	*s = (struct profile_sums){ .stack_frames.limit = STACK_BYTES_MAX,
		.inlined.limit = STACK_BYTES_MAX,
		.stack_kind = PROFILE_STACK,
		.frame_kind = PROFILE_FRAME };
	map_init(&s->frames, sizeof(uint32_t), sizeof(struct known_frame), FRAMES_MAX);
	map_init(&s->stacks, sizeof(uint32_t), sizeof(struct stack_place), STACKS_MAX);
	map_init(&s->counts, sizeof(struct count_key), sizeof(struct profile_count), COUNTS_MAX);
	names_init(&s->names, NAMES_MAX, NAMES_BYTES_MAX);
}

void profile_sums_fini(struct profile_sums *s)
{
	assert(s);
	map_fini(&s->frames);
	map_fini(&s->stacks);
	map_fini(&s->counts);
	names_fini(&s->names);
	buffer_fini(&s->stack_frames);
	buffer_fini(&s->inlined);
}

/* --- definitions --- */

static void name_unknown(
	struct buffer *out, const struct profile_frame *f, struct span file, bool has_begin)
{
	if (f->frame_kind == PROFILE_SCRIPT)
		buffer_format(out, "[%.*s function]", SPAN_ARGS(file));
	else if (f->frame_kind == PROFILE_GENERATED && file.size)
		buffer_format(out, "[JIT code (%.*s)]", SPAN_ARGS(file));
	else if (f->frame_kind == PROFILE_GENERATED)
		buffer_string(out, GENERATED_NAME);
	else if (f->frame_kind == PROFILE_KERNEL || !file.size)
		buffer_string(out, f->frame_kind == PROFILE_KERNEL ? "[kernel]" : UNKNOWN_NAME);
	else if (has_begin)
		buffer_format(out, "%.*s+0x%llx", SPAN_ARGS(file), (unsigned long long)f->begin);
	else
		buffer_format(out, "[%.*s]", SPAN_ARGS(file));
}

static uint32_t put_demangled(struct profile_sums *s, struct span name)
{
	_cleanup_(buffer_fini) struct buffer made = { 0 };
	uint32_t number;

	demangle(&made, name, s->naming.style);
	number = names_put(&s->names, span_of((const char *)made.data, made.size), NULL);
	return number;
}

/* Stores the functions inlined into a frame, with their lines, and the frame's own line. */
static void store_inlined_functions(
	struct profile_sums *s, const struct profile_frame *f, struct known_frame *frame)
{
	struct span inlined = record_text(&f->record, &f->inlined);
	struct span places = record_text(&f->record, &f->lines);
	struct cursor functions = cursor_over(inlined.data, inlined.size);
	struct cursor lines = cursor_over(places.data, places.size);

	frame->inlined = (uint32_t)(s->inlined.size / sizeof(struct profile_function));
	frame->inlined_count = 0;
	while (!cursor_at_end(&functions) && !buffer_failed(&s->inlined)) {
		struct profile_function inner = frame->function;

		inner.name = put_demangled(s, cursor_until(&functions, '\0'));
		inner.file = names_put(&s->names, cursor_until(&lines, '\0'), NULL);
		inner.is_named = inner.has_line = true;
		buffer_append(&s->inlined, &inner, sizeof(inner));
		frame->inlined_count += !buffer_failed(&s->inlined);
	}
	frame->function.has_line = !cursor_at_end(&lines);
	if (frame->function.has_line)
		frame->function.file = names_put(&s->names, cursor_until(&lines, '\0'), NULL);
}

/* Returns whether a script comes with its interpreter, by its path. */
static bool is_of_runtime(struct span path)
{
	static const char *const begins[] = { "node:", "bun:", "<frozen", "/usr/lib/ruby/",
		"/usr/share/perl" };

	return (SPAN_ANY(path, span_starts, begins) || span_contains(path, "/lib/python3")) &&
	       !span_contains(path, "-packages/");
}

static bool is_of_package(struct span path)
{
	return span_contains(path, "-packages/") || span_contains(path, "/node_modules/");
}

static void store_frame(struct profile_sums *s, const struct profile_frame *f)
{
	struct known_frame *frame = map_put(&s->frames, &f->frame, NULL);
	struct profile_function *function = frame ? &frame->function : NULL;
	struct span name = record_text(&f->record, &f->function);
	struct span file = path_base(record_text(&f->record, &f->file));
	struct buffer made = { 0 };

	if (!function)
		return;
	function->is_named = f->function_state <= SOOTH_STATE_TRUNCATED && name.size;
	function->offset = f->offset;
	function->kind = f->frame_kind <= PROFILE_SCRIPT ? f->frame_kind : PROFILE_USER;
	if (!function->is_named)
		name_unknown(&made, f, file, f->begin_state == SOOTH_STATE_VALUE);
	function->name =
		function->is_named
			? put_demangled(s, name)
			: names_put(&s->names, span_of((const char *)made.data, made.size), NULL);
	function->file = names_put(
		&s->names, f->frame_kind == PROFILE_KERNEL ? span_of_string("kernel") : file, NULL);
	function->build_id = names_put(&s->names,
		f->build_id_state == SOOTH_STATE_VALUE ? record_text(&f->record, &f->build_id)
						       : span_of("", 0),
		NULL);
	function->object = function->file;
	function->is_of_runtime =
		f->frame_kind == PROFILE_SCRIPT && is_of_runtime(record_text(&f->record, &f->file));
	buffer_fini(&made);
	function->is_of_package = is_of_package(record_text(&f->record, &f->file));
	function->lines_state =
		record_holds(&f->record, sizeof(*f)) ? f->lines_state : SOOTH_STATE_ABSENT;
	if (s->naming.has_lines && function->lines_state <= SOOTH_STATE_TRUNCATED)
		store_inlined_functions(s, f, frame);
}

static void store_stack(struct profile_sums *s, const struct profile_stack *d)
{
	struct span frames = record_text(&d->record, &d->frames);
	struct stack_place *place;
	bool is_new;

	place = map_put(&s->stacks, &d->stack, &is_new);
	if (!place || !is_new) /* a repeated definition */
		return;
	place->at = s->stack_frames.size / sizeof(uint32_t);
	place->depth = (uint32_t)(frames.size / sizeof(uint32_t));
	place->end = d->end;
	buffer_append(&s->stack_frames, frames.data, place->depth * sizeof(uint32_t));
	if (buffer_failed(&s->stack_frames))
		place->depth = 0;
}

/* --- samples --- */

static struct span span_of_name(const char *text)
{
	return span_of(text, strnlen(text, PROFILE_NAME_BYTES));
}

struct span profile_role_of(const struct profile_sample *r)
{
	assert(r);

	struct span thread = span_of_name(r->thread), process = span_of_name(r->process);
	enum thread_role role = thread_role_of(thread, process, r->record.tid == r->record.pid);

	return role == THREAD_ROLE_UNKNOWN || role == THREAD_ROLE_OTHER
		       ? thread
		       : span_of_string(thread_role_names.names[role]);
}

struct profile_sample profile_sample_of_wait(const struct profile_wait *w)
{
	assert(w);

	struct profile_sample sample = { .record = w->record, .stack = w->stack };

	memcpy(sample.process, w->process, sizeof(sample.process));
	memcpy(sample.thread, w->thread, sizeof(sample.thread));
	return sample;
}

static void add_weighted_sample(
	struct profile_sums *s, const struct profile_sample *r, uint64_t ns, uint32_t reason)
{
	struct count_key key = { .id = process_id_of(&r->record),
		.stack = r->stack,
		.process = names_put(&s->names, span_of_name(r->process), NULL),
		.role = names_put(&s->names, profile_role_of(r), NULL),
		.reason = reason };
	struct profile_count *count = map_put(&s->counts, &key, NULL);

	s->total.samples++;
	s->total.cpu_ns += ns;
	if (!count) {
		s->refused++;
		return;
	}
	count->samples++;
	count->cpu_ns += ns;
}

static void handle_sample(struct profile_sums *s, const struct profile_sample *r)
{
	s->period_ns = r->period_ns;
	add_weighted_sample(s, r, r->period_ns, 0);
}

static void add_wait(struct profile_sums *s, const struct profile_wait *w)
{
	struct profile_sample sample = profile_sample_of_wait(w);

	add_weighted_sample(s, &sample, w->waited_ns, s->reason_of ? s->reason_of(w) : 0);
}

void profile_sums_add_batch(struct profile_sums *s, const struct batch *batch)
{
	assert(s);
	batch_for_each (r, batch) {
		if (r->kind == PROFILE_SAMPLE && s->of != PROFILE_OF_WAITS &&
			record_holds(r, sizeof(struct profile_sample)))
			handle_sample(s, (const void *)r);
		else if (r->kind == PROFILE_WAIT && s->of != PROFILE_OF_SAMPLES &&
			 record_holds(r, sizeof(struct profile_wait)))
			add_wait(s, (const void *)r);
		else if (r->kind == s->stack_kind && record_holds(r, sizeof(struct profile_stack)))
			store_stack(s, (const void *)r);
		else if (r->kind == s->frame_kind &&
			 record_holds(r, offsetof(struct profile_frame, inlined)))
			store_frame(s, (const void *)r);
	}
}

void profile_sums_next_interval(struct profile_sums *s)
{
	assert(s);
	map_clear(&s->counts);
	s->total = (struct profile_count){ 0 };
	s->refused = 0;
}

/* --- results --- */

static void put_frames(
	const struct profile_sums *s, const struct stack_place *place, struct profile_stacked *out)
{
	const uint32_t *numbers = buffer_at(&s->stack_frames, place->at * sizeof(uint32_t));

	for (uint32_t i = 0; i < place->depth && out->depth < PROFILE_STACK_FRAMES_MAX; i++) {
		const struct known_frame *frame = map_get(&s->frames, &numbers[i]);
		const struct profile_function *inlined =
			frame ? buffer_at(&s->inlined, frame->inlined * sizeof(*inlined)) : NULL;

		for (uint32_t k = 0; frame && k < frame->inlined_count &&
				     out->depth < PROFILE_STACK_FRAMES_MAX - 1;
			k++)
			out->frames[out->depth++] = &inlined[k];
		if (frame)
			out->frames[out->depth++] = &frame->function;
	}
}

bool profile_sums_stack(const struct profile_sums *s, uint32_t stack, struct profile_stacked *out)
{
	assert(s);

	const struct stack_place *place = map_get(&s->stacks, &stack);

	assert(out);
	out->depth = 0;
	out->end = PROFILE_ENDS;
	if (!place) /* the table was full, or the capture was truncated */
		return false;
	if (place->end < PROFILE_ENDS)
		out->end = (enum profile_end)place->end;
	put_frames(s, place, out);
	return true;
}

bool profile_sums_starts_thread(const struct profile_sums *s, uint32_t stack)
{
	struct profile_stacked stacked = { 0 };

	profile_sums_stack(s, stack, &stacked);
	for (size_t i = 0; i < stacked.depth; i++) {
		if (span_starts(names_get(&s->names, stacked.frames[i]->name), "pthread_create"))
			return true;
	}
	return false;
}

bool profile_sums_next(const struct profile_sums *s, size_t *position, struct profile_stacked *out)
{
	const struct count_key *key;
	const void *next;
	void *value;

	if (!map_next(&s->counts, position, &next, &value))
		return false;
	key = next;
	*out = (struct profile_stacked){ .count = *(const struct profile_count *)value,
		.id = key->id,
		.process = names_get(&s->names, key->process),
		.role = names_get(&s->names, key->role),
		.reason = key->reason };
	profile_sums_stack(s, key->stack, out);
	return true;
}

#define ROLES_LISTED 8

const char *profile_sums_if_empty(
	const struct profile_sums *s, const char *role, uint64_t selected, struct buffer *text)
{
	struct profile_stacked stacked;
	struct span listed[ROLES_LISTED];
	size_t position = 0, count = 0, i;

	if (selected)
		return "every function is below --min-share";
	if (!role || !s->counts.count)
		return s->of ? "no waits were recorded"
			     : "no samples: the target used little or no CPU time";
	buffer_string(text, "no samples of the role ");
	escape_terminal(text, role, strlen(role));
	while (count < ROLES_LISTED && profile_sums_next(s, &position, &stacked)) {
		for (i = 0; i < count && span_compare(listed[i], stacked.role); i++)
			;
		if (i < count)
			continue;
		listed[count++] = stacked.role;
		buffer_string(text, count == 1 ? "; sampled roles: " : ", ");
		escape_terminal(text, stacked.role.data, stacked.role.size);
	}
	if (count == ROLES_LISTED)
		buffer_string(text, ", ...");
	return buffer_cstr(text);
}
