/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/failure_meaning.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/file_space.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/peer_process.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/lock_name.h"
#include "model/errno_names.h"

static const struct failure_meaning meanings[] = {
	{ LINUX_EDQUOT, SYSCALL_LIMIT_KEYS, NULL, "the user's quota of keys is used up",
		"/proc/key-users shows the use of each user; keyctl show lists the keys; as root: "
		"sysctl kernel.keys.maxkeys and kernel.keys.maxbytes raise the quota" },
	{ LINUX_EMFILE, SYSCALL_LIMIT_FANOTIFY, NULL,
		"the user's limit of fanotify groups is reached",
		"end what watches files by fanotify, or as root: sysctl "
		"fs.fanotify.max_user_groups raises the limit" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_FANOTIFY_MARKS, NULL,
		"the user's limit of fanotify marks is reached",
		"watch less, or as root: sysctl fs.fanotify.max_user_marks raises the limit" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_EPOLL, NULL, "the user's limit of epoll watches is reached",
		"find the leak of descriptors in epoll, or as root: sysctl "
		"fs.epoll.max_user_watches raises the limit" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_POSIX_QUEUES, NULL, "the limit of message queues is reached",
		"ls /dev/mqueue lists them, rm removes one; as root: sysctl fs.mqueue.queues_max "
		"raises the limit" },
	{ LINUX_EMFILE, SYSCALL_LIMIT_POSIX_QUEUES, NULL,
		"the user's limit of message queues in bytes is reached",
		"ls /dev/mqueue lists them, rm removes one; ulimit -q raises the limit" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_SHARED_MEMORY, NULL,
		"the limit of shared memory segments is reached",
		"ipcs -m lists them, ipcrm -m ID removes one that is unused; as root: sysctl "
		"kernel.shmmni and kernel.shmall raise the limits" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_SEMAPHORES, NULL, "the limit of semaphores is reached",
		"ipcs -s lists them, ipcrm -s ID removes one that is unused; as root: sysctl "
		"kernel.sem raises the limits" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_QUEUES, NULL, "the limit of message queues is reached",
		"ipcs -q lists them, ipcrm -q ID removes one that is unused; as root: sysctl "
		"kernel.msgmni raises the limit" },
	{ LINUX_ENOSPC, SYSCALL_LIMIT_NAMESPACES, NULL, "the limit of namespaces is reached",
		"as root: sysctl -a --pattern user.max_ shows the limits of each kind" },
	{ LINUX_ENOMEM, SYSCALL_LIMIT_LOCKED_MEMORY, NULL, "the process may lock no more memory",
		"ulimit -l raises the limit (systemd: LimitMEMLOCK=)" },
	{ LINUX_EPIPE, SYSCALL_LIMIT_NONE, "pipe:", "no process reads it any more",
		"start the reader again, or end this process: what it writes is lost" },
	{ LINUX_EPIPE, SYSCALL_LIMIT_NONE, NULL, "the other end is closed",
		"open the connection again, or end this process" },
	{ LINUX_EBUSY, SYSCALL_LIMIT_NONE, NULL, "it is in use", NULL },
	{ LINUX_EBADF, SYSCALL_LIMIT_NONE, NULL, "the descriptor is closed",
		"the program uses a descriptor after it closed it, or one it never opened" },
	/* for bind() only: failed connects are counted elsewhere */
	{ LINUX_EADDRNOTAVAIL, SYSCALL_LIMIT_NONE, NULL,
		"this address is on no interface of the host",
		"choose an address of this host: ip addr lists them" },
	{ LINUX_ELOOP, SYSCALL_LIMIT_NONE, NULL, "symbolic links that lead to each other",
		"readlink shows where each link leads" },
	{ LINUX_ETXTBSY, SYSCALL_LIMIT_NONE, NULL, "this program runs, its file cannot be written",
		NULL },
	{ LINUX_EFBIG, SYSCALL_LIMIT_NONE, NULL, "the file is as large as it may be",
		"raise the limit (ulimit -f, systemd: LimitFSIZE=)" },
	{ LINUX_ETOOMANYREFS, SYSCALL_LIMIT_NONE, NULL,
		"descriptors that it has sent and that no process has received are as many as its "
		"user may have open",
		"end the receiver, which closes them, or let it receive (unix(7), "
		"RLIMIT_NOFILE)" },
	{ LINUX_EIO, SYSCALL_LIMIT_NONE, NULL, "the device or file system failed",
		"dmesg has the message of the driver" },
	{ LINUX_ESTALE, SYSCALL_LIMIT_NONE, NULL,
		"the server of this file system does not have the file any more", NULL },
	{ LINUX_EXDEV, SYSCALL_LIMIT_NONE, NULL, "the two paths are on different file systems",
		NULL },
	{ LINUX_EMSGSIZE, SYSCALL_LIMIT_NONE, NULL, "longer than one packet may be", NULL },
	{ CALL_NO_DIRECTORY, SYSCALL_LIMIT_NONE, NULL,
		"the directory in which the file is to be made does not exist",
		"make that directory (mkdir -p), or correct the path in the configuration" },
	{ LINUX_ENOEXEC, SYSCALL_LIMIT_NONE, NULL, "no program of a known format",
		"file PATH shows what it is" },
};

