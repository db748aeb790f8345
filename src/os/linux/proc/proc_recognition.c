/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a process is an agent. */
#include "os/linux/proc/proc_recognition.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "recognize/script.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/linux/files/path_lookup.h"
#include "os/linux/files/procfs.h"

#define DELETED_SUFFIX	" (deleted)"
#define PROCESSES_MAX	4194304 /* PID_MAX_LIMIT of the kernel */
#define FILES_MAX	65536
#define PLAIN_ENDED_MAX 64 /* more ended processes are dropped */

/* The result for a process unrelated to agents, valid until it execs. */
struct plain_process {
	uint64_t token;
	uint32_t sample; /* the last sample with it */
	bool is_no_server;
};

/* Lists the names in rules by command. Those rules look at the first argument; the other kinds only
 * at scripts. */
static void list_commands(const struct agent_set *agents, struct buffer *commands)
{
	agent_set_for_each (agents, agent) {
		for (size_t k = 0; k < agent_rule_count(agent); k++) {
			const struct agent_rule *rule = &agent->rules[k];

			if (rule->kind == AGENT_RULE_COMMAND)
				buffer_append(commands, &rule->what, sizeof(rule->what));
		}
	}
}

void proc_recognition_init(struct proc_recognition *l, const struct agent_set *agents)
{
	*l = (struct proc_recognition){ .agents = agent_set_ref(agents) };
	programs_init(&l->programs, agents);
	map_init(&l->plain, sizeof(struct process_id), sizeof(struct plain_process), PROCESSES_MAX);
	map_init(&l->plain_files, sizeof(uint64_t), 0, FILES_MAX);
	map_init(&l->plain_keys, sizeof(uint64_t), 0, FILES_MAX);
	list_commands(agents, &l->commands);
}

void proc_recognition_fini(struct proc_recognition *l)
{
	programs_fini(&l->programs);
	timeout_fini(&l->timeout);
	agent_set_unref(l->agents);
	map_fini(&l->plain);
	map_fini(&l->plain_files);
	map_fini(&l->plain_keys);
	buffer_fini(&l->commands);
	buffer_fini(&l->texts);
	buffer_fini(&l->scratch);
}

void proc_recognition_begin(struct proc_recognition *l)
{
	l->sample++;
	l->is_unsorted = false;
	l->last_pid = 0;
	buffer_reset(&l->texts);
}

