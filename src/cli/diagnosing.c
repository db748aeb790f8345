/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See diagnosing.h. A look at the host comes first: the dear probes then read only those that
 * are meant, also what a session has left behind under another parent.
 */
#include "cli/diagnosing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/agents/process_table_scan.h"
#include "cli/agents/config_files.h"
#include "cli/diagnosing_gone.h"

#define SAMPLES	      32	  /* in the interval */
#define SAMPLE_MS     500	  /* no more often */
#define SAMPLE_MS_MAX 2000	  /* no more seldom: what goes up and down is to be seen doing so */
#define CALLS_BYTES   (32u << 20) /* the other probes take their time before calls are fetched */
#define CONFIG_SIZE   65536
#define EXIT_LACKING  3 /* a privilege, or what this system cannot do */
#define CONFIG_NAME   "findings"

/* --- how detectors are set --- */

static int read_config(struct check_settings *settings, struct sooth_error *err)
{
	struct buffer path = { 0 }, text = { 0 };
	int status = 0;

	config_path(&path, CONFIG_NAME);
	if (path.size) {
		status = config_read(&text, buffer_cstr(&path), CONFIG_SIZE, err);
		if (!status)
			status = check_settings_parse(settings, buffer_cstr(&path),
				(const char *)text.data, text.size, err);
		else if (config_is_missing(-status))
			status = 0;
	}
	buffer_fini(&path);
	buffer_fini(&text);
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

/* --- who is meant --- */

static bool is_of_session(
	const struct process_table *c, const struct process_entry *p, const char *session)
{
	struct span id = process_table_text(c, &p->session_id);
	uint64_t pid;

	if (id.size && span_starts(id, session) && *session)
		return true;
	return span_decimal(span_of(session, strlen(session)), &pid) &&
	       (p->id.pid == pid || (p->main && p->main->id.pid == pid));
}

static bool is_targeted(
	const struct diagnosing *d, const struct process_table *c, const struct process_entry *p)
{
	if (!p->agent && !p->owner_agent)
		return false;
	if (d->agent && (!p->agent || strcmp(p->agent->name, d->agent) != 0))
		return false;
	return !d->session || is_of_session(c, p, d->session);
}

static int no_session(const char *session, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the session %s", session);
	error_why(err, "no process here belongs to it");
	return error_remedy(err, "`sooth ps` tells the sessions and their main processes");
}

static int list_targeted(const struct diagnosing *d, struct buffer *out, struct sooth_error *err)
{
	struct process_table process_table;
	struct process_entry *p;
	size_t position = 0;
	int status = process_table_scan(&process_table, err);

	while (!status && (p = process_table_next(&process_table, &position))) {
		uint32_t pid = (uint32_t)p->id.pid;

		if (is_targeted(d, &process_table, p))
			buffer_append(out, &pid, sizeof(pid));
	}
	process_table_fini(&process_table);
	return !status && buffer_failed(out) ? error_no_memory(err) : status;
}

/* With pids that the user named there is nothing to find. */
static int find_targeted(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = list_targeted(d, &d->meant, err);

	if (!status && d->session && !d->meant.size)
		status = no_session(d->session, err);
	/* Found a moment ago, and named by nobody: one that has ended since is no error. */
	run->may_be_gone = true;
	run->meant = (const void *)d->meant.data;
	run->targeted_count = d->meant.size / sizeof(uint32_t);
	return status;
}

static bool has_pid(const struct buffer *pids, uint32_t pid)
{
	const uint32_t *all = (const void *)pids->data;

	for (size_t i = 0; i < pids->size / sizeof(pid); i++) {
		if (all[i] == pid)
			return true;
	}
	return false;
}

/* Of a long watch: those that have come since the last look. The list is what is there now, so
 * a pid that is used again is new. */
static int join_targeted(void *user, struct sooth_observer *o, struct sooth_error *err)
{
	struct diagnosing *d = user;
	struct buffer now = { 0 };
	struct sooth_error gone;
	int status = list_targeted(d, &now, err);
	const uint32_t *pids = (const void *)now.data;

	for (size_t i = 0; i < now.size / sizeof(*pids) && !status; i++) {
		/* One that ended meanwhile is none of those to be watched. */
		if (!has_pid(&d->meant, pids[i]))
			sooth_observer_add_pid(o, (pid_t)pids[i], &gone);
	}
	buffer_fini(&d->meant);
	d->meant = now;
	return status;
}

/* --- what is observed --- */

static void choose_probes(const struct diagnosing *d, struct run *run, bool has_any)
{
	/* One look is one: what needs an interval must not be judged by two that follow at once. */
	unsigned once = d->is_quick ? SOOTH_ONCE : 0;
	unsigned each = SOOTH_SAMPLE | SOOTH_BRIEF | once;
	unsigned deep = d->is_deep ? SOOTH_DETAIL : 0;
	unsigned edges = each | (d->is_quick ? 0 : SOOTH_EDGES);
	/* What the log says of who is gone is told at the end, so also of one look. */
	unsigned log = d->gone.size ? each & ~(unsigned)SOOTH_ONCE : each;
	size_t n = 0;

	run->probes[n++] = (struct run_probe){ "proc",
		SOOTH_SAMPLE | SOOTH_BRIEF | (d->duration_ns ? 0 : once) };
	if (d->is_gone) {
		run->probes[n++] = (struct run_probe){ "ends", log };
		return;
	}
	run->probes[n++] = (struct run_probe){ "host", SOOTH_SAMPLE | once };
	if (!has_any)
		return;
	run->probes[n++] = (struct run_probe){ "threads", each | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "fds", edges | deep };
	run->probes[n++] = (struct run_probe){ "sockets", edges | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "maps", edges | SOOTH_DETAIL };
	run->probes[n++] = (struct run_probe){ "limits", edges };
	/* One look sees no end, and attaching takes longer than it. */
	run->probes[n++] = (struct run_probe){ "ends", d->is_quick ? log : each | SOOTH_STREAM };
}

/* Each call: what is told of one file or peer is not among the sums. Where nobody in particular
 * is meant, it would be made of everybody on this host. */
static void choose_calls(struct diagnosing *d, struct run *run, bool has_any)
{
	size_t n = 0;

	d->has_calls = d->wants_calls && has_any && !d->is_gone;
	while (run->probes[n].name)
		n++;
	if (!d->has_calls)
		return;
	run->probes[n] = (struct run_probe){ "syscalls", SOOTH_STREAM };
	if (!run->buffer_bytes)
		run->buffer_bytes = CALLS_BYTES;
}

static void choose_times(const struct diagnosing *d, struct run *run)
{
	uint64_t interval_ns;

	if (d->is_quick || d->is_gone) {
		run->duration_ns = d->duration_ns && !d->is_gone ? d->duration_ns : 1;
		return;
	}
	run->duration_ns = d->duration_ns || d->watch_ns ? d->duration_ns : DIAGNOSING_NS;
	interval_ns = d->watch_ns ? d->watch_ns : run->duration_ns;
	run->edges_ns = d->watch_ns;
	run->sample_ns = interval_ns / SAMPLES;
	if (run->sample_ns > SAMPLE_MS_MAX * NS_PER_MS)
		run->sample_ns = SAMPLE_MS_MAX * NS_PER_MS;
	if (run->sample_ns < SAMPLE_MS * NS_PER_MS)
		run->sample_ns = interval_ns / 5 < SAMPLE_MS * NS_PER_MS ? interval_ns / 5
									 : SAMPLE_MS * NS_PER_MS;
}

static void choose_view(struct diagnosing *d, struct run *run, bool is_named)
{
	labels_options(&d->labels, &d->peers);
	d->options.settings = &d->settings;
	d->options.labels = &d->peers;
	d->options.told = &d->told;
	d->options.agent = is_named ? NULL : d->agent;
	d->options.is_one_look = d->is_quick;
	d->options.interval_ns = d->watch_ns;
	run->is_stream = d->watch_ns != 0;
	run->views[0] =
		(struct run_view){ d->watch_ns ? "finding-changes" : "findings", &d->options };
	if (!d->bundle_path)
		return;
	/* Labels of the user's own are names that others need not know. */
	d->bundle.findings = d->options;
	d->bundle.findings.labels = NULL;
	run->product = (struct run_side_output){ .path = d->bundle_path,
		.view = { "bundle", &d->bundle },
		.sink = "redacted",
		.name = "bundle",
		.is_whole = true };
}

int diagnosing_begin(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	bool is_named = run->target->pids.count || run->arguments->count;
	bool is_capture = target_capture(run->arguments) != NULL;
	bool is_open = !is_named && !run->target->user && !run->arguments->command;
	int status = diagnosing_settings(&d->settings, d->set, err);

	if (!status)
		status = labels_read(&d->labels, err);
	if (!status && is_open)
		status = find_targeted(d, run, err);
	if (is_named && !is_capture)
		d->is_gone = gone_find(run, &d->gone);
	if (!status && buffer_failed(&d->gone))
		status = error_no_memory(err);
	if (is_open && d->watch_ns)
		run->chore = (struct run_chore){ d->watch_ns, d, join_targeted };
	choose_probes(d, run, !is_open || run->targeted_count || d->watch_ns);
	choose_calls(d, run, !is_open || run->targeted_count);
	choose_times(d, run);
	choose_view(d, run, is_named);
	run->progress = d->watch_ns ? NULL : "observing";
	run->allowed = TARGET_MAY_BE_HOST | TARGET_MAY_BE_COMMAND;
	if (is_named && !is_capture)
		run->allowed |= TARGET_IS_HOST;
	return status;
}

static bool is_refusal(const struct sooth_error *err)
{
	return err->fault == SOOTH_FAULT_PRIVILEGE || err->fault == SOOTH_FAULT_UNSUPPORTED;
}

bool diagnosing_without_calls(
	struct diagnosing *d, struct run *run, const struct sooth_error *refusal)
{
	size_t n = 0;

	if (!d->has_calls || !is_refusal(refusal))
		return false;
	snprintf(d->no_calls, sizeof(d->no_calls), "%s%s%s", refusal->tried,
		*refusal->why ? ": " : "", refusal->why);
	while (strcmp(run->probes[n].name, "syscalls") != 0)
		n++;
	for (; run->probes[n].name; n++)
		run->probes[n] = run->probes[n + 1];
	d->has_calls = false;
	run->unseen[RUN_UNSEEN_CALLS] = (struct run_unseen){ "system calls", d->no_calls,
		"run as root, or see `sooth doctor`" };
	return true;
}

/* What can be told without system calls is told, and that they are missing before all of it; of a
 * picture of them nothing is left. */
static int run_present(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = run_report(run, err);

	if (status >= 0 || run->product.is_picture || !diagnosing_without_calls(d, run, err))
		return status;
	fprintf(stderr, "sooth: system calls are not observed, all else is: cannot %s; %s\n",
		d->no_calls, run->unseen[RUN_UNSEEN_CALLS].remedy);
	return run_report(run, err);
}

/* Of one that is gone a word of the log is worth a report, and nothing at all is an error. */
static int check_gone(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	const uint32_t *pids = (const void *)d->gone.data;
	size_t count = d->gone.size / sizeof(*pids);
	struct buffer text = { 0 };
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		status = gone_check(pids[i], &d->settings, err);
		buffer_format(&text, "%s%u",
			i	    ? ", "
			: count > 1 ? "processes "
				    : "process ",
			pids[i]);
	}
	if (!status && buffer_failed(&text))
		status = error_no_memory(err);
	if (!status && count) {
		snprintf(d->gone_text, sizeof(d->gone_text), "%s", buffer_cstr(&text));
		run->may_be_gone = true;
		run->unseen[RUN_UNSEEN_PROCESSES] = (struct run_unseen){ d->gone_text,
			"gone before the first look: all that is told is from the kernel's log",
			"diagnose what still runs, then its end is seen" };
		fprintf(stderr, "sooth: %s: %s\n", d->gone_text,
			run->unseen[RUN_UNSEEN_PROCESSES].reason);
	}
	buffer_fini(&text);
	return status;
}

int diagnosing_run(struct diagnosing *d, struct run *run, struct sooth_error *err)
{
	int status = check_gone(d, run, err);

	if (status || d->is_gone)
		return status ? status : run_report(run, err);
	return run_present(d, run, err);
}

int diagnosing_exit(const struct diagnosing *d)
{
	return *d->no_calls ? EXIT_LACKING : 0;
}

void diagnosing_end(struct diagnosing *d)
{
	labels_fini(&d->labels);
	buffer_fini(&d->meant);
	buffer_fini(&d->gone);
}
