/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that parse (base/parser.h). One is forked when sooth starts, before sooth has
 * opened or read anything. It gives up every privilege, and forks a process for each file. That
 * one has limits of time and memory and a filter of system calls, gets the open file,
 * answers the jobs for it and ends. So a file that takes over its parser can lie about itself only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/parser.h"

#define PARSER_CPU_S  14 /* of CPU time, for one file */
#define PARSER_WAIT_S 20

struct os;

/* Starts the process if sooth has more privileges than the user that runs it, or is run by root,
 * and parses in it from then on. Started by root it has ids that no other process has. If it cannot
 * be started, sooth with its privileges parses nothing. */
void parser_process_start(const struct os *os);
/* Ends it: what follows is parsed by the caller. To be called before there are threads. */
void parser_process_end(void);
/* Parses in such a process even without privileges, as a library may crash on the file. */
int parser_run_apart(
	const struct parser *parser, int fd, void *job, size_t size, struct buffer *more);

/* Describes for doctor where files are parsed, and with which privileges. */
void parser_process_describe(char *out, size_t size);
