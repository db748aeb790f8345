/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the sysctls of FreeBSD, and decodes their answers. */
#include "os/freebsd/freebsd_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "os/bsd/bytes.h"
#include "os/bsd/load.h"
#include "os/bsd/sysctl.h"
#include "os/freebsd/decode/kinfo_file.h"
#include "os/freebsd/decode/kinfo_kstack.h"
#include "os/freebsd/decode/kinfo_lockf.h"
#include "os/freebsd/decode/kinfo_proc.h"
#include "os/freebsd/decode/kinfo_vmentry.h"
#include "os/freebsd/decode/socket_lists.h"
#include "os/freebsd/decode/tcp_pcb.h"

#define SYSCTL_NUMBER(name, theirs, value) name = value,
enum sysctl_number {
#include "os/freebsd/decode/layouts.def"
};

#define NAME_MAX_	5
#define ANSWER_MAX	(64u << 20)
#define GROWTHS_MAX	8 /* tries while the answer grows between two calls */
#define ROOM_LEAST	4096
#define ROOM_SPARE	4 /* a quarter more than the system requests */
#define DESCRIPTORS_MAX 1000000
#define MAPPINGS_MAX	1000000

static const struct freebsd_calls *calls_of(const struct bsd_source *s)
{
	return s->calls;
}

/*
 * Asks for an answer of unknown size. The system first returns the size, but the answer may have
 * grown when it is fetched (ENOMEM). So the buffer is larger, and there are several tries.
 */
static int query_sysctl(
	const struct bsd_source *s, const int *name, unsigned names, struct buffer *out)
{
	const struct freebsd_calls *c = calls_of(s);
	size_t room = ROOM_LEAST, size = 0;
	int status = c->sysctl(c, name, names, NULL, &size);

	if (status)
		return status;
	for (unsigned i = 0; i < GROWTHS_MAX; i++) {
		void *at;

		if (size > room - room / ROOM_SPARE)
			room = size + size / ROOM_SPARE + 1;
		if (room > ANSWER_MAX)
			return -EMSGSIZE;
		at = buffer_reserve(out, room);
		if (!at)
			return -ENOMEM;
		size = room;
		status = c->sysctl(c, name, names, at, &size);
		if (!status) {
			buffer_commit(out, size < room ? size : room);
			return 0;
		}
		if (status != -ENOMEM)
			return status;
		room *= 2;
		size = 0;
	}
	return -ENOMEM;
}

static int query_process(const struct bsd_source *s, int what, pid_t pid, struct buffer *out)
{
	const int name[] = { CTL_KERN, KERN_PROC, what, (int)pid };

	return query_sysctl(s, name, ARRAY_SIZE(name), out);
}

static int query_by_name(const struct bsd_source *s, const char *text, struct buffer *out)
{
	const struct freebsd_calls *c = calls_of(s);
	int name[NAME_MAX_ + 3];
	unsigned names = ARRAY_SIZE(name);
	int status = c->name_of(c, text, name, &names);

	return status ? status : query_sysctl(s, name, names, out);
}

static uint64_t number_of(const struct bsd_source *s, const char *name)
{
	return bsd_sysctl_number(&calls_of(s)->by_name, name);
}

static struct kinfo_scale scale_of(const struct bsd_source *s)
{
	const struct freebsd_calls *c = calls_of(s);
	unsigned char bytes[16] = { 0 };
	size_t size = sizeof(bytes);
	const struct bsd_bytes b = { bytes, sizeof(bytes) };
	struct kinfo_scale scale = { .page_bytes = (uint32_t)number_of(s, "hw.pagesize") };

	if (!c->by_name.read(&c->by_name, "kern.boottime", bytes, &size) && size == sizeof(bytes))
		scale.boot_utc_ns = bsd_u64(&b, 0) * NS_PER_S + bsd_u64(&b, 8) * NS_PER_US;
	return scale;
}

/* --- processes --- */

int freebsd_processes(const struct bsd_source *s, struct buffer *out)
{
	const int name[] = { CTL_KERN, KERN_PROC, KERN_PROC_PROC };
	const struct kinfo_scale scale = scale_of(s);
	struct buffer answer = { 0 };
	int status = query_sysctl(s, name, ARRAY_SIZE(name), &answer);
	struct bsd_process p;

	for (size_t at = 0; !status && at < answer.size; at += KINFO_PROC_SIZE) {
		if (!kinfo_proc_decode(&p, answer.data + at, answer.size - at, &scale)) {
			/* A partial answer ends here, or the layout is another one. */
			status = at ? 0 : -EOPNOTSUPP;
			break;
		}
		/* Process 0 is the kernel, its own parent: skip it. */
		if (p.id.pid)
			buffer_append(out, &p, sizeof(p));
	}
	buffer_fini(&answer);
	return status;
}

