/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall-errors: a system call keeps failing with the same error on the same file or descriptor.
 * Errors that are ordinary answers do not count (probes/syscalls.def), nor do searches: a missing
 * path counts only from its second failure, less the times that its name was found elsewhere.
 * Failures because a file system is full or read-only count together, whatever the path. */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/children.h"
#include "analyze/evidence/failure_meaning.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/peer_process.h"
#include "analyze/evidence/held.h"
#include "analyze/evidence/work_share.h"
#include "analyze/inspect/limits.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/escape.h"
#include "base/lock_name.h"

NUMBER(PATIENT_NS, 4 * NS_PER_S, NS, "between two tries for a lock: they are enough");
NUMBER(PATIENT_TRIES, 2, NONE, "for one port, with a pause between: more take too long to see");
NUMBER(PAUSE_NS, NS_PER_S, NS, "least pause of a program that waits for a port");
NUMBER(UNOPENED_SHARE, 0.5, NONE, "of the calls of these processes");
NUMBER(MOST_SHARE, 0.5, NONE, "of the used-up descriptors: they are why");

#define SHOWN_MAX 4
#define GRAVE_MAX 256 /* kinds of failures that are kept */
#define KEY_SIZE  (CALL_PATH + SYSCALL_NAME_SIZE + 16)

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 10, 0.01, 1e9,
		"minimum failures per second of a system call on one path"),
	UNLISTED("min-rate-lasting", 2, 0.01, 1e9,
		"minimum failures per second of a system call on one path that fails during the "
		"whole observation"),
	THRESHOLD("min-rate-missing", 100, 0.01, 1e9,
		"minimum failures per second of a system call because a file does not exist"),
	UNLISTED("min-times", 20, 1, 1e9, "minimum number of failures of the system call"),
	UNLISTED("min-grave", 3, 1, 1e9,
		"minimum number of failures with ENOSPC, EMFILE, ENOMEM, EIO or a port in use, or "
		"because the directory of a new file is missing"),
	THRESHOLD("min-space", 1, 1, 1e9,
		"minimum number of failures because a file system is full or read-only"),
	UNLISTED("min-commands", 3, 1, 1e9,
		"minimum number of commands of the process that end with an error after the same "
		"failure"),
	THRESHOLD("min-unopened", 3000, 1, 1e9,
		"minimum number of calls of one process on descriptors that are not open"),
	UNLISTED_TIME("min-age-missing", 60e9, 0, 86400e9,
		"minimum process age for a few failures because a file does not exist"),
};

struct look {
	const struct check *e;
	struct check_result *out;
	bool accept_fails; /* accept(2) fails with EMFILE */
	double requests;   /* reads that brought data of clients: their requests, not its own */
};

static const struct syscall_row *syscall_of(const struct call_place *place)
{
	return syscall_by_number(place->abi, place->number);
}

/* Returns whether the call asks for the path of the working directory (getcwd): no search. */
static bool is_of_directory(const struct call_place *place)
{
	return syscall_of(place) && syscall_of(place)->arguments[0] == ARGUMENT_TYPE_name_out;
}

static bool is_missing(const struct call_place *place)
{
	if (is_of_directory(place))
		return false;
	return place->error == LINUX_ENOENT || place->error == LINUX_ENOTDIR;
}

/* Returns how many of these failures neither belong to a search nor answer a client's request. */
static double surplus_failures(const struct look *l, const struct call_place *place, double count)
{
	const struct call_history *h = l->e->calls.history;
	double excused;

	if (!is_missing(place))
		return count;
	excused = 1 + l->requests + (*place->text ? (double)call_history_found(h, place->text) : 0);
	return count > excused ? count - excused : 0;
}

static double requests_of(const struct check *e, const struct call_history *h)
{
	double count = 0;

	if (!work_has_listener(e))
		return 0;
	call_repeats_each (h, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (r->is_socket && key->result > 0 && row &&
			row->transfer.direction == SYSCALL_READS)
			count += (double)r->count;
	}
	return count;
}

