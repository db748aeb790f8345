/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds of descriptors. A descriptor without a name in a file system is identified by the text of
 * its link, which begins with the name of its kind instead of a slash: no path can look like that.
 */
#include "os/linux/fds/fd_kind.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "probes/fds.h"
#include "probes/signal_names.h"

/* Documentation/admin-guide/devices.txt */
enum {
	MAJOR_TTY = 4,
	MAJOR_TTY_OTHER = 5, /* 0 tty, 1 console, 2 ptmx */
	MAJOR_PTY_FIRST = 136,
	MAJOR_PTY_LAST = 143,
	MAJOR_ACM = 166,
	MAJOR_USB_SERIAL = 188,
	MAJOR_SERIAL = 204,
	MAJOR_HVC = 229,
	MINOR_PTMX = 2,
};

static const struct {
	const char *link;
	uint8_t type;
} anonymous[] = {
	{ "[eventpoll]", FDS_EPOLL },
	{ "[eventfd]", FDS_EVENTFD },
	{ "[timerfd]", FDS_TIMERFD },
	{ "[signalfd]", FDS_SIGNALFD },
	{ "inotify", FDS_INOTIFY },
	{ "[inotify]", FDS_INOTIFY },
	{ "[fanotify]", FDS_FANOTIFY },
	{ "[pidfd]", FDS_PIDFD },
	{ "bpf-map", FDS_BPF },
	{ "bpf-prog", FDS_BPF },
	{ "bpf_link", FDS_BPF },
	{ "bpf_iter", FDS_BPF },
	{ "bpf-token", FDS_BPF },
	{ "btf", FDS_BPF },
	{ "[perf_event]", FDS_PERF },
	{ "[io_uring]", FDS_IO_URING },
	{ "[userfaultfd]", FDS_USERFAULTFD },
};

static uint8_t anonymous_kind(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(anonymous); i++) {
		if (span_equal(name, anonymous[i].link))
			return anonymous[i].type;
	}
	return FDS_ANONYMOUS;
}

static uint8_t character_kind(const struct fd_raw *raw)
{
	uint32_t major = raw->node_major;

	if ((major == MAJOR_TTY_OTHER && raw->node_minor == MINOR_PTMX) ||
		(major >= MAJOR_PTY_FIRST && major <= MAJOR_PTY_LAST))
		return FDS_PTY;
	switch (major) {
	case MAJOR_TTY:
	case MAJOR_TTY_OTHER:
	case MAJOR_ACM:
	case MAJOR_USB_SERIAL:
	case MAJOR_SERIAL:
	case MAJOR_HVC:
		return FDS_TTY;
	default:
		return FDS_DEVICE;
	}
}

static uint8_t socket_kind(struct span protocol)
{
	if (span_starts(protocol, "TCP") || span_starts(protocol, "MPTCP"))
		return FDS_TCP;
	if (span_starts(protocol, "UDP"))
		return FDS_UDP;
	if (span_starts(protocol, "UNIX"))
		return FDS_UNIX;
	if (span_equal(protocol, "NETLINK"))
		return FDS_NETLINK;
	if (span_equal(protocol, "PACKET"))
		return FDS_PACKET;
	return FDS_SOCKET;
}

static uint8_t file_kind(const struct fd_raw *raw)
{
	if (raw->is_of_kernel && span_starts(raw->path, "/memfd:"))
		return FDS_MEMFD;
	/* mq_open(3) opens it in a mount of the kernel, of which it is the top. */
	if (raw->is_of_kernel && !span_equal(raw->path, "/secretmem") && raw->path.size > 1 &&
		!memchr(raw->path.data + 1, '/', raw->path.size - 1))
		return FDS_QUEUE;
	return raw->links ? FDS_FILE : FDS_DELETED;
}

uint8_t fd_kind(const struct fd_raw *raw)
{
	struct span path = raw->path_state == SOOTH_STATE_VALUE ? raw->path : span_of("/", 1);

	if (span_starts(path, "anon_inode:"))
		return anonymous_kind(span_of(
			path.data + strlen("anon_inode:"), path.size - strlen("anon_inode:")));
	if (span_starts(path, "socket:["))
		return socket_kind(raw->protocol);
	if (span_starts(path, "pipe:["))
		return FDS_PIPE;
	/* "net:[4026531833]" */
	if (path.size && path.data[0] != '/')
		return span_contains(path, ":[") && S_ISREG(raw->mode) ? FDS_NAMESPACE
								       : FDS_ANONYMOUS;
	if (raw->inode_state != SOOTH_STATE_VALUE)
		return FDS_UNKNOWN;
	switch (raw->mode & S_IFMT) {
	case S_IFREG:
		return file_kind(raw);
	case S_IFDIR:
		return FDS_DIRECTORY;
	case S_IFIFO:
		return FDS_FIFO;
	case S_IFSOCK:
		return socket_kind(raw->protocol);
	case S_IFCHR:
		return character_kind(raw);
	case S_IFBLK:
		return FDS_DEVICE;
	default: /* a symbolic link opened with O_PATH */
		return S_ISLNK(raw->mode) ? FDS_FILE : FDS_ANONYMOUS;
	}
}

