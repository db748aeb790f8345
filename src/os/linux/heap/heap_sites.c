/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_sites.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/batch.h"
#include "os/linux/uprobes/trap_cost.h"

#define PASSES_MAX    16
#define THREADS_MAX   65536
#define EVENTS_MARKED 64 /* bits of heap_attach.returns; further ones are all processes' */

const char *const heap_entry_programs[HEAP_TABLES] = { "on_entry_0", "on_entry_1", "on_entry_2",
	"on_entry_3" };

/* --- what was found --- */

static bool place_add(struct place_list *list, int file, const struct allocator_site *site)
{
	if (list->count == PLACES_MAX)
		return false;
	list->places[list->count++] = (struct prober_place){ file, site->offset,
		site->place | (site->offset & HEAP_PLACE_MASK) << HEAP_COOKIE_SHIFT };
	return true;
}

/* Adds a place where a function returns to one of the two lists. */
static bool return_add(struct finding_sites *f, int file, const struct allocator_site *site)
{
	bool has_links = f->attach->return_links.program && !f->is_late;

	return place_add(has_links ? &f->return_links : &f->returns, file, site);
}

/* Returns the first table whose entry for the low bits of the offset is free, or has the same
 * place. */
static int table_for(struct heap_attach *a, const struct allocator_site *site, bool is_late)
{
	uint8_t what = site->place | (is_late ? HEAP_PLACE_LATE : 0);
	size_t at = site->offset & HEAP_PLACE_MASK;

	for (int i = 0; i < HEAP_TABLES; i++) {
		uint8_t *place = &a->places->of[i][at];

		if (*place != HEAP_PLACE_NONE && *place != what)
			continue;
		*place = what;
		return i;
	}
	return -1;
}

static void emit_site(struct heap_attach *a, const struct process_id *process,
	const struct allocator_file *file, const struct allocator_site *site)
{
	struct heap_site pending = {
		.record = { .time_ns = clock_monotonic_ns(),
			.start_ticks = process->start_ticks,
			.pid = process->pid,
			.kind = HEAP_SITE,
			.cpu = SOOTH_CPU_NONE },
		.device = file->device,
		.inode = file->inode,
		.entry = site->entry,
		.offset = site->offset,
		.function = site->function,
		.has_return = site->has_return,
		.is_emulated = site->is_emulated,
	};
	struct record_tail tail[] = { { &pending.path, file->path, strlen(file->path) },
		{ &pending.why, site->why, site->why ? strlen(site->why) : 0 } };

	/* A site of the loader, an exception or a thread's end is no function of the allocator; the
	 * return instruction of one (HEAP_PLACE_RESULT) belongs to a function. */
	if (site->place >= HEAP_PLACE_LOADER && site->place != HEAP_PLACE_RESULT)
		return;
	a->sites++;
	RECORD_APPEND(&a->pending, &pending, tail, 2);
}

/* Returns the place of a site in a late file. The library reports later loads itself, and the
 * return address shows which calls the library makes. */
static const struct allocator_site *place_of(
	struct finding_sites *f, const struct allocator_site *site)
{
	if (!f->is_late)
		return site;
	if (site->place == HEAP_PLACE_LOADER)
		return NULL;
	if (site->keeps_return || site->place > HEAP_PLACE_LOADER)
		return site;
	f->moved = *site;
	f->moved.offset = site->entry;
	f->moved.is_emulated = false;
	f->moved.why = "the return address is in its place";
	return &f->moved;
}

