/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing of files that another user may have made. A program with more privileges than its caller
 * sends the open file to a process that has none; every other program parses the file itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"

/*
 * A parser of open files. parse() finds the input in `job`, puts its result there and into `more`
 * (empty at first, with a limit; NULL if the caller needs none), and returns 0 or a negative errno.
 * The job has a fixed size and no pointer that parse() uses, as another process may have a copy of
 * it.
 */
struct parser {
	const char *what; /* the file, as in "symbols" */
	int (*parse)(int fd, void *job, struct buffer *more);
};

/* The user whose files a parser opens by itself, below an open folder. */
#define PARSER_GROUPS_MAX 256
struct parser_owner {
	uint32_t uid, gid, group_count, groups[PARSER_GROUPS_MAX];
	void (*prepare)(void); /* loads what may not be loaded later; NULL: nothing */
};

/* How files and jobs reach the process that parses. */
struct parser_process {
	int socket;	  /* for parsers of open files */
	int owner_socket; /* for those that open files with the rights of their owner */
	int (*open)(int socket, const struct parser *parser, const struct parser_owner *owner,
		int fd, size_t size, size_t more_max);
	int (*ask)(
		int end, const struct parser *parser, void *job, size_t size, struct buffer *more);
};

/* Uses that process from now on; NULL: none, as in a child without privileges. To be called before
 * there are threads. */
void parser_use_process(const struct parser_process *process);
/* The descriptors that a process made for one call keeps, to be able to parse; -1: none. */
int parser_socket(void);
int parser_owner_socket(void);
/*
 * Parses a file. With privileges the job and `more` come back from a process that the file may have
 * taken over: they may be anything, also where parse() changes nothing. The caller checks them
 * before it uses them. Returns the status of parse(), or -ECHILD if that process did not answer;
 * then the job is unchanged.
 */
int parser_run(const struct parser *parser, int fd, void *job, size_t size, struct buffer *more);
/* Parses files that parse() opens below the folder `fd`. With privileges that process has the ids
 * of the owner and may open files for reading only. */
int parser_run_as(const struct parser *parser, const struct parser_owner *owner, int fd, void *job,
	size_t size);

/* The same for several jobs of one size and one file: returns a descriptor that stands for the file
 * in parser_ask(), or a negative errno. */
int parser_open(const struct parser *parser, int fd, size_t size, size_t more_max);
int parser_ask(const struct parser *parser, int end, void *job, size_t size, struct buffer *more);
/* Closes the descriptor of parser_open(), and sets it to -1. */
void parser_close(int *end);
/* Returns whether so many files are open that the next ones have to be closed after a job: each
 * keeps a process. */
bool parser_is_crowded(void);

/* The process that parses for the calling thread now, 0: none, -1: not known yet. A thread that
 * waits for this one sets `parser_worker` to see whether the parser lacks a CPU. */
extern __thread pid_t *parser_worker;

/* While it is true, the calling thread parses by itself: for files of a program that runs
 * meanwhile, and makes calls that are missed. Another process takes milliseconds, on a busy machine
 * tens of them. */
extern __thread bool parser_is_urgent;

/* Keeps and returns the name of the first parser that did not answer; NULL: all have. */
void parser_note_failure(const char *what);
const char *parser_failure(void);

/* Names requested from a parser, packed into its job. */
#define PARSER_NAMES_MAX   256
#define PARSER_NAMES_BYTES 16384

struct parser_names {
	uint32_t count;
	char text[PARSER_NAMES_BYTES]; /* a NUL ends each */
};

/* Packs names. False: they are too many or too long. */
bool parser_names_pack(struct parser_names *to, const char *const *names, size_t count);
/* Fills in pointers to packed names. */
void parser_names_unpack(const struct parser_names *from, const char *names[PARSER_NAMES_MAX]);
