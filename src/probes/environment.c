/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the environment probe. */
#include "probes/environment.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field variable_fields[] = {
	FIELD_PID(environment_variable),
	FIELD_STRING(environment_variable, name,
		"name of the environment variable; left out if it may be part of a value",
		FIELD_STATE_AT(environment_variable, name_state)),
	FIELD_NUMBER(environment_variable, size_bytes,
		"size of the variable's value; of the whole entry if the name is masked",
		.unit = SOOTH_UNIT_BYTES),
};

RECORD_SCHEMA(environment_variable, 56, "environment.variable", ENVIRONMENT_VARIABLE, SAMPLE,
	variable_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(environment_process),
	FIELD_NUMBER(environment_process, variables, "number of environment variables listed",
		FIELD_STATE_AT(environment_process, variables_state)),
};

RECORD_SCHEMA(environment_process, 40, "environment.process", ENVIRONMENT_PROCESS, SAMPLE,
	process_fields);

static const struct sooth_schema *const schemas[] = { &environment_variable_schema,
	&environment_process_schema, NULL };

const struct probe probe_environment = {
	.name = "environment",
	.help = "names of the environment variables a process was started with, never values",
	.offers = INTEREST_SAMPLE,
	.schemas = schemas,
};
