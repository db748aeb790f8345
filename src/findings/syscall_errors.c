/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall-errors: a system call keeps failing with the same error on the same file or descriptor.
 * Errors that are ordinary answers do not count (probes/syscalls.def), nor do searches: a missing
 * path counts only from its second failure, less the times that its name was found elsewhere.
 * Failures because a file system is full or read-only count together, whatever the path. */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/evidence/child_calls.h"
#include "analyze/evidence/failure_meaning.h"
#include "analyze/evidence/limit_failure.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/lock_failure.h"
#include "analyze/evidence/port_owner.h"
#include "analyze/evidence/space_failure.h"
#include "analyze/evidence/task_members.h"
#include "analyze/evidence/task_room.h"
#include "analyze/evidence/watch_failure.h"
#include "analyze/evidence/work_share.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/units.h"
#include "explain/finding.h"
#include "model/errno_names.h"
#include "probes/waits.h"

#define SHOWN_MAX 4
#define GRAVE_MAX 256 /* kinds of failures that are kept */

/* --- the finding --- */

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 10, 0.01, 1e9,
		"minimum failures per second of a system call on one path"),
	THRESHOLD("min-rate-lasting", 2, 0.01, 1e9,
		"minimum failures per second of a system call on one path that fails during the "
		"whole observation"),
	THRESHOLD("min-rate-missing", 100, 0.01, 1e9,
		"minimum failures per second of a system call because a file does not exist"),
	THRESHOLD("min-times", 20, 1, 1e9, "minimum number of failures of the system call"),
	THRESHOLD("min-grave", 3, 1, 1e9,
		"minimum number of failures with ENOSPC, EMFILE, ENOMEM, EIO or a port in use, or "
		"because the directory of a new file is missing"),
	THRESHOLD("min-space", 1, 1, 1e9,
		"minimum number of failures because a file system is full or read-only"),
	THRESHOLD("min-commands", 3, 1, 1e9,
		"minimum number of commands of the process that end with an error after the same "
		"failure"),
	THRESHOLD("min-age-missing", 60e9, 0, 86400e9,
		"minimum process age for a few failures because a file does not exist",
		.unit = SOOTH_UNIT_NS),
};

struct look {
	const struct check *e;
	struct check_result *out;
	struct check_calls calls;
	bool accept_fails; /* accept(2) fails with EMFILE */
	double requests;   /* reads that brought data of clients: their requests, not its own */
};

static bool is_missing(const struct call_place *place)
{
	return place->error == LINUX_ENOENT || place->error == LINUX_ENOTDIR;
}

/* Returns how many of these failures neither belong to a search nor answer a client's request. */
static double surplus(const struct look *l, const struct call_place *place, double count)
{
	const struct call_history *h = l->calls.history;
	double excused;

	if (!is_missing(place))
		return count;
	excused = 1 + l->requests + (*place->text ? (double)call_history_found(h, place->text) : 0);
	return count > excused ? count - excused : 0;
}

static double requests_of(const struct check *e, const struct call_history *h)
{
	const struct call_repeat_key *key;
	const struct call_repeat *r;
	bool serves = work_has_listener(e);
	size_t position = 0;
	double count = 0;

	while (serves && (r = call_repeats_next(h, &position, &key))) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (r->is_socket && key->result > 0 && row &&
			row->transfer.direction == SYSCALL_READS)
			count += (double)r->count;
	}
	return count;
}

static void put_key(const struct call_place *place, char *out, size_t size)
{
	char name[SYSCALL_NAME_SIZE];

	snprintf(out, size, "%s %u %s", check_call_name(place->abi, place->number, name),
		place->error, place->text);
}

/* Returns whether the call fails in every second: the first and the last may have been observed
 * only in part. */
static bool lasts(const struct check_calls *c, const struct call_failures *f)
{
	uint64_t seconds = c->interval_ns / NS_PER_S;

	return seconds >= 2 && f->seconds >= seconds;
}

/* Returns whether the process retries with pauses, all the time. Only opening a file counts:
 * looking for a file that may be missing is no failure. While a program starts, it waits for files
 * that may come. */
static bool is_lasting(const struct look *l, const struct call_place *place,
	const struct call_failures *f, double times, const char *what)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return lasts(&l->calls, f) &&
	       check_is_over(l->e, "min-rate-lasting", check_calls_rate(&l->calls, times), what) &&
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
		       check_calls_rate(&l->calls, times), what);
}

static bool is_no_room(const struct call_place *place)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return row && call_error_is_no_room(row, place->error);
}

