// Threads and items for the tests of the queues. Test-only.

#ifndef HEDDLE_QUEUE_INTERNAL_TESTING_H_
#define HEDDLE_QUEUE_INTERNAL_TESTING_H_

#include <atomic>
#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/base/config.h"
#include "heddle/thread/thread.h"
#include "heddle/thread/wait_limit.h"

namespace heddle {
namespace queue_internal {

// A thread that gets one item.
template <typename Queue, typename T = int>
class GettingThread {
 public:
  GettingThread(Queue& queue, const WaitLimit& limit)
      : thread_([this, &queue, limit] {
          if (std::optional<T> item = queue.Get(limit)) {
            item_.emplace(std::move(*item));
          }
        }) {
    thread_.Start();
  }

  std::optional<T> Result() {
    thread_.Join();
    return std::move(item_);
  }

 private:
  std::optional<T> item_;
  Thread thread_;
};

// A thread that puts one item.
template <typename Queue, typename T = int>
class PuttingThread {
 public:
  PuttingThread(Queue& queue, T item, const WaitLimit& limit)
      : item_(std::move(item)), thread_([this, &queue, limit] {
          is_put_ = queue.Put(std::move(item_), limit);
        }) {
    thread_.Start();
  }

  bool Result() {
    thread_.Join();
    return is_put_;
  }

 private:
  T item_;
  bool is_put_ = false;
  Thread thread_;
};

// An item that can be counted. Smaller values come first.
struct Counted {
  static inline std::atomic<int> live{0};

  explicit Counted(int v) : value(v) { ++live; }
  Counted(Counted&& other) noexcept : value(other.value) { ++live; }
  Counted& operator=(Counted&& other) noexcept {
    value = other.value;
    return *this;
  }
  ~Counted() { --live; }
  bool operator<(const Counted& other) const { return value < other.value; }

  int value;
};

// Nothing but a move constructor: no default, no copy, no assignment.
struct OnlyMovable {
  explicit OnlyMovable(int v) : value(v) {}
  OnlyMovable(OnlyMovable&& other) noexcept : value(other.value) {}
  OnlyMovable& operator=(OnlyMovable&&) = delete;
  ~OnlyMovable() = default;
  bool operator<(const OnlyMovable& other) const { return value < other.value; }

  const int value;
};

// Nothing but a copy constructor.
struct OnlyCopyable {
  explicit OnlyCopyable(int v) : value(v) {}
  OnlyCopyable(const OnlyCopyable& other) = default;
  OnlyCopyable& operator=(const OnlyCopyable&) = delete;
  ~OnlyCopyable() = default;
  bool operator<(const OnlyCopyable& other) const {
    return value < other.value;
  }

  const int value;
};

// Aligned more than anything the allocator gives by itself.
struct alignas(256) Aligned {
  explicit Aligned(int v) : value(v) {}
  bool operator<(const Aligned& other) const { return value < other.value; }

  int value;
};

#ifdef ABSL_HAVE_EXCEPTIONS
// Throws at the move, or the comparison, after the next `moves_left`
// (`comparisons_left`), once; negative: never.
struct Throwing {
  static inline std::atomic<int> moves_left{-1};
  static inline std::atomic<int> comparisons_left{-1};
  static inline std::atomic<int> live{0};

  explicit Throwing(int v) : value(v) { ++live; }
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): that it throws
  Throwing(Throwing&& other) : value(other.value) {
    if (moves_left >= 0 && moves_left-- == 0) {
      throw std::runtime_error("cannot be moved");
    }
    other.value = -1;
    ++live;
  }
  Throwing& operator=(Throwing&&) = delete;
  ~Throwing() { --live; }
  bool operator<(const Throwing& other) const {
    if (comparisons_left >= 0 && comparisons_left-- == 0) {
      throw std::runtime_error("cannot be compared");
    }
    return value < other.value;
  }

  int value;
};
#endif

}  // namespace queue_internal
}  // namespace heddle

#endif  // HEDDLE_QUEUE_INTERNAL_TESTING_H_