static void put_key(const struct call_place *place, char out[KEY_SIZE])
{
	char name[SYSCALL_NAME_SIZE];

	snprintf(out, KEY_SIZE, "%s %u %s", check_call_name(place->abi, place->number, name),
		place->error, place->text);
}

/* Returns whether the process retries with pauses, all the time. Only opening a file counts:
 * looking for a file that may be missing is no failure. While a program starts, it waits for files
 * that may come. */
static bool is_lasting(const struct look *l, const struct call_place *place,
	const struct call_failures *f, double times, const char *what)
{
	const struct syscall_row *row = syscall_of(place);
	uint64_t seconds = l->e->calls.interval_ns / NS_PER_S;

	/* The first and the last second may have been observed only in part. */
	return seconds >= 2 && f->seconds >= seconds &&
	       check_is_over(l->e, "min-rate-lasting", check_calls_rate(l->e, times), what) &&
	       (!is_missing(place) || (row && row->traits & SYSCALL_OPENS &&
					      (double)check_age_ns(l->e) >=
						      check_option(l->e, "min-age-missing")));
}

static bool is_often(const struct look *l, const struct call_place *place,
	const struct call_failures *f, double times, const char *what)
{
	double least = check_option(l->e, "min-times");

	return times >= least && (double)f->seen >= least &&
	       check_is_over(l->e, is_missing(place) ? "min-rate-missing" : "min-rate",
		       check_calls_rate(l->e, times), what);
}

static bool is_no_room(const struct call_place *place)
{
	return syscall_of(place) && call_error_is_no_room(syscall_of(place), place->error);
}

/* Returns whether a lock failed: only for locks, and for a start without room, these errors are no
 * ordinary answers. */
static bool is_lock(const struct call_place *place)
{
	return (place->error == LINUX_EEXIST || place->error == LINUX_EAGAIN) && !is_no_room(place);
}

/* Returns whether the process tries to lock for most of the observation, however seldom. */
static bool is_lock_lasting(const struct look *l, const struct call_failures *f)
{
	uint64_t ns = f->last_ns - f->first_ns;

	return (f->seen >= check_option(l->e, "min-commands") || ns >= PATIENT_NS) &&
	       ns * 2 >= l->e->calls.interval_ns;
}

/* Returns whether the process tries again after a pause, for most of the observation: it does not
 * go through a list of ports. */
static bool is_patient(const struct look *l, const struct call_failures *f)
{
	uint64_t ns = f->last_ns - f->first_ns;

	return f->seen >= PATIENT_TRIES && ns >= (f->seen - 1) * PAUSE_NS &&
	       ns * 3 >= l->e->calls.interval_ns;
}

static bool is_accept_call(const struct call_place *place)
{
	return syscall_of(place) && syscall_of(place)->effect.what == SYSCALL_FD_ACCEPTS;
}

/* Returns whether a server without descriptors does not accept its clients: a file that it also
 * fails to open matters less. */
static bool is_beside_accept(const struct look *l, const struct call_place *place)
{
	return place->error == LINUX_EMFILE && l->accept_fails && !is_accept_call(place);
}

static double weigh_failures(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;
	const struct call_failures *f = value;
	double times = surplus_failures(l, place, (double)f->count),
	       least = check_option(l->e, "min-grave");
	char what[KEY_SIZE];

	if (place->error == CALL_SHORT_WRITE || space_failure_of(l->e, place) ||
		watch_failure_is(l->e, place) || is_beside_accept(l, place))
		return 0;
	if (is_lock(place)) /* lock-refused knows when its own lock of a database is refused */
		return is_lock_lasting(l, f) && !is_database_name(span_of_string(place->text))
			       ? times
			       : 0;
	if (place->error == CALL_NO_DIRECTORY && f->last_ns - f->first_ns < NS_PER_S)
		return 0;
	if (port_owner_is_in_use(place) && is_patient(l, f))
		return times;
	if (times >= least && (double)f->seen >= least &&
		(place->error == CALL_NO_DIRECTORY || call_error_is_grave(place->error) ||
			is_no_room(place) || port_owner_is_in_use(place)))
		return times;
	put_key(place, what);
	return place->error != CALL_NO_DIRECTORY && (is_often(l, place, f, times, what) ||
							    is_lasting(l, place, f, times, what))
		       ? times
		       : 0;
}