/* Reads one process without asking for the size first, because the process may end soon. */
int freebsd_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out)
{
	const int name[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid };
	const struct freebsd_calls *c = calls_of(s);
	unsigned char answer[KINFO_PROC_SIZE];
	size_t size = sizeof(answer);
	int status = c->sysctl(c, name, ARRAY_SIZE(name), answer, &size);
	struct kinfo_scale scale;

	if (status == -ENOMEM)
		return -EOPNOTSUPP; /* a larger answer has another layout */
	if (status || !size)
		return status ? status : -ESRCH;
	scale = scale_of(s);
	return kinfo_proc_decode(out, answer, size, &scale) ? 0 : -EOPNOTSUPP;
}

int freebsd_threads(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	struct buffer answer = { 0 };
	int status = query_process(s, KERN_PROC_PID | KERN_PROC_INC_THREAD, pid, &answer);
	struct bsd_thread t;

	if (!status && !answer.size)
		status = -ESRCH;
	for (size_t at = 0; !status && at < answer.size; at += KINFO_PROC_SIZE) {
		if (!kinfo_thread_decode(&t, answer.data + at, answer.size - at))
			break;
		buffer_append(out, &t, sizeof(t));
	}
	buffer_fini(&answer);
	return status;
}

/* --- texts --- */

static int query_text(const struct bsd_source *s, int what, pid_t pid, struct buffer *out)
{
	size_t before = out->size;
	int status = query_process(s, what, pid, out);

	/* A kernel process has an empty answer. */
	if (!status && out->size == before)
		return -ENOENT;
	return status;
}

int freebsd_arguments(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	return query_text(s, KERN_PROC_ARGS, pid, out);
}

int freebsd_environment(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	int status = query_text(s, KERN_PROC_ENV, pid, out);

	return status == -ENOENT ? 0 : status; /* an empty answer */
}

int freebsd_executable(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	size_t before = out->size;
	int status = query_text(s, KERN_PROC_PATHNAME, pid, out);

	if (!status)
		out->size = before + strnlen((const char *)out->data + before, out->size - before);
	return status;
}

int freebsd_directory(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	struct buffer answer = { 0 };
	int status = query_process(s, KERN_PROC_CWD, pid, &answer);
	struct cursor c = cursor_over(answer.data, answer.size);
	struct bsd_descriptor d;

	if (!status && !kinfo_file_next(&d, &c))
		status = -ENOENT;
	if (!status)
		buffer_append(out, d.path.data, d.path.size);
	buffer_fini(&answer);
	return status;
}

/* --- what a process has --- */

#define CONNECTIONS_MAX 1000000

/* All TCP connections of the host, by the address that descriptors have, too. */
struct connections {
	struct map all; /* uint64_t -> struct tcp_pcb */
	bool is_read;
	int status;
};

static void read_connections(const struct bsd_source *s, struct connections *k)
{
	struct buffer answer = { 0 };
	struct tcp_pcb found, *known;
	struct cursor c;

	k->is_read = true;
	k->status = query_by_name(s, "net.inet.tcp.pcblist", &answer);
	c = cursor_over(answer.data, answer.size);
	while (!k->status && tcp_pcb_next(&found, &c)) {
		known = map_put(&k->all, &found.pcb, NULL);
		if (known)
			*known = found;
	}
	buffer_fini(&answer);
}

static void add_connection(
	const struct bsd_source *s, struct connections *k, struct bsd_descriptor *d)
{
	const struct tcp_pcb *found;

	if (d->file.type != FDS_TCP)
		return;
	if (!k->is_read)
		read_connections(s, k);
	found = map_get(&k->all, &d->own);
	d->socket.state_state = k->status ? bsd_state(k->status) : SOOTH_STATE_ABSENT;
	if (!found)
		return;
	d->socket.state_state = d->socket.retransmits_state = SOOTH_STATE_VALUE;
	d->socket.state = found->state;
	d->socket.retransmits = found->retransmits;
	if (found->state != SOCKETS_LISTEN)
		return;
	d->socket.receive_queue_bytes = found->waiting;
	d->socket.send_queue_bytes = found->waiting_max;
}

