/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU time of a process: in which functions it is spent, by sampled stacks; whether the process
 * should rather wait for requests; whether it moved data. A share of little CPU time says nothing:
 * detectors compare `demand` with a threshold first.
 */
#pragma once

#include "analyze/diagnosis/check.h"
#include "analyze/profile/profile_patterns.h"

struct work_cpu {
	bool is_measured;
	double cpu;    /* percent of one CPU, all threads together */
	double demand; /* `cpu` plus the time in which threads were ready to run */
	uint64_t interval_ns;
};

void work_cpu_of(struct work_cpu *w, const struct check *e);

/* Appends "; in check (server.py:2)": the function that nearly all stacks have, or the hottest;
 * nothing if none has a name. */
void work_put_place(struct buffer *out, const struct check *e);

/* Returns whether the process has a listening socket. */
bool work_has_listener(const struct check *e);
/* Returns whether a process waits for requests by its role: an agent, an MCP or language server. */
bool work_should_wait(const struct process_entry *p);
/* Returns whether others wait for the program: an agent, an MCP or language server, or a
 * listener. */
bool work_is_awaited(const struct check *e);

/* Returns how many runnable threads share a CPU; 1: there are enough CPUs for all, or it was not
 * measured. On a busy host a process gets less done in an interval, so its rates are multiplied by
 * this value. */
double cpu_load_of(const struct diagnosis_input *input);

/* Whether an agent has work to do, and which parts of its session may do the work. */
struct agent_work {
	bool is_agent;
	bool is_headless;	   /* an argument makes it headless */
	bool has_tool, has_server; /* the session has a tool or helper; an MCP server */
	bool is_idle;	  /* the agent is idle by its self-reported status, or by its log */
	const char *busy; /* evidence that the agent is busy; NULL: none */
};

/* Finds the work of an agent. All members are false for a process that is no agent. */
void agent_work_find(struct agent_work *w, const struct check *e, bool is_listening);

/* Data moved by read, write and similar calls of threads that still exist, and over TCP
 * connections. The kernel does not count recv and send on other sockets, but recorded system calls
 * do. Shared memory cannot be seen. */
struct progress {
	bool is_measured;   /* the threads' I/O was measured */
	bool has_tcp;	    /* TCP traffic was measured; false: not sampled twice */
	bool has_calls;	    /* socket traffic was recorded call by call */
	double bytes_per_s; /* sum of threads and connections */
	double calls_per_s; /* calls of read, write and similar */
	uint64_t interval_ns;
};

void progress_of(struct progress *p, const struct check *e);
/* Returns whether the thread reads jobs and writes results, a few bytes each, and computes between:
 * a worker of a pool. */
bool progress_is_worker(const struct thread_history *t);
/* Adds the bytes and calls per second as evidence, if they were measured. */
void progress_emit(const struct progress *p, struct check_result *out);
