/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of calls, read from the memory of a stopped thread by the lines that run in the kernel. */
#include "os/linux/ptrace/tracee_pieces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/syscalls.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#define PAGE_PRESENT (1ull << 63) /* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_SWAPPED (1ull << 62)
#define PAGE	     4096u /* a smaller page than that of the machine costs nothing */

/* The tracing process has one thread, and this is what it reads for. */
static struct {
	pid_t pid, tid;
	const struct syscalls_config *options;
} reader;

/* Reads up to `size` bytes; fewer if the next page cannot be read. */
static ssize_t read_range(void *to, size_t size, uint64_t from)
{
	size_t first = PAGE - from % PAGE;
	struct iovec here = { to, size };
	struct iovec there[2] = { { (void *)from, size }, { (void *)(from + first), 0 } };

	if (size > first) {
		there[0].iov_len = first;
		there[1].iov_len = size - first;
	}
	return process_vm_readv(reader.tid, &here, 1, there, 2, 0);
}

/* A thread of the target may have to serve missing pages (userfaultfd(2)), and may itself be
 * stopped at a call: a read of such a page would wait for it, and the kernel lets no signal
 * interrupt. */
static bool has_served_pages;

void tracee_serves_pages(void)
{
	has_served_pages = true;
}

void tracee_find_page_server(pid_t pid)
{
	static const char served[] = "anon_inode:[userfaultfd]";
	char path[32], link[sizeof(served)];
	_cleanup_dir_ DIR *fds = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	for (struct dirent *e; fds && (e = readdir(fds));) {
		if (readlinkat(dirfd(fds), e->d_name, link, sizeof(link)) == sizeof(served) - 1 &&
			!memcmp(link, served, sizeof(served) - 1))
			has_served_pages = true;
	}
}

/* Returns how many of the bytes are in pages that can be read without a fault. */
static size_t present_bytes(uint64_t from, size_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), at = from, entry;
	_cleanup_close_ int map = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)reader.tid);
	map = open(path, O_RDONLY | O_CLOEXEC);
	while (map >= 0 && at < from + size &&
		pread(map, &entry, sizeof(entry), (off_t)(at / page * sizeof(entry))) ==
			sizeof(entry) &&
		entry & (PAGE_PRESENT | PAGE_SWAPPED))
		at = (at / page + 1) * page;
	return at < from + size ? at - from : size;
}

static ssize_t read_memory(void *to, size_t size, uint64_t from)
{
	if (has_served_pages)
		size = present_bytes(from, size);
	return size ? read_range(to, size, from) : -1;
}

static int read_user(void *to, size_t size, uint64_t from)
{
	return size && read_memory(to, size, from) != (ssize_t)size ? -EFAULT : 0;
}

uint64_t tracee_read_word(uint64_t from)
{
	uint64_t word = 0;

	return read_user(&word, sizeof(word), from) ? 0 : word;
}

static long read_user_string(char *to, size_t size, uint64_t from)
{
	ssize_t got = read_memory(to, size, from);
	const char *end = got > 0 ? memchr(to, '\0', (size_t)got) : NULL;

	if (end)
		return end - to + 1;
	if (got != (ssize_t)size)
		return -EFAULT;
	to[size - 1] = '\0';
	return (long)size;
}

#define config				 (*reader.options)
#define READ_USER(to, size, from)	 read_user(to, size, from)
#define READ_USER_STRING(to, size, from) read_user_string(to, size, from)

#include "bpf/pieces.h"

/* Opens the thread, or before Linux 6.9 its process; -1: the thread has descriptors of its own
 * (unshare(2) with CLONE_FILES). */
static int open_thread(void)
{
	int thread = (int)syscall(SYS_pidfd_open, reader.tid, PIDFD_THREAD);

	if (thread >= 0 || errno != EINVAL ||
		syscall(SYS_kcmp, reader.pid, reader.tid, KCMP_FILES, 0, 0) > 0)
		return thread;
	return (int)syscall(SYS_pidfd_open, reader.pid, 0);
}

/* Asks a copy of the descriptor, which the kernel gives to tracers. */
static inline void keep_near_end(struct call_with_pieces *p, uint8_t argument, uint64_t fd)
{
	_cleanup_close_ int thread = open_thread();
	_cleanup_close_ int copy =
		thread < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, thread, (int)fd, 0);
	struct sockaddr_storage end = { 0 };
	socklen_t size = sizeof(end);

	if (copy < 0 || p->at > PIECE_AT_MAX || getsockname(copy, (struct sockaddr *)&end, &size) ||
		(end.ss_family != AF_INET && end.ss_family != AF_INET6))
		return;
	memcpy(p->pieces + p->at + sizeof(struct syscalls_piece), &end, size);
	put_head(p, p->at, argument, SYSCALLS_PART_NEAR_END, 0, size);
}

void tracee_read_for(const struct syscalls_config *options, pid_t pid, pid_t tid)
{
	reader.options = options;
	reader.pid = pid;
	reader.tid = tid;
}

int32_t tracee_read_path(char path[SYSCALLS_PATH_MAX], uint64_t from)
{
	return (int32_t)read_user_string(path, SYSCALLS_PATH_MAX, from);
}

bool tracee_read_text(char *text, size_t size, uint64_t from)
{
	return read_user_string(text, size, from) > 0;
}

uint8_t tracee_read_requested(char asked[SYSCALLS_REQUESTED_BYTES], uint64_t from)
{
	return read_user(asked, SYSCALLS_REQUESTED_BYTES, from) ? STATE_UNREAD : 0;
}

size_t tracee_keep_pieces(struct call_with_pieces *p, uint32_t row)
{
	p->at = 0;
	p->string_argument = 0;
	for (size_t i = 0; i < SYSCALLS_PIECES; i++) {
		const struct syscalls_capture *c = &config.captures[row][i];

		if (c->keep == SYSCALLS_KEEP_NOTHING)
			break;
		keep_piece(p, c, p->call.result);
	}
	name_path(p);
	p->call.pieces.offset = sizeof(struct syscalls_call);
	p->call.pieces.size = p->at;
	return sizeof(struct syscalls_call) + p->at;
}
