// PerThread of a model build: one for each thread of the execution.

#include "heddle/thread/internal/per_thread.h"
#include "heddle/tools/explore/model.h"

namespace heddle {
namespace internal {
namespace {

constexpr int kSlot = 0;
// Threads of an execution are numbered from 1; 0 is outside of any.
constexpr int kMostThreads = 64;
constinit PerThread threads[kMostThreads];

}  // namespace

PerThread& ThisThread() {
  PerThread& thread = threads[explore::CurrentThread()];
  void*& slot = explore::PerThread(kSlot);
  if (slot == nullptr) {  // a new thread, or another execution's
    slot = &thread;
    thread = PerThread();
  }
  return thread;
}

void ArmThreadEnd(PerThread& thread) {
  explore::AtThreadEnd(&EndThread, &thread);
  thread.end_is_armed = true;
}

}  // namespace internal
}  // namespace heddle