int freebsd_descriptors(
	const struct bsd_source *s, pid_t pid, bsd_descriptor_visitor visitor, void *user)
{
	struct buffer answer = { 0 };
	int status = query_process(s, KERN_PROC_FILEDESC, pid, &answer);
	struct cursor c = cursor_over(answer.data, answer.size);
	struct connections connections = { 0 };
	struct bsd_descriptor d;
	unsigned count = 0;

	map_init(&connections.all, sizeof(uint64_t), sizeof(struct tcp_pcb), CONNECTIONS_MAX);
	while (!status && kinfo_file_next(&d, &c)) {
		add_connection(s, &connections, &d);
		if (count++ == DESCRIPTORS_MAX || !visitor(user, &d))
			status = -EOVERFLOW;
	}
	if (!status && c.failed)
		status = -EOVERFLOW;
	map_fini(&connections.all);
	buffer_fini(&answer);
	return status;
}

int freebsd_mappings(const struct bsd_source *s, pid_t pid, bsd_mapping_visitor visitor, void *user)
{
	uint32_t page_bytes = (uint32_t)number_of(s, "hw.pagesize");
	struct buffer answer = { 0 };
	int status = query_process(s, KERN_PROC_VMMAP, pid, &answer);
	struct cursor c = cursor_over(answer.data, answer.size);
	struct bsd_mapping m;
	unsigned count = 0;

	while (!status && kinfo_vmentry_next(&m, &c, page_bytes)) {
		if (count++ == MAPPINGS_MAX || !visitor(user, &m))
			status = -EOVERFLOW;
	}
	if (!status && c.failed)
		status = -EOVERFLOW;
	buffer_fini(&answer);
	return status;
}

int freebsd_socket_addresses(const struct bsd_source *s, struct buffer *out)
{
	static const struct {
		const char *name;
		enum socket_list list;
	} lists[] = { { "net.local.stream.pcblist", SOCKET_LIST_LOCAL },
		{ "net.local.dgram.pcblist", SOCKET_LIST_LOCAL },
		{ "net.local.seqpacket.pcblist", SOCKET_LIST_LOCAL },
		{ "net.inet.udp.pcblist", SOCKET_LIST_INET },
		{ "net.inet.raw.pcblist", SOCKET_LIST_INET } };
	struct buffer answer = { 0 };
	int status = query_by_name(s, "net.inet.tcp.pcblist", &answer), failure = status;
	struct cursor c = cursor_over(answer.data, answer.size);
	struct bsd_socket_at at;
	struct tcp_pcb found;

	while (!status && tcp_pcb_next(&found, &c)) {
		at = (struct bsd_socket_at){ found.pcb, found.socket };
		buffer_append(out, &at, sizeof(at));
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		buffer_reset(&answer);
		status = query_by_name(s, lists[i].name, &answer);
		failure = failure ? failure : status;
		c = cursor_over(answer.data, answer.size);
		while (!status && socket_list_next(&at, &c, lists[i].list))
			buffer_append(out, &at, sizeof(at));
	}
	buffer_fini(&answer);
	return failure;
}

int freebsd_file_locks(const struct bsd_source *s, struct buffer *out)
{
	struct buffer answer = { 0 };
	int status = query_by_name(s, "kern.lockf", &answer);
	struct cursor c = cursor_over(answer.data, answer.size);
	struct bsd_file_lock lock;

	while (!status && kinfo_lockf_next(&lock, &c))
		buffer_append(out, &lock, sizeof(lock));
	buffer_fini(&answer);
	return status == -ENOENT ? -EOPNOTSUPP : status; /* an older system */
}

/* Appends kernel stacks. A kernel without that option answers ENOENT. */
int freebsd_kernel_stacks(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	int status = query_process(s, KERN_PROC_KSTACK, pid, out);

	return status == -ENOENT || status == -ENOSYS ? -EOPNOTSUPP : status;
}

bool freebsd_waits_to_send(const struct bsd_source *s, pid_t pid, uint64_t tid)
{
	struct buffer answer = { 0 };
	struct kstack_thread t;
	struct kstack_frame f;
	struct cursor c, trace;
	bool sends = false;

	if (freebsd_kernel_stacks(s, pid, &answer))
		buffer_reset(&answer);
	c = cursor_over(answer.data, answer.size);
	while (kstack_next(&t, &c)) {
		if (t.tid != tid)
			continue;
		trace = cursor_over(t.trace.data, t.trace.size);
		while (kstack_frame_next(&f, &trace))
			sends |= span_contains(f.function, "sosend");
	}
	buffer_fini(&answer);
	return sends;
}

