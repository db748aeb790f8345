/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/python/python_tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/runtimes/python/python.h"
#include "os/linux/runtimes/python/python_code.h"
#include "os/linux/runtimes/python/python_layout.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"
#include "symbols/elf_exports.h"
#include "symbols/elf_sections.h"

#define MAPS_BYTES	 (1 << 20)
#define READ_MS		 1000
#define FILES_MAX	 16 /* mapped files with the name of the interpreter or the module */
#define THREADS_MAX	 256
#define INTERPRETERS_MAX 16
#define TASKS_MAX	 4096
#define NODES_MAX	 (2 * TASKS_MAX) /* nodes of all lists, including those that are no task */
#define GROUPS_MAX	 24
#define DEPTH_MAX	 12
#define NAMES_MAX	 96
#define NAME_BYTES	 96
#define SET_MAX		 64
#define DEBUG_WORDS	 89 /* of _Py_DebugOffsets in 3.14 */
#define OFFSET_MAX	 (1u << 20)
#define SECTION		 ".AsyncioDebug"

/* PyFrameState (Include/internal/pycore_frame.h) */
enum { CREATED = -3, SUSPENDED = -2, SUSPENDED_BY_AWAIT = -1, EXECUTING = 0 };

/* Words of .AsyncioDebug. */
enum task_word {
	TASK_SIZE,
	TASK_NAME,
	TASK_AWAITED_BY,
	TASK_IS_TASK,
	TASK_AWAITED_BY_IS_SET,
	TASK_COROUTINE,
	TASK_NODE,
	INTERPRETER_SIZE,
	INTERPRETER_TASKS,
	THREAD_SIZE,
	THREAD_LOOP,
	THREAD_TASK,
	THREAD_TASKS,
	TASK_WORDS,
};

/* Words of _Py_DebugOffsets that the layout lacks (Include/internal/pycore_debug_offsets.h). */
enum {
	COOKIE = 0,
	FRAME_STACK = 37,
	SET_TABLE = 64,
	SET_MASK = 65,
	GENERATOR_FRAME = 85,
	GENERATOR_STATE = 86,
};

enum symbol { RUNTIME, COROUTINE, GENERATOR, CODE, VERSION, SYMBOLS };

static const char *const symbol_names[SYMBOLS] = { "_PyRuntime", "PyCoro_Type", "PyGen_Type",
	"PyCode_Type", "Py_Version" };

/* Values that do not change while the process runs this program. */
struct python_program {
	uint64_t start_ticks;
	uint32_t pid;
	bool has_asyncio, is_readable;
	uint64_t at[SYMBOLS]; /* addresses in the process */
	uint64_t word[DEBUG_WORDS], task[TASK_WORDS];
	struct python_layout layout;
};

struct name {
	uint64_t code;
	char function[NAME_BYTES], file[NAME_BYTES];
};

struct group {
	uint64_t codes[DEPTH_MAX]; /* the task's own function first */
	uint64_t count, awaited;   /* number of tasks; number of tasks that these await */
	unsigned depth;
	int awaiter; /* group of a task that awaits one of these tasks; -1: none */
	bool waits;
};

/* Filled in by the child of a timeout_call(): plain data. */
struct look {
	pid_t pid;
	struct python_program program;
	struct {
		uint64_t address, awaiter;
		unsigned group;
	} tasks[TASKS_MAX];
	struct group groups[GROUPS_MAX];
	struct name names[NAMES_MAX];
	size_t task_count, node_count;
	unsigned count, name_count;
	bool is_read, is_cut;
	bool is_gone; /* the process runs another program by now */
};

/* --- memory, in the child --- */

static uint64_t word_at(const struct look *l, uint64_t address)
{
	uint64_t word = 0;

	return do_read_memory(l->pid, address, &word, sizeof(word)) ? word : 0;
}

static bool is_of_type(const struct look *l, uint64_t object, enum symbol type)
{
	return object && word_at(l, object + PYTHON_OBJECT_TYPE) == l->program.at[type];
}

/* Walks the functions of a coroutine, down to the one that waits. */
static void walk_coroutine(const struct look *l, uint64_t coroutine, struct group *out)
{
	const uint64_t *word = l->program.word;

	while (out->depth < DEPTH_MAX &&
		(is_of_type(l, coroutine, COROUTINE) || is_of_type(l, coroutine, GENERATOR))) {
		uint64_t frame = coroutine + word[GENERATOR_FRAME];
		int8_t state = EXECUTING;

		if (!do_read_memory(
			    l->pid, coroutine + word[GENERATOR_STATE], &state, sizeof(state)) ||
			state > EXECUTING)
			return;
		out->codes[out->depth++] =
			word_at(l, frame + l->program.layout.frame_code) & ~PYTHON_TAG;
		out->waits = state == SUSPENDED_BY_AWAIT || state == SUSPENDED;
		if (state != SUSPENDED_BY_AWAIT)
			return;
		/* The top of the frame's stack is the object that it awaits. */
		coroutine = word_at(l, word_at(l, frame + word[FRAME_STACK]) - sizeof(uint64_t)) &
			    ~PYTHON_TAG;
	}
}

