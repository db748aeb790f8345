/* SPDX-License-Identifier: BSD-2-Clause */
/* Diagnoses. A scan of the host comes first: then the expensive probes read only the selected
 * processes, including those that a session left behind under another parent. */
#include "cli/diagnosing.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyze/answer/first_answers.h"
#include "analyze/diagnosis/check_settings.h"
#include "analyze/process_table/process_match.h"
#include "base/units.h"
#include "cli/config/config_files.h"
#include "cli/config/labels.h"
#include "cli/selected/process_table_scan.h"
#include "cli/diagnosing_tree.h"
#include "cli/run.h"
#include "collect/backend.h"
#include "collect/observer.h"
#include "os/os.h"

#define STACKS_MOST   32 /* processes; with more, the stacks of waiting threads are not read */
#define DIAGNOSING_NS (5 * NS_PER_S)
#define KEEPER_NS     (3 * NS_PER_S) /* left of the time when allocations are added */

/* --- which probes take part --- */

/* Adds and drops probes that a diagnosis can do without. */

/* Returns whether a probe can observe by another method than `none`, which sees nothing and needs
 * no privilege. */
static bool diagnosing_can_observe(const char *probe, struct sooth_error *refusal)
{
	*refusal = (struct sooth_error){ .tried = "find a method on this system" };
	for (const struct backend *const *b = os_native.backends; *b; b++) {
		if (!strcmp((*b)->probe, probe) && strcmp((*b)->name, "none") &&
			!(*b)->only_on_request && !backend_test_needs(*b, &os_native, refusal))
			return true;
	}
	return false;
}

/* Removes a probe from the probes of the run. */
static void diagnosing_drop_probe(struct run *run, const char *name)
{
	size_t n = 0;

	while (strcmp(run->probes[n].name, name) != 0)
		n++;
	for (; run->probes[n].name; n++)
		run->probes[n] = run->probes[n + 1];
}

/* Notes why the system refused: "load the programs: not permitted". */
static void diagnosing_note_refusal(struct diagnosing_refusal *r, const struct sooth_error *refusal)
{
	snprintf(r->reason, sizeof(r->reason), "%s%s%s", refusal->tried, *refusal->why ? ": " : "",
		refusal->why);
	snprintf(r->remedy, sizeof(r->remedy), "%s",
		*refusal->remedy ? refusal->remedy : "`sooth doctor` says what is missing");
}

static void refuse_samples(struct diagnosing *d, struct run *run, const struct sooth_error *refusal)
{
	diagnosing_note_refusal(&d->no_samples, refusal);
	d->has_samples = false;
	run->unseen[RUN_UNSEEN_SAMPLES] = (struct run_unseen){ DIAGNOSIS_LIMIT_SAMPLES,
		d->no_samples.reason, d->no_samples.remedy };
}

/* Samples all faults if memory grows by less than 0.8 MB a second; a stack takes some 10 us. */
#define FAULT_HZ 199

/* Adds samples of stacks. Names of functions come only at the end of the run, so a watch would not
 * have them. */
static void diagnosing_add_samples(struct diagnosing *d, struct run *run, bool has_processes)
{
	bool is_default = !d->agent && !d->is_passive;
	struct sooth_error refusal;
	size_t n = 0;

	if (!has_processes || d->is_gone || d->is_quick || d->watch_ns ||
		!(is_default || d->wants_samples))
		return;
	d->has_samples = diagnosing_can_observe("profile", &refusal);
	while (run->probes[n].name)
		n++;
	if (d->has_samples) {
		run->probes[n++] = (struct run_probe){ "profile", SOOTH_STREAM };
		run->observer.profile.page_fault_hz = FAULT_HZ;
	} else {
		refuse_samples(d, run, &refusal);
	}
	if (d->selected.size <= STACKS_MOST * sizeof(uint32_t) && (d->has_samples || is_default))
		run->probes[n] = (struct run_probe){ "stacks",
			SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_EDGES | SOOTH_ONCE };
}

