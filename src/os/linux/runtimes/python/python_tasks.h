/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tasks of an asyncio program, in groups: those whose coroutines stand in the same functions.
 * Python 3.14 publishes where they are, for debuggers (_Py_DebugOffsets and the section
 * .AsyncioDebug: Modules/_asynciomodule.c); of another version it is said that they are not read.
 * Read from its memory; nothing is stopped, so a group may be of two moments.
 */
#ifndef SOOTH_OS_LINUX_PYTHON_TASKS_H
#define SOOTH_OS_LINUX_PYTHON_TASKS_H

struct wait_reader;
struct wait_node;

/* Member `waits` of struct runtime: records of the observed process, none where it has no asyncio.
 */
void python_tasks_add(void *state, struct wait_reader *r, struct wait_node *n);

#endif
