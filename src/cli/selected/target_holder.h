/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that listen on a port, or have a file open, by the records of their descriptors. */
#pragma once

#include <sooth/record.h>
#include <sooth/report.h>

#include "base/error.h"

/* A file by its path, and on this host by the file itself: processes may have it by other paths. */
struct target_file {
	const char *path;
	uint64_t inode;
	uint32_t major, minor;
	bool is_known;
};

int target_port_parse(const char *text, uint16_t *port, struct sooth_error *err);
/* Looks the file up, unless the processes are those of a capture. */
int target_file_find(
	struct target_file *file, const char *path, bool is_capture, struct sooth_error *err);
/* Returns whether the record is of a socket that listens on the port (of UDP: is bound to it). */
bool target_listens(const struct sooth_record *r, uint16_t port);
bool target_has_file(const struct sooth_record *r, const struct target_file *file);
/* Returns whether the record says that descriptors of a process could not be read. */
bool target_is_unreadable(const struct sooth_record *r);

/* Gets one sample of the sockets, or the descriptors, of each process of this host. */
int target_holders_scan(bool of_sockets, bool of_files, sooth_record_handler take, void *user,
	struct sooth_error *err);