static const struct failure_meaning no_port = { LINUX_EADDRNOTAVAIL, SYSCALL_LIMIT_NONE, NULL,
	"no local port is free for this address",
	"keep fewer connections open, or use one again (ss -tanp shows them, sysctl "
	"net.ipv4.ip_local_port_range the range)" };

static const struct failure_meaning no_route = { LINUX_ENETUNREACH, SYSCALL_LIMIT_NONE, NULL,
	"its network namespace has no route there",
	"ip route lists the routes of a namespace; of this one: nsenter -t PID -n ip route, as "
	"root. A sandbox (unshare -n, --network none) has none, and its interface lo is down until "
	"it is set up: ip link set lo up" };

static bool place_begins(const struct call_place *place, const char *text)
{
	return !strncmp(place->text, text, strlen(text));
}

/* Returns the listing of the descriptors with their limit; NULL: not known. */
static const struct fds_process *descriptors_of(const struct check *e)
{
	const struct fds_process *end = snapshot_end(check_last(e, &e->input->fds), sizeof(*end));

	return end && end->descriptors_state == SOOTH_STATE_VALUE &&
			       end->limit_state == SOOTH_STATE_VALUE
		       ? end
		       : NULL;
}

uint64_t failure_descriptors(const struct check *e, const struct call_place *place)
{
	assert(e);

	const struct fds_process *end = descriptors_of(e);

	assert(place);
	/* A few descriptors may be free again, such as that of the file for the error message. */
	return place->error == LINUX_EMFILE && end &&
			       end->descriptors + end->descriptors / 16 + 1 > end->soft_limit
		       ? end->soft_limit
		       : 0;
}

const struct failure_meaning *failure_meaning_of(
	const struct check *e, const struct call_place *place)
{
	const struct syscall_row *call = syscall_by_number(place->abi, place->number);
	enum syscall_limit limit =
		call && !failure_descriptors(e, place) ? call->limit : SYSCALL_LIMIT_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const struct failure_meaning *m = &meanings[i];

		if (m->error == place->error && (!m->place || place_begins(place, m->place)) &&
			(!m->limit || m->limit == limit))
			return m;
	}
	return NULL;
}

static bool is_limit(const struct check *e, const struct call_place *place)
{
	const struct failure_meaning *m = failure_meaning_of(e, place);

	return m && m->limit;
}

const struct failure_meaning *failure_meaning_of_connect(uint16_t error)
{
	return error == no_port.error ? &no_port : error == no_route.error ? &no_route : NULL;
}

