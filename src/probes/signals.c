/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the signals probe. */
#include "probes/signals.h"

#include "model/probe.h"
#include "model/schema.h"

#define FIELD_MASK(type_, member_, name_, help_, ...)                                              \
	FIELD_NUMBER_AS(type_, member_, name_, help_, .unit = SOOTH_UNIT_HEX, ##__VA_ARGS__)

static const struct sooth_field thread_fields[] = {
	FIELD_PID(signals_thread),
	FIELD_TID(signals_thread),
	FIELD_MASK(signals_thread, blocked, blocked_mask, "bit n-1: signal n is blocked"),
	FIELD_MASK(signals_thread, pending, pending_mask,
		"bit n-1: signal n is pending for this thread"),
};

static const struct sooth_field handler_fields[] = {
	FIELD_PID(signals_handler),
	FIELD_NUMBER_AS(signals_handler, signal, signal_number,
		"number of the signal, for example 9 for SIGKILL"),
	FIELD_NUMBER(
		signals_handler, address, "address of the signal handler", .unit = SOOTH_UNIT_HEX),
	FIELD_MASK(signals_handler, flags, flags_mask,
		"flags of the signal handler: SA_* of sigaction(2)"),
	FIELD_MASK(signals_handler, blocked, blocked_mask,
		"bit n-1: signal n is blocked while the handler runs"),
	FIELD_WITH(
		TEXT, signals_handler, symbol, symbol_state, "name of the signal handler function"),
	FIELD_WITH(UNSIGNED, signals_handler, symbol_offset, symbol_state,
		"offset of the handler address in its function"),
	FIELD_WITH(TEXT, signals_handler, object, object_state,
		"file that contains the signal handler"),
};

static const struct sooth_field process_fields[] = {
	FIELD_PID(signals_process),
	FIELD_MASK(signals_process, ignored, ignored_mask, "bit n-1: signal n is ignored",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_MASK(signals_process, caught, caught_mask, "bit n-1: signal n has a handler",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_MASK(signals_process, pending, pending_mask,
		"bit n-1: signal n is pending for the process",
		FIELD_STATE_AT(signals_process, pending_state)),
	FIELD_WITH(UNSIGNED, signals_process, queued, masks_state,
		"signals queued for all processes of the user"),
	FIELD_WITH(UNSIGNED, signals_process, queued_max, masks_state,
		"limit of queued signals (RLIMIT_SIGPENDING)"),
	FIELD_WITH(UNSIGNED, signals_process, threads, threads_state, "number of threads listed"),
	FIELD_OF(UNSIGNED, signals_process, handlers_state, handlers_state,
		"whether all signal handlers were read, as a state byte", .is_hidden = true),
};

RECORD_SCHEMA(signals_thread, 48, "signals.thread", SIGNALS_THREAD, SAMPLE, thread_fields);
RECORD_SCHEMA(signals_handler, 88, "signals.handler", SIGNALS_HANDLER, SAMPLE, handler_fields);
RECORD_SCHEMA(signals_process, 80, "signals.process", SIGNALS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &signals_thread_schema,
	&signals_handler_schema, &signals_process_schema, NULL };

const struct probe probe_signals = {
	.name = "signals",
	.help = "signals: ignored, caught (with handler), blocked, pending",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};
