/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of processes. */
#include "os/linux/programs/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "agents/script.h"
#include "os/linux/files/procfs.h"

#define FILES_MAX     4096
#define PROCESSES_MAX 65536
#define MARKS_MS      1000 /* megabytes, perhaps from a slow disk */
#define NAME_SIZE     32

/* A file that was replaced or written to counts as another one. */
struct file_id {
	uint64_t device, inode;
	uint64_t size, changed_s, changed_ns;
};

struct known_file {
	struct program_marks marks;
	int status;
	struct package package;
	bool has_package; /* looked up */
};

struct known_script {
	uint64_t arguments; /* hash of the arguments: changes at an exec */
	struct package package;
	int status;
};

void programs_init(struct programs *p, const struct agent_set *agents)
{
	p->agents = agent_set_ref(agents);
	map_init(&p->files, sizeof(struct file_id), sizeof(struct known_file), FILES_MAX);
	map_init(
		&p->scripts, sizeof(struct process_id), sizeof(struct known_script), PROCESSES_MAX);
	map_init(&p->small, sizeof(struct process_id), sizeof(uint64_t), PROCESSES_MAX);
}

void programs_fini(struct programs *p)
{
	map_fini(&p->files);
	map_fini(&p->scripts);
	map_fini(&p->small);
	timeout_fini(&p->timeout);
	agent_set_unref(p->agents);
}

/* Never waits for a server: a file whose file system does not know these values is skipped. */
static bool identify(struct file_id *id, int folder, const char *name)
{
	struct statx st;

	if (statx(folder, name, AT_STATX_DONT_SYNC | AT_EMPTY_PATH, STATX_BASIC_STATS, &st) ||
		!S_ISREG(st.stx_mode) || st.stx_size < PROGRAM_BYTES_LEAST)
		return false;
	*id = (struct file_id){ (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino,
		st.stx_size, (uint64_t)st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec };
	return true;
}

/* --- in a call with a timeout --- */

struct scan {
	int process; /* its own descriptor */
	struct file_id id;
	char path[PACKAGE_PATH_SIZE];
	struct agent_set *agents; /* its own reference */
	struct program_marks marks;
	struct package package;
	int status;
};

/* O_NONBLOCK: an executable is a regular file, but a link may have been replaced by something
 * else. */
static void do_marks(void *argument)
{
	struct scan *l = argument;
	int fd = openat(l->process, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct file_id id;

	if (fd < 0)
		l->status = -errno;
	else if (!identify(&id, fd, "") || memcmp(&id, &l->id, sizeof(id)))
		l->status = -EAGAIN; /* it runs another program by now */
	else
		l->status = program_marks_read(
			&l->marks, l->agents, fd, span_of(l->path, strlen(l->path)));
	if (fd >= 0)
		close(fd);
}

static void do_package(void *argument)
{
	struct scan *l = argument;

	l->status = package_find(&l->package, l->process, l->path);
}

static void drop_scan(void *argument)
{
	struct scan *l = argument;

	close(l->process);
	agent_set_unref(l->agents);
}

static void scan(struct programs *p, struct scan *l, int process, void (*work)(void *argument),
	int timeout_ms)
{
	int status;

	l->process = fcntl(process, F_DUPFD_CLOEXEC, 0);
	if (l->process < 0) {
		l->status = -errno;
		return;
	}
	l->agents = agent_set_ref(p->agents);
	status = timeout_call(&p->timeout, work, drop_scan, l, sizeof(*l), l->process, timeout_ms);
	if (status != -ETIMEDOUT) /* else the thread owns it */
		drop_scan(l);
	if (status)
		l->status = status;
}

/* --- executables --- */

static void set_path(struct scan *l, struct span path)
{
	snprintf(l->path, sizeof(l->path), "%.*s", (int)path.size, path.data);
}

static bool has_room(struct span path)
{
	return path.size && path.size < PACKAGE_PATH_SIZE;
}

static void scan_file(struct programs *p, const struct program_process *process,
	const struct file_id *id, struct known_file *file)
{
	struct span name = path_base(process->executable);
	struct scan l = { .process = -1, .id = *id };

	if (name.size < NAME_SIZE)
		set_path(&l, name);
	scan(p, &l, process->process, do_marks, MARKS_MS);
	file->marks = l.marks;
	file->status = l.status;
	if (!has_room(process->executable) || !path_package(process->executable, NULL).size)
		return;
	l = (struct scan){ .process = -1 };
	set_path(&l, process->executable);
	scan(p, &l, process->process, do_package, TIMEOUT_MS);
	file->has_package = !l.status;
	file->package = l.package;
}

static void emit_file(
	struct programs *p, const struct program_process *process, struct program_facts *facts)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, process->executable.data, process->executable.size),
		 *small = map_get(&p->small, &process->id);
	struct known_file *known, unkept = { 0 };
	struct file_id id = { 0 };
	bool is_new;

	if (small && *small == hash)
		return;
	if (!identify(&id, process->process, "exe")) {
		small = map_put(&p->small, &process->id, NULL);
		if (small)
			*small = hash;
		return;
	}
	known = map_put(&p->files, &id, &is_new);
	if (!known)
		known = &unkept;
	if (known == &unkept || is_new)
		scan_file(p, process, &id, known);
	facts->marks = known->marks;
	facts->marks_state = procfs_state(known->status);
	if (known->has_package) {
		facts->package = known->package;
		facts->package_state = SOOTH_STATE_VALUE;
	}
	if (known->status == -EAGAIN)
		map_remove(&p->files, &id);
}

/* --- scripts --- */

/* Absolute, in the root of the process. */
static bool script_path(const struct program_process *process, struct scan *l)
{
	struct span path = script_of(INTERPRETER_JAVASCRIPT, process->arguments).path;
	struct span folder = process->directory;

	if (!path.size || path.size + folder.size + 1 >= sizeof(l->path))
		return false;
	if (path.data[0] == '/')
		set_path(l, path);
	else
		snprintf(l->path, sizeof(l->path), "%.*s/%.*s", (int)folder.size, folder.data,
			(int)path.size, path.data);
	return true;
}

static void emit_script(
	struct programs *p, const struct program_process *process, struct program_facts *facts)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, process->arguments.data, process->arguments.size);
	struct known_script *known = map_get(&p->scripts, &process->id);
	struct scan l = { .process = -1 };

	if (known && known->arguments == hash) {
		facts->package = known->package;
		facts->package_state =
			known->status ? procfs_state(known->status) : SOOTH_STATE_VALUE;
		return;
	}
	if (!script_path(process, &l))
		return;
	scan(p, &l, process->process, do_package, TIMEOUT_MS);
	facts->package = l.package;
	facts->package_state = l.status ? procfs_state(l.status) : SOOTH_STATE_VALUE;
	known = map_put(&p->scripts, &process->id, NULL);
	if (known)
		*known = (struct known_script){ hash, l.package, l.status };
}

void programs_find(
	struct programs *p, const struct program_process *process, struct program_facts *facts)
{
	*facts = (struct program_facts){ .marks_state = SOOTH_STATE_ABSENT,
		.package_state = SOOTH_STATE_ABSENT };
	if (!process->executable.size)
		return;
	emit_file(p, process, facts);
	if (interpreter_of(process->executable) == INTERPRETER_JAVASCRIPT)
		emit_script(p, process, facts);
	if (!facts->package_state && !facts->package.name[0])
		facts->package_state = SOOTH_STATE_ABSENT;
}
