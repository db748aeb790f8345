/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds agents among all processes, with the recognizer and the evidence that the diagnosis uses.
 * It selects an agent with everything below it, and every process with an agent's marker in its
 * environment, which shows those that lost their parent. */
#include "os/linux/proc/agent_members.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "recognize/agent.h"
#include "recognize/markers.h"
#include "recognize/script.h"
#include "base/units.h"
#include "collect/agents_found.h"
#include "collect/secrets.h"
#include "model/stream_records.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/os.h"
#include "os/linux/files/process_snapshot.h"

#define BLOCKED_MAX    4096
#define FOUND_NS       NS_PER_S /* the result of another probe is of the same cycle */
#define DELETED_SUFFIX " (deleted)"
#define PF_KTHREAD     0x00200000 /* include/linux/sched.h */

struct found_process {
	struct process_id id;
	uint32_t ppid, living; /* as in struct procfs_stat */
	bool is_selected, has_ended;
	bool is_known; /* whether it has a marker is known from an earlier sample */
};

/* In repeated samples most processes are the same as before, and only another name shows that a
 * process has replaced its program; so each is examined again after a while. */
#define KNOWN_MAX 65536
#define KNOWN_NS  (10 * NS_PER_S)
#define SPREAD	  8 /* parts of that time, so that not all are examined in one sample */

struct known_process {
	char name[PROCESS_NAME_SIZE];
	uint64_t due_ns;
	uint32_t visit; /* the last visit with the process */
	bool is_agent, is_marked, has_markers;
};

void agent_members_init(struct agent_members *a, const struct agent_set *agents)
{
	assert(a);
	a->agents = agent_set_ref(agents);
	programs_init(&a->programs, agents);
	map_init(&a->blocked, sizeof(struct process_id), 0, BLOCKED_MAX);
	map_init(&a->known, sizeof(struct process_id), sizeof(struct known_process), KNOWN_MAX);
}

void agent_members_fini(struct agent_members *a)
{
	assert(a);

	struct buffer *all[] = { &a->found, &a->stat, &a->executable, &a->raw, &a->arguments,
		&a->directory, &a->requests, &a->request_owners };

	programs_fini(&a->programs);
	agent_set_unref(a->agents);
	timeout_fini(&a->timeout);
	map_fini(&a->blocked);
	map_fini(&a->known);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buffer_fini(all[i]);
}

static struct span buffer_span(const struct buffer *b)
{
	return span_of((const char *)b->data, b->size);
}

static struct span link_span(int process, const char *name, struct buffer *out)
{
	if (procfs_link_at(process, name, out))
		buffer_reset(out);
	return buffer_span(out);
}

/* Returns whether arguments are needed. Rules by command look at the first argument, those for
 * scripts at the arguments of an interpreter; if the executable is hidden, any rule may match. */
static bool needs_arguments(
	const struct agent_set *agents, struct span executable, struct span name)
{
	if (!executable.size || interpreter_of(executable))
		return true;
	agent_set_for_each (agents, agent) {
		const struct agent_rule *rules = agent->rules;
		size_t count = agent_rule_count(agent);

		for (size_t k = 0; k < count; k++) {
			if (rules[k].kind == AGENT_RULE_COMMAND && span_equal(name, rules[k].what))
				return true;
		}
	}
	return false;
}

/* Reads the arguments. They are in the process's own memory, which may be backed by a file that
 * does not answer. */
static void read_arguments(struct agent_members *a, const struct process_snapshot *snapshot,
	struct agent_evidence *evidence)
{
	buffer_reset(&a->arguments);
	if (timeout_read_at(&a->timeout, snapshot->process, "cmdline", &a->raw, PROCFS_ARGUMENTS,
		    TIMEOUT_MS) >= 0)
		secrets_mask_arguments(&a->arguments, (const char *)a->raw.data, a->raw.size);
	evidence->arguments = buffer_span(&a->arguments);
	evidence->directory = link_span(snapshot->process, "cwd", &a->directory);
}

