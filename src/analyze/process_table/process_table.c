/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the last record of each process. Records of other writers may be shorter: they are widened
 * on arrival, so that missing fields read as "not measured", never as bytes of a text. */
#include "analyze/process_table/process_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "analyze/process_table/process_table_resolving.h"
#include "analyze/process_table/process_table_versions.h"
#include "model/probe.h"

/* --- evidence --- */

/* Texts of process records for the recognizers. */

/* Returns a text field by name, borrowed; empty: the field has no value. */
static struct span record_field_text(const struct sooth_record *r, const char *name)
{
	const struct sooth_field *f = sooth_schema_field(registry_schema(r->kind), name);
	struct sooth_value v = sooth_field_get(f, r);

	if (v.state != SOOTH_STATE_VALUE && v.state != SOOTH_STATE_TRUNCATED)
		return span_of("", 0);
	return span_of(v.text.data, v.text.size);
}

struct agent_evidence process_evidence(const struct sooth_record *process)
{
	return (struct agent_evidence){
		.executable = record_field_text(process, "executable"),
		.name = record_field_text(process, "name"),
		.arguments = record_field_text(process, "command"),
		.directory = record_field_text(process, "cwd"),
		.marks = record_field_text(process, "marks"),
		.mark_version = record_field_text(process, "mark_version"),
		.package = record_field_text(process, "package"),
		.package_version = record_field_text(process, "package_version"),
	};
}

/* --- the table --- */

/* Ended processes are kept while there is room: the seen end of a main process is the best proof
 * that its session is gone. */
#define PROCESSES_ENDED (PROCESSES_MAX / 2)
#define INSTALLED_BYTES ((size_t)1 << 20)
#define TEXTS_BYTES	((size_t)64 << 20)
#define RECORDS_BYTES	((size_t)64 << 20) /* 1 KiB per record */
#define NEWEST_MAX	4096

void process_table_init(struct process_table *c)
{
	assert(c);
	*c = (struct process_table){ .installed_records.limit = INSTALLED_BYTES,
		.texts.limit = TEXTS_BYTES };
	map_init(&c->processes, sizeof(struct process_id), sizeof(void *), PROCESSES_MAX);
	map_init(&c->newest, 3 * sizeof(uint64_t), sizeof(struct sooth_text), NEWEST_MAX);
}

static size_t bytes_of(const void *record)
{
	return record ? record_bytes(record) : 0;
}

/* Accounts for a replaced record. False: there is no room. */
static bool replace_record(struct process_table *c, const void *former, const void *record)
{
	uint64_t bytes = c->bytes - bytes_of(former) + bytes_of(record);

	if (bytes > RECORDS_BYTES) {
		c->refused++;
		return false;
	}
	c->bytes = bytes;
	return true;
}

static void process_free(struct process_entry *p)
{
	if (!p)
		return;
	free(p->process);
	free(p->links);
	free(p->session);
	free(p);
}

static void drop_process(struct process_table *c, struct process_entry *p)
{
	map_remove(&c->processes, &p->id);
	c->bytes -= bytes_of(p->process) + bytes_of(p->links) + bytes_of(p->session);
	process_free(p);
}

void process_table_fini(struct process_table *c)
{
	assert(c);
	map_for_each_pointer (&c->processes, struct process_entry *, p)
		process_free(p);
	map_fini(&c->processes);
	map_fini(&c->newest);
	agent_set_unref(c->agents);
	buffer_fini(&c->texts);
	buffer_fini(&c->installed);
	buffer_fini(&c->installed_records);
}

/* --- records --- */

static bool is_in_tail(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_ARGS ||
	       f->type == SOOTH_FIELD_LIST;
}

/* Copies a record, with a fixed part of the length that this build knows. NULL: out of memory, or
 * the record is invalid. */
