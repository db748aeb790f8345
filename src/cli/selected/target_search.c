/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that names, sessions, agents, containers, control groups and users select in a
 * process table. */
#include "cli/selected/target_search.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "analyze/process_table/process_match.h"
#include "cli/selected/target_container.h"
#include "cli/user_agents/user_agents.h"
#include "model/stream_records.h"

#define ANCESTORS_MAX 1024
#define NOTE_PIDS_MAX 12 /* PIDs of a name that a note lists, at most */

static const struct target_item *item_at(const struct target_search *s, size_t i)
{
	return (const struct target_item *)(const void *)s->items.data + i;
}

static size_t item_count(const struct target_search *s)
{
	return s->items.size / sizeof(struct target_item);
}

static size_t *hits_of(struct target_search *s, size_t i)
{
	return (size_t *)(void *)s->hits.data + i;
}

static void add_item(struct target_search *s, const struct target_item *item)
{
	size_t none = 0;

	buffer_append(&s->items, item, sizeof(*item));
	buffer_append(&s->hits, &none, sizeof(none));
}

static void add_list(
	struct target_search *s, enum target_item_kind kind, const struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_item(s, &(struct target_item){ .kind = kind, .text = list->items[i] });
}

static int add_holders(
	struct target_search *s, const struct target_options *t, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < t->ports.count && !status; i++) {
		struct target_item item = { .kind = TARGET_ITEM_PORT, .text = t->ports.items[i] };

		status = target_port_parse(item.text, &item.port, err);
		add_item(s, &item);
	}
	for (size_t i = 0; i < t->files.count && !status; i++) {
		struct target_item item = { .kind = TARGET_ITEM_FILE, .text = t->files.items[i] };

		status = target_file_find(&item.file, item.text, s->is_capture, err);
		add_item(s, &item);
	}
	s->has_sockets = t->ports.count != 0;
	s->has_files = t->files.count != 0;
	return status;
}

int target_search_begin(struct target_search *s, const struct target_options *t,
	const struct arguments *a, bool with_user, struct sooth_error *err)
{
	struct process_id ignored;
	uid_t uid = 0;
	int status = 0;

	assert(s);
	assert(t);
	assert(a);
	*s = (struct target_search){ 0 };
	s->is_capture = target_capture(a) != NULL;
	for (size_t i = 0; i < a->count; i++) {
		if (target_word(a->items[i], &ignored) == TARGET_WORD_NAME)
			add_item(s, &(struct target_item){
					    .kind = TARGET_ITEM_NAME, .text = a->items[i] });
	}
	add_list(s, TARGET_ITEM_SESSION, &t->sessions);
	add_list(s, TARGET_ITEM_AGENT, &t->agents);
	add_list(s, TARGET_ITEM_CONTAINER, &t->containers);
	if (t->control_group)
		add_item(s, &(struct target_item){
				    .kind = TARGET_ITEM_CONTROL_GROUP, .text = t->control_group });
	if (t->user && with_user) {
		status = target_parse_user(t->user, &uid, err);
		add_item(s, &(struct target_item){
				    .kind = TARGET_ITEM_USER, .text = t->user, .uid = uid });
	}
	if (!status)
		status = add_holders(s, t, err);
	if (!status && (buffer_failed(&s->items) || buffer_failed(&s->hits)))
		status = error_no_memory(err);
	return status;
}

bool target_search_is_needed(const struct target_search *s)
{
	return s->items.size != 0;
}

/* --- a table --- */

static bool is_called(const struct agent *agent, const char *name)
{
	return agent && (!strcmp(agent->name, name) || !strcmp(agent->title, name));
}

/* Returns whether the process is the agent of that id, or in one of its sessions. */
static bool process_match_agent(const struct process_entry *p, const char *agent)
{
	return (p->agent && !strcmp(p->agent->name, agent)) ||
	       (p->owner_agent && !strcmp(p->owner_agent->name, agent));
}

/* Returns whether the process has that name: exactly its name, the base name of its executable, or
 * the id or display name of the agent that the process is. */