/* Adds the heap probe only if the user requests it: each call of an allocator takes longer. */
static void choose_heap(const struct diagnosing *d, struct run *run, bool has_processes)
{
	size_t n = 0;

	if (!d->wants_heap || !has_processes || d->is_gone)
		return;
	while (run->probes[n].name)
		n++;
	run->probes[n] = (struct run_probe){ "heap", SOOTH_COUNT };
	run->observer.heap.finds_wrong_frees = true;
}

/* --- diagnosing gone --- */

/* Reads what the kernel log has about selected processes that have exited. */

static bool may_be_there(uint32_t pid, struct buffer *gone)
{
	struct process_id process;
	struct sooth_error ignored;

	if (os_native.identify(&os_native, (pid_t)pid, &process, &ignored) != -ESRCH)
		return true;
	buffer_append(gone, &pid, sizeof(pid));
	return false;
}

/* Adds the PIDs that do not exist (uint32_t). Returns whether none of the PIDs exists. */
static bool gone_find(const struct target_found *found, struct buffer *gone)
{
	bool is_one_there = false;

	for (size_t i = 0; i < target_found_count(found); i++)
		is_one_there |= may_be_there(target_found_pids(found)[i], gone);
	return !is_one_there;
}

/* --- diagnosing --- */

#define SAMPLES	     32	 /* samples in the interval */
#define SAMPLES_W    15	 /* samples in an interval of a watch, which may go on all day */
#define SAMPLES_P    6	 /* samples in an interval of a passive watch, which has to cost little */
#define WAITS_MOST_W 64	 /* processes whose waits a watch reads */
#define SAMPLE_MS    500 /* the shortest interval */
#define SAMPLE_MS_MAX                                                                              \
	2000 /* the longest interval: a value that rises and falls has to be seen doing both */
#define SAMPLE_MS_PASSIVE 5000
#define CALLS_BYTES	  (32u << 20) /* bytes: other probes need time before calls are fetched */
#define BURST_BYTES	  (4u << 20)  /* bytes, if calls have a budget */
#define CONFIG_SIZE	  65536
#define CONFIG_NAME	  "findings"

/* --- how detectors are set --- */

static int read_config(struct check_settings *settings, struct sooth_error *err)
{
	struct config_file file;
	int status = config_file_read(&file, CONFIG_NAME, CONFIG_SIZE, err);

	if (!status && file.is_there)
		status = check_settings_parse(settings, buffer_cstr(&file.path),
			(const char *)file.text.data, file.text.size, err);
	config_file_fini(&file);
	return status;
}

int diagnosing_settings(
	struct check_settings *settings, const struct option_list *set, struct sooth_error *err)
{
	int status;

	check_settings_init(settings);
	status = read_config(settings, err);
	for (size_t i = 0; set && i < set->count && !status; i++)
		status = check_settings_set(settings, set->items[i], err);
	return status;
}

struct first_answers *diagnosing_first_answers(struct check_settings *settings)
{
	struct sooth_error ignored;

	return diagnosing_settings(settings, NULL, &ignored) ? NULL : first_answers_new(settings);
}

/* --- selecting processes --- */

/* Returns whether to select the process without a target: each process of every agent, or of the
 * caller's agent. */
static bool is_of_agent(const struct diagnosing *d, const struct process_entry *p)
{
	if (!p->agent && !p->owner_agent)
		return false;
	return !d->agent || (p->agent && !strcmp(p->agent->name, d->agent));
}

/* Returns whether to select the process if the target is the host: each one with a program, except
 * sooth. */
static bool is_selected(const struct diagnosing *d, const struct process_entry *p)
{
	if (!d->found.is_host)
		return is_of_agent(d, p);
	return p->id.pid != (uint32_t)getpid() && !process_match_kernel(p) &&
	       p->process->state != 'Z';
}

static int list_processes(const struct diagnosing *d, struct buffer *out, struct sooth_error *err)
{
	struct process_table process_table;
	struct process_entry *p;
	size_t position = 0;
	int status = process_table_scan(&process_table, err);

	while (!status && (p = process_table_next(&process_table, &position))) {
		uint32_t pid = p->id.pid;

		if (is_selected(d, p))
			buffer_append(out, &pid, sizeof(pid));
	}
	process_table_fini(&process_table);
	return !status && buffer_failed(out) ? error_no_memory(err) : status;
}

