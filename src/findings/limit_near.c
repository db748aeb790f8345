/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits that are nearly reached: a row for each resource, of a process, of its user or of the
 * host. A new limit is a row; if the record of the probe limits has its use, it needs no function.
 * The rows of fd-limit-near, cpu-limit-near and watch-limit-near have an id of their own; all
 * others are limit-near.
 *
 * A process that uses more than its limit has lowered the limit itself, as sandboxes do: what it
 * has stays, and is no finding.
 *
 * Cannot be seen: processes of the same user in other PID namespaces; which user an inotify
 * instance counts for if the process changed its user since; whether two descriptors are one
 * instance (dup, fork): they count as two.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/tally.h"
#include "analyze/inspect/limits.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "probes/maps.h"

NUMBER(GROUP_LEAST, 3, NONE, "processes of one program: fewer are no group");
NUMBER(GROUP_SHARE, 0.3, NONE, "of the user's processes that run the named program");
NUMBER(CRITICAL_PERCENT, 97, PERCENT, "of the limit, from which the severity is critical");

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("percent", 80, 0.01, 100, "minimum use of the limit, in percent"),
};

struct use {
	uint8_t state; /* reason why the use is not known; absent: there is no limit, or it was set
			  later */
	const char *unread, *remedy; /* the same in words, and what to do; NULL: `state` has it */
	uint64_t used, limit;
	uint64_t hard;	      /* up to which the process may raise its limit; 0: no hard limit */
	bool is_hard;	      /* `limit` is the hard one */
	bool may_go_on;	      /* the process may handle the signal that comes at the limit */
	uint64_t own;	      /* of this process, if `used` is the sum of its user */
	unsigned read, there; /* the user's processes: in the sum, all; 0: no sum */
	bool is_of_another;   /* another process of the user has more, and gets the finding */
};

struct resource {
	const char *finding;
	const char *key;      /* distinguishes the resources of a finding; "": the only one */
	const char *record;   /* name of the limit in the records of the probe limits */
	const char *name;     /* "CPU time" */
	const char *at_limit; /* text that says what happens at the limit */
	const char *setting;  /* option of prlimit(1), or the name of the sysctl */
	const char *shell;    /* option of ulimit; NULL: `setting` is a sysctl */
	enum sooth_unit unit;
	enum finding_scope scope;
	enum host_resource host; /* resource of the host, if the scope is the host */
	const char *shown_by;	 /* command that shows what uses it; NULL: none */
	bool is_high;		 /* whatever the severity of the finding */
	bool is_critical;	 /* the finding is critical at CRITICAL_PERCENT */
	void (*read)(const struct check *e, const struct resource *r, struct use *u);
	/* Appends what uses most of it, "5 of them /srv/shop.conf"; NULL: nothing to add. */
	bool (*put_most)(struct buffer *out, const struct check *e);
};

/* --- of a process --- */

/* Reads the limit, and returns its record; NULL: there is none, or it was not read. */
static const struct limits_resource *read_limit(
	const struct check *e, const struct resource *of, struct use *u)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	const struct limits_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	const struct limits_resource *r = limit_sums_named(last, of->record);

	if (!r) {
		u->state = end && end->resources_state ? end->resources_state
						       : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
		return NULL;
	}
	u->state = r->soft_state;
	u->limit = r->soft;
	u->hard = r->hard_state == SOOTH_STATE_VALUE ? r->hard : 0;
	return u->state ? NULL : r;
}

static void read_record(const struct check *e, const struct resource *of, struct use *u)
{
	const struct limits_resource *r = read_limit(e, of, u);

	if (!r)
		return;
	u->state = r->used_state;
	u->used = r->used;
}

/* The kernel raises the soft limit of a process that handles SIGXCPU by a second each time: such a
 * process is compared with the hard limit, where it gets SIGKILL. */
static void read_cpu(const struct check *e, const struct resource *of, struct use *u)
{
	const struct snapshot *earlier = check_first(e, &e->input->limits);
	const struct limits_resource *first = limit_sums_named(earlier, of->record);
	const struct limits_resource *last = read_limit(e, of, u);

	if (!last)
		return;
	u->state = last->used_state;
	u->used = last->used;
	u->is_hard = last->used >= last->soft ||
		     (first && first->soft_state == SOOTH_STATE_VALUE && first->soft < last->soft);
	u->may_go_on = !u->is_hard && u->limit <= u->used + 1;
	if (!u->is_hard || u->state)
		return;
	u->limit = last->hard;
	u->state = last->hard_state;
}

