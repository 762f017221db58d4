// ThreadId(): which thread this is, at the price of one load.

#ifndef HEDDLE_THREAD_INTERNAL_THREAD_ID_H_
#define HEDDLE_THREAD_INTERNAL_THREAD_ID_H_

#include <cstdint>

#include "absl/base/optimization.h"
#include "heddle/thread/internal/per_thread.h"

#ifdef HEDDLE_MODEL
#include "heddle/tools/explore/model.h"
#endif

namespace heddle {
namespace internal {

// The calling thread's id, asked of the system once per thread. Use ThreadId().
uint32_t AskThreadId();

// The kernel's id of the calling thread: what `top -H` and a debugger show, in
// the range of a positive int. Never zero; another thread may get it once this
// one has ended.
inline uint32_t ThreadId() {
#ifdef HEDDLE_MODEL
  return explore::CurrentThread();  // whose thread of the system is always one
#else
  const uint32_t id = ThisThread().native_id;
  return ABSL_PREDICT_TRUE(id != 0) ? id : AskThreadId();
#endif
}

// Whether this process has a thread with that ThreadId(). True where that cannot
// be asked.
bool HasThread(uint32_t id);

// True in the thread in which main() runs, in the child of a fork() in the one
// that called it; and the kernel's id of that one.
bool IsMainThread();
uint32_t MainThreadId();

// Heddle's number of the calling thread: 1 in the main thread, a number of its
// own in each other, never used again. MainIdent() is that of the main thread,
// which in the child of a fork() is the thread that called it: that keeps its
// number.
inline constexpr uint64_t kMainIdent = 1;
uint64_t MainIdent();
uint64_t AskIdent();
inline uint64_t CurrentIdent() {
  const uint64_t ident = ThisThread().ident;
  return ABSL_PREDICT_TRUE(ident != 0) ? ident : AskIdent();
}

// The next such number, for a thread that is about to start.
uint64_t NextIdent();

}  // namespace internal
}  // namespace heddle

#endif  // HEDDLE_THREAD_INTERNAL_THREAD_ID_H_
