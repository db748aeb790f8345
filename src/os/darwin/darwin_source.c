/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks libproc and the sysctls of macOS, and decodes their answers. */
#include "os/darwin/darwin_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/bytes.h"
#include "os/bsd/load.h"
#include "os/bsd/sysctl.h"
#include "os/darwin/decode/proc_info.h"

#define PROC_NUMBER(name, theirs, value) name = value,
enum source_number {
#include "os/darwin/decode/layouts.def"
};
#define INFO_LIST_THREAD_IDS 28 /* PROC_PIDLISTTHREADIDS: in no public header */

#define PIDS_SPARE	  64 /* processes that may start between two calls */
#define ANSWER_MAX	  (16u << 20)
#define ARGUMENTS_SIZE	  (1u << 20) /* kern.argmax */
#define GROWTHS_MAX	  16
#define DESCRIPTORS_MAX	  1000000
#define REGIONS_MAX	  1000000
#define PATH_SIZE	  4096
#define AT_DIRECTORY_PATH 152 /* offset of a path in struct proc_vnodepathinfo */
#define DIRECTORY_PATH	  1024

static const struct darwin_calls *calls_of(const struct bsd_source *s)
{
	return s->calls;
}

static uint64_t number_of(const struct bsd_source *s, const char *name)
{
	return bsd_sysctl_number(&calls_of(s)->by_name, name);
}

static struct mach_scale scale_of(const struct bsd_source *s)
{
	const struct darwin_calls *c = calls_of(s);
	struct mach_scale scale = { 0 };
	unsigned char bytes[16] = { 0 };
	const struct bsd_bytes b = { bytes, sizeof(bytes) };
	size_t size = sizeof(bytes);

	c->timebase(c, &scale.numerator, &scale.denominator);
	if (!c->by_name.read(&c->by_name, "kern.boottime", bytes, &size) && size == sizeof(bytes))
		scale.boot_utc_ns = bsd_u64(&b, 0) * NS_PER_S + bsd_u32(&b, 8) * NS_PER_US;
	return scale;
}

/* --- processes --- */

/* Reads the signals of a process, of any user. */
static void read_signals(const struct darwin_calls *c, pid_t pid, struct bsd_process *out)
{
	const int name[] = { CTL_KERN_, KERN_PROC_, KERN_PROC_PID_, (int)pid };
	unsigned char bytes[KINFO_SIZE];
	size_t size = sizeof(bytes);
	int status = c->sysctl(c, name, ARRAY_SIZE(name), bytes, &size);

	if (status || !signals_decode(out, bytes, size))
		out->signals_state = bsd_state(status ? status : -ESRCH);
}

static int read_process(const struct bsd_source *s, pid_t pid, const struct mach_scale *scale,
	struct bsd_process *out)
{
	const struct darwin_calls *c = calls_of(s);
	unsigned char bytes[TASKALL_SIZE];
	int size = c->pid_info(c, pid, INFO_TASKALL, 0, bytes, sizeof(bytes));
	uint64_t footprint;
	pid_t session;

	if (size < 0 && size != -ESRCH)
		size = c->pid_info(c, pid, INFO_BSD, 0, bytes, BSDINFO_SIZE);
	if (size < 0)
		return size;
	if (!task_decode(out, bytes, (size_t)size, scale))
		return -ESRCH;
	session = c->session(c, pid);
	out->session = session > 0 ? (uint32_t)session : 0;
	size = c->pid_rusage(c, pid, bytes, sizeof(bytes));
	if (size > 0 && footprint_decode(&footprint, bytes, (size_t)size))
		out->rss_bytes = footprint;
	read_signals(c, pid, out);
	return 0;
}

int darwin_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out)
{
	const struct mach_scale scale = scale_of(s);

	return read_process(s, pid, &scale, out);
}