/* Returns the task that awaits `task`, or one of several such tasks; 0: none. */
static uint64_t awaiter_of(const struct look *l, uint64_t task)
{
	const uint64_t *t = l->program.task, *word = l->program.word;
	uint64_t by = word_at(l, task + t[TASK_AWAITED_BY]), table, mask;
	uint8_t is_set = 0;

	if (!by ||
		!do_read_memory(
			l->pid, task + t[TASK_AWAITED_BY_IS_SET], &is_set, sizeof(is_set)) ||
		!is_set)
		return by;
	table = word_at(l, by + word[SET_TABLE]);
	mask = word_at(l, by + word[SET_MASK]);
	for (uint64_t i = 0; table && i <= mask && i < SET_MAX; i++) {
		uint64_t entry[2]; /* object, hash */

		if (do_read_memory(l->pid, table + i * sizeof(entry), entry, sizeof(entry)) &&
			entry[0] &&
			word_at(l, entry[0] + PYTHON_OBJECT_TYPE) ==
				word_at(l, task + PYTHON_OBJECT_TYPE))
			return entry[0];
	}
	return 0;
}

static int group_of(struct look *l, const struct group *g)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct group *old = &l->groups[i];

		if (old->depth == g->depth && old->waits == g->waits &&
			!memcmp(old->codes, g->codes, sizeof(g->codes)))
			return (int)i;
	}
	if (l->count == GROUPS_MAX)
		return -1;
	l->groups[l->count] = *g;
	return (int)l->count++;
}

static void add_task(struct look *l, uint64_t task)
{
	struct group found = { .awaiter = -1 };
	int group;

	walk_coroutine(l, word_at(l, task + l->program.task[TASK_COROUTINE]), &found);
	if (!found.depth)
		return;
	group = group_of(l, &found);
	if (group < 0) {
		l->is_cut = true;
		return;
	}
	l->groups[group].count++;
	l->tasks[l->task_count].address = task;
	l->tasks[l->task_count].awaiter = awaiter_of(l, task);
	l->tasks[l->task_count++].group = (unsigned)group;
}

/* Reads a circular list of nodes in the tasks. The program may change it meanwhile, so the number
 * of nodes is limited. */
static void read_list(struct look *l, uint64_t head)
{
	uint64_t node = word_at(l, head);

	while (node && node != head) {
		if (l->task_count == TASKS_MAX || l->node_count == NODES_MAX) {
			l->is_cut = true;
			return;
		}
		l->node_count++;
		add_task(l, node - l->program.task[TASK_NODE]);
		node = word_at(l, node);
	}
}

static void find_awaiters(struct look *l)
{
	for (size_t i = 0; i < l->task_count; i++) {
		for (size_t j = 0; l->tasks[i].awaiter && j < l->task_count; j++) {
			if (l->tasks[j].address != l->tasks[i].awaiter)
				continue;
			l->groups[l->tasks[j].group].awaited++;
			l->groups[l->tasks[i].group].awaiter = (int)l->tasks[j].group;
			break;
		}
	}
}

/* Returns the end of a path, as much as is kept, in whole names: the end of a path says more. Part
 * of a name could be a secret whose recognizable beginning was cut off. */
static const char *end_of_path(const char *path)
{
	const char *slash = path + strlen(path);

	if (strlen(path) < NAME_BYTES)
		return path;
	slash = strchr(slash - NAME_BYTES + 1, '/');
	return slash ? slash : "";
}

static void read_name(struct look *l, uint64_t code)
{
	const struct python_layout *layout = &l->program.layout;
	struct python_code job = { .pid = (uint32_t)l->pid,
		.type = l->program.at[CODE],
		.layout = *layout,
		.frame = { .code = code, .name = word_at(l, code + layout->code_name) } };
	struct name *name = &l->names[l->name_count];
	const char *file;

	for (unsigned i = 0; i < l->name_count; i++) {
		if (l->names[i].code == code)
			return;
	}
	if (l->name_count == NAMES_MAX)
		return;
	l->name_count++;
	name->code = code;
	job.frame.line = (uint32_t)word_at(l, code + layout->code_line);
	do_python_code(&job);
	if (!job.size)
		return;
	file = memchr(job.text, '\0', job.size);
	memcpy(name->function, job.text, strnlen(job.text, NAME_BYTES - 1));
	file = end_of_path(file + 1);
	memcpy(name->file, file, strlen(file));
}

