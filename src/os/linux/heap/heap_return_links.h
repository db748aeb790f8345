/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link that probes the return of a function only when the program at the function's entry
 * requests that (Linux 6.13; bpf/heap_sessions.bpf.h). Only one process, the first, has such links.
 * At a call, the kernel does not ask the links of other processes, and probes the return unless
 * every link has refused, so links for more processes would save nothing. Events at returns are
 * attached only when a second process needs them, because they are part of each call of the first,
 * too. Not thread-safe: hold the lock of heap_attach.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/map.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/uprobes/prober.h"

struct heap_return_links {
	int program; /* 0: there are none, and returns are probed by events */
	void *prober;
	unsigned events;
	uint32_t pid;	       /* the process that has the links; 0: none yet */
	bool has_others;       /* returns of other processes are probed by events */
	struct buffer waiting; /* struct prober_place: for these events; each has its own file */
	struct map attached;   /* uint32_t -> uint64_t: when a process got these events by itself */
};

/* Prepares the links before the object is loaded. Does nothing if the object has no such program.
 */
int heap_return_links_prepare(struct bpf_code *code, struct sooth_error *err);
/* Opens the links after the object is loaded. False: the kernel has no such links, or refused the
 * program; the log says so. */
bool heap_return_links_open(
	struct heap_return_links *s, struct bpf_code *code, const struct log *log);
/* Defines links. Also keeps the places for events at returns, until
 * heap_return_links_move_waiting(). */
int heap_return_links_define(struct heap_return_links *s, const struct prober_place *places,
	size_t count, struct sooth_error *err);
/* Gives the links to a process that closes them when sooth is stopped. */
void heap_return_links_hold(struct heap_return_links *s, struct links_holder *holder);
/* Moves the kept places to `places`, at most `room`. The caller owns their files then. */
size_t heap_return_links_move_waiting(
	struct heap_return_links *s, struct prober_place *places, size_t room);
/* Opens the missing links if `pid` is the process with links. Call this after the events at entries
 * are attached. */
int heap_return_links_attach(struct heap_return_links *s, uint32_t pid, struct sooth_error *err);
/* Returns whether a process that was forked at `forked_ns` has inherited no events at returns. */
bool heap_return_links_leave_out(
	const struct heap_return_links *s, uint32_t parent, uint64_t forked_ns);
void heap_return_links_note_attached(struct heap_return_links *s, uint32_t pid, uint64_t now_ns);
void heap_return_links_note_ended(struct heap_return_links *s, uint32_t pid);
size_t heap_return_links_count_descriptors(const struct heap_return_links *s);
void heap_return_links_detach(struct heap_return_links *s);
void heap_return_links_close(struct heap_return_links *s, uint64_t *detach_ns);
