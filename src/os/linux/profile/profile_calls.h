/* SPDX-License-Identifier: BSD-2-Clause */
/* The profile that is not sampled by a clock: stacks where system calls begin, where pages are
 * touched, or where threads stop running. Chooses the programs of the kernel side, and writes the
 * records. */
#pragma once

#include "bpf/profile.h"
#include "collect/backend.h"
#include "os/linux/bpf/bpf.h"

#define PROFILE_SAMPLES_PROGRAM "on_sample"
#define PROFILE_CALLS_PROGRAM	"on_call"
#define PROFILE_RELEASE_PROGRAM "on_release"
#define PROFILE_CALLS_LOSING                                                                       \
	"the ring buffer was full: stacks of calls were lost; use a larger one: --buffer 128M, "   \
	"or select fewer calls: -e SET"

#define PROFILE_SWITCH_PROGRAM "on_switch"
#define PROFILE_WAKING_PROGRAM "on_waking"
#define PROFILE_WAITS_LOSING                                                                       \
	"the ring buffer was full: stacks of waits were lost; use a larger one: --buffer 128M, "   \
	"or a longer --min-wait"

#define PROFILE_PAGES_LOSING                                                                       \
	"the ring buffer was full: page faults, or pages that were given back, were lost; use a "  \
	"larger one: --buffer 128M"

/* Chooses the needed programs, and sets the selected calls. Called before the load. */
int profile_calls_choose(
	struct bpf_code *code, const struct probe_options *options, struct sooth_error *err);
/* Writes a record of a call with its stack. */
void profile_calls_put(struct buffer *out, const struct profile_raw *raw, uint32_t stack);

/* Writes a record of a page fault with its stack. */
void profile_pages_put(struct buffer *out, const struct profile_raw *raw, uint32_t stack);

/* Writes a record of a wait with its stack. */
void profile_waits_put(struct buffer *out, const struct profile_raw *raw, uint32_t stack);