static void *copy_widened(const struct sooth_record *r, size_t least)
{
	const struct sooth_schema *schema = registry_schema(r->kind);
	size_t fixed = (size_t)r->fixed_words * SOOTH_RECORD_WORD, more;
	struct sooth_record *copy;

	if (!schema || !record_holds(r, least))
		return NULL;
	more = schema->fixed_size > fixed ? schema->fixed_size - fixed : 0;
	more = (more + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD * SOOTH_RECORD_WORD;
	if (record_bytes(r) + more > SOOTH_RECORD_BYTES_MAX)
		return NULL;
	copy = calloc(1, record_bytes(r) + more);
	if (!copy)
		return NULL;
	memcpy(copy, r, fixed);
	memcpy((char *)copy + fixed + more, (const char *)r + fixed, record_bytes(r) - fixed);
	copy->words = (uint16_t)(r->words + more / SOOTH_RECORD_WORD);
	copy->fixed_words = (uint16_t)(r->fixed_words + more / SOOTH_RECORD_WORD);
	for (size_t i = 0; more && i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_text *text = (void *)((char *)copy + f->offset);

		/* In an older struct the state byte may be padding. */
		if (f->state_offset && (f->offset >= fixed || f->state_offset >= fixed))
			((uint8_t *)copy)[f->state_offset] =
				SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		else if (is_in_tail(f) && f->offset < fixed && text->offset &&
			 text->offset <= UINT32_MAX - more)
			text->offset += (uint32_t)more;
	}
	return copy;
}

/* Makes a process a zombie. Memory, command and directory of the previous record are kept. */
static void become_zombie(struct process_entry *p, const struct proc_process *now)
{
	p->process->record.time_ns = now->record.time_ns;
	p->process->state = now->state;
	p->process->cpu_ns = now->cpu_ns;
	p->process->ppid = now->ppid;
	p->process->threads = now->threads;
	p->process->rss_bytes = p->process->vsz_bytes = 0;
}

static struct process_entry *process_put(struct process_table *c, const struct proc_process *first)
{
	struct process_id id = process_id_of(&first->record);
	struct process_entry **at = map_put(&c->processes, &id, NULL);

	if (!at)
		return NULL;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at) {
			map_remove(&c->processes, &id);
			return NULL;
		}
		(*at)->id = id;
		(*at)->first_ns = first->record.time_ns;
		(*at)->first_cpu_ns = first->cpu_ns;
	}
	return *at;
}

static void add_process(struct process_table *c, const struct sooth_record *r)
{
	struct proc_process *copy = copy_widened(r, PROC_PROCESS_LEAST);
	struct process_id id = process_id_of(r);
	struct process_entry **known = map_get(&c->processes, &id), *p = known ? *known : NULL;
	bool becomes_zombie = copy && copy->state == 'Z' && p && p->process;

	if (p)
		p->last_ns = r->time_ns;
	if (copy && !becomes_zombie && !replace_record(c, p ? p->process : NULL, copy)) {
		free(copy);
		return;
	}
	if (!p && copy)
		p = process_put(c, copy);
	if (!p || !copy) {
		c->refused++;
		c->bytes -= bytes_of(copy);
		free(copy);
		return;
	}
	p->last_ns = r->time_ns;
	p->runnable_samples = copy->state == 'R' ? p->runnable_samples + 1 : 0;
	if (copy->state != 'Z')
		p->zombie_ns = 0;
	else if (!p->zombie_ns)
		p->zombie_ns = r->time_ns ? r->time_ns : 1;
	if (becomes_zombie) {
		become_zombie(p, copy);
		free(copy);
		return;
	}
	free(p->process);
	p->process = copy;
}

static void note_input(struct process_entry *p, const struct proc_ties *t)
{
	bool is_unfed = process_table_state_is_value(t->writer_state) && !t->has_writer;

	if (!is_unfed)
		p->unfed_ns = 0;
	else if (!p->unfed_ns)
		p->unfed_ns = t->record.time_ns ? t->record.time_ns : 1;
}

static void note_written(
	struct process_entry *p, const struct proc_ties *before, const struct proc_ties *now)
{
	bool is_known = now->written_state == SOOTH_STATE_VALUE;
	bool is_same = is_known && before && before->written_state == SOOTH_STATE_VALUE &&
		       before->written_bytes == now->written_bytes;

	if (!is_same || !p->unwritten_ns)
		p->unwritten_ns = is_known ? now->record.time_ns : 0;
}