/* Returns whether a lock failed: only for locks, and for a start without room, these errors are no
 * ordinary answers. */
static bool is_lock(const struct call_place *place)
{
	if (is_no_room(place))
		return false;
	return place->error == LINUX_EEXIST || place->error == LINUX_EAGAIN;
}

/* Returns whether the process tries to lock for most of the observation, however seldom. */
static bool is_lock_lasting(const struct look *l, const struct call_failures *f)
{
	return (double)f->seen >= check_option(l->e, "min-commands") &&
	       (f->last_ns - f->first_ns) * 2 >= l->calls.interval_ns;
}

static bool accepts(const struct call_place *place)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return row && row->effect.what == SYSCALL_FD_ACCEPTS;
}

/* Returns whether a server without descriptors does not accept its clients: a file that it also
 * fails to open matters less. */
static bool is_beside_accept(const struct look *l, const struct call_place *place)
{
	return place->error == LINUX_EMFILE && l->accept_fails && !accepts(place);
}

static double weigh(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_place *place = key;
	const struct call_failures *f = value;
	double times = surplus(l, place, (double)f->count);
	char what[CALL_PATH + SYSCALL_NAME_SIZE + 16];

	if (place->error == CALL_SHORT_WRITE || space_failure_is(l->e, place) ||
		watch_failure_is(l->e, place) || is_beside_accept(l, place))
		return 0;
	if (is_lock(place))
		return is_lock_lasting(l, f) ? times : 0;
	put_key(place, what, sizeof(what));
	if (place->error == CALL_NO_DIRECTORY)
		return f->last_ns - f->first_ns >= NS_PER_S &&
				       (double)f->seen >= check_option(l->e, "min-grave")
			       ? times
			       : 0;
	if ((call_error_is_grave(place->error) || is_no_room(place) ||
		    port_owner_is_in_use(place)) &&
		times >= check_option(l->e, "min-grave") &&
		(double)f->seen >= check_option(l->e, "min-grave"))
		return times;
	return is_often(l, place, f, times, what) || is_lasting(l, place, f, times, what) ? times
											  : 0;
}

/* --- the finding --- */

/* Reports a lock. The process may wait for a program that is at work. */
static void report_lock(struct look *l, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct call_failures *f = one->value;
	char what[CALL_PATH + SYSCALL_NAME_SIZE + 16];
	const struct waits_party *owner = lock_failure_owner(l->e, place);
	bool is_stale = owner && !owner->is_alive;
	struct buffer text = { 0 };

	put_key(place, what, sizeof(what));
	lock_failure_text(&text, place);
	finding_begin(l->out, FINDING_CONFIDENCE_MEDIUM, what);
	finding_severity(l->out, is_stale ? FINDING_MEDIUM : FINDING_LOW);
	finding_claim(l->out, "waits for a%s lock: %s; %.0f tries", is_stale ? " stale" : "",
		buffer_cstr(&text), one->weight);
	check_calls_times(&l->calls, l->out, one->weight, f->first_ns, f->last_ns);
	lock_failure_emit(l->out, place, owner);
	check_calls_unseen(&l->calls, l->e, l->out);
	finding_end(l->out);
	buffer_fini(&text);
}

static void emit_full_group(struct check_result *out, const struct limits_group *g)
{
	struct span path = record_text(&g->record, &g->path);

	finding_text(out, "control group", "%.*s", (int)path.size, path.data);
	if (g->used_state == SOOTH_STATE_VALUE)
		finding_number(out, "processes and threads in the control group", (double)g->used,
			SOOTH_UNIT_NONE, 0);
	finding_number(out, "processes and threads that it may have", (double)g->limit,
		SOOTH_UNIT_NONE, 0);
	finding_remedy(out,
		"end processes of the group (systemd-cgls shows them), or raise its pids.max "
		"(systemd: TasksMax=)");
}

/* Returns how many processes and threads the user of the process may have; 0: unlimited, or not
 * known. */
static uint64_t tasks_of_user_max(const struct check *e)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct limits_resource *l = record_as(r, LIMITS_RESOURCE, sizeof(*l));

		if (l && record_has_text(r, &l->name) && l->soft_state == SOOTH_STATE_VALUE &&
			span_equal(record_text(r, &l->name), "NPROC"))
			return l->soft;
	}
	return 0;
}

