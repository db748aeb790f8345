/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/heap_stacks.h"
#include "os/linux/profile/unwind_file.h"
#include "os/linux/profile/unwind_row.h"
#include "os/os.h"
#include "probes/heap.h"

#define PROGRAMS_MAX 16384
#define NUMBERS_MAX  (1u << 20)
#define FILES_MAX    4096
#define ASKED_FEW    64
#define MAP_AGAIN_NS (100 * NS_PER_MS)
#define SAMPLE_ID    (1ull << 63) /* with the number of the stack: its id for the program */

struct preload_table {
	struct unwind_table table;
	uint32_t asked;
	bool is_made;
};

struct preload_mapped {
	struct process_id process;
	struct buffer mappings; /* struct stack_mapping */
	uint64_t mapped_ns;	/* when they were read again for a sample */
};

struct number_key {
	uint64_t program, hash;
};

_Static_assert((int)PRELOAD_END_WHOLE == PROFILE_WHOLE && (int)PRELOAD_END_DEPTH == PROFILE_DEPTH &&
		       (int)PRELOAD_END_UNREADABLE == PROFILE_UNREADABLE &&
		       (int)PRELOAD_END_NO_CODE == PROFILE_NO_CODE &&
		       (int)PRELOAD_END_NO_ROW == PROFILE_NO_ROW &&
		       (int)PRELOAD_END_NO_TABLE == PROFILE_NO_TABLE &&
		       (int)PRELOAD_END_RULE == PROFILE_RULE &&
		       (int)PRELOAD_END_STUCK == PROFILE_STUCK,
	"the same ends");

struct preload_stacks *preload_stacks_open(
	const struct probe_options *options, struct sooth_error *err)
{
	struct preload_stacks *s = calloc(1, sizeof(*s));

	if (!s) {
		error_no_memory(err);
		return NULL;
	}
	map_init(
		&s->programs, sizeof(preload_program), sizeof(struct preload_mapped), PROGRAMS_MAX);
	map_init(&s->tables, sizeof(uint64_t), sizeof(struct preload_table), FILES_MAX);
	map_init(&s->numbers, sizeof(struct number_key), sizeof(uint32_t), NUMBERS_MAX);
	if (!stack_walker_open(&s->walker, HEAP_STACK, HEAP_FRAME, options, err))
		return s;
	preload_stacks_close(s);
	return NULL;
}

void preload_stacks_close(struct preload_stacks *s)
{
	if (!s)
		return;
	map_for_each_value (&s->programs, struct preload_mapped *, value)
		buffer_fini(&value->mappings);
	map_for_each_value (&s->tables, struct preload_table *, value)
		unwind_table_fini(&value->table);
	map_fini(&s->tables);
	map_fini(&s->programs);
	map_fini(&s->numbers);
	stack_walker_fini(&s->walker);
	free(s);
}

void preload_stacks_share(struct preload_stacks *s, struct heap_stacks *with)
{
	if (!s || !with)
		return;
	s->shared = with;
	s->walker.to_stacks = &with->walks.stacks;
	s->walker.to_files = &with->walks.files;
}

static void lock_stacks(struct preload_stacks *s)
{
	if (s && s->shared)
		pthread_mutex_lock(&s->shared->lock);
}

static void unlock_stacks(struct preload_stacks *s)
{
	if (s && s->shared)
		pthread_mutex_unlock(&s->shared->lock);
}

static void open_file(struct preload_stacks *s, const struct preload_mapped *mapped,
	const struct stack_mapping *m)
{
	const struct profile_known *known = profile_files_get(s->walker.to_files, m->file);
	const struct profile_seen seen = { .record = { .pid = mapped->process.pid },
		.file = m->file,
		.from = m->from,
		.to = m->to,
		.offset = m->offset,
		.inode = m->inode,
		.device_major = m->device_major,
		.device_minor = m->device_minor };

	if (known && known->fd >= 0)
		return;
	known = profile_files_open(s->walker.to_files, &seen);
	if (known && known->fd >= 0)
		RUNTIME_CALL(&s->walker.to_stacks->runtimes, see, m->file, known->path, known->fd);
}

