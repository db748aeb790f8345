/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space probes. Each event has an anchor: the event is opened once on the guard, without a
 * breakpoint there, and the BPF program is set on it. The anchor keeps the probes registered. So
 * attaching a thread takes microseconds, and the cost of ending (the kernel waits until no CPU can
 * still be in a handler) is paid once per event, whatever the number of threads, and by the guard,
 * after sooth has ended.
 *
 * The events stay disabled: the program runs at the breakpoints anyway, and the target's context
 * switches cost nothing for an event that does not count.
 */
#include "os/linux/uprobes/uprobes.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "os/linux/files/procfs.h"
#include "os/linux/rights/needs.h"
#include "os/linux/uprobes/prober.h"
#include "os/linux/uprobes/tracefs.h"
#include "os/linux/uprobes/uprobes_guard.h"

/* --- uprobes trial --- */

/*
 * Whether the kernel accepts probes at some places. It checks the instruction only when it
 * puts a breakpoint into memory: attaching to a running thread reports an error, but a program
 * that is executed later just gets no breakpoint. So the places are mapped into sooth's own
 * memory, and the event is attached to sooth for a moment.
 */

#ifdef __x86_64__
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE
#endif

/* Checks without the kernel that the place is in a regular file that contains the offset. */
static int uprobes_check_place(const struct prober_place *place, struct sooth_error *err)
{
	unsigned long long offset = place->offset;
	struct statx file;

	/* No server is asked: the file was read just before. */
	if (statx(place->file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE,
		    &file))
		return error_errno(err, -errno, "define a probe at 0x%llx", offset);
	if (S_ISREG(file.stx_mode) && place->offset < file.stx_size)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "define a probe at 0x%llx", offset);
	if (!S_ISREG(file.stx_mode))
		return error_why(err, "the path does not name a regular file");
	return error_why(err, "the file has %llu bytes", (unsigned long long)file.stx_size);
}

/* The kernel decodes an instruction once, for the first process in which it meets it, and keeps the
 * result for all others: so code for another machine must not be tried here. */
static bool is_own_code(int file)
{
	ElfW(Ehdr) header;

	return pread(file, &header, sizeof(header), 0) == sizeof(header) &&
	       !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
	       header.e_ident[EI_CLASS] == (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32) &&
	       header.e_machine == OWN_MACHINE;
}

/* Tries places with an event that is defined over them and in use. Returns 0, or the kernel's error
 * for one of them. */
static int uprobes_try_places(int64_t event, const struct prober_place *places, size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct buffer mapped = { 0 };
	void *const *pages;
	int fd;

	for (size_t i = 0; i < count; i++) {
		void *at = MAP_FAILED;

		if (is_own_code(places[i].file))
			at = mmap(NULL, page, PROT_READ, MAP_PRIVATE, places[i].file,
				(off_t)(places[i].offset & ~(uint64_t)(page - 1)));
		/* Files that cannot be mapped are not tried. */
		if (at != MAP_FAILED)
			buffer_append(&mapped, &at, sizeof(at));
	}
	fd = tracefs_event_open(event, 0, TRACEFS_THREAD);
	if (fd >= 0)
		close(fd);
	pages = (void *const *)(const void *)mapped.data;
	for (size_t i = 0; i < mapped.size / sizeof(*pages); i++)
		munmap(pages[i], page);
	buffer_fini(&mapped);
	return fd < 0 ? fd : 0;
}

/* --- uprobes --- */

/* The kernel's internal ENOTSUPP, which reaches user space here. */
#define KERNEL_ENOTSUPP 524
/* For forked children with copies of descriptors, and for threads just exiting. */
#define TIMEOUT_NS 2000000000

struct event {
	uint64_t number; /* number in the event's name */
	int64_t id;	 /* perf's number of the event */
	int anchor;
};

struct attachment {
	int fd;
	pid_t kept; /* 0: events inherited from the thread depend on it to the end */
};

