/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the environment probe. */
#include "probes/environment.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field variable_fields[] = {
	FIELD_PID(environment_variable),
	FIELD_WITH(TEXT, environment_variable, name, name_state,
		"name of the environment variable; left out if it may be part of a value"),
	FIELD_NUMBER(environment_variable, size_bytes,
		"size of the variable's value; of the whole entry if the name is masked",
		.unit = SOOTH_UNIT_BYTES),
};

RECORD_SCHEMA(environment_variable, 56, "environment.variable", ENVIRONMENT_VARIABLE, SAMPLE,
	variable_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(environment_process),
	FIELD_WITH(UNSIGNED, environment_process, variables, variables_state,
		"number of environment variables listed"),
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