int heap_sites_add_file(void *user, const struct allocator_file *file, struct sooth_error *err)
{
	struct finding_sites *f = user;
	int kept;

	if (f->file_count == FILES_MAX) {
		f->attach->left_out += (uint32_t)file->count;
		return 0;
	}
	kept = fcntl(file->file, F_DUPFD_CLOEXEC, 3);
	if (kept < 0)
		return error_errno(err, -errno, "keep %s open", file->path);
	f->files[f->file_count++] = kept;
	for (size_t i = 0; i < file->count; i++) {
		const struct allocator_site *site = place_of(f, &file->sites[i]);
		int table;

		if (!site)
			continue;
		table = table_for(f->attach, site, f->is_late);
		/* The return goes first: an entry without a return probe would be a call that never
		 * ends. */
		if (table < 0 || f->entries[table].count == PLACES_MAX ||
			(site->has_return && !return_add(f, kept, site))) {
			f->attach->left_out++;
			continue;
		}
		place_add(&f->entries[table], kept, site);
		emit_site(f->attach, f->process, file, site);
	}
	if (file->has_unseen_new && !f->attach->operator_new[0])
		snprintf(
			f->attach->operator_new, sizeof(f->attach->operator_new), "%s", file->path);
	if (allocator_file_defines(file))
		buffer_append(&f->paths, file->path, strlen(file->path) + 1);
	return 0;
}

/* --- attaching --- */

/* Returns whether a process is to get the event. */
static bool is_covered(
	const struct heap_attach *a, const struct covering *c, unsigned event, uint32_t pid)
{
	bool is_return = event < EVENTS_MARKED && a->returns >> event & 1;

	if (heap_sites_is_late(a, event) != c->is_late)
		return false;
	return is_return ? pid != a->return_links.pid : !c->only_returns;
}

/* Covers all threads once. A thread may create others before it is attached, so this is repeated
 * until a pass finds no new thread. */
static int cover_pass(struct heap_attach *a, const struct covering *c, struct map *seen,
	bool *found, struct sooth_error *err)
{
	struct buffer list = { 0 };
	int status = follow_list(a->follow, &list, err), attached = 0;
	const struct follow_listed *threads = (const void *)list.data;
	size_t count = list.size / sizeof(*threads);
	bool is_new;

	*found = false;
	for (size_t i = 0; i < count && !status; i++) {
		if (!c->is_late && a->only && !map_get(a->only, &threads[i].pid))
			continue;
		if ((c->pid && threads[i].pid != c->pid) ||
			!map_put(seen, &threads[i].tid, &is_new) || !is_new)
			continue;
		*found = true;
		for (unsigned e = c->first; e < c->end && status >= 0; e++) {
			if (!is_covered(a, c, e, threads[i].pid))
				continue;
			status = a->type->attach(
				a->prober, e, (pid_t)threads[i].pid, (pid_t)threads[i].tid, err);
			attached |= status > 0;
		}
		if (status >= 0 && !c->is_late)
			status = heap_return_links_attach(&a->return_links, threads[i].pid, err);
		status = status == -ESRCH || status > 0 ? 0 : status;
	}
	buffer_fini(&list);
	return status ? status : attached;
}

int heap_sites_cover(struct heap_attach *a, const struct covering *c, struct sooth_error *err)
{
	struct map seen;
	bool found = true;
	int status = 0, attached = 0;

	map_init(&seen, sizeof(uint32_t), 0, THREADS_MAX);
	for (int pass = 0; pass < PASSES_MAX && found && status >= 0; pass++) {
		status = cover_pass(a, c, &seen, &found, err);
		attached |= status > 0;
	}
	map_fini(&seen);
	return status < 0 ? status : attached;
}

bool heap_sites_is_late(const struct heap_attach *a, unsigned event)
{
	return event < a->late.size && a->late.data[event];
}

static int define_event(struct heap_attach *a, const struct place_list *list, bool is_return,
	bool is_late, const char *program, struct sooth_error *err)
{
	const unsigned char late = is_late;
	unsigned event;
	int status, code;

	if (!list->count)
		return 0;
	code = bpf_code_program(&a->follow->code, program);
	if (code < 0)
		return error_errno(err, code, "load the BPF program %s", program);
	status = a->type->define(
		a->prober, list->places, list->count, is_return, code, &event, NULL, err);
	if (status)
		return status;
	if (is_return && !is_late && event < EVENTS_MARKED)
		a->returns |= 1ull << event;
	a->events = event + 1;
	buffer_append(&a->late, &late, 1);
	return buffer_failed(&a->late) ? error_no_memory(err) : 0;
}