uint8_t fd_access(uint32_t flags)
{
	if (flags & O_PATH)
		return FDS_ACCESS_NONE;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return FDS_ACCESS_READ;
	case O_WRONLY:
		return FDS_ACCESS_WRITE;
	case O_RDWR:
		return FDS_ACCESS_BOTH;
	default: /* 3: for ioctl only */
		return FDS_ACCESS_NONE;
	}
}

bool fd_kind_has_info(const struct fd_raw *raw, uint8_t type)
{
	switch (type) {
	case FDS_EPOLL:
	case FDS_EVENTFD:
	case FDS_TIMERFD:
	case FDS_SIGNALFD:
	case FDS_INOTIFY:
	case FDS_FANOTIFY:
	case FDS_PIDFD:
	case FDS_BPF:
		return true;
	case FDS_PTY:
		return raw->node_major == MAJOR_TTY_OTHER;
	default:
		return false;
	}
}

static void signals_detail(struct buffer *out, uint64_t signals)
{
	const char *before = "";
	char name[SIGNAL_NAME_SIZE];

	for (unsigned number = 1; number <= 64; number++) {
		if (!(signals >> (number - 1) & 1))
			continue;
		buffer_format(out, "%s%s", before, signal_name(name, number));
		before = " ";
	}
	if (!signals)
		buffer_string(out, "no signals");
}

static void timer_detail(struct buffer *out, const struct fdinfo *f)
{
	static const char *const clocks[] = { [0] = "realtime",
		[1] = "monotonic",
		[7] = "boottime",
		[8] = "realtime_alarm",
		[9] = "boottime_alarm" };
	char text[UNITS_SIZE];

	if (f->clock < ARRAY_SIZE(clocks) && clocks[f->clock])
		buffer_string(out, clocks[f->clock]);
	else
		buffer_format(out, "clock %u", f->clock);
	if (!f->next_ns && !f->every_ns) {
		buffer_string(out, ", not armed");
		return;
	}
	buffer_format(out, ", next in %s", format_ns(text, f->next_ns));
	if (f->every_ns)
		buffer_format(out, ", every %s", format_ns(text, f->every_ns));
}

static void bpf_detail(struct buffer *out, const struct fdinfo *f)
{
	if (f->has & FDINFO_MAP)
		buffer_format(out, "map %u, type %u", f->map, f->map_type);
	else if (f->has & FDINFO_LINK)
		buffer_format(out, "link %u, %.*s, program %u", f->link, SPAN_ARGS(f->link_type),
			f->program);
	else if (f->has & FDINFO_PROGRAM)
		buffer_format(out, "program %u, type %u", f->program, f->program_type);
	else if (f->has & FDINFO_BTF)
		buffer_format(out, "btf %u", f->btf);
}

static void count_detail(struct buffer *out, uint32_t count, const char *one, const char *many)
{
	buffer_format(out, "%u %s", count, count == 1 ? one : many);
}

void fd_detail(struct buffer *out, uint8_t type, const struct fd_raw *raw, const struct fdinfo *f)
{
	switch (type) {
	case FDS_UNIX:
	case FDS_TCP:
	case FDS_UDP:
	case FDS_NETLINK:
	case FDS_PACKET:
	case FDS_SOCKET:
		buffer_append(out, raw->protocol.data, raw->protocol.size);
		break;
	case FDS_EPOLL:
		count_detail(out, f->members, "member", "members");
		break;
	case FDS_INOTIFY:
		count_detail(out, f->watches, "watch", "watches");
		break;
	case FDS_FANOTIFY:
		count_detail(out, f->marks, "mark", "marks");
		break;
	case FDS_EVENTFD:
		if (f->has & FDINFO_COUNT)
			buffer_format(out, "count %llu%s", (unsigned long long)f->count,
				f->is_semaphore ? ", a semaphore" : "");
		break;
	case FDS_TIMERFD:
		if (f->has & FDINFO_TIMER)
			timer_detail(out, f);
		break;
	case FDS_SIGNALFD:
		if (f->has & FDINFO_SIGNALS)
			signals_detail(out, f->signals);
		break;
	case FDS_PIDFD:
		/* 0: it is not in this pid namespace. */
		if (f->has & FDINFO_PID && f->pid > 0)
			buffer_format(out, "pid %lld", (long long)f->pid);
		else if (f->has & FDINFO_PID)
			buffer_string(
				out, f->pid ? "the process has ended" : "in another pid namespace");
		break;
	case FDS_BPF:
		bpf_detail(out, f);
		break;
	case FDS_PTY:
		if (f->has & FDINFO_TERMINAL)
			buffer_format(out, "master of pts/%u", f->terminal);
		break;
	default:
		break;
	}
}
