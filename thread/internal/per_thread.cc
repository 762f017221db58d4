#include "heddle/thread/internal/per_thread.h"

#include <utility>

namespace heddle {
namespace internal {

void EndThread(void* opaque) {
  PerThread& thread = *static_cast<PerThread*>(opaque);
  // First, so that what comes after us can arm it again: the system then calls
  // us once more.
  thread.end_is_armed = false;
  if (thread.end_locals != nullptr) thread.end_locals(thread);
  if (auto* const end = std::exchange(thread.end_record, nullptr)) end(thread);
}

}  // namespace internal
}  // namespace heddle
