/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the context probe. */
#include "probes/context.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field command_fields[] = {
	FIELD_PID(context_command),
	FIELD_AS_WITH(ARGS, context_command, arguments, command, arguments_state,
		"command line of the process, secrets masked", .masking = SOOTH_MASK_ARGUMENTS_CUT),
	FIELD_WITH(TEXT, context_command, executable, executable_state,
		"path of the executable of the process"),
	FIELD_NUMBER(context_command, mappings_state,
		"whether the list of memory mappings is complete, as a state byte"),
};

static const struct sooth_field thread_fields[] = {
	FIELD_PID(context_thread),
	FIELD_TID(context_thread),
	FIELD_STRING(context_thread, name, "name of the thread"),
};

static const struct sooth_field mapping_fields[] = {
	FIELD_PID(context_mapping),
	FIELD_NUMBER_AS(context_mapping, from, start_address, "first address of the memory mapping",
		.unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER_AS(context_mapping, to, end_address, "first address after the memory mapping",
		.unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER(context_mapping, offset, "offset of the mapping in the file",
		.unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER(context_mapping, inode, "inode number of the mapped file", .is_hidden = true),
	FIELD_NUMBER(context_mapping, device_major, "major device number of the mapped file",
		.is_hidden = true),
	FIELD_NUMBER(context_mapping, device_minor, "minor device number of the mapped file",
		.is_hidden = true),
	FIELD_NUMBER_AS(context_mapping, protection, protection_bits,
		"access to the mapping as bits: 1 read, 2 write, 4 execute, 8 shared",
		.is_hidden = true),
	FIELD_STRING(context_mapping, path,
		"path of the mapped file, or the kernel's name for the mapping"),
	FIELD_WITH(TEXT, context_mapping, build_id, build_id_state,
		"GNU build id of the mapped file", .is_hidden = true),
};

RECORD_SCHEMA(context_command, 56, "context.command", CONTEXT_COMMAND, DEFINITION, command_fields);
RECORD_SCHEMA(context_thread, 40, "context.thread", CONTEXT_THREAD, DEFINITION, thread_fields);
RECORD_SCHEMA(context_mapping, 96, "context.mapping", CONTEXT_MAPPING, DEFINITION, mapping_fields);

static const struct sooth_schema *const schemas[] = { &context_command_schema,
	&context_thread_schema, &context_mapping_schema, NULL };

const struct probe probe_context = {
	.name = "context",
	.help = "context of processes: command line, thread names, mapped files, build ids",
	.offers = INTEREST_SAMPLE,
	.schemas = schemas,
};
