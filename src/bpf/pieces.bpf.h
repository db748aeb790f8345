/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Pieces in the kernel. They are read when the call returns: their pages have then been touched, so
 * that reading cannot fault. Memory that the kernel overwrites is read when the call begins. */
#pragma once

#include "bpf/syscalls_thread.bpf.h"

#define READ_USER(to, size, from) bpf_probe_read_user(to, size, (const void *)(unsigned long)(from))
#define READ_USER_STRING(to, size, from)                                                           \
	string_bytes(bpf_probe_read_user_str(to, size, (const void *)(unsigned long)(from)))

#include "bpf/pieces.h"

#define MODE_MASK    0170000
#define MODE_SOCKET  0140000
#define FAMILY_INET  2
#define FAMILY_INET6 10

/* --- the near end of a socket, which no argument holds --- */

struct near_end {
	uint16_t family;
	uint16_t port;
	uint32_t address; /* IPv6: flow */
	struct in6_addr address6;
	uint32_t scope;
};

/* Returns the file of a descriptor, or NULL. The descriptor may already refer to another file: no
 * code here relies on it. */
static inline struct file *file_of(uint32_t fd)
{
	struct task_struct *task = current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = 0, **files = BPF_CORE_READ(table, fd);

	if (fd >= BPF_CORE_READ(table, max_fds) ||
		bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return 0;
	return file;
}

/* Returns the socket of a descriptor; NULL: it is no socket. */
static inline struct sock *socket_of(uint32_t fd)
{
	struct file *file = file_of(fd);
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & MODE_MASK) != MODE_SOCKET)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static inline void keep_near_end(struct call_with_pieces *p, uint8_t argument, uint64_t fd)
{
	struct sock *sk = socket_of(fd);
	uint32_t at = p->at, size = 16;
	struct near_end *end;

	if (!sk || at > PIECE_AT_MAX)
		return;
	end = (void *)(p->pieces + at + sizeof(struct syscalls_piece));
	end->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	end->port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_num));
	end->address = 0;
	end->scope = 0;
	__builtin_memset(&end->address6, 0, sizeof(end->address6));
	if (end->family == FAMILY_INET) {
		end->address = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	} else if (end->family == FAMILY_INET6 &&
		   bpf_core_field_exists(sk->__sk_common.skc_v6_rcv_saddr)) {
		BPF_CORE_READ_INTO(&end->address6, sk, __sk_common.skc_v6_rcv_saddr);
		size = sizeof(*end);
	} else {
		return;
	}
	put_head(p, at, argument, SYSCALLS_PART_NEAR_END, 0, size);
}

/* Keeps one piece of the call in the scratch memory. Returns 0 after the last one. */
VERIFIED_ALONE_BY_NUMBERS int keep_one(uint32_t row, uint32_t index, uint32_t scratch_index)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	const volatile struct syscalls_capture *c;

	if (!p)
		return 0;
	c = &config.captures[row & (SYSCALLS_ABIS * SYSCALLS_NUMBERS - 1)]
			    [index & (SYSCALLS_PIECES - 1)];
	if (c->keep == SYSCALLS_KEEP_NOTHING)
		return 0;
	keep_piece(p, c, p->call.result);
	return 1;
}
