/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "bundle". */
#include "analyze/overview/bundle_rows.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/maps/map_classes.h"
#include "analyze/threads/thread_roles.h"
#include "model/schema.h"

ROW_FIELDS(bundle_head_fields, BUNDLE_HEAD_ROW, bundle_head_row);
ROW_SCHEMA(bundle_head, "bundle.head", bundle_head_row);

ROW_FIELDS(bundle_installed_fields, BUNDLE_INSTALLED_ROW, bundle_installed_row);
ROW_SCHEMA(bundle_installed, "bundle.installed", bundle_installed_row);

ROW_FIELDS(bundle_threads_fields, BUNDLE_THREADS_ROW, bundle_threads_row);
static ROW_SCHEMA(bundle_threads, "bundle.threads", bundle_threads_row);

ROW_FIELDS(bundle_count_fields, BUNDLE_COUNT_ROW, bundle_count_row);
static ROW_SCHEMA(bundle_count, "bundle.count", bundle_count_row);

ROW_FIELDS(bundle_sockets_fields, BUNDLE_SOCKETS_ROW, bundle_sockets_row);
static ROW_SCHEMA(bundle_sockets, "bundle.sockets", bundle_sockets_row);

ROW_FIELDS(bundle_memory_fields, BUNDLE_MEMORY_ROW, bundle_memory_row);
static ROW_SCHEMA(bundle_memory, "bundle.memory", bundle_memory_row);

ROW_FIELDS(bundle_process_fields, BUNDLE_PROCESS_ROW, bundle_process_row);
ROW_SCHEMA(bundle_process, "bundle.process", bundle_process_row);