static const struct fds_process *read_fds(const struct check *e, struct use *u)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;

	if (!end)
		u->state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	else if (end->descriptors_state > SOOTH_STATE_TRUNCATED)
		u->state = end->descriptors_state;
	return u->state ? NULL : end;
}

static void read_descriptors(const struct check *e, const struct resource *of, struct use *u)
{
	const struct fds_process *end = read_fds(e, u);

	(void)of;
	if (!end)
		return;
	u->state = end->soft_limit == UINT64_MAX ? SOOTH_STATE_ABSENT : end->limit_state;
	u->used = end->descriptors;
	u->limit = end->soft_limit;
	u->hard = end->hard_limit;
}

static const struct fds_descriptor *largest_file(const struct check *e, uint64_t limit)
{
	const struct fds_descriptor *most = NULL;

	check_fds_for_each (e, d) {
		if (d->type == FDS_FILE && !d->size_state && !d->flags_state &&
			(d->access == FDS_ACCESS_WRITE || d->access == FDS_ACCESS_BOTH) &&
			d->size_bytes <= limit && (!most || d->size_bytes > most->size_bytes))
			most = d;
	}
	return most;
}

static void read_file_size(const struct check *e, const struct resource *of, struct use *u)
{
	const struct fds_descriptor *most;

	if (!read_limit(e, of, u) || !read_fds(e, u))
		return;
	most = largest_file(e, u->limit);
	u->used = most ? most->size_bytes : 0;
}

static bool put_largest_file(struct buffer *out, const struct check *e)
{
	const struct limits_resource *r =
		limit_sums_named(check_last(e, &e->input->limits), "FSIZE");
	const struct fds_descriptor *most = r ? largest_file(e, r->soft) : NULL;
	struct span path = most ? record_text(&most->record, &most->path) : span_of("", 0);

	buffer_format(out, "the file %.*s", SPAN_ARGS(path));
	return path.size != 0;
}

static void read_mappings(const struct check *e, const struct resource *of, struct use *u)
{
	const struct maps_process *end = snapshot_end(check_last(e, &e->input->maps), sizeof(*end));

	(void)of;
	if (!end)
		u->state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	else
		u->state = state_is_unmeasured(end->mappings_state) ? end->mappings_state
								    : end->max_state;
	if (!u->state && !end->mappings_max)
		u->state = SOOTH_STATE_ABSENT;
	if (u->state)
		return;
	u->limit = end->mappings_max;
	/* The list has some that do not count; the process cannot have set the limit. */
	u->used = end->mappings < u->limit ? end->mappings : u->limit;
}

static bool put_most_mapped(struct buffer *out, const struct check *e)
{
	struct tally_row most = { 0 };
	_cleanup_(tally_fini) struct tally names = { 0 };

	tally_init(&names);
	snapshot_each (struct maps_mapping, m, check_last(e, &e->input->maps), MAPS_MAPPING) {
		struct span path = record_text(&m->record, &m->path);

		tally_add(&names, path.size ? path : span_of_string("anonymous memory"), true);
	}
	tally_top(&names, tally_last, &most, 1);
	buffer_format(out, "%lld of them %s", (long long)most.last, most.text);
	return most.last > 0;
}

/* --- of the user --- */

/* The kernel does not report the sum of a user: that of the sampled processes is a lower bound. */
static void read_watches(const struct check *e, const struct resource *of, struct use *u)
{
	enum watch_kind k = *of->key ? WATCH_INSTANCES : WATCH_WATCHES;
	struct watch_use sum;

	if (!read_fds(e, u))
		return;
	if (!watch_use_of(&sum, e)) {
		u->unread =
			"the limits of the process are in another user namespace, or not readable";
		u->remedy = "run in that namespace: cat /proc/sys/user/max_inotify_watches";
		return;
	}
	u->used = sum.sum[k];
	u->limit = sum.limit[k];
	u->own = sum.own[k];
	u->read = sum.read;
	u->there = sum.there;
	u->is_of_another = !u->own || sum.most[k].pid != e->id.pid;
}

/* RLIMIT_NPROC counts the threads of all processes of the user, and does not hold for root. */
static void read_processes(const struct check *e, const struct resource *of, struct use *u)
{
	const struct process_entry *own = e->process;

	if (!read_limit(e, of, u))
		return;
	if (!own || !own->process->uid) {
		u->state = SOOTH_STATE_ABSENT;
		return;
	}
	u->own = own->process->threads;
	process_table_for_each (&e->input->host.process_table, p) {
		if (p->process->uid != own->process->uid)
			continue;
		u->used += p->process->threads;
		u->there++;
		u->is_of_another |=
			diagnosis_input_is_selected(e->input, p) &&
			(p->process->threads > u->own ||
				(p->process->threads == u->own && p->id.pid < e->id.pid));
	}
	u->read = u->there;
}

