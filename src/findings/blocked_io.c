/* SPDX-License-Identifier: BSD-2-Clause */
/* blocked-io: a thread stayed in one kernel wait for the whole observation: uninterruptible (state
 * D), or for the answer of a file system. Samples find a thread that reads much in such waits too,
 * but in a new wait each time: the thread ran in between. */
#include <stdio.h>
#include <string.h>

#include "analyze/evidence/children.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_text.h"
#include "probes/syscall_names.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 1.5e9, 1e6, 86400e9,
		"minimum time a thread is blocked in the same wait"),
	THRESHOLD("min-readings", 3, 2, 500,
		"minimum number of samples that show the thread in the same wait"),
};

enum block {
	BLOCK_NONE,
	BLOCK_FILE,   /* a file system, a device, or unknown */
	BLOCK_CHILD,  /* vfork: the child still runs in its memory */
	BLOCK_FROZEN, /* frozen by its control group: state D, but intended */
};

/* Kernel functions that wait for a user-space or remote file system. A signal may end such
 * a wait, so the state is mostly S. */
static const char *const remote_waits[] = { "request_wait_answer", "fuse_", "rpc_wait_bit", "nfs_",
	"nfs4_", "p9_client_rpc", "ceph_", "afs_", "wait_for_response" };

#define FUSE_SERVER "fuse_dev_" /* waits for requests */

#define FINDINGS_MAX 4 /* per process: all threads of a pool may wait for one file */

struct blocked {
	struct wait_graph g;
	struct wait_chain chain; /* chain of the thread that is reported */
	enum block most;
	unsigned threads, stuck;
	bool is_deadlock; /* all-threads-waiting reports the process as a deadlock */
	uint8_t unseen;	  /* reason why one thread could not be diagnosed; 0: all could be */
};

/* --- which thread --- */

static bool is_file(const struct fds_descriptor *d)
{
	return d->type == FDS_FILE || d->type == FDS_DELETED || d->type == FDS_DIRECTORY;
}

/* Reading a kernel file may well block by design: trace_pipe, kmsg. */
static bool is_on_disk(const struct fds_descriptor *d)
{
	struct span path = d ? record_text(&d->record, &d->path) : span_of("", 0);

	return d && !span_starts(path, "/proc/") && !span_starts(path, "/sys/") && is_file(d);
}

/* Returns whether the thread sleeps and only a file system can wake it: a read of a regular file
 * waits for no other process. */
static bool waits_for_file(const struct check *e, const struct thread_history *t)
{
	struct span channel = span_of_string(t->channels[0].name);

	if (span_starts(channel, FUSE_SERVER))
		return false;
	if (t->channels[0].input == t->met &&
		(SPAN_ANY(channel, span_starts, remote_waits) || waits_handler(channel)))
		return true;
	return t->waits[THREAD_WAIT_DATA] == t->met &&
	       is_on_disk(check_descriptor(e, t->waiting.descriptor));
}

/* A frozen thread is in state D in any wait, also in waits that are never D otherwise. */
static bool is_frozen(const struct check *e, const struct thread_history *t)
{
	const struct fds_descriptor *d = check_descriptor(e, t->waiting.descriptor);
	bool is_data = t->waits[THREAD_WAIT_DATA] == t->met && d;

	if (is_data)
		return d->type != FDS_UNKNOWN && d->type != FDS_DEVICE && !is_file(d);
	return strstr(t->channels[0].name, "refrigerator") ||
	       t->waits[THREAD_WAIT_TIME] + t->waits[THREAD_WAIT_LOCK] +
			       t->waits[THREAD_WAIT_READY] + t->waits[THREAD_WAIT_CHILD] +
			       t->waits[THREAD_WAIT_SIGNAL] ==
		       t->met;
}

static enum block block_kind(const struct check *e, const struct thread_history *t)
{
	if (!check_is_one_wait(e, t))
		return BLOCK_NONE;
	if (t->uninterruptible == t->met) {
		if (is_frozen(e, t))
			return BLOCK_FROZEN;
		return t->waits[THREAD_WAIT_SPAWN] == t->met ? BLOCK_CHILD : BLOCK_FILE;
	}
	return t->sleeping == t->met && waits_for_file(e, t) ? BLOCK_FILE : BLOCK_NONE;
}

static struct span descriptor_path(const struct fds_descriptor *d)
{
	return d && d->path_state <= SOOTH_STATE_TRUNCATED ? record_text(&d->record, &d->path)
							   : span_of("", 0);
}

static void emit_file_evidence(
	struct check_result *out, const struct thread_history *t, const struct fds_descriptor *d)
{
	struct span path = descriptor_path(d);

