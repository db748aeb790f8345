/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding agents among all processes; see agent_members.h. It asks the same recogniser on
 * the same evidence as whoever explains, and takes with an agent everything below it; and
 * what bears an agent's marker in its environment, which tells of what lost its parent.
 */
#include "os/linux/proc/agent_members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/agent.h"
#include "core/script.h"
#include "core/secrets.h"
#include "os/linux/proc/proc_slow_reads.h"
#include "os/linux/files/process_snapshot.h"

#define BLOCKED_MAX    4096
#define DELETED_SUFFIX " (deleted)"
#define PF_KTHREAD     0x00200000 /* include/linux/sched.h */

struct found_process {
	struct process_id id;
	uint32_t ppid;
	bool is_selected, has_ended;
};

void agent_members_init(struct agent_members *a, const struct agent_set *agents)
{
	a->agents = agent_set_ref(agents);
	programs_init(&a->programs, agents);
	map_init(&a->blocked, sizeof(struct process_id), 0, BLOCKED_MAX);
}

void agent_members_fini(struct agent_members *a)
{
	struct buffer *all[] = { &a->found, &a->stat, &a->executable, &a->raw, &a->arguments,
		&a->directory, &a->questions, &a->asked };

	programs_fini(&a->programs);
	agent_set_unref(a->agents);
	timeout_fini(&a->timeout);
	map_fini(&a->blocked);
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

/* Rules by a command look at the first argument, those of scripts at what an interpreter runs;
 * where the executable is hidden any may fit. */
static bool needs_arguments(
	const struct agent_set *agents, struct span executable, struct span name)
{
	const struct agent *agent;
	size_t position = 0;

	if (!executable.size || interpreter_of(executable))
		return true;
	while ((agent = agent_set_next(agents, &position))) {
		const struct agent_rule *rules = agent->rules;
		size_t count = agent_rule_count(agent);

		for (size_t k = 0; k < count; k++) {
			if (rules[k].kind == AGENT_RULE_COMMAND && span_equal(name, rules[k].what))
				return true;
		}
	}
	return false;
}

/* Its arguments lie in its own memory, which may be of a file that does not answer. */
static void read_arguments(struct agent_members *a, const struct process_snapshot *reading,
	struct agent_evidence *evidence)
{
	buffer_reset(&a->arguments);
	if (timeout_read_at(&a->timeout, reading->process, "cmdline", &a->raw, PROCFS_ARGUMENTS,
		    TIMEOUT_MS) >= 0)
		secrets_mask_arguments(&a->arguments, (const char *)a->raw.data, a->raw.size);
	evidence->arguments = buffer_span(&a->arguments);
	evidence->directory = link_span(reading->process, "cwd", &a->directory);
}

static bool is_agent(struct agent_members *a, const struct process_snapshot *reading,
	const struct procfs_stat *stat)
{
	struct agent_evidence evidence = { .name = stat->name };
	struct program_process known = { .process = reading->process, .id = reading->id };
	struct program_facts facts;
	struct agent_match match;

	evidence.executable = link_span(reading->process, "exe", &a->executable);
	if (span_ends(evidence.executable, DELETED_SUFFIX))
		evidence.executable.size -= strlen(DELETED_SUFFIX);
	if (needs_arguments(a->agents, evidence.executable, evidence.name))
		read_arguments(a, reading, &evidence);
	known.executable = evidence.executable;
	known.arguments = evidence.arguments;
	known.directory = evidence.directory;
	programs_look(&a->programs, &known, &facts);
	evidence.marks = span_of(facts.marks.marks, facts.marks.marks_size);
	evidence.mark_version = span_of(facts.marks.version, strlen(facts.marks.version));
	evidence.package = span_of(facts.package.name, strlen(facts.package.name));
	evidence.package_version = span_of(facts.package.version, strlen(facts.package.version));
	return agent_recognise(a->agents, &evidence, &match) != NULL;
}

static void look_at(struct agent_members *a, struct backend_run *run, pid_t pid)
{
	_cleanup_process_snapshot_ struct process_snapshot reading;
	struct found_process found = { 0 };
	struct procfs_stat stat;

	if (process_snapshot_open_stat(&reading, run, pid, NULL, &stat, &a->stat) ||
		stat.flags & PF_KTHREAD)
		return;
	found.id = reading.id;
	found.ppid = stat.ppid;
	found.has_ended = procfs_has_ended(&stat);
	found.is_selected = !found.has_ended && is_agent(a, &reading, &stat);
	buffer_append(&a->found, &found, sizeof(found));
}

static int by_pid(const void *a, const void *b)
{
	const struct found_process *x = a, *y = b;

	return x->id.pid < y->id.pid ? -1 : x->id.pid > y->id.pid;
}

/* A process and its parent may have started in the same tick, and pids are given anew: a round
 * for each generation, until one finds nothing. */
static void take_children(struct found_process *all, size_t count)
{
	bool has_changed = true;

	while (has_changed) {
		has_changed = false;
		for (size_t i = 0; i < count; i++) {
			struct found_process key = { .id.pid = all[i].ppid };
			const struct found_process *parent =
				bsearch(&key, all, count, sizeof(*all), by_pid);

			if (all[i].is_selected || !parent || !parent->is_selected ||
				parent->id.start_ticks > all[i].id.start_ticks)
				continue;
			all[i].is_selected = has_changed = true;
		}
	}
}

static void take_markers(void *user, size_t i, struct proc_slow_reads *answer)
{
	struct agent_members *a = user;
	const uint32_t *asked = (const void *)a->asked.data;
	struct found_process *all = (void *)a->found.data;

	all[asked[i]].is_selected |= answer->markers.size > 0;
}

/* Of what is not below an agent the environment tells; whose it is, is judged by whoever explains.
 */
static int take_bearers(struct agent_members *a, size_t count)
{
	const struct found_process *all = (const void *)a->found.data;

	buffer_reset(&a->questions);
	buffer_reset(&a->asked);
	for (size_t i = 0; i < count; i++) {
		struct proc_slow_reads q = {
			.id = all[i].id, .wants = PROC_WANT_MARKERS, .agents = a->agents
		};
		uint32_t index = (uint32_t)i;

		if (all[i].is_selected || all[i].has_ended)
			continue;
		buffer_append(&a->questions, &q, sizeof(q));
		buffer_append(&a->asked, &index, sizeof(index));
	}
	if (buffer_failed(&a->questions) || buffer_failed(&a->asked))
		return -ENOMEM;
	return proc_questions_ask((const void *)a->questions.data,
		a->questions.size / sizeof(struct proc_slow_reads), &a->timeout, &a->blocked,
		take_markers, a);
}

int agent_members_visit(struct agent_members *a, struct backend_run *run, member_visitor visitor,
	struct sooth_error *err)
{
	struct buffer pids = { 0 };
	int status = procfs_list(&pids);
	const pid_t *pid = (const void *)pids.data;
	struct found_process *all;
	size_t count;

	buffer_reset(&a->found);
	for (size_t i = 0; i < pids.size / sizeof(*pid) && !status; i++)
		look_at(a, run, pid[i]);
	buffer_fini(&pids);
	if (status)
		return error_errno(err, status, "list the processes in /proc");
	if (buffer_failed(&a->found))
		return error_no_memory(err);
	all = (void *)a->found.data;
	count = a->found.size / sizeof(*all);
	if (count)
		qsort(all, count, sizeof(*all), by_pid);
	take_children(all, count);
	status = take_bearers(a, count);
	if (status)
		return error_errno(err, status, "look at the environment of processes");
	take_children(all, count);
	for (size_t i = 0; i < count; i++) {
		if (all[i].is_selected)
			visitor(run, (pid_t)all[i].id.pid, &all[i].id);
	}
	return 0;
}
