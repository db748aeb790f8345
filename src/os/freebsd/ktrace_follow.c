/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/ktrace_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/followed.h"
#include "os/freebsd/freebsd_source.h"
#include "os/os.h"
#include "probes/syscall_names.h"

#define PROCESSES_MAX 65536
#define PIECE_BYTES   (256u << 10)
#define DRAIN_MAX     (64u << 20)  /* maximum of one drain; the rest comes with the next one */
#define FILE_MAX      (256u << 20) /* a larger file is replaced by a new one */
#define PATH_PATTERN  "/tmp/sooth-ktrace-XXXXXX"

/* sys/ktrace.h */
#define OP_SET	      0
#define OP_CLEAR      1
#define OP_CLEARFILE  2
#define POINT_INHERIT 0x40000000

static const struct freebsd_calls *calls_of(const struct backend_run *run)
{
	return bsd_source_of(run->os)->calls;
}

int ktrace_follow_open(
	struct ktrace_follow *f, const struct backend_run *run, int points, struct sooth_error *err)
{
	*f = (struct ktrace_follow){ .file = -1,
		.guard = -1,
		.points = points | KTRACE_POINT(KTRACE_SYSCALL) | KTRACE_POINT(KTRACE_SYSRET) |
			  KTRACE_POINT(KTRACE_PSIG) | KTRACE_POINT(KTRACE_PROCCTOR) |
			  KTRACE_POINT(KTRACE_PROCDTOR) };
	map_init(&f->processes, sizeof(uint32_t), sizeof(struct ktrace_process), PROCESSES_MAX);
	map_init(&f->parents, sizeof(uint32_t), sizeof(uint32_t), PROCESSES_MAX);
	if (!run->options.is_host && !run->options.has_uid)
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "trace by ktrace");
	error_why(err, "ktrace(2) traces processes that are named, and their children");
	return error_remedy(err, "name processes with -p PID");
}

/* Creates the trace file, which only its owner can read (mkstemp(3)). */
static int begin_file(struct ktrace_follow *f, struct backend_run *run, struct sooth_error *err)
{
	if (f->file >= 0)
		return 0;
	snprintf(f->path, sizeof(f->path), "%s", PATH_PATTERN);
	f->file = mkstemp(f->path);
	if (f->file < 0)
		return error_errno(err, -errno, "make a file for ktrace in /tmp");
	fcntl(f->file, F_SETFD, FD_CLOEXEC);
	f->offset = 0;
	f->guard = calls_of(run)->guard(calls_of(run), f->path);
	if (f->guard < 0)
		return error_errno(err, f->guard, "start what ends the tracing");
	return 0;
}

static int ktrace_refused(int status, const struct process_id *process, struct sooth_error *err)
{
	if (status == -ESRCH) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "trace process %u", process->pid);
		return error_why(err, "the process has ended");
	}
	if (status != -EPERM)
		return error_errno(err, status, "trace process %u", process->pid);
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "trace process %u", process->pid);
	error_why(err, "ktrace(2) traces processes of its own user that did not change their ids");
	return error_remedy(err, "run sooth as root");
}

#define ANCESTORS_MAX 64

/* Returns whether a process was forked by a followed process, and so inherits the trace file. */
static bool is_inherited(
	const struct ktrace_follow *f, const struct backend_run *run, const struct bsd_process *p)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_process above = *p;

	for (unsigned i = 0; i < ANCESTORS_MAX && above.ppid; i++) {
		if (map_get(&f->processes, &above.ppid))
			return true;
		if (s->process(s, (pid_t)above.ppid, &above) || !above.is_traced)
			return false;
	}
	return false;
}

/* A process has only one trace file: if sooth traced it, the earlier tracer would lose its trace.
 */
static int check_untraced(const struct ktrace_follow *f, const struct backend_run *run,
	const struct process_id *process, struct sooth_error *err)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_process now;

	if (s->process(s, (pid_t)process->pid, &now) || now.id.start_ticks != process->start_ticks)
		return ktrace_refused(-ESRCH, process, err);
	if (!now.is_traced || is_inherited(f, run, &now))
		return 0;
	error_set(err, -EBUSY, SOOTH_FAULT_UNSUPPORTED, "trace process %u", process->pid);
	error_why(err, "ktrace(1) or another probe already traces this process");
	return error_remedy(err, "end the other trace first: ktrace -c -p %u", process->pid);
}

