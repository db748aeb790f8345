/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a log file whose end was read. The code of each system finds and opens the files; only
 * messages about errors are kept of the text that is read.
 */
#pragma once

#include <sys/stat.h>

#include "base/buffer.h"
#include "probes/log_tail.h"
#include "base/map.h"
#include "collect/backend.h"
#include "probes/logs.h"

#define LOG_RECORDS_FILES 16 /* number of log files of a process */
#define LOG_END_BYTES	  (64u << 10)

/* The end of a regular file. */
struct log_end {
	int status;		/* 0 or a negative errno */
	uint64_t device, inode; /* device and inode, as stat(2) has them */
	uint64_t file_bytes;
	uint64_t silent_ns; /* time since the file was written last */
	uint64_t from;	    /* position in the file where the bytes begin */
	size_t size;
	char bytes[LOG_END_BYTES];
};

/* The time that a file was written last: its member has another name on each system. */
typedef struct timespec (*log_time_reader)(const struct stat *st);

/* Reads an open file, or takes a negative errno. It allocates no memory: it may run in a process
 * that shares this one's. */
void log_end_read(struct log_end *e, int fd, log_time_reader written);

/* Returns the device number, which has 32 bits on macOS, and is signed. */
static inline uint64_t log_device_of(const struct stat *st)
{
	return sizeof(st->st_dev) == sizeof(uint32_t) ? (uint32_t)st->st_dev : (uint64_t)st->st_dev;
}

/* Returns whether a line is of the process. Most lines begin with the pid, as those of servers do;
 * a pid that stands somewhere else may be any number. */
bool log_end_has_pid(const struct log_end *e, uint32_t pid);

/* A file that may be a log of the process. */
struct log_place {
	struct span path;
	uint32_t fd;
	uint32_t device_major, device_minor;
	bool is_log;  /* the name of the file, or its number, is that of a log */
	bool is_open; /* the process has the file open */
};

/* A log file of a process, for its size at the snapshot before. */
struct logs_key {
	struct process_id process;
	uint64_t inode, device;
};

struct log_records {
	struct map sizes; /* logs_key -> uint64_t */
	struct buffer text;
	struct log_tail tail;
	/* The current process. */
	struct logs_key seen[LOG_RECORDS_FILES];
	struct logs_process summary;
};

void log_records_init(struct log_records *r);
void log_records_fini(struct log_records *r);
/* Begins the records of the process that `head` is of. */
void log_records_begin(struct log_records *r, struct sooth_record head);
bool log_records_are_full(const struct log_records *r);
/* Writes what was read of a file, unless it was written already. Its bytes are overwritten. */
void log_records_add(struct log_records *r, struct backend_run *run, const struct log_place *place,
	struct log_end *end);
/* Ends the records of a process. `files_state` as in struct logs_process. */
void log_records_end(struct log_records *r, struct backend_run *run, uint8_t files_state);