static bool process_match_name(const struct process_entry *p, const char *name)
{
	const struct sooth_record *r = &p->process->record;

	return span_equal(process_table_field(r, &p->process->name), name) ||
	       span_equal(path_base(process_table_field(r, &p->process->executable)), name) ||
	       is_called(p->agent, name);
}

/* Returns whether the process is in this control group or one below it. */
static bool process_match_control_group(const struct process_entry *p, const char *path)
{
	struct span group = process_table_field(&p->process->record, &p->process->control_group);
	size_t size = strlen(path);

	while (size && path[size - 1] == '/')
		size--;
	if (!group.size || group.size < size || memcmp(group.data, path, size) != 0)
		return false;
	return group.size == size || group.data[size] == '/';
}

static bool is_selected(const struct process_table *c, const struct target_item *item,
	const struct target_container *container, const struct process_entry *p)
{
	switch (item->kind) {
	case TARGET_ITEM_NAME:
		return process_match_name(p, item->text) || process_match_session(c, p, item->text);
	case TARGET_ITEM_SESSION:
		return process_match_session(c, p, item->text);
	case TARGET_ITEM_AGENT:
		return process_match_agent(p, item->text);
	case TARGET_ITEM_CONTAINER:
		return target_container_has(container, p);
	case TARGET_ITEM_CONTROL_GROUP:
		return process_match_control_group(p, item->text);
	case TARGET_ITEM_USER:
		return p->process->uid == item->uid && !process_match_kernel(p);
	default:
		return false; /* by other records */
	}
}

/* Returns whether the process is sooth, or an ancestor of sooth: the shell, the terminal, sudo. */
static bool is_own(const struct process_entry *p, const struct process_entry *own)
{
	for (unsigned i = 0; own && i < ANCESTORS_MAX; i++, own = own->parent) {
		if (own == p)
			return true;
	}
	return false;
}

static const struct process_entry *find_own_process(const struct process_table *c)
{
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(c, &position)) && p->id.pid != (uint64_t)getpid())
		continue;
	return p;
}

static void add_process(struct target_search *s, size_t item, const struct process_id *id)
{
	uint32_t pid = id->pid;
	enum target_item_kind kind = item_at(s, item)->kind;
	bool is_tree =
		kind != TARGET_ITEM_NAME && kind != TARGET_ITEM_PORT && kind != TARGET_ITEM_FILE;

	++*hits_of(s, item);
	if (buffer_has(&s->processes, id, sizeof(*id)))
		return;
	buffer_append(&s->processes, id, sizeof(*id));
	if (is_tree)
		buffer_append(&s->trees, &pid, sizeof(pid));
}

/* Fails if the ids of several sessions begin with the text. */
static int check_one_session(const struct target_item *item, const struct process_table *c,
	const struct process_entry *p, struct span *known, struct sooth_error *err)
{
	struct span id = process_table_text(c, &p->session_id);
	bool by_id = (item->kind == TARGET_ITEM_SESSION || item->kind == TARGET_ITEM_NAME) &&
		     strlen(item->text) >= SESSION_PREFIX_LEAST && span_starts(id, item->text);

	if (!by_id)
		return 0;
	if (!known->size)
		*known = id;
	if (!span_compare(*known, id))
		return 0;
	error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "find the session \"%s\"", item->text);
	error_why(err, "the session ids %.*s and %.*s both begin with these characters",
		(int)known->size, known->data, (int)id.size, id.data);
	return error_remedy(err, "give more characters of the id; `sooth ps -v` shows them");
}

/* Searches for an item. A name leaves out sooth and its ancestors, unless no other process has the
 * name. */
static int search_item(
	struct target_search *s, size_t i, const struct process_table *c, struct sooth_error *err)
{
	const struct target_item *item = item_at(s, i);
	const struct process_entry *own =
		item->kind == TARGET_ITEM_NAME && !s->is_capture ? find_own_process(c) : NULL;
	size_t before = *hits_of(s, i);
	struct target_container container = { 0 };
	struct span session = { 0 };
	int status = item->kind == TARGET_ITEM_CONTAINER
			     ? target_container_find(&container, c, item->text, err)
			     : 0;

