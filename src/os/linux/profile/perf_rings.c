/* SPDX-License-Identifier: BSD-2-Clause */
/* Events and their rings. */
#include "os/linux/profile/perf_rings.h"

#include <assert.h>
#include <asm/perf_regs.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/files/process_clock.h"
#include "os/linux/rights/needs.h"

#define RING_BYTES_MAX	  (1u << 20) /* per CPU; less if the user may not lock so much memory */
#define RING_BYTES_MIN	  (1u << 16)
#define STACK_BYTES	  (32u << 10)
#define STACK_BYTES_SMALL (16u << 10)
#define FAST_NS		  (4 * UINT64_C(1000000)) /* samples that come sooner have small copies */
#define CPUS_MAX	  4096
#define KERNEL_MAX	  64

#if defined(__x86_64__)
#define REGISTERS (1ull << PERF_REG_X86_BP | 1ull << PERF_REG_X86_SP | 1ull << PERF_REG_X86_IP)
#define HAS_LINK  0
#else
#define REGISTERS                                                                                  \
	(1ull << PERF_REG_ARM64_X29 | 1ull << PERF_REG_ARM64_LR | 1ull << PERF_REG_ARM64_SP |      \
		1ull << PERF_REG_ARM64_PC)
#define HAS_LINK 1
#endif

struct perf_ring {
	int fd, cpu; /* an event that never fires: it keeps the ring alive */
	struct perf_event_mmap_page *page;
	size_t page_bytes, bytes; /* of the data, a power of two */
};