/* Lists the pids. Only a buffer larger than the answer is sure to have all. */
static int list_pids(const struct bsd_source *s, struct buffer *out)
{
	const struct darwin_calls *c = calls_of(s);
	size_t room = PIDS_SPARE * sizeof(uint32_t);
	int size = c->list_pids(c, NULL, 0);

	for (unsigned i = 0; i < GROWTHS_MAX && size >= 0; i++) {
		void *at;

		room += (size_t)size + room / 2;
		at = room <= ANSWER_MAX ? buffer_reserve(out, room) : NULL;
		if (!at)
			return -ENOMEM;
		size = c->list_pids(c, at, room);
		if (size >= 0 && (size_t)size < room) {
			buffer_commit(out, (size_t)size);
			return 0;
		}
	}
	return size < 0 ? size : -ENOMEM;
}

int darwin_processes(const struct bsd_source *s, struct buffer *out)
{
	const struct mach_scale scale = scale_of(s);
	struct buffer pids = { 0 };
	int status = list_pids(s, &pids);
	const struct bsd_bytes b = { pids.data, pids.size };
	struct bsd_process p;

	/* A process that ends meanwhile is left out. Process 0 is the kernel. */
	for (size_t at = 0; !status && at + sizeof(uint32_t) <= pids.size; at += sizeof(uint32_t)) {
		pid_t pid = (pid_t)bsd_u32(&b, at);

		if (pid > 0 && !read_process(s, pid, &scale, &p))
			buffer_append(out, &p, sizeof(p));
	}
	buffer_fini(&pids);
	return status;
}

/* --- texts --- */

static int read_arguments(
	const struct bsd_source *s, pid_t pid, struct buffer *answer, struct process_arguments *out)
{
	const int name[] = { CTL_KERN_, KERN_PROCARGS2_, (int)pid };
	const struct darwin_calls *c = calls_of(s);
	void *at = buffer_reserve(answer, ARGUMENTS_SIZE);
	size_t size = ARGUMENTS_SIZE;
	int status;

	if (!at)
		return -ENOMEM;
	status = c->sysctl(c, name, ARRAY_SIZE(name), at, &size);
	/* EINVAL means a process of another user, or one without arguments. */
	if (status == -EINVAL)
		return -EPERM;
	if (status)
		return status;
	buffer_commit(answer, size < ARGUMENTS_SIZE ? size : ARGUMENTS_SIZE);
	return arguments_decode(out, answer->data, answer->size) ? 0 : -EIO;
}

int darwin_arguments(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	struct process_arguments arguments;
	struct buffer answer = { 0 };
	int status = read_arguments(s, pid, &answer, &arguments);

	if (!status)
		buffer_append(out, arguments.arguments.data, arguments.arguments.size);
	buffer_fini(&answer);
	return status;
}

int darwin_environment(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	struct process_arguments arguments;
	struct buffer answer = { 0 };
	int status = read_arguments(s, pid, &answer, &arguments);

	/* The system leaves the environment of protected processes out without an error. */
	if (!status && !arguments.environment.size)
		status = -EPERM;
	if (!status)
		buffer_append(out, arguments.environment.data, arguments.environment.size);
	buffer_fini(&answer);
	return status;
}

int darwin_executable(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	const struct darwin_calls *c = calls_of(s);
	char path[PATH_SIZE];
	int size = c->pid_path(c, pid, path, sizeof(path));

	if (size > 0)
		buffer_append(out, path, strnlen(path, (size_t)size));
	return size > 0 ? 0 : size ? size : -ENOENT;
}

int darwin_directory(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	const struct darwin_calls *c = calls_of(s);
	unsigned char bytes[DIRECTORY_SIZE];
	int size = c->pid_info(c, pid, INFO_DIRECTORY, 0, bytes, sizeof(bytes));
	const struct bsd_bytes b = { bytes, size > 0 ? (size_t)size : 0 };
	struct span path = bsd_string(&b, AT_DIRECTORY_PATH, DIRECTORY_PATH);

	if (size < 0)
		return size;
	buffer_append(out, path.data, path.size);
	return path.size ? 0 : -ENOENT;
}

/* --- what a process has --- */