/* Adds related processes: a PID of an agent selects its whole session. Options that select several
 * processes select only these, and so does a caller that diagnoses one agent. */
static int add_related(const struct diagnosing *d, const struct target_found *found,
	struct buffer *pids, struct sooth_error *err)
{
	const struct target_options *t = d->run->target;
	bool is_set = target_has_groups(t);
	size_t count = pids->size / sizeof(uint32_t);

	if (d->agent || d->only_given || d->is_gone || found->is_host || found->has_user ||
		found->command || !count || (is_set && count > 1))
		return 0;
	return diagnosing_add_related(pids, err);
}

static int search_targets_again(
	const struct diagnosing *d, struct buffer *out, struct sooth_error *err)
{
	const struct run *run = d->run;
	struct target_found found = { 0 };
	int status = target_find(run->target, run->arguments, run->allowed, &found, err);

	if (!status)
		status = add_related(d, &found, &found.pids, err);
	buffer_append(out, found.pids.data, found.pids.size);
	target_found_fini(&found);
	return status >= 0 && buffer_failed(out) ? error_no_memory(err) : status < 0 ? status : 0;
}

static int list_selected(const struct diagnosing *d, struct buffer *out, struct sooth_error *err)
{
	if (target_is_given(d->run->target, d->run->arguments) && !d->found.is_host)
		return search_targets_again(d, out, err);
	return list_processes(d, out, err);
}

/* Finds the selected processes. PIDs from the user go to the observer; other targets are searched
 * here. */
static int find_selected(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = 0;

	if (!d->found.is_searched)
		status = list_selected(d, &d->selected, err);
	/* A process that exits after it was found is no error. */
	run->observer.may_be_gone = true;
	run->selected = (const void *)d->selected.data;
	run->selected_count = d->selected.size / sizeof(uint32_t);
	if (!status && buffer_failed(&d->selected))
		status = error_no_memory(err);
	return status;
}

/* Returns whether a scan may find new processes: it takes longer than a sample, and finds none
 * unless a process of an agent has started. */
static bool may_find_more(struct diagnosing *d, const struct sooth_observer *o)
{
	uint64_t arrivals = observer_agent_arrivals(o);
	bool is_of_agents = !d->found.is_searched && !d->found.is_host;
	bool may_find = !is_of_agents || !arrivals || arrivals != d->arrivals;

	d->arrivals = arrivals;
	return may_find;
}

/* Adds the processes to a watch that are new since the last scan. The list has only running
 * processes, so a reused PID is new. */
static int join_selected(void *user, struct sooth_observer *o, struct sooth_error *err)
{
	struct diagnosing *d = user;
	struct buffer now = { 0 };
	struct sooth_error gone;
	const uint32_t *pids;
	int status;

	if (!may_find_more(d, o))
		return 0;
	status = list_selected(d, &now, &gone);

	/* A session that has ended leaves the watch; that is no error. */
	if (status == -ESRCH)
		status = 0;
	else if (status)
		*err = gone;
	pids = (const void *)now.data;

	for (size_t i = 0; i < now.size / sizeof(*pids) && !status; i++) {
		/* A process that has exited meanwhile leaves the watch. */
		if (!diagnosing_has_pid(&d->selected, pids[i]))
			sooth_observer_add_pid(o, (pid_t)pids[i], &gone);
	}
	buffer_fini(&d->selected);
	d->selected = now;
	return status;
}

/* --- what is observed --- */

/* Returns whether waits are observed. The output for a caller that diagnoses one agent is a
 * contract, and a watch of a whole host would read too much. */
static bool has_waits(const struct diagnosing *d)
{
	bool is_large = d->found.is_host || d->selected.size > WAITS_MOST_W * sizeof(uint32_t);

	return !d->agent && !d->is_quick && (!d->watch_ns || !is_large);
}

