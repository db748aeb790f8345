/* SPDX-License-Identifier: BSD-2-Clause */
/* The file behind a descriptor. */
#include "os/linux/fds/fd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/files/procfs.h"

struct file_request {
	int table; /* its own descriptor */
	char name[16];
	int status;
	struct statx st;
};

static void read_file(struct file_request *a)
{
	a->status = statx(a->table, a->name, AT_STATX_DONT_SYNC,
			    STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE, &a->st)
			    ? -errno
			    : 0;
}

static void do_read(void *argument)
{
	read_file(argument);
}

static void drop_request(void *argument)
{
	close(((struct file_request *)argument)->table);
}

static int read_with_timeout(struct fds_reader *r, uint32_t mount, struct file_request *a)
{
	int status;

	if (fds_reader_is_blocked(r, mount))
		return -EBUSY;
	a->table = fcntl(r->table, F_DUPFD_CLOEXEC, 0);
	if (a->table < 0)
		return -errno;
	status = timeout_call(
		&r->timeout, do_read, drop_request, a, sizeof(*a), a->table, TIMEOUT_MS);
	if (status != -ETIMEDOUT)
		close(a->table);
	if (status == -ETIMEDOUT || status == -EBUSY)
		fds_reader_note_blocked(r, mount);
	return status ? status : a->status;
}

void fd_file_read(struct fds_reader *r, struct fd_raw *raw)
{
	struct file_request a = { .table = r->table };
	int status;

	snprintf(a.name, sizeof(a.name), "%u", raw->fd);
	if (fds_reader_may_block(r, raw)) {
		status = read_with_timeout(r, raw->mount, &a);
	} else {
		read_file(&a);
		status = a.status;
	}
	raw->inode_state = procfs_state(status);
	if (status)
		return;
	raw->mode = a.st.stx_mode;
	raw->links = a.st.stx_nlink;
	raw->inode = a.st.stx_ino;
	raw->size_bytes = a.st.stx_size;
	raw->device_major = a.st.stx_dev_major;
	raw->device_minor = a.st.stx_dev_minor;
	raw->node_major = a.st.stx_rdev_major;
	raw->node_minor = a.st.stx_rdev_minor;
}
