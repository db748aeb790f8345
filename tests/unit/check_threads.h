/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads, for judging: each by its rates, over LOOKS readings a second apart. */
#ifndef SOOTH_TESTS_CHECK_THREADS_H
#define SOOTH_TESTS_CHECK_THREADS_H

#include "check_records.h"

#include "probes/host.h"
#include "probes/syscall_names.h"
#include "probes/threads.h"

struct thread_made {
	uint32_t tid;
	const char *name;
	double cpu, waited;	       /* percent of the time that it ran, and that it could have */
	double system;		       /* percent of its CPU time, in the kernel */
	double voluntary, involuntary; /* from here on a second */
	double faults, major_faults, moved, calls, writes;
	double before_s; /* CPU time that it had at first */
	char state;	 /* S */
	const char *call;
	uint64_t arguments[6];
	const char *channel;
	int looks;   /* samples with this thread, the last ones; 0: all of LOOKS */
	int running; /* in the first so many of them it is in state R, and in no call */
	uint8_t switches_state, times_state, io_state, syscall_state, cpu_state;
};

static inline uint32_t call_number(const char *name)
{
	int32_t number = syscall_number(SYSCALL_ABI_X86_64, name, strlen(name));

	assert_true(number >= 0);
	return (uint32_t)number;
}

static inline void thread_at(double s, const struct thread_made *m, bool runs)
{
	double cpu_ns = (m->before_s + s * m->cpu / 100) * (double)NS_PER_S;
	bool calls = m->call && !runs;
	struct threads_thread t = { .record = head_of(s, PID, THREADS_THREAD),
		.thread_start_ticks = start_of(PID),
		.cpu_ns = (uint64_t)cpu_ns,
		.waited_ns = (uint64_t)(s * m->waited / 100 * (double)NS_PER_S),
		.voluntary_switches = (uint64_t)(s * m->voluntary),
		.involuntary_switches = (uint64_t)(s * m->involuntary),
		.system_ns = (uint64_t)(cpu_ns * m->system / 100),
		.faults = (uint64_t)(s * m->faults),
		.major_faults = (uint64_t)(s * m->major_faults),
		.read_bytes = (uint64_t)(s * m->moved),
		.reads = (uint64_t)(s * m->calls),
		.writes = (uint64_t)(s * m->writes),
		.state = runs	    ? 'R'
			 : m->state ? m->state
				    : 'S',
		.syscall = calls ? call_number(m->call) : 0,
		.abi = SYSCALL_ABI_X86_64,
		.syscall_state = m->syscall_state ? m->syscall_state
				 : calls	  ? SOOTH_STATE_VALUE
						  : SOOTH_STATE_ABSENT,
		.wait_channel_state = m->channel ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.cpu_state = m->cpu_state,
		.switches_state = m->switches_state,
		.times_state = m->times_state,
		.io_state = m->io_state };
	struct record_tail tail[] = { put_text(&t.name, m->name ? m->name : "worker"),
		put_text(&t.wait_channel, m->channel) };

	t.record.tid = m->tid ? m->tid : PID;
	memcpy(t.arguments, m->arguments, sizeof(t.arguments));
	RECORD_APPEND(&records, &t, tail, 2);
}

/* Each sample of a thread that is never asleep says so. */
static inline void thread(struct thread_made m)
{
	int looks = m.looks ? m.looks : LOOKS;

	for (int i = 0; i < looks; i++)
		thread_at(LOOKS - looks + i, &m, i < m.running || m.state == 'R');
}

/* Behind all of them. */
static inline void threads_read(uint32_t count)
{
	for (int i = 0; i < LOOKS; i++) {
		struct threads_process p = { .record = head_of(i + 0.001, PID, THREADS_PROCESS),
			.threads = count };

		RECORD_APPEND(&records, &p, NULL, 0);
	}
}

static inline void host_has(uint32_t cpus)
{
	struct host_load load = { .record = head_of(LOOKS - 1, 0, HOST_LOAD), .cpus = cpus };

	RECORD_APPEND(&records, &load, NULL, 0);
}

#endif