	if (t->syscall_state > SOOTH_STATE_TRUNCATED) {
		finding_unseen(out, "which file the thread waits for, and whether the control "
				    "group of the process is frozen");
		return;
	}
	if (!d) {
		finding_unseen(out, "which file the thread waits for: sooth does not read paths "
				    "from the memory of the process");
		return;
	}
	finding_descriptor(out, d->fd);
	if (path.size) {
		finding_path(out, path);
		finding_text(out, "file", "%.*s, fd %u", SPAN_ARGS(path), d->fd);
	}
	finding_text(
		out, "device number of the file system", "%u:%u", d->device_major, d->device_minor);
}

enum cause {
	CAUSE_MOUNT,
	CAUSE_GUARD,
	CAUSE_HANDLER,
	CAUSE_NO_HANDLER,
	CAUSE_DISK,
	CAUSE_SERVER,
	CAUSE_SPAWN
};

static const struct claim_row rows[] = {
	/* The cause is that the known server of the mount does this instead of answering. */
	[CAUSE_MOUNT] = { "stuck for {duration}: it {waits}", NULL, BLOCKED_CHILDREN_REMEDY },
	/* A process that has to permit the access does this; when it ends, the kernel permits it.
	 */
	[CAUSE_GUARD] = { "stuck for {duration}: it {waits}", NULL,
		"sooth diagnose {server} shows why it does not answer; when it ends, the kernel "
		"permits the accesses that wait" },
	/* The kernel asks a process for a page, or for a decision on the call. */
	[CAUSE_NO_HANDLER] = { "stuck for {duration}: it {waits}", NULL,
		"if the process that had to answer has ended, only the end of process {pid} ends "
		"this wait" },
	[CAUSE_HANDLER] = { "stuck for {duration}: it {waits}", NULL,
		"sooth why {server} shows what that process does; without one that answers, the "
		"thread waits until it is killed" },
	[CAUSE_DISK] = { "stuck waiting for {file}: thread {thread}, for {duration}", NULL,
		"repair the disk, mount or device: dmesg shows disk and network errors, umount -f "
		"drops a dead network or FUSE mount, fsfreeze -u thaws a file system (no signal "
		"ends this wait, except perhaps SIGKILL)" },
	[CAUSE_SERVER] = { "stuck waiting for {file}: thread {thread}, for {duration}", NULL,
		"repair or restart the server of the network or FUSE file system: it does not "
		"answer" },
	[CAUSE_SPAWN] = { "waiting for {child} to exec or exit: thread {thread}", NULL,
		"sooth diagnose {child pid} shows why the child hangs" },
};

/* Ends the finding; adds the chain of `sooth why`, if another process is in the chain. */
static void end_finding(struct check_result *out, const struct thread_history *t,
	const struct blocked *b, enum cause cause)
{
	char call[SYSCALL_NAME_SIZE];

	finding_thread(out, t->tid);
	finding_number(out, "time the thread has spent in this wait", (double)thread_history_ns(t),
		SOOTH_UNIT_NS, thread_history_ns(t));
	finding_count(out, "number of threads stuck in the same wait", b->stuck, 0);
	finding_text(out, "state", "%c in %u of %u samples, and no context switch between them",
		t->uninterruptible ? 'D' : 'S',
		t->uninterruptible ? t->uninterruptible : t->sleeping, t->met);
	if (t->calls[0].input) {
		syscall_name(t->calls[0].abi, t->calls[0].syscall, call);
		finding_text(out, "system call", "%s", call);
	} else if (t->syscall_state > SOOTH_STATE_TRUNCATED) {
		finding_unseen(out, "which system call the thread waits in: only root and the user "
				    "of the process can see it");
	} else {
		finding_text(
			out, "system call", "no system call: the thread waits in a page fault");
	}
	if (t->channels[0].input)
		finding_text(out, "kernel function", "%s", t->channels[0].name);
	else
		finding_unseen(out, "which kernel function the thread waits in");
	finding_value_time(out, "duration", thread_history_ns(t));
	finding_value_text(out, "thread", "%s (%u)", t->name, t->tid);
	if (cause != CAUSE_MOUNT && b->chain.count && b->chain.links[0].party)
		check_chain_evidence(out, &b->g, &b->chain);
	if (cause != CAUSE_SPAWN && cause != CAUSE_HANDLER && cause != CAUSE_NO_HANDLER)
		emit_file_evidence(out, t, check_descriptor(out->of, t->waiting.descriptor));
	finding_claim_row(out, &rows[cause]);
}

/* Sets what the thread waits for in another process, with the rest of the chain; returns the cause.
 */
