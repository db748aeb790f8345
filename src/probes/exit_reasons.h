/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ends: how processes end. What bore on an end stands before it: the signals that it was sent,
 * that the kernel chose it when memory was out, where its core went. Shared with the kernel
 * side.
 */
#ifndef SOOTH_PROBES_EXIT_REASONS_H
#define SOOTH_PROBES_EXIT_REASONS_H

#include <sooth/record.h>
#ifndef __bpf__
#include <sooth/field.h>
#endif

enum ends_kind {
	EXIT_REASONS_SIGNAL = 0x0d00, /* it was sent one that can end it; told when it ends */
	EXIT_REASONS_OOM = 0x0d01,    /* the kernel chose it to be killed for memory */
	EXIT_REASONS_CORE = 0x0d02,   /* a core that was written */
	EXIT_REASONS_END = 0x0d03,    /* it ended */
	EXIT_REASONS_LOG = 0x0d04,    /* what the kernel's log says of an end, maybe of long ago */
	EXIT_REASONS_HOST =
		0x0d05, /* what this host does with cores, whether its log could be read */
};

#define EXIT_REASONS_NAME_SIZE 16 /* TASK_COMM_LEN */
#define EXIT_REASONS_UNLIMITED (~0ull)
#define EXIT_REASONS_CORE_FLAG 0x80 /* of a wait status */

struct exit_reasons_signal {
	struct sooth_record record; /* when its end was told; tid: the thread it was sent to */
	uint64_t sent_ns;
	uint64_t address; /* of a fault */
	uint64_t sender_start_ticks;
	uint32_t signal;
	int32_t code; /* si_code of sigaction(2) */
	uint32_t sender_pid;
	uint32_t sender_uid;
	uint32_t sender_parent_pid;
	uint8_t is_from_kernel; /* nobody sent it */
	uint8_t is_from_parent;
	uint8_t is_sender_ending; /* it came of the sender's own end: PR_SET_PDEATHSIG */
	uint8_t sender_state;
	uint8_t address_state;
	uint8_t unused[7];
	char sender_name[EXIT_REASONS_NAME_SIZE];
	char sender_parent_name[EXIT_REASONS_NAME_SIZE]; /* who ran the `kill` */
};

struct exit_reasons_oom {
	struct sooth_record record; /* when it was chosen */
	uint64_t virtual_bytes, anonymous_bytes, file_bytes, shared_bytes, table_bytes;
	int32_t score_adjustment;
	uint32_t asker_pid; /* who wanted memory when there was none */
	uint8_t figures_state;
	uint8_t unused[7];
	char asker_name[EXIT_REASONS_NAME_SIZE];
};

struct exit_reasons_core {
	struct sooth_record record; /* of no process: found among what is left of others */
	uint64_t size_bytes;
	uint32_t core_pid;
	uint8_t size_state;
	uint8_t path_state;    /* absent: it was handed to a program */
	uint8_t handler_state; /* absent: the kernel writes it itself */
	uint8_t unused;
	struct sooth_text path;
	struct sooth_text handler; /* the program, as core_pattern names it, without arguments */
};

struct exit_reasons_end {
	struct sooth_record record;
	uint64_t peak_rss_bytes;
	uint64_t cpu_soft_s, cpu_hard_s, file_size_bytes; /* limits; EXIT_REASONS_UNLIMITED */
	uint32_t status;				  /* as wait(2) gives it */
	uint32_t parent_pid;
	uint8_t status_state;
	uint8_t peak_state;
	uint8_t limits_state;
	uint8_t is_oom_victim;
	uint8_t oom_state;
	uint8_t parent_state;
	uint8_t signals_state; /* whether what it was sent was seen */
	uint8_t unused;
	char name[EXIT_REASONS_NAME_SIZE];
	char parent_name[EXIT_REASONS_NAME_SIZE];
};

enum exit_reasons_log_what { EXIT_REASONS_LOG_OOM, EXIT_REASONS_LOG_FAULT, EXIT_REASONS_LOGS };
#ifndef __bpf__
#endif

struct exit_reasons_log {
	struct sooth_record record; /* of no process: the log has a number only */
	uint64_t logged_ns;	    /* CLOCK_MONOTONIC, as near as the log's clock is */
	uint64_t virtual_bytes, anonymous_bytes, file_bytes, shared_bytes;
	uint64_t address;     /* of the fault */
	uint64_t instruction; /* where it stood */
	uint32_t log_pid;     /* of a fault: the thread */
	uint32_t uid;
	uint32_t what;	       /* enum exit_reasons_log_what */
	uint8_t is_of_group;   /* of a control group, else of the host */
	uint8_t figures_state; /* of the memory */
	uint8_t address_state;
	uint8_t instruction_state;
	uint8_t group_state;
	uint8_t object_state;
	uint8_t uid_state;
	uint8_t unused[5];
	char name[EXIT_REASONS_NAME_SIZE];
	struct sooth_text group;  /* whose limit it was */
	struct sooth_text object; /* file mapped where it stood */
	struct sooth_text trap;	  /* "segfault", "general protection fault" */
};

struct exit_reasons_host {
	struct sooth_record record;
	uint8_t core_state;
	uint8_t log_state;
	uint8_t unused[6];
	struct sooth_text core_pattern;
};

#endif
