/* SPDX-License-Identifier: BSD-2-Clause */
/* ended-abnormally: the reason a process ended. Records of the probe are better evidence than the
 * kernel log. An exit that the parent or the process itself requested by a signal such as SIGTERM
 * is no finding. */
#include "analyze/diagnosis/ending_claim.h"
#include "analyze/diagnosis/last_words.h"
#include "analyze/diagnosis/check.h"
#include "base/cleanup.h"
#include "probes/limits.h"

/* Returns the start of the process. Only later log entries count: the PID may have been reused. */
static uint64_t process_start_ns(const struct check *e)
{
	const struct stream_segment *segment = e->input->host.segment;
	uint64_t ticks = segment && segment->ticks_per_s ? segment->ticks_per_s : 100;
	uint64_t from_ns = e->id.start_ticks * (NS_PER_S / ticks);
	int64_t boot = segment ? segment->boottime_offset_ns : 0;

	return (int64_t)from_ns > boot ? from_ns - (uint64_t)boot : 0;
}

static void add_signal(struct check_result *out, const struct ending_cause *w)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	uint64_t end_ns = w->of->end.record.time_ns;

	if (!w->fatal) {
		if (w->of->end.signals_state)
			finding_unseen(
				out, "which process sent the signal: only root can record that");
		return;
	}
	exit_reason_text_sender(&text, w->of, w->fatal);
	/* The kernel names the process itself as the sender if it wrote what cannot succeed. */
	if ((w->signal != SIGNAL_PIPE && w->signal != SIGNAL_SIZE_LIMIT) || ending_is_sent(w))
		finding_text(out, "sent by", "%s", buffer_cstr(&text));
	if (ending_is_sent(w))
		finding_text(out, "user id of the sender", "%u", w->fatal->sender_uid);
	if (w->fatal->is_sender_ending)
		finding_text(out, "because",
			"the process had asked for this signal when its parent exits, and the "
			"parent exited (PR_SET_PDEATHSIG)");
	if (!w->fatal->address_state)
		finding_text(out, "address", "0x%llx", (unsigned long long)w->fatal->address);
	if (w->fatal->sent_ns && w->fatal->sent_ns < end_ns)
		finding_time(
			out, "time between the signal and the exit", end_ns - w->fatal->sent_ns);
}

static void add_memory(struct check_result *out, const struct ending_cause *w)
{
	const struct exit_reasons_oom *oom = &w->of->oom;
	const struct exit_reasons_log *log = ending_log_about(w, EXIT_REASONS_LOG_OOM);

	if (w->of->has_oom && !oom->figures_state) {
		finding_bytes(out, "anonymous memory", oom->anonymous_bytes);
		finding_bytes(out, "file memory", oom->file_bytes);
		finding_bytes(out, "shared memory", oom->shared_bytes);
		finding_bytes(out, "page tables", oom->table_bytes);
		if (oom->asker_pid)
			finding_text(out, "allocating process", "%.*s (pid %u)",
				END_NAME(oom->asker_name), oom->asker_pid);
	} else if (log && !log->figures_state) {
		finding_bytes(out, "anonymous memory", log->anonymous_bytes);
		finding_bytes(out, "file memory", log->file_bytes);
		finding_bytes(out, "shared memory", log->shared_bytes);
	}
	if (log)
		finding_text(out, "out of memory", "%s",
			log->is_of_group ? "in the control group of the process" : "on the host");
	else
		finding_unseen(out, "whether the host or the control group ran out of memory: the "
				    "kernel log does not say");
}

static void add_group(const struct check *e, struct check_result *out)
{
	snapshot_each (struct limits_group, g, check_last(e, &e->input->limits), LIMITS_GROUP) {
		if (!span_equal(record_text(&g->record, &g->name), "memory") || g->limit_state)
			continue;
		finding_bytes(out, "control group limit", g->limit);
		return;
	}
}

static void add_limits(
	const struct check *e, struct check_result *out, const struct ending_cause *w)
{
	const struct exit_reasons_end *end = &w->of->end;

	if (end->limits_state)
		return;
	if (w->signal == SIGNAL_CPU_LIMIT && end->cpu_soft_s != EXIT_REASONS_UNLIMITED)
		finding_number(out, "CPU time limit", (double)end->cpu_soft_s * NS_PER_S,
			SOOTH_UNIT_NS, 0);
	if (w->signal == SIGNAL_KILL && end->cpu_hard_s != EXIT_REASONS_UNLIMITED) {
		finding_number(out, "hard limit of CPU time", (double)end->cpu_hard_s * NS_PER_S,
			SOOTH_UNIT_NS, 0);
		if (e->series.count)
			finding_time(out, "CPU time of the process at the last sample",
				e->series.points[e->series.count - 1].cpu_ns);
	}
	if (w->signal == SIGNAL_SIZE_LIMIT && end->file_size_bytes != EXIT_REASONS_UNLIMITED)
		finding_bytes(out, "file size limit", end->file_size_bytes);
}