static void run_tasks_job(void *argument)
{
	struct look *l = argument;
	const struct python_layout *layout = &l->program.layout;
	const uint64_t *task = l->program.task;
	uint64_t interpreter = word_at(l, l->program.at[RUNTIME] + layout->interpreters);

	l->is_gone = word_at(l, l->program.at[RUNTIME]) != l->program.word[COOKIE];
	if (l->is_gone)
		return;
	for (unsigned i = 0; interpreter && i < INTERPRETERS_MAX; i++) {
		uint64_t thread = word_at(l, interpreter + layout->threads);

		for (unsigned j = 0; thread && j < THREADS_MAX; j++) {
			read_list(l, thread + task[THREAD_TASKS]);
			thread = word_at(l, thread + layout->next_thread);
			l->is_read = true;
		}
		read_list(
			l, interpreter + task[INTERPRETER_TASKS]); /* of threads that have ended */
		interpreter = word_at(l, interpreter + layout->next_interpreter);
	}
	find_awaiters(l);
	for (unsigned i = 0; i < l->count; i++)
		for (unsigned j = 0; j < l->groups[i].depth; j++)
			read_name(l, l->groups[i].codes[j]);
}

/* --- the program --- */

struct file_job {
	int file;
	bool has_table, is_known;
	uint64_t shift;
	struct elf_export found[SYMBOLS];
	uint64_t word[DEBUG_WORDS], task[TASK_WORDS];
	struct python_layout layout;
};

static void read_table(struct file_job *j)
{
	static const char *const names[] = { SECTION };
	struct elf_section section;

	j->has_table = !elf_sections_find(j->file, names, 1, &section) &&
		       section.size == sizeof(j->task) &&
		       pread(j->file, j->task, sizeof(j->task), (off_t)section.offset) ==
			       (ssize_t)sizeof(j->task);
	for (size_t i = 0; i < TASK_WORDS; i++)
		j->has_table &= j->task[i] < OFFSET_MAX;
}

static void read_file(void *argument)
{
	struct file_job *j = argument;
	struct elf_exports all = { .found = j->found };
	uint32_t version;

	read_table(j);
	if (!elf_exports_find(j->file, symbol_names, SYMBOLS, &all) || !j->found[RUNTIME].offset ||
		!j->found[VERSION].offset || !j->found[COROUTINE].address ||
		!j->found[GENERATOR].address || !j->found[CODE].address ||
		pread(j->file, &version, sizeof(version), (off_t)j->found[VERSION].offset) !=
			sizeof(version) ||
		version >> 16 != PYTHON_VERSION(3, 14) >> 16 ||
		pread(j->file, j->word, sizeof(j->word), (off_t)j->found[RUNTIME].offset) !=
			sizeof(j->word))
		return;
	j->shift = all.code_shift;
	j->is_known = python_layout_find(
		&j->layout, version, (const unsigned char *)j->word, sizeof(j->word));
	for (size_t i = FRAME_STACK; i < DEBUG_WORDS; i++)
		j->is_known &= j->word[i] < OFFSET_MAX;
}

/* Reads a mapped file. Returns 0 or a negative errno. */
static int read_mapped(struct wait_reader *r, const struct wait_node *n,
	const struct maps_line *line, struct file_job *job)
{
	_cleanup_close_ int file = timed_open_mapped(&r->timeout, n->process, line, READ_MS);

	*job = (struct file_job){ 0 };
	return file < 0 ? file
			: timeout_call_file(
				  &r->timeout, read_file, job, sizeof(*job), file, READ_MS);
}

static void find_interpreter_state(
	struct python_program *p, const struct maps_line *line, const struct file_job *job)
{
	p->is_readable = job->is_known;
	p->layout = job->layout;
	memcpy(p->word, job->word, sizeof(p->word));
	for (size_t i = 0; i < SYMBOLS; i++)
		p->at[i] = line->from - line->offset - job->shift + job->found[i].address;
}

/* Opens the program's files. The interpreter and the module may be one file. */
static void open_program(struct wait_reader *r, const struct wait_node *n, struct python_program *p)
{
	bool has_table = false, has_interpreter = false;
	unsigned files = 0;
	struct maps_line line;
	struct file_job job;

	if (procfs_read_at(n->process, "maps", &r->more, MAPS_BYTES))
		return;
	maps_for_each (&line, r->more) {
		struct span name = path_base(line.path);
		bool is_module = span_starts(name, "_asyncio.");
		int status;

		if (!line.is_executable || !line.inode)
			continue;
		p->has_asyncio |= is_module;
		if (!is_module && (has_interpreter || !python_is_interpreter(name)))
			continue;
		if (files++ == FILES_MAX)
			break;
		status = read_mapped(r, n, &line, &job);
		if (status == -ETIMEDOUT || status == -EBUSY)
			break; /* the next ones may take as long */
		if (status)
			continue;
		if (job.has_table)
			memcpy(p->task, job.task, sizeof(p->task));
		has_table |= job.has_table;
		if (job.is_known && !is_module) {
			has_interpreter = true;
			find_interpreter_state(p, &line, &job);
		}
	}
	p->has_asyncio |= has_table && has_interpreter;
	p->is_readable &= has_table;
}

