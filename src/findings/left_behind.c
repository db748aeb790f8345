/* SPDX-License-Identifier: BSD-2-Clause */
/* left-behind: a process of no agent outlived the process that started it, and has lost its
 * purpose: nothing reads its output, its terminal is closed, its working directory was deleted,
 * no process sends to its input any more, or its channel to another process is closed. */
#include <errno.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/ended_input.h"
#include "analyze/evidence/work_share.h"
#include "analyze/sockets/socket_sums.h"
#include "base/cleanup.h"

NUMBER(SPINS_PERCENT, 85, PERCENT, "of the time: a thread that does nothing else spins");

#define UP_MAX 64

enum { INPUT, OUTPUT, ERRORS };

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-age", 2e9, 0, 86400e9, "minimum process age"),
	UNLISTED("min-writes", 2, 1, 1e9,
		"minimum number of writes that failed with EPIPE, or of calls in the deleted "
		"directory that failed"),
	PERCENT_THRESHOLD("min-cpu", 1, 0.01, 1e4, "minimum CPU use of a process that works on"),
	THRESHOLD("min-calls", 1, 0.01, 1e9, "or minimum number of reads and writes per second"),
};

struct left {
	const char *reason; /* NULL: it still has a purpose */
	double failed;	    /* failed writes to its output */
	bool is_sure, has_pipe;
	uint32_t channel; /* descriptor of a local socket whose other end is closed; 0: none */
	/* "tail (7) and grep (8)": they alone have the other end of its input */
	struct buffer heirs;
};

static bool ignores_hangup(const struct process_entry *p)
{
	return p->links && p->links->hangup_state == SOOTH_STATE_VALUE &&
	       p->links->is_hangup_ignored;
}

/* Returns whether `fd` is an output. Error messages may go elsewhere, and then their descriptor
 * does not count. */
static bool is_output(const struct check *e, int32_t fd)
{
	const struct fds_descriptor *out = check_descriptor(e, OUTPUT);
	const struct fds_descriptor *errors = check_descriptor(e, ERRORS);

	return fd == OUTPUT ||
	       (fd == ERRORS && errors &&
		       (!out || out->type == FDS_DEVICE ||
			       (out->type == errors->type && out->inode == errors->inode)));
}

static double failed_writes(const struct check *e, const struct call_history *h)
{
	double failed = 0;

	call_repeats_each (h, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (key->result == -EPIPE && row && row->transfer.direction == SYSCALL_WRITES &&
			is_output(e, key->fd))
			failed += (double)r->count;
	}
	return failed;
}

/* Returns whether the other end of a connected unix socket was closed: then the kernel knows no
 * peer. */
static bool has_no_peer(const struct snapshot *snapshot, const struct fds_descriptor *d)
{
	sockets_each (snapshot, s) {
		if (s->inode == d->inode)
			return s->family == SOCKETS_UNIX && !s->is_from_tables && !s->peer_inode &&
			       !s->state_state && s->state == SOCKETS_ESTABLISHED;
	}
	return false;
}

/* Returns whether the other end of a local socket was closed at both samples. */
static bool is_cut(const struct check *e, const struct fds_descriptor *d)
{
	return d && d->type == FDS_UNIX && has_no_peer(check_first(e, &e->input->sockets), d) &&
	       has_no_peer(check_last(e, &e->input->sockets), d);
}

/* Returns a descriptor by which the process was connected with one that has ended, as node is with
 * a child that it may send messages to; 0: it has none. */
static uint32_t cut_channel(const struct check *e)
{
	snapshot_each (struct fds_descriptor, d, check_last(e, &e->input->fds), FDS_DESCRIPTOR) {
		if (d->fd > ERRORS && is_cut(e, d))
			return d->fd;
	}
	return 0;
}

/* Returns whether input and output had no other end at both samples: a server whose client has
 * ended just now may end as well. */
static bool is_cut_off(const struct check *e)
{
	static const uint32_t fds[] = { INPUT, OUTPUT };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (!is_cut(e, check_descriptor(e, fds[i])))
			return false;
	}
	return true;
}

/* Returns whether the process still looks for files in the deleted directory. */
static bool fails_within(const struct check *e, const struct call_history *h, struct span directory)
{
	double failed = 0;

	map_for_each (&h->failures, const struct call_place *, place, const struct call_failures *,
		value) {
		if (place->error == ENOENT && strlen(place->text) > directory.size &&
			!memcmp(place->text, directory.data, directory.size))
			failed += (double)value->count;
	}
	return failed >= check_option(e, "min-writes");
}