int ktrace_follow_set_interest(struct ktrace_follow *f, struct backend_run *run,
	const struct process_id *process, unsigned interest, struct sooth_error *err)
{
	const struct freebsd_calls *c = calls_of(run);
	uint32_t pid = process->pid;
	struct ktrace_process *known;
	bool is_new;
	int status;

	if (!interest) {
		c->ktrace(c, f->path, OP_CLEAR, f->points, (pid_t)pid);
		map_remove(&f->processes, &pid);
		return 0;
	}
	known = map_get(&f->processes, &pid);
	if (known) {
		known->interest = interest;
		return 0;
	}
	status = check_untraced(f, run, process, err);
	if (!status)
		status = begin_file(f, run, err);
	if (status)
		return status;
	/* Existing children are not traced: they are separate targets, or none. */
	status = c->ktrace(c, f->path, OP_SET, f->points | POINT_INHERIT, (pid_t)pid);
	if (status)
		return ktrace_refused(status, process, err);
	known = map_put(&f->processes, &pid, &is_new);
	if (!known)
		return error_no_memory(err);
	*known = (struct ktrace_process){ .id = *process,
		.interest = interest & ~(unsigned)INTEREST_FROM_EXEC,
		.is_before_exec = (interest & INTEREST_FROM_EXEC) != 0,
		.is_joined = true };
	return 0;
}

/* --- records --- */

/* Returns the identity of a child. If it has ended, its start is about its first record. */
static struct process_id identify_process(const struct backend_run *run,
	const struct ktrace_record *r, uint64_t time_ns, uint32_t *ppid)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_process now;

	if (!s->process(s, (pid_t)r->pid, &now) && now.start_utc_ns <= r->utc_ns) {
		*ppid = now.ppid;
		return now.id;
	}
	return (struct process_id){ .pid = r->pid, .start_ticks = time_ns / (NS_PER_S / 100) };
}

static struct ktrace_process *join_process(struct ktrace_follow *f, struct backend_run *run,
	const struct ktrace_record *r, uint64_t time_ns)
{
	const uint32_t *noted = map_get(&f->parents, &r->pid);
	uint32_t ppid = noted ? *noted : 0;
	struct ktrace_process p = { .id = identify_process(run, r, time_ns, &ppid),
		.is_joined = true };
	const struct ktrace_process *parent = map_get(&f->processes, &ppid);
	const struct process_id above = { .pid = ppid,
		.start_ticks = parent ? parent->id.start_ticks : 0 };
	struct ktrace_process *known;

	p.interest = parent ? parent->interest : run->options.interest;
	p.is_before_exec = parent && parent->is_before_exec;
	bsd_write_join(run, &p.id, &above, r->name, time_ns);
	known = map_put(&f->processes, &r->pid, NULL);
	if (!known) {
		run->has_lost_comings = true;
		return NULL;
	}
	*known = p;
	return known;
}

static void handle_process_exit(struct ktrace_follow *f, struct backend_run *run,
	struct ktrace_process *p, const struct ktrace_record *r, uint64_t time_ns,
	ktrace_ended ended)
{
	ended(run, p);
	bsd_write_leave(run, &p->id, r->name, time_ns, p->has_status ? &p->status : NULL);
	map_remove(&f->processes, &r->pid);
	map_remove(&f->parents, &r->pid);
}

/* Handles a return: a successful exec returns nowhere; a fork returns the child's pid. */
static bool handle_return(struct ktrace_follow *f, struct backend_run *run,
	struct ktrace_process *p, const struct ktrace_record *r, uint64_t time_ns)
{
	const struct syscall_row *row;
	struct ktrace_return ret;
	uint32_t child, *parent;

	if (!ktrace_return(&ret, r))
		return false;
	row = syscall_row_of(SYSCALL_ABI_FREEBSD, ret.number);
	if (row->traits & SYSCALL_EXECS && (!ret.error || ret.error == KTRACE_RETURNS_NOT)) {
		bsd_write_exec(run, &p->id, r->name, time_ns);
		p->is_before_exec = false;
	}
	if (row->traits & SYSCALL_STARTS_TASK && !ret.error && ret.value) {
		child = (uint32_t)ret.value;
		parent = map_put(&f->parents, &child, NULL);
		if (parent)
			*parent = r->pid;
	}
	return true;
}

/* Notes how the process is going to end: by a delivered signal without a handler. */
static void note_end_by_signal(struct ktrace_process *p, const struct ktrace_record *r)
{
	const struct syscall_row *row;
	struct ktrace_signal signal;
	struct ktrace_call call;

	if (r->type == KTRACE_PSIG && ktrace_signal(&signal, r) && !signal.action) {
		p->status = signal.number & 0x7f;
		p->has_status = true;
	}
	if (r->type != KTRACE_SYSCALL || p->has_status || !ktrace_call(&call, r))
		return;
	row = syscall_by_number(SYSCALL_ABI_FREEBSD, call.number);
	if (!row || !(row->traits & SYSCALL_ENDS_PROCESS))
		return;
	p->status = (uint32_t)(call.arguments[0] & 0xff) << 8;
	p->has_status = true;
}

