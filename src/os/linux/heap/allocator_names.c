/* SPDX-License-Identifier: BSD-2-Clause */
/* Names come in families. An allocator may be built with a prefix before its names: _rjem_ in the
 * Rust crate of jemalloc, je_arrow_ in Apache Arrow, rp in rpmalloc. */
#include "os/linux/heap/allocator_names.h"

#include "base/cleanup.h"
#include "symbols/elf.h"

#define PLAIN(name_, form_)    { name_, HEAP_FORM_##form_, ALLOCATOR_PLAIN },
#define OPERATOR(name_, form_) { name_, HEAP_FORM_##form_, ALLOCATOR_OPERATOR },
#define THROWS(name_, form_)   { name_, HEAP_FORM_##form_, ALLOCATOR_THROWS },

#define OF_C(prefix_)                                                                              \
	PLAIN(prefix_ "malloc", MALLOC)                                                            \
	PLAIN(prefix_ "free", FREE)                                                                \
	PLAIN(prefix_ "calloc", CALLOC)                                                            \
	PLAIN(prefix_ "realloc", REALLOC)                                                          \
	PLAIN(prefix_ "aligned_alloc", ALIGNED_ALLOC)                                              \
	PLAIN(prefix_ "posix_memalign", POSIX_MEMALIGN)                                            \
	PLAIN(prefix_ "memalign", MEMALIGN)                                                        \
	PLAIN(prefix_ "valloc", VALLOC)                                                            \
	PLAIN(prefix_ "pvalloc", PVALLOC)                                                          \
	PLAIN(prefix_ "cfree", FREE)                                                               \
	PLAIN(prefix_ "free_sized", FREE)                                                          \
	PLAIN(prefix_ "free_aligned_sized", FREE)

#define OF_JEMALLOC(prefix_)                                                                       \
	PLAIN(prefix_ "mallocx", MALLOCX)                                                          \
	PLAIN(prefix_ "rallocx", RALLOCX)                                                          \
	PLAIN(prefix_ "xallocx", XALLOCX)                                                          \
	PLAIN(prefix_ "dallocx", FREE)                                                             \
	PLAIN(prefix_ "sdallocx", FREE)

/* Each function with an alignment also has a form with an offset as its last argument, which makes
 * no difference here. */
#define ALIGNED(name_, form_) PLAIN(name_, form_) PLAIN(name_ "_at", form_)

#define OF_MIMALLOC(prefix_)                                                                       \
	PLAIN(prefix_ "malloc_small", MALLOC)                                                      \
	PLAIN(prefix_ "mallocn", MALLOC_ARRAY)                                                     \
	PLAIN(prefix_ "zalloc", ZALLOC)                                                            \
	PLAIN(prefix_ "zalloc_small", ZALLOC)                                                      \
	PLAIN(prefix_ "reallocn", REALLOCARRAY)                                                    \
	PLAIN(prefix_ "reallocarray", REALLOCARRAY)                                                \
	PLAIN(prefix_ "reallocf", REALLOC)                                                         \
	PLAIN(prefix_ "rezalloc", REALLOC)                                                         \
	PLAIN(prefix_ "recalloc", REALLOCARRAY)                                                    \
	PLAIN(prefix_ "expand", REALLOC)                                                           \
	PLAIN(prefix_ "free_size", FREE)                                                           \
	PLAIN(prefix_ "free_aligned", FREE)                                                        \
	PLAIN(prefix_ "free_size_aligned", FREE)                                                   \
	ALIGNED(prefix_ "malloc_aligned", SIZE_ALIGNMENT)                                          \
	ALIGNED(prefix_ "zalloc_aligned", SIZE_ALIGNMENT)                                          \
	ALIGNED(prefix_ "calloc_aligned", CALLOC_ALIGNED)                                          \
	ALIGNED(prefix_ "realloc_aligned", REALLOC_ALIGNED)                                        \
	ALIGNED(prefix_ "rezalloc_aligned", REALLOC_ALIGNED)                                       \
	ALIGNED(prefix_ "recalloc_aligned", RECALLOC_ALIGNED)

