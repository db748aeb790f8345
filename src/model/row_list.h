/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A row as one list: its members, their state bytes and its field table. An item is a field:
 *
 *	F(S, U32, attempts, MAYBE(attempts_state), "attempts of the request so far")
 *	F(S, NAMED, U64, offset, position, WITH(flags_state), "position in the file")
 *
 * F(S, TYPE, member, state, help, more): more is anything of struct sooth_field, as .unit = ....
 * The field has the name of the member, or with NAMED its own. The state is ALWAYS (there is a
 * value), MAYBE(byte), which makes that byte, or WITH(byte), which another item or the struct has.
 * Other items: PID and TID of the record, RECORD, a member of it by type and name, and ALSO, a
 * field of a member that is declared elsewhere.
 *
 *	#define ANY_ROW(F, S) F(...) F(...)
 *	ROW_TABLE(any, ANY_ROW, "any", any_row);
 *
 * makes struct any_row, of a record and these members, and any_schema. ROW_STRUCT and ROW_SCHEMA
 * are its halves, for a header and its source.
 *
 * Rows are never in a capture: the order of the list is that of columns, and moves the members.
 */
#pragma once

#include "model/field.h"

#define ROW_MEMBERS(LIST, S) LIST(ROW_VALUE, S) LIST(ROW_STATE, S)

/* Members after those of the list may follow. */
#define ROW_STRUCT(struct_, LIST, ...)                                                             \
	struct struct_ {                                                                           \
		struct sooth_record record;                                                        \
		ROW_MEMBERS(LIST, struct_)                                                         \
		__VA_ARGS__                                                                        \
	}

/* Makes a schema of such rows, with the fields of the list from `from` on; more members of struct
 * sooth_schema may follow. */
#define ROW_SCHEMA_OF(LIST, name_, struct_, from, ...)                                             \
	{                                                                                          \
		.name = name_, .class_ = SOOTH_CLASS_ROW, .fixed_size = sizeof(struct struct_),    \
		.fields = (const struct sooth_field[]){ LIST(ROW_FIELD, struct_) } + (from),       \
		.field_count = 0 LIST(ROW_COUNT, struct_) - (from), __VA_ARGS__                    \
	}
#define ROW_SCHEMA(id_, LIST, name_, struct_, ...)                                                 \
	const struct sooth_schema id_##_schema = ROW_SCHEMA_OF(LIST, name_, struct_, 0, __VA_ARGS__)

#define ROW_TABLE(id_, LIST, name_, struct_, ...)                                                  \
	ROW_STRUCT(struct_, LIST);                                                                 \
	static ROW_SCHEMA(id_, LIST, name_, struct_, __VA_ARGS__)

#define ROW_COUNT(...)		+1
#define ROW_VALUE(S, type, ...) ROW_VALUE_##type(__VA_ARGS__)
#define ROW_STATE(S, type, ...) ROW_STATE_##type(__VA_ARGS__)
#define ROW_FIELD(S, type, ...) ROW_FIELD_##type(S, __VA_ARGS__)

/* --- types: the member, its state byte, its field --- */

#define ROW_VALUE_U8(member, ...)	 uint8_t member;
#define ROW_STATE_U8(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_U8(S, member, ...)	 ROW_ENTRY(S, ROW_TYPE_U8, member, #member, __VA_ARGS__)
#define ROW_TYPE_U8			 SOOTH_FIELD_UNSIGNED

#define ROW_VALUE_U16(member, ...)	  uint16_t member;
#define ROW_STATE_U16(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_U16(S, member, ...)	  ROW_ENTRY(S, ROW_TYPE_U16, member, #member, __VA_ARGS__)
#define ROW_TYPE_U16			  SOOTH_FIELD_UNSIGNED

#define ROW_VALUE_U32(member, ...)	  uint32_t member;
#define ROW_STATE_U32(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_U32(S, member, ...)	  ROW_ENTRY(S, ROW_TYPE_U32, member, #member, __VA_ARGS__)
#define ROW_TYPE_U32			  SOOTH_FIELD_UNSIGNED

