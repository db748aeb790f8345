/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fds by BPF: one iteration in the kernel lists a whole table, without a call for each descriptor.
 * The details of special kinds are still read from their fdinfo; files are still read by stat(2)
 * on file systems where that differs from the inode.
 *
 * Cannot be seen: the same as by procfs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/fds.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/rights/caller.h"
#include "os/linux/fds/fd_file.h"
#include "os/linux/fds/fds_reader.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"
#include "os/os.h"

#define WALK_BYTES_MAX (256u << 20)
#define MINOR_BITS     20

#define MAGIC_SOCKETS 0x534f434b /* sockfs; linux/magic.h does not have all of them */

/* Measured by bench/inspect fds: loading, and one descriptor among many. */
#define NS_BEGIN 12000000
#define NS_EACH	 1600

struct bpf_state {
	struct fds_reader reader;
	struct bpf_code code;
	struct fds_control *control;
	struct buffer seen;
	uint64_t ticks_per_s;
	bool has_unusual_fifo; /* with a device that differs from stat(2) */
	char protocol[FDS_PROTOCOL_MAX + 1];
};

/* File systems whose stat(2) returns the values of the inode. */
static bool has_plain_stat(uint64_t magic)
{
	static const uint64_t plain[] = {
		0xef53,			   /* ext2, ext3, ext4 */
		0x58465342,		   /* xfs */
		0x01021994,		   /* tmpfs, devtmpfs */
		0x858458f6,		   /* ramfs */
		0x1cd1,			   /* devpts */
		0x50495045,		   /* pipefs */
		MAGIC_SOCKETS, 0x09041934, /* anonymous inodes */
		0x6e736673,		   /* nsfs */
		0x62656572,		   /* sysfs */
		0x27e0eb,		   /* cgroup */
		0x63677270,		   /* cgroup2 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (plain[i] == magic)
			return true;
	}
	return false;
}

static void take_seen(struct bpf_state *s, const struct fds_seen *seen, struct fd_raw *raw)
{
	raw->fd = seen->fd;
	raw->flags = seen->flags;
	raw->mount = seen->mount;
	raw->offset = seen->offset;
	raw->is_of_kernel = !mounts_get(&s->reader.mounts, seen->mount);
	if (seen->path_bytes > 0)
		raw->path = span_of((const char *)(seen + 1), (size_t)seen->path_bytes - 1);
	else
		raw->path_state = procfs_state(seen->path_bytes ? seen->path_bytes : -EIO);
	memcpy(s->protocol, seen->protocol, FDS_PROTOCOL_MAX);
	if (seen->magic == MAGIC_SOCKETS)
		raw->protocol = span_of(s->protocol, strlen(s->protocol));
	if (!has_plain_stat(seen->magic)) {
		s->has_unusual_fifo |= (seen->mode & S_IFMT) == S_IFIFO;
		fd_file_read(&s->reader, raw);
		return;
	}
	raw->mode = seen->mode;
	raw->links = seen->links;
	raw->inode = seen->inode;
	raw->size_bytes = seen->size_bytes;
	raw->device_major = seen->device >> MINOR_BITS;
	raw->device_minor = seen->device & ((1u << MINOR_BITS) - 1);
	raw->node_major = seen->node >> MINOR_BITS;
	raw->node_minor = seen->node & ((1u << MINOR_BITS) - 1);
}

static size_t seen_bytes(const struct fds_seen *seen)
{
	return sizeof(*seen) +
	       (seen->path_bytes > 0 ? ((size_t)seen->path_bytes + 7) & ~(size_t)7 : 0);
}

static int take_all(struct backend_run *run)
{
	struct bpf_state *s = run->state;

	for (size_t at = 0; at + sizeof(struct fds_seen) <= s->seen.size;) {
		const struct fds_seen *seen = (const void *)(s->seen.data + at);
		struct fd_raw raw = { 0 };

		if (s->reader.summary.descriptors >= DESCRIPTORS_MAX)
			return 1;
		if (at + seen_bytes(seen) > s->seen.size)
			return -EIO;
		take_seen(s, seen, &raw);
		s->reader.info_of = -1;
		fds_reader_descriptor(&s->reader, run, &raw);
		at += seen_bytes(seen);
	}
	return 0;
}

/*
 * The iteration found nothing: 0 if the table is or was empty; else the reason why it may not be
 * read. A kernel may hide processes of its host from such an iteration without an error.
 */
static int reason_for_nothing(struct bpf_state *s)
{
	int table = fcntl(s->reader.table, F_DUPFD_CLOEXEC, 0), status = 0;
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct buffer path = { 0 };
	struct dirent *entry;

	if (!dir && table >= 0)
		close(table);
	while (dir && !status && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			status = procfs_link_at(s->reader.table, entry->d_name, &path);
	}
	buffer_fini(&path);
	return status == -ENOENT || status > 0 ? 0 : status;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct bpf_state *s = run->state;
	struct sooth_error err;
	int status;

	if (!fds_reader_begin(&s->reader, run, pid, expected))
		return;
	s->has_unusual_fifo = false;
	buffer_reset(&s->seen);
	s->seen.limit = WALK_BYTES_MAX;
	s->control->tid = s->reader.tid;
	status = bpf_code_walk_thread(&s->code, "on_descriptor", s->reader.tid, &s->seen, &err);
	if (status)
		backend_limit_error(run, "descriptors", &err);
	else
		status = buffer_failed(&s->seen) ? 1 : 0;
	if (!status && !s->seen.size)
		status = reason_for_nothing(s);
	if (status >= 0 && s->seen.size) {
		int taken = take_all(run);

		status = taken ? taken : status;
	}
	fds_reader_end(&s->reader, run, status);
}

/* --- processes at the other ends --- */

static struct fds_selected selected_of(const struct fd_end_key *key)
{
	uint64_t device = (uint64_t)major(key->device) << MINOR_BITS | minor(key->device);

	return (struct fds_selected){ key->inode, key->device ? device : 0 };
}

static struct fd_end_key key_of(const struct fds_selected *selected)
{
	uint32_t device = (uint32_t)selected->device;

	return (struct fd_end_key){ selected->inode,
		device ? makedev(device >> MINOR_BITS, device & ((1u << MINOR_BITS) - 1)) : 0 };
}

static void emit_found(struct backend_run *run, const struct sooth_record *of, bool *is_cut)
{
	struct bpf_state *s = run->state;
	const struct fds_found *all = (const void *)s->seen.data;
	uint64_t tick_ns = NS_PER_S / s->ticks_per_s;

	for (size_t i = 0; i < s->seen.size / sizeof(*all); i++) {
		struct fd_found found = { .holder = { all[i].start_ns / tick_ns, all[i].pid },
			.fd = all[i].fd,
			.access = all[i].access,
			.key = key_of(&all[i].selected) };

		if (found.holder.pid == (uint64_t)getpid())
			continue;
		memcpy(found.name, all[i].name, sizeof(found.name));
		*is_cut |= !fd_ends_emit(&s->reader.ends, run, of, &found);
	}
}

/* Add the selected ends to the kernel's set, or remove them again. */
static int select_all(struct bpf_state *s, bool is_selected)
{
	int map = bpf_code_map(&s->code, "selected"), status = 0;
	size_t position = 0;
	const void *key;

	while (!status && map_next(&s->reader.ends.targets, &position, &key, NULL)) {
		struct fds_selected selected = selected_of(key);
		uint32_t value = 1;

		if (!is_selected)
			bpf_map_delete_elem(map, &selected);
		else if (bpf_map_update_elem(map, &selected, &value, BPF_ANY))
			status = -errno;
	}
	return status;
}

/* In /proc if the caller may not see all processes, or FIFOs are on file systems whose device
 * differs from stat(2). */
static uint8_t search_ends(struct fds_reader *r, struct backend_run *run)
{
	struct bpf_state *s = run->state;
	struct sooth_error err;
	bool is_cut = r->ends.targets.refused > 0;
	int status;

	if (!r->ends.targets.count)
		return SOOTH_STATE_VALUE;
	if (s->has_unusual_fifo || r->ends.targets.count > FDS_SELECTED_MAX ||
		caller_may_watch_all(&err))
		return fd_ends_search(&r->ends, run, &r->summary.record);
	status = select_all(s, true);
	buffer_reset(&s->seen);
	if (!status)
		status = bpf_code_walk_thread(&s->code, "on_holder", 0, &s->seen, &err);
	if (!status)
		emit_found(run, &r->summary.record, &is_cut);
	select_all(s, false);
	if (status)
		return fd_ends_search(&r->ends, run, &r->summary.record);
	if (is_cut || buffer_failed(&s->seen))
		return SOOTH_STATE_TRUNCATED;
	return fd_ends_see_all(run->os) ? SOOTH_STATE_VALUE
					: SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

/* --- the backend --- */

static uint64_t fds_sample_cost(
	const struct os *os, const struct probe_options *options, const struct buffer *processes)
{
	(void)os;
	if (options->is_host || options->has_uid)
		return UINT64_MAX - 2;
	return NS_BEGIN + fds_count(processes) * NS_EACH;
}

static void fds_close(struct backend_run *run)
{
	struct bpf_state *s = run->state;

	fds_reader_fini(&s->reader);
	buffer_fini(&s->seen);
	bpf_code_close(&s->code);
}

static int fds_open(struct backend_run *run, struct sooth_error *err)
{
	struct bpf_state *s = run->state;
	int status;

	if (run->options.is_host || run->options.has_uid) {
		status = caller_may_watch_all(err);
		if (status)
			return status;
	}
	fds_reader_init(&s->reader);
	s->reader.search_ends = search_ends;
	s->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	status = bpf_code_open(&s->code, &bpf_image_fds, run->log, err);
	if (!status)
		status = bpf_code_resize(&s->code, "selected", FDS_SELECTED_MAX, err);
	if (!status)
		status = bpf_code_load(&s->code, err);
	if (!status) {
		s->control =
			bpf_code_variables(&s->code, ".data.control", sizeof(*s->control), err);
		status = s->control ? 0 : -EINVAL;
	}
	if (status)
		fds_close(run);
	return status;
}

static int fds_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct bpf_state *s = run->state;
	/* A launched command runs with the caller's ids. */
	bool is_ours = !interest || interest & INTEREST_FROM_EXEC;
	int status = is_ours ? 0 : caller_may_watch(process, err);

	return status ? status : members_set(&s->reader.members, process, interest, err);
}

static int fds_sample(struct backend_run *run, struct sooth_error *err)
{
	struct bpf_state *s = run->state;

	return members_visit(&s->reader.members, run, sample_process, err);
}

static void fds_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static const struct need *const needs[] = { &need_procfs, &need_bpf, &need_btf, &need_bpf_ring,
	&need_pid_namespace, &need_walk_of_one, NULL };

const struct backend backend_fds_bpf = {
	.name = "bpf",
	.probe = "fds",
	.help = "a BPF iterator over the descriptor table; nothing stays attached",
	.needs = needs,
	.state_size = sizeof(struct bpf_state),
	.sample_cost = fds_sample_cost,
	.open = fds_open,
	.set = fds_set,
	.start = fds_sample,
	.sample = fds_sample,
	.joined = fds_joined,
	.stop = members_backend_stop,
	.close = fds_close,
};
