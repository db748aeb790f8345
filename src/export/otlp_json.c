/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenTelemetry's protocol as JSON. */
#include "export/otlp.h"

static int open_json(struct export_place *p, struct sooth_error *err)
{
	return otlp_export_open(p, OTLP_JSON, err);
}

const struct export_type export_otlp_json = {
	.name = "otlp-json",
	.help = "traces and logs of OpenTelemetry: a request per line",
	.open = open_json,
	OTLP_EXPORT,
};