/* Reads an answer that is a list into a buffer larger than the answer. */
static int list_info(
	const struct bsd_source *s, pid_t pid, int flavor, size_t each, struct buffer *out)
{
	const struct darwin_calls *c = calls_of(s);
	size_t room = PIDS_SPARE * each;

	for (; room <= ANSWER_MAX; room *= 2) {
		void *at = buffer_reserve(out, room);
		int size;

		if (!at)
			return -ENOMEM;
		size = c->pid_info(c, pid, flavor, 0, at, room);
		if (size < 0)
			return size;
		if ((size_t)size < room) {
			buffer_commit(out, (size_t)size);
			return 0;
		}
	}
	return -EMSGSIZE;
}

/* Reads a descriptor. False: it was closed in the meantime. */
static bool read_fd(const struct bsd_source *s, pid_t pid, int32_t fd, uint32_t kind,
	struct bsd_descriptor *d, unsigned char bytes[VNODE_FD_SIZE])
{
	const struct darwin_calls *c = calls_of(s);
	int size;

	switch (kind) {
	case FD_VNODE:
		size = c->fd_info(c, pid, fd, FD_INFO_PATH, bytes, VNODE_FD_SIZE);
		return size > 0 && vnode_fd_decode(d, bytes, (size_t)size);
	case FD_SOCKET:
		size = c->fd_info(c, pid, fd, FD_INFO_SOCKET, bytes, SOCKET_FD_SIZE);
		return size > 0 && socket_fd_decode(d, bytes, (size_t)size);
	case FD_PIPE:
		size = c->fd_info(c, pid, fd, FD_INFO_PIPE, bytes, PIPE_FD_SIZE);
		return size > 0 && pipe_fd_decode(d, bytes, (size_t)size);
	default:
		other_fd(d, kind);
		return true;
	}
}

int darwin_descriptors(
	const struct bsd_source *s, pid_t pid, bsd_descriptor_visitor visitor, void *user)
{
	struct buffer list = { 0 };
	int status = list_info(s, pid, INFO_LIST_FDS, FDINFO_SIZE, &list);
	unsigned char bytes[VNODE_FD_SIZE];
	struct bsd_descriptor d;
	uint32_t kind;
	int32_t fd;

	for (size_t at = 0; !status && at < list.size; at += FDINFO_SIZE) {
		if (!fd_decode(&fd, &kind, list.data + at, list.size - at))
			break;
		if (!read_fd(s, pid, fd, kind, &d, bytes))
			continue;
		d.file.fd = (uint32_t)fd;
		if (at / FDINFO_SIZE == DESCRIPTORS_MAX || !visitor(user, &d))
			status = -EOVERFLOW;
	}
	buffer_fini(&list);
	return status;
}

/* Visits the mappings. Each answer has the first region at or above an address. */
int darwin_mappings(const struct bsd_source *s, pid_t pid, bsd_mapping_visitor visitor, void *user)
{
	const struct darwin_calls *c = calls_of(s);
	uint32_t page_bytes = (uint32_t)number_of(s, "hw.pagesize");
	unsigned char bytes[REGION_SIZE];
	struct bsd_mapping m;
	uint64_t address = 0;

	for (unsigned i = 0; i < REGIONS_MAX; i++) {
		int size = c->pid_info(c, pid, INFO_REGION_PATH, address, bytes, sizeof(bytes));

		/* EINVAL means that there is no region above. */
		if (size <= 0 || !region_decode(&m, bytes, (size_t)size, page_bytes))
			return i && size != -EPERM ? 0 : size ? size : -ENOENT;
		if (m.mapping.to <= address)
			return 0; /* the loop would never end */
		address = m.mapping.to;
		if (!visitor(user, &m))
			return -EOVERFLOW;
	}
	return -EOVERFLOW;
}

