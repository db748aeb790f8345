/* SPDX-License-Identifier: BSD-2-Clause */
/* A parser may only make system calls that read open files, get memory and answer; one for the
 * files of an owner opens them, too, for reading only. */
#pragma once

#include <stdbool.h>

/* Refuses every other call with EPERM, for the rest of the process. It needs no_new_privs. False:
 * the kernel has no such filters, or does not allow one. */
bool parser_filter_install(bool opens_files);