/* Begins the interval in which the demand of the first thread is measured. */
static void begin_wanted(struct process_entry *p)
{
	const struct proc_ties *t = p->links;
	bool is_known = t && t->thread_cpu_ns && t->thread_state == SOOTH_STATE_VALUE;

	p->first_wanted_at_ns = is_known ? t->record.time_ns : 0;
	p->first_wanted_ns = is_known ? t->thread_cpu_ns + t->thread_ready_ns : 0;
}

/* Adds links or a session of a process whose own record came earlier. */
static void add_details(struct process_table *c, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct process_entry **at = map_get(&c->processes, &id);
	struct process_entry *p = at ? *at : NULL;
	void *copy;

	/* A zombie can no longer be read: keep the earlier values. */
	if (!p || (p->zombie_ns && (r->kind == PROC_LINKS ? !!p->links : !!p->session)))
		return;
	copy = copy_widened(r, r->kind == PROC_LINKS ? PROC_LINKS_LEAST : PROC_SESSION_LEAST);
	if (!copy)
		return;
	if (!replace_record(c, r->kind == PROC_LINKS ? (void *)p->links : p->session, copy)) {
		free(copy);
	} else if (r->kind == PROC_LINKS) {
		note_written(p, p->links, copy);
		free(p->links);
		p->links = copy;
		note_input(p, p->links);
		if (!p->first_wanted_at_ns)
			begin_wanted(p);
	} else {
		free(p->session);
		p->session = copy;
	}
}

static bool is_in_last_snapshot(const struct process_table *c, const struct process_entry *p)
{
	return p->last_ns >= c->snapshot_from_ns;
}

static void forget_ended(struct process_table *c)
{
	if (c->processes.count < PROCESSES_ENDED)
		return;
	map_for_each_pointer (&c->processes, struct process_entry *, p) {
		if (is_in_last_snapshot(c, p))
			continue;
		drop_process(c, p);
	}
}

static void finish_snapshot(struct process_table *c, const struct sooth_record *r)
{
	struct proc_snapshot snapshot = { 0 };
	size_t size = (size_t)r->fixed_words * SOOTH_RECORD_WORD;

	memcpy(&snapshot, r, size < sizeof(snapshot) ? size : sizeof(snapshot));
	c->snapshot_from_ns = snapshot.from_ns;
	c->is_of_host = snapshot.is_of_host;
	c->is_of_root = snapshot.is_of_root;
	c->is_partial = snapshot.is_partial;
	c->hides_users = snapshot.hides_users;
	forget_ended(c);
}

void process_table_add_record(struct process_table *c, const struct sooth_record *r)
{
	struct sooth_error ignored; /* the summary reports errors in an agent's definition */

	assert(c);
	assert(r);
	agent_set_add_record(&c->agents, r, &ignored);
	if (r->kind != PROC_PROCESS && r->kind != PROC_SNAPSHOT && r->kind != PROC_LINKS &&
		r->kind != PROC_SESSION && r->kind != PROC_INSTALLED)
		return;
	c->is_resolved = false;
	if (r->time_ns > c->last_ns)
		c->last_ns = r->time_ns;
	if (r->kind == PROC_PROCESS)
		add_process(c, r);
	else if (r->kind == PROC_LINKS || r->kind == PROC_SESSION)
		add_details(c, r);
	else if (record_as(r, PROC_SNAPSHOT, PROC_SNAPSHOT_LEAST))
		finish_snapshot(c, r);
	else if (record_as(r, PROC_INSTALLED, sizeof(struct proc_installed)) &&
		 c->installed_records.size + record_bytes(r) <= INSTALLED_BYTES)
		buffer_append(&c->installed_records, r, record_bytes(r));
}

void process_table_next_interval(struct process_table *c)
{
	map_for_each_pointer (&c->processes, struct process_entry *, p) {
		if (!is_in_last_snapshot(c, p) && !p->agent) {
			drop_process(c, p);
			continue;
		}
		p->first_ns = p->last_ns;
		p->first_cpu_ns = p->process->cpu_ns;
		begin_wanted(p);
	}
	c->is_resolved = false;
}

