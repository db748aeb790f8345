/* SPDX-License-Identifier: BSD-2-Clause */
/* The request as a backend gets it, with questions that several backends ask about it. */
#pragma once

#include <sooth/observer.h>

struct agent_set;

struct probe_options {
	/* Options of the caller. Texts are valid until the start; those of probes as long as the
	 * source. */
	struct sooth_observer_options observer;
	unsigned interest; /* bits of enum interest, of all targets together */
	bool is_host;	   /* every process, not only the added ones */
	uint32_t uid;	   /* if has_uid: all processes of this user, and no others */
	bool has_uid;
	const struct agent_set *agents; /* NULL: the built-in ones; take a reference to keep it */
	bool is_launched;		/* the target is a command */
	size_t process_count;		/* number of processes in the target at the start */
};

/* The event at which the probe "profile" takes a stack. */
enum stack_trigger {
	STACK_BY_CLOCK,
	STACK_OF_CALL,
	STACK_OF_PAGE_FAULT,
	STACK_OF_WAIT,
	STACK_OF_WAIT_AND_CLOCK,
};

/* Copies the texts of probes. The caller frees them with probe_options_fini(), also on failure. */
int probe_options_keep(struct probe_options *options, struct sooth_error *err);
void probe_options_fini(struct probe_options *options);
/* Returns whether one source serves both: its work is fixed when it is opened. */
bool probe_options_match(const struct probe_options *a, const struct probe_options *b);
enum stack_trigger probe_stack_trigger(const struct probe_options *options);
/* Returns the time between two samples of a stack. */
uint32_t probe_rate_hz(const struct probe_options *options, uint32_t default_hz);
/* Returns whether the target may be paused for the probe "heap": only a command. */
bool probe_may_pause(const struct probe_options *options);
/* Returns whether a call that returned is left out of the stream. */
bool probe_skips_call(const struct probe_options *options, bool has_failed);