/* Appends what the processes of the user have in common, if it is the same for most of them. */
static bool put_most_common(struct buffer *out, const struct check *e,
	void (*put_common)(struct buffer *out, const struct process_entry *p), const char *is)
{
	_cleanup_(tally_fini) struct tally groups = { 0 };
	struct tally_row most = { 0 };
	unsigned all = 0;

	tally_init(&groups);
	process_table_for_each (&e->input->host.process_table, p) {
		_cleanup_(buffer_fini) struct buffer name = { 0 };
		struct tally_row *row;

		if (!p->is_there || p->process->uid != e->process->process->uid)
			continue;
		all++;
		put_common(&name, p);
		row = name.size ? tally_add(&groups, span_of((const char *)name.data, name.size),
					  true)
				: NULL;
		/* Marked: a process of them has another parent. */
		if (row)
			row->is_marked |= p->process->ppid != 1;
	}
	tally_top(&groups, tally_last, &most, 1);
	if (most.last < GROUP_LEAST || most.last < all * GROUP_SHARE)
		return false;
	buffer_format(out, "%lld of the %u processes are %s%s%s", (long long)most.last, all, is,
		most.text, most.is_marked ? "" : ", children of process 1");
	return true;
}

static void put_parent(struct buffer *out, const struct process_entry *p)
{
	if (p->parent && p->parent->process && p->process->ppid != 1)
		check_put_name(out, p->parent);
}

/* Appends the program that most processes of the user run, or their parent: "10 of the 13 processes
 * are node server.js". Process 1 has adopted them, or has started them as services: which is not
 * known. */
static bool put_most_started(struct buffer *out, const struct check *e)
{
	return e->process && (put_most_common(out, e, check_put_program, "") ||
				     put_most_common(out, e, put_parent, "children of "));
}

/* --- of the host --- */

static void read_host(const struct check *e, const struct resource *of, struct use *u)
{
	const struct host_limit *l = &e->input->host_limits[of->host];

	if (!l->record.time_ns)
		u->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	u->used = l->used;
	u->limit = l->limit;
}

/* Returns how many pseudo terminals the process has opened, by its descriptors of /dev/ptmx. */
static uint64_t terminals_of(const struct check *e, const struct process_entry *p)
{
	const struct snapshot *last = snapshots_get(&e->input->fds.last, &p->id);
	uint64_t count = 0;

	snapshot_each (struct fds_descriptor, d, last, FDS_DESCRIPTOR)
		count += d->type == FDS_PTY;
	return count;
}

/* "47 of them by expect (4711)" */
static bool put_most_of(struct buffer *out, const struct check *e, enum host_resource resource)
{
	const struct process_entry *by = NULL;
	uint64_t most = 0;

	process_table_for_each (&e->input->host.process_table, p) {
		uint64_t its = resource == HOST_TASKS ? p->process->threads : terminals_of(e, p);

		if (its > most) {
			most = its;
			by = p;
		}
	}
	if (!by)
		return false;
	buffer_format(out, "%llu of them by ", (unsigned long long)most);
	check_put_name(out, by);
	return true;
}

static bool put_most_terminals(struct buffer *out, const struct check *e)
{
	return put_most_of(out, e, HOST_TERMINALS);
}

static bool put_most_threads(struct buffer *out, const struct check *e)
{
	return put_most_of(out, e, HOST_TASKS);
}

/* --- the table --- */

#define OF_PROCESS(name_, at_, prlimit_, ulimit_, unit_)                                           \
	.name = name_, .at_limit = at_, .setting = prlimit_, .shell = ulimit_, .unit = (unit_)
#define OF_USER(name_, at_, sysctl_)                                                               \
	.name = name_, .at_limit = at_, .setting = sysctl_, .shown_by = "diagnose -d"
#define OF_HOST(record_, name_, at_, sysctl_)                                                      \
	.key = name_, .host = record_, .name = name_, .at_limit = at_, .setting = sysctl_,         \
	.scope = FINDING_OF_HOST, .read = read_host

