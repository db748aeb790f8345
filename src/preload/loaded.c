/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries that the program loads while it runs. The loader of glibc calls malloc() after it has
 * mapped a library, and before code of the library runs. If its list has a new library that may
 * define an allocator, the thread asks sooth to probe it, and waits.
 */
#include "preload/loaded.h"

/* A function in the loader, by which the code of the loader is found. */
extern void *__tls_get_addr(void *where) __attribute__((weak));
/* Other C libraries do not call the program's malloc(). */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *user)
	__attribute__((weak));

struct loader_code loader_code;

/* The loader's list as last read. */
struct loaded_list {
	unsigned long long adds, subs; /* objects that were loaded, and unloaded */
	unsigned long long count;      /* objects in the list: none of other namespaces */
};

static struct {
	atomic_ullong adds, subs, count;
	unsigned long long at_start, hidden_at_start;
} seen;

struct looking {
	struct loaded_list now;
	unsigned long long from;  /* index of the first new object */
	bool may_allocate, calls; /* a new object may allocate, or calls */
};

static int read_load_counts(struct dl_phdr_info *info, size_t size, void *user)
{
	struct loaded_list *now = user;

	(void)size;
	now->adds = info->dlpi_adds;
	now->subs = info->dlpi_subs;
	return 1;
}

static int examine_object(struct dl_phdr_info *info, size_t size, void *user)
{
	struct looking *l = user;

	read_load_counts(info, size, &l->now);
	if (l->now.count++ >= l->from) {
		struct loaded_object o = loaded_object(info);

		l->may_allocate |= o.may_allocate;
		l->calls |= o.calls;
	}
	return 0;
}

static int read_loader(struct dl_phdr_info *info, size_t size, void *ignored)
{
	uintptr_t inside = (uintptr_t)__tls_get_addr;

	(void)size;
	(void)ignored;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || inside - begin >= p->p_memsz)
			continue;
		loader_code.begin = begin;
		loader_code.bytes = p->p_memsz;
		return 1;
	}
	return 0;
}

/* Counts loaded objects that the list does not show: those of other namespaces, less the vDSO. */
static unsigned long long hidden_objects(const struct loaded_list *now)
{
	return now->adds - now->subs - now->count;
}

static void note_seen_list(const struct loaded_list *now)
{
	atomic_store(&seen.count, now->count);
	atomic_store(&seen.subs, now->subs);
	atomic_store(&seen.adds, now->adds);
}

void loaded_begin(void)
{
	struct looking l = { .from = -1ull };

	if (!gnu_get_libc_version || !dl_iterate_phdr || !__tls_get_addr)
		return;
	dl_iterate_phdr(examine_object, &l);
	note_seen_list(&l.now);
	seen.at_start = l.now.count;
	seen.hidden_at_start = hidden_objects(&l.now);
	dl_iterate_phdr(read_loader, NULL);
}

/* Returns whether the thread is inside dlopen() with RTLD_DEEPBIND. The C library loads some
 * libraries without dlopen(), like those for character sets. */
static bool is_in_deep(struct thread *t)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	bool is = t->deep_frame && frame < t->deep_frame;

#if defined(__x86_64__)
	unsigned long long mapping[2];

	/* The stack of that call may be unmapped by now, so ask before reading it. (On other
	 * machines dlopen() leaves no frame.) */
	is = is && thread_begin(t) && session_ask(t, PRELOAD_ASK_MAPPING, t->deep_frame, mapping) &&
	     t->deep_frame >= mapping[0] && t->deep_frame + 2 * sizeof(frame) <= mapping[1] &&
	     ((const uintptr_t *)t->deep_frame)[1] == t->deep_return;
#endif
	if (!is)
		t->deep_frame = 0;
	return is;
}

/* Finds new objects. The change is noted as seen only at the end, so that each thread that sees it
 * waits. */
void loaded_find_new(struct thread *t)
{
	struct looking l = { 0 };
	uint32_t around = 0;

	if (t->is_busy || !session_is_on())
		return;
	dl_iterate_phdr(read_load_counts, &l.now);
	if (l.now.adds == atomic_load(&seen.adds))
		return;
	/* If an object was unloaded, later objects have moved up in the list. */
	l.from = l.now.subs == atomic_load(&seen.subs) ? atomic_load(&seen.count) : seen.at_start;
	dl_iterate_phdr(examine_object, &l);
	if (l.may_allocate || hidden_objects(&l.now) != seen.hidden_at_start)
		around |= PRELOAD_AROUND_OWN;
	if (l.calls && is_in_deep(t))
		around |= PRELOAD_AROUND_DEEP;
	if (around)
		session_calls_around(t, around);
	note_seen_list(&l.now);
}

/* --- which is first --- */

struct order {
	const void *address;
	bool is_before;
};

bool loaded_has(const struct dl_phdr_info *info, const void *address)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD &&
			(uintptr_t)address - (info->dlpi_addr + p->p_vaddr) < p->p_memsz)
			return true;
	}
	return false;
}

static int compare_load_order(struct dl_phdr_info *info, size_t size, void *user)
{
	struct order *o = user;

	(void)size;
	o->is_before = loaded_has(info, o->address);
	return o->is_before || loaded_has(info, &sooth_page);
}

bool loaded_is_before(const void *address)
{
	struct order o = { .address = address };

	if (dl_iterate_phdr)
		dl_iterate_phdr(compare_load_order, &o);
	return o.is_before;
}
