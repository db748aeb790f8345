/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/json_types.h"

#include <assert.h>

void json_types_begin(struct json *j, const char *title)
{
	json_format(j, "{'$schema':%s,'title':%s,'type':'object'",
		"https://json-schema.org/draft/2020-12/schema", title);
}

void json_types_put(struct json *j, const struct sooth_field *f)
{
	assert(f);
	switch (f->type) {
	case SOOTH_FIELD_UNSIGNED:
		json_format(j, "'type':['integer','null'],'minimum':0");
		break;
	case SOOTH_FIELD_SIGNED:
		json_format(j, "'type':['integer','null']");
		break;
	case SOOTH_FIELD_REAL:
		json_format(j, "'type':['number','null']");
		break;
	case SOOTH_FIELD_BOOL:
		json_format(j, "'type':['boolean','null']");
		break;
	case SOOTH_FIELD_ENUM: /* integer: a number that only a newer version can name */
	case SOOTH_FIELD_ERRNO:
		json_format(j, "'type':['string','integer','null']");
		break;
	case SOOTH_FIELD_TEXT:
	case SOOTH_FIELD_CHARS:
	case SOOTH_FIELD_ARGS:
		json_format(j, "'type':['string','null']");
		break;
	default:
		json_format(j, "'type':[%s,'null']",
			f->type == SOOTH_FIELD_ROWS && (f->is_keyed || f->is_single) ? "object"
										     : "array");
		break;
	}
}
