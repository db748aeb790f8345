/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the profile program and its loader. */
#pragma once

#include "bpf/unwind.h"
#include "probes/profile.h"

/* The runtimes of languages, in the order of RUNTIMES. */
enum runtime_id {
#define RUNTIME(name) RUNTIME_##name,
#include "os/linux/runtimes/runtimes.def"
#undef RUNTIME
	RUNTIMES
};

#define RUNTIME_FILES_MAX 64 /* per runtime: files that contain its engine, at most */

#define PROFILE_FRAMES_MAX 128 /* user frames; a power of two */
#define PROFILE_KERNEL_MAX 64
#define PROFILE_FILES_MAX  4096
#define PROFILE_TABLES_MAX 1024

/* A file is identified by its device and inode in one number. */
#define PROFILE_FILE_NONE  0 /* no file: generated code */
#define PROFILE_FILE_VDSO  1
#define PROFILE_MINOR_BITS 20 /* of a device, within the kernel (include/linux/kdev_t.h) */

static inline uint64_t profile_file_key(uint64_t device, uint64_t inode)
{
	uint64_t key = (device + 1) * 0x9e3779b97f4a7c15ULL ^ inode * 0xff51afd7ed558ccdULL;

	return key > PROFILE_FILE_VDSO ? key : key + 2;
}

enum profile_file_state {
	PROFILE_FILE_NEW,   /* the table of the file is not made yet */
	PROFILE_FILE_READY, /* the file has a table */
	PROFILE_FILE_PLAIN, /* the file has no unwind information, or it could not be read */
};

struct profile_file {
	uint32_t state; /* enum profile_file_state */
	uint32_t table;
	uint32_t rules;
	uint32_t rows;
};

/* Internal to the backend. */
#define PROFILE_RUNTIME_NAME 0x107c
#define PROFILE_RAW_WAIT     0x107d
#define PROFILE_RAW	     0x107e
#define PROFILE_SEEN	     0x107f

struct profile_raw_frame {
	uint64_t file;
	uint64_t offset; /* offset in the file; address if there is no file */
};

/* The head of the words that a runtime has beside a frame, or beside the whole stack, at the
 * sample. Only the runtime knows the meaning of the words and of `detail`. */
struct profile_words {
	uint16_t index;	 /* index of the user frame, or PROFILE_OF_STACK */
	uint8_t runtime; /* enum runtime_id */
	uint8_t count;	 /* number of the words */
	uint32_t detail;
};

#define PROFILE_OF_STACK    0xffff
#define PROFILE_STACK_WORDS (3 + 3 * 64) /* beside the whole stack, with the head */
#define PROFILE_FRAME_WORDS 5		 /* beside a frame */
#define PROFILE_TAIL_WORDS  (2 * PROFILE_FRAMES_MAX + PROFILE_KERNEL_MAX + PROFILE_STACK_WORDS)
/* Behind a raw sample with words beside each frame. */
#define PROFILE_TAIL_MOST (PROFILE_TAIL_WORDS + PROFILE_FRAMES_MAX * PROFILE_FRAME_WORDS)

static inline uint64_t profile_words_head(
	uint32_t index, uint32_t runtime, uint32_t count, uint32_t detail)
{
	return index | runtime << 16 | count << 24 | (uint64_t)detail << 32;
}

/* Followed by the user frames, the addresses of the kernel frames (both innermost first), the words
 * that a runtime has beside the stack, and the words beside user frames, in their order. */
struct profile_raw {
	struct sooth_record record;
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
	uint32_t user_frames;
	uint32_t kernel_frames;
	uint32_t end;	/* enum profile_end */
	uint16_t words; /* words of runtimes, with their heads */
	uint16_t abi;	/* ABI of a system call */
	uint32_t call;	/* number of the system call, or PROFILE_NO_CALL */
	uint32_t unused;
	uint64_t engine; /* file of the process whose engine has objects beside frames; 0: none */
	uint64_t hash;	 /* allocation: hash of what follows; page fault: its address */
	uint64_t faults; /* number of faults that a page fault stands for */
	/* Only for a wait: */
	uint64_t waited_ns;
	uint32_t waker_pid, waker_tid; /* 0: not known */
	char waker[PROFILE_NAME_BYTES];
	uint32_t state; /* enum profile_wait_state */
	uint32_t flags; /* enum profile_wait_flags; else PROFILE_RAW_FAULT or 0 */
};

#define PROFILE_RAW_FAULT (1u << 31)

static inline const struct profile_raw_frame *profile_raw_user(const struct profile_raw *raw)
{
	return (const void *)(raw + 1);
}

static inline const uint64_t *profile_raw_kernel(const struct profile_raw *raw)
{
	return (const void *)(profile_raw_user(raw) + raw->user_frames);
}

static inline const struct profile_words *profile_raw_words(const struct profile_raw *raw)
{
	return (const void *)(profile_raw_kernel(raw) + raw->kernel_frames);
}

/* A name that the kernel side has read; it comes before the first stack that has the name. Only the
 * runtime knows the format of the rest. */
struct profile_name {
	struct sooth_record record;
	uint64_t runtime; /* enum runtime_id */
};

/* The longest period of page faults, and shorter than any of the clock: a fault takes 0.5 us. */
#define PROFILE_FAULTS_MOST 20000
#define PROFILE_MOMENT_NS   10000000ull

/* Written at the first sample with code of a file. */
struct profile_seen {
	struct sooth_record record;
	uint64_t file;
	uint64_t from, to; /* the mapping */
	uint64_t offset;   /* offset of the mapping in the file */
	uint64_t inode;
	uint32_t device_major;
	uint32_t device_minor;
	char name[64]; /* the last part of its path */
};

#define PROFILE_CALL_NUMBERS 512 /* numbers of system calls of an ABI; a power of two */

/* Fixed at load: a bit for each system call whose stack is taken: native calls, then the others. */
struct profile_calls {
	uint64_t wanted[2][PROFILE_CALL_NUMBERS / 64];
	uint32_t has_all;
	uint32_t unused;
};

struct profile_control {
	uint64_t lost;	   /* samples that did not fit the ring */
	uint64_t least_ns; /* set by the collector: shorter waits are counted only */
	uint64_t short_waits, short_ns;
	/* Set by the collector: most sampled page faults per moment and CPU; 0: all. */
	uint64_t faults_most;
};

/* State shared by all walks. */
struct walks_control {
	uint64_t files_full;  /* frames in a file for which there was no room */
	uint64_t known;	      /* set by the collector: a bit for each runtime with known files */
	uint64_t tables_only; /* set by the collector: frame pointers are not followed */
};