/* Appends a process that uses the directory; only diagnosed processes and children are known. */
static void put_directory_user(
	struct buffer *out, const struct check *e, const struct call_place *place)
{
	process_table_for_each (&e->input->host.process_table, p) {
		struct span directory = record_text(&p->process->record, &p->process->directory);

		if (!path_is_within(directory, span_of_string(place->text)))
			continue;
		buffer_string(out, ": ");
		check_put_name(out, p);
		buffer_format(out, " has its working directory %.*s", SPAN_ARGS(directory));
		return;
	}
}

/* Returns whether the process runs the file. Mostly only its name is known, the first 15
 * bytes of it. */
static bool may_run(const struct process_entry *p, struct span file)
{
	struct span known = process_table_field(&p->process->record, &p->process->executable);
	struct span name = path_base(file), own = check_name(p);

	if (known.size)
		return !span_compare(path_base(known), name) &&
		       (file.data[0] != '/' || !span_compare(known, file));
	return own.size && own.size <= name.size &&
	       (own.size == name.size || own.size == PROCESS_NAME_SIZE - 1) &&
	       !memcmp(own.data, name.data, own.size);
}

/* Appends the oldest process that runs the file, and how many others do. */
static void put_runner(struct buffer *out, const struct check *e, const struct call_place *place)
{
	const struct process_entry *runner = NULL;
	unsigned count = 0;

	process_table_for_each (&e->input->host.process_table, p) {
		if (!p->is_there || p->zombie_ns || !p->process ||
			!may_run(p, span_of_string(place->text)))
			continue;
		count++;
		if (!runner || p->id.start_ticks < runner->id.start_ticks)
			runner = p;
	}
	if (!runner)
		return;
	buffer_string(out, ": ");
	check_put_name(out, runner);
	if (count > 1)
		buffer_format(out, " and %u more of that name", count - 1);
}

/* Appends the process that listens at the other end of "UNIX →run/work.sock". */
static void put_receiver(struct buffer *out, const struct check *e, const struct call_place *place)
{
	const char *path = strstr(place->text, "→");
	const struct process_entry *p = path ? port_owner_find(e, path + strlen("→")) : NULL;

	if (!p)
		return;
	buffer_string(out, ": ");
	check_put_name(out, p);
	buffer_string(out, " does not receive them");
}

void failure_meaning_put_process(
	struct buffer *out, const struct check *e, const struct call_place *place)
{
	const struct process_entry *child = NULL;

	assert(e);
	assert(place);
	if (place->error == LINUX_EBUSY && *place->text == '/')
		put_directory_user(out, e, place);
	if (place->error == LINUX_ETOOMANYREFS)
		put_receiver(out, e, place);
	if (place->error == LINUX_ETXTBSY && *place->text)
		put_runner(out, e, place);
	if (place->error != LINUX_EPIPE || !place_begins(place, "pipe:"))
		return;
	for (const struct process_entry *p = e->process->first_child; p; p = p->next_sibling) {
		if (!p->zombie_ns)
			continue;
		if (child)
			return;
		child = p;
	}
	if (!child)
		return;
	buffer_string(out, ", its child ");
	check_put_name(out, child);
	buffer_string(out, " has ended");
}

bool failure_is_query(const char *program, struct span command)
{
	static const char *const queries[] = { "rev-parse", "symbolic-ref", "show-ref", "describe",
		"config", "check-ignore", "ls-files", "merge-base", "cat-file", "for-each-ref" };
	struct cursor c = cursor_over(command.data, command.size);
	struct span word;

	if (strcmp(program, "git"))
		return false;
	cursor_until(&c, '\0');
	word = cursor_until(&c, '\0');
	while (word.size && *word.data == '-') {
		if (span_equal(word, "-C") || span_equal(word, "-c"))
			cursor_until(&c, '\0');
		word = cursor_until(&c, '\0');
	}
	return SPAN_ANY(word, span_equal, queries);
}

/* --- locks --- */

NUMBER(STARTED_BEFORE_NS, NS_PER_S, NS, "reading /proc the first time takes a moment");

