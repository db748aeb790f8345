/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tasks of an asyncio program, in groups: a group has tasks whose coroutines are in the same
 * functions. Python 3.14 publishes their addresses for debuggers (_Py_DebugOffsets and the section
 * .AsyncioDebug: Modules/_asynciomodule.c). For other versions sooth reports that tasks are not
 * read. They are read from memory without stopping the process, so a group may mix two moments.
 */
#pragma once

struct wait_reader;
struct wait_node;

/* Member `waits` of struct runtime: writes records of the process; none if it has no asyncio. */
void python_tasks_add(void *state, struct wait_reader *r, struct wait_node *n);