struct uprobes {
	const struct log *log;
	bool is_loose; /* inherited events are not enough: each new process gets its own */
	int tracefs;
	int latch; /* see tracefs.h */
	struct uprobes_guard guard;
	struct tracefs_group group;
	uint64_t *defined;	/* numbers used, including events that failed; the guard reads it */
	struct buffer events;	/* struct event */
	struct buffer attached; /* struct attachment */
};

static size_t event_count(const struct uprobes *u)
{
	return u->events.size / sizeof(struct event);
}

static void free_uprobes(struct uprobes *u)
{
	buffer_fini(&u->events);
	buffer_fini(&u->attached);
	if (u->defined)
		munmap(u->defined, sizeof(*u->defined));
	cleanup_close(&u->latch);
	cleanup_close(&u->tracefs);
	free(u);
}

static int make_latch(struct uprobes *u, struct sooth_error *err)
{
	void *shared = mmap(NULL, sizeof(*u->defined), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return error_errno(err, -errno, "map memory");
	u->defined = shared;
	u->latch = memfd_create("sooth-latch", MFD_CLOEXEC);
	return u->latch < 0 ? error_errno(err, -errno, "make a file in memory") : 0;
}

static int start_guard(struct uprobes *u, struct sooth_error *err)
{
	int code = procfs_identify(getpid(), &u->group.owner);
	struct uprobes_guarded guarded = { u->tracefs, u->latch, u->group.owner, u->defined };

	if (code)
		return error_errno(err, code, "read /proc/self/stat");
	code = uprobes_guard_start(&u->guard, &guarded, err);
	u->group.guard = (uint64_t)u->guard.pid;
	u->group.pid_namespace = needs_inner_pid_namespace();
	return code;
}

int uprobes_open(struct uprobes **out, const struct log *log, struct sooth_error *err)
{
	struct uprobes *u = calloc(1, sizeof(*u));
	int code;

	*out = NULL;
	if (!u)
		return error_no_memory(err);
	*u = (struct uprobes){ .log = log, .is_loose = tracefs_inherits_loosely(), .latch = -1 };
	u->tracefs = tracefs_open(err);
	code = u->tracefs < 0 ? u->tracefs : make_latch(u, err);
	if (!code) {
		uprobes_sweep_dead(u->tracefs, log);
		code = start_guard(u, err);
	}
	if (code)
		free_uprobes(u);
	else
		*out = u;
	return code;
}

static int refuse_open(int code, const char *tried, struct sooth_error *err)
{
	struct rlimit limit = { 0 };

	switch (-code) {
	case EMFILE:
		getrlimit(RLIMIT_NOFILE, &limit);
		error_errno(err, code, "%s", tried);
		error_missing(err, "descriptors: this process may have %llu",
			(unsigned long long)limit.rlim_cur);
		return error_remedy(err,
			"run this in the shell before you start sooth: ulimit -n %llu",
			(unsigned long long)limit.rlim_cur * 4);
	case KERNEL_ENOTSUPP:
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "%s", tried);
		return error_why(err, "the kernel refuses a probe on this instruction");
	case EINTR:
		error_set(err, -EBUSY, SOOTH_FAULT_IO, "%s", tried);
		error_why(err,
			"another program has enabled all events in tracefs, including this probe");
		return error_remedy(err, "echo 0 > /sys/kernel/tracing/events/enable");
	case EPERM:
	case EACCES:
		error_errno(err, code, "%s", tried);
		error_missing(err, "the capability cap_sys_admin, or cap_perfmon");
		return error_remedy(err, "run sooth as root");
	default:
		return error_errno(err, code, "%s", tried);
	}
}

static int define_places(struct uprobes *u, const struct event *event,
	const struct prober_place *places, size_t count, bool is_return, size_t *refused,
	struct sooth_error *err)
{
	int code = tracefs_define(u->tracefs, &u->group, event->number, is_return, u->latch,
		TRACEFS_LATCH_OFFSET, err);