#define ROW_VALUE_U64(member, ...)	  uint64_t member;
#define ROW_STATE_U64(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_U64(S, member, ...)	  ROW_ENTRY(S, ROW_TYPE_U64, member, #member, __VA_ARGS__)
#define ROW_TYPE_U64			  SOOTH_FIELD_UNSIGNED

#define ROW_VALUE_I32(member, ...)	  int32_t member;
#define ROW_STATE_I32(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_I32(S, member, ...)	  ROW_ENTRY(S, ROW_TYPE_I32, member, #member, __VA_ARGS__)
#define ROW_TYPE_I32			  SOOTH_FIELD_SIGNED

#define ROW_VALUE_I64(member, ...)	  int64_t member;
#define ROW_STATE_I64(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_I64(S, member, ...)	  ROW_ENTRY(S, ROW_TYPE_I64, member, #member, __VA_ARGS__)
#define ROW_TYPE_I64			  SOOTH_FIELD_SIGNED

#define ROW_VALUE_REAL(member, ...)	   double member;
#define ROW_STATE_REAL(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_REAL(S, member, ...)	   ROW_ENTRY(S, ROW_TYPE_REAL, member, #member, __VA_ARGS__)
#define ROW_TYPE_REAL			   SOOTH_FIELD_REAL

#define ROW_VALUE_BOOL(member, ...)	   uint8_t member;
#define ROW_STATE_BOOL(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_BOOL(S, member, ...)	   ROW_ENTRY(S, ROW_TYPE_BOOL, member, #member, __VA_ARGS__)
#define ROW_TYPE_BOOL			   SOOTH_FIELD_BOOL

#define ROW_VALUE_ENUM8(member, ...)	    uint8_t member;
#define ROW_STATE_ENUM8(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_ENUM8(S, member, ...)	    ROW_ENTRY(S, ROW_TYPE_ENUM8, member, #member, __VA_ARGS__)
#define ROW_TYPE_ENUM8			    SOOTH_FIELD_ENUM

#define ROW_VALUE_ENUM32(member, ...)	     uint32_t member;
#define ROW_STATE_ENUM32(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_ENUM32(S, member, ...)     ROW_ENTRY(S, ROW_TYPE_ENUM32, member, #member, __VA_ARGS__)
#define ROW_TYPE_ENUM32			     SOOTH_FIELD_ENUM

