/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes records of ktrace(2) in its file (sys/ktrace.h): a header and its payload. FreeBSD 13 and
 * earlier write headers of 56 bytes; headers since 14 have 64 bytes and a version. A file may
 * contain both kinds, so the kind is detected for each record.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define KTRACE_NUMBER(name, theirs, value) KTRACE_##name = value,
enum ktrace_type {
#include "os/freebsd/decode/layouts.def"
	KTRACE_TYPES
};

#define KTRACE_NAME_SIZE   20
#define KTRACE_PAYLOAD_MAX (1u << 20) /* kern.ktrace.genio_size is 4096 by default */
#define KTRACE_ARGUMENTS   8
#define KTRACE_CPU_NONE	   UINT32_MAX

struct ktrace_record {
	uint64_t utc_ns;
	uint64_t tid;
	uint32_t pid;
	uint32_t cpu;		     /* KTRACE_CPU_NONE: the header has none */
	uint16_t type;		     /* enum ktrace_type, or a later one */
	uint8_t version;	     /* version of the header: 0 or 1 */
	bool is_after_drop;	     /* records were lost before it */
	char name[KTRACE_NAME_SIZE]; /* name of the process */
	struct span payload;	     /* borrowed */
};

/* Decodes the next record. False: the rest is incomplete, or (then the cursor has failed)
 * invalid. */
bool ktrace_next(struct ktrace_record *out, struct cursor *c);

struct ktrace_call {
	uint32_t number;
	uint32_t argument_count;
	uint64_t arguments[KTRACE_ARGUMENTS];
};

struct ktrace_return {
	uint32_t number;
	int32_t error; /* FreeBSD's errno; KTRACE_RESTARTS, KTRACE_RETURNS_NOT */
	uint64_t value;
};

#define KTRACE_RESTARTS	   (-1) /* ERESTART: interrupted, and restarted by the kernel */
#define KTRACE_RETURNS_NOT (-2) /* EJUSTRETURN: a successful exec, a return from a signal */

struct ktrace_io {
	uint32_t fd;
	bool is_write;
	struct span data;
};

struct ktrace_signal {
	uint32_t number;
	uint64_t action; /* address of the handler, or 0, 1: default, ignored */
	uint64_t mask;
	int32_t code;
};

struct ktrace_switch {
	bool is_out, is_user;
	char wait_channel[9];
};

struct ktrace_struct {
	struct span name; /* "stat", "sockaddr", "timespec" */
	uint64_t each;	  /* array: bytes of an element; 0: no array */
	struct span data;
};

struct ktrace_refusal {
	uint32_t kind; /* enum ktr_cap_fail_type */
};

struct ktrace_fault {
	uint64_t address;
	int32_t type;
};

/* Decodes a call. False: the payload is too short for its type. */
bool ktrace_call(struct ktrace_call *out, const struct ktrace_record *r);
bool ktrace_return(struct ktrace_return *out, const struct ktrace_record *r);
bool ktrace_io(struct ktrace_io *out, const struct ktrace_record *r);
bool ktrace_signal(struct ktrace_signal *out, const struct ktrace_record *r);
bool ktrace_switch(struct ktrace_switch *out, const struct ktrace_record *r);
bool ktrace_struct(struct ktrace_struct *out, const struct ktrace_record *r); /* and arrays */
bool ktrace_refusal(struct ktrace_refusal *out, const struct ktrace_record *r);
bool ktrace_fault(struct ktrace_fault *out, const struct ktrace_record *r);
bool ktrace_fault_end(int32_t *result, const struct ktrace_record *r);
bool ktrace_program(uint32_t *flags, const struct ktrace_record *r); /* of PROCCTOR */

/* The records that jemalloc writes with utrace:true in MALLOC_CONF. */
enum utrace_malloc_kind {
	UTRACE_INIT,
	UTRACE_MALLOC,
	UTRACE_REALLOC,
	UTRACE_FREE,
};

struct utrace_malloc {
	enum utrace_malloc_kind kind;
	uint64_t old_address, size, address;
};

/* Decodes a record of jemalloc. False: it is another one, like those of the run-time linker. */
bool utrace_malloc(struct utrace_malloc *out, struct span payload);
