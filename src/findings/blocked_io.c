/* SPDX-License-Identifier: BSD-2-Clause */
/* blocked-io: a thread stayed in one kernel wait for the whole observation, for a file, a device,
 * or a vforked child: uninterruptible (state D), or for the answer of a file system. Samples find a
 * thread that reads much in such waits too, but in a new wait each time: the thread ran in
 * between. */
#include <string.h>

#include "analyze/evidence/blocked_children.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_sentences.h"
#include "analyze/waits/wait_text.h"
#include "base/sentence_units.h"
#include "base/cleanup.h"
#include "explain/finding.h"
#include "probes/syscall_names.h"

static const struct finding_option options[] = {
	THRESHOLD("min-time", 1.5e9, 1e6, 86400e9,
		"minimum time a thread is blocked in the same wait", .unit = SOOTH_UNIT_NS),
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
	enum block most;
	unsigned threads, stuck;
	bool is_deadlock; /* which all-threads-waiting reports */
	uint8_t unseen;	  /* why one thread could not be diagnosed; 0: all could be */
};

/* --- which thread --- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

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
	if (begins(t->channels[0].name, FUSE_SERVER))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(remote_waits); i++) {
		if (t->channels[0].input == t->met && begins(t->channels[0].name, remote_waits[i]))
			return true;
	}
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

static enum block block_of(const struct check *e, const struct thread_history *t)
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

/* --- the finding --- */

static void emit_where(
	struct check_result *out, const struct thread_history *t, const struct blocked *b)
{
	char call[SYSCALL_NAME_SIZE];

	finding_number(out, "time the thread has spent in this wait", (double)thread_history_ns(t),
		SOOTH_UNIT_NS, thread_history_ns(t));
	finding_number(
		out, "number of threads stuck in the same wait", b->stuck, SOOTH_UNIT_NONE, 0);
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
}

static void emit_file(
	const struct check *e, struct check_result *out, const struct thread_history *t)
{
	const struct fds_descriptor *d = check_descriptor(e, t->waiting.descriptor);
	struct span path = d && d->path_state <= SOOTH_STATE_TRUNCATED
				   ? record_text(&d->record, &d->path)
				   : span_of("", 0);

	if (t->syscall_state > SOOTH_STATE_TRUNCATED) {
		finding_unseen(out,
			"which file the thread waits for, and whether the control group "
			"of the process is frozen");
		return;
	}
	if (!d) {
		finding_unseen(out,
			"which file the thread waits for: sooth does not read paths from "
			"the memory of the process");
		return;
	}
	finding_descriptor(out, d->fd);
	if (path.size) {
		finding_path(out, path);
		finding_text(out, "file", "%.*s, fd %u", (int)path.size, path.data, d->fd);
	}
	finding_text(
		out, "device number of the file system", "%u:%u", d->device_major, d->device_minor);
}

/* Adds the chain of `sooth why`, if another process is in the chain. */
static void emit_chain(
	const struct check *e, struct check_result *out, const struct thread_history *t)
{
	struct wait_chain chain;
	struct wait_graph g;

	if (check_chain(e, t->tid, &g, &chain) && chain.links[0].party)
		check_chain_evidence(out, &g, &chain);
}

/* Adds what the known server of the mount does instead of answering: that is the cause. */
static void claim_mount(struct check_result *out, const struct wait_graph *g,
	const struct wait_chain *chain, const char *time)
{
	struct buffer text = { 0 };

	wait_sentence(&text, g, &chain->links[0]);
	wait_chain_rest(&text, g, chain);
	finding_claim(out, "stuck for %s: it %s", time, buffer_cstr(&text));
	buffer_fini(&text);
}