static uint64_t mix_hash(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Returns a token of the executed program. The kernel places the environment at a random address at
 * each exec. If that is switched off, the program, its size and that of the environment still
 * differ. */
static uint64_t token_of(const struct proc_values *f)
{
	uint64_t hash = mix_hash(f->environment_from, f->environment_to);

	if (!f->environment_from)
		return 0;
	for (size_t i = 0; i < f->name_size; i++)
		hash = mix_hash(hash, (unsigned char)f->name[i]);
	hash = mix_hash(mix_hash(hash, f->code_from), f->code_to);
	return mix_hash(hash, f->uid) | 1;
}

static struct span name_of(const struct proc_entry *e)
{
	return span_of(e->values.name, e->values.name_size);
}

struct span proc_recognition_executable(
	const struct proc_recognition *l, const struct proc_entry *e)
{
	/* The text is missing if memory ran out. If there are only kernel threads, there is no text
	 * at all. */
	if (buffer_failed(&l->texts) || !e->executable_size)
		return span_of("", 0);
	return span_of((const char *)l->texts.data + e->executable_at, e->executable_size);
}

static bool is_command_of_agent(const struct proc_recognition *l, struct span name)
{
	const char *const *all = (const void *)l->commands.data;

	return span_any(name, span_equal, all, l->commands.size / sizeof(*all));
}

/* Returns whether a file was removed: the kernel appends " (deleted)", but a file's name may also
 * end that way. A removed file may still have another name: package managers link into a store. */
static bool is_deleted(struct proc_recognition *l, int process, struct span path)
{
	struct path_aim aim;
	struct statx st;

	/* Without a request to a server, which may never answer. */
	if (!span_ends(path, DELETED_SUFFIX) ||
		statx(process, "exe", AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK, &st))
		return false;
	aim = (struct path_aim){ st.stx_ino, st.stx_dev_major, st.stx_dev_minor };
	return !st.stx_nlink || path_leads_to(&l->timeout, process, path, &aim) == 0;
}

void proc_recognition_read_executable(struct proc_recognition *l, struct proc_entry *e, int process)
{
	int status = procfs_link_at(process, "exe", &l->scratch);
	struct span path = span_of((const char *)l->scratch.data, l->scratch.size);

	e->has_executable = true;
	e->executable_state = procfs_state(status);
	if (status == -ENOENT) /* a kernel thread, or a zombie */
		e->executable_state = SOOTH_STATE_ABSENT;
	if (status)
		return;
	if (is_deleted(l, process, path)) {
		e->is_deleted = true;
		path.size -= strlen(DELETED_SUFFIX);
	}
	e->executable_at = (uint32_t)l->texts.size;
	e->executable_size = (uint32_t)path.size;
	buffer_append(&l->texts, path.data, path.size);
}

void proc_recognition_program(struct proc_recognition *l, const struct proc_entry *e, int process,
	struct span arguments, struct span directory, struct program_facts *facts)
{
	struct program_process known = { .process = process,
		.id = e->values.id,
		.executable = proc_recognition_executable(l, e),
		.arguments = arguments,
		.directory = directory };

	programs_find(&l->programs, &known, facts);
}

void proc_recognition_recognise(struct proc_recognition *l, struct proc_entry *e,
	struct span arguments, struct span directory, const struct program_facts *facts)
{
	struct agent_evidence evidence = { .executable = proc_recognition_executable(l, e),
		.name = name_of(e),
		.arguments = arguments,
		.directory = directory,
		.marks = span_of(facts->marks.marks, facts->marks.marks_size),
		.mark_version = span_of(facts->marks.version, strlen(facts->marks.version)),
		.package = span_of(facts->package.name, strlen(facts->package.name)),
		.package_version =
			span_of(facts->package.version, strlen(facts->package.version)) };
	struct agent_match match;

	e->agent = agent_recognise(l->agents, &evidence, &match);
	e->role = match.role;
}

/* Recognizes by path. If only the path is known, the rules give the same result for all processes
 * with that path. */
static void recognise_by_path(struct proc_recognition *l, struct proc_entry *e, int process)
{
	struct span path = proc_recognition_executable(l, e), none = span_of("", 0);
	uint64_t hash = mix_hash(0, path.size);
	struct program_facts facts;
	bool is_path_alone;

	proc_recognition_program(l, e, process, none, none, &facts);
	is_path_alone = !facts.marks.marks_size && !facts.package.name[0];
	for (size_t i = 0; is_path_alone && i < path.size; i++)
		hash = mix_hash(hash, (unsigned char)path.data[i]);
	if (is_path_alone && map_get(&l->plain_files, &hash)) {
		e->is_plain = true;
		return;
	}
	proc_recognition_recognise(l, e, none, none, &facts);
	e->is_plain = !e->agent;
	if (is_path_alone && !e->agent)
		map_put(&l->plain_files, &hash, NULL);
}

/* Returns a key that is the same for processes that run the same file by the same path: a small one
 * with a single name, seen through one mount. 0: unknown. Never waits for a server. */
static uint64_t file_key(int process)
{
	uint64_t key = 0;
#ifdef STATX_MNT_ID
	struct statx st;

	if (statx(process, "exe", AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &st) ||
		!(st.stx_mask & STATX_MNT_ID) || !S_ISREG(st.stx_mode) || st.stx_nlink != 1 ||
		st.stx_size >= PROGRAM_BYTES_LEAST)
		return 0;
	key = mix_hash(mix_hash(st.stx_mnt_id, st.stx_ino), st.stx_size);
	key = mix_hash(mix_hash(key, st.stx_dev_major), st.stx_dev_minor);
	key = mix_hash(mix_hash(key, (uint64_t)st.stx_ctime.tv_sec), st.stx_ctime.tv_nsec) | 1;
#else
	(void)process;
#endif
	return key;
}

/* Checks whether the arguments must be read: only of a process that runs a script, has an agent's
 * name, or hides its executable. */
static void check_program(struct proc_recognition *l, struct proc_entry *e, int process)
{
	uint64_t key = e->values.executable_key;
	struct span executable;

	if (!key)
		key = file_key(process);
	e->is_plain = key && map_get(&l->plain_keys, &key) && !is_command_of_agent(l, name_of(e));
	if (e->is_plain)
		return;
	proc_recognition_read_executable(l, e, process);
	executable = proc_recognition_executable(l, e);
	if (e->executable_state == SOOTH_STATE_ABSENT)
		return;
	if (e->executable_state || interpreter_of(executable) ||
		is_command_of_agent(l, name_of(e))) {
		e->reads |= PROC_READ_ARGUMENTS;
		return;
	}
	recognise_by_path(l, e, process);
	if (e->is_plain && key)
		map_put(&l->plain_keys, &key, NULL);
}

static bool is_known_as_plain(struct proc_recognition *l, struct proc_entry *e)
{
	struct plain_process *known = map_get(&l->plain, &e->values.id);

	e->is_plain = known && e->token && known->token == e->token;
	if (!e->is_plain)
		return false;
	known->sample = l->sample;
	e->is_no_server = known->is_no_server;
	return true;
}

/* Returns whether a process is a copy: made by fork(2), it has not replaced its program. The result
 * is that of its parent: it has the same executable and environment, as its addresses show.
 * Children of an agent are found by their parent. */
static bool is_copy(const struct proc_recognition *l, struct proc_entry *e,
	const struct proc_entry *before, size_t count)
{
	const struct proc_entry *parent = NULL;

	if (l->is_unsorted || !e->token || is_command_of_agent(l, name_of(e)))
		return false;
	parent = proc_selection_parent(before, count, e);
	if (!parent || (!parent->is_plain && !parent->copied) || parent->token != e->token)
		return false;
	e->copied = parent->copied ? parent->copied : (uint32_t)(parent - before) + 1;
	return true;
}

bool proc_recognition_has_program(const struct proc_values *f)
{
	return !(f->flags & PROC_IS_KERNEL_THREAD) && f->state != 'Z' && f->state != 'X';
}

void proc_recognition_note(struct proc_recognition *l, struct proc_entry *e)
{
	l->is_unsorted |= e->values.id.pid < l->last_pid;
	l->last_pid = e->values.id.pid;
	e->token = token_of(&e->values);
}

static uint64_t environment_bytes(const struct proc_values *f)
{
	return f->environment_to - f->environment_from;
}

/* Returns whether a process inherits its environment. If its parent started it, and its environment
 * has the same size, its markers are found at the parent or above. Only a parent that starts
 * programs for others may have given it another environment. */
static bool inherits_environment(const struct proc_recognition *l, const struct proc_entry *e,
	const struct proc_entry *before, size_t count)
{
	const struct proc_entry *parent;

	if (l->is_unsorted || e->values.parent != PROC_PARENT_OTHER)
		return false;
	parent = proc_selection_parent(before, count, e);
	return parent && environment_bytes(&e->values) &&
	       environment_bytes(&parent->values) == environment_bytes(&e->values);
}

void proc_recognition_at(struct proc_recognition *l, struct proc_entry *e, int process,
	const struct proc_entry *before, size_t count)
{
	const struct proc_values *f = &e->values;
	uint64_t key = f->executable_key;
	_cleanup_close_ int opened = -1;

	if (!proc_recognition_has_program(f) || is_known_as_plain(l, e) ||
		is_copy(l, e, before, count))
		return;
	if (!inherits_environment(l, e, before, count))
		e->reads = PROC_READ_MARKERS;
	e->is_plain = key && map_get(&l->plain_keys, &key) && !is_command_of_agent(l, name_of(e));
	if (e->is_plain)
		return;
	if (process < 0)
		process = opened = procfs_open((pid_t)f->id.pid);
	check_program(l, e, process);
}

static void forget_ended(struct proc_recognition *l)
{
	map_for_each (&l->plain, const void *, key, struct plain_process *, value) {
		if (value->sample != l->sample)
			map_remove(&l->plain, key);
	}
}

void proc_recognition_keep_valid(
	struct proc_recognition *l, const struct proc_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct proc_entry *e = &entries[i], *like = e;
		struct plain_process *plain;

		if (e->copied && l->is_unsorted)
			continue; /* the entries were sorted since: `copied` is no index */
		if (e->copied)
			like = &entries[e->copied - 1];
		if (!like->is_plain || like->has_markers || !e->token)
			continue;
		plain = map_put(&l->plain, &e->values.id, NULL);
		if (plain)
			*plain = (struct plain_process){ e->token, l->sample, e->is_no_server };
	}
	if (l->plain.count > count + PLAIN_ENDED_MAX)
		forget_ended(l);
}
