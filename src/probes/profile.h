/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * profile: where threads spend CPU time, as stacks taken at a fixed rate. A sample names a stack, a
 * stack its frames, a frame its function and file: what repeats is in the capture once. Shared with
 * the kernel side.
 */
#pragma once

#include <sooth/record.h>

enum profile_kind {
	PROFILE_SAMPLE = 0x1000,
	PROFILE_CALL = 0x1001,
	PROFILE_WAIT = 0x1002,
	PROFILE_PAGE = 0x1003,
	PROFILE_RELEASE = 0x1004,
	PROFILE_STACK = 0x1080,
	PROFILE_FRAME = 0x1081,
};

/* How the walk up a stack ended. */
enum profile_end {
	PROFILE_WHOLE,	    /* the walk reached the entry of the thread */
	PROFILE_DEPTH,	    /* more frames than are kept */
	PROFILE_UNREADABLE, /* the stack could not be read: not in memory */
	PROFILE_NO_CODE,    /* the return address is in no code */
	PROFILE_NO_ROW,	    /* the unwind information of the file does not cover the address */
	PROFILE_NO_TABLE, /* the unwind information of the file was not read yet, or has no room */
	PROFILE_RULE,	  /* unwind information of a kind that is not supported */
	PROFILE_STUCK,	  /* the next frame is not above this one: damaged, or not a stack */
	PROFILE_FOREIGN,  /* code for another instruction set: 32-bit */
	PROFILE_KERNEL_ONLY, /* the thread has no user memory any more: it exits */
	PROFILE_NO_REGISTER, /* the frame pointer, which finds the next frame, could not be read */
	PROFILE_ENDS,
};

enum profile_frame_kind {
	PROFILE_USER,
	PROFILE_KERNEL,
	PROFILE_GENERATED, /* code in memory that belongs to no file: compiled at run time */
	PROFILE_SCRIPT,	   /* a function that an interpreter runs; the file is its source */
};

#define PROFILE_NAME_BYTES 16

struct profile_sample {
	struct sooth_record record;
	uint32_t stack;	    /* number of a profile.stack */
	uint32_t period_ns; /* CPU time that the sample stands for */
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
};

/* The stack at the begin of a system call. Such records replace samples. */
struct profile_call {
	struct sooth_record record;
	uint32_t stack;	 /* number of a profile.stack */
	uint32_t number; /* number of the call in its ABI */
	uint32_t abi;	 /* enum syscall_abi */
	uint32_t unused;
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
};

#define PROFILE_NO_CALL 0xffffffffu

enum profile_wait_state {
	PROFILE_PREEMPTED, /* the thread could have run on */
	PROFILE_SLEEPS,	   /* the thread waits until something happens, or a signal comes */
	PROFILE_BLOCKS,	   /* the thread waits until something happens: mostly a disk or a page of
			      memory */
	PROFILE_WAIT_STATES,
};

enum profile_wait_flags {
	PROFILE_WAIT_IO = 1,   /* the kernel counts it as waiting for input or output */
	PROFILE_WAIT_OPEN = 2, /* the wait had not ended when the observation did */
	PROFILE_WAIT_OLD = 4,  /* the wait began before the observation: its stack is not known */
};

/* A time in which a thread did not run, with the stack that it had then. */
struct profile_wait {
	struct sooth_record record; /* time_ns: end of the wait */
	uint64_t waited_ns;
	uint32_t stack;	 /* number of a profile.stack */
	uint32_t number; /* number of the system call that the thread waits in; PROFILE_NO_CALL */
	uint32_t abi;	 /* enum syscall_abi */
	uint32_t waker_pid, waker_tid;
	uint8_t state; /* enum profile_wait_state */
	uint8_t flags; /* enum profile_wait_flags */
	uint8_t call_state, waker_state;
	uint8_t stack_state;
	uint8_t unused[7];
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
	char waker[PROFILE_NAME_BYTES];
};

/* A page fault: a thread touched a page that was not in its memory. It replaces samples. */
struct profile_page {
	struct sooth_record record;
	uint64_t address;
	uint32_t stack;	 /* number of a profile.stack */
	uint32_t faults; /* page faults that the record counts; 0: one */
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
};

enum profile_release_kind {
	PROFILE_UNMAPPED, /* munmap, or mmap in place of it */
	PROFILE_ADVISED,  /* madvise: the kernel may take the pages, or has them */
	PROFILE_MOVED,	  /* mremap to `moved_to`; pages beyond `moved_bytes` are freed */
	PROFILE_BREAK,	  /* brk: the heap ends at `from` */
	PROFILE_RELEASES,
};

/* A system call that freed pages, or moved them. */
struct profile_release {
	struct sooth_record record;
	uint64_t from, bytes;
	uint64_t moved_to, moved_bytes;
	uint8_t how; /* enum profile_release_kind */
	uint8_t unused[7];
};

/* A definition: the frames of a stack. */
struct profile_stack {
	struct sooth_record record;
	uint32_t stack;
	uint8_t end; /* enum profile_end */
	uint8_t unused[3];
	struct sooth_text frames; /* uint32_t of profile.frame, the innermost first */
};

/* A definition: the function, file and line of an address. */
struct profile_frame {
	struct sooth_record record;
	uint64_t offset; /* offset in the file; without a file: the address */
	uint32_t frame;
	uint8_t frame_kind;	/* enum profile_frame_kind */
	uint8_t function_state; /* not measured: no symbol covers it, or the file was not readable
				 */
	uint8_t file_state;	/* absent: the kernel, or generated code of an unknown engine */
	uint8_t build_id_state;
	struct sooth_text function;
	struct sooth_text file;
	struct sooth_text build_id; /* build id in hexadecimal */
	uint64_t begin;		    /* start of the function, counted as `offset` */
	uint8_t begin_state;	    /* not measured: the function is unknown */
	/* Absent: not requested; not measured: no debug information was found; truncated: the
	 * outermost inlined functions are missing. */
	uint8_t lines_state;
	uint8_t unused[6];
	/* Texts, the innermost first. A NUL ends each. */
	struct sooth_text inlined; /* functions that the compiler inlined at this place */
	struct sooth_text lines;   /* "hot.c:17": line in each of these, then in the function */
};

#ifndef __bpf__
extern const struct sooth_names profile_frame_kind_names;
extern const struct sooth_names profile_wait_state_names;
extern const struct sooth_names profile_release_names;
#endif

_Static_assert(sizeof(struct profile_sample) == 72, "the layout is part of the capture format");
_Static_assert(sizeof(struct profile_call) == 80, "the layout is part of the capture format");
_Static_assert(sizeof(struct profile_wait) == 120, "the layout is part of the capture format");
_Static_assert(sizeof(struct profile_page) == 80, "the layout is part of the capture format");
_Static_assert(sizeof(struct profile_release) == 72, "the layout is part of the capture format");
_Static_assert(sizeof(struct profile_stack) == 48, "the layout is part of the capture format");
_Static_assert(sizeof(struct profile_frame) == 104, "the layout is part of the capture format");
