/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects to sooth when a program starts. The socket is closed as soon as the memory is mapped, so
 * that the program has no descriptor that it did not open. Only this file makes system calls that
 * the program would not make itself, and none if a seccomp filter could answer them that sooth does
 * not have itself (a container has one).
 *
 * The environment outlives sooth, and then another user could listen at the path of the socket. So
 * the peer has to be root or the user of this program, and its files are sealed against cuts.
 */
#include "preload/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "preload/kernel_calls.h"

#define ANSWER_STEPS 20 /* steps of STEP_MS without an answer: sooth hangs */
#define STEP_MS	     100
#define TRIES	     200 /* tries, TRY_NS apart, while the queue of the socket is full */
#define TRY_NS	     1000000
#define ROOM_LEAST   (1ull << 30) /* of a limited address space: twenty times what is mapped here */
#define PATH_BYTES   108
#define VALUE_BYTES  (PATH_BYTES + PRELOAD_TOKEN_BYTES + 1)
#define SEALS	     (F_SEAL_SHRINK | F_SEAL_GROW)

extern char **environ __attribute__((weak));

/* --- where sooth is --- */

struct place {
	char value[VALUE_BYTES + 1]; /* path, colon, token, number of filters */
	unsigned path;		     /* length of the path; 0: there is no sooth */
};

static bool parse_value(struct place *p, const char *variable)
{
	static const char name[] = PRELOAD_VARIABLE "=";
	unsigned i, k = 0;

	for (i = 0; i < sizeof(name) - 1; i++) {
		if (variable[i] != name[i])
			return false;
	}
	for (; k < VALUE_BYTES && variable[i + k]; k++) {
		p->value[k] = variable[i + k];
		if (variable[i + k] == ':')
			p->path = k;
	}
	if (p->path >= PATH_BYTES || k != p->path + 2 + PRELOAD_TOKEN_BYTES)
		p->path = 0;
	return true;
}

/* Reads the variable from the kernel's copy: the C library's list is empty until it is ready. */
static void find_in_file(struct place *p)
{
	char bytes[4096 + 256];
	size_t kept = 0;
	long fd = KERNEL(openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC, 0, 0, 0);
	long size;
	bool is_start = true, is_found = false;

	while (fd >= 0 && !is_found && (size = KERNEL(read, fd, bytes + kept, 4096, 0, 0, 0)) > 0) {
		size_t from = 0, end = kept + (size_t)size;

		for (size_t i = 0; i < end && !is_found; i++) {
			if (bytes[i])
				continue;
			is_found = is_start && parse_value(p, bytes + from);
			is_start = true;
			from = i + 1;
		}
		/* A longer variable is not the one of sooth. */
		kept = end - from;
		if (kept > 256) {
			kept = 0;
			is_start = false;
		}
		for (size_t i = 0; i < kept; i++)
			bytes[i] = bytes[from + i];
	}
	if (fd >= 0)
		KERNEL(close, fd, 0, 0, 0, 0, 0);
}

static void find_place(struct place *p)
{
	if (!&environ || !environ) {
		find_in_file(p);
		return;
	}
	for (char **variable = environ; *variable; variable++) {
		if (parse_value(p, *variable))
			return;
	}
}

/* --- whether calls may be made --- */

/* Reads the first character of the value behind `name` in a file of /proc; false: there is none. */
static bool read_value(const char *file, const char *name, char *out)
{
	long size, fd = KERNEL(openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0, 0, 0);
	unsigned known = 0;
	bool is_found = false;
	char bytes[1024];

	while (fd >= 0 && !is_found &&
		(size = KERNEL(read, fd, bytes, sizeof(bytes), 0, 0, 0)) > 0) {
		for (long i = 0; i < size && !is_found; i++) {
			if (name[known])
				known = bytes[i] == name[known] ? known + 1 : bytes[i] == name[0];
			else
				is_found = bytes[i] != '\t' && bytes[i] != ' ';
			*out = bytes[i];
		}
	}
	if (fd >= 0)
		KERNEL(close, fd, 0, 0, 0, 0, 0);
	return is_found;
}

/* Returns whether a seccomp filter is set that sooth does not have, or an unknown one. It allows
 * the calls in here: the loader made them. */
