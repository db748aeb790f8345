/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lists descriptors: those of one table, and those of all processes that refer to selected pipes
 * and sockets. It iterates over all files of all tasks; since 6.1 the kernel limits the first to
 * one thread, before that the program skips the others.
 */
#include "bpf/types.bpf.h"
#include "bpf/fds.h"

#define KIND_MASK   0170000u
#define KIND_FIFO   0010000u
#define KIND_SOCKET 0140000u

#define MAGIC_PIPES   0x50495045u
#define MAGIC_SOCKETS 0x534f434bu

#define CLOSES_ON_EXEC 02000000u /* O_CLOEXEC, the same everywhere */
#define MODE_READ      1u	 /* FMODE_READ */
#define MODE_WRITE     2u

struct fds_control fds_control SEC(".data.control") = { 0 };

struct room {
	struct fds_seen seen;
	char path[FDS_PATH_MAX];
};

/* Too large for the stack. One walk at a time uses it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct room);
} rooms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct fds_selected);
	__type(value, uint32_t);
} selected SEC(".maps");

static inline bool closes_on_exec(struct task_struct *task, uint32_t fd)
{
	unsigned long *bits = BPF_CORE_READ(task, files, fdt, close_on_exec);
	unsigned long word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), bits + fd / 64);
	return word >> (fd % 64) & 1;
}

static inline uint32_t mount_of(struct file *file)
{
	struct vfsmount *seen = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)seen - bpf_core_field_offset(struct mount, mnt);

	return (uint32_t)BPF_CORE_READ(mount, mnt_id);
}

static inline void fill(
	struct fds_seen *s, struct task_struct *task, struct file *file, uint32_t fd)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	s->fd = fd;
	s->inode = BPF_CORE_READ(inode, i_ino);
	s->size_bytes = (uint64_t)BPF_CORE_READ(inode, i_size);
	s->links = BPF_CORE_READ(inode, i_nlink);
	s->mode = BPF_CORE_READ(inode, i_mode);
	s->node = BPF_CORE_READ(inode, i_rdev);
	s->device = BPF_CORE_READ(inode, i_sb, s_dev);
	s->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	s->offset = (uint64_t)BPF_CORE_READ(file, f_pos);
	s->flags = BPF_CORE_READ(file, f_flags) & ~CLOSES_ON_EXEC;
	s->flags |= closes_on_exec(task, fd) ? CLOSES_ON_EXEC : 0;
	s->mount = mount_of(file);
	s->protocol[0] = '\0';
	/* The socket file system uses the protocol as the entry's name. */
	if ((s->mode & KIND_MASK) == KIND_SOCKET)
		bpf_probe_read_kernel_str(s->protocol, sizeof(s->protocol),
			BPF_CORE_READ(file, f_path.dentry, d_name.name));
}

SEC("iter/task_file")
int on_descriptor(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	uint32_t first = 0, size;
	struct room *room;
	long bytes;

	if (!task || !file || (uint32_t)task->pid != fds_control.tid)
		return 0;
	room = bpf_map_lookup_elem(&rooms, &first);
	if (!room)
		return 0;
	fill(&room->seen, task, file, context->fd);
	bytes = bpf_d_path(&file->f_path, room->path, FDS_PATH_MAX);
	room->seen.path_bytes = (int32_t)bytes;
	size = bytes > 0 ? ((uint32_t)bytes + 7) & ~7u : 0;
	if (size > FDS_PATH_MAX)
		size = FDS_PATH_MAX;
	bpf_seq_write(context->meta->seq, room, sizeof(room->seen) + size);
	return 0;
}

static inline uint8_t access_of(struct file *file, uint32_t kind)
{
	uint32_t mode = BPF_CORE_READ(file, f_mode);

	if (kind == KIND_SOCKET)
		return FDS_ACCESS_BOTH;
	if (mode & MODE_READ)
		return mode & MODE_WRITE ? FDS_ACCESS_BOTH : FDS_ACCESS_READ;
	return mode & MODE_WRITE ? FDS_ACCESS_WRITE : FDS_ACCESS_NONE;
}

SEC("iter/task_file")
int on_holder(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct fds_found found = { 0 };
	struct inode *inode;
	uint32_t kind;

	if (!task || !file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	kind = BPF_CORE_READ(inode, i_mode) & KIND_MASK;
	if (kind != KIND_FIFO && kind != KIND_SOCKET)
		return 0;
	found.selected.inode = BPF_CORE_READ(inode, i_ino);
	/* Sockets and pipes share one numbering; a FIFO of a file system is identified by its
	 * device too. */
	if (BPF_CORE_READ(inode, i_sb, s_magic) !=
		(kind == KIND_FIFO ? MAGIC_PIPES : MAGIC_SOCKETS))
		found.selected.device = BPF_CORE_READ(inode, i_sb, s_dev);
	if (!bpf_map_lookup_elem(&selected, &found.selected))
		return 0;
	found.pid = (uint32_t)task->tgid;
	found.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	found.fd = context->fd;
	found.access = access_of(file, kind);
	BPF_CORE_READ_STR_INTO(&found.name, task, group_leader, comm);
	bpf_seq_write(context->meta->seq, &found, sizeof(found));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