static void report_no_room(struct look *l, const struct check_ranked *one)
{
	const struct limits_group *g = task_room_full_group(l->e);
	const struct call_failures *f = one->value;
	char name[SYSCALL_NAME_SIZE], what[CALL_PATH + SYSCALL_NAME_SIZE + 16];
	const struct call_place *place = one->key;
	struct limit_users users;
	struct span path = g ? record_text(&g->record, &g->path) : span_of("", 0);
	struct buffer by = { 0 };
	bool is_of_user;

	if (g)
		task_members_put(&by, l->e, g);
	else
		limit_users_of_user(&users, l->e);
	is_of_user = !g && tasks_of_user_max(l->e) && users.sum >= (double)tasks_of_user_max(l->e);
	if (is_of_user)
		limit_users_put(&by, l->e, &users, LIMITS_SHARED_TASKS);
	check_call_name(place->abi, place->number, name);
	put_key(place, what, sizeof(what));
	finding_begin(l->out, g ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, what);
	finding_severity(l->out, FINDING_HIGH);
	if (g)
		finding_claim(l->out,
			"cannot start processes or threads: its control group %.*s has "
			"reached its limit of %llu%s; %s failed %.0f times",
			(int)path.size, path.data, (unsigned long long)g->limit, buffer_cstr(&by),
			name, one->weight);
	else if (is_of_user)
		finding_claim(l->out,
			"cannot start processes or threads: its user has reached the limit of "
			"%llu (ulimit -u)%s; %s failed %.0f times",
			(unsigned long long)tasks_of_user_max(l->e), buffer_cstr(&by), name,
			one->weight);
	else
		finding_claim(l->out,
			"cannot start processes or threads: a limit of processes is reached; %s "
			"failed with EAGAIN %.0f times",
			name, one->weight);
	buffer_fini(&by);
	check_calls_times(&l->calls, l->out, one->weight, f->first_ns, f->last_ns);
	check_calls_unseen(&l->calls, l->e, l->out);
	if (g) {
		emit_full_group(l->out, g);
	} else if (is_of_user) {
		finding_remedy(l->out,
			"end processes of the user, or raise the limit (ulimit -u, systemd: "
			"LimitNPROC=)");
	} else {
		finding_unseen(l->out,
			"which limit: of the user (ulimit -u), of the control group (pids.max) or "
			"of the host (kernel.threads-max)");
		finding_remedy(l->out, "sooth inspect --limits %u shows the limits", l->e->id.pid);
	}
	finding_end(l->out);
}

/* Returns whether the path is in the working directory, which was deleted: nothing there can be
 * found. */
