/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "bundle". */
#include "analyze/overview/bundle_rows.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/maps/map_classes.h"
#include "analyze/threads/thread_roles.h"
#include "model/schema.h"

ROW_SCHEMA(bundle_head, BUNDLE_HEAD_ROW, "bundle.head", bundle_head_row);
ROW_SCHEMA(bundle_installed, BUNDLE_INSTALLED_ROW, "bundle.installed", bundle_installed_row);
static ROW_SCHEMA(bundle_threads, BUNDLE_THREADS_ROW, "bundle.threads", bundle_threads_row);
static ROW_SCHEMA(bundle_count, BUNDLE_COUNT_ROW, "bundle.count", bundle_count_row);
static ROW_SCHEMA(bundle_sockets, BUNDLE_SOCKETS_ROW, "bundle.sockets", bundle_sockets_row);
static ROW_SCHEMA(bundle_memory, BUNDLE_MEMORY_ROW, "bundle.memory", bundle_memory_row);
ROW_SCHEMA(bundle_process, BUNDLE_PROCESS_ROW, "bundle.process", bundle_process_row);