int heap_sites_open_returns(struct heap_attach *a, struct sooth_error *err)
{
	struct place_list list;
	int status = 0;

	a->return_links.has_others = true;
	do {
		struct covering c = { .first = a->events };

		list.count =
			heap_return_links_move_waiting(&a->return_links, list.places, PLACES_MAX);
		status = define_event(a, &list, true, false, "on_return", err);
		for (size_t i = 0; i < list.count; i++)
			close(list.places[i].file);
		c.end = a->events;
		if (!status && list.count)
			status = heap_sites_cover(a, &c, err);
	} while (list.count && status >= 0);
	return status < 0 ? status : 0;
}

/* --- sooth's own functions --- */

static struct prober_place own_place(const struct trap_cost_places *own, uint64_t offset)
{
	return (struct prober_place){ own->file, offset, 0 };
}

/* Defines an event as define_event() does, with places of sooth's own functions added; without
 * them, if the kernel refuses them. */
static int define_with_own(struct finding_sites *f, struct place_list *list, bool is_return,
	const char *program, const struct trap_cost_places *own, struct sooth_error *err)
{
	size_t count = list->count;
	int status;

	if (!own || !count || count + 2 > PLACES_MAX)
		return define_event(f->attach, list, is_return, f->is_late, program, err);
	list->places[list->count++] = own_place(own, own->function);
	if (!is_return)
		list->places[list->count++] = own_place(own, own->stepped);
	status = define_event(f->attach, list, is_return, f->is_late, program, err);
	if (!status) {
		*(is_return ? &f->attach->own.returning : &f->attach->own.entry) =
			(int)f->attach->events - 1;
		return 0;
	}
	list->count = count;
	return define_event(f->attach, list, is_return, f->is_late, program, err);
}

int heap_sites_define_overhead_probes(struct heap_attach *a, struct sooth_error *err)
{
	struct trap_cost_places own;
	struct prober_place places[2];
	unsigned event;
	int status = trap_cost_places(&own, err);

	a->own.is_tried = true;
	if (status)
		return status;
	places[0] = own_place(&own, own.function);
	places[1] = own_place(&own, own.stepped);
	status = a->type->define(a->prober, places, 2, false,
		bpf_code_program(&a->follow->code, heap_entry_programs[0]), &event, NULL, err);
	if (!status)
		a->own.entry = (int)event;
	if (!status)
		status = a->type->define(a->prober, places, 1, true,
			bpf_code_program(&a->follow->code, "on_return"), &event, NULL, err);
	if (!status)
		a->own.returning = (int)event;
	close(own.file);
	return status;
}

static int define_calls(struct finding_sites *f, struct sooth_error *err)
{
	struct heap_attach *a = f->attach;
	struct trap_cost_places places, *own = NULL;
	struct sooth_error ignored;
	int status;

	if (a->type->is_inherited && !a->own.is_tried && !f->is_late && f->entries[0].count) {
		a->own.is_tried = true;
		own = trap_cost_places(&places, &ignored) ? NULL : &places;
	}
	status = define_with_own(f, &f->returns, true, "on_return", own, err);
	for (int i = 0; i < HEAP_TABLES && !status; i++)
		status = define_with_own(
			f, &f->entries[i], false, heap_entry_programs[i], i ? NULL : own, err);
	if (own)
		close(own->file);
	return status;
}

int heap_sites_define(struct finding_sites *f, struct sooth_error *err)
{
	struct heap_attach *a = f->attach;
	int status = define_calls(f, err);

	if (!status && f->return_links.count)
		status = heap_return_links_define(
			&a->return_links, f->return_links.places, f->return_links.count, err);
	if (!status && a->return_links.has_others)
		status = heap_sites_open_returns(a, err);
	return status;
}

void heap_sites_fini(struct finding_sites *f)
{
	for (size_t i = 0; i < f->file_count; i++)
		close(f->files[i]);
	buffer_fini(&f->paths);
}