static const struct resource resources[] = {
	{ "fd-limit-near", "", .read = read_descriptors, .put_most = fd_most_put,
		.is_critical = true, .shown_by = "inspect --fds",
		OF_PROCESS("descriptors", "every open, connect and spawn fails", "nofile", "-n",
			SOOTH_UNIT_NONE) },
	{ "cpu-limit-near", "", "CPU", .read = read_cpu,
		OF_PROCESS("CPU time", "the kernel ends the process", "cpu", "-t", SOOTH_UNIT_S) },
	{ "watch-limit-near", "", .read = read_watches,
		OF_USER("inotify watches", "file changes go unnoticed",
			"fs.inotify.max_user_watches") },
	{ "watch-limit-near", "instances", .read = read_watches,
		OF_USER("inotify instances", "file changes go unnoticed",
			"fs.inotify.max_user_instances") },
	{ "limit-near", "address space", "AS", .read = read_record,
		OF_PROCESS("address space", "allocations fail (ENOMEM)", "as", "-v",
			SOOTH_UNIT_BYTES) },
	{ "limit-near", "data", "DATA", .read = read_record,
		OF_PROCESS("memory for data", "allocations fail (ENOMEM)", "data", "-d",
			SOOTH_UNIT_BYTES) },
	{ "limit-near", "mappings", .read = read_mappings, .put_most = put_most_mapped,
		.is_high = true, .name = "memory mappings", .setting = "vm.max_map_count",
		.at_limit = "mmap, malloc and new threads fail (ENOMEM)",
		.shown_by = "inspect --maps" },
	{ "limit-near", "signals", "SIGPENDING", .read = read_record,
		OF_PROCESS("signals queued for its user", "timers and sigqueue() fail (EAGAIN)",
			"sigpending", "-i", SOOTH_UNIT_NONE) },
	{ "limit-near", "file size", "FSIZE", .read = read_file_size, .put_most = put_largest_file,
		OF_PROCESS("file size", "writes fail, and SIGXFSZ ends the process", "fsize", "-f",
			SOOTH_UNIT_BYTES) },
	{ "limit-near", "processes", "NPROC", .read = read_processes, .put_most = put_most_started,
		OF_PROCESS("processes and threads", "fork and new threads fail (EAGAIN)", "nproc",
			"-u", SOOTH_UNIT_NONE) },
	{ "limit-near",
		OF_HOST(HOST_TERMINALS, "pseudo terminals",
			"no tool, login or shell gets a terminal", "kernel.pty.max"),
		.put_most = put_most_terminals },
	{ "limit-near",
		OF_HOST(HOST_TASKS, "PIDs", "fork and new threads fail (EAGAIN)", "kernel.pid_max"),
		.put_most = put_most_threads },
	{ "limit-near", OF_HOST(HOST_FILES, "open files of the host",
				"open fails for all users (ENFILE)", "fs.file-max") },
};

static const char *format_amount(char out[UNITS_SIZE], enum sooth_unit unit, uint64_t value)
{
	if (unit == SOOTH_UNIT_BYTES)
		return sentence_size(out, value);
	if (unit == SOOTH_UNIT_S)
		return sentence_duration(out, value * NS_PER_S);
	snprintf(out, UNITS_SIZE, "%llu", (unsigned long long)value);
	return out;
}

static double percent_of(const struct use *u)
{
	if (!u->limit) /* nothing used of nothing, as in a sandbox */
		return u->used ? 100 : 0;
	return 100.0 * (double)u->used / (double)u->limit;
}

static void emit_remedy(const struct check *e, struct check_result *out, const struct resource *of,
	const struct use *u)
{
	unsigned long long hard = u->hard, more = u->limit * 4;

	if (!of->shell)
		finding_remedy(out, "as root: sysctl %s=%llu raises the limit", of->setting, more);
	else if (!u->is_hard && u->hard > u->limit)
		finding_remedy(out, "raise the limit now: prlimit --pid %u --%s=%llu:%llu",
			e->id.pid, of->setting, hard, hard);
	else if (!u->is_hard && !u->hard)
		finding_remedy(out, "remove the limit now: prlimit --pid %u --%s=unlimited",
			e->id.pid, of->setting);
	else
		finding_remedy(out,
			"as root: prlimit --pid %u --%s=%llu:%llu (else restart it where ulimit %s "
			"is higher)",
			e->id.pid, of->setting, more, more, of->shell);
	if (of->shown_by)
		finding_remedy(out, "; sooth %s %u shows what uses it", of->shown_by, e->id.pid);
}

