/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Second programs. The kernel runs no program at a tracepoint for a thread while another thread is
 * within that program on the same CPU. Up to Linux 6.19 only an interrupt can cause that; from 7.0
 * on programs are preempted (7.2 was checked: bpf_trace_run() takes an RCU lock and stays on its
 * CPU, no more), so it happens as soon as threads share CPUs: a call, or a whole thread with its
 * fork, would be missed in every third run of ten threads on two CPUs. So on these kernels a
 * program NAME at a tracepoint has a second one called NAME_again attached behind it, which does
 * what the first was skipped for. Other kernels do not load it.
 */
#ifndef SOOTH_OS_LINUX_AGAIN_H
#define SOOTH_OS_LINUX_AGAIN_H

#include <bpf/libbpf.h>

#include "collect/backend.h"

/* After opening an object: chooses which of its programs will be loaded. */
void again_prepare(struct bpf_object *object);
/* The second program of this one, if it is loaded; else NULL. */
const struct bpf_program *again_program(const struct bpf_object *object, const char *program);
/* At the end, while the object is loaded: reports as loss, at most, the events that both programs
 * were skipped for. The kernel counts them since 5.12. */
void again_emit(const struct bpf_object *object, struct backend_run *run, const char *reason);

#endif