int darwin_threads(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	const struct darwin_calls *c = calls_of(s);
	struct buffer list = { 0 };
	int status = list_info(s, pid, INFO_LIST_THREAD_IDS, sizeof(uint64_t), &list);
	const struct bsd_bytes b = { list.data, list.size };
	unsigned char bytes[THREAD_SIZE];
	struct bsd_thread t;

	for (size_t at = 0; !status && at + sizeof(uint64_t) <= list.size; at += sizeof(uint64_t)) {
		uint64_t tid = bsd_u64(&b, at);
		int size = c->pid_info(c, pid, INFO_THREAD64, tid, bytes, sizeof(bytes));

		if (size > 0 && thread_decode(&t, tid, bytes, (size_t)size))
			buffer_append(out, &t, sizeof(t));
	}
	buffer_fini(&list);
	return status;
}

/* --- limits --- */

/* Reads the kernel's own limits of processes and users. macOS lets a process read the limits of
 * getrlimit(2) only for itself. */
int darwin_limits(const struct bsd_source *s, pid_t pid, struct bsd_limit *out, size_t *count)
{
	static const struct {
		const char *name, *sysctl;
		uint8_t use;
	} all[] = {
		{ "NOFILE", NULL, BSD_USE_DESCRIPTORS },
		{ "maxfilesperproc", "kern.maxfilesperproc", BSD_USE_DESCRIPTORS },
		{ "NPROC", NULL, BSD_USE_PROCESSES },
		{ "maxprocperuid", "kern.maxprocperuid", BSD_USE_PROCESSES },
		{ "maxproc", "kern.maxproc", BSD_USE_UNKNOWN },
	};

	(void)pid;
	*count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct bsd_limit *l = &out[(*count)++];

		*l = (struct bsd_limit){
			.name = all[i].name, .unit = LIMITS_NUMBER, .use = all[i].use
		};
		l->soft = l->hard = all[i].sysctl ? number_of(s, all[i].sysctl) : 0;
		l->has_soft = l->has_hard = l->soft;
		l->state =
			l->soft ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	}
	return 0;
}

/* --- the host --- */

void darwin_host(const struct bsd_source *s, struct host_facts *facts)
{
	const struct bsd_sysctl *by_name = &calls_of(s)->by_name;

	bsd_sysctl_text(by_name, "kern.hostname", facts->hostname, sizeof(facts->hostname));
	snprintf(facts->os, sizeof(facts->os), "macOS");
	bsd_sysctl_text(
		by_name, "kern.osproductversion", facts->os_version, sizeof(facts->os_version));
	bsd_sysctl_text(by_name, "hw.machine", facts->architecture, sizeof(facts->architecture));
	bsd_sysctl_text(by_name, "kern.bootsessionuuid", facts->boot_id, sizeof(facts->boot_id));
	facts->memory_bytes = number_of(s, "hw.memsize");
	facts->cpus = (uint32_t)number_of(s, "hw.ncpu");
	facts->page_bytes = (uint32_t)number_of(s, "hw.pagesize");
}

void darwin_load(const struct bsd_source *s, struct host_load *load)
{
	bsd_load_read(&calls_of(s)->by_name, load);
}

/* Reads struct xsw_usage: total, available, used. */
static void read_swap(const struct bsd_source *s, struct host_memory *memory)
{
	const struct darwin_calls *c = calls_of(s);
	unsigned char bytes[32] = { 0 };
	const struct bsd_bytes b = { bytes, sizeof(bytes) };
	size_t size = sizeof(bytes);

	memory->swap_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (c->by_name.read(&c->by_name, "vm.swapusage", bytes, &size) || size < 24)
		return;
	memory->swap_total_bytes = bsd_u64(&b, 0);
	memory->swap_free_bytes = bsd_u64(&b, 8);
	memory->swap_state = SOOTH_STATE_VALUE;
}

void darwin_memory(const struct bsd_source *s, struct host_memory *memory)
{
	uint64_t page = number_of(s, "hw.pagesize");

	memory->total_bytes = number_of(s, "hw.memsize");
	memory->free_bytes = number_of(s, "vm.page_free_count") * page;
	memory->memory_state = memory->total_bytes && page
				       ? SOOTH_STATE_VALUE
				       : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	/* The memory available without swapping needs host_statistics64(), which is not called. */
	memory->available_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	read_swap(s, memory);
}
