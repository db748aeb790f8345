/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of the library, from a line to expert use:
 *
 *   agents.h    which agents run here             a call, a table
 *   diagnose.h  what is wrong with a process      a call, a table
 *   table.h     rows of both
 *   heap.h      calls of the allocator            a tracker, event by event
 *   observer.h  observe processes by any probe    a loop of your own
 *   report.h    views and formats, also of captures
 *   field.h, record.h, error.h                    beneath
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
#include <sooth/heap.h>
#include <sooth/observer.h>
#include <sooth/report.h>
#include <sooth/table.h>

#endif
