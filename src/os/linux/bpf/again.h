/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Second programs. The kernel runs no program at a tracepoint for a thread while another thread is
 * within that program on the same processor. Up to Linux 6.19 only what interrupts can meet that;
 * from 7.0 on programs are preempted (7.2 was looked at: bpf_trace_run() takes a lock of RCU and
 * stays on its processor, no more), so it happens as soon as threads share processors: there a
 * call, or a whole thread with its fork, would be missed in every third observation of ten threads
 * on two processors. A program NAME that stands at a tracepoint has one called NAME_again then,
 * attached behind it, which does what the first left undone. Other kernels do not load it.
 */
#ifndef SOOTH_OS_LINUX_AGAIN_H
#define SOOTH_OS_LINUX_AGAIN_H

#include <bpf/libbpf.h>

#include "core/backend.h"

/* After opening an object: which of its programs will be loaded. */
void again_prepare(struct bpf_object *object);
/* The second program of this one, where it is loaded; else NULL. */
const struct bpf_program *again_program(const struct bpf_object *object, const char *program);
/* At the end, while the object is loaded: as loss, the events that no program was run for, at most;
 * what the first missed and the second as well. The kernel counts them since 5.12. */
void again_emit(const struct bpf_object *object, struct backend_run *run, const char *reason);

#endif