/* Returns the lock of another process on the file; one for writing before others. NULL: none. */
static const struct waits_held_lock *held_lock(
	const struct check *e, const struct call_place *place)
{
	const struct waits_held_lock *found = NULL;

	snapshot_each (
		struct waits_held_lock, l, check_last(e, &e->input->waits), WAITS_HELD_LOCK) {
		if (place->error == LINUX_EAGAIN && (!found || l->is_exclusive) &&
			span_equal(record_text(&l->record, &l->path), place->text))
			found = l;
	}
	return found;
}

void lock_failure_text(struct buffer *to, const struct check *e, const struct call_place *place)
{
	assert(e);
	assert(place);

	const struct waits_held_lock *l = held_lock(e, place);
	const struct process_entry *p =
		l ? check_process(e, l->owner_pid, l->owner_start_ticks) : NULL;

	if (place->error == LINUX_EEXIST) {
		buffer_format(to, "lock file %s exists", place->text);
		return;
	}
	buffer_format(to, "%s%s is locked by ",
		is_database_name(span_of_string(place->text)) ? "the database " : "", place->text);
	if (p)
		check_put_name(to, p);
	else if (l)
		buffer_format(to, "%.*s (%u)", SPAN_ARGS(record_text(&l->record, &l->owner_name)),
			l->owner_pid);
	else
		buffer_string(to, "another process");
}

const struct waits_party *lock_failure_owner(const struct check *e, const struct call_place *place)
{
	assert(e);

	const struct snapshot *samples[] = { check_last(e, &e->input->waits),
		check_first(e, &e->input->waits) };

	assert(place);
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		snapshot_each (struct waits_party, p, samples[i], WAITS_PARTY) {
			if (p->node_pid == e->id.pid && p->party_pid &&
				p->relation == WAITS_RELATION_LOCK_FILE &&
				span_equal(record_text(&p->record, &p->detail), place->text))
				return p;
		}
	}
	return NULL;
}

/* Returns the folder of the lock file; that of the working tree for a file in a hidden folder:
 * "/r" for "/r/.git/index.lock". */
static struct span folder_of(struct span path)
{
	const char *slash = span_last(path, '/');
	struct span folder = span_of(path.data, slash ? (size_t)(slash - path.data) : 0);
	struct span name = path_base(folder);

	if (name.size > 1 && *name.data == '.' && folder.size > name.size + 1)
		folder.size -= name.size + 1;
	return folder;
}

/* Returns the only process of that name and user that has worked since before the observation, and
 * not in another folder, as far as that is known: it may have made the file, which is mostly closed
 * at once. NULL: none, or several. */
static const struct process_entry *worker_at(
	const struct check *e, const struct call_place *place, struct span name)
{
	struct span folder = folder_of(span_of_string(place->text));
	const struct process_entry *found = NULL;

	if (place->error != LINUX_EEXIST || folder.size < 2 || !e->process)
		return NULL;
	process_table_for_each (&e->input->host.process_table, p) {
		struct span at = record_text(&p->process->record, &p->process->directory);

		if (p == e->process || !p->is_there || p->zombie_ns ||
			p->process->uid != e->process->process->uid ||
			p->first_ns > e->input->begin_ns + STARTED_BEFORE_NS ||
			span_compare(check_name(p), name) ||
			(at.size && !path_is_within(at, folder)))
			continue;
		if (found)
			return NULL;
		found = p;
	}
	return found;
}

/* Returns the living process that the program asks about (kill(2) with signal 0), as it does with
 * the PID in a lock file. NULL: it asks about none, or about several. */
static const struct process_entry *asked_process(const struct check *e)
{
	const struct process_entry *found = NULL;

	/* In another PID namespace it has other PIDs. */
	if (!e->calls.is_read || !e->process ||
		(e->process->links && !e->process->links->namespace_state &&
			e->process->links->inner_pid != e->id.pid))
		return NULL;
	call_repeats_each (e->calls.history, key, r) {
		const struct process_entry *p =
			r->is_of_process && !key->result && key->fd > 0
				? process_table_find(
					  &e->input->host.process_table, (uint32_t)key->fd)
				: NULL;

		if (!p || p == e->process || p->process->uid != e->process->process->uid)
			continue;
		if (found && p != found)
			return NULL;
		found = p;
	}
	return found;
}