/* Returns whether logs are read: lines written since the first sample decide. */
static bool has_logs(const struct diagnosing *d)
{
	return !d->agent && !d->is_quick;
}

/* Returns whether process starts are observed: not for a caller that diagnoses one agent, as
 * nothing may be attached then. */
static bool has_starts(const struct diagnosing *d, bool has_processes)
{
	struct sooth_error refusal;

	return has_processes && !d->agent && !d->is_quick && !d->is_passive && !d->is_gone &&
	       diagnosing_can_observe("short_lived", &refusal);
}

static void choose_probes(const struct diagnosing *d, struct run *run, bool has_processes)
{
	/* A single sample must not be judged as an interval between two. */
	unsigned once = d->is_quick ? SOOTH_ONCE : 0;
	unsigned each = SOOTH_SAMPLE | SOOTH_BRIEF | once;
	unsigned deep = d->is_deep ? SOOTH_DETAIL : 0;
	unsigned edges = each | (d->is_quick ? 0 : SOOTH_EDGES);
	/* Log entries about exited processes are read at the end, also with a single sample. */
	unsigned log = d->gone.size ? each & ~(unsigned)SOOTH_ONCE : each;
	size_t n = 0;

	/* This probe starts before the first sample, so that no exit is missed. */
	if (has_starts(d, has_processes))
		run->probes[n++] = (struct run_probe){ "short_lived", SOOTH_STREAM };
	run->probes[n++] = (struct run_probe){ "proc",
		SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_TRANSCRIPT | (d->duration_ns ? 0 : once) };
	if (d->is_gone) {
		run->probes[n++] = (struct run_probe){ "exit_reasons", log };
		return;
	}
	run->probes[n++] = (struct run_probe){ "host", SOOTH_SAMPLE | once };
	if (!has_processes)
		return;
	run->probes[n++] = (struct run_probe){ "threads", each | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "fds", edges | deep };
	run->probes[n++] = (struct run_probe){ "sockets", edges | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "maps", edges | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "limits", edges };
	if (has_waits(d))
		run->probes[n++] = (struct run_probe){ "waits", edges };
	if (!d->is_quick)
		run->probes[n++] = (struct run_probe){ "malloc", edges };
	if (has_logs(d))
		run->probes[n++] = (struct run_probe){ "logs", edges };
	/* A single sample sees no exit, and attaching takes longer than the sample. */
	run->probes[n++] = (struct run_probe){ "exit_reasons",
		d->is_quick || d->is_passive ? log : each | SOOTH_STREAM };
}

/* Chooses how calls are recorded. Without selected processes that would be the calls of the whole
 * host. A picture and the tables of the older tools need every call, findings only a part of
 * them. */
static void choose_calls(struct diagnosing *d, struct run *run, bool has_processes)
{
	size_t n = 0;

	d->has_calls = d->wants_calls && has_processes && !d->is_gone && !d->is_quick;
	while (run->probes[n].name)
		n++;
	if (!d->has_calls)
		return;
	run->probes[n] = (struct run_probe){ "syscalls", SOOTH_STREAM };
	if (!d->needs_every_call)
		run->observer.calls = diagnosis_calls;
	if (!run->observer.buffer_bytes)
		run->observer.buffer_bytes = d->needs_every_call ? CALLS_BYTES : BURST_BYTES;
}

static void choose_times(const struct diagnosing *d, struct run *run)
{
	uint64_t interval_ns;
	uint64_t most_ns =
		(d->watch_ns && d->is_passive ? SAMPLE_MS_PASSIVE : SAMPLE_MS_MAX) * NS_PER_MS;

	if (d->is_quick || d->is_gone) {
		run->options.duration_ns =
			d->duration_ns && !d->is_gone && !d->is_idle ? d->duration_ns : 1;
		return;
	}
	run->options.duration_ns = d->duration_ns || d->watch_ns ? d->duration_ns : DIAGNOSING_NS;
	interval_ns = d->watch_ns ? d->watch_ns : run->options.duration_ns;
	run->observer.edges_ns = d->watch_ns;
	run->observer.sample_ns = interval_ns / (!d->watch_ns		? SAMPLES
							: d->is_passive ? SAMPLES_P
									: SAMPLES_W);
	if (run->observer.sample_ns > most_ns)
		run->observer.sample_ns = most_ns;
	if (run->observer.sample_ns < SAMPLE_MS * NS_PER_MS)
		run->observer.sample_ns = interval_ns / 5 < SAMPLE_MS * NS_PER_MS
						  ? interval_ns / 5
						  : SAMPLE_MS * NS_PER_MS;
}