static void emit_blocked(const struct check *e, struct check_result *out,
	const struct thread_history *t, const struct blocked *b, const char *what)
{
	const struct fds_descriptor *d = check_descriptor(e, t->waiting.descriptor);
	struct span path = d && d->path_state <= SOOTH_STATE_TRUNCATED
				   ? record_text(&d->record, &d->path)
				   : span_of("", 0);

	bool is_seen = t->syscall_state <= SOOTH_STATE_TRUNCATED;
	char time[UNITS_SIZE];
	struct wait_chain chain;
	struct wait_graph g;
	bool is_of_mount = check_chain(e, t->tid, &g, &chain) && chain.count &&
			   chain.links[0].what == WAIT_FILE_SYSTEM && chain.links[0].party;

	finding_begin(out,
		!is_seen	     ? FINDING_CONFIDENCE_LOW
		: t->uninterruptible ? FINDING_CONFIDENCE_HIGH
				     : FINDING_CONFIDENCE_MEDIUM,
		what);
	/* A process frozen on purpose looks the same: all of its threads are stuck. */
	if (!is_seen && b->stuck == b->threads)
		finding_severity(out, FINDING_LOW);
	finding_thread(out, t->tid);
	if (is_of_mount)
		claim_mount(out, &g, &chain, sentence_duration(time, thread_history_ns(t)));
	else
		finding_claim(out, "stuck waiting for %s%.*s: thread %s (%u), for %s",
			path.size ? "" : "a file or device", (int)path.size, path.data, t->name,
			t->tid, sentence_duration(time, thread_history_ns(t)));
	emit_where(out, t, b);
	if (!is_of_mount)
		emit_chain(e, out, t);
	emit_file(e, out, t);
	if (is_of_mount)
		blocked_children_remedy(out, chain.links[0].party->party_pid);
	else if (t->uninterruptible)
		finding_remedy(out,
			"repair the disk, mount or device: dmesg shows disk and network errors, "
			"umount -f drops a dead network or FUSE mount, fsfreeze -u thaws a file "
			"system (no signal ends this wait, except perhaps SIGKILL)");
	else
		finding_remedy(out, "repair or restart the server of the network or FUSE file "
				    "system: it does not answer");
	finding_end(out);
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

static void emit_child(const struct check *e, struct check_result *out,
	const struct thread_history *t, const struct blocked *b, const char *what)
{
	const struct process_entry *child = newest_child(e);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, what);
	finding_severity(out, FINDING_MEDIUM);
	finding_thread(out, t->tid);
	if (child)
		finding_claim(out,
			"waiting for its vforked child %u to exec or exit: thread %s (%u)",
			child->id.pid, t->name, t->tid);
	else
		finding_claim(out, "waiting for a vforked child to exec or exit: thread %s (%u)",
			t->name, t->tid);
	emit_where(out, t, b);
	emit_chain(e, out, t);
	finding_remedy(out, "sooth diagnose %llu shows why the child hangs",
		(unsigned long long)(child ? child->id.pid : e->id.pid));
	finding_end(out);
}

/* Returns whether the process itself serves the mount that its thread waits for. */
static bool is_circle(const struct check *e, const struct thread_history *t)
{
	struct wait_chain chain;
	struct wait_graph g;

	return check_chain(e, t->tid, &g, &chain) && chain.count && chain.links[0].repeats;
}

static void report(const struct check *e, struct check_result *out, const struct thread_history *t,
	struct blocked *b)
{
	enum block block = block_of(e, t);
	char what[32];

	if (t->switches_state)
		b->unseen = t->switches_state;
	if (block > b->most)
		b->most = block;
	if (block == BLOCK_NONE || block == BLOCK_FROZEN || out->found == FINDINGS_MAX)
		return;
	if (check_has_finding(e, "all-threads-waiting") && is_circle(e, t)) {
		b->is_deadlock = true;
		return;
	}
	snprintf(what, sizeof(what), "tid %u", t->tid);
	if (block == BLOCK_CHILD)
		emit_child(e, out, t, b, what);
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
		enum block block = block_of(e, t);

		b.threads++;
		b.stuck += block == BLOCK_FILE || block == BLOCK_CHILD;
	}
	thread_histories_for_each (&e->input->threads, &e->id, t)
		report(e, out, t, &b);
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

const struct finding_type finding_blocked_io = {
	.id = "blocked-io",
	.claim = "a thread is stuck in the kernel, waiting for a file, a device or a child",
	.probes = "proc,threads",
	.needs_interval = true,
	.is_of_holder = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
