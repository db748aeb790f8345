/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "phases". */
#include "analyze/phases/phase_rows.h"

#include "model/schema.h"

ROW_SCHEMA(phase_answer, PHASE_ANSWER_ROW, "phase_answer", phase_answer_row, .line = "{text}");
ROW_SCHEMA(phase_session, PHASE_SESSION_ROW, "phase_sessions", phase_session_row);
ROW_SCHEMA(phase_state, PHASE_STATE_ROW, "phase_states", phase_state_row);
ROW_SCHEMA(phase_tool, PHASE_TOOL_ROW, "phase_tools", phase_tool_row);
ROW_SCHEMA(phase, PHASE_ROW, "phases", phase_row);
ROW_SCHEMA(phase_share_track, PHASE_SHARE_TRACK, "phase_activity", phase_track_row);
ROW_SCHEMA(phase_cpu_track, PHASE_CPU_TRACK, "phase_cpu", phase_track_row);
ROW_SCHEMA(phase_memory_track, PHASE_MEMORY_TRACK, "phase_memory", phase_track_row);