static void add_core(struct check_result *out, const struct ending_cause *w)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	if (!END_HAS_CORE(w->status))
		return;
	if (w->core)
		exit_reason_text_core(&text, w->core);
	if (text.size)
		finding_text(out, "core", "%s", buffer_cstr(&text));
	else
		finding_unseen(out, "where the kernel wrote the core file of the process");
}

static void add_fault(struct check_result *out, const struct ending_cause *w)
{
	const struct exit_reasons_log *log = ending_log_about(w, EXIT_REASONS_LOG_FAULT);
	struct span object = log && !log->object_state ? record_text(&log->record, &log->object)
						       : span_of("", 0);

	if (!log || !exit_reason_is_fault(w->signal))
		return;
	if (!w->fatal && !log->address_state)
		finding_text(out, "address", "0x%llx", (unsigned long long)log->address);
	if (object.size)
		finding_text(out, "crashed in", "%.*s", SPAN_ARGS(object));
	if (!log->instruction_state)
		finding_text(out, "instruction", "0x%llx", (unsigned long long)log->instruction);
}

static enum finding_severity severity_of(const struct ending_cause *w)
{
	if (w->is_oom)
		return FINDING_CRITICAL;
	if (ending_is_crash(w) || w->signal == SIGNAL_CPU_LIMIT || w->signal == SIGNAL_SIZE_LIMIT ||
		ending_is_at_hard_limit(w))
		return FINDING_HIGH;
	if (!w->signal || (w->signal == SIGNAL_PIPE && !ending_is_sent(w)))
		return FINDING_LOW;
	return ending_is_request(w->signal) ? FINDING_INFO : FINDING_MEDIUM;
}

static const char *remedy_of_kill(const struct ending_cause *w)
{
	if (ending_is_sent(w))
		return "find out why the sender killed the process; SIGTERM instead of SIGKILL "
		       "would let the process clean up";
	if (!w->fatal)
		return "run sooth as root: then sooth records the sender";
	return w->fatal->is_from_kernel ? "the container or pid namespace of the process may have "
					  "ended; dmesg may say why"
					: "read the last lines of the output of the process: the "
					  "reason may be there";
}

static void emit_remedy(
	const struct check *e, struct check_result *out, const struct ending_cause *w)
{
	if (w->is_oom)
		finding_remedy(out, "give the control group or the host more memory, or see in the "
				    "next run which memory grows: sooth inspect --maps PID");
	else if (ending_is_crash(w) && w->core && !w->core->path_state)
		finding_remedy(out,
			"open the core file in a debugger: coredumpctl debug %u, or gdb PROGRAM "
			"CORE",
			e->id.pid);
	else if (ending_is_crash(w))
		finding_remedy(out,
			"read the standard error of the process; to get a core file next time, run "
			"this in the shell before the program starts: ulimit -c unlimited");
	else if (w->signal == SIGNAL_CPU_LIMIT || w->signal == SIGNAL_SIZE_LIMIT ||
		 ending_is_at_hard_limit(w))
		finding_remedy(out,
			"raise the limit in the shell before the program starts: ulimit %s "
			"unlimited",
			w->signal == SIGNAL_SIZE_LIMIT ? "-f" : "-t");
	else if (w->signal == SIGNAL_KILL)
		finding_remedy(out, "%s", remedy_of_kill(w));
	else if (ending_is_request(w->signal))
		finding_remedy(out, "nothing to do, if this exit was intended");
	else
		finding_remedy(out, "read the standard error of the process%s",
			w->signal ? "" : ": the reason is usually there");
}