/* Returns the program of a process; NULL: it has no asyncio, or its memory may not be read. */
static struct python_program *program_of(
	struct python *python, struct wait_reader *r, const struct wait_node *n)
{
	struct python_program *p = python->program;

	if (p && p->pid == n->stat.pid && p->start_ticks == n->stat.start_ticks && p->has_asyncio)
		return p;
	free(p);
	python->program = p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->start_ticks = n->stat.start_ticks;
	p->pid = n->stat.pid;
	open_program(r, n, p);
	return p->has_asyncio ? p : NULL;
}

/* --- records --- */

static const struct name *name_of(const struct look *l, uint64_t code)
{
	static const struct name none = { 0 };

	for (unsigned i = 0; i < l->name_count; i++) {
		if (l->names[i].code == code)
			return &l->names[i];
	}
	return &none;
}

/* Returns whether a function is in the standard library, or installed beside it. */
static bool is_of_library(const struct name *name)
{
	return strstr(name->file, "/lib/python3") || strstr(name->file, "/asyncio/") ||
	       strstr(name->file, "site-packages/") || !strncmp(name->file, "<frozen ", 8);
}

/* Finds `at`, the innermost function of the program, and `by`, the library function that it
 * called. */
static void find_names(
	const struct look *l, const struct group *g, const struct name **at, const struct name **by)
{
	static const struct name none = { 0 };

	*at = *by = &none;
	for (unsigned i = 0; i < g->depth; i++) {
		const struct name *name = name_of(l, g->codes[i]);

		if (!is_of_library(name)) {
			*at = name;
			*by = &none;
		} else if (!(*by)->function[0]) {
			*by = name;
		}
	}
}

static void add_group(struct wait_reader *r, const struct wait_node *n, const struct look *l,
	const struct group *g)
{
	const struct name *at, *by, *start = name_of(l, g->codes[0]);
	const char *awaiter =
		g->awaiter < 0 ? "" : name_of(l, l->groups[g->awaiter].codes[0])->function;
	struct waits_tasks row = { .record = wait_record(r, 0, WAITS_TASKS),
		.node_start_ticks = n->stat.start_ticks,
		.count = g->count,
		.awaited = g->awaited,
		.node_pid = n->stat.pid,
		.count_state = l->is_cut ? SOOTH_STATE_TRUNCATED : SOOTH_STATE_VALUE,
		.is_waiting = g->waits };

	find_names(l, g, &at, &by);
	row.at_state = state_if(at->function[0] || by->function[0]);
	row.awaiter_state = state_if(*awaiter);
	{
		struct record_tail tail[] = { { &row.start, start->function,
						      strlen(start->function) },
			{ &row.at, at->function, strlen(at->function) },
			{ &row.by, by->function, strlen(by->function) },
			{ &row.place, at->file, strlen(at->file) },
			{ &row.awaiter, awaiter, strlen(awaiter) } };

		RECORD_APPEND(&r->run->out, &row, tail, ARRAY_SIZE(tail));
	}
}

/* Adds a record without a name: it says that there are tasks which could not be read. */
static void add_unread(struct wait_reader *r, const struct wait_node *n, enum sooth_reason reason)
{
	struct waits_tasks row = { .record = wait_record(r, 0, WAITS_TASKS),
		.node_start_ticks = n->stat.start_ticks,
		.node_pid = n->stat.pid,
		.count_state = (uint8_t)SOOTH_NOT_MEASURED(reason),
		.at_state = SOOTH_STATE_ABSENT,
		.awaiter_state = SOOTH_STATE_ABSENT };

	RECORD_APPEND(&r->run->out, &row, NULL, 0);
}

void python_tasks_add(void *state, struct wait_reader *r, struct wait_node *n)
{
	struct python_program *p = NULL;
	struct look *l;

	if (!n->depth && n->may_read && n->abi == ABI_64)
		p = program_of(state, r, n);
	if (!p)
		return;
	if (!p->is_readable) {
		add_unread(r, n, SOOTH_REASON_UNSUPPORTED);
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	l->pid = wait_node_living(n);
	l->program = *p;
	if (!timeout_call(&r->timeout, run_tasks_job, NULL, l, sizeof(*l), -1, READ_MS) &&
		l->is_read) {
		for (unsigned i = 0; i < l->count; i++)
			add_group(r, n, l, &l->groups[i]);
	} else if (l->is_gone) {
		p->has_asyncio = false; /* it is searched for again at the next sample */
	} else {
		add_unread(r, n, SOOTH_REASON_FAILED);
	}
	free(l);
}