static int open_event(const struct perf_event_attr *attr, pid_t tid, int cpu)
{
	long fd = syscall(SYS_perf_event_open, attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

/* Attributes that are the same for all events, so that they can share a ring. */
static struct perf_event_attr make_attributes(const struct perf_rings *r)
{
	return (struct perf_event_attr){ .size = sizeof(struct perf_event_attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
		.sample_id_all = 1,
		.exclude_kernel = !r->has_kernel,
		.exclude_hv = 1,
		.watermark = 1,
		.wakeup_watermark = (uint32_t)(r->count ? r->rings[0].bytes / 4 : 1),
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC };
}

static struct perf_event_attr make_sampling_attributes(const struct perf_rings *r)
{
	struct perf_event_attr attr = make_attributes(r);

	attr.inherit = 1;
	attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 1;
	if (r->has_no_samples)
		return attr;
	attr.config = PERF_COUNT_SW_CPU_CLOCK;
	attr.sample_period = r->period_ns;
	attr.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
	if (r->has_kernel) {
		attr.sample_type |= PERF_SAMPLE_CALLCHAIN;
		attr.exclude_callchain_user = 1;
	}
	attr.sample_regs_user = REGISTERS;
	attr.sample_stack_user = r->stack_bytes;
	return attr;
}

static int perf_refused(int status, struct sooth_error *err)
{
	bool is_refused = status == -EACCES || status == -EPERM;

	error_set(err, status, is_refused ? SOOTH_FAULT_PRIVILEGE : SOOTH_FAULT_UNSUPPORTED,
		"sample a process by perf events");
	if (is_refused && needs_is_filtered(SYS_perf_event_open)) {
		error_why(err, "a seccomp filter (of the container) refuses perf_event_open(2)");
		return error_remedy(
			err, "start the container with: --security-opt seccomp=unconfined");
	}
	error_why(err, "perf_event_open: %s%s", strerror(-status),
		is_refused ? " (kernel.perf_event_paranoid above 2, or a sandbox)" : "");
	error_missing(err, "cap_bpf and cap_perfmon, or root; for own processes "
			   "kernel.perf_event_paranoid=2");
	return error_remedy(
		err, "run sooth as root, or once: sudo sysctl kernel.perf_event_paranoid=2");
}

/* Opens an event of this thread; returns a negative errno on failure. */
static int test_event(bool has_kernel)
{
	const struct perf_rings r = { .has_kernel = has_kernel };
	struct perf_event_attr attr = make_attributes(&r);
	int fd;

	attr.disabled = 1;
	fd = open_event(&attr, 0, -1);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

int perf_rings_test(struct sooth_error *err)
{
	int status = test_event(false);

	return status ? perf_refused(status, err) : 0;
}

/* --- rings --- */

static void close_ring(struct perf_ring *ring)
{
	if (ring->page)
		munmap(ring->page, ring->page_bytes + ring->bytes);
	cleanup_close(&ring->fd);
	ring->page = NULL;
}

static int map_ring(struct perf_rings *r, int cpu, size_t bytes)
{
	struct perf_ring *ring = &r->rings[r->count];
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct perf_event_attr attr;
	void *page;
	int status = 0;

	*ring = (struct perf_ring){
		.cpu = cpu, .page_bytes = (size_t)sysconf(_SC_PAGESIZE), .bytes = bytes
	};
	attr = make_attributes(r);
	attr.wakeup_watermark = (uint32_t)(bytes / 4);
	ring->fd = open_event(&attr, 0, cpu);
	if (ring->fd < 0)
		return ring->fd;
	page = mmap(
		NULL, ring->page_bytes + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (page != MAP_FAILED)
		ring->page = page;
	if (page == MAP_FAILED || epoll_ctl(r->wake, EPOLL_CTL_ADD, ring->fd, &event))
		status = -errno;
	if (status)
		close_ring(ring);
	else
		r->count++;
	return status;
}

static int map_rings(struct perf_rings *r, int cpus, size_t bytes)
{
	int status = 0;

	for (int cpu = 0; cpu < cpus && !status; cpu++) {
		status = map_ring(r, cpu, bytes);
		if (status == -ENODEV) /* the CPU is offline */
			status = 0;
	}
	if (!status && !r->count)
		status = -ENODEV;
	while (status && r->count)
		close_ring(&r->rings[--r->count]);
	return status;
}

static size_t power_of_two(uint64_t bytes)
{
	size_t size = RING_BYTES_MIN;

	while (size < bytes && size < 1u << 30)
		size *= 2;
	return size;
}

int perf_rings_open(
	struct perf_rings *r, uint64_t period_ns, uint64_t bytes, struct sooth_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF); /* also where no sysfs is mounted */
	int status = -EPERM;

	*r = (struct perf_rings){ .wake = epoll_create1(EPOLL_CLOEXEC),
		.period_ns = period_ns,
		.stack_bytes = period_ns < FAST_NS ? STACK_BYTES_SMALL : STACK_BYTES };
	if (r->wake < 0)
		return error_errno(err, -errno, "wait for perf events");
	if (cpus <= 0 || cpus > CPUS_MAX)
		return error_set(err, -EINVAL, SOOTH_FAULT_UNSUPPORTED, "count the CPUs");
	r->rings = calloc((size_t)cpus, sizeof(*r->rings));
	if (!r->rings)
		return error_no_memory(err);
	r->has_kernel = !test_event(true);
	/* A user may lock 512 KiB for each CPU (kernel.perf_event_mlock_kb), and its memory limit.
	 */
	for (size_t size = power_of_two(bytes ? bytes : RING_BYTES_MAX);
		status == -EPERM && size >= RING_BYTES_MIN; size /= 2)
		status = map_rings(r, (int)cpus, size);
	return status ? perf_refused(status, err) : 0;
}

int perf_rings_open_mappings(struct perf_rings *r, uint64_t bytes, struct sooth_error *err)
{
	assert(r);

	int status = perf_rings_open(r, 0, bytes, err);

	r->has_no_samples = true;
	return status;
}

void perf_rings_close(struct perf_rings *r)
{
	assert(r);

	buffer_each (const int, fd, &r->events)
		close(*fd);
	while (r->count)
		close_ring(&r->rings[--r->count]);
	free(r->rings);
	r->rings = NULL;
	buffer_fini(&r->events);
	cleanup_close(&r->wake);
}

/* --- events --- */

static int add_event(struct perf_rings *r, const struct perf_event_attr *attr, pid_t tid,
	const struct perf_ring *ring)
{
	int fd = open_event(attr, tid, ring->cpu), status;

	if (fd < 0)
		return fd;
	status = ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) ? -errno : 0;
	if (!status) {
		buffer_append(&r->events, &fd, sizeof(fd));
		status = buffer_failed(&r->events) ? -ENOMEM : 0;
	}
	if (status)
		close(fd);
	return status;
}

int perf_rings_add(struct perf_rings *r, pid_t tid, struct sooth_error *err)
{
	assert(r);

	const struct perf_event_attr attr = make_sampling_attributes(r);
	int status = 0;

	for (size_t i = 0; i < r->count && !status; i++)
		status = add_event(r, &attr, tid, &r->rings[i]);
	if (!status)
		return 0;
	if (status == -EACCES || status == -EPERM) {
		error_set(err, status, SOOTH_FAULT_PRIVILEGE, "sample thread %d by perf events",
			(int)tid);
		error_why(err, "the kernel allows perf events only on the caller's own processes");
		return error_remedy(err, "run sooth as root");
	}
	error_errno(err, status, "sample thread %d by perf events", (int)tid);
	if (status == -EMFILE)
		error_remedy(err, "a thread needs a descriptor for each CPU: ulimit -n \"$(ulimit "
				  "-Hn)\"");
	return status;
}

void perf_rings_stop(struct perf_rings *r)
{
	buffer_each (const int, fd, &r->events)
		ioctl(*fd, PERF_EVENT_IOC_DISABLE, 0);
}

/* --- records --- */

/* Copies records out of a ring, which may wrap within a record. */
static void copy_out(const struct perf_ring *ring, uint64_t from, uint64_t to, struct buffer *out)
{
	const unsigned char *data = (const unsigned char *)ring->page + ring->page_bytes;
	size_t at = (size_t)(from & (ring->bytes - 1)), size = (size_t)(to - from);
	size_t first = size < ring->bytes - at ? size : ring->bytes - at;

	buffer_append(out, data + at, first);
	buffer_append(out, data, size - first);
}

void perf_rings_read(struct perf_rings *r, struct buffer *out)
{
	struct epoll_event events[16];

	assert(r);
	/* Clears the wake-ups so far. */
	while (epoll_wait(r->wake, events, 16, 0) == 16)
		;
	for (size_t i = 0; i < r->count; i++) {
		struct perf_ring *ring = &r->rings[i];
		uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
		uint64_t tail = ring->page->data_tail;

		if (head - tail > ring->bytes)
			continue;
		copy_out(ring, tail, head, out);
		__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
	}
}

/* Trailer of a record that is no sample: pid, tid, time, cpu. */
#define TRAILER_BYTES 24

uint64_t perf_record_time(const struct perf_event_header *header)
{
	assert(header);

	const unsigned char *bytes = (const void *)(header + 1);
	size_t size = header->size - sizeof(*header), at = 8; /* behind pid and tid */
	uint64_t time;

	if (header->type != PERF_RECORD_SAMPLE)
		at = size < TRAILER_BYTES ? size : size - TRAILER_BYTES + 8;
	if (size < at + sizeof(time))
		return 0;
	memcpy(&time, bytes + at, sizeof(time));
	return time + (uint64_t)process_clock_offset_ns();
}

static void parse_kernel(struct cursor *c, struct perf_sample *out)
{
	uint64_t count = cursor_u64(c);

	out->kernel = (const void *)c->at;
	if (c->failed || count > cursor_left(c) / sizeof(uint64_t)) {
		c->failed = true;
		return;
	}
	cursor_bytes(c, count * sizeof(uint64_t));
	/* Markers stand between the addresses: PERF_CONTEXT_KERNEL comes first. */
	if (count && out->kernel[0] == (uint64_t)PERF_CONTEXT_KERNEL) {
		out->kernel++;
		count--;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (out->kernel[i] >= (uint64_t)PERF_CONTEXT_MAX)
			count = i;
	}
	out->kernel_frames = (uint32_t)(count < KERNEL_MAX ? count : KERNEL_MAX);
}

bool perf_sample_parse(
	const struct perf_rings *r, const struct perf_event_header *header, struct perf_sample *out)
{
	struct cursor c = cursor_over(header + 1, header->size - sizeof(*header));
	uint64_t abi, size, used;

	*out = (struct perf_sample){ .pid = cursor_u32(&c), .tid = cursor_u32(&c) };
	out->time_ns = cursor_u64(&c) + (uint64_t)process_clock_offset_ns();
	out->cpu = cursor_u32(&c);
	cursor_u32(&c);
	if (r->has_kernel)
		parse_kernel(&c, out);
	abi = cursor_u64(&c);
	if (abi != PERF_SAMPLE_REGS_ABI_NONE) {
		out->has_registers = true;
		out->is_foreign = abi != PERF_SAMPLE_REGS_ABI_64;
		/* The registers come in the order of their numbers. */
		out->fp = cursor_u64(&c);
		out->link = HAS_LINK ? cursor_u64(&c) : 0;
		out->sp = cursor_u64(&c);
		out->pc = cursor_u64(&c);
	}
	size = cursor_u64(&c);
	if (size) {
		out->stack = (const void *)cursor_bytes(&c, size).data;
		used = cursor_u64(&c);
		out->stack_size = used < size ? used : size;
	}
	return !c.failed;
}