static void report_ending(
	const struct check *e, struct check_result *out, const struct ending_cause *w)
{
	/* The kernel does not record that it killed a process at a limit. */
	bool is_guess = w->signal == SIGNAL_KILL && !w->is_oom && !ending_is_sent(w);
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	struct last_words words = { 0 };

	finding_begin(out, confidence_high_if(!is_guess), "");
	finding_severity(out, severity_of(w));
	ending_claim(&out->claim, w);
	if (!w->signal || ending_is_crash(w)) {
		last_words_add(&words, e, &w->of->id);
		last_words_put(out, &words, 1);
	}
	emit_remedy(e, out, w);
	exit_reason_text_status(&text, w->status);
	finding_text(out, "status", "%s", buffer_cstr(&text));
	if (w->signal)
		add_signal(out, w);
	if (w->is_oom) {
		add_memory(out, w);
		add_group(e, out);
	}
	add_limits(e, out, w);
	add_fault(out, w);
	if (!w->of->end.peak_state)
		finding_bytes(out, "peak memory", w->of->end.peak_rss_bytes);
	add_core(out, w);
}

/* Returns whether an agent ended the process: agents end their helpers and tools with SIGKILL,
 * too. */
static bool is_ended_by_agent(const struct check *e, const struct ending_cause *w,
	const struct exit_reasons_signal *request)
{
	if (w->signal != SIGNAL_KILL || !request->is_from_parent)
		return false;
	process_table_for_each (&e->input->host.process_table, p) {
		if (p->id.pid == request->sender_pid && (p->agent || p->owner_agent))
			return true;
	}
	return false;
}

static bool is_orderly(
	const struct check *e, struct check_result *out, const struct ending_cause *w)
{
	const struct exit_reasons_signal *request = w->signal ? w->fatal : ending_request(w->of);
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	bool is_own = request && !request->is_from_kernel &&
		      (request->is_from_parent || request->sender_pid == w->of->id.pid);

	if (w->signal ? !is_own ||
				!(ending_is_request(w->signal) || is_ended_by_agent(e, w, request))
		      : END_EXIT(w->status) != 0)
		return false;
	exit_reason_text_end(&text, &e->input->endings, w->of);
	check_fine(out, "%s", buffer_cstr(&text));
	return true;
}

static void report_unseen(struct check_result *out)
{
	check_blind_by(out, FINDING_REFUSED, "sooth did not see the exit of the process",
		"run sooth as root: then exits are recorded");
}

static void diagnose_end(const struct check *e, struct check_result *out, const struct ending *of)
{
	struct ending_cause w;

	if (ending_find_cause(&e->input->endings, of, process_start_ns(e), &w))
		report_unseen(out);
	else if (!is_orderly(e, out, &w))
		report_ending(e, out, &w);
}

/* Reports a process that ended before the observation: only the kernel log knows about it. */
static void diagnose_gone(
	const struct check *e, struct check_result *out, const struct exit_reasons_log *log)
{
	const struct exit_reasons_core *core = endings_stored(&e->input->endings, log->log_pid);
	struct ending none = { .id = e->id };
	bool is_oom = log->what == EXIT_REASONS_LOG_OOM;
	struct ending_cause w = { &none, log, .core = core, .is_oom = is_oom,
		.signal = is_oom ? SIGNAL_KILL : SIGNAL_SEGV };
	uint64_t now = e->input->end_ns;
	struct span trap = record_text(&log->record, &log->trap);

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_severity(out, severity_of(&w));
	if (w.is_oom) {
		ending_claim(&out->claim, &w);
		emit_remedy(e, out, &w);
		add_memory(out, &w);
	} else {
		finding_claim(out, "crashed: %.*s", SPAN_ARGS(trap));
		finding_remedy(out, "to get a core file next time, run this in the shell before "
				    "the program starts: ulimit -c unlimited");
		add_fault(out, &w);
	}
	if (core) {
		w.status = EXIT_REASONS_CORE_FLAG;
		add_core(out, &w);
	}
	if (now > log->logged_ns)
		finding_time(out, "time since", now - log->logged_ns);
	finding_text(out, "source", "kernel log: %.*s[%u]", END_NAME(log->name), log->log_pid);
	finding_unseen(out, "whether this is the process that you named: PIDs are reused, and the "
			    "kernel log has only a PID and a name");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct ending *of = endings_get(&e->input->endings, &e->id);
	const struct exit_reasons_log *log;

	if (of) {
		diagnose_end(e, out, of);
	} else if (e->process && e->process->is_there) {
		check_fine(out, "still running");
	} else if (e->process) {
		report_unseen(out);
	} else {
		log = endings_log(&e->input->endings, e->id.pid, 0);
		if (log)
			diagnose_gone(e, out, log);
		else
			check_blind_because(out,
				"the process ended before the check, and the kernel log has no "
				"record of it",
				"");
	}
}

const struct finding_detector finding_ended_abnormally = { .diagnose = diagnose };
