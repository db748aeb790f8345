/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/json_types.h"

void json_types_pair(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_cstring(j, value);
}

void json_types_or_null(struct json *j, const char *first, const char *second)
{
	json_key(j, "type");
	json_begin_array(j);
	json_cstring(j, first);
	if (second)
		json_cstring(j, second);
	json_cstring(j, "null");
	json_end(j);
}

bool json_types_scalar(struct json *j, const struct sooth_field *f)
{
	switch (f->type) {
	case SOOTH_FIELD_UNSIGNED:
		json_types_or_null(j, "integer", NULL);
		json_key(j, "minimum");
		json_u64(j, 0);
		return true;
	case SOOTH_FIELD_SIGNED:
		json_types_or_null(j, "integer", NULL);
		return true;
	case SOOTH_FIELD_REAL:
		json_types_or_null(j, "number", NULL);
		return true;
	case SOOTH_FIELD_BOOL:
		json_types_or_null(j, "boolean", NULL);
		return true;
	case SOOTH_FIELD_ENUM: /* a number that a newer version named */
	case SOOTH_FIELD_ERRNO:
		json_types_or_null(j, "string", "integer");
		return true;
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
	case SOOTH_FIELD_ARGS:
		json_types_or_null(j, "string", NULL);
		return true;
	default:
		return false;
	}
}