static const struct process_entry *only_child(const struct process_entry *p)
{
	const struct process_entry *found = NULL;

	for (const struct process_entry *c = p->first_child; c; c = c->next_sibling) {
		if (!c->is_there || c->zombie_ns)
			continue;
		if (found)
			return NULL;
		found = c;
	}
	return found;
}

/* Appends the process for which a command probably waits: the last of its only children. */
static void put_only_child(struct buffer *out, const struct process_entry *p)
{
	const struct process_entry *last = p, *child;

	while ((child = only_child(last)))
		last = child;
	if (last != p) {
		buffer_string(out, ", as does its child ");
		check_put_name(out, last);
	}
}

/* Appends what a process waits for, as far as the waits of the diagnosed process lead to it; else
 * its only child. */
static void put_wait(struct buffer *out, const struct check *e, const struct process_entry *p)
{
	struct wait_chain chain;
	struct wait_graph g;

	if (!check_graph(e, &g) || !wait_graph_process(&g, p->id.pid)) {
		put_only_child(out, p);
		return;
	}
	wait_chain_follow(&g, p->id.pid, &chain);
	if (!chain.count || chain.links[0].is_idle || chain.links[0].is_active)
		return;
	buffer_string(out, ", and ");
	wait_link_text(out, &g, &chain.links[0]);
	wait_chain_rest(out, &g, &chain);
}

void lock_failure_emit(const struct check *e, struct check_result *out,
	const struct call_place *place, const struct waits_party *owner, struct span name)
{
	const struct waits_held_lock *held = held_lock(e, place);
	const struct process_entry *asked = owner ? NULL : asked_process(e);
	const struct process_entry *worker = owner || asked ? NULL : worker_at(e, place, name);

	finding_path(out, span_of_string(place->text));
	if (owner && !owner->is_alive) {
		finding_text(out, "owner", "process %u, which is gone", owner->party_pid);
		finding_remedy(out, "the lock was left behind: remove the file");
		return;
	}
	if (held) {
		finding_remedy(out, "sooth why %u shows what the process with the lock does",
			held->owner_pid);
		return;
	}
	if (owner) {
		finding_text(out, "owner", "%.*s (%u)",
			SPAN_ARGS(record_text(&owner->record, &owner->name)), owner->party_pid);
		finding_remedy(out, "sooth why %u says what its owner does", owner->party_pid);
		return;
	}
	finding_unseen(out, "whether a process still works under that lock");
	if (asked) {
		finding_claim(out, "; it takes ");
		check_put_name(&out->claim, asked);
		finding_claim(out, " for the owner%s",
			span_compare(check_name(asked), name)
				? ", which is another program: perhaps its PID was used again"
				: "");
		finding_remedy(out,
			"remove the file if process %u has nothing to do with it: its owner "
			"has ended without removing it",
			asked->id.pid);
	} else if (worker) {
		finding_claim(out, "; perhaps ");
		check_put_name(&out->claim, worker);
		finding_claim(out, " made it and still runs");
		put_wait(&out->claim, e, worker);
		finding_remedy(out,
			"sooth why %u shows what that process waits for; remove the file "
			"only if none works under it",
			worker->id.pid);
	} else if (place->error == LINUX_EEXIST) {
		finding_remedy(out, "if no program works under it any more (ps shows them), it was "
				    "left behind: remove the file");
	} else {
		finding_remedy(out, "fuser -v %s shows the process that has it",
			escape_is_shell_word(place->text, strlen(place->text)) ? place->text
									       : "FILE");
	}
}

/* --- inotify --- */