static bool is_agent(struct agent_members *a, const struct process_snapshot *snapshot,
	const struct procfs_stat *stat)
{
	struct agent_evidence evidence = { .name = stat->name };
	struct program_process known = { .process = snapshot->process, .id = snapshot->id };
	struct program_facts facts;
	struct agent_match match;

	evidence.executable = link_span(snapshot->process, "exe", &a->executable);
	if (span_ends(evidence.executable, DELETED_SUFFIX))
		evidence.executable.size -= strlen(DELETED_SUFFIX);
	if (needs_arguments(a->agents, evidence.executable, evidence.name))
		read_arguments(a, snapshot, &evidence);
	known.executable = evidence.executable;
	known.arguments = evidence.arguments;
	known.directory = evidence.directory;
	programs_find(&a->programs, &known, &facts);
	evidence.marks = span_of(facts.marks.marks, facts.marks.marks_size);
	evidence.mark_version = span_of(facts.marks.version, strlen(facts.marks.version));
	evidence.package = span_of(facts.package.name, strlen(facts.package.name));
	evidence.package_version = span_of(facts.package.version, strlen(facts.package.version));
	return agent_recognise(a->agents, &evidence, &match) != NULL;
}

/* --- what was found before --- */

static bool is_named(const struct known_process *k, struct span name)
{
	size_t size = strnlen(k->name, sizeof(k->name));

	return size == name.size && !memcmp(k->name, name.data, size);
}

static const struct known_process *recall_process(struct agent_members *a,
	const struct backend_run *run, const struct process_id *id, struct span name)
{
	struct known_process *k = run->options.observer.sample_ns ? map_get(&a->known, id) : NULL;

	if (!k)
		return NULL;
	k->visit = a->visit;
	return run->os->now_ns(run->os) < k->due_ns && is_named(k, name) ? k : NULL;
}

static void keep_process(struct agent_members *a, const struct backend_run *run,
	const struct process_id *id, struct span name, bool is_found)
{
	struct known_process *k =
		run->options.observer.sample_ns ? map_put(&a->known, id, NULL) : NULL;

	if (!k)
		return;
	*k = (struct known_process){ .visit = a->visit,
		.is_agent = is_found,
		.due_ns = run->os->now_ns(run->os) + KNOWN_NS -
			  id->pid % SPREAD * (KNOWN_NS / 4 / SPREAD) };
	memcpy(k->name, name.data, name.size < sizeof(k->name) ? name.size : sizeof(k->name));
}

static void keep_marker(struct agent_members *a, const struct process_id *id, bool is_marked)
{
	struct known_process *k = map_get(&a->known, id);

	if (!k)
		return;
	k->has_markers = true;
	k->is_marked = is_marked;
}

static void forget_ended(struct agent_members *a)
{
	map_for_each (&a->known, const void *, id, const struct known_process *, value) {
		if (value->visit != a->visit)
			map_remove(&a->known, id);
	}
}

static void examine_process(struct agent_members *a, struct backend_run *run, pid_t pid)
{
	_cleanup_process_snapshot_ struct process_snapshot snapshot;
	struct found_process found = { 0 };
	const struct known_process *known;
	struct procfs_stat stat;

	if (process_snapshot_open_stat(&snapshot, run, pid, NULL, &stat, &a->stat) ||
		stat.flags & PF_KTHREAD)
		return;
	found.id = snapshot.id;
	found.ppid = stat.ppid;
	found.living = stat.living;
	found.has_ended = procfs_has_ended(&stat);
	known = found.has_ended ? NULL : recall_process(a, run, &found.id, stat.name);
	if (known) {
		found.is_known = known->has_markers;
		found.is_selected = known->is_agent || (known->has_markers && known->is_marked);
	} else if (!found.has_ended) {
		found.is_selected = is_agent(a, &snapshot, &stat);
		keep_process(a, run, &found.id, stat.name, found.is_selected);
	}
	buffer_append(&a->found, &found, sizeof(found));
}

static int compare_by_pid(const void *a, const void *b)
{
	const struct found_process *x = a, *y = b;

	return x->id.pid < y->id.pid ? -1 : x->id.pid > y->id.pid;
}

/* Selects the children of selected processes. A process and its parent may have started in the same
 * tick, and PIDs are reused, so there is one pass for each generation, until a pass finds none. */
