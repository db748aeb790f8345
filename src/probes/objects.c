/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the objects probe. */
#include "probes/objects.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field class_fields[] = {
	FIELD_PID(objects_class),
	FIELD_STRING(objects_class, name, "class of the objects", .placeholder = "file"),
	FIELD_NUMBER(objects_class, instances, "objects of the class"),
	FIELD_NUMBER(objects_class, bytes, "memory of these objects, without what they refer to",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_TRUTH(objects_class, is_of_runtime,
		"the class is of the runtime or its library, not of the program"),
};

RECORD_SCHEMA(objects_class, 64, "objects.class", OBJECTS_CLASS, SAMPLE, class_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(objects_process),
	FIELD_WITH(UNSIGNED, objects_process, classes, state, "number of classes listed"),
	FIELD_WITH(UNSIGNED, objects_process, taken_ns, state,
		"time that the runtime took to answer", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(TEXT, objects_process, reason, reason_state, "why there is no answer"),
};

RECORD_SCHEMA(objects_process, 56, "objects.process", OBJECTS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &objects_class_schema,
	&objects_process_schema, NULL };

const struct probe probe_objects = {
	.name = "objects",
	.help = "live objects by class, which a language runtime counts on request",
	.offers = INTEREST_SAMPLE | INTEREST_EDGES,
	.beside_sample = INTEREST_EDGES,
	.schemas = schemas,
};
