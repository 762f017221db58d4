// Fuse: for sweeps that let the n-th operation that may throw do so, for all n.
//
//   for (int n = 1; Fuse::Light(n); ++n) ...      // ends when nothing has thrown
//
// Fused is a number whose copies, moves and comparisons are such operations, and
// FusedRange gives some of them. All of that may be used by several threads, but
// of sweeps there is one at a time.

#ifndef HEDDLE_POOL_INTERNAL_FUSE_H_
#define HEDDLE_POOL_INTERNAL_FUSE_H_

#include <atomic>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "heddle/thread/internal/throw.h"

namespace heddle {
namespace pool_internal {

class Fuse {
 public:
  struct Blown : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  // The n-th operation from now will throw. False if the one before, if there
  // was one, has not.
  static bool Light(int n) {
    const bool goes_on = n == 1 || left_ <= 0;
    left_ = goes_on ? n : kNever;
    return goes_on;
  }
  static bool IsBlown() { return left_ <= 0; }
  static void PutOut() { left_ = kNever; }

  // An operation that may throw.
  static void Pass(const char* what) {
    if (--left_ == 0) internal::Throw(Blown(what));
  }

 private:
  static constexpr int kNever = 1 << 30;
  static inline std::atomic<int> left_{kNever};
};

// Not moved from if the move throws.
class Fused {
 public:
  static inline std::atomic<int> living{0};

  explicit Fused(int number) : number_(number) { ++living; }
  Fused(const Fused& other) : number_(other.number_) {
    Fuse::Pass("copy");
    ++living;
  }
  Fused(Fused&& other) noexcept(false) : number_(other.number_) {
    Fuse::Pass("move");
    other.number_ = kMovedFrom;
    ++living;
  }
  Fused& operator=(const Fused& other) {
    Fuse::Pass("copy");
    number_ = other.number_;
    return *this;
  }
  Fused& operator=(Fused&& other) noexcept(false) {
    Fuse::Pass("move");
    number_ = std::exchange(other.number_, kMovedFrom);
    return *this;
  }
  ~Fused() { --living; }

  static constexpr int kMovedFrom = -1;
  int number() const { return number_; }

 private:
  int number_;
};

// The numbers from 0 to size - 1, made when they are looked at; an input range,
// all of whose operations may throw, as long as they have had no effect.
class FusedRange {
 public:
  explicit FusedRange(int size) : size_(size) {}

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Fused;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Fused;

    Fused operator*() const {
      Fuse::Pass("dereference");
      return Fused(at_);
    }
    Iterator& operator++() {
      Fuse::Pass("increment");
      ++at_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(int end) const {
      Fuse::Pass("compare");
      return at_ == end;
    }

   private:
    int at_ = 0;
  };
  static Iterator begin() { return Iterator(); }
  int end() const { return size_; }

 private:
  int size_;
};

}  // namespace pool_internal
}  // namespace heddle

#endif  // HEDDLE_POOL_INTERNAL_FUSE_H_