static void select_children(struct found_process *all, size_t count)
{
	bool has_changed = true;

	while (has_changed) {
		has_changed = false;
		for (size_t i = 0; i < count; i++) {
			struct found_process key = { .id.pid = all[i].ppid };
			const struct found_process *parent =
				bsearch(&key, all, count, sizeof(*all), compare_by_pid);

			if (all[i].is_selected || !parent || !parent->is_selected ||
				parent->id.start_ticks > all[i].id.start_ticks)
				continue;
			all[i].is_selected = has_changed = true;
		}
	}
}

static void store_markers(void *user, size_t i, struct proc_slow_read *result)
{
	struct agent_members *a = user;
	const uint32_t *request_owners = (const void *)a->request_owners.data;
	struct found_process *all = (void *)a->found.data;
	bool is_marked = proc_markers_are_of_agent(
		span_of((const char *)result->markers.data, result->markers.size));

	/* Markers that could not be read are tried again. */
	if (result->markers_state <= SOOTH_STATE_TRUNCATED)
		keep_marker(a, &all[request_owners[i]].id, is_marked);
	all[request_owners[i]].is_selected |= is_marked;
}

/* Reads the environment of each process that is not below an agent; the diagnosis decides to which
 * agent it belongs. */
static int select_marked(struct agent_members *a, size_t count)
{
	const struct found_process *all = (const void *)a->found.data;

	buffer_reset(&a->requests);
	buffer_reset(&a->request_owners);
	for (size_t i = 0; i < count; i++) {
		struct proc_slow_read q = { .id = all[i].id,
			.living = all[i].living,
			.reads = PROC_READ_MARKERS,
			.agents = a->agents };
		uint32_t index = (uint32_t)i;

		if (all[i].is_selected || all[i].has_ended || all[i].is_known)
			continue;
		buffer_append(&a->requests, &q, sizeof(q));
		buffer_append(&a->request_owners, &index, sizeof(index));
	}
	if (buffer_failed(&a->requests) || buffer_failed(&a->request_owners))
		return -ENOMEM;
	return proc_slow_reads_run((const void *)a->requests.data,
		a->requests.size / sizeof(struct proc_slow_read), &a->timeout, &a->blocked,
		store_markers, a);
}

/* Visits the processes that a sample of the same cycle found a moment ago. False: there is none. */
static bool visit_found(struct backend_run *run, member_visitor visitor)
{
	const struct agents_found *found = run->agents_found;
	uint64_t now = run->os->now_ns(run->os), limit = FOUND_NS;

	if (run->options.observer.sample_ns && run->options.observer.sample_ns / 2 < limit)
		limit = run->options.observer.sample_ns / 2;
	if (!found || !found->found_ns || now - found->found_ns > limit ||
		buffer_failed(&found->processes) || found->has_uid != run->options.has_uid ||
		(found->has_uid && found->uid != run->options.uid))
		return false;
	buffer_each (const struct process_id, id, &found->processes)
		visitor(run, (pid_t)id->pid, id);
	return true;
}

int agent_members_visit(struct agent_members *a, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err)
{
	struct buffer pids = { 0 };
	struct found_process *all;
	size_t count;
	int status;

	assert(a);
	if (visit_found(run, visitor))
		return 0;
	status = procfs_list(&pids);
	buffer_reset(&a->found);
	a->visit++;
	buffer_each_while (const pid_t, pid, &pids, !status)
		examine_process(a, run, *pid);
	buffer_fini(&pids);
	if (status)
		return error_errno(err, status, "list the processes in /proc");
	if (buffer_failed(&a->found))
		return error_no_memory(err);
	all = (void *)a->found.data;
	count = a->found.size / sizeof(*all);
	if (count)
		qsort(all, count, sizeof(*all), compare_by_pid);
	select_children(all, count);
	status = select_marked(a, count);
	if (status)
		return error_errno(err, status, "look at the environment of processes");
	select_children(all, count);
	forget_ended(a);
	for (size_t i = 0; i < count; i++) {
		if (all[i].is_selected)
			visitor(run, (pid_t)all[i].id.pid, &all[i].id);
	}
	return 0;
}
