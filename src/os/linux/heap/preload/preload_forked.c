/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_forked.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/heap/preload/preload_processes.h"

#define SEARCH_NS  (5 * NS_PER_MS)
#define DEPTH_MAX  8
#define SEARCH_MAX 1024 /* processes in one search */

/* --- what the kernel says --- */

static bool maps_memory(int directory, uint64_t inode)
{
	struct buffer bytes = { 0 };
	struct maps_line line;
	bool maps = false;

	if (procfs_read_at(directory, "maps", &bytes, PROCFS_MAPS) < 0)
		buffer_reset(&bytes);
	maps_for_each (&line, bytes)
		maps |= line.inode == inode && line.is_shared;
	buffer_fini(&bytes);
	return maps;
}

static bool is_child_of(int directory, uint32_t parent)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool is = !procfs_stat_at(directory, &stat, &bytes) && stat.ppid == parent;

	buffer_fini(&bytes);
	return is;
}

/* Returns the PID of a process in its own PID namespace. */
static uint32_t number_inside(int directory)
{
	struct buffer bytes = { 0 };
	uint32_t number;

	if (procfs_read_at(directory, "status", &bytes, PROCFS_SMALL) < 0 ||
		!task_status_inner_pid(&number, bytes.data, bytes.size))
		number = 0;
	buffer_fini(&bytes);
	return number;
}

/* --- which process --- */

static preload_program program_of(
	struct preload_run *s, const struct preload_segment *segment, uint32_t parent)
{
	const struct preload_process *p = parent ? preload_find_pid(s, parent) : NULL;

	return p && p->program ? p->program : segment->program;
}

static void read_forked(struct preload_run *s, const struct preload_segment *segment,
	struct preload_process *p, uint32_t parent, struct preload_reading *r)
{
	if (!p->program) {
		p->program = ++s->programs;
		p->is_forked = true;
		preload_stacks_forked(
			s->stacks, p->program, program_of(s, segment, parent), &p->id);
	}
	r->process = p->id;
	r->program = p->program;
}

/* Finds the process by the PID in the slot, if the kernel's data agrees. */
static struct preload_process *find_process_by_number(struct preload_run *s,
	const struct preload_segment *segment, const struct preload_reading *r, uint32_t parent)
{
	struct preload_process *p = preload_find_pid(s, r->pid);
	_cleanup_close_ int directory = p ? -1 : procfs_open((pid_t)r->pid);
	int at = p ? p->directory : directory;

	if (p && preload_is_of(segment, &p->id))
		return p;
	/* Sooth maps that memory, too, but the children of sooth do not. */
	if (!r->pid || r->pid == (uint32_t)getpid() || at < 0 ||
		(!is_child_of(at, segment->process.pid) && !maps_memory(at, segment->inode)))
		return NULL;
	return p ? p : preload_add_process(s, (pid_t)r->pid, r->begin_ns, parent);
}

struct search {
	struct preload_run *s;
	const struct preload_segment *segment;
	const struct preload_reading *r;
	unsigned left;
};

static struct preload_process *search_below(struct search *search, pid_t pid, int depth);

static struct preload_process *search_process(struct search *search, pid_t pid, int depth)
{
	_cleanup_close_ int directory = procfs_open(pid);

	if (directory < 0)
		return NULL;
	if (!preload_find_pid(search->s, (uint32_t)pid) &&
		(!search->r->pid || number_inside(directory) == search->r->pid) &&
		maps_memory(directory, search->segment->inode))
		return preload_add_process(search->s, pid, search->r->begin_ns, 0);
	return search_below(search, pid, depth);
}

static struct preload_process *search_below(struct search *search, pid_t pid, int depth)
{
	struct preload_process *found = NULL;
	struct buffer bytes = { 0 };
	struct cursor c;
	char name[48];

	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	if (depth < DEPTH_MAX && procfs_read(pid, name, &bytes, PROCFS_SMALL) >= 0) {
		c = cursor_over(bytes.data, bytes.size);
		while (!found && !cursor_at_end(&c) && search->left) {
			uint64_t child = cursor_decimal(&c);

			search->left--;
			if (!c.failed && child)
				found = search_process(search, (pid_t)child, depth + 1);
			cursor_skip(&c, " ");
		}
	}
	buffer_fini(&bytes);
	return found;
}

/* Searches below the command for the process of a segment. The PID in the segment does not help in
 * two cases: the process is in another PID namespace, or it was forked by the raw system call and
 * the segment has no PID. */
static struct preload_process *find_process_by_search(struct preload_run *s,
	const struct preload_segment *segment, const struct preload_reading *r)
{
	struct search search = { s, segment, r, SEARCH_MAX };
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns - s->searched_ns < SEARCH_NS)
		return NULL;
	s->searched_ns = now_ns;
	return search_below(&search, (pid_t)s->command.pid, 0);
}

/* --- of those that have ended --- */

static bool is_process_alive(const struct process_id *process)
{
	struct process_id now;

	return !procfs_identify((pid_t)process->pid, &now) && !memcmp(&now, process, sizeof(now));
}

/* Reads the data of a child that has ended. Without the kernel's reports the time of the fork is
 * unknown: the child then begins with its slot. */
static bool read_ended_child(struct preload_run *s, const struct preload_segment *segment,
	uint32_t parent, struct preload_reading *r)
{
	const struct process_id *reported = map_get(&s->forked, &r->pid);

	if (!r->pid || (s->is_elsewhere && !reported))
		return false;
	if (reported && is_process_alive(reported))
		return false;
	r->process = (struct process_id){ .pid = r->pid };
	if (reported)
		r->process = *reported;
	else if (preload_is_there(r->pid))
		return false;
	else
		preload_emit_forked(s, r, segment);
	r->program = program_of(s, segment, parent);
	r->is_gone = true;
	return true;
}

bool preload_forked_find(
	void *user, struct preload_segment *segment, struct preload_reading *r, uint32_t parent)
{
	struct preload_run *s = user;
	struct preload_process *p = find_process_by_number(s, segment, r, parent);

	if (!p && read_ended_child(s, segment, parent, r))
		return true;
	if (!p)
		p = find_process_by_search(s, segment, r);
	if (p)
		read_forked(s, segment, p, parent, r);
	return p;
}

void preload_forked_reported(struct preload_run *s, const struct process_id *process)
{
	struct process_id *at;

	pthread_mutex_lock(&s->lock);
	at = map_put(&s->forked, &process->pid, NULL);
	if (at)
		*at = *process;
	pthread_mutex_unlock(&s->lock);
}