static void report_limit(const struct check *e, struct check_result *out, const struct resource *of,
	const struct use *u)
{
	bool is_lower_bound = u->there && u->own != u->used;
	char used[UNITS_SIZE], limit[UNITS_SIZE];
	bool is_full = u->used >= u->limit;
	_cleanup_(buffer_fini) struct buffer most = { 0 };
	bool has_most = of->put_most && of->put_most(&most, e);

	finding_begin(out, confidence_high_if(!(u->may_go_on || is_lower_bound)), of->key);
	if (of->is_high)
		finding_severity(out, FINDING_HIGH);
	if (u->is_hard || (of->is_critical && percent_of(u) >= CRITICAL_PERCENT))
		finding_severity(out, FINDING_CRITICAL);
	finding_claim(out, "%s of %s: %s of %s%s in use", is_full ? "out" : "almost out", of->name,
		format_amount(used, of->unit, u->used), format_amount(limit, of->unit, u->limit),
		u->there ? " that the user may have are" : "");
	if (u->there && u->own != u->used)
		finding_claim(out, ", %llu by this process", (unsigned long long)u->own);
	finding_claim(out, "%s%s; %s%s", has_most ? ", " : "", buffer_cstr(&most),
		is_full ? "" : "at the limit ", of->at_limit);
	if (of->unit == SOOTH_UNIT_S)
		finding_claim(out, " (%s)", u->is_hard ? "SIGKILL" : "SIGXCPU");
	if (u->there)
		finding_number(out, of->name, (double)u->own, of->unit, 0);
	finding_number(out, u->there ? "of all processes of the user" : of->name, (double)u->used,
		of->unit, 0);
	finding_number(out, of->shell ? u->is_hard ? "hard limit" : "soft limit" : "limit",
		(double)u->limit, of->unit, 0);
	finding_percent(out, "used", percent_of(u), 0);
	if (u->there)
		finding_count(out, "number of the user's processes that were sampled", u->read, 0);
	if (u->may_go_on)
		finding_unseen(out, "whether the process handles SIGXCPU, and goes on");
	if (u->there > u->read)
		finding_unseen(out,
			"%s of %u of the user's %u processes: only agents, or the selected "
			"processes, are sampled",
			of->name, u->there - u->read, u->there);
	if (of->read == read_watches && u->used > u->limit)
		finding_unseen(out,
			"how many %s the user really has: the sum is above the limit, so some "
			"descriptors refer to the same instance",
			of->name);
	emit_remedy(e, out, of, u);
}

static bool is_unread(const struct use *u)
{
	return u->unread || u->state > SOOTH_STATE_TRUNCATED;
}

/* Appends "descriptors: 800 of 1000", or that there is no limit. */
static void put_fine(struct buffer *out, const struct resource *of, const struct use *u)
{
	char used[UNITS_SIZE], limit[UNITS_SIZE];

	buffer_string(out, out->size ? "; " : "");
	if (is_unread(u))
		buffer_format(out, "%s: not measured", of->name);
	else if (u->state)
		buffer_format(out, "%s: no limit", of->name);
	else
		buffer_format(out, "%s: %s of %s%s", of->name,
			format_amount(used, of->unit, u->used),
			format_amount(limit, of->unit, u->limit),
			u->used > u->limit && !u->there ? ", a limit that was set later" : "");
	if (u->there > u->read)
		buffer_format(out, " (%u of the user's %u processes sampled)", u->read, u->there);
}

/* A sum of the user may be above the limit, because what it counts may count twice. */
static bool is_near(const struct check *e, const struct resource *of, const struct use *u)
{
	return !is_unread(u) && !u->state && !u->is_of_another &&
	       (u->there || u->used <= u->limit) &&
	       check_is_over(e, "percent", percent_of(u), of->key);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	enum finding_scope scope = e->process || e->id.pid ? FINDING_OF_PROCESS : FINDING_OF_HOST;
	struct use unread = { 0 };
	unsigned read = 0;
	_cleanup_(buffer_fini) struct buffer fine = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		const struct resource *of = &resources[i];
		struct use u = { 0 };

		if (of->scope != scope || strcmp(of->finding, e->type->id) != 0)
			continue;
		of->read(e, of, &u);
		if (is_unread(&u))
			unread = u;
		else
			read++;
		if (is_near(e, of, &u))
			report_limit(e, out, of, &u);
		else
			put_fine(&fine, of, &u);
	}
	if (!read && unread.unread)
		check_blind_by(out, FINDING_REFUSED, unread.unread, unread.remedy);
	else if (!read)
		check_blind(out, unread.state);
	else if (!out->found)
		check_fine(out, "%s", buffer_cstr(&fine));
}

const struct finding_detector finding_fd_limit_near = { diagnose, FINDING_OPTIONS(options) };
const struct finding_detector finding_cpu_limit_near = { diagnose, FINDING_OPTIONS(options) };
const struct finding_detector finding_watch_limit_near = { diagnose, FINDING_OPTIONS(options) };
const struct finding_detector finding_limit_near = { diagnose, FINDING_OPTIONS(options) };