/* Failures of one call with one error, or on one full file system, on one path or several. */
struct trouble {
	const struct call_place *place; /* one of them */
	struct call_failures all;
	double times;
	uint64_t paths;
	const struct fds_filesystem *space; /* the full file system; NULL: another reason */
	uint64_t place_count;		    /* failures at `place` */
	bool is_reported;		    /* a finding of one of the paths was reported */
};

/* Reports a lock. The process may wait for a program that is at work. */
static void report_lock(struct look *l, const struct trouble *t)
{
	const struct waits_party *owner = lock_failure_owner(l->e, t->place);
	bool is_stale = owner && !owner->is_alive;

	finding_severity(l->out, is_stale ? FINDING_MEDIUM : FINDING_LOW);
	finding_claim(l->out, "waits for a%s lock: ", is_stale ? " stale" : "");
	lock_failure_text(&l->out->claim, l->e, t->place);
	finding_claim(l->out, "; %.0f tries", t->times);
	lock_failure_emit(l->e, l->out, t->place, owner, check_name(l->e->process));
}

static void report_full_group(
	struct look *l, const struct trouble *t, const char *name, const struct limits_group *g)
{
	struct span path = record_text(&g->record, &g->path);
	const struct process_entry *parent;

	finding_claim(l->out, "its control group %.*s has reached its limit of %llu",
		SPAN_ARGS(path), (unsigned long long)g->limit);
	parent = task_zombies_put(&l->out->claim, l->e, g);
	if (!parent)
		task_members_put(&l->out->claim, l->e, g);
	finding_claim(l->out, "; %s failed %.0f times", name, t->times);
	finding_text(l->out, "control group", "%.*s", SPAN_ARGS(path));
	if (g->used_state == SOOTH_STATE_VALUE)
		finding_count(l->out, "processes and threads in the control group", g->used, 0);
	finding_count(l->out, "processes and threads that it may have", g->limit, 0);
	if (parent)
		finding_remedy(l->out, TASK_ZOMBIES_REMEDY, parent->id.pid);
	else
		finding_remedy(l->out, "end processes of the group (systemd-cgls shows them), or "
				       "raise its pids.max (systemd: TasksMax=)");
}

static void report_no_room(struct look *l, const struct trouble *t)
{
	const struct limits_group *g = find_group_without_tasks_left(l->e);
	const struct limits_resource *most =
		limit_sums_named(check_last(l->e, &l->e->input->limits), "NPROC");
	char name[SYSCALL_NAME_SIZE];
	struct limit_users users;

	check_call_name(t->place->abi, t->place->number, name);
	finding_severity(l->out, FINDING_HIGH);
	finding_claim(l->out, "cannot start processes or threads: ");
	if (g) {
		report_full_group(l, t, name, g);
		return;
	}
	limit_users_of_user(&users, l->e);
	if (most && !most->soft_state && users.sum >= (double)most->soft) {
		finding_claim(l->out, "its user has reached the limit of %llu (ulimit -u)",
			(unsigned long long)most->soft);
		limit_users_put(&l->out->claim, l->e, &users, LIMITS_SHARED_TASKS);
		finding_claim(l->out, "; %s failed %.0f times", name, t->times);
		finding_remedy(l->out, "end processes of the user, or raise the limit (ulimit -u, "
				       "systemd: LimitNPROC=)");
		return;
	}
	finding_claim(l->out, "a limit of processes is reached; %s failed with EAGAIN %.0f times",
		name, t->times);
	finding_unseen(l->out, "which limit: of the user (ulimit -u), of the control group "
			       "(pids.max) or of the host (kernel.threads-max)");
	finding_remedy(l->out, "sooth inspect --limits %u shows the limits", l->e->id.pid);
}