static bool is_left_too(const struct check *e, const struct waits_party *w)
{
	const struct process_entry *p = check_party_of(e, w);

	if (!p || !p->is_there || p->process->session != e->process->process->session)
		return false;
	/* A descendant of a process that was left behind has inherited the descriptor. */
	for (unsigned i = 0; p && p != e->process && i < UP_MAX; i++) {
		if (check_has_new_parent(p))
			return true;
		p = p->parent;
	}
	return false;
}

/* Finds the processes with the other end of the input, if all of them have inherited it and were
 * left behind with the process; else `out` stays empty. A descriptor above those that a program
 * writes to is inherited. */
static void find_heirs(const struct check *e, struct buffer *out)
{
	snapshot_each (struct waits_party, w, check_last(e, &e->input->waits), WAITS_PARTY) {
		struct span name = record_text(&w->record, &w->name);

		if (w->node_pid != e->id.pid || w->relation != WAITS_RELATION_WRITER ||
			w->waiting_fd != INPUT || w->party_pid == e->id.pid)
			continue;
		if (!w->is_alive || w->fd <= ERRORS || !is_left_too(e, w)) {
			buffer_reset(out);
			return;
		}
		buffer_format(out, "%s%.*s (%u)", out->size ? " and " : "", SPAN_ARGS(name),
			w->party_pid);
	}
}

static void end_finding(const struct check *e, struct check_result *out)
{
	finding_upkeep(e, out);
	finding_unseen(out, "whether the process was left running on purpose");
	finding_remedy(out, "if the process is not needed: sooth kill --any %u", e->id.pid);
}

static void find_left(const struct check *e, struct left *l)
{
	const struct fds_descriptor *out = check_descriptor(e, OUTPUT);
	bool is_kept = ignores_hangup(e->process), is_deleted, is_unread, needs_directory = false;
	struct span was;

	l->has_pipe = out && (out->type == FDS_PIPE || out->type == FDS_UNIX);
	is_deleted = !is_kept && process_table_lost_directory(e->process, &was);
	find_heirs(e, &l->heirs);
	if (e->calls.is_read) {
		l->failed = failed_writes(e, e->calls.history);
		needs_directory = is_deleted && fails_within(e, e->calls.history, was);
	}
	l->channel = cut_channel(e);
	is_unread = l->failed >= check_option(e, "min-writes");
	l->is_sure = is_unread || needs_directory;
	l->reason = is_unread					? "nothing reads its output"
		    : !is_kept && check_is_closed_terminal(out) ? "its terminal is closed"
		    : needs_directory
			    ? "its working directory was deleted, in which it still looks for files"
		    : l->heirs.size ? "no process sends to its input any more"
		    : is_deleted    ? "its working directory was deleted"
		    : l->channel    ? "so has the process at the other end of its channel"
				    : NULL;
}

/* Reports a process whose input and output have lost their other end. */
static void report_cut_off(const struct check *e, struct check_result *out)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out, "left behind: the process at the other end of its input and output has "
			   "ended: a server (MCP, language server) without its client");
	finding_text(out, "known by", "fd 0 and fd 1 are local sockets without a peer");
	end_finding(e, out);
}

static void report_left_process(const struct check *e, struct check_result *out, struct left *l)
{
	const struct process_entry *p = e->process;

	finding_begin(out, confidence_high_if(l->is_sure), "");
	finding_low_if(out, !l->is_sure && !l->heirs.size);
	finding_claim(out, "left behind: its parent has ended, and %s", l->reason);
	if (l->heirs.size)
		finding_claim(out,
			": only %s, left behind with it, still %s the other end by inheritance, so "
			"that no end of the input comes",
			buffer_cstr(&l->heirs),
			strstr(buffer_cstr(&l->heirs), " and ") ? "have" : "has");
	finding_text(out, "known by", "now a child of %.*s (%u), which is not in its session %u",
		SPAN_ARGS(check_name(p->parent)), p->parent->id.pid, p->process->session);
	if (l->channel)
		finding_text(out, "channel", "fd %u, a local socket without a peer", l->channel);
	if (l->failed >= check_option(e, "min-writes"))
		finding_number(out, "writes to its output that failed with EPIPE", l->failed,
			SOOTH_UNIT_NONE, e->calls.interval_ns);
	end_finding(e, out);
}

/* --- a terminal that was closed --- */

static bool catches_hangup(const struct check *e)
{
	const struct waits_signals *s = check_signals(e, check_last(e, &e->input->waits));

	return s && s->caught & 1;
}