static void handle_record(struct ktrace_follow *f, struct backend_run *run,
	const struct ktrace_record *r, ktrace_visitor visitor, ktrace_ended ended)
{
	uint64_t time_ns = (uint64_t)((int64_t)r->utc_ns - f->realtime_offset_ns);
	struct ktrace_process *p = map_get(&f->processes, &r->pid);

	if (r->is_after_drop)
		f->lost++;
	if (!p && r->type == KTRACE_PROCDTOR)
		return; /* the process is no longer followed */
	if (!p)
		p = join_process(f, run, r, time_ns);
	if (!p)
		return;
	memcpy(p->name, r->name, sizeof(p->name));
	note_end_by_signal(p, r);
	if (r->type == KTRACE_PROCDTOR) {
		handle_process_exit(f, run, p, r, time_ns, ended);
		return;
	}
	if (!p->is_before_exec)
		visitor(run, p, r, time_ns);
	if (r->type == KTRACE_SYSRET)
		handle_return(f, run, p, r, time_ns);
}

static int read_file(struct ktrace_follow *f)
{
	size_t total = 0;

	while (total < DRAIN_MAX) {
		void *room = buffer_reserve(&f->bytes, PIECE_BYTES);
		ssize_t got;

		if (!room)
			return -ENOMEM;
		got = pread(f->file, room, PIECE_BYTES, (off_t)f->offset);
		if (got < 0)
			return -errno;
		if (!got)
			break;
		buffer_commit(&f->bytes, (size_t)got);
		f->offset += (size_t)got;
		total += (size_t)got;
	}
	return 0;
}

static int read_all_records(struct ktrace_follow *f, struct backend_run *run,
	ktrace_visitor visitor, ktrace_ended ended, struct sooth_error *err)
{
	struct cursor c;
	struct ktrace_record r;
	int status = read_file(f);

	if (status)
		return error_errno(err, status, "read the records of ktrace");
	c = cursor_over(f->bytes.data, f->bytes.size);
	while (ktrace_next(&r, &c))
		handle_record(f, run, &r, visitor, ended);
	if (c.failed) {
		backend_loss(run, 0, cursor_left(&c), "bytes that are no record of ktrace");
		buffer_reset(&f->bytes);
	} else if (f->bytes.data) {
		buffer_consume(&f->bytes, (size_t)(c.at - f->bytes.data));
	}
	if (f->lost)
		backend_loss(
			run, f->lost, 0, "the kernel had no room for a record (ktrace), at least");
	f->lost = 0;
	return 0;
}

static void empty_file(struct ktrace_follow *f)
{
	if (f->file >= 0)
		close(f->file);
	if (f->guard >= 0)
		close(f->guard);
	f->file = f->guard = -1;
}

static void trace_all_processes(struct ktrace_follow *f, struct backend_run *run)
{
	const struct freebsd_calls *c = calls_of(run);
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&f->processes, &position, &key, &value)) {
		const struct ktrace_process *p = value;

		c->ktrace(c, f->path, OP_SET, f->points | POINT_INHERIT, (pid_t)p->id.pid);
	}
}

/* Moves all processes to a new file, then reads the rest of the old one. */
static int renew_file(struct ktrace_follow *f, struct backend_run *run, ktrace_visitor visitor,
	ktrace_ended ended, struct sooth_error *err)
{
	struct ktrace_follow old = *f;
	int status, begun;

	f->file = f->guard = -1;
	begun = begin_file(f, run, err);
	if (begun) {
		f->file = old.file;
		f->guard = old.guard;
		f->offset = old.offset;
		memcpy(f->path, old.path, sizeof(f->path));
		return begun;
	}
	trace_all_processes(f, run);
	struct ktrace_follow fresh = *f;
	f->file = old.file;
	f->offset = old.offset;
	status = read_all_records(f, run, visitor, ended, err);
	f->file = fresh.file;
	f->offset = 0;
	/* Again, for children that were forked before their parent was moved. */
	trace_all_processes(f, run);
	close(old.file);
	close(old.guard);
	return status;
}

int ktrace_follow_drain(struct ktrace_follow *f, struct backend_run *run, ktrace_visitor visitor,
	ktrace_ended ended, struct sooth_error *err)
{
	int status;

	if (f->file < 0)
		return 0;
	f->realtime_offset_ns = run->os->realtime_offset_ns(run->os);
	status = read_all_records(f, run, visitor, ended, err);
	if (!status && f->offset > FILE_MAX)
		status = renew_file(f, run, visitor, ended, err);
	return status;
}

void ktrace_follow_stop(struct ktrace_follow *f, struct backend_run *run)
{
	const struct freebsd_calls *c = calls_of(run);

	if (f->file >= 0)
		c->ktrace(c, f->path, OP_CLEARFILE, 0, 0);
}

void ktrace_follow_close(struct ktrace_follow *f)
{
	if (f->file >= 0)
		unlink(f->path);
	empty_file(f);
	map_fini(&f->processes);
	map_fini(&f->parents);
	buffer_fini(&f->bytes);
}
