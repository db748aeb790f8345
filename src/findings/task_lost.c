/* SPDX-License-Identifier: BSD-2-Clause */
/* task-lost: the main thread of a Python program waits for a result of its pool of processes
 * (multiprocessing.Pool), and all workers wait for work. If a worker was killed, its task is lost:
 * the pool starts another worker, and the result never comes. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 4e9, 1e9, 86400e9,
		"minimum time that the main thread and all workers wait"),
};

struct pool {
	unsigned workers, idle;
	uint64_t for_ns; /* the shortest wait of the process and its workers */
};

static bool is_method(const struct check *e, const struct profile_function *f, const char *file,
	const char *method)
{
	return f->kind == PROFILE_SCRIPT &&
	       stack_wait_is_file(stack_wait_file(e->input, f), file) &&
	       stack_wait_is_method(stack_wait_function(e->input, f), method);
}

static bool has_method(
	const struct check *e, const struct process_id *id, const char *file, const char *method)
{
	struct profile_stacked stack;

	if (!stack_wait_frames(e->input, id, id->pid, &stack))
		return false;
	for (size_t i = 0; i < stack.depth; i++) {
		if (is_method(e, stack.frames[i], file, method))
			return true;
	}
	return false;
}

/* Returns the time since the main thread of a process last ran; 0: not known. */
static uint64_t rested_ns(const struct check *e, const struct process_id *id)
{
	struct wait_graph g = wait_graph_of(snapshots_get(&e->input->waits.last, id), NULL);
	const struct waits_thread *t = wait_graph_thread_of(&g, id->pid, id->pid);

	return t && !t->since_state ? t->since_ns : 0;
}

static struct pool find_pool(const struct check *e)
{
	struct pool p = { .for_ns = rested_ns(e, &e->id) };

	process_table_for_each (&e->input->host.process_table, child) {
		if (child->parent != e->process || !has_method(e, &child->id, "pool.py", "worker"))
			continue;
		p.workers++;
		p.idle += has_method(e, &child->id, "queues.py", "get");
		if (rested_ns(e, &child->id) < p.for_ns)
			p.for_ns = rested_ns(e, &child->id);
	}
	return p;
}

/* Returns whether a thread that serves the pool is in code of the program: in a callback of a
 * result, or in a generator of tasks. */
static bool is_at_work(const struct check *e, uint32_t tid)
{
	static const char *const own[] = { "pool.py", "connection.py", "queues.py",
		"threading.py" };
	struct profile_stacked stack;
	struct span file = { 0 };
	bool serves = false;

	if (!stack_wait_frames(e->input, &e->id, tid, &stack))
		return false;
	for (size_t i = 0; i < stack.depth; i++) {
		const struct profile_function *f = stack.frames[i];

		serves |= is_method(e, f, "pool.py", "_handle_results") ||
			  is_method(e, f, "pool.py", "_handle_tasks");
		if (!file.data && f->kind == PROFILE_SCRIPT)
			file = stack_wait_file(e->input, f);
	}
	return serves && !SPAN_ANY(file, span_starts, own);
}

static bool is_served(const struct check *e)
{
	struct wait_graph g;

	if (!check_graph(e, &g))
		return false;
	wait_threads_each (&g, e->id.pid, t) {
		if (is_at_work(e, t->record.tid))
			return true;
	}
	return false;
}

/* map() and apply() get() one result, next() is of imap(), and join() waits until the pool has no
 * task left. */
static bool awaits_result(const struct check *e)
{
	static const char *const methods[] = { "get", "next", "join" };
	bool awaits = false;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		awaits |= has_method(e, &e->id, "pool.py", methods[i]);
	return awaits;
}

static void report_pool(const struct check *e, struct check_result *out, const struct pool *p)
{
	static const struct claim_row row = {
		"waits for a result of its pool of processes{ in |place}, for {time}, and all "
		"{workers} workers wait for work: the worker that had the task has probably ended",
		"how the worker ended; whether a generator yields the next task later",
		"dmesg shows whether memory ran out; concurrent.futures.ProcessPoolExecutor raises "
		"an error when a worker ends, and get(timeout=...) gives up"
	};

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	stack_wait_put_own(finding_value(out, "place"), e->input, e->process, e->id.pid);
	finding_value_time(out, "time", p->for_ns);
	finding_value_text(out, "workers", "%u", p->workers);
	finding_count(out, "workers that wait for work", p->idle, 0);
	finding_time(out, "waiting for at least", p->for_ns);
	finding_claim_row(out, &row);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct pool p;

	if (!e->process || !awaits_result(e)) {
		check_fine(out, "it waits for no result of a pool of Python");
		return;
	}
	p = find_pool(e);
	if (is_served(e))
		check_fine(out, "a thread that serves its pool is in code of the program");
	else if (!p.workers)
		check_blind_because(out, "the workers of its pool were not observed",
			"diagnose the process alone: its children are observed too");
	else if (p.idle < p.workers)
		check_fine(out, "%u of %u workers of its pool work", p.workers - p.idle, p.workers);
	else if (check_is_long(e, out, "min-time", p.for_ns, "it and all workers of its pool wait"))
		report_pool(e, out, &p);
}

const struct finding_detector finding_task_lost = { diagnose, FINDING_OPTIONS(options) };
