/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output that a program has written to its standard output by stdio, and that glibc keeps until its
 * buffer is full or flushed: the process at the other end of a pipe has not got it.
 *
 * Source: struct _IO_FILE of glibc (libio/bits/types/struct_FILE.h), whose members up to the
 * descriptor are the same since version 2.1, and whose exported object is _IO_2_1_stdout_. Other C
 * libraries and languages with buffers of their own are not read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Sets the number of bytes that standard output keeps. `base`: where the file of glibc begins.
 * False: there is no such buffer, or it is not as expected. Runs in the child of a
 * timeout_call(). */
bool do_read_unflushed(pid_t pid, uint64_t base, uint32_t *bytes);
