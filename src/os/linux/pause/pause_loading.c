/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches a program load. From the exec on each of its system calls stops it twice
 * (PTRACE_SYSCALL): at the entry, where the address of the call shows whether the loader is still
 * at work, and at the return, where a new mapping can be examined.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/procfs.h"
#include "os/linux/pause/pause.h"

/* --- pause loader --- */

/*
 * Where a process's dynamic loader is, and whether it has finished. It has when code outside
 * of it makes a system call. musl's loader is its libc, so that never happens; there the state
 * that every loader keeps for debuggers is used: the program's DT_DEBUG points to struct
 * r_debug (<link.h>), which is RT_CONSISTENT once all libraries are mapped. glibc sets it too.
 */

struct loader_range {
	uint64_t begin, end;
};

struct loader {
	pid_t pid;
	bool is_compat; /* 4-byte words in an 8-byte sooth */
	struct loader_range interpreter, vdso;
	uint64_t entry; /* entry of the program */
	uint64_t debug; /* where the program stores the address of r_debug, 0: nowhere */
};

#define AUXV_MAX     4096
#define SEGMENTS_MAX 64
#define DYNAMIC_MAX  512
#define TYPE_MAX     0xffff /* of an entry of the auxiliary vector */

struct auxv {
	bool is_compat;
	uint64_t base, entry, segments, segment_count, random;
};

static void auxv_entry(struct auxv *a, uint64_t type, uint64_t value)
{
	switch (type) {
	case AT_BASE:
		a->base = value;
		break;
	case AT_ENTRY:
		a->entry = value;
		break;
	case AT_PHDR:
		a->segments = value;
		break;
	case AT_PHNUM:
		a->segment_count = value;
		break;
	case AT_RANDOM:
		a->random = value;
		break;
	}
}

static uint64_t word(struct cursor *c, bool is_compat)
{
	return is_compat ? cursor_u32(c) : cursor_u64(c);
}

static int auxv_read(struct auxv *a, pid_t pid)
{
	struct buffer bytes = { 0 };
	struct cursor c;
	uint64_t first;
	int status = procfs_read(pid, "auxv", &bytes, AUXV_MAX);

	*a = (struct auxv){ 0 };
	c = cursor_over(bytes.data, bytes.size);
	first = cursor_u64(&c);
	/* Two 4-byte words read as one look like a type that does not exist. */
	a->is_compat = !c.failed && first > TYPE_MAX;
	c = cursor_over(bytes.data, bytes.size);
	while (status >= 0 && cursor_left(&c) >= 16) {
		uint64_t type = word(&c, a->is_compat), value = word(&c, a->is_compat);

		if (type == AT_NULL)
			break;
		auxv_entry(a, type, value);
	}
	buffer_fini(&bytes);
	return status < 0 ? status : 0;
}