void process_table_drop_ended(struct process_table *c)
{
	map_for_each_pointer (&c->processes, struct process_entry *, p) {
		if (!is_in_last_snapshot(c, p))
			drop_process(c, p);
	}
	c->is_resolved = false;
}

/* --- resolve --- */

void process_table_forget(struct process_table *c)
{
	map_for_each_pointer (&c->processes, struct process_entry *, p) {
		struct process_entry kept = { .id = p->id,
			.process = p->process,
			.links = p->links,
			.session = p->session,
			.first_ns = p->first_ns,
			.last_ns = p->last_ns,
			.first_cpu_ns = p->first_cpu_ns,
			.zombie_ns = p->zombie_ns,
			.unfed_ns = p->unfed_ns,
			.unwritten_ns = p->unwritten_ns,
			.first_wanted_ns = p->first_wanted_ns,
			.first_wanted_at_ns = p->first_wanted_at_ns,
			.runnable_samples = p->runnable_samples,
			.is_there = is_in_last_snapshot(c, p) };

		*p = kept;
	}
	buffer_reset(&c->texts);
	buffer_reset(&c->installed);
	map_clear(&c->newest);
}

/* --- access --- */

struct process_entry *process_table_next(const struct process_table *c, size_t *position)
{
	void *value;

	assert(c);
	while (map_next(&c->processes, position, NULL, &value)) {
		struct process_entry *p = *(struct process_entry **)value;

		if (p->is_there)
			return p;
	}
	return NULL;
}

struct process_entry *process_table_find(const struct process_table *c, uint32_t pid)
{
	process_table_for_each (c, p) {
		if (p->id.pid == pid)
			return p;
	}
	return NULL;
}

struct process_entry *process_table_get(const struct process_table *c, const struct process_id *id)
{
	assert(c);

	struct process_entry **at = map_get(&c->processes, id);

	return at ? *at : NULL;
}

struct span process_table_text(const struct process_table *c, const struct sooth_text *text)
{
	assert(c);
	assert(text);
	if ((uint64_t)text->offset + text->size > c->texts.size || !text->size)
		return span_of("", 0);
	return span_of(buffer_at(&c->texts, text->offset), text->size);
}

struct span process_table_field(const struct sooth_record *r, const struct sooth_text *text)
{
	return record_text(r, text);
}

bool process_table_is_unknown(const struct process_entry *p)
{
	assert(p);
	return p->is_there && p->id.pid != 1 && !p->agent && !p->owner_agent &&
	       !process_table_is_ended(p) && p->process->vsz_bytes &&
	       p->process->executable_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

bool process_table_lost_directory(const struct process_entry *p, struct span *was)
{
	static const char mark[] = " (deleted)"; /* proc_pid_cwd(5) */

	assert(p);
	assert(was);
	*was = record_text(&p->process->record, &p->process->directory);
	if (p->process->directory_state || !span_ends(*was, mark))
		return false;
	was->size -= sizeof(mark) - 1;
	return true;
}

struct span process_table_known_arguments(const struct process_entry *p)
{
	assert(p);
	if (!p->process || p->process->arguments_state > SOOTH_STATE_TRUNCATED)
		return span_of("", 0);
	return record_text(&p->process->record, &p->process->arguments);
}

double process_table_cpu_percent(const struct process_entry *p)
{
	assert(p);
	if (p->last_ns <= p->first_ns)
		return -1;
	if (p->process->cpu_ns < p->first_cpu_ns)
		return 0;
	return (double)(p->process->cpu_ns - p->first_cpu_ns) * 100 /
	       (double)(p->last_ns - p->first_ns);
}

double process_table_wanted_percent(const struct process_entry *p)
{
	const struct proc_ties *t = p->links;
	uint64_t wanted = t ? t->thread_cpu_ns + t->thread_ready_ns : 0;

	if (!t || t->thread_state != SOOTH_STATE_VALUE || !p->first_wanted_at_ns ||
		t->record.time_ns <= p->first_wanted_at_ns || wanted < p->first_wanted_ns)
		return -1;
	return (double)(wanted - p->first_wanted_ns) * 100 /
	       (double)(t->record.time_ns - p->first_wanted_at_ns);
}
