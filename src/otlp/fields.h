/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of the messages of OTLP: numbers of opentelemetry-proto 1.5.0 (the stable ones of every
 * 1.x), names of its JSON mapping.
 */
#pragma once

enum otlp_field_type {
	OTLP_MESSAGE,
	OTLP_STRING,
	OTLP_ID,      /* bytes; hexadecimal in JSON */
	OTLP_INTEGER, /* enum or uint32: a number in JSON, too */
	OTLP_BOOL,
	OTLP_INT64,   /* decimal text in JSON */
	OTLP_FIXED64, /* decimal text in JSON */
	OTLP_DOUBLE,
};

enum { OTLP_ONE, OTLP_MANY }; /* OTLP_MANY: a repeated field, an array in JSON */

/* F(id, number, type, how many, name in JSON) */
#define OTLP_FIELDS(F)                                                                             \
	/* Export*ServiceRequest */                                                                \
	F(RESOURCE_SPANS, 1, MESSAGE, MANY, "resourceSpans")                                       \
	F(RESOURCE_LOGS, 1, MESSAGE, MANY, "resourceLogs")                                         \
	F(RESOURCE_METRICS, 1, MESSAGE, MANY, "resourceMetrics")                                   \
	/* ResourceSpans, ResourceLogs */                                                          \
	F(RESOURCE, 1, MESSAGE, ONE, "resource")                                                   \
	F(SCOPE_SPANS, 2, MESSAGE, MANY, "scopeSpans")                                             \
	F(SCOPE_LOGS, 2, MESSAGE, MANY, "scopeLogs")                                               \
	F(SCOPE_METRICS, 2, MESSAGE, MANY, "scopeMetrics")                                         \
	F(RESOURCE_ATTRIBUTES, 1, MESSAGE, MANY, "attributes")                                     \
	/* ScopeSpans, ScopeLogs */                                                                \
	F(SCOPE, 1, MESSAGE, ONE, "scope")                                                         \
	F(SPANS, 2, MESSAGE, MANY, "spans")                                                        \
	F(LOG_RECORDS, 2, MESSAGE, MANY, "logRecords")                                             \
	F(METRICS_LIST, 2, MESSAGE, MANY, "metrics")                                               \
	F(SCOPE_SCHEMA_URL, 3, STRING, ONE, "schemaUrl")                                           \
	F(SCOPE_NAME, 1, STRING, ONE, "name")                                                      \
	F(SCOPE_VERSION, 2, STRING, ONE, "version")                                                \
	/* KeyValue, AnyValue */                                                                   \
	F(KEY, 1, STRING, ONE, "key")                                                              \
	F(VALUE, 2, MESSAGE, ONE, "value")                                                         \
	F(STRING_VALUE, 1, STRING, ONE, "stringValue")                                             \
	F(BOOL_VALUE, 2, BOOL, ONE, "boolValue")                                                   \
	F(INT_VALUE, 3, INT64, ONE, "intValue")                                                    \
	/* Span, Link, Status */                                                                   \
	F(SPAN_TRACE_ID, 1, ID, ONE, "traceId")                                                    \
	F(SPAN_ID, 2, ID, ONE, "spanId")                                                           \
	F(SPAN_PARENT_ID, 4, ID, ONE, "parentSpanId")                                              \
	F(SPAN_NAME, 5, STRING, ONE, "name")                                                       \
	F(SPAN_KIND, 6, INTEGER, ONE, "kind")                                                      \
	F(SPAN_START, 7, FIXED64, ONE, "startTimeUnixNano")                                        \
	F(SPAN_END, 8, FIXED64, ONE, "endTimeUnixNano")                                            \
	F(SPAN_ATTRIBUTES, 9, MESSAGE, MANY, "attributes")                                         \
	F(SPAN_LINKS, 13, MESSAGE, MANY, "links")                                                  \
	F(LINK_TRACE_ID, 1, ID, ONE, "traceId")                                                    \
	F(LINK_SPAN_ID, 2, ID, ONE, "spanId")                                                      \
	F(SPAN_STATUS, 15, MESSAGE, ONE, "status")                                                 \
	F(STATUS_MESSAGE, 2, STRING, ONE, "message")                                               \
	F(STATUS_CODE, 3, INTEGER, ONE, "code")                                                    \
	/* LogRecord */                                                                            \
	F(LOG_TIME, 1, FIXED64, ONE, "timeUnixNano")                                               \
	F(LOG_SEVERITY, 2, INTEGER, ONE, "severityNumber")                                         \
	F(LOG_SEVERITY_TEXT, 3, STRING, ONE, "severityText")                                       \
	F(LOG_BODY, 5, MESSAGE, ONE, "body")                                                       \
	F(LOG_ATTRIBUTES, 6, MESSAGE, MANY, "attributes")                                          \
	F(LOG_TRACE_ID, 9, ID, ONE, "traceId")                                                     \
	F(LOG_SPAN_ID, 10, ID, ONE, "spanId")                                                      \
	F(LOG_OBSERVED_TIME, 11, FIXED64, ONE, "observedTimeUnixNano")                             \
	F(LOG_EVENT_NAME, 12, STRING, ONE, "eventName")                                            \
	/* Metric; Gauge, Sum, Histogram; NumberDataPoint, HistogramDataPoint */                   \
	F(METRIC_NAME, 1, STRING, ONE, "name")                                                     \
	F(METRIC_DESCRIPTION, 2, STRING, ONE, "description")                                       \
	F(METRIC_UNIT, 3, STRING, ONE, "unit")                                                     \
	F(METRIC_GAUGE, 5, MESSAGE, ONE, "gauge")                                                  \
	F(METRIC_SUM, 7, MESSAGE, ONE, "sum")                                                      \
	F(METRIC_HISTOGRAM, 9, MESSAGE, ONE, "histogram")                                          \
	F(DATA_POINTS, 1, MESSAGE, MANY, "dataPoints")                                             \
	F(TEMPORALITY, 2, INTEGER, ONE, "aggregationTemporality")                                  \
	F(IS_MONOTONIC, 3, BOOL, ONE, "isMonotonic")                                               \
	F(POINT_START, 2, FIXED64, ONE, "startTimeUnixNano")                                       \
	F(POINT_TIME, 3, FIXED64, ONE, "timeUnixNano")                                             \
	F(POINT_DOUBLE, 4, DOUBLE, ONE, "asDouble")                                                \
	F(POINT_INT, 6, FIXED64, ONE, "asInt")                                                     \
	F(POINT_ATTRIBUTES, 7, MESSAGE, MANY, "attributes")                                        \
	F(HISTOGRAM_COUNT, 4, FIXED64, ONE, "count")                                               \
	F(HISTOGRAM_SUM, 5, DOUBLE, ONE, "sum")                                                    \
	F(HISTOGRAM_COUNTS, 6, FIXED64, MANY, "bucketCounts")                                      \
	F(HISTOGRAM_BOUNDS, 7, DOUBLE, MANY, "explicitBounds")                                     \
	F(HISTOGRAM_ATTRIBUTES, 9, MESSAGE, MANY, "attributes")

enum otlp_field {
#define FIELD(id, number, type, many, name) OTLP_##id,
	OTLP_FIELDS(FIELD)
#undef FIELD
		OTLP_FIELD_COUNT,
};

/* enum SpanKind, StatusCode */
enum { OTLP_KIND_INTERNAL = 1, OTLP_KIND_CLIENT = 3 };
enum { OTLP_STATUS_ERROR = 2 };
