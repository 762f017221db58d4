// ThreadId(): which thread this is, at the price of one load.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_ID_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_ID_H_

#include <cstdint>

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/model.h"
#else
#include "absl/base/optimization.h"
#endif

namespace heddle {
namespace internal {

#ifdef HEDDLE_MODEL

// The number of the calling thread in its execution.
inline uint32_t ThreadId() { return explore::CurrentThread(); }

#else

// The calling thread's id, asked of the system once per thread. Use ThreadId().
// Constant-initialised, so that a use of it is a load and no call.
extern constinit thread_local uint32_t cached_thread_id;
uint32_t AskThreadId();

// The kernel's id of the calling thread: what `top -H` and a debugger show, in
// the range of a positive int. Never zero; another thread may get it once this
// one has ended.
inline uint32_t ThreadId() {
  const uint32_t id = cached_thread_id;
  return ABSL_PREDICT_TRUE(id != 0) ? id : AskThreadId();
}

#endif

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_ID_H_