	for (int with_own = 0; with_own < 2 && !status; with_own++) {
		struct process_entry *p;
		size_t position = 0;

		while (!status && (p = process_table_next(c, &position))) {
			if (!is_selected(c, item, &container, p) || (!with_own && is_own(p, own)))
				continue;
			/* An exited process cannot be observed any more. */
			if (!s->is_capture && p->process->state == 'Z')
				continue;
			status = check_one_session(item, c, p, &session, err);
			add_process(s, i, &p->id);
		}
		if (!own || *hits_of(s, i) != before)
			break;
	}
	return status;
}

/* Notes which processes, and how many, a name has selected. */
static void note_name(struct target_search *s, size_t i, size_t first)
{
	const struct process_id *all = (const void *)s->processes.data;
	size_t count = s->processes.size / sizeof(*all);

	if (item_at(s, i)->kind != TARGET_ITEM_NAME || count < first + 2)
		return;
	buffer_format(&s->note, "sooth: %s: %zu processes:", item_at(s, i)->text, count - first);
	for (size_t k = first; k < count && k < first + NOTE_PIDS_MAX; k++)
		buffer_format(
			&s->note, "%s %llu", k > first ? "," : "", (unsigned long long)all[k].pid);
	buffer_string(&s->note, count > first + NOTE_PIDS_MAX ? ", ...\n" : "\n");
}

int target_search_table(
	struct target_search *s, const struct process_table *c, struct sooth_error *err)
{
	int status = 0;

	assert(s);
	assert(c);
	s->has_table |= c->processes.count != 0;
	for (size_t i = 0; i < item_count(s) && !status; i++) {
		size_t first = s->processes.size / sizeof(struct process_id);

		status = search_item(s, i, c, err);
		if (!s->is_capture)
			note_name(s, i, first);
	}
	return status;
}

/* --- between tables --- */

static void search_name(
	struct target_search *s, const struct sooth_record *r, const char name[PROCESS_NAME_SIZE])
{
	struct process_id id = process_id_of(r);

	for (size_t i = 0; i < item_count(s); i++) {
		if (item_at(s, i)->kind == TARGET_ITEM_NAME &&
			span_equal(span_of(name, strnlen(name, PROCESS_NAME_SIZE)),
				item_at(s, i)->text))
			add_process(s, i, &id);
	}
}

static void search_descriptor(struct target_search *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	s->unreadable += target_is_unreadable(r);
	for (size_t i = 0; i < item_count(s); i++) {
		const struct target_item *item = item_at(s, i);

		if ((s->is_capture || id.pid != (uint32_t)getpid()) &&
			((item->kind == TARGET_ITEM_PORT && target_listens(r, item->port)) ||
				(item->kind == TARGET_ITEM_FILE &&
					target_has_file(r, &item->file))))
			add_process(s, i, &id);
	}
}

void target_search_record(struct target_search *s, const struct sooth_record *r)
{
	const struct process_join *join = (const void *)r;
	struct process_id id = process_id_of(r);

	if (s->has_sockets || s->has_files)
		search_descriptor(s, r);

	if (r->kind == PROCESS_JOIN && buffer_has(&s->trees, &join->parent_pid, sizeof(uint32_t)) &&
		!buffer_has(&s->processes, &id, sizeof(id))) {
		buffer_append(&s->processes, &id, sizeof(id));
		buffer_append(&s->trees, &(uint32_t){ id.pid }, sizeof(uint32_t));
	}
	if (r->kind == PROCESS_JOIN)
		search_name(s, r, join->name);
	else if (r->kind == PROCESS_EXEC)
		search_name(s, r, ((const struct process_exec *)(const void *)r)->name);
}

static int search_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	(void)schema;
	target_search_record(user, record);
	return 0;
}

int target_search_holders(struct target_search *s, struct sooth_error *err)
{
	assert(s);
	return s->has_sockets || s->has_files
		       ? target_holders_scan(s->has_sockets, s->has_files, search_record, s, err)
		       : 0;
}

/* --- what was not found --- */

static int refuse_without_process_table(const struct target_item *item, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find \"%s\" in the capture", item->text);
	error_why(
		err, "the capture has no process table, so processes can be selected only by PID");
	return error_remedy(err, "give -p PID; `sooth record -o FILE.sooth PID` writes captures "
				 "with a process table");
}

