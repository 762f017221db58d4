// BlockingRegion: tells the pool that this task is about to block in something
// that Heddle does not see, such as a system call.
//
// Example:
//
//   Task task([&] {
//     BlockingRegion region;  // another worker may take this one's place
//     ssize_t got = read(socket, buffer, sizeof(buffer));
//     ...
//   });
//
// Waits inside Heddle (locks, queues, futures, ...) tell the pool themselves;
// none of them needs this. In a thread that is no pool's worker it does nothing.
//
// Thread safety: made and destroyed in one thread; may be nested.

#ifndef HEDDLE_POOL_BLOCKING_REGION_H_
#define HEDDLE_POOL_BLOCKING_REGION_H_

#include "heddle/thread/internal/block_listener.h"
#include "heddle/thread/internal/per_thread.h"

namespace heddle {

class BlockingRegion {
 public:
  [[nodiscard]] BlockingRegion()
      : listener_(internal::ThisThread().block_listener) {
    if (listener_ != nullptr) listener_->Blocked();
  }
  BlockingRegion(const BlockingRegion&) = delete;
  BlockingRegion& operator=(const BlockingRegion&) = delete;
  ~BlockingRegion() {
    if (listener_ != nullptr) listener_->Unblocked();
  }

 private:
  internal::BlockListener* const listener_;
};

}  // namespace heddle

#endif  // HEDDLE_POOL_BLOCKING_REGION_H_
