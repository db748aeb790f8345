/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the signals probe. */
#include "probes/signals.h"

#include "core/probe.h"
#include "model/schema.h"

_Static_assert(sizeof(struct signals_thread) == 48, "its layout is part of the capture format");
_Static_assert(sizeof(struct signals_handler) == 88, "its layout is part of the capture format");
_Static_assert(sizeof(struct signals_process) == 80, "its layout is part of the capture format");

#define FIELD_HEX(type_, member_, help_, ...)                                                      \
	FIELD_NUMBER(type_, member_, help_, .unit = SOOTH_UNIT_HEX, ##__VA_ARGS__)

static const struct sooth_field thread_fields[] = {
	FIELD_PID(signals_thread),
	FIELD_TID(signals_thread),
	FIELD_HEX(signals_thread, blocked, "bit n-1: signal n waits until it is unblocked"),
	FIELD_HEX(signals_thread, pending, "that wait for this thread"),
};

static const struct sooth_field handler_fields[] = {
	FIELD_PID(signals_handler),
	FIELD_NUMBER(signals_handler, signal, "number of the signal"),
	FIELD_HEX(signals_handler, address, "of the handler"),
	FIELD_HEX(signals_handler, flags, "SA_* of sigaction(2)"),
	FIELD_HEX(signals_handler, blocked, "while it runs, beside the signal itself"),
	FIELD_STRING(signals_handler, symbol, "function it stands in",
		FIELD_STATE_AT(signals_handler, symbol_state)),
	FIELD_NUMBER(signals_handler, symbol_offset, "of the address behind that function's begin",
		FIELD_STATE_AT(signals_handler, symbol_state)),
	FIELD_STRING(signals_handler, object, "file that is mapped there",
		FIELD_STATE_AT(signals_handler, object_state)),
};

static const struct sooth_field process_fields[] = {
	FIELD_PID(signals_process),
	FIELD_HEX(signals_process, ignored, "bit n-1: signal n does nothing",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_HEX(signals_process, caught, "that a handler takes",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_HEX(signals_process, pending, "that wait for the process as a whole",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_NUMBER(signals_process, queued, "signals queued for all processes of its user",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_NUMBER(signals_process, queued_max, "most that may be (RLIMIT_SIGPENDING)",
		FIELD_STATE_AT(signals_process, masks_state)),
	FIELD_NUMBER(signals_process, threads, "threads that were told",
		FIELD_STATE_AT(signals_process, threads_state)),
	{ .name = "handlers_state",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(signals_process, handlers_state),
		.is_hidden = true,
		.help = "whether all handlers were told, as a state byte" },
};

#define SIGNALS_SCHEMA(id, name_, kind_, table)                                                    \
	static const struct sooth_schema id##_schema = { .name = name_,                            \
		.kind = kind_,                                                                     \
		.class_ = SOOTH_CLASS_SAMPLE,                                                      \
		.fixed_size = sizeof(struct id),                                                   \
		SCHEMA_FIELDS(table) }

SIGNALS_SCHEMA(signals_thread, "signals.thread", SIGNALS_THREAD, thread_fields);
SIGNALS_SCHEMA(signals_handler, "signals.handler", SIGNALS_HANDLER, handler_fields);
SIGNALS_SCHEMA(signals_process, "signals.process", SIGNALS_PROCESS, process_fields);

static const struct sooth_schema *const schemas[] = { &signals_thread_schema,
	&signals_handler_schema, &signals_process_schema, NULL };

const struct probe probe_signals = {
	.name = "signals",
	.help = "signals: ignored, caught and by whom, blocked, pending",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL,
	.schemas = schemas,
};