static bool read_memory(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = { to, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* --- ranges --- */

static bool range_contains(struct loader_range range, uint64_t address)
{
	return address >= range.begin && address < range.end;
}

/* Finds the ranges of the program and its interpreter. Adjacent mappings of one file are one range;
 * the interpreter's contains AT_BASE. */
static void find_ranges(struct loader *l, struct span maps, uint64_t base)
{
	struct loader_range run = { 0 };
	struct maps_line m, former = { 0 };

	maps_for_each (&m, maps) {
		if (span_equal(m.path, "[vdso]"))
			l->vdso = (struct loader_range){ m.from, m.to };
		if (!m.inode || m.inode != former.inode || m.device_major != former.device_major ||
			m.device_minor != former.device_minor || m.from != run.end)
			run.begin = m.from;
		run.end = m.to;
		former = m;
		if (range_contains(run, base))
			l->interpreter = run;
	}
}

/* --- struct r_debug --- */

struct segment {
	uint32_t type;
	uint64_t address, size;
};

static struct segment segment_at(const unsigned char *table, size_t number, bool is_compat)
{
	Elf64_Phdr wide;
	Elf32_Phdr narrow;

	if (is_compat) {
		memcpy(&narrow, table + number * sizeof(narrow), sizeof(narrow));
		return (struct segment){ narrow.p_type, narrow.p_vaddr, narrow.p_filesz };
	}
	memcpy(&wide, table + number * sizeof(wide), sizeof(wide));
	return (struct segment){ wide.p_type, wide.p_vaddr, wide.p_filesz };
}

/* Address of the value of an entry, 0 if there is none. */
static uint64_t find_entry(
	const struct loader *l, uint64_t address, uint64_t size, uint64_t selected)
{
	size_t pair = l->is_compat ? 8 : 16;
	unsigned char bytes[DYNAMIC_MAX * 16];
	struct cursor c;

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	if (!read_memory(l->pid, address, bytes, size))
		return 0;
	c = cursor_over(bytes, size);
	for (uint64_t at = address; cursor_left(&c) >= pair; at += pair) {
		uint64_t tag = word(&c, l->is_compat);

		if (tag == selected)
			return at + pair / 2;
		if (tag == DT_NULL)
			break;
		word(&c, l->is_compat);
	}
	return 0;
}

/* Finds an entry in the dynamic section of the executed program. */
static uint64_t find_dynamic(const struct loader *l, const struct auxv *auxv, uint64_t selected)
{
	size_t count = auxv->segment_count < SEGMENTS_MAX ? auxv->segment_count : SEGMENTS_MAX;
	size_t size = count * (l->is_compat ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr));
	unsigned char table[SEGMENTS_MAX * sizeof(Elf64_Phdr)];
	struct segment dynamic = { 0 };
	/* A table outside of all segments is behind the file's header. */
	uint64_t bias = auxv->segments - (l->is_compat ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr));

	if (!read_memory(l->pid, auxv->segments, table, size))
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct segment s = segment_at(table, i, l->is_compat);

		if (s.type == PT_PHDR)
			bias = auxv->segments - s.address;
		if (s.type == PT_DYNAMIC)
			dynamic = s;
	}
	return dynamic.type ? find_entry(l, dynamic.address + bias, dynamic.size, selected) : 0;
}

/* Returns whether struct r_debug says that the list of libraries is consistent: it has a version,
 * the first library, a function, and a state. */
static bool says_consistent(const struct loader *l)
{
	size_t size = l->is_compat ? 4 : 8;
	unsigned char bytes[4 * 8];
	uint64_t address, version, first, state;
	struct cursor c;

	if (!l->debug || !read_memory(l->pid, l->debug, bytes, size))
		return false;
	c = cursor_over(bytes, size);
	address = word(&c, l->is_compat);
	if (!address || !read_memory(l->pid, address, bytes, 4 * size))
		return false;
	c = cursor_over(bytes, 4 * size);
	version = word(&c, l->is_compat) & UINT32_MAX;
	first = word(&c, l->is_compat);
	word(&c, l->is_compat);
	state = word(&c, l->is_compat) & UINT32_MAX;
	return version && first && state == 0; /* RT_CONSISTENT */
}

/* Finds the loader. 1: found, 0: the program has none, or a negative errno. */
static int loader_find(struct loader *l, pid_t pid)
{
	struct buffer maps = { 0 };
	struct auxv auxv;
	int status = auxv_read(&auxv, pid);

	*l = (struct loader){ .pid = pid, .is_compat = auxv.is_compat, .entry = auxv.entry };
	/* An executed library is a loader that was given the program's name. */
	if (!status && !auxv.base && find_dynamic(l, &auxv, DT_SONAME))
		auxv.base = auxv.segments;
	if (status || !auxv.base)
		return status;
	status = procfs_read(pid, "maps", &maps, PROCFS_MAPS);
	if (status >= 0) {
		find_ranges(l, span_of((const char *)maps.data, maps.size), auxv.base);
		l->debug = find_dynamic(l, &auxv, DT_DEBUG);
		status = l->interpreter.end != 0;
	}
	buffer_fini(&maps);
	return status;
}