	for (size_t i = 0; i < count && !code; i++) {
		code = uprobes_check_place(&places[i], err);
		if (!code)
			code = tracefs_define(u->tracefs, &u->group, event->number, is_return,
				places[i].file, places[i].offset, err);
		if (code)
			*refused = i;
	}
	return code;
}

/* Opens the anchor: the only time that the latch is open. */
static int open_anchor(struct uprobes *u, struct event *event, struct sooth_error *err)
{
	event->id = tracefs_event_id(u->tracefs, &u->group, event->number);
	if (event->id < 0)
		return error_errno(err, (int)event->id, "read the number of the probes' event");
	if (ftruncate(u->latch, 2 * TRACEFS_LATCH_OFFSET))
		return error_errno(err, -errno, "make a file in memory larger");
	event->anchor = tracefs_event_open(event->id, u->guard.pid, TRACEFS_NOWHERE);
	if (ftruncate(u->latch, 0))
		return error_errno(err, -errno, "make a file in memory smaller");
	return event->anchor < 0 ? refuse_open(event->anchor, "register the probes", err) : 0;
}

static void drop_event(struct uprobes *u, struct event *event)
{
	cleanup_close(&event->anchor);
	event->anchor = -1;
	/* If the removal fails, it is tried again at the end. */
	tracefs_remove(u->tracefs, &u->group, event->number);
}

static int make_event(struct uprobes *u, struct event *event, const struct prober_place *places,
	size_t count, bool is_return, size_t *refused, struct sooth_error *err)
{
	int code;

	/* The number is counted first: if sooth is killed meanwhile, the guard removes the
	 * event. */
	*event = (struct event){ .number = *u->defined, .anchor = -1 };
	__atomic_store_n(u->defined, event->number + 1, __ATOMIC_RELEASE);
	code = define_places(u, event, places, count, is_return, refused, err);
	if (!code)
		code = open_anchor(u, event, err);
	if (code)
		drop_event(u, event);
	return code;
}

/* Finds the place that the kernel refuses: the kernel does not say which, so each is tried
 * alone. */
static int find_refused(struct uprobes *u, const struct prober_place *places, size_t count,
	bool is_return, size_t *refused, int code, struct sooth_error *err)
{
	size_t none;

	for (size_t i = 0; i < count; i++) {
		struct event event;
		int alone = make_event(u, &event, &places[i], 1, is_return, &none, NULL);

		if (!alone) {
			alone = uprobes_try_places(event.id, &places[i], 1);
			drop_event(u, &event);
		}
		if (!alone)
			continue;
		*refused = i;
		break;
	}
	refuse_open(code, "put probes into a program", err);
	if (*refused < count)
		error_missing(err, "an instruction at 0x%llx that can be probed",
			(unsigned long long)places[*refused].offset);
	return err->code;
}

int uprobes_define(struct uprobes *u, const struct prober_place *places, size_t count,
	bool is_return, int program, unsigned *event, size_t *refused, struct sooth_error *err)
{
	size_t nowhere;
	struct event e;
	int code;

	ERROR_HERE(err);
	refused = refused ? refused : &nowhere;
	*refused = count;
	code = make_event(u, &e, places, count, is_return, refused, err);
	if (code)
		return code;
	code = uprobes_try_places(e.id, places, count);
	if (code) {
		drop_event(u, &e);
		return find_refused(u, places, count, is_return, refused, code, err);
	}
	if (ioctl(e.anchor, PERF_EVENT_IOC_SET_BPF, program)) {
		code = error_errno(err, -errno, "set the BPF program of the probes");
	} else {
		buffer_append(&u->events, &e, sizeof(e));
		code = buffer_failed(&u->events) ? error_no_memory(err) : 0;
	}
	if (code)
		drop_event(u, &e);
	else
		*event = (unsigned)event_count(u) - 1;
	return code;
}

static int attach_event(struct uprobes *u, unsigned event, pid_t tid, enum tracefs_reach reach,
	struct sooth_error *err)
{
	const struct event *events = (const void *)u->events.data;
	struct attachment *a = buffer_reserve(&u->attached, sizeof(*a));
	char tried[64];