static void choose_view(struct diagnosing *d, struct run *run, bool is_named)
{
	labels_options(&d->labels, &d->peers);
	d->options.settings = &d->settings;
	d->options.labels = &d->peers;
	d->options.result = &d->told;
	d->options.agent = is_named ? NULL : d->agent;
	d->options.is_one_look = d->is_quick;
	d->options.are_calls_optional = !d->insists_on_calls;
	d->options.interval_ns = d->watch_ns;
	run->is_stream = d->watch_ns != 0;
	/* The output of a caller that diagnoses one agent is a contract. */
	if (!d->agent && !d->watch_ns)
		d->options.so_far = run->so_far = &d->so_far;
	run->views[0] =
		(struct run_view){ d->watch_ns ? "finding-changes" : "findings", &d->options };
	if (!d->bundle_path)
		return;
	run->product = (struct run_side_output){ .path = d->bundle_path,
		.view = { "bundle", &d->options },
		.sink = "redacted",
		.name = "bundle",
		.is_whole = true };
}

/* Sets the target: the host is scanned, and the processes that were found are selected in it. */
static void choose_target(struct diagnosing *d, struct run *run, bool is_capture)
{
	run->found = &d->found;
	if (is_capture || d->found.command || d->found.has_user)
		return;
	if (d->found.is_searched || d->found.is_host) {
		buffer_reset(&d->found.pids);
		d->whole = (struct target_found){ .is_searched = true };
		run->found = &d->whole;
	}
	run->allowed |= TARGET_IS_HOST;
}

static int add_to_found(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = add_related(d, &d->found, &d->found.pids, err);

	/* These processes may exit before the observer starts. */
	run->observer.may_be_gone |= status > 0;
	if (status >= 0)
		buffer_append(&d->selected, d->found.pids.data, d->found.pids.size);
	return status < 0 ? status : buffer_failed(&d->selected) ? error_no_memory(err) : 0;
}

/* Observes the allocations of a process whose memory grows: the code that touches new memory first
 * is often not the code that keeps it. The time that is left is enough to see what is kept. */
static void observe_keeper(void *user, struct sooth_observer *o, uint64_t left_ns)
{
	struct diagnosing *d = user;
	const struct process_id *growing;

	if (!d->looks_for_keeper || left_ns > KEEPER_NS)
		return;
	growing = undecided_growing(&d->longer);
	d->looks_for_keeper = !growing;
	if (!growing)
		return;
	observer_request_lines(o, "profile");
	observer_add_late(o, "heap", SOOTH_COUNT, growing);
}

/* Lets the run follow what is undecided: it goes on for a while, unless the user set the duration.
 */
static void follow_undecided(struct diagnosing *d, struct run *run)
{
	undecided_init(&d->longer, (const void *)d->found.pids.data,
		d->found.pids.size / sizeof(uint32_t));
	run->extension = (struct run_extension){ .take = undecided_add_record,
		.more_ns = d->duration_ns ? NULL : undecided_more,
		.progress = "not decided yet, observing longer",
		.user = &d->longer };
	if (d->is_passive || d->wants_heap)
		return;
	d->looks_for_keeper = true;
	run->extension.step = observe_keeper;
	run->extension.step_user = d;
	run->observer.heap.sums_in_kernel = true;
	run->observer.heap.adapts_to_load = true;
	run->observer.heap.has_source_lines = true;
}

