/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the profile program and its loader. */
#ifndef SOOTH_BPF_PROFILE_H
#define SOOTH_BPF_PROFILE_H

#include "bpf/unwind.h"
#include "probes/profile.h"

#define PROFILE_FRAMES_MAX 128 /* of user space; a power of two */
#define PROFILE_KERNEL_MAX 64
#define PROFILE_FILES_MAX  4096
#define PROFILE_TABLES_MAX 1024

/* Files are named by device and inode, as one number. */
#define PROFILE_FILE_NONE  0 /* no file: generated code */
#define PROFILE_FILE_VDSO  1
#define PROFILE_MINOR_BITS 20 /* of a device, within the kernel (include/linux/kdev_t.h) */

static inline uint64_t profile_file_key(uint64_t device, uint64_t inode)
{
	uint64_t key = (device + 1) * 0x9e3779b97f4a7c15ULL ^ inode * 0xff51afd7ed558ccdULL;

	return key > PROFILE_FILE_VDSO ? key : key + 2;
}

enum profile_file_state {
	PROFILE_FILE_NEW,   /* its table is not made yet */
	PROFILE_FILE_READY, /* it has a table */
	PROFILE_FILE_PLAIN, /* it has no unwind information, or it could not be read */
};

struct profile_file {
	uint32_t state; /* enum profile_file_state */
	uint32_t table;
	uint32_t rules;
	uint32_t rows;
};

/* Internal to the backend. */
#define PROFILE_RAW  0x107e
#define PROFILE_SEEN 0x107f

struct profile_raw_frame {
	uint64_t file;
	uint64_t offset; /* in the file; without a file: the address */
};

/* Followed by the user frames, then by the addresses of the kernel's, innermost first each. */
struct profile_raw {
	struct sooth_record record;
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
	uint32_t user_frames;
	uint32_t kernel_frames;
	uint32_t end; /* enum profile_end */
	uint32_t unused;
};

/* The first sample with code of a file. */
struct profile_seen {
	struct sooth_record record;
	uint64_t file;
	uint64_t from, to; /* the mapping */
	uint64_t offset;   /* of the mapping in the file */
	uint64_t inode;
	uint32_t device_major;
	uint32_t device_minor;
	char name[64]; /* the last part of its path */
};

struct profile_control {
	uint64_t lost;	     /* samples that did not fit the ring */
	uint64_t files_full; /* samples with a file for which there was no room */
	uint64_t period_ns;  /* between two samples of a CPU */
};

#endif