	if (!a)
		return error_no_memory(err);
	a->kept = reach == TRACEFS_THREAD ? tid : 0;
	a->fd = tracefs_event_open(events[event].id, tid, reach);
	if (a->fd < 0) {
		snprintf(tried, sizeof(tried), "attach probes to thread %d", (int)tid);
		return refuse_open(a->fd, tried, err);
	}
	buffer_commit(&u->attached, sizeof(*a));
	return 0;
}

int uprobes_attach(struct uprobes *u, unsigned event, pid_t tid, struct sooth_error *err)
{
	struct attachment *last;
	int code;

	if (!u->is_loose)
		return attach_event(u, event, tid, TRACEFS_TREE, err);
	code = attach_event(u, event, tid, TRACEFS_TREE_LOOSELY, err);
	if (code)
		return code;
	/* With an event that is not inherited, the kernel does not exchange those of the children
	 * either. */
	code = attach_event(u, event, tid, TRACEFS_THREAD, err);
	/* The thread may have ended after a fork: the child needs the first event. */
	if (!code || code == -ESRCH)
		return 0;
	u->attached.size -= sizeof(*last);
	last = (void *)(u->attached.data + u->attached.size);
	close(last->fd);
	return code;
}

bool uprobes_needs_keeping(const struct uprobes *u)
{
	return u->is_loose;
}

int uprobes_keep_breakpoints(struct uprobes *u, unsigned event, pid_t tid, struct sooth_error *err)
{
	return u->is_loose ? attach_event(u, event, tid, TRACEFS_THREAD, err) : 0;
}

void uprobes_release(struct uprobes *u, pid_t tid)
{
	struct attachment *a = (void *)u->attached.data;
	size_t count = u->attached.size / sizeof(*a);

	if (!u->is_loose) /* then nothing was kept */
		return;
	for (size_t i = 0; i < count;) {
		if (a[i].kept != tid) {
			i++;
			continue;
		}
		close(a[i].fd);
		a[i] = a[--count];
	}
	u->attached.size = count * sizeof(*a);
}

size_t uprobes_descriptors(const struct uprobes *u)
{
	return event_count(u) + u->attached.size / sizeof(struct attachment);
}

void uprobes_detach(struct uprobes *u)
{
	if (!u)
		return;
	buffer_each (const struct attachment, a, &u->attached)
		close(a->fd);
	buffer_reset(&u->attached);
}

/* Passes the events to the guard. If the guard was alive when the last one arrived, it closes and
 * removes them. */
static bool pass_events(struct uprobes *u)
{
	const struct event *events = (const void *)u->events.data;
	size_t count = event_count(u);
	int *anchors = calloc(count ? count : 1, sizeof(*anchors));
	bool is_passed = anchors && count;

	for (size_t i = 0; i < count && is_passed; i++)
		anchors[i] = events[i].anchor;
	is_passed = is_passed && uprobes_guard_pass(&u->guard, anchors, count);
	free(anchors);
	return is_passed;
}

void uprobes_close(struct uprobes *u, uint64_t *detach_ns)
{
	uint64_t begin = clock_monotonic_ns();
	const struct event *events;
	bool is_passed;
	int code = 0;

	if (detach_ns)
		*detach_ns = 0;
	if (!u)
		return;
	uprobes_detach(u);
	is_passed = pass_events(u);
	events = (const void *)u->events.data;
	for (size_t i = 0; i < event_count(u); i++)
		close(events[i].anchor);
	if (!is_passed)
		code = uprobes_sweep_group(u->tracefs, &u->group, *u->defined, TIMEOUT_NS);
	if (code)
		log_line(u->log, LOG_WARNING, "remove the probes: %s; left to process %d",
			strerror(-code), (int)u->guard.pid);
	uprobes_guard_end(&u->guard, !code && !is_passed);
	if (detach_ns)
		*detach_ns = clock_monotonic_ns() - begin;
	free_uprobes(u);
}