/* Returns whether loading is complete. `ip` is the address of a system call. */
static bool loader_is_done(const struct loader *l, uint64_t ip)
{
	bool is_outside = !range_contains(l->interpreter, ip);

	/* Calls in the kernel's own page (vdso) are made for the code that called it. */
	return (is_outside && !range_contains(l->vdso, ip)) || says_consistent(l);
}

/* Returns whether the process runs another program than sooth, which it was forked from. */
static bool loader_is_other_program(pid_t pid)
{
	struct auxv auxv;

	/* A fork keeps its parent's addresses; an exec chooses new ones. */
	return !auxv_read(&auxv, pid) &&
	       (auxv.random != getauxval(AT_RANDOM) || auxv.entry != getauxval(AT_ENTRY) ||
		       auxv.base != getauxval(AT_BASE));
}

/* --- pause loading --- */

/* On all 32-bit systems a 64-bit kernel runs, and for x86-64's calls with 32-bit pointers. */
#define COMPAT_MMAP	192
#define COMPAT_MPROTECT 125
#define X32_BIT		0x40000000

#define SPIN_NS	   50000 /* most calls of a loader are shorter */
#define RELEASE_NS 1000000000ULL

struct loading {
	pid_t pid;
	pause_mapped *mapped;
	void *user;
	const volatile bool *cancel;
	unsigned stops, stops_max;
	bool awaits_exec;
	bool has_begun;
	bool maps_code; /* the current call */
	struct loader loader;
};

enum next_step { RESUME = 1, DONE = 0 }; /* or a negative errno */

static int await_stop(const struct loading *l, struct pause_stop *stop)
{
	struct pause_sleeper sleeper = { .spin_until_ns = clock_monotonic_ns() + SPIN_NS };
	enum pause_state state;

	for (;;) {
		if (l->cancel && *l->cancel) {
			pause_sleep_end(&sleeper);
			return -ECANCELED;
		}
		state = pause_check(l->pid, stop);
		if (state != PAUSE_RUNNING)
			break;
		pause_sleep(&sleeper, UINT64_MAX);
	}
	pause_sleep_end(&sleeper);
	return state == PAUSE_STOPPED ? 0 : -ESRCH;
}

static int call_info(const struct loading *l, struct __ptrace_syscall_info *info)
{
	long got = ptrace(PTRACE_GET_SYSCALL_INFO, l->pid, sizeof(*info), info);

	return got < 0 ? -errno : 0;
}

static bool has_threads(pid_t pid)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool has = procfs_read(pid, "stat", &bytes, PROCFS_SMALL) >= 0 &&
		   procfs_parse_stat(&stat, bytes.data, bytes.size) && stat.threads > 1;

	buffer_fini(&bytes);
	return has;
}

/* Begins to watch the loading, at the exec, or where a running program was stopped. */
static int begin_loading(struct loading *l, bool is_exec)
{
	struct __ptrace_syscall_info info;
	int status = loader_find(&l->loader, l->pid), unknown = call_info(l, &info);
	uint64_t at = unknown ? 0 : info.instruction_pointer;
	bool is_loading = status > 0 && !unknown && !loader_is_done(&l->loader, at);

	l->has_begun = true;
	l->awaits_exec = l->maps_code = false;
	l->mapped(l->user, l->pid, !is_exec && !is_loading && (!at || at != l->loader.entry));
	if (status <= 0 || has_threads(l->pid))
		return status < 0 ? status : DONE;
	ptrace(PTRACE_SETOPTIONS, l->pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
	if (unknown)
		return unknown;
	return is_loading ? RESUME : DONE;
}

static bool is_at_call(const struct loading *l, uint64_t number, uint64_t native, uint64_t compat)
{
	if (l->loader.is_compat && !(number & X32_BIT))
		return number == compat;
	return (number & ~(uint64_t)X32_BIT) == native;
}

static int handle_call_stop(struct loading *l)
{
	struct __ptrace_syscall_info info;
	int status = call_info(l, &info);

	if (status)
		return status;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		if (loader_is_done(&l->loader, info.instruction_pointer))
			return DONE;
		l->maps_code = info.entry.args[2] & PROT_EXEC &&
			       (is_at_call(l, info.entry.nr, SYS_mmap, COMPAT_MMAP) ||
				       is_at_call(l, info.entry.nr, SYS_mprotect, COMPAT_MPROTECT));
	} else {
		if (l->maps_code && !info.exit.is_error)
			l->mapped(l->user, l->pid, false);
		l->maps_code = false;
	}
	return ++l->stops < l->stops_max ? RESUME : -ETIME;
}

