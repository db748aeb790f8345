/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "phases". */
#include "analyze/phases/phase_rows.h"

#include "model/schema.h"

ROW_FIELDS(phase_answer_fields, PHASE_ANSWER_ROW, phase_answer_row);
ROW_SCHEMA(phase_answer, "phase_answer", phase_answer_row, .line = "{text}");
ROW_FIELDS(phase_session_fields, PHASE_SESSION_ROW, phase_session_row);
ROW_SCHEMA(phase_session, "phase_sessions", phase_session_row);
ROW_FIELDS(phase_state_fields, PHASE_STATE_ROW, phase_state_row);
ROW_SCHEMA(phase_state, "phase_states", phase_state_row);
ROW_FIELDS(phase_tool_fields, PHASE_TOOL_ROW, phase_tool_row);
ROW_SCHEMA(phase_tool, "phase_tools", phase_tool_row);
ROW_FIELDS(phase_fields, PHASE_ROW, phase_row);
ROW_SCHEMA(phase, "phases", phase_row);
ROW_FIELDS(phase_share_track_fields, PHASE_SHARE_TRACK, phase_track_row);
ROW_SCHEMA(phase_share_track, "phase_activity", phase_track_row);
ROW_FIELDS(phase_cpu_track_fields, PHASE_CPU_TRACK, phase_track_row);
ROW_SCHEMA(phase_cpu_track, "phase_cpu", phase_track_row);
ROW_FIELDS(phase_memory_track_fields, PHASE_MEMORY_TRACK, phase_track_row);
ROW_SCHEMA(phase_memory_track, "phase_memory", phase_track_row);