static int refuse_unknown_session(
	const struct target_search *s, const char *session, struct sooth_error *err)
{
	const char *where = s->is_capture ? "in the capture" : "here";

	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the session %s", session);
	if (strlen(session) < SESSION_PREFIX_LEAST)
		error_why(err,
			"no main process %s has this PID, and a session id needs at least %d "
			"characters",
			where, SESSION_PREFIX_LEAST);
	else
		error_why(
			err, "no process %s belongs to a session with this id or main PID", where);
	return error_remedy(err, "`sooth ps -v` lists sessions and their main processes");
}

/* Errors of targets that no process belongs to; %s in `tried`: the target, in `why`: where. */
static const struct {
	const char *tried, *why, *remedy;
} unknown_targets[] = {
	[TARGET_ITEM_NAME] = { "find \"%s\"",
		"no process, agent or session %s has exactly this name", NULL },
	[TARGET_ITEM_AGENT] = { "find the agent %s", "no process %s belongs to this agent",
		"`sooth ps` lists the agents that run" },
	[TARGET_ITEM_CONTROL_GROUP] = { "find processes of the control group %s",
		"no process %s is in this control group or below it",
		"`cat /proc/PID/cgroup` shows the group of a process" },
	[TARGET_ITEM_CONTAINER] = { "find the container %s",
		"no process %s belongs to a container with this id or name",
		"`sooth ps -a --columns +container` lists containers" },
	[TARGET_ITEM_USER] = { "find processes of the user %s",
		"no process %s belongs to this user", "`sooth ps -a --columns +user` lists users" },
};

static int refuse_unknown(
	const struct target_search *s, const struct target_item *item, struct sooth_error *err)
{
	bool is_agent = item->kind == TARGET_ITEM_AGENT && !s->is_capture;
	int status = is_agent ? user_agents_check_name(item->text, err) : 0;

	if (status)
		return status;
	error_set(
		err, -ESRCH, SOOTH_FAULT_NOT_FOUND, unknown_targets[item->kind].tried, item->text);
	error_why(err, unknown_targets[item->kind].why, s->is_capture ? "in the capture" : "here");
	if (item->kind == TARGET_ITEM_NAME)
		return error_remedy(err,
			"`sooth ps -a` lists names; to read a capture file: ./%s, to launch a "
			"command: -- %s",
			item->text, item->text);
	return error_remedy(err, "%s", unknown_targets[item->kind].remedy);
}

static int refuse_no_holder(
	const struct target_search *s, const struct target_item *item, struct sooth_error *err)
{
	bool is_port = item->kind == TARGET_ITEM_PORT;
	const char *where = s->is_capture ? "in the capture" : "here";

	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND,
		is_port ? "find a process that listens on port %s"
			: "find a process that has %s open",
		item->text);
	if (s->unreadable)
		error_why(err, "no process that sooth can read %s does that; %u could not be read",
			where, s->unreadable);
	else
		error_why(err, "no process %s does that", where);
	return error_remedy(err, s->unreadable ? "run sooth as root"
				 : is_port     ? "`ss -tulpn` lists ports"
					       : "`sooth inspect --fds PID` lists open files");
}

int target_search_end(struct target_search *s, struct sooth_error *err)
{
	assert(s);
	if (buffer_failed(&s->processes) || buffer_failed(&s->trees) || buffer_failed(&s->note))
		return error_no_memory(err);
	for (size_t i = 0; i < item_count(s); i++) {
		const struct target_item *item = item_at(s, i);

		if (*hits_of(s, i))
			continue;
		if (item->kind == TARGET_ITEM_PORT || item->kind == TARGET_ITEM_FILE)
			return refuse_no_holder(s, item, err);
		if (s->is_capture && !s->has_table)
			return refuse_without_process_table(item, err);
		if (item->kind == TARGET_ITEM_SESSION)
			return refuse_unknown_session(s, item->text, err);
		return refuse_unknown(s, item, err);
	}
	return 0;
}

void target_search_fini(struct target_search *s)
{
	assert(s);
	buffer_fini(&s->items);
	buffer_fini(&s->processes);
	buffer_fini(&s->trees);
	buffer_fini(&s->hits);
	buffer_fini(&s->note);
}
