/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/selected/target_holder.h"

#include <assert.h>
#include <errno.h>
#include <sooth/observer.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "analyze/records.h"
#include "base/units.h"
#include "cli/selected/process_table_scan.h"
#include "probes/fds.h"
#include "probes/sockets.h"

int target_port_parse(const char *text, uint16_t *port, struct sooth_error *err)
{
	uint64_t number;

	assert(port);
	if (parse_u64(text, &number) && number && number <= UINT16_MAX) {
		*port = (uint16_t)number;
		return 0;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" as a port", text);
	error_why(err, "expected a number from 1 to %d", UINT16_MAX);
	return error_remedy(err, "`ss -tulpn` lists ports");
}

int target_file_find(
	struct target_file *file, const char *path, bool is_capture, struct sooth_error *err)
{
	struct stat st;

	assert(file);
	*file = (struct target_file){ .path = path };
	if (is_capture)
		return 0;
	if (stat(path, &st)) {
		error_errno(err, -errno, "find the file %s", path);
		return error_remedy(err, "name a file, directory, FIFO or device that exists");
	}
	file->inode = st.st_ino;
	file->major = major(st.st_dev);
	file->minor = minor(st.st_dev);
	file->is_known = true;
	return 0;
}

bool target_listens(const struct sooth_record *r, uint16_t port)
{
	const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

	if (!s || s->port_state != SOOTH_STATE_VALUE || s->local_port != port)
		return false;
	return s->state == SOCKETS_LISTEN || (span_equal(record_text(r, &s->protocol), "udp") &&
						     s->peer_port_state != SOOTH_STATE_VALUE);
}

bool target_has_file(const struct sooth_record *r, const struct target_file *file)
{
	const struct fds_descriptor *d = record_as(r, FDS_DESCRIPTOR, sizeof(*d));

	assert(file);
	if (!d)
		return false;
	if (!file->is_known)
		return d->path_state == SOOTH_STATE_VALUE &&
		       span_equal(record_text(r, &d->path), file->path);
	return d->inode_state == SOOTH_STATE_VALUE && d->inode == file->inode &&
	       d->device_major == file->major && d->device_minor == file->minor;
}

bool target_is_unreadable(const struct sooth_record *r)
{
	const uint8_t refused = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	const struct sockets_process *s = record_as(r, SOCKETS_PROCESS, sizeof(*s));
	const struct fds_process *f = record_as(r, FDS_PROCESS, sizeof(*f));

	return (s && s->sockets_state == refused) || (f && f->descriptors_state == refused);
}

int target_holders_scan(bool of_sockets, bool of_files, sooth_record_handler take, void *user,
	struct sooth_error *err)
{
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	int status = sooth_report_new(&r, "scan", err);

	if (!status)
		status = sooth_observer_new(&o, NULL, err);
	if (!status) {
		sooth_report_on_record(r, take, user);
		status = sooth_observer_set_host(o, err);
	}
	if (!status && of_sockets)
		status = sooth_observer_add_probe(o, "sockets", SOOTH_SAMPLE, err);
	if (!status && of_files)
		status = sooth_observer_add_probe(o, "fds", SOOTH_SAMPLE, err);
	if (!status)
		status = scan_observe_once(o, r, err);
	sooth_observer_free(o);
	sooth_report_free(r);
	return status;
}