static bool is_in_deleted_directory(const struct check *e, const struct call_place *place)
{
	struct span directory;

	if (!is_missing(place) || !process_table_lost_directory(e->process, &directory))
		return false;
	return span_starts(span_of(place->text, strlen(place->text)), "/") &&
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
	const struct limit_failure *limit = limit_failure_of(e, place);
	const struct failure_meaning *meaning = failure_meaning_of(place);

	if (limit)
		finding_remedy(out, "%s", limit->remedy);
	else if (limit_failure_descriptors(e, place))
		finding_remedy(out,
			"sooth inspect --fds %u shows what is open: close what is not used, or "
			"raise the "
			"limit (ulimit -n, systemd: LimitNOFILE=)",
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
	else if (port_owner_is_in_use(place) && port_owner_remedy(e, out, place->text))
		return;
	else if (meaning && meaning->remedy)
		finding_remedy(out, "%s; sooth trace -Z -p %u shows each failed call",
			meaning->remedy, e->id.pid);
	else
		finding_remedy(out, "sooth trace -Z -p %u shows each failed call", e->id.pid);
}

/* Writes the error and its meaning for this call: "EMFILE (Too many open files)". */
static void put_error(const struct check *e, const struct call_place *place, char *out, size_t size)
{
	const char *error = errno_name(call_place_errno(place)), *text = errno_text(place->error);
	const struct limit_failure *limit = limit_failure_of(e, place);
	uint64_t descriptors = limit_failure_descriptors(e, place);
	const struct failure_meaning *meaning = failure_meaning_of(place);

	if (limit)
		snprintf(out, size, "%s: %s", limit->text, error ? error : "an error");
	else if (descriptors)
		snprintf(out, size, "all %llu descriptors that it may open are in use: %s",
			(unsigned long long)descriptors, error);
	else if (meaning)
		snprintf(out, size, "%s: %s", error ? error : "an error", meaning->text);
	else
		snprintf(out, size, "%s (%s)", error ? error : "an error", text ? text : "unknown");
}

static void report(struct look *l, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct call_failures *f = one->value;
	char name[SYSCALL_NAME_SIZE], what[CALL_PATH + SYSCALL_NAME_SIZE + 16], error[128];
	const struct check *e = l->e;
	struct check_result *out = l->out;
	struct buffer by = { 0 };

	if (is_lock(place)) {
		report_lock(l, one);
		return;
	}
	if (is_no_room(place)) {
		report_no_room(l, one);
		return;
	}
	check_call_name(place->abi, place->number, name);
	put_key(place, what, sizeof(what));
	finding_begin(
		out, l->calls.lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	if (call_error_is_grave(place->error))
		finding_severity(out, FINDING_HIGH);
	/* The process may wait for the file on purpose. */
	else if (is_in_deleted_directory(e, place) && check_has_finding(e, "left-behind"))
		finding_severity(out, FINDING_LOW);
	else if (is_missing(place) && !is_in_deleted_directory(e, place) &&
		 !is_often(l, place, f, one->weight, what))
		finding_severity(out, FINDING_LOW);
	if (*place->text)
		finding_path(out, span_of(place->text, strlen(place->text)));
	put_error(e, place, error, sizeof(error));
	failure_meaning_put_process(&by, e, place);
	if (port_owner_is_in_use(place))
		port_owner_put(&by, e, place->text);
	finding_claim(out, "%s%s%s%s keeps failing, %.0f times: %s%s",
		is_in_deleted_directory(e, place) ? "its working directory was deleted: " : "",
		name, *place->text ? " on " : "", place->text, one->weight, error,
		buffer_cstr(&by));
	buffer_fini(&by);
	check_calls_times(&l->calls, l->out, one->weight, f->first_ns, f->last_ns);
	if (one->weight < (double)f->count)
		finding_number(out, "failures including path searches", (double)f->count,
			SOOTH_UNIT_NONE, l->calls.interval_ns);
	check_calls_unseen(&l->calls, e, out);
	emit_remedy(e, out, place);
	finding_end(out);
}

/* --- commands that it starts --- */

static double weigh_children(const void *key, const void *value, const void *user)
{
	const struct child_failures *f = value;

	(void)key;
	return (double)f->children >= check_option(user, "min-commands") &&
			       f->last_ns - f->first_ns >= NS_PER_S
		       ? (double)f->children
		       : 0;
}

static void claim_children(const struct check *e, struct check_result *out,
	const struct call_place *place, const struct child_failures *f)
{
	char name[SYSCALL_NAME_SIZE], error[128];
	struct buffer what = { 0 };

	if (is_lock(place)) {
		lock_failure_text(&what, place);
	} else if (!space_failure_text(&what, e, place)) {
		put_error(e, place, error, sizeof(error));
		buffer_format(&what, "%s%s%s: %s", check_call_name(place->abi, place->number, name),
			*place->text ? " on " : "", place->text, error);
	}
	failure_meaning_put_process(&what, e, place);
	if (port_owner_is_in_use(place))
		port_owner_put(&what, e, place->text);
	finding_claim(out, "its children (%s) keep failing, %llu of them: %s", f->names,
		(unsigned long long)f->children, buffer_cstr(&what));
	buffer_fini(&what);
}

static void report_children(struct look *l, const struct check_ranked *one)
{
	const struct call_place *place = one->key;
	const struct child_failures *f = one->value;
	char key[CALL_PATH + SYSCALL_NAME_SIZE + 16], what[sizeof(key) + 16];
	struct check_result *out = l->out;

	put_key(place, key, sizeof(key));
	snprintf(what, sizeof(what), "children %s", key);
	finding_begin(
		out, l->calls.lost ? FINDING_CONFIDENCE_LOW : FINDING_CONFIDENCE_MEDIUM, what);
	claim_children(l->e, out, place, f);
	finding_number(out, "commands that ended with an error", (double)f->children,
		SOOTH_UNIT_NONE, l->calls.interval_ns);
	finding_number(out, "time from the first to the last failure",
		(double)(f->last_ns - f->first_ns), SOOTH_UNIT_NS, 0);
	check_calls_unseen(&l->calls, l->e, out);
	if (is_lock(place)) {
		lock_failure_emit(out, place, lock_failure_owner(l->e, place));
	} else {
		if (*place->text)
			finding_path(out, span_of(place->text, strlen(place->text)));
		if (is_denied(place) || port_owner_is_in_use(place) || place->error == LINUX_EBUSY)
			emit_remedy(l->e, out, place);
		else
			finding_remedy(out,
				"sooth trace -Z -p %u shows each failed call of these commands too",
				l->e->id.pid);
	}
	finding_end(out);
}

static size_t diagnose_children(struct look *l)
{
	struct check_ranked top[SHOWN_MAX];
	struct child_calls children;
	size_t count;

	child_calls_read(&children, l->e);
	count = check_rank(&children.failures, weigh_children, l->e, top, 1);
	for (size_t i = 0; i < count; i++)
		report_children(l, &top[i]);
	child_calls_fini(&children);
	return count;
}

/* --- errors of the process or the host, whatever the path --- */

struct grave {
	struct call_failures sum;
	uint64_t paths;
	const struct call_place *place; /* one of these failures */
	bool is_reported;		/* a finding of one of the paths was reported */
};

static void read_graves(struct map *out, const struct look *l)
{
	map_init(out, sizeof(struct call_place), sizeof(struct grave), GRAVE_MAX);
	map_for_each (
		&l->calls.history->failures, const void *, key, const struct call_failures *, f) {
		struct call_place kind = *(const struct call_place *)key;
		struct grave *g;

		if (!call_error_is_grave(kind.error) || space_failure_is(l->e, key) ||
			watch_failure_is(l->e, key) || is_beside_accept(l, key))
			continue;
		memset(kind.text, 0, sizeof(kind.text));
		g = map_put(out, &kind, NULL);
		if (!g)
			continue;
		g->place = key;
		g->paths++;
		g->is_reported |= weigh(key, f, l) > 0;
		call_failures_add(&g->sum, f);
	}
}

static double weigh_grave(const void *key, const void *value, const void *user)
{
	const struct grave *g = value;

	(void)key;
	return !g->is_reported && (double)g->sum.seen >= check_option(user, "min-grave")
		       ? (double)g->sum.count
		       : 0;
}

static void report_grave(struct look *l, const struct check_ranked *one)
{
	const struct grave *g = one->value;
	char name[SYSCALL_NAME_SIZE], what[CALL_PATH + SYSCALL_NAME_SIZE + 16], error[128];

	check_call_name(g->place->abi, g->place->number, name);
	put_key(one->key, what, sizeof(what));
	finding_begin(
		l->out, l->calls.lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	finding_severity(l->out, FINDING_HIGH);
	put_error(l->e, g->place, error, sizeof(error));
	finding_claim(l->out, "%s keeps failing, %.0f times, on %llu paths such as %s: %s", name,
		one->weight, (unsigned long long)g->paths, g->place->text, error);
	check_calls_times(&l->calls, l->out, one->weight, g->sum.first_ns, g->sum.last_ns);
	check_calls_unseen(&l->calls, l->e, l->out);
	emit_remedy(l->e, l->out, g->place);
	finding_end(l->out);
}

static size_t diagnose_graves(struct look *l)
{
	struct check_ranked top[SHOWN_MAX];
	struct map graves;
	size_t count;

	read_graves(&graves, l);
	count = check_rank(&graves, weigh_grave, l->e, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report_grave(l, &top[i]);
	map_fini(&graves);
	return count;
}

static size_t diagnose_places(struct look *l)
{
	struct check_ranked top[SHOWN_MAX];
	size_t count = check_rank(&l->calls.history->failures, weigh, l, top, SHOWN_MAX);

	for (size_t i = 0; i < count; i++)
		report(l, &top[i]);
	return count;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct look look = { .e = e, .out = out };
	size_t count;
	uint64_t failures = 0;
	char fine[96];

	if (!check_calls_begin(&look.calls, e, out))
		return;
	map_for_each (&look.calls.history->failures, const struct call_place *, place,
		const struct call_failures *, value) {
		if (place->error != CALL_SHORT_WRITE)
			failures += value->count;
		look.accept_fails |= place->error == LINUX_EMFILE && accepts(place);
	}
	look.requests = failures ? requests_of(e, look.calls.history) : 0;
	count = space_failures_report(e, out, &look.calls, check_option(e, "min-space"));
	count += diagnose_places(&look);
	count += diagnose_graves(&look);
	count += watch_failures_report(e, out, &look.calls, check_option(e, "min-grave"));
	count += diagnose_children(&look);
	snprintf(fine, sizeof(fine), "%llu error%s in %llu calls, none repeated often",
		(unsigned long long)failures, failures == 1 ? "" : "s",
		(unsigned long long)look.calls.history->calls);
	if (!count)
		check_calls_fine(e, out, fine);
}

const struct finding_type finding_syscall_errors = {
	.id = "syscall-errors",
	.worst = FINDING_HIGH,
	.claim = "a system call keeps failing",
	.probes = "syscalls",
	.follows = "calls-itself,filling-up,fd-leak,fd-limit-near,watch-limit-near,connect-failing,"
		   "left-behind",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