/* Opens all files at once: the program may be gone when its first stack is read. */
static void open_files(struct preload_stacks *s, const struct preload_mapped *mapped)
{
	const struct stack_mapping *all = (const void *)mapped->mappings.data;

	for (size_t i = 0; i < mapped->mappings.size / sizeof(*all); i++) {
		if (all[i].is_code && all[i].file != PROFILE_FILE_NONE)
			open_file(s, mapped, &all[i]);
	}
}

void preload_stacks_map(
	struct preload_stacks *s, preload_program program, const struct process_id *process)
{
	struct preload_mapped *mapped = s ? map_put(&s->programs, &program, NULL) : NULL;
	_cleanup_close_ int directory = mapped ? procfs_open((pid_t)process->pid) : -1;

	if (directory < 0 || stack_walker_process(&s->walker, process, directory))
		return;
	mapped->process = *process;
	buffer_reset(&mapped->mappings);
	buffer_append(&mapped->mappings, s->walker.own_mappings.data, s->walker.own_mappings.size);
	lock_stacks(s);
	open_files(s, mapped);
	unlock_stacks(s);
}

void preload_stacks_forked(struct preload_stacks *s, preload_program program,
	preload_program parent, const struct process_id *process)
{
	struct preload_mapped *to = s ? map_put(&s->programs, &program, NULL) : NULL;
	const struct preload_mapped *from = s ? map_get(&s->programs, &parent) : NULL;

	if (!to)
		return;
	if (!from) {
		preload_stacks_map(s, program, process);
		return;
	}
	to->process = *process;
	buffer_reset(&to->mappings);
	buffer_append(&to->mappings, from->mappings.data, from->mappings.size);
}

void preload_stacks_ended(struct preload_stacks *s, preload_program program)
{
	struct preload_mapped *mapped = s ? map_get(&s->programs, &program) : NULL;

	if (!mapped)
		return;
	buffer_fini(&mapped->mappings);
	map_remove(&s->programs, &program);
}

/* Sets what the library has to know of the mapping's file. */
static bool find_scripts(
	struct preload_stacks *s, const struct stack_mapping *m, struct preload_welcome *welcome)
{
	uint64_t shift = m->from - m->offset, loops[RUNTIME_LOOPS][2];

	_Static_assert(RUNTIME_LOOPS == PRELOAD_LOOPS, "the same parts");
	if (!m->is_code || !runtime_set_walks(&s->walker.to_stacks->runtimes, m->file, loops))
		return false;
	for (size_t i = 0; i < PRELOAD_LOOPS && loops[i][1]; i++)
		welcome->loops[i] =
			(struct preload_range){ shift + loops[i][0], shift + loops[i][1] };
	return true;
}

void preload_stacks_welcome(
	struct preload_stacks *s, preload_program program, struct preload_welcome *welcome)
{
	const struct preload_mapped *mapped = s ? map_get(&s->programs, &program) : NULL;
	const struct stack_mapping *all = mapped ? (const void *)mapped->mappings.data : NULL;

	lock_stacks(s);
	for (size_t i = 0; mapped && i < mapped->mappings.size / sizeof(*all); i++)
		if (!welcome->runs_scripts)
			welcome->runs_scripts = find_scripts(s, &all[i], welcome);
	unlock_stacks(s);
}

/* A raw stack in the form in which the kernel side of other backends writes it. */
struct raw_stack {
	struct profile_raw raw;
	struct profile_raw_frame frames[PRELOAD_FRAMES_MAX];
};

