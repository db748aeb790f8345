/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The record: backends write it, and blocks, pipes and capture files contain it unchanged. There is
 * no second encoding.
 *
 *   header | fixed part | tail
 *
 * The kind determines the fixed part, which only ever grows at its end, so a reader takes the
 * prefix it knows. Texts and lists are in the tail; a struct sooth_text in the fixed part refers to
 * each of them. Sizes are in 8-byte words because every record starts at a multiple of 8 bytes. All
 * integers are little endian.
 *
 * BPF programs include this header too, so it uses only fixed-width integers, and includes nothing
 * for BPF.
 */
#ifndef SOOTH_RECORD_H
#define SOOTH_RECORD_H

#ifndef __bpf__
#include <stdint.h>
#endif

/*
 * A process is identified by (start time, pid), never by a pid alone. start_ticks is field 22 of
 * /proc/PID/stat: clock ticks (1/100 s) after boot, which BPF computes from
 * task_struct.start_boottime. The pid is the one in the pid namespace of sooth. pid 0 with
 * start_ticks 0 is "no process": the host.
 */
struct sooth_record {
	uint64_t time_ns;     /* CLOCK_MONOTONIC, when the event happened or was seen */
	uint64_t start_ticks; /* start of the process (thread group leader) */
	uint32_t pid;	      /* of the process */
	uint32_t tid;	      /* of the thread; 0: the process as a whole */
	uint16_t kind;
	uint16_t cpu;	      /* SOOTH_CPU_NONE: not on a CPU */
	uint16_t words;	      /* whole record in 8-byte words */
	uint16_t fixed_words; /* header and fixed part in 8-byte words */
};

#define SOOTH_RECORD_WORD      8
#define SOOTH_RECORD_BYTES_MAX (0xffff * SOOTH_RECORD_WORD)
#define SOOTH_CPU_NONE	       0xffff

/* Bytes in the tail of the same record. offset counts from the record's start. */
struct sooth_text {
	uint32_t offset;
	uint32_t size;
};

#ifdef __cplusplus
static_assert(sizeof(struct sooth_record) == 32, "the record header is 32 bytes");
#else
_Static_assert(sizeof(struct sooth_record) == 32, "the record header is 32 bytes");
#endif

#endif
