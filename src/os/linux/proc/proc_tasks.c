/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes from an iteration in the kernel. The numbers are converted to the values of
 * /proc/PID/stat (fs/proc/array.c). */
#include "os/linux/proc/proc_tasks.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/tasks.h"
#include "os/linux/programs/programs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/terminal_names.h"
#include "probes/proc.h"

#define IS_WORKER 0x20 /* PF_WQ_WORKER of linux/sched.h */

#define MAGIC_PIPES 0x50495045u

static uint64_t rss_pages(const struct tasks_seen *s)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < sizeof(s->rss_pages) / sizeof(s->rss_pages[0]); i++)
		pages += s->rss_pages[i] > 0 ? (uint64_t)s->rss_pages[i] : 0;
	return pages;
}

static uint64_t mix_hash(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Returns the key of a small file with a single name; others are read one by one
 * (proc_recognition.c). */
static uint64_t executable_key(const struct tasks_file *f)
{
	uint64_t hash = mix_hash(mix_hash(mix_hash(f->entry, f->mount), f->inode), f->size_bytes);

	if (!S_ISREG(f->mode) || f->links != 1 || f->size_bytes >= PROGRAM_BYTES_LEAST)
		return 0;
	hash = mix_hash(mix_hash(hash, f->changed_s), f->changed_ns);
	return mix_hash(hash, f->device) | 1;
}

static uint8_t input_of(const struct tasks_seen *s)
{
	if (S_ISSOCK(s->input_mode) || (S_ISFIFO(s->input_mode) && s->input_magic == MAGIC_PIPES))
		return PROC_STDIN_OPEN;
	return PROC_STDIN_OTHER;
}

static enum proc_term term_of(const struct tasks_seen *s)
{
	if (!s->term_handler)
		return PROC_TERM_ENDS;
	return s->term_handler == (uint64_t)(uintptr_t)SIG_IGN ? PROC_TERM_IGNORED
							       : PROC_TERM_HANDLED;
}

static struct proc_values values_of(const struct proc_tasks *t, const struct tasks_seen *s)
{
	struct proc_values f = { .id = { .start_ticks = s->start_ns / t->tick_ns, .pid = s->pid },
		.time_ns = t->time_ns,
		.cpu_ns = s->cpu_ns,
		.rss_bytes = rss_pages(s) * t->page_bytes,
		.vsz_bytes = s->vsz_pages * t->page_bytes,
		.environment_from = s->environment_from,
		.environment_to = s->environment_to,
		.code_from = s->code_from,
		.code_to = s->code_to,
		.executable_key = executable_key(&s->file),
		.ppid = s->ppid,
		.process_group = s->process_group,
		.session = s->session,
		.terminal = terminal_number(s->terminal_major, s->terminal_minor),
		.flags = s->flags,
		.threads = s->threads,
		.uid = s->uid,
		.state = task_state_letter(s->state, s->exit_state),
		.parent = s->parent_reaps || !s->ppid ? PROC_PARENT_REAPER : PROC_PARENT_OTHER,
		.input = input_of(s),
		.term = term_of(s) };

	f.is_foreground = f.terminal != PROC_NO_TERMINAL && s->terminal_group == s->process_group;
	f.name_size = (uint8_t)strnlen(s->name, sizeof(s->name));
	memcpy(f.name, s->name, f.name_size);
	return f;
}

void proc_tasks_piece(struct proc_tasks *t, const void *data, size_t size)
{
	t->cursor = cursor_over(data, size);
}

/* Copies a task out of one piece, or of two. */
static bool copy_seen_task(struct proc_tasks *t, struct tasks_seen *seen)
{
	size_t left = cursor_left(&t->cursor), wanted = sizeof(*seen) - t->rest_size;
	size_t taken = left < wanted ? left : wanted;
	struct span bytes = cursor_bytes(&t->cursor, taken);

	memcpy(t->rest + t->rest_size, bytes.data, bytes.size);
	t->rest_size += bytes.size;
	if (t->rest_size < sizeof(*seen))
		return false;
	memcpy(seen, t->rest, sizeof(*seen));
	t->rest_size = 0;
	return true;
}

bool proc_tasks_next(struct proc_tasks *t, struct proc_task *out)
{
	struct tasks_seen seen;

	if (!copy_seen_task(t, &seen))
		return false;
	*out = (struct proc_task){ .values = values_of(t, &seen),
		.needs_clock =
			seen.threads != 1 || seen.is_changing || (!seen.state && !seen.exit_state),
		.is_worker = (seen.flags & IS_WORKER) != 0 };
	return true;
}

_Static_assert(sizeof(struct tasks_seen) <= PROC_TASKS_REST_MAX, "room for one");
