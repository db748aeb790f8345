/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of /proc/locks: each lock with the process that made it, and below it the waiting
 * processes, with the same number and marked by "->". They are parsed once for a sample. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

struct wait_reader;
struct wait_node;

/* A file, and for one that the observed process has open, its descriptor. */
struct locked_file {
	uint64_t inode;
	uint32_t major, minor, fd;
	bool is_again; /* an earlier descriptor has the same file open */
};

struct lock_line {
	uint64_t number; /* 0: behind the last line */
	bool is_waiting;
	struct span type; /* POSIX, FLOCK, OFDLCK, LEASE */
	struct span mode; /* READ, WRITE */
	uint64_t pid;	  /* 0: none */
	struct locked_file file;
	uint64_t begin, end; /* first and last byte; UINT64_MAX: to the end of the file */
	uint32_t owner;	     /* place of the first owner in the table, from 1; 0: none was found */
};

/* A descriptor that has a lock. */
struct lock_owner {
	uint32_t pid, fd;
	uint32_t next;	/* place of another owner of the lock; 0: none */
	bool is_unsure; /* the process made the lock, but may not be read */
};

struct lock_table {
	struct buffer text;
	struct buffer lines;   /* struct lock_line, in the order of the text */
	struct buffer files;   /* struct lock_line *: the locks, by file */
	struct buffer waiters; /* struct lock_line *: the waiters, by process */
	struct buffer owners;  /* struct lock_owner */
	struct buffer read;    /* uint64_t: processes and paths whose locks were read */
	bool is_read;
};

/* Reads at most `limit` bytes of /proc/locks; false: there are more. */
bool lock_table_read(struct lock_table *t, size_t limit);
/* Parses the text of a table. */
void lock_table_parse(struct lock_table *t);
/* Frees the table, which is valid and empty then. */
void lock_table_clear(struct lock_table *t);
/* Returns the lock that the process waits for; NULL: none. */
struct lock_line *lock_table_wanted_by(const struct lock_table *t, uint32_t pid);
/* Returns the locks on a file, without the waits. */
struct lock_line *const *lock_table_of_file(
	const struct lock_table *t, const struct locked_file *file, size_t *count);
/* Returns whether the lock belongs to an open file, with all descriptors that are copies: such a
 * lock outlives the process that made it. */
bool lock_is_of_open_file(const struct lock_line *l);
/* Adds the process as an owner of the locks of open files in the text of its fdinfo. */
void lock_table_add_fdinfo(struct lock_table *t, struct span text, uint32_t pid, uint32_t fd);
/* Returns the owner at that place; NULL: none. */
const struct lock_owner *lock_table_owner(const struct lock_table *t, uint32_t place);
const struct lock_owner *lock_table_owner_with(
	const struct lock_table *t, const struct lock_line *l, uint64_t pid);

/* Returns the table of this sample. */
struct lock_table *wait_lock_table(struct wait_reader *r);
/* Returns the open files of a node that have locks; they are read once. */
const struct locked_file *wait_own_files(struct wait_reader *r, struct wait_node *n, size_t *count);
/* Returns whether the node has the lock; of an open file, sets by which descriptor. */
bool wait_has_lock(
	struct wait_reader *r, struct wait_node *n, const struct lock_line *l, uint32_t *fd);
/* Returns the first owner of the lock of an open file; NULL: none was found. `path`: its name, by
 * which the processes that inherited it are searched. */
const struct lock_owner *wait_lock_owners(
	struct wait_reader *r, struct lock_line *l, struct span path);