static bool works_without_terminal(const struct check *e, struct progress *work)
{
	bool leads = e->process->process->session == e->id.pid;

	/* It survived the hangup of its terminal, or its shell spared it. */
	if (!check_is_closed_terminal(check_descriptor(e, INPUT)) || ignores_hangup(e->process) ||
		(leads && !catches_hangup(e)))
		return false;
	progress_of(work, e);
	return process_table_cpu_percent(e->process) >= check_option(e, "min-cpu") ||
	       (work->is_measured && work->calls_per_s >= check_option(e, "min-calls"));
}

static void report_without_terminal(
	const struct check *e, struct check_result *out, const struct progress *work)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "terminal");
	finding_low_if(out, !e->process->agent || !catches_hangup(e));
	finding_claim(out, "its terminal was closed, and it works on: ");
	if (work->is_measured && work->calls_per_s >= check_option(e, "min-calls"))
		finding_claim(out, "%.0f reads and writes a second, ", work->calls_per_s);
	finding_claim(out, "%.1f %% CPU", process_table_cpu_percent(e->process));
	finding_text(out, "known by", "fd 0 is a pseudo terminal that was closed");
	progress_emit(work, out);
	finding_upkeep(e, out);
	finding_unseen(out, "since when, and whether it was left running on purpose");
	finding_remedy(out, "if the process is not needed: sooth kill %s%u",
		e->process->agent ? "" : "--any ", e->id.pid);
}

/* Returns whether cpu-spin reports the reads: one thread does nothing else. */
static bool thread_spins(const struct check *e, const struct ended_input *c)
{
	const struct thread_history *t = check_thread(e, c->tid);

	return t && thread_history_demand(t) >= SPINS_PERCENT;
}

static void report_reads(
	const struct check *e, struct check_result *out, const struct ended_input *c)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "reads");
	finding_claim(out,
		"reads its %s again and again, which %s: end of file on fd %d, %s%.0f times a "
		"second; uses %.0f %% of a CPU",
		c->is_pipe ? "input" : "terminal",
		c->is_pipe ? "has ended, because no process can write to it any more"
			   : "was closed",
		c->fd, c->least, c->per_s, process_table_cpu_percent(e->process));
	finding_text(out, "known by", "fd %d is a %s", c->fd,
		c->is_pipe ? "pipe without a writer" : "pseudo terminal that was closed");
	finding_rate(out, "reads", c->per_s, SOOTH_UNIT_NONE, 0);
	finding_upkeep(e, out);
	finding_remedy(out,
		"its program should end %swhen a read fails or returns 0 bytes; sooth kill %s%u "
		"ends the process",
		c->is_pipe ? "" : "on SIGHUP, or ", e->process->agent ? "" : "--any ", e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct process_entry *p = e->process;
	struct progress work = { 0 };
	struct ended_input input;
	struct left l = { 0 };

	if (!p->is_there || p->process->state == 'Z' || p->owner_agent) {
		check_fine(out, "a process of an agent, or one that has ended");
		return;
	}
	if (ended_input_is_read(&input, e) && !thread_spins(e, &input)) {
		report_reads(e, out, &input);
		return;
	}
	if ((p->agent || !check_has_new_parent(p)) && works_without_terminal(e, &work)) {
		report_without_terminal(e, out, &work);
		return;
	}
	if (p->agent) {
		check_fine(out, "an agent, and not one that works without its terminal");
		return;
	}
	if (check_has_lost_parent(e)) {
		check_blind_because(out,
			"the parent ended just now: this process may be about to end too",
			"try again in a moment");
		return;
	}
	if (is_cut_off(e)) {
		if ((double)check_age_ns(e) < check_option(e, "min-age"))
			check_too_young(out);
		else
			report_cut_off(e, out);
		return;
	}
	if (!check_has_new_parent(p)) {
		check_fine(out, "no evidence that its parent has ended");
		return;
	}
	find_left(e, &l);
	if (!l.reason) {
		if (!l.has_pipe || e->calls.is_read ||
			(check_has_probes(out) && check_calls_begin(e, out)))
			check_fine(out, "its parent has ended, and its output leads somewhere");
	} else if ((double)check_age_ns(e) < check_option(e, "min-age")) {
		check_too_young(out);
	} else {
		report_left_process(e, out, &l);
	}
	buffer_fini(&l.heirs);
}

const struct finding_detector finding_left_behind = { diagnose, FINDING_OPTIONS(options) };