/* Names of the limits by the number of RLIMIT_* (sys/resource.h). */
static const struct {
	const char *name;
	uint8_t unit;
} limit_names[] = {
	[LIMIT_CPU] = { "CPU", LIMITS_SECONDS },
	[LIMIT_FSIZE] = { "FSIZE", LIMITS_BYTES },
	[LIMIT_DATA] = { "DATA", LIMITS_BYTES },
	[LIMIT_STACK] = { "STACK", LIMITS_BYTES },
	[LIMIT_CORE] = { "CORE", LIMITS_BYTES },
	[LIMIT_RSS] = { "RSS", LIMITS_BYTES },
	[LIMIT_MEMLOCK] = { "MEMLOCK", LIMITS_BYTES },
	[LIMIT_NPROC] = { "NPROC", LIMITS_NUMBER },
	[LIMIT_NOFILE] = { "NOFILE", LIMITS_NUMBER },
	[LIMIT_SBSIZE] = { "SBSIZE", LIMITS_BYTES },
	[LIMIT_AS] = { "AS", LIMITS_BYTES },
	[LIMIT_NPTS] = { "NPTS", LIMITS_NUMBER },
	[LIMIT_SWAP] = { "SWAP", LIMITS_BYTES },
	[LIMIT_KQUEUES] = { "KQUEUES", LIMITS_NUMBER },
	[LIMIT_UMTXP] = { "UMTXP", LIMITS_NUMBER },
};

#define RLIM_INFINITY_ INT64_MAX

int freebsd_limits(const struct bsd_source *s, pid_t pid, struct bsd_limit *out, size_t *count)
{
	const struct freebsd_calls *c = calls_of(s);

	*count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(limit_names) && *count < BSD_LIMITS_MAX; i++) {
		const int name[NAME_MAX_] = { CTL_KERN, KERN_PROC, KERN_PROC_RLIMIT, (int)pid,
			(int)i };
		unsigned char bytes[16] = { 0 };
		const struct bsd_bytes b = { bytes, sizeof(bytes) };
		size_t size = sizeof(bytes);
		int status = c->sysctl(c, name, NAME_MAX_, bytes, &size);

		if (status == -EINVAL)
			continue; /* an older system has fewer */
		if (status || size != sizeof(bytes))
			return status ? status : -EOPNOTSUPP;
		out[(*count)++] = (struct bsd_limit){ .name = limit_names[i].name,
			.unit = limit_names[i].unit,
			.soft = bsd_u64(&b, 0),
			.hard = bsd_u64(&b, 8),
			.has_soft = bsd_u64(&b, 0) != RLIM_INFINITY_,
			.has_hard = bsd_u64(&b, 8) != RLIM_INFINITY_ };
	}
	return 0;
}

/* --- the host --- */

void freebsd_host(const struct bsd_source *s, struct host_facts *facts)
{
	const struct bsd_sysctl *by_name = &calls_of(s)->by_name;

	bsd_sysctl_text(by_name, "kern.hostname", facts->hostname, sizeof(facts->hostname));
	bsd_sysctl_text(by_name, "kern.ostype", facts->os, sizeof(facts->os));
	bsd_sysctl_text(by_name, "kern.osrelease", facts->os_version, sizeof(facts->os_version));
	bsd_sysctl_text(
		by_name, "hw.machine_arch", facts->architecture, sizeof(facts->architecture));
	facts->memory_bytes = number_of(s, "hw.physmem");
	facts->cpus = (uint32_t)number_of(s, "hw.ncpu");
	facts->page_bytes = (uint32_t)number_of(s, "hw.pagesize");
	snprintf(facts->boot_id, sizeof(facts->boot_id), "%llu",
		(unsigned long long)(scale_of(s).boot_utc_ns / NS_PER_S));
}

void freebsd_load(const struct bsd_source *s, struct host_load *load)
{
	bsd_load_read(&calls_of(s)->by_name, load);
}

void freebsd_memory(const struct bsd_source *s, struct host_memory *memory)
{
	uint64_t page = number_of(s, "hw.pagesize");

	memory->total_bytes = number_of(s, "hw.physmem");
	memory->free_bytes = number_of(s, "vm.stats.vm.v_free_count") * page;
	/* Inactive pages can be freed when needed; laundry pages have to be written first. */
	memory->available_bytes = memory->free_bytes +
				  number_of(s, "vm.stats.vm.v_inactive_count") * page +
				  number_of(s, "vm.stats.vm.v_cache_count") * page;
	memory->swap_total_bytes = number_of(s, "vm.swap_total");
	memory->memory_state = memory->total_bytes && page
				       ? SOOTH_STATE_VALUE
				       : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	memory->available_state = memory->memory_state;
	memory->swap_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (!memory->swap_total_bytes && memory->memory_state == SOOTH_STATE_VALUE)
		memory->swap_state = SOOTH_STATE_VALUE; /* there is no swap: 0 bytes are free */
}
