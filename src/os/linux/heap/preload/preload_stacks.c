/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
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

struct preload_table {
	struct unwind_table table;
	uint32_t asked;
	bool is_made;
};

struct preload_mapped {
	struct process_id process;
	struct buffer mappings; /* struct stack_mapping */
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
	s->stacks = &s->walker.stacks;
	s->files = &s->walker.files;
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
	s->stacks = &with->walks.stacks;
	s->files = &with->walks.files;
}

static void lock_stacks(struct preload_stacks *s)
{
	if (s->shared)
		pthread_mutex_lock(&s->shared->lock);
}

static void unlock_stacks(struct preload_stacks *s)
{
	if (s->shared)
		pthread_mutex_unlock(&s->shared->lock);
}

static void open_file(struct preload_stacks *s, const struct preload_mapped *mapped,
	const struct stack_mapping *m)
{
	const struct profile_known *known = profile_files_get(s->files, m->file);
	const struct profile_seen seen = { .record = { .pid = mapped->process.pid },
		.file = m->file,
		.from = m->from,
		.to = m->to,
		.offset = m->offset,
		.inode = m->inode,
		.device_major = m->device_major,
		.device_minor = m->device_minor };

	if (!known || known->fd < 0)
		profile_files_open(s->files, &seen);
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
		*number = profile_stacks_put(s->stacks, &stack.raw, out);
	else
		s->refused++;
	unlock_stacks(s);
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
