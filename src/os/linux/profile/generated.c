/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes with generated code. */
#include "os/linux/profile/generated.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/parser.h"
#include "base/read_at.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/root_file.h"
#include "os/linux/files/task_files.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/runtimes/runtime_set.h"

#define PROCESSES_MAX 256
#define OPEN_MS	      1000
#define READ_MS	      3000
#define MAP_BYTES_MAX (256u << 20)
#define PIECE_BYTES   (256u << 10)

void generated_init(struct generated *g)
{
	map_init(&g->processes, sizeof(uint32_t), sizeof(struct generated_process), PROCESSES_MAX);
	runtimes_init(&g->runtimes);
}

void generated_fini(struct generated *g)
{
	map_for_each_value (&g->processes, struct generated_process *, value) {
		cleanup_close(&value->root);
		cleanup_close(&value->dump);
	}
	map_fini(&g->processes);
	runtimes_fini(&g->runtimes);
	timeout_fini(&g->timeout);
}

/* --- the process --- */

/* Returns the engine of a process. The name of the executable is checked first, so that few
 * executables are read. */
static const char *engine_of(struct generated *g, int process)
{
	struct runtimes_seen seen = { 0 };
	struct buffer link = { 0 };
	const char *engine = NULL;
	struct span name = { 0 };

	if (procfs_link_at(process, "exe", &link) >= 0)
		name = path_base(span_of((const char *)link.data, link.size));
	for (size_t i = 0; i < RUNTIMES * RUNTIME_SIGNS_MAX; i++) {
		const struct runtime *r = runtime_table[i / RUNTIME_SIGNS_MAX];
		const char *program = r->signs.programs[i % RUNTIME_SIGNS_MAX];

		if (program && span_equal(name, program))
			engine = r->title;
	}
	buffer_fini(&link);
	if (engine || runtimes_see_executable(&g->runtimes, &g->timeout, process, &seen))
		return engine;
	for (size_t i = 0; i < RUNTIMES; i++) {
		if (runtime_table[i]->generates && seen.why[runtime_table[i]->signs.runtime][0])
			engine = runtime_table[i]->title;
	}
	return engine;
}

/* Returns the PID that the process has for itself. */
static uint32_t inner_pid_of(int process, uint32_t pid)
{
	struct buffer status = { 0 };
	uint32_t inner;

	if (procfs_read_at(process, "status", &status, PROCFS_SMALL) < 0 ||
		!task_status_inner_pid(&inner, status.data, status.size))
		inner = pid;
	buffer_fini(&status);
	return inner;
}

/* Returns `fd` if it is a regular file of the process's owner that not every user may write to;
 * otherwise closes it. */
static int open_if_trusted(int fd, uint32_t owner)
{
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && S_ISREG(st.st_mode) && !(st.st_mode & S_IWOTH) &&
			      st.st_uid == owner))
		return fd;
	close(fd);
	return -EACCES;
}

/* Opens the jitdump. The runtime has mapped the file's first page as code, so that the file can be
 * found. */
static int open_dump(struct generated *g, int process, uint32_t owner)
{
	struct buffer maps = { 0 };
	struct cursor c;
	int fd = -ENOENT;

	if (timeout_read_at(&g->timeout, process, "maps", &maps, PROCFS_MAPS, OPEN_MS) >= 0) {
		c = cursor_over(maps.data, maps.size);
		while (fd == -ENOENT && !cursor_at_end(&c)) {
			struct maps_line line;

			if (maps_parse(cursor_line(&c), &line) && jit_dump_is_path(line.path))
				fd = timed_open_mapped(&g->timeout, process, &line, OPEN_MS);
		}
	}
	buffer_fini(&maps);
	return open_if_trusted(fd, owner);
}

void generated_meet(struct generated *g, uint32_t pid)
{
	_cleanup_close_ int process = -1, living = -1;
	struct stat st;
	bool is_new;
	struct generated_process *known = map_put(&g->processes, &pid, &is_new);

	if (!known || !is_new)
		return;
	known->root = known->dump = -1;
	process = procfs_open((pid_t)pid);
	if (process < 0 || fstat(process, &st))
		return;
	living = procfs_open(procfs_living((pid_t)pid));
	known->root = root_open(living);
	known->owner = st.st_uid;
	known->inner_pid = inner_pid_of(process, pid);
	known->engine = engine_of(g, living);
	known->dump = open_dump(g, living, known->owner);
}