int diagnosing_begin(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	assert(d);
	assert(run);

	bool is_capture = target_capture(run->arguments) != NULL;
	bool is_given = target_is_given(run->target, run->arguments);
	bool is_named, is_open;
	int status = diagnosing_settings(&d->settings, d->set, err);

	run->allowed = TARGET_MAY_BE_HOST | TARGET_MAY_BE_COMMAND | TARGET_KEEPS_MISSING;
	d->run = run;
	if (!status)
		status = labels_read(&d->labels, err);
	if (!status)
		status = target_find(run->target, run->arguments, run->allowed, &d->found, err);
	is_named = is_given && target_found_count(&d->found) && !d->found.is_searched;
	is_open = !is_capture && !is_named && !d->found.has_user && !d->found.command;
	if (!status && is_given && !is_capture && !is_named)
		status = add_to_found(d, run, err);
	if (!status && is_open)
		status = find_selected(d, run, err);
	if (!status && is_named && !is_capture)
		d->is_gone = gone_find(&d->found, &d->gone);
	if (!status && buffer_failed(&d->gone))
		status = error_no_memory(err);
	if (!status && is_named && !is_capture && !d->gone.size)
		status = add_to_found(d, run, err);
	if ((is_open || is_named) && !is_capture && d->watch_ns)
		run->chore = (struct run_chore){ d->watch_ns, d, join_selected };
	/* With no agent there is nothing to wait for, unless the user asked to. */
	d->is_idle = is_open && !run->selected_count && !d->watch_ns && !d->duration_ns;
	d->is_quick |= d->is_idle;
	choose_target(d, run, is_capture);
	choose_probes(d, run, !is_open || run->selected_count || d->watch_ns);
	choose_calls(d, run, !is_open || run->selected_count);
	diagnosing_add_samples(d, run, !is_open || run->selected_count);
	choose_heap(d, run, !is_open || run->selected_count);
	choose_times(d, run);
	choose_view(d, run, is_named || is_capture);
	d->options.needs_process = is_named && !is_capture && !d->is_gone && !d->watch_ns;
	if (d->may_go_on && is_named && !is_capture && !d->is_gone && !d->is_quick && !d->watch_ns)
		follow_undecided(d, run);
	run->observer.may_be_refused = !d->agent;
	run->progress = d->watch_ns ? NULL : "observing";
	return status;
}

/* Returns whether the run failed because calls were refused that the user did not request. A
 * launched command must not be launched twice. */
static bool is_refusal(const struct diagnosing *d, const struct sooth_error *err)
{
	return err->fault == SOOTH_FAULT_PRIVILEGE || err->fault == SOOTH_FAULT_UNSUPPORTED ||
	       (!d->insists_on_calls && !d->found.command);
}

bool diagnosing_without_samples(
	struct diagnosing *d, struct run *run, const struct sooth_error *refusal)
{
	struct sooth_error ignored;

	assert(d);
	/* Samples need less privilege than calls: so calls were refused first. */
	if (!d->has_samples || !is_refusal(d, refusal) ||
		(d->has_calls && !diagnosing_can_observe("syscalls", &ignored)))
		return false;
	refuse_samples(d, run, refusal);
	diagnosing_drop_probe(run, "profile");
	return true;
}

bool diagnosing_without_calls(
	struct diagnosing *d, struct run *run, const struct sooth_error *refusal)
{
	assert(d);
	assert(run);
	if (!d->has_calls || !is_refusal(d, refusal))
		return false;
	diagnosing_note_refusal(&d->no_calls, refusal);
	diagnosing_drop_probe(run, "syscalls");
	d->has_calls = false;
	run->unseen[RUN_UNSEEN_CALLS] =
		(struct run_unseen){ "system calls", d->no_calls.reason, d->no_calls.remedy };
	return true;
}

int diagnosing_exit(const struct diagnosing *d, bool may_lack)
{
	assert(d);
	if (*d->no_calls.reason && d->insists_on_calls && !may_lack)
		return EXIT_LACKING;
	return d->has_missing ? EXIT_MISSING : 0;
}

void diagnosing_end(struct diagnosing *d)
{
	assert(d);
	labels_fini(&d->labels);
	undecided_fini(&d->longer);
	buffer_fini(&d->selected);
	buffer_fini(&d->gone);
	target_found_fini(&d->found);
}