static const struct {
	const char *claim, *name, *names, *sysctl;
	enum limits_shared resource;
	const char *error, *words; /* of node, and of the C library */
} texts[WATCH_KINDS] = {
	[WATCH_WATCHES] = { "cannot watch more files for changes", "watch", "watches",
		"max_user_watches", LIMITS_SHARED_WATCHES, "ENOSPC", "o space left on device" },
	[WATCH_INSTANCES] = { "cannot watch files for changes", "instance", "instances",
		"max_user_instances", LIMITS_SHARED_INSTANCES, "EMFILE", "oo many open files" },
};

/* Returns the kind of the reached limit; WATCH_KINDS: neither limit. */
static enum watch_kind kind_of(const struct check *e, const struct call_place *place)
{
	const struct fds_process *end = descriptors_of(e);
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	if (!row)
		return WATCH_KINDS;
	if (row->traits & SYSCALL_ADDS_WATCH && place->error == LINUX_ENOSPC)
		return WATCH_WATCHES;
	/* Without descriptors left, a new instance fails with the same error. */
	if (row->traits & SYSCALL_MAKES_WATCHER && place->error == LINUX_EMFILE && end &&
		end->descriptors < end->soft_limit)
		return WATCH_INSTANCES;
	return WATCH_KINDS;
}

bool watch_failure_is(const struct check *e, const struct call_place *place)
{
	return kind_of(e, place) != WATCH_KINDS;
}

void watch_failure_put_meaning(struct buffer *out, struct span message)
{
	assert(out);
	for (size_t i = 0; i < WATCH_KINDS; i++) {
		if ((span_contains(message, texts[i].error) && span_contains(message, "watch")) ||
			(span_contains(message, texts[i].words) &&
				span_contains(message, "inotify"))) {
			buffer_format(out,
				": perhaps the user has no inotify %s left (fs.inotify.%s)",
				texts[i].name, texts[i].sysctl);
			return;
		}
	}
}

/* `users`, `u`: NULL if they are not known. */
static void emit_limit(struct check_result *out, enum watch_kind kind,
	const struct limit_users *users, const struct watch_use *u)
{
	if (users) {
		finding_count(
			out, "in use by the processes of the user that were read", users->sum, 0);
		limit_users_unseen(out, users);
	}
	if (!u) {
		finding_unseen(out,
			"the value of the limit%s: the process is in another user namespace, or "
			"sooth cannot read the limit",
			users ? "" : ", and which process uses most");
		finding_remedy(out,
			"in the user namespace of the process: sysctl user.max_inotify_%s shows "
			"the limit",
			texts[kind].names);
		return;
	}
	finding_count(out, "limit", u->limit[kind], 0);
	finding_remedy(out,
		"watch less (exclude node_modules, .git, build), or as root: sysctl fs.inotify.%s="
		"%llu raises the limit",
		texts[kind].sysctl, (unsigned long long)u->limit[kind] * 4);
}

void watch_failure_report(const struct check *e, struct check_result *out,
	const struct call_place *place, double times)
{
	enum watch_kind kind = kind_of(e, place);
	char name[SYSCALL_NAME_SIZE];
	struct limit_users users;
	struct watch_use u;
	bool has_limit = watch_use_of(&u, e);

	finding_claim(
		out, "%s: the user's limit of inotify %s", texts[kind].claim, texts[kind].names);
	if (has_limit)
		finding_claim(out, " (%llu)", (unsigned long long)u.limit[kind]);
	finding_claim(out, " is reached");
	/* They include processes that are not diagnosed. */
	limit_users_find(&users, e, texts[kind].resource, span_of("", 0));
	if (users.count)
		limit_users_put(&out->claim, e, &users, texts[kind].resource);
	finding_claim(out, "; %s failed %.0f times",
		check_call_name(place->abi, place->number, name), times);
	emit_limit(out, kind, users.count ? &users : NULL, has_limit ? &u : NULL);
}

/* --- space --- */

static bool explains_error(const struct fds_filesystem *f, unsigned error)
{
	if (!file_space_is_measured(f))
		return false;
	if (error == LINUX_EROFS)
		return f->is_read_only;
	return error == LINUX_EDQUOT || file_space_is_full(f) || file_space_has_no_files_left(f);
}