static int handle_stop(struct loading *l, const struct pause_stop *stop)
{
	if (stop->at == PAUSE_AT_EXEC || (!l->has_begun && !l->awaits_exec))
		return begin_loading(l, stop->at == PAUSE_AT_EXEC);
	return stop->at == PAUSE_AT_CALL ? handle_call_stop(l) : RESUME;
}

static void resume_program(const struct loading *l, const struct pause_stop *stop)
{
	/* A job-control stop is left as it is, until SIGCONT makes the process stop here again. */
	if (stop->at == PAUSE_AT_JOB_STOP)
		ptrace(PTRACE_LISTEN, l->pid, NULL, NULL);
	else
		ptrace(l->has_begun ? PTRACE_SYSCALL : PTRACE_CONT, l->pid, NULL,
			(unsigned long)stop->signal);
}

/* Releases the program. `stop` is its current stop, or NULL. False: it has ended. */
static bool release_program(const struct loading *l, const struct pause_stop *stop)
{
	uint64_t until_ns = clock_monotonic_ns() + RELEASE_NS;
	struct pause_sleeper sleeper = { 0 };
	enum pause_state state = PAUSE_RUNNING;
	struct pause_stop now;

	if (stop && pause_detach(l->pid, stop->signal))
		return true;
	/* It runs, or was killed while it was stopped. */
	ptrace(PTRACE_INTERRUPT, l->pid, NULL, NULL);
	while (clock_monotonic_ns() < until_ns) {
		state = pause_check(l->pid, &now);
		if (state == PAUSE_RUNNING)
			pause_sleep(&sleeper, until_ns);
		else if (state != PAUSE_STOPPED || pause_detach(l->pid, now.signal))
			break;
	}
	pause_sleep_end(&sleeper);
	return state == PAUSE_RUNNING || state == PAUSE_STOPPED;
}

static int watch_loading(struct loading *l)
{
	struct pause_stop stop;
	bool is_stopped;
	int status;

	for (;;) {
		status = await_stop(l, &stop);
		is_stopped = !status;
		if (is_stopped)
			status = handle_stop(l, &stop);
		if (status != RESUME)
			break;
		resume_program(l, &stop);
	}
	if (status == -ESRCH && !is_stopped)
		return status;
	return release_program(l, is_stopped ? &stop : NULL) ? status : -ESRCH;
}

int pause_loading(pid_t pid, bool is_before_exec, pause_mapped *mapped, void *user,
	unsigned calls_max, const volatile bool *cancel, struct sooth_error *err)
{
	struct loading l = {
		.pid = pid, .mapped = mapped, .user = user, .cancel = cancel, .stops_max = calls_max
	};
	int status = pause_seize(pid, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);

	if (!status) {
		/* It may have been released before it was seized. */
		l.awaits_exec = is_before_exec && !loader_is_other_program(pid);
		if (!l.awaits_exec)
			ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
		status = watch_loading(&l);
	}
	if (!status)
		return 0;
	error_errno(err, status, "watch process %d load its libraries", (int)pid);
	if (status == -EPERM)
		error_remedy(err, "end the debugger that traces the process, or run sooth as the "
				  "user of the process, or as root");
	return status;
}