static bool is_filtered(const struct place *p)
{
	static const char name[] = "\nSeccomp_filters:\t";
	char mode, line[sizeof(name) + 2], own = p->value[p->path + 1 + PRELOAD_TOKEN_BYTES];

	if (!read_value("/proc/self/status", "\nSeccomp:", &mode))
		return true;
	if (mode == '0')
		return false;
	__builtin_memcpy(line, name, sizeof(name));
	line[sizeof(name) - 1] = own;
	line[sizeof(name)] = '\n';
	line[sizeof(name) + 1] = '\0';
	return own < '1' || own > '0' + (char)PRELOAD_FILTERS_MAX ||
	       !read_value("/proc/self/status", line, &mode);
}

/* Returns whether the memory mapped here is little of what the limit of the address space, if there
 * is one, leaves to the program: else its allocations would fail earlier than alone. */
static bool has_room(void)
{
	uint64_t limits[2] = { 0 }, pages = 0;
	char bytes[32];
	long size, fd;

	if (KERNEL(prlimit64, 0, RLIMIT_AS, 0, limits, 0, 0) < 0)
		return false;
	if (limits[0] == RLIM64_INFINITY)
		return true;
	fd = KERNEL(openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0, 0, 0);
	size = fd < 0 ? 0 : KERNEL(read, fd, bytes, sizeof(bytes), 0, 0, 0);
	for (long i = 0; i < size && bytes[i] >= '0' && bytes[i] <= '9'; i++)
		pages = pages * 10 + (uint64_t)(bytes[i] - '0');
	if (fd >= 0)
		KERNEL(close, fd, 0, 0, 0, 0, 0);
	return pages && limits[0] >= ROOM_LEAST && pages * PRELOAD_PAGE <= limits[0] - ROOM_LEAST;
}

bool connect_clock_is_on(void)
{
	int mode = PR_TSC_ENABLE;

	return KERNEL(prctl, PR_GET_TSC, &mode, 0, 0, 0, 0) < 0 || mode == PR_TSC_ENABLE;
}

/* --- the connection --- */

static bool is_trusted(uint32_t uid)
{
	return !uid || uid == (uint32_t)KERNEL(geteuid, 0, 0, 0, 0, 0, 0);
}

/* Returns whether the socket has a trusted owner: another user's could make the program wait. */
static bool is_trusted_file(const char *path)
{
	struct stat st;

	return KERNEL(newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW, 0, 0) >= 0 &&
	       S_ISSOCK(st.st_mode) && is_trusted(st.st_uid);
}

static bool connect_socket(long fd, const struct sockaddr_un *address)
{
	struct kernel_time step = { 0, TRY_NS };
	long status = -EAGAIN;

	for (int i = 0; i < TRIES && status == -EAGAIN; i++) {
		if (i)
			KERNEL(nanosleep, &step, 0, 0, 0, 0, 0);
		status = KERNEL(connect, fd, address, sizeof(*address), 0, 0, 0);
	}
	return status >= 0;
}