#define OF_MIMALLOC_HEAP(prefix_)                                                                  \
	PLAIN(prefix_ "malloc", OF_HEAP_MALLOC)                                                    \
	PLAIN(prefix_ "malloc_small", OF_HEAP_MALLOC)                                              \
	PLAIN(prefix_ "mallocn", OF_HEAP_MALLOC_ARRAY)                                             \
	PLAIN(prefix_ "zalloc", OF_HEAP_ZALLOC)                                                    \
	PLAIN(prefix_ "calloc", OF_HEAP_CALLOC)                                                    \
	PLAIN(prefix_ "realloc", OF_HEAP_REALLOC)                                                  \
	PLAIN(prefix_ "reallocn", OF_HEAP_REALLOCARRAY)                                            \
	PLAIN(prefix_ "reallocf", OF_HEAP_REALLOC)                                                 \
	PLAIN(prefix_ "rezalloc", OF_HEAP_REALLOC)                                                 \
	PLAIN(prefix_ "recalloc", OF_HEAP_REALLOCARRAY)                                            \
	ALIGNED(prefix_ "malloc_aligned", OF_HEAP_SIZE_ALIGNMENT)                                  \
	ALIGNED(prefix_ "zalloc_aligned", OF_HEAP_SIZE_ALIGNMENT)                                  \
	ALIGNED(prefix_ "calloc_aligned", OF_HEAP_CALLOC_ALIGNED)                                  \
	ALIGNED(prefix_ "realloc_aligned", OF_HEAP_REALLOC_ALIGNED)                                \
	ALIGNED(prefix_ "rezalloc_aligned", OF_HEAP_REALLOC_ALIGNED)                               \
	ALIGNED(prefix_ "recalloc_aligned", OF_HEAP_RECALLOC_ALIGNED)

#define OF_DELETE(name_)                                                                           \
	OPERATOR(name_ "Pv", FREE)				/* (void*) */                      \
	OPERATOR(name_ "Pvm", FREE)				/* (void*, size) */                \
	OPERATOR(name_ "PvSt11align_val_t", FREE)		/* (void*, alignment) */           \
	OPERATOR(name_ "PvmSt11align_val_t", FREE)		/* (void*, size, alignment) */     \
	OPERATOR(name_ "PvRKSt9nothrow_t", FREE)		/* (void*, nothrow) */             \
	OPERATOR(name_ "PvSt11align_val_tRKSt9nothrow_t", FREE) /* (void*, alignment, nothrow) */

#define OF_NEW(name_)                                                                              \
	THROWS(name_ "m", MALLOC)			 /* (size) */                              \
	THROWS(name_ "mSt11align_val_t", SIZE_ALIGNMENT) /* (size, alignment) */                   \
	OPERATOR(name_ "mRKSt9nothrow_t", MALLOC)	 /* (size, nothrow) */                     \
	OPERATOR(name_ "mSt11align_val_tRKSt9nothrow_t", SIZE_ALIGNMENT)

const struct allocator_name allocator_names[] = {
	/* clang-format off */
	OF_C("")
	PLAIN("reallocarray", REALLOCARRAY)
	PLAIN("reallocf", REALLOC)
	PLAIN("vfree", FREE)
	PLAIN("_aligned_malloc", ALIGNED_ALLOC)
	OF_JEMALLOC("")
	OF_C("je_")
	OF_JEMALLOC("je_")
	OF_C("_rjem_")
	OF_JEMALLOC("_rjem_")
	OF_C("je_arrow_")
	OF_JEMALLOC("je_arrow_")
	OF_C("rp")
	OF_C("tc_")
	PLAIN("tc_malloc_skip_new_handler", MALLOC)
	OF_C("mi_")
	OF_MIMALLOC("mi_")
	OF_MIMALLOC_HEAP("mi_heap_")
	OPERATOR("mi_new_nothrow", MALLOC)
	OPERATOR("mi_new_aligned_nothrow", SIZE_ALIGNMENT)
	THROWS("mi_new", MALLOC)
	THROWS("mi_new_aligned", SIZE_ALIGNMENT)
	THROWS("mi_new_n", MALLOC_ARRAY)
	THROWS("mi_new_realloc", REALLOC)
	THROWS("mi_new_reallocn", REALLOCARRAY)
	THROWS("mi_heap_alloc_new", OF_HEAP_MALLOC)
	THROWS("mi_heap_alloc_new_n", OF_HEAP_MALLOC_ARRAY)
	OF_NEW("_Znw")
	OF_NEW("_Zna")
	OF_DELETE("_Zdl")
	OF_DELETE("_Zda")
	{ "_dl_debug_state", 0, ALLOCATOR_LOADER },
	{ "__cxa_allocate_exception", 0, ALLOCATOR_EXCEPTION },
	{ "__malloc_arena_thread_freeres", 0, ALLOCATOR_THREAD_END },
	/* clang-format on */
};

const size_t allocator_name_count = ARRAY_SIZE(allocator_names);

_Static_assert(ARRAY_SIZE(allocator_names) <= ELF_NAMES_MAX, "a bit each");