#define ROW_VALUE_ERRNO32(member, ...)	      uint32_t member;
#define ROW_STATE_ERRNO32(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_ERRNO32(S, member, ...)                                                          \
	ROW_ENTRY(S, ROW_TYPE_ERRNO32, member, #member, __VA_ARGS__)
#define ROW_TYPE_ERRNO32 SOOTH_FIELD_ERRNO

#define ROW_VALUE_TEXT(member, ...)	   struct sooth_text member;
#define ROW_STATE_TEXT(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_TEXT(S, member, ...)	   ROW_ENTRY(S, ROW_TYPE_TEXT, member, #member, __VA_ARGS__)
#define ROW_TYPE_TEXT			   SOOTH_FIELD_TEXT

#define ROW_VALUE_ARGS(member, ...)	   struct sooth_text member;
#define ROW_STATE_ARGS(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_ARGS(S, member, ...)	   ROW_ENTRY(S, ROW_TYPE_ARGS, member, #member, __VA_ARGS__)
#define ROW_TYPE_ARGS			   SOOTH_FIELD_ARGS

#define ROW_VALUE_LIST(member, ...)	   struct sooth_text member;
#define ROW_STATE_LIST(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_LIST(S, member, ...)	   ROW_ENTRY(S, ROW_TYPE_LIST, member, #member, __VA_ARGS__)
#define ROW_TYPE_LIST			   SOOTH_FIELD_LIST

#define ROW_VALUE_TEXTS(member, ...)	    struct sooth_text member;
#define ROW_STATE_TEXTS(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_TEXTS(S, member, ...)	    ROW_ENTRY(S, ROW_TYPE_TEXTS, member, #member, __VA_ARGS__)
#define ROW_TYPE_TEXTS			    SOOTH_FIELD_TEXTS

#define ROW_VALUE_ROWS(member, ...)	   struct sooth_text member;
#define ROW_STATE_ROWS(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_ROWS(S, member, ...)	   ROW_ENTRY(S, ROW_TYPE_ROWS, member, #member, __VA_ARGS__)
#define ROW_TYPE_ROWS			   SOOTH_FIELD_ROWS

#define ROW_VALUE_CHARS16(member, ...)	      char member[16];
#define ROW_STATE_CHARS16(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_CHARS16(S, member, ...)                                                          \
	ROW_ENTRY(S, ROW_TYPE_CHARS16, member, #member, __VA_ARGS__)
#define ROW_TYPE_CHARS16 SOOTH_FIELD_CHARS

#define ROW_TYPE_CHARS	   SOOTH_FIELD_CHARS
#define ROW_TYPE_HISTOGRAM SOOTH_FIELD_HISTOGRAM

#define ROW_VALUE_SERIES(member, ...)	     struct sooth_text member;
#define ROW_STATE_SERIES(member, state, ...) ROW_BYTE_##state
#define ROW_FIELD_SERIES(S, member, ...)     ROW_ENTRY(S, ROW_TYPE_SERIES, member, #member, __VA_ARGS__)
#define ROW_TYPE_SERIES			     SOOTH_FIELD_SERIES

/* --- other items --- */

#define ROW_VALUE_NAMED(type, member, ...)		ROW_VALUE_##type(member, )
#define ROW_STATE_NAMED(type, member, name, state, ...) ROW_BYTE_##state
#define ROW_FIELD_NAMED(S, type, member, name, ...)                                                \
	ROW_ENTRY(S, ROW_TYPE_##type, member, #name, __VA_ARGS__)

#define ROW_VALUE_ALSO(...)
#define ROW_STATE_ALSO(type, member, name, state, ...) ROW_BYTE_##state
#define ROW_FIELD_ALSO(S, type, member, name, ...)                                                 \
	ROW_ENTRY(S, ROW_TYPE_##type, member, #name, __VA_ARGS__)

#define ROW_VALUE_RECORD(...)
#define ROW_STATE_RECORD(type, member, name, state, ...) ROW_BYTE_##state
#define ROW_FIELD_RECORD(S, type, member, name, ...)                                               \
	ROW_ENTRY(S, ROW_TYPE_##type, record.member, #name, __VA_ARGS__)

#define ROW_VALUE_PID(...)
#define ROW_STATE_PID(...)
#define ROW_FIELD_PID(S, ...) FIELD_PID(S),
#define ROW_VALUE_TID(...)
#define ROW_STATE_TID(...)
#define ROW_FIELD_TID(S, ...) FIELD_TID(S),

/* --- states --- */

#define ROW_BYTE_ALWAYS
#define ROW_BYTE_MAYBE(byte) uint8_t byte;
#define ROW_BYTE_WITH(byte)

#define ROW_PLACE_ALWAYS      NONE, 0
#define ROW_PLACE_MAYBE(byte) BYTE, byte
#define ROW_PLACE_WITH(byte)  BYTE, byte

#define ROW_OFFSET(S, ...)	      ROW_OFFSET_AT(S, __VA_ARGS__)
#define ROW_OFFSET_AT(S, place, byte) ROW_OFFSET_##place(S, byte)
#define ROW_OFFSET_NONE(S, byte)      0
#define ROW_OFFSET_BYTE(S, byte)      offsetof(struct S, byte)

#define ROW_ENTRY(S, type_, member, name_, state, help_, ...)                                      \
	{ .name = name_,                                                                           \
		.type = type_,                                                                     \
		FIELD_AT(S, member),                                                               \
		.state_offset = ROW_OFFSET(S, ROW_PLACE_##state),                                  \
		.help = help_,                                                                     \
		__VA_ARGS__ },