static void put_frames(const struct preload_mapped *mapped, const uint64_t *frames, uint32_t count,
	struct raw_stack *stack)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct stack_mapping *m = stack_mappings_find(&mapped->mappings, frames[i]);
		struct profile_raw_frame *f = &stack->frames[i];

		if (!m || !m->is_code) {
			stack->raw.end = PROFILE_NO_CODE;
			return;
		}
		f->file = m->file;
		f->offset = frames[i] - (m->file == PROFILE_FILE_NONE ? 0 : m->from - m->offset);
		stack->raw.user_frames++;
	}
}

void preload_stacks_add(
	struct preload_stacks *s, const struct preload_stack *from, struct buffer *out)
{
	const struct preload_mapped *mapped = s ? map_get(&s->programs, &from->program) : NULL;
	struct number_key key = { from->program, from->hash };
	struct raw_stack stack;
	uint32_t *number;

	if (!mapped || from->count > PRELOAD_FRAMES_MAX || map_get(&s->numbers, &key))
		return;
	memset(&stack.raw, 0, sizeof(stack.raw));
	stack.raw.record = (struct sooth_record){ .time_ns = from->time_ns,
		.start_ticks = mapped->process.start_ticks,
		.pid = mapped->process.pid };
	stack.raw.end = from->end < PRELOAD_ENDS ? from->end : PROFILE_STUCK;
	put_frames(mapped, from->frames, from->count, &stack);
	s->all++;
	s->whole += stack.raw.end == PROFILE_WHOLE;
	number = map_put(&s->numbers, &key, NULL);
	lock_stacks(s);
	if (number)
		*number = profile_stacks_put(s->walker.to_stacks, &stack.raw, out);
	else
		s->refused++;
	unlock_stacks(s);
}

/* Reads the frames that the library has walked. The program could have written anything there. */
static bool read_kept(
	struct preload_stacks *s, const struct preload_sample *from, struct preload_kept *kept)
{
	return stack_walker_read(
		       &s->walker, kept, offsetof(struct preload_kept, frames), from->kept) &&
	       kept->count && kept->count <= PRELOAD_FRAMES_MAX && kept->outcome < PRELOAD_ENDS &&
	       stack_walker_read(&s->walker, kept->frames,
		       kept->count * (uint32_t)sizeof(kept->frames[0]),
		       from->kept + offsetof(struct preload_kept, frames));
}

static uint32_t put_sample(struct preload_stacks *s, struct preload_mapped *mapped,
	const struct preload_sample *from, struct buffer *out)
{
	struct stack_walked frames[PRELOAD_FRAMES_MAX + 1];
	/* Which thread it is, its pointer says: an id would be one of the process's own namespace,
	 * and could be any. */
	const struct stacks_seen seen = { .thread_pointer = from->thread,
		.tid = mapped->process.pid };
	struct preload_kept kept;

	s->walker.process = mapped->process;
	s->walker.mappings = &mapped->mappings;
	stack_walker_again(&s->walker);
	if (!read_kept(s, from, &kept))
		return PROFILE_STACK_NONE;
	for (uint32_t i = 0; i < kept.count; i++) {
		const struct preload_frame *f = &kept.frames[kept.count - 1 - i];

		frames[i + 1] =
			(struct stack_walked){ f->raw_pc, f->sp, f->fp, f->pc == f->raw_pc };
	}
	frames[0] = (struct stack_walked){ from->function, frames[1].sp, frames[1].fp, true };
	return stack_walker_put(
		&s->walker, &seen, frames, kept.count + 1, kept.outcome, from->time_ns, out);
}

/* Code that the interpreter has made since the mappings were read ends the stack: then reads them
 * again, but not too often. */
static uint32_t put_sample_by_mappings(struct preload_stacks *s, struct preload_mapped *mapped,
	const struct preload_sample *from, struct buffer *out)
{
	uint32_t number;

	lock_stacks(s);
	number = put_sample(s, mapped, from, out);
	unlock_stacks(s);
	if (s->walker.at.walk.end != PROFILE_NO_CODE ||
		from->time_ns - mapped->mapped_ns < MAP_AGAIN_NS)
		return number;
	mapped->mapped_ns = from->time_ns;
	preload_stacks_map(s, from->program, &mapped->process);
	lock_stacks(s);
	number = put_sample(s, mapped, from, out);
	unlock_stacks(s);
	return number;
}

