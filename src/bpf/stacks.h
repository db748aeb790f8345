/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the program that reads the registers of threads and its loader. */
#pragma once

#include "bpf/profile.h"

/* A thread as the kernel has it; user space interprets the values. The addresses of its kernel
 * stack follow, innermost first. */
struct stacks_seen {
	uint64_t pc, sp, fp, link; /* user registers when the thread last entered the kernel */
	uint64_t thread_pointer;   /* 0: not read */
	uint64_t cpu_ns;
	uint64_t switches; /* times the thread gave up the CPU, or lost it */
	uint32_t tid;
	uint32_t state, exit_state, flags;
	int32_t call;	       /* number of its current system call; negative: none */
	uint8_t has_registers; /* the registers are known: the thread has user memory */
	uint8_t is_foreign;    /* 32-bit code */
	uint8_t is_on_cpu;
	uint8_t unread; /* 0, or a field's state that says why the registers are unknown */
	uint32_t kernel_frames;
	char name[PROFILE_NAME_BYTES];
	char letter;	   /* letter of its state; 0: see the numbers */
	uint8_t has_no_fp; /* the frame pointer is not known */
	uint8_t unused[2];
};

_Static_assert(sizeof(struct stacks_seen) % 8 == 0, "addresses follow");

struct stacks_control {
	uint32_t pid; /* PID of the process */
};
