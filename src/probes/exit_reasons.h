/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exit_reasons: how processes end. The record of an end comes after the records of the signals, of
 * the OOM killer's choice and of the core dump. Shared with the kernel side.
 */
#pragma once

#include <sooth/record.h>
#ifndef __bpf__
#include <sooth/field.h>
#endif

enum exit_reasons_kind {
	EXIT_REASONS_SIGNAL = 0x0d00, /* a signal that can end the process; recorded at its end */
	EXIT_REASONS_OOM = 0x0d01,    /* the OOM killer chose the process */
	EXIT_REASONS_CORE = 0x0d02,   /* a core dump was written */
	EXIT_REASONS_END = 0x0d03,    /* the process ended */
	EXIT_REASONS_LOG = 0x0d04,    /* a line of the kernel's log on an end, maybe an old one */
	EXIT_REASONS_HOST = 0x0d05,   /* core_pattern, and whether the log could be read */
	EXIT_REASONS_CHILD = 0x0d06,  /* a process below a watched one was ended, or asked to end */
};

#define EXIT_REASONS_NAME_SIZE 16 /* TASK_COMM_LEN */
#define EXIT_REASONS_UNLIMITED (~0ull)
#define EXIT_REASONS_CORE_FLAG 0x80 /* flag of a core dump in a wait status */

struct exit_reasons_signal {
	struct sooth_record record; /* time_ns: end of the process; tid: the thread that got it */
	uint64_t sent_ns;
	uint64_t address; /* address of the fault */
	uint64_t sender_start_ticks;
	uint32_t signal;
	int32_t code; /* si_code of sigaction(2) */
	uint32_t sender_pid;
	uint32_t sender_uid;
	uint32_t sender_parent_pid;
	uint8_t is_from_kernel; /* the kernel sent it, no process did */
	uint8_t is_from_parent;
	uint8_t is_sender_ending; /* sent because the sender ended: PR_SET_PDEATHSIG */
	uint8_t sender_state;
	uint8_t address_state;
	uint8_t unused[7];
	char sender_name[EXIT_REASONS_NAME_SIZE];
	char sender_parent_name[EXIT_REASONS_NAME_SIZE]; /* the program that ran `kill` */
};

struct exit_reasons_oom {
	struct sooth_record record; /* time_ns: when the OOM killer chose the process */
	uint64_t virtual_bytes, anonymous_bytes, file_bytes, shared_bytes, table_bytes;
	int32_t score_adjustment;
	uint32_t asker_pid; /* the process that allocated when memory ran out */
	uint8_t figures_state;
	uint8_t unused[7];
	char asker_name[EXIT_REASONS_NAME_SIZE];
};

struct exit_reasons_core {
	struct sooth_record record; /* header of no process: found among old core dumps */
	uint64_t size_bytes;
	uint32_t core_pid;
	uint8_t size_state;
	uint8_t path_state;    /* absent: piped to a program */
	uint8_t handler_state; /* absent: written by the kernel */
	uint8_t unused;
	struct sooth_text path;
	struct sooth_text handler; /* the program, as core_pattern names it, without arguments */
};

struct exit_reasons_end {
	struct sooth_record record;
	uint64_t peak_rss_bytes;
	uint64_t cpu_soft_s, cpu_hard_s, file_size_bytes; /* limits; EXIT_REASONS_UNLIMITED */
	uint32_t status;				  /* status as wait(2) gives it */
	uint32_t parent_pid;
	uint8_t status_state;
	uint8_t peak_state;
	uint8_t limits_state;
	uint8_t is_oom_victim;
	uint8_t oom_state;
	uint8_t parent_state;
	uint8_t signals_state; /* whether its signals were observed */
	uint8_t unused;
	char name[EXIT_REASONS_NAME_SIZE];
	char parent_name[EXIT_REASONS_NAME_SIZE];
};

/*
 * A process that a watched process or one of its descendants started, and that was ended by a
 * signal or after a request to end. It may have started after the observation began.
 */
struct exit_reasons_child {
	struct sooth_record record; /* header with the id of the watched process; time_ns: the end
				       of the child */
	uint64_t child_start_ticks;
	uint64_t parent_start_ticks;
	uint64_t sender_start_ticks;
	uint64_t life_ns; /* time since its fork */
	uint32_t child_pid;
	uint32_t parent_pid;
	uint32_t status; /* status as wait(2) gives it */
	uint32_t signal; /* the signal that ended the child or asked it to end; 0: not seen */
	int32_t code;	 /* si_code of sigaction(2) */
	uint32_t sender_pid;
	uint32_t sender_parent_pid;
	uint8_t is_from_kernel; /* the kernel sent it, no process did */
	uint8_t is_sender_ending;
	uint8_t is_oom_victim;
	uint8_t sender_state; /* absent: the kernel; not measured: the signal was not seen */
	char name[EXIT_REASONS_NAME_SIZE];
	char sender_name[EXIT_REASONS_NAME_SIZE];
};

enum exit_reasons_log_what { EXIT_REASONS_LOG_OOM, EXIT_REASONS_LOG_FAULT, EXIT_REASONS_LOGS };

struct exit_reasons_log {
	struct sooth_record record; /* no process: the log has only a pid */
	uint64_t logged_ns;	    /* CLOCK_MONOTONIC, with the precision of the log */
	uint64_t virtual_bytes, anonymous_bytes, file_bytes, shared_bytes;
	uint64_t address;     /* address of the fault */
	uint64_t instruction; /* instruction pointer */
	uint32_t log_pid;     /* id of the thread that a fault is logged for */
	uint32_t uid;
	uint32_t what;	       /* enum exit_reasons_log_what */
	uint8_t is_of_group;   /* memory of a control group ran out, else of the host */
	uint8_t figures_state; /* state of the memory values */
	uint8_t address_state;
	uint8_t instruction_state;
	uint8_t group_state;
	uint8_t object_state;
	uint8_t uid_state;
	uint8_t unused[5];
	char name[EXIT_REASONS_NAME_SIZE];
	struct sooth_text group;  /* control group with the limit */
	struct sooth_text object; /* file mapped at the instruction */
	struct sooth_text trap;	  /* "segfault", "general protection fault" */
};

struct exit_reasons_host {
	struct sooth_record record;
	uint8_t core_state;
	uint8_t log_state;
	uint8_t unused[6];
	struct sooth_text core_pattern;
};