void preload_stacks_sample(struct preload_stacks *s, const struct preload_sample *from,
	struct buffer *out, uint64_t answer[2])
{
	struct preload_mapped *mapped = s ? map_get(&s->programs, &from->program) : NULL;
	uint32_t number =
		mapped ? put_sample_by_mappings(s, mapped, from, out) : PROFILE_STACK_NONE;
	struct number_key key = { from->program, SAMPLE_ID | number };
	uint32_t *known = number == PROFILE_STACK_NONE ? NULL : map_put(&s->numbers, &key, NULL);

	if (!known)
		return;
	*known = number;
	answer[0] = key.hash;
	answer[1] = s->walker.at.walk.raw.words != 0;
	s->sampled += answer[1];
}

uint32_t preload_stacks_number(struct preload_stacks *s, preload_program program, uint64_t hash)
{
	struct number_key key = { program, hash };
	const uint32_t *number;
	struct preload_number *recent;

	if (!s || !hash)
		return 0;
	recent = &s->recent[hash & (PRELOAD_RECENT - 1)];
	if (recent->program == program && recent->hash == hash)
		return recent->number;
	number = map_get(&s->numbers, &key);
	if (number)
		*recent = (struct preload_number){ program, hash, *number, 0 };
	return number ? *number : 0;
}

/* Returns the whole unwind table of a file that has many places: a lookup of a single place takes a
 * call of its own. */
static const struct unwind_table *table_of(
	struct preload_stacks *s, uint64_t file, const struct profile_known *known)
{
	struct preload_table *t = map_put(&s->tables, &file, NULL);

	if (!t || (!t->is_made && ++t->asked < ASKED_FEW))
		return NULL;
	if (!t->is_made && unwind_file_read(&s->walker.timeout, known->fd, NULL, &t->table))
		t->table = (struct unwind_table){ 0 };
	t->is_made = true;
	return &t->table;
}

static bool find_entry(const void *user, uint64_t file, uint64_t offset, uint64_t *entry)
{
	struct preload_stacks *s = (struct preload_stacks *)(uintptr_t)user;
	struct profile_known *known = profile_files_get(&s->walker.files, file);
	const struct unwind_table *table;
	struct unwind_found found;

	if (!known || known->fd < 0)
		return false;
	table = table_of(s, file, known);
	if (table)
		return unwind_table_entry((const void *)table->rows.data,
			table->rows.size / sizeof(struct unwind_row), offset, entry);
	if (unwind_row_find(&s->walker.timeout, known->fd, &known->rows, offset, &found) ||
		!found.has_entry)
		return false;
	*entry = found.entry;
	return true;
}

int preload_stacks_name(struct preload_stacks *s, struct backend_run *run, struct sooth_error *err)
{
	const struct profile_entries entries = { s, find_entry };
	bool is_kernel_hidden = false;

	/* Shared stacks are named together with those of the kernel. */
	if (!s || s->shared)
		return 0;
	log_line(run->log, LOG_DEBUG, "%llu different stacks, %llu of them whole",
		(unsigned long long)s->all, (unsigned long long)s->whole);
	if (profile_stacks_name(
		    &s->walker.stacks, &s->walker.files, &entries, &run->out, &is_kernel_hidden))
		return error_no_memory(err);
	debuginfod_report(&s->walker.files.debuginfod, run);
	if (s->refused + s->walker.stacks.refused)
		backend_loss_of(run, "heap.stack", s->refused + s->walker.stacks.refused, 0,
			"more different stacks than sooth keeps: their calls have no frames");
	return 0;
}