const char *generated_engine(const struct generated *g, uint32_t pid)
{
	const struct generated_process *known = map_get(&g->processes, &pid);

	return known ? known->engine : NULL;
}

/* --- its map --- */

/* Opens the perf map in the process's /tmp, where every user may make links: only a regular file of
 * the process's owner that not every user may write to. */
static int open_map(struct generated *g, const struct generated_process *p)
{
	_cleanup_close_ int folder =
		timed_open(&g->timeout, p->root, "tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW, OPEN_MS);
	char name[32];

	if (folder < 0)
		return folder;
	snprintf(name, sizeof(name), "perf-%u.map", p->inner_pid);
	return open_if_trusted(timed_open(&g->timeout, folder, name,
				       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, OPEN_MS),
		p->owner);
}

/* Places that a file may name, and the state of reading it. */
struct names_job {
	struct jit_dump dump;
	bool is_dump; /* else it is a perf map */
	size_t count;
	struct perf_map_place places[];
};

/* Parses whole lines or records, and moves the rest to the front. */
static void parse_piece(struct names_job *job, struct buffer *bytes)
{
	const char *end;
	size_t whole;

	if (job->is_dump) {
		whole = jit_dump_parse(
			&job->dump, job->places, job->count, bytes->data, bytes->size);
	} else {
		end = bytes->size ? memrchr(bytes->data, '\n', bytes->size) : NULL;
		whole = end ? (size_t)(end + 1 - (const char *)bytes->data) : 0;
		perf_map_parse(job->places, job->count, bytes->data, whole);
	}
	buffer_consume(bytes, whole);
}

static int parse_names(int fd, void *user, struct buffer *more)
{
	struct buffer bytes = { .limit = 4 * PIECE_BYTES };
	uint64_t at = 0;
	ssize_t got = 1;

	(void)more;
	while (got > 0 && at < MAP_BYTES_MAX) {
		void *room = buffer_reserve(&bytes, PIECE_BYTES);

		got = room ? read_at(fd, room, PIECE_BYTES, at) : -ENOMEM;
		if (got > 0) {
			buffer_commit(&bytes, (size_t)got);
			at += (uint64_t)got;
			parse_piece(user, &bytes);
		}
	}
	buffer_fini(&bytes);
	return 0; /* what was read counts */
}

/* A call with a timeout, which has its own copy of everything. */
struct names_call {
	int fd; /* its own descriptor */
	int status;
	struct names_job job;
};

static size_t job_bytes(size_t count)
{
	return sizeof(struct names_job) + count * sizeof(struct perf_map_place);
}

static void run_names_call(void *argument)
{
	static const struct parser parser = { "names of generated code", parse_names };
	struct names_call *call = argument;

	call->status = parser_run(&parser, call->fd, &call->job, job_bytes(call->job.count), NULL);
}

/* Takes the names of an answer, in which each has to be of its place, and to end. */
static void take_names(
	struct perf_map_place *places, const struct perf_map_place *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (answers[i].address == places[i].address &&
			memchr(answers[i].name, '\0', sizeof(answers[i].name)))
			places[i] = answers[i];
	}
}

/* Reads the names of a file, and closes it. */
static void read_names(struct generated *g, int fd, const struct jit_dump *dump,
	struct perf_map_place *places, size_t count)
{
	size_t size = offsetof(struct names_call, job) + job_bytes(count);
	_cleanup_free_ struct names_call *call = calloc(1, size);

	if (call) {
		call->job.count = count;
		call->job.is_dump = dump;
		call->job.dump = dump ? *dump : (struct jit_dump){ 0 };
		memcpy(call->job.places, places, count * sizeof(*places));
		if (!timeout_call_file(&g->timeout, run_names_call, call, size, fd, READ_MS) &&
			!call->status)
			take_names(places, call->job.places, count);
	}
	close(fd);
}

void generated_names(struct generated *g, uint32_t pid, struct perf_map_place *places, size_t count)
{
	struct generated_process *p = map_get(&g->processes, &pid);
	struct jit_dump dump = { .pid = p ? p->inner_pid : 0 };
	int fd;

	if (!p || p->root < 0)
		return;
	fd = open_map(g, p);
	if (fd >= 0) {
		read_names(g, fd, NULL, places, count);
	} else if (p->dump >= 0) {
		read_names(g, p->dump, &dump, places, count);
		p->dump = -1; /* the file is read once, and was closed */
	}
}
