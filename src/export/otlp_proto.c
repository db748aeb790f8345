/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenTelemetry's protocol as protobuf. */
#include "export/otlp.h"

static int open_proto(struct export_place *p, struct sooth_error *err)
{
	return otlp_export_open(p, OTLP_PROTOBUF, err);
}

const struct export_type export_otlp_proto = {
	.name = "otlp-proto",
	.help = "traces or logs of OpenTelemetry: requests, each after its size",
	.open = open_proto,
	OTLP_EXPORT,
};
