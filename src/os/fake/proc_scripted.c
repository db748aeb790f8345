/* SPDX-License-Identifier: BSD-2-Clause */
/* proc by script: what the test put into each struct fake_process. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "collect/secrets.h"
#include "os/fake/script.h"
#include "probes/proc.h"

static struct record_tail tail_of_string(struct sooth_text *to, const char *value)
{
	return (struct record_tail){ to, value, value ? strlen(value) : 0 };
}

static void write_process(struct backend_run *run, const struct fake_process *from)
{
	struct buffer arguments = { 0 };
	struct proc_process p = {
		.record = { .time_ns = run->os->now_ns(run->os),
			.start_ticks = from->id.start_ticks,
			.pid = from->id.pid,
			.kind = PROC_PROCESS,
			.cpu = SOOTH_CPU_NONE },
		.cpu_ns = from->cpu_ns,
		.rss_bytes = from->rss_bytes,
		.vsz_bytes = from->vsz_bytes,
		.ppid = from->ppid,
		.uid = from->uid,
		.threads = from->threads,
		.descriptors = from->descriptors,
		.state = from->state,
		.is_deleted = from->is_deleted,
		.arguments_state = from->arguments_state,
		.executable_state = from->executable_state,
		.directory_state = from->directory_state,
	};

	if (from->arguments_size &&
		secrets_mask_arguments(&arguments, from->arguments, from->arguments_size))
		p.arguments_state = SOOTH_STATE_TRUNCATED;
	struct record_tail tail[] = {
		tail_of_string(&p.name, from->name),
		{ &p.arguments, arguments.data, arguments.size },
		tail_of_string(&p.executable, from->executable),
		tail_of_string(&p.directory, from->directory),
		tail_of_string(&p.control_group, "/"),
	};
	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
	buffer_fini(&arguments);
}

static void sample_one(struct backend_run *run, const struct process_id *id)
{
	struct fake_process *p = script_find(fake_of(run->os), id);

	if (p && p->is_alive)
		write_process(run, p);
}

static int proc_sample(struct backend_run *run, struct sooth_error *err)
{
	struct fake *f = fake_of(run->os);
	struct script_members *m = run->state;
	struct proc_snapshot snapshot = {
		.record = { .time_ns = f->now_ns, .kind = PROC_SNAPSHOT, .cpu = SOOTH_CPU_NONE },
		.from_ns = f->now_ns,
	};

	(void)err;
	f->counts.samples++;
	map_for_each_key (&m->processes, const void *, key)
		sample_one(run, key);
	for (size_t i = 0; i < f->process_count; i++) {
		if (script_adopts(run, f->processes[i]) &&
			!map_get(&m->processes, &f->processes[i]->id))
			sample_one(run, &f->processes[i]->id);
	}
	RECORD_APPEND(&run->out, &snapshot, NULL, 0);
	return 0;
}

static int proc_open(struct backend_run *run, struct sooth_error *err)
{
	struct fake *f = fake_of(run->os);
	struct script_members *m = run->state;

	for (size_t i = 0; i < SCRIPT_SOURCES_MAX; i++) {
		if (f->members[i])
			continue;
		map_init(&m->processes, sizeof(struct process_id), 0, FAKE_PROCESSES_MAX);
		f->members[i] = m;
		f->counts.opened++;
		return 0;
	}
	return error_set(err, -EUSERS, SOOTH_FAULT_USAGE, "open one more source");
}

static int proc_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct script_members *m = run->state;

	if (!interest)
		map_remove(&m->processes, process);
	else if (!map_put(&m->processes, process, NULL))
		return error_no_memory(err);
	return 0;
}

static int proc_start(struct backend_run *run, struct sooth_error *err)
{
	fake_of(run->os)->counts.started++;
	return proc_sample(run, err);
}

static int proc_stop(struct backend_run *run, struct sooth_error *err)
{
	fake_of(run->os)->counts.stopped++;
	return proc_sample(run, err);
}

static void proc_close(struct backend_run *run)
{
	struct fake *f = fake_of(run->os);
	struct script_members *m = run->state;

	f->counts.closed++;
	for (size_t i = 0; i < SCRIPT_SOURCES_MAX; i++) {
		if (f->members[i] == m)
			f->members[i] = NULL;
	}
	map_fini(&m->processes);
}

const struct backend backend_proc_scripted = {
	.name = "scripted",
	.probe = "proc",
	.help = "scripted data for tests",
	.state_size = sizeof(struct script_members),
	.open = proc_open,
	.set = proc_set,
	.start = proc_start,
	.sample = proc_sample,
	.joined = sample_one,
	.stop = proc_stop,
	.close = proc_close,
};