/* Returns whether the path is in the working directory, which was deleted: nothing there can be
 * found. */
static bool is_in_deleted_directory(const struct check *e, const struct call_place *place)
{
	struct span directory;

	if (is_of_directory(place))
		return place->error == LINUX_ENOENT;
	if (!is_missing(place) || !process_table_lost_directory(e->process, &directory))
		return false;
	return span_starts(span_of_string(place->text), "/") &&
	       strlen(place->text) > directory.size &&
	       !memcmp(place->text, directory.data, directory.size);
}

static bool is_denied(const struct call_place *place)
{
	return *place->text == '/' && escape_is_shell_word(place->text, strlen(place->text)) &&
	       (place->error == LINUX_EACCES || place->error == LINUX_EPERM);
}

static void emit_remedy(
	const struct check *e, struct check_result *out, const struct call_place *place)
{
	const struct failure_meaning *meaning = failure_meaning_of(e, place);

	if (meaning && meaning->limit)
		finding_remedy(out, "%s", meaning->remedy);
	else if (failure_descriptors(e, place))
		finding_remedy(out,
			"sooth inspect --fds %u shows what is open: close what is not used, or "
			"raise the limit (ulimit -n, systemd: LimitNOFILE=)",
			e->id.pid);
	else if (is_in_deleted_directory(e, place))
		finding_remedy(out, "restart it in a directory that exists");
	else if (is_denied(place))
		finding_remedy(out,
			"namei -l %s shows owner and mode of each part; the process runs as user "
			"%u",
			place->text, e->process->process->uid);
	else if (place->error == LINUX_EBUSY &&
		 escape_is_shell_word(place->text, strlen(place->text)))
		finding_remedy(out,
			"fuser -v %s lists the processes that use it; of a mount: fuser -vm %s",
			place->text, place->text);
	else if (!port_owner_is_in_use(place) || !port_owner_remedy(e, out, place->text))
		finding_remedy(out, "%s%ssooth trace -Z -p %u shows each failed call",
			meaning && meaning->remedy ? meaning->remedy : "",
			meaning && meaning->remedy ? "; " : "", e->id.pid);
}

/* Says what most of the used-up descriptors are: connections that it forgot to close. */
static void put_forgotten(struct buffer *out, const struct check *e, uint64_t descriptors)
{
	const struct snapshot *last = check_last(e, &e->input->sockets);
	uint64_t closed = 0;

	if (!snapshot_end(last, sizeof(struct sockets_process)))
		return;
	sockets_each (last, s)
		closed += socket_is_closed_by_peer(s);
	if ((double)closed >= MOST_SHARE * (double)descriptors)
		buffer_format(out,
			" (%llu are connections that the peer has closed and it has not)",
			(unsigned long long)closed);
}

/* Appends the error, its meaning for this call and the process that it is about: "EMFILE (Too many
 * open files)". */
static void put_error(struct buffer *out, const struct check *e, const struct call_place *place)
{
	const char *error = errno_name(call_place_errno(place)) ?: "an error";
	const struct failure_meaning *meaning = failure_meaning_of(e, place);
	uint64_t descriptors = failure_descriptors(e, place);

	if (descriptors) {
		buffer_format(out, "all %llu descriptors that it may open are in use",
			(unsigned long long)descriptors);
		put_forgotten(out, e, descriptors);
		buffer_format(out, ": %s", error);
	} else if (meaning && meaning->limit)
		buffer_format(out, "%s: %s", meaning->text, error);
	else if (meaning)
		buffer_format(out, "%s: %s", error, meaning->text);
	else
		buffer_format(out, "%s (%s)", error, errno_text(place->error) ?: "unknown");
}

