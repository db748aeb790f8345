/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of a failed call for the program, where the name of the error does not say it. */
#pragma once

#include "analyze/diagnosis/call_check.h"
#include "base/buffer.h"
#include "probes/fds.h"
#include "probes/waits.h"

struct failure_meaning {
	uint16_t error;
	/* A limit of the user or the host is reached: the kernel answers "no space left on device",
	 * "too many open files" or "disk quota exceeded", although none of these is true. */
	enum syscall_limit limit;
	const char *place;  /* beginning of the path or object; NULL: any */
	const char *text;   /* meaning in a few words: "the descriptor is closed" */
	const char *remedy; /* remedy; NULL: none fits all programs */
};

/* Returns the meaning of a failed call; NULL: the name of the error is enough, or the error has
 * several meanings. */
const struct failure_meaning *failure_meaning_of(
	const struct check *e, const struct call_place *place);
/* Returns the limit of open descriptors if the process has (nearly) reached it; 0: descriptors are
 * left. */
uint64_t failure_descriptors(const struct check *e, const struct call_place *place);
/* Returns the meaning of a failed attempt to connect. */
const struct failure_meaning *failure_meaning_of_connect(uint16_t error);
/* Appends the process that a failure is about: ", its child head (4711) has ended" for the reader
 * of a broken pipe, if only one child can be that; ": perl (4711) has its working directory /mnt/a"
 * for a path in use. */
void failure_meaning_put_process(
	struct buffer *out, const struct check *e, const struct call_place *place);

/* Returns whether a command answers a question by its exit status: programs run `git rev-parse` to
 * learn whether a folder is in a repository. */
bool failure_is_query(const char *program, struct span command);

/* --- a lock file that exists, or a lock of another process --- */

/* Appends "lock file /r/.git/index.lock exists" or "/var/lib/dpkg/lock is locked by another
 * process". */
void lock_failure_text(struct buffer *to, const struct check *e, const struct call_place *place);
/* Returns the process that the lock file names, or that has the file open; NULL: unknown. */
const struct waits_party *lock_failure_owner(const struct check *e, const struct call_place *place);
/* Adds evidence and remedy to the open finding, and a process of the name that may have the lock to
 * the claim. */
void lock_failure_emit(const struct check *e, struct check_result *out,
	const struct call_place *place, const struct waits_party *owner, struct span name);

/* --- the user has reached the limit of inotify watches or instances: the kernel answers "no space
 * left on device", or "too many open files", although neither is true --- */

/* Returns whether an inotify limit is the reason of this failure. */
bool watch_failure_is(const struct check *e, const struct call_place *place);
/* Appends what a message of a program means if it names such a failure; nothing for another one. */
void watch_failure_put_meaning(struct buffer *out, struct span message);
/* Adds claim, evidence and remedy to the open finding. */
void watch_failure_report(const struct check *e, struct check_result *out,
	const struct call_place *place, double times);

/* --- a file system is full or read-only. Descriptors are listed at the begin and end of an
 * observation, so a file system that was full only in between is not recognized --- */

/* Returns the file system that caused the failure, also of a write that stores less than requested;
 * NULL: none is known. */
const struct fds_filesystem *space_failure_of(
	const struct check *e, const struct call_place *place);
/* Appends "no space left on /mnt (100 % used)". */
void space_failure_text(struct buffer *out, const struct fds_filesystem *space, unsigned error);
/* Adds claim, evidence and remedy to the open finding: so many failures on so many paths. */
void space_failure_report(const struct check *e, struct check_result *out,
	const struct fds_filesystem *space, const struct call_place *place, uint64_t times,
	uint64_t paths);
