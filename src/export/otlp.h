/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions as traces and findings as logs of OpenTelemetry, in a file. JSON has a request a line,
 * as the file exporter of OTLP writes them. Protobuf has before each request its size, 4 bytes, the
 * highest first, as the file exporter of the Collector writes them; requests of two signals look
 * alike there, so a file has one signal.
 */
#pragma once

#include "export/export.h"
#include "otlp/stream.h"

struct otlp_export {
	struct otlp_stream stream;
	struct tabular *out;
	enum otlp_encoding encoding;
	bool has[OTLP_SIGNALS]; /* signals that are exported */
};

extern const char *const otlp_signal_names[]; /* NULL at the end */

int otlp_export_open(struct export_place *p, enum otlp_encoding encoding, struct sooth_error *err);
int otlp_export_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err);
int otlp_export_finish(struct export_place *p, struct sooth_error *err);
void otlp_export_close(struct export_place *p);

/* The members that both formats share. */
#define OTLP_EXPORT                                                                                \
	.parts = FEED_RECORDS | FEED_ACTIVITY, .has_signals = true,                                \
	.state_size = sizeof(struct otlp_export), .doing = "write the traces",                     \
	.row = otlp_export_row, .finish = otlp_export_finish, .close = otlp_export_close