/* Appends that no pseudo terminal is free, and the processes that run most of them. */
static void put_terminals(struct buffer *out, const struct check *e, const struct call_place *place)
{
	struct limit_users users;

	if (place->error != LINUX_ENOSPC || !span_ends(span_of_string(place->text), "/ptmx"))
		return;
	buffer_string(out, ": no pseudo terminal is free");
	limit_users_find(&users, e, LIMITS_SHARED_TERMINALS, span_of("", 0));
	limit_users_put(out, e, &users, LIMITS_SHARED_TERMINALS);
}

static void put_process(struct buffer *out, const struct check *e, const struct call_place *place)
{
	put_terminals(out, e, place);
	failure_meaning_put_process(out, e, place);
	if (port_owner_is_in_use(place))
		port_owner_put(out, e, place->text);
}

static void report_path(struct look *l, const struct trouble *t, const char *what)
{
	const struct call_place *place = t->place;
	const struct check *e = l->e;
	bool is_lost = is_in_deleted_directory(e, place);
	char name[SYSCALL_NAME_SIZE];

	check_call_name(place->abi, place->number, name);
	if (call_error_is_grave(place->error))
		finding_severity(l->out, FINDING_HIGH);
	/* The process may wait for the file on purpose. */
	else if (is_lost ? check_has_finding(e, "left-behind")
			 : is_missing(place) && !is_often(l, place, &t->all, t->times, what))
		finding_severity(l->out, FINDING_LOW);
	if (t->paths > 1) {
		finding_claim(l->out,
			"%s keeps failing, %.0f times, on %llu paths such as %s: ", name, t->times,
			(unsigned long long)t->paths, place->text);
		put_error(&l->out->claim, e, place);
	} else {
		if (*place->text)
			finding_path(l->out, span_of_string(place->text));
		finding_claim(l->out, "%s%s%s%s keeps failing, %.0f times: ",
			is_lost ? "its working directory was deleted: " : "", name,
			*place->text ? " on " : "", place->text, t->times);
		put_error(&l->out->claim, e, place);
		put_process(&l->out->claim, e, place);
	}
	if (t->times < (double)t->all.count)
		finding_calls_count(l->out, "failures including path searches", t->all.count);
	emit_remedy(e, l->out, place);
}

/* `key`: the place, without its path if there are several. */
static void report_failures(struct look *l, const struct trouble *t, const struct call_place *key)
{
	bool is_estimate =
		is_lock(t->place) || (is_no_room(t->place) ? !find_group_without_tasks_left(l->e)
							   : l->e->calls.lost > 0);
	char what[KEY_SIZE];

	put_key(key, what);
	finding_begin(l->out, confidence_high_if(!is_estimate), what);
	if (t->space) {
		finding_severity(l->out, FINDING_HIGH);
		space_failure_report(l->e, l->out, t->space, t->place, t->all.count, t->paths);
	}
	check_calls_times(l->out, t->times, t->all.first_ns, t->all.last_ns);
	if (t->space) {
		/* reported before the times */
	} else if (is_lock(t->place)) {
		report_lock(l, t);
	} else if (is_no_room(t->place)) {
		report_no_room(l, t);
	} else if (watch_failure_is(l->e, t->place)) {
		finding_severity(l->out, FINDING_HIGH);
		watch_failure_report(l->e, l->out, t->place, t->times);
	} else {
		report_path(l, t, what);
	}
}

/* --- commands that it starts --- */

static double weigh_children(const void *key, const void *value, const void *user)
{
	const struct child_failures *f = value;

	(void)key;
	return f->children >= check_option(user, "min-commands") &&
			       f->last_ns - f->first_ns >= NS_PER_S
		       ? (double)f->children
		       : 0;
}