static long open_connection(const struct place *p, int *sooth_pid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	unsigned size = sizeof(peer);
	long fd;

	for (unsigned i = 0; i < p->path; i++)
		address.sun_path[i] = p->value[i];
	if (!is_trusted_file(address.sun_path))
		return -1;
	fd = KERNEL(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
	if (fd < 0)
		return fd;
	if (connect_socket(fd, &address) &&
		KERNEL(getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size, 0) >= 0 &&
		is_trusted(peer.uid)) {
		*sooth_pid = peer.pid;
		return fd;
	}
	KERNEL(close, fd, 0, 0, 0, 0, 0);
	return -1;
}

static bool send_hello(long fd, const struct place *p, uint32_t request, int error)
{
	struct preload_hello hello = { .version = PRELOAD_VERSION,
		.request = request,
		.error = error,
		.pid = (uint32_t)KERNEL(getpid, 0, 0, 0, 0, 0, 0) };

	__builtin_memcpy(hello.token, p->value + p->path + 1, sizeof(hello.token));
	return KERNEL(sendto, fd, &hello, sizeof(hello), MSG_NOSIGNAL, 0, 0) == (long)sizeof(hello);
}

/* Returns whether sooth is neither stopped nor gone. `pid` 0: it is in another namespace. */
static bool is_running(int pid)
{
	char path[32] = "/proc/", digits[12], state = 'R';
	unsigned at = 6, count = 0;

	if (!pid)
		return true;
	for (; pid; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count)
		path[at++] = digits[--count];
	__builtin_memcpy(path + at, "/status", 8);
	return read_value(path, "\nState:", &state) && state != 'T' && state != 't' && state != 'Z';
}

static bool wait_for_answer(long fd, int sooth_pid)
{
	struct pollfd answer = { .fd = (int)fd, .events = POLLIN };
	struct kernel_time step = { 0, STEP_MS * 1000000ll };

	for (int i = 0; i < ANSWER_STEPS; i++) {
		struct kernel_time left = step;

		if (KERNEL(ppoll, &answer, 1, &left, 0, 0, 0) > 0)
			return true;
		if (!is_running(sooth_pid))
			return false;
	}
	return false;
}

static bool receive_welcome(long fd, int descriptors[2])
{
	struct preload_welcome welcome = { 0 };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec piece = { &welcome, sizeof(welcome) };
	struct msghdr message = { .msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	long size = KERNEL(recvmsg, fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT, 0, 0, 0);

	if (size != (long)sizeof(welcome) || welcome.version != PRELOAD_VERSION ||
		message.msg_controllen < CMSG_LEN(2 * sizeof(int)) ||
		control.head.cmsg_type != SCM_RIGHTS)
		return false;
	__builtin_memcpy(descriptors, CMSG_DATA(&control.head), 2 * sizeof(int));
	return true;
}

/* --- memory --- */

void *connect_map(size_t size, int fd, int protection)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	long at = KERNEL(mmap, 0, size, protection, flags, fd, 0);

	return at < 0 && at > -4096 ? NULL : (void *)at;
}

/* Checks size and seals: access beyond the end of a cut file would kill the program by a signal. */
static bool has_size(int fd, size_t size)
{
	struct stat st;
	long seals = KERNEL(fcntl, fd, F_GET_SEALS, 0, 0, 0, 0);

	return seals >= 0 && (seals & SEALS) == SEALS && KERNEL(fstat, fd, &st, 0, 0, 0, 0) >= 0 &&
	       (uint64_t)st.st_size == size;
}

static bool map_both(const int descriptors[2], struct connection *to)
{
	if (!has_size(descriptors[0], PRELOAD_PAGE) ||
		!has_size(descriptors[1], PRELOAD_SEGMENT_BYTES))
		return false;
	to->sooth_page = connect_map(PRELOAD_PAGE, descriptors[0], PROT_READ);
	to->segment = connect_map(PRELOAD_SEGMENT_BYTES, descriptors[1], PROT_READ | PROT_WRITE);
	if (!to->sooth_page || !to->segment)
		return false;
	KERNEL(madvise, to->segment, PRELOAD_SEGMENT_BYTES, MADV_DONTDUMP, 0, 0, 0);
	return atomic_load(&to->sooth_page->version) == PRELOAD_VERSION;
}

static bool map_segment(long fd, const struct place *p, int sooth_pid, struct connection *to)
{
	int descriptors[2] = { -1, -1 };
	bool is_done;

	if (!send_hello(fd, p, PRELOAD_STARTED, 0) || !wait_for_answer(fd, sooth_pid) ||
		!receive_welcome(fd, descriptors))
		return false;
	is_done = map_both(descriptors, to);
	if (!is_done)
		send_hello(fd, p, PRELOAD_FAILED, ENOMEM);
	KERNEL(close, descriptors[0], 0, 0, 0, 0, 0);
	KERNEL(close, descriptors[1], 0, 0, 0, 0, 0);
	return is_done;
}

/* Reports a program that cannot connect: sooth sees that the file PRELOAD_UNSEEN is opened. */
static void report_unconnected(struct place *p)
{
	unsigned at = p->path;
	long fd;

	while (at && p->value[at - 1] != '/')
		at--;
	__builtin_memcpy(p->value + at, PRELOAD_UNSEEN, sizeof(PRELOAD_UNSEEN));
	fd = KERNEL(openat, AT_FDCWD, p->value, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0,
		0, 0);
	if (fd >= 0)
		KERNEL(close, fd, 0, 0, 0, 0, 0);
}

bool connect_to_sooth(struct connection *to)
{
	struct place place = { .path = 0 };
	int sooth_pid = 0;
	bool is_done;
	long fd;

	find_place(&place);
	if (!place.path)
		return false;
	fd = is_filtered(&place) || !has_room() ? -1 : open_connection(&place, &sooth_pid);
	if (fd < 0) {
		report_unconnected(&place);
		return false;
	}
	is_done = map_segment(fd, &place, sooth_pid, to);
	KERNEL(close, fd, 0, 0, 0, 0, 0);
	return is_done;
}