static enum cause put_waits(struct check_result *out, const struct blocked *b)
{
	const struct wait_link *first = &b->chain.links[0];
	struct buffer *waits = finding_value(out, "waits");

	wait_sentence(waits, &b->g, first);
	wait_chain_rest(waits, &b->g, &b->chain);
	if (!first->party)
		return CAUSE_NO_HANDLER;
	finding_value_text(out, "server", "%u", first->party->party_pid);
	return first->what == WAIT_HANDLER			? CAUSE_HANDLER
	       : first->party->relation == WAITS_RELATION_GUARD ? CAUSE_GUARD
								: CAUSE_MOUNT;
}

static void emit_blocked(const struct check *e, struct check_result *out,
	const struct thread_history *t, const struct blocked *b, const char *what)
{
	struct span path = descriptor_path(check_descriptor(e, t->waiting.descriptor));
	bool is_seen = t->syscall_state <= SOOTH_STATE_TRUNCATED;
	enum cause cause = t->uninterruptible ? CAUSE_DISK : CAUSE_SERVER;
	const struct wait_link *first = b->chain.count ? &b->chain.links[0] : NULL;
	bool is_guess = first && first->what == WAIT_HANDLER && first->party &&
			first->confidence == WAITS_LOW;

	finding_begin(out,
		!is_seen || is_guess ? FINDING_CONFIDENCE_LOW
		: t->uninterruptible ? FINDING_CONFIDENCE_HIGH
				     : FINDING_CONFIDENCE_MEDIUM,
		what);
	/* A process frozen on purpose looks the same: all of its threads are stuck. */
	finding_low_if(out, !is_seen && b->stuck == b->threads);
	finding_value_span(out, "file", path.size ? path : span_of_string("a file or device"));
	if (first &&
		(first->what == WAIT_HANDLER || (first->what == WAIT_FILE_SYSTEM && first->party)))
		cause = put_waits(out, b);
	end_finding(out, t, b, cause);
}

static const struct process_entry *newest_child(const struct check *e)
{
	const struct process_entry *child = e->process ? e->process->first_child : NULL;
	const struct process_entry *newest = child;

	for (; child; child = child->next_sibling) {
		if (child->id.start_ticks > newest->id.start_ticks)
			newest = child;
	}
	return newest;
}

static void report_vfork_wait(const struct check *e, struct check_result *out,
	const struct thread_history *t, const struct blocked *b, const char *what)
{
	const struct process_entry *child = newest_child(e);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, what);
	finding_severity(out, FINDING_MEDIUM);
	if (child)
		finding_value_text(out, "child", "its vforked child %u", child->id.pid);
	else
		finding_value_text(out, "child", "a vforked child");
	finding_value_text(out, "child pid", "%u", child ? child->id.pid : e->id.pid);
	end_finding(out, t, b, CAUSE_SPAWN);
}

static void report_thread(const struct check *e, struct check_result *out,
	const struct thread_history *t, struct blocked *b)
{
	enum block block = block_kind(e, t);
	char what[32];

	if (t->switches_state)
		b->unseen = t->switches_state;
	if (block > b->most)
		b->most = block;
	if (block == BLOCK_NONE || block == BLOCK_FROZEN || out->found == FINDINGS_MAX)
		return;
	if (check_chain(e, t->tid, &b->g, &b->chain) && b->chain.links[0].repeats &&
		check_has_finding(e, "all-threads-waiting")) {
		b->is_deadlock = true;
		return;
	}
	snprintf(what, sizeof(what), "tid %u", t->tid);
	if (block == BLOCK_CHILD)
		report_vfork_wait(e, out, t, b, what);
	else
		emit_blocked(e, out, t, b, what);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct blocked b = { 0 };

	if (blocked_children_have(e, (uint64_t)check_option(e, "min-time"))) {
		check_fine(out, "reported of the process that started it and others like it");
		return;
	}
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		enum block block = block_kind(e, t);

		b.threads++;
		b.stuck += block == BLOCK_FILE || block == BLOCK_CHILD;
	}
	thread_histories_for_each (&e->input->threads, &e->id, t)
		report_thread(e, out, t, &b);
	if (out->found)
		return;
	if (b.is_deadlock)
		check_fine(out, "reported as a deadlock");
	else if (!b.threads)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (b.unseen)
		check_blind(out, b.unseen);
	else if (b.most == BLOCK_FROZEN)
		check_fine(out,
			"no thread waits for a file: the control group of the process is frozen");
	else
		check_fine(out, "no thread is stuck waiting for a file");
}

const struct finding_detector finding_blocked_io = { diagnose, FINDING_OPTIONS(options) };
