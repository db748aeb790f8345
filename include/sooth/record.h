/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The record: what a backend writes is what stands in a block, on a pipe and
 * in a capture file. There is no second encoding.
 *
 *   header | fixed part | tail
 *
 * The fixed part belongs to the kind and only ever grows at its end, so a
 * reader takes the prefix it knows. Texts and lists stand in the tail and are
 * named from the fixed part by struct sooth_text. Sizes are in 8-byte words
 * because every record starts on one. All integers are little endian.
 *
 * This header is shared with the kernel side, so it uses fixed-width integers
 * only and includes nothing there.
 */
#ifndef SOOTH_RECORD_H
#define SOOTH_RECORD_H

#ifndef __bpf__
#include <stdint.h>
#endif

/*
 * A process is named by (start time, pid), never by a bare pid. start_ticks is
 * field 22 of /proc/PID/stat: clock ticks (1/100 s) after boot, which BPF
 * computes from task_struct.start_boottime. The pid is the one in the initial
 * pid namespace. pid 0 with start_ticks 0 is "no process": the host.
 */
struct sooth_record {
	uint64_t time_ns;     /* CLOCK_MONOTONIC, when it happened or was seen */
	uint64_t start_ticks; /* of the process (thread group leader) */
	uint32_t pid;	      /* of the process */
	uint32_t tid;	      /* of the thread; 0: the process as a whole */
	uint16_t kind;
	uint16_t cpu;	      /* SOOTH_CPU_NONE: not on one */
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
