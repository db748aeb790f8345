/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of the library, from a line to expert use:
 *
 *   agents.h    which agents run here             a call, a table
 *   diagnose.h  what is wrong with a process      a call, a table
 *   inspect.h   one process in detail             a call, a table
 *   table.h     rows of these
 *   heap.h      calls of the allocator            a tracker, event by event
 *   trace.h     system calls                      a tracker, or a call with counts
 *   profile.h   which functions use the CPU       a call, a table; or samples with stacks
 *   frame.h     frames of these stacks
 *   observer.h  observe processes by any probe    a loop of your own
 *   report.h    views and formats, also of captures
 *   field.h, record.h, error.h                    beneath
 *
 * Several trackers may share what is attached to the kernel: sooth_heap_observer().
 *
 *	cc program.c $(pkg-config --cflags --libs sooth)
 *
 * The library prints nothing, ends no process, takes no signal and reads no environment. Its state
 * is in the objects that the caller has, except libbpf's print hook (observer.h).
 */
#ifndef SOOTH_SOOTH_H
#define SOOTH_SOOTH_H

#include <sooth/agents.h>
#include <sooth/diagnose.h>
#include <sooth/frame.h>
#include <sooth/heap.h>
#include <sooth/inspect.h>
#include <sooth/observer.h>
#include <sooth/profile.h>
#include <sooth/report.h>
#include <sooth/table.h>
#include <sooth/trace.h>

#endif
