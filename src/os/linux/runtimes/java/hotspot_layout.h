/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the Java virtual machine HotSpot keeps the data that sooth reads. libjvm.so exports a table
 * of the fields of its structures for debuggers (gHotSpotVMStructs), with names, offsets and
 * addresses. So nothing here depends on a version; a field that a version lacks is marked as
 * missing.
 *
 * Everything is read from the memory of the process, also the symbols of libjvm.so. The functions
 * run in the child of a timeout_call(), so they allocate nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum hotspot_field {
	HOTSPOT_THREADS_LIST, /* static: ThreadsSMRSupport::_java_thread_list */
	HOTSPOT_LIST_LENGTH,
	HOTSPOT_LIST_THREADS,
	HOTSPOT_THREAD_OSTHREAD,
	HOTSPOT_OSTHREAD_ID,
	HOTSPOT_THREAD_OBJECT,
	HOTSPOT_THREAD_PENDING, /* the monitor that it waits to enter */
	HOTSPOT_THREAD_WAITING, /* the monitor of the object that it waits for: Object.wait() */
	HOTSPOT_THREAD_ANCHOR,
	HOTSPOT_ANCHOR_STACK, /* within the anchor: the last Java frame; below it, frames of C++ */
	HOTSPOT_THREAD_STACK_BASE,
	HOTSPOT_THREAD_STACK_SIZE,
	HOTSPOT_THREAD_OWNER_ID,   /* from 24 on: a monitor has the number of its owner */
	HOTSPOT_THREAD_LOCK_STACK, /* from 21 on: objects that the thread has locked */
	HOTSPOT_LOCK_STACK_TOP,
	HOTSPOT_LOCK_STACK_BASE,
	HOTSPOT_MONITOR_OWNER,
	HOTSPOT_MONITOR_OBJECT,
	HOTSPOT_HEAP, /* static: Universe::_collectedHeap */
	HOTSPOT_HEAP_RESERVED,
	HOTSPOT_OOP_BASE, /* static, of compressed pointers to objects */
	HOTSPOT_OOP_SHIFT,
	HOTSPOT_CLASS_BASE, /* static, of compressed pointers to classes */
	HOTSPOT_CLASS_SHIFT,
	HOTSPOT_OBJECT_CLASS,
	HOTSPOT_CLASS_NAME,
	HOTSPOT_CLASS_LAYOUT,	   /* size of its objects in bytes, with a flag in bit 0 */
	HOTSPOT_CLASS_STATE,	   /* of its initialization */
	HOTSPOT_CLASS_INITIALIZER, /* the thread that runs it */
	HOTSPOT_SYMBOL_LENGTH,
	HOTSPOT_SYMBOL_BODY,
	HOTSPOT_FIELDS,
};

struct hotspot_layout {
	uint64_t at[HOTSPOT_FIELDS]; /* offset, or address of a static field */
	bool has[HOTSPOT_FIELDS];
};

/* Reads the layout. `base`: where libjvm.so is mapped. False: it exports no such table. */
bool hotspot_layout_read(pid_t pid, uint64_t base, struct hotspot_layout *out);