const struct fds_filesystem *space_failure_of(const struct check *e, const struct call_place *place)
{
	const struct fds_filesystem *f;

	if ((place->error != CALL_SHORT_WRITE && place->error != LINUX_ENOSPC &&
		    place->error != LINUX_EDQUOT && place->error != LINUX_EROFS) ||
		!call_takes_space(place->text) || watch_failure_is(e, place) || is_limit(e, place))
		return NULL;
	f = file_space_of_path(check_last(e, &e->input->fds), place->text);
	if (explains_error(f, place->error))
		return f;
	f = file_space_of_path(check_first(e, &e->input->fds), place->text);
	return explains_error(f, place->error) ? f : NULL;
}

void space_failure_text(struct buffer *out, const struct fds_filesystem *space, unsigned error)
{
	struct span point = file_space_point(space);
	char used[FILE_SPACE_TEXT];

	if (error == LINUX_EROFS)
		buffer_format(out, "%.*s is read-only", SPAN_ARGS(point));
	else if (error == LINUX_EDQUOT)
		buffer_format(out, "the disk quota on %.*s is used up", SPAN_ARGS(point));
	else if (file_space_is_full(space))
		buffer_format(out, "no space left on %.*s (%s)", SPAN_ARGS(point),
			file_space_text(space, used));
	else
		buffer_format(out, "no inodes left on %.*s (all %llu are in use)", SPAN_ARGS(point),
			(unsigned long long)space->files);
}

/* Makes the claim about the process with most space in open files; returns its PID, or 0:
 * unknown. */
static uint32_t claim_space(const struct check *e, struct check_result *out,
	const struct fds_filesystem *space, const struct call_place *place, uint64_t times)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);
	bool writes = row && (row->transfer.direction == SYSCALL_WRITES ||
				     row->transfer.direction == SYSCALL_COPIES);
	char name[SYSCALL_NAME_SIZE];

	if (writes)
		finding_claim(out, "writes to %s fail", place->text);
	else
		finding_claim(out, "%s on %s fails",
			check_call_name(place->abi, place->number, name), place->text);
	finding_claim(out, ", %llu time%s: ", (unsigned long long)times, times == 1 ? "" : "s");
	space_failure_text(&out->claim, space, place->error);
	return file_space_is_full(space) && place->error != LINUX_EROFS
		       ? limit_users_put_space(&out->claim, e, file_space_point(space))
		       : 0;
}

void space_failure_report(const struct check *e, struct check_result *out,
	const struct fds_filesystem *space, const struct call_place *place, uint64_t times,
	uint64_t paths)
{
	const char *error =
		errno_name(place->error == CALL_SHORT_WRITE ? LINUX_ENOSPC : place->error);
	struct span point = file_space_point(space);
	char command[FILE_SPACE_COMMAND];
	uint32_t holder = claim_space(e, out, space, place, times);
	bool is_word = escape_is_shell_word(point.data, point.size);

	finding_path(out, span_of_string(place->text));
	finding_text(out, "error", "%s", error ?: "unknown");
	finding_text(out, "file system", "%.*s%s", SPAN_ARGS(point),
		space->is_memory ? " (in memory)" : "");
	finding_bytes(out, "space left", space->available_bytes);
	finding_bytes(out, "size", space->total_bytes);
	if (space->files)
		finding_count(out, "inodes left", space->files_available, 0);
	if (paths > 1)
		finding_count(out, "paths", paths, 0);
	if (place->error != LINUX_EROFS)
		finding_remedy(out,
			"free space: %s; deleted files that are open: sooth inspect --fds %u",
			file_space_command(space, command), holder ? holder : e->id.pid);
	else
		finding_remedy(out, "find out why it is read-only: findmnt%s%.*s; dmesg",
			is_word ? " " : "", is_word ? (int)point.size : 0, point.data);
}