static void report_children(
	struct look *l, const struct call_place *place, const struct child_failures *f)
{
	char key[KEY_SIZE], what[KEY_SIZE + 16];
	struct check_result *out = l->out;
	const struct fds_filesystem *space = space_failure_of(l->e, place);
	struct buffer *claim;
	char name[SYSCALL_NAME_SIZE];

	put_key(place, key);
	snprintf(what, sizeof(what), "children %s", key);
	finding_begin(out, confidence_medium_if(!l->e->calls.lost), what);
	claim = &out->claim;
	finding_claim(out, "its children (%s) keep failing, %llu of them: ", f->names,
		(unsigned long long)f->children);
	if (is_lock(place)) {
		lock_failure_text(claim, l->e, place);
	} else if (space) {
		space_failure_text(claim, space, place->error);
	} else {
		finding_claim(out, "%s%s%s: ", check_call_name(place->abi, place->number, name),
			*place->text ? " on " : "", place->text);
		put_error(claim, l->e, place);
	}
	put_process(claim, l->e, place);
	finding_calls_count(out, "commands that ended with an error", f->children);
	finding_time(out, "time from the first to the last failure", f->last_ns - f->first_ns);
	if (*place->text)
		finding_path(out, span_of_string(place->text));
	if (is_lock(place))
		lock_failure_emit(l->e, out, place, lock_failure_owner(l->e, place),
			span_of_string(f->names));
	else if (is_denied(place) || port_owner_is_in_use(place) || place->error == LINUX_EBUSY)
		emit_remedy(l->e, out, place);
	else
		finding_remedy(out,
			"%ssooth trace -Z -p %u shows each failed call of these commands too",
			place->error == LINUX_ENOMEM
				? "if the host has free memory, raise their limit of address space "
				  "(ulimit -v, RLIMIT_AS); "
				: "",
			l->e->id.pid);
}

static size_t diagnose_children(struct look *l)
{
	struct check_ranked top;
	struct child_calls children;
	size_t count;

	child_calls_read(&children, l->e);
	count = check_rank(&children.failures, weigh_children, l->e, &top, 1);
	if (count)
		report_children(l, top.key, top.value);
	child_calls_fini(&children);
	return count;
}

/* --- calls on descriptors that are not open --- */

/* A program that closes all numbers up to its limit before each exec, as it does not know which are
 * open. Such an answer alone is ordinary. */
struct unopened {
	const struct check *e;
	double all, bad; /* calls of these processes */
	double most;	 /* calls on such numbers, of one process */
	uint64_t processes;
	uint16_t abi;
	uint32_t number; /* number of the call */
};

static void count_unopened(void *user, const struct call_history *h)
{
	struct unopened *u = user;
	double bad = 0, all = 0;

	call_repeats_each (h, key, r) {
		all += (double)r->count;
		if (key->result != -LINUX_EBADF)
			continue;
		bad += (double)r->count;
		u->abi = key->abi;
		u->number = key->number;
	}
	if (bad < check_option(u->e, "min-unopened"))
		return;
	u->processes++;
	u->all += all;
	u->bad += bad;
	u->most = bad > u->most ? bad : u->most;
}

static size_t diagnose_unopened(struct look *l)
{
	struct unopened u = { .e = l->e };
	bool is_own;
	char name[SYSCALL_NAME_SIZE];

	count_unopened(&u, l->e->calls.history);
	is_own = u.processes;
	if (!is_own)
		child_calls_each(l->e, count_unopened, &u);
	if ((!is_own && (double)u.processes < check_option(l->e, "min-commands")) ||
		u.bad < UNOPENED_SHARE * u.all)
		return 0;
	finding_begin(l->out, FINDING_CONFIDENCE_HIGH, "unopened");
	finding_claim(l->out,
		"%s %s on numbers that are not open (EBADF), %.0f %% of %s calls: at least %.0f "
		"times%s",
		is_own ? "it calls" : "its children call", check_call_name(u.abi, u.number, name),
		100 * u.bad / u.all, is_own ? "its" : "their", u.most,
		is_own ? "" : " in one of them");
	if (!is_own)
		finding_calls_count(l->out, "children that do so", u.processes);
	finding_remedy(l->out,
		"close only what is open: close_range(3, ~0U, 0), or the numbers in /proc/self/fd; "
		"a lower limit of descriptors helps too (ulimit -n, systemd: LimitNOFILE=)");
	return 1;
}

/* --- errors of the process or the host, whatever the path --- */

/* Fills `out` with call_place -> struct trouble; the place has no path, and of a full file system
 * only its mount and the error. */
static void read_graves(struct map *out, const struct look *l)
{
	map_init(out, sizeof(struct call_place), sizeof(struct trouble), GRAVE_MAX);
	map_for_each (&l->e->calls.history->failures, const struct call_place *, place,
		const struct call_failures *, f) {
		const struct fds_filesystem *space = space_failure_of(l->e, place);
		struct call_place kind = { place->number, place->abi, place->error, { 0 } };
		struct trouble *t;

		if (!space && (!call_error_is_grave(place->error) || is_beside_accept(l, place)))
			continue;
		if (space)
			kind = (struct call_place){ .number = space->mount,
				.error = place->error ?: LINUX_ENOSPC,
				.text = "space" };
		t = map_put(out, &kind, NULL);
		if (!t)
			continue;
		t->space = space;
		t->paths++;
		t->is_reported |= weigh_failures(place, f, l) > 0;
		call_failures_add(&t->all, f);
		if (f->count <= t->place_count)
			continue;
		t->place = place;
		t->place_count = f->count;
	}
}

static double weigh_grave(const void *key, const void *value, const void *user)
{
	const struct trouble *t = value;
	bool is_enough = t->space ? t->all.count >= check_option(user, "min-space")
				  : t->all.seen >= check_option(user, "min-grave");

	(void)key;
	return is_enough && !t->is_reported ? (double)t->all.count : 0;
}

static size_t diagnose_graves(struct look *l)
{
	struct check_ranked top[SHOWN_MAX];
	struct map graves;
	size_t count;

	read_graves(&graves, l);
	count = check_rank(&graves, weigh_grave, l->e, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++) {
		struct trouble t = *(const struct trouble *)top[i].value;

		t.times = top[i].weight;
		report_failures(l, &t, top[i].key);
	}
	map_fini(&graves);
	return count;
}

static size_t diagnose_places(struct look *l)
{
	struct check_ranked top[SHOWN_MAX];
	size_t count =
		check_rank(&l->e->calls.history->failures, weigh_failures, l, top, SHOWN_MAX);

	for (size_t i = 0; i < count; i++) {
		struct trouble t = { .place = top[i].key, .times = top[i].weight, .paths = 1 };

		t.all = *(const struct call_failures *)top[i].value;
		report_failures(l, &t, top[i].key);
	}
	return count;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct look look = { .e = e, .out = out };
	size_t count;
	uint64_t failures = 0;
	char fine[96];

	map_for_each (&e->calls.history->failures, const struct call_place *, place,
		const struct call_failures *, value) {
		if (place->error != CALL_SHORT_WRITE)
			failures += value->count;
		look.accept_fails |= place->error == LINUX_EMFILE && is_accept_call(place);
	}
	look.requests = failures ? requests_of(e, e->calls.history) : 0;
	count = diagnose_graves(&look);
	count += diagnose_places(&look);
	count += diagnose_children(&look);
	count += diagnose_unopened(&look);
	snprintf(fine, sizeof(fine), "%llu error%s in %llu calls, none repeated often",
		(unsigned long long)failures, failures == 1 ? "" : "s",
		(unsigned long long)e->calls.history->calls);
	if (!count)
		check_calls_fine(e, out, fine);
}

const struct finding_detector finding_syscall_errors = { diagnose, FINDING_OPTIONS(options) };
